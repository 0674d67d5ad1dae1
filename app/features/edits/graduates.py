"""Graduates: give many the day they graduated, or ask them by mail what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.outcomes import class_of
from app.domain.reading import check_day
from app.domain.saying import later
from app.features.edits.kinds import NEW, SAME, EditKind, Values
from app.features.edits.reading import a_day
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.features.outcomes.links import ask_by_mail
from app.infra.db.open import UnitOfWork

_OF_CLASS = "g.organization_id = c.organization_id AND g.client_id = c.id AND g.class_year = :class_year"
_GRADUATION_LOOK = f"""
    SELECT a.client_id, to_jsonb(g.graduated_on) AS before, to_jsonb(CAST(:day AS date)) AS after,
           CASE WHEN c.id IS NULL THEN 'gone' WHEN g.graduated_on = CAST(:day AS date) THEN 'same' ELSE 'new' END
               AS outcome
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id LEFT JOIN graduations g ON {_OF_CLASS}
"""
_GRADUATE = """
    put AS (
        INSERT INTO graduations (client_id, class_year, graduated_on, job_id, created_by, created_at)
        SELECT c.id, :class_year, CAST(:day AS date), CAST(:job AS uuid), CAST(:by AS uuid), :now
        FROM asked a JOIN clients c ON c.id = a.client_id ORDER BY c.id
        ON CONFLICT (organization_id, client_id, class_year) DO UPDATE SET graduated_on = excluded.graduated_on
            WHERE graduations.graduated_on <> excluded.graduated_on
        RETURNING client_id, to_jsonb(old.graduated_on) AS was
    ), done AS (SELECT client_id, jsonb_build_object('was', was) AS result FROM put)
"""
# A day that was put right since stays, and so does a graduation of which something is known by now.
_UNGRADUATE = """
    of_class AS (
        SELECT w.client_id, CAST(w.result->>'was' AS date) AS was FROM was w
    ), gone AS (
        DELETE FROM graduations g USING of_class w
        WHERE g.client_id = w.client_id AND g.class_year = :class_year AND g.graduated_on = CAST(:day AS date)
          AND w.was IS NULL AND g.job_id = CAST(:job AS uuid)
          AND NOT EXISTS (SELECT FROM outcomes o WHERE o.organization_id = g.organization_id
              AND o.client_id = g.client_id AND o.class_year = g.class_year)
        RETURNING g.client_id
    ), again AS (
        UPDATE graduations g SET graduated_on = w.was FROM of_class w
        WHERE g.client_id = w.client_id AND g.class_year = :class_year AND g.graduated_on = CAST(:day AS date)
          AND w.was IS NOT NULL
        RETURNING g.client_id
    ), back AS (SELECT client_id FROM gone UNION ALL SELECT client_id FROM again)
"""
# Who graduated need not be active any more. The last graduation is the one that is asked for.
_ASK_LOOK = """
    SELECT a.client_id, NULL::jsonb AS before, to_jsonb(g.class_year) AS after,
           CASE WHEN c.id IS NULL THEN 'gone'
                WHEN EXISTS (SELECT FROM client_pairs p WHERE p.organization_id = c.organization_id
                    AND p.linked_id = c.id AND p.state = 'linked') THEN 'double'
                WHEN g.class_year IS NULL THEN 'no_graduation'
                WHEN EXISTS (SELECT FROM outcomes k WHERE k.organization_id = c.organization_id AND k.client_id = c.id
                    AND k.class_year = g.class_year AND k.withdrawn_at IS NULL) THEN 'known'
                WHEN coalesce(c.email, '') = '' THEN 'no_address'
                WHEN x.bounced THEN 'bounced' WHEN x.address IS NOT NULL THEN 'declined' ELSE 'new' END AS outcome
    FROM asked a LEFT JOIN clients c ON c.id = a.client_id
    LEFT JOIN LATERAL (SELECT max(d.class_year) AS class_year FROM graduations d
        WHERE d.organization_id = c.organization_id AND d.client_id = c.id) g ON true
    LEFT JOIN suppressed_addresses x ON x.organization_id = c.organization_id AND x.address = lower(c.email)
"""


def _read_day(_uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    day = a_day(raw.get("graduated_on"))
    problems = [FieldProblem("graduated_on", later("Choose a day."))] if day is None else []
    if day is None or (problems := check_day("graduated_on", day)):
        raise InvalidInput(problems)
    return {"graduated_on": day.isoformat()}


def _day_parameters(_uow: UnitOfWork, values: Values) -> dict[str, Any]:
    day = a_day(values["graduated_on"])
    assert day is not None  # `_read_day` wrote it
    return {"day": day, "class_year": class_of(day)}


def _day_words(value: Any) -> str:
    return "–" if value is None else str(value)


def _say_day(_uow: UnitOfWork, values: Values) -> str:
    return later("graduated on %(day)s", day=values["graduated_on"])


def _say_nothing(_uow: UnitOfWork, _values: Values) -> str:
    return ""


def _nothing(_uow: UnitOfWork, _values: Values) -> dict[str, Any]:
    return {}


def _ask(uow: UnitOfWork, job: Job, _values: Values, clients: Sequence[UUID]) -> Mapping[UUID, Settled]:
    return {
        client: Settled(result={"message": str(message)}) for client, message in ask_by_mail(uow, job, clients).items()
    }


GRADUATION = EditKind(
    name="graduation",
    label=_("Record a graduation"),
    permission=Permission.WORK_PLANS,
    read=_read_day,
    parameters=_day_parameters,
    say=_say_day,
    look=_GRADUATION_LOOK,
    change=_GRADUATE,
    back=_UNGRADUATE,
    words=_day_words,
    reasons={SAME: later("Is so already."), "gone": later("Is no longer there.")},
    kept=later("The day was changed since, or something is known of the graduation, so it stays."),
)
ASK = EditKind(
    name="ask_outcome",
    label=_("Ask what became of them"),
    permission=Permission.WORK_PLANS,
    read=_nothing,
    parameters=_nothing,
    say=_say_nothing,
    look=_ASK_LOOK,
    act=_ask,
    goes=frozenset({NEW}),
    words=_day_words,
    reasons={
        "gone": later("Is no longer there."),
        "double": later("Stands behind another record of the same person."),
        "no_graduation": later("No graduation is recorded."),
        "known": later("Something is known already."),
        "no_address": later("Has no e-mail address."),
        "bounced": later("Mail to their address came back."),
        "declined": later("Wants no mail of this kind."),
    },
    batch_size=500,
)
