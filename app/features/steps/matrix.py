"""A decision matrix that several rooms share: options rated on weighted criteria, with what the result hangs on.

How a room uses it. In its content: `criteria = rows(Criterion)`, `weighting = weighting_field()`,
`pairs = comparisons()`, and option rows that inherit `Rated`. Then

    matrix = matrix_of(content, options, name_of)       the options are the room's own written rows

gives weights, totals with their basis, who leads, the smallest changes of a weight that change it, options that are
dominated, and criteria without spread. With `fall_back` the weights given directly count while comparisons do not.
`settle_pairs(content)` drops comparisons whose criteria are gone. The sentences of the completion rule and of the
result, and the blocks of a report, are in `app.features.steps.matrix_words`, the form's half in
`app.features.steps.matrix_forms`, its macros in `app/templates/steps/matrix.html`. All here is pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from marshmallow import ValidationError, fields, post_load, validate

from app.domain import decisions
from app.domain.pairs import pair_order
from app.domain.saying import later
from app.features.plans.rooms import Content
from app.features.steps.parts import MOST_LINE, ROW_ID, Row, StrictSchema, line, number, whole, written

WEIGHTINGS: Final = ("direct", "pairs")
# How many times as important one of two can be said to be (Saaty's scale, every second step).
SCALE: Final = (9.0, 7.0, 5.0, 3.0, 1.0, 1 / 3, 1 / 5, 1 / 7, 1 / 9)
_MOST_TIMES: Final = 9.0
_RATING: Final = (1, 5)


class Criterion(Row):
    """What a good choice must fit, with its weight from 0 (does not count) to 10."""

    name = line()
    weight = whole(0, 10)


class Comparison(StrictSchema):
    """Criterion `first` is `times` (1/9 to 9) as important as criterion `second`, both ids; and why. None: not said."""

    first = fields.String(required=True, validate=validate.Regexp(ROW_ID))
    second = fields.String(required=True, validate=validate.Regexp(ROW_ID))
    times = number(1 / _MOST_TIMES, _MOST_TIMES)
    why = fields.String(load_default="", validate=validate.Length(max=MOST_LINE))

    @post_load
    def _two(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if data["first"] == data["second"]:
            raise ValidationError(later("Compare two different criteria."), "second")
        return data


class Rated(Row):
    """An option's rating (1 to 5) on each criterion, by the criterion's id."""

    ratings = fields.Dict(
        keys=fields.String(validate=validate.Regexp(ROW_ID)),
        values=fields.Integer(strict=True, validate=validate.Range(*_RATING)),
        load_default=dict,
    )


def weighting_field(default: str | None = None) -> fields.String:
    """Whether the weights are given directly or by comparing two criteria at a time; None counts as directly."""
    return fields.String(load_default=default, allow_none=True, validate=validate.OneOf(WEIGHTINGS))


def comparisons() -> fields.Field[list[Any]]:
    """The comparisons of criteria: at most all pairs of the most that can be compared, and each pair once."""
    most = decisions.MOST_COMPARED * (decisions.MOST_COMPARED - 1) // 2
    return fields.List(fields.Nested(Comparison), load_default=list, validate=[validate.Length(max=most), _each_once])


def _each_once(rows: Sequence[Mapping[str, Any]]) -> None:
    if len({frozenset((row["first"], row["second"])) for row in rows}) < len(rows):
        raise ValidationError(later("Compare each two criteria once."))


def settle_pairs(content: Content) -> dict[str, Any]:
    """The content with comparisons of criteria that are there; those of others are dropped with their criterion."""
    ids = {row["id"] for row in written(content, "criteria", "name")}
    return dict(content) | {
        "pairs": [row for row in content.get("pairs", ()) if {row["first"], row["second"]} <= ids],
    }


def pairs_to_compare(content: Content) -> list[tuple[str, str]]:
    """Every two named criteria once (ids), in the order they are asked; empty for more than can be compared."""
    ids = [row["id"] for row in written(content, "criteria", "name")]
    return pair_order(ids) if len(set(ids)) == len(ids) <= decisions.MOST_COMPARED else []


Lack = Literal["none", "open", "inconsistent", "too_many"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of 1 by criterion id, and where they come from; empty where nothing can be weighed.

    `asked` is whether the comparisons shall give the weights. Where it is, or where nothing is weighted at all, `lack`
    says why they do not: "none": nothing is weighted; "open": pairs are left to compare; "inconsistent": the
    comparisons contradict each other too much (CR above .10); "too_many": more criteria than can be compared.
    `pairs` are all pairs of criteria (ids) as they are asked, `left` those not compared. `pairwise` is there once none
    is left, also where it is refused or not asked for; `order` names the criteria it is over.
    """

    shares: Mapping[str, float]
    asked: bool
    lack: Lack | None
    pairs: tuple[tuple[str, str], ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    pairwise: decisions.Pairwise | None = None
    order: tuple[str, ...] = ()

    @property
    def by_pairs(self) -> bool:
        """Whether the weights that count come from the comparisons."""
        return self.asked and self.lack is None

    @property
    def refused(self) -> bool:
        """Whether all pairs are compared and contradict each other too much to serve as weights."""
        return self.pairwise is not None and not self.pairwise.usable


def weights_of(content: Content, *, fall_back: bool = False) -> Weights:
    """The weights of the named criteria as the content says them; see `Weights`.

    With `fall_back` the weights given directly count where comparisons were asked for and do not serve.
    """
    criteria = written(content, "criteria", "name")
    order = tuple(row["id"] for row in criteria)
    pairs, left, pairwise = _compared(content, order)
    given = [float(row.get("weight") or 0) for row in criteria]
    direct = dict(zip(order, decisions.shares(given).tolist(), strict=True)) if any(given) else {}
    asked = content.get("weighting") == "pairs"
    lack: Lack | None = None
    if not order or not (asked or direct):
        lack = "none"
    elif asked and pairwise is None:
        lack = "too_many" if len(order) > decisions.MOST_COMPARED else "open"
    elif asked and pairwise is not None and not pairwise.usable:
        lack = "inconsistent"
    shares = direct if not asked or (lack and fall_back) else {}
    if asked and lack is None and pairwise is not None:
        shares = dict(zip(order, pairwise.weights, strict=True))
    return Weights(shares, asked, lack, pairs, left, pairwise, order)


def _compared(
    content: Content, order: Sequence[str]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], decisions.Pairwise | None]:
    """All pairs, those left to compare, and what the comparisons come to once none is left."""
    place = {name: number for number, name in enumerate(order)}
    said = {
        (place[row["first"]], place[row["second"]]): float(row["times"])
        for row in content.get("pairs", ())
        if row.get("times") and row["first"] in place and row["second"] in place
    }
    pairs = tuple(pairs_to_compare(content))
    known = {frozenset(pair) for pair in said}
    left = tuple(pair for pair in pairs if {place[name] for name in pair} not in known)
    matrix = decisions.pairwise_matrix(len(order), said) if 1 <= len(order) <= decisions.MOST_COMPARED else None
    return pairs, left, None if matrix is None else decisions.pairwise_weights(matrix)


@dataclass(frozen=True, slots=True)
class Shift:
    """The smallest change of one criterion's weight (shares of 1) after which `rival` leads instead."""

    criterion: str
    rival: str
    weight: float
    becomes: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """Options by id with their names, what they come to, and what the result hangs on.

    `totals` are weighted means of ratings (1 to 5), None where nothing weighted is rated; `basis` the share of the
    weights behind each. `leaders` are the options with the highest total, several where they are level; empty while
    an option's basis is below 1 and without weights, because unlike bases do not compare. `shifts` has for each
    criterion the smallest change that changes the winner, smallest first. `dominated`: option to those never worse
    and once better. `flat`: criteria on which all options are rated alike. `unrated`: options that lack a rating on a
    criterion that counts.
    """

    criteria: Mapping[str, str]
    options: Mapping[str, str]
    ratings: Mapping[str, Mapping[str, int]]
    weights: Weights
    totals: Mapping[str, float | None]
    basis: Mapping[str, float]
    leaders: tuple[str, ...]
    shifts: tuple[Shift, ...]
    dominated: Mapping[str, tuple[str, ...]]
    flat: tuple[str, ...]
    unrated: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether there are weights and every option is rated on every criterion that counts."""
        return bool(self.weights.shares) and not self.unrated

    @property
    def firm(self) -> tuple[str, ...]:
        """Criteria that count and whose weight alone changes nothing; empty while nothing leads."""
        moving = {shift.criterion for shift in self.shifts}
        shares = self.weights.shares
        return tuple(one for one in self.criteria if self.leaders and shares.get(one) and one not in moving)

    def ordered(self) -> list[str]:
        """The options, the highest total first; those without one last, as they were written."""
        return sorted(self.options, key=lambda option: -(self.totals.get(option) or 0.0))


def matrix_of(
    content: Content,
    options: Sequence[Mapping[str, Any]],
    name_of: Callable[[Mapping[str, Any]], str],
    *,
    fall_back: bool = False,
) -> Matrix:
    """The matrix of a content's criteria over the room's `options`: rows with `id` and `ratings`; see `weights_of`."""
    criteria = {row["id"]: row["name"] for row in written(content, "criteria", "name")}
    names = {row["id"]: name_of(row) for row in options}
    ratings = {row["id"]: {k: v for k, v in (row.get("ratings") or {}).items() if k in criteria} for row in options}
    weights = weights_of(content, fall_back=fall_back)
    columns = tuple(criteria)
    table = np.array(
        [[ratings[option].get(column, np.nan) for column in columns] for option in names], dtype=np.float64
    ).reshape(len(names), len(columns))
    if not weights.shares or not names:
        unrated = tuple(option for option in names if len(ratings[option]) < len(columns))
        return Matrix(criteria, names, ratings, weights, {}, {}, (), (), {}, (), unrated)
    share = [weights.shares.get(column, 0.0) for column in columns]
    found = decisions.weighted_sum(table, share)
    ids = tuple(names)
    totals = {
        option: None if np.isnan(total) else float(total) for option, total in zip(ids, found.totals, strict=True)
    }
    counts = [weight > 0 for weight in share]
    known = [not np.isnan(row[np.array(counts)]).any() for row in table]
    unrated = tuple(option for option, all_known in zip(ids, known, strict=True) if not all_known)
    leaders: tuple[str, ...] = ()
    shifts: tuple[Shift, ...] = ()
    if not unrated:
        # Ratings on a criterion without weight do not count; left unknown they would make the sums unknown.
        counted = np.where(np.array(counts), table, 0.0)
        best = float(np.max(found.totals))
        leaders = tuple(option for option, total in totals.items() if total is not None and best - total <= 1e-9)
        if len(leaders) == 1:
            shifts = tuple(
                Shift(columns[one.criterion], ids[one.rival], one.weight, one.becomes)
                for one in decisions.shifts(counted, share)
                if counts[one.criterion]
            )
    return Matrix(
        criteria,
        names,
        ratings,
        weights,
        totals,
        dict(zip(ids, found.basis.tolist(), strict=True)),
        leaders,
        shifts,
        {ids[k]: tuple(ids[other] for other in v) for k, v in decisions.dominated(table, counts).items()},
        tuple(columns[number] for number in decisions.without_spread(table) if counts[number]),
        unrated,
    )
