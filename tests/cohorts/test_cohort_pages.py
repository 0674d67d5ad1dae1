"""The pages of cohorts without script: every button is a post that answers with what was typed."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain import access
from app.domain.access import Role
from app.features.clients.commands import ClientDetails, DefineAttribute
from app.features.clients.service import create_client, define_attribute
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.queries import list_cohorts
from app.features.cohorts.service import add_members, create_cohort
from app.infra.runtime import Runtime
from tests.factories import Person, World


@pytest.fixture
def admin(world: World, app: Flask) -> Person:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.person(world.organization(), Role.ADMIN)


@pytest.fixture
def students(runtime: Runtime, admin: Person) -> list[UUID]:
    with runtime.database.unit_of_work(admin.actor) as uow:
        define_attribute(uow, DefineAttribute(label="Programme", kind="choice", choices=["Law", "Economics"]))
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        return [
            create_client(
                uow,
                ClientDetails(
                    external_id=f"X{n}",
                    given_name="Ann",
                    family_name=f"Fam{n}",
                    attributes={"programme": "Law" if n % 2 else "Economics", "year": n},
                ),
            ).id
            for n in range(4)
        ]


def test_a_rule_is_built_row_by_row(
    app: Flask, world: World, runtime: Runtime, admin: Person, students: list[UUID]
) -> None:
    browser: FlaskClient = world.browser(app, admin)
    assert "people match now" in browser.get("/cohorts/new-rule").text
    typed = {"name": "Lawyers", "match": "all", "field-0": "@active", "is-0": "is", "value-0": "yes"}
    added = browser.post("/cohorts/new-rule", data=typed | {"act": "add", "about": "programme"}).text
    assert 'name="field-1" value="programme"' in added
    assert 'value="Lawyers"' in added
    typed |= {"field-1": "programme", "is-1": "any_of"}
    bad = browser.post("/cohorts/new-rule", data=typed | {"act": "save"})
    assert bad.status_code == 422
    assert "Say what Programme is compared with." in bad.text
    assert 'href="#value-1"' in bad.text
    typed["value-1"] = "Law"
    counted = browser.post("/cohorts/new-rule", data=typed | {"act": "count"}).text
    assert '<b class="figures">2</b>' in counted
    removed = browser.post("/cohorts/new-rule", data=typed | {"act": "remove-1"}).text
    assert '<b class="figures">4</b>' in removed
    saved = browser.post("/cohorts/new-rule", data=typed | {"act": "save"})
    assert saved.status_code == 302
    page = browser.get(saved.headers["Location"]).text
    assert "Programme is any of Law" in page
    assert page.count('<tr role="row">') == 3
    edit = saved.headers["Location"] + "/edit"
    assert '<option value="Law" selected>' in browser.get(edit).text
    years = typed | {"field-1": "year", "is-1": "any_of", "value-1": "1; 2;3", "act": "save"}
    assert browser.post(edit, data=years).status_code == 302
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert [(line.cohort.name, line.members) for line in list_cohorts(uow)] == [("Lawyers", 3)]


def test_a_list_is_made_filled_and_put_away(app: Flask, world: World, admin: Person, students: list[UUID]) -> None:
    browser = world.browser(app, admin)
    assert browser.post("/cohorts/new", data={"name": " "}).status_code == 422
    made = browser.post("/cohorts/new", data={"name": "Spring"})
    where = made.headers["Location"]
    assert browser.post(f"{where}/members", data={"text": " "}).status_code == 422
    partly = browser.post(f"{where}/members", data={"text": "X1\nx2\nnobody@example.org"}).text
    assert "2 people were added." in partly
    assert "nobody@example.org</textarea>" in partly
    assert "X1</td>" in partly
    browser.post(f"{where}/remove", data={"client": [str(students[1]), "odd", "x" * 36]})
    page = browser.get(where).text
    assert str(students[1]) not in page
    assert str(students[2]) in page
    browser.post(f"{where}/archive")
    assert "Spring" not in browser.get("/cohorts").text.split("<main")[1].split("is archived")[-1]
    assert "Spring" in browser.get("/cohorts?archived=1").text
    browser.post(f"{where}/archive", data={"archived": "0"})
    assert "Spring" in browser.get("/cohorts").text


def test_a_counsellor_uses_cohorts_and_manages_none(app: Flask, world: World, runtime: Runtime, admin: Person) -> None:
    here = admin.actor.organization_id
    counsellor = world.person(here, Role.COUNSELLOR)
    own, other = world.clients(here, 2)
    world.caseload(counsellor, [own])
    world.plans(here, [own], "ccsnnnnn")
    with runtime.database.unit_of_work(access.system(here)) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Both"))
        add_members(uow, ChangeMembers(cohort_id=cohort.id, clients=[own, other]))
    browser = world.browser(app, counsellor)
    assert "New rule" not in browser.get("/cohorts").text
    page = browser.get(f"/cohorts/{cohort.id}").text
    assert str(own) in page
    assert str(other) not in page
    assert 'href="#d-ccsnnnnn"' in page
    assert browser.post(f"/cohorts/{cohort.id}/archive").status_code == 403
    elsewhere = world.person(world.organization(), Role.ADMIN)
    assert world.browser(app, elsewhere).get(f"/cohorts/{cohort.id}").status_code == 404
