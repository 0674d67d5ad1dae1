"""Giving a step to many in a real browser: caseload, preview, job, result, and undoing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.steps import StepKey
from app.factory import create_app
from app.features.assignments.commands import Assign
from app.features.assignments.service import ASSIGN, assign
from app.features.edits.service import BulkEdit, start
from app.features.jobs.items import let_wait_singly
from app.features.jobs.models import Job
from app.features.jobs.runner import work
from app.features.plans.commands import SetDueDate
from app.features.plans.service import set_due_date
from app.features.selections.commands import Target
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime
from tests.assignments.helpers import START, Place, place
from tests.browser_fixture import OpenPage
from tests.factories import Person, World
from tests.served import Served, faults_of, serving

pytestmark = [pytest.mark.browser, pytest.mark.committed]


@dataclass(frozen=True)
class Site(Served):
    """A served installation: a counsellor with five clients, three of them with plans, in a cohort."""

    place: Place
    lena: Person

    def work(self) -> None:
        """Let workers do what is open."""
        here = self.place.organization
        work(self.runtime, here, JOB_KINDS, until=self.runtime.clock() + timedelta(seconds=20))

    def work_a_slice(self, size: int, name: str = ASSIGN) -> None:
        """What a worker does whose time is up after one batch of `size`, of giving or of taking back."""
        kind, batches = JOB_KINDS[name], list[int]()

        def counted(batch: Any) -> Any:
            def run(*given: Any) -> Any:
                batches.append(size)
                return batch(*given)

            return run

        back = counted(kind.undo_batch) if kind.undo_batch else None
        small = replace(kind, batch_size=size, batch_sizes={}, batch=counted(kind.batch), undo_batch=back)
        with self.runtime.database.unit_of_work(access.system(self.place.organization)) as uow:
            for job in uow.session.scalars(select(Job).where(Job.kind == name, Job.state.in_(("queued", "running")))):
                # Together they are taken whole, however small the slice.
                let_wait_singly(uow, job)
        begun = datetime.now(UTC)
        worker = make_runtime(
            self.runtime.settings,
            doorbell=SilentDoorbell(),
            clock=lambda: datetime.now(UTC) + timedelta(hours=len(batches)),
        )
        work(worker, self.place.organization, {name: small}, until=begun + timedelta(minutes=1))
        worker.database.dispose()
        assert len(batches) == 1

    def give(self) -> UUID:
        """The counsellor gives step 3 to all five, who have plans; nothing of it is done yet."""
        self.place.world.plans(self.place.organization, self.place.clients[3:], "nnnnnnnn")
        with self.runtime.database.unit_of_work(self.lena.actor) as uow:
            command = Assign(what="step", step=3, due_on=DAY, client_ids=tuple(self.place.clients))
            return assign(uow, command).id

    def days(self) -> list[date | None]:
        """The days step 3 has, those set first."""
        return sorted((day for _, day in self.place.steps(3).values()), key=lambda day: day or date.max)


DAY, OTHER = date(2040, 3, 1), date(2040, 5, 1)


def press(page: Page, name: str, *, sure: bool = False) -> None:
    """Press a button of the page, and say so again where it asks."""
    page.get_by_role("button", name=name, exact=True).click()
    if sure:
        page.locator("dialog.ask .button-go").click()


def buttons(page: Page) -> list[str]:
    """What can be done with the job now."""
    return page.locator(".head .actions button").all_inner_texts()


@pytest.fixture
def site(live: Runtime) -> Iterator[Site]:
    world = World(live)
    here = place(world, 5)
    lena = world.person(here.organization, Role.COUNSELLOR, "Lena Moreau")
    world.caseload(lena, here.clients)
    world.plans(here.organization, here.clients[:3], "nnnnnnnn")
    app = create_app(live)
    with serving(app) as address:
        yield Site(address, app, live, here, lena)


def test_preview_run_progress_result_and_undo(site: Site, open_page: OpenPage) -> None:
    opened = site.open(open_page, site.lena, "/caseload")
    page = opened.page
    for box in page.locator("[data-select]").all():
        box.check()
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_role("heading", name="Assign", exact=True)).to_be_visible()
    expect(page.locator(".head")).to_contain_text("5 people")
    page.get_by_role("button", name="A step", exact=True).click()
    page.get_by_label("Step", exact=True).select_option("3")
    page.get_by_label("Or due after so many days").fill("14")
    page.get_by_role("button", name="Preview").click()
    preview = page.locator("form.preview")
    expect(preview).to_contain_text("3 are given it")
    expect(page.locator("main")).to_contain_text("2 Has no active plan.")
    assert faults_of(page, "assign-preview") == []
    page.get_by_role("button", name="Assign", exact=True).click()
    expect(page).to_have_url(re.compile("/jobs/"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    site.work()
    # The page follows by itself.
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "5")
    page.reload()
    expect(page.get_by_role("link", name=re.compile("^done 3"))).to_be_visible()
    page.get_by_role("link", name=re.compile("^left out 2")).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Take along as a table").click()
    lines = taken.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 6
    assert sum("Has no active plan." in line for line in lines) == 2
    assert faults_of(page, "assign-job") == []
    page.get_by_role("button", name="Undo the job").click()
    page.locator("dialog.ask .button-go").click()
    expect(page.locator("h1")).to_contain_text("being undone")
    site.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("undone")
    assert {due for _, due in site.place.steps(3).values()} == {None}
    assert opened.complaints == []


def test_a1_the_pages_of_assigning_have_no_faults(site: Site, open_page: OpenPage) -> None:
    admin, here = site.place.admin, site.place
    cohort = here.cohort(here.clients)
    here.instrument()
    template = World(site.runtime).template(here.organization)
    values = {"version": 1, "started_on": START, "cohort_id": cohort, "standing": True, "on_leaving": "pause"}
    here.assign(template_id=template, **values)
    here.world.clients(here.organization, 2, given_name="Zoë", family_name="Li", given_folded="zoe", family_folded="li")
    whats = ("template", "step", "instrument", "action", "due")
    pages = [f"/assignments/new?cohort={cohort}&what={what}" for what in whats]
    found = []
    for path in (*pages, "/assignments", "/clients/duplicates"):
        opened = site.open(open_page, admin, path)
        name = path.partition("?")[0].strip("/").replace("/", "-") + path.partition("what=")[2]
        found += [f"{path} {fault}" for fault in faults_of(opened.page, name) + opened.complaints]
        opened.page.context.close()
    assert found == []


def test_cancelled_in_the_middle_the_page_says_what_was_done_what_not_and_what_can_be_done(
    site: Site, open_page: OpenPage
) -> None:
    job = site.give()
    site.work_a_slice(2)
    opened = site.open(open_page, site.lena, f"/jobs/{job}")
    page = opened.page
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "2")
    assert buttons(page) == ["Pause", "Cancel the job"]
    press(page, "Cancel the job", sure=True)
    expect(page.locator("h1")).to_contain_text("cancelled")
    main = page.locator("main")
    expect(main).to_contain_text("What is listed as done stays and can be undone")
    expect(main).to_contain_text("who is listed as cancelled was not touched")
    page.get_by_role("link", name="cancelled 3", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="done 2", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert buttons(page) == ["Undo the job"]
    assert faults_of(page, "assign-cancelled") == []
    # A worker that comes later finds nothing to do.
    site.work()
    assert site.days() == [DAY, DAY, None, None, None]
    press(page, "Undo the job", sure=True)
    expect(page.locator("h1")).to_contain_text("being undone")
    site.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("undone")
    expect(page.get_by_role("link", name="undone 2", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="cancelled 3", exact=True)).to_be_visible()
    assert buttons(page) == []
    assert site.days() == [None] * 5
    assert opened.complaints == []


def test_cancelled_before_anything_was_done_and_mail_that_has_left(site: Site, open_page: OpenPage) -> None:
    job = site.give()
    opened = site.open(open_page, site.lena, f"/jobs/{job}")
    press(opened.page, "Cancel the job", sure=True)
    expect(opened.page.locator("main")).to_contain_text("stopped before anything was done: nobody was touched")
    assert buttons(opened.page) == []
    with site.runtime.database.unit_of_work(site.lena.actor) as uow:
        values = {"subject": "The open day", "text": "You are welcome."}
        letters = start(
            uow, BulkEdit(kind="message", values=values, target=Target(client_ids=tuple(site.place.clients)))
        )
        name, job = letters.kind, letters.id
    site.work_a_slice(2, name)
    opened.page.goto(opened.page.url.rpartition("/")[0] + f"/{job}")
    press(opened.page, "Cancel the job", sure=True)
    expect(opened.page.locator("main")).to_contain_text("What is listed as done stays and cannot be taken back")
    expect(opened.page.get_by_role("link", name="cancelled 3", exact=True)).to_be_visible()
    assert buttons(opened.page) == []
    site.work()
    assert [row.count for row in site.place.sql("SELECT count(*) FROM messages")] == [2]
    assert opened.complaints == []


def test_undone_while_work_arrives_the_page_lists_what_stays_and_why(site: Site, open_page: OpenPage) -> None:
    job = site.give()
    site.work()
    opened = site.open(open_page, site.lena, f"/jobs/{job}")
    page = opened.page
    press(page, "Undo the job", sure=True)
    expect(page.locator("h1")).to_contain_text("being undone")
    site.work_a_slice(2)
    [last] = site.place.sql(
        "SELECT i.subject_id, p.id AS plan_id, c.given_name || ' ' || c.family_name AS name FROM job_items i"
        " JOIN clients c ON c.id = i.subject_id JOIN plans p ON p.client_id = c.id"
        " WHERE i.job_id = :j AND i.state = 'done' ORDER BY i.position DESC LIMIT 1",
        j=job,
    )
    # Before the worker comes to them, somebody gives them another day.
    with site.runtime.database.unit_of_work(site.place.admin.actor) as uow:
        set_due_date(uow, SetDueDate(plan_id=last.plan_id, step=StepKey.OPPORTUNITIES, due_on=OTHER))
    page.reload()
    expect(page.get_by_role("link", name="undone 2", exact=True)).to_be_visible()
    site.work()
    page.reload()
    expect(page.locator("h1")).to_contain_text("undone")
    assert site.days() == [OTHER, None, None, None, None]
    assert site.place.steps(3)[last.subject_id][1] == OTHER
    reason = "The step was worked on or its due day moved since, so it stays."
    expect(page.locator(".preview-skips")).to_contain_text(f"kept: {reason}")
    page.get_by_role("link", name="kept 1", exact=True).click()
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(last.name)
    expect(row).to_contain_text(reason)
    assert faults_of(page, "assign-kept") == []
    assert opened.complaints == []


def test_paused_it_rests_where_it_is_and_goes_on_from_there(site: Site, open_page: OpenPage) -> None:
    job = site.give()
    site.work_a_slice(2)
    opened = site.open(open_page, site.lena, f"/jobs/{job}")
    page = opened.page
    press(page, "Pause")
    expect(page.locator("h1")).to_contain_text("paused")
    expect(page.locator("main")).to_contain_text("the rest waits until somebody lets it go on")
    assert buttons(page) == ["Go on", "Cancel the job"]
    assert faults_of(page, "assign-paused") == []
    site.work()
    page.reload()
    expect(page.get_by_role("link", name="waiting 3", exact=True)).to_be_visible()
    assert site.days() == [DAY, DAY, None, None, None]
    press(page, "Go on")
    expect(page.locator("h1")).to_contain_text("running")
    site.work()
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "5")
    page.reload()
    expect(page.locator("h1")).to_contain_text("done")
    assert site.days() == [DAY] * 5
    assert opened.complaints == []
