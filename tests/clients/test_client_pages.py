"""Pages of clients: what was typed is kept, each problem is told beside its field."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain import access
from app.domain.access import Role
from app.features.clients.commands import DefineAttribute
from app.features.clients.models import Client
from app.features.clients.service import define_attribute
from app.infra.runtime import Runtime
from tests.factories import Person, World


@pytest.fixture
def admin(world: World, app: Flask, runtime: Runtime) -> Person:
    app.config["WTF_CSRF_ENABLED"] = False
    person = world.person(world.organization(), Role.ADMIN)
    with runtime.database.unit_of_work(person.actor) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        define_attribute(uow, DefineAttribute(label="Honours", kind="boolean"))
        define_attribute(uow, DefineAttribute(label="Programme", kind="choice", choices=["Law", "Economics"]))
    return person


def test_somebody_is_added_and_edited(app: Flask, world: World, runtime: Runtime, admin: Person) -> None:
    browser = world.browser(app, admin)
    typed = {"given_name": "Amara", "family_name": "Okafor", "external_id": "E1", "active": "y"}
    wrong = browser.post("/clients/new", data=typed | {"attribute_year": "third", "email": "x"})
    assert wrong.status_code == 422
    assert 'value="Amara"' in wrong.text
    assert "“third” is not a number" in wrong.text
    assert 'href="#attribute_year"' in wrong.text
    good = typed | {"attribute_year": "3", "attribute_honours": "yes", "attribute_programme": "Law", "email": "a@b.org"}
    made = browser.post("/clients/new", data=good)
    assert made.status_code == 302
    assert browser.post("/clients/new", data=good).status_code == 422
    where = made.headers["Location"]
    page = browser.get(where).text
    assert 'href="mailto:a%40b.org"' in page or 'href="mailto:a@b.org"' in page
    edit = browser.get(f"{where}/edit").text
    assert '<option selected value="Law">' in edit
    assert '<option selected value="yes">' in edit
    gone = {k: v for k, v in good.items() if k != "active"} | {"attribute_honours": "", "attribute_year": ""}
    assert browser.post(f"{where}/edit", data=gone).status_code == 302
    with runtime.database.unit_of_work(admin.actor) as uow:
        client = uow.session.scalars(select(Client)).one()
        assert (client.attributes, client.active) == ({"programme": "Law"}, False)


def test_a_contact_is_noted_for_the_own_caseload_only(
    app: Flask, world: World, runtime: Runtime, admin: Person
) -> None:
    here = admin.actor.organization_id
    counsellor = world.person(here, Role.COUNSELLOR)
    own, other = world.clients(here, 2)
    world.caseload(counsellor, [own])
    browser = world.browser(app, counsellor)
    assert browser.post(f"/clients/{own}/contact", data={"back": "today"}).headers["Location"] == "/"
    assert browser.post(f"/clients/{other}/contact").status_code == 404
    assert browser.get(f"/clients/{other}/edit").status_code == 404
    assert browser.get("/clients/new").status_code == 403
    with runtime.database.unit_of_work(access.system(here)) as uow:
        met = uow.session.scalars(select(Client.id).where(Client.last_contact_at.is_not(None))).all()
    assert met == [own]


def test_attributes_are_added_and_renamed(app: Flask, world: World, admin: Person) -> None:
    browser = world.browser(app, admin)
    assert browser.post("/clients/attributes", data={"label": "Year", "kind": "text"}).status_code == 422
    assert browser.post("/clients/attributes", data={"label": "Campus", "kind": "choice"}).status_code == 422
    added = browser.post("/clients/attributes", data={"label": "Campus", "kind": "choice", "choices": "North\nSouth"})
    assert added.status_code == 302
    page = browser.get("/clients/attributes").text
    assert "North\nSouth</textarea>" in page
    row = page.split("/clients/attributes/")[1].split('"')[0]
    renamed = browser.post(f"/clients/attributes/{row}", data={"label": "Stage", "position": "9"})
    assert renamed.status_code == 302
    assert "Stage" in browser.get("/clients/attributes").text
    assert browser.post(f"/clients/attributes/{uuid4()}", data={"label": "x"}).status_code == 404
