"""A template as a file that another organization can take: its recipe as JSON, with a checksum over all of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.canonical import digest
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.reading import Reader
from app.domain.saying import later
from app.domain.template_content import TemplateContent, content_as_json, parse_content

FORMAT = "octant-template"
FORMAT_VERSION = 1
# A recipe of eight steps with guidance of the greatest length is below a third of this.
LARGEST_FILE = 1024 * 1024
MOST_NAME, MOST_DESCRIPTION = 120, 2000
_NO_FILE = later("This is no file of a template. Choose one that was saved from a template's page.")


@dataclass(frozen=True, slots=True)
class SharedTemplate:
    """A template as its file tells: the name and version it had where it was saved, and the recipe."""

    name: str
    description: str
    version: int
    content: TemplateContent


def template_as_file(shared: SharedTemplate) -> dict[str, Any]:
    """The plain JSON object of the file, from which `read_template` makes the same template again."""
    body = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": shared.name,
        "description": shared.description,
        "version": shared.version,
        "content": content_as_json(shared.content),
    }
    return body | {"checksum": digest(body)}


def parse_file(file: bytes) -> Mapping[str, Any]:
    """The JSON object in a file. Raises `InvalidInput` for one that is too large or holds none."""
    if len(file) > LARGEST_FILE:
        raise _refused(later("This file is too large for a template: at most %(most)s bytes.", most=LARGEST_FILE))
    try:
        raw = json.loads(file.decode("utf-8-sig"), parse_constant=_no_number)
        # An escape may stand for half a sign, which neither a page nor the database can hold.
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise _refused(later("This is not a UTF-8 text file. Choose the file as it was saved.")) from None
    except (ValueError, RecursionError) as error:
        raise _refused(later("This is not valid JSON (%(error)s).", error=str(error)[:200])) from None
    if not isinstance(raw, dict):
        raise _refused(_NO_FILE)
    return raw


def read_template(raw: Mapping[str, Any]) -> SharedTemplate:
    """The template of a file's JSON object.

    Raises `InvalidInput` with every problem and its place: another format, a checksum that differs, a recipe that
    cannot be followed.
    """
    reader = Reader(raw)
    reader.only(("format", "format_version", "name", "description", "version", "content", "checksum"))
    if raw.get("format") != FORMAT:
        raise _refused(_NO_FILE)
    if raw.get("format_version") != FORMAT_VERSION:
        raise InvalidInput(
            [
                FieldProblem(
                    "format_version",
                    later("This file is of a form that is not known here. It must be %(known)s.", known=FORMAT_VERSION),
                )
            ]
        )
    if reader.text("checksum") != _checksum(raw):
        reader.note("checksum", "The file is not as it was saved: its checksum differs. Ask for the file again.")
    name = reader.text("name")
    if len(name) > MOST_NAME:
        reader.note("name", later("This text is too long. Shorten it to %(most)s characters.", most=MOST_NAME))
    description = reader.text("description") if raw.get("description") else ""
    if len(description) > MOST_DESCRIPTION:
        reader.note(
            "description", later("This text is too long. Shorten it to %(most)s characters.", most=MOST_DESCRIPTION)
        )
    version = reader.whole("version", low=1)
    inner = reader.inner("content")
    content = reader.attempt("content", lambda: parse_content(inner.raw))
    reader.finish()
    # Without a problem there is a recipe.
    assert content is not None
    return SharedTemplate(name, description, version, content)


def instruments_named(content: TemplateContent) -> tuple[str, ...]:
    """Keys of the questionnaires that steps which are on, or reviews, ask for; each once, in order."""
    named = [key for step in content.steps if step.enabled for key in step.instruments]
    return tuple(dict.fromkeys([*named, *content.review_policy.retake]))


def _checksum(raw: Mapping[str, Any]) -> str:
    """What the checksum of the rest should be; empty for what no file can hold."""
    try:
        return digest({key: value for key, value in raw.items() if key != "checksum"})
    except ValueError:
        return ""


def _no_number(written: str) -> Any:
    raise ValueError(written)


def _refused(sentence: str) -> InvalidInput:
    return InvalidInput([FieldProblem("file", sentence)])
