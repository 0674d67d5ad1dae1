"""What each trigger finds, as one statement over what is stored: plan, the thing's name (subject), what was seen.

A statement selects `plan_id`, `subject` and `evidence` of every active plan that the trigger holds for now, whether or
not it was found before. What the database cannot say is computed beside it and handed in as rows.

What lies before the day on which the client last checked in has been looked at, and is not found: a goal missed, a step
overdue, a factor changed. A check-in itself finds what it is the source of: attainment and confidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.domain.triggers import LEAST_CHANGES, Rule, Trigger
from app.features.triggers import catalogue, measured
from app.features.triggers.models import ExternalEvent
from app.infra.db.open import UnitOfWork

# Active plans of active clients, with the day they last checked in (in the organization's zone).
_LIVE = """
    live AS (
        SELECT p.id, p.client_id, p.created_at, max(r.answered_at) AS answered_at,
               max((r.answered_at AT TIME ZONE o.time_zone)::date) AS looked_on
        FROM plans p
        JOIN clients c ON c.id = p.client_id AND c.active
        CROSS JOIN organizations o
        LEFT JOIN reviews r ON r.plan_id = p.id AND r.answered_at IS NOT NULL
        WHERE p.status = 'active'
        GROUP BY p.id, p.client_id, p.created_at
    )
"""
# What belongs to a way of step 5 does not count while another one is chosen.
_TAKEN_WAY = "(coalesce({way}, '') = '' OR coalesce(w.content ->> 'chosen', '') = '' OR {way} = w.content ->> 'chosen')"
_GOAL_MISSED = f"""
    WITH {_LIVE}
    SELECT l.id AS plan_id, (g ->> 'id') || ':' || (g ->> 'due_on') AS subject,
           jsonb_build_object('text', left(g ->> 'text', 300), 'on', g ->> 'due_on') AS evidence
    FROM live l
    JOIN step_contents c ON c.plan_id = l.id AND c.step = 6
    LEFT JOIN step_contents w ON w.plan_id = l.id AND w.step = 5
    CROSS JOIN LATERAL jsonb_path_query(c.content, '$.goals[*]') g
    WHERE g ->> 'text' <> '' AND coalesce(g ->> 'status', 'open') = 'open'
      -- As expected or better is not missed, though nobody has said that it is reached.
      AND coalesce((g ->> 'level')::int, -2) < 0
      AND (g ->> 'due_on')::date < :today
      AND (l.looked_on IS NULL OR l.looked_on <= (g ->> 'due_on')::date)
      AND {_TAKEN_WAY.format(way="g ->> 'path'")}
"""
_STEP_OVERDUE = f"""
    WITH {_LIVE}
    SELECT l.id AS plan_id, s.step || ':' || s.due_on AS subject,
           jsonb_build_object('step', s.step, 'on', s.due_on) AS evidence
    FROM live l JOIN plan_steps s ON s.plan_id = l.id
    WHERE s.status IN ('not_started', 'in_progress', 'returned')
      AND s.due_on + :number <= :today
      AND (l.looked_on IS NULL OR l.looked_on < s.due_on + :number)
"""
# Of several questionnaires on one thing the newest counts; others each stand for themselves.
_ASSESSMENT_OLD = f"""
    WITH {_LIVE}, newest AS (
        SELECT DISTINCT ON (a.client_id, k.kind) a.client_id, a.id, a.taken_at, i.title
        FROM assessments a
        JOIN instruments i ON i.id = a.instrument_id
        JOIN instrument_versions v ON v.instrument_id = a.instrument_id AND v.version = a.version
        CROSS JOIN LATERAL (
            SELECT coalesce(nullif(v.definition ->> 'measures', 'other'), a.instrument_id::text) AS kind
        ) k
        ORDER BY a.client_id, k.kind, a.taken_at DESC, a.id
    )
    SELECT l.id AS plan_id, n.id::text AS subject,
           jsonb_build_object('title', n.title, 'on', (n.taken_at AT TIME ZONE o.time_zone)::date) AS evidence
    FROM live l JOIN newest n ON n.client_id = l.client_id CROSS JOIN organizations o
    WHERE (n.taken_at AT TIME ZONE o.time_zone)::date + make_interval(months => :number) < :today
"""
# The spread of the organization's own changes is the error of a change (and something more: people do change). While
# few are known the rule's number alone decides.
_CONFIDENCE_DOWN = f"""
    WITH {_LIVE}, said AS (
        SELECT r.plan_id, r.id, r.answered_at, (r.answers ->> 'confidence')::int AS now,
               lag((r.answers ->> 'confidence')::int) OVER one AS before, lag(r.answered_at) OVER one AS before_at,
               lead(r.id) OVER one IS NULL AS latest
        FROM reviews r
        WHERE r.answered_at IS NOT NULL AND jsonb_typeof(r.answers -> 'confidence') = 'number'
        WINDOW one AS (PARTITION BY r.plan_id ORDER BY r.answered_at, r.id)
    ), spread AS (
        SELECT CASE WHEN count(*) >= :least_changes THEN 1.96 * stddev_samp(now - before) ELSE 0 END AS line
        FROM said WHERE before IS NOT NULL
    )
    SELECT l.id AS plan_id, s.id::text AS subject,
           jsonb_build_object('before', s.before, 'after', s.now,
                              'since', (s.before_at AT TIME ZONE o.time_zone)::date,
                              'on', (s.answered_at AT TIME ZONE o.time_zone)::date) AS evidence
    FROM live l JOIN said s ON s.plan_id = l.id AND s.latest CROSS JOIN spread CROSS JOIN organizations o
    WHERE s.before - s.now >= greatest(:number, spread.line)
"""
# What a check-in says of factors it shows itself; here are changes made in the plan.
_FACTOR_CHANGED = f"""
    WITH {_LIVE}
    SELECT l.id AS plan_id, (f ->> 'id') || ':' || (h.note ->> 'on') AS subject,
           jsonb_build_object('text', left(f ->> 'text', 300), 'on', h.note ->> 'on',
                              'before', h.before - '{{on,source}}'::text[],
                              'after', h.note - '{{on,source}}'::text[]) AS evidence
    FROM live l
    JOIN step_contents c ON c.plan_id = l.id AND c.step = 3
    CROSS JOIN LATERAL jsonb_path_query(c.content, '$.factors[*]') f
    CROSS JOIN LATERAL (
        SELECT n.note, lag(n.note) OVER (ORDER BY n.place) AS before
        FROM jsonb_path_query(f, '$.history[*]') WITH ORDINALITY n(note, place)
    ) h
    WHERE f ->> 'text' <> '' AND h.before IS NOT NULL AND h.note ->> 'source' = 'plan'
      AND 'no' IN (h.before ->> 'controllable', h.note ->> 'controllable')
      AND h.note - '{{on,source}}'::text[] <> h.before - '{{on,source}}'::text[]
      AND (l.looked_on IS NULL OR l.looked_on < (h.note ->> 'on')::date)
"""
# A reference belongs to a way of step 5, or to none; it counts unless another way is chosen.
_COUNTS = """
    (r.way = '' OR NOT EXISTS (
        SELECT 1 FROM step_contents w WHERE w.organization_id = r.organization_id AND w.plan_id = r.plan_id
        AND w.step = 5 AND coalesce(w.content ->> 'chosen', '') NOT IN ('', r.way)))
"""
_CHOSEN = "(CAST(:reach AS text) = 'any' OR r.kind <> 'occupation' OR r.place IN ('chosen', 'target'))"
# `base`: the release a reference must be pinned to; empty where the plan must be older than the release instead, since
# nobody knows which figures it was built on.
_CATALOGUE_MOVED = f"""
    WITH {_LIVE}, moves AS MATERIALIZED (
        SELECT base, code, title, release, label, what, since, pinned
        FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS g(base text, code text, title text, release text, label text, what jsonb, since timestamptz,
                 pinned boolean)
    )
    SELECT l.id AS plan_id, m.release || ':' || m.code AS subject,
           jsonb_build_object('code', m.code, 'title', m.title, 'release', m.label, 'what', m.what,
                              'places', jsonb_agg(DISTINCT r.place)) AS evidence
    FROM moves m
    JOIN plan_references r ON r.kind = 'occupation' AND r.ref = m.code AND (NOT m.pinned OR r.release = m.base)
    JOIN live l ON l.id = r.plan_id
    WHERE (m.pinned OR l.created_at < m.since) AND (l.answered_at IS NULL OR l.answered_at < m.since)
      AND {_COUNTS} AND {_CHOSEN}
    GROUP BY l.id, m.release, m.code, m.title, m.label, m.what
"""
_EVENT = f"""
    WITH {_LIVE}, named AS (
        SELECT r.plan_id, jsonb_agg(DISTINCT jsonb_build_array(r.kind, r.ref)) AS by
        FROM plan_references r
        WHERE {_COUNTS} AND {_CHOSEN} AND (
              (r.kind = 'occupation'
               AND (r.ref = ANY(CAST(:occupations AS text[])) OR left(r.ref, 2) = ANY(CAST(:families AS text[]))))
           OR (r.kind = 'path' AND r.ref = ANY(CAST(:paths AS text[])))
           OR (r.kind = 'action' AND r.ref = ANY(CAST(:actions AS text[]))))
        GROUP BY r.plan_id
    )
    SELECT l.id AS plan_id, CAST(:event AS text) AS subject,
           jsonb_build_object('title', CAST(:title AS text), 'words', CAST(:words AS text),
                              'on', CAST(:happened_on AS date), 'by', coalesce(n.by, '[]'::jsonb)) AS evidence
    FROM live l LEFT JOIN named n ON n.plan_id = l.id
    WHERE (n.plan_id IS NOT NULL OR CAST(:names_nothing AS boolean))
      AND (CAST(:cohort AS uuid) IS NULL OR EXISTS (
           SELECT 1 FROM cohort_members m WHERE m.cohort_id = CAST(:cohort AS uuid) AND m.client_id = l.client_id))
"""
_ROWS = f"""
    WITH {_LIVE}
    SELECT l.id AS plan_id, g.subject, g.evidence
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS g(plan_id uuid, subject text, evidence jsonb)
    JOIN live l ON l.id = g.plan_id
"""


@dataclass(frozen=True, slots=True)
class Source:
    """A statement that selects `plan_id`, `subject` and `evidence`, with its values."""

    statement: str
    values: Mapping[str, Any]


def source_of(uow: UnitOfWork, rule: Rule, today: date) -> Source:
    """What the rule finds now, whether it is on or not. `today` is the organization's day."""
    return _SOURCES[rule.kind](uow, rule, today)


def source_of_event(event: ExternalEvent) -> Source:
    """The plans an event touches now."""
    named = [event.occupations, event.families, event.paths, event.actions]
    return Source(
        _EVENT,
        {
            "event": str(event.id),
            "title": event.title,
            "words": event.words,
            "happened_on": event.happened_on,
            "occupations": event.occupations,
            "families": event.families,
            "paths": event.paths,
            "actions": event.actions,
            "names_nothing": not any(named),
            "cohort": event.cohort_id,
            "reach": event.reach,
        },
    )


Row = tuple[UUID, str, Mapping[str, Any]]


def _stated(statement: str) -> Callable[[UnitOfWork, Rule, date], Source]:
    def source(_uow: UnitOfWork, rule: Rule, today: date) -> Source:
        values: dict[str, Any] = {"today": today, "number": rule.number, "least_changes": LEAST_CHANGES}
        return Source(statement, {name: value for name, value in values.items() if f":{name}" in statement})

    return source


def _rows(rows: Iterable[Row]) -> Source:
    found = [{"plan_id": str(plan), "subject": subject, "evidence": evidence} for plan, subject, evidence in rows]
    return Source(_ROWS, {"rows": json.dumps(found)})


def _moved(uow: UnitOfWork, rule: Rule, _today: date) -> Source:
    moves = catalogue.moves(uow, rule.number or 0)
    return Source(_CATALOGUE_MOVED, {"rows": json.dumps(moves, default=str), "reach": rule.reach})


_SOURCES: Mapping[Trigger, Callable[[UnitOfWork, Rule, date], Source]] = {
    Trigger.GOAL_MISSED: _stated(_GOAL_MISSED),
    Trigger.STEP_OVERDUE: _stated(_STEP_OVERDUE),
    Trigger.ASSESSMENT_OLD: _stated(_ASSESSMENT_OLD),
    Trigger.CONFIDENCE_DOWN: _stated(_CONFIDENCE_DOWN),
    Trigger.FACTOR_CHANGED: _stated(_FACTOR_CHANGED),
    Trigger.CATALOGUE_MOVED: _moved,
    Trigger.INTERESTS_CHANGED: lambda uow, _rule, _today: _rows(measured.changed_interests(uow)),
    Trigger.MATCH_LEFT_BAND: lambda uow, _rule, _today: _rows(measured.left_bands(uow)),
    Trigger.ATTAINMENT_LOW: lambda uow, rule, _today: _rows(measured.low_attainments(uow, rule.number or 0)),
}
