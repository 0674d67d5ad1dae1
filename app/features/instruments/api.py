"""JSON of instruments: load a definition, import answers, read assessments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Permission
from app.domain.answer_sheets import read_format
from app.domain.definition_files import LARGEST_FILE, Beside, definition_of_file
from app.domain.errors import NotFound
from app.features.instruments import service
from app.features.instruments.builtin import add_built_in, add_built_ins, built_ins, not_added
from app.features.instruments.commands import ImportResponses, LoadDefinition
from app.features.instruments.models import Assessment, Instrument, InstrumentVersion
from app.features.instruments.policy import visible_assessments
from app.features.instruments.rescoring import rescore_assessment
from app.features.instruments.schemas import (
    AnswersQuery,
    AnswersUploadSchema,
    AssessmentQuery,
    AssessmentSchema,
    BesideQuery,
    BuiltInSchema,
    DefinitionUploadSchema,
    InstrumentDefinitionSchema,
    InstrumentSchema,
    InstrumentVersionSchema,
    LoadedSchema,
    NewInstrumentSchema,
)
from app.features.jobs.api import job_json
from app.features.jobs.schemas import JobSchema
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import PageQuery, page_of
from app.infra.web.context import actor, runtime, unit_of_work

blueprint = ApiBlueprint("Instruments", __name__, description="Scored questionnaires, answers and assessments.")
_INSTRUMENT = "/instruments/<uuid:instrument_id>"
_READERS = (Permission.USE_TEMPLATES, Permission.MANAGE_INSTRUMENTS)


def _find(uow: UnitOfWork, instrument_id: UUID) -> Instrument:
    found = uow.session.scalars(select(Instrument).where(Instrument.id == instrument_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such instrument.")
    return found


@blueprint.get("/instruments")
@requires(*_READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(InstrumentSchema))
def list_instruments(query: dict[str, Any]) -> dict[str, Any]:
    """Instruments by title."""
    with unit_of_work() as uow:
        return page(uow, select(Instrument), (Instrument.title, Instrument.id), query)


@blueprint.post("/instruments")
@requires(Permission.MANAGE_INSTRUMENTS)
@once
@blueprint.arguments(NewInstrumentSchema)
@blueprint.response(201, LoadedSchema)
def load_instrument(uow: UnitOfWork, body: dict[str, Any]) -> service.Loaded:
    """Load a definition as the next version of its instrument."""
    return service.load_definition(uow, LoadDefinition(raw=body["definition"]))


@blueprint.post("/instruments/files")
@requires(Permission.MANAGE_INSTRUMENTS)
@blueprint.arguments(BesideQuery, location="query")
@blueprint.arguments(DefinitionUploadSchema, location="files")
@blueprint.response(201, LoadedSchema)
def load_instrument_file(query: dict[str, Any], files: dict[str, Any]) -> service.Loaded:
    """Load a definition file, a table of items or a pool of items; the same again makes nothing new."""
    upload = files["file"]
    raw = definition_of_file(upload.filename or "", upload.read(LARGEST_FILE), Beside(**query))
    with unit_of_work() as uow:
        return service.load_definition(uow, LoadDefinition(raw=raw))


@blueprint.post("/instruments/built-in")
@requires(Permission.MANAGE_INSTRUMENTS)
@blueprint.response(200, LoadedSchema(many=True))
def load_built_in_instruments() -> list[service.Loaded]:
    """Load every questionnaire that comes with Octant; what is there already stays as it is."""
    with unit_of_work() as uow:
        return add_built_ins(uow)


@blueprint.get("/instruments/built-in")
@requires(Permission.MANAGE_INSTRUMENTS)
@blueprint.response(200, page_of(BuiltInSchema))
def list_built_in_instruments() -> dict[str, Any]:
    """The questionnaires that come with Octant, by name, and whether they are added as they are now."""
    with unit_of_work() as uow:
        waiting = {built_in.name for built_in in not_added(uow)}
    return whole(
        [
            {
                "name": name,
                "key": built_in.definition.id,
                "title": built_in.definition.title,
                "added": name not in waiting,
            }
            for name, built_in in built_ins().items()
        ]
    )


@blueprint.post("/instruments/built-in/<name>")
@requires(Permission.MANAGE_INSTRUMENTS)
@once
@blueprint.response(201, LoadedSchema)
def add_built_in_instrument(uow: UnitOfWork, name: str) -> service.Loaded:
    """Add a questionnaire that comes with Octant, or its newer version."""
    return add_built_in(uow, name)


@blueprint.get(_INSTRUMENT)
@requires(*_READERS)
@blueprint.response(200, InstrumentSchema)
def read_instrument(instrument_id: UUID) -> Instrument:
    """One instrument."""
    with unit_of_work() as uow:
        return _find(uow, instrument_id)


@blueprint.post(f"{_INSTRUMENT}/offer")
@requires(Permission.MANAGE_INSTRUMENTS)
@blueprint.response(200, InstrumentSchema)
def offer_instrument(instrument_id: UUID) -> Instrument:
    """Let clients begin it."""
    with unit_of_work() as uow:
        service.offer_instrument(uow, instrument_id, offered=True)
        return _find(uow, instrument_id)


@blueprint.post(f"{_INSTRUMENT}/withdraw")
@requires(Permission.MANAGE_INSTRUMENTS)
@blueprint.response(200, InstrumentSchema)
def withdraw_instrument(instrument_id: UUID) -> Instrument:
    """Let clients begin it no longer; results stay, and what was begun can be finished."""
    with unit_of_work() as uow:
        service.offer_instrument(uow, instrument_id, offered=False)
        return _find(uow, instrument_id)


@blueprint.get(f"{_INSTRUMENT}/versions")
@requires(*_READERS)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, page_of(InstrumentVersionSchema))
def list_instrument_versions(query: dict[str, Any], instrument_id: UUID) -> dict[str, Any]:
    """Versions of an instrument, the latest first."""
    with unit_of_work() as uow:
        _find(uow, instrument_id)
        found = select(InstrumentVersion).where(InstrumentVersion.instrument_id == instrument_id)
        return page(uow, found, (InstrumentVersion.version,), query, descending=True)


@blueprint.get(f"{_INSTRUMENT}/versions/<int(min=1,max=1000000):version>")
@requires(*_READERS)
@blueprint.response(200, InstrumentDefinitionSchema)
def read_instrument_version(instrument_id: UUID, version: int) -> InstrumentVersion:
    """One version with its definition."""
    with unit_of_work() as uow:
        found = uow.session.scalars(
            select(InstrumentVersion).where(
                InstrumentVersion.instrument_id == instrument_id, InstrumentVersion.version == version
            )
        ).one_or_none()
        if found is None:
            raise NotFound("There is no such version of this instrument.")
        return found


@blueprint.post(f"{_INSTRUMENT}/answers")
@requires(Permission.MANAGE_INSTRUMENTS)
@blueprint.arguments(AnswersQuery, location="query")
@blueprint.arguments(AnswersUploadSchema, location="files")
@blueprint.response(202, JobSchema)
def import_answers(query: dict[str, Any], files: dict[str, Any], instrument_id: UUID) -> dict[str, Any]:
    """Score a CSV of answers in a job; the same file twice stores nothing twice."""
    with unit_of_work() as uow:
        _find(uow, instrument_id)
    upload = files["file"]
    read_format(upload.stream)
    upload.stream.seek(0)
    with runtime().storage.writing(actor().organization_id, ".csv") as pending:
        upload.save(pending.handle)
    kept = pending.stored
    try:
        with unit_of_work() as uow:
            file = service.keep_sheet(
                uow, name=upload.filename or "answers.csv", location=kept.location, size=kept.size, sha256=kept.sha256
            )
            command = ImportResponses(instrument_id=instrument_id, file_id=file.id, person=query.get("person"))
            return job_json(uow, [service.start_scoring(uow, runtime().storage, command)])[0]
    except BaseException:
        runtime().storage.delete(kept.location)
        raise


@blueprint.get("/assessments")
@requires(Permission.READ_CLIENTS)
@blueprint.arguments(AssessmentQuery, location="query")
@blueprint.response(200, page_of(AssessmentSchema))
def list_assessments(query: dict[str, Any]) -> dict[str, Any]:
    """Assessments of the clients you may see, the latest first."""
    with unit_of_work() as uow:
        found = select(Assessment).where(visible_assessments(uow.actor))
        if "client" in query:
            found = found.where(Assessment.client_id == query["client"])
        if "instrument" in query:
            found = found.where(Assessment.instrument_id == query["instrument"])
        return page(uow, found, (Assessment.taken_at, Assessment.id), query, descending=True)


@blueprint.post("/assessments/<uuid:assessment_id>/score-again")
@requires(Permission.WORK_PLANS)
@blueprint.response(200, AssessmentSchema)
def score_assessment_again(assessment_id: UUID) -> Assessment:
    """Score the same answers with the instrument's latest version; the former scores stay in the history."""
    with unit_of_work() as uow:
        return rescore_assessment(uow, assessment_id)
