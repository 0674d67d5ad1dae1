"""The statements of rolling out: what becomes of each step is decided once, for the preview and for the job alike.

Plans are locked by a statement of their own before one that changes them: a statement that had to wait for a lock would
still see the steps as they were before.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, BindParameter, Boolean, Date, Integer, SmallInteger, Text, Uuid, bindparam, text

from app.domain.rollouts import CHANGES, CONFLICTS, Choice, Outcome
from app.domain.saying import later

NOT_ASKED = later("Not part of this template.")


def _listed(outcomes: tuple[Outcome, ...]) -> str:
    return ", ".join(f"'{outcome}'" for outcome in outcomes)


# What is asked of plans (`app.domain.rollouts.step_changes`), one row a step, for the preview of many at once by their
# version and first day.
_WANTED = """
    SELECT * FROM unnest(:versions, :starts, :steps, :kinds, :befores, :afters, :knowns)
        AS w(version, started_on, step, kind, before, after, known)
"""
# A step is as its version made it while status, reason and due day are those it was given and nothing is written in it.
_OUTCOME = f"""
    CASE w.kind
    WHEN '{Outcome.GAIN}' THEN CASE
        WHEN s.status <> 'skipped' THEN '{Outcome.TAKEN_UP}'
        WHEN s.reason <> :not_asked THEN '{Outcome.SKIPPED_BY_HAND}'
        WHEN s.due_on IS NOT NULL THEN '{Outcome.DUE_BY_HAND}'
        ELSE '{Outcome.GAIN}' END
    WHEN '{Outcome.LOSE}' THEN CASE
        WHEN s.status = 'skipped' THEN '{Outcome.SAME}'
        WHEN s.status <> 'not_started' THEN
            CASE WHEN :choice = '{Choice.ALL}' THEN '{Outcome.WORKED_ON}' ELSE '{Outcome.LEFT}' END
        WHEN EXISTS (SELECT FROM step_contents c WHERE c.organization_id = s.organization_id
                     AND c.plan_id = s.plan_id AND c.step = s.step) THEN '{Outcome.WORKED_ON}'
        WHEN NOT w.known OR s.due_on IS DISTINCT FROM w.before THEN '{Outcome.DUE_BY_HAND}'
        ELSE '{Outcome.LOSE}' END
    ELSE CASE
        WHEN s.status = 'completed' OR s.due_on IS NOT DISTINCT FROM w.after THEN '{Outcome.SAME}'
        WHEN s.status = 'skipped' THEN '{Outcome.SKIPPED_BY_HAND}'
        WHEN NOT w.known OR s.due_on IS DISTINCT FROM w.before THEN '{Outcome.DUE_BY_HAND}'
        WHEN s.status <> 'not_started' AND :choice <> '{Choice.ALL}' THEN '{Outcome.LEFT}'
        ELSE '{Outcome.MOVE}' END
    END
"""
_ELIGIBLE = "p.template_id = :template AND p.template_version < :version AND p.status = 'active'"
_ARRAYS: tuple[BindParameter[object], ...] = (
    bindparam("steps", type_=ARRAY(SmallInteger)),
    bindparam("kinds", type_=ARRAY(Text)),
    bindparam("befores", type_=ARRAY(Date)),
    bindparam("afters", type_=ARRAY(Date)),
    bindparam("knowns", type_=ARRAY(Boolean)),
    bindparam("not_asked", type_=Text()),
    bindparam("choice", type_=Text()),
)
_GROUPED: tuple[BindParameter[object], ...] = (
    bindparam("versions", type_=ARRAY(Integer)),
    bindparam("starts", type_=ARRAY(Date)),
)
_PLANS = bindparam("plans", type_=ARRAY(Uuid))
_CLIENTS = bindparam("clients", type_=ARRAY(Uuid))

# Plans that follow older versions, by what their days follow from.
GROUPS = text(
    f"SELECT p.template_version, p.started_on, count(*) AS plans FROM plans p WHERE {_ELIGIBLE}"
    " GROUP BY p.template_version, p.started_on"
)
PREVIEW = text(
    f"""
    WITH wanted AS MATERIALIZED ({_WANTED}), looked AS MATERIALIZED (
        SELECT p.id, s.step, {_OUTCOME} AS outcome
        FROM plans p
        JOIN wanted w ON w.version = p.template_version AND w.started_on = p.started_on
        JOIN plan_steps s ON s.organization_id = p.organization_id AND s.plan_id = p.id AND s.step = w.step
        WHERE {_ELIGIBLE}
    )
    SELECT step, outcome, count(*) AS plans FROM looked GROUP BY step, outcome
    UNION ALL
    SELECT NULL, 'changed', count(DISTINCT id) FROM looked WHERE outcome IN ({_listed(CHANGES)})
    UNION ALL
    SELECT NULL, 'conflict', count(DISTINCT id) FROM looked WHERE outcome IN ({_listed(CONFLICTS)})
    """
).bindparams(*_ARRAYS, *_GROUPED)
HOLD = text(
    f"""
    WITH held AS MATERIALIZED (
        SELECT p.id, p.client_id, p.template_version, p.started_on FROM plans p
        WHERE p.client_id = ANY(:clients) AND {_ELIGIBLE} ORDER BY p.id FOR UPDATE
    )
    SELECT template_version, started_on, array_agg(id) AS plans, array_agg(client_id) AS clients
    FROM held GROUP BY template_version, started_on
    """
).bindparams(_CLIENTS)
# Changes the steps of the plans of one version and first day, and writes the items with what undoing needs: each step
# changed as [step, what was done, status, due day, reason and moment before, due day after], each conflict as
# [step, which]. Each table is read by ids alone, and what is locked is found again by where it lies.
ROLL_OUT = text(
    f"""
    WITH its AS MATERIALIZED (
        SELECT ctid AS place, organization_id, plan_id, step, status, due_on, reason, changed_at
        FROM plan_steps WHERE plan_id = ANY(:plans)
    ), looked AS MATERIALIZED (
        SELECT p.*, s.place, s.step, s.status, s.due_on, s.reason, s.changed_at, s.after, s.outcome
        FROM unnest(:plans, :clients, cast(:positions AS bigint[]), cast(:listed AS bigint[]))
            AS p(plan_id, client_id, position, listed)
        LEFT JOIN (
            SELECT s.*, w.after, {_OUTCOME} AS outcome
            FROM its s JOIN unnest(:steps, :kinds, :befores, :afters, :knowns)
                AS w(step, kind, before, after, known) ON w.step = s.step
        ) s ON s.plan_id = p.plan_id
    ), changed AS (
        UPDATE plan_steps s
        SET due_on = l.after,
            status = CASE l.outcome WHEN '{Outcome.GAIN}' THEN 'not_started' WHEN '{Outcome.LOSE}' THEN 'skipped'
                     ELSE s.status END,
            reason = CASE l.outcome WHEN '{Outcome.GAIN}' THEN NULL WHEN '{Outcome.LOSE}' THEN :not_asked
                     ELSE s.reason END,
            changed_at = CASE l.outcome WHEN '{Outcome.MOVE}' THEN s.changed_at ELSE :now END
        FROM looked l
        WHERE s.ctid = l.place AND l.outcome IN ({_listed(CHANGES)})
    ), settled AS (
        INSERT INTO job_items (job_id, subject_id, position, listed, state, reason, result)
        SELECT :job, client_id, position, listed, 'done',
               CASE WHEN jsonb_array_length(q.conflicts) > 0 THEN :conflict END,
               jsonb_build_object('plan', q.plan_id, 'from', cast(:before AS int), 'at',
                                  cast(:now AS timestamptz), 'done', q.done, 'conflicts', q.conflicts)
        FROM (
            SELECT plan_id, client_id, position, listed,
                   coalesce(jsonb_agg(jsonb_build_array(step, outcome, status, due_on, reason, changed_at, after)
                                      ORDER BY step) FILTER (WHERE outcome IN ({_listed(CHANGES)})), '[]') AS done,
                   coalesce(jsonb_agg(jsonb_build_array(step, outcome) ORDER BY step)
                            FILTER (WHERE outcome IN ({_listed(CONFLICTS)})), '[]') AS conflicts
            FROM looked GROUP BY plan_id, client_id, position, listed
        ) q
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM settled) AS written,
           (SELECT count(*) FROM looked WHERE outcome IN ({_listed(CONFLICTS)})) AS conflicts
    """
).bindparams(*_ARRAYS, _PLANS, _CLIENTS)

# Said before plans change: a reference to a row that this transaction has changed already costs three times as much.
TELL = text(
    """
    INSERT INTO plan_events (plan_id, kind, actor_id, actor_kind, detail, at)
    SELECT p.id, :event, cast(:actor AS uuid), :actor_kind,
           jsonb_build_object('from', cast(:before AS int), 'to', cast(:after AS int)), :now
    FROM unnest(:plans) AS p(id)
    """
).bindparams(_PLANS)
FOLLOW = text(
    "UPDATE plans SET template_version = :after, updated_at = :now, review_stale = review_stale OR :reviewed_otherwise"
    " WHERE id = ANY(:plans)"
).bindparams(_PLANS)

# Two statements and no join: whichever side of it was read first, the planner cannot know how few rows it has.
ITEMS = text(
    "SELECT subject_id, (result ->> 'plan')::uuid AS plan_id, (result ->> 'from')::int AS former,"
    " jsonb_array_length(result -> 'done') AS steps, jsonb_array_length(result -> 'conflicts') AS conflicts"
    " FROM job_items WHERE job_id = :job AND subject_id = ANY(:clients)"
).bindparams(_CLIENTS)
# The plans that follow the version still.
HOLD_AGAIN = text(
    "SELECT p.id FROM plans p WHERE p.id = ANY(:plans) AND p.status = 'active' AND p.template_id = :template"
    " AND p.template_version = :version ORDER BY p.id FOR UPDATE"
).bindparams(_PLANS)
# A step goes back while it is as the roll-out left it. Of a moved day only the day must be: who has begun the step
# meanwhile did not choose it. Answers how many steps of each plan went back.
_CHANGED = """
    items AS MATERIALIZED (
        SELECT subject_id, result FROM job_items WHERE job_id = :job AND subject_id = ANY(:clients)
    ), changed AS MATERIALIZED (
        SELECT i.subject_id, (i.result ->> 'plan')::uuid AS plan_id, (i.result ->> 'at')::timestamptz AS at,
               (e ->> 0)::smallint AS step, e ->> 1 AS kind, e ->> 2 AS status, (e ->> 3)::date AS due_on,
               e ->> 4 AS reason, (e ->> 5)::timestamptz AS changed_at, (e ->> 6)::date AS after
        FROM items i CROSS JOIN LATERAL jsonb_array_elements(i.result -> 'done') e
    ), its AS MATERIALIZED (
        SELECT ctid AS place, plan_id, step, status, due_on, reason, changed_at
        FROM plan_steps WHERE plan_id = ANY(:plans)
    )
"""
STEPS_BACK = text(
    f"""
    WITH {_CHANGED}, back AS (
    UPDATE plan_steps s
    SET due_on = w.due_on,
        status = CASE w.kind WHEN '{Outcome.MOVE}' THEN s.status ELSE w.status END,
        reason = CASE w.kind WHEN '{Outcome.MOVE}' THEN s.reason ELSE w.reason END,
        changed_at = CASE w.kind WHEN '{Outcome.MOVE}' THEN s.changed_at ELSE w.changed_at END
    FROM changed w JOIN its t ON t.plan_id = w.plan_id AND t.step = w.step
    WHERE s.ctid = t.place AND s.due_on IS NOT DISTINCT FROM w.after
      AND CASE w.kind WHEN '{Outcome.GAIN}' THEN s.status = 'not_started' AND s.changed_at = w.at
          WHEN '{Outcome.LOSE}' THEN s.status = 'skipped' AND s.changed_at = w.at ELSE true END
    RETURNING s.plan_id
    )
    SELECT plan_id, count(*) AS steps FROM back GROUP BY plan_id
    """
).bindparams(_CLIENTS, _PLANS)
# Run after the steps went back, for plans of which some did not: those that are not as they were before were kept.
KEPT = text(
    f"""
    WITH {_CHANGED}
    SELECT w.subject_id, array_agg(w.step ORDER BY w.step) AS steps
    FROM changed w JOIN its s ON s.plan_id = w.plan_id AND s.step = w.step
    WHERE s.due_on IS DISTINCT FROM w.due_on OR (w.kind <> '{Outcome.MOVE}' AND (
        s.status <> w.status OR s.reason IS DISTINCT FROM w.reason OR s.changed_at IS DISTINCT FROM w.changed_at))
    GROUP BY w.subject_id
    """
).bindparams(_CLIENTS, _PLANS)
# What was done to a plan stays with its item, as the page of the roll-out reads it.
SETTLE_BACK = text(
    "UPDATE job_items SET state = :state, reason = :reason WHERE job_id = :job AND subject_id = ANY(:clients)"
).bindparams(_CLIENTS)
SETTLE_KEPT = text(
    """
    UPDATE job_items i
    SET state = 'kept', reason = :reason, result = i.result || jsonb_build_object('kept', g.steps::jsonb)
    FROM unnest(:clients, :steps) AS g(client, steps) WHERE i.job_id = :job AND i.subject_id = g.client
    """
).bindparams(_CLIENTS, bindparam("steps", type_=ARRAY(Text)))
