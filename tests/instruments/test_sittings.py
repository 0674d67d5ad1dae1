"""A client's sitting: saved as answered, finished once, scored as its version says, seen by its own people."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.features.instruments.builtin import add_built_in
from app.features.instruments.commands import LoadDefinition, SaveAnswers
from app.features.instruments.models import Assessment, FormerScoring, Sitting
from app.features.instruments.offers import offers_for
from app.features.instruments.profile import profile_of
from app.features.instruments.rescoring import rescore_assessment
from app.features.instruments.service import load_definition, offer_instrument
from app.features.instruments.sittings import begin_sitting, find_sitting, finish_sitting, save_answers
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.factories import Person, World
from tests.harness import Clock


@pytest.fixture
def client(world: World) -> Person:
    return world.client_person(world.organization())


def load(runtime: Runtime, organization: UUID, **changes: object) -> UUID:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return load_definition(uow, LoadDefinition(raw=definition(**changes))).instrument_id


def take(runtime: Runtime, client: Person, instrument: UUID, answers: dict[str, int]) -> UUID:
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument).row.id
    with runtime.database.unit_of_work(client.actor) as uow:
        save_answers(uow, SaveAnswers(sitting_id=sitting, answers=answers))
    with runtime.database.unit_of_work(client.actor) as uow:
        return finish_sitting(uow, sitting)


def test_answers_are_kept_bit_by_bit_and_scored_once(runtime: Runtime, client: Person) -> None:
    instrument = load(runtime, client.actor.organization_id)
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument).row.id
    with runtime.database.unit_of_work(client.actor) as uow:
        save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a1": 5}, position=1))
    # Somebody who comes back goes on with the same sitting and its answers.
    with runtime.database.unit_of_work(client.actor) as uow:
        again = begin_sitting(uow, instrument)
        assert again.row.id == sitting
        assert (again.row.responses, again.answered) == ([5, 0, 0], 1)
        [offer] = offers_for(uow, again.row.client_id)
        assert (offer.sitting_id, offer.answered, offer.taken_at) == (sitting, 1, None)
    with runtime.database.unit_of_work(client.actor) as uow:
        save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a2": 1, "b1": 4}))
    with runtime.database.unit_of_work(client.actor) as uow:
        first = finish_sitting(uow, sitting)
    with runtime.database.unit_of_work(client.actor) as uow:
        assert finish_sitting(uow, sitting) == first
        stored = uow.session.scalars(select(Assessment)).all()
        assert [(row.id, row.source, row.source_key) for row in stored] == [(first, "portal", f"sitting:{sitting}")]
        # a1 and the turned a2 count 0 to 4 each; b1 is a mean as it is.
        assert (stored[0].responses, stored[0].scores, stored[0].answered) == ([5, 4, 1], [8.0, 4.0], [2, 1])
        with pytest.raises(Conflict):
            save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a1": 1}))
    with runtime.database.unit_of_work(access.system(client.actor.organization_id)) as uow:
        actions = uow.session.scalars(text("SELECT action FROM audit_entries ORDER BY action")).all()
        assert [a for a in actions if a.startswith(("sitting", "assessment"))] == [
            "assessment.taken",
            *["sitting.saved"] * 2,
            "sitting.started",
        ]


def test_what_is_no_answer_is_refused_with_its_place(runtime: Runtime, client: Person) -> None:
    instrument = load(runtime, client.actor.organization_id)
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument).row.id
        with pytest.raises(InvalidInput) as refused:
            save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a1": 6, "zz": 1, "b1": -1}, position=9))
        fields = sorted(problem.field for problem in refused.value.problems)
        assert fields == ["answers.a1", "answers.b1", "answers.zz", "position"]
        assert find_sitting(uow, sitting).row.responses == [0, 0, 0]
        with pytest.raises(InvalidInput):
            finish_sitting(uow, sitting)


def test_t2_nobody_answers_for_somebody_else(runtime: Runtime, world: World, client: Person) -> None:
    instrument = load(runtime, client.actor.organization_id)
    other = world.client_person(client.actor.organization_id)
    counsellor = world.person(client.actor.organization_id, Role.COUNSELLOR)
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument).row.id
    for stranger in (other, counsellor):
        with runtime.database.unit_of_work(stranger.actor) as uow, pytest.raises(NotFound):
            save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a1": 1}))
    result = take(runtime, client, instrument, {"a1": 1, "a2": 1, "b1": 1})
    for stranger in (other, counsellor):
        with runtime.database.unit_of_work(stranger.actor) as uow, pytest.raises(NotFound):
            profile_of(uow, result)


def test_the_retest_floor_holds_until_its_day(runtime: Runtime, client: Person, clock: Clock) -> None:
    instrument = load(runtime, client.actor.organization_id, retest_days=30)
    take(runtime, client, instrument, {"a1": 1, "a2": 1, "b1": 1})
    with runtime.database.unit_of_work(client.actor) as uow:
        with pytest.raises(Conflict):
            begin_sitting(uow, instrument)
        [offer] = offers_for(uow, UUID(str(client.actor.client_id)))
        assert offer.again_on == (uow.now + timedelta(days=30)).date()
    clock.now += timedelta(days=31)
    with runtime.database.unit_of_work(client.actor) as uow:
        assert begin_sitting(uow, instrument).answered == 0


def test_withdrawn_is_not_begun_but_finished(runtime: Runtime, client: Person) -> None:
    instrument = load(runtime, client.actor.organization_id)
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument).row.id
    with runtime.database.unit_of_work(access.system(client.actor.organization_id)) as uow:
        offer_instrument(uow, instrument, offered=False)
    with runtime.database.unit_of_work(client.actor) as uow:
        save_answers(uow, SaveAnswers(sitting_id=sitting, answers={"a1": 1, "a2": 1, "b1": 1}))
        finish_sitting(uow, sitting)
        with pytest.raises(NotFound):
            begin_sitting(uow, instrument)


def test_time_is_measured_and_flagged_and_never_scored(runtime: Runtime, client: Person) -> None:
    with runtime.database.unit_of_work(access.system(client.actor.organization_id)) as uow:
        instrument = add_built_in(uow, "interests").instrument_id
    with runtime.database.unit_of_work(client.actor) as uow:
        sitting = begin_sitting(uow, instrument)
        answers = {item.id: 3 for item in sitting.definition.items}
        save_answers(
            uow,
            SaveAnswers(sitting_id=sitting.row.id, answers=answers, shown_at=uow.now - timedelta(seconds=30)),
        )
        result = finish_sitting(uow, sitting.row.id)
        profile = profile_of(uow, result)
        # Thirty seconds for sixty questions, but never before the sitting began.
        assert profile.answering.hasty
        assert profile.answering.straight
        assert [line.score for line in profile.lines] == [20.0] * 6
        shape = profile.shape
        assert shape is not None
        assert len(shape.codes) == 120
        assert shape.dimensions.angle is None
        assert not profile.known_errors


def test_an_old_assessment_keeps_its_version_until_it_is_scored_again(runtime: Runtime, client: Person) -> None:
    organization = client.actor.organization_id
    instrument = load(runtime, organization)
    result = take(runtime, client, instrument, {"a1": 5, "a2": 1, "b1": 4})
    items = definition()["items"]
    # The later version turns b1 round and asks one question more.
    later = [*items[:1], {**items[1], "key": -1}, items[2], {**items[1], "id": "b2", "order": 4, "text": "I whistle."}]
    scales = [definition()["scales"][0], {**definition()["scales"][1], "min_answered": 0.5}]
    assert load(runtime, organization, items=later, scales=scales, version="2") == instrument
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        before = profile_of(uow, result)
        assert (before.assessment.version, before.latest_version) == (1, 2)
        rescore_assessment(uow, result)
        after = profile_of(uow, result)
        assert (after.assessment.version, after.assessment.scores) == (2, [8.0, 2.0])
        assert after.assessment.responses == [5, 4, 1, 0]
        [former] = after.former
        assert (former.version, former.scores, former.responses) == (1, [8.0, 4.0], [5, 4, 1])
        with pytest.raises(Conflict):
            rescore_assessment(uow, result)
        assert uow.session.scalar(select(func.count()).select_from(FormerScoring)) == 1


def test_other_answers_cannot_be_scored_again(runtime: Runtime, client: Person) -> None:
    organization = client.actor.organization_id
    instrument = load(runtime, organization)
    result = take(runtime, client, instrument, {"a1": 5, "a2": 1, "b1": 4})
    load(runtime, organization, options=[{"value": n, "label": str(n)} for n in range(1, 8)])
    with runtime.database.unit_of_work(access.system(organization)) as uow, pytest.raises(Conflict):
        rescore_assessment(uow, result)


def test_w1_two_windows_finish_into_one_assessment(live: Runtime) -> None:
    world = World(live)
    client = world.client_person(world.organization())
    instrument = load(live, client.actor.organization_id)
    both = threading.Barrier(2)
    sittings: list[UUID] = []

    def one() -> None:
        both.wait()
        with live.database.unit_of_work(client.actor) as uow:
            sittings.append(begin_sitting(uow, instrument).row.id)
        with live.database.unit_of_work(client.actor) as uow:
            save_answers(uow, SaveAnswers(sitting_id=sittings[0], answers={"a1": 1, "a2": 2, "b1": 3}))
        both.wait()
        with live.database.unit_of_work(client.actor) as uow:
            finish_sitting(uow, sittings[0])

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with live.database.unit_of_work(client.actor) as uow:
        assert len(set(sittings)) == 1
        assert uow.session.scalar(select(func.count()).select_from(Sitting)) == 1
        assert uow.session.scalar(select(func.count()).select_from(Assessment)) == 1
