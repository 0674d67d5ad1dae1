"""What the catalogue says against a change: no way from where the client stands, or more education than they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.matching import education_gap
from app.domain.outlook import CODE
from app.domain.routes import Network, routes
from app.domain.steps import StepKey
from app.domain.what_if import Impossible, Trouble
from app.features.occupations.queries import education_distribution
from app.features.occupations.releases import Release, current_release, find_release
from app.features.occupations.stages import stages_of
from app.features.steps.parts import NamedOccupation, chosen_occupation, education_of
from app.infra.db.open import UnitOfWork

Contents = Mapping[StepKey, Mapping[str, Any]]


def out_of_reach(uow: UnitOfWork, before: Contents, after: Contents) -> list[Impossible]:
    """What the catalogue says of the occupation aimed at under the change and not without it.

    Nothing is said where it cannot know: an occupation written by hand, a release without relations, a client of whom
    nobody knows where they stand.
    """
    known = set(_said(uow, before))
    return [one for one in _said(uow, after) if one not in known]


def _said(uow: UnitOfWork, contents: Contents) -> list[Impossible]:
    target = chosen_occupation(contents)
    if target is None or not target.code or not CODE.fullmatch(target.code):
        return []
    release = find_release(uow, target.release) if target.release else None
    release = release or current_release(uow)
    if release is None:
        return []
    return [*_education(uow, contents, target, release), *_route(uow, contents, target, release)]


def _education(uow: UnitOfWork, contents: Contents, target: NamedOccupation, release: Release) -> list[Impossible]:
    level = education_of(contents)
    if level is None or not 1 <= level <= 12 or target.code is None:
        return []
    gap = education_gap(education_distribution(uow, target.code, release), level)
    if gap is None or not gap.steps:
        return []
    percent = f"{gap.asking_at_most:.0f}"
    return [Impossible(Trouble.EDUCATION_GAP, StepKey.CAREER_CHOICE, target.name, percent, gap.steps)]


def _route(uow: UnitOfWork, contents: Contents, target: NamedOccupation, release: Release) -> list[Impossible]:
    start = contents.get(StepKey.CAREER_PATH, {}).get("start")
    code = start.get("code") if isinstance(start, Mapping) else None
    if not code or code == target.code:
        return []
    if not cut_off(stages_of(uow, release).net, code, target.code or ""):
        return []
    return [Impossible(Trouble.NO_ROUTE, StepKey.CAREER_PATH, target.name, (start or {}).get("name") or code)]


def cut_off(net: Network, start: str, target: str) -> bool:
    """Whether no route leads from one occupation to another; False where the network lacks one of them."""
    return start in net.row_of and target in net.row_of and not routes(net, [start], target, most=1)
