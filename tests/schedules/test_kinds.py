"""Every kind of report by the calendar: all aggregates, a cohort in figures, and reports of people."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import text

from app.composition import JOB_KINDS, prompt_organization
from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput, NotFound
from app.features.figures.layer import Question
from app.features.jobs.runner import MAX_ATTEMPTS, work
from app.features.jobs.service import cancel_job, pause_job, resume_job
from app.features.reports.cohort_service import report_figures
from app.features.reports.commands import CohortQuestion, ReportCohort, ReportFigures, ReportSelected
from app.features.reports.parts import Parts
from app.features.reports.service import report_cohort, report_selected
from app.features.schedules import contents, service
from app.features.schedules.commands import RunNow
from app.features.schedules.contents import Content
from app.features.schedules.making import KIND, make_due_runs
from app.features.schedules.models import ScheduleRun
from app.features.schedules.queries import get_schedule
from app.features.schedules.settling import settle_ended
from app.features.selections.commands import SaveFilter, Target
from app.features.selections.filters import create_filter, delete_filter
from app.features.selections.service import choose
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.messaging.letters import letters_in
from tests.schedules.scene import cohort_of, daily, member_of, pass_time, rows, runs, schedule

ALL = {"all": [{"field": "@active", "is": "is", "values": [True]}]}


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


def filter_of(runtime: Runtime, owner: Person, rule: dict[str, Any] = ALL, *, shared: bool = True) -> UUID:
    with runtime.database.unit_of_work(owner.actor) as uow:
        return create_filter(uow, SaveFilter(name="Everybody here", rule=rule, shared=shared)).id


def due(runtime: Runtime, here: UUID, clock: Clock, day: int = 8) -> dict[UUID, Any]:
    """What became of it for each reader once it is due on a day of September."""
    clock.now = datetime(2026, 9, day, 9, tzinfo=UTC)
    pass_time(runtime, here)
    return {run.membership_id: run for run in runs(runtime, here) if run.occurrence_on.day == day}


def files(world: World, app: Flask, reader: Person, run: UUID) -> dict[str, bytes]:
    """The files a reader takes from the page of a received report, by the words of their links."""
    browser = world.browser(app, reader)
    page = browser.get(f"/schedules/received/{run}")
    assert page.status_code == 200
    found = {}
    for href, name in re.findall(r'<a class="button button-go" href="([^"]+)">([^<]+)</a>', page.text):
        with browser.get(href, follow_redirects=True) as taken:
            assert taken.status_code == 200, href
            found[name] = taken.data
    return found


def test_all_aggregates_in_one_file_as_each_may_know_them(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Flask
) -> None:
    here = admin.actor.organization_id
    analyst, counsellor = world.person(here, Role.ANALYST), world.person(here, Role.COUNSELLOR)
    people = world.clients(here, 7)
    world.plans(here, people, "ccnnnnnn")
    world.caseload(counsellor, people[:3])
    schedule(runtime, admin, [admin, analyst, counsellor], content=contents.aggregates(), form="xlsx")
    made = due(runtime, here, clock)
    assert {run.state for run in made.values()} == {"sent"}
    first = {}
    for reader in (admin, analyst, counsellor):
        ((name, content),) = files(world, app, reader, made[member_of(reader)].id).items()
        assert name == "Download"
        book = openpyxl.load_workbook(io.BytesIO(content))
        assert len(book.sheetnames) > 5
        first[reader] = [cell.value for cell in book.worksheets[0][2]]
    assert 7 in first[admin]
    assert 3 in first[counsellor]
    assert "withheld" in first[analyst]
    # The same bytes as from the page at that moment, but for nobody's eyes twice: one row of what was made each.
    assert rows(runtime, here, "SELECT question, count(*) FROM figure_exports GROUP BY question") == [({}, 3)]


def test_all_aggregates_in_print_as_each_may_know_them(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Flask
) -> None:
    here = admin.actor.organization_id
    analyst, counsellor = world.person(here, Role.ANALYST), world.person(here, Role.COUNSELLOR)
    people = world.clients(here, 7)
    world.plans(here, people, "ccnnnnnn")
    world.caseload(counsellor, people[:3])
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE organizations SET locale = 'zh_Hans_CN', accent = '#aa2244'"))
    schedule(runtime, admin, [admin, analyst, counsellor], content=contents.aggregates(), form="pdf")
    made = due(runtime, here, clock)
    assert {run.state for run in made.values()} == {"sent"}
    words = {}
    for reader in (admin, analyst, counsellor):
        run = made[member_of(reader)]
        ((name, content),) = files(world, app, reader, run.id).items()
        assert (name, content[:5]) == ("下载", b"%PDF-")
        words[reader] = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    # In the organization's language, named by whose figures they are.
    assert all(("机构数据" in words[one]) is (one is not counsellor) for one in words)
    assert "您负责名单的数据" in words[counsellor]
    assert [("不予显示" in words[one]) for one in (admin, analyst, counsellor)] == [False, True, False]
    kept = "SELECT form, template, row_count > 20 FROM figure_exports"
    assert rows(runtime, here, f"SELECT DISTINCT * FROM ({kept}) kept") == [("pdf", "figures/1", True)]


def test_a_cohort_s_report_as_its_page_has_it_made(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Flask
) -> None:
    here = admin.actor.organization_id
    analyst = world.person(here, Role.ANALYST)
    people = world.clients(here, 24)
    world.plans(here, people, "ccnnnnnn")
    cohort = cohort_of(runtime, admin, people[:12])
    content = contents.cohort(CohortQuestion(cohort, "organization"))
    schedule(runtime, admin, [admin, analyst], content=content, form="both")
    made = due(runtime, here, clock)
    assert {run.state for run in made.values()} == {"sent"}
    for reader in (admin, analyst):
        taken = files(world, app, reader, made[member_of(reader)].id)
        assert set(taken) == {"PDF", "XLSX"}
        assert taken["PDF"].startswith(b"%PDF")
        assert openpyxl.load_workbook(io.BytesIO(taken["XLSX"])).sheetnames
    # Each has their own, and the list of what they asked for by hand does not have it.
    assert "Reports you asked for" not in world.browser(app, admin).get("/cohort-figures").text
    assert rows(runtime, here, "SELECT count(*), bool_and(scheduled) FROM jobs") == [(4, True)]


def test_a_cohort_too_small_to_tell_an_analyst_of_is_kept_from_them(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    analyst = world.person(here, Role.ANALYST)
    people = world.clients(here, 20)
    world.plans(here, people)
    cohort = cohort_of(runtime, admin, people[:3])
    content = contents.cohort(CohortQuestion(cohort))
    schedule(runtime, admin, [admin, analyst], content=content, form="both")
    made = due(runtime, here, clock)
    assert made[member_of(admin)].state == "sent"
    assert made[member_of(analyst)].state == "refused"
    assert "may be shown to you" in made[member_of(analyst)].reason


@pytest.mark.parametrize("by", ["cohort", "filter"])
def test_reports_of_people_each_reader_their_own(
    world: World, runtime: Runtime, admin: Person, clock: Clock, app: Flask, *, by: str
) -> None:
    here = admin.actor.organization_id
    counsellor, alone = world.person(here, Role.COUNSELLOR), world.person(here, Role.COUNSELLOR)
    people = world.clients(here, 4)
    world.plans(here, people)
    world.caseload(counsellor, people[:2])
    parts = Parts(short=True)
    content = (
        contents.clients_of_cohort(cohort_of(runtime, admin, people), parts)
        if by == "cohort"
        else contents.clients_of_filter(filter_of(runtime, admin), parts)
    )
    made_of = schedule(runtime, admin, [admin, counsellor, alone], content=content, form="zip", when_empty="silent")
    made = due(runtime, here, clock)
    assert {one: (run.state, run.row_count) for one, run in made.items()} == {
        member_of(admin): ("sent", 4),
        member_of(counsellor): ("sent", 2),
        member_of(alone): ("silent", 0),
    }
    ((mails,),) = rows(runtime, here, "SELECT count(*) FROM messages")
    assert mails == 2
    for reader, number in ((admin, 4), (counsellor, 2)):
        taken = files(world, app, reader, made[member_of(reader)].id)
        assert len(taken) == 3
        (archive,) = [content for name, content in taken.items() if name.endswith(".zip")]
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            assert sum(name.endswith(".pdf") for name in opened.namelist()) == number
    # Somebody else's link leads nowhere, and who loses somebody in it loses the files.
    assert world.browser(app, alone).get(f"/schedules/received/{made[member_of(admin)].id}").status_code == 404
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("DELETE FROM caseload_entries WHERE client_id = :c"), {"c": people[0]})
    assert files(world, app, counsellor, made[member_of(counsellor)].id) == {}
    # The owner sees what became of it, and a counsellor's jobs are the counsellor's own.
    assert world.browser(app, admin).get(f"/schedules/{made_of}").status_code == 200
    seen = world.browser(app, counsellor).get("/api/v1/jobs?scheduled=true").json["items"]
    assert [one["kind"] for one in seen] == ["reports.cohort"]


def test_an_analyst_gets_no_reports_of_people(world: World, runtime: Runtime, admin: Person, clock: Clock) -> None:
    here = admin.actor.organization_id
    analyst, counsellor = world.person(here, Role.ANALYST), world.person(here, Role.COUNSELLOR)
    cohort = cohort_of(runtime, admin, world.clients(here, 1))
    content = contents.clients_of_cohort(cohort)
    with pytest.raises(InvalidInput, match="may have reports of people"):
        schedule(runtime, admin, [admin, analyst], content=content, form="zip")
    with pytest.raises(InvalidInput, match="You may not have such reports"):
        schedule(runtime, analyst, [admin], content=content, form="zip")
    # Who was chosen and has become an analyst gets none any more; nor does their own schedule go on.
    schedule(runtime, admin, [admin, counsellor], content=content, form="zip")
    own = schedule(runtime, counsellor, [counsellor], content=content, form="zip")
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE memberships SET role = 'analyst' WHERE id = :m"), {"m": member_of(counsellor)})
    made = due(runtime, here, clock)
    assert {one: run.state for one, run in made.items()} == {member_of(admin): "sent", member_of(counsellor): "refused"}
    with runtime.database.unit_of_work(admin.actor) as uow:
        kept = get_schedule(uow, own)
        assert (kept.state, kept.why) == ("paused", "Whose it is may not have such reports any more.")


def test_a_filter_of_one_s_own_and_one_that_is_deleted(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    world.clients(here, 1)
    other = world.person(here, Role.ADMIN)
    own = contents.clients_of_filter(filter_of(runtime, admin, shared=False))
    with pytest.raises(InvalidInput, match="Make it one for everybody"):
        schedule(runtime, admin, [admin, other], content=own, form="zip")
    with pytest.raises(InvalidInput, match="not yours"):
        schedule(runtime, other, [other], content=own, form="zip")
    made = schedule(runtime, admin, [admin], content=own, form="zip")
    assert own.filter_id is not None
    with runtime.database.unit_of_work(admin.actor) as uow:
        delete_filter(uow, own.filter_id)
    assert due(runtime, here, clock) == {}
    with runtime.database.unit_of_work(admin.actor) as uow:
        kept = get_schedule(uow, made)
        assert (kept.state, kept.why) == ("paused", "The filter was deleted.")
        service.run_now(uow, RunNow(schedule_id=made, key="k"))
    pass_time(runtime, here)
    assert [(run.state, run.reason) for run in runs(runtime, here)] == [("refused", "The filter was deleted.")]


def being_written(runtime: Runtime, here: UUID, clock: Clock) -> tuple[ScheduleRun, UUID]:
    """The one run that is due, and the job that is about to write its reports."""
    clock.now = datetime(2026, 9, 8, 8, tzinfo=UTC)
    make_due_runs(runtime, here, until=clock() + timedelta(minutes=1))
    asks = {name: kind for name, kind in JOB_KINDS.items() if name == KIND}
    work(runtime, here, asks, until=clock() + timedelta(minutes=1))
    (run,) = runs(runtime, here)
    assert run.report_job_id is not None
    return run, run.report_job_id


def test_a_reader_who_pauses_or_cancels_their_own_report_does_not_hold_up_the_schedule(
    world: World, runtime: Runtime, app: Flask, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    people = world.clients(here, 2)
    world.plans(here, people)
    cohort = cohort_of(runtime, admin, people)
    saved = filter_of(runtime, admin)
    for content in (
        contents.clients_of_cohort(cohort), contents.clients_of_filter(saved), contents.cohort(CohortQuestion(cohort)),
    ):  # fmt: skip
        schedule(runtime, admin, [admin], content=content, form=content.sort.forms[0], name=content.what)
    with runtime.database.unit_of_work(admin.actor) as uow:
        asked = [
            report_cohort(uow, ReportCohort(cohort_id=cohort)),
            report_selected(uow, ReportSelected(selection_id=choose(uow, Target(filter_id=saved)).id)),
            report_figures(uow, ReportFigures(CohortQuestion(cohort), "en")),
        ]
        for job in asked:
            pause_job(uow, job.id)
    clock.now = datetime(2026, 9, 8, 8, tzinfo=UTC)
    pass_time(runtime, here)
    made = runs(runtime, here)
    assert [run.state for run in made] == ["sent"] * 3
    assert not {run.report_job_id for run in made} & {job.id for job in asked}
    # Theirs waits as they wanted, and the one that is under way by the schedule is the one they get if they ask again.
    assert rows(runtime, here, "SELECT state, count(*) FROM jobs WHERE NOT scheduled GROUP BY 1") == [("paused", 3)]
    assert rows(runtime, here, "SELECT count(*) FROM messages") == [(3,)]


def test_who_pauses_what_a_schedule_writes_for_them_is_named_as_what_it_waits_for(
    world: World, runtime: Runtime, app: Flask, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    cohort = cohort_of(runtime, admin, world.clients(here, 2))
    made = schedule(runtime, admin, [admin], content=contents.clients_of_cohort(cohort), form="zip")
    _, job = being_written(runtime, here, clock)
    browser = world.browser(app, admin)
    said = "Its reader has paused the job that writes it."
    assert said not in browser.get(f"/schedules/{made}").text
    with runtime.database.unit_of_work(admin.actor) as uow:
        pause_job(uow, job)
    pass_time(runtime, here)
    assert said in browser.get(f"/schedules/{made}").text
    (told,) = browser.get(f"/api/v1/schedules/{made}/runs").json["items"]
    assert (told["state"], told["reason"]) == ("making", said)
    with runtime.database.unit_of_work(admin.actor) as uow:
        resume_job(uow, job)
    pass_time(runtime, here)
    assert [run.state for run in runs(runtime, here)] == ["sent"]
    assert said not in browser.get(f"/schedules/{made}").text


def test_no_mail_waits_for_reports_to_be_settled(
    world: World, mailing: Runtime, admin: Person, clock: Clock, tmp_path: Path
) -> None:
    here = admin.actor.organization_id
    cohort = cohort_of(mailing, admin, world.clients(here, 2))
    content = contents.clients_of_cohort(cohort)
    for _ in range(2):
        schedule(mailing, admin, [admin], content=content, form="zip")
    schedule(mailing, admin, [admin], question=Question("people"), name="Numbers")
    clock.now = datetime(2026, 9, 8, 9, tzinfo=UTC)
    until = clock() + timedelta(minutes=1)
    make_due_runs(mailing, here, until=until)
    work(mailing, here, JOB_KINDS, until=until)

    def round_of_mail() -> tuple[bool, list[str]]:
        more = prompt_organization(mailing, here, until=until, senders=1)
        return more, [letter["Subject"] for letter in letters_in(tmp_path / "sink")]

    # What is ready leaves first; then written reports are settled, and their mails leave in the next round.
    assert round_of_mail() == (True, ["Numbers: there is nothing in it this time"])
    assert [run.state for run in runs(mailing, here)] == ["sent"] * 3
    _, subjects = round_of_mail()
    assert len(subjects) == 3
    assert round_of_mail() == (False, subjects)


@pytest.mark.parametrize("settled", [True, False], ids=["said to have failed", "just failed"])
@pytest.mark.parametrize("how", ["not finished", "not one written"])
def test_who_has_a_failed_report_tried_again_gets_its_link_once(
    world: World, runtime: Runtime, app: Flask, admin: Person, clock: Clock, *, how: str, settled: bool
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = admin.actor.organization_id
    reader, other = world.person(here, Role.COUNSELLOR), world.person(here, Role.ADMIN)
    people = world.clients(here, 2)
    world.caseload(reader, people)
    cohort = cohort_of(runtime, admin, people)
    schedule(runtime, admin, [reader], content=contents.clients_of_cohort(cohort), form="zip")
    _, job = being_written(runtime, here, clock)
    if how == "not finished":
        # All are written, and the worker that puts them together is killed again and again.
        work(runtime, here, JOB_KINDS, until=clock() + timedelta(minutes=1), part="short")
        with runtime.database.unit_of_work(access.system(here)) as uow:
            uow.session.execute(text("UPDATE jobs SET attempts = :most WHERE id = :job"), {
                "most": MAX_ATTEMPTS, "job": job,
            })  # fmt: skip
        work(runtime, here, JOB_KINDS, until=clock() + timedelta(minutes=1), part="long")
    else:
        with runtime.database.unit_of_work(access.system(here)) as uow:
            uow.session.execute(text("UPDATE job_items SET state = 'failed' WHERE job_id = :job"), {"job": job})
            uow.session.execute(text("UPDATE jobs SET state = 'done' WHERE id = :job"), {"job": job})
    if settled:
        settle_ended(runtime, here)
        assert [run.state for run in runs(runtime, here)] == ["failed"]
    if how == "not one written":
        # An administrator who tries gets reports of their own; the reader is told of no job that is not theirs.
        assert world.browser(app, other).post(f"/jobs/{job}/retry").status_code == 302
        pass_time(runtime, here)
        assert rows(runtime, here, "SELECT 1 FROM messages") == []
    for _ in range(2):
        assert world.browser(app, reader).post(f"/jobs/{job}/retry").status_code in (302, 409)
        assert [run.state for run in runs(runtime, here)] == ["making"]
    for _ in range(2):
        pass_time(runtime, here)
    (run,) = runs(runtime, here)
    assert (run.state, run.reason, run.row_count) == ("sent", None, 2)
    assert (run.report_job_id == job) is (how == "not finished")
    assert rows(runtime, here, "SELECT count(*), min(recipient) FROM messages") == [(1, reader.email)]
    taken = files(world, app, reader, run.id)
    assert len([name for name in taken if name.endswith(".zip")]) == 1


def test_a_report_that_was_sent_or_cancelled_is_not_sent_again(
    world: World, runtime: Runtime, app: Flask, admin: Person, clock: Clock
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = admin.actor.organization_id
    cohort = cohort_of(runtime, admin, world.clients(here, 2))
    schedule(runtime, admin, [admin], content=contents.clients_of_cohort(cohort), form="zip")
    for state, told in (("done", "sent"), ("cancelled", "failed")):
        clock.now += timedelta(days=1)
        make_due_runs(runtime, here, until=clock() + timedelta(minutes=1))
        work(runtime, here, JOB_KINDS, until=clock() + timedelta(minutes=1))
        run = runs(runtime, here)[-1]
        with runtime.database.unit_of_work(access.system(here)) as uow:
            uow.session.execute(
                text("UPDATE jobs SET state = :state WHERE id = :job"), {"job": run.report_job_id, "state": state}
            )
            uow.session.execute(
                text(
                    "UPDATE job_items SET state = 'failed' WHERE job_id = :job AND subject_id ="
                    " (SELECT min(subject_id::text)::uuid FROM job_items WHERE job_id = :job)"
                ),
                {"job": run.report_job_id},
            )
        settle_ended(runtime, here)
        assert world.browser(app, admin).post(f"/jobs/{run.report_job_id}/retry").status_code == 302
        pass_time(runtime, here)
        after = runs(runtime, here)[-1]
        assert (after.id, after.state, after.report_job_id) == (run.id, told, run.report_job_id)
    assert rows(runtime, here, "SELECT count(*) FROM messages") == [(1,)]


@pytest.mark.parametrize("how", ["cancelled", "lost", "not one written"])
def test_a_report_whose_job_came_to_nothing_says_so_once(
    world: World, runtime: Runtime, admin: Person, clock: Clock, how: str
) -> None:
    here = admin.actor.organization_id
    cohort = cohort_of(runtime, admin, world.clients(here, 2))
    schedule(runtime, admin, [admin], content=contents.clients_of_cohort(cohort), form="zip")
    run, job = being_written(runtime, here, clock)
    assert run.state == "making"
    with runtime.database.unit_of_work(admin.actor) as uow:
        if how == "cancelled":
            cancel_job(uow, job)
        elif how == "lost":
            uow.session.execute(text("UPDATE jobs SET state = 'failed', error = 'It stopped.'"))
        else:
            uow.session.execute(text("UPDATE job_items SET state = 'failed' WHERE job_id = :job"), {"job": job})
            uow.session.execute(text("UPDATE jobs SET state = 'done'"))
    for _ in range(2):
        pass_time(runtime, here)
    (run,) = runs(runtime, here)
    said = {"cancelled": "The job was cancelled.", "lost": "It stopped."}.get(
        how, "None of the reports could be written."
    )
    assert (run.state, run.reason) == ("failed", said)
    assert rows(runtime, here, "SELECT count(*) FROM audit_entries WHERE action = 'schedule.failed'") == [(1,)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE memberships SET role = 'analyst' WHERE id = :m", "May not have such reports any more."),
        ("UPDATE memberships SET active = false WHERE id = :m", "Does not work here any more."),
        ("DELETE FROM schedule_recipients WHERE membership_id = :m", "Is not among its readers any more."),
    ],
)
def test_who_loses_the_right_while_it_is_written_is_not_told_of_it(
    world: World, runtime: Runtime, admin: Person, clock: Clock, *, change: str, reason: str
) -> None:
    here = admin.actor.organization_id
    reader = world.person(here, Role.COUNSELLOR)
    people = world.clients(here, 2)
    world.caseload(reader, people)
    cohort = cohort_of(runtime, admin, people)
    schedule(runtime, admin, [reader], content=contents.clients_of_cohort(cohort), form="zip")
    run, job = being_written(runtime, here, clock)
    assert run.state == "making"
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text(change), {"m": member_of(reader)})
    pass_time(runtime, here)
    (run,) = runs(runtime, here)
    assert (run.state, run.reason) == ("refused", reason)
    assert rows(runtime, here, "SELECT state FROM jobs WHERE id = :job", job=job) == [("done",)]
    assert rows(runtime, here, "SELECT 1 FROM messages") == []


def test_a_form_that_is_refused_keeps_what_was_chosen_of_the_reports(
    world: World, runtime: Runtime, app: Flask, admin: Person
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    cohort = cohort_of(runtime, admin, world.clients(admin.actor.organization_id, 1))
    browser, address = world.browser(app, admin), f"/schedules/new?what=clients&cohort={cohort}"
    asked = form_of(admin, report_form="short", part=["goals"], recipients=[])
    again = browser.post(address, data=asked)
    assert again.status_code == 422
    chosen = set(re.findall(r'name="(report_form|part)" value="(\w+)" checked', again.text))
    assert chosen == {("report_form", "short"), ("part", "goals")}
    assert len(re.findall(r'name="part" value="\w+" checked', browser.get(address).text)) > 5


@pytest.mark.parametrize(
    "content",
    [
        contents.clients_of_cohort(UUID(int=7)),
        contents.clients_of_filter(UUID(int=7)),
        contents.cohort(CohortQuestion(UUID(int=7))),
        contents.extract(UUID(int=7)),
    ],
)
def test_what_is_not_there_is_no_content(world: World, runtime: Runtime, admin: Person, content: Content) -> None:
    with pytest.raises((InvalidInput, NotFound)):
        schedule(runtime, admin, [admin], content=content, form=content.sort.forms[0])


def test_due_again_is_made_again_and_a_day_twice_is_not(
    world: World, runtime: Runtime, admin: Person, clock: Clock
) -> None:
    here = admin.actor.organization_id
    cohort = cohort_of(runtime, admin, world.clients(here, 1))
    schedule(runtime, admin, [admin], content=contents.clients_of_cohort(cohort), form="zip", recurrence=daily())
    for day in (8, 8, 9):
        due(runtime, here, clock, day)
        make_due_runs(runtime, here, until=clock())
    made = runs(runtime, here)
    assert [(run.occurrence, run.state) for run in made] == [("2026-09-08", "sent"), ("2026-09-09", "sent")]
    assert len({run.report_job_id for run in made}) == 2
    assert rows(runtime, here, "SELECT count(*) FROM messages") == [(2,)]


def form_of(admin: Person, **changes: Any) -> dict[str, Any]:
    return {
        "name": "By the calendar", "form": "zip", "cadence": "term", "weekday": "0", "month_day": "1", "edge": "end",
        "at": "08:00", "starts_on": "2026-09-01", "ends_on": "", "when_empty": "say",
        "recipients": [str(member_of(admin))],
    } | changes  # fmt: skip


def test_every_kind_from_its_page_in_a_browser(world: World, runtime: Runtime, app: Flask, admin: Person) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = admin.actor.organization_id
    people = world.clients(here, 3)
    world.plans(here, people)
    cohort, saved = cohort_of(runtime, admin, people), filter_of(runtime, admin)
    browser = world.browser(app, admin)
    pages = {
        "/aggregates": ("xlsx", "Aggregates"),
        f"/cohort-figures?cohort={cohort}&against=organization": ("both", "Autumn in figures"),
        f"/cohorts/{cohort}/reports": ("zip", "Reports of one page: Autumn"),
        f"/reports/selected?filter={saved}": ("zip", "Reports of one page: Everybody here"),
    }
    for page, (form, report) in pages.items():
        (link,) = re.findall(r'href="(/schedules/new\?[^"]+)"', browser.get(page).text)
        link = link.replace("&amp;", "&")
        assert browser.get(link).status_code == 200
        saved_as = browser.post(link, data=form_of(admin, form=form, report_form="short"))
        assert saved_as.status_code == 302, saved_as.text
        shown = browser.get(saved_as.location).text
        assert report in shown
        changed = browser.post(f"{saved_as.location}/change", data=form_of(admin, form=form, name="Another name"))
        assert changed.status_code == 302
        assert report in browser.get("/schedules").text
    kept = rows(runtime, here, "SELECT what, form, question FROM schedules ORDER BY created_at")
    assert kept == [
        ("aggregates", "xlsx", {}),
        ("cohort", "both", {"against": "organization"}),
        ("clients", "zip", {"form": "short"}),
        ("clients", "zip", {"form": "short"}),
    ]
    analyst = world.person(here, Role.ANALYST)
    assert world.browser(app, analyst).get(f"/schedules/new?what=clients&cohort={cohort}").status_code == 403
    for bad in ("what=clients", "what=cohort&cohort=x", "what=nothing"):
        assert "First open what it is to write" in browser.get(f"/schedules/new?{bad}").text


def test_every_kind_by_the_api(world: World, runtime: Runtime, app: Flask, admin: Person) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    here = admin.actor.organization_id
    people = world.clients(here, 2)
    world.plans(here, people)
    cohort, saved = str(cohort_of(runtime, admin, people)), str(filter_of(runtime, admin))
    browser = world.browser(app, admin)
    body = {"name": "Daily", "cadence": "daily", "at": "06:30", "recipients": [str(member_of(admin))]}
    kinds: list[tuple[dict[str, Any], int]] = [
        ({"form": "csv", "aggregates": {}}, 1),
        ({"form": "both", "cohort_figures": {"cohort_id": cohort, "against": "organization"}}, 2),
        ({"form": "zip", "client_reports": {"cohort_id": cohort, "form": "short"}}, 3),
        ({"form": "zip", "client_reports": {"filter_id": saved, "parts": ["story"]}}, 3),
    ]
    for kind, _ in kinds:
        made = browser.post("/api/v1/schedules", json=body | kind)
        assert made.status_code == 201, made.text
        where = f"/api/v1/schedules/{made.json['id']}"
        assert browser.patch(where, json={"name": "Each day"}).json["question"] == made.json["question"]
        assert browser.post(f"{where}/runs").status_code == 202
        pass_time(runtime, here)
    received = browser.get("/api/v1/received-reports").json["items"]
    assert len(received) == len(kinds)
    for one in received:
        shown = browser.get(f"/api/v1/received-reports/{one['id']}").json
        schedule_of = browser.get(f"/api/v1/schedules/{one['schedule_id']}").json
        expected = {"aggregates": 1, "cohort": 2, "clients": 3}[schedule_of["what"]]
        assert len(shown["files"]) == expected
        for file in shown["files"]:
            with browser.get(file["href"]) as taken:
                assert len(taken.data) == file["size"]
        with browser.get(f"/api/v1/received-reports/{one['id']}/content") as content:
            assert content.status_code == (200 if expected == 1 else 404)
    other_form = {"form": "csv", "client_reports": {"cohort_id": cohort}}
    for wrong in ({"form": "csv"}, {"form": "zip", "client_reports": {}}, other_form):
        assert browser.post("/api/v1/schedules", json=body | wrong).status_code == 422
    both = {"form": "csv", "aggregates": {}, "question": {"figure": "people"}}
    assert browser.post("/api/v1/schedules", json=body | both).status_code == 422
