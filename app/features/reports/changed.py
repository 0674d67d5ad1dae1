"""What changed in a plan since its last revision was closed, as the blocks of a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from difflib import unified_diff
from typing import Any

from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.plans.rooms import Section, Surroundings
from app.features.plans.words import change_sentence, control_words, status_words, step_names
from app.features.reports.sources import Before, PlanSource
from app.features.reports.story import clipped
from app.features.steps.registry import ROOMS

# What a step lists; the comparison of two revisions, a report of its own, has everything.
_MOST_LINES = 10
_WIDEST = 220


def changed_blocks(
    plan: PlanSource, before: Before, around: Surroundings, day: Callable[[date], str], _: Say
) -> list[dict[str, Any]]:
    """Why the revision was closed, and step by step what is new and what is gone."""
    if not before.intact:
        said = _(
            "Revision %(number)s is not as it was closed: its checksum differs. Tell whoever runs this Octant.",
            number=before.revision,
        )
        return [{"kind": "text", "heading": _("Not compared"), "text": said}]
    blocks: list[dict[str, Any]] = [{"kind": "text", "heading": _("Why it was closed"), "text": before.reason}]
    if before.changes:
        control = control_words(_)
        rows = [
            [change_sentence(why.kind, why.label, why.change, _), why.reason, control[why.controllable]]
            for why in before.changes
        ]
        columns = [_("Change"), _("Reason"), _("Can something be done about it?")]
        blocks.append({"kind": "table", "heading": _("What brought it about"), "columns": columns, "rows": rows})
    names = step_names(_)
    old_contents = {key: before.snapshot["steps"][key.value]["content"] for key in StepKey}
    then = replace(around, contents=old_contents)
    nothing = True
    for line in plan.steps:
        frozen = before.snapshot["steps"][line.key.value]
        content = plan.contents.get(line.key, {})
        lines = _status(frozen["status"], line.status, _)
        if line.key is not StepKey.REVIEW and frozen["content"] != content:
            lines += _written(line.key, (frozen["content"], then), (content, around), day, _)
        if lines:
            nothing = False
            heading = f"{line.key.number}  {names[line.key]}"
            blocks.append({"kind": "list", "heading": heading, "lines": _few(lines, _)})
    if nothing:
        said = _("Nothing has changed in the steps since then.")
        blocks.append({"kind": "text", "heading": _("The steps"), "text": said})
    return blocks


def _few(lines: list[str], _: Say) -> list[str]:
    shown = [clipped(line, _WIDEST) for line in lines[:_MOST_LINES]]
    if more := len(lines) - len(shown):
        shown.append(_("and %(count)s more", count=more))
    return shown


def _status(was: str, now: str, _: Say) -> list[str]:
    words = status_words(_)
    return [] if was == now else [_("It stands: %(now)s; before: %(was)s", now=words[now], was=words[was])]


_Side = tuple[Mapping[str, Any], Surroundings]


def _written(key: StepKey, old: _Side, new: _Side, day: Callable[[date], str], _: Say) -> list[str]:
    """What the room itself says of the change; where it says nothing, the lines of its report that are new or gone."""
    room = ROOMS[key]
    if room.changes and (blocks := room.changes(old[0], new[0], _)):
        return Section("", blocks).lines(day)
    was, now = (_told(room.report(content, around, _).lines(day)) for content, around in (old, new))
    found = list(unified_diff(was, now, n=0, lineterm=""))[2:]
    gone = [_("Before: %(line)s", line=line[1:]) for line in found if line.startswith("-")]
    return [*(_("New: %(line)s", line=line[1:]) for line in found if line.startswith("+")), *gone]


def _told(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
