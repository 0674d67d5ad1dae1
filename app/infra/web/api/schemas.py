"""What every schema of the API begins from."""

from __future__ import annotations

from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, fields

from app.infra.web.api.fields import QueryWhole, Sentence


class Strict(Schema):
    """A schema that names every field it takes; any other is refused (TRUST S10)."""

    class Meta:
        """How marshmallow is told."""

        unknown = RAISE


class PageQuery(Strict):
    """Which page of a list: at most `limit` items after those that `cursor` ended."""

    limit = QueryWhole(
        least=1, most=200, load_default=50, metadata={"description": "How many items to answer with, at most."}
    )
    cursor = Sentence(
        longest=2000, metadata={"description": "`next` of the page before; leave it out for the first page."}
    )


@cache
def page_of(item: type[Schema]) -> type[Schema]:
    """The schema of a page of `item`: `items`, and `next`, which is null on the last page."""
    name = item.__name__.removesuffix("Schema")
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(required=True, allow_none=True, metadata={"description": "The cursor of the next page."}),
    }
    return Strict.from_dict(members, name=f"{name}PageSchema")


class FieldProblemSchema(Strict):
    """One field that cannot be accepted."""

    field = fields.String(required=True, metadata={"description": "Where it is, such as `attributes.year`."})
    sentence = fields.String(required=True, metadata={"description": "What is wrong and what to do."})


class ProblemSchema(Strict):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "A sentence: what happened and what to do."})
    errors = fields.List(fields.Nested(FieldProblemSchema), metadata={"description": "Each field that was refused."})
