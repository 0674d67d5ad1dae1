"""Step 5: ways up compared on criteria, one chosen, the route from here to there, and its milestones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import ValidationError, fields, validate

from app.domain.saying import Say, later
from app.features.plans.rooms import Content, Settling, Surroundings
from app.features.steps.career_path.ways import live_milestones, matrix_of_ways, ways_of
from app.features.steps.matrix import Criterion, Rated, comparisons, settle_pairs, weighting_field
from app.features.steps.matrix_words import missing_of
from app.features.steps.parts import (
    ROW_ID,
    Row,
    StrictSchema,
    choice,
    day,
    flag,
    line,
    long_text,
    number,
    occupation_code,
    path_name,
    release_key,
    rows,
    whole,
    written,
)

KINDS = ("administration", "technical", "entrepreneurship", "own")
# A route of at most six hops has seven stages (`app.domain.routes.MOST_HOPS`).
_MOST_STAGES = 7


def _way() -> fields.String:
    return fields.String(load_default=None, allow_none=True, validate=validate.Regexp(ROW_ID))


def _one_each(routes: Sequence[Mapping[str, Any]]) -> None:
    if len({route.get("path") for route in routes}) < len(routes):
        raise ValidationError(later("Keep one route for each way."))


class Path(Rated):
    """A way up, what speaks for and against it, and its rating (1 to 5) on each criterion, by the criterion's id.

    `fit` is how older plans say in one number (1 to 5) how well a way fits; it is kept, and not asked for any more.
    """

    kind = choice(*KINDS)
    name = line()
    advantages = long_text()
    drawbacks = long_text()
    fit = whole(1, 5)


class Position(StrictSchema):
    """An occupation of the catalogue (code and release), or own words (name alone); `none`: no position yet."""

    name = line()
    code = occupation_code()
    release = release_key()
    none = flag()


class SkillLack(StrictSchema):
    """A skill the stage asks for at a higher level (0 to 7) than what one has before it."""

    name = line()
    required = fields.Float(required=True, validate=validate.Range(0, 7))
    own = fields.Float(required=True, validate=validate.Range(0, 7))


class Lack(StrictSchema):
    """What the hop to a stage lacked when the route was taken: see `app.domain.routes.Lacks`. None: not known."""

    zones = whole(0, 4)
    asking_at_most = number(0, 100)
    education_steps = whole(0, 11)
    skills = fields.List(fields.Nested(SkillLack), load_default=None, allow_none=True, validate=validate.Length(max=20))


class Stage(StrictSchema):
    """An occupation on the route with its job zone (1 to 5), pinned to its release; the first stage lacks nothing."""

    name = line()
    code = occupation_code()
    release = release_key()
    zone = whole(1, 5)
    lack = fields.Nested(Lack, load_default=None, allow_none=True)


class KeptRoute(Row):
    """The route that was taken for a way (`path`; None: for whichever), from the first stage to the target.

    `education` is the client's level (1 to 12) that the lacks were counted with.
    """

    path = _way()
    education = whole(1, 12)
    stages = fields.List(fields.Nested(Stage), load_default=list, validate=validate.Length(min=1, max=_MOST_STAGES))


class Milestone(Row):
    """A position or stage on the way, with a rough day.

    One that comes from a route keeps its occupation's code and release; `path` is the way it belongs to (None:
    whichever is taken), and it is kept aside while another way is chosen.
    """

    text = line()
    due_on = day()
    code = occupation_code()
    release = release_key()
    path = _way()


class CareerPath(StrictSchema):
    """The content of the step; `chosen` is the id of a path. `target` None: the chosen occupation of step 4."""

    criteria = rows(Criterion)
    weighting = weighting_field()
    pairs = comparisons()
    paths = rows(Path)
    chosen = fields.String(load_default=None, allow_none=True)
    reason = long_text()
    start = fields.Nested(Position, load_default=None, allow_none=True)
    target = fields.Nested(Position, load_default=None, allow_none=True)
    routes = fields.List(
        fields.Nested(KeptRoute),
        load_default=list,
        validate=[validate.Length(max=100), _one_each],
    )
    milestones = rows(Milestone)


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there: enough ways compared on criteria, one chosen with a reason, its milestones."""
    said = []
    paths = ways_of(content)
    least = around.parameters.get("least_paths", 2)
    if len(paths) < least:
        said.append(_("Ways compared so far: %(found)s. Compare at least %(least)s.", found=len(paths), least=least))
    # Older plans say in one number how well a way fits; that still counts as comparing.
    if written(content, "criteria", "name") or not (paths and all(row.get("fit") for row in paths)):
        said += missing_of(
            matrix_of_ways(content, lambda row: path_name(row, _)), around.parameters.get("least_criteria", 2), _
        )
    if content.get("chosen") not in {row["id"] for row in paths}:
        said.append(_("Choose the way you want to take."))
    if not content.get("reason", "").strip():
        said.append(_("Write why you chose this way."))
    milestones = len(live_milestones(content))
    least = around.parameters.get("least_milestones", 2)
    if milestones < least:
        said.append(_("Milestones so far: %(found)s. Set at least %(least)s.", found=milestones, least=least))
    return said


def settle(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
    """What is stored of a save: comparisons of criteria that are there, a choice among the ways that are there.

    What belongs to a way stays when another is chosen, and also when the way is taken out: nothing is deleted with it.
    """
    settled = settle_pairs(after)
    if settled["chosen"] not in {row["id"] for row in ways_of(settled)}:
        settled["chosen"] = None
    for name in ("start", "target"):
        place = settled[name]
        if place is not None and not place["name"] and not place["code"] and not place["none"]:
            settled[name] = None
    return settled
