"""Counts for a reader who must not see small groups: what the one layer of figures answers, and nothing beside it.

Tables that were protected here by themselves would share their margins with those, and give away what is withheld
there (docs/adr/0012-figures.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.saying import Say
from app.features.extracts.columns import Column
from app.features.extracts.definition import Definition, figure_key
from app.features.figures.definitions import PEOPLE
from app.features.figures.layer import Question, ask
from app.features.figures.words import value_words
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Counted:
    """Lines of a grouping: the values of its columns, and how many people (None: withheld); and of which moment."""

    headings: tuple[str, ...]
    lines: tuple[tuple[tuple[str, ...], int | None], ...]
    moment: datetime


def count_safely(uow: UnitOfWork, definition: Definition, columns: dict[str, Column], _: Say) -> Counted:
    """Count people by one or two columns, as the page of figures does for whoever must not see small groups.

    Raises InvalidInput where figures are not offered by one of them.
    """
    keys = [figure_key(name) or "" for name in definition.group]
    try:
        answer = ask(uow, Question(PEOPLE, keys[0], keys[1] if len(keys) > 1 else "", withhold=True))
    except NotFound as error:
        raise InvalidInput([FieldProblem("group", error.sentence)]) from None
    lines = tuple(
        (tuple(value_words(value, _) for value in (one.first, one.second)[: len(keys)]), one.people)
        for one in answer.numbers
    )
    return Counted(tuple(columns[name].label for name in definition.group), lines, answer.moment)
