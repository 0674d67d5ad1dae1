"""Rolling a template's version out to plans and back, as a drill runs it."""

from __future__ import annotations

from sqlalchemy import select, text

from app.bench.rollout import add_version
from app.domain.rollouts import Choice
from app.drill.phases import Faults, Phase, Subject, quick
from app.features.rollouts.commands import RollOut
from app.features.rollouts.models import Rollout
from app.features.rollouts.service import roll_back, start_rollout

# What a roll-out may change in plans, as one text.
_STANDS = (
    "SELECT md5(string_agg(line, '|' ORDER BY line)) FROM (SELECT p.id || ':' || p.template_version AS line"
    " FROM plans p UNION ALL SELECT to_jsonb(s)::text FROM plan_steps s) rows"
)


def rolling(subject: Subject) -> tuple[Phase, Phase]:
    """A version rolled out to every plan, and rolled back; both under fire, the second after the first."""
    stood: list[str] = []
    return _out(subject, stood), _back(subject, stood)


def _out(subject: Subject, before: list[str]) -> Phase:
    """Every plan is brought to the second version once, with one line of history and one audit line.

    `before` gets how plans stood.
    """

    def begin() -> None:
        add_version(subject.place, subject.organization, subject.template)
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            before.append(uow.session.execute(text(_STANDS)).scalar_one())

    def ask() -> None:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            start_rollout(uow, RollOut(template_id=subject.template, version=2, choice=Choice.ALL))

    def faults() -> Faults:
        moved = subject.number(
            "SELECT count(*) FROM plans p WHERE p.template_version = 2 AND (SELECT array_agg(s.step ORDER BY s.step)"
            " FROM plan_steps s WHERE s.organization_id = p.organization_id AND s.plan_id = p.id"
            " AND s.status = 'skipped') = '{3}'"
        )
        lost, doubled = _told(subject, "rolled_out")
        return Faults(subject.clients - moved + lost, doubled, subject.unfinished())

    return quick(subject, "rollout", ask, faults, begin=begin)


def _back(subject: Subject, before: list[str]) -> Phase:
    """Every plan stands as it did before the roll-out, with one line of history and one audit line."""

    def ask() -> None:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            roll_back(uow, uow.session.scalars(select(Rollout.id)).one())

    def faults() -> Faults:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            same = uow.session.execute(text(_STANDS)).scalar_one() == before[0]
        lost, doubled = _told(subject, "rolled_back")
        return Faults(lost + (0 if same else 1), doubled, subject.unfinished())

    return quick(subject, "rollback", ask, faults)


def _told(subject: Subject, kind: str) -> tuple[int, int]:
    """Lines of history and of the audit that are missing, and that are too many."""
    found = (
        subject.number("SELECT count(*) FROM plan_events WHERE kind = :kind", kind=kind),
        subject.number("SELECT count(DISTINCT plan_id) FROM plan_events WHERE kind = :kind", kind=kind),
        subject.number("SELECT count(*) FROM audit_entries WHERE action = :kind", kind=f"plan.{kind}"),
    )
    missing = sum(max(0, subject.clients - number) for number in found)
    return missing, sum(max(0, number - subject.clients) for number in found)
