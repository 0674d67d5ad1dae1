"""The pages of the roster import: upload, columns, result, guard rail, sheets, undo."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import openpyxl
from flask import Flask

from app.domain.access import Role
from app.infra.runtime import Runtime
from tests.clients.roster_files import check, csv_file, people, take, work_off
from tests.factories import World


def _upload(content: str | bytes, name: str = "people.csv") -> dict[str, tuple[io.BytesIO, str]]:
    return {"file": (io.BytesIO(content.encode() if isinstance(content, str) else content), name)}


def test_from_upload_to_undo(app: Flask, runtime: Runtime, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = world.person(world.organization(), Role.ADMIN)
    browser = world.browser(app, admin)
    refused = browser.post("/import", data=_upload(""))
    assert (refused.status_code, "This file is empty." in refused.text) == (422, True)
    uploaded = browser.post("/import", data=_upload("No;Name;Mail\n1;Ann Lee;ann@example.org\n2;=1+1;bad\n"))
    assert uploaded.status_code == 302
    page = browser.get(uploaded.location).text
    assert "Full names are split" in page
    assert '<option selected value="1">Name (Ann Lee)</option>' in page
    # What was chosen stays when it does not do, and the field at fault is named.
    wrong = browser.post(
        uploaded.location, data={"column-external_id": "", "column-email": "2", "column-full_name": "1"}
    )
    assert wrong.status_code == 422
    assert "rows are matched by it" in wrong.text
    assert '<option selected value="2">Mail (ann@example.org)</option>' in wrong.text
    chosen = {"column-external_id": "0", "column-full_name": "1", "column-email": "2"}
    checking = browser.post(uploaded.location, data=chosen)
    assert 'data-poll="' in browser.get(checking.location).text
    work_off(runtime, admin.actor.organization_id)
    assert "See the result" in browser.get(checking.location + "/progress").text
    result = browser.get(checking.location).text
    assert "This is not an e-mail address." in result
    rows = list(csv.reader(io.StringIO(browser.get(checking.location + "/rows.csv").data.decode("utf-8-sig"))))
    assert rows[1][:3] == ["3", "2", "Mail"]
    assert browser.post(checking.location + "/take").status_code == 302
    work_off(runtime, admin.actor.organization_id)
    assert "<b>1</b> <span>created</span>" in browser.get(checking.location).text
    assert browser.post(checking.location + "/undo").status_code == 302
    work_off(runtime, admin.actor.organization_id)
    undone = browser.get(checking.location).text
    assert "<b>1</b> <span>person is as before the import</span>" in undone
    assert "<b>0</b> <span>people stayed, because somebody changed them since</span>" in undone
    assert "people.csv" in browser.get("/import").text


def test_a_guard_rail_needs_its_tick(app: Flask, runtime: Runtime, world: World, tmp_path: Path) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = world.person(world.organization(), Role.ADMIN)
    take(runtime, admin.actor, check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(4))).id)
    changed = check(runtime, admin.actor, csv_file(tmp_path / "b.csv", people(4, email="n{n}@example.org")))
    browser = world.browser(app, admin)
    address = f"/import/{changed.id}"
    assert "4 of 4 e-mail addresses would change" in browser.get(address).text
    stopped = browser.post(address + "/take")
    assert (stopped.status_code, "Tick this to go on" in stopped.text) == (422, True)
    assert browser.post(address + "/take", data={"yes": "y"}).status_code == 302


def test_no_sheet_holds_a_live_formula(app: Flask, runtime: Runtime, world: World, tmp_path: Path) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    bad = ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1"]
    rows = [[f"{value}", "A", "B", value + " x"] for value in bad]
    checked = check(runtime, admin.actor, csv_file(tmp_path / "a.csv", rows))
    browser = world.browser(app, admin)
    text = browser.get(f"/import/{checked.id}/rows.csv").data.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert len(cells) == 30
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    book = openpyxl.load_workbook(io.BytesIO(browser.get(f"/import/{checked.id}/rows.xlsx").data))
    kinds = {cell.data_type for row in book.active.iter_rows() for cell in row}
    assert kinds == {"s", "n"}
    assert book.active["B2"].value == "=cmd|'/c calc'!A1"


def test_only_administrators_reach_imports(app: Flask, runtime: Runtime, world: World, tmp_path: Path) -> None:
    organization = world.organization()
    admin, counsellor = (world.person(organization, role) for role in (Role.ADMIN, Role.COUNSELLOR))
    stranger = world.person(world.organization(), Role.ADMIN)
    checked = check(runtime, admin.actor, csv_file(tmp_path / "a.csv", people(2)))
    for path in ("/import", f"/import/{checked.id}", f"/import/{checked.id}/rows.csv"):
        assert world.browser(app, counsellor).get(path).status_code in (403, 404)
    for path in (f"/import/{checked.id}", f"/import/{checked.id}/rows.csv", f"/import/{checked.id}/columns"):
        assert world.browser(app, stranger).get(path).status_code == 404
