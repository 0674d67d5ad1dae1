"""Parts of content that several rooms share: strict fields, rows with an id, counting words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from app.domain.outlook import CODE
from app.domain.saying import Say
from app.domain.steps import StepKey

MOST_TEXT = 20_000
MOST_LINE = 300
MOST_ROWS = 100
# `\Z`, because `$` lets a line end pass.
ROW_ID = r"[a-z0-9]{1,32}\Z"
_WORD = re.compile(r"\w+", re.UNICODE)
# Chinese is written without blanks: about two signs make a word.
_SIGN = re.compile(r"[\u3400-\u9fff]")


class StrictSchema(Schema):
    """A schema that refuses fields it does not know (S10): a misspelt name must not silently vanish."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE


class Row(StrictSchema):
    """A row of a list; its id stays when rows around it come and go, so that others can point at it."""

    id = fields.String(required=True, validate=validate.Regexp(ROW_ID))


def long_text() -> fields.String:
    """A text of several lines; empty when not written."""
    return fields.String(load_default="", validate=validate.Length(max=MOST_TEXT))


def line() -> fields.String:
    """One line of text; empty when not written."""
    return fields.String(load_default="", validate=validate.Length(max=MOST_LINE))


def choice(*options: str) -> fields.String:
    """One of the options, or None while nothing is chosen."""
    return fields.String(load_default=None, allow_none=True, validate=validate.OneOf(options))


def whole(low: int, high: int) -> fields.Integer:
    """A whole number from `low` to `high`, or None."""
    return fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(low, high))


def number(low: float, high: float) -> fields.Float:
    """A number from `low` to `high`, or None."""
    return fields.Float(load_default=None, allow_none=True, validate=validate.Range(low, high))


def occupation_code(*, required: bool = False) -> fields.String:
    """The code of an occupation of the catalogue; None for one written by hand, unless it is required."""
    # `\Z`, because `$` lets a line end pass.
    code = validate.Regexp(rf"{CODE.pattern}\Z")
    if required:
        return fields.String(required=True, validate=code)
    return fields.String(load_default=None, allow_none=True, validate=code)


def release_key() -> fields.String:
    """The key of the release an occupation was taken from, or None."""
    return fields.String(load_default=None, allow_none=True, validate=validate.Length(max=100))


def day() -> fields.Date:
    """A day as YYYY-MM-DD, or None."""
    return fields.Date(load_default=None, allow_none=True)


def flag() -> fields.Boolean:
    """True or false; nothing else counts as either."""
    return fields.Boolean(load_default=False, truthy={True}, falsy={False})


def rows(schema: type[Schema]) -> fields.Field[list[Any]]:
    """A list of rows, at most a hundred."""
    return fields.List(fields.Nested(schema), load_default=list, validate=validate.Length(max=MOST_ROWS))


def words(text: str) -> int:
    """How many words a text has; two Chinese signs count as one."""
    signs = len(_SIGN.findall(text))
    return len(_WORD.findall(_SIGN.sub(" ", text))) + (signs + 1) // 2


def written(content: Mapping[str, Any], name: str, key: str) -> list[Mapping[str, Any]]:
    """The rows of list `name` whose field `key` holds something."""
    return [row for row in content.get(name, ()) if row.get(key)]


def day_of(value: str | None) -> date | None:
    """A day of the stored content as a date."""
    return date.fromisoformat(value) if value else None


def way_words(_: Say) -> dict[str, str]:
    """The kinds of ways of step 5."""
    return {
        "administration": _("leading people and projects"),
        "technical": _("growing as an expert"),
        "entrepreneurship": _("building something of my own"),
        "own": _("another way"),
    }


def path_name(row: Mapping[str, Any], _: Say) -> str:
    """What a way of step 5 is called: its own name, else its kind."""
    return row.get("name") or way_words(_).get(row.get("kind") or "", "?")


def paths_of(contents: Mapping[StepKey, Mapping[str, Any]], _: Say) -> dict[str, str]:
    """The ways of step 5 by id with their names."""
    return {row["id"]: path_name(row, _) for row in contents.get(StepKey.CAREER_PATH, {}).get("paths", ())}


def aside(row: Mapping[str, Any], contents: Mapping[StepKey, Mapping[str, Any]]) -> str | None:
    """The way of step 5 a goal or action belongs to, where another one is chosen now; None while it counts.

    What belongs to no way always counts. Nothing is written when the choice changes, so switching back restores all.
    """
    chosen = contents.get(StepKey.CAREER_PATH, {}).get("chosen")
    path = row.get("path")
    return path if path and chosen and path != chosen else None


@dataclass(frozen=True, slots=True)
class NamedOccupation:
    """An occupation of a content: its name as written, and its code in the catalogue's release it was taken from.

    Code and release are None for one written by hand.
    """

    name: str
    code: str | None
    release: str | None


def chosen_occupation(contents: Mapping[StepKey, Mapping[str, Any]]) -> NamedOccupation | None:
    """The first choice of step 4; None while there is none."""
    choice_made = contents.get(StepKey.CAREER_CHOICE, {})
    for row in choice_made.get("options", ()):
        if row["id"] == choice_made.get("chosen"):
            return NamedOccupation(row.get("name", ""), row.get("code"), row.get("release"))
    return None


def education_of(contents: Mapping[StepKey, Mapping[str, Any]]) -> int | None:
    """The client's education as step 3 has it: 1 to 12, the catalogue's levels of required education; None: unsaid."""
    level = contents.get(StepKey.OPPORTUNITIES, {}).get("education")
    return level if isinstance(level, int) else None


def action_status(row: Mapping[str, Any]) -> str:
    """Where an action of step 7 stands: planned, begun, done or dropped; older content says only whether it is done."""
    return str(row.get("status") or ("done" if row.get("done") else "planned"))


def live_goals(contents: Mapping[StepKey, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The goals of step 6 that count now: written, not dropped, and of no way that is not taken."""
    rows_there = written(contents.get(StepKey.GOALS, {}), "goals", "text")
    return [row for row in rows_there if row.get("status") != "dropped" and aside(row, contents) is None]


def live_actions(contents: Mapping[StepKey, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The actions of step 7 that count now: written, not dropped, and of no way that is not taken."""
    rows_there = written(contents.get(StepKey.ACTION_PLAN, {}), "actions", "text")
    return [row for row in rows_there if action_status(row) != "dropped" and aside(row, contents) is None]
