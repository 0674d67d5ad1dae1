"""Reads of instruments, their versions and their results."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.domain import instruments as definitions
from app.domain.access import Actor
from app.domain.errors import NotFound
from app.domain.instrument_parts import Measures
from app.features.instruments.errors_of_scales import errors_of_scales
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.policy import visible_assessments
from app.infra.db.kept import KeptStatement, keep
from app.infra.db.open import UnitOfWork

# Definitions by their checksum, which names their whole content: the same one is the same for everybody.
_parsed: dict[str, definitions.Instrument] = {}
_MOST_PARSED = 500


def parsed(checksum: str, raw: Mapping[str, Any]) -> definitions.Instrument:
    """The definition of a stored version, read once for each content."""
    known = _parsed.get(checksum)
    if known is None:
        if len(_parsed) >= _MOST_PARSED:
            _parsed.clear()
        known = _parsed[checksum] = definitions.parse_definition(raw)
    return known


@dataclass(frozen=True, slots=True)
class LoadedInstrument:
    """An instrument with its latest version's number and definition, and how many assessments there are of it."""

    row: Instrument
    version: int
    definition: definitions.Instrument
    checksum: str
    assessments: int


def list_instruments(uow: UnitOfWork) -> list[LoadedInstrument]:
    """Every instrument of the organization by title, in one query."""
    taken = select(Assessment.instrument_id, func.count().label("number")).group_by(Assessment.instrument_id).subquery()
    statement = (
        select(Instrument, InstrumentVersion, func.coalesce(taken.c.number, 0))
        .join(InstrumentVersion, is_latest())
        .outerjoin(taken, taken.c.instrument_id == Instrument.id)
        .order_by(Instrument.title)
    )
    return [_loaded(row, version, number) for row, version, number in uow.session.execute(statement)]


def get_instrument(uow: UnitOfWork, instrument_id: UUID) -> LoadedInstrument:
    """One instrument; raises NotFound."""
    statement = (
        select(Instrument, InstrumentVersion).join(InstrumentVersion, is_latest()).where(Instrument.id == instrument_id)
    )
    found = uow.session.execute(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such instrument.")
    number = uow.session.scalar(select(func.count()).where(Assessment.instrument_id == instrument_id))
    return _loaded(found[0], found[1], number or 0)


def versions_of(uow: UnitOfWork, instrument_id: UUID) -> Sequence[InstrumentVersion]:
    """All versions of an instrument, the latest first."""
    return uow.session.scalars(
        select(InstrumentVersion)
        .where(InstrumentVersion.instrument_id == instrument_id)
        .order_by(InstrumentVersion.version.desc())
    ).all()


def definition_of(uow: UnitOfWork, instrument_id: UUID, version: int) -> definitions.Instrument:
    """The definition of one version; raises NotFound."""
    row = uow.session.execute(
        select(InstrumentVersion.checksum, InstrumentVersion.definition).where(
            InstrumentVersion.instrument_id == instrument_id, InstrumentVersion.version == version
        )
    ).one_or_none()
    if row is None:
        raise NotFound("There is no such version of this instrument.")
    return parsed(row.checksum, row.definition)


def is_latest() -> ColumnElement[bool]:
    """A criterion that joins an `Instrument` with its latest `InstrumentVersion`."""
    latest = (
        select(func.max(InstrumentVersion.version))
        .where(
            InstrumentVersion.organization_id == Instrument.organization_id,
            InstrumentVersion.instrument_id == Instrument.id,
        )
        .correlate(Instrument)
        .scalar_subquery()
    )
    return and_(InstrumentVersion.instrument_id == Instrument.id, InstrumentVersion.version == latest)


def _loaded(row: Instrument, version: InstrumentVersion, number: int) -> LoadedInstrument:
    definition = parsed(version.checksum, version.definition)
    return LoadedInstrument(row, version.version, definition, version.checksum, number)


@dataclass(frozen=True, slots=True)
class NewestResult:
    """One taking, its scores by key (`Instrument.keys`: R I A S E C for interests, the six values, else scale ids).

    `scores` has None where too few items were answered; `sem` and `reliability` leave out scales whose error is not
    known yet; `ranges` gives the lowest and highest score possible; `titles` the scales' names in the definition's
    own language (`definition.in_language` has others).
    """

    assessment_id: UUID
    instrument_id: UUID
    instrument: str
    key: str
    version: int
    status: str
    taken_at: datetime
    scores: Mapping[str, float | None]
    sem: Mapping[str, float]
    reliability: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]]
    titles: Mapping[str, str]
    definition: definitions.Instrument

    @property
    def complete(self) -> tuple[float, ...] | None:
        """All scores in their order; None where one of them is undefined."""
        found = tuple(score for score in self.scores.values() if score is not None)
        return found if len(found) == len(self.scores) else None


# Stand, while a statement is made, for the organization, for who asks and for whose results are asked for.
_ORGANIZATION, _MEMBERSHIP, _OWN, _CLIENT = (UUID(int=number) for number in range(4))


def newest_results(uow: UnitOfWork, client_id: UUID, kinds: Collection[Measures]) -> dict[Measures, NewestResult]:
    """The newest result of each of these kinds that the actor may see; kinds never taken are left out.

    One query, one more for definitions that are not in memory, and two more for each instrument whose errors are not.
    """
    actor = uow.actor
    instead = {
        _ORGANIZATION: actor.organization_id,
        _MEMBERSHIP: actor.membership_id,
        _OWN: actor.client_id,
        _CLIENT: client_id,
    }
    rows = _newest(_sight(actor)).run(uow, {}, instead)
    by_checksum = _definitions(uow, {row.checksum for row in rows})
    found: dict[Measures, Row[Any]] = {}
    for row in rows:
        measures = by_checksum[row.checksum].measures
        other = found.get(measures)
        if measures in kinds and (other is None or (row.taken_at, other.id) > (other.taken_at, row.id)):
            found[measures] = row
    return {kind: result_of(uow, row, by_checksum[row.checksum], row.key) for kind, row in found.items()}


def _sight(actor: Actor) -> Actor:
    """All of an actor that decides what is seen; whoever sees alike shares a statement."""
    return replace(
        actor,
        organization_id=_ORGANIZATION,
        membership_id=actor.membership_id and _MEMBERSHIP,
        client_id=actor.client_id and _OWN,
        user_id=None,
        name="",
    )


@lru_cache(maxsize=64)
def _newest(sight: Actor) -> KeptStatement:
    """The newest taking of each version of an instrument: without its answers, and its definition by checksum only."""
    return keep(
        select(
            Assessment.id,
            Assessment.instrument_id,
            Assessment.version,
            Assessment.taken_at,
            Assessment.scores,
            InstrumentVersion.checksum,
            Instrument.key,
        )
        .ext(distinct_on(Assessment.instrument_id, Assessment.version))
        .join(
            InstrumentVersion,
            (InstrumentVersion.organization_id == Assessment.organization_id)
            & (InstrumentVersion.instrument_id == Assessment.instrument_id)
            & (InstrumentVersion.version == Assessment.version),
        )
        .join(
            Instrument,
            (Instrument.organization_id == Assessment.organization_id) & (Instrument.id == Assessment.instrument_id),
        )
        .where(
            Assessment.organization_id == _ORGANIZATION,
            Assessment.client_id == _CLIENT,
            visible_assessments(sight),
        )
        .order_by(Assessment.instrument_id, Assessment.version, Assessment.taken_at.desc(), Assessment.id)
    )


def _definitions(uow: UnitOfWork, checksums: Collection[str]) -> dict[str, definitions.Instrument]:
    """Definitions by their checksums; only those that are not in memory are read."""
    found = {checksum: _parsed[checksum] for checksum in checksums if checksum in _parsed}
    if len(found) < len(checksums):
        wanted = InstrumentVersion.checksum.in_(set(checksums) - found.keys())
        for checksum, raw in uow.session.execute(
            select(InstrumentVersion.checksum, InstrumentVersion.definition).where(wanted)
        ):
            found[checksum] = parsed(checksum, raw)
    return found


def result_by_id(uow: UnitOfWork, client_id: UUID, assessment_id: UUID, measures: Measures) -> NewestResult | None:
    """One result of a client of this kind, however old, that the actor may see; None where there is none."""
    found = uow.session.execute(
        select(Assessment, InstrumentVersion.checksum, InstrumentVersion.definition, Instrument.key)
        .join(
            InstrumentVersion,
            (InstrumentVersion.instrument_id == Assessment.instrument_id)
            & (InstrumentVersion.version == Assessment.version),
        )
        .join(Instrument, Instrument.id == Assessment.instrument_id)
        .where(Assessment.id == assessment_id, Assessment.client_id == client_id, visible_assessments(uow.actor))
    ).one_or_none()
    if found is None:
        return None
    assessment, checksum, raw, key = found
    definition = parsed(checksum, raw)
    return result_of(uow, assessment, definition, key) if definition.measures == measures else None


def result_of(
    uow: UnitOfWork, taken: Assessment | Row[Any], definition: definitions.Instrument, key: str
) -> NewestResult:
    """One assessment with what is known of its errors; `definition` is that of the assessment's version.

    Interests and values come in their fixed order (R I A S E C; the catalogue's), others in the definition's.
    """
    errors = errors_of_scales(uow, taken.instrument_id, taken.version, definition)
    place = {scale.id: number for number, scale in enumerate(definition.scales)}
    # `keys` follows the scales; what is shown and read by others follows the order of interpretation.
    order = [place[scale] for scale in definition.interpretation.order]
    keys, scales = definition.keys, definition.scales
    return NewestResult(
        assessment_id=taken.id,
        instrument_id=taken.instrument_id,
        instrument=definition.title,
        key=key,
        version=taken.version,
        status=definition.status,
        taken_at=taken.taken_at,
        scores={keys[n]: taken.scores[n] for n in order},
        sem={keys[n]: errors[scales[n].id].error for n in order if scales[n].id in errors},
        reliability={keys[n]: errors[scales[n].id].reliability for n in order if scales[n].id in errors},
        ranges={keys[n]: (scales[n].low, scales[n].high) for n in order},
        titles={keys[n]: scales[n].title for n in order},
        definition=definition,
    )


def newest_interests(uow: UnitOfWork, client_id: UUID) -> NewestResult | None:
    """The newest interests, keyed R I A S E C in that order; None before the first taking."""
    return newest_results(uow, client_id, ["interests"]).get("interests")
