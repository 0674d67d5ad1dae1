"""Cohorts: fixed lists, rules that keep themselves current, and pasting who belongs."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.features.clients.commands import AssignCounsellor, ClientDetails, DefineAttribute
from app.features.clients.service import assign_counsellor, create_client, define_attribute, edit_client
from app.features.cohorts.commands import ChangeCohort, ChangeMembers, CreateCohort, PasteMembers
from app.features.cohorts.models import CohortMember
from app.features.cohorts.queries import get_cohort, list_cohorts, members_of
from app.features.cohorts.runner import refresh_stale_cohorts
from app.features.cohorts.service import (
    add_members,
    archive_cohort,
    change_cohort,
    create_cohort,
    paste_members,
    remove_members,
)
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from tests.factories import World

SENIORS = {"all": [{"field": "year", "is": "at_least", "values": ["3"]}]}


def members(uow: UnitOfWork, cohort_id: UUID) -> set[UUID]:
    return set(uow.session.scalars(select(CohortMember.client_id).where(CohortMember.cohort_id == cohort_id)))


def student(uow: UnitOfWork, number: str, year: int, *, active: bool = True) -> UUID:
    details = ClientDetails(
        external_id=number, given_name="A", family_name=number, attributes={"year": year}, active=active
    )
    return create_client(uow, details).id


def test_a_rule_follows_its_clients(runtime: Runtime, world: World) -> None:
    here = world.organization()
    system = access.system(here)
    with runtime.database.unit_of_work(system) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        young, old = student(uow, "1", 2), student(uow, "2", 4)
        cohort = create_cohort(uow, CreateCohort(name="Seniors", rule=SENIORS))
        assert members(uow, cohort.id) == {old}
    assert refresh_stale_cohorts(runtime, here) == 0
    with runtime.database.unit_of_work(system) as uow:
        late = student(uow, "3", 3)
        for client, number, year in ((young, "1", 3), (old, "2", 1)):
            details = ClientDetails(external_id=number, given_name="A", family_name="B", attributes={"year": year})
            edit_client(uow, client, details)
        assert get_cohort(uow, cohort.id).stale
    assert refresh_stale_cohorts(runtime, here) == 1
    with runtime.database.unit_of_work(system) as uow:
        assert members(uow, cohort.id) == {young, late}
        assert not get_cohort(uow, cohort.id).stale
        change_cohort(
            uow,
            ChangeCohort(
                cohort_id=cohort.id, name="Juniors", rule={"any": [{"field": "year", "is": "is", "values": [1]}]}
            ),
        )
        assert members(uow, cohort.id) == {old}
    assert refresh_stale_cohorts(runtime, here) == 0


def test_a_rule_on_the_counsellor_follows_the_caseload(runtime: Runtime, world: World) -> None:
    here = world.organization()
    counsellor = world.person(here, Role.COUNSELLOR)
    ids = world.clients(here, 3)
    assert counsellor.actor.membership_id is not None
    rule = {"all": [{"field": "@counsellor", "is": "is", "values": [str(counsellor.actor.membership_id)]}]}
    with runtime.database.unit_of_work(access.system(here)) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Theirs", rule=rule))
        assign_counsellor(uow, AssignCounsellor(counsellor_id=counsellor.actor.membership_id, clients=ids[:2]))
    refresh_stale_cohorts(runtime, here)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        assert members(uow, cohort.id) == set(ids[:2])


def test_a_list_is_filled_by_paste_and_says_whom_it_does_not_know(runtime: Runtime, world: World) -> None:
    here = world.organization()
    admin = world.person(here, Role.ADMIN)
    (shared,) = world.clients(here, 1, email_folded="twins@example.org")
    with runtime.database.unit_of_work(admin.actor) as uow:
        amara = create_client(
            uow, ClientDetails(external_id="É-17", given_name="A", family_name="O", email="Amara@example.org")
        )
        twin = create_client(
            uow, ClientDetails(external_id="t2", given_name="T", family_name="W", email="TWINS@example.org")
        )
        cohort = create_cohort(uow, CreateCohort(name="List"))
        text = "e-17, amara@example.org\r\nNobody;twins@EXAMPLE.org\tnobody"
        report = paste_members(uow, PasteMembers(cohort_id=cohort.id, text=text))
        assert (report.added, report.already, report.unknown) == (3, 0, ("nobody",))
        assert members(uow, cohort.id) == {amara.id, twin.id, shared}
        again = paste_members(uow, PasteMembers(cohort_id=cohort.id, text="t2"))
        assert (again.added, again.already, again.unknown) == (0, 1, ())
        assert remove_members(uow, ChangeMembers(cohort_id=cohort.id, clients=[twin.id, twin.id])) == 1
        with pytest.raises(InvalidInput, match="at least one"):
            paste_members(uow, PasteMembers(cohort_id=cohort.id, text=" ,\n; "))


def test_a_counsellor_sees_members_of_the_own_caseload_only(runtime: Runtime, world: World) -> None:
    here = world.organization()
    counsellor = world.person(here, Role.COUNSELLOR)
    ids = world.clients(here, 5)
    world.caseload(counsellor, ids[:2])
    with runtime.database.unit_of_work(access.system(here)) as uow:
        cohort = create_cohort(uow, CreateCohort(name="List"))
        assert add_members(uow, ChangeMembers(cohort_id=cohort.id, clients=ids)) == 5
        assert add_members(uow, ChangeMembers(cohort_id=cohort.id, clients=ids)) == 0
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        page = members_of(uow, cohort.id)
        assert ({m.id for m in page.members}, page.total) == (set(ids[:2]), 2)
        assert [(line.cohort.name, line.members) for line in list_cohorts(uow)] == [("List", 5)]
    with runtime.database.unit_of_work(access.system(here)) as uow:
        assert [m.id for m in members_of(uow, cohort.id, offset=4, limit=2).members] == [ids[4]]


def test_names_are_taken_once_and_kinds_stay(runtime: Runtime, world: World) -> None:
    here = world.organization()
    with runtime.database.unit_of_work(access.system(here)) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        fixed = create_cohort(uow, CreateCohort(name="  List  one "))
        assert fixed.name == "List one"
        rule = create_cohort(uow, CreateCohort(name="Rule", rule=SENIORS))
        with pytest.raises(InvalidInput, match="already"):
            create_cohort(uow, CreateCohort(name="List one"))
        with pytest.raises(InvalidInput, match="already"):
            change_cohort(uow, ChangeCohort(cohort_id=rule.id, name="List one"))
        with pytest.raises(InvalidInput, match="name"):
            create_cohort(uow, CreateCohort(name=" "))
        with pytest.raises(InvalidInput, match="Choose what"):
            create_cohort(uow, CreateCohort(name="New", rule={"all": [{"field": "x", "is": "is"}]}))
        with pytest.raises(Conflict, match="rule"):
            add_members(uow, ChangeMembers(cohort_id=rule.id, clients=[]))


def test_an_archived_rule_is_left_alone_until_taken_up_again(runtime: Runtime, world: World) -> None:
    here = world.organization()
    analyst = world.person(here, Role.ANALYST)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        define_attribute(uow, DefineAttribute(label="Year", kind="number"))
        cohort = create_cohort(uow, CreateCohort(name="Seniors", rule=SENIORS))
        archive_cohort(uow, cohort.id)
        client = student(uow, "1", 5)
        assert not get_cohort(uow, cohort.id).stale
        assert (list_cohorts(uow), len(list_cohorts(uow, archived=True))) == ([], 1)
        archive_cohort(uow, cohort.id, archived=False)
        assert members(uow, cohort.id) == {client}
    with runtime.database.unit_of_work(analyst.actor) as uow, pytest.raises(NotFound):
        get_cohort(uow, cohort.id)
