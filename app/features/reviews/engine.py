"""Making due prompts. The plan's row says what is due; the prompt's unique key says it was made.

Rules for prompts an outage made late:
* every occurrence that fell due is prompted once, oldest first; of several occurrences of one plan that are all
  overdue only the latest is;
* several missed reminders of one occurrence become one mail, the earliest of them; the others are written down
  as joined to it;
* due moments move on from due days, never from now; quiet hours, working days and pauses hold for late mail too.

A plan whose rules changed is worked out anew before anything is made of its row (`schedule.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.domain import access
from app.domain.cadence import ReviewPolicy, next_sendable, policy_as_json
from app.domain.pauses import Pauses
from app.domain.terms import Term
from app.features.audit.service import record
from app.features.messaging.service import queue_messages
from app.features.reviews.policies import PlanGroup, groups_of, terms_of
from app.features.reviews.schedule import (
    NOTHING_TO_COME,
    TELL_ADMINS,
    TELL_COUNSELLOR,
    Next,
    first_after,
    in_force,
    moment_of,
    next_after,
    schedule_stale,
    schedule_unscheduled,
)
from app.features.reviews.staff import Silence, tell_silence
from app.infra.db.arrays import as_array
from app.infra.db.open import Bell, UnitOfWork
from app.infra.runtime import Runtime

BATCH = 500
LINK_LIFE = timedelta(days=30)
PROMPT_KIND = "review_prompt"

_LOCK_DUE = text(
    "SELECT id FROM plans WHERE status = 'active' AND next_prompt_at IS NOT NULL AND next_prompt_at <= :now"
    " AND NOT review_stale"
    " ORDER BY next_prompt_at LIMIT :most FOR UPDATE SKIP LOCKED"
)
_DUE = text(
    """
    SELECT p.id, p.next_review_on, p.next_reminder, p.next_prompt_at, p.client_id, c.email, c.given_name, c.family_name,
           coalesce(c.locale, o.locale) AS locale, p.revision,
           (SELECT string_agg(CASE WHEN s.status = 'completed' AND s.stale THEN 't' WHEN s.status = 'skipped' THEN 'k'
                                   ELSE left(s.status, 1) END, '' ORDER BY s.step)
            FROM plan_steps s WHERE s.organization_id = p.organization_id AND s.plan_id = p.id) AS dial,
           m.email AS counsellor_email, m.name AS counsellor_name,
           r.state AS review_state
    FROM plans p
    JOIN clients c ON c.id = p.client_id
    CROSS JOIN organizations o
    LEFT JOIN caseload_entries e ON e.client_id = c.id AND e.kind = 'primary'
    LEFT JOIN memberships m ON m.id = e.membership_id AND m.active
    LEFT JOIN reviews r ON r.plan_id = p.id AND r.occurrence_on = p.next_review_on
    WHERE p.id = ANY(:plans)
    """
)
_OPEN_REVIEWS = text(
    """
    INSERT INTO reviews (plan_id, occurrence_on, revision_before)
    SELECT p.id, g.day, p.revision FROM unnest(CAST(:plans AS uuid[]), CAST(:days AS date[])) AS g(plan, day)
    JOIN plans p ON p.id = g.plan
    ON CONFLICT (organization_id, plan_id, occurrence_on) DO NOTHING
    """
)
_REVIEW_IDS = text(
    "SELECT r.plan_id, r.occurrence_on, r.id"
    " FROM unnest(CAST(:plans AS uuid[]), CAST(:days AS date[])) AS g(plan, day)"
    " JOIN reviews r ON r.plan_id = g.plan AND r.occurrence_on = g.day"
)
# An earlier review nobody answered gives way to the next one.
# By an array and not by a join: while the table is new the planner would read it once for every plan.
_LAPSE = text(
    "UPDATE reviews r SET state = 'lapsed'"
    " WHERE r.plan_id = ANY(CAST(:plans AS uuid[])) AND r.state IN ('open', 'started') AND r.occurrence_on <"
    " (CAST(:days AS date[]))[array_position(CAST(:plans AS uuid[]), r.plan_id)]"
)
_PROMPTS = text(
    """
    INSERT INTO prompts (plan_id, policy_id, occurrence_on, reminder, due_at, review_id, message_id, reason)
    SELECT * FROM unnest(CAST(:plan_id AS uuid[]), CAST(:policy_id AS uuid[]), CAST(:occurrence_on AS date[]),
        CAST(:reminder AS smallint[]), CAST(:due_at AS timestamptz[]), CAST(:review_id AS uuid[]),
        CAST(:message_id AS uuid[]), CAST(:reason AS text[]))
    ON CONFLICT (organization_id, plan_id, occurrence_on, channel, reminder) DO NOTHING
    """
)
_LINKS = text(
    "INSERT INTO review_links (id, review_id, expires_at, created_at)"
    " SELECT g.id, g.review, :expires, :now"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:reviews AS uuid[])) AS g(id, review)"
)
_EVENTS = text(
    "INSERT INTO plan_events (plan_id, step, kind, actor_kind, detail, at)"
    " SELECT plan, 8, kind, 'system', jsonb_strip_nulls(jsonb_build_object('occurrence_on', day, 'to', told)), :now"
    " FROM unnest(CAST(:plans AS uuid[]), CAST(:kinds AS text[]), CAST(:days AS date[]), CAST(:told AS text[]))"
    " AS g(plan, kind, day, told)"
)
# Which of the two is told of silence, and the column that remembers it.
_TOLD = {TELL_COUNSELLOR: "escalated_at", TELL_ADMINS: "escalated_admin_at"}
_ESCALATE = {
    stage: text(
        f"UPDATE reviews r SET {column} = :now"
        " FROM unnest(CAST(:plans AS uuid[]), CAST(:days AS date[])) AS g(plan, day)"
        " WHERE r.plan_id = g.plan AND r.occurrence_on = g.day AND r.state IN ('open', 'started')"
        f" AND r.{column} IS NULL RETURNING r.id, r.plan_id, r.occurrence_on"
    )
    for stage, column in _TOLD.items()
}
_MOVE_ON = text(
    "UPDATE plans p SET next_review_on = g.day, next_prompt_at = g.moment, next_reminder = g.reminder,"
    " review_set = p.review_set AND g.reminder > 0"
    " FROM unnest(CAST(:plans AS uuid[]), CAST(:days AS date[]), CAST(:moments AS timestamptz[]),"
    " CAST(:reminders AS smallint[])) AS g(plan, day, moment, reminder) WHERE p.id = g.plan"
)
# What has begun goes on when the client is back; anything else is worked out then.
_REST = text(
    "UPDATE plans SET next_prompt_at = NULL, next_reminder = greatest(next_reminder, 0) WHERE id = ANY(:plans)"
)

_ANYTHING_DUE = text(
    "SELECT EXISTS (SELECT FROM plans"
    "  WHERE status = 'active' AND next_prompt_at IS NOT NULL AND next_prompt_at <= :now)"
    " OR EXISTS (SELECT FROM messages WHERE state IN ('queued', 'held', 'handed', 'unknown') AND not_before <= :now)"
)


@dataclass(frozen=True, slots=True)
class _Decision:
    """What plans of one group get that stand at the same point: the mails due now and what they wait for next."""

    day: date
    coming: Next
    # The reminder that is sent and those joined to it, with their due moments; nothing is sent without any.
    reminders: Sequence[tuple[int, datetime]] = ()
    leaves_at: datetime | None = None
    opens: bool = False
    told: int | None = None


@dataclass(slots=True)
class _Batch:
    """What one transaction writes, gathered plan by plan and written set by set."""

    opened: list[tuple[UUID, date]] = field(default_factory=list)
    sends: list[_Send] = field(default_factory=list)
    told: dict[int, list[tuple[UUID, date]]] = field(default_factory=lambda: {stage: [] for stage in _TOLD})
    moved: list[tuple[UUID, Next]] = field(default_factory=list)

    def take(self, plan: Any, group: PlanGroup, window: Mapping[str, Any], decision: _Decision) -> None:
        """Add a plan with what was decided for its like."""
        self.moved.append((plan.id, decision.coming))
        if decision.told is not None:
            self.told[decision.told].append((plan.id, decision.day))
        if decision.opens:
            self.opened.append((plan.id, decision.day))
        if decision.reminders:
            self.sends.append(_Send(plan, group.policy_id, window, decision))


@dataclass(frozen=True, slots=True)
class _Send:
    """One prompt of a plan. `window`: the hours it may leave in, as the outbox reads them (`messaging/windows.py`)."""

    plan: Any
    policy_id: UUID | None
    window: Mapping[str, Any]
    decision: _Decision

    @property
    def day(self) -> date:
        return self.decision.day


def make_due_prompts(runtime: Runtime, organization_id: UUID, *, until: datetime) -> bool:
    """Make every due prompt of the organization in batches, oldest first; returns whether more are due.

    Each batch is one transaction, harmless to lose or to repeat; any number of processes may do this at once.
    """
    while runtime.clock() < until:
        with runtime.database.unit_of_work(access.system(organization_id)) as uow:
            if not make_batch(uow):
                return False
    return True


def claim_due(uow: UnitOfWork, most: int = BATCH) -> list[UUID]:
    """Lock the plans that are due now, the longest due first, and return them; those another process has are left out.

    Plans whose rules changed count once they are worked out anew (`schedule_stale`).
    """
    return list(uow.session.execute(_LOCK_DUE, {"now": uow.now, "most": most}).scalars())


def make_batch(uow: UnitOfWork, most: int = BATCH) -> bool:
    """Make the prompts of the plans that are due the longest, at most so many; returns whether there were any.

    What it does is one transaction: a rule that somebody changes meanwhile counts for a plan before or after it.
    """
    renewed = schedule_stale(uow)
    ids = claim_due(uow, most)
    if not ids:
        return renewed > 0
    plans = {row.id: row for row in uow.session.execute(_DUE, {"plans": ids})}
    terms = terms_of(uow)
    batch = _Batch()
    for group in groups_of(uow, ids):
        window = _window(group)
        decisions: dict[str | None, _Decision] = {}
        for plan_id in group.plans:
            plan = plans.pop(plan_id)
            if plan.review_state not in decisions:
                decisions[plan.review_state] = _decide(plan.review_state, group, terms, uow.now)
            batch.take(plan, group, window, decisions[plan.review_state])
    if plans:
        # Their client is no longer active; they are scheduled anew once the client is.
        uow.session.execute(_REST, {"plans": list(plans)})
    _write(uow, batch)
    return True


def _decide(review_state: str | None, group: PlanGroup, terms: tuple[Term, ...], now: datetime) -> _Decision:
    """What the due plans of a group get whose review of the day is in this state (None: there is none yet)."""
    # The row had a moment, and so a day.
    assert group.next_review_on is not None
    policy, reminder = group.policy, group.next_reminder
    day: date = group.next_review_on

    def following() -> Next:
        return first_after(group, max(day, group.last_on), terms=terms, now=now)

    if review_state in ("answered", "closed", "lapsed") or (reminder == 0 and day < group.last_on and not group.is_set):
        # Answered, or the client began a later one unasked.
        return _Decision(day, following())
    stage = in_force(policy, reminder)
    if stage is None or stage in _TOLD:
        return _Decision(day, (stage and next_after(day, group, stage)) or following(), told=stage)
    if stage == 0 and not group.is_set and day > group.last_on:
        # Of several that fell due while nobody looked the latest.
        latest = first_after(group, group.last_on, terms=terms, now=now)
        if latest.day is not None and latest.day > day and latest.moment is not None and latest.moment <= now:
            day = latest.day
    leaves_at = _sendable(now, policy, group.zone, group.pauses)
    if leaves_at is None:
        # A pause that began after the prompt fell due and has no end yet.
        return _Decision(day, Next(day, None, stage or NOTHING_TO_COME))
    first = group.set_moment if group.is_set and stage == 0 else _moment(day, group, stage)
    # It has had a moment since its rules were last worked out.
    assert first is not None
    due = [(stage, first)]
    for upcoming in range(stage + 1, len(policy.reminder_days)):
        if (moment := _moment(day, group, upcoming)) is None or moment > now:
            break
        due.append((upcoming, moment))
    coming = next_after(day, group, due[-1][0]) or following()
    return _Decision(day, coming, due, leaves_at, opens=stage == 0)


# Kept, because plans of one policy may stand in as many groups as there are days on which they began.
@lru_cache(maxsize=1024)
def _sendable(now: datetime, policy: ReviewPolicy, zone: ZoneInfo, pauses: Pauses) -> datetime | None:
    return next_sendable(now, policy, zone, pauses=pauses)


def _moment(day: date, group: PlanGroup, reminder: int) -> datetime | None:
    return moment_of(day, group.policy, group.zone, reminder, group.pauses)


def _window(group: PlanGroup) -> dict[str, Any]:
    policy = policy_as_json(group.policy)
    return {"zone": group.zone.key, "quiet_hours": policy["quiet_hours"], "weekdays": policy["weekdays"]}


def _write(uow: UnitOfWork, batch: _Batch) -> None:
    execute = uow.session.execute
    days = [(send.plan.id, send.day) for send in batch.sends]
    if batch.opened:
        execute(_LAPSE, _columns(batch.opened))
    if days:
        execute(_OPEN_REVIEWS, _columns(days))
        reviews = {(row.plan_id, row.occurrence_on): row.id for row in execute(_REVIEW_IDS, _columns(days))}
        _write_sends(uow, batch.sends, reviews)
    silent = [
        Silence(row.id, row.plan_id, row.occurrence_on, to_admins=stage == TELL_ADMINS)
        for stage, pairs in batch.told.items()
        if pairs
        for row in execute(_ESCALATE[stage], _columns(pairs) | {"now": uow.now})
    ]
    tell_silence(uow, silent)
    execute(
        _MOVE_ON,
        {
            "plans": as_array(plan for plan, _ in batch.moved),
            "days": as_array(coming.day for _, coming in batch.moved),
            "moments": as_array(coming.moment for _, coming in batch.moved),
            "reminders": as_array(coming.reminder for _, coming in batch.moved),
        },
    )
    events: list[tuple[UUID, str, date, str | None]] = [
        (send.plan.id, "review_prompted", send.day, None) for send in batch.sends if send.plan.email
    ]
    events += [
        (one.plan_id, "review_escalated", one.occurrence_on, "admin" if one.to_admins else None) for one in silent
    ]
    if events:
        columns = dict(zip(("plans", "kinds", "days", "told"), map(as_array, zip(*events, strict=True)), strict=True))
        execute(_EVENTS, {**columns, "now": uow.now})
    record(
        uow,
        "prompts.made",
        "organization",
        uow.actor.organization_id,
        prompts=len(batch.sends),
        escalated=len(silent),
    )


def _write_sends(uow: UnitOfWork, sends: Sequence[_Send], reviews: Mapping[tuple[UUID, date], UUID]) -> None:
    mailed = [send for send in sends if send.plan.email]
    links = [uuid4() for _ in mailed]
    messages = queue_messages(uow, [_message(send, link) for send, link in zip(mailed, links, strict=True)])
    if links:
        uow.session.execute(
            _LINKS,
            {
                "ids": as_array(links),
                "reviews": as_array(reviews[send.plan.id, send.day] for send in mailed),
                "expires": uow.now + LINK_LIFE,
                "now": uow.now,
            },
        )
    message_of = {send.plan.id: message for send, message in zip(mailed, messages, strict=True)}
    rows = [row for send in sends for row in _prompt_rows(send, reviews, message_of.get(send.plan.id))]
    names = ("plan_id", "policy_id", "occurrence_on", "reminder", "due_at", "review_id", "message_id", "reason")
    uow.session.execute(_PROMPTS, dict(zip(names, map(as_array, zip(*rows, strict=True)), strict=True)))


def _prompt_rows(
    send: _Send, reviews: Mapping[tuple[UUID, date], UUID], message: UUID | None
) -> Iterator[tuple[object, ...]]:
    review = reviews[send.plan.id, send.day]
    for position, (reminder, moment) in enumerate(send.decision.reminders):
        reason = "joined" if position else None if message else "no_email"
        sent = None if position else message
        yield send.plan.id, send.policy_id, send.day, reminder, moment, review, sent, reason


def _message(send: _Send, link_id: UUID) -> dict[str, Any]:
    plan, (reminder, moment) = send.plan, send.decision.reminders[0]
    return {
        "dedupe_key": f"prompt:{plan.id}:{send.day}:email:{reminder}",
        "kind": PROMPT_KIND,
        "recipient": plan.email,
        "recipient_name": f"{plan.given_name} {plan.family_name}",
        "locale": plan.locale,
        "params": {
            "link": link_id,
            "day": send.day,
            "reminder": reminder,
            "given_name": plan.given_name,
            "counsellor": plan.counsellor_name,
            "reply_to": plan.counsellor_email,
            # As it stood when the prompt was made: what the reader is asked to look at again.
            "dial": plan.dial,
            "revision": plan.revision,
            "window": send.window,
        },
        "client_id": plan.client_id,
        "due_at": moment,
        "not_before": send.decision.leaves_at,
    }


def _columns(pairs: Sequence[tuple[UUID, date]]) -> dict[str, str]:
    return {"plans": as_array(plan for plan, _ in pairs), "days": as_array(day for _, day in pairs)}


def sweep_reviews(runtime: Runtime, organization_id: UUID) -> None:
    """Schedule plans nobody scheduled or whose rules changed, and ring when anything is due; harmless to repeat."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        schedule_stale(uow)
        schedule_unscheduled(uow)
        if uow.session.execute(_ANYTHING_DUE, {"now": uow.now}).scalar_one():
            uow.ring(Bell.PROMPT)
