"""When a plan's next prompt is due. Days follow from the policy; they move on from due days, never from now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.domain.cadence import ReviewPolicy, next_occurrence, send_moment
from app.domain.terms import Term
from app.features.reviews.policies import groups_of, terms_of
from app.infra.db.open import UnitOfWork

# `plans.next_reminder` of a plan whose dates or terms are used up; 0 without a moment means not scheduled yet.
NOTHING_TO_COME = -1
_SET = text(
    "UPDATE plans SET next_review_on = :day, next_prompt_at = :moment, next_reminder = :reminder WHERE id = ANY(:plans)"
)
_HOLD = text("SELECT id FROM plans WHERE id = ANY(:plans) ORDER BY id FOR UPDATE")
_UNSCHEDULED = text(
    "SELECT p.id FROM plans p JOIN clients c ON c.id = p.client_id AND c.active"
    " WHERE p.status = 'active' AND p.next_prompt_at IS NULL AND p.next_reminder = 0"
    " LIMIT :most FOR UPDATE OF p SKIP LOCKED"
)


@dataclass(frozen=True, slots=True)
class Next:
    """What a plan waits for: the review's day, the moment of its next prompt, and the index of that prompt.

    The index counts the policy's reminder days; one past the last is telling the counsellor.
    """

    day: date | None
    moment: datetime | None
    reminder: int


def schedule_new_plans(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> int:
    """Set the first review of plans just made, in a few statements whatever their number; returns how many.

    A plan whose start lies so far back that several reviews were missed begins with the latest of them.
    """
    return schedule_plans(uow, plan_ids)


def schedule_plans(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> int:
    """Work out anew when these plans are next reviewed, after their policy, terms or zone changed.

    A review whose prompts have begun keeps its day; the prompts left follow the policy in force when they are
    due. Returns how many plans were looked at.
    """
    # Held while the days are worked out: a review asked for meanwhile waits, and is not overwritten afterwards.
    uow.session.execute(_HOLD, {"plans": list(plan_ids)})
    terms = terms_of(uow)
    count = 0
    for group in groups_of(uow, plan_ids):
        count += len(group.plans)
        if group.next_review_on is not None and group.next_review_on <= group.last_on:
            continue
        coming = first_after(group.last_on, group.policy, group.started_on, group.zone, terms=terms, now=uow.now)
        uow.session.execute(
            _SET,
            {
                "day": coming.day,
                "moment": coming.moment,
                "reminder": coming.reminder,
                "plans": list(group.plans),
            },
        )
    return count


def schedule_unscheduled(uow: UnitOfWork, most: int = 10_000) -> int:
    """Schedule active plans that were never scheduled, whatever made them; returns how many there were."""
    found = list(uow.session.execute(_UNSCHEDULED, {"most": most}).scalars())
    return schedule_plans(uow, found) if found else 0


@lru_cache(maxsize=4096)
def first_after(
    after: date, policy: ReviewPolicy, anchor: date, zone: ZoneInfo, *, terms: tuple[Term, ...], now: datetime
) -> Next:
    """The next review after a day. Of several already due the latest, so that nobody is asked twice at once."""
    day = next_occurrence(policy, anchor, after, terms)
    if day is None:
        return Next(None, None, NOTHING_TO_COME)
    while (later := next_occurrence(policy, anchor, day, terms)) is not None and moment_of(
        later, policy, zone, 0
    ) <= now:
        day = later
    return Next(day, moment_of(day, policy, zone, 0), 0)


@lru_cache(maxsize=4096)
def moment_of(day: date, policy: ReviewPolicy, zone: ZoneInfo, reminder: int) -> datetime:
    """The instant (UTC) of a review's prompt; one past the last reminder is telling the counsellor."""
    days = policy.reminder_days
    shift = days[reminder] if reminder < len(days) else policy.escalate_after_days
    return send_moment(day + timedelta(days=shift), policy, zone)
