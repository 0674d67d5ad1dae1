"""What a scan comes to: factors as the rules see them and numbered for the map, facts of occupations beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.environment import Coverage, Factor, by_weight, cover
from app.domain.outlook import cumulative, share_asking_at_most
from app.domain.steps import StepKey
from app.features.occupations.queries import Facts
from app.features.occupations.releases import Release
from app.features.plans.occupations import named_occupations
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.opportunities.content import factors_of
from app.features.steps.parts import chosen_occupation, day_of, written

Rows = Sequence[Mapping[str, Any]]


def as_factor(row: Mapping[str, Any]) -> Factor:
    """A stored factor as the rules see it."""
    days = [day for note in row.get("history") or () if (day := day_of(note["on"]))]
    return Factor(
        id=row["id"],
        kind=row.get("kind"),
        control=row.get("controllable"),
        area=row.get("area"),
        likelihood=row.get("likelihood"),
        impact=row.get("impact"),
        answered=bool((row.get("what_i_do") or "").strip()),
        noted_on=day_of(row.get("noted_on")),
        looked_on=max(days, default=None),
    )


def numbered(content: Content) -> list[Mapping[str, Any]]:
    """The factors that hold, the weightiest first: a factor's number on the map is its place here, from 1."""
    rows = {row["id"]: row for row in factors_of(content)}
    return [rows[factor.id] for factor in by_weight([as_factor(row) for row in rows.values()])]


def gone(content: Content) -> list[Mapping[str, Any]]:
    """The factors that no longer hold; they are kept and counted nowhere."""
    return [row for row in written(content, "factors", "text") if row.get("state") == "gone"]


def coverage(content: Content, today: date | None) -> Coverage:
    """What the factors that hold may have left out."""
    return cover([as_factor(row) for row in numbered(content)], today)


@dataclass(frozen=True, slots=True)
class Beside:
    """An occupation beside the factors: its name and where it stands in the plan, its facts where they are known.

    `at_most` is the percent of its jobs that ask for at most the client's education, `by_level` the same for each of
    the twelve levels; None where the figures or the client's level are not known. `elsewhere`: the figures are from
    another release than the one it was taken from, which this installation does not have.
    """

    code: str
    name: str
    looked_up: bool
    chosen: bool
    facts: Facts | None
    release: Release | None
    at_most: float | None
    by_level: tuple[float, ...] | None
    elsewhere: bool


def beside(content: Content, around: Surroundings) -> list[Beside]:
    """Each occupation once: the chosen one of step 4 first, then those looked up here, then the other options."""
    contents = dict(around.contents) | {StepKey.OPPORTUNITIES: content}
    names = _names(contents)
    chosen = chosen_occupation(contents)
    looked_up = {row["code"] for row in content.get("occupations", ())}
    found: dict[str, Beside] = {}
    for release_key, code in named_occupations(contents):
        if code in found:
            continue
        facts = around.catalogue.facts.get((release_key, code))
        release = around.catalogue.release_of((release_key, code))
        level, education = content.get("education"), facts.education if facts else None
        found[code] = Beside(
            code=code,
            name=facts.title if facts else names.get(code) or code,
            looked_up=code in looked_up,
            chosen=chosen is not None and chosen.code == code,
            facts=facts,
            release=release,
            at_most=share_asking_at_most(education, level) if level else None,
            by_level=cumulative(education),
            elsewhere=bool(release and release_key and release.key != release_key),
        )
    return sorted(found.values(), key=lambda each: (not each.chosen, not each.looked_up))


def occupation_name(row: Mapping[str, Any], content: Content, around: Surroundings) -> str:
    """The occupation a factor concerns by its name; empty for none."""
    code = (row.get("occupation") or {}).get("code")
    if not code:
        return ""
    contents = dict(around.contents) | {StepKey.OPPORTUNITIES: content}
    known = {named[1]: facts.title for named, facts in around.catalogue.facts.items()}
    return str(_names(contents).get(code) or known.get(code) or code)


def _names(contents: Mapping[StepKey, Content]) -> dict[str, str]:
    rows = [
        *contents.get(StepKey.CAREER_CHOICE, {}).get("options", ()),
        *contents.get(StepKey.OPPORTUNITIES, {}).get("occupations", ()),
    ]
    return {row["code"]: row.get("name", "") for row in rows if row.get("code")}
