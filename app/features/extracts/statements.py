"""An own report as one statement, whatever file it ends in."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    SelectBase,
    Text,
    and_,
    cast,
    distinct,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy import Date as DateType
from sqlalchemy.sql import visitors

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.rules import Condition, Rule
from app.features.clients.models import Client
from app.features.extracts.columns import OF_ROW, Column
from app.features.extracts.definition import Definition
from app.features.extracts.tables import TABLES, joined
from app.features.selections.criteria import Moment, criterion_of_filter


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of what is read: its heading, its key in data, and the expression with its kind."""

    label: str
    key: str
    kind: str
    source: ColumnElement[Any]
    words: Mapping[str, str] | None = None


# No limit at all. PostgreSQL cannot know that and takes a tenth of the rows to be wanted, as with a cursor
# (preprocess_limit in its planner.c), so that it goes through people in the order of their index instead of sorting
# all rows before the first can leave. Which of the two is quicker in the end makes no difference that can be measured.
_NO_LIMIT = select(cast(null(), BigInteger)).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of where, and in which order; `plain` and the writers make statements of it.

    `in_turn` says that rows may leave one person after the other, as they are found.
    """

    cells: tuple[Cell, ...]
    source: FromClause
    where: tuple[ColumnElement[bool], ...]
    group: tuple[ColumnElement[Any], ...]
    order: tuple[ColumnElement[Any], ...]
    today: date
    in_turn: bool

    def select(self, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
        """A statement that reads these columns."""
        statement = select(*columns).select_from(self.source).where(*self.where).order_by(*self.order)
        if self.in_turn:
            statement = statement.limit(_NO_LIMIT)
        return (statement.group_by(*self.group) if self.group else statement).params(own_today=self.today)


# Behind the columns of a grouping: how many rows there are, and of how many people.
COUNTS: tuple[tuple[str, ColumnElement[int]], ...] = (
    ("rows", func.count()),
    ("people", func.count(distinct(Client.id))),
)


def read(
    definition: Definition,
    columns: Mapping[str, Column],
    who: ColumnElement[bool],
    *,
    here: UUID,
    moment: Moment,
    time_zone: str,
    counts: tuple[str, str],
) -> Reading:
    """What a definition reads, of the people for whom `who` holds; `counts` head the columns of a grouping.

    A column whose attribute is gone is left out. The order always ends in what tells rows apart, so that the same data
    gives the same file. Raises InvalidInput where no column is left.
    """
    table = TABLES[definition.rows]
    group = [columns[key] for key in definition.group if key in columns]
    chosen = [columns[key] for key in definition.columns if key in columns]
    orders = [(columns[one.column], one.descending) for one in definition.order if one.column in columns]
    rule_columns = _of_rule(definition.rule, columns)
    needs = {need for column in (*group, *chosen, *rule_columns, *(c for c, _ in orders)) for need in column.needs}
    where = [Client.organization_id == here, who, *table.where]
    if definition.rule is not None:
        where.append(_criterion(definition.rule, columns, moment, time_zone))
    # Of one making each: what is grouped by and what is ordered by must be the same to PostgreSQL.
    values = {c.key: local(c, time_zone) for c in (*group, *chosen, *(c for c, _ in orders))}
    by = [
        values[c.key].desc().nulls_last() if descending else values[c.key].asc().nulls_last()
        for c, descending in orders
    ]
    if definition.group:
        keys = [values[column.key] for column in group]
        cells = [
            *(Cell(c.label, c.key, c.kind, key, c.words) for c, key in zip(group, keys, strict=True)),
            *(Cell(label, key, "number", count) for label, (key, count) in zip(counts, COUNTS, strict=True)),
        ]
        ends = [key.asc().nulls_last() for key in keys]
    else:
        keys = []
        cells = [Cell(c.label, c.key, c.kind, values[c.key], c.words) for c in chosen]
        ends = [Client.family_folded.asc(), Client.given_folded.asc(), Client.id.asc()]
        ends += [column.asc() for column in table.order]
    if len(cells) == (len(COUNTS) if definition.group else 0):
        raise InvalidInput([FieldProblem("columns", "None of its columns is there any more. Choose others.")])
    return Reading(
        tuple(_told_apart(cells)),
        joined(definition.rows, needs),
        tuple(where),
        tuple(keys),
        (*by, *ends),
        moment.today,
        in_turn=table.in_turn and not (by or keys) and not any(_asks_other_tables(one) for one in where),
    )


def _asks_other_tables(criterion: ColumnElement[bool]) -> bool:
    """Whether it asks more than the joined rows: how many people are left by that the planner can only guess."""
    return any(isinstance(part, SelectBase) for part in visitors.iterate(criterion))


def local(column: Column, time_zone: str) -> ColumnElement[Any]:
    """A column's values; moments as they are on the organization's clock, to the second."""
    if column.kind != "moment":
        return column.source
    return func.date_trunc(literal("second", Text), func.timezone(literal(time_zone, Text), column.source))


def plain(reading: Reading) -> Select[Any]:
    """The values themselves, under their keys."""
    return reading.select([cell.source.label(cell.key) for cell in reading.cells])


def _told_apart(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with a number behind a heading, whatever its case, that was there before."""
    seen: set[str] = set()
    found = []
    for cell in cells:
        label, number = cell.label, 1
        while label.casefold() in seen:
            number += 1
            label = f"{cell.label} ({number})"
        seen.add(label.casefold())
        found.append(Cell(label, cell.key, cell.kind, cell.source, cell.words))
    return found


def _of_rule(rule: Rule | None, columns: Mapping[str, Column]) -> list[Column]:
    asked = [condition.field.removeprefix(OF_ROW) for condition in _about_rows(rule)]
    return [columns[key] for key in asked if key in columns]


def _about_rows(rule: Rule | None) -> list[Condition]:
    return [] if rule is None else [one for one in rule.conditions if one.field.startswith(OF_ROW)]


def _criterion(rule: Rule, columns: Mapping[str, Column], moment: Moment, time_zone: str) -> ColumnElement[bool]:
    """The rule over people and over the rows' own columns."""
    of_rows = _about_rows(rule)
    of_people = tuple(one for one in rule.conditions if one not in of_rows)
    parts = [_compared(one, columns[one.field.removeprefix(OF_ROW)], time_zone) for one in of_rows]
    if of_people:
        parts.append(criterion_of_filter(Rule(rule.match, of_people), moment))
    return and_(*parts) if rule.match == "all" else or_(*parts)


def _compared(condition: Condition, column: Column, time_zone: str) -> ColumnElement[bool]:
    value = local(column, time_zone)
    if condition.operator in ("is_empty", "is_not_empty"):
        return value.is_(None) if condition.operator == "is_empty" else value.is_not(None)
    wanted: list[ColumnElement[Any]] = [literal(one) for one in condition.values]
    if column.kind in ("date", "moment"):
        value = cast(value, DateType)
        wanted = [literal(date.fromisoformat(str(one)), DateType) for one in condition.values]
    elif column.kind == "number":
        value = cast(value, Numeric)
        wanted = [literal(one, Numeric) for one in condition.values]
    compare = _COMPARISONS.get(condition.operator)
    return value.in_(wanted) if compare is None else compare(value, wanted[0])


_COMPARISONS: Mapping[str, Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]]] = {
    "is_not": lambda value, wanted: value.is_distinct_from(wanted),
    "at_least": operator.ge,
    "at_most": operator.le,
    "before": operator.lt,
    "after": operator.gt,
}
