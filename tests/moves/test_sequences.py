"""Random sequences of moves, hand-made changes, covers, days and undoing keep what caseloads promise."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.composition import JOB_KINDS
from app.domain.errors import Conflict
from app.features.clients.commands import AssignCounsellor, RemoveCounsellor
from app.features.clients.service import assign_counsellor, remove_counsellor
from app.features.jobs.runner import undo_job
from app.features.moves import covers, service
from app.features.moves.commands import PlanMove
from app.features.moves.runner import sweep
from app.features.selections.commands import Target
from tests.factories import World
from tests.harness import Clock
from tests.moves.office import Office

_ACTS = ("move", "leave", "assign", "support", "remove", "undo", "cover", "end", "day")


def check(office: Office) -> None:
    """Each client has one primary counsellor at most; the open rows of the history are the entries; none overlap."""
    entries = office.entries()
    primaries = [client for client, _, kind in entries if kind == "primary"]
    assert len(primaries) == len(set(primaries))
    assert entries == office.open_history()
    overlaps = office.rows(
        "SELECT 1 FROM caseload_history a JOIN caseload_history b ON b.client_id = a.client_id"
        " AND b.membership_id = a.membership_id AND b.id > a.id"
        " WHERE tstzrange(a.began_at, a.ended_at) && tstzrange(b.began_at, b.ended_at)"
    )
    assert overlaps == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(_ACTS), min_size=4, max_size=14), st.integers(0, 10**6))
def test_whatever_is_done_in_whatever_order(world: World, clock: Clock, acts: list[str], seed: int) -> None:
    office, chance = Office(world, clients=6), random.Random(seed)
    jobs: list[UUID] = []
    for act in acts:
        clock.now += timedelta(minutes=1)
        do(office, act, chance, jobs, clock)
        sweep(office.runtime, office.id)
        check(office)
    # When everything that was for a time is over, nobody is supported by a cover any more.
    clock.now += timedelta(days=400)
    sweep(office.runtime, office.id)
    check(office)
    assert office.rows("SELECT 1 FROM caseload_history WHERE cover_id IS NOT NULL AND ended_at IS NULL") == []
    assert office.rows("SELECT 1 FROM covers WHERE state <> 'ended'") == []


def do(office: Office, act: str, chance: random.Random, jobs: list[UUID], clock: Clock) -> None:
    """One act, chosen by chance in its particulars."""
    some = chance.sample(office.clients, chance.randint(1, 6))
    source, *others = chance.sample(office.members, 3)
    receivers = tuple(others[: chance.randint(1, 2)])
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        if act in ("move", "leave"):
            given: dict[str, Any] = (
                {"source_id": source} if act == "leave" else {"target": Target(client_ids=tuple(some))}
            )
            move = service.plan_move(uow, PlanMove(receiver_ids=receivers, **given))
            jobs.append(service.start_move(uow, move.id).id)
        elif act in ("assign", "support"):
            kind = "primary" if act == "assign" else "supporting"
            assign_counsellor(uow, AssignCounsellor(counsellor_id=source, clients=some, kind=kind))  # type: ignore[arg-type] # one of the two
        elif act == "remove":
            remove_counsellor(uow, RemoveCounsellor(counsellor_id=source, clients=some))
        elif act == "cover":
            first = uow.now.date() + timedelta(days=chance.randint(0, 2))
            last = first + timedelta(days=chance.randint(0, 3))
            plan = PlanMove(source_id=source, receiver_ids=receivers, first_on=first, last_on=last)
            covers.plan_cover(uow, service.plan_move(uow, plan).id)
        elif act == "end":
            open_covers = office.rows("SELECT id FROM covers WHERE state <> 'ended'")
            if open_covers:
                covers.end_cover(uow, chance.choice(open_covers).id)
    if act == "day":
        clock.now += timedelta(days=1)
    if act == "undo" and jobs:
        try:
            undo_job(office.runtime, office.admin.actor, JOB_KINDS, jobs.pop(chance.randrange(len(jobs))))
        except Conflict:
            return
    office.work()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6))
def test_moves_taken_back_in_turn_leave_what_was_there(world: World, clock: Clock, seed: int) -> None:
    office, chance = Office(world, clients=6), random.Random(seed)
    states, jobs = [office.entries()], list[UUID]()
    for act in ("support", "move", "leave", "move", "leave"):
        clock.now += timedelta(minutes=1)
        do(office, act, chance, jobs, clock)
        if act == "support":
            states = [office.entries()]
        else:
            states.append(office.entries())
    for job in reversed(jobs):
        states.pop()
        office.undo(job)
        assert office.entries() == states[-1]
        check(office)
