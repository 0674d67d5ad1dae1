"""Whatever is done in whatever order: assign, edit by hand, roll out, roll back, undo keep what they promise."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict
from app.domain.rollouts import Choice
from app.domain.steps import StepAction, StepKey
from app.domain.template_content import parse_content
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.audit.service import verify
from app.features.jobs.runner import undo_job
from app.features.plans import service as plans_service
from app.features.plans.commands import MoveStep, SetDueDate
from app.features.plans.queries import step_due_dates
from app.features.rollouts import queries, service
from app.features.rollouts.commands import NextStage, RollOut
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.rollouts.helpers import START, add_version, digest, finish, recipe

OPERATIONS = 30
VERSIONS = {
    1: recipe(review=None),
    2: recipe(opportunities=None, goals=100),
    3: recipe(ambition=20, goals=50, review=None, career_path=None),
    4: recipe(goals=60),
}


class Play:
    """One organization, one template of four versions, and what persons did to the steps of plans."""

    def __init__(self, world: World, clock: Clock, seed: int) -> None:
        self.world, self.clock, self.runtime = world, clock, world.runtime
        self.choices = random.Random(seed)  # a test that is repeatable
        self.organization = world.organization()
        self.admin = world.person(self.organization, Role.ADMIN).actor
        self.template = world.template(self.organization, raw=VERSIONS[1])
        for version, raw in VERSIONS.items():
            if version > 1:
                add_version(self.runtime, self.organization, self.template, version, raw)
        # (plan, step) -> what a person chose last, and all steps a person ever touched.
        self.days: dict[tuple[UUID, int], date] = {}
        self.statuses: dict[tuple[UUID, int], str] = {}
        self.touched: set[tuple[UUID, int]] = set()
        self.rollouts: list[UUID] = []
        self.jobs: list[UUID] = []
        self.done: list[str] = []

    def plans(self) -> list[tuple[UUID, int]]:
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            rows = uow.session.execute(text("SELECT id, template_version FROM plans ORDER BY created_at, id"))
            return [(row.id, row.template_version) for row in rows]

    def steps(self) -> dict[tuple[UUID, int], tuple[str, date | None]]:
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            rows = uow.session.execute(text("SELECT plan_id, step, status, due_on FROM plan_steps"))
            return {(row.plan_id, row.step): (row.status, row.due_on) for row in rows}

    def any_step(self) -> tuple[UUID, int] | None:
        plans = self.plans()
        return (self.choices.choice(plans)[0], self.choices.randint(1, 8)) if plans else None

    def give(self) -> None:
        clients = self.world.clients(self.organization, self.choices.randint(1, 5))
        version = self.choices.choice([1, 1, 1, 2])
        with self.runtime.database.unit_of_work(self.admin) as uow:
            command = Assign(template_id=self.template, version=version, started_on=START, client_ids=tuple(clients))
            self.jobs.append(assign(uow, command).id)

    def undo_giving(self) -> None:
        finish(self.runtime, self.organization)
        if self.jobs:
            undo_job(self.runtime, self.admin, JOB_KINDS, self.jobs.pop(self.choices.randrange(len(self.jobs))))

    def set_day(self) -> None:
        if (place := self.any_step()) is not None:
            # A day no version gives, and never the same again.
            day = date(2030, 1, 1) + timedelta(days=len(self.done))
            with self.runtime.database.unit_of_work(self.admin) as uow:
                key = list(StepKey)[place[1] - 1]
                plans_service.set_due_date(uow, SetDueDate(plan_id=place[0], step=key, due_on=day))
            self.days[place] = day
            self.touched.add(place)

    def move(self) -> None:
        if (place := self.any_step()) is None:
            return
        action = self.choices.choice([StepAction.SKIP, StepAction.UNSKIP])
        try:
            with self.runtime.database.unit_of_work(self.admin) as uow:
                key = list(StepKey)[place[1] - 1]
                command = MoveStep(plan_id=place[0], step=key, action=action, reason="By hand.")
                after = plans_service.move_step(uow, command)
        except Conflict:
            return
        self.touched.add(place)
        # Skipped and taken up again is as if never begun: a version may take it out.
        self.statuses.pop(place, None)
        if after == "skipped":
            self.statuses[place] = after.value

    def begin_step(self) -> None:
        place = self.any_step()
        if place is None or self.steps()[place][0] != "not_started":
            return
        with self.runtime.database.unit_of_work(self.admin) as uow:
            values = {"now": uow.now, "p": place[0], "s": place[1]}
            uow.session.execute(text("UPDATE plans SET touched_at = :now WHERE id = :p"), values)
            begin = "UPDATE plan_steps SET status = 'in_progress', changed_at = :now WHERE plan_id = :p AND step = :s"
            uow.session.execute(text(begin), values)
        self.statuses[place] = "in_progress"
        self.touched.add(place)

    def begin(self) -> None:
        command = RollOut(
            template_id=self.template,
            version=self.choices.choice([2, 3, 4]),
            choice=self.choices.choice([Choice.ALL, Choice.NOT_STARTED]),
            percent=self.choices.choice([5, 25, 100, 100]),
        )
        try:
            with self.runtime.database.unit_of_work(self.admin) as uow:
                self.rollouts.append(service.start_rollout(uow, command).id)
        except Conflict:
            self.go_on()

    def go_on(self) -> None:
        with self.runtime.database.unit_of_work(self.admin) as uow:
            for rollout in self.rollouts:
                view = queries.view_rollout(uow, rollout)
                if view.phase == "waiting":
                    service.next_stage(uow, NextStage(rollout_id=rollout, number=len(view.stages) + 1))

    def back(self) -> None:
        if self.rollouts:
            rollout = self.rollouts.pop(self.choices.randrange(len(self.rollouts)))
            with self.runtime.database.unit_of_work(self.admin) as uow:
                service.roll_back(uow, rollout)

    def there_and_back(self) -> None:
        """A roll-out nothing happens after, and its way back: to the byte as before."""
        finish(self.runtime, self.organization)
        before = digest(self.runtime, self.organization)
        known = len(self.rollouts)
        self.begin()
        finish(self.runtime, self.organization)
        if len(self.rollouts) > known:
            self.clock.now += timedelta(minutes=1)
            with self.runtime.database.unit_of_work(self.admin) as uow:
                service.roll_back(uow, self.rollouts.pop())
            finish(self.runtime, self.organization)
            assert digest(self.runtime, self.organization) == before, self.done

    def run(self) -> None:
        acts: list[Callable[[], None]] = [
            *(self.give, self.set_day, self.set_day, self.move, self.move, self.begin_step, self.begin_step),
            *(self.begin, self.begin, self.go_on, self.back, self.there_and_back, self.undo_giving),
        ]
        self.give()
        for _ in range(OPERATIONS):
            act = self.choices.choice(acts)
            self.done.append(act.__name__)
            act()
            # Sometimes several things are asked for before a worker comes.
            if self.choices.random() < 0.8:
                finish(self.runtime, self.organization)
            self.clock.now += timedelta(minutes=1)
            self.check()
        finish(self.runtime, self.organization)
        self.check()
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            assert verify(uow) == []
            states = uow.session.execute(text("SELECT DISTINCT state FROM jobs")).scalars()
            assert set(states) <= {"done", "undone", "cancelled"}, self.done

    def check(self) -> None:
        plans, steps = dict(self.plans()), self.steps()
        gone = {place for place in self.touched if place[0] not in plans}
        assert not gone, (self.done, "a plan that was worked on is gone")
        assert len(steps) == 8 * len(plans)
        for place, day in self.days.items():
            assert steps[place][1] == day, (self.done, place, "a day set by hand")
        for place, status in self.statuses.items():
            assert steps[place][0] == status, (self.done, place, "a status set by hand")
        contents = {number: parse_content(raw) for number, raw in VERSIONS.items()}
        due = {
            number: {key.number: (status.value, day) for key, status, day in step_due_dates(content, START, ())}
            for number, content in contents.items()
        }
        for place, stands in steps.items():
            if place not in self.touched:
                assert stands == due[plans[place[0]]][place[1]], (self.done, place, "as its version gives it")
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            active = uow.session.scalars(select(text("client_id")).select_from(text("plans WHERE status = 'active'")))
            clients = list(active)
            assert len(clients) == len(set(clients)), self.done


@pytest.mark.parametrize("seed", range(8))
def test_any_order_keeps_what_is_promised(runtime: Runtime, world: World, clock: Clock, seed: int) -> None:
    play = Play(world, clock, seed)
    play.run()
    # A sequence in which nothing was rolled out says nothing.
    assert {"begin", "there_and_back"} & set(play.done)
