"""Use cases of files of outcomes: take one in, choose columns, check, confirm, undo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import select

from app.domain.access import Actor, Permission
from app.domain.errors import Conflict, Forbidden, NotFound
from app.features.audit.service import record
from app.features.clients.uploads import storing_table
from app.features.jobs.items import add_items
from app.features.jobs.models import Job
from app.features.jobs.runner import undo_job
from app.features.jobs.service import create_job
from app.features.outcomes import file_rows
from app.features.outcomes.file_jobs import APPLY, CHECK, forget, piece_ids, source_of
from app.features.outcomes.models import OutcomeImport
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


def take_file(runtime: Runtime, actor: Actor, stream: BinaryIO, name: str, *, request_id: str = "") -> UUID:
    """Store an uploaded file and guess its columns; returns the import's id.

    Raises InvalidInput (field "file") when it is no table that can be read, Forbidden for who may not import.
    """
    _may_import(actor)
    with storing_table(runtime, actor, stream, name, kind="outcomes", request_id=request_id) as (uow, source, file):
        taken = OutcomeImport(
            id=uuid4(),
            file_id=file.id,
            source=source.stored(),
            mapping=file_rows.guess(source.headers),
            created_by=actor.membership_id,
            created_at=uow.now,
        )
        uow.session.add(taken)
        uow.session.flush()
        record(uow, "outcomes.uploaded", "outcome_import", taken.id, size=file.size)
        return taken.id


def start_check(uow: UnitOfWork, import_id: UUID, mapping: Mapping[str, int] | None = None) -> Job:
    """Check the file's rows with these columns, or those that were guessed, in a job; nothing is recorded.

    Raises InvalidInput naming each field whose column does not do, and Conflict once rows were taken.
    """
    taken = lock_import(uow, import_id)
    if taken.state not in ("uploaded", "checked", "refused"):
        raise Conflict("This import is already under way or was taken. Upload the file again to import it anew.")
    chosen = dict(taken.mapping if mapping is None else mapping)
    file_rows.check_mapping(chosen, source_of(taken).headers)
    forget(uow, import_id)
    taken.mapping, taken.counts, taken.refusal, taken.state, taken.pieces = chosen, {}, None, "checking", []
    job, _ = create_job(uow, CHECK.name, {"import_id": str(import_id)})
    add_items(uow, job, [import_id])
    taken.check_job_id = job.id
    record(uow, "outcomes.check_asked", "outcome_import", import_id, fields=sorted(chosen))
    return job


def confirm_import(uow: UnitOfWork, import_id: UUID) -> Job:
    """Take the good rows in a job. Raises Conflict when the file is not checked or there is nothing to take."""
    taken = lock_import(uow, import_id)
    if taken.state != "checked":
        raise Conflict("This import is not ready to be taken. Check it first.")
    if not taken.counts["good"]:
        raise Conflict("There is nothing to take: every good row is already known as it is.")
    job, _ = create_job(uow, APPLY.name, {"import_id": str(import_id)}, idempotency_key=str(import_id))
    add_items(uow, job, list(piece_ids(taken)))
    job.params = {**job.params, "people": taken.counts["rows"]}
    taken.state, taken.apply_job_id = "applying", job.id
    record(uow, "outcomes.confirmed", "outcome_import", import_id)
    return job


def undo_import(runtime: Runtime, actor: Actor, import_id: UUID) -> None:
    """Ask for what was taken of a file to be taken back. Raises Conflict when nothing was, NotFound for no file."""
    with runtime.database.unit_of_work(actor) as uow:
        taken = lock_import(uow, import_id)
        if taken.apply_job_id is None or taken.state == "undone":
            raise Conflict("This import was not taken, so there is nothing to undo.")
        job_id = taken.apply_job_id
    undo_job(runtime, actor, {APPLY.name: APPLY}, job_id)


def import_file(runtime: Runtime, actor: Actor, path: Path) -> UUID:
    """Take a file from disk, guess its columns and start its check; returns the import's id.

    Raises as `take_file` and `start_check` do.
    """
    with path.open("rb") as stream:
        import_id = take_file(runtime, actor, stream, path.name)
    with runtime.database.unit_of_work(actor) as uow:
        start_check(uow, import_id)
    return import_id


def lock_import(uow: UnitOfWork, import_id: UUID) -> OutcomeImport:
    """The import's row, locked. Raises NotFound; the same for one of another organization."""
    _may_import(uow.actor)
    taken = uow.session.scalars(
        select(OutcomeImport).where(OutcomeImport.id == import_id).with_for_update()
    ).one_or_none()
    if taken is None:
        raise NotFound("There is no such import.")
    return taken


def _may_import(actor: Actor) -> None:
    if not actor.may(Permission.IMPORT_ROSTER):
        raise Forbidden("Only administrators may import outcomes. Ask one of them.")
