"""JSON of figures."""

from __future__ import annotations

from marshmallow import fields

from app.features.figures.definitions import FIGURES, WHOLES
from app.infra.web.api.fields import Choice, Sentence
from app.infra.web.api.schemas import Strict


class FigureQuery(Strict):
    """How to break a figure down."""

    by = Sentence(longest=60, metadata={"description": "An attribute from the list of attributes."})
    and_by = Sentence(longest=60, metadata={"description": "A second one."})
    since = Sentence(
        longest=200,
        metadata={
            "description": "The first of a run of periods, such as `@started_month:2026-02`; where small groups are"
            " withheld, without `and_by`."
        },
    )
    until = Sentence(longest=200, metadata={"description": "The last of them, of the same kind; else the first alone."})
    small = Choice(
        ("withheld",), metadata={"description": "Withhold small groups also from those who may see the people."}
    )


class FigureDefinitionSchema(Strict):
    """A figure and what it means; it is out of the people of another figure, and may be a mean of something of them.

    `whole` says of whom it is in the end, all people with a plan or all graduates: by what those can be asked, it can.
    """

    key = Choice(tuple(figure.key for figure in FIGURES), required=True)
    name = fields.String(required=True)
    definition = fields.String(required=True)
    whole = Choice(WHOLES, required=True)
    out_of = fields.String(required=True, allow_none=True)
    mean = fields.Boolean(required=True)
    parts = fields.List(fields.String(), required=True)


class FigureAttributeSchema(Strict):
    """What figures of one `whole` can be asked by; values in their order, null for those who have none."""

    whole = Choice(WHOLES, required=True)
    key = fields.String(required=True)
    name = fields.String(required=True)
    values = fields.List(fields.Raw(allow_none=True), required=True)


class FiguresSchema(Strict):
    """Which figures there are, and by what they can be asked."""

    as_of = fields.AwareDateTime(required=True)
    threshold = fields.Integer(required=True, allow_none=True)
    figures = fields.List(fields.Nested(FigureDefinitionSchema), required=True)
    attributes = fields.List(fields.Nested(FigureAttributeSchema), required=True)


class GroupNumberSchema(Strict):
    """A figure of a group; null where it is withheld. With a `bound` the share is beyond `percent`.

    `people` are those it is out of. A mean has no share: `people` and `number` say of how many it is, `low` and `high`
    are its 95 % interval.
    """

    people = fields.Integer(required=True, allow_none=True)
    number = fields.Integer(required=True, allow_none=True)
    percent = fields.Float(required=True, allow_none=True)
    bound = Choice(("at_most", "at_least"), required=True, allow_none=True)
    mean = fields.Float(required=True, allow_none=True)
    low = fields.Float(required=True, allow_none=True)
    high = fields.Float(required=True, allow_none=True)


class FigureNumberSchema(GroupNumberSchema):
    """One figure of one group, and which it is."""

    part = fields.String(required=True)
    by = fields.Raw(required=True, allow_none=True)
    and_by = fields.Raw(required=True, allow_none=True)


class FigureSchema(Strict):
    """A figure of all people with a plan or of all graduates, by no, one or two attributes."""

    key = fields.String(required=True)
    name = fields.String(required=True)
    definition = fields.String(required=True)
    counted = fields.String(required=True)
    as_of = fields.AwareDateTime(required=True)
    threshold = fields.Integer(required=True, allow_none=True)
    withheld = fields.Boolean(required=True)
    out_of = fields.String(required=True, allow_none=True)
    by = fields.String(required=True, allow_none=True)
    and_by = fields.String(required=True, allow_none=True)
    since = fields.String(required=True, allow_none=True)
    until = fields.String(required=True, allow_none=True)
    numbers = fields.List(fields.Nested(FigureNumberSchema), required=True)
