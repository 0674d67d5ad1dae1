"""What belongs to which way of step 5: what counts now, what is kept aside, and what a switch would change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.steps import StepKey
from app.features.plans.rooms import Content
from app.features.steps.matrix import Matrix, matrix_of
from app.features.steps.parts import NamedOccupation, aside, chosen_occupation, written

Row = Mapping[str, Any]
Contents = Mapping[StepKey, Content]


def ways_of(content: Content) -> list[Row]:
    """The ways that are written: those of a kind."""
    return written(content, "paths", "kind")


def way_of(content: Content, path: str | None) -> Row | None:
    """The way of an id; None where there is none."""
    return next((row for row in ways_of(content) if row["id"] == path), None)


def matrix_of_ways(content: Content, name_of: Callable[[Row], str]) -> Matrix:
    """The decision matrix: ways over criteria."""
    return matrix_of(content, ways_of(content), name_of)


def live_milestones(content: Content) -> list[Row]:
    """The milestones of the way that is taken, and those of no way, the earliest first."""
    found = [row for row in written(content, "milestones", "text") if not _aside(row, content)]
    return sorted(found, key=lambda row: row.get("due_on") or "9999")


def aside_milestones(content: Content) -> list[Row]:
    """The milestones kept for a way that is not taken now."""
    return [row for row in written(content, "milestones", "text") if _aside(row, content)]


def kept_route(content: Content) -> Row | None:
    """The route of the way that is taken, else the one that belongs to no way; None where none was taken."""
    routes = {route.get("path"): route for route in content.get("routes", ())}
    return routes.get(content.get("chosen")) or routes.get(None)


def target_of(content: Content, contents: Contents) -> NamedOccupation | None:
    """Where the client wants to get: the step's own target, else the occupation chosen in step 4; None without."""
    own = content.get("target")
    if own:
        return NamedOccupation(own.get("name", ""), own.get("code"), own.get("release"))
    return chosen_occupation(contents)


def _aside(row: Row, content: Content) -> str | None:
    return aside(row, {StepKey.CAREER_PATH: content})


@dataclass(frozen=True, slots=True)
class Fate:
    """What a switch does to one kind of thing: rows that stay in force, go aside, come back, and stay aside."""

    stays: tuple[Row, ...]
    aside: tuple[Row, ...]
    back: tuple[Row, ...]
    still_aside: tuple[Row, ...]

    @property
    def changes(self) -> bool:
        """Whether anything moves."""
        return bool(self.aside or self.back)


@dataclass(frozen=True, slots=True)
class Switch:
    """What taking another way would do; nothing is written by it. `before` and `after` are ids of ways.

    `orphans` are actions that stay although the goal they serve goes aside: (action, goal).
    """

    before: str | None
    after: str
    goals: Fate
    actions: Fate
    milestones: Fate
    orphans: tuple[tuple[Row, Row], ...]


def switched(content: Content, to: str) -> dict[str, Any]:
    """The content with another way chosen; nothing else changes, so that switching back restores all."""
    return dict(content) | {"chosen": to}


def preview(contents: Contents, to: str) -> Switch:
    """What becomes of goals, actions and milestones when way `to` is taken."""
    now = contents.get(StepKey.CAREER_PATH, {})
    then = {**contents, StepKey.CAREER_PATH: switched(now, to)}

    def fate(rows: Sequence[Row]) -> Fate:
        sides: dict[tuple[bool, bool], list[Row]] = {}
        for row in rows:
            sides.setdefault((aside(row, contents) is None, aside(row, then) is None), []).append(row)
        return Fate(
            *(tuple(sides.get(key, ())) for key in ((True, True), (True, False), (False, True), (False, False)))
        )

    goals = fate(written(contents.get(StepKey.GOALS, {}), "goals", "text"))
    actions = fate(written(contents.get(StepKey.ACTION_PLAN, {}), "actions", "text"))
    going = {row["id"]: row for row in goals.aside}
    return Switch(
        before=now.get("chosen"),
        after=to,
        goals=goals,
        actions=actions,
        milestones=fate(written(now, "milestones", "text")),
        orphans=tuple((row, going[row["goal"]]) for row in actions.stays if row.get("goal") in going),
    )
