"""What happened to the people of an organization: steps worked on, reviews, changes, scores, outcomes, cohorts."""

from __future__ import annotations

from uuid import UUID

import numpy as np
from sqlalchemy import text

from app.domain import access
from app.infra.runtime import Runtime

_NUMBERED = """(SELECT p.id AS plan_id, p.client_id, p.started_on, substr(c.external_id, 2)::int AS n
    FROM plans p JOIN clients c ON c.id = p.client_id)"""
_EVENTS = f"""
    INSERT INTO plan_events (plan_id, step, kind, actor_kind, at)
    SELECT s.plan_id, s.step, k.kind, 'client', p.started_on + k.days * interval '1 hour'
    FROM plan_steps s JOIN {_NUMBERED} p ON p.plan_id = s.plan_id
    CROSS JOIN LATERAL (VALUES ('started', 24 * s.step), ('completed', 24 * s.step + 5 * (p.n % 37) + 3 * s.step))
      AS k(kind, days)
    WHERE s.status = 'completed' AND (k.kind = 'completed' OR p.n % 4 > 0)
       OR s.status = 'in_progress' AND p.n % 3 > 0
"""
_REVIEWS = f"""
    INSERT INTO reviews (plan_id, occurrence_on, state, answered_at, result)
    SELECT p.plan_id, d.day, CASE WHEN answered[p.n] = 0 THEN 'lapsed' ELSE 'answered' END,
           CASE answered[p.n] WHEN 1 THEN timestamptz '2026-08-29 12:00Z' WHEN 2 THEN d.day + interval '30 hours' END,
           CASE WHEN answered[p.n] > 0 AND p.n % 5 > 0
                THEN jsonb_build_object('goals', jsonb_build_object('t', 35 + (p.n * 7) % 31)) END
    FROM {_NUMBERED} p CROSS JOIN (SELECT cast(:answered AS int[]) AS answered, cast(:early AS bool[]) AS early) a
    CROSS JOIN LATERAL (SELECT CASE WHEN early[p.n] THEN date '2026-05-04' ELSE date '2026-08-03' END AS day) d
    WHERE answered[p.n] >= 0
"""
_REVISIONS = f"""
    INSERT INTO plan_revisions (plan_id, revision, snapshot, checksum, reason)
    SELECT p.plan_id, 1, '{{}}', 'x', 'A check-in' FROM {_NUMBERED} p WHERE p.n % 3 = 0
"""
_CHANGES = f"""
    INSERT INTO revision_changes (plan_id, revision, number, review_id, subject, kind, label, change, reason,
                                  controllable, at)
    SELECT p.plan_id, 1, k.number, r.id, 'factor:f' || k.number, 'factor', 'A factor', 'stronger', 'So it is.', k.how,
           now()
    FROM {_NUMBERED} p JOIN reviews r ON r.plan_id = p.plan_id
    CROSS JOIN LATERAL (VALUES (1, 'yes', p.n % 2 = 0), (2, 'partly', p.n % 5 < 2), (3, 'no', p.n % 7 < 3))
      AS k(number, how, there)
    WHERE p.n % 3 = 0 AND k.there
"""
_TAKEN = f"""
    INSERT INTO assessments (client_id, instrument_id, version, taken_at, source, source_key, responses, scores,
                             answered)
    SELECT p.client_id, cast(:instrument AS uuid), 1, timestamptz '2026-02-01 12:00Z' + time * interval '60 days',
           'import', 'lives-' || time, ARRAY[3, 3, 3]::smallint[],
           ARRAY[10 + p.n % 6 + time * ((p.n * 5) % 13 - 4), CASE WHEN p.n % 9 > 0 THEN 5 + time END]::float8[],
           ARRAY[2, 1]::smallint[]
    FROM {_NUMBERED} p CROSS JOIN generate_series(0, 1) time
    WHERE p.n % 8 > 1 AND (time = 0 OR p.n % 8 > 3)
"""
_GRADUATED = f"""
    INSERT INTO graduations (client_id, class_year, graduated_on)
    SELECT p.client_id, 2026, date '2026-06-20' FROM {_NUMBERED} p WHERE p.n % 3 > 0
"""
_OUTCOMES = f"""
    INSERT INTO outcomes (client_id, class_year, status, occupation_release, occupation_code, known_on, source)
    SELECT p.client_id, 2026, 'employed_full_time', 'test', CASE WHEN p.n % 2 = 0 THEN '11-1011.00'
           ELSE '15-1252.00' END,
           date '2026-08-01', 'survey'
    FROM {_NUMBERED} p WHERE p.n % 3 > 0 AND p.n % 4 > 0
"""
TARGETS = f"""
    INSERT INTO step_contents (plan_id, step, content)
    SELECT p.plan_id, 5, '{{"target": {{"code": "11-1011.00", "release": "test"}}}}'
    FROM {_NUMBERED} p WHERE p.n % 5 > 0
"""
_COHORTS = """INSERT INTO cohorts (name, kind) VALUES ('Evening school', 'fixed'), ('Honours', 'fixed')"""
_MEMBERS = f"""
    INSERT INTO cohort_members (cohort_id, client_id)
    SELECT c.id, p.client_id FROM {_NUMBERED} p JOIN cohorts c
      ON (cast(:cohort AS int[]))[p.n] & CASE c.name WHEN 'Honours' THEN 1 ELSE 2 END > 0
"""


def tell_lives(runtime: Runtime, organization: UUID, instrument: UUID, *, seed: int = 1) -> None:
    """Make up what happened, of people made by `scene.make_organization`."""
    rng = np.random.default_rng(seed)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        people = uow.session.scalar(text("SELECT count(*) FROM plans")) or 0
        # -1: no review was due, 0: not answered, 1: answered late, 2: in time.
        answered = rng.choice([-1, 0, 1, 2], size=people, p=[0.2, 0.25, 0.2, 0.35]).tolist()
        for statement in (_EVENTS, _REVISIONS, _GRADUATED, _OUTCOMES, TARGETS, _COHORTS):
            uow.session.execute(text(statement))
        cohort = rng.choice(4, size=people, p=[0.5, 0.2, 0.2, 0.1]).tolist()
        uow.session.execute(text(_MEMBERS), {"cohort": cohort})
        uow.session.execute(text(_REVIEWS), {"answered": answered, "early": (rng.random(people) < 0.6).tolist()})
        uow.session.execute(text(_CHANGES))
        uow.session.execute(text(_TAKEN), {"instrument": instrument})
