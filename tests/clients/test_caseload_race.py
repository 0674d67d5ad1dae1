"""Two people who give the same client a primary counsellor at the same moment."""

from __future__ import annotations

from threading import Thread

from sqlalchemy import select

from app.domain import access
from app.domain.access import Role
from app.features.clients.commands import AssignCounsellor
from app.features.clients.models import CaseloadEntry
from app.features.clients.service import assign_counsellor
from app.infra.runtime import Runtime
from tests.factories import World


def test_the_second_takes_over_from_the_first(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    first, second = (world.person(organization, Role.COUNSELLOR).actor.membership_id for _ in range(2))
    assert first is not None
    assert second is not None
    clients = world.clients(organization, 3)
    changed: list[int] = []

    def assign_other() -> None:
        with live.database.unit_of_work(admin) as uow:
            changed.append(assign_counsellor(uow, AssignCounsellor(counsellor_id=second, clients=clients)))

    other = Thread(target=assign_other)
    with live.database.unit_of_work(admin) as uow:
        assert assign_counsellor(uow, AssignCounsellor(counsellor_id=first, clients=clients)) == 3
        other.start()
        # Long enough for the other to get through, were there nothing to wait for.
        other.join(0.5)
    other.join(10)
    assert not other.is_alive()
    assert changed == [3]
    with live.database.unit_of_work(access.system(organization)) as uow:
        assert set(uow.session.scalars(select(CaseloadEntry.membership_id))) == {second}
