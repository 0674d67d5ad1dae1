"""What each wall stops on its own: row security below, the session's own criteria above."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import aliased

from app.domain import access
from app.features.clients.models import CaseloadEntry, Client
from app.infra.db.open import Bell, Database, UnsafeRole
from app.infra.db.tenancy import Base, TenantRow
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Servers, replace
from tests.one_of_everything import fill, tenant_tables


def test_row_security_hides_other_organizations_from_core_and_text(runtime: Runtime, world: World) -> None:
    ours, theirs = world.organization(), world.organization()
    world.clients(ours, 2)
    foreign = world.clients(theirs, 3)
    with runtime.database.unit_of_work(access.system(ours)) as uow:
        assert len(uow.session.execute(select(Client.__table__)).all()) == 2
        assert uow.session.execute(text("SELECT count(*) FROM clients")).scalar_one() == 2
        assert uow.session.get(Client, (theirs, foreign[0])) is None
        changed = uow.session.execute(text("UPDATE clients SET given_name = 'x' RETURNING id")).all()
        assert len(changed) == 2


def test_a_row_of_another_organization_cannot_be_written(runtime: Runtime, world: World) -> None:
    ours, theirs = world.organization(), world.organization()
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        runtime.database.unit_of_work(access.system(ours)) as uow,
    ):
        uow.session.add(
            Client(
                organization_id=theirs,
                external_id="1",
                given_name="A",
                family_name="B",
                given_folded="a",
                family_folded="b",
                external_folded="1",
            )
        )


def test_a_reference_across_organizations_cannot_be_stored(runtime: Runtime, world: World) -> None:
    ours, theirs = world.organization(), world.organization()
    counsellor = world.person(ours, access.Role.COUNSELLOR)
    foreign = world.clients(theirs, 1)[0]
    with (
        pytest.raises(IntegrityError, match="fk_caseload_entries"),
        runtime.database.unit_of_work(counsellor.actor) as uow,
    ):
        uow.session.add(CaseloadEntry(membership_id=counsellor.actor.membership_id, client_id=foreign))


def test_without_an_organization_there_are_no_rows(runtime: Runtime, world: World) -> None:
    world.clients(world.organization(), 2)
    with runtime.database.directory_session() as session:
        assert session.execute(text("SELECT count(*) FROM clients")).scalar_one() == 0


def test_the_application_refuses_a_role_that_sees_everything(servers: Servers, live: Runtime) -> None:
    live.database.refuse_unsafe_roles()
    name = live.settings.database_url.rsplit("/", 1)[1]
    for role_url in (
        servers.url("octant_owner", name),
        servers.postgres.superuser_url.rsplit("/", 1)[0] + f"/{name}",
    ):
        unsafe = Database(replace(live.settings, database_url=role_url), SilentDoorbell())
        with pytest.raises(UnsafeRole, match="Database roles"):
            unsafe.refuse_unsafe_roles()
        unsafe.dispose()


def test_a_failed_unit_leaves_nothing_and_rings_nothing(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    doorbell = runtime.doorbell
    assert isinstance(doorbell, SilentDoorbell)
    before = len(doorbell.rung)
    with pytest.raises(ZeroDivisionError), runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("UPDATE organizations SET name = 'changed'"))
        uow.ring(Bell.BULK)
        _ = 1 / 0
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert uow.session.execute(text("SELECT name FROM organizations")).scalar_one() != "changed"
    assert len(doorbell.rung) == before


@pytest.fixture
def without_row_security(live: Runtime, servers: Servers) -> Iterator[Database]:
    """The same database through a role that row security does not hold: only the session's own criteria are left."""
    name = live.settings.database_url.rsplit("/", 1)[1]
    superuser = servers.postgres.superuser_url.rsplit("/", 1)[0] + f"/{name}"
    database = Database(replace(live.settings, database_url=superuser), SilentDoorbell())
    yield database
    database.dispose()


def test_t3_without_row_security_the_sessions_criteria_hold_for_every_row_class(
    live: Runtime, without_row_security: Database
) -> None:
    world = World(live)
    ours, theirs = fill(world), fill(world)
    seen = 0
    with without_row_security.unit_of_work(access.system(ours.organization)) as uow:
        both = uow.session.execute(text("SELECT count(DISTINCT organization_id) FROM clients")).scalar_one()
        assert both == 2, "the role must see through row security, or this test shows nothing"
        for mapper in Base.registry.mappers:
            if not issubclass(mapper.class_, TenantRow):
                continue
            rows = uow.session.scalars(select(mapper.class_)).all()
            assert {row.organization_id for row in rows} == {ours.organization}, mapper.class_.__name__
            counted = uow.session.execute(select(func.count()).select_from(mapper.class_)).scalar_one()
            assert counted == len(rows), mapper.class_.__name__
            seen += 1
    assert seen == len(tenant_tables())
    assert theirs.organization != ours.organization


def test_t3_without_row_security_neither_join_nor_change_nor_key_reaches_another_organization(
    live: Runtime, without_row_security: Database
) -> None:
    world = World(live)
    ours, theirs = world.organization(), world.organization()
    mine, foreign = world.clients(ours, 2), world.clients(theirs, 3)
    cohort_of_both = select(Client.id, CaseloadEntry.client_id).join(
        CaseloadEntry, CaseloadEntry.client_id == Client.id, isouter=True
    )
    other = aliased(Client)
    with without_row_security.unit_of_work(access.system(ours)) as uow:
        assert {row.id for row in uow.session.execute(cohort_of_both)} == set(mine)
        assert (
            len(uow.session.execute(select(Client.id, other.id).join(other, other.active == Client.active)).all()) == 4
        )
        assert uow.session.get(Client, (theirs, foreign[0])) is None
        changed = uow.session.execute(
            update(Client).values(given_name="x"), execution_options={"synchronize_session": False}
        )
        assert changed.rowcount == 2
        gone = uow.session.execute(delete(Client).where(Client.id == foreign[0]))
        assert gone.rowcount == 0


def test_a_row_met_before_is_not_handed_to_another_organizations_session(
    live: Runtime, without_row_security: Database
) -> None:
    """`get` answers from a session's memory without asking anybody; that memory is its own and of its organization."""
    world = World(live)
    ours, theirs = world.organization(), world.organization()
    foreign = world.clients(theirs, 1)[0]
    with without_row_security.unit_of_work(access.system(theirs)) as their_uow:
        held = their_uow.session.get_one(Client, (theirs, foreign))
        assert their_uow.session.get(Client, (theirs, foreign)) is held
        with without_row_security.unit_of_work(access.system(ours)) as our_uow:
            assert our_uow.session.get(Client, (theirs, foreign)) is None
            assert our_uow.session.get(Client, (ours, foreign)) is None
            assert all(key[1][0] == ours for key in our_uow.session.identity_map)


def test_a_session_keeps_its_organization(runtime: Runtime, world: World) -> None:
    ours, theirs = world.organization(), world.organization()
    with runtime.database.unit_of_work(access.system(ours)) as uow:
        with pytest.raises(AttributeError):
            uow.session.organization_id = theirs  # type: ignore[misc] # what must not be possible
        assert uow.session.organization_id == ours
