"""A small invented release with relations, skills and an outlook, for tests of routes; fixtures as in the whole one.

helper 2 -> assistant 3 -> planner 4 -> chief (management) 5      "15-" is one family
helper 2 -> clerk 2     -> planner 4
alone: has no relations; island: related only to islet
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.features.occupations import store
from app.features.occupations.content import Content, Release
from app.infra.db.migrate import admin_engine
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime
from app.infra.storage import Storage
from tests.factories import World
from tests.harness import TEST_ROLE, Clock, OuterTransactionDatabase, Servers

HELPER, CLERK, ASSISTANT = "43-9111.00", "43-9061.00", "15-2041.01"
PLANNER, EXPERT, CHIEF = "15-2041.00", "15-2099.00", "11-3021.00"
ALONE, ISLAND, ISLET = "19-3099.00", "27-1011.00", "27-1012.00"
SKILLS = {"2.A.1.a": "Reading Comprehension", "2.A.1.e": "Mathematics", "2.B.1.a": "Social Perceptiveness"}
# Code: title, job zone, percent of jobs asking for a level of education (12), skill levels.
_OCCUPATIONS: dict[str, tuple[str, int | None, list[float] | None, dict[str, float]]] = {
    HELPER: ("Figures Helpers", 2, [0, 80, 20, *[0] * 9], {"2.A.1.a": 2.5, "2.A.1.e": 2}),
    CLERK: ("Office Clerks of Figures", 2, [0, 60, 30, 10, *[0] * 8], {"2.A.1.a": 3, "2.A.1.e": 2}),
    ASSISTANT: ("Statistical Assistants", 3, [0, 10, 20, 50, 20, *[0] * 7], {"2.A.1.a": 3.5, "2.A.1.e": 3.5}),
    PLANNER: ("Town Planners by Figures", 4, [0, 0, 0, 5, 15, 70, 0, 10, *[0] * 4], {"2.A.1.a": 4, "2.A.1.e": 5}),
    EXPERT: ("Chief Statisticians and Methodologists of Very Long Official Titles", 5, None, {"2.A.1.e": 6}),
    CHIEF: ("Managers of Planning", 5, [0, 0, 0, 0, 0, 60, 0, 40, *[0] * 4], {"2.A.1.a": 5, "2.B.1.a": 5.5}),
    ALONE: ("Lone Researchers", 5, None, {}),
    ISLAND: ("Island Painters", 3, None, {}),
    ISLET: ("Islet Painters", None, None, {}),
}
_RELATED = {
    HELPER: (ASSISTANT, CLERK),
    CLERK: (PLANNER,),
    ASSISTANT: (PLANNER, HELPER),
    PLANNER: (EXPERT, CHIEF, ASSISTANT),
    ISLAND: (ISLET,),
}


def release(label: str = "90.1") -> Content:
    """The invented release."""
    occupations: list[dict[str, Any]] = [
        dict.fromkeys(("interests", "high_points", "work_values", "experience", "plant_training", "job_training"))
        | {"code": code, "title": title, "description": f"{title} work with figures.", "job_zone": zone}
        | {"education": education, "sources": {}}
        for code, (title, zone, education, _) in _OCCUPATIONS.items()
    ]
    return Content(
        release=Release(
            kind="onet", label=label, tables={"occupations": {"release": label}}, figures={"skills": SKILLS}
        ),
        occupations=occupations,
        titles=[(code, title) for code, (title, *_) in _OCCUPATIONS.items()],
        relations=[
            (code, rank, other, "Primary-Short")
            for code, each in _RELATED.items()
            for rank, other in enumerate(each, start=1)
        ],
        skills={
            (code, element): [4.0, level, False, False]
            for code, (_, _, _, levels) in _OCCUPATIONS.items()
            for element, level in levels.items()
        },
    )


def outlook() -> Content:
    """A projection that knows the planners, and of the chief all but the self-employed."""
    figures: dict[str, Any] = {
        "jobs": 1000, "growth": 4.0, "openings": 90, "wage": 70000, "wage_text": None,
        "education": "Bachelor's degree", "training": "None",
    }  # fmt: skip
    return Content(
        release=Release(kind="bls", label="Projections 2030-40", tables={}, figures={"growth": 3.0, "openings": 50}),
        outlook=[
            figures | {"soc_code": "15-2041", "title": "Town planners", "experience": "None", "self_employed": 12.5},
            figures
            | {"soc_code": "11-3021", "title": "Managers", "experience": "5 years or more", "self_employed": None},
        ],
    )


@pytest.fixture(scope="session")
def small_database(servers: Servers) -> str:
    """A database with the small release, stored once for the process; its tests roll back."""
    name = servers.clone()
    owner = servers.url("octant_owner", name)
    store.store(owner, release())
    store.store(owner, outlook())
    return name


@pytest.fixture
def small_world(servers: Servers, small_database: str, tmp_path: Path, clock: Clock) -> Iterator[World]:
    """As `world`, with the small release."""
    settings = servers.settings(small_database, tmp_path / "storage")
    doorbell = SilentDoorbell()
    with admin_engine(servers.url(TEST_ROLE, small_database)).connect() as connection:
        transaction = connection.begin()
        database = OuterTransactionDatabase(settings, doorbell, connection, clock)
        yield World(
            Runtime(settings=settings, database=database, storage=Storage(settings.storage_dir), doorbell=doorbell)
        )
        transaction.rollback()
