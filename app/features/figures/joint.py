"""What figures with small groups withheld were worked out of: kinds of people, and what of each figure is withheld.

Tables by two attributes within a period are too many to be kept; they are worked out of this when somebody asks, so
that they are of the same moment as all else.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import select, tuple_

from app.domain.linked_people import People, Whole, Withheld
from app.features.figures.graduates import Part
from app.features.figures.kinds import Attribute, Floats, View
from app.features.figures.models import FigureKinds, FigureRelease
from app.infra.db.open import UnitOfWork

_ABOUT: Part = ("", "")


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """People with a plan by all their attributes, and of each figure how many of each kind are so, or what is measured.

    `withheld` is what the figures by two attributes withhold.
    """

    people: People
    views: tuple[View, ...]
    threshold: int
    so: Mapping[Part, Whole]
    sums: Mapping[Part, tuple[Floats, Floats]]
    withheld: Mapping[Part, Withheld]


def rows_of(joint: Joint) -> Iterator[dict[str, Any]]:
    """The rows of `FigureKinds` that keep it."""
    arrays: dict[str, Any] = {"codes": joint.people.codes}
    views = []
    for number, view in enumerate(joint.views):
        views.append({"key": view.attribute.key, "code": view.code})
        if view.union is not None:
            arrays[f"union {number}"] = view.union
        if view.withheld is not None:
            arrays[f"split {number}"] = view.withheld
    about = {"sizes": list(joint.people.sizes), "views": views}
    yield {"figure": "", "part": "", "about": about, "content": _packed(arrays)}
    for (figure, part), so in joint.so.items():
        found = joint.withheld[figure, part]
        arrays = {"so": so, "everything": np.array(found.everything)}
        arrays |= {f"values {number}": mask for number, mask in enumerate(found.values)}
        arrays |= {f"cells {one} {other}": mask for (one, other), mask in found.cells.items()}
        yield {"figure": figure, "part": part, "about": None, "content": _packed(arrays)}
    for (figure, part), (total, squares) in joint.sums.items():
        content = _packed({"total": total, "squares": squares})
        yield {"figure": figure, "part": part, "about": None, "content": content}


def read_joint(
    uow: UnitOfWork, attributes: Sequence[Attribute], parts: Collection[Part], *, moment: datetime
) -> Joint | None:
    """What is kept of some parts of figures as of a moment; None where nothing is, or not of these."""
    key = tuple_(FigureKinds.figure, FigureKinds.part)
    found = uow.session.execute(
        select(FigureKinds.figure, FigureKinds.part, FigureKinds.about, FigureKinds.content, FigureRelease.threshold)
        .join(FigureRelease, FigureRelease.withheld == FigureKinds.withheld)
        .where(key.in_({_ABOUT, *parts}), FigureRelease.moment == moment)
    ).all()
    kept = {(row.figure, row.part): _unpacked(row.content) for row in found}
    about = next((row.about for row in found if row.about is not None), None)
    if about is None or not set(parts) <= set(kept):
        return None
    of_key, arrays = {one.key: one for one in attributes}, kept.pop(_ABOUT)
    views = tuple(
        View(of_key[one["key"]], one["code"], arrays.get(f"union {number}"), arrays.get(f"split {number}"))
        for number, one in enumerate(about["views"])
    )
    so = {part: one["so"] for part, one in kept.items() if "so" in one}
    sums = {part: (one["total"], one["squares"]) for part, one in kept.items() if "total" in one}
    people = People(arrays["codes"], so["people", "all"], tuple(about["sizes"]))
    return Joint(people, views, int(found[0].threshold or 0), so, sums, {part: _withheld(kept[part]) for part in so})


def _withheld(arrays: Mapping[str, Any]) -> Withheld:
    values = [mask for name, mask in arrays.items() if name.startswith("values ")]
    cells = {}
    for name, mask in arrays.items():
        if name.startswith("cells "):
            _, one, other = name.split()
            cells[int(one), int(other)] = mask
    return Withheld(bool(arrays["everything"]), tuple(values), cells)


def _packed(arrays: Mapping[str, Any]) -> bytes:
    out = io.BytesIO()
    # Numbers of people are small: in as few bytes as they need.
    small = {name: _narrow(array) for name, array in arrays.items()}
    np.savez_compressed(out, allow_pickle=False, **small)
    return out.getvalue()


def _narrow(array: Any) -> Any:
    if array.dtype != np.int64:
        return array
    kinds = (np.uint8, np.uint16, np.uint32)
    return array.astype(next((kind for kind in kinds if array.max(initial=0) <= np.iinfo(kind).max), np.int64))


def _unpacked(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return {
            name: array.astype(np.int64) if array.dtype.kind == "u" else array
            for name, array in ((name, found[name]) for name in found.files)
        }
