"""Why plans changed: the table adds up to the number of changes, and tells of nobody."""

from __future__ import annotations

import io
import random
from uuid import UUID

import numpy as np
import openpyxl
import pytest
from flask import Flask
from sqlalchemy import insert

from app.domain import access
from app.domain.access import Role
from app.domain.environment import CONTROL
from app.domain.saying import plain
from app.domain.suppression import Suppression, possible_range, suppress
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.features.plans.models import PlanRevision
from app.features.reports.aggregates import count_all
from app.features.reports.shown import show
from app.features.reviews.models import Review, RevisionChange
from app.infra.runtime import Runtime
from tests.factories import World
from tests.reports.test_aggregates import TODAY
from tests.reviews.helpers import rows


@pytest.fixture
def changed(runtime: Runtime, world: World) -> UUID:
    """Sixty plans in three cohorts that overlap, and in none, with one to four changes each."""
    dice = random.Random(20261129)
    organization = world.organization()
    clients = world.clients(organization, 60)
    plans = world.plans(organization, clients)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for name, members in (("All of the first", clients[:50]), ("Law", clients[:20]), ("Economics", clients[15:35])):
            cohort = create_cohort(uow, CreateCohort(name=name)).id
            add_members(uow, ChangeMembers(cohort_id=cohort, clients=members))
        for plan in plans:
            review = Review(plan_id=plan, occurrence_on=TODAY, state="closed", closed_at=uow.now, answered_at=uow.now)
            uow.session.add(review)
            uow.session.add(PlanRevision(plan_id=plan, revision=1, snapshot={}, checksum="x", reason="A check-in"))
            uow.session.flush()
            given = [
                {
                    "plan_id": plan, "revision": 1, "number": number, "review_id": review.id, "kind": "factor",
                    "subject": f"factor:f{number}", "label": "Fees", "change": "stronger", "reason": "So it is.",
                    "controllable": dice.choice(CONTROL), "at": uow.now,
                }
                for number in range(1, dice.randint(1, 4) + 1)
            ]  # fmt: skip
            uow.session.execute(insert(RevisionChange), given)
    return organization


def test_every_change_is_counted_once_in_the_smallest_cohort(runtime: Runtime, changed: UUID) -> None:
    with runtime.database.unit_of_work(access.system(changed)) as uow:
        found = count_all(uow, TODAY, withhold=False).changes
    assert found.counts.sum() == rows(runtime, changed, "SELECT count(*) FROM revision_changes")[0][0]
    by_control = dict(rows(runtime, changed, "SELECT controllable, count(*) FROM revision_changes GROUP BY 1"))
    assert dict(zip(CONTROL, found.counts.sum(axis=0).tolist(), strict=True)) == by_control
    # Law and Economics have twenty each; who is in both counts in the first by name, who is in neither in the large.
    assert found.rows == ("All of the first", "Economics", "Law")
    assert found.people[:, -1].tolist() == [15, 20, 15, 10, 60]


def test_the_shown_table_adds_up_and_withholds_what_few_people_stand_behind(
    app: Flask, runtime: Runtime, world: World, changed: UUID
) -> None:
    with runtime.database.unit_of_work(access.system(changed)) as uow:
        open_to_all = show(count_all(uow, TODAY, withhold=False), plain)
        found = count_all(uow, TODAY, withhold=True)
        withheld = show(found, plain)
    table = next(table for table in open_to_all.tables if table.key == "changes")
    *groups, everyone = [[cell.number for cell in (*cells, total)] for _, cells, total in table.rows]
    assert [sum(column) for column in zip(*groups, strict=True)] == everyone
    assert everyone[-1] == sum(everyone[:-1])
    few = next(table for table in withheld.tables if table.key == "changes")
    people = found.changes.people
    for r, (_, cells, _total) in enumerate(few.rows[:-1]):
        for c, cell in enumerate(cells):
            assert cell.text is None or people[r, c] == 0 or people[r, c] >= 10
    assert few.withheld
    browser = world.browser(app, world.person(changed, Role.ANALYST))
    assert "Why plans changed" in browser.get("/aggregates").text
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/aggregates.xlsx").data))
    in_book = [[str(cell.value) for cell in row] for row in book["Why plans changed"].iter_rows(min_row=2)]
    assert [line[0] for line in in_book] == [name for name, _, _ in few.rows]
    shown = [["withheld" if c.text is None else c.text for c in (*cells, total)] for _, cells, total in few.rows]
    assert [line[1:] for line in in_book] == shown


def test_many_changes_of_few_people_are_withheld_so_that_none_follows() -> None:
    counts = np.array([[40, 12, 30], [25, 41, 18], [22, 33, 15]], dtype=np.int64)
    small = np.zeros((3, 3), dtype=bool)
    # Forty changes, of three people: no count of changes tells that.
    small[0, 0] = True
    nothing = np.zeros(3, dtype=bool)
    found = suppress(counts, 10, Suppression(small, nothing, nothing, total=False))
    assert found.cells[0, 0]
    assert not suppress(counts, 10).cells.any()
    for r, c in zip(*np.nonzero(found.cells), strict=True):
        reach = possible_range(counts, found, int(r), int(c))
        assert reach.high is None or reach.high > reach.low
