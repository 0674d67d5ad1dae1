"""Aggregates: right counts, small cells that cannot be worked out, the same in every form, few statements."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import date
from uuid import UUID

import numpy as np
import openpyxl
import pytest
from flask import Flask
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text

from app.domain import access
from app.domain.access import Role
from app.domain.saying import plain
from app.features.reports.aggregates import STATUSES, Aggregates, Cohorts, Counted, count_all, tell_of_no_few
from app.features.reports.shown import ShownTable, show
from app.infra.runtime import Runtime
from tests.factories import World
from tests.reports.maker import cohort_of, fill_plans

TODAY = date(2026, 11, 1)
_STEPS = tuple(str(n) for n in range(1, 9))


def made(funnel: np.ndarray, cohorts: np.ndarray, sizes: np.ndarray, threshold: int = 10) -> Aggregates:
    """Aggregates of invented counts; cohorts do not overlap."""
    names = tuple(f"Cohort {n}" for n in range(len(sizes) - 1))
    return Aggregates(
        clients=int(sizes.sum()),
        plans=int(sizes.sum()),
        funnel=Counted("funnel", _STEPS, STATUSES, funnel),
        cohorts=Cohorts(names, sizes, cohorts, np.zeros((len(sizes), len(sizes)), dtype=np.int64)),
        overdue=Counted("overdue", _STEPS, ("late",), funnel[:, :1]),
        caseload=Counted("caseload", ("A", "B", "C"), ("clients",), funnel[:3, :1]),
        reviews=Counted("reviews", ("1", "2", "3"), ("yes", "no"), funnel[3:6, :2]),
        threshold=threshold,
        as_of=TODAY,
    )


def recoverable(table: ShownTable) -> list[tuple[int, int]]:
    """Withheld cells that follow from the shown cells and totals of their rows by linear algebra."""
    width = len(table.columns)
    hidden = [
        (r, c)
        for r, (_, cells, total) in enumerate(table.rows)
        for c, cell in enumerate((*cells, total))
        if cell.text is None
    ]
    equations = np.zeros((len(table.rows), len(hidden)))
    for index, (r, c) in enumerate(hidden):
        equations[r, index] = -1 if c == width else 1
    rank = np.linalg.matrix_rank(equations)
    found = []
    for index, place in enumerate(hidden):
        unit = np.zeros((1, len(hidden)))
        unit[0, index] = 1
        if np.linalg.matrix_rank(np.vstack([equations, unit])) == rank:
            found.append(place)
    return found


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_p5_no_small_cell_is_shown_or_follows_from_its_row(data: st.DataObject) -> None:
    sizes = np.array(data.draw(st.lists(st.integers(0, 60), min_size=2, max_size=6)), dtype=np.int64)
    completed = np.array([[data.draw(st.integers(0, int(size))) for _ in range(8)] for size in sizes], dtype=np.int64)
    rest = sizes.sum() - completed.sum(axis=0)
    cuts = [sorted(data.draw(st.lists(st.integers(0, int(r)), min_size=4, max_size=4))) for r in rest]
    others = np.array([np.diff([0, *cut, int(r)]) for cut, r in zip(cuts, rest, strict=True)], dtype=np.int64)
    funnel = np.concatenate([completed.sum(axis=0)[:, None], others], axis=1)
    threshold = data.draw(st.integers(5, 30))
    shown = show(made(funnel, completed, sizes, threshold), plain)
    for table in shown.tables:
        for _, cells, total in table.rows:
            for cell in (total, *(cells if table.key != "cohorts" else ())):
                assert cell.number is None or cell.number == 0 or cell.number >= threshold, table.key
        if table.has_total and table.key != "cohorts":
            assert recoverable(table) == [], table.key
    cohort = next((table for table in shown.tables if table.key == "cohorts"), None)
    if cohort is not None:
        real = [r for r, size in enumerate(sizes) if size]
        for r, (_, cells, _) in zip(real, cohort.rows, strict=True):
            for step, cell in enumerate(cells):
                if not completed[:, step].any():
                    # The funnel says that nobody did; a cohort's zero adds nothing.
                    continue
                few = 0 < completed[r, step] < threshold or 0 < sizes[r] - completed[r, step] < threshold
                assert cell.text is None or not few or not cell.text[0].isdigit()


def test_a_cohort_inside_another_of_nearly_its_size_is_withheld() -> None:
    sizes = np.array([30, 35, 0], dtype=np.int64)
    completed = np.full((3, 8), 15, dtype=np.int64)
    completed[2] = 0
    aggregates = made(np.full((8, 6), 20, dtype=np.int64), completed, sizes)
    shared = aggregates.cohorts.shared
    shared[0, 0], shared[1, 1], shared[0, 1], shared[1, 0] = 30, 35, 30, 30
    table = next(t for t in show(aggregates, plain).tables if t.key == "cohorts")
    assert [cell.text for cell in table.rows[0][1]] == [None] * 8
    assert table.rows[0][2].text is None
    assert table.rows[1][2].text == "35"


@given(
    st.lists(st.tuples(st.frozensets(st.integers(0, 3)), st.integers(1, 14)), min_size=1, max_size=9),
    st.sampled_from((5, 10)),
)
def test_p5_no_few_follow_from_cohorts_that_share_people(people: list[tuple[frozenset[int], int]], least: int) -> None:
    """Whatever sums and differences of the groups shown give a group of people, it is nobody or enough of them."""
    counts = np.array([number for _, number in people])
    # Of fewer in all nothing is shown.
    assume(counts.sum() >= least)
    masks = np.array([sum(1 << cohort for cohort in known) for known, _ in people])
    listed = tell_of_no_few(masks, counts, range(4), least)
    groups = [(masks >> cohort) & 1 == 1 for cohort in listed]
    everybody = np.ones(len(people), dtype=bool)
    others = ~np.logical_or.reduce([*groups, ~everybody])
    shown = [*groups, others, everybody]
    for signs in itertools.product((-1, 0, 1), repeat=len(shown)):
        found = sum((sign * group.astype(int) for sign, group in zip(signs, shown, strict=True)), 0 * counts)
        if set(found.tolist()) <= {0, 1}:
            follows = int((found * counts).sum())
            assert follows == 0 or follows >= least


@pytest.fixture
def filled(runtime: Runtime, world: World) -> UUID:
    """Twelve clients with plans in one cohort, four more in none, one without a plan."""
    organization = world.organization()
    clients = world.clients(organization, 17)
    fill_plans(runtime, world, organization, clients[:16])
    cohort_of(runtime, organization, clients[:12])
    counsellor = world.person(organization, Role.COUNSELLOR, "Lena Moreau")
    world.caseload(counsellor, clients[:5])
    return organization


def test_counts_are_those_of_the_rows(runtime: Runtime, filled: UUID) -> None:
    with runtime.database.unit_of_work(access.system(filled)) as uow:
        found = count_all(uow, TODAY, withhold=False)
    assert (found.clients, found.plans) == (17, 16)
    assert found.funnel.counts[0].tolist() == [16, 0, 0, 0, 0, 0]
    assert found.funnel.counts[7].tolist() == [0, 0, 0, 0, 0, 16]
    assert found.cohorts.names == ("Class of 2028",)
    assert found.cohorts.sizes.tolist() == [12, 4]
    assert found.cohorts.completed[:, 0].tolist() == [12, 4]
    with runtime.database.unit_of_work(access.system(filled)) as uow:
        # The four in none are too few to be told apart from the twelve.
        large = count_all(uow, TODAY, withhold=True).cohorts
    assert (large.names, large.sizes.tolist()) == ((), [16])
    # Due on 13 October (in progress) and 10 November (returned): one of the two is late on 1 November.
    assert found.overdue.counts[3].tolist() == [16]
    assert found.overdue.counts[0].tolist() == [0]
    assert (found.caseload.rows, found.caseload.counts.tolist()) == (("Lena Moreau",), [[5]])
    assert dict(zip(found.reviews.rows, found.reviews.counts.tolist(), strict=True))["2026-09"] == [16, 0]


def test_a_counsellor_counts_their_caseload_alone(runtime: Runtime, world: World, filled: UUID) -> None:
    counsellor = world.person(filled, Role.COUNSELLOR)
    with runtime.database.unit_of_work(access.system(filled)) as uow:
        some = uow.session.scalars(text("SELECT id FROM clients ORDER BY external_id OFFSET 15 LIMIT 2")).all()
    world.caseload(counsellor, list(some))
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        found = count_all(uow, TODAY, withhold=False)
    assert (found.clients, found.plans) == (2, 1)
    assert len(found.caseload.rows) == 1


def test_the_statements_are_few(runtime: Runtime, filled: UUID) -> None:
    said: list[str] = []
    with runtime.database.unit_of_work(access.system(filled)) as uow:
        connection = uow.session.connection()
        event.listen(connection, "before_cursor_execute", lambda *given: said.append(given[2]))
        said.clear()
        count_all(uow, TODAY, withhold=False)
    assert len(said) <= 9


def test_page_workbook_and_text_withhold_the_same(app: Flask, runtime: Runtime, world: World, filled: UUID) -> None:
    browser = world.browser(app, world.person(filled, Role.ANALYST))
    page = browser.get("/aggregates")
    assert page.status_code == 200
    assert "withheld" in page.text
    assert "Show exact figures" not in page.text
    # Asking for more does not help an analyst.
    assert browser.get("/aggregates?small=exact").text.count("chart-withheld") == page.text.count("chart-withheld") > 0
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/aggregates.xlsx").data))
    assert len(book.sheetnames) == 5
    in_book = [
        [str(cell.value) for cell in row] for sheet in book for row in sheet.iter_rows(min_row=2) if row[0].value
    ]
    lines = list(csv.reader(io.StringIO(browser.get("/aggregates.csv").data.decode("utf-8-sig"))))
    titles = {sheet.cell(1, 1).value for sheet in book}
    in_text = [line for line in lines if line and line[0] not in titles]
    assert [[f"{float(v):g}" if _number(v) else v for v in line] for line in in_text] == [
        [f"{float(v):g}" if _number(v) else v for v in line] for line in in_book
    ]
    assert sum(line.count("withheld") for line in in_text) > 0


def test_p5_pages_and_api_group_alike_so_that_nothing_follows_from_both(
    app: Flask, runtime: Runtime, world: World, filled: UUID
) -> None:
    # Three people in a cohort of their own: listed by one and counted with the others by the other, they would follow.
    some = world.clients(filled, 12)
    world.plans(filled, some)
    cohort_of(runtime, filled, some[:3], "A few")
    browser = world.browser(app, world.person(filled, Role.ANALYST))
    listed = [table for table in browser.get("/api/v1/aggregates").get_json()["tables"] if table["key"] == "cohorts"]
    by_api = {row["name"]: row["total"]["text"] or "withheld" for table in listed for row in table["rows"]}
    lines = list(csv.reader(io.StringIO(browser.get("/aggregates.csv").data.decode("utf-8-sig"))))
    first = next(n for n, line in enumerate(lines) if line and line[0].startswith("Completed"))
    assert by_api == {line[0]: line[-1] for line in lines[first + 1 : lines.index([], first)]}
    assert set(by_api) == {"Class of 2028", "Others"}


def _number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def test_an_administrator_may_withhold_before_passing_on(app: Flask, world: World, filled: UUID) -> None:
    browser = world.browser(app, world.person(filled, Role.ADMIN))
    assert "chart-withheld" not in browser.get("/aggregates").text
    passed_on = browser.get("/aggregates?small=withheld").text
    assert "chart-withheld" in passed_on
    assert "/aggregates.csv?small=withheld" in passed_on
    assert b"withheld" in browser.get("/aggregates.csv?small=withheld").data
    assert b"withheld" not in browser.get("/aggregates.csv").data


def test_an_empty_organization_says_so(app: Flask, world: World) -> None:
    organization = world.organization()
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    assert browser.get("/aggregates").status_code == 200
    assert browser.get("/aggregates.xlsx").status_code == 200


def test_the_map_of_cohorts_says_how_many_plans_each_has(app: Flask, world: World, filled: UUID) -> None:
    page = world.browser(app, world.person(filled, Role.ADMIN)).get("/aggregates").text
    assert "before each name the number of plans" in page
    # In the drawing, and as the last column of its table, under its own name.
    assert "12 · Class of 2028" in page
    assert '<th scope="col" class="num">Plans</th>' in page
