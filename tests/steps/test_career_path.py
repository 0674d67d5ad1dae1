"""Step 5, pure: what a switch of way does, completion, settling, report, changes between revisions, its drawing."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.plans.rooms import Picture, Surroundings
from app.features.steps.career_path.report import hops
from app.features.steps.career_path.tools import with_milestones
from app.features.steps.career_path.ways import aside_milestones, live_milestones, preview, switched
from app.features.steps.parts import aside, live_goals
from app.features.steps.registry import ROOMS
from app.infra.drawing.routes import RouteStop, route_svg

ROOM = ROOMS[StepKey.CAREER_PATH]
WAYS = ("p1", "p2", "p3")
STAGES: list[dict[str, Any]] = [
    {"name": "Helper", "code": "43-9111.00", "release": "onet-90.1", "zone": 2, "lack": None},
    {
        "name": "Planner",
        "code": "15-2041.00",
        "release": "onet-90.1",
        "zone": 4,
        "lack": {
            "zones": 2,
            "asking_at_most": 12.5,
            "education_steps": 3,
            "skills": [{"name": "Mathematics", "required": 5.0, "own": 2.0}],
        },
    },
]


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


def content(**more: Any) -> dict[str, Any]:
    """Three ways, the first chosen."""
    paths = [{"id": way, "kind": "own", "name": way.upper()} for way in WAYS]
    return ROOM.read({"paths": paths, "chosen": "p1", "reason": "So.", **more})


BELONGS = st.sampled_from([*WAYS, "gone", None])
ROWS = st.lists(st.tuples(BELONGS, st.sampled_from(["planned", "done", "dropped"])), max_size=6)


def contents_of(goals: list[Any], actions: list[Any], milestones: list[Any]) -> dict[StepKey, Any]:
    return {
        StepKey.CAREER_PATH: content(
            milestones=[{"id": f"m{n}", "text": f"M{n}", "path": path} for n, (path, _) in enumerate(milestones)],
            routes=[{"id": "r1", "path": "p1", "stages": STAGES}, {"id": "r2", "path": "p2", "stages": STAGES[1:]}],
        ),
        StepKey.GOALS: ROOMS[StepKey.GOALS].read(
            {"goals": [{"id": f"g{n}", "text": f"G{n}", "path": path} for n, (path, _) in enumerate(goals)]}
        ),
        # As step 7 has them: of actions only what is read here.
        StepKey.ACTION_PLAN: {
            "actions": [
                {"id": f"a{n}", "text": f"A{n}", "path": path, "status": status, "goal": f"g{n}"}
                for n, (path, status) in enumerate(actions)
            ]
        },
    }


def live(contents: dict[StepKey, Any]) -> tuple[list[str], ...]:
    return (
        [row["id"] for row in live_goals(contents)],
        [row["id"] for row in contents[StepKey.ACTION_PLAN]["actions"] if aside(row, contents) is None],
        sorted(row["id"] for row in live_milestones(contents[StepKey.CAREER_PATH])),
    )


@given(goals=ROWS, actions=ROWS, milestones=ROWS, way=st.lists(st.sampled_from(WAYS), min_size=1, max_size=8))
def test_switching_back_restores_all_after_any_switches(
    goals: list[Any], actions: list[Any], milestones: list[Any], way: list[str]
) -> None:
    start = contents_of(goals, actions, milestones)
    before, first = json.dumps(start), live(start)
    now = dict(start)
    for to in way:
        told = preview(now, to)
        then = now | {StepKey.CAREER_PATH: switched(now[StepKey.CAREER_PATH], to)}
        seen, after = live(now), live(then)
        for fate, was, becomes in zip((told.goals, told.actions, told.milestones), seen, after, strict=True):
            assert sorted(row["id"] for row in (*fate.stays, *fate.aside)) == sorted(was)
            assert sorted(row["id"] for row in (*fate.stays, *fate.back)) == sorted(becomes)
            assert {row["id"] for row in fate.still_aside}.isdisjoint({*was, *becomes})
        # What is aside is counted, never gone: each row has exactly one fate.
        for fate, key, name in (
            (told.goals, StepKey.GOALS, "goals"),
            (told.actions, StepKey.ACTION_PLAN, "actions"),
            (told.milestones, StepKey.CAREER_PATH, "milestones"),
        ):
            every = (*fate.stays, *fate.aside, *fate.back, *fate.still_aside)
            assert sorted(row["id"] for row in every) == sorted(row["id"] for row in now[key][name])
        for action, goal in told.orphans:
            assert action["goal"] == goal["id"]
            assert goal["id"] not in after[0]
        now = then
        for key in (StepKey.GOALS, StepKey.ACTION_PLAN):
            assert json.dumps(now[key]) == json.dumps(start[key])
    back = now | {StepKey.CAREER_PATH: switched(now[StepKey.CAREER_PATH], "p1")}
    assert json.dumps(back) == before
    assert live(back) == first


def test_old_contents_read_and_still_count() -> None:
    old = {
        "paths": [
            {"id": "a", "kind": "technical", "name": "Depth", "advantages": "much", "drawbacks": "", "fit": 5},
            {"id": "b", "kind": "administration", "name": "", "advantages": "", "drawbacks": "", "fit": 3},
        ],
        "chosen": "a",
        "reason": "Because.",
        "milestones": [{"id": "m1", "text": "One", "due_on": "2030-01-01"}, {"id": "m2", "text": "Two"}],
    }
    read = ROOM.read(old)
    assert ROOM.read(read) == read
    assert [row["fit"] for row in read["paths"]] == [5, 3]
    assert ROOM.missing(read, Surroundings(), plain) == []
    # As a report reads it: as it was stored, without the newer fields.
    assert any("Depth · growing as an expert · 5" in line for line in ROOM.report(old, Surroundings(), plain).lines())
    assert ROOM.missing(read | {"paths": [row | {"fit": None} for row in read["paths"]]}, Surroundings(), plain)


def test_milestones_of_another_way_do_not_count_and_are_told() -> None:
    rows = [{"id": "m1", "text": "One", "path": "p1"}, {"id": "m2", "text": "Two", "path": "p2"}]
    kept = content(milestones=rows)
    assert [row["id"] for row in aside_milestones(kept)] == ["m2"]
    assert any("Milestones so far: 1" in said for said in ROOM.missing(kept, Surroundings(), plain))
    assert "Milestones set aside, of ways not taken now: Two (P2)" in ROOM.report(kept, Surroundings(), plain).lines()


def test_settling_keeps_a_choice_among_the_ways_and_drops_nothing_of_theirs() -> None:
    assert ROOM.settle is not None
    rows = [{"id": "m1", "text": "One", "path": "p1"}]
    without = content(milestones=rows) | {"paths": content()["paths"][1:]}
    settled = ROOM.settle({}, without, None)  # type: ignore[arg-type] # it asks nothing of the moment
    assert settled["chosen"] is None
    assert settled["milestones"] == without["milestones"]
    empty = content(start={"name": ""}, target={"name": "Mayor"})
    settled = ROOM.settle({}, empty, None)  # type: ignore[arg-type]
    assert (settled["start"], settled["target"]["name"]) == (None, "Mayor")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"start": {"code": "15-2041"}}, "start.code"),
        ({"routes": [{"id": "r", "stages": []}]}, "routes[0].stages"),
        ({"routes": [{"id": "r", "stages": STAGES * 4}]}, "routes[0].stages"),
        ({"routes": [{"id": "r", "stages": STAGES}, {"id": "s", "stages": STAGES}]}, "routes"),
        ({"routes": [{"id": "r", "stages": [{"zone": 6}]}]}, "routes[0].stages[0].zone"),
        ({"milestones": [{"id": "m", "text": "x", "path": "P 1"}]}, "milestones[0].path"),
        ({"paths": [{"id": "p", "ratings": {"c": 9}}]}, "paths[0].ratings.c.value"),
        ({"target": {"nmae": "x"}}, "target.nmae"),
    ],
)
def test_s10_what_cannot_be_is_refused_with_its_place(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ROOM.read(raw)
    assert field in [problem.field for problem in caught.value.problems]


def test_what_a_hop_lacks_is_said_and_unknown_is_said_to_be_so() -> None:
    lack = STAGES[1]["lack"]
    (found,) = hops(STAGES, plain)
    assert found[0] is STAGES[1]
    assert found[1] == [
        "Preparation: 2 job zones up at once.",
        "Education: 12% of its jobs ask for at most what you have; the typical job asks for 3 levels more.",
        "Skills to grow (own level of the level asked for, 0 to 7): Mathematics 2.0 of 5.0.",
    ]
    unknown = dict.fromkeys(lack)
    assert [("not known" in sentence) for sentence in _said([{}, {"lack": unknown}])] == [True, True, True]
    none = {"zones": 0, "asking_at_most": 80.0, "education_steps": 0, "skills": []}
    assert not any("not known" in sentence for sentence in _said([{}, {"lack": none}]))
    # Whoever has no position yet goes up no zone: the route begins in one.
    first = {"zone": 3, "lack": unknown | {"skills": []}}
    assert _said([first])[0] == "You begin in job zone 3: medium preparation."
    assert _said([first | {"zone": None}])[0] == "It is not known in which job zone you begin."


def _said(stages: list[dict[str, Any]]) -> list[str]:
    return hops(stages, plain)[-1][1]


def test_the_report_shows_the_route_of_the_way_that_is_taken() -> None:
    routes = [{"id": "r1", "path": "p1", "stages": STAGES}, {"id": "r2", "path": None, "stages": STAGES[1:]}]
    for chosen, names in (("p1", ["Helper", "Planner"]), ("p2", ["Planner"])):
        section = ROOM.report(content(routes=routes) | {"chosen": chosen}, Surroundings(), plain)
        picture = next(block for block in section.blocks if isinstance(block, Picture))
        assert [row[0] for row in picture.rows] == names
        assert picture.rows[-1] == ("Planner", "4: considerable preparation", "15-2041.00")
        assert parsed(picture.svg).find("{http://www.w3.org/2000/svg}desc") is not None
        # On the second way the route begins at the planner.
        said = "Preparation: 2 job zones" if chosen == "p1" else "You begin in job zone 4"
        assert any(f"Planner: {said}" in line for line in section.lines())


def test_what_changed_between_revisions_is_said() -> None:
    assert ROOM.changes is not None
    before = content()
    after = content(
        start={"name": "Student", "none": True},
        target={"name": "Mayor"},
        routes=[{"id": "r", "path": "p2", "stages": STAGES}],
        criteria=[{"id": "c", "name": "Pay", "weight": 3}],
    ) | {"chosen": "p2"}
    (block,) = ROOM.changes(before, after, plain)
    said = "\n".join(block.lines)  # type: ignore[union-attr]
    for sentence in ("“P2” instead of “P1”", "no position yet: Student", "now Mayor", "Helper → Planner"):
        assert sentence in said
    assert ROOM.changes(before, before, plain) == ()
    assert ROOM.changes({}, {}, plain) == ()


def test_a_route_becomes_milestones_and_what_somebody_wrote_stays() -> None:
    first = with_milestones(content(), STAGES, ())
    # Where one stands is no milestone.
    assert [(row["text"], row["code"], row["path"]) for row in first["milestones"]] == [("Planner", "15-2041.00", "p1")]
    assert with_milestones(first, STAGES, STAGES) == first
    other = [STAGES[0], STAGES[1] | {"name": "Chief", "code": "11-3021.00"}]
    assert [row["text"] for row in with_milestones(first, other, STAGES)["milestones"]] == ["Chief"]
    dated = first | {"milestones": [first["milestones"][0] | {"due_on": "2030-01-01"}]}
    assert [row["text"] for row in with_milestones(dated, other, STAGES)["milestones"]] == ["Planner", "Chief"]
    renamed = first | {"milestones": [first["milestones"][0] | {"text": "Planner in a small town"}]}
    assert len(with_milestones(renamed, other, STAGES)["milestones"]) == 2
    # Of another way: the same stage is a milestone there too.
    switched_there = with_milestones(switched(first, "p2"), STAGES, ())
    assert [row["path"] for row in switched_there["milestones"]] == ["p1", "p2"]
    assert ROOM.read(switched_there) == switched_there


@given(stops=st.lists(st.tuples(st.text(max_size=120), st.sampled_from([1, 2, 3, 4, 5, None])), min_size=1, max_size=7))
def test_every_route_can_be_drawn_and_stays_within_its_frame(stops: list[tuple[str, int | None]]) -> None:
    clean = [("".join(sign for sign in label if sign.isprintable()), zone) for label, zone in stops]
    svg = route_svg(
        [RouteStop(label, zone) for label, zone in clean], title="Route", description="Stages", zones="job zone"
    )
    tree = parsed(svg)
    wide, high = (float(tree.attrib[name]) for name in ("width", "height"))
    assert wide <= 340
    boxes = list(tree.iter("{http://www.w3.org/2000/svg}rect"))
    assert len(boxes) == len(stops)
    for box in boxes:
        assert float(box.attrib["x"]) + float(box.attrib["width"]) <= wide
        assert float(box.attrib["y"]) + float(box.attrib["height"]) <= high
    # A zone that is not known is drawn as such.
    assert svg.count("stroke-dasharray") == sum(zone is None for _, zone in stops)


def test_a_zone_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no job zone 6"):
        route_svg([RouteStop("x", 6)], title="t", description="d", zones="z")
