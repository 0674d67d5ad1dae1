"""Sharing clients out among people, so that each has open work in proportion to the time they have."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who takes clients: minutes a week for them (None: not said), and the open work they have already."""

    id: UUID
    minutes: int | None
    work: int


def weights(receivers: Sequence[Receiver]) -> dict[UUID, int]:
    """How much of the work each should have, compared with the others.

    Who has not said how many minutes there are counts as the average of those who have; where nobody has any, all
    count alike. Somebody with none gets nobody.
    """
    said = [receiver.minutes for receiver in receivers if receiver.minutes is not None]
    if not any(said):
        return {receiver.id: 1 for receiver in receivers}
    # In parts of a minute, so that an average is a whole number.
    return {r.id: sum(said) if r.minutes is None else r.minutes * len(said) for r in receivers}


def balance(clients: Mapping[UUID, int], receivers: Sequence[Receiver]) -> dict[UUID, UUID]:
    """Who takes whom: every client (id to open work, at least 1) to exactly one of the receivers.

    The most work first, each to whoever is furthest below their share of all the work; of equals the lower id. So
    nobody who takes somebody comes to stand above their share by more than the work of one client, and the same
    question has the same answer. Raises ValueError where nobody is there to take them, or work is less than 1.
    """
    if not receivers:
        raise ValueError("nobody takes the clients")
    if any(work < 1 for work in clients.values()):
        raise ValueError("every client is some work")
    weight = weights(receivers)
    whole = sum(weight.values())
    work = sum(clients.values()) + sum(receiver.work for receiver in receivers)
    # What each is below their share, in whole numbers: the share times `whole`. A heap gives the least first.
    below = [(receiver.work * whole - work * weight[receiver.id], receiver.id) for receiver in receivers]
    heapq.heapify(below)
    taken: dict[UUID, UUID] = {}
    for client in sorted(clients, key=lambda client: (-clients[client], client)):
        missing, receiver = below[0]
        taken[client] = receiver
        heapq.heapreplace(below, (missing + clients[client] * whole, receiver))
    return taken
