"""What the plan knows of a step's room; the rooms themselves stand above, in `app.features.steps`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from marshmallow import Schema, ValidationError

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import Say, plain
from app.domain.steps import StepKey
from app.features.occupations.beside import Catalogue

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a room may know beside its own content; siblings' contents come as plain data."""

    contents: Mapping[StepKey, Content] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    # Keys of the instruments the template asks for, each with its title.
    instruments: Mapping[str, str] = field(default_factory=dict)
    # Per instrument key: the day of the latest assessment and its scales as (name, score).
    assessments: Mapping[str, tuple[date, Sequence[tuple[str, float | None]]]] = field(default_factory=dict)
    # Per instrument key: how far its results can be trusted, one of `app.domain.instrument_parts.STATUSES`.
    trust: Mapping[str, str] = field(default_factory=dict)
    # Per instrument key and scale name: where the score may lie (95 percent), of those scales whose error is known.
    bands: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    # Reviews: the day, and the outcome (empty: answered without one) or the state of one that is not answered.
    reviews: Sequence[tuple[date, str]] = ()
    today: date | None = None
    # When the counsellor accepted the step, first to last; only for rooms in which acceptance binds.
    accepted: Sequence[datetime] = ()
    # What the catalogue says of the occupations the plan names; only for rooms that show it.
    catalogue: Catalogue = field(default_factory=Catalogue)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text of the client under a small heading."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Short lines under a small heading."""

    heading: str
    lines: tuple[str, ...]


# A day stays a day, so that page and report write it in the reader's way.
Cell = str | date


@dataclass(frozen=True, slots=True)
class Table:
    """A small table: column names and rows of texts and days, as long as the columns.

    A `folded` one is read up rather than read: a page shows it when it is asked for.
    """

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing (SVG text, made on the server) with what it shows in words, and a table of the same figures."""

    heading: str
    svg: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block = Paragraph | Listing | Table | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A step in a report or on a page: its title and blocks, in the reader's language; no blocks: nothing written."""

    title: str
    blocks: tuple[Block, ...]

    def lines(self, day: Callable[[date], str] = str) -> list[str]:
        """Every text of the section, one line each: what two revisions are compared by; `day` writes a day."""
        found: list[str] = []
        for block in self.blocks:
            match block:
                case Paragraph(heading, text):
                    found += [f"{heading}: {line}" for line in text.splitlines() if line.strip()]
                case Listing(heading, lines):
                    found += [f"{heading}: {line}" for line in lines]
                case Table(heading, _, rows) | Picture(heading, _, _, _, rows):
                    cells = ([day(cell) if isinstance(cell, date) else cell for cell in row if cell] for row in rows)
                    found += [f"{heading}: " + " · ".join(row) for row in cells]
        return found


@dataclass(frozen=True, slots=True)
class Settling:
    """What a room may know while content is stored over what was there: the moment, and all it may know beside."""

    now: datetime
    around: Surroundings
    say: Say = plain


@dataclass(frozen=True, slots=True)
class Room:
    """One step as a working tool.

    `missing(content, surroundings, say)` says in sentences what is not yet there (empty: complete), and
    `report(content, surroundings, say)` the content as blocks. `settle(before, after, settling)` is asked at each
    save: it refuses with InvalidInput what cannot be, and returns what is stored, with what Octant itself keeps in
    it (moments, measurements), which nobody types. `changes(before, after, say)` says what became of the content
    between two revisions, beyond its lines. All are pure.
    """

    key: StepKey
    schema: type[Schema]
    missing: Callable[[Content, Surroundings, Say], list[str]]
    report: Callable[[Content, Surroundings, Say], Section]
    settle: Callable[[Content, dict[str, Any], Settling], dict[str, Any]] | None = None
    changes: Callable[[Content, Content, Say], tuple[Block, ...]] | None = None

    def read(self, raw: Content) -> dict[str, Any]:
        """The content in its one plain form. Raises InvalidInput naming every field that is wrong or unknown."""
        schema = self.schema()
        try:
            return dict(schema.dump(schema.load(dict(raw))))
        except ValidationError as error:
            raise InvalidInput(_problems(error.messages)) from None

    def empty(self) -> dict[str, Any]:
        """Content before anything was written."""
        return self.read({})


def _problems(messages: Any, place: str = "") -> list[FieldProblem]:
    if isinstance(messages, Mapping):
        found = []
        for key, inner in messages.items():
            here = f"{place}[{key}]" if isinstance(key, int) else ".".join(part for part in (place, str(key)) if part)
            found += _problems(inner, here)
        return found
    return [FieldProblem(place or "content", str(sentence)) for sentence in messages]


def step_of(key: StepKey | int) -> StepKey:
    """The step of a number from 1 to 8 (or the step itself). Raises ValueError for another number."""
    if isinstance(key, StepKey):
        return key
    if not 1 <= key <= len(StepKey):
        raise ValueError(f"steps are numbered 1 to {len(StepKey)}; got {key}")
    return list(StepKey)[key - 1]
