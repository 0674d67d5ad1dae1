"""Months, quarters, years and terms: right numbers, and no period or difference of periods tells of few (P5)."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.domain.errors import NotFound
from app.domain.linked_tables import protect
from app.features.figures import kept
from app.features.figures.layer import Question, ask, question_of
from app.infra.runtime import Runtime
from tests.factories import World
from tests.figures.attacker import Published, attack, attack_sums
from tests.figures.scene import make_organization
from tests.figures.test_attack import LONG, everything_on_offer

TERMS = (
    ("Spring 2025", date(2025, 1, 20), date(2025, 6, 10)),
    ("Autumn 2025", date(2025, 9, 15), date(2026, 1, 12)),
    ("Spring 2026", date(2026, 1, 13), date(2026, 6, 30)),
)
MONTHS = [date(2025, 1, 1) + timedelta(days=n) for n in (0, 31, 150, 250, 270, 375, 400, 500)]
KINDS = {"@started", "@started_month", "@started_year", "@started_term"}


def begin(runtime: Runtime, organization: UUID, seed: int) -> None:
    """Let plans begin on days of two years, many in two months of each, few in others."""
    # Not the draw that gave out programmes.
    rng = np.random.default_rng(seed + 1000)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        for name, first, last in TERMS:
            uow.session.execute(
                text("INSERT INTO terms (name, starts_on, ends_on) VALUES (:n, :f, :l)"),
                {"n": name, "f": first, "l": last},
            )
        # As they were numbered: the ids are others each time.
        numbered = (
            "SELECT p.id FROM plans p JOIN clients c ON c.id = p.client_id ORDER BY substr(c.external_id, 2)::int"
        )
        plans = list(uow.session.scalars(text(numbered)))
        chosen = rng.choice(len(MONTHS), size=len(plans), p=[0.1, 0.2, 0.05, 0.15, 0.1, 0.1, 0.2, 0.1])
        later = rng.integers(0, 25, len(plans))
        days = [MONTHS[n] + timedelta(days=int(more)) for n, more in zip(chosen, later, strict=True)]
        uow.session.execute(
            text(
                "UPDATE plans SET started_on = u.day"
                " FROM unnest(cast(:ids AS uuid[]), cast(:days AS date[])) u(id, day) WHERE plans.id = u.id"
            ),
            {"ids": plans, "days": days},
        )


def runs_of(values: list[Any]) -> list[tuple[Any, Any]]:
    told = [value for value in values if value is not None]
    return list(itertools.combinations_with_replacement(told, 2))


def add_runs(browser: FlaskClient, published: Published, figures: tuple[str, ...]) -> int:
    """Ask for every run of periods; says how many numbers were told, each the sum of what was told by itself."""
    told = 0
    for kind in KINDS & set(published.values):
        values = published.values[kind]
        for first, last in runs_of(values):
            within = values[values.index(first) : values.index(last) + 1]
            for figure, by in itertools.product(figures, ("", "programme")):
                asked = {"since": f"{kind}:{first}", "until": f"{kind}:{last}", **({"by": by} if by else {})}
                got = browser.get(f"/api/v1/figures/{figure}", query_string=asked).get_json()
                for one in got["numbers"]:
                    part = (figure, one["part"])
                    places = [tuple(sorted({kind: v, **({by: one["by"]} if by else {})}.items())) for v in within]
                    alone = [published.numbers[part][place] for place in places]
                    assert one["number"] == (None if None in alone else sum(alone)), (part, asked)
                    told += one["number"] is not None
    return told


@pytest.mark.parametrize(("people", "seed"), [(900, 2), *([(300, 3), (2500, 4), (6000, 5)] if LONG else [])])
def test_p5_no_periods_together_tell_what_is_withheld(
    app: Flask, runtime: Runtime, world: World, people: int, seed: int
) -> None:
    organization = make_organization(runtime, world, people, seed, few=True)
    begin(runtime, organization, seed)
    browser = world.browser(app, world.person(organization, Role.ANALYST))
    published = replace(everything_on_offer(browser), terms=TERMS)
    assert set(published.values) == {"programme"} | KINDS
    shown = [n for numbers in published.numbers.values() for n in numbers.values() if n is not None]
    assert not [n for n in shown if 0 < n < 10]
    assert list(attack(published, "146" if LONG else "4")) == []
    exact = everything_on_offer(world.browser(app, world.person(organization, Role.ADMIN)))
    assert list(attack_sums(published, exact, "146" if LONG else "4")) == []
    assert add_runs(browser, published, ("people", "completed")[: 2 if LONG else 1]) > 20


def within_periods(browser: FlaskClient, figures: dict[str, str], pairs: list[tuple[str, str]]) -> Published:
    """Some parts of figures by two attributes within each period of each kind, beside all of them by two attributes."""
    published = everything_on_offer(browser)
    numbers = {part: published.numbers[part] for part in figures.items()}
    for kind, (first, second) in itertools.product(sorted(KINDS & set(published.values)), pairs):
        for value, (figure, part) in itertools.product(published.values[kind], figures.items()):
            asked = {"by": first, "and_by": second, "since": f"{kind}:{value}"}
            got = browser.get(f"/api/v1/figures/{figure}", query_string=asked)
            if got.status_code == 404:
                continue
            for one in got.get_json()["numbers"]:
                if one["part"] == part:
                    place = {first: one["by"], second: one["and_by"], kind: value}
                    numbers[figure, part][tuple(sorted(place.items(), key=str))] = one["number"]
    return replace(published, numbers=numbers, sums={}, terms=TERMS)


THREE = {"people": "all", "finished": "all"}
BY_TWO = [("programme", "year"), ("faculty", "year"), ("programme", "faculty")]


@pytest.mark.parametrize(("people", "seed"), [(2500, 4), *([(300, 3), (900, 5), (6000, 6)] if LONG else [])])
def test_p5_two_attributes_within_periods_tell_nothing_that_is_withheld(
    app: Flask, runtime: Runtime, world: World, people: int, seed: int
) -> None:
    organization = make_organization(runtime, world, people, seed)
    begin(runtime, organization, seed)
    published = within_periods(world.browser(app, world.person(organization, Role.ANALYST)), THREE, BY_TWO)
    exact = within_periods(world.browser(app, world.person(organization, Role.ADMIN)), THREE, BY_TWO)
    told = {
        (part, place): number
        for part, numbers in published.numbers.items()
        for place, number in numbers.items()
        if len(place) == 3 and number is not None
    }
    assert len([place for (part, place), number in told.items() if part == ("people", "all") and number]) > 20
    assert not [number for number in told.values() if 0 < number < 10]
    assert all(exact.numbers[part].get(place, 0) == number for (part, place), number in told.items())
    # That nobody of a programme began in a month follows where its quarter has as many as another month of it.
    assert [one for one in attack(published, "") if one[2]] == []


def test_the_attacker_solves_them_where_small_cells_alone_are_withheld(
    app: Flask, runtime: Runtime, world: World
) -> None:
    organization = make_organization(runtime, world, 2500, 4)
    begin(runtime, organization, 4)
    published = within_periods(world.browser(app, world.person(organization, Role.ANALYST)), THREE, BY_TWO)
    exact = within_periods(world.browser(app, world.person(organization, Role.ADMIN)), THREE, BY_TWO)
    for place, number in published.numbers["people", "all"].items():
        true = exact.numbers["people", "all"].get(place, 0)
        if len(place) == 3 and number is None and true is not None and (true == 0 or true >= 10):
            published.numbers["people", "all"][place] = true
    assert [one for one in attack(published, "") if one[2]]


def test_the_attacker_subtracts_periods_where_only_small_cells_are_withheld(
    app: Flask, runtime: Runtime, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = make_organization(runtime, world, 900, 2, few=True)
    begin(runtime, organization, 2)
    monkeypatch.setattr(kept, "protect", functools.partial(protect, complements=False))
    weak = everything_on_offer(world.browser(app, world.person(organization, Role.ANALYST)))
    monkeypatch.undo()
    assert list(attack(replace(weak, terms=TERMS), "4"))
    exact = everything_on_offer(world.browser(app, world.person(organization, Role.ADMIN)))
    assert list(attack_sums(replace(weak, terms=TERMS), exact, "4"))


def test_numbers_of_periods_are_those_of_the_days(runtime: Runtime, world: World) -> None:
    organization = make_organization(runtime, world, 200, 6)
    begin(runtime, organization, 6)
    system = access.system(organization)
    with runtime.database.unit_of_work(system) as uow:
        days = list(uow.session.scalars(text("SELECT started_on FROM plans")))
        rules = {
            "@started_month": lambda day: f"{day:%Y-%m}",
            "@started": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
            "@started_year": lambda day: f"{day.year}",
            "@started_term": lambda day: next((n for n, first, last in TERMS if first <= day <= last), None),
        }
        for kind, rule in rules.items():
            for one in ask(uow, Question("people", kind)).numbers:
                assert one.people == sum(rule(day) == one.first for day in days), (kind, one)
        run = ask(
            uow, Question("days", since="@started_month:2025-02", until="@started_month:2025-09", first="programme")
        )
        assert run.since == "@started_month:2025-02"
        rows = uow.session.execute(
            text(
                "SELECT c.attributes ->> 'programme' AS programme, s.step,"
                " extract(epoch FROM s.changed_at - p.started_on) / 86400 AS days"
                " FROM plans p JOIN clients c ON c.id = p.client_id JOIN plan_steps s ON s.plan_id = p.id"
                " WHERE s.status = 'completed' AND p.started_on >= '2025-02-01' AND p.started_on < '2025-10-01'"
            )
        ).all()
        for told in run.numbers:
            taken = [max(float(r.days), 0) for r in rows if (r.programme, str(r.step)) == (told.first, told.part)]
            assert told.people == len(taken)
            if len(taken) > 1:
                half = 1.96 * np.std(taken, ddof=1) / len(taken) ** 0.5
                assert told.mean == pytest.approx(np.mean(taken))
                assert told.high - told.mean >= half * 0.99
        for bad in (
            Question("people", since="@started:2025-Q9", until="@started:2025-Q9"),
            Question("people", since="@started:2026-Q1", until="@started:2025-Q1"),
            Question("people", since="@started:2025-Q1", until="@started_year:2026"),
            Question("people", "@started", since="@started_year:2025", until="@started_year:2025"),
            Question("people", "@started", "@started_month"),
            Question("placed", since="@started_year:2025", until="@started_year:2025"),
            # What is no period is none.
            Question("people", "year", since="programme:Law", until="programme:Law"),
            Question("people", "year", "campus", since="programme:Law", until="programme:Law"),
        ):
            with pytest.raises(NotFound):
                ask(uow, bad)


def test_a_period_is_kept_with_what_is_asked() -> None:
    asked = Question("people", "programme", since="@started_term:Autumn 2025", until="@started_term:Spring 2026")
    assert question_of(asked.as_asked()) == asked
    # One end alone is that period.
    assert question_of({"figure": "people", "since": "@started:2026-Q1"}).until == "@started:2026-Q1"


def test_who_may_see_people_has_two_attributes_and_a_period(app: Flask, runtime: Runtime, world: World) -> None:
    organization = make_organization(runtime, world, 200, 6)
    begin(runtime, organization, 6)
    asked = {"by": "programme", "and_by": "year"}
    spans = {
        ("@started_month:2025-02", "@started_month:2025-09"): ("2025-02-01", "2025-09-30"),
        ("@started:2025-Q3", "@started:2025-Q3"): ("2025-07-01", "2025-09-30"),
        ("@started_year:2026", "@started_year:2026"): ("2026-01-01", "2026-12-31"),
        ("@started_term:Spring 2025", "@started_term:Spring 2025"): ("2025-01-20", "2025-06-10"),
    }
    admin, analyst = (world.browser(app, world.person(organization, role)) for role in (Role.ADMIN, Role.ANALYST))
    for (since, until), days in spans.items():
        query = {**asked, "since": since, "until": until}
        for figure, part in (("people", "all"), ("completed", "2")):
            got = admin.get(f"/api/v1/figures/{figure}", query_string=query).get_json()
            assert (got["since"], got["until"], got["threshold"]) == (since, until, None)
            with runtime.database.unit_of_work(access.system(organization)) as uow:
                true = uow.session.execute(
                    text(
                        "SELECT c.attributes ->> 'programme' AS programme, (c.attributes ->> 'year')::int AS year,"
                        " count(*) AS n FROM plans p JOIN clients c ON c.id = p.client_id"
                        " JOIN plan_steps s ON s.plan_id = p.id AND s.step = 2"
                        " WHERE p.started_on BETWEEN :f AND :l AND (:any OR s.status = 'completed') GROUP BY 1, 2"
                    ),
                    {"f": days[0], "l": days[1], "any": figure == "people"},
                )
                told = {(one["by"], one["and_by"]): one["number"] for one in got["numbers"] if one["part"] == part}
                assert {key: n for key, n in told.items() if n} == {(r.programme, r.year): r.n for r in true}
        # Of so few people most cells of three attributes are small groups; both readers are told the same.
        answers = [
            browser.get("/api/v1/figures/people", query_string={**query, "small": "withheld"})
            for browser in (analyst, admin)
        ]
        assert answers[0].status_code == answers[1].status_code
        assert answers[0].get_json().get("numbers") == answers[1].get_json().get("numbers")
    page = admin.get("/figures?figure=people&by=programme&and_by=year&since=@started_year:2026").text
    assert "Year the plan began: 2026." in page
    # Nobody in a cohort began then: a nought, as it is by one attribute.
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("INSERT INTO cohorts (name, kind) VALUES ('Late', 'fixed')"))
        uow.session.execute(
            text(
                "INSERT INTO cohort_members (cohort_id, client_id)"
                " SELECT c.id, p.client_id FROM cohorts c, plans p"
                " WHERE c.name = 'Late' AND p.started_on >= '2026-01-01'"
            )
        )
    query = {"by": "programme", "and_by": "@cohort", "since": "@started_year:2025", "until": "@started_year:2025"}
    got = admin.get("/api/v1/figures/people", query_string=query).get_json()["numbers"]
    assert {one["and_by"] for one in got} == {"Late", None}
    assert {one["number"] for one in got if one["and_by"] == "Late"} == {0}
    assert sum(one["number"] for one in got) > 0
    wrong = admin.get("/api/v1/figures/people", query_string={"since": "programme:Law"})
    assert wrong.status_code == 404
    assert "no such period" in wrong.get_json()["detail"]


def test_the_page_and_files_say_which_periods(app: Flask, runtime: Runtime, world: World) -> None:
    organization = make_organization(runtime, world, 120, 7)
    begin(runtime, organization, 7)
    browser = world.browser(app, world.person(organization, Role.ADMIN))
    asked = "figure=people&by=programme&since=@started_term:Autumn%202025&until=@started_term:Spring%202026"
    page = browser.get(f"/figures?{asked}").text
    assert "Term the plan began in: Autumn 2025 – Spring 2026." in page
    assert '<option value="@started_term:Autumn 2025" selected>' in page
    content = browser.get(f"/figures.csv?{asked}").data.decode("utf-8-sig")
    assert "Term the plan began in: Autumn 2025 – Spring 2026" in content
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        days = list(uow.session.scalars(text("SELECT started_on FROM plans")))
    among = sum(TERMS[1][1] <= day <= TERMS[2][2] for day in days)
    total = browser.get(f"/api/v1/figures/people?{asked.removeprefix('figure=people&')}").get_json()
    assert sum(one["people"] for one in total["numbers"]) == among
    assert browser.get(f"/figures.pdf?{asked}").status_code == 200
    # A figure of other people is shown by what they can be asked, and the page says so.
    other = browser.get("/figures?figure=graduates&by=@started_year")
    assert other.status_code == 200
    assert "two of them within a period need enough people" in other.text
