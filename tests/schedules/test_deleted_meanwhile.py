"""What a schedule writes is deleted at the very moment the schedule is made, changed or written: a sentence for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput, NotFound
from app.features.extracts.commands import RunExtract
from app.features.extracts.service import delete_extract, run_extract
from app.features.schedules import contents
from app.features.schedules.commands import SaveSchedule
from app.features.schedules.contents import Content
from app.features.schedules.service import change_schedule, create_schedule
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter, delete_filter
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.schedules.scene import daily, member_of, report, rows, schedule

pytestmark = pytest.mark.committed
ALL = {"all": [{"field": "@active", "is": "is", "values": [True]}]}
Act = Callable[[UnitOfWork], Any]
_WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


@pytest.fixture
def admin(live: Runtime) -> Person:
    world = World(live)
    return world.person(world.organization(), Role.ADMIN)


def made_of(live: Runtime, admin: Person, kind: str) -> tuple[Content, Act]:
    """Something a schedule can write, and the act that deletes it."""
    if kind == "report":
        extract = report(live, admin)
        return contents.extract(extract), lambda uow: delete_extract(uow, extract)
    with live.database.unit_of_work(admin.actor) as uow:
        saved = create_filter(uow, SaveFilter(name="All of us", rule=ALL, shared=True)).id
    return contents.clients_of_filter(saved), lambda uow: delete_filter(uow, saved)


def somebody_waits(live: Runtime, admin: Person) -> bool:
    # Each look in a transaction of its own: within one PostgreSQL goes on telling what it saw first.
    with live.database.unit_of_work(access.system(admin.actor.organization_id)) as uow:
        return bool(uow.session.execute(_WAITS).scalar_one())


def one_behind_the_other(live: Runtime, admin: Person, first: Act, second: Act) -> Future[Any]:
    """Both at once: the second begins while the first has done all but committed, and waits for it."""

    def act() -> Any:
        with live.database.unit_of_work(admin.actor) as uow:
            return second(uow)

    with ThreadPoolExecutor(1) as pool:
        with live.database.unit_of_work(admin.actor) as uow:
            first(uow)
            told = pool.submit(act)
            while not told.done() and not somebody_waits(live, admin):
                time.sleep(0.01)
            assert not told.done()
        told.exception(30)
    return told


def saving(admin: Person, content: Content, change: UUID | None) -> Act:
    command = SaveSchedule(
        name="Each day",
        recurrence=daily(),
        content=content,
        form=content.sort.forms[0],
        recipients=(member_of(admin),),
    )
    if change is None:
        return lambda uow: create_schedule(uow, command)
    return lambda uow: change_schedule(uow, change, command)


@pytest.mark.parametrize("act", ["create", "change"])
@pytest.mark.parametrize("kind", ["report", "filter"])
def test_who_makes_a_schedule_of_what_is_just_deleted_is_told_that_it_is_not_there(
    live: Runtime, admin: Person, kind: str, act: str
) -> None:
    content, delete = made_of(live, admin, kind)
    form = content.sort.forms[0]
    kept = schedule(live, admin, [admin], content=content, form=form) if act == "change" else None
    told = one_behind_the_other(live, admin, delete, saving(admin, content, kept))
    with pytest.raises(InvalidInput) as refused:
        told.result()
    assert "There is no such" in str(refused.value.problems[0].sentence)
    assert rows(live, admin.actor.organization_id, "SELECT state FROM schedules") == [("paused",)] * bool(kept)


@pytest.mark.parametrize("act", ["create", "change"])
@pytest.mark.parametrize("kind", ["report", "filter"])
def test_who_deletes_what_a_schedule_is_just_made_of_pauses_it(
    live: Runtime, admin: Person, kind: str, act: str
) -> None:
    content, delete = made_of(live, admin, kind)
    form = content.sort.forms[0]
    kept = schedule(live, admin, [admin], content=content, form=form) if act == "change" else None
    one_behind_the_other(live, admin, saving(admin, content, kept), delete).result()
    asked = "SELECT state, why LIKE '%was deleted%', num_nonnulls(extract_id, filter_id) FROM schedules"
    assert rows(live, admin.actor.organization_id, asked) == [("paused", True, 0)]


def test_a_file_asked_for_while_its_report_is_deleted(live: Runtime, admin: Person) -> None:
    here = admin.actor.organization_id
    for first in ("asking", "deleting"):
        extract = report(live, admin)

        def ask(uow: UnitOfWork, extract: UUID = extract) -> None:
            run_extract(uow, RunExtract(extract_id=extract, form="csv", locale="en"))

        def delete(uow: UnitOfWork, extract: UUID = extract) -> None:
            delete_extract(uow, extract)

        if first == "asking":
            one_behind_the_other(live, admin, ask, delete).result()
        else:
            with pytest.raises(NotFound, match="There is no such report"):
                one_behind_the_other(live, admin, delete, ask).result()
        assert rows(live, here, "SELECT count(*) FROM extracts") == [(0,)]
    assert rows(live, here, "SELECT extract_id FROM extract_runs") == [(None,)]
