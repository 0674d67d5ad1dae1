"""Step 7: old content, moments, circles, links, the schedule in words, what changed, actions of another way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.circles import circles
from app.domain.errors import InvalidInput
from app.domain.saying import plain
from app.domain.schedule import Risk, Why
from app.domain.steps import StepKey
from app.features.plans.rooms import Listing, Paragraph, Picture, Settling, Surroundings, Table
from app.features.steps.action_plan.content import is_link
from app.features.steps.action_plan.figures import work_of
from app.features.steps.action_plan.service import ROOM
from app.features.steps.action_plan.words import risk_words
from app.features.steps.goals import figures as goal_figures
from app.features.steps.parts import action_status, live_actions
from tests.steps.action_scene import actions_from

NOW = datetime(2026, 9, 7, 12, tzinfo=UTC)
TODAY = NOW.date()
GOALS = {"goals": [{"id": "g1", "text": "Finish the thesis", "horizon": "short"}]}


def saved(before: dict[str, Any], *actions: dict[str, Any], now: datetime = NOW, **more: Any) -> dict[str, Any]:
    assert ROOM.settle is not None
    settling = Settling(now, Surroundings(today=now.date()))
    return ROOM.settle(before, ROOM.read({"actions": list(actions)} | more), settling)


def action(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "text": name.upper()} | more


def test_the_old_tick_loads_and_is_taken_over() -> None:
    old = {"actions": [action("a", done=True, evidence="a letter"), action("b", done=False)]}
    read = ROOM.read(old)
    assert [row["status"] for row in read["actions"]] == ["done", "planned"]
    assert read["actions"][0]["evidence"] == "a letter"
    # When it was done is not known, and saving it again does not make a day up.
    again = saved(old, *read["actions"], now=NOW + timedelta(days=3))
    assert [(row["begun_at"], row["done_on"]) for row in again["actions"]] == [(None, None), (None, None)]
    # Readers of stored content see the same.
    contents = {StepKey.ACTION_PLAN: old}
    assert [action_status(row) for row in live_actions(contents)] == ["done", "planned"]
    shares = goal_figures.shares_of(
        [{"id": "g1", "text": "x"}], Surroundings(contents={StepKey.ACTION_PLAN: {"actions": [
            action("a", done=True, goal="g1"), action("b", goal="g1")]}})
    )  # fmt: skip
    assert (shares["g1"].done, shares["g1"].planned) == (1, 2)


def test_moments_are_kept_by_octant_and_cannot_be_typed() -> None:
    first = saved({}, action("a", begun_at="2020-01-01T00:00:00+00:00", done_on="2020-01-01"))
    assert (first["actions"][0]["begun_at"], first["actions"][0]["done_on"]) == (None, None)
    begun = saved(first, action("a", status="begun"), now=NOW + timedelta(days=1))
    assert begun["actions"][0]["begun_at"] == "2026-09-08T12:00:00+00:00"
    later = saved(begun, action("a", status="begun", text="Renamed"), now=NOW + timedelta(days=2))
    assert later["actions"][0]["begun_at"] == begun["actions"][0]["begun_at"]
    done = saved(later, action("a", status="done"), now=NOW + timedelta(days=9))
    assert done["actions"][0]["begun_at"] == begun["actions"][0]["begun_at"]
    assert done["actions"][0]["done_on"] == "2026-09-16"
    back = saved(done, action("a"), now=NOW + timedelta(days=10))
    assert (back["actions"][0]["begun_at"], back["actions"][0]["done_on"]) == (None, None)
    # Done at once is begun at that moment too: step 6 locks its levels by it.
    at_once = saved({}, action("a", status="done", goal="g1"))
    assert at_once["actions"][0]["begun_at"] == NOW.isoformat(timespec="seconds")
    goal = {"id": "g1", "levels_at": "2026-09-01T00:00:00+00:00"}
    around = Surroundings(contents={StepKey.ACTION_PLAN: at_once})
    assert goal_figures.locked_since(goal, around) == NOW.isoformat(timespec="seconds")


def test_circles_are_refused_and_named() -> None:
    with pytest.raises(InvalidInput, match="in a circle: “A” → “B” → “C” → “A”"):
        saved({}, action("a", after=["b"]), action("b", after=["c"]), action("c", after=["a"]))
    with pytest.raises(InvalidInput, match="“A” → “A”"):
        saved({}, action("a", after=["a"]))


def test_what_is_waited_for_goes_with_its_action_and_ids_are_single() -> None:
    stored = saved({}, action("a", after=["b", "gone", "b"]), action("b"))
    assert stored["actions"][0]["after"] == ["b"]
    with pytest.raises(InvalidInput, match="same id"):
        saved({}, action("a"), action("a"))


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from("abcdef"), max_size=4),
            st.sampled_from(("planned", "begun", "done", "dropped")),
            st.sampled_from(("planned", "begun", "done", "dropped")),
        ),
        max_size=6,
    )
)
def test_settle_never_stores_a_circle_and_moments_agree_with_the_status(
    rows: list[tuple[list[str], str, str]],
) -> None:
    def typed(which: int) -> list[dict[str, Any]]:
        return [action(name, after=row[0], status=row[which]) for name, row in zip("abcdef", rows, strict=False)]

    wanted = {name: [other for other in row[0] if other in "abcdef"[: len(rows)]] for name, row in
              zip("abcdef", rows, strict=False)}  # fmt: skip
    if circles(wanted):
        with pytest.raises(InvalidInput):
            saved({}, *typed(1))
        return
    stored = saved(saved({}, *typed(1)), *typed(2), now=NOW + timedelta(days=1))
    assert not circles({row["id"]: row["after"] for row in stored["actions"]})
    for row in stored["actions"]:
        assert (row["done_on"] is not None) == (row["status"] == "done")
        if row["status"] in ("begun", "done"):
            assert row["begun_at"] is not None
        if row["status"] == "planned":
            assert row["begun_at"] is None


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://example.org/x", "example.org", "//example.org", "https://",
        "https://user:pass@example.org/", "https://exa mple.org", "https://example.org/\u202egpj.exe",
        "https://[::1", "https://example.org:port/", " https://example.org", "https://example.org\n/x",
    ],
)  # fmt: skip
def test_s12_only_whole_web_addresses_are_links(link: str) -> None:
    assert not is_link(link)
    with pytest.raises(InvalidInput, match="beginning with https://") as caught:
        saved({}, action("b"), action("a", evidence_link=link))
    assert [problem.field for problem in caught.value.problems] == ["actions[1].evidence_link"]


def test_links_of_the_web_are_kept() -> None:
    for link in ("https://example.org", "http://example.org:8080/a?b=c#d", "https://例子.example/证书"):
        assert saved({}, action("a", evidence_link=link))["actions"][0]["evidence_link"] == link


def test_days_and_chains_beyond_a_life_are_refused_with_a_sentence() -> None:
    for day in ("0001-01-01", "9999-12-31"):
        with pytest.raises(InvalidInput, match="between 1900-01-01 and 2200-12-31"):
            saved({}, action("a", due_on=day))
    long = {"start_on": "1901-01-01", "due_on": "2190-01-01"}
    rows = [action(f"a{n}", after=[f"a{n - 1}"] if n else [], **long) for n in range(60)]
    with pytest.raises(InvalidInput, match="beyond the year 2200"):
        saved({}, *rows)
    # Done long ago: nothing to wait for, and the days before the first are not counted beyond the calendar.
    assert saved({}, *(row | {"status": "done"} for row in rows))


def test_sentences_say_what_is_missing() -> None:
    content = saved({}, action("a", status="dropped"), action("b", kind="work", due_on="2026-10-01"))
    said = ROOM.missing(content, Surroundings(parameters={"least_actions": 2}), plain)
    assert said == ["Actions so far: 1. Plan at least 2.", "Say why you gave up “A”."]


def test_the_report_says_the_schedule_the_critical_chain_the_risks_and_the_load() -> None:
    content = saved({}, *actions_from(TODAY), hours_a_week=10)
    around = Surroundings(contents={StepKey.GOALS: GOALS}, today=TODAY)
    section = ROOM.report(content, around, plain)
    blocks = {block.heading: block for block in section.blocks}
    picture = blocks["Actions over time"]
    assert isinstance(picture, Picture)
    assert "Course in statistics" in picture.svg
    assert picture.svg.count("<title>") >= 4
    assert len(picture.rows) == 5
    assert all(len(row) == len(picture.columns) for row in picture.rows)
    chain = blocks["What the end hangs on"]
    assert isinstance(chain, Paragraph)
    assert "“Course in statistics” → “Write the thesis” → “Two weeks in the planning office”" in chain.text
    risks = blocks["Late or at risk"]
    assert isinstance(risks, Listing)
    assert risks.lines[0].startswith("“Course in statistics”: late, its due day is past; days since: 5")
    assert "2026-08" not in risks.lines[0], "a month that is over can be mended no more"
    assert "it waits for “Course in statistics”, which ends after that; days too late: 4" in risks.lines[1]
    assert "in 2026-10 more hours are planned than there are" in risks.lines[1]
    load = blocks["Hours in each month"]
    assert isinstance(load, Picture)
    october = next(row for row in load.rows if row[0] == "2026-10")
    # 14 hours a week over 31 days; 10 a week are there.
    assert october == ("2026-10", "62", "44", "too much")
    left_out = blocks["What the hours leave out"]
    assert isinstance(left_out, Paragraph)
    assert "“Two weeks in the planning office”" in left_out.text
    goals = blocks["Actions done for each goal"]
    assert isinstance(goals, Table)
    assert goals.rows == (("Finish the thesis", "1 of 3"),)


def test_unknown_hours_and_lengths_are_said_and_never_nothing() -> None:
    content = saved(
        {}, action("a", due_on="2026-10-01"), action("b", start_on="2026-10-01", due_on="2026-10-31", hours=9)
    )
    blocks = {block.heading: block for block in ROOM.report(content, Surroundings(today=TODAY), plain).blocks}
    picture, load = blocks["Actions over time"], blocks["Hours in each month"]
    assert isinstance(picture, Picture)
    assert {row[0]: row[5] for row in picture.rows} == {"A": "not known", "B": date(2026, 10, 31)}
    assert isinstance(load, Picture)
    assert load.rows == (("2026-10", "9", "not said", ""),)


def test_without_a_day_the_report_is_a_table() -> None:
    content = saved({}, *actions_from(TODAY))
    assert isinstance(ROOM.report(content, Surroundings(), plain).blocks[0], Table)


def test_every_reason_has_a_sentence_of_its_own() -> None:
    said = {why: risk_words(Risk(why, 3, "x", date(2026, 10, 1)), {"x": "Other"}, plain) for why in Why}
    assert len(set(said.values())) == len(Why)
    assert said[Why.DROPPED_BEFORE] == "it waits for “Other”, which was given up"
    assert said[Why.OVERLOAD] == "in 2026-10 more hours are planned than there are"


def test_actions_of_a_way_not_taken_are_set_aside_and_come_back() -> None:
    content = saved({}, action("a", path="p2", due_on="2026-08-01"), action("b", due_on="2026-12-01"))

    def seen(chosen: str) -> tuple[set[str], list[str]]:
        way = {"paths": [{"id": "p1", "name": "Lead"}, {"id": "p2", "name": "Found"}], "chosen": chosen}
        around = Surroundings(contents={StepKey.CAREER_PATH: way}, today=TODAY)
        blocks = [block for block in ROOM.report(content, around, plain).blocks if isinstance(block, Listing)]
        lines = [line for block in blocks if block.heading.startswith("Set aside") for line in block.lines]
        return set(work_of(content, around, TODAY).names), lines

    assert seen("p1") == ({"b"}, ["A (for the way “Found”)"])
    assert seen("p2") == ({"a", "b"}, [])


def test_between_revisions_it_is_said_what_became_of_each_action() -> None:
    assert ROOM.changes is not None
    old = {"actions": [action("a", done=False, due_on="2026-10-01"), action("b"), action("c")]}
    new = saved(
        old,
        action("a", status="done", due_on="2026-10-15"),
        action("b", status="dropped", dropped_why="No time"),
        action("d", status="begun"),
    )
    (block,) = ROOM.changes(old, new, plain)
    assert isinstance(block, Listing)
    assert block.lines == (
        "done: “A”",
        "“A” is due later, on 2026-10-15; days: 14",
        "given up: “B” (No time)",
        "new: “D”",
        "removed: “C”",
    )
    assert ROOM.changes(new, new, plain) == ()


@pytest.mark.parametrize("name", ["a\n", "a\r", "A", "", "x" * 33, "a b", "\u0661"])
def test_an_id_is_letters_and_figures_and_no_line_end(name: str) -> None:
    # It stands in addresses and in calendars, where a line end would begin another line.
    with pytest.raises(InvalidInput):
        ROOM.read({"actions": [action(name)]})


def test_w7_of_very_many_circles_some_are_named() -> None:
    names = [f"a{n}" for n in range(100)]
    with pytest.raises(InvalidInput) as caught:
        saved({}, *(action(name, text="x" * 300, after=[other for other in names if other != name]) for name in names))
    assert 1 <= len(caught.value.problems) <= 5
