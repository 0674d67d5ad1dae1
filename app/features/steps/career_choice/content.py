"""Step 4: a shortlist rated on weighted criteria, the decision with its history, and what counsellors recommend."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from marshmallow import fields, validate

from app.domain.saying import Say
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.matrix import Criterion, Matrix, Rated, comparisons, matrix_of, weighting_field
from app.features.steps.matrix_words import missing_of
from app.features.steps.parts import (
    Row,
    StrictSchema,
    choice,
    day,
    line,
    long_text,
    number,
    occupation_code,
    release_key,
    rows,
    whole,
    written,
)

# Facts of a match from which a rating can be suggested; a criterion may name one.
FACTS = ("interests", "values", "skills", "education", "environment")


def _six(low: float, high: float) -> fields.Field[list[Any]]:
    each = fields.Float(validate=validate.Range(low, high))
    return fields.List(each, load_default=None, allow_none=True, validate=validate.Length(equal=6))


class FactCriterion(Criterion):
    """A criterion, and the fact of a match from which a rating on it may be suggested."""

    fact = choice(*FACTS)


class SavedMatch(StrictSchema):
    """What the match said when the option was taken, kept by Octant; nobody types it.

    `r` and `rank` (of `of` rated occupations) by interests; `stays20`, `stays50` the share of resamples (0 to 1) in
    which it was among the first 20 and 50; `person` scores on `low` to `high` with their errors, `occupation` scores
    1 to 7, in the order R I A S E C; `values_r`, `coverage` (0 to 1) and `asking_at_most` (percent) as known then.
    """

    assessment = line()
    instrument = line()
    answered_on = day()
    taken_on = day()
    r = number(-1, 1)
    rank = whole(1, 100_000)
    of = whole(1, 100_000)
    stays20 = number(0, 1)
    stays50 = number(0, 1)
    person = _six(-1e6, 1e6)
    errors = _six(0, 1e6)
    low = number(-1e6, 1e6)
    high = number(-1e6, 1e6)
    occupation = _six(0, 10)
    values_r = number(-1, 1)
    coverage = number(0, 1)
    asking_at_most = number(0, 100)


class Option(Rated):
    """An occupation or field with its rating (1 to 5) on each criterion, by the criterion's id.

    One taken from the catalogue keeps its code and the key of the release it was taken from, and what the match said.
    """

    name = line()
    code = occupation_code()
    release = release_key()
    match = fields.Nested(SavedMatch, load_default=None, allow_none=True)


class EarlierDecision(StrictSchema):
    """A decision that was changed, kept by Octant: the names as they were, and from when until when it held."""

    name = line()
    code = occupation_code()
    runner_up = line()
    reason = long_text()
    decided_on = day()
    until = day()


class Recommendation(Row):
    """What a counsellor recommends, or holds as decided, in place of the client's choice; kept by Octant.

    `by` is the counsellor's membership; one that was withdrawn keeps the day.
    """

    kind = choice("recommended", "decided")
    name = line()
    code = occupation_code()
    release = release_key()
    reason = long_text()
    by = line()
    by_name = line()
    on = day()
    withdrawn_on = day()


class CareerChoice(StrictSchema):
    """The content of the step; `chosen` and `runner_up` are ids of options.

    Octant itself keeps what the matches said, `decided_on`, `earlier` and `recommendations`: what is sent for them is
    passed over.
    """

    criteria = rows(FactCriterion)
    # Not None, so that the guided way does not take the comparisons, which may be left out, for a gap.
    weighting = weighting_field("direct")
    pairs = comparisons()
    options = rows(Option)
    chosen = fields.String(load_default=None, allow_none=True)
    runner_up = fields.String(load_default=None, allow_none=True)
    reason = long_text()
    decided_on = day()
    earlier = rows(EarlierDecision)
    recommendations = rows(Recommendation)


# The usual criteria, and the fact of a match from which a rating on each may be suggested. There is none for
# personality: occupations' work styles and people's traits are not on one scale.
_USUAL_FACTS: Mapping[str, str | None] = {
    "usual1": None,
    "usual2": "interests",
    "usual3": "education",
    "usual4": "skills",
    "usual5": "environment",
}


def usual_criteria(_: Say) -> list[dict[str, Any]]:
    """The five usual criteria of fit, equally weighted.

    Their ids are fixed: ratings typed together with them name them before anything is stored.
    """
    names = (
        _("My personality"),
        _("My interests"),
        _("What I have specialised in"),
        _("My abilities"),
        _("The world around me"),
    )
    facts = _USUAL_FACTS.items()
    return [
        {"id": key, "name": name, "weight": 5, "fact": fact} for (key, fact), name in zip(facts, names, strict=True)
    ]


def fact_of(criterion: Mapping[str, Any]) -> str | None:
    """The fact of a match that belongs to a criterion; those stored before facts were kept go by their ids."""
    return criterion.get("fact") or _USUAL_FACTS.get(criterion["id"])


def matrix_of_options(content: Content) -> Matrix:
    """The decision matrix: options over criteria. The weights given directly count while the comparisons do not."""
    return matrix_of(content, written(content, "options", "name"), itemgetter("name"), fall_back=True)


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there: enough options and criteria, every rating, a choice with its reason."""
    said = []
    options = written(content, "options", "name")
    least = around.parameters.get("least_options", 3)
    if len(options) < least:
        said.append(_("Options so far: %(found)s. Name at least %(least)s.", found=len(options), least=least))
    said += missing_of(matrix_of_options(content), around.parameters.get("least_criteria", 3), _)
    ids = {row["id"] for row in options}
    if content.get("chosen") not in ids:
        said.append(_("Say which option is your first choice."))
    if content.get("runner_up") not in ids or content.get("runner_up") == content.get("chosen"):
        said.append(_("Name another option as your runner-up."))
    if not content.get("reason", "").strip():
        said.append(_("Write the reason for your choice."))
    return said
