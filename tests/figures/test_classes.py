"""Classes in figures: by the standard's formulas, for those who see people and for those who must not."""

from __future__ import annotations

import csv
import io
from datetime import date

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.outcomes import FULL_TIME, MILITARY, NOT_SEEKING, SEEKING_WORK
from app.features.figures.classes import tell_classes
from app.features.figures.layer import Question, ask
from app.features.outcomes import queries
from tests.factories import World
from tests.outcomes.scene import Centre


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


def test_counts_of_a_class_are_those_counted_by_hand(centre: Centre) -> None:
    people = centre.clients
    centre.graduate(people[:8])
    centre.graduate(people[8:9], date(2025, 7, 1))
    centre.graduate(people[9:10], date(2025, 6, 30))
    for number, client in enumerate(people[:4]):
        centre.tell(
            client, salary=30_000 + 1000 * number, currency="EUR", employment="organization" if number else None
        )
    centre.tell(people[4], status=SEEKING_WORK)
    centre.tell(people[5], status=NOT_SEEKING)
    # Somebody was still seeking before they found work.
    centre.tell(people[0], status=SEEKING_WORK, known_on=date(2026, 7, 1))
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        newest, before = queries.count_classes(uow)
        assert (newest.class_year, newest.graduates, before.class_year, before.graduates) == (2026, 9, 2025, 1)
        assert newest.counts == {
            (FULL_TIME, "organization"): 3,
            (FULL_TIME, None): 1,
            (SEEKING_WORK, None): 1,
            (NOT_SEEKING, None): 1,
        }
        assert newest.salaries is not None
        assert (newest.salaries.people, newest.salaries.median, newest.salaries.currency) == (4, 31_500, "EUR")
        assert queries.count_missing(uow) == {2026: 3, 2025: 1}
        shown = tell_classes(uow)
    assert (shown[0].known, shown[0].basis) == (6, 5)
    assert shown[0].knowledge.value == pytest.approx(100 * 6 / 9)
    assert shown[0].outcomes is not None
    assert shown[0].outcomes.value == pytest.approx(80)
    assert shown[1].outcomes is None
    assert shown[1].knowledge.value == 0
    # A counsellor's figures are of those they see.
    with centre.runtime.database.unit_of_work(centre.counsellor.actor) as uow:
        assert [one.graduates for one in queries.count_classes(uow)] == [9, 1]
        assert [one.graduates for one in queries.count_classes(uow, class_year=2025)] == [1]


def test_what_became_known_after_the_collection_is_kept_and_counts_no_more(centre: Centre) -> None:
    client, other = centre.clients[:2]
    centre.graduate([client, other], date(2025, 6, 1))
    centre.tell(client, year=2025, status=SEEKING_WORK, known_on=date(2025, 12, 31))
    centre.tell(client, year=2025, known_on=date(2026, 1, 1))
    centre.tell(other, year=2025, known_on=date(2026, 1, 1))
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        (found,) = queries.count_classes(uow)
        assert (found.graduates, found.counts, found.late) == (2, {(SEEKING_WORK, None): 1}, 1)
        assert queries.count_missing(uow) == {}


def test_a_second_record_of_a_person_and_who_left(centre: Centre) -> None:
    first, second, third = centre.clients[:3]
    centre.graduate([first, second, third])
    with centre.runtime.database.unit_of_work(access.system(centre.id)) as uow:
        low, high = sorted((first, second))
        uow.session.execute(
            text(
                "INSERT INTO client_pairs (first_id, second_id, state, linked_id, decided_at)"
                " VALUES (:low, :high, 'linked', :behind, now())"
            ),
            {"low": low, "high": high, "behind": second},
        )
        uow.session.execute(text("UPDATE clients SET active = false WHERE id = :c"), {"c": third})
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert [one.graduates for one in queries.count_classes(uow)] == [2]
        assert queries.count_missing(uow) == {2026: 2}
        assert {one.client_id for one in queries.missing_page(uow, 2026)} == {first, third}


def _mixed(world: World) -> Centre:
    """A class of which 3 are soldiers, 21 work, 12 seek and 15 are not known; of that before it 0, 11, 12 and 14."""
    centre = Centre(world, clients=88)
    # Nobody looks after them: who does would be told by the class.
    centre.rows("DELETE FROM caseload_entries RETURNING client_id")
    centre.graduate(centre.clients[:51])
    centre.graduate(centre.clients[51:], date(2025, 6, 20))
    for number, client in enumerate(centre.clients[51:74]):
        status = FULL_TIME if number < 11 else SEEKING_WORK
        centre.tell(client, year=2025, status=status, known_on=date(2025, 8, 1))
    for client in centre.clients[:3]:
        centre.tell(client, status=MILITARY)
    for client in centre.clients[3:24]:
        centre.tell(client)
    for client in centre.clients[24:36]:
        centre.tell(client, status=SEEKING_WORK)
    return centre


def test_classes_are_those_of_the_one_layer(world: World) -> None:
    centre = _mixed(world)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        for one in tell_classes(uow):
            for key, of, number in (
                ("known", one.graduates, one.known),
                ("placed", one.basis, 24 if one.class_year == 2026 else 11),
            ):
                told = {n.first: n for n in ask(uow, Question(key, "@class")).numbers}[one.class_year]
                assert (told.people, told.number) == (of, number)
            statuses = ask(uow, Question("outcome", "@class")).numbers
            assert {n.part: n.number for n in statuses if n.first == one.class_year} == one.people


def test_page_sheets_and_json_withhold_the_same(world: World, app: Flask) -> None:
    centre = _mixed(world)
    browser = world.browser(app, centre.analyst)
    page = browser.get("/outcomes").text
    assert "Groups under 10 are withheld." in page
    assert browser.get("/outcomes/2026").status_code == 403
    lines = list(csv.reader(io.StringIO(browser.get("/outcomes.csv").data.decode("utf-8-sig"))))
    row = dict(zip(lines[0], lines[1], strict=True))
    assert (row["In the military"], row["Full-time salaries known"]) == ("withheld", "withheld")
    assert (row["Known"], row["Placed or seeking"], row["Seeking employment"]) == ("36", "36", "12")
    assert row["Knowledge rate, percent"] == "70.59"
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/outcomes.xlsx").data)).worksheets[0]
    again = [["" if cell is None else str(cell) for cell in line] for line in book.iter_rows(values_only=True)]
    assert again[0] == lines[0]
    assert [[cell.removesuffix(" 00:00:00") for cell in line] for line in again[1:]] == lines[1:]
    of_json = browser.get("/api/v1/outcomes/classes").get_json()["classes"]
    assert [one["class_year"] for one in of_json] == [2026, 2025]
    for one, line in zip(of_json, lines[1:], strict=True):
        said = dict(zip(lines[0], line, strict=True))
        for name, number in (
            ("Graduates", one["graduates"]),
            ("Known", one["known"]),
            ("Placed or seeking", one["placed_or_seeking"]),
            ("Employed full time", one["people"]["employed_full_time"]),
            ("No information", one["people"]["unknown"]),
        ):
            assert said[name] == ("withheld" if number is None else str(number)), name
    # Asking for a class, an attribute or exact figures gives an analyst nothing more.
    assert list(csv.reader(io.StringIO(browser.get("/outcomes.csv?small=shown").data.decode("utf-8-sig")))) == lines
    for more in ("?class=2026", "?class=2026&by=programme"):
        one = list(csv.reader(io.StringIO(browser.get(f"/outcomes.csv{more}").data.decode("utf-8-sig"))))
        assert one == lines[:2]
    seen = world.browser(app, centre.admin)
    exact = list(csv.reader(io.StringIO(seen.get("/outcomes.csv").data.decode("utf-8-sig"))))
    of = dict(zip(exact[0], exact[1], strict=True))
    assert (of["In the military"], of["Known"], of["No information"], of["Placed or seeking"]) == (
        "3",
        "36",
        "15",
        "36",
    )
    assert float(of["Career outcomes rate, percent"]) == pytest.approx(100 * 24 / 36, abs=0.01)
    kept = list(csv.reader(io.StringIO(seen.get("/outcomes.csv?small=withheld").data.decode("utf-8-sig"))))
    assert kept == lines
    assert centre.actions().count("outcomes.exported") == 7
    assert "66.7 %" in seen.get("/outcomes").text
    assert seen.get("/outcomes/2026?by=nonsense&page=99").status_code == 200
    assert seen.get("/outcomes/99999").status_code == 404


def test_a_class_alone_is_told_too_and_few_who_seek_are_not(world: World, app: Flask) -> None:
    centre = Centre(world, clients=40)
    centre.graduate(centre.clients)
    for client in centre.clients[:21]:
        centre.tell(client)
    for client in centre.clients[21:25]:
        centre.tell(client, status=SEEKING_WORK)
    browser = world.browser(app, centre.analyst)
    (one,) = browser.get("/api/v1/outcomes/classes").get_json()["classes"]
    assert (one["class_year"], one["graduates"], one["known"], one["placed_or_seeking"]) == (2026, 40, 25, 25)
    # Four seek: the rate would tell of them.
    assert one["career_outcomes_rate"] == {"kind": "withheld", "value": None}
    assert {one["people"][status] for status in ("seeking_employment", "employed_full_time")} == {None}


def test_text_of_attributes_in_a_sheet_runs_nowhere(world: World, app: Flask) -> None:
    centre = Centre(world, clients=2)
    with centre.runtime.database.unit_of_work(access.system(centre.id)) as uow:
        uow.session.execute(
            text("INSERT INTO attribute_definitions (key, label, kind) VALUES ('programme', 'Programme', 'text')")
        )
        uow.session.execute(text("""UPDATE clients SET attributes = '{"programme": "=1+1"}'"""))
    centre.graduate(centre.clients)
    browser = world.browser(app, centre.admin)
    sheet = browser.get("/outcomes.csv?class=2026&by=programme").data.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(sheet)))[1][1] == "'=1+1"
    book = openpyxl.load_workbook(io.BytesIO(browser.get("/outcomes.xlsx?class=2026&by=programme").data))
    assert book.worksheets[0]["B2"].data_type == "s"
    assert "=1+1" in browser.get("/outcomes/2026?by=programme").text
