"""An analyst's exports, all of them, over HTTP: the attacker solves nothing; with complements off it does (P5)."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import os
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.linked_tables import protect
from app.domain.outcomes import EDUCATION, EMPLOYED, MILITARY, NOT_SEEKING, SEEKING_EDUCATION, SEEKING_WORK, SERVICE
from app.features.figures import kept
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.service import load_definition
from app.infra.runtime import Runtime
from tests.domain.instrument_maker import definition
from tests.factories import World
from tests.figures.attacker import Part, Place, Published, attack, attack_sums, place_of
from tests.figures.destinations import UNKNOWN, tell_destinations
from tests.figures.lives import tell_lives
from tests.figures.scene import make_organization


def everything_on_offer(browser: FlaskClient, whole: str = "people") -> Published:
    """Every figure of people or of graduates by nothing, by each attribute and each two in both orders, as JSON."""
    offer = browser.get("/api/v1/figures").get_json()
    values = {one["key"]: one["values"] for one in offer["attributes"] if one["whole"] == whole}
    per = {figure["key"]: figure["parts"] for figure in offer["figures"]}
    numbers: dict[Part, dict[Place, int | None]] = {}
    sums: dict[Part, tuple[Part, dict[Place, float | None]]] = {}
    for figure in offer["figures"]:
        if figure["whole"] != whole:
            continue
        for asked in questions(list(values)):
            got = browser.get(f"/api/v1/figures/{figure['key']}", query_string=asked).get_json()
            over = got["out_of"] or whole
            for one in got["numbers"]:
                place = place_of(got["by"], one["by"], got["and_by"], one["and_by"])
                part = (figure["key"], one["part"])
                of = (over, one["part"] if one["part"] in per[over] else "all")
                told = [(of, one["people"])]
                if figure["mean"]:
                    assert (one["mean"] is None) == (not one["people"]), (part, place)
                    mean = None if one["people"] is None else (one["mean"] or 0) * one["people"]
                    sums.setdefault(part, (of, {}))[1][place] = mean
                else:
                    told.append((part, one["number"]))
                for at, number in told:
                    known = numbers.setdefault(at, {})
                    # The same cell is withheld, or shown with the same number, wherever it stands.
                    assert known.get(place, number) == number, (at, place)
                    known[place] = number
    return Published(values, numbers, sums, (whole, "all"))


def questions(keys: list[str]) -> list[dict[str, str]]:
    by_two = [
        {"by": first, "and_by": second}
        for first, second in itertools.permutations(keys, 2)
        # Two kinds of periods of the same day are not told together.
        if not first.startswith("@") or first.partition("_")[0] != second.partition("_")[0]
    ]
    return [{}, *({"by": key} for key in keys), *by_two]


# Each step is a large system of its own; three of them tell of all unless there is time.
LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
STEPS = "12345678" if LONG else "146"


@pytest.mark.parametrize(("people", "seed"), [(220, 1), (700, 2), *([(2500, 3)] if LONG else [])])
def test_p5_all_exports_of_an_analyst_together_solve_nothing(
    app: Flask, runtime: Runtime, world: World, people: int, seed: int
) -> None:
    organization = make_organization(runtime, world, people, seed)
    published = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)))
    assert set(published.values) == {"programme", "faculty", "year", "@started", "@started_month"}
    assert published.withheld() > 50
    shown = [n for numbers in published.numbers.values() for n in numbers.values() if n is not None]
    assert not [n for n in shown if 0 < n < 10]
    solved = list(attack(published, STEPS))
    assert solved == []


def assert_true(exact: Published, solved: list[tuple[Part, Place, float]]) -> None:
    for part, place, number in solved:
        true = exact.sums[part][1][place] if part in exact.sums else exact.numbers[part][place]
        assert number == pytest.approx(true, abs=1e-3), (part, place)


def load(runtime: Runtime, organization: UUID) -> UUID:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        return load_definition(uow, LoadDefinition(raw=definition())).instrument_id


@pytest.mark.parametrize(("people", "seed"), [(260, 5), *([(900, 6), (2500, 7)] if LONG else [])])
def test_p5_reviews_changes_scales_and_outcomes_are_not_solved_either(
    app: Flask, runtime: Runtime, world: World, people: int, seed: int
) -> None:
    organization = make_organization(runtime, world, people, seed, few=True)
    tell_lives(runtime, organization, load(runtime, organization), seed=seed)
    published = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)))
    assert set(published.values) == {
        "programme",
        "@started",
        "@started_month",
        "@reviewed",
        "@reviewed_month",
        "@reviewed_year",
        "@cohort",
    }
    for figure in ("due", "answered", "in_time", "changed", "reopened", "rated", "attained"):
        got = {key: numbers[()] for key, numbers in published.numbers.items() if key[0] == figure}
        assert any(got.values()), got
    assert {key[0] for key, (_, sums) in published.sums.items() if sums[()]} == {"days", "change", "score"}
    assert published.withheld() > 200
    shown = [n for numbers in published.numbers.values() for n in numbers.values() if n is not None]
    assert not [n for n in shown if 0 < n < 10]
    assert list(attack(published, STEPS if LONG else "3")) == []
    exact = everything_on_offer(world.browser(app, world.person(organization, Role.ADMIN)))
    assert list(attack_sums(published, exact, STEPS if LONG else "3")) == []


def test_the_attacker_solves_those_too_where_only_small_cells_are_withheld(
    app: Flask, runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make_organization(runtime, world, 260, 5, few=True)
    tell_lives(runtime, organization, load(runtime, organization), seed=5)
    monkeypatch.setattr(kept, "protect", functools.partial(protect, complements=False))
    weak = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)))
    monkeypatch.undo()
    solved = list(attack(weak, "3"))
    assert {part[0] for part, _, _ in solved} >= {"stalled", "answered", "changed", "attained", "days", "change"}
    exact = everything_on_offer(world.browser(app, world.person(organization, Role.ADMIN)))
    assert_true(exact, solved)


@pytest.mark.parametrize(("people", "seed"), [(300, 4), (900, 5), *([(3000, 6), (1500, 7), (240, 9)] if LONG else [])])
def test_p5_first_destinations_are_not_solved_either(
    app: Flask, runtime: Runtime, world: World, people: int, seed: int
) -> None:
    organization = make_organization(runtime, world, people, seed, few=people < 1000)
    tell_destinations(runtime, organization, people, seed=seed)
    published = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)), "graduates")
    assert {"programme", "@class"} <= set(published.values)
    for figure in ("graduates", "known", "reached", "placed", "outcome"):
        assert any(numbers[()] for key, numbers in published.numbers.items() if key[0] == figure), figure
    assert published.withheld() > 50
    shown = [n for numbers in published.numbers.values() for n in numbers.values() if n is not None]
    assert not [n for n in shown if 0 < n < 10]
    assert list(attack(published)) == []


@pytest.mark.parametrize("seed", [5, *([6, 7, 8] if LONG else [])])
@pytest.mark.parametrize(
    "without",
    [
        (UNKNOWN,),
        (SEEKING_WORK, SEEKING_EDUCATION),
        (UNKNOWN, NOT_SEEKING),
        (UNKNOWN, NOT_SEEKING, SEEKING_WORK, SEEKING_EDUCATION),
        (UNKNOWN, *EMPLOYED, SERVICE, MILITARY, EDUCATION),
    ],
    ids=["all known", "nobody seeks", "all reached", "all placed", "nobody placed"],
)
def test_rates_that_all_or_nobody_make_are_told_and_solve_nothing(
    app: Flask, runtime: Runtime, world: World, without: tuple[str, ...], seed: int
) -> None:
    organization = make_organization(runtime, world, 900, seed, few=True)
    tell_destinations(runtime, organization, 900, seed=seed, without=without)
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    published = everything_on_offer(browser, "graduates")
    # Both rates with what they are out of, of all and of each class.
    for figure in ("graduates", "known", "reached", "placed"):
        told = published.numbers[figure, "all"]
        assert told[()] is not None, figure
        assert any(number is not None for place, number in told.items() if place), figure
    if UNKNOWN in without:
        assert published.numbers["known", "all"][()] == published.numbers["graduates", "all"][()]
    assert not [n for numbers in published.numbers.values() for n in numbers.values() if n and n < 10]
    assert list(attack(published)) == []


def test_the_attacker_solves_first_destinations_where_only_small_cells_are_withheld(
    app: Flask, runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make_organization(runtime, world, 900, 5, few=True)
    tell_destinations(runtime, organization, 900, seed=5)
    monkeypatch.setattr(kept, "protect", functools.partial(protect, complements=False))
    weak = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)), "graduates")
    monkeypatch.undo()
    solved = list(attack(weak))
    assert {part[0] for part, _, _ in solved} >= {"outcome"}
    exact = everything_on_offer(world.browser(app, world.person(organization, Role.ADMIN)), "graduates")
    assert_true(exact, solved)


_SCORES = """
    INSERT INTO assessments
        (client_id, instrument_id, version, taken_at, source, source_key, responses, scores, answered)
    SELECT p.client_id, cast(:instrument AS uuid), 1, timestamptz '2026-03-01 12:00Z', 'import', 'once',
           ARRAY[3, 3, 3]::smallint[],
           ARRAY[(n * 7) % 9, 1 + n % 5]::float8[], ARRAY[2, 1]::smallint[]
    FROM (SELECT p.client_id, substr(c.external_id, 2)::int AS n FROM plans p JOIN clients c ON c.id = p.client_id) p
    WHERE n % 6 > 0
"""


@pytest.mark.parametrize("complements", [True, False], ids=["protected", "small cells only"])
def test_p5_scores_are_not_solved_either(
    app: Flask, runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch, complements: bool
) -> None:
    organization = make_organization(runtime, world, 260, 5, few=True)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text(_SCORES), {"instrument": load(runtime, organization)})
    monkeypatch.setattr(kept, "protect", functools.partial(protect, complements=complements))
    published = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)))
    monkeypatch.undo()
    assert all(any(numbers.values()) for key, numbers in published.numbers.items() if key[0] in {"low", "high"})
    solved = {part[0] for part, _, _ in attack(published, "")}
    assert solved == set() if complements else solved >= {"low", "high"}


def test_the_attacker_succeeds_where_only_small_cells_are_withheld(
    app: Flask, runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make_organization(runtime, world, 700, 2)
    monkeypatch.setattr(kept, "protect", functools.partial(protect, complements=False))
    weak = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)))
    monkeypatch.undo()
    solved = list(attack(weak, "16"))
    assert len(solved) > 20
    # What it says is the truth, as an administrator sees it.
    exact = everything_on_offer(world.browser(app, world.person(organization, Role.ADMIN)))
    assert_true(exact, solved)


def test_files_and_json_withhold_the_same(app: Flask, runtime: Runtime, world: World) -> None:
    organization = make_organization(runtime, world, 300, 4)
    tell_lives(runtime, organization, load(runtime, organization))
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    hidden = 0
    for key, asked in itertools.product(
        ("people", "completed", "finished", "stalled", "days", "answered", "change"),
        ({}, {"by": "programme"}, {"by": "programme", "and_by": "year"}, {"by": "@cohort", "and_by": "programme"}),
    ):
        got = browser.get(f"/api/v1/figures/{key}", query_string=asked).get_json()
        query: dict[str, Any] = {"figure": key, **asked}
        content = browser.get("/figures.csv", query_string=query).data.decode("utf-8-sig")
        lines = list(csv.reader(io.StringIO(content)))
        in_text = lines[lines.index([]) + 2 :]
        book = openpyxl.load_workbook(io.BytesIO(browser.get("/figures.xlsx", query_string=query).data))
        in_book = [[str(cell) for cell in row] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)]
        # A workbook has numbers, and 9 is 9.0.
        assert in_book == [[cell.removesuffix(".0") for cell in line] for line in in_text]
        first = 1 + len(asked)
        columns = {"people": ("people",), "days": ("people", "mean"), "change": ("people", "mean")}
        of_json = [
            [_as_text(one, column, 1 if key == "days" else 2) for column in columns.get(key, ("people", "number"))]
            for one in got["numbers"]
        ]
        assert [line[first : first + len(of_json[0])] for line in in_text] == of_json
        withheld = sum(cell == "withheld" for line in in_text for cell in line)
        hidden += withheld
        assert lines[1] == ["Definition", got["definition"]]
        if len(asked) == 1 or key in {"answered", "change"}:
            printed = browser.get("/figures.pdf", query_string=query)
            assert printed.mimetype == "application/pdf"
            pages = PdfReader(io.BytesIO(printed.data)).pages
            words = " ".join(page.extract_text() for page in pages).split()
            assert words.count("withheld") == withheld, (key, asked)
            assert {cell for line in in_text for cell in line[first:] if cell.isdigit()} <= set(words)
    assert hidden > 60


def _as_text(one: dict[str, Any], column: str, places: int) -> str:
    if one["people"] is None or one["number"] is None:
        return str(one["people"]) if column == "people" and one["people"] is not None else "withheld"
    if column != "mean":
        return str(one[column])
    return "–" if one["mean"] is None else str(round(one["mean"], places))
