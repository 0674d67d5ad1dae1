"""Clients: who may see them, how they are found, and what changing them leaves behind."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from app.domain import access
from app.domain.access import Actor, Role
from app.domain.errors import InvalidInput, NotFound
from app.features.audit.models import AuditEntry
from app.features.audit.service import verify
from app.features.clients.commands import (
    AssignCounsellor,
    ChangeAttribute,
    ClientDetails,
    DefineAttribute,
    RemoveCounsellor,
)
from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.policy import visible_clients
from app.features.clients.queries import (
    attributes,
    chosen_clients,
    counsellors,
    counsellors_of,
    find_clients,
    get_client,
    holds,
)
from app.features.clients.service import (
    assign_counsellor,
    change_attribute,
    create_client,
    define_attribute,
    edit_client,
    record_contact,
    remove_counsellor,
)
from app.infra.db.open import Bell
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime
from tests.factories import World

AMARA = ClientDetails(external_id="E-17", given_name="Amara Zoë", family_name="Okafor-Weber", email="Amara@Example.org")


def seen(runtime: Runtime, actor: Actor) -> set[UUID]:
    with runtime.database.unit_of_work(actor) as uow:
        return set(uow.session.scalars(select(Client.id).where(visible_clients(actor))))


def test_each_role_sees_its_own_clients(runtime: Runtime, world: World) -> None:
    here = world.organization()
    one, other = world.person(here, Role.COUNSELLOR), world.person(here, Role.COUNSELLOR)
    ids = world.clients(here, 3)
    world.caseload(one, ids[:2])
    assert seen(runtime, one.actor) == set(ids[:2])
    assert seen(runtime, other.actor) == set()
    assert seen(runtime, world.person(here, Role.ADMIN).actor) == set(ids)
    assert seen(runtime, world.person(here, Role.ANALYST).actor) == set()
    assert seen(runtime, access.system(here)) == set(ids)
    assert seen(runtime, access.review_link(here, ids[2])) == {ids[2]}
    own = access.member(Role.CLIENT, here, membership_id=uuid4(), client_id=ids[0])
    assert seen(runtime, own) == {ids[0]}
    assert seen(runtime, access.member(Role.CLIENT, here, membership_id=uuid4())) == set()
    sharing = access.member(Role.COUNSELLOR, here, membership_id=uuid4(), shares_caseloads=True)
    assert seen(runtime, sharing) == set(ids)


def test_a_client_of_somebody_else_is_not_found(runtime: Runtime, world: World) -> None:
    here = world.organization()
    counsellor = world.person(here, Role.COUNSELLOR)
    (client,) = world.clients(here, 1)
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        with pytest.raises(NotFound):
            get_client(uow, client)
        with pytest.raises(NotFound):
            edit_client(uow, client, AMARA)
        with pytest.raises(NotFound):
            record_contact(uow, client)


BEGINNINGS = ("ama", "OKAFOR", "amara@", "e-17", "okafor amara")


@pytest.mark.parametrize("typed", [*BEGINNINGS, "oka zoe", "weber", "kafo", "mara@ex", "-17", "afor MAR"])
def test_a_caseload_is_searched_by_any_part_and_all_people_by_beginnings(
    runtime: Runtime, world: World, typed: str
) -> None:
    here = world.organization()
    world.clients(here, 2)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        made = create_client(uow, AMARA)
        assert list(uow.session.scalars(select(Client.id).where(holds(typed)))) == [made.id]
        if typed in BEGINNINGS:
            assert [c.id for c in find_clients(uow, typed)] == [made.id]


def test_search_for_nothing_and_for_what_is_not_there(runtime: Runtime, world: World) -> None:
    here = world.organization()
    with runtime.database.unit_of_work(access.system(here)) as uow:
        made = create_client(uow, AMARA)
        assert find_clients(uow, "  ") == []
        assert find_clients(uow, "amara %") == []
        edit_client(uow, made.id, ClientDetails(external_id="E-17", given_name="A", family_name="O", active=False))
        assert find_clients(uow, "e-17") == []
        assert len(find_clients(uow, "e-17", with_inactive=True)) == 1


def test_every_bad_field_is_named_at_once(runtime: Runtime, world: World) -> None:
    here = world.organization()
    with runtime.database.unit_of_work(access.system(here)) as uow:
        define_attribute(uow, DefineAttribute(label="Year of study", kind="number"))
        bad = ClientDetails(
            external_id=" ",
            given_name="A",
            family_name="",
            email="not an address",
            time_zone="Mars/Olympus",
            locale="xx_Nowhere",
            attributes={"year_of_study": "three"},
        )
        with pytest.raises(InvalidInput) as caught:
            create_client(uow, bad)
    fields = [p.field for p in caught.value.problems]
    assert fields == ["external_id", "family_name", "email", "time_zone", "locale", "attributes.year_of_study"]


def test_an_id_is_given_once(runtime: Runtime, world: World) -> None:
    here = world.organization()
    with runtime.database.unit_of_work(access.system(here)) as uow:
        create_client(uow, AMARA)
        with pytest.raises(InvalidInput, match="already"):
            create_client(uow, AMARA)
        other = create_client(uow, ClientDetails(external_id="E-18", given_name="B", family_name="C"))
        with pytest.raises(InvalidInput, match="already"):
            edit_client(uow, other.id, AMARA)
        assert uow.session.execute(text("SELECT count(*) FROM clients")).scalar_one() == 2


def test_editing_keeps_other_attributes_and_is_audited(runtime: Runtime, world: World) -> None:
    here = world.organization()
    system = access.system(here)
    with runtime.database.unit_of_work(system) as uow:
        for label, kind in (("Year", "number"), ("Town", "text")):
            define_attribute(uow, DefineAttribute(label=label, kind=kind))
        made = create_client(
            uow,
            ClientDetails(external_id="1", given_name="A", family_name="B", attributes={"year": "2", "town": "Cork"}),
        )
        made.row_digest = b"imported"
    with runtime.database.unit_of_work(system) as uow:
        changed = ClientDetails(external_id="1", given_name="Á", family_name="B", attributes={"year": "3"})
        client = edit_client(uow, made.id, changed)
        assert client.attributes == {"year": 3, "town": "Cork"}
        assert (client.given_folded, client.row_digest) == ("a", None)
        emptied = ClientDetails(external_id="1", given_name="Á", family_name="B", attributes={"town": ""})
        assert edit_client(uow, made.id, emptied).attributes == {"year": 3}
    with runtime.database.unit_of_work(system) as uow:
        actions = uow.session.execute(
            select(AuditEntry.action, AuditEntry.detail).where(AuditEntry.subject_id == made.id)
        ).all()
        assert [a.action for a in actions] == ["client.created", "client.edited", "client.edited"]
        assert actions[1].detail == {"fields": ["attributes", "given_name"]}
        assert verify(uow) == []


def test_changing_clients_marks_rules_stale_and_rings(runtime: Runtime, world: World) -> None:
    here = world.organization()
    doorbell = runtime.doorbell
    assert isinstance(doorbell, SilentDoorbell)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text(
                "INSERT INTO cohorts (name, kind, rule)"
                " VALUES ('rule', 'rule', '{\"all\": []}'), ('fixed', 'fixed', NULL)"
            )
        )
        create_client(uow, AMARA)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        stale = uow.session.execute(text("SELECT name FROM cohorts WHERE stale")).scalars().all()
    assert stale == ["rule"]
    assert (Bell.SWEEP, here) in doorbell.rung


def test_a_new_primary_counsellor_takes_over_in_bulk(runtime: Runtime, world: World) -> None:
    here = world.organization()
    admin = world.person(here, Role.ADMIN, "Ada")
    one, two = world.person(here, Role.COUNSELLOR, "One"), world.person(here, Role.COUNSELLOR, "Two")
    ids = world.clients(here, 5)
    with runtime.database.unit_of_work(admin.actor) as uow:
        assert one.actor.membership_id is not None
        assert two.actor.membership_id is not None
        first = AssignCounsellor(counsellor_id=one.actor.membership_id, clients=ids)
        assert assign_counsellor(uow, first) == 5
        assert assign_counsellor(uow, first) == 0
        support = AssignCounsellor(counsellor_id=two.actor.membership_id, clients=ids[:2], kind="supporting")
        assert assign_counsellor(uow, support) == 2
        everyone = AssignCounsellor(
            counsellor_id=two.actor.membership_id, clients=select(Client.id).where(Client.id.in_(ids[1:3]))
        )
        assert assign_counsellor(uow, everyone) == 2
        assert [(c.name, c.kind) for c in counsellors_of(uow, ids[0])] == [("One", "primary"), ("Two", "supporting")]
        assert [(c.name, c.kind) for c in counsellors_of(uow, ids[1])] == [("Two", "primary")]
        assert [c.name for c in counsellors(uow)] == ["Ada", "One", "Two"]
        gone = RemoveCounsellor(counsellor_id=one.actor.membership_id, clients=ids)
        assert remove_counsellor(uow, gone) == 3
        with pytest.raises(NotFound):
            assign_counsellor(uow, AssignCounsellor(counsellor_id=uuid4(), clients=ids))
        assert assign_counsellor(uow, AssignCounsellor(counsellor_id=one.actor.membership_id, clients=[])) == 0
    with runtime.database.unit_of_work(admin.actor) as uow:
        noted = uow.session.execute(
            select(AuditEntry.action, AuditEntry.subject_id).where(AuditEntry.action.like("caseload.%"))
        ).all()
        assert len([n for n in noted if n.action == "caseload.assigned"]) == 9
        assert len([n for n in noted if n.action == "caseload.removed"]) == 3


def test_a_counsellor_moves_only_clients_of_the_own_caseload(runtime: Runtime, world: World) -> None:
    here = world.organization()
    one, two = world.person(here, Role.COUNSELLOR), world.person(here, Role.COUNSELLOR)
    ids = world.clients(here, 4)
    world.caseload(one, ids[:2])
    world.caseload(two, ids[2:])
    with runtime.database.unit_of_work(one.actor) as uow:
        assert set(uow.session.scalars(chosen_clients(uow, ids))) == set(ids[:2])
        assert two.actor.membership_id is not None
        assert assign_counsellor(uow, AssignCounsellor(counsellor_id=two.actor.membership_id, clients=ids)) == 2
        left = select(CaseloadEntry.client_id).where(CaseloadEntry.membership_id == one.actor.membership_id)
        assert uow.session.scalars(left).all() == []


def test_attributes_are_defined_once_and_changed_in_place(runtime: Runtime, world: World) -> None:
    here = world.organization()
    with runtime.database.unit_of_work(access.system(here)) as uow:
        year = define_attribute(uow, DefineAttribute(label="Year of study", kind="number"))
        define_attribute(uow, DefineAttribute(label="Programme", kind="choice", choices=["Economics", "Law"]))
        with pytest.raises(InvalidInput, match="already"):
            define_attribute(uow, DefineAttribute(label="year of STUDY", kind="text"))
        change_attribute(uow, ChangeAttribute(attribute_id=year.id, label="Year", position=9))
        assert [(a.key, a.label, a.choices) for a in attributes(uow)] == [
            ("programme", "Programme", ("Economics", "Law")),
            ("year_of_study", "Year", ()),
        ]
