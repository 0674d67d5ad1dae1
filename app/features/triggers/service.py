"""Finding what the rules hold for, and opening reviews for it: the most severe first, then what has waited longest.

Who looks after the client is told of both in their inbox.

A finding's unique key (plan, kind, subject) is what keeps a plan from being opened twice for the same thing. What waits
is brought up to date with every look, so that nobody is asked about what is no longer so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from app.domain import access
from app.domain.saying import plain
from app.domain.triggers import REST_DAYS, SEVERITY, Trigger
from app.features.audit.service import record
from app.features.organizations.models import Organization
from app.features.organizations.queries import today_here
from app.features.reviews.settings import ask_now
from app.features.reviews.staff import AboutPlan, tell_staff
from app.features.triggers.models import ExternalEvent
from app.features.triggers.rules import rules_of, settings_of
from app.features.triggers.sources import Source, source_of, source_of_event
from app.features.triggers.words import rule_names
from app.infra.db.open import Bell, UnitOfWork
from app.infra.runtime import Runtime

# The hour of the organization's night from which the day's look may begin.
_NIGHT = 2
_FORGET = (
    "DELETE FROM trigger_findings f WHERE f.kind = :kind AND f.review_id IS NULL"
    " AND f.event_id IS NOT DISTINCT FROM CAST(:event AS uuid)"
    " AND NOT EXISTS (SELECT 1 FROM found g WHERE g.plan_id = f.plan_id AND g.subject = f.subject)"
)
_KEEP = (
    "INSERT INTO trigger_findings (plan_id, kind, subject, severity, evidence, event_id, found_at)"
    " SELECT plan_id, :kind, subject, :severity, evidence, CAST(:event AS uuid), :now FROM found"
    " ON CONFLICT (organization_id, plan_id, kind, subject) DO NOTHING"
)
# A review that is being asked for, or was until lately; one whose reminders are over long since asks nobody any more.
_ASKED = "(r.state IN ('open', 'started') AND (p.next_reminder > 0 OR r.occurrence_on > :recent))"
# A plan that is being asked already is not asked once more: the reason joins the review that is open.
_JOIN = text(
    f"""
    WITH joined AS (
        UPDATE trigger_findings f SET review_id = r.id, reviewed_at = :now
        FROM (
            SELECT DISTINCT ON (r.plan_id) r.plan_id, r.id
            FROM reviews r JOIN plans p ON p.id = r.plan_id AND p.status = 'active'
            WHERE {_ASKED} ORDER BY r.plan_id, r.occurrence_on DESC
        ) r
        WHERE f.review_id IS NULL AND r.plan_id = f.plan_id
        RETURNING f.plan_id, f.id, f.kind, f.severity
    )
    SELECT plan_id, count(*) AS reasons, array_agg(kind ORDER BY severity DESC, kind, id) AS kinds,
           array_agg(id ORDER BY severity DESC, kind, id) AS ids
    FROM joined GROUP BY plan_id
    """
)
_OPENED_TODAY = text("SELECT count(DISTINCT review_id) FROM trigger_findings WHERE opened_on = :today")
# Who is asked already has been joined; who checked in lately is left alone, and so is whose answers the counsellor has
# not decided about yet: what they decide may settle it.
_NEXT = text(
    f"""
    SELECT f.plan_id FROM trigger_findings f
    JOIN plans p ON p.id = f.plan_id AND p.status = 'active' AND p.next_reminder <= 0
    JOIN clients c ON c.id = p.client_id AND c.active
    WHERE f.review_id IS NULL AND NOT EXISTS (
        SELECT 1 FROM reviews r WHERE r.plan_id = f.plan_id
        AND ({_ASKED} OR r.state = 'answered' OR r.answered_at > :rested))
    GROUP BY f.plan_id ORDER BY max(f.severity) DESC, min(f.found_at), f.plan_id LIMIT :most
    """
)
# A review of this very day that is over already stays as it is; its plan waits for another day.
_OPEN = text(
    """
    WITH chosen AS (
        SELECT p.id, p.revision,
               (CAST(:now AS timestamptz) AT TIME ZONE coalesce(c.time_zone, o.time_zone))::date AS today
        FROM plans p JOIN clients c ON c.id = p.client_id CROSS JOIN organizations o
        WHERE p.id = ANY(:plans) AND p.next_reminder <= 0
        ORDER BY p.id FOR UPDATE OF p
    )
    INSERT INTO reviews (plan_id, occurrence_on, revision_before)
    SELECT id, today, revision FROM chosen
    ON CONFLICT (organization_id, plan_id, occurrence_on) DO NOTHING
    RETURNING plan_id, id
    """
)
_TELL = text(
    """
    WITH opened AS (
        UPDATE trigger_findings f SET review_id = g.review, reviewed_at = :now, opened_on = :today
        FROM unnest(CAST(:plans AS uuid[]), CAST(:reviews AS uuid[])) AS g(plan, review)
        WHERE f.plan_id = g.plan AND f.review_id IS NULL
        RETURNING f.plan_id, f.review_id, f.kind, f.severity
    ), reasons AS (
        SELECT plan_id, review_id, jsonb_agg(kind ORDER BY severity DESC, kind) AS kinds
        FROM opened GROUP BY plan_id, review_id
    ), told AS (
        INSERT INTO plan_events (plan_id, step, kind, actor_id, actor_kind, detail, at)
        SELECT plan_id, 8, 'review_opened', :actor, :actor_kind, jsonb_build_object('kinds', kinds), :now FROM reasons
    )
    SELECT plan_id, review_id, kinds FROM reasons
    """
)
_WANTED = text(
    """
    SELECT EXISTS (SELECT 1 FROM trigger_rules WHERE active)
        OR EXISTS (SELECT 1 FROM trigger_findings WHERE review_id IS NULL)
    """
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look did: newly found by kind, reasons that joined a review open already, reviews opened."""

    found: Mapping[str, int]
    joined: int
    opened: int


def look(uow: UnitOfWork) -> Looked:
    """Find what every rule that is on holds for now, bring up to date what waits, and open what may open today."""
    settings = settings_of(uow, lock=True)
    today = today_here(uow)
    found = {}
    for kind, rule in rules_of(uow).items():
        if rule.active:
            found[kind.value] = _bring_up_to_date(uow, kind, source_of(uow, rule, today))
    for event in _events_waiting(uow):
        _bring_up_to_date(uow, Trigger.EXTERNAL_EVENT, source_of_event(event), event.id, add=False)
    settings.looked_on, settings.looked_at = today, uow.now
    uow.session.flush()
    joined, opened = open_waiting(uow)
    record(uow, "trigger.looked", "organization", uow.actor.organization_id, created=sum(found.values()), opened=opened)
    return Looked(found, joined, opened)


def open_waiting(uow: UnitOfWork) -> tuple[int, int]:
    """Join what waits to reviews that are open, and open as many more as may open today.

    Returns how many reasons joined and how many reviews were opened. Two of these at once wait for each other, so
    that the day's number is kept.
    """
    settings = settings_of(uow, lock=True)
    today = today_here(uow)
    recent = today - timedelta(days=REST_DAYS)
    found = uow.session.execute(_JOIN, {"now": uow.now, "recent": recent}).all()
    # A reason joins once, so that the first of several names them all.
    _tell_staff(uow, "review_reason", [(row.plan_id, f"reason:{row.ids[0]}", row.kinds[0]) for row in found])
    joined = sum(row.reasons for row in found)
    left = settings.a_day - uow.session.execute(_OPENED_TODAY, {"today": today}).scalar_one()
    if left <= 0:
        return joined, 0
    rested = uow.now - timedelta(days=REST_DAYS)
    plans = list(uow.session.execute(_NEXT, {"most": left, "rested": rested, "recent": recent}).scalars())
    if not plans:
        return joined, 0
    opened = uow.session.execute(_OPEN, {"plans": plans, "now": uow.now}).all()
    if opened:
        ids = [row.plan_id for row in opened]
        told = uow.session.execute(
            _TELL,
            {
                "plans": ids,
                "reviews": [row.id for row in opened],
                "now": uow.now,
                "today": today,
                "actor": uow.actor.membership_id,
                "actor_kind": uow.actor.role.value,
            },
        )
        _tell_staff(uow, "review_opened", [(row.plan_id, f"opened:{row.review_id}", row.kinds[0]) for row in told])
        ask_now(uow, ids)
        record(uow, "trigger.opened", "organization", uow.actor.organization_id, plans=len(ids))
    return joined, len(opened)


def _tell_staff(uow: UnitOfWork, notice: str, told: Iterable[tuple[UUID, str, str]]) -> None:
    """Tell who looks after each plan (plan, key, kind of the gravest reason); all the reasons are on its page."""
    names = rule_names(plain)
    tell_staff(uow, [AboutPlan(plan, key, notice, {"why": names[kind]}) for plan, key, kind in told])


def find_for_event(uow: UnitOfWork, event: ExternalEvent) -> int:
    """Note every plan an event touches, and take back those that waited and are not touched any more; how many new."""
    return _bring_up_to_date(uow, Trigger.EXTERNAL_EVENT, source_of_event(event), event.id)


def look_by_night(runtime: Runtime, organization_id: UUID) -> None:
    """The day's look, once, in the organization's night or as soon as somebody asked; harmless to repeat."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        if not uow.session.execute(_WANTED).scalar_one():
            return
        settings = settings_of(uow, lock=True)
        zone = uow.session.execute(select(Organization.time_zone)).scalar_one()
        here = uow.now.astimezone(ZoneInfo(zone))
        if settings.looked_on is None or (settings.looked_on < here.date() and here.hour >= _NIGHT):
            look(uow)


def ask_for_look(uow: UnitOfWork) -> None:
    """Have a worker look as soon as one is free."""
    settings_of(uow, lock=True).looked_on = None
    uow.session.flush()
    record(uow, "trigger.look_asked", "organization", uow.actor.organization_id)
    uow.ring(Bell.SWEEP)


def _events_waiting(uow: UnitOfWork) -> list[ExternalEvent]:
    waiting = text("SELECT DISTINCT event_id FROM trigger_findings WHERE review_id IS NULL AND event_id IS NOT NULL")
    ids = list(uow.session.execute(waiting).scalars())
    return list(uow.session.scalars(select(ExternalEvent).where(ExternalEvent.id.in_(ids))))


def _bring_up_to_date(
    uow: UnitOfWork, kind: Trigger, source: Source, event_id: UUID | None = None, *, add: bool = True
) -> int:
    """Make what waits of a kind equal to what its source finds; how many are new. What was opened stays."""
    values: dict[str, Any] = {**source.values, "kind": kind.value, "event": event_id}
    if "event" in source.values:
        # The same id once as a subject and once as a reference.
        values["event"] = str(event_id)
    if not add:
        uow.session.execute(text(f"WITH found AS MATERIALIZED ({source.statement}) {_FORGET}"), values)
        return 0
    values |= {"severity": SEVERITY[kind], "now": uow.now}
    statement = f"WITH found AS MATERIALIZED ({source.statement}), gone AS ({_FORGET}) {_KEEP} RETURNING 1"
    return len(uow.session.execute(text(statement), values).all())
