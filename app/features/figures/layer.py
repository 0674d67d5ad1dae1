"""The one way to a figure: a question is answered alike for page, CSV, XLSX, JSON, reports and whatever comes later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Any

from app.domain.access import Permission
from app.domain.errors import Conflict, NotFound
from app.domain.saying import later
from app.domain.suppression import cap_percentage
from app.features.figures.adding import add_up, mean_of
from app.features.figures.counting import part_of
from app.features.figures.definitions import BY_KEY, PEOPLE, Figure, whole_of
from app.features.figures.joint import read_joint
from app.features.figures.kept import Address, Attributes, Release, count_within, read_release
from app.features.figures.kinds import APART, OVERLAPPING, REVIEWED, STARTED, Attribute, day_of, kind_of
from app.features.figures.within import cells_within, needed_of
from app.infra.db.open import UnitOfWork

FIRST = "@first"


@dataclass(frozen=True, slots=True)
class Question:
    """Which figure, by which attributes (keys; empty: none; FIRST: the first there is).

    `since` and `until` are two periods of one kind, each as "key:value"; then it is of those in one of the periods from
    the one to the other; where small groups are withheld, by at most one attribute. `withhold` is only asked of those
    who may choose.
    """

    figure: str = "completed"
    first: str = ""
    second: str = ""
    withhold: bool = False
    since: str = ""
    until: str = ""

    @property
    def period(self) -> str:
        """The kind of period that it is restricted to, an attribute's key; empty where it is not."""
        return self.since.partition(":")[0]

    def as_asked(self) -> dict[str, str]:
        """The question as an address, a schedule and a kept file have it; what is empty is left out."""
        small = "withheld" if self.withhold else ""
        asked = {"figure": self.figure, "by": self.first, "and_by": self.second, "small": small}
        asked |= {"since": self.since, "until": self.until}
        return {key: value for key, value in asked.items() if value}


def question_of(asked: Mapping[str, str], *, by: str = "") -> Question:
    """What an address, a schedule or a kept file asks; `by` stands where it names no attribute at all."""
    return Question(
        asked.get("figure", "completed"),
        asked.get("by", by),
        asked.get("and_by", ""),
        asked.get("small") == "withheld",
        # One of them alone is that period.
        asked.get("since") or asked.get("until", ""),
        asked.get("until") or asked.get("since", ""),
    )


@dataclass(frozen=True, slots=True)
class Number:
    """One figure of one group; `people` and `number` are None where withheld.

    `people` are those the figure is out of, and `percent` is the share of them; where `bound` is "at_most" or
    "at_least" the share is beyond it. A mean has no share: both numbers say of how many people it is, and it is None
    where it is withheld or of nobody, `low` and `high` (its interval) of one person too.
    """

    part: str
    first: Any
    second: Any
    people: int | None
    number: int | None
    percent: float | None
    bound: str = ""
    mean: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A figure with what has to stand beside it. `numbers` go by part, then by the first and the second attribute.

    `parts` are the parts it has now, by key; of scales with their names, of others without. `scales` are those by
    which figures have parts, with their names.
    """

    figure: Figure
    moment: datetime
    threshold: int | None
    offered: tuple[Attribute, ...]
    first: Attribute | None
    second: Attribute | None
    numbers: tuple[Number, ...]
    parts: dict[str, str] = field(default_factory=dict)
    scales: dict[str, str] = field(default_factory=dict)
    verdicts: tuple[str, ...] = ()
    # The first and the last period that it is restricted to, as they were asked.
    since: str = ""
    until: str = ""
    # How many people have a plan, or graduated, whatever the figure is out of; None where withheld.
    people: int | None = None

    @property
    def withheld(self) -> bool:
        """Whether any number is withheld."""
        return any(number.number is None for number in self.numbers)


def withholds(uow: UnitOfWork, asked: bool) -> bool:
    """Whether small groups are withheld: always from those who may not see the people, else when asked for."""
    return asked or not uow.actor.may(Permission.READ_CLIENTS)


def ask(uow: UnitOfWork, question: Question) -> Answer:
    """Answer a question as the reader may know it.

    Raises NotFound for a figure or attribute that is not offered, or the same attribute twice.
    """
    if question.figure not in BY_KEY:
        raise NotFound("There is no such figure.")
    release = read_release(uow, lambda offered: _wanted(question, offered), withhold=withholds(uow, question.withhold))
    answer = _answer(release, question)
    if answer is None and question.since:
        answer = (_count if release.threshold is None else _told_within)(uow, release, question)
    if answer is None:
        kinds = {one.key: one for one in release.attributes[whole_of(BY_KEY[question.figure])]}
        if question.since and _run(question, kinds.get(question.period)) is None:
            raise NotFound("There is no such period. Choose two of one kind, the earlier first, or one alone.")
        raise NotFound(
            later(
                "Figures are not offered by this. Choose from the list; an attribute needs 2 to 50 values, and where"
                " small groups are withheld, two of them within a period need enough people."
            )
        )
    return answer


def _count(uow: UnitOfWork, release: Release, question: Question) -> Answer | None:
    """An exact answer by two attributes of a run of periods, counted now; None where it is not offered by these."""
    three = _three(release, question)
    if three is None:
        return None
    known, first, second, run = three
    kind = known[question.period]
    counted = count_within(uow, day_of(kind.key), kind_of(kind.key), kind.values[run])
    found = _answer(counted, replace(question, first=first, second=second, since="", until=""))
    counts = {} if found is None else {(one.part, one.first, one.second): one for one in found.numbers}
    figure = BY_KEY[question.figure]
    parts = parts_of(figure, release.scales, release.verdicts)
    nobody = (0, None if figure.mean else 0)
    # Of values that nobody within the period has nothing was counted.
    numbers = tuple(
        counts.get(place) or number_of(figure, place[0], place[1:], nobody, None)
        for place in product(parts, known[first].values, known[second].values)
    )
    return Answer(
        figure,
        counted.moment,
        None,
        tuple(known.values()),
        known[first],
        known[second],
        numbers,
        parts,
        release.scales,
        release.verdicts,
        question.since,
        question.until,
        0 if found is None else found.people,
    )


def _told_within(uow: UnitOfWork, release: Release, question: Question) -> Answer | None:
    """The same where small groups are withheld, as of the release; None where it is not offered by these."""
    figure, three = BY_KEY[question.figure], _three(release, question)
    # Of the two days, the one the plan began on is the one that is restricted.
    if three is None or (day_of(question.period) == REVIEWED and STARTED in {day_of(key) for key in three[1:3]}):
        return None
    known, first, second, run = three
    parts = parts_of(figure, release.scales, release.verdicts)
    joint = release.joint or read_joint(
        uow, list(known.values()), needed_of(figure, list(parts)), moment=release.moment
    )
    if joint is None:
        raise Conflict("The figures were worked out anew while you asked. Ask once more.")
    cells = cells_within(joint, figure, list(parts), (first, second), (question.period, run))
    if cells is None:
        return None
    return Answer(
        figure,
        release.moment,
        release.threshold,
        tuple(known.values()),
        known[first],
        known[second],
        tuple(number_of(figure, part, (one, other), (n, so), release.threshold) for (part, one, other), n, so in cells),
        parts,
        release.scales,
        release.verdicts,
        question.since,
        question.until,
        release.tables[PEOPLE, "", ""]["all"],
    )


def _three(release: Release, question: Question) -> tuple[dict[str, Attribute], str, str, slice] | None:
    """What is offered, the two attributes asked for and which periods; None where it is no such question."""
    offered = release.attributes[whole_of(BY_KEY[question.figure])]
    first, second = _by(question, offered)
    known = {attribute.key: attribute for attribute in offered}
    run = _run(question, known.get(question.period))
    told = [first, second, question.period]
    if run is None or any(key not in known for key in told) or len({day_of(key) for key in told}) < len(told):
        return None
    return known, first, second, run


def ask_offered(uow: UnitOfWork, questions: Sequence[Question], *, withhold: bool = False) -> list[Answer]:
    """The answers to those of these questions that are offered, all of one moment."""
    release = read_release(
        uow,
        lambda offered: [address for question in questions for address in _wanted(question, offered)],
        withhold=withholds(uow, withhold),
    )
    answers = (_answer(release, question) for question in questions)
    return [answer for answer in answers if answer is not None]


def _answer(release: Release, question: Question) -> Answer | None:
    """The answer a release has; None where it is not offered by these attributes."""
    figure = BY_KEY[question.figure]
    whole = whole_of(figure)
    offered = release.attributes[whole]
    first, second = _by(question, offered)
    known = {attribute.key: attribute for attribute in offered}
    told = [key for key in (first, second, question.period) if key]
    # Two kinds of periods of the same day are not told together.
    if any(key not in known for key in told) or len({day_of(key) for key in told}) < len(told):
        return None
    parts = parts_of(figure, release.scales, release.verdicts)
    turned = False
    if question.since:
        found = None if second else _within(release, question, first, known.get(question.period))
        if found is None:
            return None
        numbers, people = found
    else:
        at, turned = _ordered(known, first, second)
        # Of a questionnaire that nobody took there are no tables.
        numbers, people = (release.tables.get((key, *at), {}) for key in (figure.key, figure.of))
    return Answer(
        figure,
        release.moment,
        release.threshold,
        offered,
        known.get(first),
        known.get(second),
        tuple(
            number_of(figure, part, place, (n, so), release.threshold)
            for part in parts
            for place, n, so in _places(
                numbers[part], people[part_of(figure, part)], known.get(first), known.get(second), turned
            )
        ),
        parts,
        release.scales,
        release.verdicts,
        question.since,
        question.until,
        release.tables[whole, "", ""]["all"],
    )


def _ordered(known: Mapping[str, Any], first: str, second: str) -> tuple[tuple[str, str], bool]:
    """A table is kept once for two attributes, in the order in which they are offered; and whether that is turned."""
    turned = bool(second) and [key for key in known if key in {first, second}] != [first, second]
    return ((second, first) if turned else (first, second)), turned


def _run(question: Question, kind: Attribute | None) -> slice | None:
    """Which values of a kind of period are asked for; None where there are none of such."""
    ends = [end.partition(":") for end in (question.since, question.until)]
    if kind is None or kind.kind not in {APART, OVERLAPPING}:
        return None
    if any(key != kind.key or value not in kind.values for key, _, value in ends):
        return None
    since, until = (kind.values.index(value) for _, _, value in ends)
    if since > until or (kind.kind == OVERLAPPING and since != until):
        return None
    return slice(since, until + 1)


def _within(
    release: Release, question: Question, first: str, kind: Attribute | None
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The numbers, and those they are out of, of whoever is in a run of periods; None where there are none of such."""
    figure, run = BY_KEY[question.figure], _run(question, kind)
    if kind is None or run is None:
        return None
    known = dict.fromkeys(attribute.key for attribute in release.attributes[whole_of(figure)])
    at, turned = _ordered(known, kind.key, first)

    def lines(table: Any) -> list[Any]:
        """What is added up: a number of each period, or a line of them by the attribute."""
        by_period = [list(column) for column in zip(*table, strict=True)] if turned else table
        return list(by_period[run])

    people, numbers = (release.tables.get((key, *at), {}) for key in (figure.of, figure.key))
    added = {part: add_up(lines(table)) for part, table in people.items()}
    if not figure.mean:
        return {part: add_up(lines(table)) for part, table in numbers.items()}, added
    of = {part: lines(people[part_of(figure, part)]) for part in numbers}
    return {part: mean_of(lines(table), of[part]) for part, table in numbers.items()}, added


def _by(question: Question, offered: Sequence[Attribute]) -> tuple[str, str]:
    """The attributes that are asked for, none before one."""
    first, second = question.first, question.second
    if first == FIRST:
        first = next((attribute.key for attribute in offered if attribute.key != second), "")
    return (first, second) if first else (second, "")


def _wanted(question: Question, offered: Attributes) -> list[Address]:
    whole = whole_of(BY_KEY[question.figure])
    first, second = _by(question, offered[whole])
    second = question.period or second
    # A table is kept once for two attributes, in the order in which they are offered.
    of = BY_KEY[question.figure].of
    tables = [(key, *by) for key in (question.figure, of) for by in ((first, second), (second, first))]
    return [*tables, (whole, "", "")]


def parts_of(figure: Figure, scales: dict[str, str], verdicts: Sequence[str]) -> dict[str, str]:
    """The parts of a figure by key, of scales with their names."""
    if figure.per != "scale":
        return dict.fromkeys(figure.parts, "")
    return {key: label for key, label in scales.items() if figure.key != "beyond" or key in verdicts}


def _places(
    numbers: Any, people: Any, first: Attribute | None, second: Attribute | None, turned: bool
) -> Iterator[tuple[tuple[Any, Any], int | None, Any]]:
    if first is None:
        yield (None, None), people, numbers
    elif second is None:
        for row, value in enumerate(first.values):
            yield (value, None), people[row], numbers[row]
    else:
        for row, value in enumerate(first.values):
            for column, other in enumerate(second.values):
                r, c = (column, row) if turned else (row, column)
                yield (value, other), people[r][c], numbers[r][c]


def number_of(
    figure: Figure, part: str, place: tuple[Any, Any], counted: tuple[int | None, Any], threshold: int | None
) -> Number:
    """One number with its share, capped where small groups are withheld; `counted`: out of how many people, and it."""
    n, so = counted
    if figure.mean:
        mean, low, high = so or (None, None, None)
        return Number(part, *place, n, n, None, "", mean, low, high)
    percent, bound = None, ""
    if n and so is not None:
        percent = round(100 * so / n, 1)
        # A group that nobody at all belongs to is published as nobody; there is nothing left to cap.
        if threshold is not None and so and n >= threshold:
            capped = cap_percentage(so, n, threshold)
            if capped.kind in {"at_most", "at_least"} and so < n:
                percent, bound = capped.value, capped.kind
    return Number(part, *place, n, so, percent, bound)
