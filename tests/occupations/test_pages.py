"""Pages and JSON of the catalogue for everybody who is signed in."""

from __future__ import annotations

import pytest
from flask import Flask

from app.domain.access import Role
from app.factory import create_app
from tests.factories import World

ROLES = (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST, Role.CLIENT)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_may_search_the_starter(app: Flask, world: World, role: Role) -> None:
    browser = world.browser(app, world.person(world.organization(), role))
    empty = browser.get("/occupations").text
    assert "This is the starter catalogue" in empty
    assert "O*NET® 30.1 Database" in empty
    found = browser.get("/occupations?q=softwar+develpoer").text
    assert "Software Developers" in found
    shown = browser.get("/occupations/15-1252.00")
    assert "Designs and writes programs and systems." in shown.text
    assert "Machine Learning, 11/2023, release 30.1" in shown.text
    assert "has not approved, endorsed or tested" in shown.text.replace("\n", " ")


def test_what_is_not_there_is_not_found(app: Flask, world: World) -> None:
    browser = world.browser(app, world.person(world.organization(), Role.CLIENT))
    for path in ("99-9999.00", "x", "15-1252.00?release=onet-99.9", "15-1252.00?release=?"):
        answer = browser.get(f"/occupations/{path}")
        assert answer.status_code == 404
        assert "no such occupation" in answer.text
    assert "Nothing found" in browser.get("/occupations?q=qqxxzz").text


def test_json(app: Flask, world: World) -> None:
    browser = world.browser(app, world.person(world.organization(), Role.COUNSELLOR))
    found = browser.get("/api/v1/occupations?search=nurse&limit=3").get_json()
    assert "Registered Nurses" in [item["title"] for item in found["items"]]
    assert (found["starter"], found["release"]) == (True, "starter-30.1")
    one = browser.get("/api/v1/occupations/29-1141.00").get_json()
    assert len(one["interests"]) == 6
    assert (one["outlook"], one["education"], one["rated"]) == (None, None, True)
    assert browser.get("/api/v1/occupations").status_code == 422
    assert browser.get("/api/v1/occupations/29-1141.99").status_code == 404


@pytest.mark.data
def test_the_whole_catalogue_on_a_page(catalogue_world: World) -> None:
    app = create_app(catalogue_world.runtime)
    browser = catalogue_world.browser(app, catalogue_world.person(catalogue_world.organization(), Role.CLIENT))
    nurse = browser.get("/occupations/29-1141.00").text
    for said in (
        "Growing",
        "O*NET® 29.3, 30.1 Database",
        "Employment Projections, 2024-34",
        "Jobs asking for at most it",
    ):
        assert said in nurse
    assert "starter" not in nurse
    # Withheld pay stands in the source's words; what is not rated says so.
    assert "&gt;=$239,200" in browser.get("/occupations/29-1022.00").text
    assert "is never ranked in matches" in browser.get("/occupations/55-3016.00").text
    # What an earlier match was made with can still be read.
    old = browser.get("/occupations/29-1141.00?release=starter-30.1").text
    assert "with which a match was made" in old
