"""Marks through the use cases and on the database: they are what the map reaches, and `stale` is that there are any."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import DBAPIError

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.staleness import HOME, RESULTS, Aspect
from app.domain.steps import StepAction, StepKey
from app.features.audit.models import AuditEntry
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.hooks import NewResults, tell
from app.features.instruments.models import Assessment
from app.features.instruments.rescoring import rescore_assessment
from app.features.instruments.service import load_definition
from app.features.plans import service
from app.features.plans.commands import ConfirmStep, MoveStep, SaveContent
from app.features.plans.marks import confirm_step, marks_of, seen_token
from app.features.plans.models import Plan, PlanEvent, PlanStep, StepMark
from app.features.plans.queries import view_plan
from app.features.steps.goals.content import take_levels
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.domain.test_staleness import closure
from tests.factories import Person, World
from tests.harness import Clock
from tests.instruments.test_sittings import take

A, S = Aspect, StepKey


class Desk:
    """One client's plan, the client and their counsellor, and what they do to it."""

    def __init__(self, world: World, clock: Clock | None = None) -> None:
        self.runtime, self.clock = world.runtime, clock
        self.organization = world.organization()
        self.client = world.client_person(self.organization)
        self.counsellor = world.person(self.organization, Role.COUNSELLOR)
        assert self.client.actor.client_id is not None
        world.caseload(self.counsellor, [self.client.actor.client_id])
        self.plan_id = world.plan(self.organization, self.client.actor.client_id)
        self.instruments: dict[str, UUID] = {}

    def save(self, key: StepKey, content: dict[str, Any]) -> None:
        """Save over what is there; a step that was accepted is opened again first."""
        with self.runtime.database.unit_of_work(self.counsellor.actor) as uow:
            view = view_plan(uow, self.plan_id)
            version, status = view.version(key), view.step(key).status
        if status == "completed":
            self.move(key, StepAction.REOPEN)
        with self.runtime.database.unit_of_work(self.client.actor) as uow:
            command = SaveContent(plan_id=self.plan_id, step=key, content=content, over=version)
            service.save_content(uow, command, ROOMS[key])

    def move(self, key: StepKey, action: StepAction) -> None:
        with self.runtime.database.unit_of_work(self.counsellor.actor) as uow:
            service.move_step(uow, MoveStep(plan_id=self.plan_id, step=key, action=action, reason="because"))

    def take(self, measures: str) -> UUID:
        if measures not in self.instruments:
            self.instruments[measures] = self.load(measures)
        if self.clock:
            self.clock.now += timedelta(minutes=1)
        return take(self.runtime, self.client, self.instruments[measures], {"a1": 3, "a2": 2, "b1": 4})

    def load(self, measures: str, version: str = "1") -> UUID:
        with self.runtime.database.unit_of_work(access.system(self.organization)) as uow:
            return load_definition(uow, LoadDefinition(raw=questionnaire(measures, version))).instrument_id

    def confirm(self, key: StepKey, person: Person | None = None, seen: str | None = None) -> list[str]:
        with self.runtime.database.unit_of_work((person or self.client).actor) as uow:
            marks = [mark for mark in marks_of(uow, self.plan_id) if mark.step == key.number]
            token = seen_token(marks) if seen is None else seen
            return confirm_step(uow, ConfirmStep(plan_id=self.plan_id, step=key, seen=token))

    def marks(self) -> dict[tuple[StepKey, Aspect], StepMark]:
        with self.runtime.database.unit_of_work(self.counsellor.actor) as uow:
            return {(list(S)[mark.step - 1], A(mark.aspect)): mark for mark in marks_of(uow, self.plan_id)}

    def stale(self) -> set[StepKey]:
        with self.runtime.database.unit_of_work(self.counsellor.actor) as uow:
            rows = uow.session.scalars(select(PlanStep.step).where(PlanStep.plan_id == self.plan_id, PlanStep.stale))
            return {list(S)[step - 1] for step in rows}

    def fill(self) -> None:
        """Something in each of the first seven steps, in their order, so that nothing is marked."""
        for key, contents in POOL.items():
            self.save(key, contents[0])
        assert self.marks() == {}


def questionnaire(measures: str, version: str = "1") -> dict[str, Any]:
    """One that measures what is asked; interests and values need six scales."""
    own = {"id": f"made-{measures}", "measures": measures, "version": version}
    if measures not in ("interests", "values"):
        return definition(**own)
    names = [f"s{n}" for n in range(6)]
    items = dict(zip(["a1", "a2", "b1", "x1", "x2", "x3"], names, strict=True))
    return definition(
        **own,
        items=[{"id": item, "text": f"Item {item}", "scale": scale, "key": 1} for item, scale in items.items()],
        scales=[{"id": name, "title": name, "method": "sum"} for name in names],
        interpretation={"order": names},
    )


def choice(chosen: str | None) -> dict[str, Any]:
    names = {"o1": "Market research analyst", "o2": "Data scientist", "o3": "Urban planner"}
    return {"options": [{"id": key, "name": name} for key, name in names.items()], "chosen": chosen}


def path(chosen: str | None, *stages: str) -> dict[str, Any]:
    return {
        "paths": [{"id": "p1", "kind": "technical"}, {"id": "p2", "kind": "administration"}],
        "chosen": chosen,
        "milestones": [{"id": f"m{n}", "text": stage} for n, stage in enumerate(stages)],
    }


def goals(*texts: str) -> dict[str, Any]:
    return {"goals": [{"id": f"g{n}", "text": one, "horizon": "short"} for n, one in enumerate(texts)]}


def values(*names: str) -> dict[str, Any]:
    return {"values": [{"id": f"v{n}", "name": name} for n, name in enumerate(names)]}


POOL: dict[StepKey, list[dict[str, Any]]] = {
    S.AMBITION: [values("Time", "Craft"), values("Craft", "Time"), values("Craft", "Time") | {"why": "more words"}],
    S.SELF_ASSESSMENT: [{"fits": "I like order."}, {"fits": "I like people."}],
    S.OPPORTUNITIES: [
        {"factors": [{"id": "f1", "text": "Hiring freeze", "kind": "threat"}], "education": 6},
        {"factors": [{"id": "f1", "text": "Hiring freeze", "kind": "opportunity"}], "education": 6},
        {"factors": [{"id": "f1", "text": "hiring  FREEZE", "kind": "threat", "source": "news"}], "education": 8},
    ],
    S.CAREER_CHOICE: [choice("o1"), choice("o2"), choice(None), choice("o1") | {"reason": "It fits."}],
    S.CAREER_PATH: [path("p1", "Trainee"), path("p2", "Trainee"), path("p1", "Trainee", "Lead")],
    S.GOALS: [goals("Learn"), goals("Learn", "Lead"), goals("Learn") | {"goals": [{"id": "g0", "text": "LEARN",
              "horizon": "short", "status": "reached"}]}],
    S.ACTION_PLAN: [{"actions": [{"id": "a1", "text": "Course"}]}, {"actions": [{"id": "a1", "text": "Apply"}]}],
}  # fmt: skip


@dataclass
class Model:
    """What the sentences of the map say, kept without the code under test: meanings instead of fingerprints."""

    said: dict[Aspect, Any] = field(default_factory=dict)
    stored: dict[StepKey, dict[str, Any]] = field(default_factory=dict)
    taken: int = 0
    # Per step and aspect what the step was built on.
    marks: dict[tuple[StepKey, Aspect], Any] = field(default_factory=dict)

    def meaning(self, key: StepKey, content: dict[str, Any]) -> dict[Aspect, Any]:
        options = {row["id"]: row["name"] for row in content.get("options", ())}
        return {
            S.AMBITION: {A.VALUES: [row["name"] for row in content.get("values", ())]},
            S.OPPORTUNITIES: {
                A.FACTORS: [(row["text"].lower().split(), row["kind"]) for row in content.get("factors", ())],
                A.EDUCATION: content.get("education"),
            },
            S.CAREER_CHOICE: {A.OCCUPATION: options.get(content.get("chosen") or "")},
            S.CAREER_PATH: {
                A.PATH: content.get("chosen"),
                A.MILESTONES: [row["text"] for row in content.get("milestones", ())],
            },
            S.GOALS: {A.GOALS: [row["text"].lower() for row in content.get("goals", ())]},
        }.get(key, {})

    def save(self, key: StepKey, content: dict[str, Any]) -> None:
        if self.stored.get(key) == content:
            return
        before = self.meaning(key, self.stored.get(key, {}))
        self.stored[key] = content
        self.looked_at(key)
        for aspect, now in self.meaning(key, content).items():
            if now != before[aspect]:
                self.change(aspect, before[aspect], now)

    def looked_at(self, key: StepKey) -> None:
        self.marks = {place: value for place, value in self.marks.items() if place[0] is not key}

    def change(self, aspect: Aspect, before: Any, after: Any) -> None:
        reached = {HOME[one] for one in closure()[aspect]}
        for key in S:
            if key not in reached or key not in self.stored:
                continue
            if (key, aspect) not in self.marks:
                self.marks[key, aspect] = before
            elif self.marks[key, aspect] == after:
                del self.marks[key, aspect]

    def result(self, measures: str) -> None:
        self.taken += 1
        self.change(RESULTS[measures], object(), self.taken)


SAVES = st.sampled_from([("save", key, number) for key, pool in POOL.items() for number in range(len(pool))])
TAKES = st.sampled_from([("take", measures, 0) for measures in RESULTS])
LOOKS = st.sampled_from([(verb, key, 0) for verb in ("confirm", "accept") for key in (*POOL,)])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.booleans(), st.lists(st.one_of(SAVES, SAVES, TAKES, LOOKS), min_size=4, max_size=14))
def test_marks_equal_reachability_in_the_map(world: World, clock: Clock, filled: bool, acts: list[Any]) -> None:
    desk, model = Desk(world, clock), Model()
    begun = [("save", key, 0) for key in POOL] if filled else []
    for verb, key, number in [*begun, *acts]:
        if verb == "save":
            desk.save(key, POOL[key][number])
            model.save(key, ROOMS[key].read(POOL[key][number]))
        elif verb == "take":
            desk.take(key)
            model.result(key)
        elif verb == "confirm":
            desk.confirm(key)
            model.looked_at(key)
        elif key in model.stored and status_of(desk, key) == "in_progress":
            desk.move(key, StepAction.COMPLETE)
            model.looked_at(key)
        assert set(desk.marks()) == set(model.marks), (verb, key, number)
        assert desk.stale() == {step for step, _ in model.marks}


def status_of(desk: Desk, key: StepKey) -> str:
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        return view_plan(uow, desk.plan_id).step(key).status


@pytest.fixture
def desk(world: World, clock: Clock) -> Desk:
    return Desk(world, clock)


def test_a_new_result_marks_the_match_and_only_the_match(desk: Desk, clock: Clock) -> None:
    desk.fill()
    desk.take("interests")
    assert set(desk.marks()) == {(S.CAREER_CHOICE, A.INTERESTS)}
    first = desk.marks()[S.CAREER_CHOICE, A.INTERESTS].detail
    assert first["before"] is None
    clock.now += timedelta(days=1)
    desk.take("interests")
    second = desk.marks()[S.CAREER_CHOICE, A.INTERESTS].detail
    # Not looked at meanwhile: what the match was made with is still nothing.
    assert second["before"] is None
    assert second["after"]["on"] > first["after"]["on"]
    desk.confirm(S.CAREER_CHOICE)
    desk.take("interests")
    third = desk.marks()[S.CAREER_CHOICE, A.INTERESTS].detail
    assert third["before"] == second["after"]
    # What measures something nothing rests on marks nothing.
    desk.confirm(S.CAREER_CHOICE)
    desk.take("personality")
    assert desk.marks() == {}


def test_a_changed_occupation_marks_path_goals_and_actions_until_it_is_changed_back(desk: Desk) -> None:
    desk.fill()
    desk.save(S.CAREER_CHOICE, choice("o2"))
    marks = desk.marks()
    assert set(marks) == {(step, A.OCCUPATION) for step in (S.CAREER_PATH, S.GOALS, S.ACTION_PLAN)}
    assert marks[S.GOALS, A.OCCUPATION].detail == {"before": "Market research analyst", "after": "Data scientist"}
    desk.save(S.CAREER_CHOICE, choice("o3"))
    assert desk.marks()[S.GOALS, A.OCCUPATION].detail == {"before": "Market research analyst", "after": "Urban planner"}
    desk.save(S.CAREER_CHOICE, choice("o1"))
    assert (desk.marks(), desk.stale()) == ({}, set())
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        kinds = uow.session.execute(
            select(PlanEvent.kind, func.count())
            .where(PlanEvent.plan_id == desk.plan_id, PlanEvent.kind.in_(("marked", "unmarked")))
            .group_by(PlanEvent.kind)
        ).all()
    assert {row[0]: row[1] for row in kinds} == {"marked": 3, "unmarked": 3}


def test_confirming_is_an_act_of_either_and_names_what_was_read(desk: Desk, world: World) -> None:
    desk.fill()
    desk.save(S.CAREER_CHOICE, choice("o2"))
    stranger = world.person(desk.organization, Role.COUNSELLOR)
    analyst = world.person(desk.organization, Role.ANALYST)
    for person, refused in ((stranger, NotFound), (analyst, Forbidden)):
        with pytest.raises(refused):
            desk.confirm(S.GOALS, person)
    with pytest.raises(Conflict, match="More has changed"):
        desk.confirm(S.GOALS, seen="0123456789abcdef")
    assert desk.confirm(S.GOALS) == ["occupation"]
    assert desk.confirm(S.CAREER_PATH, desk.counsellor) == ["occupation"]
    assert desk.confirm(S.CAREER_PATH, desk.counsellor) == []
    assert desk.stale() == {S.ACTION_PLAN}
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        events = uow.session.scalars(select(PlanEvent).where(PlanEvent.kind == "confirmed").order_by(PlanEvent.number))
        assert [(event.step, event.actor_kind, event.detail) for event in events] == [
            (6, "client", {"aspects": ["occupation"]}),
            (5, "counsellor", {"aspects": ["occupation"]}),
        ]
        told = uow.session.scalars(select(AuditEntry).where(AuditEntry.action == "step.confirmed")).all()
        assert sorted(entry.detail["step"] for entry in told) == [5, 6]


def test_accepting_a_step_takes_its_marks_away(desk: Desk) -> None:
    desk.fill()
    desk.move(S.GOALS, StepAction.COMPLETE)
    desk.save(S.CAREER_CHOICE, choice("o2"))
    assert S.GOALS in desk.stale()
    desk.move(S.GOALS, StepAction.REOPEN)
    assert S.GOALS in desk.stale()
    desk.move(S.GOALS, StepAction.COMPLETE)
    assert desk.stale() == {S.CAREER_PATH, S.ACTION_PLAN}


def test_levels_said_in_a_check_in_change_nothing_that_rests_on_goals(desk: Desk) -> None:
    desk.fill()
    with desk.runtime.database.unit_of_work(desk.client.actor) as uow:
        content = view_plan(uow, desk.plan_id).content(S.GOALS)
    desk.save(S.GOALS, take_levels(content, {"g0": 2}, desk.runtime.clock()))
    assert desk.marks() == {}


def test_older_answers_mark_nothing_and_scoring_anew_does(desk: Desk) -> None:
    desk.fill()
    newest = desk.take("skills")
    desk.confirm(S.CAREER_CHOICE)
    desk.load("skills", version="2")
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        rescore_assessment(uow, newest)
    assert set(desk.marks()) == {(S.CAREER_CHOICE, A.SKILLS)}
    desk.confirm(S.CAREER_CHOICE)
    desk.load("skills", version="3")
    desk.take("skills")
    desk.confirm(S.CAREER_CHOICE)
    with desk.runtime.database.unit_of_work(desk.counsellor.actor) as uow:
        # The first taking is not the newest any more.
        rescore_assessment(uow, newest)
    assert desk.marks() == {}


def test_stale_cannot_be_written_apart_from_the_marks(desk: Desk) -> None:
    desk.fill()
    desk.save(S.CAREER_CHOICE, choice("o2"))
    marked = desk.stale()
    actor = access.system(desk.organization)
    for statement in ("UPDATE plan_steps SET stale = true", "UPDATE plan_steps SET stale = NOT stale"):
        with desk.runtime.database.unit_of_work(actor) as uow:
            uow.session.execute(text(statement))
        assert desk.stale() == marked
    with desk.runtime.database.unit_of_work(actor) as uow:
        uow.session.execute(update(PlanStep).values(stale=False))
        row = uow.session.get_one(PlanStep, (desk.organization, desk.plan_id, 1))
        row.stale = True
    assert desk.stale() == marked
    with desk.runtime.database.unit_of_work(actor) as uow:
        uow.session.execute(text("DELETE FROM step_marks WHERE step = 6"))
    assert desk.stale() == marked - {S.GOALS}
    with pytest.raises(DBAPIError, match="A mark stays"), desk.runtime.database.unit_of_work(actor) as uow:
        uow.session.execute(text("UPDATE step_marks SET step = 1 WHERE step = 5"))


def test_a_new_step_is_never_stale_by_word_alone(desk: Desk) -> None:
    with desk.runtime.database.unit_of_work(access.system(desk.organization)) as uow:
        uow.session.execute(text("DELETE FROM plan_steps WHERE step = 8"))
        uow.session.add(PlanStep(plan_id=desk.plan_id, step=8, stale=True))
    assert desk.stale() == set()


def test_an_import_marks_thousands_by_a_few_statements(world: World, clock: Clock) -> None:
    desk = Desk(world, clock)
    clients = world.clients(desk.organization, 60)
    plans = world.plans(desk.organization, clients)
    instrument = desk.load("interests")
    actor = access.system(desk.organization)
    with desk.runtime.database.unit_of_work(actor) as uow:
        # Every second plan has come to step 4; of each third of them the newest answers are newer than the file.
        for plan in plans[::2]:
            uow.session.execute(
                text("INSERT INTO step_contents (plan_id, step, content) VALUES (:plan, 4, '{}')"), {"plan": plan}
            )
        newer = [
            Assessment(client_id=client, instrument_id=instrument, version=1, taken_at=uow.now, source="import",
                       source_key="later", responses=[1], scores=[1.0], answered=[1])
            for client in clients[::6]
        ]  # fmt: skip
        uow.session.add_all(newer)
    asked = count_statements(desk.runtime, actor, instrument, clients, clock)
    with desk.runtime.database.unit_of_work(actor) as uow:
        marked = set(uow.session.scalars(select(StepMark.plan_id)))
        assert marked == set(plans[::2]) - set(plans[::6])
        stale = uow.session.scalars(select(PlanStep.plan_id).where(PlanStep.stale, PlanStep.step == 4)).all()
        assert set(stale) == marked
        told = uow.session.scalar(select(func.count()).where(PlanEvent.kind == "marked"))
        assert told == len(marked)
        entries = uow.session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "step.marked")).all()
        assert set(entries) == marked
    assert asked <= 2


def count_statements(runtime: Runtime, actor: access.Actor, instrument: UUID, clients: list[UUID], clock: Clock) -> int:
    """Store one older result for each client, tell of them, and say how many statements the telling took."""
    with runtime.database.unit_of_work(actor) as uow:
        taken, before = {}, clock.now - timedelta(days=30)
        for client in clients:
            row = Assessment(client_id=client, instrument_id=instrument, version=1, taken_at=before,
                             source="import", source_key="file", responses=[1], scores=[1.0], answered=[1])  # fmt: skip
            uow.session.add(row)
            uow.session.flush()
            taken[client] = row.id
        statements: list[str] = []
        connection = uow.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        tell(uow, NewResults("interests", taken))
        return len(statements)


def test_plans_that_are_taken_back_take_their_marks_along(desk: Desk) -> None:
    desk.fill()
    desk.save(S.CAREER_CHOICE, choice("o2"))
    with desk.runtime.database.unit_of_work(access.system(desk.organization)) as uow:
        uow.session.execute(text("DELETE FROM plan_events"))
        uow.session.delete(uow.session.get_one(Plan, (desk.organization, desk.plan_id)))
    with desk.runtime.database.unit_of_work(access.system(desk.organization)) as uow:
        assert uow.session.scalar(select(func.count()).select_from(StepMark)) == 0
