"""What stands beside step 4: the first matches, search, pairs, totals, what counsellors recommend; and its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from app.features.occupations import queries as catalogue
from app.features.occupations.families import FAMILIES
from app.features.occupations.releases import current_outlook
from app.features.occupations.search import search
from app.features.plans.rooms import Content
from app.features.steps.career_choice.content import fact_of, matrix_of_options
from app.features.steps.career_choice.matches import Matches, credit_of, read_matches, standings
from app.features.steps.career_choice.suggest import suggested
from app.features.steps.career_choice.words import kind_words, percent
from app.features.steps.desk import Desk
from app.features.steps.matrix import SCALE, Matrix, pairs_to_compare
from app.features.steps.matrix_forms import times_said
from app.features.steps.matrix_words import contradiction_words, ratio_words, sensitivity_words, weights_words
from app.features.steps.parts import day_of, written
from app.infra.drawing.charts import Bar
from app.infra.drawing.profile_bars import profile_bars_svg

_TOP = 5
_HITS = 10
_MOST_ASKED = 200


def look(desk: Desk) -> Mapping[str, Any]:
    """The head of the list, what a search found, the pairs, the totals and what would change them."""
    content = desk.content
    matches = read_matches(desk.uow, desk.view)
    typed = desk.ask[:_MOST_ASKED].strip()
    release = matches.release
    taken = {row["code"] for row in content.get("options", ()) if row.get("code")}
    return {
        "matches": matches,
        "families": FAMILIES,
        "percent": percent,
        "top": [found for code in matches.codes()[:_TOP] if (found := matches.match(code))],
        "taken": taken,
        "typed": typed,
        "hits": search(desk.uow, typed, _HITS, release) if typed and release else [],
        "standings": standings(matches, content),
        "credit": credit_of(desk.uow, matches),
        "suggestions": suggestions(desk, matches),
        "recommended": [row for row in content.get("recommendations", ()) if not row.get("withdrawn_on")],
        "kinds": kind_words(gettext),
        "day_of": day_of,
        "open": desk.open,
    } | _comparing(content)


def _comparing(content: Content) -> dict[str, Any]:
    matrix = matrix_of_options(content)
    weights = matrix.weights
    worst = weights.pairwise.worst if weights.refused and weights.pairwise else None
    paired = zip(weights.order, weights.pairwise.weights, strict=True) if weights.pairwise else ()
    return {
        "matrix": matrix,
        "totals": _totals(matrix),
        "said": weights_words(matrix, gettext),
        "firm": sensitivity_words(matrix, gettext),
        "ratio": ratio_words(weights),
        "by_pairs": {matrix.criteria[key]: percent(share) for key, share in paired},
        "given": [row for row in content.get("pairs", ()) if row.get("times")],
        "contradiction": contradiction_words(matrix, gettext),
        "worst": (weights.order[worst.first], weights.order[worst.second]) if worst else None,
    }


def _totals(matrix: Matrix) -> str | None:
    """The totals as bars from 1 to 5, the highest first; None while no option has one."""
    bars = [
        Bar(matrix.options[option], total, f"{total:.2f}")
        for option in matrix.ordered()
        if (total := matrix.totals.get(option)) is not None
    ]
    if not bars:
        return None
    title = gettext("Weighted means")
    said = gettext("The mean of each option's ratings, weighted by the criteria, from 1 to 5.")
    return profile_bars_svg(bars, title=title, description=said, limits=(1, 5))


def suggestions(desk: Desk, matches: Matches) -> dict[str, dict[str, int]]:
    """By option and criterion the rating that facts suggest; only where they are known."""
    outlook = current_outlook(desk.uow)
    national = catalogue.national_figures(outlook) if outlook else None
    found: dict[str, dict[str, int]] = {}
    for option in written(desk.content, "options", "code"):
        match = matches.match(option["code"])
        if match is None:
            continue
        for criterion in written(desk.content, "criteria", "name"):
            rating = suggested(match, fact_of(criterion), national)
            if rating is not None:
                found.setdefault(option["id"], {})[criterion["id"]] = rating
    return found


def act(desk: Desk, verb: str, what: str) -> Content:
    """What a button does: `suggest:<option>:<criterion>`, `drop:<option>`, `say:<first>:<second>:<times>`,
    `ask:<first>:<second>`, `again`.

    A button of a page that is no longer true changes nothing.
    """
    content = dict(desk.content)
    parts = what.split(":")
    match verb, parts:
        case "suggest", [option, criterion]:
            rating = suggestions(desk, read_matches(desk.uow, desk.view)).get(option, {}).get(criterion)
            return content if rating is None else _rated(content, option, criterion, rating)
        case "drop", [option]:
            return content | {"options": [row for row in content["options"] if row["id"] != option]}
    return content | {"pairs": _compared(content, verb, parts)}


def _compared(content: Content, verb: str, parts: list[str]) -> list[Any]:
    """The comparisons after a button about a pair."""
    match verb, parts:
        case "say", [first, second, said] if (times := times_said(said)) in SCALE and _asked(content, first, second):
            return _with_pair(content, first, second, times)
        case "ask", [first, second]:
            return _with_pair(content, first, second, None)
        case "again", _:
            return []
    return list(content["pairs"])


def _asked(content: Content, first: str, second: str) -> bool:
    return {first, second} in map(set, pairs_to_compare(content))


def _rated(content: Content, option: str, criterion: str, rating: int) -> Content:
    options = [
        row | {"ratings": dict(row["ratings"]) | {criterion: rating}} if row["id"] == option else row
        for row in content["options"]
    ]
    return dict(content) | {"options": options}


def _with_pair(content: Content, first: str, second: str, times: float | None) -> list[Any]:
    """The comparisons with this pair said anew (None: not compared); a reason that was written stays with it."""
    same = [row for row in content["pairs"] if {row["first"], row["second"]} == {first, second}]
    why = next((row["why"] for row in same), "")
    row = {"first": first, "second": second, "times": times, "why": why}
    return [*(row for row in content["pairs"] if row not in same), *([row] if times or why else [])]
