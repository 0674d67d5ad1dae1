"""What an own report asks for: kind of rows, columns, conditions, grouping, order; checked, and kept as JSON.

{"rows": "steps", "columns": ["client.external_id", "status"], "rule": {"all": [...]}, "group": [],
"order": [{"column": "due_on", "descending": true}]}. A condition of the rule is about the person, as in saved filters,
or about a column of the row's own, whose name then begins with "row.".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.rules import Field, Rule, parse_rule, stored_rule
from app.domain.saying import later
from app.features.extracts.columns import ROWS, Column
from app.features.figures.kinds import COUNSELLOR

MOST_COLUMNS = 200
MOST_GROUPS = 2
MOST_ORDERS = 3


@dataclass(frozen=True, slots=True)
class Order:
    """By which column rows are ordered, and whether from the last to the first."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """What is asked for; `group` empty means the rows themselves, else how many there are of each value."""

    rows: str
    columns: tuple[str, ...]
    rule: Rule | None = None
    group: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The form it is stored in."""
        return {
            "rows": self.rows,
            "columns": list(self.columns),
            "rule": self.rule.as_json() if self.rule is not None else None,
            "group": list(self.group),
            "order": [{"column": one.column, "descending": one.descending} for one in self.order],
        }


def stored_definition(raw: Mapping[str, Any]) -> Definition:
    """A definition as `as_json` wrote it, whatever became of the attributes it names since."""
    return Definition(
        rows=raw["rows"],
        columns=tuple(raw["columns"]),
        rule=stored_rule(raw["rule"]) if raw.get("rule") else None,
        group=tuple(raw.get("group", ())),
        order=tuple(Order(one["column"], one["descending"]) for one in raw.get("order", ())),
    )


def rows_of(raw: object) -> str:
    """The kind of rows a definition names. Raises InvalidInput naming `rows`."""
    rows = raw.get("rows") if isinstance(raw, Mapping) else None
    if rows not in ROWS:
        raise InvalidInput([FieldProblem("rows", "Choose what the rows are.")])
    return str(rows)


def parse_definition(
    raw: object, columns: Mapping[str, Column], fields: Sequence[Field], *, small: bool = False
) -> Definition:
    """Check what somebody asks for against the columns and conditions there are.

    `small` says that it is for one who must not see small groups: they count people, by what figures are asked by, and
    ask for no conditions, because two counts with different ones would tell of the few between them.
    Raises InvalidInput naming `rows`, `columns`, `group`, `order`, `match`, `conditions` or `conditions.<index>`.
    """
    rows = rows_of(raw)
    assert isinstance(raw, Mapping)
    problems: list[FieldProblem] = []
    group = _names(raw.get("group"), "group", columns, problems)
    chosen = () if group else _names(raw.get("columns"), "columns", columns, problems)
    if len(group) > MOST_GROUPS:
        problems.append(FieldProblem("group", later("Count by at most %(most)s columns.", most=MOST_GROUPS)))
    if not group and not chosen and not problems:
        problems.append(FieldProblem("columns", "Choose at least one column."))
    if len(chosen) > MOST_COLUMNS:
        problems.append(FieldProblem("columns", later("Choose at most %(most)s columns.", most=MOST_COLUMNS)))
    orders = _orders(raw.get("order"), set(group) if group else set(columns), problems)
    rule = None
    if raw.get("rule"):
        try:
            rule = parse_rule(raw["rule"], fields)
        except InvalidInput as error:
            problems += error.problems
    if small:
        problems += _small(rows, group, rule)
    if problems:
        raise InvalidInput(problems)
    return Definition(rows, chosen, rule, group, orders)


def figure_key(column: str) -> str | None:
    """What a column is called where figures are asked by it; None for one that they never are."""
    if column == "client.counsellor":
        return COUNSELLOR
    return column.removeprefix("attribute.") if column.startswith("attribute.") else None


def _small(rows: str, group: Sequence[str], rule: Rule | None) -> list[FieldProblem]:
    problems = []
    if rows != "clients":
        problems.append(FieldProblem("rows", "You may see how many people there are, and not what they do."))
    if not group:
        problems.append(FieldProblem("group", "You may see counts, not people. Choose what to count by."))
    if any(figure_key(key) is None for key in group):
        problems.append(FieldProblem("group", "Count by something that many people have in common."))
    if rule is not None:
        problems.append(
            FieldProblem("conditions", "Counts for you have no conditions: two of them would tell of the few between.")
        )
    return problems


def _names(raw: object, field: str, columns: Mapping[str, Column], problems: list[FieldProblem]) -> tuple[str, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        problems.append(FieldProblem(field, "Give the columns as a list."))
        return ()
    names = tuple(dict.fromkeys(str(one) for one in raw))
    unknown = [name for name in names if name not in columns]
    if unknown:
        problems.append(FieldProblem(field, later("There is no column “%(name)s” here.", name=unknown[0][:80])))
    return names


def _orders(raw: object, known: set[str], problems: list[FieldProblem]) -> tuple[Order, ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) > MOST_ORDERS:
        problems.append(FieldProblem("order", later("Order by at most %(most)s columns.", most=MOST_ORDERS)))
        return ()
    found = []
    for one in raw:
        if not isinstance(one, Mapping) or str(one.get("column")) not in known:
            problems.append(FieldProblem("order", "Order by a column that is there."))
            continue
        found.append(Order(str(one["column"]), one.get("descending") is True))
    return tuple(found)
