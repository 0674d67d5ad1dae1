"""Two people give the same template to overlapping cohorts at one moment, from two processes: one plan each."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import text

from app.composition import JOB_KINDS
from app.config import Settings
from app.domain import access
from app.domain.access import Actor, Role
from app.features.assignments.commands import Assign
from app.features.assignments.gifts import OUTCOMES
from app.features.assignments.service import assign
from app.features.audit.service import verify
from app.features.jobs.runner import work
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.assignments.helpers import START, Place, place
from tests.factories import World

_ROUNDS, _CLIENTS, _WORKERS, _LONGEST = 6, 60, 2, 60.0


@dataclass(frozen=True)
class Ask:
    """What one of the two does in a round."""

    actor: Actor
    template: UUID
    cohort: UUID


def take_part(settings: Settings, asks: list[Ask], together: Barrier) -> None:
    """One person's process: in each round ask at the same moment as the other, and work on whatever is open."""
    runtimes = [make_runtime(settings, doorbell=SilentDoorbell()) for _ in range(1 + _WORKERS)]
    for runtime in runtimes:
        # Connected before the moment comes.
        list(runtime.database.organization_ids())
    for ask in asks:
        together.wait(_LONGEST)
        workers = [Thread(target=work_until_done, args=(runtime, ask.actor)) for runtime in runtimes[1:]]
        for worker in workers:
            worker.start()
        with runtimes[0].database.unit_of_work(ask.actor) as uow:
            command = Assign(template_id=ask.template, version=1, started_on=START, cohort_id=ask.cohort)
            assign(uow, command)
        for worker in workers:
            worker.join(_LONGEST)
    for runtime in runtimes:
        runtime.database.dispose()


def work_until_done(runtime: Runtime, actor: Actor) -> None:
    """Work until both jobs of the organization have ended."""
    until = time.monotonic() + _LONGEST
    while time.monotonic() < until:
        work(runtime, actor.organization_id, JOB_KINDS, until=runtime.clock() + timedelta(seconds=20))
        with runtime.database.unit_of_work(access.system(actor.organization_id)) as uow:
            ended = uow.session.execute(text("SELECT count(*) FROM jobs WHERE state = 'done'")).scalar_one()
        if ended == 2:
            return


@pytest.mark.committed
@pytest.mark.timeout(180)
def test_two_who_give_the_same_at_once_make_one_plan_each(live: Runtime) -> None:
    world = World(live)
    places, asks = list[Place](), tuple[list[Ask], list[Ask]](([], []))
    third = _CLIENTS // 3
    for _ in range(_ROUNDS):
        here = place(world, _CLIENTS)
        places.append(here)
        template, other = world.template(here.organization), world.person(here.organization, Role.ADMIN)
        asks[0].append(Ask(here.admin.actor, template, here.cohort(here.clients[: 2 * third], "First")))
        asks[1].append(Ask(other.actor, template, here.cohort(here.clients[third:], "Second")))
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(2)
    people = [context.Process(target=take_part, args=(live.settings, mine, together)) for mine in asks]
    for person in people:
        person.start()
    for person in people:
        person.join(150)
        if person.is_alive():
            person.kill()
    assert [person.exitcode for person in people] == [0, 0]
    met = 0
    for here in places:
        check(here)
        [first, second] = here.sql("SELECT started_at, finished_at FROM jobs ORDER BY started_at")
        met += second.started_at < first.finished_at
    # Else they did one after the other, and nothing would be said of giving at once.
    assert met, "no two jobs ran at the same time"


def check(here: Place) -> None:
    """One plan for each client; whoever two gave it to is done in one job and there already in the other."""
    plans = [row.client_id for row in here.sql("SELECT client_id FROM plans")]
    assert len(plans) == len(set(plans)) == _CLIENTS
    assert set(plans) == set(here.clients)
    assert [row.count for row in here.sql("SELECT count(*) FROM plan_steps")] == [8 * _CLIENTS]
    jobs = here.sql("SELECT id, state, total, attempts, error FROM jobs")
    # At the first attempt: neither stood in the other's way.
    ended = ("done", 2 * _CLIENTS // 3, 0, None)
    assert [(job.state, job.total, job.attempts, job.error) for job in jobs] == [ended] * 2
    one, other = (here.items(job.id) for job in jobs)
    there = ("skipped", OUTCOMES["this_plan"][1])
    both = set(one) & set(other)
    assert len(both) == _CLIENTS // 3
    assert all(sorted([one[client], other[client]]) == [("done", ""), there] for client in both)
    assert {items[client] for items in (one, other) for client in set(items) - both} == {("done", "")}
    assert here.sql("SELECT count(*) FROM audit_entries WHERE action = 'plan.assigned'")[0].count == _CLIENTS
    with here.runtime.database.unit_of_work(here.admin.actor) as uow:
        assert verify(uow) == []
