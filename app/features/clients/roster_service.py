"""Use cases of the roster import: take a file in, choose columns, check, confirm, undo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import select, text

from app.domain.access import Actor, Permission
from app.domain.errors import Conflict, Forbidden, NotFound
from app.features.audit.service import record
from app.features.clients import roster_fields as fields
from app.features.clients.models import RosterChunk, RosterImport
from app.features.clients.roster_jobs import APPLY, CHECK, attributes_of, forget, source_of
from app.features.clients.uploads import storing_table
from app.features.jobs.items import add_items
from app.features.jobs.models import Job
from app.features.jobs.runner import undo_job
from app.features.jobs.service import create_job
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime


def take_file(runtime: Runtime, actor: Actor, stream: BinaryIO, name: str, *, request_id: str = "") -> UUID:
    """Store an uploaded roster and guess its columns; returns the import's id.

    The file is copied as a stream. Raises InvalidInput (field "file") when it is no table that can be read,
    and Forbidden for an actor who may not import.
    """
    _may_import(actor)
    with storing_table(runtime, actor, stream, name, kind="roster", request_id=request_id) as (uow, source, file):
        roster = RosterImport(
            id=uuid4(),
            file_id=file.id,
            source=source.stored(),
            mapping=fields.guess(source.headers, attributes_of(uow)),
            created_by=actor.membership_id,
            created_at=uow.now,
        )
        uow.session.add(roster)
        uow.session.flush()
        record(uow, "roster.uploaded", "roster_import", roster.id, size=file.size)
        return roster.id


def start_check(
    uow: UnitOfWork, import_id: UUID, mapping: Mapping[str, int], *, deactivate_missing: bool = False
) -> Job:
    """Check the import's rows with these columns in a job. What an earlier check found is forgotten.

    Raises InvalidInput naming each field whose column does not do, and Conflict once rows were taken.
    """
    roster = lock_import(uow, import_id)
    if roster.state not in ("uploaded", "checked", "refused"):
        raise Conflict("This import is already under way or was taken. Upload the file again to import it anew.")
    chosen = dict(mapping)
    fields.check_mapping(chosen, source_of(roster).headers, attributes_of(uow))
    forget(uow, import_id)
    roster.mapping, roster.deactivate_missing = chosen, deactivate_missing
    roster.counts, roster.guards, roster.refusal, roster.state = {}, [], None, "checking"
    job, _ = create_job(uow, CHECK.name, {"import_id": str(import_id)})
    add_items(uow, job, [import_id])
    roster.check_job_id = job.id
    record(uow, "roster.check_asked", "roster_import", import_id, fields=sorted(chosen), missing=deactivate_missing)
    return job


def confirm_import(uow: UnitOfWork, import_id: UUID, *, yes: bool = False) -> Job:
    """Take the good rows in a job; `yes` answers the guard rails that were hit.

    Raises Conflict when the import is not checked, needs a yes, has nothing to take, or another is being taken.
    """
    roster = lock_import(uow, import_id)
    if roster.state != "checked":
        raise Conflict("This import is not ready to be taken. Check it first.")
    if roster.guards and not yes:
        raise Conflict("This import changes more than usual. Look at the numbers and say yes to go on.")
    counts = roster.counts
    if not counts["new"] + counts["changed"] + counts["deactivating"]:
        raise Conflict("There is nothing to take: every good row is already known as it is.")
    # One at a time: two who confirm different imports at the same moment would not see each other's.
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:whose, 0))"),
        {"whose": f"roster:{uow.actor.organization_id}"},
    )
    other = uow.session.scalars(select(RosterImport.id).where(RosterImport.state == "applying").limit(1)).one_or_none()
    if other is not None:
        raise Conflict("Another import is being taken right now. Wait until it has finished.")
    job, _ = create_job(uow, APPLY.name, {"import_id": str(import_id)}, idempotency_key=str(import_id))
    chunks = uow.session.execute(
        select(RosterChunk.id, RosterChunk.row_count)
        .where(RosterChunk.import_id == import_id)
        .order_by(RosterChunk.number)
    ).all()
    add_items(uow, job, [chunk.id for chunk in chunks])
    job.params = {**job.params, "people": sum(chunk.row_count for chunk in chunks)}
    roster.state, roster.apply_job_id = "applying", job.id
    roster.confirmed_by = uow.actor.membership_id if roster.guards else None
    record(uow, "roster.confirmed", "roster_import", import_id, guards=[g["kind"] for g in roster.guards])
    return job


def undo_import(runtime: Runtime, actor: Actor, import_id: UUID) -> None:
    """Ask for an import that was taken to be undone, as far as nobody has changed its people since.

    Raises Conflict when it was not taken or the job has not ended, NotFound when there is none.
    """
    with runtime.database.unit_of_work(actor) as uow:
        roster = lock_import(uow, import_id)
        if roster.apply_job_id is None or roster.state == "undone":
            raise Conflict("This import was not taken, so there is nothing to undo.")
        job_id = roster.apply_job_id
    undo_job(runtime, actor, {APPLY.name: APPLY}, job_id)


def import_file(
    runtime: Runtime,
    actor: Actor,
    path: Path,
    mapping: Mapping[str, int] | None = None,
    *,
    deactivate_missing: bool = False,
) -> UUID:
    """Take a file from disk, guess its columns (or use `mapping`) and start its check; returns the import's id.

    After workers ran, `confirm_import` takes the rows. Raises as `take_file` and `start_check` do.
    """
    with path.open("rb") as stream:
        import_id = take_file(runtime, actor, stream, path.name)
    with runtime.database.unit_of_work(actor) as uow:
        roster = lock_import(uow, import_id)
        start_check(uow, import_id, mapping or roster.mapping, deactivate_missing=deactivate_missing)
    return import_id


def lock_import(uow: UnitOfWork, import_id: UUID) -> RosterImport:
    """The import's row, locked. Raises NotFound; the same for one of another organization."""
    _may_import(uow.actor)
    roster = uow.session.scalars(
        select(RosterImport).where(RosterImport.id == import_id).with_for_update()
    ).one_or_none()
    if roster is None:
        raise NotFound("There is no such import.")
    return roster


def _may_import(actor: Actor) -> None:
    if not actor.may(Permission.IMPORT_ROSTER):
        raise Forbidden("Only administrators may import a roster. Ask one of them.")
