"""A small definition with invented items, from which tests make what they need."""

from collections.abc import Mapping, Sequence
from typing import Any


def definition(**changes: Any) -> dict[str, Any]:
    """A valid definition of two scales (A: two items, one reversed; B: one item), with changes."""
    return {
        "id": "made-up",
        "version": "1",
        "language": "en",
        "title": "A made-up questionnaire",
        "status": "reflection_only",
        "licence": {"name": "CC0-1.0", "text": "No rights reserved."},
        "attribution": "Written for the tests.",
        "citation": "None.",
        "allowed_uses": ["testing"],
        "options": [{"value": value, "label": f"Answer {value}"} for value in range(1, 6)],
        "items": [
            {"id": "a1", "text": "I sort my socks.", "scale": "A", "key": 1, "order": 1},
            {"id": "b1", "text": "I hum.", "scale": "B", "key": 1, "order": 2},
            {"id": "a2", "text": "My socks are a heap.", "scale": "A", "key": -1, "order": 3},
        ],
        "scales": [
            {"id": "A", "title": "Socks", "method": "sum", "offset": -1, "min_answered": 0.5},
            {"id": "B", "title": "Humming", "method": "mean"},
        ],
        **changes,
    }


def scales_of(keys: Mapping[str, Sequence[int]], *, order: Sequence[str], top: int = 5, **scale: Any) -> dict[str, Any]:
    """A definition whose n-th item belongs to `order[n]`; `keys` gives each scale's keys in that order."""
    left = {name: list(values) for name, values in keys.items()}
    return definition(
        options=[{"value": value, "label": str(value)} for value in range(1, top + 1)],
        items=[
            {"id": f"i{number}", "text": f"Item {number}", "scale": name, "key": left[name].pop(0)}
            for number, name in enumerate(order, start=1)
        ],
        scales=[{"id": name, "title": name, **scale} for name in keys],
    )
