"""Works all figures out at one moment, withholds what must be, and keeps them until they may be others.

Exact figures are worked out again when something they count has changed. Those with small groups withheld are worked
out once a day: two of them a minute apart would tell who did what in that minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations, product
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import delete, exists, func, insert, select, text, tuple_

from app.domain import access
from app.domain.access import Permission
from app.domain.linked_people import Mask, Pair, Whole, Withheld, few
from app.domain.linked_tables import protect
from app.domain.means import mean_interval
from app.domain.told_sums import told_of_cells, told_of_values
from app.features.figures.coarser import sums_of
from app.features.figures.counting import Counted, count_people, part_of
from app.features.figures.definitions import BY_KEY, PEOPLE, WHOLES
from app.features.figures.graduates import Part
from app.features.figures.joint import Joint, rows_of
from app.features.figures.kinds import Attribute, Floats, View
from app.features.figures.models import FigureKinds, FigureMark, FigureRelease, FigureTable
from app.features.figures.periods import spans_of
from app.features.figures.scales import Scale
from app.features.organizations.models import Organization, Term
from app.features.organizations.queries import today_here
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime

# Of this transaction alone. Who waits holds a place of the web server, and the proxy before it gives up after 75 s.
_PATIENCE = text("SELECT set_config('lock_timeout', '15s', true), set_config('statement_timeout', '70s', true)")
Address = tuple[str, str, str]
# By what the people with a plan can be asked, and by what the graduates.
Attributes = Mapping[str, tuple[Attribute, ...]]
Wanted = Callable[[Attributes], list[Address]]


@dataclass(frozen=True, slots=True)
class Release:
    """Figures as of one moment; `threshold` is None where they are exact.

    `tables` holds what has been read or worked out: by figure and one or two attributes ("": none), the numbers of
    each part, None where withheld: one number, a list, or a list of lists; of a mean the mean and its interval.
    `scales` names those that can be asked for, and `verdicts` those of them of which changed beyond error is known.
    """

    moment: datetime
    day: date
    threshold: int | None
    attributes: Attributes
    tables: dict[Address, dict[str, Any]]
    scales: dict[str, str]
    verdicts: tuple[str, ...]
    # What those with small groups withheld were worked out of, where that is not kept.
    joint: Joint | None = None


def read_release(uow: UnitOfWork, wanted: Wanted, *, withhold: bool) -> Release:
    """The figures at the addresses that are wanted of the attributes there are, kept ones where nothing changed.

    Addresses that there are not are left out.
    """
    today = today_here(uow)
    least = uow.session.scalars(select(Organization.small_cell_threshold)).one() if withhold else None
    if not uow.actor.may(Permission.READ_ALL_AGGREGATES):
        # A caseload is small; keeping one for every counsellor would cost more than counting.
        return _only(_make(*count_people(uow, today, least), uow.now, today, least), wanted)
    release = _kept(uow, today, least)
    if release is None:
        # One works them out, the others wait for it and take what it kept.
        _wait_for_turn(uow)
        release = _kept(uow, today, least)
    if release is None:
        return _only(_renew(uow, today, least), wanted)
    attributes = {
        whole: tuple(
            Attribute(a["key"], a["label"], a["kind"], tuple(a["values"]))
            for a in release.attributes
            if a["whole"] == whole
        )
        for whole in WHOLES
    }
    address = tuple_(FigureTable.figure, FigureTable.first, FigureTable.second)
    found = uow.session.execute(
        select(FigureTable.figure, FigureTable.first, FigureTable.second, FigureTable.parts).where(
            FigureTable.withheld == withhold, address.in_(set(wanted(attributes)))
        )
    ).all()
    tables = {(figure, first, second): parts for figure, first, second, parts in found}
    scales = {key: label for key, label, _ in release.scales}
    verdicts = tuple(key for key, _, known in release.scales if known)
    return Release(release.moment, release.day, least, attributes, tables, scales, verdicts)


def count_cohort(uow: UnitOfWork, cohort: UUID) -> Release:
    """The exact figures of a cohort's people as they are now, by nothing."""
    today = today_here(uow)
    return _make(*count_people(uow, today, cohort=cohort), uow.now, today, None)


def _wait_for_turn(uow: UnitOfWork) -> None:
    """Until this transaction ends nobody else of the organization counts.

    With hundreds of thousands of people that takes longer than anything else may hold a request up.
    """
    uow.session.execute(_PATIENCE)
    lock = func.hashtextextended(f"figures {uow.actor.organization_id}", 0)
    uow.session.execute(select(func.pg_advisory_xact_lock(lock)))


def count_within(uow: UnitOfWork, day: str, kind: str, values: Sequence[str]) -> Release:
    """The exact figures, as they are now, of those whose plan began or whose last review was due in some periods."""
    _wait_for_turn(uow)
    today, terms = today_here(uow), uow.session.scalars(select(Term)).all()
    within = day, spans_of(kind, values, terms)
    return _make(*count_people(uow, today, within=within), uow.now, today, None)


def forget_marks(uow: UnitOfWork) -> None:
    """Throw away notes of changes, with the exact figures they spoke of; what is not committed yet stays noted."""
    if uow.session.execute(delete(FigureMark).returning(FigureMark.id)).first():
        uow.session.execute(delete(FigureRelease).where(~FigureRelease.withheld))


def sweep(runtime: Runtime, organization_id: UUID) -> None:
    """Keep notes of changes from growing where nobody looks at figures."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        forget_marks(uow)


def _only(release: Release, wanted: Wanted) -> Release:
    addresses = wanted(release.attributes)
    tables = {address: release.tables[address] for address in addresses if address in release.tables}
    return replace(release, tables=tables)


def _kept(uow: UnitOfWork, today: date, threshold: int | None) -> FigureRelease | None:
    """The kept release, if it still holds."""
    fresh = (FigureRelease.day == today) & FigureRelease.threshold.is_not_distinct_from(threshold)
    if threshold is None:
        fresh &= ~exists().where(FigureMark.organization_id == FigureRelease.organization_id)
    found = select(FigureRelease).where(FigureRelease.withheld == (threshold is not None), fresh)
    return uow.session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def _renew(uow: UnitOfWork, today: date, threshold: int | None) -> Release:
    """Work the figures out and keep them.

    Notes of changes are taken away by a statement before the counting one: a change the count does not see yet
    leaves its note behind, and the next reader counts again.
    """
    forget_marks(uow)
    uow.session.execute(delete(FigureRelease).where(FigureRelease.withheld == (threshold is not None)))
    made = _make(*count_people(uow, today, threshold), uow.now, today, threshold)
    uow.session.execute(
        insert(FigureRelease),
        {
            "withheld": threshold is not None,
            "day": today,
            "moment": made.moment,
            "threshold": threshold,
            "attributes": [
                {"whole": whole, "key": a.key, "label": a.label, "kind": a.kind, "values": list(a.values)}
                for whole, attributes in made.attributes.items()
                for a in attributes
            ],
            "scales": [[key, label, key in made.verdicts] for key, label in made.scales.items()],
        },
    )
    uow.session.execute(
        insert(FigureTable),
        [
            {"withheld": threshold is not None, "figure": figure, "first": first, "second": second, "parts": parts}
            for (figure, first, second), parts in made.tables.items()
        ],
    )
    if made.joint is not None:
        uow.session.execute(insert(FigureKinds), list(rows_of(made.joint)))
    return made


def _make(
    each: Mapping[str, Counted], scales: Sequence[Scale], moment: datetime, day: date, threshold: int | None
) -> Release:
    tables: dict[Address, dict[str, Any]] = {}
    attributes: dict[str, tuple[Attribute, ...]] = {}
    joint = None
    for whole, counted in each.items():
        shown = {} if threshold is None else _protect(whole, counted, threshold)
        attributes[whole] = tuple(view.attribute for view in counted.views)
        if whole == PEOPLE and threshold is not None:
            joint = Joint(counted.people, counted.views, threshold, counted.so, counted.sums, shown)
        for key, so in counted.so.items():
            for address, numbers in _numbers(counted, so, key, shown):
                tables.setdefault((key[0], *address), {})[key[1]] = numbers
        for key, sums in counted.sums.items():
            over = _out_of(key)
            for address, means in _means(counted, counted.so[over], sums, over, shown):
                tables.setdefault((key[0], *address), {})[key[1]] = means
    names = {scale.key: scale.label for scale in scales}
    verdicts = tuple(scale.key for scale in scales if scale.error_known)
    return Release(moment, day, threshold, attributes, tables, names, verdicts, joint)


Shown = dict[Part, Withheld]


def _protect(whole: str, counted: Counted, threshold: int) -> Shown:
    """What to withhold of each part of each figure that is out of this whole."""
    places = {name: number for number, name in enumerate(counted.tree)}
    nodes = counted.tree.values()
    out_of = [None if one.of is None else ~places[one.of] if one.noes else places[one.of] for one in nodes]
    base, each = protect(
        counted.people, [one.so for one in nodes], threshold, out_of=out_of, sums=sums_of(counted.views)
    )
    return {key: each[places[name]] for key, name in counted.decides.items()} | {(whole, "all"): base}


def _out_of(key: Part) -> Part:
    figure = BY_KEY[key[0]]
    return figure.of, part_of(figure, key[1])


def _numbers(counted: Counted, so: Whole, key: Part, shown: Shown) -> Iterator[tuple[tuple[str, str], Any]]:
    """The numbers of one part by nothing, by each attribute and by each two, None where they are withheld."""
    for address, numbers, mask in _tables(counted, [so], key, shown):
        yield address, _leaves(numbers[0].astype(np.int64), mask)


def _means(
    counted: Counted, so: Whole, sums: tuple[Floats, Floats], key: Part, shown: Shown
) -> Iterator[tuple[tuple[str, str], Any]]:
    """Means with their intervals, withheld where the number of people is that they are of; None of nobody too."""
    for address, (n, total, squares), mask in _tables(counted, [so, *sums], key, shown):
        yield address, _together(*(_leaves(one, mask) for one in mean_interval(n, total, squares)))


def _tables(
    counted: Counted, each: Sequence[Any], key: Part, shown: Shown
) -> Iterator[tuple[tuple[str, str], list[Floats], Mask]]:
    """Every table of these sums of rows, all by nothing, one and two attributes, with what of it is withheld."""
    people, withheld, over = counted.people, shown.get(key), _out_of(key)
    everything = withheld is not None and withheld.everything
    yield ("", ""), [np.asarray(one.sum(), dtype=np.float64) for one in each], np.asarray(everything, dtype=bool)
    views: dict[int, list[View]] = {}
    for view in counted.views:
        views.setdefault(view.code, []).append(view)
    for code, seen in views.items():
        lines = [people.sums(code, one) for one in each]
        n, yes = people.by(code, counted.so[over]), people.by(code, counted.so[key])
        for view in seen:
            mask = _withheld_values(withheld, view, counted.threshold, (n, None if key == over else yes))
            yield (view.attribute.key, ""), [_seen(view, line) for line in lines], mask
    for pair in combinations(views, 2):
        tables = [people.sums_by_two(pair, one) for one in each]
        n, yes = people.by_two(pair, counted.so[over]), people.by_two(pair, counted.so[key])
        hidden = _cells(withheld, shown.get(over), pair, n)
        for one, two in product(views[pair[0]], views[pair[1]]):
            mask = _withheld_cells(withheld, (one, two), hidden, counted.threshold, (n, None if key == over else yes))
            address = one.attribute.key, two.attribute.key
            yield address, [_seen(two, _seen(one, table).T).T for table in tables], mask


def _seen(view: View, table: Any) -> Any:
    """A table whose lines are the codes of a view's attribute, by the values of the view."""
    return table if view.union is None else view.union @ table


def _withheld_values(withheld: Withheld | None, view: View, threshold: int, counts: tuple[Whole, Whole | None]) -> Mask:
    """What is withheld of the values of a view; `counts` are people and yeses by the values of its attribute."""
    if withheld is None:
        return np.zeros(len(view.attribute.values), dtype=bool)
    mask = withheld.values[view.code] | withheld.everything
    if view.union is None:
        return mask
    some = view.union @ mask.astype(np.int64) > 0
    n, yes = view.union @ counts[0], None if counts[1] is None else view.union @ counts[1]
    told = told_of_values(mask, view.union) & ~few(n, yes, threshold) & (not withheld.everything)
    return np.asarray(some & ~told | view.split, dtype=bool)


def _withheld_cells(
    withheld: Withheld | None,
    views: tuple[View, View],
    hidden: Mask,
    threshold: int,
    counts: tuple[Whole, Whole | None],
) -> Mask:
    """The same of the cells of two views: a sum with withheld ones is shown where it is known all the same."""
    one, two = views
    if withheld is None:
        return np.zeros((len(one.attribute.values), len(two.attribute.values)), dtype=bool)
    if one.union is None and two.union is None:
        return hidden

    def of_views(table: Whole) -> Whole:
        return np.asarray(_seen(two, _seen(one, table).T).T, dtype=np.int64)

    some = of_views(hidden.astype(np.int64)) > 0
    split = one.split[:, None] | two.split[None, :]
    if withheld.everything or not some.any():
        return np.asarray(some | split, dtype=bool)
    n, yes = counts
    n, yes = of_views(n), None if yes is None else of_views(yes)
    values = withheld.values[one.code], withheld.values[two.code]
    told = told_of_cells(hidden, values, one.lines, two.lines) & ~few(n, yes, threshold)
    return np.asarray(some & ~told | split, dtype=bool)


def _leaves(numbers: Any, mask: Mask) -> Any:
    """Numbers as JSON keeps them, None where they are withheld."""
    leaves = np.asarray(numbers).astype(object)
    leaves[mask | np.isnan(numbers)] = None
    return leaves.tolist()


def _together(mean: Any, low: Any, high: Any) -> Any:
    if isinstance(mean, list):
        return [_together(*each) for each in zip(mean, low, high, strict=True)]
    return None if mean is None else [mean, low, high]


def _cells(withheld: Withheld | None, over: Withheld | None, pair: Pair, people: Whole) -> Mask:
    if withheld is None or over is None:
        return np.zeros(people.shape, dtype=bool)
    # Of nobody nobody is so: a zero of a group that is published as empty tells nothing more.
    empty = (people == 0) & ~over.of_pair(pair)
    return np.asarray(withheld.of_pair(pair) & ~empty, dtype=bool)
