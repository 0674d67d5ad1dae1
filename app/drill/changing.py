"""Handing a caseload over and shifting due days, as a drill runs them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import text

from app.domain.access import Role
from app.domain.working_days import shift
from app.drill.phases import Faults, Phase, Subject, quick
from app.features.clients.commands import AssignCounsellor
from app.features.clients.queries import select_ids
from app.features.clients.service import assign_counsellor
from app.features.edits.service import BulkEdit, start
from app.features.moves.commands import PlanMove
from app.features.moves.service import plan_move, start_move
from app.features.selections.commands import Target

_BY = 3


def handing_over(subject: Subject) -> Phase:
    """Every client is with whom the preview named and with nobody else, told of by one line each."""
    planned: dict[UUID, UUID] = {}
    moves: list[UUID] = []

    def begin() -> None:
        leaver, *others = (subject.member(Role.COUNSELLOR, number)[1] for number in range(3))
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            ids = uow.session.scalars(text("SELECT client_id FROM cohort_members")).all()
            assign_counsellor(uow, AssignCounsellor(counsellor_id=leaver, clients=select_ids(ids)))
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            move = plan_move(uow, PlanMove(source_id=leaver, receiver_ids=tuple(others)))
            planned.update(zip(move.client_ids, move.receiver_ids, strict=True))
            moves.append(move.id)

    def ask() -> None:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            start_move(uow, moves[0])

    def faults() -> Faults:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            rows = uow.session.execute(text("SELECT client_id, membership_id FROM caseload_entries")).all()
            history = uow.session.execute(
                text("SELECT client_id, membership_id FROM caseload_history WHERE ended_at IS NULL")
            ).all()
        told = subject.number("SELECT count(*) FROM audit_entries WHERE action = 'caseload.moved'")
        right = sum(1 for row in rows if planned.get(row.client_id) == row.membership_id)
        wrong_history = len({tuple(row) for row in history} ^ {tuple(row) for row in rows})
        lost = len(planned) - right + max(0, len(planned) - told) + wrong_history
        return Faults(lost, len(rows) - right + max(0, told - len(planned)), subject.unfinished())

    return quick(subject, "move", ask, faults, begin=begin)


def shifting(subject: Subject) -> Phase:
    """The day of every open step is later by so many working days, once, and each plan has one line of it."""
    before: dict[tuple[UUID, int], date] = {}

    def rows() -> dict[tuple[UUID, int], date]:
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            found = uow.session.execute(
                text(
                    "SELECT plan_id, step, due_on FROM plan_steps"
                    " WHERE status NOT IN ('completed', 'skipped') AND due_on IS NOT NULL"
                )
            )
            return {(row.plan_id, row.step): row.due_on for row in found}

    def begin() -> None:
        before.update(rows())

    def ask() -> None:
        values = {"mode": "shift", "by": _BY, "steps": list(range(1, 9))}
        with subject.place.runtime.database.unit_of_work(subject.actor) as uow:
            start(uow, BulkEdit(kind="due", values=values, target=Target(cohort_id=subject.cohort)))

    def faults() -> Faults:
        # Few different days, each worked out once.
        later = {day: shift(day, _BY) for day in set(before.values())}
        now = rows()
        left = sum(1 for step, day in before.items() if now.get(step) == day)
        odd = sum(1 for step, day in before.items() if now.get(step) not in (day, later[day]))
        lines = subject.number("SELECT count(*) FROM plan_events WHERE kind = 'due_moved'")
        return Faults(
            left + max(0, subject.clients - lines), odd + max(0, lines - subject.clients), subject.unfinished()
        )

    return quick(subject, "edit", ask, faults, begin=begin)
