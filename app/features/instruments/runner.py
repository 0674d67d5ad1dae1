"""Scores a file of answers as a job: every chunk is read, scored and stored in one transaction."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import numpy as np
from flask_babel import lazy_gettext
from sqlalchemy import select, text

from app.domain import access, scoring
from app.domain import answer_sheets as sheets
from app.domain.access import Actor
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.instruments import Instrument
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.instruments.commands import ImportResponses
from app.features.instruments.hooks import NewResults, tell
from app.features.instruments.queries import definition_of
from app.features.instruments.service import (
    SCORE,
    chunk_id,
    clients_by_external_id,
    get_sheet,
    keep_sheet,
    source_key,
    start_scoring,
    unknown_person,
)
from app.features.jobs.kinds import JobKind
from app.features.jobs.models import Job, JobItem
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from app.infra.storage import Storage

# Enough of a chunk's bad rows to mend the file by; all are counted.
_MOST_LISTED = 200
_STORE = text(
    """
    INSERT INTO assessments (client_id, instrument_id, version, taken_at, source, source_key,
                             responses, scores, answered, created_at)
    SELECT given.client, :instrument, :version, :taken_at, 'import', :source_key,
           given.responses::smallint[], given.scores::double precision[], given.answered::smallint[], :now
    FROM unnest(cast(:clients AS uuid[]), cast(:responses AS text[]), cast(:scores AS text[]),
                cast(:answered AS text[])) AS given(client, responses, scores, answered)
    ON CONFLICT DO NOTHING
    RETURNING client_id, id
    """
)


def score_batch(uow: UnitOfWork, job: Job, chunks: Sequence[UUID]) -> Mapping[UUID, Settled]:
    """Score and store some chunks of the job's file; says of each how many sheets were stored and which rows were bad.

    Results stored before (by an earlier import of the same file) are left as they are and counted.
    """
    params = job.params
    file = get_sheet(uow, UUID(params["file"]))
    instrument_id = UUID(params["instrument"])
    instrument = definition_of(uow, instrument_id, params["version"])
    outcomes = {}
    taken: dict[UUID, UUID] = {}
    storage: Storage = uow.info["storage"]
    with storage.path(file.location).open("rb") as handle:
        form = sheets.read_format(handle)
        columns = sheets.sheet_columns(form.header, instrument, params["person"])
        numbers = {chunk_id(number): chunk for number, chunk in enumerate(params["chunks"])}
        for subject in chunks:
            answers = sheets.read_answers(handle, form, columns, instrument, sheets.Chunk(*numbers[subject]))
            values = {
                "instrument": instrument_id,
                "version": params["version"],
                "taken_at": params["taken_at"],
                "source_key": source_key(file, params["version"]),
                "now": uow.now,
            }
            outcomes[subject], new = _store(uow, instrument, answers, values)
            taken |= new
    tell(uow, NewResults(instrument.measures, taken))
    stored = sum(outcome.result["stored"] for outcome in outcomes.values() if outcome.result)
    record(uow, "assessments.imported", "instrument", instrument_id, job=str(job.id), stored=stored)
    return outcomes


def _store(
    uow: UnitOfWork, instrument: Instrument, answers: sheets.Answers, values: dict[str, Any]
) -> tuple[Settled, dict[UUID, UUID]]:
    known = clients_by_external_id(uow, answers.people)
    mask = [person in known for person in answers.people]
    bad = [
        *answers.bad,
        *(
            sheets.BadRow(line, unknown_person(person))
            for line, person, found in zip(answers.lines, answers.people, mask, strict=True)
            if not found
        ),
    ]
    clients = [known[person] for person in answers.people if person in known]
    responses = answers.values[np.array(mask, dtype=bool)]
    new: dict[UUID, UUID] = {}
    if clients:
        table = scoring.score(instrument, responses)
        made = uow.session.execute(
            _STORE,
            {
                **values,
                "clients": clients,
                "responses": array_literals(responses),
                "scores": array_literals(table.scores),
                "answered": array_literals(table.answered),
            },
        )
        new = {row.client_id: row.id for row in made}
    bad.sort(key=lambda row: row.line)
    result = {
        "stored": len(new),
        "before": len(clients) - len(new),
        "bad": len(bad),
        "rows": [[row.line, row.reason] for row in bad[:_MOST_LISTED]],
        "people": len(clients) + len(bad),
    }
    reason = later("Rows of this part that could not be taken: %(rows)s.", rows=len(bad)) if bad else None
    return Settled("done", reason, result), new


def array_literals(table: np.ndarray[Any, Any]) -> list[str]:
    """Each row of a table as PostgreSQL writes an array; NaN becomes NULL."""
    rows = re.sub(r"\bnan\b", "NULL", str(table.tolist()))
    # "[[1, 2], [3, 4]]" holds numbers only, so that splitting at the brackets is exact.
    return ["{" + row + "}" for row in rows[2:-2].split("], [")] if len(table) else []


def _finish(runtime: Runtime, organization_id: UUID, job_id: UUID) -> dict[str, Any]:
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        results = uow.session.scalars(select(JobItem.result).where(JobItem.job_id == job_id)).all()
    return {key: sum(result[key] for result in results if result) for key in ("stored", "before", "bad")}


def import_responses(
    runtime: Runtime,
    actor: Actor,
    instrument_id: UUID,
    path: Path,
    *,
    person_column: str | None = None,
    rows_in_order: bool = False,
    taken_at: datetime | None = None,
) -> UUID:
    """Keep a copy of a file of answers and start the job that scores it; returns the job's id.

    `person_column` names the column with the clients' external ids (None: guess it). `rows_in_order` is for
    demonstrations: the first row is the first active client by external id, and so on; rows beyond are left out.
    `taken_at` is when the answers were given (None: now).
    Raises InvalidInput when the file cannot be read or a column is missing.
    """
    with path.open("rb") as source:
        form = sheets.read_format(source)
        if person_column is not None and person_column not in form.header:
            problem = FieldProblem(
                "person",
                later('There is no column "%(column)s". Name one of the heading.', column=person_column),
            )
            raise InvalidInput([problem])
        person = None if person_column is None else form.header.index(person_column)
        with runtime.storage.writing(actor.organization_id, ".csv") as pending:
            if rows_in_order:
                with runtime.database.unit_of_work(actor) as uow:
                    ids = uow.session.scalars(
                        select(Client.external_id).where(Client.active).order_by(Client.external_id)
                    ).all()
                _number_rows(source, form, pending.handle, ids)
                person = 0
            else:
                source.seek(0)
                while block := source.read(1 << 20):
                    pending.handle.write(block)
    kept = pending.stored
    with runtime.database.unit_of_work(actor) as uow:
        file = keep_sheet(uow, name=path.name, location=kept.location, size=kept.size, sha256=kept.sha256)
        command = ImportResponses(instrument_id=instrument_id, file_id=file.id, person=person, taken_at=taken_at)
        return start_scoring(uow, runtime.storage, command).id


def _number_rows(source: BinaryIO, form: sheets.SheetFormat, target: Any, ids: Sequence[str]) -> None:
    """Copy the table with a first column that names the n-th person in the n-th row."""
    source.seek(form.first_row)
    rows = csv.reader((line.decode("utf-8") for line in source), delimiter=form.delimiter)

    def write(cells: list[str]) -> None:
        quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
        target.write(quoted.encode() + b"\n")

    write(["external_id", *form.header])
    for external_id, row in zip(ids, (row for row in rows if row), strict=False):
        write([external_id, *row])


KIND = JobKind(
    name=SCORE,
    label=lazy_gettext("Score answers"),
    permission=access.Permission.MANAGE_INSTRUMENTS,
    # Chunks of 2,000 rows: a page shows them moving, and the fixed cost of a transaction is spread.
    batch_size=3,
    batch=score_batch,
    finish=_finish,
)
