"""Results to match with: whatever scores a test wants, with a known error or without."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.service import load_definition
from app.infra.db.open import UnitOfWork
from tests.domain.instrument_maker import definition

# The person of the publisher's own manual (SCIENCE 3.1).
PUBLISHED = {"R": 27.0, "I": 13.0, "A": 23.0, "S": 25.0, "E": 14.0, "C": 14.0}


def store_result(
    uow: UnitOfWork,
    client: UUID,
    measures: str,
    scores: Mapping[str, float | None],
    *,
    error: bool = True,
    days_ago: int = 0,
    limits: tuple[int, int] = (0, 40),
) -> UUID:
    """A taking with these scores; with `error` its standard error is 8 x sqrt(1 - .85), about 3.1."""
    known: dict[str, Any] = {}
    if error:
        known = {
            "reliabilities": [
                {"scale": s, "type": "alpha", "value": 0.85, "n": 500, "population": "students", "source": "made up"}
                for s in scores
            ],
            "norms": [
                {"scale": s, "group": "students", "mean": 20, "sd": 8, "n": 500, "source": "made up", "year": 2020}
                for s in scores
            ],
        }
    raw = definition(
        id=f"test-{measures}{'' if error else '-plain'}",
        title=f"A questionnaire about {measures}",
        measures=measures,
        options=[{"value": n, "label": str(n)} for n in range(1, limits[1] - limits[0] + 2)],
        items=[{"id": f"i{n}", "text": f"Item {n}", "scale": s} for n, s in enumerate(scores)],
        scales=[{"id": s, "title": s, "method": "sum", "offset": limits[0] - 1} for s in scores],
        **known,
    )
    loaded = load_definition(uow, LoadDefinition(raw=raw))
    row = Assessment(
        client_id=client,
        instrument_id=loaded.instrument_id,
        version=loaded.version,
        taken_at=uow.now - timedelta(days=days_ago),
        source="portal",
        source_key=f"test:{days_ago}",
        responses=[1] * len(scores),
        scores=list(scores.values()),
        answered=[1] * len(scores),
    )
    uow.session.add(row)
    uow.session.flush()
    return row.id
