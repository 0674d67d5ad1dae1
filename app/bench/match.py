"""Matching a person with 923 occupations: ranking one, correlating 10,000, drawing one anew 500 times.

The catalogue is generated: 923 codes with six interest figures from 1 to 7, distributed as a published release's are
(many realistic, few artistic), so that no third party's file is needed. What is timed does not depend on the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psycopg

from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access, matching
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.queries import newest_interests
from app.features.instruments.service import load_definition
from app.features.occupations import store
from app.features.occupations.content import Content, Release
from app.features.occupations.releases import current_release
from app.features.occupations.whole import interest_shapes
from app.infra.db.open import UnitOfWork

Floats = npt.NDArray[np.float64]
OCCUPATIONS = 923
# What a client waits for the first time a list is made; it is kept for the next page.
RESAMPLE_SECONDS = 0.05
_AREAS = "RIASEC"
_PERSON = [27.0, 13.0, 23.0, 25.0, 14.0, 14.0]
_REPEATS = 200
_SCORES = "SELECT scores FROM assessments WHERE organization_id = %s AND client_id = %s ORDER BY taken_at DESC LIMIT 1"
_MEANS = (4.2, 3.0, 2.2, 3.0, 3.2, 4.1)


def figures() -> Floats:
    """Seeded interest figures, occupations x 6, from 1 to 7 with two decimals as they are published."""
    drawn = np.random.default_rng(30).normal(_MEANS, 1.4, size=(OCCUPATIONS, 6))
    return np.clip(drawn, 1.0, 7.0).round(2)


def people(number: int) -> Floats:
    """Seeded profiles, number x 6, whole scores from 0 to 40."""
    drawn = np.random.default_rng(31).normal(20.0, 8.0, size=(number, 6))
    return np.clip(drawn, 0.0, 40.0).round()


def _catalogue(place: Place) -> None:
    rows = [
        {
            "code": f"{11 + number % 45:02d}-{1000 + number}.00",
            "title": f"Occupation {number}",
            "description": "",
            "job_zone": 1 + number % 5,
            "interests": row,
            "sources": {},
        }
        for number, row in enumerate(figures().tolist())
    ]
    rows.sort(key=lambda row: str(row["code"]))
    titles = [(str(row["code"]), str(row["title"])) for row in rows]
    release = Release(kind="onet", label="bench", tables={}, figures={})
    store.store(place.settings.owner_database_url, Content(release=release, occupations=rows, titles=titles))


def _definition() -> dict[str, object]:
    return {
        "id": "bench-interests",
        "version": "1",
        "language": "en",
        "title": "Six areas",
        "measures": "interests",
        "status": "reflection_only",
        "licence": {"name": "CC0-1.0", "text": "No rights reserved."},
        "attribution": "Written to be measured.",
        "citation": "None.",
        "options": [{"value": value, "label": str(value)} for value in range(1, 42)],
        "items": [{"id": area, "text": area, "scale": area} for area in _AREAS],
        "scales": [{"id": area, "title": area, "method": "sum", "offset": -1} for area in _AREAS],
    }


def _client(place: Place) -> tuple[UUID, UUID]:
    """An organization and its client, who has a result."""
    organization = place.organization()
    place.clients(organization, 1)
    with place.superuser() as connection:
        found = connection.execute("SELECT id FROM clients WHERE organization_id = %s", (organization,)).fetchone()
    assert found is not None
    client: UUID = found[0]
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        loaded = load_definition(uow, LoadDefinition(raw=_definition()))
        uow.session.add(
            Assessment(
                client_id=client,
                instrument_id=loaded.instrument_id,
                version=loaded.version,
                taken_at=uow.now,
                source="import",
                source_key="bench",
                responses=[1] * 6,
                scores=_PERSON,
                answered=[1] * 6,
            )
        )
    return organization, client


def rank(place: Place, occupations: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Rank every occupation for one client, 200 times, as a page does once the process has read the release.

    The floor reads the row of scores by one plain statement over a bare connection and then correlates and sorts in
    bare numpy. Both work in a transaction that is open already. What is measured is all else: who may see the result,
    which definition it is of and how exact, which release is current, undefined cases, ranks.
    """
    _catalogue(place)
    organization, client = _client(place)
    place.settle()
    matrix = figures()

    def timed(what: Callable[[], npt.NDArray[np.intp]]) -> float:
        assert len(what()) == occupations
        with stopwatch() as seconds:
            for _ in range(_REPEATS):
                what()
            return seconds()

    def floor(connection: psycopg.Connection[tuple[Any, ...]]) -> npt.NDArray[np.intp]:
        row = connection.execute(_SCORES, (organization, client)).fetchone()
        assert row is not None
        person = np.array(row[0])
        person -= person.mean()
        centred = matrix - matrix.mean(axis=1, keepdims=True)
        r = centred @ person / (np.sqrt((centred**2).sum(axis=1)) * np.sqrt((person**2).sum()))
        return np.argsort(-r)

    def ours(uow: UnitOfWork) -> npt.NDArray[np.intp]:
        # Asked anew each time, as each page asks once.
        uow.info.pop("catalogue", None)
        release = current_release(uow)
        assert release is not None
        result = newest_interests(uow, client)
        assert result is not None
        assert result.complete is not None
        found = matching.fit(result.complete, interest_shapes(uow, release)[1])
        assert found is not None
        return matching.ranking(found)

    name = "rank occupations for one, 200 times"
    with place.superuser() as bare, place.runtime.database.unit_of_work(access.system(organization)) as uow:
        return interleaved(
            name,
            occupations,
            lambda _: timed(lambda: floor(bare)),
            lambda _: timed(lambda: ours(uow)),
            limit=limit,
            runs=runs,
        )


def correlate(_place: Place, number: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Correlate many people with every occupation; the floor is one matrix product of that size."""
    profiles, shapes = people(number), matching.standardised(figures())
    ready = matching.standardised(profiles)
    transposed = shapes.T

    def floor(_run: int) -> float:
        with stopwatch() as seconds:
            found = ready @ transposed
            taken = seconds()
        assert found.shape == (number, OCCUPATIONS)
        return taken

    def ours(_run: int) -> float:
        with stopwatch() as seconds:
            found = matching.correlations(matching.standardised(profiles), shapes)
            taken = seconds()
        assert found.shape == (number, OCCUPATIONS)
        return taken

    floor(0), ours(0)
    return interleaved("correlate people with 923 occupations", number, floor, ours, limit=limit, runs=runs)


def resample(_place: Place, draws: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Draw one profile anew and find the first 20 and 50 of each draw; the floor draws and multiplies only."""
    shapes = matching.standardised(figures())
    errors = [8.0 * np.sqrt(1 - 0.85)] * 6
    person = np.array(_PERSON)

    def floor(run: int) -> float:
        with stopwatch() as seconds:
            drawn = person + np.random.default_rng(run).standard_normal((draws, 6)) * errors
            found = matching.standardised(drawn) @ shapes.T
            taken = seconds()
        assert found.shape == (draws, OCCUPATIONS)
        return taken

    def ours(run: int) -> float:
        with stopwatch() as seconds:
            found = matching.stability(_PERSON, errors, shapes, draws=draws, seed=run)
            taken = seconds()
        assert found is not None
        return taken

    floor(0), ours(0)
    name = "draw one person's matches anew"
    return interleaved(name, draws, floor, ours, limit=limit, runs=runs, at_most_seconds=RESAMPLE_SECONDS)
