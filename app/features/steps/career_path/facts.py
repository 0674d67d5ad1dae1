"""What the catalogue knows of each way from the target: management, higher zones, the self-employed; computed, pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from app.features.occupations.queries import Outlook
from app.features.occupations.stages import Stages

# The major group of managers: how its codes begin.
MANAGEMENT: Final = "11-"
_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class Near:
    """An occupation near the target: job zones up from it (below 0: down; None: not known), and whether it is related
    to the target itself or only to another of its family."""

    code: str
    title: str
    zone: int | None
    up: int | None
    direct: bool


@dataclass(frozen=True, slots=True)
class PathFacts:
    """The facts beside the comparison. `management` are related occupations of major group 11, `technical` those of
    the target's own major group in a higher job zone; each the related ones first, at most five.

    `outlook` has the share of self-employed and the usual experience; None, as they, where not known.
    """

    code: str
    title: str
    zone: int | None
    leads: bool
    management: tuple[Near, ...]
    technical: tuple[Near, ...]
    outlook: Outlook | None


def facts_of(stages: Stages, target: str, outlook: Outlook | None) -> PathFacts | None:
    """The facts of one target; None for a code the release does not have. Family: the same minor group of the SOC."""
    if target not in stages.titles:
        return None
    zone = stages.zones.get(target)
    family = [code for code in stages.net.codes if code[:4] == target[:4] and code != target]
    own = stages.neighbours(target)
    beyond = dict.fromkeys(other for code in family for other in stages.neighbours(code))

    def near(fits: Callable[[str], bool]) -> tuple[Near, ...]:
        return _nearest(stages, zone, own, beyond, lambda code: code != target and fits(code))

    def higher(code: str) -> bool:
        there = stages.zones.get(code)
        return code[:2] == target[:2] and zone is not None and there is not None and there > zone

    return PathFacts(
        code=target,
        title=stages.titles[target],
        zone=zone,
        leads=target.startswith(MANAGEMENT),
        management=near(lambda code: code.startswith(MANAGEMENT)),
        technical=near(higher),
        outlook=outlook,
    )


def _nearest(
    stages: Stages, zone: int | None, own: Iterable[str], beyond: Iterable[str], fits: Callable[[str], bool]
) -> tuple[Near, ...]:
    direct = [code for code in own if fits(code)]
    others = [code for code in beyond if fits(code) and code not in direct]
    found = []
    for code in [*direct, *others][:_MOST]:
        there = stages.zones.get(code)
        up = None if zone is None or there is None else there - zone
        found.append(Near(code, stages.titles[code], there, up, code in direct))
    return tuple(found)
