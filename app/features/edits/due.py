"""Due days of steps: set to a day, shifted by working days, or tied to a term's start or end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from flask_babel import format_date
from flask_babel import lazy_gettext as _
from sqlalchemy import text

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.pauses import Span
from app.domain.reading import check_day, parse_day
from app.domain.saying import later
from app.domain.working_days import FIRST, MOST_DAYS, shifts
from app.features.edits.kinds import SAME, EditKind, Values
from app.features.edits.reading import whole
from app.features.plans.queries import terms_of
from app.infra.db.arrays import as_array
from app.infra.db.open import UnitOfWork

MODES = ("set", "shift", "align")
_STEPS = range(1, 9)
# A step that is finished or left out has no day to keep.
_OPEN = "s.step = ANY(CAST(:steps AS smallint[])) AND s.status NOT IN ('completed', 'skipped')"
_THEN = (
    "CASE WHEN CAST(:moves AS smallint[]) IS NULL THEN CAST(:day AS date)"
    " ELSE s.due_on + coalesce((CAST(:moves AS smallint[]))[s.due_on - CAST(:first AS date) + 1], 0) END"
)
_PLAN = "JOIN plans p ON p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'active'"
_LOOK = f"""
    SELECT a.client_id, t.was AS before, t.became AS after,
           CASE WHEN c.active IS NOT TRUE THEN 'inactive' WHEN p.id IS NULL THEN 'no_plan'
                WHEN t.was IS NULL THEN 'same' ELSE 'new' END AS outcome
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id LEFT {_PLAN}
    LEFT JOIN LATERAL (
        SELECT jsonb_object_agg(s.step, s.due_on) AS was, jsonb_object_agg(s.step, {_THEN}) AS became
        FROM plan_steps s WHERE s.organization_id = p.organization_id AND s.plan_id = p.id AND {_OPEN}
          AND {_THEN} IS DISTINCT FROM s.due_on) t ON true
"""
# One line of history a plan. Steps are read by ids alone and joined to nothing. What undoing needs is a row a batch: an
# object for each plan, put together of its steps, takes a third of the time of changing them.
_CHANGE = f"""
    moved AS (
        UPDATE plan_steps s SET due_on = {_THEN}
        WHERE s.plan_id = ANY(CAST(:plans AS uuid[])) AND {_OPEN} AND {_THEN} IS DISTINCT FROM s.due_on
        RETURNING s.plan_id, s.step, old.due_on AS was, new.due_on AS became
    ), kept AS (
        INSERT INTO due_changes (job_id, plans, steps, was, became)
        SELECT CAST(:job AS uuid), array_agg(plan_id), array_agg(step), array_agg(was), array_agg(became)
        FROM moved HAVING count(*) > 0 RETURNING jsonb_build_object('batch', number) AS result
    ), changed AS MATERIALIZED (SELECT DISTINCT plan_id FROM moved
    ), chosen AS MATERIALIZED (SELECT id AS plan_id, client_id FROM plans WHERE id = ANY(CAST(:plans AS uuid[]))
    ), done AS MATERIALIZED (
        SELECT client_id, plan_id, kept.result FROM changed JOIN chosen USING (plan_id) CROSS JOIN kept
    ), noted AS (
        INSERT INTO plan_events (plan_id, kind, actor_id, actor_kind, detail, at)
        SELECT plan_id, 'due_moved', CAST(:by AS uuid), 'counsellor', line.detail, :now
        FROM done, (SELECT jsonb_build_object('job', CAST(:job AS uuid)) OFFSET 0) AS line(detail)
    )
"""
_BACK = """
    batches AS (SELECT DISTINCT CAST(result->>'batch' AS bigint) AS number FROM was
    ), steps AS (
        SELECT w.client_id, p.organization_id, p.id AS plan_id, t.step, t.was, t.became
        FROM batches b JOIN due_changes d ON d.job_id = :job AND d.number = b.number,
          unnest(d.plans, d.steps, d.was, d.became) AS t(plan_id, step, was, became)
          JOIN plans p ON p.id = t.plan_id AND p.status = 'active' JOIN was w ON w.client_id = p.client_id
    ), restored AS (
        UPDATE plan_steps s SET due_on = t.was FROM steps t
        WHERE s.organization_id = t.organization_id AND s.plan_id = t.plan_id AND s.step = t.step
          AND s.due_on IS NOT DISTINCT FROM t.became
        RETURNING t.client_id, t.plan_id
    ), each AS (SELECT client_id, plan_id, count(*) AS number FROM restored GROUP BY client_id, plan_id
    ), noted AS (
        INSERT INTO plan_events (plan_id, kind, actor_id, actor_kind, detail, at)
        SELECT plan_id, 'due_moved_back', CAST(:by AS uuid), 'counsellor',
               jsonb_build_object('job', CAST(:job AS uuid)), :now FROM each
    ), back AS (
        SELECT e.client_id FROM each e JOIN (SELECT plan_id, count(*) AS number FROM steps GROUP BY plan_id) a
          ON a.plan_id = e.plan_id AND a.number = e.number
    )
"""


def _read(uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    problems = []
    given = raw.get("steps")
    listed = given if isinstance(given, list | tuple | range) else ()
    steps = sorted({number for one in listed if (number := whole(one)) in _STEPS and number is not None})
    mode = raw.get("mode") or "set"
    if not steps:
        problems.append(FieldProblem("steps", "Choose at least one step."))
    if mode not in MODES:
        problems.append(FieldProblem("mode", later("Choose one of: %(kinds)s.", kinds=", ".join(MODES))))
    values: dict[str, Any] = {"steps": steps, "mode": mode}
    if mode == "set":
        day = raw.get("day")
        day = parse_day(day) if isinstance(day, str) else day
        if not isinstance(day, date):
            problems.append(FieldProblem("day", "Choose a day."))
        else:
            problems += check_day("day", day)
            values["day"] = day.isoformat()
    elif mode == "shift":
        by = whole(raw.get("by"))
        if by is None or by == 0 or abs(by) > MOST_DAYS:
            problems.append(
                FieldProblem("by", later("Give a number of working days, at most %(most)s.", most=MOST_DAYS))
            )
        values["by"] = by
    elif mode == "align":
        offset = whole(raw.get("offset") or 0)
        values |= {"term": raw.get("term"), "edge": raw.get("edge") or "start", "offset": offset}
        if all(term.name != values["term"] for term in terms_of(uow)):
            problems.append(FieldProblem("term", "Choose a term from the list."))
        if values["edge"] not in ("start", "end"):
            problems.append(FieldProblem("edge", "Choose its first or its last day."))
        if offset is None or abs(offset) > MOST_DAYS:
            problems.append(FieldProblem("offset", later("Give a number of days, at most %(most)s.", most=MOST_DAYS)))
    if problems:
        raise InvalidInput(problems)
    return values


def _parameters(uow: UnitOfWork, values: Values) -> dict[str, Any]:
    day, moves = None, None
    if values["mode"] == "set":
        day = date.fromisoformat(values["day"])
    elif values["mode"] == "shift":
        closed = uow.session.execute(
            text("SELECT starts_on, ends_on FROM review_pauses WHERE kind = 'holiday' ORDER BY starts_on, ends_on")
        )
        moves = _shifts(values["by"], tuple((row.starts_on, row.ends_on) for row in closed))
    else:
        term = next((term for term in terms_of(uow) if term.name == values["term"]), None)
        if term is None:
            raise InvalidInput([FieldProblem("term", "The term is gone. Choose another.")])
        day = term.edge(values["edge"]) + timedelta(days=values["offset"])
    return {"steps": values["steps"], "day": day, "moves": moves, "first": FIRST}


@lru_cache(maxsize=8)
def _shifts(by: int, closed: Sequence[Span]) -> str:
    # The same for every batch of a job.
    return as_array(shifts(by, closed))


def _say(_uow: UnitOfWork, values: Values) -> str:
    steps = ", ".join(map(str, values["steps"]))
    if values["mode"] == "set":
        return later("Steps %(steps)s: to %(day)s", steps=steps, day=values["day"])
    if values["mode"] == "align":
        term, after = values["term"], values["offset"]
        first = later("the first day of %(term)s", term=term)
        edge = first if values["edge"] == "start" else later("the last day of %(term)s", term=term)
        if not after:
            return later("Steps %(steps)s: to %(day)s", steps=steps, day=edge)
        return later("Steps %(steps)s: to %(day)s, and %(number)s days on", steps=steps, day=edge, number=after)
    if values["by"] > 0:
        return later("Steps %(steps)s: %(by)s working days later", steps=steps, by=values["by"])
    return later("Steps %(steps)s: %(by)s working days earlier", steps=steps, by=-values["by"])


def _words(days: Any) -> str:
    """Step and day, with spaces that hold each pair together."""
    said = {step: format_date(date.fromisoformat(day), "medium") if day else "–" for step, day in (days or {}).items()}
    return " · ".join(f"{step}: {day}".replace(" ", "\u00a0") for step, day in sorted(said.items()))


KIND = EditKind(
    name="due",
    label=_("Change due days"),
    permission=Permission.WORK_PLANS,
    read=_read,
    parameters=_parameters,
    say=_say,
    look=_LOOK,
    change=_CHANGE,
    back=_BACK,
    words=_words,
    of_plans=True,
    batch_size=5000,
    reasons={
        SAME: later("The days are so already, or there is none to shift."),
        "inactive": later("Is no longer active."),
        "no_plan": later("Has no active plan."),
    },
    kept=later("Some days were changed since, so those stay."),
)
