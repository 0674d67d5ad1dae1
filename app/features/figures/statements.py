"""The statement that counts people: who they are with their attributes, and what is so of them or measured on them."""

from __future__ import annotations

from collections.abc import Sequence

from app.features.figures.periods import segment_of

# What a bit of the flags of a person says, from the lowest: the part of a figure that is so of them.
FLAGS = (
    ("finished", "all"),
    ("due", "all"),
    ("answered", "all"),
    ("in_time", "all"),
    ("changed", "yes"),
    ("changed", "partly"),
    ("changed", "no"),
    ("rated", "all"),
    ("attained", "all"),
    ("planned_before", "all"),
)
# The same of a graduate.
GRADUATE_FLAGS = ("paid", "working", "matched")
# What its rows have: of what they are, how many people, sum and sum of squares of what is measured, and bits by step,
# the step they stall at and flags (of a change, the first of these: how many changed beyond error; of a score, the
# first two: how many are low, how many high). Behind them come
# the attributes.
COLUMNS = (
    "source",
    "part",
    "n",
    "total",
    "squares",
    "completed",
    "overdue",
    "returned",
    "reopened",
    "completed_before",
    "stalled",
    "flags",
)
MINE = """AND EXISTS (SELECT FROM caseload_entries m WHERE m.organization_id = c.organization_id
    AND m.client_id = c.id AND m.membership_id = :member)"""
IN_COHORT = """AND EXISTS (SELECT FROM cohort_members m WHERE m.organization_id = c.organization_id
    AND m.client_id = c.id AND m.cohort_id = :cohort)"""
# Of people by when their plan began, or their last review was due: in one of these spans of days.
WITHIN = """AND EXISTS (SELECT FROM unnest(cast(:since AS date[]), cast(:until AS date[])) span(first, last)
    WHERE {day} BETWEEN span.first AND span.last)"""
# What was done to a step, of all that its history tells.
ACTS = ["started", "submitted", "withdrawn", "returned", "completed", "reopened", "skipped", "unskipped"]
# What people are asked by beside the organization's attributes: their counsellor, the time in which the plan began,
# that of the last review that was due, the class they graduated with, and (a bit each) the cohorts they are in. What
# only people with a plan have is nothing of graduates, and the other way round.
OWN = (
    "to_jsonb(e.membership_id)",
    segment_of("p.started_on"),
    segment_of("r.occurrence_on"),
    "NULL::jsonb",
    "coalesce(m.cohorts, 0)",
)
OWN_OF_GRADUATES = (OWN[0], "NULL::jsonb", "NULL::jsonb", "to_jsonb(g.class_year)", OWN[-1])
_LOOKED_AFTER = """LEFT JOIN caseload_entries e
          ON e.organization_id = c.organization_id AND e.client_id = c.id AND e.kind = 'primary'
        LEFT JOIN (SELECT m.client_id, sum(1::bigint << (u.n - 1)::int)::bigint AS cohorts
                   FROM cohort_members m
                   JOIN unnest(cast(:cohorts AS uuid[])) WITH ORDINALITY u(id, n) ON u.id = m.cohort_id
                   GROUP BY m.client_id) m ON m.client_id = c.id"""
# One statement sees one moment. The steps are added up before they meet people: one pass over them, no sort.
_STATEMENT = """
    WITH who AS MATERIALIZED (
        SELECT p.organization_id, p.id AS plan_id, c.id AS client_id, p.started_on,
               r.plan_id AS reviewed, r.answered_at, r.occurrence_on, {columns}
        FROM plans p
        JOIN clients c ON c.organization_id = p.organization_id AND c.id = p.client_id
        {looked_after}
        LEFT JOIN (SELECT DISTINCT ON (plan_id) plan_id, occurrence_on, answered_at
                   FROM reviews WHERE occurrence_on <= :answer_by
                   ORDER BY plan_id, occurrence_on DESC) r ON r.plan_id = p.id
        WHERE p.status = 'active' AND c.active {whose} {within}
    ), graduated AS MATERIALIZED (
        SELECT coalesce(n.status, 'unknown') AS status,
               coalesce(n.status = 'employed_full_time' AND n.salary IS NOT NULL, false)::int AS paid,
               coalesce(n.status IN ('employed_full_time', 'employed_part_time') AND f.codes IS NOT NULL
                        AND n.occupation_code IS NOT NULL, false)::int AS working,
               coalesce(n.occupation_code = ANY(f.codes), false) AS planned, {of_graduates}
        FROM graduations g
        JOIN clients c ON c.organization_id = g.organization_id AND c.id = g.client_id
        {looked_after}
        LEFT JOIN (SELECT DISTINCT ON (client_id, class_year) client_id, class_year, status, salary, occupation_code
                   FROM outcomes WHERE withdrawn_at IS NULL AND known_on <= make_date(class_year, 12, 31)
                   ORDER BY client_id, class_year, known_on DESC, recorded_at DESC, id DESC) n
          ON n.client_id = g.client_id AND n.class_year = g.class_year
        LEFT JOIN (SELECT p.client_id, array_agg(f.ref) AS codes
                   FROM (SELECT DISTINCT ON (client_id) organization_id, client_id, id FROM plans
                         ORDER BY client_id, status = 'active' DESC, started_on DESC, id) p
                   JOIN plan_references f ON f.organization_id = p.organization_id AND f.plan_id = p.id
                    AND f.kind = 'occupation'
                    AND (f.step = 4 AND f.place = 'chosen' OR f.step = 5 AND f.place = 'target')
                   GROUP BY p.client_id) f ON f.client_id = g.client_id
        WHERE NOT EXISTS (SELECT FROM client_pairs d WHERE d.organization_id = c.organization_id
                          AND d.linked_id = c.id AND d.state = 'linked') {whose}
    )
    SELECT 'people' AS source, '' AS part, count(*) AS n, 0::float AS total, 0::float AS squares,
           s.completed, s.overdue, s.returned, coalesce(b.completed & s.open, 0) AS reopened,
           coalesce(h.completed, 0) AS completed_before,
           CASE WHEN s.changed_at >= :still OR w.started_on >= :began OR s.open_step IS NULL THEN 0
                ELSE s.open_step END AS stalled,
           s.finished::int | ((w.reviewed IS NOT NULL)::int << 1) | ((w.answered_at IS NOT NULL)::int << 2)
           | (coalesce(w.answered_at < w.occurrence_on + make_interval(days => :answer_days), false)::int << 3)
           | (coalesce(y.bits, 0) << 4)
           | ((t.plan_id IS NOT NULL)::int << 7) | (coalesce(t.value >= :expected, false)::int << 8)
           | ((w.started_on < :then_day)::int << 9) AS flags,
           {names}
    FROM who w
    JOIN (SELECT plan_id,
                 coalesce(sum(1 << step) FILTER (WHERE status = 'completed'), 0)::int AS completed,
                 coalesce(sum(1 << step) FILTER (WHERE status NOT IN ('completed', 'skipped')), 0)::int AS open,
                 coalesce(sum(1 << step) FILTER (WHERE due_on < :today AND status = ANY(:open)), 0)::int AS overdue,
                 coalesce(sum(1 << step) FILTER (WHERE status = 'returned'), 0)::int AS returned,
                 bool_and(status IN ('completed', 'skipped')) AND bool_or(status = 'completed') AS finished,
                 min(step) FILTER (WHERE status NOT IN ('completed', 'skipped')) AS open_step,
                 max(changed_at) AS changed_at
          FROM plan_steps GROUP BY plan_id) s ON s.plan_id = w.plan_id
    LEFT JOIN (SELECT plan_id, bit_or(1 << step) AS completed
               FROM plan_events WHERE kind = 'completed' AND step IS NOT NULL
               GROUP BY plan_id) b ON b.plan_id = w.plan_id
    LEFT JOIN (SELECT plan_id, coalesce(sum(1 << step) FILTER (WHERE kind = 'completed'), 0)::int AS completed
               FROM (SELECT DISTINCT ON (plan_id, step) plan_id, step, kind FROM plan_events
                     WHERE kind = ANY(:acts) AND at < :then ORDER BY plan_id, step, at DESC, number DESC) acts
               GROUP BY plan_id) h ON h.plan_id = w.plan_id
    LEFT JOIN (SELECT plan_id, bit_or(CASE controllable WHEN 'yes' THEN 1 WHEN 'partly' THEN 2 ELSE 4 END) AS bits
               FROM revision_changes GROUP BY plan_id) y ON y.plan_id = w.plan_id
    LEFT JOIN (SELECT plan_id, value
               FROM (SELECT DISTINCT ON (plan_id) plan_id, (result #>> '{{goals,t}}')::float AS value
                     FROM reviews WHERE answered_at IS NOT NULL AND result IS NOT NULL
                     ORDER BY plan_id, answered_at DESC, id) last
               WHERE value IS NOT NULL) t ON t.plan_id = w.plan_id
    GROUP BY {grouped}, s.completed, s.overdue, s.returned, reopened, completed_before, stalled, flags
    UNION ALL
    SELECT 'days', s.step::text, count(*), sum(d.days), sum(d.days * d.days), 0, 0, 0, 0, 0, 0, 0, {names}
    FROM who w
    JOIN plan_steps s ON s.organization_id = w.organization_id AND s.plan_id = w.plan_id AND s.status = 'completed'
    LEFT JOIN (SELECT plan_id, step, min(at) FILTER (WHERE kind = 'started') AS began,
                      max(at) FILTER (WHERE kind = 'completed') AS done
               FROM plan_events WHERE kind IN ('started', 'completed') AND step IS NOT NULL
               GROUP BY plan_id, step) v ON v.plan_id = s.plan_id AND v.step = s.step
    CROSS JOIN LATERAL (SELECT greatest(extract(epoch FROM coalesce(v.done, s.changed_at, w.started_on)
                        - coalesce(v.began, w.started_on)) / 86400, 0)::float AS days) d
    GROUP BY {grouped}, s.step
    UNION ALL
    SELECT 'change', k.key, count(*), sum(x.d), sum(x.d * x.d),
           count(*) FILTER (WHERE abs(x.d) >= k.least)::int, 0, 0, 0, 0, 0, 0, {names}
    FROM who w
    JOIN (SELECT DISTINCT ON (client_id, instrument_id) client_id, instrument_id, version, scores, id
          FROM assessments ORDER BY client_id, instrument_id, taken_at DESC, id DESC) z ON z.client_id = w.client_id
    JOIN (SELECT DISTINCT ON (client_id, instrument_id, version) client_id, instrument_id, version, scores, id
          FROM assessments ORDER BY client_id, instrument_id, version, taken_at, id) a
      ON a.client_id = z.client_id AND a.instrument_id = z.instrument_id AND a.version = z.version AND a.id <> z.id
    JOIN unnest(cast(:instruments AS uuid[]), cast(:versions AS int[]), cast(:places AS int[]),
                cast(:least AS float[]), cast(:keys AS text[])) k(instrument_id, version, place, least, key)
      ON k.instrument_id = z.instrument_id AND k.version = z.version
    CROSS JOIN LATERAL (SELECT z.scores[k.place] - a.scores[k.place] AS d) x
    WHERE x.d IS NOT NULL
    GROUP BY {grouped}, k.key
    UNION ALL
    SELECT 'score', k.key, count(*), sum(x.score), sum(x.score * x.score),
           count(*) FILTER (WHERE x.score < k.lowest)::int, count(*) FILTER (WHERE x.score > k.highest)::int,
           0, 0, 0, 0, 0, {names}
    FROM who w
    JOIN (SELECT DISTINCT ON (client_id, instrument_id) client_id, instrument_id, version, scores
          FROM assessments ORDER BY client_id, instrument_id, taken_at DESC, id DESC) z ON z.client_id = w.client_id
    JOIN unnest(cast(:instruments AS uuid[]), cast(:versions AS int[]), cast(:places AS int[]),
                cast(:lowest AS float[]), cast(:highest AS float[]), cast(:keys AS text[]))
         k(instrument_id, version, place, lowest, highest, key)
      ON k.instrument_id = z.instrument_id AND k.version = z.version
    CROSS JOIN LATERAL (SELECT z.scores[k.place] AS score) x
    WHERE x.score IS NOT NULL
    GROUP BY {grouped}, k.key
    UNION ALL
    SELECT 'graduates', w.status, count(*), 0, 0, 0, 0, 0, 0, 0, 0,
           w.paid | (w.working << 1) | ((w.working = 1 AND w.planned)::int << 2) AS flags, {names}
    FROM graduated w
    GROUP BY {grouped}, w.status, flags
"""


def statement_of(columns: Sequence[str], of_graduates: Sequence[str], whose: str, within: str = "") -> str:
    """The whole of it for these attributes, expressions over the tables of `who` and of `graduated`.

    `whose` is a condition for both, `within` one for people with a plan.
    """
    names = [f"w.k{number}" for number in range(len(columns))]

    def named(columns: Sequence[str]) -> str:
        return ", ".join(f"{column} AS k{number}" for number, column in enumerate(columns))

    return _STATEMENT.format(
        columns=named(columns),
        of_graduates=named(of_graduates),
        looked_after=_LOOKED_AFTER,
        names=", ".join(names),
        grouped=", ".join(names),
        whose=whose,
        within=within,
    )
