"""When a plan's next prompt is due. Days follow from the policy; they move on from due days, never from now.

What a plan's row says of its next prompt is worked out from the rules: policies, terms, pauses, the client's zone.
Whatever changes one of them marks the plans it reaches (`plans.review_stale`, by triggers), and marked plans are
worked out anew before anything is made of what their rows say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.domain.cadence import EveryMonths, ReviewPolicy, next_occurrence, send_moment
from app.domain.pauses import NO_PAUSES, Pauses
from app.domain.terms import Term
from app.features.reviews.policies import PlanGroup, groups_of, terms_of
from app.infra.db.open import UnitOfWork

# `plans.next_reminder` of a plan whose dates or terms are used up, or whose pause has no end; 0 without a moment means
# not scheduled yet.
NOTHING_TO_COME = -1
# And of one whose reminders are over: what comes next is telling the counsellor, then the administrators. Numbers no
# reminder reaches, so that a policy edited meanwhile does not turn one into the other.
TELL_COUNSELLOR, TELL_ADMINS = 100, 101
_SET = text(
    "UPDATE plans SET next_review_on = :day, next_prompt_at = :moment, next_reminder = :reminder,"
    " review_stale = false, review_set = :is_set WHERE id = ANY(:plans)"
)
# Those of clients who left stay as they are; when the client is back they are marked again.
_FRESH = text("UPDATE plans SET review_stale = false WHERE id = ANY(:plans) AND review_stale")
_HOLD = text("SELECT id FROM plans WHERE id = ANY(:plans) ORDER BY id FOR UPDATE")
_STALE = text(
    "SELECT p.id FROM plans p WHERE p.review_stale AND p.status = 'active' LIMIT :most FOR UPDATE OF p SKIP LOCKED"
)
# The client is looked up for the plans found and not joined: while both tables are new the planner would read all of
# the organization's plans once for every client, in each sweep.
_UNSCHEDULED = text(
    "SELECT p.id FROM plans p"
    " WHERE p.status = 'active' AND p.next_prompt_at IS NULL AND p.next_reminder = 0"
    " AND (SELECT c.active FROM clients c WHERE c.organization_id = p.organization_id AND c.id = p.client_id)"
    " LIMIT :most FOR UPDATE OF p SKIP LOCKED"
)


@dataclass(frozen=True, slots=True)
class Next:
    """What a plan waits for: the review's day, the moment of its next prompt, and the index of that prompt.

    The index counts the policy's reminder days; `TELL_COUNSELLOR` and `TELL_ADMINS` come after the last. No moment:
    a pause without an end.
    """

    day: date | None
    moment: datetime | None
    reminder: int


@dataclass(frozen=True, slots=True)
class _Rules:
    policy: ReviewPolicy
    anchor: date
    zone: ZoneInfo
    pauses: Pauses
    terms: tuple[Term, ...]


def schedule_new_plans(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> int:
    """Set the first review of plans just made, in a few statements whatever their number; returns how many.

    A plan whose start lies so far back that several reviews were missed begins with the latest of them.
    """
    return schedule_plans(uow, plan_ids)


def schedule_plans(uow: UnitOfWork, plan_ids: Sequence[UUID]) -> int:
    """Work out anew when these plans are next reviewed, after their policy, terms, pauses or zone changed.

    A review whose prompts have begun keeps its day; the prompts left follow the rules in force. So does a day that
    somebody set (`plans.review_set`). Returns how many plans were looked at.
    """
    # Held while the days are worked out: a review asked for meanwhile waits, and is not overwritten afterwards.
    uow.session.execute(_HOLD, {"plans": list(plan_ids)})
    terms = terms_of(uow)
    count = 0
    for group in groups_of(uow, plan_ids):
        count += len(group.plans)
        kept = _kept(group, uow.now)
        coming = coming_of(group, terms=terms, now=uow.now)
        uow.session.execute(
            _SET,
            {
                "day": coming.day,
                "moment": coming.moment,
                "reminder": coming.reminder,
                "is_set": kept is not None and group.is_set,
                "plans": list(group.plans),
            },
        )
    uow.session.execute(_FRESH, {"plans": list(plan_ids)})
    return count


def schedule_stale(uow: UnitOfWork, most: int = 10_000) -> int:
    """Work out anew the plans whose rules changed; returns how many there were, at most `most`."""
    found = list(uow.session.execute(_STALE, {"most": most}).scalars())
    if found:
        schedule_plans(uow, found)
    return len(found)


def schedule_unscheduled(uow: UnitOfWork, most: int = 10_000) -> int:
    """Schedule active plans that were never scheduled, whatever made them; returns how many there were."""
    found = list(uow.session.execute(_UNSCHEDULED, {"most": most}).scalars())
    return schedule_plans(uow, found) if found else 0


def in_force(policy: ReviewPolicy, reminder: int) -> int | None:
    """What this index stands for under a policy, which may be another than when it was stored; None: nothing left."""
    if reminder < len(policy.reminder_days):
        return reminder
    if reminder <= TELL_COUNSELLOR:
        return TELL_COUNSELLOR
    return TELL_ADMINS if policy.escalate_admin_after_days is not None else None


def next_after(day: date, group: PlanGroup, reminder: int) -> Next | None:
    """What follows this prompt of a review; None when it was the last word."""
    following = TELL_ADMINS if reminder == TELL_COUNSELLOR else reminder + 1
    stage = None if reminder == TELL_ADMINS else in_force(group.policy, following)
    return None if stage is None else _at(group, day, stage)


def coming_of(group: PlanGroup, *, terms: tuple[Term, ...], now: datetime) -> Next:
    """What these plans wait for now, by the rules as they are and whatever their rows say."""
    return _kept(group, now) or first_after(group, group.last_on, terms=terms, now=now)


def first_after(group: PlanGroup, after: date, *, terms: tuple[Term, ...], now: datetime) -> Next:
    """The next review after a day. Of several already due the latest, so that nobody is asked twice at once."""
    rules = _Rules(group.policy, group.started_on, group.zone, group.pauses, terms)
    return _first_after(after, rules, now)


def _kept(group: PlanGroup, now: datetime) -> Next | None:
    """What these plans go on waiting for whatever the rules are now; None where the rules decide."""
    day, stage = group.next_review_on, in_force(group.policy, group.next_reminder)
    if day is None:
        return None
    if group.is_begun:
        return stage if stage is None else _at(group, day, stage)
    if not group.is_set or group.next_reminder > 0:
        # With mails of it made and nothing begun any more it was answered: what was chosen has had its review.
        return None
    free = group.pauses.after(day)
    if free is None:
        return Next(day, None, NOTHING_TO_COME)
    due = free == day and group.set_moment is not None and group.set_moment <= now
    return Next(day, group.set_moment, 0) if due else _at(group, free, 0)


def _at(group: PlanGroup, day: date, reminder: int) -> Next:
    return Next(day, moment_of(day, group.policy, group.zone, reminder, group.pauses), reminder)


@lru_cache(maxsize=4096)
def _first_after(after: date, rules: _Rules, now: datetime) -> Next:
    policy, pauses = rules.policy, rules.pauses

    def upcoming(day: date) -> date | None:
        return next_occurrence(policy, rules.anchor, day, rules.terms, pauses=pauses)

    if isinstance(policy.cadence, EveryMonths):
        # Its first mail comes after the day of the review before, which may have been asked for at any time.
        after += timedelta(days=max(0, -policy.reminder_days[0]))
    day = upcoming(after)
    if day is None:
        return Next(None, None, NOTHING_TO_COME)
    moment = moment_of(day, policy, rules.zone, 0, pauses)
    while (later := upcoming(day)) is not None:
        its = moment_of(later, policy, rules.zone, 0, pauses)
        if its is None or its > now:
            break
        day, moment = later, its
    return Next(day, moment, 0)


@lru_cache(maxsize=4096)
def moment_of(
    day: date, policy: ReviewPolicy, zone: ZoneInfo, reminder: int, pauses: Pauses = NO_PAUSES
) -> datetime | None:
    """The instant (UTC) of a review's prompt, or of telling staff; None in a pause without an end."""
    days = policy.reminder_days
    if reminder < len(days):
        shift = days[reminder]
    elif reminder == TELL_ADMINS:
        shift = policy.escalate_admin_after_days or policy.escalate_after_days
    else:
        shift = policy.escalate_after_days
    return send_moment(day + timedelta(days=shift), policy, zone, pauses=pauses)
