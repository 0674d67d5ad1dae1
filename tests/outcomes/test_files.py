"""Files of outcomes: checked line by line, taken by a job, taken back, and hostile ones refused."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.composition import JOB_KINDS
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.features.jobs.runner import undo_job
from app.features.outcomes import file_service as service
from app.features.outcomes import queries
from app.features.outcomes.file_queries import faults, get_import
from app.features.outcomes.file_rows import Reading, guess, read_row
from app.features.outcomes.models import OutcomeImport
from tests.factories import World
from tests.outcomes.scene import Centre

HEAD = "Student ID,Graduation date,Outcome,Employment,Employer,Job title,Salary,Currency,As of,Source,Occupation"


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


def _ids(centre: Centre) -> dict[UUID, str]:
    return {row.id: row.external_id for row in centre.rows("SELECT id, external_id FROM clients")}


def _checked(centre: Centre, path: Path, content: str | bytes) -> tuple[OutcomeImport, dict[int, list[str]]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    import_id = service.import_file(centre.runtime, centre.admin.actor, path)
    centre.work()
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        taken, _ = get_import(uow, import_id)
        found: dict[int, list[str]] = {}
        for fault in faults(uow, import_id):
            found.setdefault(fault.line, []).append(fault.column)
        return taken, found


def _take(centre: Centre, import_id: UUID) -> UUID:
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        job = service.confirm_import(uow, import_id).id
    centre.work()
    return job


def test_a_file_is_checked_taken_and_taken_back(centre: Centre, tmp_path: Path) -> None:
    ids = [_ids(centre)[client] for client in centre.clients]
    centre.graduate(centre.clients[1:2])
    centre.tell(centre.clients[1], status="seeking_employment", known_on=date(2026, 7, 1))
    lines = [
        HEAD,
        f'{ids[0]},2026-06-20,Employed full-time,contract,Harbour,Analyst,"30,000",eur,2026-08-01,employer,',
        f"{ids[1]},,Continuing education,,University,,,,2026-08-02,survey,",
        f"{ids[2]},2026-06-20,happy,,,,,,,,",
        f"{ids[3]},,military,,,,,,,,",
        "nobody,2026-06-20,military,,,,,,,,",
        f"{ids[0]},2026-06-21,military,,,,,,,,",
        f"{ids[4]},20 June,full time,,,,a lot,,2099-01-01,rumour,Wizard",
        ",2026-06-20,military,,,,,,,,",
        f"{ids[5]},2025-06-20,Full time,,,,,,,,Accountants and Auditors",
    ]
    taken, bad = _checked(centre, tmp_path / "outcomes.csv", "\n".join(lines))
    assert taken.state == "checked"
    assert taken.counts == {"rows": 9, "good": 3, "known": 0, "bad": 6, "graduations": 2}
    assert bad == {
        4: ["Outcome"],
        5: ["Student ID"],
        6: ["Student ID"],
        7: ["Student ID"],
        8: ["Source", "Graduation date", "Salary", "Occupation"],
        9: ["Student ID"],
    }
    assert centre.rows("SELECT * FROM outcomes WHERE job_id IS NOT NULL") == []
    job = _take(centre, taken.id)
    # What a row says stands in the outcomes alone, so that it goes with a client who is erased.
    assert centre.rows("SELECT 1 FROM outcome_rows WHERE given <> '{}'") == []
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        first = queries.history_of(uow, centre.clients[0])[0].newest
        assert first is not None
        told = first.outcome
        assert (told.status, told.employment, told.salary, told.currency) == (
            "employed_full_time",
            "temporary",
            30_000,
            "EUR",
        )
        assert (told.known_on, told.source, first.by) == (date(2026, 8, 1), "employer", centre.admin.actor.name)
        second = queries.history_of(uow, centre.clients[1])[0]
        assert [known.outcome.status for known in second.history] == ["continuing_education", "seeking_employment"]
        fifth = queries.history_of(uow, centre.clients[5])[0]
        assert (fifth.graduation.class_year, fifth.history[0].occupation) == (2025, "Accountants and Auditors")
    # The same file again has nothing new to say.
    again, _ = _checked(centre, tmp_path / "again.csv", "\n".join(lines))
    assert (again.counts["good"], again.counts["known"]) == (0, 3)
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow, pytest.raises(Conflict):
        service.confirm_import(uow, again.id)
    # Somebody recorded more of one whom the file brought: the graduation stays.
    centre.tell(centre.clients[5], year=2025, known_on=date(2025, 9, 1))
    undo_job(centre.runtime, centre.admin.actor, JOB_KINDS, job)
    centre.work()
    left = centre.rows("SELECT client_id, class_year FROM graduations ORDER BY class_year")
    assert [(row.client_id, row.class_year) for row in left] == [(centre.clients[5], 2025), (centre.clients[1], 2026)]
    with centre.runtime.database.unit_of_work(centre.admin.actor) as uow:
        assert get_import(uow, taken.id)[0].state == "undone"
        newest = queries.history_of(uow, centre.clients[1])[0].newest
        assert newest is not None
        assert newest.outcome.status == "seeking_employment"


def test_a_client_erased_and_a_day_changed_between_check_and_taking(centre: Centre, tmp_path: Path) -> None:
    ids = _ids(centre)
    rows = "".join(f"{ids[client]},2026-06-20,military\n" for client in centre.clients[:3])
    taken, bad = _checked(centre, tmp_path / "o.csv", "id,graduated on,status\n" + rows)
    assert bad == {}
    centre.rows("DELETE FROM caseload_entries WHERE client_id = :c RETURNING 1", c=centre.clients[0])
    centre.rows("DELETE FROM clients WHERE id = :c RETURNING 1", c=centre.clients[0])
    centre.graduate(centre.clients[1:2], date(2026, 5, 1))
    _take(centre, taken.id)
    assert len(centre.rows("SELECT * FROM outcomes")) == 2
    days = {row.graduated_on for row in centre.rows("SELECT graduated_on FROM graduations")}
    assert days == {date(2026, 5, 1), date(2026, 6, 20)}


def test_an_xlsx_and_a_page_from_upload_to_undo(centre: Centre, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    book = openpyxl.Workbook()
    book.active.append(["学号", "毕业日期", "毕业去向", "备注"])
    for client in centre.clients[:3]:
        book.active.append([_ids(centre)[client], date(2026, 6, 20), "升学", "=1+1"])
    book.active.append(["", date(2026, 6, 20), "升学", ""])
    # Written as text, not as a formula.
    book.active["A5"].value, book.active["A5"].data_type = "=cmd()", "s"
    content = io.BytesIO()
    book.save(content)
    browser = centre.world.browser(app, centre.admin)
    content.seek(0)
    sent = browser.post("/outcomes/files", data={"file": (content, "out<b>.xlsx")})
    assert sent.status_code == 302
    page = browser.get(sent.location)
    assert page.status_code == 200
    assert "<b>" not in page.text.replace("<b>3", "")
    wrong = browser.post(sent.location, data={"column-external_id": "0", "column-status": "0"})
    assert wrong.status_code == 422
    assert "already chosen" in wrong.text
    mapping = {"column-external_id": "0", "column-graduated_on": "1", "column-status": "2"}
    here = browser.post(sent.location, data=mapping).location
    centre.work()
    shown = browser.get(here).text
    assert "3</b> <span>outcomes are recorded" in shown
    rows = browser.get(f"{here}/rows.csv").data.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(rows)))[1][1] == "'=cmd()"
    sheet = openpyxl.load_workbook(io.BytesIO(browser.get(f"{here}/rows.xlsx").data)).worksheets[0]
    assert sheet["B2"].data_type == "s"
    assert browser.post(f"{here}/take").status_code == 302
    assert browser.post(f"{here}/take").status_code == 409
    centre.work()
    assert "outcomes recorded" in browser.get(here).text
    assert browser.get(f"{here}/progress").status_code == 200
    assert browser.post(f"{here}/undo").status_code == 302
    centre.work()
    assert "is withdrawn" in browser.get(here).text
    assert {row.withdrawn_by for row in centre.rows("SELECT withdrawn_by FROM outcomes")} <= {
        centre.admin.actor.membership_id
    }
    assert centre.actions().count("outcomes.undone") == 1


def test_only_administrators_import_and_only_their_own(centre: Centre, app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("id,status\nA,military\n")
    for person in (centre.counsellor, centre.analyst):
        with pytest.raises(Forbidden):
            service.import_file(centre.runtime, person.actor, path)
        assert centre.world.browser(app, person).get("/outcomes/files").status_code == 403
    import_id = service.import_file(centre.runtime, centre.admin.actor, path)
    foreign = Centre(centre.world, clients=1)
    with foreign.runtime.database.unit_of_work(foreign.admin.actor) as uow, pytest.raises(NotFound):
        service.lock_import(uow, import_id)
    assert foreign.world.browser(app, foreign.admin).get(f"/outcomes/files/{import_id}").status_code == 404


def test_a_number_of_another_organization_is_nobodys(centre: Centre, tmp_path: Path) -> None:
    foreign = Centre(centre.world, clients=1)
    (number,) = _ids(foreign).values()
    taken, bad = _checked(centre, tmp_path / "o.csv", f"id,graduated on,status\n{number},2026-06-20,military\n")
    assert (taken.counts["good"], list(bad)) == (0, [2])


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 5000, b"%PDF-1.7 x", b"id\n1\n", b"id,status\n", b"PK\x03\x04broken", b'a,b\n"open,1\n']
)
def test_what_is_no_table_is_refused_in_a_sentence(centre: Centre, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "o.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput):
        service.import_file(centre.runtime, centre.admin.actor, path)


_READING = Reading(["id", "status", "salary", "currency", "known on", "graduated on"], {}, date(2026, 9, 7), {})


@given(st.lists(st.text(max_size=40), max_size=9))
def test_no_cell_is_too_odd_to_be_read(cells: list[str]) -> None:
    names = ("external_id", "status", "salary", "currency", "known_on", "graduated_on")
    reading = Reading(_READING.headers, dict(zip(names, range(6), strict=True)), _READING.today, {})
    row = read_row(2, cells, reading)
    assert bool(row.problems) != bool(row.given)
    assert "\x00" not in row.external_id
    assert len(row.external_id) <= 100


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("30000", 30_000),
        ("30,000.00", 30_000),
        ("30.000", 30_000),
        ("1’234’567", 1_234_567),
        ("30 000", 30_000),
        *((odd, None) for odd in ("30000.50", "€30000", "-1", "1e9", "٣", "9" * 30)),
    ],
)
def test_amounts_as_people_write_them(written: str, amount: int | None) -> None:
    mapping = {"external_id": 0, "status": 1, "salary": 2, "currency": 3}
    row = read_row(2, ["A", "full time", written, "EUR"], Reading(_READING.headers, mapping, _READING.today, {}))
    assert row.given.get("salary") == amount
    assert [column for column, *_ in row.problems] == ([] if amount is not None else ["salary"])


def test_headings_are_guessed() -> None:
    found = guess(HEAD.split(","))
    assert [found[name] for name in ("external_id", "graduated_on", "status", "known_on", "source")] == [0, 1, 2, 8, 9]
