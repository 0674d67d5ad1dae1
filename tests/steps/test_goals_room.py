"""Step 6: locks, reasons, circles, levels over time, goals of another way, and the client's pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.domain.errors import InvalidInput
from app.domain.goals import attainment
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.plans import service
from app.features.plans.commands import SaveContent
from app.features.plans.queries import events_of, view_plan
from app.features.plans.rooms import Listing, Paragraph, Picture, Settling, Surroundings, Table
from app.features.steps.goals import figures
from app.features.steps.goals.content import take_levels
from app.features.steps.goals.service import ROOM
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.plans.page_forms import fields_of
from tests.plans.scenes import Scene, make_scene

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
LEVELS = {level: f"level {level}" for level in ("-2", "-1", "0", "1", "2")}
GOAL: dict[str, Any] = {"id": "g1", "text": "Finish the thesis", "horizon": "short", "levels": LEVELS}
BEGUN = {"id": "a1", "text": "Write", "goal": "g1", "status": "begun", "begun_at": "2026-09-01T08:00:00+00:00"}


def settling(*, now: datetime = NOW, **around: Any) -> Settling:
    return Settling(now, Surroundings(today=now.date(), **around))


def saved(before: dict[str, Any], *goals: dict[str, Any], at: Settling | None = None) -> dict[str, Any]:
    assert ROOM.settle is not None
    return ROOM.settle(before, ROOM.read({"goals": list(goals)}), at or settling())


def actions(*rows: dict[str, Any]) -> dict[StepKey, Any]:
    return {StepKey.ACTION_PLAN: {"actions": list(rows)}}


def test_levels_lock_when_the_first_action_begins() -> None:
    before = saved({}, GOAL, at=settling(now=datetime(2026, 8, 1, tzinfo=UTC)))
    assert figures.locked_since(before["goals"][0], Surroundings()) is None
    begun = settling(contents=actions(BEGUN, BEGUN | {"id": "a2", "begun_at": "2026-09-03T08:00:00+00:00"}))
    assert figures.locked_since(before["goals"][0], begun.around) == BEGUN["begun_at"]
    kept = saved(before, GOAL | {"measure": "handed in"}, at=begun)
    assert kept["goals"][0]["locked_at"] == BEGUN["begun_at"]
    # The lock is kept in the goal: the action may be gone later.
    with pytest.raises(InvalidInput, match="locked since 2026-09-01"):
        saved(kept, GOAL | {"levels": LEVELS | {"0": "less"}})


def test_levels_lock_when_the_counsellor_accepts_them() -> None:
    before = saved({}, GOAL)
    earlier, later = datetime(2026, 9, 6, tzinfo=UTC), datetime(2026, 9, 8, tzinfo=UTC)
    assert figures.locked_since(before["goals"][0], Surroundings(accepted=[earlier])) is None
    assert figures.locked_since(before["goals"][0], Surroundings(accepted=[earlier, later])) == later.isoformat(
        timespec="seconds"
    )
    with pytest.raises(InvalidInput):
        saved(before, GOAL | {"levels": {}}, at=settling(accepted=[later]))


def test_levels_written_after_work_began_are_told_and_may_still_be_written() -> None:
    at = settling(contents=actions(BEGUN))
    goal = saved({}, GOAL, at=at)["goals"][0]
    assert figures.locked_since(goal, at.around) is None
    assert figures.written_late(goal, at.around)
    section = ROOM.report({"goals": [goal]}, at.around, plain)
    warned = next(block for block in section.blocks if isinstance(block, Listing))
    assert any("after work on it had begun" in line for line in warned.lines)


def test_what_octant_keeps_cannot_be_typed() -> None:
    forged = GOAL | {
        "locked_at": "2020-01-01T00:00:00+00:00",
        "levels_at": "2020-01-01T00:00:00+00:00",
        "ratings": [{"on": "2020-01-01", "level": 2, "source": "check-in"}],
        "changes": [{"at": "2020-01-01", "why": "forged", "before": {}}],
    }
    goal = saved({}, forged)["goals"][0]
    assert (goal["locked_at"], goal["ratings"], goal["changes"]) == (None, [], [])
    assert goal["levels_at"] == NOW.isoformat(timespec="seconds")


def test_circles_are_refused_and_named() -> None:
    rows = [
        {"id": "a", "text": "First", "parent": "b"},
        {"id": "b", "text": "Second", "parent": "c"},
        {"id": "c", "text": "Third", "parent": "a"},
    ]
    with pytest.raises(InvalidInput, match="“First” → “Second” → “Third” → “First”"):
        saved({}, *rows)


def test_a_level_is_kept_with_its_day_and_a_check_in_adds_to_it() -> None:
    first = saved({}, GOAL | {"level": -1})
    again = saved(first, GOAL | {"level": 0})
    assert again["goals"][0]["ratings"] == [{"on": "2026-09-07", "level": 0, "source": "plan"}]
    checked = take_levels(again, {"g1": 2, "gone": 1}, datetime(2027, 3, 1, tzinfo=UTC))
    goal = checked["goals"][0]
    assert goal["level"] == 2
    assert goal["ratings"][-1] == {"on": "2027-03-01", "level": 2, "source": "check-in"}
    assert ROOM.read(checked) == checked
    found = figures.attain(checked, Surroundings())
    assert found.value == pytest.approx(70)
    assert [day for day, _, _ in found.course] == [date(2026, 9, 7), date(2027, 3, 1)]
    assert [value for _, value, _ in found.course] == pytest.approx([50, 70])


def test_t_counts_goals_with_described_levels_and_names_the_others() -> None:
    content = saved(
        {},
        GOAL | {"level": 1, "weight": 3},
        GOAL | {"id": "g2", "text": "Lead", "level": -1},
        GOAL | {"id": "g3", "text": "Undescribed", "level": 2, "levels": {}},
        GOAL | {"id": "g4", "text": "Unsaid"},
        GOAL | {"id": "g5", "text": "Given up", "level": -2, "status": "dropped"},
    )
    found = figures.attain(content, Surroundings())
    assert found.value == pytest.approx(attainment([1, -1], [3, 1]))
    assert found.measured == 2
    assert [row["text"] for row in found.unmeasured] == ["Undescribed", "Unsaid"]
    section = ROOM.report(content, Surroundings(today=NOW.date()), plain)
    said = next(block.text for block in section.blocks if isinstance(block, Paragraph))
    assert f"T = {found.value:.1f}, goals measured: 2" in said
    assert "Not in it: “Undescribed”, “Unsaid”." in said
    # The levels stand beside the figure, each with its words.
    table = next(block for block in section.blocks if isinstance(block, Table) and block.heading.startswith("Where"))
    assert table.rows[0][2] == "more than I expect (+1): level 1"


def test_undefined_attainment_is_said_and_never_a_number() -> None:
    content = saved({}, GOAL)
    section = ROOM.report(content, Surroundings(today=NOW.date()), plain)
    assert next(block.text for block in section.blocks if isinstance(block, Paragraph)).startswith("Not known yet.")


def test_goals_of_a_way_not_taken_are_set_aside_and_come_back() -> None:
    content = saved({}, GOAL | {"path": "p2"}, GOAL | {"id": "g2", "text": "Stay", "horizon": "life"})

    def report(chosen: str) -> list[Any]:
        way = {"paths": [{"id": "p1", "name": "Lead"}, {"id": "p2", "name": "Found"}], "chosen": chosen}
        around = Surroundings(contents={StepKey.CAREER_PATH: way}, today=NOW.date())
        return list(ROOM.report(content, around, plain).blocks)

    aside = report("p1")[-1]
    assert aside == Listing("Set aside with a way not taken now", ("Finish the thesis (for the way “Found”)",))
    picture = next(block for block in report("p1") if isinstance(block, Picture))
    assert [row[0] for row in picture.rows] == ["Stay"]
    assert {row[0] for row in report("p2")[0].rows} == {"Stay", "Finish the thesis"}


def test_warnings_and_missing_sentences_name_the_goal() -> None:
    content = saved(
        {},
        {"id": "g1", "text": "Teach", "horizon": "life"},
        {"id": "g2", "text": "Lead", "horizon": "medium", "parent": "g3", "levels": {"0": "x"}},
        {"id": "g3", "text": "Course", "horizon": "short", "smart": {"timed": {"yes": True, "why": ""}}},
    )
    around = Surroundings(today=NOW.date())
    warned = next(block for block in ROOM.report(content, around, plain).blocks if isinstance(block, Listing))
    assert "Nothing leads to “Teach” yet: it has no smaller goal that you are working towards." in warned.lines
    assert "There is no goal yet for: five to ten years." in warned.lines
    said = ROOM.missing(content, around, plain)
    assert "“Lead” lies further ahead than “Course”, which it serves. Change one of the two." in said
    assert "Describe all five levels of “Lead”, from much less to much more than you expect." in said
    assert "Answer all five questions about “Course” with yes or no and a reason." in said


@pytest.fixture
def scene(world: World, clock: Clock) -> Scene:
    return make_scene(world, clock=clock)


@pytest.fixture
def site(app: Flask) -> Flask:
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def test_the_client_describes_levels_and_changes_locked_ones_with_a_reason(
    world: World, site: Flask, scene: Scene, runtime: Runtime, clock: Clock
) -> None:
    browser = world.browser(site, scene.client)
    page = browser.get("/my-plan/steps/6").text
    sent = fields_of(page, 'method="post" action="/my-plan/steps/')
    names = ("level_a", "level_b", "level_c", "level_d", "level_e")
    sent |= {f"goals-0-{name}": f"said {name}" for name in names}
    sent |= {"goals-0-specific_yes": "yes", "goals-0-specific_why": "one text", "goals-0-level": "0", "do": "save"}
    assert browser.post("/my-plan/steps/6", data=sent).status_code == 302
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        goal = view_plan(uow, scene.plan_id).content(StepKey.GOALS)["goals"][0]
    assert goal["levels"]["-2"] == "said level_a"
    assert goal["smart"] == {"specific": {"yes": True, "why": "one text"}}
    assert goal["level"] == 0
    assert "T = 50.0, goals measured: 1" in browser.get("/my-plan/steps/6").text

    clock.now += timedelta(minutes=1)
    _begin(runtime, scene)
    page = browser.get("/my-plan/steps/6").text
    assert "Levels that are locked" in page
    typed_over = fields_of(page, 'method="post" action="/my-plan/steps/') | {"goals-0-level_c": "easier", "do": "save"}
    refused = browser.post("/my-plan/steps/6", data=typed_over)
    assert refused.status_code == 422
    assert "are locked since" in refused.text

    where = "/my-plan/goals/g1/levels"
    form = fields_of(browser.get(where).text, f'action="{where}"')
    assert form["level_c"] == "said level_c"
    silent = browser.post(where, data=form | {"level_c": "easier"})
    assert silent.status_code == 422
    assert "Write why the levels change" in silent.text
    assert 'value="easier"' in silent.text
    assert browser.post(where, data=form | {"level_c": "easier", "why": "The topic changed"}).status_code == 302
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        goal = view_plan(uow, scene.plan_id).content(StepKey.GOALS)["goals"][0]
        kinds = [event.kind for event, _ in events_of(uow, scene.plan_id, step=StepKey.GOALS)]
    assert goal["levels"]["0"] == "easier"
    assert [(one["why"], one["before"]["0"]) for one in goal["changes"]] == [("The topic changed", "said level_c")]
    assert "levels_changed" in kinds
    counsellor = world.browser(site, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/6").text
    assert "The topic changed" in counsellor
    assert "changed the levels of a goal in step 6" in counsellor
    assert browser.get("/my-plan/goals/none/levels").status_code == 404


@pytest.mark.parametrize("level", ["²", "--1", "9", "9" * 5000, "now"])
def test_a_level_that_is_none_is_refused_with_a_sentence(world: World, site: Flask, scene: Scene, level: str) -> None:
    browser = world.browser(site, scene.client)
    sent = fields_of(browser.get("/my-plan/steps/6").text, 'method="post" action="/my-plan/steps/')
    refused = browser.post("/my-plan/steps/6", data=sent | {"goals-0-level": level, "do": "save"})
    assert refused.status_code == 422
    assert "form-errors" in refused.text or 'role="alert"' in refused.text


def _begin(runtime: Runtime, scene: Scene) -> None:
    """Accept step 6 as the counsellor does and open it again, so that its levels are locked."""
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        service.submit_step(uow, scene.plan_id, StepKey.GOALS)
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        service.complete_step(uow, scene.plan_id, StepKey.GOALS)
        service.reopen_step(uow, scene.plan_id, StepKey.GOALS, "Let us sharpen it")


def test_a_circle_is_refused_by_the_use_case(runtime: Runtime, scene: Scene) -> None:
    rows = [{"id": "a", "text": "First", "parent": "b"}, {"id": "b", "text": "Second", "parent": "a"}]
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        command = SaveContent(plan_id=scene.plan_id, step=StepKey.GOALS, content={"goals": rows}, over=1)
        with pytest.raises(InvalidInput, match="in a circle"):
            service.save_content(uow, command, ROOM)
