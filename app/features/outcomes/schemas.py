"""JSON of outcomes."""

from __future__ import annotations

from flask_smorest.fields import Upload
from marshmallow import fields

from app.domain.outcomes import EMPLOYMENTS, FIRST_CLASS, LAST_CLASS, LONGEST, MOST_SALARY, SOURCES, STATUSES
from app.infra.web.api.fields import Choice, Day, QueryWhole, Sentence, Whole
from app.infra.web.api.schemas import PageQuery, Strict


class GraduationSchema(Strict):
    """A graduation; the class is named by the year it ends in (1 July to 30 June)."""

    client_id = fields.UUID(required=True)
    class_year = fields.Integer(required=True)
    graduated_on = fields.Date(required=True)


class GraduationBodySchema(Strict):
    """The day somebody graduated; with `class_year` the day of that graduation is put right."""

    graduated_on = Day(required=True)
    class_year = Whole(least=FIRST_CLASS, most=LAST_CLASS)


class DestinationBodySchema(Strict):
    """What became of somebody. `salary` is a year's in whole units of `currency`, three letters."""

    status = Choice(STATUSES, required=True)
    known_on = Day(required=True)
    source = Choice(SOURCES, required=True)
    employment = Choice(EMPLOYMENTS)
    employer = Sentence(longest=LONGEST["employer"], shortest=0, load_default="")
    title = Sentence(longest=LONGEST["title"], shortest=0, load_default="")
    occupation = Sentence(
        longest=LONGEST["occupation"],
        shortest=0,
        load_default="",
        metadata={"description": "A title or code of the current catalogue."},
    )
    place = Sentence(longest=LONGEST["place"], shortest=0, load_default="")
    salary = Whole(least=0, most=MOST_SALARY)
    currency = Sentence(longest=3, shortest=3)


class DestinationSchema(Strict):
    """One thing that was known; `counts` is the newest by the day it was known that was not withdrawn."""

    id = fields.UUID(required=True)
    client_id = fields.UUID(required=True)
    class_year = fields.Integer(required=True)
    status = fields.String(required=True)
    employment = fields.String(required=True, allow_none=True)
    employer = fields.String(required=True)
    title = fields.String(required=True)
    occupation_release = fields.String(required=True, allow_none=True)
    occupation_code = fields.String(required=True, allow_none=True)
    place = fields.String(required=True)
    salary = fields.Integer(required=True, allow_none=True)
    currency = fields.String(required=True, allow_none=True)
    known_on = fields.Date(required=True)
    source = fields.String(required=True)
    recorded_at = fields.AwareDateTime(required=True)
    recorded_by = fields.UUID(required=True, allow_none=True)
    withdrawn_at = fields.AwareDateTime(required=True, allow_none=True)


class GraduateSchema(GraduationSchema):
    """A graduation with everything that was ever known of it, the newest first."""

    newest = fields.Nested(DestinationSchema, required=True, allow_none=True)
    history = fields.List(fields.Nested(DestinationSchema), required=True)


class MissingQuery(PageQuery):
    """Whose outcomes are missing."""

    class_year = QueryWhole(least=FIRST_CLASS, most=LAST_CLASS, required=True)


class MissingSchema(Strict):
    """A graduate of whom nothing is known."""

    client_id = fields.UUID(required=True)
    class_year = fields.Integer(required=True)
    graduated_on = fields.Date(required=True)


class OutcomeFileSchema(Strict):
    """A file of outcomes as CSV or XLSX."""

    file = Upload(required=True)


class OutcomeImportSchema(Strict):
    """One file of outcomes and how far its import is."""

    id = fields.UUID(required=True)
    state = fields.String(required=True)
    source = fields.Dict(required=True, metadata={"description": "Format, encoding, headings, a few rows, warnings."})
    mapping = fields.Dict(required=True, metadata={"description": "The column, from 0, that feeds each field."})
    counts = fields.Dict(required=True)
    refusal = fields.String(required=True, allow_none=True)
    check_job_id = fields.UUID(required=True, allow_none=True)
    apply_job_id = fields.UUID(required=True, allow_none=True)
    created_at = fields.AwareDateTime(required=True)


class OutcomeCheckSchema(Strict):
    """Which column feeds which field; without it those that were guessed."""

    mapping = fields.Dict(keys=Sentence(longest=120), values=Whole(most=1000))


class OutcomeRowQuery(PageQuery):
    """Which rows."""

    verdict = Choice(("good", "known", "bad"))


class OutcomeRowSchema(Strict):
    """A row of a file; a problem is its column, a sentence and the value."""

    line = fields.Integer(required=True)
    external_id = fields.String(required=True)
    verdict = fields.String(required=True)
    problems = fields.List(fields.List(fields.Raw(allow_none=True)), required=True, attribute="faults")
    client_id = fields.UUID(required=True, allow_none=True)
