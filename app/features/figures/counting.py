"""Counts people by their attributes and what is so of them: everything that figures say, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import select, text

from app.domain.access import Permission
from app.domain.linked_people import People, Whole
from app.domain.steps import OPEN_STATUSES
from app.features.clients.models import AttributeDefinition
from app.features.cohorts.models import Cohort
from app.features.figures import statements
from app.features.figures.coarser import without_few
from app.features.figures.definitions import BY_KEY, EXPECTED_T, FIGURES, GRADUATES, PEOPLE, STALLED_DAYS, Figure
from app.features.figures.graduates import Node, Part, tell_of_graduates
from app.features.figures.kinds import (
    APART,
    CLASS,
    COUNSELLOR,
    MOST_COHORTS,
    REVIEWED,
    STARTED,
    Floats,
    Kinds,
    Offered,
    Table,
    View,
    kinds_of,
)
from app.features.figures.periods import Span, cuts_of
from app.features.figures.scales import Scale, scales_of
from app.features.organizations.models import Membership, Organization, Term
from app.features.reviews.figures import ANSWER_DAYS, answer_by
from app.infra.db.open import UnitOfWork
from app.infra.db.whole import joined_as_sets

_COLUMNS = {STARTED: "p.started_on", REVIEWED: "r.occurrence_on"}


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """People by attributes, and for each part of each figure how many of each row it is so of.

    `sums` has for each part of a mean the sum and the sum of squares of each row. `views` say by what they are asked.
    `threshold` is 0 where the numbers are exact.
    What can be so of people is protected as the questions of `tree`, which come after what they are out of; `decides`
    says which question a figure is withheld by.
    """

    views: tuple[View, ...]
    people: People
    so: dict[Part, Whole]
    sums: dict[Part, tuple[Floats, Floats]]
    tree: dict[str, Node]
    decides: dict[Part, str]
    threshold: int


def last_term(uow: UnitOfWork, today: date) -> Term | None:
    """The term that ended last before a day."""
    ended = select(Term).where(Term.ends_on < today).order_by(Term.ends_on.desc(), Term.name).limit(1)
    return uow.session.scalars(ended).one_or_none()


def _before(uow: UnitOfWork, today: date) -> dict[str, Any]:
    """The end of the last term, as a moment and the day after; where none has ended, before there was anything."""
    zone = ZoneInfo(uow.session.scalars(select(Organization.time_zone)).one())
    term = last_term(uow, today)
    day = date(1970, 1, 1) if term is None else term.ends_on + timedelta(days=1)
    return {"then_day": day, "then": datetime.combine(day, time(), zone), "acts": statements.ACTS}


def count_people(
    uow: UnitOfWork,
    today: date,
    threshold: int | None = None,
    *,
    cohort: UUID | None = None,
    within: tuple[str, Sequence[Span]] | None = None,
) -> tuple[dict[str, Counted], tuple[Scale, ...]]:
    """Everything that figures say, of all with a plan and of all graduates or the reader's own, and the scales told of.

    With a `threshold` only those cohorts are listed whose overlaps tell of no fewer people. Of the people of a `cohort`
    alone there are numbers by no attribute. With `within`, a day (STARTED or REVIEWED) and spans of days, people with a
    plan are those of whom that day is in one of them; then attributes with one value are kept.
    """
    definitions = uow.session.scalars(
        select(AttributeDefinition).order_by(AttributeDefinition.position, AttributeDefinition.key)
    ).all()
    cohorts = uow.session.execute(
        select(Cohort.id, Cohort.name).where(Cohort.archived_at.is_(None)).order_by(Cohort.name).limit(MOST_COHORTS)
    ).all()
    terms = uow.session.scalars(select(Term).order_by(Term.starts_on, Term.name)).all()
    given: dict[str, Any] = {
        "today": today,
        "open": list(OPEN_STATUSES),
        "still": uow.now - timedelta(days=STALLED_DAYS),
        "began": today - timedelta(days=STALLED_DAYS),
        "answer_by": answer_by(today),
        "answer_days": ANSWER_DAYS + 1,
        "expected": EXPECTED_T,
        "cohorts": [one for one, _ in cohorts],
        "cuts": cuts_of(terms),
    } | _before(uow, today)
    columns = []
    for number, one in enumerate(definitions):
        given[f"a{number}"] = one.key
        # Of a date its year: days would name people.
        value = f"c.attributes -> :a{number}"
        columns.append(f"to_jsonb(left(c.attributes ->> :a{number}, 4))" if one.kind == "date" else value)
    of_graduates = [*columns, *statements.OWN_OF_GRADUATES]
    columns += statements.OWN
    whose = ""
    if not uow.actor.may(Permission.READ_ALL_AGGREGATES):
        whose, given["member"] = statements.MINE, uow.actor.membership_id
    if cohort is not None:
        columns, of_graduates, definitions, cohorts = ["0"], ["0"], [], []
        whose, given["cohort"] = f"{whose} {statements.IN_COHORT}", cohort
    when = ""
    if within is not None:
        when = statements.WITHIN.format(day=_COLUMNS[within[0]])
        given |= {"since": [first for first, _ in within[1]], "until": [last for _, last in within[1]]}
    scales = scales_of(uow)
    with joined_as_sets(uow):
        said = text(statements.statement_of(columns, of_graduates, whose, when))
        found = uow.session.execute(said, given | _least(scales)).all()
    by_source: dict[tuple[str, str], list[Any]] = {}
    for row in found:
        by_source.setdefault((row.source, "" if row.source == GRADUATES else row.part), []).append(row)
    counsellors = {str(key): name for key, name in uow.session.execute(select(Membership.id, Membership.name))}
    offered = [Offered(one.key, one.label, one.kind, one.choices) for one in definitions]
    if cohort is None:
        offered += [
            Offered(COUNSELLOR, "", "counsellor", names=counsellors),
            *(Offered(key, "", APART) for key in (STARTED, REVIEWED)),
            Offered(CLASS, "", "class"),
        ]
    names = [name for _, name in cohorts]
    told = tuple(scale for scale in scales if ("score", scale.key) in by_source)

    people = by_source.get((PEOPLE, ""), [])
    fewest = 2 if within is None else 1
    kinds = kinds_of(PEOPLE, people, offered, names, terms, threshold=threshold, fewest=fewest)
    so = _steps_and_flags(kinds.table, people, np.array([row.n for row in people], dtype=np.int64))
    sums = {("days", str(step)): kinds.table.sums(by_source.get(("days", str(step)), ())) for step in range(1, 9)}
    for scale in told:
        _of_scale(scale, kinds.table, by_source, so, sums)
    keys = sorted((key for key in so if key[0] != PEOPLE), key=lambda key: _ORDER[key[0]])
    tree = {"/".join(key): Node(so[key], _over(key)) for key in keys}
    decides = {key: "/".join(key) for key in keys}
    counted = {PEOPLE: _counted(PEOPLE, kinds, so, sums, told=(tree, decides), threshold=threshold)}

    graduates = by_source.get((GRADUATES, ""), [])
    kinds = kinds_of(GRADUATES, graduates, offered, names, terms, threshold=threshold)
    so, tree, decides = tell_of_graduates(
        graduates, lambda rows: kinds.table.added(kinds.table.places(rows), [row.n for row in rows])
    )
    return counted | {GRADUATES: _counted(GRADUATES, kinds, so, {}, told=(tree, decides), threshold=threshold)}, told


def _counted(
    whole: str,
    kinds: Kinds,
    so: dict[Part, Whole],
    sums: dict[Part, tuple[Floats, Floats]],
    *,
    told: tuple[dict[str, Node], dict[Part, str]],
    threshold: int | None,
) -> Counted:
    people, views = People(kinds.table.kinds, so[whole, "all"], kinds.sizes), kinds.views
    if threshold is not None:
        people, views = without_few(people, views, threshold)
    return Counted(views, people, so, sums, *told, threshold=threshold or 0)


# What a figure is out of comes before it, so that the one can be withheld with the other.
_ORDER = {figure.key: number for number, figure in enumerate(FIGURES)}


def part_of(figure: Figure, part: str) -> str:
    """The part of the figure it is out of that a part of a figure is out of."""
    return part if BY_KEY[figure.of].per == figure.per else "all"


def _over(key: Part) -> str | None:
    figure = BY_KEY[key[0]]
    return None if figure.of == PEOPLE else f"{figure.of}/{part_of(figure, key[1])}"


def _of_scale(
    scale: Scale,
    table: Table,
    measured: Mapping[Part, Sequence[Any]],
    so: dict[Part, Whole],
    sums: dict[Part, tuple[Floats, Floats]],
) -> None:
    """Put in what is said of a scale: the newest scores, and how they changed."""
    newest, taken = measured["score", scale.key], measured.get(("change", scale.key), ())
    for rows, counts in ((newest, {"scored": "n", "low": "completed", "high": "overdue"}), (taken, {"measured": "n"})):
        for key, column in counts.items():
            so[key, scale.key] = table.added(table.places(rows), [getattr(row, column) for row in rows])
    if scale.error_known:
        so["beyond", scale.key] = table.added(table.places(taken), [row.completed for row in taken])
    sums["score", scale.key], sums["change", scale.key] = table.sums(newest), table.sums(taken)


def _least(scales: Sequence[Scale]) -> dict[str, Any]:
    """From which difference on each scale of each version changed beyond error, as columns."""
    lines = [(scale, version, *known) for scale in scales for version, known in scale.least.items()]
    return {
        "instruments": [scale.instrument_id for scale, *_ in lines],
        "versions": [version for _, version, *_ in lines],
        "places": [place for *_, place, _ in lines],
        "least": [least for *_, least in lines],
        "lowest": [scale.thirds[version][0] for scale, version, *_ in lines],
        "highest": [scale.thirds[version][1] for scale, version, *_ in lines],
        "keys": [scale.key for scale, *_ in lines],
    }


def _steps_and_flags(table: Table, rows: Sequence[Any], counts: Whole) -> dict[Part, Whole]:
    """How many of each kind everything is so of that is said of people."""
    places = table.places(rows)

    def bits(name: str) -> Whole:
        return np.array([getattr(row, name) for row in rows], dtype=np.int64)

    def add(is_so: Any) -> Whole:
        return table.added(places, counts * is_so)

    overdue, stalled, flags = bits("overdue"), bits("stalled"), bits("flags")
    so = {(PEOPLE, "all"): table.added(places, counts), ("late", "all"): add(overdue > 0)}
    for name in ("completed", "completed_before", "overdue", "returned", "reopened"):
        of_steps = bits(name)
        so |= {(name, str(step)): add(of_steps >> step & 1) for step in range(1, 9)}
    so |= {("stalled", str(step)): add(stalled == step) for step in range(1, 9)}
    so |= {key: add(flags >> bit & 1) for bit, key in enumerate(statements.FLAGS)}
    return so
