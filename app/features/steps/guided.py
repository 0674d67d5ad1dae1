"""The guided way through a step: one part of its form at a time, with what is missing as the last screen.

A room's form says its parts (`RoomForm.guided`); one that says nothing has a part for each of its fields. The whole
form on one page is the other way; both save into the same content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.features.plans.rooms import Content
from app.features.steps.rowforms import Part, RoomForm


@dataclass(frozen=True, slots=True)
class Place:
    """One screen: its number from 1 to `of`, and its part; None on the last, where the step is read and handed in."""

    number: int
    of: int
    part: Part | None
    title: str

    @property
    def last(self) -> bool:
        """Whether this is the screen to read and hand in."""
        return self.part is None


def parts_of(form: RoomForm, *, tools: bool) -> tuple[Part, ...]:
    """The form's parts in order; what the room's tools found is shown first where no part shows it."""
    parts = form.guided or tuple(Part(name, (name,)) for name in form.content_fields())
    if tools and not any(part.tools for part in parts):
        return (Part("tools", tools=True), *parts)
    return parts


def place_of(form: RoomForm, parts: Sequence[Part], number: int, last_title: str) -> Place:
    """The screen of a number; one beyond either end is the nearest screen."""
    number = min(max(number, 1), len(parts) + 1)
    if number > len(parts):
        return Place(number, len(parts) + 1, None, last_title)
    part = parts[number - 1]
    title = part.title or (form[part.fields[0]].label.text if part.fields else "")
    return Place(number, len(parts) + 1, part, str(title))


def resume_at(parts: Sequence[Part], content: Content, *, begun: bool) -> int:
    """The number of the first screen on which nothing is written yet; a step not begun starts at its first."""
    if not begun:
        return 1
    for number, part in enumerate(parts, start=1):
        if part.fields and not any(content.get(name) for name in part.fields):
            return number
    return len(parts) + 1


def typed_over(stored: Content, typed: Mapping[str, Any], part: Part | None) -> dict[str, Any]:
    """The stored content with what a screen sent in place of its own fields; the last screen sends nothing."""
    sent = part.fields if part else ()
    return dict(stored) | {name: typed[name] for name in sent}
