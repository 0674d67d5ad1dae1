"""Pauses of reviews: put one in for many, or end the one that is on."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

from flask_babel import lazy_gettext as _

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.pauses import PERSONAL_KINDS, PauseKind
from app.domain.saying import later
from app.features.edits.kinds import SAME, EditKind, Values
from app.features.edits.reading import a_day
from app.features.organizations.queries import today_here
from app.infra.db.open import Bell, UnitOfWork

_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 1, 1)
_OUTCOME = "CASE WHEN c.active IS NOT TRUE THEN 'inactive' WHEN {same} THEN 'same' ELSE 'new' END AS outcome"
_SAME = (
    "EXISTS (SELECT FROM review_pauses q WHERE q.organization_id = c.organization_id AND q.client_id = c.id"
    " AND q.starts_on <= CAST(:first AS date)"
    " AND coalesce(q.ends_on, 'infinity') >= coalesce(CAST(:last AS date), 'infinity'))"
)
_ON = "q.starts_on <= CAST(:today AS date) AND coalesce(q.ends_on, 'infinity') >= CAST(:today AS date)"
_NOT_ON = (
    "NOT EXISTS (SELECT FROM review_pauses q WHERE q.organization_id = c.organization_id AND q.client_id = c.id"
    f" AND {_ON})"
)
# What a pause has shifted stays true: one that has begun keeps its days until yesterday.
_YESTERDAY = "greatest(q.starts_on, CAST(:today AS date) - 1)"
_PAUSE_LOOK = f"""
    SELECT a.client_id, NULL::jsonb AS before, NULL::jsonb AS after, {_OUTCOME.format(same=_SAME)}
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id
"""
_PAUSE = f"""
    put AS (
        INSERT INTO review_pauses (client_id, kind, starts_on, ends_on, created_by, created_at)
        SELECT c.id, :kind, CAST(:first AS date), CAST(:last AS date), CAST(:by AS uuid), :now
        FROM asked a JOIN clients c ON c.id = a.client_id AND c.active WHERE NOT {_SAME} ORDER BY c.id
        RETURNING client_id, id
    ), done AS (SELECT client_id, jsonb_build_object('pause', id) AS result FROM put)
"""
_UNCHANGED = (
    "q.id = CAST(w.result->>'pause' AS uuid) AND q.client_id = w.client_id AND q.starts_on = CAST(:first AS date)"
    " AND q.ends_on IS NOT DISTINCT FROM CAST(:last AS date)"
)
_PAUSE_BACK = f"""
    gone AS (
        DELETE FROM review_pauses q USING was w WHERE {_UNCHANGED} AND q.starts_on > CAST(:today AS date)
        RETURNING q.client_id
    ), shortened AS (
        UPDATE review_pauses q SET ends_on = least(q.ends_on, {_YESTERDAY}) FROM was w
        WHERE {_UNCHANGED} AND q.starts_on <= CAST(:today AS date) RETURNING q.client_id
    ), back AS (SELECT client_id FROM gone UNION ALL SELECT client_id FROM shortened)
"""
_RESUME_LOOK = f"""
    SELECT a.client_id, NULL::jsonb AS before, NULL::jsonb AS after, {_OUTCOME.format(same=_NOT_ON)}
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id
"""
_RESUME = f"""
    ended AS (
        UPDATE review_pauses q SET ends_on = {_YESTERDAY} FROM asked a JOIN clients c ON c.id = a.client_id AND c.active
        WHERE q.organization_id = c.organization_id AND q.client_id = c.id AND {_ON}
        RETURNING q.client_id, q.id, old.ends_on AS was, new.ends_on AS became
    ), done AS (
        SELECT client_id, jsonb_build_object('pauses', jsonb_object_agg(id, jsonb_build_array(was, became))) AS result
        FROM ended GROUP BY client_id
    )
"""
_RESUME_BACK = """
    ended AS (
        SELECT w.client_id, CAST(k.key AS uuid) AS id, CAST(k.value->>0 AS date) AS was,
               CAST(k.value->>1 AS date) AS became
        FROM was w, jsonb_each(w.result->'pauses') k
    ), again AS (
        UPDATE review_pauses q SET ends_on = e.was FROM ended e
        WHERE q.id = e.id AND q.client_id = e.client_id AND q.ends_on IS NOT DISTINCT FROM e.became
        RETURNING q.client_id
    ), each AS (SELECT client_id, count(*) AS number FROM again GROUP BY client_id
    ), back AS (
        SELECT e.client_id FROM each e JOIN was w ON w.client_id = e.client_id
        WHERE e.number = (SELECT count(*) FROM jsonb_object_keys(w.result->'pauses'))
    )
"""


def _read(_uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    kind, first, last = raw.get("kind") or "other", a_day(raw.get("starts_on")), a_day(raw.get("ends_on"))
    problems = []
    if kind not in PERSONAL_KINDS:
        listed = ", ".join(one for one in get_args(PauseKind) if one in PERSONAL_KINDS)
        problems.append(FieldProblem("kind", later("Choose one of: %(kinds)s.", kinds=listed)))
    if not raw.get("starts_on"):
        problems.append(FieldProblem("starts_on", "Choose the first day."))
    elif first is None or not _EARLIEST <= first <= _LATEST:
        problems.append(FieldProblem("starts_on", "Check the year of the first day."))
    elif raw.get("ends_on") and (last is None or not first <= last <= _LATEST):
        problems.append(FieldProblem("ends_on", "The last day lies before the first. Choose a later one."))
    if problems or first is None:
        raise InvalidInput(problems)
    return {"kind": kind, "first": first.isoformat(), "last": last.isoformat() if last else None}


def _parameters(uow: UnitOfWork, values: Values) -> dict[str, Any]:
    return {**values, "today": today_here(uow)}


def _say(_uow: UnitOfWork, values: Values) -> str:
    if values["last"] is None:
        return later("from %(first)s until somebody ends it", first=values["first"])
    return later("from %(first)s to %(last)s", first=values["first"], last=values["last"])


def _say_nothing(_uow: UnitOfWork, _values: Values) -> str:
    return ""


def _read_nothing(_uow: UnitOfWork, _raw: Values) -> dict[str, Any]:
    return {}


def _only_today(uow: UnitOfWork, _values: Values) -> dict[str, Any]:
    return {"today": today_here(uow)}


def _after(uow: UnitOfWork) -> None:
    # Triggers have marked the plans; workers work their days out anew.
    uow.ring(Bell.PROMPT)


PAUSE = EditKind(
    name="pause",
    label=_("Pause reviews"),
    permission=Permission.WORK_PLANS,
    read=_read,
    parameters=_parameters,
    say=_say,
    look=_PAUSE_LOOK,
    change=_PAUSE,
    back=_PAUSE_BACK,
    after=_after,
    reasons={SAME: later("Has a pause for these days already."), "inactive": later("Is no longer active.")},
    kept=later("The pause was changed or taken away since, so it stays as it is."),
)
RESUME = EditKind(
    name="resume",
    label=_("End pauses"),
    permission=Permission.WORK_PLANS,
    read=_read_nothing,
    parameters=_only_today,
    say=_say_nothing,
    look=_RESUME_LOOK,
    change=_RESUME,
    back=_RESUME_BACK,
    after=_after,
    reasons={SAME: later("Has no pause today."), "inactive": later("Is no longer active.")},
    kept=later("The pause was changed or taken away since, so it stays as it is."),
)
