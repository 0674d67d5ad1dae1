"""Files of own reports: CSV beside PostgreSQL's own copy of the same query, a workbook beside the bare writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import xlsxwriter
from sqlalchemy import select, text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START
from app.bench.harness import Measured, Place, finish_jobs, interleaved, published_template, stopwatch
from app.domain import access
from app.domain.access import Actor, Role
from app.domain.saying import plain as in_english
from app.domain.steps import StepKey
from app.domain.template_content import parse_content
from app.features.extracts.commands import RunExtract, SaveExtract
from app.features.extracts.definition import stored_definition
from app.features.extracts.models import ExtractRun
from app.features.extracts.queries import reading_of
from app.features.extracts.service import create_extract, run_extract
from app.features.extracts.statements import plain
from app.features.identity.service import find_or_create_user
from app.features.organizations.service import add_member

STEPS = {
    "rows": "steps",
    "columns": [
        *("client.external_id", "client.given_name", "client.family_name", "client.email"),
        *("step", "status", "due_on", "overdue", "stale", "plan.started_on"),
    ],
    "rule": None,
    "group": [],
    "order": [],
}
_TEXTS, _NUMBERS, _DAYS = 8, 4, 3
_ATTRIBUTES = [f"a{n}" for n in range(_TEXTS + _NUMBERS + _DAYS)]
PEOPLE = {
    "rows": "clients",
    "columns": [
        *("client.external_id", "client.given_name", "client.family_name", "client.email", "client.active"),
        *(f"attribute.{key}" for key in _ATTRIBUTES),
    ],
    "rule": None,
    "group": [],
    "order": [],
}
# A file with more bytes has rows.
_HEADINGS = 500
_FILL = """
    UPDATE clients c SET attributes = (
        SELECT jsonb_object_agg('a' || n, CASE WHEN n < 8 THEN to_jsonb('Some words, number ' || n)
            WHEN n < 12 THEN to_jsonb(n * 7.5) ELSE to_jsonb((date '2020-01-01' + n)::text) END)
        FROM generate_series(0, 14) n)
    WHERE c.organization_id = %(o)s
"""


def _prepare(place: Place, clients: int) -> tuple[UUID, Actor]:
    organization = place.organization()
    place.clients(organization, clients)
    email = f"reader-{organization}@example.org"
    with place.runtime.database.identity_session() as session:
        user = find_or_create_user(session, email, "Maja Berg").id
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        member = add_member(uow, user_id=user, role=Role.ADMIN, name="Maja Berg", email=email).id
    return organization, access.member(Role.ADMIN, organization, membership_id=member, user_id=user)


def _steps(place: Place, rows: int) -> tuple[UUID, Actor]:
    """An organization with so many rows of steps, and who reads them."""
    organization, actor = _prepare(place, rows // 8)
    content = parse_content({"steps": {key.value: {"enabled": True, "guidance": "Guidance."} for key in StepKey}})
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        template = published_template(uow, content).id
    with place.superuser() as connection:
        connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
    place.settle()
    return organization, actor


def lines(place: Place, rows: int, *, limit: float | None, runs: int = 5) -> Measured:
    """CSV of so many rows of steps, from asking to the finished job; the floor copies the same query to a file."""
    _, actor = _steps(place, rows)
    statement = _statement(place, actor, STEPS)

    def floor(_: int) -> float:
        with place.superuser() as connection, (place.folder / "floor.csv").open("wb") as handle, stopwatch() as seconds:
            _bare_copy(connection, statement, handle)
            return seconds()

    def ours(_: int) -> float:
        return _written(place, actor, STEPS, "csv", rows)

    return interleaved("write CSV of an own report", rows, floor, ours, limit=limit, runs=runs)


def first_byte(place: Place, rows: int, *, limit: float | None, runs: int = 5) -> Measured:
    """How long until a CSV file of so many rows has its first rows, from asking; the floor has the first of a copy."""
    organization, actor = _steps(place, rows)
    statement = _statement(place, actor, STEPS)

    def floor(_: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds, connection.cursor() as cursor:
            with cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)".encode(), ()) as copy:
                next(iter(copy))
                taken = seconds()
                connection.cancel_safe()
                with suppress(psycopg.errors.QueryCanceled):
                    for _block in copy:
                        pass
            return taken

    def ours(_: int) -> float:
        seen: list[float] = []
        over = threading.Event()
        with stopwatch() as seconds:

            def look() -> None:
                while not seen and not over.is_set():
                    folder = place.runtime.storage.root / str(organization)
                    # More than the headings: what PostgreSQL sends is written as it comes, a buffer at a time.
                    with suppress(FileNotFoundError):  # it has just got its name
                        if any(path.stat().st_size > _HEADINGS for path in folder.glob("*/*.csv.part")):
                            seen.append(seconds())
                    time.sleep(0.005)

            looking = threading.Thread(target=look)
            looking.start()
            _written(place, actor, STEPS, "csv", rows)
            over.set()
            looking.join()
        (taken,) = seen
        return taken

    return interleaved(
        "first rows of an own report's CSV", rows, floor, ours, limit=limit, runs=runs, at_most_seconds=1.0
    )


def workbook(place: Place, rows: int, *, limit: float | None, runs: int = 5) -> Measured:
    """A workbook of so many rows of 20 columns, from asking to the finished job; the floor has its rows at hand."""
    organization, actor = _prepare(place, rows)
    with place.superuser() as connection:
        connection.execute(_FILL, {"o": organization})
        for number, key in enumerate(_ATTRIBUTES):
            kind = "text" if number < _TEXTS else "number" if number < _TEXTS + _NUMBERS else "date"
            connection.execute(
                "INSERT INTO attribute_definitions (organization_id, key, label, kind, position)"
                " VALUES (%s, %s, %s, %s, %s)",
                (organization, key, f"Attribute {number}", kind, number),
            )
    place.settle()
    with place.runtime.database.unit_of_work(actor) as uow:
        reading = reading_of(uow, stored_definition(PEOPLE), actor, in_english)
        headings = [cell.label for cell in reading.cells]
        values = [tuple(row) for row in uow.session.execute(plain(reading))]
    assert len(values) == rows
    assert len(headings) == 20

    def floor(_: int) -> float:
        with stopwatch() as seconds:
            _bare_workbook(place.folder / "floor.xlsx", headings, values)
            return seconds()

    def ours(_: int) -> float:
        return _written(place, actor, PEOPLE, "xlsx", rows)

    return interleaved("write a workbook of an own report", rows, floor, ours, limit=limit, runs=runs)


def _statement(place: Place, actor: Actor, definition: dict[str, Any]) -> str:
    """The query of a definition as PostgreSQL reads it."""
    with place.runtime.database.unit_of_work(actor) as uow:
        reading = reading_of(uow, stored_definition(definition), actor, in_english)
        engine = uow.session.connection().engine
        return str(plain(reading).compile(engine, compile_kwargs={"literal_binds": True}))


def _bare_copy(connection: psycopg.Connection[Any], statement: str, handle: Any) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)".encode(), ()) as copy:
        for block in copy:
            handle.write(block)


def _bare_workbook(path: Path, headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """What XlsxWriter takes for the same cells when nothing else is done."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for column, heading in enumerate(headings):
        sheet.write_string(0, column, heading)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            elif isinstance(value, bool):
                sheet.write_boolean(number, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(number, column, value)
            elif value is not None:
                sheet.write_number(number, column, value)
    book.close()


def _written(place: Place, actor: Actor, definition: dict[str, Any], form: str, rows: int) -> float:
    with stopwatch() as seconds:
        with place.runtime.database.unit_of_work(actor) as uow:
            number = len(uow.session.scalars(select(ExtractRun.id)).all())
            kept = create_extract(uow, SaveExtract(name=f"Report {number}", definition=definition)).id
            run = run_extract(uow, RunExtract(extract_id=kept, form=form, locale="en")).id
        finish_jobs(place.runtime, actor.organization_id)
        taken = seconds()
    with place.runtime.database.unit_of_work(actor) as uow:
        found = uow.session.execute(
            text(
                "SELECT r.row_count, f.location FROM extract_runs r JOIN stored_files f"
                " ON f.organization_id = r.organization_id AND f.id = r.file_id WHERE r.id = :run"
            ),
            {"run": run},
        ).one()
    assert found.row_count == rows, found
    place.runtime.storage.delete(found.location)
    return taken
