"""Two administrators who take two imports at the same moment."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from app.domain.access import Role
from app.domain.errors import Conflict
from app.features.clients.roster_service import confirm_import
from app.infra.runtime import Runtime
from tests.clients.roster_files import check, csv_file, people
from tests.factories import World


def test_two_imports_confirmed_at_once_are_taken_one_at_a_time(live: Runtime, tmp_path: Path) -> None:
    world = World(live)
    organization = world.organization()
    first, second = (world.person(organization, Role.ADMIN).actor for _ in range(2))
    one = check(live, first, csv_file(tmp_path / "a.csv", people(3)))
    two = check(live, second, csv_file(tmp_path / "b.csv", people(3, first=4)))
    refused: list[Conflict] = []

    def confirm_other() -> None:
        try:
            with live.database.unit_of_work(second) as uow:
                confirm_import(uow, two.id)
        except Conflict as error:
            refused.append(error)

    other = Thread(target=confirm_other)
    with live.database.unit_of_work(first) as uow:
        confirm_import(uow, one.id)
        other.start()
        # Long enough for the other to get through, were there nothing to wait for.
        other.join(0.5)
    other.join(10)
    assert not other.is_alive()
    assert [str(error.sentence)[:14] for error in refused] == ["Another import"]
