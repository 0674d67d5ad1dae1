"""What a reader may be shown of the aggregates: the same cells withheld on the page, in XLSX and in CSV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.domain.saying import Say
from app.domain.steps import StepKey
from app.domain.suppression import cap_percentage, suppress
from app.domain.wording import people_words
from app.features.plans.words import status_words, step_names
from app.features.reports.aggregates import STATUSES, Aggregates, Cohorts, Counted

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ShownCell:
    """One figure: its text (None: withheld) and its share of its row from 0 to 1 for the shade."""

    text: str | None
    share: float | None = None
    number: float | None = None


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table ready to be shown: a row's name, its cells, and its total (text None: withheld)."""

    key: str
    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[ShownCell, ...], ShownCell], ...]
    withheld: bool

    @property
    def has_total(self) -> bool:
        """Whether the total says more than the cells: not where there is a single column."""
        return len(self.columns) > 1

    def plain(self, word: str) -> list[list[str | float]]:
        """Rows of the name, the cells and (where there is one) the total; `word` stands for a withheld figure."""
        return [
            [name, *(_plain(cell, word) for cell in cells), *([_plain(total, word)] if self.has_total else [])]
            for name, cells, total in self.rows
        ]


@dataclass(frozen=True, slots=True)
class Shown:
    """The page: headline figures as (figure, words) and the tables."""

    tiles: tuple[tuple[str, str], ...]
    tables: tuple[ShownTable, ...]
    withheld: bool


def show(
    aggregates: Aggregates,
    _: Say,
    *,
    words: Mapping[str, str] | None = None,
    month: Callable[[str], str] = str,
) -> Shown:
    """The aggregates as they may be shown: without small cells, where they are withheld, and what gives them away.

    `words` are what the organization calls people (`app.domain.wording.people_words`); `month` writes a month
    ("2026-09") in the reader's way.
    """
    words = words or people_words("client", "counsellor", _)
    threshold = aggregates.threshold
    steps = step_names(_)
    names = tuple(f"{key.number} {steps[key]}" for key in StepKey)
    statuses = status_words(_)
    funnel = _table(
        aggregates.funnel,
        threshold,
        title=_("Where the plans are"),
        text=_("Plans by step and status."),
        rows=names,
        columns=tuple(statuses[status] for status in STATUSES),
    )
    overdue = _table(
        aggregates.overdue,
        threshold,
        title=_("Overdue work"),
        text=_("Steps past their day that nobody has handed in."),
        rows=names,
        columns=(_("late"),),
    )
    caseload = _table(
        aggregates.caseload,
        threshold,
        title=_("Caseloads"),
        text=_(
            "How many %(clients)s each has, counted with the %(counsellor)s who is first responsible for them.", **words
        ),
        rows=aggregates.caseload.rows,
        columns=(words["clients"],),
    )
    reviews = _table(
        aggregates.reviews,
        threshold,
        title=_("Answers to reviews"),
        text=_(
            "People asked to review their plan, by the month in which the review was due. Each is counted once the"
            " seven days to answer are over."
        ),
        rows=tuple(month(row) for row in aggregates.reviews.rows),
        columns=(_("answered within 7 days"), _("not within 7 days")),
    )
    # A step that nobody has completed is published as such by the funnel; then no cohort's zero tells more.
    nobody = np.array([cells[STATUSES.index("completed")].number == 0 for _name, cells, _total in funnel.rows])
    cohorts = _cohort_table(aggregates.cohorts, threshold, names, _, nobody)
    tables = tuple(table for table in (funnel, cohorts, overdue, caseload, reviews) if table.rows)
    return Shown(
        tiles=_tiles(aggregates, threshold, _, words),
        tables=tables,
        withheld=any(table.withheld for table in tables),
    )


def _table(
    counted: Counted,
    threshold: int | None,
    *,
    title: str,
    text: str,
    rows: tuple[str, ...],
    columns: tuple[str, ...],
) -> ShownTable:
    counts = counted.counts
    cells, totals = _hidden(counts, threshold)
    shown = []
    for r, name in enumerate(rows):
        whole = int(counts[r].sum())
        line = tuple(
            ShownCell(None) if cells[r, c] else ShownCell(f"{value:,}", value / whole if whole else 0.0, float(value))
            for c, value in enumerate(counts[r].tolist())
        )
        total = ShownCell(None) if totals[r] else ShownCell(f"{whole:,}", None, float(whole))
        shown.append((name, line, total))
    return ShownTable(counted.key, title, text, columns, tuple(shown), bool(cells.any() or totals.any()))


def _hidden(counts: Counts, threshold: int | None) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which cells and which row totals are withheld."""
    if threshold is None or not counts.size:
        return np.zeros(counts.shape, dtype=bool), np.zeros(counts.shape[0], dtype=bool)
    withheld = suppress(counts, threshold)
    return withheld.cells, withheld.row_totals


def _cohort_table(
    cohorts: Cohorts, threshold: int | None, steps: tuple[str, ...], _: Say, nobody: npt.NDArray[np.bool_]
) -> ShownTable:
    """The share of each cohort that completed each step.

    For each step the table of cohorts by (completed, not) is protected as a whole; a cohort that differs from
    another that holds it by a few people is withheld, because the difference would tell of those few.
    """
    sizes, completed = cohorts.sizes, cohorts.completed
    names = (*cohorts.names, _("Others"))
    cells = np.zeros(completed.shape, dtype=bool)
    totals = np.zeros(len(sizes), dtype=bool)
    if threshold is not None:
        for step in np.flatnonzero(~nobody):
            hidden = suppress(np.stack([completed[:, step], sizes - completed[:, step]], axis=1), threshold)
            # A share tells of those who completed the step and of those who did not.
            cells[:, step] = hidden.cells.any(axis=1)
            totals |= hidden.row_totals
        totals |= suppress(sizes.reshape(-1, 1), threshold).cells[:, 0]
        totals |= _few_more_than_another(cohorts, threshold)
        cells[totals] = True
        cells[:, nobody] = False
    shown = []
    for r, name in enumerate(names):
        size = int(sizes[r])
        if not size:
            continue
        line = tuple(
            ShownCell(None) if cells[r, c] else _share(int(completed[r, c]), size, None if nobody[c] else threshold)
            for c in range(completed.shape[1])
        )
        shown.append((name, line, ShownCell(None) if totals[r] else ShownCell(f"{size:,}", None, float(size))))
    return ShownTable(
        "cohorts",
        _("Completed, by cohort and step"),
        _("Share of each cohort's plans whose step is completed, in per cent; before each name the number of plans."),
        steps,
        tuple(shown),
        bool(cells.any() or totals.any()),
    )


def _few_more_than_another(cohorts: Cohorts, threshold: int) -> npt.NDArray[np.bool_]:
    """Cohorts held by another one that has fewer than `threshold` people more."""
    sizes, shared = cohorts.sizes, cohorts.shared
    found = np.zeros(len(sizes), dtype=bool)
    for one in range(len(cohorts.names)):
        for other in range(len(cohorts.names)):
            more = sizes[other] - shared[one, other]
            inside = shared[one, other] == sizes[one]
            if one != other and inside and 0 < more < threshold:
                found[one] = True
    return found


def _share(part: int, whole: int, threshold: int | None) -> ShownCell:
    if threshold is None:
        return ShownCell(f"{100 * part / whole:.0f}", part / whole, round(100 * part / whole, 1))
    capped = cap_percentage(part, whole, threshold)
    if capped.value is None:
        return ShownCell(None)
    sign = {"exact": "", "at_most": "≤ ", "at_least": "≥ "}.get(capped.kind, "")
    number = round(capped.value, 1) if capped.kind == "exact" else None
    return ShownCell(f"{sign}{capped.value:.0f}", capped.value / 100, number)


def _tiles(
    aggregates: Aggregates, threshold: int | None, _: Say, words: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Headline figures; withheld where they would say what the tables do not."""
    funnel, reviews = aggregates.funnel.counts, aggregates.reviews.counts
    completed, skipped = STATUSES.index("completed"), STATUSES.index("skipped")
    steps_hidden = people_hidden = reviews_hidden = False
    if threshold is not None:
        hidden = suppress(funnel, threshold)
        people_hidden = bool(hidden.row_totals.any() or hidden.total)
        steps_hidden = people_hidden or bool(hidden.column_totals[[completed, skipped]].any())
        hidden = suppress(reviews, threshold)
        reviews_hidden = bool(hidden.row_totals.any() or hidden.column_totals.any() or hidden.total)

    def count(value: int, withheld: bool) -> str:
        small = threshold is not None and 0 < value < threshold
        return _("withheld") if small or withheld else f"{value:,}"

    def share(part: int, whole: int, withheld: bool) -> str:
        if not whole:
            return "–"
        text = None if withheld else _share(part, whole, threshold).text
        return _("withheld") if text is None else f"{text} %"

    done = int(funnel[:, completed].sum())
    relevant = int(funnel.sum() - funnel[:, skipped].sum())
    return (
        (count(aggregates.clients, people_hidden), _("active %(clients)s", **words)),
        (count(aggregates.plans, people_hidden), _("plans")),
        (share(done, relevant, steps_hidden), _("share of all steps completed")),
        (
            share(int(reviews[:, 0].sum()), int(reviews.sum()), reviews_hidden),
            _("share of reviews answered within 7 days, six months"),
        ),
    )


def _plain(cell: ShownCell, word: str) -> str | float:
    if cell.text is None:
        return word
    return cell.text if cell.number is None else cell.number
