"""How exact a scale's scores are: from the definition, else from the organization's own answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select

from app.domain.instruments import Instrument
from app.domain.scoring import cronbach_alpha, keyed_answers, standard_error
from app.features.instruments.models import Assessment
from app.infra.db.open import UnitOfWork

# Below this many complete answers an own reliability says too little (SCIENCE: .755 to .919 at 30 for alpha .85).
LEAST_ANSWERS = 100
# Enough for an interval of about one hundredth, and quick.
_MOST_ANSWERS = 3000
_KEPT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class ScaleError:
    """A scale's standard error of measurement in score units, the reliability it rests on, and on how many people."""

    error: float
    reliability: float
    people: int
    own: bool


# Figures of at least a hundred people, nobody's own; recomputed every ten minutes.
_cache: dict[tuple[UUID, UUID, int], tuple[float, dict[str, ScaleError]]] = {}


def errors_of_scales(
    uow: UnitOfWork, instrument_id: UUID, version: int, definition: Instrument
) -> dict[str, ScaleError]:
    """The error of each scale for which it is known; a scale left out has no error band and no verdict on change.

    The definition's reliability with a norm group's standard deviation comes first; else Cronbach's alpha and the
    standard deviation of this organization's latest complete answers, from a hundred people on. A ranking has none:
    one scale's gain is another's loss, so that the answers do not err by themselves.
    """
    if definition.ranking:
        return {}
    key = (uow.actor.organization_id, instrument_id, version)
    known = _cache.get(key)
    if known is not None and time.monotonic() - known[0] < _KEPT_SECONDS:
        return known[1]
    found = _published(definition)
    if len(found) < len(definition.scales):
        found = _own(uow, instrument_id, version, definition) | found
    _cache[key] = (time.monotonic(), found)
    return found


def _published(definition: Instrument) -> dict[str, ScaleError]:
    spreads = {norm.scale: norm.sd for norm in definition.norms}
    found = {}
    for entry in definition.reliabilities:
        error = standard_error(spreads.get(entry.scale, 0.0), entry.value)
        if error is not None and entry.scale not in found:
            found[entry.scale] = ScaleError(error, entry.value, entry.n, own=False)
    return found


def _own(uow: UnitOfWork, instrument_id: UUID, version: int, definition: Instrument) -> dict[str, ScaleError]:
    rows = uow.session.execute(
        select(Assessment.responses, Assessment.scores)
        .where(Assessment.instrument_id == instrument_id, Assessment.version == version)
        .order_by(Assessment.taken_at.desc(), Assessment.id)
        .limit(_MOST_ANSWERS)
    ).all()
    if len(rows) < LEAST_ANSWERS:
        return {}
    responses = np.array([row.responses for row in rows], dtype=np.int16)
    scores = np.array([row.scores for row in rows], dtype=np.float64)
    found = {}
    for number, scale in enumerate(definition.scales):
        keyed = keyed_answers(definition, responses, scale.id)
        complete = ~np.isnan(keyed).any(axis=1)
        people = int(complete.sum())
        alpha = cronbach_alpha(keyed) if people >= LEAST_ANSWERS else None
        if alpha is None:
            continue
        error = standard_error(float(scores[complete, number].std(ddof=1)), alpha)
        if error is not None:
            found[scale.id] = ScaleError(error, alpha, people, own=True)
    return found
