"""The questionnaires that come with Octant, written for it; an organization adds the ones it wants."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.domain.errors import NotFound
from app.domain.instruments import Instrument, checksum, parse_definition
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import InstrumentVersion
from app.features.instruments.service import Loaded, load_definition
from app.infra.db.open import UnitOfWork

_FOLDER = Path(__file__).resolve().parents[2] / "instruments"


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One definition file: its name in commands, what it says, and its checksum."""

    name: str
    raw: Mapping[str, Any]
    definition: Instrument
    checksum: str


@cache
def built_ins() -> dict[str, BuiltIn]:
    """Every definition that comes with Octant, by its name ("interests", "values", ...)."""
    found = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        definition = parse_definition(raw)
        found[path.stem] = BuiltIn(path.stem, raw, definition, checksum(definition))
    return found


def add_built_in(uow: UnitOfWork, name: str) -> Loaded:
    """Load a definition that comes with Octant, or its newer version; raises NotFound for another name."""
    known = built_ins().get(name)
    if known is None:
        raise NotFound("Octant brings no such questionnaire along.")
    return load_definition(uow, LoadDefinition(raw=known.raw))


def add_built_ins(uow: UnitOfWork) -> list[Loaded]:
    """Load every definition that comes with Octant; what is there already stays as it is."""
    return [add_built_in(uow, name) for name in built_ins()]


def not_added(uow: UnitOfWork) -> list[BuiltIn]:
    """The definitions that come with Octant and that this organization has not loaded as they are now."""
    known = set(uow.session.scalars(select(InstrumentVersion.checksum)))
    return [built_in for built_in in built_ins().values() if built_in.checksum not in known]
