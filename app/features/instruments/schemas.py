"""JSON of instruments, answer sheets and assessments."""

from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import fields, validate

from app.domain.instrument_parts import STATUSES
from app.infra.web.api.fields import Free, QueryWhole
from app.infra.web.api.schemas import PageQuery, Strict


class InstrumentSchema(Strict):
    """A scored questionnaire."""

    id = fields.UUID(required=True)
    key = fields.String(required=True)
    title = fields.String(required=True)
    active = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)


class InstrumentVersionSchema(Strict):
    """One definition as it was loaded."""

    version = fields.Integer(required=True)
    checksum = fields.String(required=True)
    loaded_at = fields.AwareDateTime(required=True)


class InstrumentDefinitionSchema(InstrumentVersionSchema):
    """One definition, whole."""

    definition = fields.Dict(required=True)


class NewInstrumentSchema(Strict):
    """A definition to load."""

    definition = Free(required=True)


class DefinitionUploadSchema(Strict):
    """A definition file (.json), a table of items (.csv) or a pool of items (.json)."""

    file = Upload(required=True)


def _told(description: str, most: int = 2000) -> fields.String:
    return fields.String(validate=validate.Length(max=most), metadata={"description": description})


class BesideQuery(Strict):
    """What a table or a pool of items does not say; not read for a definition file."""

    key = _told("A short name; letters, digits and hyphens.", 64)
    version = _told("The edition.", 64)
    language = _told("A language tag.", 20)
    title = _told("The title.", 200)
    status = fields.String(
        validate=validate.OneOf(STATUSES), metadata={"description": "How far it can be trusted; else as its source."}
    )
    licence = _told("The licence's name.", 200)
    licence_text = _told("What the licence says.", 20_000)
    attribution = _told("Whom to name.")
    citation = _told("The source.")
    options = _told("The answers, one a line: 1 Never.", 5000)
    scale_titles = _told("Names of the scales, one a line: E = Extraversion.", 5000)
    chosen = _told("The items taken from a pool, one a line: H34 E +.", 20_000)


class BuiltInSchema(Strict):
    """A questionnaire that comes with Octant."""

    name = fields.String(required=True, metadata={"description": "What it is added by."})
    key = fields.String(required=True)
    title = fields.String(required=True)
    added = fields.Boolean(required=True)


class LoadedSchema(Strict):
    """What loading gave: the same definition again makes nothing new."""

    instrument_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    new = fields.Boolean(required=True)


class AnswersUploadSchema(Strict):
    """A CSV of answers: one row a person."""

    file = Upload(required=True)


class AnswersQuery(Strict):
    """How to read the file."""

    person = QueryWhole(most=1000, metadata={"description": "The column, from 0, with the clients' ids; else guessed."})


class AssessmentSchema(Strict):
    """One client's taking of an instrument; scores in the order of the version's scales."""

    id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    instrument_id = fields.UUID(required=True)
    version = fields.Integer(required=True)
    taken_at = fields.AwareDateTime(required=True)
    source = fields.String(required=True)
    scores = fields.List(fields.Float(allow_none=True), required=True)
    answered = fields.List(fields.Integer(), required=True)


class AssessmentQuery(PageQuery):
    """Which assessments."""

    client = fields.UUID()
    instrument = fields.UUID()
