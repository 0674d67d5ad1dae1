"""What Octant itself keeps in step 4 at each save: saved matches, the decision's day and history, recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.features.plans.rooms import Content, Settling
from app.features.steps.matrix import settle_pairs
from app.features.steps.parts import written

# Beyond this the oldest decision is forgotten; a choice changed more often is a talk, not a table.
MOST_EARLIER = 20
Row = Mapping[str, Any]


def keep_settled(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
    """What is stored of a save: nothing that Octant keeps can be written by who saves."""
    return settle_with(before, after, settling)


def settle_with(
    before: Content,
    after: dict[str, Any],
    settling: Settling,
    *,
    taken: Mapping[str, Row | None] | None = None,
) -> dict[str, Any]:
    """The content to store; `taken` are saved matches of options by their ids, made by a use case just now."""
    after = settle_pairs(after)
    after["options"] = _with_matches(before, after, taken or {})
    ids = {row["id"] for row in written(after, "options", "name")}
    for name in ("chosen", "runner_up"):
        if after.get(name) not in ids:
            after[name] = None
    after["recommendations"] = [dict(row) for row in before.get("recommendations", ())]
    return after | _decision(before, after, settling)


def _with_matches(before: Content, after: Content, taken: Mapping[str, Row | None]) -> list[dict[str, Any]]:
    known = {row["id"]: row for row in before.get("options", ())}
    found = []
    for row in after["options"]:
        old = known.get(row["id"], {})
        same = old.get("code") == row.get("code") and old.get("release") == row.get("release")
        match = taken[row["id"]] if row["id"] in taken else old.get("match") if same else None
        found.append(dict(row) | {"match": match})
    return found


def _decision(before: Content, after: Content, settling: Settling) -> dict[str, Any]:
    """The day of the present choice, and the decisions before it.

    A choice counts as a decision once it has a reason: trying out leaves no trace. For one made before Octant kept
    the day, the day is not known.
    """
    earlier = [dict(row) for row in before.get("earlier", ())]
    today = settling.now.date().isoformat()
    if after["chosen"] == before.get("chosen"):
        return {"decided_on": before.get("decided_on"), "earlier": earlier}
    names = {row["id"]: row for row in before.get("options", ())}
    old = names.get(before.get("chosen") or "")
    if old is not None and before.get("reason", "").strip():
        second = names.get(before.get("runner_up") or "", {})
        earlier.append(
            {
                "name": old.get("name", ""),
                "code": old.get("code"),
                "runner_up": second.get("name", ""),
                "reason": before["reason"],
                "decided_on": before.get("decided_on"),
                "until": today,
            }
        )
    return {"decided_on": today if after["chosen"] else None, "earlier": earlier[-MOST_EARLIER:]}
