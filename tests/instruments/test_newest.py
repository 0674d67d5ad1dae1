"""The newest result of each kind, as the choice of occupations reads it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest

from app.domain import access
from app.domain.access import Role
from app.domain.errors import NotFound
from app.domain.instrument_parts import WORK_VALUES
from app.domain.matching import SkillNeed, coverage, fit, standardised
from app.domain.scoring import score
from app.features.instruments.builtin import add_built_in, built_ins, not_added
from app.features.instruments.commands import SaveAnswers
from app.features.instruments.models import Assessment
from app.features.instruments.queries import newest_interests, newest_results
from app.features.instruments.sittings import begin_sitting, finish_sitting, save_answers
from app.features.occupations.queries import skill_matrix, values_matrix
from app.features.occupations.releases import current_release
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from tests.factories import World


def take_interests(uow: UnitOfWork, client: UUID, answers: dict[str, int], *, days_ago: int = 0) -> None:
    """Store a taking in which every item of an area has the same answer."""
    definition = built_ins()["interests"].definition
    loaded = add_built_in(uow, "interests")
    responses = [answers[item.scale] for item in definition.items]
    table = score(definition, np.array([responses], dtype=np.int16))
    uow.session.add(
        Assessment(
            client_id=client,
            instrument_id=loaded.instrument_id,
            version=loaded.version,
            taken_at=uow.now - timedelta(days=days_ago),
            source="portal",
            source_key=f"test:{days_ago}",
            responses=responses,
            scores=[None if np.isnan(value) else float(value) for value in table.scores[0]],
            answered=[int(value) for value in table.answered[0]],
        )
    )
    uow.session.flush()


def test_the_newest_interests_by_area(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    client, other = world.clients(organization, 2)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert newest_interests(uow, client) is None
        take_interests(uow, client, dict(zip("RIASEC", (1, 1, 1, 1, 1, 1), strict=True)), days_ago=30)
        take_interests(uow, client, dict(zip("RIASEC", (5, 4, 3, 2, 1, 0), strict=True)), days_ago=1)
        found = newest_interests(uow, client)
        assert found is not None
        assert found.scores == {"R": 40, "I": 30, "A": 20, "S": 10, "E": 0, "C": None}
        assert list(found.scores) == list("RIASEC")
        assert found.complete is None
        # Nothing is known of its error yet: no band is claimed.
        assert found.sem == {}
        assert (found.version, found.key) == (1, "octant-interests")
        assert newest_interests(uow, other) is None
        assert newest_results(uow, client, ["values"]) == {}


def test_a_counsellor_sees_only_the_caseload(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    mine, other = world.clients(organization, 2)
    counsellor = world.person(organization, Role.COUNSELLOR)
    world.caseload(counsellor, [mine])
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for client in (mine, other):
            take_interests(uow, client, dict.fromkeys("RIASEC", 3))
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        assert newest_interests(uow, mine) is not None
        assert newest_interests(uow, other) is None


def test_adding_a_built_in_again_changes_nothing(runtime: Runtime, world: World) -> None:
    with runtime.database.unit_of_work(access.system(world.organization())) as uow:
        assert "interests" in {built_in.name for built_in in not_added(uow)}
        assert add_built_in(uow, "interests").new
        assert not add_built_in(uow, "interests").new
        assert "interests" not in {built_in.name for built_in in not_added(uow)}
        with pytest.raises(NotFound):
            add_built_in(uow, "horoscope")


def test_values_skills_and_paths_come_as_later_steps_read_them(
    catalogue_runtime: Runtime, catalogue_world: World
) -> None:
    """What steps 4 and 5 need: six values for a correlation, own levels by the catalogue's element ids, three ways."""
    here = catalogue_world.organization()
    client = catalogue_world.client_person(here)
    client_id = client.actor.client_id
    assert client_id is not None
    with catalogue_runtime.database.unit_of_work(access.system(here)) as uow:
        loaded = {name: add_built_in(uow, name).instrument_id for name in ("values", "skills", "paths")}
    with catalogue_runtime.database.unit_of_work(client.actor) as uow:
        for name, instrument in loaded.items():
            sitting = begin_sitting(uow, instrument)
            # Achievement is always preferred; every skill is at level 4 but two left out; each path has its middle.
            answers = {
                "values": {i.id: 2 if i.against == "achievement" else 1 for i in sitting.definition.items},
                "skills": {i.id: 5 for i in sitting.definition.items[2:]},
                "paths": {i.id: 3 for i in sitting.definition.items},
            }[name]
            save_answers(uow, SaveAnswers(sitting_id=sitting.row.id, answers=answers))
            finish_sitting(uow, sitting.row.id)
        found = newest_results(uow, client_id, ["values", "skills", "paths"])
        values, skills, paths = found["values"], found["skills"], found["paths"]
        assert list(values.scores) == list(WORK_VALUES)
        assert values.scores["achievement"] == 10
        assert sum(score or 0 for score in values.scores.values()) == 30
        # A ranking has no error of its own.
        assert values.sem == {}
        release = current_release(uow)
        assert release is not None
        assert values.complete is not None
        fitting = fit(values.complete, standardised(values_matrix(uow, release).matrix))
        assert fitting is not None
        assert len(fitting) == 874
        matrix = skill_matrix(uow, release)
        assert set(skills.scores) == set(matrix.elements)
        own = {element: score for element, score in skills.scores.items() if score is not None}
        assert set(own.values()) == {4.0}
        assert len(own) == 33
        row = matrix.codes.index("11-1011.00")
        needs = [
            SkillNeed(element, float(matrix.importance[row, n]), float(matrix.level[row, n]))
            for n, element in enumerate(matrix.elements)
            if matrix.counted[row, n]
        ]
        found = coverage(needs, own)
        assert found.share is not None
        assert 0.7 < found.share < 1
        assert found.compared < found.asked
        assert found.gaps
        assert list(paths.scores)[:3] == ["management", "technical", "entrepreneurship"]
        assert set(paths.scores.values()) == {10.0}
        assert paths.ranges["management"] == (0, 20)
