"""The options weighed anew, then and now: how much of the difference the client, the data and the weights each make.

What an option comes to here is the weighted mean, over the client's criteria, of how far each fact fits (0 to 100); a
criterion without a fact takes the client's own rating. It is Octant's own figure for comparing two days, no measurement
and no chance of success. Missing parts stay out and shrink the basis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from app.domain.change import split_change, split_members
from app.domain.instrument_parts import Measures
from app.domain.matching import RANK_BANDS
from app.domain.outlook import National
from app.domain.steps import StepKey
from app.features.instruments.queries import NewestResult, newest_results, result_by_id
from app.features.occupations import queries as catalogue
from app.features.occupations.releases import Release, current_outlook, current_release, find_release
from app.features.plans.queries import PlanView
from app.features.plans.rooms import Content
from app.features.steps.career_choice.content import fact_of, matrix_of_options
from app.features.steps.career_choice.matches import Match, Matches, Own, matches_of
from app.features.steps.career_choice.suggest import by_outlook
from app.features.steps.parts import education_of, written
from app.infra.db.open import UnitOfWork

_KINDS: tuple[Measures, ...] = ("interests", "values", "skills")
# The first so many of the list are what is told as come and gone.
FIRST = RANK_BANDS[0]


def inputs_now(uow: UnitOfWork, view: PlanView) -> dict[str, Any]:
    """What the options are weighed with today, as plain JSON to be kept: `you`, `data` and `weights`."""
    contents = {step: row.content for step, row in view.contents.items()}
    content = view.content(StepKey.CAREER_CHOICE)
    results = newest_results(uow, view.client.id, _KINDS)
    release, projection = current_release(uow), current_outlook(uow)
    return {
        "you": {kind: str(results[kind].assessment_id) if kind in results else None for kind in _KINDS}
        | {
            "education": education_of(contents),
            "ratings": {row["id"]: row.get("ratings") or {} for row in written(content, "options", "name")},
        },
        "data": {"release": release and release.key, "outlook": projection and projection.key},
        "weights": {
            "facts": {row["id"]: fact_of(row) for row in written(content, "criteria", "name")},
            "shares": dict(matrix_of_options(content).weights.shares),
        },
    }


def inputs_of_choice(content: Content, now: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the chosen option was taken with, for want of an earlier check-in; None where it was taken without a match.

    Only its result of interests and its release are known from then; all else is taken to be as it is now.
    """
    chosen = next((row for row in written(content, "options", "name") if row["id"] == content.get("chosen")), None)
    if chosen is None or not chosen.get("match"):
        return None
    return dict(now) | {
        "you": now["you"] | {"interests": chosen["match"]["assessment"]},
        "data": now["data"] | {"release": chosen.get("release")},
    }


def weigh_again(
    uow: UnitOfWork, view: PlanView, before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Each option with what it came to and comes to, split by cause; who came among the first and who left; plain JSON.

    None where a release or result that `before` names is no longer here, so that nothing can be recomputed.
    """
    content = view.content(StepKey.CAREER_CHOICE)
    lists = _Lists(uow, view, (before, now))
    if lists.missing:
        return None
    weights = (before["weights"], now["weights"])
    options = []
    for row in written(content, "options", "name"):

        def measure(you: bool, data: bool, weighed: bool, row: Mapping[str, Any] = row) -> float | None:
            ratings = (now if you else before)["you"]["ratings"].get(row["id"], {})
            match = lists.of(you, data).match(row["code"]) if row.get("code") else None
            return fit(match, ratings, weights[weighed], lists.national[data])

        split = split_change(measure)
        then, today = (lists.of(at, at).match(row["code"]) if row.get("code") else None for at in (False, True))
        options.append(
            {
                "id": row["id"],
                "name": row["name"],
                "code": row.get("code"),
                "chosen": row["id"] == content.get("chosen"),
                "split": None if split is None else {key: _round(value) for key, value in asdict(split).items()},
                "before": None if then is None else {"r": round(then.r, 3), "rank": then.rank, "band": then.band},
                "now": None if today is None else {"r": round(today.r, 3), "rank": today.rank, "band": today.band},
            }
        )
    entered, left = split_members(lambda you, data: lists.of(you, data).codes()[:FIRST])
    return {
        "options": options,
        "first": FIRST,
        "entered": [{"code": code, "title": lists.title(code), "cause": cause} for code, cause in entered.items()],
        "left": [{"code": code, "title": lists.title(code), "cause": cause} for code, cause in left.items()],
    }


def _round(value: float | None) -> float | None:
    # One more digit than is shown, so that the parts still add up as shown to within a tenth.
    return None if value is None else round(value, 6)


class _Lists:
    """The lists of the four pairs of then and now, each made when it is first asked for."""

    def __init__(self, uow: UnitOfWork, view: PlanView, inputs: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
        self._uow = uow
        self._made: dict[tuple[bool, bool], Matches] = {}
        self.missing = False
        self._own = tuple(self._own_of(view, each["you"]) for each in inputs)
        self._data = tuple((self._release(each, "release"), self._release(each, "outlook")) for each in inputs)
        self.national: tuple[National | None, ...] = tuple(
            None if projection is None else catalogue.national_figures(projection) for _, projection in self._data
        )

    def _own_of(self, view: PlanView, you: Mapping[str, Any]) -> Own:
        found: dict[str, NewestResult | None] = {}
        for kind in _KINDS:
            found[kind] = result_by_id(self._uow, view.client.id, UUID(you[kind]), kind) if you.get(kind) else None
            self.missing |= bool(you.get(kind)) and found[kind] is None
        return Own(found["interests"], found["values"], found["skills"], you.get("education"), {})

    def _release(self, inputs: Mapping[str, Any], name: str) -> Release | None:
        key = cast("str | None", inputs["data"].get(name))
        found = find_release(self._uow, key) if key else None
        self.missing |= bool(key) and found is None
        return found

    def of(self, you: bool, data: bool) -> Matches:
        """The list with the client and the data as they are now (True) or as they were."""
        if (you, data) not in self._made:
            self._made[you, data] = matches_of(self._uow, self._own[you], *self._data[data])
        return self._made[you, data]

    def title(self, code: str) -> str:
        """The occupation's title today, or as it was where today's release does not have it."""
        for at in (True, False):
            found = self.of(at, at).match(code)
            if found is not None:
                return found.title
        return code


def fit(
    match: Match | None, ratings: Mapping[str, int], weights: Mapping[str, Any], national: National | None
) -> float | None:
    """What an option comes to, 0 to 100; None where no criterion that counts says anything of it."""
    total = basis = 0.0
    for criterion, share in weights["shares"].items():
        value = _fact_value(match, weights["facts"].get(criterion), national)
        if value is None and (rating := ratings.get(criterion)) is not None:
            value = (rating - 1) / 4 * 100
        if value is not None:
            total += share * value
            basis += share
    return total / basis if basis else None


def _fact_value(  # noqa: PLR0911 - one return a fact reads as the table it is
    match: Match | None, fact: str | None, national: National | None
) -> float | None:
    """How far a fact of the match fits, 0 to 100; None where it is not known or none is named."""
    if match is None:
        return None
    match fact:
        case "interests":
            return (match.r + 1) * 50
        case "values":
            return None if match.values_r is None else (match.values_r + 1) * 50
        case "skills":
            share = match.coverage.share if match.coverage else None
            return None if share is None else share * 100
        case "education":
            return None if match.education is None else match.education.asking_at_most
        case "environment":
            rating = None if match.outlook is None else by_outlook(match.outlook, national)
            return None if rating is None else (rating - 1) * 25.0
    return None
