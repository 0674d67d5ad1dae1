"""Step 1: the deck, sorting, ranking and comparing values, what they weigh, and what changed between revisions."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidInput
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.plans.queries import view_plan
from app.features.plans.rooms import Paragraph, Picture, Surroundings
from app.features.steps.ambition.deck import DECK, PILES, VALUE_OF, WORK_VALUES, card_words, work_value_words
from app.features.steps.ambition.report import changes_block
from app.features.steps.ambition.values import (
    compared,
    in_order_of_pairs,
    rank_changes,
    settle,
    value_profile,
)
from app.features.steps.registry import ROOMS
from app.infra.runtime import Runtime
from tests.factories import World
from tests.plans.page_forms import fields_of as form_fields
from tests.plans.scenes import Scene, make_scene

ROOM = ROOMS[StepKey.AMBITION]
PILE = st.sampled_from(PILES)


def ranked(*names: str) -> dict[str, Any]:
    """Content with these own values, or cards of the deck, in this order."""
    rows = [
        {"id": name, "name": "", "card": name} if name in DECK else {"id": f"v{n}", "name": name, "card": None}
        for n, name in enumerate(names)
    ]
    return ROOM.empty() | {"values": rows}


def test_the_deck_has_five_cards_of_each_value_all_in_words() -> None:
    assert len(DECK) == 30
    assert Counter(VALUE_OF[card] for card in DECK) == dict.fromkeys(WORK_VALUES, 5)
    # Dealt in turn: no value twice among six cards.
    assert all(len({VALUE_OF[card] for card in DECK[n : n + 6]}) == 6 for n in range(0, 30, 6))
    assert set(card_words(plain)) == set(DECK)
    assert len({title for title, _ in card_words(plain).values()}) == 30
    assert set(work_value_words(plain)) == set(WORK_VALUES)


@given(st.dictionaries(st.sampled_from(DECK), PILE), st.lists(st.sampled_from(["Sea", "Quiet", *DECK]), unique=True))
def test_settling_ranks_the_most_important_cards_and_keeps_own_values(piles: dict[str, str], order: list[str]) -> None:
    content = ranked(*order) | {"cards": [{"id": card, "pile": pile} for card, pile in piles.items()]}
    settled = settle(content)
    cards = [row["card"] for row in settled["values"] if row["card"]]
    assert set(cards) == {card for card, pile in piles.items() if pile == "very"}
    assert len(cards) == len(set(cards))
    assert [row["name"] for row in settled["values"] if row["name"]] == [name for name in order if name not in DECK]
    stayed = [name for name in order if piles.get(name) == "very"]
    assert [card for card in cards if card in stayed] == stayed
    assert settle(settled) == settled
    assert ROOM.read(settled) == settled


@given(st.dictionaries(st.sampled_from(DECK), PILE))
def test_a_value_is_weighed_by_its_cards_and_unknown_below_three(piles: dict[str, str]) -> None:
    found = value_profile({"cards": [{"id": card, "pile": pile} for card, pile in piles.items()]})
    assert tuple(found) == WORK_VALUES
    points = {"very": 3, "important": 2, "little": 1, "not": 0}
    for value, score in found.items():
        mine = [points[pile] for card, pile in piles.items() if VALUE_OF[card] == value]
        assert score.sorted == len(mine)
        if len(mine) < 3:
            assert score.score is None
        else:
            assert score.score == pytest.approx(sum(mine) / len(mine))


@given(st.permutations(DECK[:6]), st.permutations(DECK[:6]))
def test_answers_put_the_compared_values_in_their_order(start: list[str], wish: list[str]) -> None:
    content = ranked(*start, "My own")
    content["pairs"] = [{"preferred": a, "other": b} for a, b in combinations(wish, 2)]
    content["pairs"] += [{"preferred": card, "other": "v6"} for card in wish]
    assert compared(in_order_of_pairs(content)) == [*wish, "v6"]


@given(st.lists(st.sampled_from([*DECK, "Sea", "Quiet"]), unique=True), st.lists(st.sampled_from(DECK), unique=True))
def test_every_value_of_both_orders_is_told_once(old: list[str], new: list[str]) -> None:
    changes = rank_changes(ranked(*old), ranked(*new), plain)
    assert [change.after for change in changes if change.after] == list(range(1, len(new) + 1))
    assert sorted(c.before for c in changes if c.before) == list(range(1, len(old) + 1))
    for change in changes:
        expected = {
            "kept": change.before == change.after,
            "up": bool(change.before and change.after and change.after < change.before),
            "down": bool(change.before and change.after and change.after > change.before),
            "new": change.before is None,
            "gone": change.after is None,
        }
        assert expected[change.kind], change


def test_an_own_value_is_the_same_by_its_words() -> None:
    before, after = ranked("Time for family", "Pay me"), ranked("Quiet", "time for FAMILY")
    kinds = {change.name: change.kind for change in rank_changes(before, after, plain)}
    assert kinds == {"Quiet": "new", "time for FAMILY": "down", "Pay me": "gone"}
    assert changes_block(before, before, plain) == ()
    assert changes_block({}, before, plain) == ()
    assert len(changes_block(before, after, plain)) == 1


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"cards": [{"id": "gold", "pile": "very"}]}, "cards[0].id"),
        ({"cards": [{"id": "pay", "pile": "some"}]}, "cards[0].pile"),
        ({"cards": [{"id": "pay", "pile": "very"}, {"id": "pay", "pile": "not"}]}, "cards"),
        ({"values": [{"id": "a"}, {"id": "a"}]}, "values"),
        ({"values": [{"id": "a"}, {"id": "b"}], "pairs": [{"preferred": "a", "other": "c"}]}, "pairs"),
        ({"values": [{"id": "a"}, {"id": "b"}], "pairs": [{"preferred": "a", "other": "a"}]}, "pairs"),
        (
            {
                "values": [{"id": "a"}, {"id": "b"}],
                "pairs": [{"preferred": "a", "other": "b"}, {"preferred": "b", "other": "a"}],
            },
            "pairs",
        ),
    ],
)
def test_s10_what_cannot_be_is_refused_with_its_place(content: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        ROOM.read(content)
    assert field in [problem.field for problem in caught.value.problems]


def test_the_report_tells_the_order_its_consistency_and_the_weights() -> None:
    content = ranked("pay", "team", "Sea") | {
        "cards": [{"id": card, "pile": "very" if card in ("pay", "team") else "little"} for card in DECK],
        "pairs": [
            {"preferred": "pay", "other": "team"},
            {"preferred": "team", "other": "v2"},
            {"preferred": "v2", "other": "pay"},
        ],
    }
    section = ROOM.report(content, Surroundings(), plain)
    assert "1. Good pay" in "\n".join(section.lines())
    said = next(
        block.text for block in section.blocks if isinstance(block, Paragraph) and "hang together" in block.heading
    )
    assert "1 of at most 1" in said
    assert "0.00 of 1" in said
    picture = next(block for block in section.blocks if isinstance(block, Picture))
    assert len(picture.rows) == 6
    assert "not a measurement" in picture.alt
    partly = content | {"pairs": content["pairs"][:2]}
    assert any("still to compare: 1" in line for line in ROOM.report(partly, Surroundings(), plain).lines())


@pytest.fixture
def scene(world: World) -> Scene:
    return make_scene(world)


@pytest.fixture
def client(world: World, app: Flask, scene: Scene) -> FlaskClient:
    """The client's browser, step 1 open again after revision 1 was frozen."""
    app.config["WTF_CSRF_ENABLED"] = False
    world.browser(app, scene.counsellor).post(f"/plans/{scene.plan_id}/steps/1/reopen")
    return world.browser(app, scene.client)


def stored(runtime: Runtime, scene: Scene) -> dict[str, Any]:
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        return dict(view_plan(uow, scene.plan_id).content(StepKey.AMBITION))


def press(client: FlaskClient, button: str, **more: str) -> str:
    page = client.get("/my-plan/steps/1").text
    sent = form_fields(page, 'method="post" action="/my-plan/steps/') | {"act": button} | more
    answer = client.post("/my-plan/steps/1", data=sent)
    assert answer.status_code == 302, answer.text
    return client.get(answer.location).text


@pytest.mark.parametrize("mode", ["whole", "guided"])
def test_sorting_ranking_and_comparing_by_buttons(
    client: FlaskClient, runtime: Runtime, scene: Scene, mode: str
) -> None:
    client.get(f"/my-plan/steps/1?mode={mode}")

    def pressed(part: int, button: str) -> str:
        page = client.get(f"/my-plan/steps/1?part={part}").text
        sent = form_fields(page, 'method="post" action="/my-plan/steps/') | {"act": button}
        answer = client.post("/my-plan/steps/1", data=sent)
        assert answer.status_code == 302, answer.text
        return client.get(answer.location).text

    page = pressed(4, "cards/pile:results:very")
    assert "29 of 30 cards are left" in page
    pressed(4, "cards/pile:pay:very")
    pressed(4, "cards/pile:team:not")
    kept = stored(runtime, scene)
    assert [row["card"] or row["name"] for row in kept["values"]] == [
        "Helping others",
        "Independence",
        "Time for family",
        "results",
        "pay",
    ]
    assert kept["statement"].startswith("I want to help towns")
    pressed(5, "values/up:pay")
    assert [row["id"] for row in stored(runtime, scene)["values"]][-2:] == ["pay", "results"]
    page = pressed(6, "pairs/prefer:pay:v1")
    assert "Pair 2 of 10" in page
    order = ["pay", "results", "v3", "v1", "v2"]
    for a, b in combinations(order, 2):
        page = pressed(6, f"pairs/prefer:{a}:{b}")
    kept = stored(runtime, scene)
    assert [row["id"] for row in kept["values"]] == order
    assert len(kept["pairs"]) == 10
    assert "All pairs are compared" in page
    page = client.get("/my-plan/steps/1?part=7").text
    assert "no three of them go round in a circle" in page
    assert "Since revision 1" in page
    page = pressed(6, "pairs/ask:pay:v1")
    assert "Pair 10 of 10" in page
    assert pressed(6, "pairs/again")
    assert stored(runtime, scene)["pairs"] == []
    # Out of the top pile, out of the order, and its answers with it.
    pressed(6, "pairs/prefer:pay:v1")
    pressed(4, "cards/pile:pay:little")
    kept = stored(runtime, scene)
    assert kept["pairs"] == []
    assert "pay" not in [row["id"] for row in kept["values"]]


def test_a_button_of_an_old_page_changes_nothing(client: FlaskClient, runtime: Runtime, scene: Scene) -> None:
    before = stored(runtime, scene)
    for button in ("cards/pile:gold:very", "pairs/prefer:v1:v9", "values/up:v1", "values/down:x", "nonsense", "x/y:z"):
        press(client, button)
    assert stored(runtime, scene) == before


def test_the_counsellor_reads_order_consistency_and_change(
    client: FlaskClient, world: World, app: Flask, scene: Scene
) -> None:
    press(client, "values/up:v2")
    page = world.browser(app, scene.counsellor).get(f"/plans/{scene.plan_id}/steps/1").text
    assert "Since revision 1" in page
    assert "from 2" in page
    compared_page = world.browser(app, scene.counsellor).get(f"/plans/{scene.plan_id}/compare?before=1&after=2").text
    assert "My values, rank by rank" in compared_page
