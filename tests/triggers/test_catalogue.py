"""A new release of the catalogue: the plans found are those whose contents name an occupation that it moved."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.domain.triggers import Trigger
from app.features.occupations import store
from app.features.occupations.content import Content, Release
from app.infra.runtime import Runtime
from tests.factories import World
from tests.triggers.scenes import Centre, make_centre

CODES = [f"15-{1200 + n}.00" for n in range(12)]
PROFILE = [6.0, 4.0, 2.0, 1.0, 3.0, 5.0]


def occupations(label: str, **changes: dict[str, Any]) -> Content:
    """A release of all codes but those that are gone; `changes` by what of a row (named by its code's last digits)."""
    rows = []
    for code in CODES:
        row: dict[str, Any] = {
            "code": code,
            "title": f"Occupation {code}",
            "description": "",
            "job_zone": 3,
            "interests": PROFILE,
            "sources": {},
        }
        given = changes.get(f"c{code[3:7]}", {})
        if not given.get("gone"):
            rows.append(row | {name: value for name, value in given.items() if name in row})
    return Content(
        release=Release("onet", label, {"occupations": {"release": label}}, {}),
        occupations=rows,
        titles=[(row["code"], row["title"]) for row in rows],
    )


def outlook(label: str, **pay: tuple[float, float]) -> Content:
    """A projection of all codes; `pay` gives (pay, growth) of some by their last digits."""
    rows = []
    for code in CODES:
        wage, growth = pay.get(f"c{code[3:7]}", (50_000, 3.0))
        rows.append(
            {"soc_code": code[:7], "title": code, "wage": wage, "growth": growth, "openings": 100, "jobs": 1000}
        )
    figures = {"growth": 3.1, "wage": 49_500, "openings": 90}
    return Content(release=Release("bls", label, {}, figures), outlook=rows)


def owner(live: Runtime) -> str:
    assert live.settings.owner_database_url is not None
    return live.settings.owner_database_url


def pin(centre: Centre, number: int, codes: dict[str, str | None], chosen: str | None = None) -> None:
    """A shortlist of some codes, each pinned to a release or to none."""
    options = [
        {"id": f"o{n}", "name": code, "code": code, "release": key} for n, (code, key) in enumerate(codes.items())
    ]
    chosen_id = next((row["id"] for row in options if row["code"] == chosen), None)
    centre.write(centre.plans[number], 4, {"options": options, "chosen": chosen_id})


def test_exactly_the_plans_pinned_to_what_moved(live: Runtime) -> None:
    first = store.store(owner(live), occupations("1")).key
    second = store.store(owner(live), occupations("2", c1201={"job_zone": 4})).key
    centre = make_centre(World(live), 30)
    chance = random.Random(8)
    pinned = []
    for number in range(30):
        codes = {code: chance.choice([first, second]) for code in chance.sample(CODES, 3)}
        pinned.append(codes)
        pin(centre, number, codes)
    # Before the third release only what the second moved is found, in plans pinned to the first.
    found = centre.found(Trigger.CATALOGUE_MOVED, number=10)
    assert set(found) == {centre.plans[n] for n, codes in enumerate(pinned) if codes.get(CODES[1]) == first}
    store.store(
        owner(live),
        occupations(
            "3", c1202={"interests": PROFILE[::-1]}, c1203={"gone": True}, c1204={"interests": [s + 1 for s in PROFILE]}
        ),
    )
    found = centre.found(Trigger.CATALOGUE_MOVED, number=10)
    moves = {CODES[2]: "interests", CODES[3]: "gone"}
    expected = {
        (centre.plans[n], code, moves[code]) for n, codes in enumerate(pinned) for code in codes if code in moves
    } | {(centre.plans[n], CODES[1], "zone") for n, codes in enumerate(pinned) if codes.get(CODES[1]) == second}
    told = {(plan, seen["code"], *seen["what"]) for plan, each in found.items() for seen in each}
    assert told == expected


def test_only_the_chosen_one_where_the_rule_says_so(live: Runtime) -> None:
    first = store.store(owner(live), occupations("1")).key
    centre = make_centre(World(live), 2)
    for number, chosen in enumerate((CODES[1], CODES[5])):
        pin(centre, number, {CODES[1]: first, CODES[5]: first}, chosen=chosen)
    store.store(owner(live), occupations("2", c1201={"job_zone": 5}))
    assert len(centre.found(Trigger.CATALOGUE_MOVED, number=10, reach="any")) == 2
    assert set(centre.found(Trigger.CATALOGUE_MOVED, number=10, reach="chosen")) == {centre.plans[0]}


@pytest.mark.parametrize(("percent", "plans"), [(10, 1), (5, 2), (60, 0)])
def test_pay_and_outlook_move_plans_older_than_the_projection(live: Runtime, percent: int, plans: int) -> None:
    key = store.store(owner(live), occupations("1")).key
    store.store(owner(live), outlook("2024"))
    centre = make_centre(World(live), 3)
    pin(centre, 0, {CODES[1]: key})
    pin(centre, 1, {CODES[2]: key})
    pin(centre, 2, {CODES[3]: key})
    assert centre.found(Trigger.CATALOGUE_MOVED, number=percent) == {}
    store.store(owner(live), outlook("2025", c1201=(56_000, 3.0), c1202=(47_000, 3.5)))
    late = make_centre_beside(centre)
    pin(late, 0, {CODES[1]: key})
    found = centre.found(Trigger.CATALOGUE_MOVED, number=percent)
    assert len(found) == plans
    assert all(seen["what"] == ["pay"] for each in found.values() for seen in each)
    assert set(found) <= {centre.plans[0], centre.plans[1]}


def make_centre_beside(centre: Centre) -> Centre:
    """One more plan of the same organization, made now."""
    clients = centre.world.clients(centre.organization, 1)
    return replace(centre, clients=clients, plans=centre.world.plans(centre.organization, clients))


def test_who_checked_in_since_the_release_has_seen_it(live: Runtime) -> None:
    first = store.store(owner(live), occupations("1")).key
    centre = make_centre(World(live), 2)
    for number in range(2):
        pin(centre, number, {CODES[1]: first})
    store.store(owner(live), occupations("2", c1201={"job_zone": 5}))
    centre.check_in(centre.plans[0], live.clock().date() + timedelta(days=1))
    assert set(centre.found(Trigger.CATALOGUE_MOVED, number=10)) == {centre.plans[1]}
