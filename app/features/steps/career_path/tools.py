"""What stands beside step 5: orientations, facts of each way, what the comparison comes to, routes; and its buttons."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import get_locale, gettext

from app.domain.instruments import Instrument
from app.domain.outlook import EDUCATION_CATEGORIES
from app.domain.scoring import band
from app.features.instruments.queries import NewestResult, newest_results
from app.features.occupations.credit import credit_lines
from app.features.occupations.queries import outlook_of
from app.features.occupations.releases import current_outlook, current_release
from app.features.occupations.search import search
from app.features.occupations.stages import stages_of
from app.features.occupations.words import EDUCATION, JOINS
from app.features.plans.rooms import Content
from app.features.steps.career_path.facts import facts_of
from app.features.steps.career_path.finder import Found, find_routes, own_levels
from app.features.steps.career_path.report import hops, route_picture, start_words
from app.features.steps.career_path.ways import kept_route, matrix_of_ways, ways_of
from app.features.steps.desk import Desk
from app.features.steps.matrix_words import sensitivity_words, weights_words
from app.features.steps.parts import path_name

_MOST_HITS = 6


@dataclass(frozen=True, slots=True)
class Orientation:
    """One scale of the path orientation: its score (None: too few answers), the range, the 95 percent band if known."""

    title: str
    score: float | None
    low: float
    high: float
    edges: tuple[float, float] | None


def look(desk: Desk) -> Mapping[str, Any]:
    """All that is drawn beside the step; two queries, and a release of the catalogue once in a process."""
    content, contents, asked = desk.content, desk.around.contents, bool(desk.ask and desk.open)
    # While somebody looks for an occupation only what was found is shown.
    taken = {} if asked else newest_results(desk.uow, desk.view.client.id, ["paths", "skills"])
    found = find_routes(desk.uow, content, contents, own_levels(taken.get("skills")))
    release, target = found.release, found.target
    code = target.code if target else None
    facts = facts_of(found.stages, code, outlook_of(desk.uow, [code]).get(code)) if found.stages and code else None
    matrix = matrix_of_ways(content, lambda row: path_name(row, gettext))
    kept = kept_route(content)
    current = current_release(desk.uow)
    hits = search(desk.uow, desk.ask, _MOST_HITS, current) if asked and current else []
    return {
        "orientations": orientations(taken.get("paths")),
        "orientation": _told(taken["paths"]).title if "paths" in taken else None,
        "taken_on": _day(taken.get("paths")),
        "skills_rated": "skills" in taken,
        "ways": [(row, path_name(row, gettext)) for row in ways_of(content)],
        "chosen": content.get("chosen"),
        "matrix": matrix,
        "said": weights_words(matrix, gettext),
        "firm": sensitivity_words(matrix, gettext),
        "facts": facts,
        "joins": JOINS,
        "target": target,
        "own_target": bool(content.get("target")),
        "start": start_words(content, gettext),
        "why": why_words(found),
        "education": _education(found.education),
        "routes": [_Shown(stages, number) for number, stages in enumerate(found.routes, start=1)],
        "kept": _Shown(kept["stages"], 0) if kept else None,
        "kept_elsewhere": bool(
            kept and target and target.code and kept["stages"][-1].get("code") not in (None, target.code)
        ),
        "hits": hits,
        "ask": desk.ask if asked else "",
        "release": release,
        "credit": credit_lines(release, current_outlook(desk.uow) if facts and facts.outlook else None),
        "open": desk.open,
    }


class _Shown:
    """A route as its page shows it: its stages, the picture, and what each hop lacks in sentences."""

    def __init__(self, stages: Sequence[Mapping[str, Any]], number: int) -> None:
        self.stages = stages
        self.codes = ",".join(stage.get("code") or "" for stage in stages)
        self.heading = gettext("Route %(number)s", number=number) if number else gettext("The route I take")
        self.picture = route_picture(stages, self.heading, gettext)
        self.hops = hops(stages, gettext)


def orientations(taken: NewestResult | None) -> list[Orientation]:
    """The scales of the newest path orientation in their order; empty before the first taking."""
    if taken is None:
        return []
    told = _told(taken)
    titles = {key: scale.title for key, scale in zip(told.keys, told.scales, strict=True)}
    return [
        Orientation(
            titles[key],
            score,
            *taken.ranges[key],
            None if score is None or key not in taken.sem else band(score, taken.sem[key]),
        )
        for key, score in taken.scores.items()
    ]


def _told(taken: NewestResult) -> Instrument:
    """The questionnaire in the reader's language, where the definition has it."""
    return taken.definition.in_language(str(get_locale() or "en"))


def _day(taken: NewestResult | None) -> date | None:
    return taken.taken_at.date() if taken else None


def _education(level: int | None) -> str | None:
    return str(EDUCATION[level - 1]) if level and 1 <= level <= EDUCATION_CATEGORIES else None


def why_words(found: Found) -> str:
    """Why there is no route, and what to do; empty where there are routes."""
    target = found.target.name if found.target else ""
    start = (found.start or {}).get("name", "")
    said = {
        "no_catalogue": gettext(
            "No catalogue of occupations is loaded here, so no route can be looked for. Set your milestones in your "
            "own words."
        ),
        "no_target": gettext(
            "There is no target yet. Choose an occupation in step 4, or find one here and press “I want to get there”."
        ),
        "target_words": gettext(
            "“%(target)s” is written in your own words, so that no route can be looked for. Find the occupation that "
            "comes closest and press “I want to get there”.",
            target=target,
        ),
        "target_gone": gettext(
            "“%(target)s” is from a release of the catalogue that is not here any more. Find it again and press “I "
            "want to get there”.",
            target=target,
        ),
        "target_alone": gettext(
            "The catalogue names no related occupations for “%(target)s”, so no route leads there. Find a related "
            "occupation as your target, or set your milestones in your own words.",
            target=target,
        ),
        "no_start": gettext(
            "Say where you stand: find your present occupation and press “I stand here now”, or tick that you have no "
            "position yet."
        ),
        "start_words": gettext(
            "“%(start)s” is written in your own words, so that no route can begin there. Find the occupation that "
            "comes closest and press “I stand here now”.",
            start=start,
        ),
        "start_alone": gettext(
            "The catalogue has no related occupations for “%(start)s” in the release of your target. Find a related "
            "one and press “I stand here now”.",
            start=start,
        ),
        "same": gettext(
            "You stand at your target already. If you want to go further, find another occupation and press “I want "
            "to get there”."
        ),
        "direct": _direct(found, target),
        "no_entry": gettext(
            "No occupation was found in which you could begin. Say in step 3 what education you have, or find a first "
            "position and press “I stand here now”."
        ),
        "too_far": gettext(
            "No chain of related occupations of at most six hops leads from there to “%(target)s”. Find an occupation "
            "between the two as your first target, or begin from another position.",
            target=target,
        ),
    }
    return said[found.why] if found.why else ""


def _direct(found: Found, target: str) -> str:
    if found.share is None:
        said = gettext(
            "“%(target)s” asks for little preparation: you can begin there without a position between.", target=target
        )
        return str(said)
    said = gettext(
        "You can begin as “%(target)s” without a position between: %(share)s%% of its jobs ask for at most your "
        "education. If you want to get further, find another target.",
        target=target,
        share=f"{found.share:.0f}",
    )
    return str(said)


def act(desk: Desk, verb: str, what: str) -> Content:
    """What a button does: `find` (saves, and looks for what was asked), `start:<code>`, `target:<code>`, `nostart`,
    `notarget`, `take:<codes>`, `milestones`, `drop`. A button of a page that is no longer true changes nothing."""
    content = dict(desk.content)
    match verb:
        case "start" | "target":
            place = _occupation(desk, what)
            return content | {verb: place} if place else content
        case "nostart" | "notarget":
            return content | {verb.removeprefix("no"): None}
        case "take":
            return _taken(desk, content, what)
        case "milestones":
            kept = kept_route(content)
            return with_milestones(content, kept["stages"], ()) if kept else content
        case "drop":
            kept = kept_route(content)
            return content | {"routes": [route for route in content["routes"] if route is not kept]}
    return content


def _occupation(desk: Desk, code: str) -> dict[str, Any] | None:
    release = current_release(desk.uow)
    title = stages_of(desk.uow, release).titles.get(code) if release else None
    if release is None or title is None:
        return None
    return {"name": title, "code": code, "release": release.key, "none": False}


def _taken(desk: Desk, content: dict[str, Any], codes: str) -> Content:
    taken = newest_results(desk.uow, desk.view.client.id, ["skills"])
    found = find_routes(desk.uow, content, desk.around.contents, own_levels(taken.get("skills")))
    stages = next((route for route in found.routes if ",".join(one["code"] for one in route) == codes), None)
    if stages is None:
        return content
    way = content.get("chosen")
    before = next((route for route in content.get("routes", ()) if route.get("path") == way), None)
    route = {"id": secrets.token_hex(4), "path": way, "education": found.education, "stages": list(stages)}
    others = [one for one in content.get("routes", ()) if one is not before]
    return with_milestones(content | {"routes": [*others, route]}, stages, before["stages"] if before else ())


def with_milestones(
    content: dict[str, Any], stages: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The content with a milestone for each stage of a route that has none, for the way that is chosen.

    Where one stands now is no milestone. Milestones of the route `before` go where nobody touched them: no day, the
    stage's own name, and not on the new route.
    """
    way = content.get("chosen")
    codes = {stage["code"] for stage in stages}
    left = {(stage.get("code"), stage["name"]) for stage in before if stage.get("code") not in codes}
    rows = [
        row
        for row in content.get("milestones", ())
        if not (
            row.get("path") == way and row.get("code") and not row.get("due_on") and (row["code"], row["text"]) in left
        )
    ]
    there = {row.get("code") for row in rows if row.get("path") in (way, None)}
    for number, stage in enumerate(stages):
        if stage["code"] not in there and (number or stage.get("lack")):
            rows.append(
                {
                    "id": secrets.token_hex(4),
                    "text": stage["name"],
                    "due_on": None,
                    "code": stage["code"],
                    "release": stage["release"],
                    "path": way,
                }
            )
    return content | {"milestones": rows}
