"""A cohort in figures: the layer's numbers on page, JSON, PDF and workbook, as each reader may know them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import openpyxl
import pypdf
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.features.audit.models import AuditEntry
from app.features.figures.definitions import FIGURES
from app.features.figures.groups import ask_all
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.service import load_definition
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.runner import work
from app.features.organizations.models import Membership, Term
from app.features.reports.cohort_files import TEMPLATE, document
from app.features.reports.cohort_picture import read_picture
from app.features.reports.commands import CohortQuestion
from app.features.reports.document import Writer
from app.features.reports.keeping import forget_old
from app.features.reports.sources import load_sources
from app.infra.pdf.press import press
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition, scales_of
from tests.factories import Person, World
from tests.figures.lives import tell_lives
from tests.figures.scene import make_organization
from tests.identity.helpers import send
from tests.infra.test_pdf import check_accessible, packed

_MEMBERS = """
    INSERT INTO cohort_members (cohort_id, client_id)
    SELECT :cohort, c.id FROM clients c JOIN plans p ON p.client_id = c.id WHERE {which}
"""
COHORTS = {
    "Artists": "c.attributes ->> 'faculty' = 'Arts'",
    "Early birds": "p.started_on = date '2026-02-01'",
    "A few": "c.external_id IN ('F1', 'F2', 'F3')",
    # Beside the artists it would tell of three.
    "Artists but a few": "c.attributes ->> 'faculty' = 'Arts' AND c.external_id > 'F105'",
}


def make_cohorts(runtime: Runtime, organization: UUID) -> dict[str, UUID]:
    found = {}
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for name, which in COHORTS.items():
            made = text("INSERT INTO cohorts (name, kind) VALUES (:name, 'fixed') RETURNING id")
            found[name] = uow.session.execute(made, {"name": name}).scalar_one()
            uow.session.execute(text(_MEMBERS.format(which=which)), {"cohort": found[name]})
    return found


def make_people(runtime: Runtime, world: World, people: int = 300) -> UUID:
    """People with plans and lives, in no cohort yet."""
    organization = make_organization(runtime, world, people, 5)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        instrument = load_definition(uow, LoadDefinition(raw=definition())).instrument_id
    tell_lives(runtime, organization, instrument)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("DELETE FROM cohort_members"))
        uow.session.execute(text("DELETE FROM cohorts"))
    return organization


@pytest.fixture
def organization(runtime: Runtime, world: World) -> UUID:
    return make_people(runtime, world)


@pytest.fixture
def cohorts(runtime: Runtime, organization: UUID) -> dict[str, UUID]:
    return make_cohorts(runtime, organization)


def read(browser: FlaskClient, cohort: UUID, **query: str) -> dict[tuple[str, str], Any]:
    answer = browser.get(f"/api/v1/cohort-figures/{cohort}", query_string=query)
    assert answer.status_code == 200, answer.data
    return {(one["key"], part["part"]): part for one in answer.get_json()["figures"] for part in one["parts"]}


def run(runtime: Runtime, organization: UUID) -> None:
    for _ in range(5):
        if not work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(seconds=60)):
            return


def taken(browser: FlaskClient, path: str) -> bytes:
    with browser.get(path) as answer:
        assert answer.status_code == 200
        return answer.data


def made(app: Flask, runtime: Runtime, world: World, who: Person, **asked: str) -> tuple[FlaskClient, str]:
    browser = world.browser(app, who)
    page = f"/cohort-figures?cohort={asked['cohort']}"
    started = send(browser, "/cohort-figures/files", page, key="k1", **asked)
    assert started.status_code == 302, started.data
    assert send(browser, "/cohort-figures/files", page, key="k1", **asked).location == started.location
    run(runtime, who.actor.organization_id)
    return browser, started.location


def test_an_administrator_sees_the_numbers_of_the_rows(
    app: Flask, runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(
            text(
                "SELECT m.cohort_id, s.step, count(*), count(*) FILTER (WHERE s.status = 'completed')"
                " FROM cohort_members m JOIN plans p ON p.client_id = m.client_id JOIN plan_steps s ON s.plan_id = p.id"
                " GROUP BY 1, 2"
            )
        ).all()
    known = {(row[0], row[1]): (row[2], row[3]) for row in rows}
    for name in ("Artists", "A few"):
        shown = read(browser, cohorts[name], against=str(cohorts["Early birds"]))
        for step in range(1, 9):
            part = shown["completed", str(step)]
            for side, cohort in (("this", name), ("other", "Early birds")):
                assert (part[side]["people"], part[side]["number"]) == known[cohorts[cohort], step]
    # Every figure of the registry is there, but what tells of last term, which is for the comparison, and what is not
    # known of the scale of so few answers.
    assert {key for key, _ in shown} == {one.key for one in FIGURES} - {"completed_before", "planned_before", "beyond"}


def test_an_analyst_is_told_of_cohorts_that_tell_of_no_few(
    app: Flask, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    analyst = world.browser(app, world.person(organization, Role.ANALYST))
    listed = {one["name"] for one in analyst.get("/api/v1/cohort-figures").get_json()["items"]}
    assert listed == {"Artists", "Early birds"}
    for name in ("A few", "Artists but a few"):
        assert analyst.get(f"/api/v1/cohort-figures/{cohorts[name]}").status_code == 404
    exact = read(world.browser(app, world.person(organization, Role.ADMIN)), cohorts["Artists"], against="organization")
    shown = read(analyst, cohorts["Artists"], against="organization")
    hidden = 0
    for place, part in shown.items():
        for side in ("this", "other"):
            number = part[side]["number"]
            hidden += number is None
            # What is shown is right, and is of enough people who are so or are not.
            assert number in (None, exact[place][side]["number"])
            assert number is None or number == 0 or 10 <= number <= part[side]["people"]
    assert hidden > 3
    page = analyst.get(f"/cohort-figures?cohort={cohorts['Artists']}&against=organization").data.decode()
    assert page.count("withheld") >= hidden
    assert "A few" not in page


def test_the_same_cells_are_withheld_as_in_figures_by_cohort(
    app: Flask, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    analyst = world.browser(app, world.person(organization, Role.ANALYST))
    shown = read(analyst, cohorts["Artists"])
    hidden = 0
    for figure in FIGURES:
        by_cohort = analyst.get(f"/api/v1/figures/{figure.key}?by=@cohort").get_json()["numbers"]
        for one in by_cohort:
            if one["by"] == "Artists" and (figure.key, one["part"]) in shown:
                here = shown[figure.key, one["part"]]["this"]
                assert {name: here[name] for name in ("people", "number", "percent", "mean")} == {
                    name: one[name] for name in ("people", "number", "percent", "mean")
                }
                hidden += one["number"] is None
    assert hidden > 3


def test_a_cohort_by_which_no_figures_are_kept_is_counted(
    runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    admin = world.person(organization, Role.ADMIN)
    with runtime.database.unit_of_work(admin.actor) as uow:
        kept = {(a.figure.key, n.part): n for a in ask_all(uow, cohorts["Artists"]) for n in a.numbers}
        uow.session.execute(text("UPDATE cohorts SET archived_at = now() WHERE name = 'Artists'"))
        counted = {(a.figure.key, n.part): n for a in ask_all(uow, cohorts["Artists"]) for n in a.numbers}
    assert kept.keys() == counted.keys()
    for place, number in kept.items():
        assert (number.people, number.number) == (counted[place].people, counted[place].number), place
        assert counted[place].mean == (None if number.mean is None else pytest.approx(number.mean)), place


def test_a_counsellor_sees_the_people_of_their_caseload(
    app: Flask, runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    counsellor = world.person(organization, Role.COUNSELLOR)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        theirs = list(uow.session.scalars(text("SELECT id FROM clients WHERE external_id IN ('F2', 'F3', 'F9')")))
    world.caseload(counsellor, theirs)
    browser = world.browser(app, counsellor)
    shown = read(browser, cohorts["A few"], against="organization")
    assert (shown["people", "all"]["this"]["number"], shown["people", "all"]["other"]["number"]) == (2, 3)
    assert "your caseload" in browser.get(f"/cohort-figures?cohort={cohorts['A few']}&against=organization").text


def test_the_same_people_at_the_end_of_last_term(
    app: Flask, runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    admin = world.person(organization, Role.ADMIN)
    browser = world.browser(app, admin)
    asked = f"/api/v1/cohort-figures/{cohorts['Artists']}?against=term"
    assert browser.get(asked).status_code == 404
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.add(Term(name="Spring", starts_on=date(2026, 1, 10), ends_on=date(2026, 4, 30)))
        uow.session.execute(text("DELETE FROM plan_events"))
        # Completed in the spring, and reopened by some in May.
        for kind, to, at, who in (
            ("completed", "completed", "2026-03-01", "true"),
            ("reopened", "in_progress", "2026-05-01", "c.external_id < 'F2'"),
            ("completed", "completed", "2026-06-01", "c.external_id < 'F2'"),
            ("reopened", "in_progress", "2026-04-30 12:00Z", "c.external_id = 'F1'"),
        ):
            uow.session.execute(
                text(
                    "INSERT INTO plan_events (plan_id, step, kind, actor_kind, detail, at)"
                    " SELECT p.id, 2, :kind, 'counsellor', jsonb_build_object('to', cast(:to AS text)), :at"
                    f" FROM plans p JOIN clients c ON c.id = p.client_id WHERE p.started_on < '2026-03-01' AND {who}"
                ),
                {"kind": kind, "to": to, "at": at},
            )
        early = uow.session.execute(
            text(
                "SELECT count(*), count(*) FILTER (WHERE c.external_id <> 'F1') FROM clients c"
                " JOIN plans p ON p.client_id = c.id"
                " WHERE c.attributes ->> 'faculty' = 'Arts' AND p.started_on < '2026-03-01'"
            )
        ).one()
    shown = read(browser, cohorts["Artists"], against="term")
    assert shown["people", "all"]["other"]["number"] == early[0]
    assert shown["completed", "2"]["other"]["number"] == early[1]
    assert shown["completed", "3"]["other"]["number"] == 0
    assert shown["overdue", "3"]["other"] is None
    assert "the same people, Spring" in browser.get(f"/cohort-figures?cohort={cohorts['Artists']}&against=term").text


@pytest.fixture(params=[(Role.ANALYST, "en"), (Role.ADMIN, "zh_Hans_CN")], ids=["analyst", "chinese"])
def told(request: pytest.FixtureRequest, world: World, organization: UUID) -> tuple[Person, str]:
    role, locale = request.param
    return world.person(organization, role), locale


def test_the_files_say_what_the_page_says(
    app: Flask, runtime: Runtime, world: World, cohorts: dict[str, UUID], told: tuple[Person, str]
) -> None:
    who, locale = told
    organization, role = who.actor.organization_id, who.actor.role
    asked = {"cohort": str(cohorts["Artists"]), "against": str(cohorts["Early birds"])}
    if locale != "en":
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            uow.session.execute(text("UPDATE organizations SET locale = :locale"), {"locale": locale})
    browser, place = made(app, runtime, world, who, **asked)
    page = browser.get(place)
    assert page.status_code == 200
    assert "SHA-256" in page.text
    pdf = taken(browser, f"{place}/pdf")
    title = "Artists in figures" if locale == "en" else None
    check_accessible(pdf, lang="en-IE" if locale == "en" else "zh-CN", title=title)
    said = packed("".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(pdf)).pages))
    book = openpyxl.load_workbook(io.BytesIO(taken(browser, f"{place}/xlsx")))
    shown = read(browser, cohorts["Artists"], against=asked["against"])
    every = list(book.worksheets[0].iter_rows(min_row=2, values_only=True))
    word = "withheld" if locale == "en" else "不予显示"
    numbers = [tuple(part[side]["number"] for side in ("this", "other")) for part in shown.values()]
    # Of a mean the number of people stands where counts have what they are out of.
    found = [tuple(row[n - 1] if row[n] is None else row[n] for n in (3, 9)) for row in every]
    in_book = [tuple(None if cell == word else cell for cell in cells) for cells in found]
    assert sorted(map(str, in_book)) == sorted(map(str, numbers))
    if locale == "en":
        assert "Completed,bystep" in said
        assert packed("People whose step is completed now; a skipped step is not completed.") in said
        assert (word in said) == (role is Role.ANALYST)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        actions = set(uow.session.scalars(select(AuditEntry.action)))
    assert {"report.figures_asked", "report.figures_made", "report.figures_downloaded"} <= actions


def test_the_workbook_is_one_to_work_with(
    app: Flask, runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    browser, place = made(
        app,
        runtime,
        world,
        world.person(organization, Role.ADMIN),
        cohort=str(cohorts["Artists"]),
        against="organization",
    )
    content = taken(browser, f"{place}/xlsx")
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets:
        assert sheet.freeze_panes == "A2"
        (table,) = sheet.tables.values()
        assert table.autoFilter is not None
    first = book.worksheets[0]
    shares = [row[4] for row in first.iter_rows(min_row=3) if isinstance(row[4].value, float)]
    assert len(shares) > 10
    assert {cell.number_format for cell in shares} == {"0.0%"}
    about = {row[0]: row[1] for row in book["About"].iter_rows(min_row=2, values_only=True)}
    assert about["As of"].date() == runtime.clock().date()
    with zipfile.ZipFile(io.BytesIO(content)) as packed_book:
        charts = [name for name in packed_book.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name)]
        assert len(charts) == len(book.worksheets) - 2
        drawn = packed_book.read(charts[0]).decode()
        assert "<c:barChart>" in drawn
        assert "Artists" in drawn


def test_the_same_figures_give_the_same_bytes(
    runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    admin = world.person(organization, Role.ADMIN)
    printed = []
    for _ in range(2):
        with runtime.database.unit_of_work(admin.actor) as uow:
            picture = read_picture(uow, CohortQuestion(cohorts["Artists"], "organization"))
            sources = load_sources(uow, [])
        printed.append(press().print_one(TEMPLATE, document(picture, Writer(sources, "en"))))
    assert printed[0].problem is None
    assert printed[0].pdf == printed[1].pdf


def test_many_scales_go_on_several_pages(runtime: Runtime, world: World) -> None:
    organization = make_organization(runtime, world, 40, 5, few=True)
    names = {f"S{n:02}": (1,) for n in range(20)}
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        instrument = load_definition(
            uow, LoadDefinition(raw=scales_of(names, order=list(names), method="mean"))
        ).instrument_id
        uow.session.execute(
            text(
                "INSERT INTO assessments (client_id, instrument_id, version, taken_at, source, source_key, responses,"
                " scores, answered) SELECT client_id, :instrument, 1, now(), 'import', 'once',"
                " array_fill(3::smallint, ARRAY[20]), array_fill(3::float8, ARRAY[20]),"
                " array_fill(1::smallint, ARRAY[20]) FROM plans"
            ),
            {"instrument": instrument},
        )
    cohort = make_cohorts(runtime, organization)["Early birds"]
    with runtime.database.unit_of_work(world.person(organization, Role.ADMIN).actor) as uow:
        picture = read_picture(uow, CohortQuestion(cohort, "organization"))
        sources = load_sources(uow, [])
    made = document(picture, Writer(sources, "en"))
    titles = [section["title"] for section in made["sections"]]
    both = [f"Mean score, by scale · A made-up questionnaire ({n})" for n in (1, 2)]
    assert [title for title in titles if title.startswith("Mean score")] == both
    assert [len(section["rows"]) for section in made["sections"] if section["title"] in both] == [16, 4]
    printed = press().print_one(TEMPLATE, made)
    assert printed.problem is None
    check_accessible(printed.pdf, lang="en-IE")
    # Two drawings stand beside each other, so that a page holds more than one figure.
    assert len(pypdf.PdfReader(io.BytesIO(printed.pdf)).pages) < len(titles) * 2 / 3


def test_who_may_see_less_now_may_not_have_the_files_of_then(
    app: Flask, runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    admin = world.person(organization, Role.ADMIN)
    browser, place = made(app, runtime, world, admin, cohort=str(cohorts["A few"]))
    assert taken(browser, f"{place}/pdf").startswith(b"%PDF-")
    other = world.browser(app, world.person(organization, Role.ANALYST))
    assert other.get(place).status_code == 404
    assert world.browser(app, world.client_person(organization)).get("/cohort-figures").status_code == 403
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            update(Membership).where(Membership.id == admin.actor.membership_id).values(role=Role.ANALYST.value)
        )
    assert browser.get(place).status_code == 200
    assert browser.get(f"{place}/pdf").status_code == 404


def test_files_go_when_their_days_are_over(
    app: Flask, runtime: Runtime, world: World, organization: UUID, cohorts: dict[str, UUID]
) -> None:
    browser, place = made(app, runtime, world, world.person(organization, Role.ADMIN), cohort=str(cohorts["Artists"]))
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        locations = list(uow.session.scalars(select(StoredFile.location)))
        uow.session.execute(update(Job).values(finished_at=uow.now - timedelta(days=31)))
    assert len(locations) == 2
    assert forget_old(runtime, organization) == 1
    assert browser.get(f"{place}/pdf").status_code == 404
    assert not any(runtime.storage.path(location).is_file() for location in locations)
    assert "deleted" in browser.get(place).text
