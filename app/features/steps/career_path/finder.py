"""Finds routes from where the client stands to the target, in the release of the target, with what each hop lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from app.domain.matching import education_gap
from app.domain.routes import Lacks, lacks, routes
from app.domain.steps import StepKey
from app.features.instruments.queries import NewestResult
from app.features.occupations.releases import Release, current_release, find_release
from app.features.occupations.stages import Stages, stages_of
from app.features.plans.rooms import Content
from app.features.steps.career_path.facts import MANAGEMENT
from app.features.steps.career_path.ways import target_of
from app.features.steps.parts import NamedOccupation, education_of
from app.infra.db.open import UnitOfWork

Why = Literal[
    "no_catalogue",
    "no_target",
    "target_words",
    "target_gone",
    "target_alone",
    "no_start",
    "start_words",
    "start_alone",
    "same",
    "direct",
    "no_entry",
    "too_far",
]
# Whoever has no position yet begins where the education is enough and the preparation is not years of work: the
# highest job zone by level of education (1 to 12). Octant's own rule.
_ENTRY_ZONES: Final = ((5, 2), (6, 3), (13, 4))
_MOST_LEVEL: Final = 7.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the route finder found: routes as stages in the form they are stored, or why there is none.

    `release` and `stages` are those of the target (None without a catalogue); `share` is the percent of the target's
    jobs that ask for at most the client's education, where one can begin there at once.
    """

    target: NamedOccupation | None
    start: Mapping[str, Any] | None
    release: Release | None
    stages: Stages | None
    education: int | None
    routes: tuple[tuple[dict[str, Any], ...], ...]
    why: Why | None
    share: float | None = None


def own_levels(taken: NewestResult | None) -> dict[str, float] | None:
    """The client's rating of skills by element, on 0 to 7; None before they were rated.

    A scale of another range is stretched to 0 to 7; a skill that was not answered is left out.
    """
    if taken is None:
        return None
    found = {}
    for element, score in taken.scores.items():
        low, high = taken.ranges[element]
        if score is not None and high > low:
            found[element] = (score - low) / (high - low) * _MOST_LEVEL
    return found


def find_routes(
    uow: UnitOfWork, content: Content, contents: Mapping[StepKey, Content], own: Mapping[str, float] | None
) -> Found:
    """Up to three routes to the target, or why there is none; see `Found`."""
    target, start, education = target_of(content, contents), content.get("start"), education_of(contents)
    current = current_release(uow)
    release = current
    if target is not None and target.release and (current is None or target.release != current.key):
        release = find_release(uow, target.release)
    stages = stages_of(uow, release) if release else None
    lacking = Found(target, start, release, stages, education, (), None)
    why = _why_not(current is not None, target, stages)
    if why is not None or target is None or not target.code or stages is None or release is None:
        return replace(lacking, why=why)
    begin, why = _begin(stages, start, target.code, education)
    if why is not None:
        gap = education_gap(stages.education.get(target.code), education) if why == "direct" else None
        return replace(lacking, why=why, share=gap.asking_at_most if gap else None)
    found = routes(stages.net, begin, target.code)
    entry = bool(start and start.get("none"))
    shown = tuple(_stages(stages, release, route.codes, education, own, entry=entry) for route in found)
    return replace(lacking, routes=shown, why=None if found else "too_far")


def _why_not(catalogue: bool, target: NamedOccupation | None, stages: Stages | None) -> Why | None:
    """Why no route can lead to the target; None where one can be looked for."""
    if not catalogue and stages is None:
        return "no_catalogue"
    if target is None:
        return "no_target"
    if not target.code:
        return "target_words"
    if stages is None or target.code not in stages.titles:
        return "target_gone"
    return None if target.code in stages.net.row_of else "target_alone"


def _begin(
    stages: Stages, start: Mapping[str, Any] | None, target: str, education: int | None
) -> tuple[Sequence[str], Why | None]:
    if start is None:
        return (), "no_start"
    if start.get("none"):
        entries = [code for code in stages.net.codes if _is_entry(stages, code, education)]
        if target in entries:
            return (), "direct"
        return entries, None if entries else "no_entry"
    if not start.get("code"):
        return (), "start_words" if start.get("name") else "no_start"
    if start["code"] == target:
        return (), "same"
    return [start["code"]], None if start["code"] in stages.net.row_of else "start_alone"


def _is_entry(stages: Stages, code: str, education: int | None) -> bool:
    """Whether one can begin in an occupation without a position before it, by education and job zone."""
    zone = stages.zones.get(code)
    if zone is None or code.startswith(MANAGEMENT):
        return False
    gap = education_gap(stages.education.get(code), education)
    most = next(zone for below, zone in _ENTRY_ZONES if (education or 1) < below)
    return zone <= most and (gap.steps == 0 if gap else zone <= _ENTRY_ZONES[0][1])


def _stages(
    stages: Stages,
    release: Release,
    codes: Sequence[str],
    education: int | None,
    own: Mapping[str, float] | None,
    *,
    entry: bool,
) -> tuple[dict[str, Any], ...]:
    found, here = [], None
    for number, code in enumerate(codes):
        there = stages.position(code)
        lack = lacks(here, there, education, own) if number or entry else None
        found.append(
            {
                "name": stages.titles[code],
                "code": code,
                "release": release.key,
                "zone": stages.zones.get(code),
                "lack": None if lack is None else _plain(lack, stages.skill_names),
            }
        )
        here = there
    return tuple(found)


def _plain(lack: Lacks, names: Mapping[str, str]) -> dict[str, Any]:
    """A lack as it is stored; figures with as many decimals as they are shown with, and one more."""
    return {
        "zones": lack.zones,
        "asking_at_most": None if lack.asking_at_most is None else round(lack.asking_at_most, 2),
        "education_steps": lack.education_steps,
        "skills": None
        if lack.skills is None
        else [
            {"name": names[one.element], "required": round(one.required, 2), "own": round(one.own, 2)}
            for one in lack.skills
        ],
    }
