"""Assign, edit, roll out, roll back, move and undo in whatever order: what each of them promises, all at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.template_content import parse_content
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.edits import service as edits
from app.features.edits.service import BulkEdit
from app.features.jobs.runner import undo_job
from app.features.moves.commands import PlanMove
from app.features.moves.service import plan_move, start_move
from app.features.plans.queries import step_due_dates
from app.features.selections.commands import Target
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.rollouts.helpers import START, finish
from tests.rollouts.test_any_order import VERSIONS, Play

Steps = dict[tuple[UUID, int], tuple[str, date | None]]


class Whole(Play):
    """As a play of roll-outs, and days given and shifted for many, and caseloads handed over."""

    def __init__(self, world: World, clock: Clock, seed: int) -> None:
        super().__init__(world, clock, seed)
        self.people = [world.person(self.organization, Role.COUNSELLOR) for _ in range(3)]
        # A job that moved days; the step's days before and after, and whether the former was a person's choice.
        self.moved: list[tuple[UUID, dict[tuple[UUID, int], tuple[date | None, date | None, bool]]]] = []

    def clients(self) -> tuple[UUID, ...]:
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return tuple(uow.session.scalars(text("SELECT id FROM clients ORDER BY id")))

    def _note(self, job: UUID, before: Steps) -> None:
        finish(self.runtime, self.organization)
        after = self.steps()
        moved = {
            place: (old[1], after[place][1], place in self.days)
            for place, old in before.items()
            if old[1] != after[place][1]
        }
        for place, (_, day, _by_hand) in moved.items():
            self._chosen(place, day, by_hand=True)
        self.moved.append((job, moved))

    def _chosen(self, place: tuple[UUID, int], day: date | None, *, by_hand: bool) -> None:
        """What was given or shifted for many is a person's choice like any other; the version's own day is none."""
        self.touched.add(place)
        self.days.pop(place, None)
        if by_hand and day is not None and day != self._given(place):
            self.days[place] = day

    def _given(self, place: tuple[UUID, int]) -> date | None:
        content = parse_content(VERSIONS[dict(self.plans())[place[0]]])
        return {key.number: day for key, _, day in step_due_dates(content, START, ())}[place[1]]

    def give_day(self) -> None:
        finish(self.runtime, self.organization)
        before, day = self.steps(), date(2040, 1, 1) + timedelta(days=len(self.done))
        with self.runtime.database.unit_of_work(self.admin) as uow:
            command = Assign(what="due", step=self.choices.randint(1, 8), due_on=day, client_ids=self.clients())
            job = assign(uow, command).id
        self._note(job, before)

    def shift(self) -> None:
        finish(self.runtime, self.organization)
        before = self.steps()
        values = {"steps": [self.choices.randint(1, 8)], "mode": "shift", "by": self.choices.choice([-3, 1, 5, 20])}
        with self.runtime.database.unit_of_work(self.admin) as uow:
            edit = BulkEdit(kind="due", values=values, target=Target(client_ids=self.clients()))
            job = edits.start(uow, edit).id
        self._note(job, before)

    def undo_days(self) -> None:
        if not self.moved:
            return
        job, moved = self.moved.pop(self.choices.randrange(len(self.moved)))
        before = self.steps()
        undo_job(self.runtime, self.admin, JOB_KINDS, job)
        finish(self.runtime, self.organization)
        after = self.steps()
        for place, (old, new, by_hand) in moved.items():
            if place not in before:
                continue
            # Taken back where it stands as the job left it; what was moved since stays.
            if before[place][1] == new:
                assert after[place][1] == old, (self.done, place)
                self._chosen(place, old, by_hand=by_hand)
            else:
                assert after[place][1] == before[place][1], (self.done, place)
        assert {place for place in after if after[place] != before[place]} <= set(moved), self.done

    def hand_over(self) -> None:
        receivers = tuple(person.actor.membership_id for person in self.people if person.actor.membership_id)
        with self.runtime.database.unit_of_work(self.admin) as uow:
            some = self.choices.sample(self.clients(), 1 + len(self.clients()) // 2)
            move = plan_move(
                uow,
                PlanMove(receiver_ids=receivers[: self.choices.randint(1, 3)], target=Target(client_ids=tuple(some))),
            )
            self.jobs.append(start_move(uow, move.id).id)

    def run(self) -> None:
        acts: list[Callable[[], None]] = [
            *(
                self.give,
                self.set_day,
                self.move,
                self.begin_step,
                self.give_day,
                self.give_day,
                self.shift,
                self.shift,
            ),
            *(
                self.begin,
                self.begin,
                self.go_on,
                self.there_and_back,
                self.undo_giving,
                self.undo_days,
                self.hand_over,
            ),
        ]
        self.give()
        for _ in range(25):
            act = self.choices.choice(acts)
            self.done.append(act.__name__)
            act()
            finish(self.runtime, self.organization)
            self.clock.now += timedelta(minutes=1)
            self.check()

    def check(self) -> None:
        super().check()
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            entries = uow.session.execute(
                text("SELECT client_id, membership_id, kind FROM caseload_entries ORDER BY 1, 2")
            ).all()
            history = uow.session.execute(
                text("SELECT client_id, membership_id, kind FROM caseload_history WHERE ended_at IS NULL ORDER BY 1, 2")
            ).all()
        primaries = [row.client_id for row in entries if row.kind == "primary"]
        assert len(primaries) == len(set(primaries)), self.done
        assert entries == history, self.done


@pytest.mark.parametrize("seed", range(100, 106))
def test_cohort_work_in_any_order_keeps_all_promises(runtime: Runtime, world: World, clock: Clock, seed: int) -> None:
    play = Whole(world, clock, seed)
    play.run()
    assert {"begin", "there_and_back"} & set(play.done)
    assert {"give_day", "shift"} & set(play.done)
