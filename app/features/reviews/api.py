"""JSON of reviews: policies, prompts, asking now, unknown mails, answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.cadence import parse_policy
from app.domain.errors import NotFound
from app.features.messaging.models import Message
from app.features.plans.models import Plan
from app.features.plans.policy import visible_plans
from app.features.reviews import queries, settings
from app.features.reviews.commands import Scope, SetPolicy
from app.features.reviews.models import Prompt, Review
from app.features.reviews.schemas import (
    AskedSchema,
    ClientsSchema,
    DecisionSchema,
    NewPolicySchema,
    PolicyQuery,
    PolicySchema,
    PolicySetSchema,
    PromptPreviewSchema,
    PromptQuery,
    PromptSchema,
    ReviewQuery,
    ReviewSchema,
)
from app.features.selections.schemas import target_in
from app.features.selections.service import choose
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Reviews", __name__, description="Review policies, prompts and answers.")
_OF_ALL = "/review-policies/organization"
_OF_ONE = "/review-policies/<any(template,cohort,plan):scope>/<uuid:subject_id>"
_SETTERS = (Permission.MANAGE_COHORTS, Permission.WORK_PLANS)


@blueprint.get("/review-policies")
@requires(Permission.USE_COHORTS)
@blueprint.arguments(PolicyQuery, location="query")
@blueprint.response(200, page_of(PolicySchema))
def list_review_policies(query: dict[str, Any]) -> dict[str, Any]:
    """The policies in force, widest first."""
    with unit_of_work() as uow:
        lines = [
            line
            for line in queries.policies(uow)
            if query.get("scope") in (None, line.row.scope) and query.get("subject") in (None, line.row.subject_id)
        ]
    return whole(
        [
            {
                "scope": line.row.scope,
                "subject_id": line.row.subject_id,
                "name": line.name,
                "content": line.row.content,
                "updated_at": line.row.updated_at,
            }
            for line in lines
        ]
    )


def _set(scope: str, subject_id: UUID | None, content: dict[str, Any] | None) -> dict[str, int]:
    policy = None if content is None else parse_policy(content)
    with unit_of_work() as uow:
        command = SetPolicy(scope=cast("Scope", scope), subject_id=subject_id, policy=policy)
        return {"plans": settings.set_policy(uow, command)}


@blueprint.put(_OF_ALL)
@requires(Permission.MANAGE_COHORTS)
@blueprint.arguments(NewPolicySchema)
@blueprint.response(200, PolicySetSchema)
def set_organization_policy(body: dict[str, Any]) -> dict[str, int]:
    """Set the policy of the whole organization."""
    return _set("organization", None, body["content"])


@blueprint.delete(_OF_ALL)
@requires(Permission.MANAGE_COHORTS)
@blueprint.response(200, PolicySetSchema)
def remove_organization_policy() -> dict[str, int]:
    """Take the organization's policy away; the standard counts again."""
    return _set("organization", None, None)


@blueprint.put(_OF_ONE)
@requires(*_SETTERS)
@blueprint.arguments(NewPolicySchema)
@blueprint.response(200, PolicySetSchema)
def set_review_policy(body: dict[str, Any], scope: str, subject_id: UUID) -> dict[str, int]:
    """Set the policy of a template, a cohort or a plan; the nearest to a plan wins."""
    return _set(scope, subject_id, body["content"])


@blueprint.delete(_OF_ONE)
@requires(*_SETTERS)
@blueprint.response(200, PolicySetSchema)
def remove_review_policy(scope: str, subject_id: UUID) -> dict[str, int]:
    """Take a policy away; the next wider one counts again."""
    return _set(scope, subject_id, None)


@blueprint.get("/prompts")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(PromptQuery, location="query")
@blueprint.response(200, page_of(PromptSchema))
def list_prompts(query: dict[str, Any]) -> dict[str, Any]:
    """Prompts of the plans you may see, the latest first, with the state of their mail."""
    with unit_of_work() as uow:
        found = select(Prompt).join(Plan, Plan.id == Prompt.plan_id).where(visible_plans(uow.actor))
        if "plan" in query:
            found = found.where(Prompt.plan_id == query["plan"])
        answer = page(uow, found, (Prompt.due_at, Prompt.id), query, descending=True)
        return answer | {"items": _with_mails(uow, answer["items"])}


def _with_mails(uow: UnitOfWork, prompts: Sequence[Prompt]) -> list[dict[str, Any]]:
    ids = [prompt.message_id for prompt in prompts if prompt.message_id is not None]
    # A prompt that is a line of a digest leaves in that.
    own_or_digest = {
        row.id: row.merged_into or row.id
        for row in uow.session.execute(select(Message.id, Message.merged_into).where(Message.id.in_(ids)))
    }
    found = select(Message).where(Message.id.in_(own_or_digest.values()))
    mails = {mail.id: mail for mail in uow.session.scalars(found)}
    own = [name for name in PromptSchema().fields if name not in ("message_state", "sent_at")]
    told = []
    for prompt in prompts:
        mail = mails[own_or_digest[prompt.message_id]] if prompt.message_id else None
        state = {"message_state": mail and mail.state, "sent_at": mail and mail.sent_at}
        told.append({name: getattr(prompt, name) for name in own} | state)
    return told


@blueprint.post("/prompts/preview")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(ClientsSchema)
@blueprint.response(200, PromptPreviewSchema)
def preview_prompts(body: dict[str, Any]) -> dict[str, Any]:
    """What asking these clients now would do, in numbers; nothing happens."""
    with unit_of_work() as uow:
        selection = choose(uow, target_in(body))
        preview = settings.preview_prompts(uow, selection.client_ids)
        warned = settings.warn_contacts(uow, selection.client_ids)
    return {
        "selection_id": selection.id,
        "asked": len(preview.plans),
        "without_plan": preview.without_plan,
        "asked_already": preview.asked_already,
        "without_email": preview.without_email,
        "paused": preview.paused,
        "written_this_week": warned.written,
        "without_contact": warned.full,
    }


@blueprint.post("/prompts")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(ClientsSchema)
@blueprint.response(202, AskedSchema)
def ask_for_reviews(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, int]:
    """Ask these clients for a review today; who is being asked already is left out."""
    return {"asked": settings.prompt_now(uow, choose(uow, target_in(body)).client_ids)}


@blueprint.post("/messages/<uuid:message_id>/decision")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(DecisionSchema)
@blueprint.response(204)
def decide_message(body: dict[str, Any], message_id: UUID) -> None:
    """Send a prompt whose arrival is unknown once more, or leave it."""
    with unit_of_work() as uow:
        settings.decide_unknown(uow, message_id, again=body["decision"] == "again")


@blueprint.get("/reviews")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(ReviewQuery, location="query")
@blueprint.response(200, page_of(ReviewSchema))
def list_reviews(query: dict[str, Any]) -> dict[str, Any]:
    """Reviews of the plans you may see, the latest day first."""
    with unit_of_work() as uow:
        found = select(Review).join(Plan, Plan.id == Review.plan_id).where(visible_plans(uow.actor))
        if "plan" in query:
            found = found.where(Review.plan_id == query["plan"])
        if "state" in query:
            found = found.where(Review.state == query["state"])
        return page(uow, found, (Review.occurrence_on, Review.id), query, descending=True)


@blueprint.get("/reviews/<uuid:review_id>")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, ReviewSchema)
def read_review(review_id: UUID) -> Review:
    """One review with its answers."""
    with unit_of_work() as uow:
        found = uow.session.scalars(
            select(Review).join(Plan, Plan.id == Review.plan_id).where(Review.id == review_id, visible_plans(uow.actor))
        ).one_or_none()
        if found is None:
            raise NotFound("There is no such review, or it is not yours.")
        return found
