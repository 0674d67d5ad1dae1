"""Aggregates, the organization on one screen: the answers of the one layer, the same on the page and in its files."""

from __future__ import annotations

import csv
import io
import re
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import event, text

from app.domain import access
from app.domain.access import Role
from app.features.figures.aggregates import read_aggregates
from app.features.figures.layer import Question, ask
from app.infra.runtime import Runtime
from tests.factories import World
from tests.figures.lives import tell_lives
from tests.figures.scene import make_organization
from tests.figures.test_attack import load
from tests.infra.test_pdf import check_accessible


@pytest.fixture
def organization(runtime: Runtime, world: World) -> UUID:
    made = make_organization(runtime, world, 300, 4)
    tell_lives(runtime, made, load(runtime, made))
    return made


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ANALYST])
def test_every_number_is_that_of_the_figure(runtime: Runtime, world: World, organization: UUID, role: Role) -> None:
    reader = world.person(organization, role).actor
    with runtime.database.unit_of_work(reader) as uow:
        found = read_aggregates(uow, withhold=False)
        shown = [*found.numbers, *found.groups]
        for answer in shown:
            question = Question(answer.figure.key, answer.first.key if answer.first else "")
            assert ask(uow, question).numbers == answer.numbers
    assert {answer.figure.key for answer in shown} >= {"people", "completed", "overdue", "answered", "changed"}
    assert {answer.first.key for answer in found.groups if answer.first} == {"@cohort", "@reviewed"}
    assert any(answer.withheld for answer in shown) == (role is Role.ANALYST)


def test_a_counsellor_reads_of_their_caseload_alone(runtime: Runtime, world: World, organization: UUID) -> None:
    counsellor = world.person(organization, Role.COUNSELLOR)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        mine = list(uow.session.scalars(text("SELECT id FROM clients ORDER BY external_id LIMIT 7")))
    world.caseload(counsellor, mine)
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        assert read_aggregates(uow, withhold=False).numbers[0].people == 7


def test_what_is_kept_is_read_in_few_statements(runtime: Runtime, organization: UUID) -> None:
    said: list[str] = []
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        read_aggregates(uow, withhold=False)
        event.listen(uow.session.connection(), "before_cursor_execute", lambda *given: said.append(given[2]))
        read_aggregates(uow, withhold=False)
        assert len(said) == 3, [one.split("WHERE")[0] for one in said]


def test_page_workbook_and_text_withhold_the_same(app: Flask, world: World, organization: UUID) -> None:
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    page = browser.get("/aggregates").text
    assert "Show exact figures" not in page
    # Asking for more does not help an analyst.
    assert browser.get("/aggregates?small=exact").text.count("withheld") == page.count("withheld")
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/aggregates.xlsx").data))
    rows = [row for sheet in book.worksheets[:-1] for row in sheet.iter_rows(values_only=True)]
    in_book = [[str(cell) for cell in row] for row in rows]
    lines = list(csv.reader(io.StringIO(browser.get("/aggregates.csv").data.decode("utf-8-sig"))))
    starts = [n - 1 for n, line in enumerate(lines) if line[:1] == ["Definition"]]
    in_text = []
    for start, end in zip(starts, [*starts[1:], len(lines) + 1], strict=True):
        in_text += lines[lines.index([], start) + 1 : end - 1]
    assert in_book == [[cell.removesuffix(".0") for cell in line] for line in in_text]
    withheld = sum(line.count("withheld") for line in in_text)
    # In the tables below the drawings every withheld number is one cell, too.
    cells = re.findall(r'<td class="num">withheld</td>', page)
    alone = sum(line.count("withheld") for line in in_text[: 2 * 5])
    assert len(cells) == withheld - alone > 0


def test_the_pdf_has_the_same_numbers_and_is_accessible(app: Flask, world: World, organization: UUID) -> None:
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    with browser.get("/aggregates.pdf") as answer:
        pdf = answer.data
    check_accessible(pdf, lang="en-IE", title="The organization in figures")
    lines = list(csv.reader(io.StringIO(browser.get("/aggregates.csv").data.decode("utf-8-sig"))))
    words = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split()
    starts = [n - 1 for n, line in enumerate(lines) if line[:1] == ["Definition"]]
    # The first five are the numbers at the top.
    in_text = [cell for line in lines[starts[5] :] if len(line) > 2 for cell in line]
    assert words.count("withheld") >= in_text.count("withheld") > 0
    assert {cell for cell in in_text if cell.isdigit()} <= set(words)


def test_an_administrator_may_withhold_before_passing_on(app: Flask, world: World, organization: UUID) -> None:
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    assert "chart-withheld" not in browser.get("/aggregates").text
    passed_on = browser.get("/aggregates?small=withheld").text
    assert "chart-withheld" in passed_on
    assert "/aggregates.csv?small=withheld" in passed_on
    assert "/figures?figure=completed&amp;by=@cohort&amp;small=withheld" in passed_on
    assert b"withheld" in browser.get("/aggregates.csv?small=withheld").data
    assert b"withheld" not in browser.get("/aggregates.csv").data


def test_a_file_is_kept_in_mind_with_its_checksum(app: Flask, world: World, organization: UUID) -> None:
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    browser.get("/aggregates.csv")
    listed = browser.get("/figures/files").text
    one = re.search(r'href="(/figures/files/[0-9a-f-]+)" data-row>Aggregates<', listed)
    assert one is not None
    assert 'href="/aggregates">The same figures now' in browser.get(one[1]).text


def test_an_empty_organization_says_so(app: Flask, world: World) -> None:
    organization = world.organization()
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    assert "There is nothing to count yet" in browser.get("/aggregates").text
    assert browser.get("/aggregates.xlsx").status_code == 200


def test_a_file_says_the_definition_in_the_readers_language(
    app: Flask, runtime: Runtime, world: World, organization: UUID
) -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("UPDATE organizations SET locale = 'zh_Hans_CN'"))
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    # Its definition has a number in it.
    content = browser.get("/figures.csv?figure=stalled").data
    definition = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1][1]
    assert "30" in definition
    assert "People" not in definition
    assert definition in browser.get("/figures?figure=stalled").text
