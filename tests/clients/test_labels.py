"""Labels: whose they are, putting them on many at once, and cohorts whose rule asks for one."""

from __future__ import annotations

from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.features.clients.commands import CreateLabel
from app.features.clients.labels import (
    create_label,
    delete_label,
    labels_of,
    list_labels,
    put_labels,
    take_labels,
    visible_labels,
)
from app.features.cohorts.commands import CreateCohort
from app.features.cohorts.models import CohortMember
from app.features.cohorts.runner import refresh_stale_cohorts
from app.features.cohorts.service import create_cohort
from app.infra.runtime import Runtime
from tests.factories import Person, World


@pytest.fixture
def admin(world: World, app: Flask) -> Person:
    app.config["WTF_CSRF_ENABLED"] = False
    return world.person(world.organization(), Role.ADMIN)


@pytest.fixture
def lena(world: World, admin: Person) -> Person:
    return world.person(admin.actor.organization_id, Role.COUNSELLOR, "Lena")


def make(runtime: Runtime, person: Person, name: str, *, shared: bool = False) -> UUID:
    with runtime.database.unit_of_work(person.actor) as uow:
        return create_label(uow, CreateLabel(name=name, shared=shared)).id


def test_a_label_is_the_organization_s_or_one_member_s(
    runtime: Runtime, world: World, admin: Person, lena: Person
) -> None:
    own, shared = make(runtime, lena, "Call back"), make(runtime, admin, "Scholarship", shared=True)
    with runtime.database.unit_of_work(lena.actor) as uow:
        assert [label.id for label in visible_labels(uow)] == [own, shared]
        with pytest.raises(Forbidden):
            create_label(uow, CreateLabel(name="For all", shared=True))
        # The same word may be hers and the organization's, and is no second time hers.
        create_label(uow, CreateLabel(name="Scholarship"))
        for bad in ("Call  back", "  ", "x" * 61):
            with pytest.raises(InvalidInput):
                create_label(uow, CreateLabel(name=bad))
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert [label.id for label in visible_labels(uow)] == [shared]
        with pytest.raises(NotFound):
            put_labels(uow, own, [])
    with runtime.database.unit_of_work(lena.actor) as uow, pytest.raises(Forbidden):
        delete_label(uow, shared)


def test_many_are_labelled_at_once_and_only_whom_one_sees(
    runtime: Runtime, world: World, admin: Person, lena: Person
) -> None:
    here = admin.actor.organization_id
    mine, other = world.clients(here, 3), world.clients(here, 1)
    world.caseload(lena, mine)
    label = make(runtime, admin, "Scholarship", shared=True)
    with runtime.database.unit_of_work(lena.actor) as uow:
        assert set(put_labels(uow, label, [*mine[:2], *other])) == set(mine[:2])
        assert put_labels(uow, label, mine) == [mine[2]]
        assert [(line.clients, line.mine) for line in list_labels(uow)] == [(3, False)]
        assert set(take_labels(uow, label, [mine[0], *other])) == {mine[0]}
        assert [len(found) for found in labels_of(uow, mine).values()] == [0, 1, 1]
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert [(line.clients, line.mine) for line in list_labels(uow)] == [(2, True)]


def test_a_cohort_follows_a_label_and_holds_on_to_it(runtime: Runtime, world: World, admin: Person) -> None:
    here = admin.actor.organization_id
    clients = world.clients(here, 3)
    label, own = make(runtime, admin, "Scholarship", shared=True), make(runtime, admin, "Mine")
    rule = {"all": [{"field": "@label", "is": "is", "values": [str(label)]}]}
    with runtime.database.unit_of_work(admin.actor) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Scholars", rule=rule)).id
        # What only one member sees is nothing to build a group on.
        with pytest.raises(InvalidInput):
            create_cohort(uow, CreateCohort(name="Own", rule={"all": [rule["all"][0] | {"values": [str(own)]}]}))

    def members() -> set[UUID]:
        refresh_stale_cohorts(runtime, here)
        with runtime.database.unit_of_work(access.system(here)) as uow:
            return set(uow.session.scalars(select(CohortMember.client_id).where(CohortMember.cohort_id == cohort)))

    assert members() == set()
    with runtime.database.unit_of_work(admin.actor) as uow:
        put_labels(uow, label, clients[:2])
    assert members() == set(clients[:2])
    with runtime.database.unit_of_work(admin.actor) as uow:
        take_labels(uow, label, clients[:1])
        with pytest.raises(Conflict, match="Scholars"):
            delete_label(uow, label)
        delete_label(uow, own)
    assert members() == {clients[1]}


def test_the_pages_make_put_on_and_take_off(app: Flask, world: World, admin: Person, lena: Person) -> None:
    here = admin.actor.organization_id
    client, other = world.clients(here, 2)
    world.caseload(lena, [client])
    browser = world.browser(app, lena)
    assert browser.post("/labels", data={"name": ""}).status_code == 422
    assert browser.post("/labels", data={"name": "<i>Call</i>", "tone": "bad"}).status_code == 302
    page = browser.get("/labels").text
    assert "&lt;i&gt;Call&lt;/i&gt;" in page
    label = page.split('action="/labels/')[1].split('"')[0]
    assert browser.post(f"/clients/{client}/labels", data={"put": label}).status_code == 302
    assert f'name="take" value="{label}"' in browser.get(f"/clients/{client}").text
    listed = browser.get(f"/caseload?label={label}").text
    assert "tag-label tag-bad" in listed
    assert f"/clients/{client}" in listed
    assert browser.post(f"/clients/{other}/labels", data={"put": label}).status_code == 404
    assert browser.post(f"/clients/{client}/labels", data={"put": "odd"}).status_code == 422
    # Somebody else's own label is not there for others, whatever address they try.
    admins = world.browser(app, admin)
    assert "Call" not in admins.get("/caseload").text
    assert f"/clients/{client}" not in admins.get(f"/caseload?label={label}").text
    assert browser.post(f"/labels/{label}", data={"name": "Later", "tone": "ok"}).status_code == 302
    assert browser.post(f"/clients/{client}/labels", data={"take": label}).status_code == 302
    assert browser.post(f"/labels/{label}/delete").status_code == 302
    assert label not in browser.get(f"/clients/{client}").text
