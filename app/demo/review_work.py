"""Phases of reassessment: those who are due get their mail, some answer by the link in it, counsellors decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from email import policy as email_policy
from email.parser import BytesParser
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, text

from app.demo.build import Build
from app.demo.cohort import EVERYONE, FINAL_YEARS
from app.domain import access
from app.domain.cadence import OnDates, ReviewPolicy
from app.domain.errors import Gone
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.clients.models import Client
from app.features.cohorts.models import Cohort, CohortMember
from app.features.messaging.models import Message
from app.features.plans.models import Plan
from app.features.plans.words import change_sentence
from app.features.reviews import decisions, links, service
from app.features.reviews.answers import Sheet
from app.features.reviews.commands import AcceptChanges, AddPause, SetPolicy, TakenChange
from app.features.reviews.engine import PROMPT_KIND
from app.features.reviews.messages import LINK_PURPOSE
from app.features.reviews.models import Prompt, Review
from app.features.reviews.pauses import add_pause
from app.features.reviews.settings import set_policy
from app.infra.db.open import Bell, UnitOfWork
from app.infra.links import read_token

_ADDRESS = re.compile(r"/check-in/([A-Za-z0-9_-]{64})")
ANY_DAY = tuple(range(7))
_DUE = text(
    "SELECT EXISTS (SELECT FROM plans WHERE status = 'active' AND next_prompt_at <= :now)"
    " OR EXISTS (SELECT FROM messages WHERE state IN ('queued', 'handed', 'unknown') AND not_before <= :now)"
)


def prompt_the_due(build: Build) -> dict[str, Any]:
    """Set a policy by which a cohort was due yesterday, and wait until workers have sent what that asks for."""
    admin = build.actor()
    with build.runtime.database.unit_of_work(admin) as uow:
        name = EVERYONE if build.inputs.roster is not None else FINAL_YEARS
        cohort_id = uow.session.scalars(select(Cohort.id).where(Cohort.name == name)).one()
        today = uow.now.date()
        # Quiet hours and working days are off here alone, so that a demonstration at night shows its mails too.
        policy = ReviewPolicy(
            cadence=OnDates((today - timedelta(days=1), today + timedelta(days=75))),
            quiet_hours=None,
            weekdays=ANY_DAY,
        )
        set_policy(uow, SetPolicy(scope="cohort", subject_id=cohort_id, policy=policy))
        in_cohort = (
            select(Plan.id)
            .join(CohortMember, CohortMember.client_id == Plan.client_id)
            .where(CohortMember.cohort_id == cohort_id, Plan.status == "active")
        )
        plans = list(uow.session.scalars(in_cohort.order_by(Plan.started_on, Plan.id)))
        # Of those who have not checked in yet: whoever has is not silent.
        seen = set(uow.session.scalars(select(Review.plan_id)))
        late = [plan_id for plan_id in plans if plan_id not in seen][:3] if len(plans) > 10 else []
        for plan_id in late:
            # Due long enough ago that every reminder has passed: the counsellor is told.
            missed = replace(policy, cadence=OnDates((today - timedelta(days=16),)))
            set_policy(uow, SetPolicy(scope="plan", subject_id=plan_id, policy=missed))
        _pause_some(uow, today, plans)
        uow.ring(Bell.PROMPT)
    seconds = 120 + len(plans) * 0.05
    build.wait_until(lambda: not anything_due(build), "the mails to leave", seconds)
    with build.runtime.database.unit_of_work(admin) as uow:
        made = uow.session.execute(select(func.count()).select_from(Prompt)).scalar_one()
        asked = select(Message.state, func.count()).where(Message.kind == PROMPT_KIND)
        by_state = uow.session.execute(asked.group_by(Message.state)).all()
    return {"due": len(plans), "prompts": made, "messages": dict(by_state)}


def _pause_some(uow: UnitOfWork, today: date, plans: Sequence[UUID]) -> None:
    """A holiday of everybody, and a client on an exchange term, both ahead: the pages then show what they shift."""
    first = today + timedelta(days=40)
    add_pause(
        uow,
        AddPause(
            client_id=None,
            kind="holiday",
            starts_on=first,
            ends_on=first + timedelta(days=4),
            note="The house is closed",
        ),
    )
    if plans:
        client_id = uow.session.scalars(select(Plan.client_id).where(Plan.id == plans[-1])).one()
        leave = today + timedelta(days=150)
        add_pause(
            uow,
            AddPause(
                client_id=client_id, kind="exchange", starts_on=leave, ends_on=leave + timedelta(days=120), note="Kyoto"
            ),
        )


def anything_due(build: Build) -> bool:
    """Whether a prompt is to be made or a mail to be sent now."""
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        return bool(uow.session.execute(_DUE, {"now": uow.now}).scalar_one())


def answer_some(build: Build) -> dict[str, Any]:
    """Some clients open the link in their mail and answer: most keep their plan, some change it.

    Only who has begun a step can change one, and who is asked first is chance: so it goes on until some have.
    """
    kept = revised = 0
    most = min(40, max(4, build.keep.size // 6))
    for path in sorted((build.folder / "mail" / "messages").glob("*.eml")):
        enough = kept + revised >= most
        if enough and revised > _LEFT_WAITING:
            break
        build.check()
        found = _link_in(build, path.read_bytes())
        if found is None or found[0] != build.organization():
            continue
        outcome = _answer(build, *found, changing=enough or revised * 3 <= kept, only_changing=enough)
        kept += outcome == "confirm"
        revised += outcome == "revise"
    return {"answered": kept + revised, "revised": revised}


def _link_in(build: Build, raw: bytes) -> tuple[UUID, UUID] | None:
    message = BytesParser(policy=email_policy.default).parsebytes(raw)
    part = message.get_body(("plain",))
    address = _ADDRESS.search(part.get_content()) if part is not None else None
    return address and read_token(build.runtime.settings, LINK_PURPOSE, address[1])


def _answer(build: Build, organization_id: UUID, link_id: UUID, *, changing: bool, only_changing: bool) -> str:
    """Open the link and answer everything it asks; "" for one that was answered before the last stop.

    With `only_changing` also "" for somebody who has nothing to change yet, and their link stays as it is.
    """
    database = build.runtime.database
    with database.unit_of_work(access.system(organization_id)) as uow:
        view = links.view_link(uow, link_id)
    if view is None or view.review.state not in ("open", "started"):
        return ""
    with database.unit_of_work(access.review_link(organization_id, view.client.id)) as uow:
        sheet = service.view_check_in(uow, view.review.id).sheet
        if only_changing and not sheet.steps:
            return ""
        if view.link.used_at is None:
            try:
                links.redeem_link(uow, link_id)
            except Gone:
                return ""
        answers = answers_to(sheet, confidence=5 + link_id.int % 5)
        if changing and sheet.steps:
            answers["steps"][sheet.steps[-1].value] = "adjust"
            answers |= {"why": _WHY, "words": "Going well; let us talk about the internship."}
        return str(service.submit_review(uow, view.review.id, answers, sheet, plain))


_WHY = "The internship begins a month later than I had planned."


def answers_to(sheet: Sheet, *, confidence: int) -> dict[str, Any]:
    """An answer to everything that is asked: the plan is kept, some things around it have changed."""
    return {
        "goals": {goal: (-1, 0, 0, 1)[number % 4] for number, (goal, _) in enumerate(sheet.goals)},
        "factors": {
            factor: ("same", "stronger", "weaker")[number % 3] for number, (factor, _) in enumerate(sheet.factors)
        },
        "control": {},
        "new_factors": [],
        "confidence": confidence,
        "steps": {step.value: "keep" for step in sheet.steps},
        "why": "",
        "words": "",
    }


# Left for whoever tries the demonstration: in the queue, one of them with a day to talk about it.
_LEFT_WAITING = 2


def decide_some(build: Build) -> dict[str, Any]:
    """A finished plan is answered with changes and goes on to its third revision; of the others most are decided."""
    third = _third_revision(build)
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        waiting = uow.session.execute(
            select(Review.id, Review.outcome).where(Review.state == "answered").order_by(Review.answered_at, Review.id)
        ).all()
    agreed = accepted = 0
    by_outcome = {wish: [row.id for row in waiting if row.outcome == wish] for wish in ("confirm", "revise")}
    for wish, ids in by_outcome.items():
        for review_id in ids[: max(1, len(ids) - _LEFT_WAITING)]:
            build.check()
            with build.runtime.database.unit_of_work(build.actor()) as uow:
                if wish == "confirm":
                    decisions.agree_review(uow, review_id)
                    agreed += 1
                else:
                    _accept(uow, review_id)
                    accepted += 1
    left = by_outcome["revise"][max(1, len(by_outcome["revise"]) - _LEFT_WAITING) :]
    if left:
        with build.runtime.database.unit_of_work(build.actor()) as uow:
            on = uow.now.date() + timedelta(days=6)
            decisions.call_meeting(uow, left[-1], on, "The internship, and what it means for the goals.")
    return {"agreed": agreed, "accepted": accepted, "third_revision": third}


def _third_revision(build: Build) -> str:
    """The external id of the client whose plan is taken to its third revision; "" where nobody has finished."""
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        found = uow.session.execute(
            select(Client.id, Client.external_id, Plan.id.label("plan"))
            .join(Plan, Plan.client_id == Client.id)
            .where(
                Plan.status == "active",
                Plan.revision == 2,
                # Whoever was asked lately is not asked again at once.
                ~exists().where(
                    Review.plan_id == Plan.id,
                    Review.state.in_(("answered", "closed")),
                    Review.occurrence_on > uow.now.date() - timedelta(days=7),
                ),
            )
            .order_by(Client.external_id)
            .limit(1)
        ).one_or_none()
    if found is None:
        return ""
    database = build.runtime.database
    with database.unit_of_work(access.review_link(build.organization(), found.id)) as uow:
        review_id = service.start_review(uow, found.id)
        sheet = service.view_check_in(uow, review_id).sheet
        answers = answers_to(sheet, confidence=6)
        answers |= {
            "new_factors": [
                {"text": "The firm I hoped for takes nobody on this year", "kind": "threat", "controllable": "no"}
            ],
            "why": "With that firm out of reach the next step has to be another one.",
            "words": "I would like to talk about what else there is.",
        }
        answers["steps"] |= {step.value: "rethink" for step in sheet.steps if step is StepKey.GOALS}
        answers["steps"] |= {step.value: "adjust" for step in sheet.steps if step is StepKey.ACTION_PLAN}
        service.submit_review(uow, review_id, answers, sheet, plain)
    with database.unit_of_work(build.actor()) as uow:
        _accept(uow, review_id)
    return str(found.external_id)


def _accept(uow: UnitOfWork, review_id: UUID) -> None:
    """Take every change, with what the client wrote as the reason or, for want of that, the change itself."""
    result = decisions.view_answered(uow, review_id).review
    told = result.result or {}
    changes = tuple(
        TakenChange(
            change["key"],
            (result.answers.get("why") if change["kind"] == "step" else "")
            or change_sentence(change["kind"], change["label"], change["change"], plain),
            change["controllable"] or "partly",
        )
        for change in told["changes"]
    )
    reopen = tuple(StepKey(row["step"]) for row in told["reopens"] if row["sure"])
    decisions.accept_changes(uow, AcceptChanges(review_id=review_id, changes=changes, reopen=reopen), plain)
