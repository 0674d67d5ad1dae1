"""The scales on which change can be measured, and from which difference on it is more than error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from app.domain.scoring import reliable_change
from app.features.instruments.errors_of_scales import errors_of_scales
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.queries import parsed
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Scale:
    """One scale of a questionnaire; `key` is "<questionnaire>:<scale>", `label` says both, the scale first.

    `least` has for each version the scale's place among the scores, from 1, and the smallest difference beyond error
    (None where the error is not known), `thirds` where the lowest third of what it can be ends and the highest begins.
    """

    key: str
    label: str
    instrument_id: UUID
    least: Mapping[int, tuple[int, float | None]]
    thirds: Mapping[int, tuple[float, float]]

    @property
    def error_known(self) -> bool:
        """Whether a verdict on change can be given for every version."""
        return all(least is not None for _, least in self.least.values())


def scales_of(uow: UnitOfWork) -> tuple[Scale, ...]:
    """Every scale of every version that anybody has answered, by title of the questionnaire."""
    answered = select(Assessment.instrument_id, Assessment.version).distinct().subquery()
    rows = uow.session.execute(
        select(Instrument, InstrumentVersion)
        .join(InstrumentVersion, InstrumentVersion.instrument_id == Instrument.id)
        .join(
            answered,
            (answered.c.instrument_id == InstrumentVersion.instrument_id)
            & (answered.c.version == InstrumentVersion.version),
        )
        .order_by(Instrument.title, Instrument.id, InstrumentVersion.version)
    ).all()
    labels: dict[tuple[UUID, str], tuple[str, str]] = {}
    least: dict[tuple[UUID, str], dict[int, tuple[int, float | None]]] = {}
    thirds: dict[tuple[UUID, str], dict[int, tuple[float, float]]] = {}
    for instrument, version in rows:
        definition = parsed(version.checksum, version.definition)
        errors = errors_of_scales(uow, instrument.id, version.version, definition)
        for place, scale in enumerate(definition.scales, start=1):
            known = errors.get(scale.id)
            beyond = None if known is None else reliable_change(0.0, 0.0, known.error, 0.0).least_change
            at = (instrument.id, scale.id)
            labels[at] = (f"{instrument.key}:{scale.id}", f"{scale.title} · {definition.title}")
            least.setdefault(at, {})[version.version] = (place, beyond)
            third = (scale.high - scale.low) / 3
            thirds.setdefault(at, {})[version.version] = (scale.low + third, scale.high - third)
    return tuple(Scale(*labels[at], at[0], least[at], thirds[at]) for at in labels)
