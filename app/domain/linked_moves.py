"""Moves of people that change what is withheld and nothing that is published: why a withheld number stays open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from app.domain.linked_people import Layer, Mask, Pair, Whole, can_move, targets
from app.domain.linked_sums import all_links, known_links, told_of_few, with_few

# Rests of real people that are tried for one rectangle, and rectangles tried for one cell.
_RESTS, _RECTANGLES = 48, 12
NEVER = np.iinfo(np.int64).max // 8


def cost_of(table: Whole, hidden: Mask, moves: tuple[Mask, Mask], row: int, column: int) -> Whole:
    """How many people a rectangle with each opposite corner would take from the table (never: not possible)."""
    down, up = moves
    price = np.where(hidden, 0, table + 1)
    cost = price + price[row][None, :] + price[:, column][:, None]
    raising = up & down[row][None, :] & down[:, column][:, None] & up[row, column]
    falling = down & up[row][None, :] & up[:, column][:, None] & down[row, column]
    possible = raising | falling
    possible[row, :] = False
    possible[:, column] = False
    return np.where(possible, cost, NEVER)


def witness_all(layer: Layer, pair: Pair) -> Iterator[Pair]:
    """Make sure that people can be moved for every withheld cell of a table; yields other tables changed for it.

    A move is four kinds of people: (a, b) and (a', b') gain one, (a, b') and (a', b) lose one. The other attributes
    are alike for all four, or for the two of each a, or for the two of each b. The first changes no other table;
    the others change tables of b (or of a), where the cells must then be withheld.
    """
    if anybody_may_move(layer, pair):
        return
    stuck = layer.stuck.setdefault(pair, np.zeros(layer.tables[pair].shape, dtype=bool))
    done = stuck.copy()
    for row, row2, column, column2 in layer.rectangles.setdefault(pair, set()):
        done[np.ix_([row, row2], [column, column2])] = True
    for row, column in zip(*np.nonzero(targets(layer, pair)), strict=True):
        if done[row, column]:
            continue
        move = _find_move(layer, pair, (int(row), int(column)))
        if move is None:
            # No move is known: nothing but the margins is left of this table.
            layer.hidden[pair][:] = True
            stuck[row, column] = True
            continue
        done[np.ix_([row, move.other[0]], [column, move.other[1]])] = True
        yield from _withhold(layer, pair, (int(row), int(column)), move)


def join_all(layer: Layer, pair: Pair) -> Iterator[Pair]:
    """Make sure that no sum of withheld cells of a table that is of few follows; yields other tables changed for it.

    Where an attribute's values are put together, whatever is known of those beside a group of the other attribute is
    known of all that people can be moved between. So these must be enough people together; else a rectangle to one more
    value is withheld. Where there is none, the attribute gives way, or the table is withheld whole.
    """
    for axis in (0, 1):
        if pair[axis] in layer.sums.groups:
            yield from _join(layer, pair, axis)


def _join(layer: Layer, pair: Pair, axis: int) -> Iterator[Pair]:
    groups = layer.groups(pair[1 - axis])
    given_up: set[tuple[bytes, bytes]] = set()
    while True:
        told = [
            (rows, columns)
            for rows, columns in _told_of_few(layer, pair, axis, groups)
            if (rows.tobytes(), columns.tobytes()) not in given_up
        ]
        joined = np.zeros((len(told), len(told[0][0]) if told else 0), dtype=bool)
        for number, (rows, columns) in enumerate(told):
            same = [n for n in range(number) if np.array_equal(told[n][1], columns)]
            if (joined[same] & rows).any():
                # Another one was joined to this; the next look says whether that was enough.
                continue
            move = _find_bridge(layer, pair, axis, rows, columns)
            if move is not None:
                cell, found = move
                joined[number, [cell[axis], found.other[axis]]] = True
                yield from _withhold(layer, pair, cell, found)
            elif pair[axis] in layer.sums.give_way:
                layer.shut.add(pair[axis])
                return
            else:
                given_up.add((rows.tobytes(), columns.tobytes()))
                layer.hidden[pair][:] = True
        if not told:
            return


def _told_of_few(layer: Layer, pair: Pair, axis: int, groups: Mask) -> list[tuple[Mask, Mask]]:
    """Of which values of an attribute (of the pair's first or second) with which of the other a sum of few follows."""
    hidden, (down, up) = layer.hidden[pair], can_move(layer, pair)
    table, yes = layer.tables[pair], None if layer.yes is None else layer.yes[pair]
    if axis == 1:
        hidden, down, up, table, yes = hidden.T, down.T, up.T, table.T, None if yes is None else yes.T
    groups = with_few(table, yes, layer.threshold, groups)
    if not len(groups):
        return []
    if anybody_may_move(layer, pair):
        links = all_links(hidden & down, hidden & up, groups)
    else:
        turned = [(c, c2, r, r2) if axis else (r, r2, c, c2) for r, r2, c, c2 in layer.rectangles.get(pair, ())]
        links = known_links(turned, len(table), groups)
    return told_of_few(table, yes, layer.threshold, groups, links)


def _find_bridge(
    layer: Layer, pair: Pair, axis: int, rows: Mask, columns: Mask
) -> tuple[tuple[int, int], _Move] | None:
    """The cheapest move that takes people from these values to others and, of the other attribute, out of these."""
    inside = rows[:, None] & columns[None, :] if axis == 0 else columns[:, None] & rows[None, :]
    barred = rows[:, None] | columns[None, :] if axis == 0 else columns[:, None] | rows[None, :]
    best: tuple[tuple[int, int], _Move] | None = None
    for row, column in zip(*np.nonzero(inside & (layer.tables[pair] > 0)), strict=True):
        cell = (int(row), int(column))
        move = _find_move(layer, pair, cell, barred)
        if move is not None and (best is None or move.price < best[1].price):
            best = cell, move
            if not move.price:
                break
    return best


def anybody_may_move(layer: Layer, pair: Pair) -> bool:
    """Whether every value of the two occurs with every value of the others: any rest will do."""
    if pair not in layer.free:
        others = [at for at in range(len(layer.people.sizes)) if at not in pair]
        layer.free[pair] = all((layer.tables[_ordered(one, at)] > 0).all() for one in pair for at in others)
    return layer.free[pair]


@dataclass(frozen=True, slots=True)
class _Move:
    """The opposite corner of a rectangle, how many people it takes from tables, and which cells of others it needs."""

    price: int
    other: tuple[int, int]
    more: list[tuple[Pair, int, int]]


def _find_move(layer: Layer, pair: Pair, cell: tuple[int, int], barred: Mask | None = None) -> _Move | None:
    """The cheapest rectangle through a cell round which people can be moved; the opposite corner is not `barred`."""
    table, free = layer.tables[pair], anybody_may_move(layer, pair)
    cost = cost_of(table, layer.hidden[pair], can_move(layer, pair), *cell)
    if barred is not None:
        cost[barred] = NEVER
    best: _Move | None = None
    if free:
        place = int(cost.argmin())
        price = int(cost.flat[place])
        return None if price >= NEVER else _Move(price, divmod(place, table.shape[1]), [])
    for place in np.argsort(cost, axis=None, kind="stable")[:_RECTANGLES]:
        price = int(cost.flat[place])
        if price >= NEVER or (best is not None and best.price <= price):
            break
        other = divmod(int(place), table.shape[1])
        more = _other_cells(layer, pair, cell, other)
        if more is None:
            continue
        price += sum(int(layer.tables[at][r, c]) + 1 for at, r, c in more if not layer.hidden[at][r, c])
        if best is None or price < best.price:
            best = _Move(price, other, more)
    return best


def _withhold(layer: Layer, pair: Pair, cell: tuple[int, int], move: _Move) -> Iterator[Pair]:
    """Withhold what a move changes; yields the other tables that lost cells."""
    (row, column), (row2, column2) = cell, move.other
    layer.hidden[pair][np.ix_([row, row2], [column, column2])] = True
    layer.rectangles.setdefault(pair, set()).add((row, row2, column, column2))
    for at, r, c in move.more:
        if not layer.hidden[at][r, c]:
            layer.hidden[at][r, c] = True
            yield at


def _other_cells(
    layer: Layer, pair: Pair, cell: tuple[int, int], other: tuple[int, int]
) -> list[tuple[Pair, int, int]] | None:
    """Cells of other tables that a move round this rectangle changes, the fewest found; None where none is possible."""
    best: list[tuple[Pair, int, int]] | None = None
    for turned in (False, True):
        # The first attribute is the one whose two values keep their own other attributes.
        first, second = (pair[1], pair[0]) if turned else pair
        (b, a), (b2, a2) = (cell, other) if turned else ((cell[1], cell[0]), (other[1], other[0]))
        mine = _rests(layer, (first, second), a, (b, b2))
        theirs = _rests(layer, (first, second), a2, (b, b2))
        if _occurring(layer, second, first, a2)[mine].any():
            # With one of these people's other attributes another value of the first occurs as well.
            return []
        if not len(mine) or not len(theirs):
            continue
        for one in layer.people.codes[mine[:4]].tolist():
            for two in layer.people.codes[theirs[:4]].tolist():
                more = [
                    (_ordered(second, at), *_turned(second, at, value, rest[at]))
                    for at in range(len(layer.people.sizes))
                    if at not in pair and one[at] != two[at]
                    for value in (b, b2)
                    for rest in (one, two)
                ]
                if best is None or len(more) < len(best):
                    best = more
    return best


def _ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)


def _turned(one: int, other: int, value: int, of_other: int) -> tuple[int, int]:
    return (value, of_other) if one < other else (of_other, value)


def _occurring(layer: Layer, first: int, second: int, value: int) -> Mask:
    """Of which kinds of people all but these two attributes occur with a value of the second."""
    key = (first, second, value)
    if key not in layer.occurring:
        codes = layer.people.codes
        good = np.ones(len(codes), dtype=bool)
        for at in range(codes.shape[1]):
            if at not in {first, second}:
                table = layer.tables[_ordered(second, at)]
                good &= (table[value] if second < at else table[:, value])[codes[:, at]] > 0
        layer.occurring[key] = good
    return layer.occurring[key]


def _rests(layer: Layer, order: Pair, a: int, both: tuple[int, int]) -> Whole:
    """Real people with a value of the first attribute whose other attributes occur with both values of the second.

    Kinds of them, by number.
    """
    first, second = order
    good = layer.people.codes[:, first] == a
    for value in both:
        good &= _occurring(layer, first, second, value)
    return np.flatnonzero(good)[:_RESTS]
