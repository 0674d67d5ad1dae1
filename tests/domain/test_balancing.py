"""Sharing clients out: each to one person, nobody above their share by more than one client, always the same."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.balancing import Receiver, balance, weights

ids = st.integers(1, 10**6).map(lambda number: UUID(int=number))
clients = st.dictionaries(ids, st.integers(1, 20), max_size=60)
receivers = st.lists(
    st.builds(Receiver, ids, st.none() | st.integers(0, 10_080), st.integers(0, 400)),
    min_size=1,
    max_size=7,
    unique_by=lambda receiver: receiver.id,
)


@given(clients, receivers)
def test_every_client_goes_to_exactly_one_and_nobody_passes_their_share_by_more_than_one_client(
    given_clients: dict[UUID, int], given_receivers: list[Receiver]
) -> None:
    taken = balance(given_clients, given_receivers)
    assert set(taken) == set(given_clients)
    assert set(taken.values()) <= {receiver.id for receiver in given_receivers}
    weight = weights(given_receivers)
    whole = sum(weight.values())
    work = sum(given_clients.values()) + sum(receiver.work for receiver in given_receivers)
    for receiver in given_receivers:
        got = [given_clients[client] for client, to in taken.items() if to == receiver.id]
        if got:
            # Times `whole`, so that no fraction is rounded.
            assert (receiver.work + sum(got)) * whole <= work * weight[receiver.id] + max(got) * whole
            assert weight[receiver.id] > 0


@given(clients, receivers, st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_named_changes_nothing(given_clients, given_receivers, chance) -> None:  # type: ignore[no-untyped-def] # as above
    names = list(given_clients)
    chance.shuffle(names)
    others = list(given_receivers)
    chance.shuffle(others)
    assert balance({name: given_clients[name] for name in names}, others) == balance(given_clients, given_receivers)


def test_who_has_twice_the_time_takes_twice_the_work() -> None:
    half, full = Receiver(UUID(int=1), 600, 0), Receiver(UUID(int=2), 1200, 0)
    taken = balance({UUID(int=n): 1 for n in range(10, 40)}, [half, full])
    assert sorted(list(taken.values()).count(receiver.id) for receiver in (half, full)) == [10, 20]


def test_who_is_behind_already_takes_less() -> None:
    busy, free = Receiver(UUID(int=1), None, 10), Receiver(UUID(int=2), None, 0)
    taken = balance({UUID(int=n): 1 for n in range(10, 24)}, [busy, free])
    assert list(taken.values()).count(busy.id) == 2


def test_minutes_that_were_not_said_count_as_the_average_and_none_means_nobody() -> None:
    told = [Receiver(UUID(int=1), 300, 0), Receiver(UUID(int=2), 900, 0), Receiver(UUID(int=3), None, 0)]
    weight = weights(told)
    assert weight[UUID(int=3)] * 2 == weight[UUID(int=1)] + weight[UUID(int=2)]
    away = [Receiver(UUID(int=1), 0, 0), Receiver(UUID(int=2), 60, 500)]
    assert set(balance({UUID(int=9): 3}, away).values()) == {UUID(int=2)}
    nobody_has_time = [Receiver(UUID(int=1), 0, 0), Receiver(UUID(int=2), 0, 0)]
    assert set(balance({UUID(int=9): 1, UUID(int=8): 1}, nobody_has_time).values()) == {UUID(int=1), UUID(int=2)}


def test_a_question_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody takes"):
        balance({UUID(int=1): 1}, [])
    with pytest.raises(ValueError, match="some work"):
        balance({UUID(int=1): 0}, [Receiver(UUID(int=2), None, 0)])
