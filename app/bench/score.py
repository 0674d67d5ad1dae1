"""Score answer sheets; the floor copies the same rows and does the arithmetic in numpy, no row security."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import func, select

from app.bench.harness import Measured, Place, finish_jobs, interleaved, stopwatch
from app.domain import access
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.runner import array_literals, import_responses
from app.features.instruments.service import load_definition

_ITEMS, _SCALES = 50, "ABCDE"


def definition() -> dict[str, Any]:
    """An invented instrument of five scales of ten items, some reversed."""
    return {
        "id": "bench-50",
        "version": "1",
        "language": "en",
        "title": "Fifty statements",
        "status": "reflection_only",
        "licence": {"name": "CC0-1.0", "text": "No rights reserved."},
        "attribution": "Written to be measured.",
        "citation": "None.",
        "options": [{"value": value, "label": str(value)} for value in range(1, 6)],
        "items": [
            {"id": str(n + 1), "text": f"Statement {n + 1}", "scale": _SCALES[n % 5], "key": -1 if n % 3 else 1}
            for n in range(_ITEMS)
        ],
        "scales": [{"id": scale, "title": scale, "method": "sum"} for scale in _SCALES],
    }


def answers(people: int) -> np.ndarray[Any, Any]:
    """Seeded answers, people x items, some missed."""
    return np.random.default_rng(7).integers(0, 6, size=(people, _ITEMS), dtype=np.int16)


def measure(place: Place, people: int, *, limit: float | None, runs: int = 5) -> Measured:
    """From the file to the finished job: parsing, scoring, storing, audit and job rows for `people`."""
    given = answers(people)
    sheet = place.folder / f"sheet-{people}-{random.randrange(10**9)}.csv"  # noqa: S311 - a file name, no secret
    places = [_prepare(place, people) for _ in range(2 * runs)]
    _write(sheet, given)
    place.settle()

    def floor(run: int) -> float:
        organization, instrument = places[2 * run]
        with place.superuser() as connection:
            clients = connection.execute(
                "SELECT id FROM clients WHERE organization_id = %s ORDER BY external_id", (organization,)
            ).fetchall()
            with stopwatch() as seconds:
                _copy(connection, organization, instrument, [row[0] for row in clients], given)
                connection.commit()
                return seconds()

    def ours(run: int) -> float:
        organization, instrument = places[2 * run + 1]
        actor = access.system(organization)
        with stopwatch() as seconds:
            import_responses(place.runtime, actor, instrument, sheet)
            finish_jobs(place.runtime, organization)
            taken = seconds()
        with place.runtime.database.unit_of_work(actor) as uow:
            made = uow.session.scalar(select(func.count()).select_from(Assessment))
            assert made == people, made
        return taken

    return interleaved("score answer sheets", people, floor, ours, limit=limit, runs=runs)


def _prepare(place: Place, people: int) -> tuple[UUID, UUID]:
    organization = place.organization()
    place.clients(organization, people)
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        return organization, load_definition(uow, LoadDefinition(raw=definition())).instrument_id


def _write(path: Path, given: np.ndarray[Any, Any]) -> None:
    with path.open("w", encoding="utf-8") as handle:
        handle.write("external_id," + ",".join(str(n + 1) for n in range(_ITEMS)) + "\n")
        for number, row in enumerate(given.tolist(), start=1):
            handle.write(f"S{number:07d}," + ",".join(map(str, row)) + "\n")


def _copy(
    connection: Any, organization: UUID, instrument: UUID, clients: list[UUID], given: np.ndarray[Any, Any]
) -> None:
    items = definition()["items"]
    keys = np.array([item["key"] for item in items])
    belongs = np.array([[item["scale"] == scale for scale in _SCALES] for item in items], dtype=np.float64)
    answered = given > 0
    turned = np.where(answered, np.where(keys > 0, given, 6 - given), 0)
    counts = answered @ belongs
    sums = turned @ belongs
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(counts >= 8, np.where(counts == 10, sums, sums / counts * 10), np.nan)
    now = datetime.now(UTC)
    rows = zip(
        clients,
        array_literals(given),
        array_literals(scores),
        array_literals(counts.astype(np.int64)),
        strict=True,
    )
    with connection.cursor().copy(
        "COPY assessments (organization_id, client_id, instrument_id, version, taken_at, source, source_key,"
        " responses, scores, answered) FROM STDIN"
    ) as copy:
        for client, responses, scored, number in rows:
            copy.write_row((organization, client, instrument, 1, now, "import", "floor", responses, scored, number))
