"""What became of graduates as figures: a tree of yes-or-no questions, each asked of those who answered one before.

Whatever is published of first destinations is a node of it, or the rest of one: so that the standard's two rates, every
status, and what is shown of them by any attributes are protected as one system (docs/adr/0012-figures.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.linked_people import Whole
from app.domain.outcomes import (
    EDUCATION,
    EMPLOYED,
    FULL_TIME,
    MILITARY,
    NOT_SEEKING,
    PART_TIME,
    SEEKING_EDUCATION,
    SEEKING_WORK,
    SERVICE,
)
from app.features.figures.definitions import BY_KEY, GRADUATES, UNKNOWN
from app.features.figures.statements import GRADUATE_FLAGS

Part = tuple[str, str]
_SEEKING = (SEEKING_WORK, SEEKING_EDUCATION)
_PLACED = (*EMPLOYED, SERVICE, MILITARY, EDUCATION)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A question: of how many of each row it is so, out of which node's yeses (or noes); None: out of all."""

    so: Whole
    of: str | None = None
    noes: bool = False


# Which node says whether a status may be shown: it and what is left of its parent are told by the same numbers.
_DECIDES = {
    FULL_TIME: "full_time",
    PART_TIME: "full_time",
    EDUCATION: "studying",
    MILITARY: "military",
    SERVICE: "military",
    SEEKING_WORK: "seeking",
    SEEKING_EDUCATION: "seeking",
    NOT_SEEKING: "known",
    UNKNOWN: "known",
}


def tell_of_graduates(
    rows: Sequence[Any], add: Callable[[Sequence[Any]], Whole]
) -> tuple[dict[Part, Whole], dict[str, Node], dict[Part, str]]:
    """What is so of how many, the tree, and by which node each figure is withheld; `add` adds up rows by kind."""

    def of(*statuses: str) -> Whole:
        return add([row for row in rows if row.part in statuses])

    def flagged(key: str) -> Whole:
        bit = GRADUATE_FLAGS.index(key)
        return add([row for row in rows if row.flags >> bit & 1])

    everybody, full_time = add(rows), of(FULL_TIME)
    so: dict[Part, Whole] = {
        (GRADUATES, "all"): everybody,
        ("known", "all"): everybody - of(UNKNOWN),
        ("reached", "all"): of(*_PLACED, *_SEEKING),
        ("placed", "all"): of(*_PLACED),
        ("employed", "all"): of(*EMPLOYED),
        ("full_time", "all"): full_time,
    }
    so |= {("outcome", status): of(status) for status in BY_KEY["outcome"].parts}
    so |= {(key, "all"): flagged(key) for key in GRADUATE_FLAGS}
    tree = _Tree(everybody)
    tree.tell_apart("reached", so["reached", "all"])
    tree.tell_apart("placed", so["placed", "all"], "reached")
    decides = dict(_DECIDES)
    if so["outcome", UNKNOWN].sum():
        # Who is not placed and does not seek is known not to seek, or not known.
        tree.ask("known", of(NOT_SEEKING), "reached", noes=True)
    else:
        # All are known, which holds of every group; who is not reached is known not to seek.
        tree.ask("known", so["outcome", UNKNOWN])
        decides[NOT_SEEKING] = "reached"
    tree.tell_apart("seeking", of(SEEKING_WORK), "placed", noes=True)
    tree.tell_apart("employed", so["employed", "all"], "placed")
    tree.tell_apart("studying", of(EDUCATION), "employed", noes=True)
    tree.tell_apart("military", of(MILITARY), "studying", noes=True)
    tree.tell_apart("full_time", full_time, "employed")
    tree.ask("paid", so["paid", "all"], "full_time")
    tree.ask("working", so["working", "all"], "employed")
    tree.ask("matched", so["matched", "all"], "working")
    by = {key: key[0] if key[0] != "outcome" else decides[key[1]] for key in so if key[0] != GRADUATES}
    return so, tree.nodes, by


class _Tree:
    """The questions as they are put, each after what it is out of."""

    def __init__(self, everybody: Whole) -> None:
        self.nodes: dict[str, Node] = {}
        self._everybody = everybody
        self._turned: set[str] = set()

    def ask(self, name: str, so: Whole, of: str | None = None, *, noes: bool = False) -> None:
        """Put a question to those of whom another is so (or is not)."""
        self.nodes[name] = Node(so, of, noes != (of in self._turned))

    def tell_apart(self, name: str, so: Whole, of: str | None = None, *, noes: bool = False) -> None:
        """Put one that tells statuses apart: that all have the ones is published as that nobody has the others."""
        asked = self._everybody if of is None else self._asked(of, noes=noes)
        self.ask(name, so, of, noes=noes)
        if (asked - so).sum() == 0:
            self.ask(name, asked - so, of, noes=noes)
            self._turned.add(name)

    def _asked(self, name: str, *, noes: bool) -> Whole:
        """Of how many of each kind a question is so (or is not), whichever way round it was put."""
        node = self.nodes[name]
        if noes == (name in self._turned):
            return node.so
        return (self._everybody if node.of is None else self._all_of(node)) - node.so

    def _all_of(self, node: Node) -> Whole:
        """Whom a question is put to."""
        assert node.of is not None
        above = self.nodes[node.of]
        if not node.noes:
            return above.so
        return (self._everybody if above.of is None else self._all_of(above)) - above.so
