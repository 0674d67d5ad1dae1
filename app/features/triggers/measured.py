"""What has to be computed from scores: changed interest letters, matches that left their band, low attainment.

Each reads its plans in a few statements and computes whole arrays or row by row, never plan by plan from the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, text

from app.domain.instruments import Instrument
from app.domain.matching import RANK_BANDS, band_of, correlations, standardised
from app.domain.profiles import AREAS
from app.domain.steps import StepKey
from app.domain.triggers import changed_letters, low_since, ranks_of
from app.features.instruments.errors_of_scales import errors_of_scales
from app.features.instruments.queries import definition_of
from app.features.occupations.releases import current_release
from app.features.occupations.whole import interest_shapes
from app.features.plans.rooms import Surroundings
from app.features.steps.goals.figures import attain
from app.infra.db.open import UnitOfWork

_CHUNK = 5_000
Found = tuple[UUID, str, Mapping[str, Any]]

# The newest result on interests of every client of an active plan, as `newest_results` takes it.
_NEWEST = """
    newest AS (
        SELECT DISTINCT ON (a.client_id) p.id AS plan_id, a.client_id, a.id, a.instrument_id, a.version, a.taken_at,
               a.scores
        FROM assessments a
        JOIN plans p ON p.client_id = a.client_id AND p.status = 'active'
        JOIN instrument_versions v ON v.instrument_id = a.instrument_id AND v.version = a.version
             AND v.definition ->> 'measures' = 'interests'
        ORDER BY a.client_id, a.taken_at DESC, a.id
    )
"""
# Scores of different versions are not on one scale, so that only takings of one version are compared.
_RETAKEN = text(
    f"""
    WITH {_NEWEST}
    SELECT n.plan_id, n.id, n.instrument_id, n.version, n.taken_at, n.scores, b.scores AS former,
           b.taken_at AS former_at
    FROM newest n
    CROSS JOIN LATERAL (
        SELECT a.version, a.scores, a.taken_at FROM assessments a
        WHERE a.client_id = n.client_id AND a.instrument_id = n.instrument_id AND a.taken_at < n.taken_at
        ORDER BY a.taken_at DESC, a.id LIMIT 1
    ) b
    WHERE b.version = n.version
    ORDER BY n.instrument_id, n.version
    """
)
_CHOSEN = text(
    f"""
    WITH {_NEWEST}
    SELECT n.plan_id, n.instrument_id, n.version, n.scores, o ->> 'code' AS code, o ->> 'name' AS name,
           (o #>> '{{match,rank}}')::int AS rank, o #>> '{{match,taken_on}}' AS taken_on
    FROM newest n
    JOIN step_contents c ON c.plan_id = n.plan_id AND c.step = 4
    CROSS JOIN LATERAL jsonb_path_query(c.content, '$.options[*]') o
    WHERE o ->> 'id' = c.content ->> 'chosen' AND (o #>> '{{match,rank}}')::int BETWEEN 1 AND {max(RANK_BANDS)}
    ORDER BY n.instrument_id, n.version
    """
)
_RATED = text(
    """
    SELECT c.plan_id, c.content, w.content ->> 'chosen' AS chosen
    FROM step_contents c
    JOIN plans p ON p.id = c.plan_id AND p.status = 'active'
    LEFT JOIN step_contents w ON w.plan_id = c.plan_id AND w.step = 5
    WHERE c.step = 6 AND c.plan_id > :after AND jsonb_path_exists(c.content, '$.goals[*].ratings[*] ? (@.level < 0)')
    ORDER BY c.plan_id LIMIT :most
    """
)


def changed_interests(uow: UnitOfWork) -> Iterator[Found]:
    """Plans whose client's newest result on interests differs reliably from the one before in a leading letter."""
    for rows, definition, order in _by_version(uow, uow.session.execute(_RETAKEN).all()):
        errors = errors_of_scales(uow, rows[0].instrument_id, rows[0].version, definition)
        known = [errors[scale.id].error if scale.id in errors else None for scale in definition.scales]
        in_order = [known[place] for place in order]
        for row in rows:
            letters = changed_letters(
                [row.former[place] for place in order], [row.scores[place] for place in order], in_order
            )
            if letters:
                evidence = {
                    "letters": {letter: direction.value for letter, direction in letters.items()},
                    "since": row.former_at.date().isoformat(),
                    "on": row.taken_at.date().isoformat(),
                }
                yield row.plan_id, str(row.id), evidence


def left_bands(uow: UnitOfWork) -> Iterator[Found]:
    """Plans whose chosen occupation was among the first 20 or 50 when it was taken, and is not any more.

    The list of now: the newest result against the current release. What cannot be ranked now has left nothing.
    """
    release = current_release(uow)
    if release is None:
        return
    profiles, shapes = interest_shapes(uow, release)
    for rows, _, order in _by_version(uow, uow.session.execute(_CHOSEN).all()):
        ranked = [row for row in rows if row.code in profiles.row_of]
        for first in range(0, len(ranked), _CHUNK):
            part = ranked[first : first + _CHUNK]
            scores = np.array([row.scores for row in part], dtype=np.float64)[:, order]
            columns = np.array([profiles.row_of[row.code] for row in part], dtype=np.intp)
            ranks = ranks_of(correlations(standardised(scores), shapes), columns)
            for row, rank in zip(part, ranks.tolist(), strict=True):
                former, now = band_of(row.rank), band_of(rank)
                if former is not None and rank and (now is None or now > former):
                    evidence = {"title": row.name, "code": row.code, "before": row.rank, "after": rank, "band": former}
                    yield row.plan_id, f"{row.code}:{row.taken_on}:{now or 'out'}", evidence


def low_attainments(uow: UnitOfWork, below: int) -> Iterator[Found]:
    """Plans whose goal attainment was below the mark twice in a row, and is so now."""
    after = UUID(int=0)
    while True:
        rows = uow.session.execute(_RATED, {"after": after, "most": _CHUNK}).all()
        for row in rows:
            around = Surroundings(contents={StepKey.CAREER_PATH: {"chosen": row.chosen}})
            low = low_since(attain(row.content, around).course, below)
            if low is not None:
                yield row.plan_id, low[0].isoformat(), {"on": low[0].isoformat(), "value": round(low[1]), "mark": below}
        if len(rows) < _CHUNK:
            return
        after = rows[-1].plan_id


def _by_version(
    uow: UnitOfWork, rows: Sequence[Row[Any]]
) -> Iterator[tuple[list[Row[Any]], Instrument, Sequence[int]]]:
    """The rows of each version of a questionnaire, with its definition and the places of R I A S E C in its scores."""
    for (instrument_id, version), group in groupby(rows, key=attrgetter("instrument_id", "version")):
        definition = definition_of(uow, instrument_id, version)
        yield list(group), definition, [definition.keys.index(area) for area in AREAS]
