"""The index of what plans refer to equals what their contents say, whoever writes them and in whatever order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain import access
from app.domain.steps import StepKey
from app.domain.triggers import Trigger
from app.features.plans.commands import SaveContent
from app.features.plans.service import save_content
from app.features.steps.registry import ROOMS
from app.features.triggers import events, queries
from app.features.triggers.models import ExternalEvent
from app.features.triggers.sources import source_of_event
from tests.factories import World
from tests.triggers.scenes import Centre, make_centre

CODES = ("15-2041.00", "15-1252.00", "11-1021.00", "29-1141.00")
code = st.sampled_from([*CODES, None])
release = st.sampled_from(["onet-30.1", None])
way = st.sampled_from(["p1", "p2", None])


def rows(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(fields), max_size=4)


ids = st.sampled_from(["o1", "o2", "o3", "p1", "p2"])
named = {"id": ids, "text": st.sampled_from(["A text", ""]), "name": st.just("Name")}
CONTENTS: dict[int, st.SearchStrategy[dict[str, Any]]] = {
    3: st.fixed_dictionaries(
        {
            "occupations": rows(code=code, release=release, **named),
            "factors": rows(
                occupation=st.one_of(st.none(), st.fixed_dictionaries({"code": code, "release": release})),
                state=st.sampled_from(["gone", "changed", None]),
                **named,
            ),
        }
    ),
    4: st.fixed_dictionaries(
        {
            "options": rows(code=code, release=release, **named),
            "chosen": st.sampled_from(["o1", "o2", None]),
            "runner_up": st.sampled_from(["o3", None]),
        }
    ),
    5: st.fixed_dictionaries(
        {
            "paths": rows(kind=st.sampled_from(["technical", "own", None]), **named),
            "chosen": way,
            "start": st.one_of(st.none(), st.fixed_dictionaries({"code": code, "release": release})),
            "target": st.one_of(st.none(), st.fixed_dictionaries({"code": code, "release": release})),
            "routes": rows(path=way, stages=rows(code=code, release=release)),
            "milestones": rows(code=code, release=release, path=way, **named),
        }
    ),
    7: st.fixed_dictionaries(
        {
            "actions": rows(
                kind=st.sampled_from(["work", "education", None]),
                status=st.sampled_from(["planned", "begun", "done", "dropped", None]),
                path=way,
                **named,
            )
        }
    ),
}
writes = st.sampled_from(sorted(CONTENTS)).flatmap(lambda step: st.tuples(st.just(step), CONTENTS[step]))
Reference = tuple[int, str, str, str, str, str]


def references(contents: Mapping[int, Mapping[str, Any]]) -> set[Reference]:
    """The slow, obvious way: look through every row of every step."""
    scan, choice, path, plan = (contents.get(step, {}) for step in (3, 4, 5, 7))
    places = {choice.get("runner_up"): "runner_up"} | {choice.get("chosen"): "chosen"}
    rows = [
        *((3, "occupation", row["code"], "looked_up", row["release"], None) for row in scan.get("occupations", ())),
        *(
            (3, "occupation", row["occupation"]["code"], "factor", row["occupation"]["release"], None)
            for row in scan.get("factors", ())
            if row["occupation"] and row["text"] and row["state"] != "gone"
        ),
        *(
            (4, "occupation", row["code"], places.get(row["id"], "option"), row["release"], None)
            for row in choice.get("options", ())
        ),
        *(
            (5, "path", row["kind"], "chosen", None, row["id"])
            for row in path.get("paths", ())
            if row["id"] == path["chosen"]
        ),
        *(
            (5, "occupation", path[place]["code"], place, path[place]["release"], None)
            for place in ("start", "target")
            if path.get(place)
        ),
        *(
            (5, "occupation", stage["code"], "stage", stage["release"], row["path"])
            for row in path.get("routes", ())
            for stage in row["stages"]
        ),
        *(
            (5, "occupation", row["code"], "milestone", row["release"], row["path"])
            for row in path.get("milestones", ())
        ),
        *(
            (7, "action", row["kind"], "action", None, row["path"])
            for row in plan.get("actions", ())
            if row["text"] and row["status"] in ("planned", "begun", None)
        ),
    ]
    return {(step, kind, ref, place, pin or "", way or "") for step, kind, ref, place, pin, way in rows if ref}


def stored(centre: Centre, plan: UUID) -> set[Reference]:
    return {
        tuple(row)
        for row in centre.rows(
            "SELECT step, kind, ref, place, release, way FROM plan_references WHERE plan_id = :plan", plan=plan
        )
    }


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(writes, min_size=1, max_size=8))
def test_the_index_equals_the_contents(world: World, given_writes: list[tuple[int, dict[str, Any]]]) -> None:
    centre = make_centre(world, 2)
    plan, other = centre.plans
    contents: dict[int, dict[str, Any]] = {}
    for step, content in given_writes:
        centre.write(plan, step, content)
        contents[step] = content
        assert stored(centre, plan) == references(contents)
    assert stored(centre, other) == set()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(writes, max_size=4), min_size=1, max_size=5),
    st.fixed_dictionaries(
        {
            "occupations": st.lists(st.sampled_from(CODES), max_size=2, unique=True),
            "families": st.lists(st.sampled_from(["15", "29", "11"]), max_size=1),
            "paths": st.lists(st.sampled_from(["technical", "own"]), max_size=1),
            "actions": st.lists(st.sampled_from(["work", "education"]), max_size=1),
            "reach": st.sampled_from(["any", "chosen"]),
        }
    ).filter(lambda touched: any(touched[name] for name in ("occupations", "families", "paths", "actions"))),
)
def test_an_event_touches_exactly_the_plans_whose_contents_name_it(
    world: World, plans: list[list[tuple[int, dict[str, Any]]]], touches: dict[str, Any]
) -> None:
    centre = make_centre(world, len(plans))
    expected = set()
    for plan, given_writes in zip(centre.plans, plans, strict=True):
        contents = dict(given_writes)
        for step, content in contents.items():
            centre.write(plan, step, content)
        chosen = contents.get(5, {}).get("chosen")
        for _, kind, ref, place, _release, way_of in references(contents):
            if way_of and chosen and way_of != chosen:
                continue
            if kind == "occupation":
                near = touches["reach"] == "any" or place in ("chosen", "target")
                named_here = ref in touches["occupations"] or ref[:2] in touches["families"]
                if near and named_here:
                    expected.add(plan)
            elif ref in touches["paths" if kind == "path" else "actions"]:
                expected.add(plan)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        event = ExternalEvent(title="A freeze", words="No hiring.", happened_on=uow.now.date(), **touches)
        uow.session.add(event)
        uow.session.flush()
        touched = queries.dry_run(uow, Trigger.EXTERNAL_EVENT, source_of_event(event), most=100)
        assert {row.plan_id for row in touched.rows} == expected
        assert (touched.plans, touched.new) == (len(expected), len(expected))
        events.open_event(uow, event.id)
    kept = centre.rows("SELECT plan_id FROM trigger_findings WHERE event_id = :event", event=event.id)
    assert {row.plan_id for row in kept} == expected
    assert len(kept) == len(expected)


def test_a_save_of_a_client_keeps_it_and_a_plan_takes_it_along(world: World) -> None:
    centre = make_centre(world)
    client = world.client_person(centre.organization)
    assert client.actor.client_id is not None
    plan = world.plan(centre.organization, client.actor.client_id)
    content = {"options": [{"id": "o1", "name": "Statistician", "code": "15-2041.00"}], "chosen": "o1"}
    with world.runtime.database.unit_of_work(client.actor) as uow:
        room = ROOMS[StepKey.CAREER_CHOICE]
        save_content(uow, SaveContent(plan_id=plan, step=room.key, content=content, over=0), room)
    assert {row[1:4] for row in stored(centre, plan)} == {("occupation", "15-2041.00", "chosen")}
    with world.runtime.database.unit_of_work(access.system(centre.organization)) as uow:
        uow.session.execute(text("DELETE FROM plan_steps WHERE plan_id = :plan"), {"plan": plan})
    assert stored(centre, plan) == set()
