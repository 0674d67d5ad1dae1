"""Use cases of instruments: load a definition, check a file of answers, start scoring it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.domain import answer_sheets as sheets
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.file_names import safe_name
from app.domain.instruments import checksum, definition_as_json, parse_definition
from app.domain.saying import later
from app.features.audit.service import record
from app.features.clients.models import Client
from app.features.instruments.commands import ImportResponses, LoadDefinition
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.queries import LoadedInstrument, get_instrument
from app.features.jobs.items import add_items
from app.features.jobs.models import Job, StoredFile
from app.features.jobs.service import create_job
from app.infra.db.open import UnitOfWork
from app.infra.storage import Storage

SCORE = "instruments.score"
FILE_KIND = "responses"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What loading a definition gave: the instrument, its version, and whether that version is new."""

    instrument_id: UUID
    version: int
    new: bool


def load_definition(uow: UnitOfWork, command: LoadDefinition) -> Loaded:
    """Load a definition as the next version of its instrument; one that is there already makes nothing new.

    Raises DefinitionError with every problem of the definition.
    """
    definition = parse_definition(command.raw)
    digest = checksum(definition)
    values = {"key": definition.id, "title": definition.title}
    uow.session.execute(insert(Instrument).values(values).on_conflict_do_nothing())
    # The lock makes two people loading at once take their version numbers one after the other.
    row = uow.session.scalars(select(Instrument).where(Instrument.key == definition.id).with_for_update()).one()
    versions = uow.session.execute(
        select(InstrumentVersion.version, InstrumentVersion.checksum).where(InstrumentVersion.instrument_id == row.id)
    ).all()
    for version, known in versions:
        if known == digest:
            return Loaded(row.id, version, new=False)
    number = max((version for version, _ in versions), default=0) + 1
    row.title = definition.title
    uow.session.add(
        InstrumentVersion(
            instrument_id=row.id,
            version=number,
            definition=definition_as_json(definition),
            checksum=digest,
            loaded_by=uow.actor.membership_id,
            loaded_at=uow.now,
        )
    )
    uow.session.flush()
    record(uow, "instrument.loaded", "instrument", row.id, version=number, checksum=digest)
    return Loaded(row.id, number, new=True)


def offer_instrument(uow: UnitOfWork, instrument_id: UUID, *, offered: bool) -> None:
    """Let clients begin an instrument, or no longer; results and what is begun stay. Raises NotFound."""
    row = get_instrument(uow, instrument_id).row
    if row.active != offered:
        row.active = offered
        uow.session.flush()
        record(uow, "instrument.offered" if offered else "instrument.withdrawn", "instrument", row.id)


@dataclass(frozen=True, slots=True)
class SheetCheck:
    """What a file of answers holds: rows, people found, ids nobody has, bad rows, and sheets stored before."""

    header: tuple[str, ...]
    columns: sheets.SheetColumns
    rows: int
    good: int
    unknown: int
    stored_before: int
    bad: int
    samples: tuple[sheets.BadRow, ...]


def check_responses(
    uow: UnitOfWork, storage: Storage, command: ImportResponses, *, samples: int = 20
) -> tuple[LoadedInstrument, SheetCheck]:
    """Read the file whole, chunk by chunk, and say what importing it would do; writes nothing.

    Raises InvalidInput when the file cannot be read or its columns do not fit, NotFound for a foreign file.
    """
    instrument = get_instrument(uow, command.instrument_id)
    file = get_sheet(uow, command.file_id)
    rows = good = unknown = stored = bad = 0
    shown: list[sheets.BadRow] = []
    with storage.path(file.location).open("rb") as handle:
        form = sheets.read_format(handle)
        columns = sheets.sheet_columns(form.header, instrument.definition, command.person)
        for chunk in sheets.find_chunks(handle, form):
            answers = sheets.read_answers(handle, form, columns, instrument.definition, chunk)
            known = clients_by_external_id(uow, answers.people)
            found = [known[person] for person in answers.people if person in known]
            before = _stored_before(uow, instrument.row.id, source_key(file, instrument.version), found)
            missing = [
                sheets.BadRow(line, unknown_person(person))
                for line, person in zip(answers.lines, answers.people, strict=True)
                if person not in known
            ]
            rows += chunk.rows
            unknown += len(missing)
            stored += before
            bad += len(answers.bad)
            good += len(found) - before
            shown = sorted([*shown, *missing, *answers.bad], key=lambda row: row.line)[:samples]
    if not rows:
        raise InvalidInput([FieldProblem("file", "The file has a heading but no rows. Add one row for each person.")])
    return instrument, SheetCheck(form.header, columns, rows, good, unknown, stored, bad, tuple(shown))


def start_scoring(uow: UnitOfWork, storage: Storage, command: ImportResponses) -> Job:
    """Start the job that scores a stored file of answers and keeps the results; the same file twice is one job.

    Raises as `check_responses`.
    """
    instrument = get_instrument(uow, command.instrument_id)
    file = get_sheet(uow, command.file_id)
    with storage.path(file.location).open("rb") as handle:
        form = sheets.read_format(handle)
        columns = sheets.sheet_columns(form.header, instrument.definition, command.person)
        chunks = sheets.find_chunks(handle, form)
    params = {
        "instrument": str(instrument.row.id),
        "title": f"{instrument.row.title} · {file.name}",
        "version": instrument.version,
        "file": str(file.id),
        "person": columns.person,
        "taken_at": (command.taken_at or uow.now).isoformat(),
        "chunks": [list(asdict(chunk).values()) for chunk in chunks],
        "people": sum(chunk.rows for chunk in chunks),
    }
    job, new = create_job(uow, SCORE, params, idempotency_key=f"{instrument.row.id}:{instrument.version}:{file.id}")
    if new:
        add_items(uow, job, [chunk_id(number) for number in range(len(chunks))])
        record(uow, "responses.import_started", "instrument", instrument.row.id, file=str(file.id))
    return job


def get_sheet(uow: UnitOfWork, file_id: UUID) -> StoredFile:
    """A stored file of answers; raises NotFound."""
    file = uow.session.scalars(
        select(StoredFile).where(StoredFile.id == file_id, StoredFile.kind == FILE_KIND)
    ).one_or_none()
    if file is None:
        raise NotFound("There is no such file of answers.")
    return file


def keep_sheet(uow: UnitOfWork, *, name: str, location: str, size: int, sha256: bytes) -> StoredFile:
    """Register a file of answers that is stored whole."""
    file = StoredFile(
        kind=FILE_KIND,
        name=safe_name(name),
        media_type="text/csv",
        size=size,
        sha256=sha256,
        location=location,
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(file)
    uow.session.flush()
    record(uow, "responses.uploaded", "file", file.id, size=size)
    return file


def chunk_id(number: int) -> UUID:
    """The job item's subject for a chunk: its number written as an id."""
    return UUID(int=number + 1)


def source_key(file: StoredFile, version: int) -> str:
    """Names the content and the version it is scored by, so that the same file again stores nothing twice.

    A corrected version of the instrument scores the same answers anew.
    """
    return f"sheet:{version}:{file.sha256.hex()[:32]}"


def unknown_person(person: str) -> str:
    """The sentence for an id nobody has."""
    return later('Nobody here has the id "%(id)s". Import the person first, or correct the id.', id=person[:40])


def clients_by_external_id(uow: UnitOfWork, external_ids: tuple[str, ...]) -> dict[str, UUID]:
    """Ids of the clients with these external ids, in one query."""
    rows = uow.session.execute(
        select(Client.external_id, Client.id).where(Client.external_id.in_(set(external_ids)))
    ).all()
    return {row.external_id: row.id for row in rows}


def _stored_before(uow: UnitOfWork, instrument_id: UUID, key: str, clients: list[UUID]) -> int:
    return (
        uow.session.scalar(
            select(func.count()).where(
                Assessment.instrument_id == instrument_id,
                Assessment.source_key == key,
                Assessment.client_id.in_(clients),
            )
        )
        or 0
    )
