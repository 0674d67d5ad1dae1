"""Use cases of a review for the counsellor: read what was answered, agree, take changes, give back, set a meeting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from app.domain.canonical import digest
from app.domain.environment import CONTROL
from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.reading import check_day
from app.domain.saying import Say, later
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, transition
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.messaging.service import queue_messages
from app.features.organizations.models import Organization
from app.features.plans.models import Plan, PlanRevision, PlanStep, StepContent
from app.features.plans.policy import kind_of, visible_plans
from app.features.plans.queries import find_plan
from app.features.plans.revisions import freeze_revision
from app.features.plans.service import note_event, put_content
from app.features.reviews.commands import AcceptChanges
from app.features.reviews.engine import LINK_LIFE
from app.features.reviews.messages import DECIDED_KIND, RETURNED_KIND
from app.features.reviews.models import Review, ReviewLink, RevisionChange
from app.features.reviews.result import with_factors
from app.features.reviews.service import ANSWERED, answered_before, confidence_history
from app.features.steps.goals.content import take_levels
from app.features.steps.registry import ROOMS
from app.infra.db.open import UnitOfWork

MOST_REASON = 1000
_OPENABLE = (StepStatus.COMPLETED, StepStatus.SUBMITTED)


@dataclass(frozen=True, slots=True)
class Answered:
    """A check-in as the counsellor reads it: answers and result, who decided, and what was taken from it."""

    review: Review
    plan: Plan
    client: Client
    before: Review | None
    confidence: Sequence[tuple[date, int]]
    steps: Mapping[StepKey, str]
    taken: Sequence[RevisionChange]

    @property
    def waits(self) -> bool:
        """Whether it waits for the counsellor's decision."""
        return self.review.state == "answered"


def view_answered(uow: UnitOfWork, review_id: UUID) -> Answered:
    """A check-in that was answered. Raises NotFound for one that is not, or whose plan the actor may not see."""
    row = uow.session.execute(
        select(Review, Plan, Client)
        .join(Plan, Plan.id == Review.plan_id)
        .join(Client, Client.id == Plan.client_id)
        .where(Review.id == review_id, Review.state.in_(ANSWERED), visible_plans(uow.actor))
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such check-in, or it was not answered yet.")
    review, plan, client = row
    steps = uow.session.execute(select(PlanStep.step, PlanStep.status).where(PlanStep.plan_id == plan.id))
    keys = list(StepKey)
    return Answered(
        review=review,
        plan=plan,
        client=client,
        before=answered_before(uow, review),
        confidence=confidence_history(uow, plan.id, review.occurrence_on),
        steps={keys[step - 1]: status for step, status in steps},
        taken=changes_of(uow, plan.id, review_id=review.id),
    )


def changes_of(
    uow: UnitOfWork, plan_id: UUID, *, review_id: UUID | None = None, revision: int | None = None
) -> Sequence[RevisionChange]:
    """Why revisions of a plan the actor was shown to see ended, in order; of one review or one revision if named."""
    statement = select(RevisionChange).where(RevisionChange.plan_id == plan_id)
    if review_id is not None:
        statement = statement.where(RevisionChange.review_id == review_id)
    if revision is not None:
        statement = statement.where(RevisionChange.revision == revision)
    return uow.session.scalars(statement.order_by(RevisionChange.revision, RevisionChange.number)).all()


def mark_of(review: Review) -> str:
    """Stands for the answers and what they came to: another where the client has answered anew."""
    return digest([review.answers, review.result])[:16]


def agree_review(uow: UnitOfWork, review_id: UUID, read: str | None = None) -> Review:
    """The counsellor agrees: the plan stays as it is, and what was said of goals and factors is written into it.

    The client is told by mail, as of changes that were taken. `read` is the mark of what the counsellor has read, where
    they say it. Raises NotFound for a plan the actor may not see, Forbidden for who only reads, Conflict for a check-in
    that does not wait for a decision or was answered anew.
    """
    review, plan = _waiting(uow, review_id, read)
    # A revision may have been closed by hand since the client answered.
    review.revision_before = plan.revision
    _take_in(uow, plan, review, only=None)
    _close(uow, plan, review, "review_agreed", {})
    _mail(uow, plan, review, DECIDED_KIND)
    record(uow, "review.agreed", "review", review.id)
    return review


def accept_changes(uow: UnitOfWork, command: AcceptChanges, say: Say) -> PlanRevision:
    """Close the open revision as it was, open the next with these changes, and open steps again; returns the closed.

    Factors that are not among the changes are noted as looked at. Raises what `agree_review` raises, and InvalidInput
    naming each change without a reason or a word on whether it can be steered, unknown keys, and no change at all.
    """
    review, plan = _waiting(uow, command.review_id, command.read)
    known = {change["key"]: change for change in (review.result or {}).get("changes", ())}
    _check(command, known)
    frozen = freeze_revision(uow, plan, say("A check-in asked for changes."), review.id)
    review.revision_before = frozen.revision
    for number, taken in enumerate(command.changes, start=1):
        change = known[taken.key]
        uow.session.add(
            RevisionChange(
                plan_id=plan.id,
                revision=frozen.revision,
                number=number,
                review_id=review.id,
                subject=taken.key,
                kind=change["kind"],
                label=change["label"],
                change=change["change"],
                reason=taken.reason.strip(),
                controllable=taken.controllable,
                at=uow.now,
            )
        )
    uow.session.flush()
    choices = {row["step"]: row["choice"] for row in (review.result or {}).get("reopens", ())}
    opened = _reopen(uow, plan, {step: choices.get(step.value) for step in command.reopen}, say)
    _take_in(uow, plan, review, only=[taken.key for taken in command.changes])
    detail = {"revision": frozen.revision, "changes": len(command.changes), "reopened": opened}
    _close(uow, plan, review, "review_accepted", detail)
    _mail(uow, plan, review, DECIDED_KIND, went_on=plan.revision)
    record(uow, "review.changes_accepted", "review", review.id, **detail)
    return frozen


def return_review(uow: UnitOfWork, review_id: UUID, words: str) -> Review:
    """Give the check-in back with a sentence the client reads in it, and mail them a fresh link.

    The answers stay as they are typed. Raises what `agree_review` raises, and InvalidInput without a sentence.
    """
    review, plan = _waiting(uow, review_id)
    review.returned_note, review.returned_at = _words(words, "words"), uow.now
    review.state, review.outcome, review.result = "started", None, None
    review.meeting_on = review.meeting_note = None
    _mail(uow, plan, review, RETURNED_KIND)
    note_event(uow, plan, StepKey.REVIEW, "review_returned", {"review": str(review.id), "reason": review.returned_note})
    record(uow, "review.returned", "review", review.id)
    return review


def call_meeting(uow: UnitOfWork, review_id: UUID, on: date, words: str) -> Review:
    """Note the day of a meeting about the check-in, which goes on waiting; a later call moves it.

    Raises what `agree_review` raises, and InvalidInput for a day outside 1900 to 2200.
    """
    if problems := check_day("meeting_on", on):
        raise InvalidInput(problems)
    review, plan = _waiting(uow, review_id)
    review.meeting_on, review.meeting_note = on, words.strip()[:MOST_REASON] or None
    detail = {"review": str(review.id), "on": on.isoformat()}
    note_event(uow, plan, StepKey.REVIEW, "review_meeting", detail)
    record(uow, "review.meeting_called", "review", review.id, on=on.isoformat())
    return review


def _waiting(uow: UnitOfWork, review_id: UUID, read: str | None = None) -> tuple[Review, Plan]:
    """The review and its plan, both locked, for a decision."""
    plan_id = uow.session.scalars(
        select(Review.plan_id).join(Plan, Plan.id == Review.plan_id).where(
            Review.id == review_id, visible_plans(uow.actor)
        )
    ).one_or_none()  # fmt: skip
    if plan_id is None:
        raise NotFound("There is no such check-in, or it is not yours.")
    if kind_of(uow.actor) is not ActorKind.COUNSELLOR:
        raise Forbidden(later("Only the %(counsellor)s decides about a check-in."))
    # The plan's row is the one lock: whoever changes anything of a plan waits here for the one before.
    plan = find_plan(uow, plan_id, lock=True)
    review = uow.session.scalars(
        select(Review).where(Review.id == review_id).with_for_update().execution_options(populate_existing=True)
    ).one()
    if plan.status != "active":
        raise Conflict("This plan is archived, so it does not change any more.")
    if review.state != "answered":
        raise Conflict("This check-in does not wait for a decision: it is open again, or it was decided already.")
    if read is not None and read != mark_of(review):
        raise Conflict("This check-in was answered anew since you opened the page. Read it again, then decide.")
    return review, plan


def _check(command: AcceptChanges, known: Mapping[str, Mapping[str, Any]]) -> None:
    problems = []
    if not command.changes:
        problems.append(FieldProblem("changes", "Take at least one change, or agree that the plan stays as it is."))
    for taken in command.changes:
        if taken.key not in known:
            problems.append(FieldProblem(taken.key, "This check-in has no such change. Read it again."))
        if not taken.reason.strip() or len(taken.reason) > MOST_REASON:
            problems.append(
                FieldProblem(
                    f"{taken.key}.reason",
                    later("Write why it changed, in at most %(most)s characters.", most=MOST_REASON),
                )
            )
        if taken.controllable not in CONTROL:
            problems.append(FieldProblem(f"{taken.key}.controllable", "Say whether something can be done about it."))
    if len({taken.key for taken in command.changes}) < len(command.changes):
        problems.append(FieldProblem("changes", "Take each change once."))
    if StepKey.REVIEW in command.reopen:
        problems.append(FieldProblem("reopen", "The review is no step to open again: its check-in is."))
    if problems:
        raise InvalidInput(problems)


def _words(words: str, name: str) -> str:
    if not words.strip() or len(words) > MOST_REASON:
        raise InvalidInput(
            [FieldProblem(name, later("Write a sentence of at most %(most)s characters.", most=MOST_REASON))]
        )
    return words.strip()


def _take_in(uow: UnitOfWork, plan: Plan, review: Review, only: Iterable[str] | None) -> None:
    """Write what was said of goals and factors into steps 6 and 3, so that each is told in one place."""
    answers = review.answers
    said = review.answered_at or uow.now
    rows = {
        row.step: row
        for row in uow.session.scalars(
            select(StepContent).where(
                StepContent.plan_id == plan.id,
                StepContent.step.in_((StepKey.OPPORTUNITIES.number, StepKey.GOALS.number)),
            )
        )
    }
    for key in (StepKey.OPPORTUNITIES, StepKey.GOALS):
        stored, empty = rows.get(key.number), ROOMS[key].empty()
        before = stored.content if stored else empty
        if key is StepKey.GOALS:
            after = take_levels(before, answers.get("goals", {}), said)
        else:
            after = with_factors(before, answers, only, said)
        if after != before:
            # What Octant adds beside the client stops nobody who is typing.
            put_content(uow, plan, key, stored, after, empty=empty, typed=False)


def _reopen(uow: UnitOfWork, plan: Plan, wanted: Mapping[StepKey, str | None], say: Say) -> list[str]:
    """Open steps again; one that is open stays so, and one that waits for the counsellor goes back to the client."""
    opened = []
    rows = {row.step: row for row in uow.session.scalars(select(PlanStep).where(PlanStep.plan_id == plan.id))}
    for step, choice in wanted.items():
        row = rows[step.number]
        before = StepStatus(row.status)
        if before not in _OPENABLE:
            continue
        action = StepAction.REOPEN if before is StepStatus.COMPLETED else StepAction.RETURN
        reason = None if action is StepAction.REOPEN else say("A check-in asked for changes.")
        row.status = transition(before, action, ActorKind.COUNSELLOR, reason).value
        row.reason = reason
        row.changed_at = uow.now
        opened.append(step.value)
        detail = {"from": before.value, "to": row.status, "check_in": choice or "rests"}
        note_event(uow, plan, step, "reopened", detail)
    return opened


def _close(uow: UnitOfWork, plan: Plan, review: Review, kind: str, detail: Mapping[str, Any]) -> None:
    review.state, review.closed_at, review.closed_by = "closed", uow.now, uow.actor.membership_id
    review.revision_after = plan.revision
    step = uow.session.scalars(
        select(PlanStep).where(PlanStep.plan_id == plan.id, PlanStep.step == StepKey.REVIEW.number)
    ).one()
    if step.status != StepStatus.SKIPPED.value:
        step.status, step.reason, step.changed_at = StepStatus.COMPLETED.value, None, uow.now
    note_event(uow, plan, StepKey.REVIEW, kind, {"review": str(review.id)} | dict(detail))


def _mail(uow: UnitOfWork, plan: Plan, review: Review, kind: str, **more: int) -> None:
    """Mail the client what happened to their check-in, with a link of its own."""
    client, organization = uow.session.execute(
        select(Client, Organization)
        .join(Organization, Organization.organization_id == Client.organization_id)
        .where(Client.id == plan.client_id)
    ).one()
    if not client.email or not client.active:
        return
    link = ReviewLink(id=uuid4(), review_id=review.id, expires_at=uow.now + LINK_LIFE, created_at=uow.now)
    uow.session.add(link)
    uow.session.flush()
    queue_messages(
        uow,
        [
            {
                "dedupe_key": f"{kind}:{link.id}",
                "kind": kind,
                "recipient": client.email,
                "recipient_name": f"{client.given_name} {client.family_name}",
                "locale": client.locale or organization.locale,
                "params": {"link": link.id, "day": review.occurrence_on, "given_name": client.given_name} | more,
                "client_id": client.id,
                "due_at": uow.now,
                "not_before": uow.now,
            }
        ],
    )
