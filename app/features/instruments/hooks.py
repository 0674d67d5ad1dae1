"""Who is told, in the same transaction, that results were stored: features above this one, which it cannot know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class NewResults:
    """Results stored in this transaction, of one kind: per client the assessment. `measures` as in a definition."""

    measures: str
    taken: Mapping[UUID, UUID]


Listener = Callable[[UnitOfWork, NewResults], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have `listener` told of every result; `app.composition` does it once for each process."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(uow: UnitOfWork, results: NewResults) -> None:
    """Tell the listeners of results just flushed: once for a batch, never row by row.

    Raises RuntimeError where nobody listens: a result nobody hears of would leave plans unmarked without a word.
    """
    if not _listeners:
        raise RuntimeError("nobody listens for new results: import app.composition first")
    for listener in _listeners:
        listener(uow, results)
