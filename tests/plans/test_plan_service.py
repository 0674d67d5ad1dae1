"""Plans: who may move which step, saving without overwriting, comments, due days."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.steps import ActorKind, StepAction, StepKey, StepStatus, allowed_actions
from app.features.plans import service
from app.features.plans.commands import AddComment, MoveStep, SaveContent, SetDueDate
from app.features.plans.models import Plan, PlanEvent, PlanStep
from app.features.plans.queries import comments_of, events_of, find_plan, view_plan
from app.features.steps.registry import ROOMS
from tests.factories import Person, World

KEY = StepKey.AMBITION
ROOM = ROOMS[KEY]


class Desk:
    """One client's plan with the client, their counsellor, a stranger and an administrator."""

    def __init__(self, world: World) -> None:
        self.runtime = world.runtime
        self.organization = world.organization()
        self.client = world.client_person(self.organization)
        self.counsellor = world.person(self.organization, Role.COUNSELLOR)
        self.stranger = world.person(self.organization, Role.COUNSELLOR)
        self.admin = world.person(self.organization, Role.ADMIN)
        self.analyst = world.person(self.organization, Role.ANALYST)
        assert self.client.actor.client_id is not None
        world.caseload(self.counsellor, [self.client.actor.client_id])
        self.plan_id = world.plan(self.organization, self.client.actor.client_id)

    def move(self, person: Person, action: StepAction, reason: str | None = None) -> StepStatus:
        with self.runtime.database.unit_of_work(person.actor) as uow:
            return service.move_step(uow, MoveStep(plan_id=self.plan_id, step=KEY, action=action, reason=reason))

    def save(self, person: Person, statement: str, over: int) -> int:
        with self.runtime.database.unit_of_work(person.actor) as uow:
            command = SaveContent(plan_id=self.plan_id, step=KEY, content={"statement": statement}, over=over)
            return service.save_content(uow, command, ROOM).version

    def put(self, status: StepStatus) -> None:
        """Set the status beside the use cases, to begin a test there."""
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            row = uow.session.get_one(PlanStep, (self.organization, self.plan_id, KEY.number))
            row.status, row.reason = status.value, "because" if status is StepStatus.SKIPPED else None

    def row(self) -> PlanStep:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            return uow.session.get_one(PlanStep, (self.organization, self.plan_id, KEY.number))

    def events(self) -> list[PlanEvent]:
        with self.runtime.database.unit_of_work(self.admin.actor) as uow:
            return list(uow.session.scalars(select(PlanEvent).order_by(PlanEvent.at, PlanEvent.number)))


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.mark.parametrize("status", list(StepStatus))
def test_each_role_does_what_the_table_says_and_nothing_else(desk: Desk, status: StepStatus) -> None:
    for person, kind in (
        (desk.client, ActorKind.CLIENT),
        (desk.counsellor, ActorKind.COUNSELLOR),
        (desk.admin, ActorKind.COUNSELLOR),
    ):
        for action in StepAction:
            desk.put(status)
            before = len(desk.events())
            if action in allowed_actions(status, kind):
                after = desk.move(person, action, "a reason")
                assert desk.row().status == after
                assert len(desk.events()) == before + (after is not status)
            else:
                with pytest.raises((Forbidden, Conflict)):
                    desk.move(person, action, "a reason")
                assert desk.row().status == status
                assert len(desk.events()) == before


def test_a_plan_that_is_not_yours_is_not_found(desk: Desk, world: World) -> None:
    other_client = world.client_person(desk.organization)
    foreign = world.person(world.organization(), Role.ADMIN)
    for person in (desk.stranger, other_client, foreign):
        with pytest.raises(NotFound):
            desk.move(person, StepAction.COMPLETE)
        with pytest.raises(NotFound), world.runtime.database.unit_of_work(person.actor) as uow:
            view_plan(uow, desk.plan_id)
    with pytest.raises(Forbidden):
        desk.move(desk.analyst, StepAction.COMPLETE)
    with pytest.raises(NotFound), world.runtime.database.unit_of_work(desk.analyst.actor) as uow:
        find_plan(uow, desk.plan_id)
    with pytest.raises(NotFound), world.runtime.database.unit_of_work(desk.admin.actor) as uow:
        find_plan(uow, uuid4())


def test_a_reason_is_kept_and_told(desk: Desk) -> None:
    desk.put(StepStatus.SUBMITTED)
    with pytest.raises(InvalidInput):
        desk.move(desk.counsellor, StepAction.RETURN, "  ")
    desk.move(desk.counsellor, StepAction.RETURN, " Say more about why. ")
    assert desk.row().reason == "Say more about why."
    assert desk.events()[-1].detail == {"from": "submitted", "to": "returned", "reason": "Say more about why."}
    desk.save(desk.client, "I want to build bridges", 0)
    assert (desk.row().status, desk.row().reason) == ("in_progress", None)


def test_the_first_save_starts_the_step_and_any_touch_keeps_the_plan_from_undo(desk: Desk) -> None:
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        assert find_plan(uow, desk.plan_id).touched_at is None
    assert desk.save(desk.client, "I want to build bridges", 0) == 1
    assert desk.row().status == "in_progress"
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        plan: Plan = find_plan(uow, desk.plan_id)
        assert plan.touched_at == uow.now


def test_two_windows_lose_neither_text(desk: Desk) -> None:
    assert desk.save(desk.client, "first window", 0) == 1
    with pytest.raises(service.ContentConflict) as caught:
        desk.save(desk.client, "second window", 0)
    assert caught.value.theirs["statement"] == "first window"
    assert caught.value.yours["statement"] == "second window"
    assert caught.value.version == 1
    assert desk.save(desk.client, "second window", 1) == 2
    # The same form sent twice is no conflict: nothing differs.
    assert desk.save(desk.client, "second window", 1) == 2


def test_only_the_client_writes_and_only_known_fields(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.save(desk.counsellor, "not mine to write", 0)
    with desk.runtime.database.unit_of_work(desk.client.actor) as uow, pytest.raises(InvalidInput) as caught:
        command = SaveContent(plan_id=desk.plan_id, step=KEY, content={"statment": "x"}, over=0)
        service.save_content(uow, command, ROOM)
    assert caught.value.problems[0].field == "statment"
    desk.put(StepStatus.COMPLETED)
    with pytest.raises(Conflict):
        desk.save(desk.client, "too late", 0)


def test_submitting_an_incomplete_step_says_what_is_missing(desk: Desk) -> None:
    desk.save(desk.client, "short", 0)
    with desk.runtime.database.unit_of_work(desk.client.actor) as uow, pytest.raises(InvalidInput) as caught:
        service.submit_step(uow, desk.plan_id, KEY, ["Write why this ambition matters to you."])
    assert "why this ambition" in str(caught.value)
    with desk.runtime.database.unit_of_work(desk.client.actor) as uow:
        assert service.submit_step(uow, desk.plan_id, KEY) is StepStatus.SUBMITTED
        assert service.withdraw_step(uow, desk.plan_id, KEY) is StepStatus.IN_PROGRESS
        # The acts of one transaction keep their order in the history; twenty by chance would not.
        for _ in range(9):
            service.submit_step(uow, desk.plan_id, KEY)
            service.withdraw_step(uow, desk.plan_id, KEY)
        newest_first = events_of(uow, desk.plan_id, step=KEY)
    assert len({event.at for event, _ in newest_first}) == 1
    assert [event.kind for event, _ in newest_first] == ["withdrawn", "submitted"] * 10


def test_comments_of_both_stand_in_one_thread(desk: Desk) -> None:
    for person, body in ((desk.client, "Is this enough?"), (desk.counsellor, "Nearly.")):
        with desk.runtime.database.unit_of_work(person.actor) as uow:
            service.add_comment(uow, AddComment(plan_id=desk.plan_id, step=KEY, body=body))
    with desk.runtime.database.unit_of_work(desk.client.actor) as uow:
        thread = comments_of(uow, desk.plan_id, KEY)
        assert {(c.body, role) for c, _, role in thread} == {("Is this enough?", "client"), ("Nearly.", "counsellor")}
        with pytest.raises(InvalidInput):
            service.add_comment(uow, AddComment(plan_id=desk.plan_id, step=KEY, body="  "))


def test_the_counsellor_moves_a_due_day_and_the_client_may_not(desk: Desk) -> None:
    assert desk.row().due_on == date(2026, 9, 21)
    command = SetDueDate(plan_id=desk.plan_id, step=KEY, due_on=date(2026, 10, 1))
    with desk.runtime.database.unit_of_work(desk.client.actor) as uow, pytest.raises(Forbidden):
        service.set_due_date(uow, command)
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        service.set_due_date(uow, command)
    assert desk.row().due_on == date(2026, 10, 1)
    assert desk.events()[-1].detail == {"from": "2026-09-21", "to": "2026-10-01"}


def test_an_archived_plan_does_not_change(desk: Desk) -> None:
    with desk.runtime.database.unit_of_work(desk.admin.actor) as uow:
        find_plan(uow, desk.plan_id).status = "archived"
    with pytest.raises(Conflict, match="archived"):
        desk.move(desk.client, StepAction.START)
