"""Reads the parts of a request; whatever cannot be accepted becomes InvalidInput, naming each field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from flask import Request, abort, request
from flask_babel import gettext
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from app.domain.errors import FieldProblem, InvalidInput

# Larger bodies are files, and files come as multipart forms.
_MOST_JSON = 4 * 1024 * 1024


class StrictParser(FlaskParser):
    """Parses JSON bodies, query parameters, forms and files; unknown names are refused everywhere."""

    DEFAULT_UNKNOWN_BY_LOCATION = dict.fromkeys(FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, RAISE)

    def load_json(self, req: Request, schema: Schema) -> Any:
        """The JSON body, nothing at all being an empty one; 415 for another type, 413 for too much, 400 for no JSON."""
        _ = schema
        if not req.mimetype and not req.get_data(cache=True):
            return {}
        if not req.is_json:
            abort(415)
        if (req.content_length or 0) > _MOST_JSON:
            abort(413)
        try:
            return json.loads(req.get_data(cache=True), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            # ValueError covers bad JSON, bad UTF-8 and numbers of thousands of digits.
            abort(400, gettext("The body is not valid JSON."))

    def handle_error(self, error: ValidationError, req: Request, schema: Schema, **options: Any) -> NoReturn:
        """Raise InvalidInput with one problem per field; the edge answers 422."""
        _ = req, schema, options
        problems = []
        for location, messages in error.messages_dict.items():
            problems += [FieldProblem(path or location, sentence) for path, sentence in _walk(messages, "")]
        raise InvalidInput(problems) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _walk(messages: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            name = "" if key == "_schema" else str(key)[:100]
            yield from _walk(inner, f"{path}.{name}".strip("."))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _walk(inner, path)
    else:
        yield path, _SENTENCES.get(str(messages), str(messages))


# The library's words are terse; these say what to do.
_SENTENCES = {
    "Unknown field.": "There is no such field here. Leave it out.",
    "Missing data for required field.": "This is needed. Add it.",
    "Field may not be null.": "This may not be null. Give a value or leave it out.",
    "Invalid input type.": "Send a JSON object.",
}


def matching_tag() -> str:
    """The ETag a save was typed over, from If-Match; 428 when it is missing."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        abort(428)
    return given.removeprefix('"').removesuffix('"')


def matching_version() -> int:
    """The version a save was typed over, from If-Match: 428 when it is missing, 412 when it cannot match."""
    tag = matching_tag()
    if not tag.isascii() or not tag.isdigit() or len(tag) > 9:
        abort(412)
    return int(tag)
