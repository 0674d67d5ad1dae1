"""The kinds of bulk edits, by name, in the order of the page."""

from __future__ import annotations

from collections.abc import Mapping

from app.features.edits import attributes, cohorts, due, graduates, labels, letters, pauses
from app.features.edits.kinds import EditKind

EDITS: Mapping[str, EditKind] = {
    kind.name: kind
    for kind in (
        due.KIND,
        labels.KIND,
        cohorts.KIND,
        attributes.KIND,
        pauses.PAUSE,
        pauses.RESUME,
        letters.KIND,
        graduates.GRADUATION,
        graduates.ASK,
    )
}
