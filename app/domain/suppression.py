"""Withholding small cells so that no withheld one can be worked out from what is published.

A table of counts with its totals is a circulation: people flow from a source through rows, cells and columns
to a sink and, as the grand total, back. Every count is the flow on one edge. A reader knows the flows that
are published and that counts are whole and not negative. A withheld count has one possible value exactly when
no cycle of possible changes runs through it (up along an edge, down against one that carries at least 1), so
the same graph serves to protect a cell (find the cheapest such cycle and withhold what is on it) and to audit
the result (the most a cell can rise or fall is a maximum flow). This is exact for two-way tables.

Rules: fewer than ten people (five to thirty by choice) are withheld, following NCES brief 2011-603, as are
the complements; percentages near 0 and 100 are capped.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later

Counts = npt.NDArray[np.integer[Any]]
Mask = npt.NDArray[np.bool_]
STANDARD_THRESHOLD = 10
# Withholding a total costs a reader more than any number of cells of a page-sized table.
_COST_OF_TOTAL = 10_000.0
_COST_OF_GRAND_TOTAL = 10_000_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Suppression:
    """What is withheld (True): cells (rows x columns), row totals, column totals and the grand total."""

    cells: Mask
    row_totals: Mask
    column_totals: Mask
    total: bool


@dataclass(frozen=True, slots=True)
class Range:
    """The values a reader must hold possible: whole numbers from `low` to `high` (None: without bound)."""

    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Percentage:
    """A percentage as it may be shown: exact, a bound, or withheld (then `value` is None)."""

    kind: Literal["exact", "at_most", "at_least", "withheld"]
    value: float | None


def suppress(table: Counts, threshold: int = STANDARD_THRESHOLD) -> Suppression:
    """Which counts of a table to withhold when the rest, with all totals, is published.

    Rows are groups of people, columns what is told about them; cells count people. Withheld are

    - counts from 1 to `threshold` - 1, totals included, and every cell of a group or column so small;
    - the cells of a group whose people are all in one cell, zeros included, since that tells it of each;
    - everything when the whole table counts fewer than `threshold` people;
    - as many further counts as it takes until none of these has a single possible value.

    Raises `InvalidInput` for anything but a two-way table of whole numbers from 0 up, or a threshold outside
    5 to 30.
    """
    _check(table, threshold)
    network = _Network(table)
    hidden = set(_primary(network, table, threshold))
    for edge in sorted(hidden, key=lambda edge: (-network.flows[edge], edge)):
        if not network.can_change(edge, hidden):
            hidden.update(network.cheapest_cycle(edge, hidden))
    result = network.as_suppression(hidden)
    # Built to hold; checked all the same, because a mistake here cannot be taken back once published.
    if any(not network.can_change(edge, hidden) for edge in hidden):
        raise AssertionError("A withheld count could be worked out from the published ones.")
    return result


def possible_range(table: Counts, withheld: Suppression, row: int, column: int) -> Range:
    """The exact bounds a reader can work out for one cell from everything published."""
    network = _Network(table)
    hidden = network.hidden_by(withheld)
    return network.possible_range(network.cell(row, column), hidden)


def cap_percentage(count: int, of: int, threshold: int = STANDARD_THRESHOLD) -> Percentage:
    """The percentage `count` / `of` as it may be shown, without telling all or none of a small group.

    Withheld below `threshold` people; else capped by group size: up to 20 people at 20 and 80 percent, 40 at
    10, 100 at 5, 300 at 2, more at 1. Raises `InvalidInput` when the count is not within 0 to `of`.
    """
    if not 0 <= count <= of:
        raise InvalidInput(
            [FieldProblem("count", later("%(count)s of %(of)s is no share. Give 0 to %(of)s.", count=count, of=of))]
        )
    if of < max(threshold, 1):
        return Percentage("withheld", None)
    margin = next(margin for most, margin in ((20, 20), (40, 10), (100, 5), (300, 2), (of, 1)) if of <= most)
    value = 100 * count / of
    if value < margin:
        return Percentage("at_most", float(margin))
    if value > 100 - margin:
        return Percentage("at_least", float(100 - margin))
    return Percentage("exact", value)


def _check(table: Counts, threshold: int) -> None:
    if not 5 <= threshold <= 30:
        raise InvalidInput(
            [
                FieldProblem(
                    "threshold", later("%(threshold)s is not possible. Choose 5 to 30 people.", threshold=threshold)
                )
            ]
        )
    if table.ndim != 2 or 0 in table.shape or not np.issubdtype(table.dtype, np.integer) or (table < 0).any():
        raise InvalidInput([FieldProblem("table", "Give at least one row and column of whole numbers, none below 0.")])


def _primary(network: "_Network", table: Counts, threshold: int) -> Iterable[int]:
    """The edges that must be withheld whatever is published beside them."""
    if 0 < table.sum() < threshold:
        return range(len(network.flows))
    hidden = {edge for edge, flow in enumerate(network.flows) if 0 < flow < threshold}
    rows, columns = table.shape
    row_totals, column_totals = table.sum(axis=1), table.sum(axis=0)
    for row in range(rows):
        all_in_one_cell = columns > 1 and row_totals[row] > 0 and (table[row] > 0).sum() == 1
        if all_in_one_cell or 0 < row_totals[row] < threshold:
            hidden.update(network.cell(row, column) for column in range(columns))
    for column in range(columns):
        if 0 < column_totals[column] < threshold:
            hidden.update(network.cell(row, column) for row in range(rows))
    return hidden


class _Network:
    """A table as a circulation. Edges are numbered: cells row by row, row totals, column totals, total."""

    def __init__(self, table: Counts) -> None:
        self.rows: int = table.shape[0]
        self.columns: int = table.shape[1]
        row_nodes = range(1, self.rows + 1)
        column_nodes = range(self.rows + 1, self.rows + self.columns + 1)
        source, sink = 0, self.rows + self.columns + 1
        self.ends = [(row, column) for row in row_nodes for column in column_nodes]
        self.ends += [(source, row) for row in row_nodes]
        self.ends += [(column, sink) for column in column_nodes]
        self.ends += [(sink, source)]
        row_totals, column_totals = table.sum(axis=1).tolist(), table.sum(axis=0).tolist()
        self.flows: list[int] = [*table.ravel().tolist(), *row_totals, *column_totals, int(table.sum())]
        self.arcs: list[list[tuple[int, int]]] = [[] for _ in range(sink + 1)]
        for edge, (tail, head) in enumerate(self.ends):
            self.arcs[tail].append((edge, head))
            if self.flows[edge] > 0:
                self.arcs[head].append((edge, tail))
        cells = self.rows * self.columns
        # Few withheld counts first, small ones among equally many.
        self.costs = [1 + flow / (1 + self.flows[-1]) for flow in self.flows[:cells]]
        self.costs += [_COST_OF_TOTAL] * (self.rows + self.columns) + [_COST_OF_GRAND_TOTAL]

    def cell(self, row: int, column: int) -> int:
        """The edge of a cell."""
        return row * self.columns + column

    def as_suppression(self, hidden: set[int]) -> Suppression:
        """The withheld edges as masks."""
        mask = np.array([edge in hidden for edge in range(len(self.flows))])
        cells = self.rows * self.columns
        return Suppression(
            cells=mask[:cells].reshape(self.rows, self.columns),
            row_totals=mask[cells : cells + self.rows],
            column_totals=mask[cells + self.rows : -1],
            total=bool(mask[-1]),
        )

    def hidden_by(self, withheld: Suppression) -> set[int]:
        """The masks as withheld edges."""
        masks = (withheld.cells.ravel(), withheld.row_totals, withheld.column_totals, [withheld.total])
        return set(np.flatnonzero(np.concatenate(masks)).tolist())

    def can_change(self, edge: int, hidden: set[int]) -> bool:
        """Whether a withheld count can be higher or lower while all published counts stay."""
        tail, head = self.ends[edge]
        return self._reaches(head, tail, edge, hidden) or (
            self.flows[edge] > 0 and self._reaches(tail, head, edge, hidden)
        )

    def _reaches(self, start: int, goal: int, without: int, hidden: set[int]) -> bool:
        seen, waiting = {start}, [start]
        while waiting:
            for edge, node in self.arcs[waiting.pop()]:
                if edge != without and edge in hidden and node not in seen:
                    seen.add(node)
                    waiting.append(node)
        return goal in seen

    def cheapest_cycle(self, edge: int, hidden: set[int]) -> list[int]:
        """The edges to withhold so that this one can change: the cheapest cycle through it (Dijkstra)."""
        tail, head = self.ends[edge]
        found = [self._cheapest_path(head, tail, edge, hidden)]
        if self.flows[edge] > 0:
            found.append(self._cheapest_path(tail, head, edge, hidden))
        # Adding people to the whole table is always possible, so the first path exists.
        return min(found)[1]

    def _cheapest_path(self, start: int, goal: int, without: int, hidden: set[int]) -> tuple[float, list[int]]:
        waiting: list[tuple[float, int, list[int]]] = [(0.0, start, [])]
        done: set[int] = set()
        while waiting:
            cost, node, path = heapq.heappop(waiting)
            if node == goal:
                return (cost, path)
            if node in done:
                continue
            done.add(node)
            for edge, following in self.arcs[node]:
                if edge != without and following not in done:
                    step = 0.0 if edge in hidden else self.costs[edge]
                    heapq.heappush(waiting, (cost + step, following, [*path, edge]))
        return (float("inf"), [])

    def possible_range(self, edge: int, hidden: set[int]) -> Range:
        """The least and greatest value of a count (its own value when it is published)."""
        flow = self.flows[edge]
        if edge not in hidden:
            return Range(flow, flow)
        tail, head = self.ends[edge]
        rise = self._maximum_flow(head, tail, edge, hidden, None)
        fall = self._maximum_flow(tail, head, edge, hidden, flow)
        return Range(flow - (fall or 0), None if rise is None else flow + rise)

    def _maximum_flow(self, start: int, goal: int, without: int, hidden: set[int], most: int | None) -> int | None:
        """How much can be moved from start to goal by changing withheld counts, at most `most`.

        Shortest augmenting paths (Edmonds & Karp 1972); None when there is no bound.
        """
        flows = list(self.flows)
        moved = 0
        while most is None or moved < most:
            path = self._shortest_path(start, goal, without, hidden, flows)
            if path is None:
                return moved
            room = [flows[edge] for edge, up in path if not up]
            if not room and most is None:
                return None
            step = min([*room, *([] if most is None else [most - moved])])
            for edge, up in path:
                flows[edge] += step if up else -step
            moved += step
        return moved

    def _shortest_path(
        self, start: int, goal: int, without: int, hidden: set[int], flows: list[int]
    ) -> list[tuple[int, bool]] | None:
        came: dict[int, tuple[int, int, bool] | None] = {start: None}
        waiting = deque([start])
        while waiting and goal not in came:
            node = waiting.popleft()
            for edge in hidden:
                tail, head = self.ends[edge]
                if edge == without:
                    continue
                if tail == node and head not in came:
                    came[head] = (node, edge, True)
                    waiting.append(head)
                elif head == node and flows[edge] > 0 and tail not in came:
                    came[tail] = (node, edge, False)
                    waiting.append(tail)
        if goal not in came:
            return None
        path = []
        step = came[goal]
        while step is not None:
            path.append((step[1], step[2]))
            step = came[step[0]]
        return path
