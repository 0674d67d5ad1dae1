"""JSON of classes in figures."""

from __future__ import annotations

from marshmallow import fields

from app.infra.web.api.fields import QueryTruth
from app.infra.web.api.schemas import Strict


class ClassQuery(Strict):
    """Which figures."""

    withheld = QueryTruth(
        load_default=False,
        metadata={"description": "Withhold small groups, as those always get them who may not read people."},
    )


class RateSchema(Strict):
    """A percentage as it may be shown: exact, a bound, or withheld."""

    kind = fields.String(required=True)
    value = fields.Float(required=True, allow_none=True)


class SalariesSchema(Strict):
    """Salaries known of those employed full time."""

    people = fields.Integer(required=True)
    median = fields.Float(required=True)
    currency = fields.String(required=True)


class ClassSchema(Strict):
    """A class in figures; a count that is null is withheld, and a null career outcomes rate is undefined."""

    class_year = fields.Integer(required=True)
    graduates = fields.Integer(required=True, allow_none=True)
    known = fields.Integer(required=True, allow_none=True)
    knowledge_rate = fields.Nested(RateSchema, required=True, attribute="knowledge")
    career_outcomes_rate = fields.Nested(RateSchema, required=True, allow_none=True, attribute="outcomes")
    placed_or_seeking = fields.Integer(required=True, allow_none=True, attribute="basis")
    people = fields.Dict(required=True, metadata={"description": "People by status, and `unknown`."})
    salaries = fields.Nested(SalariesSchema, required=True, allow_none=True)


class ClassesSchema(Strict):
    """Every class, the last first."""

    classes = fields.List(fields.Nested(ClassSchema), required=True)
