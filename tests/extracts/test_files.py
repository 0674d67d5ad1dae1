"""Files of own reports: what was stored is what is read back, whatever people wrote, in every form."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

import openpyxl
import pytest
from arro3.io import read_parquet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text

from app.domain.access import Role
from app.domain.csv_text import neutral
from app.features.extracts.runner import WRITE, write_runs
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.runner import work
from app.features.jobs.service import Settled, cancel_job
from app.infra.runtime import Runtime
from app.infra.sheets import printable
from tests.extracts.scene import WHO, ask, definition, file_of, finish, write
from tests.factories import Person, World

HOSTILE = (
    "=1+1",
    "  +49 30",
    "\u3000＝cmd|' /C calc'!A0",
    "\u00a0@SUM(A1)",
    "\t-2",
    'He said "no", twice;\nand left',
    "line\r\nbreak\rend",
    "محمد عبد الله",
    "李小龙",
    "👩‍🚀 zero\u200bwidth\u202eturn",
    "<b>&amp;</b>]]>",
    "_x0041_ and _x000D_",
    "back\\slash, tab\there",
    "\x01\x02\x1f control \ufffe",
    "'quoted'",
    "-",
    "%s %(name)s 100%",
    ":name ::text",
)


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN)


def named(world: World, admin: Person, names: tuple[str, ...] | list[str]) -> None:
    for number, name in enumerate(names):
        world.clients(admin.actor.organization_id, 1, given_name=name, family_folded=f"{number:06}")


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_keeps_every_text_and_none_of_them_runs(world: World, runtime: Runtime, admin: Person) -> None:
    named(world, admin, HOSTILE)
    heading, *rows = read_csv(write(runtime, admin, definition("clients", WHO)))
    assert heading == ["Id", "Given name", "Family name"]
    assert [row[1] for row in rows] == [neutral(name) for name in HOSTILE]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=30)
        | st.tuples(st.sampled_from(["", " ", "\u2003", "\x1c", "\u0085"]), st.sampled_from("=+-@＝＠a'\"\n")).map(
            "".join
        ),
        min_size=1,
        max_size=20,
    )
)
def test_csv_read_back_equals_the_rows(world: World, runtime: Runtime, names: list[str]) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    named(world, admin, names)
    _, *rows = read_csv(write(runtime, admin, definition("clients", WHO)))
    with runtime.database.unit_of_work(admin.actor) as uow:
        stored = uow.session.execute(
            text("SELECT external_id, given_name, family_name FROM clients ORDER BY family_folded, given_folded, id")
        ).all()
    assert len(stored) == len(names)
    assert rows == [[neutral(value) for value in row] for row in stored]


def test_a_workbook_has_the_same_texts_and_real_dates_numbers_and_truths(
    world: World, runtime: Runtime, admin: Person
) -> None:
    named(world, admin, HOSTILE)
    with runtime.database.unit_of_work(admin.actor) as uow:
        uow.session.execute(
            text(
                "INSERT INTO attribute_definitions (key, label, kind) VALUES ('year', 'Year', 'number'),"
                " ('born', 'Born', 'date'), ('paid', 'Paid', 'boolean'), ('id2', 'Id', 'text')"
            )
        )
        uow.session.execute(
            text(
                """UPDATE clients SET attributes = '{"year": 2.5, "born": "2001-02-03", "paid": true, "id2": "=x"}',"""
                " last_contact_at = '2026-06-01 12:30:15+00'"
            )
        )
        uow.session.execute(text("UPDATE clients SET attributes = '{\"born\": \"1815-12-10\"}' WHERE given_name = '-'"))
    columns = [*WHO, "attribute.year", "attribute.born", "attribute.paid", "attribute.id2", "client.last_contact_at"]
    content = write(runtime, admin, definition("clients", columns), "xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    assert sheet.freeze_panes == "A2"
    (table,) = sheet.tables.values()
    assert table.ref == f"A1:H{len(HOSTILE) + 1}"
    assert table.autoFilter is not None
    heading, *rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    # Two columns of one name are told apart, as a table needs it.
    assert heading == ["Id", "Given name", "Family name", "Year", "Born", "Paid", "Id (2)", "Last contact"]
    # An underscore that would begin the code of a character is written as one; this reader leaves the code.
    assert [row[1].replace("_x005F_", "_") for row in rows] == [printable(name) for name in HOSTILE]
    assert rows[0][3:] == [2.5, datetime(2001, 2, 3), True, "=x", datetime(2026, 6, 1, 13, 30, 15)]  # noqa: DTZ001
    assert rows[HOSTILE.index("-")][3:7] == [None, "1815-12-10", None, None]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    # A second reader, which is not as kind as the first.
    other = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert other[1][3:6] == [2.5, date(2001, 2, 3), True]
    assert len(other) == len(HOSTILE) + 1


def test_json_lines_have_keys_codes_and_kinds(world: World, runtime: Runtime, admin: Person) -> None:
    organization = admin.actor.organization_id
    clients = world.clients(organization, 1, given_name=HOSTILE[5])
    world.plans(organization, clients, "cinnnnnn", due_on=date(2026, 1, 2))
    content = write(
        runtime, admin, definition("steps", ["client.given_name", "step", "status", "due_on", "overdue"]), "jsonl"
    )
    lines = [json.loads(line) for line in content.decode().splitlines()]
    assert len(lines) == 8
    assert lines[0] == {
        "client.given_name": HOSTILE[5],
        "step": 1,
        "status": "completed",
        "due_on": "2026-01-02",
        "overdue": False,
    }
    assert [line["overdue"] for line in lines] == [False, *[True] * 7]


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "parquet"])
def test_the_same_moment_gives_the_same_bytes_and_all_is_kept(
    world: World, runtime: Runtime, admin: Person, form: str
) -> None:
    named(world, admin, HOSTILE)
    raw = definition("clients", [*WHO, "client.created_at"])
    first, second = (ask(runtime, admin, raw, form, name=name) for name in ("One", "Two"))
    with runtime.database.unit_of_work(admin.actor) as uow:
        # The title is part of a workbook.
        uow.session.execute(text("UPDATE extract_runs SET name = 'One'"))
    finish(runtime, admin)
    content, run, file = file_of(runtime, admin, first)
    assert file_of(runtime, admin, second)[0] == content
    assert hashlib.sha256(content).digest() == file.sha256
    assert run.row_count == len(HOSTILE)
    assert run.definition["columns"] == raw["columns"]
    assert run.data_at == runtime.clock()


def test_parquet_has_keys_codes_and_kinds(world: World, runtime: Runtime, admin: Person) -> None:
    named(world, admin, HOSTILE)
    organization = admin.actor.organization_id
    client = world.clients(organization, 1, given_name="", family_folded="~")
    world.plans(organization, client, "cinnnnnn", due_on=date(2026, 1, 2), changed_at=runtime.clock())
    columns = [*WHO, "client.active", "client.created_at"]
    table = read_parquet(io.BytesIO(write(runtime, admin, definition("clients", columns), "parquet"))).read_all()
    assert table.column_names == columns
    assert table["client.given_name"].to_pylist() == [*HOSTILE, ""]
    assert table["client.active"].to_pylist() == [True] * (len(HOSTILE) + 1)
    assert isinstance(table["client.created_at"].to_pylist()[0], datetime)
    steps = write(runtime, admin, definition("steps", ["step", "status", "due_on"]), "parquet", name="Steps")
    lines = read_parquet(io.BytesIO(steps)).read_all()
    assert lines["step"].to_pylist() == list(range(1, 9))
    assert lines["status"].to_pylist() == ["completed", "in_progress", *["not_started"] * 6]
    assert lines["due_on"].to_pylist() == [date(2026, 1, 2)] * 8


def test_a_worker_that_stood_still_takes_no_registered_file_away(world: World, runtime: Runtime) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    world.clients(admin.actor.organization_id, 2)
    run_id = ask(runtime, admin, definition("clients", ["client.external_id"]))
    finish(runtime, admin)
    content, run, _ = file_of(runtime, admin, run_id)
    with runtime.database.unit_of_work(admin.actor) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == run.job_id)).one()
    # It claimed the item, was stopped longer than its lease, and goes on after another has ended the job.
    lost = write_runs(runtime, job, [run_id])
    assert file_of(runtime, admin, run_id)[0] == content
    assert WRITE.slow is not None
    assert WRITE.slow.drop is not None
    WRITE.slow.drop(runtime, lost)
    assert [path.read_bytes() for path in runtime.storage.root.rglob("*.csv")] == [content]


def test_a_job_cancelled_while_its_file_is_written_leaves_no_file(world: World, runtime: Runtime) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    world.clients(admin.actor.organization_id, 2)
    ask(runtime, admin, definition("clients", ["client.external_id"]))
    assert WRITE.slow is not None

    def act(runtime: Runtime, job: Job, runs: list[UUID]) -> Mapping[UUID, Settled]:
        outcomes = write_runs(runtime, job, runs)
        assert list(runtime.storage.root.rglob("*.csv"))
        with runtime.database.unit_of_work(admin.actor) as uow:
            cancel_job(uow, job.id)
        return outcomes

    kinds = {WRITE.name: replace(WRITE, slow=replace(WRITE.slow, act=act))}
    work(runtime, admin.actor.organization_id, kinds, until=runtime.clock() + timedelta(minutes=1))
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert uow.session.scalars(select(Job.state)).one() == "cancelled"
        assert uow.session.scalars(select(StoredFile)).all() == []
    assert list(runtime.storage.root.rglob("*.csv")) == []
