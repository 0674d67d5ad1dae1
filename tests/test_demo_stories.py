"""What the people of the demonstration write fits the rooms as they are, and is done through their use cases."""

from __future__ import annotations

import csv
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from app.cli.demo import demo
from app.demo.questionnaire import leanings_of, write_answers
from app.demo.room_work import choose_another, look_ahead, recommend_one, write_step
from app.demo.stories import CHINESE, STORIES, story_of
from app.domain import access
from app.domain.access import Role
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.instruments.builtin import built_ins
from app.features.plans import service
from app.features.plans.marks import marks_of
from app.features.plans.queries import surroundings_of, view_plan
from app.features.scratches.models import PlanScratch
from app.features.steps.action_plan.feeds import live_feed
from app.features.steps.matrix import weights_of
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.steps.choosing import PUBLISHED, store_result

WRITTEN = tuple(StepKey)[:7]


@pytest.fixture
def plan(world: World) -> tuple[UUID, Person, Person]:
    """A plan whose client has a result to match with, the client, and their counsellor."""
    here = world.organization()
    client, counsellor = world.client_person(here), world.person(here, Role.COUNSELLOR)
    client_id = client.actor.client_id
    assert client_id is not None
    world.caseload(counsellor, [client_id])
    with world.runtime.database.unit_of_work(access.system(here)) as uow:
        store_result(uow, client_id, "interests", PUBLISHED)
    return world.plan(here, client_id), client, counsellor


def _write(runtime: Runtime, plan_id: UUID, client: Person, number: int) -> None:
    story = (*STORIES, CHINESE)[number]
    with runtime.database.unit_of_work(client.actor) as uow:
        for step in WRITTEN:
            write_step(uow, plan_id, step, story, number)
            view = view_plan(uow, plan_id)
            missing = ROOMS[step].missing(view.content(step), surroundings_of(uow, view, step), plain)
            assert missing == [], (number, step)
            service.submit_step(uow, plan_id, step)


@pytest.mark.parametrize("number", range(len(STORIES) + 1))
def test_every_story_fills_every_room(runtime: Runtime, plan: tuple[UUID, Person, Person], number: int) -> None:
    plan_id, client, _ = plan
    _write(runtime, plan_id, client, number)
    with runtime.database.unit_of_work(client.actor) as uow:
        choice = view_plan(uow, plan_id).content(StepKey.CAREER_CHOICE)
    if number < len(STORIES):
        assert [row["code"] for row in choice["options"]][:3] == list(STORIES[number].codes)
        assert all(row["match"]["rank"] for row in choice["options"])
    assert choice["decided_on"] is not None
    pairwise = weights_of(choice).pairwise
    assert (pairwise is not None and pairwise.usable) == (number % 3 == 1)


def test_what_follows_leaves_marks_a_copy_a_feed_and_a_recommendation(
    runtime: Runtime, plan: tuple[UUID, Person, Person]
) -> None:
    plan_id, client, counsellor = plan
    _write(runtime, plan_id, client, 0)
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        for step in WRITTEN:
            service.complete_step(uow, plan_id, step)
        service.reopen_step(uow, plan_id, StepKey.CAREER_CHOICE, "Look again.")
        recommend_one(uow, plan_id, "It fits as well.")
    with runtime.database.unit_of_work(client.actor) as uow:
        assert client.actor.client_id is not None
        look_ahead(uow, plan_id, "What if?")
        assert live_feed(uow, client.actor.client_id) is not None
        assert uow.session.query(PlanScratch).one().shared
        choose_another(uow, plan_id, "The other one.")
        assert {mark.step for mark in marks_of(uow, plan_id)} == {5, 6, 7}
        [row] = view_plan(uow, plan_id).content(StepKey.CAREER_CHOICE)["recommendations"]
        assert row["reason"] == "It fits as well."


def test_made_up_answers_are_the_same_each_time_and_lean_where_the_programme_does(tmp_path: Path) -> None:
    definition = built_ins()["interests"].definition
    people = [f"N{n}" for n in range(60)] + [f"D{n}" for n in range(60)]
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    for path in (first, second):
        write_answers(
            path, definition, people, seed=8, leaning=lambda p: leanings_of("Nursing" if p[0] == "N" else "Design")
        )
    assert first.read_text() == second.read_text()
    social = [item.id for item in definition.items if item.scale == "S"]
    sums = {"N": 0, "D": 0}
    for row in csv.DictReader(first.read_text().splitlines()):
        sums[row["external_id"][0]] += sum(int(row[item] or 0) for item in social)
    assert sums["N"] > 1.2 * sums["D"]
    values = built_ins()["values"].definition
    write_answers(first, values, people, seed=8)
    given = {cell for row in csv.reader(first.read_text().splitlines()) for cell in row[1:]} - {
        item.id for item in values.items
    }
    assert given == {"", "1", "2"}


def test_a_programme_has_its_story_and_others_take_turns() -> None:
    assert story_of("Nursing", 3) is STORIES[0]
    assert [story_of("", number) for number in range(5)] == [*STORIES, STORIES[0]]


@pytest.mark.parametrize("command", [["up"], ["run", "--out", "out"]])
def test_a_questionnaire_without_its_answers_is_refused_before_anything_starts(
    tmp_path: Path, command: list[str]
) -> None:
    items = tmp_path / "items.csv"
    items.write_text("index,domain,key,text\n1,Drive,1,I begin things.\n")
    done = CliRunner().invoke(demo, [*command, "--instrument", str(items)])
    assert done.exit_code == 2
    assert "--instrument needs --responses" in done.output
