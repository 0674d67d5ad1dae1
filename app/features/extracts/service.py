"""Use cases of own reports: keep, change, share, remove, have a file written, take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert

from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.saying import later, plain, stored
from app.features.audit.service import record
from app.features.extracts.commands import FORMS, RunExtract, SaveExtract
from app.features.extracts.definition import Definition, parse_definition, rows_of, stored_definition
from app.features.extracts.models import Extract, ExtractRun
from app.features.extracts.queries import fields_of, get_extract, get_run, may_change, must_not_see_small, offered
from app.features.jobs.items import add_items
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.service import create_job
from app.infra.db.holding import Hold, only_read, to_delete, to_refer
from app.infra.db.open import UnitOfWork

KIND = "extracts.write"
FILE = "extract"
LONGEST = 120
_NO_MORE_SCHEDULED = text(
    "UPDATE schedules SET extract_id = NULL, stale = false, next_at = NULL, why = :why,"
    " state = CASE state WHEN 'ended' THEN 'ended' ELSE 'paused' END WHERE extract_id = :extract"
)


def check_definition(uow: UnitOfWork, raw: Mapping[str, Any], *, shared: bool = False) -> Definition:
    """What somebody asks for, if the actor may ask for it; a shared one cannot ask for labels of the actor's own.

    Raises InvalidInput as `parse_definition`.
    """
    rows = rows_of(raw)
    return parse_definition(
        raw,
        offered(uow, rows, plain),
        fields_of(uow, rows, plain, own_labels=not shared),
        small=must_not_see_small(uow.actor),
    )


def create_extract(uow: UnitOfWork, command: SaveExtract) -> Extract:
    """Keep a report. Raises InvalidInput for a bad definition, or a bad name or one the actor has already."""
    if uow.actor.membership_id is None:
        raise Forbidden("Only a member can keep a report.")
    name = _name(command.name)
    definition = check_definition(uow, command.definition, shared=command.shared)
    made = uow.session.execute(
        pg_insert(Extract)
        .values(
            owner_id=uow.actor.membership_id,
            shared=command.shared,
            name=name,
            definition=definition.as_json(),
            created_at=uow.now,
            changed_at=uow.now,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "owner_id", "name"])
        .returning(Extract.id)
    ).scalar_one_or_none()
    if made is None:
        raise InvalidInput([_taken(name)])
    record(uow, "extract.created", "extract", made, shared=command.shared)
    return get_extract(uow, made)


def change_extract(uow: UnitOfWork, extract_id: UUID, command: SaveExtract) -> Extract:
    """Write name, definition and sharing anew. Raises as `create_extract`, NotFound, and Forbidden for another's."""
    kept = _changeable(uow, extract_id)
    # Nobody but its owner can make a report that others use their own again.
    shared = command.shared or kept.owner_id != uow.actor.membership_id
    name = _name(command.name)
    definition = check_definition(uow, command.definition, shared=shared)
    taken = select(Extract.id).where(Extract.name == name, Extract.owner_id == kept.owner_id, Extract.id != kept.id)
    if uow.session.scalars(taken).first() is not None:
        raise InvalidInput([_taken(name)])
    kept.name, kept.definition, kept.shared, kept.changed_at = name, definition.as_json(), shared, uow.now
    record(uow, "extract.changed", "extract", kept.id, shared=shared)
    return kept


def delete_extract(uow: UnitOfWork, extract_id: UUID) -> str:
    """Remove a report; files written of it stay with what they asked for. Returns its name."""
    # Held first, so that whoever makes a schedule or a file of it at this moment is before this or finds it gone.
    kept = _changeable(uow, extract_id, to_delete)
    name = kept.name
    uow.session.expunge(kept)
    # By name, because schedules stand above extracts on the ladder; what they were to write is no more.
    uow.session.execute(
        _NO_MORE_SCHEDULED, {"extract": extract_id, "why": stored(later("The own report was deleted."))}
    )
    uow.session.execute(update(ExtractRun).where(ExtractRun.extract_id == extract_id).values(extract_id=None))
    uow.session.execute(delete(Extract).where(Extract.id == extract_id).execution_options(synchronize_session=False))
    record(uow, "extract.deleted", "extract", extract_id)
    return name


def run_extract(uow: UnitOfWork, command: RunExtract) -> ExtractRun:
    """Start the job that writes a file of a report; the same key finds the one asked for before.

    Raises NotFound for a report the actor may not use, InvalidInput for a form there is none of, or for a report that
    asks for more than the actor may see, Conflict for a key that was used for something else.
    """
    extract = get_extract(uow, command.extract_id, to_refer)
    if command.form not in FORMS:
        raise InvalidInput([FieldProblem("form", later("Choose one of: %(forms)s.", forms=", ".join(FORMS)))])
    if must_not_see_small(uow.actor):
        check_definition(uow, extract.definition, shared=True)
    params = {"extract": str(extract.id), "form": command.form, "title": extract.name}
    key = command.idempotency_key
    job, new = create_job(uow, KIND, params, idempotency_key=f"{uow.actor.membership_id}:{key}" if key else None)
    if not new:
        found = uow.session.scalars(select(ExtractRun).where(ExtractRun.job_id == job.id)).one()
        if found.extract_id != extract.id or found.form != command.form:
            raise Conflict("This was already sent for something else. Open the page anew.")
        return found
    run = ExtractRun(
        extract_id=extract.id,
        owner_id=uow.actor.membership_id,
        name=extract.name,
        form=command.form,
        locale=command.locale,
        definition=stored_definition(extract.definition).as_json(),
        job_id=job.id,
        created_at=uow.now,
    )
    uow.session.add(run)
    uow.session.flush()
    add_items(uow, job, [run.id])
    record(uow, "extract.asked", "extract", extract.id, run=str(run.id), form=command.form)
    return run


def take_file(uow: UnitOfWork, run_id: UUID) -> StoredFile:
    """The file of a run to be downloaded, noted in the audit ledger. Raises NotFound for one the actor may not have."""
    run, _, file = get_run(uow, run_id)
    if file is None:
        raise NotFound("There is no such file, or it is not yours.")
    record(uow, "extract.downloaded", "extract_run", run.id, file=str(file.id))
    return file


def job_of(uow: UnitOfWork, run: ExtractRun) -> Job:
    """The job that writes a run's file."""
    return uow.session.scalars(select(Job).where(Job.id == run.job_id)).one()


def _changeable(uow: UnitOfWork, extract_id: UUID, hold: Hold = only_read) -> Extract:
    extract = get_extract(uow, extract_id, hold)
    if not may_change(uow, extract):
        raise Forbidden("This report is somebody else's. Save a copy of your own.")
    return extract


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST:
        raise InvalidInput(
            [FieldProblem("name", later("Give it a name of at most %(most)s characters.", most=LONGEST))]
        )
    return name


def _taken(name: str) -> FieldProblem:
    return FieldProblem("name", later("You have a report named %(name)s already. Choose another name.", name=name))
