"""One result as its page, its JSON and a report show it: scores with error bands, the shape of interests, change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from uuid import UUID

import numpy as np
from sqlalchemy import func, select

from app.domain import instruments as definitions
from app.domain import profiles
from app.domain.errors import NotFound
from app.domain.scoring import Direction, band, reliable_change, straight_lining
from app.features.clients.models import Client
from app.features.instruments.errors_of_scales import ScaleError, errors_of_scales
from app.features.instruments.models import Assessment, FormerScoring, InstrumentVersion, Sitting
from app.features.instruments.policy import visible_assessments
from app.features.instruments.queries import parsed
from app.features.instruments.rescoring import former_scorings
from app.infra.db.open import UnitOfWork

# Faster than this nobody reads a question: a flag to talk about, never a reason to change a score (own rule).
HASTY_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class ScaleLine:
    """One scale: its score (None: too few answers), the range possible, the 95 percent band (None: not yet known).

    `change` compares with the taking before (None: there is none): higher, lower, no change beyond error, unknown.
    """

    key: str
    title: str
    score: float | None
    low: float
    high: float
    edges: tuple[float, float] | None
    error: ScaleError | None
    before: float | None
    change: Direction | None


@dataclass(frozen=True, slots=True)
class InterestShape:
    """What the six scores say together; codes and consistency take the errors into account where they are known.

    `map_error` is the half width of the 95 percent band on the two dimensions (None: not yet known).
    """

    codes: tuple[str, ...]
    elevation: float
    differentiation: profiles.Differentiation
    consistency: tuple[int, ...]
    dimensions: profiles.Dimensions
    map_error: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Answering:
    """How somebody answered, for the counsellor: the same answer many times in a row, seconds for a question."""

    straight: bool
    median_seconds: float | None

    @property
    def hasty(self) -> bool:
        """Whether half of the questions were answered faster than they can be read."""
        return self.median_seconds is not None and self.median_seconds < HASTY_SECONDS


@dataclass(frozen=True, slots=True)
class Profile:
    """A result whole. `lines` are in the order of interpretation; `latest_version` is the instrument's newest."""

    assessment: Assessment
    client: Client
    definition: definitions.Instrument
    lines: tuple[ScaleLine, ...]
    shape: InterestShape | None
    before_at: datetime | None
    answering: Answering
    former: tuple[FormerScoring, ...]
    latest_version: int

    @property
    def known_errors(self) -> bool:
        """Whether any score has an error band."""
        return any(line.edges is not None for line in self.lines)


def profile_of(uow: UnitOfWork, assessment_id: UUID) -> Profile:
    """One result with all that its page shows, in at most eight queries. Raises NotFound for one not to be seen."""
    latest = (
        select(func.max(InstrumentVersion.version))
        .where(InstrumentVersion.instrument_id == Assessment.instrument_id)
        .correlate(Assessment)
        .scalar_subquery()
    )
    found = uow.session.execute(
        select(Assessment, Client, InstrumentVersion.checksum, InstrumentVersion.definition, latest, Sitting.seconds)
        .join(Client, Client.id == Assessment.client_id)
        .join(
            InstrumentVersion,
            (InstrumentVersion.instrument_id == Assessment.instrument_id)
            & (InstrumentVersion.version == Assessment.version),
        )
        .outerjoin(Sitting, Sitting.assessment_id == Assessment.id)
        .where(Assessment.id == assessment_id, visible_assessments(uow.actor))
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such result, or it is not yours to see.")
    row, client, checksum, raw, newest, seconds = found
    definition = parsed(checksum, raw)
    before = uow.session.scalars(
        select(Assessment)
        .where(
            Assessment.client_id == row.client_id,
            Assessment.instrument_id == row.instrument_id,
            Assessment.taken_at < row.taken_at,
        )
        .order_by(Assessment.taken_at.desc(), Assessment.id)
        .limit(1)
    ).one_or_none()
    # Scores of different versions are not on one scale until somebody scores them again.
    comparable = before if before is not None and before.version == row.version else None
    errors = errors_of_scales(uow, row.instrument_id, row.version, definition)
    lines = lines_of(definition, row.scores, errors, None if comparable is None else comparable.scores)
    return Profile(
        assessment=row,
        client=client,
        definition=definition,
        lines=lines,
        shape=shape_of(lines) if definition.measures == "interests" else None,
        before_at=None if comparable is None else comparable.taken_at,
        answering=how_answered(row.responses, seconds),
        former=tuple(former_scorings(uow, row.id)),
        latest_version=newest,
    )


def lines_of(
    definition: definitions.Instrument,
    scores: list[float | None],
    errors: dict[str, ScaleError],
    before: list[float | None] | None,
) -> tuple[ScaleLine, ...]:
    """The scales in the order of interpretation; `scores` and `before` are in the order of the definition's scales."""
    made = {}
    for number, (scale, key) in enumerate(zip(definition.scales, definition.keys, strict=True)):
        score, error = scores[number], errors.get(scale.id)
        edges = band(score, error.error) if score is not None and error is not None else None
        change = None
        if before is not None:
            change = _change(before[number], score, error)
        made[scale.id] = ScaleLine(
            key=key,
            title=scale.title,
            score=score,
            low=scale.low,
            high=scale.high,
            edges=None if edges is None else (max(edges[0], scale.low), min(edges[1], scale.high)),
            error=error,
            before=None if before is None else before[number],
            change=change,
        )
    return tuple(made[scale] for scale in definition.interpretation.order)


def lines_in(definition: definitions.Instrument, lines: tuple[ScaleLine, ...]) -> tuple[ScaleLine, ...]:
    """The same lines with the scales' names of a definition in another language."""
    titles = {key: scale.title for key, scale in zip(definition.keys, definition.scales, strict=True)}
    return tuple(replace(line, title=titles[line.key]) for line in lines)


def _change(before: float | None, after: float | None, error: ScaleError | None) -> Direction:
    if before is None or after is None or error is None:
        return Direction.UNKNOWN
    # The index takes a standard deviation and a reliability; an error is the same with reliability 0.
    return reliable_change(before, after, error.error, 0.0).direction


def shape_of(lines: tuple[ScaleLine, ...]) -> InterestShape | None:
    """What six interest scores say together; None when one of them is undefined."""
    scores = [line.score for line in lines]
    errors = [None if line.error is None else line.error.error for line in lines]
    codes = profiles.admissible_codes(scores, 3, errors)
    spread, levels = profiles.differentiation(scores), profiles.consistency_levels(scores, errors)
    where, mean = profiles.dimensions(scores), profiles.elevation(scores)
    if codes is None or spread is None or levels is None or where is None or mean is None:
        return None
    return InterestShape(codes, mean, spread, levels, where, profiles.dimension_errors(errors))


def how_answered(responses: list[int], seconds: list[float | None] | None) -> Answering:
    """The flags for the counsellor; `seconds` are one a question, None where not timed."""
    timed = [value for value in seconds or [] if value is not None]
    straight = bool(straight_lining(np.array([responses], dtype=np.int16))[0])
    return Answering(straight, round(median(timed), 1) if timed else None)
