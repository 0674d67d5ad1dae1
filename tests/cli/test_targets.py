"""Whom a command is for is said in the same four ways everywhere: cohort, saved filter, file, or one by one."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.domain import access
from app.domain.access import Role
from app.features.clients.models import Client
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.features.jobs.items import subjects_of
from app.features.jobs.service import get_job
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.infra.runtime import Runtime
from tests.cli.here import octant_here as octant
from tests.factories import World
from tests.moves.office import Office

NEVER_MET = {"all": [{"field": "@contact", "is": "is_empty"}]}


def _members(office: Office, job: str) -> list[str]:
    with office.runtime.database.unit_of_work(office.admin.actor) as uow:
        ids = subjects_of(uow, get_job(uow, UUID(job)))
        found = uow.session.scalars(select(Client.external_id).where(Client.id.in_(ids)).order_by(Client.external_id))
        return [external_id or "" for external_id in found]


@pytest.mark.committed
def test_work_is_given_to_each_kind_of_target(live: Runtime, tmp_path: Path) -> None:
    office = Office(World(live), clients=4)
    office.world.plans(office.id, office.clients)
    with live.database.unit_of_work(office.admin.actor) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Mentoring")).id
        add_members(uow, ChangeMembers(cohort_id=cohort, clients=office.clients[:2]))
        create_filter(uow, SaveFilter(name="Never met", rule=NEVER_MET))
        uow.session.execute(text("UPDATE clients SET last_contact_at = now() WHERE id = :c"), {"c": office.clients[0]})
        names = {row.id: row for row in uow.session.execute(text("SELECT id, external_id, email FROM clients"))}
    first, second, third, fourth = (names[client] for client in office.clients)
    listed = tmp_path / "ids.csv"
    listed.write_text(f"id,note\n{first.external_id},a\nnobody,b\n{third.email.upper()},c\n", encoding="utf-8")
    who = ("--organization", "org-1", "--as", office.admin.email)
    ids = sorted(name.external_id for name in names.values())
    ways: list[tuple[tuple[str, ...], list[str]]] = [
        (("--cohort", "Mentoring"), sorted([first.external_id, second.external_id])),
        (("--filter", "Never met"), sorted(set(ids) - {first.external_id})),
        (("--file", str(listed)), sorted([first.external_id, third.external_id])),
        (
            ("--client", str(second.id), "--client", fourth.external_id, "--client", third.email),
            sorted([second.external_id, third.external_id, fourth.external_id]),
        ),
    ]
    for step, (way, expected) in enumerate(ways, start=1):
        done = octant(live, "assign", *who, *way, "--what", "due", "--step", str(step), "--due-in-days", "7")
        assert f"{len(expected)} of {len(expected)} are given it" in done.stdout, done.stderr
        assert ("Line 3 names nobody: nobody" in done.stderr) == ("--file" in way)
        assert _members(office, done.stdout.split()[-1].rstrip(".")) == expected
        edit = (
            "edit",
            *who,
            *way,
            "--kind",
            "due",
            "--set",
            "mode=shift",
            "--set",
            "by=1",
            "--set",
            "steps=8",
            "--yes",
        )
        edited = octant(live, *edit)
        assert _members(office, edited.stdout.split()[-1].rstrip(".")) == expected, edited.stderr
        moved = octant(live, "move", *who, *way, "--to", office.people[1].email)
        assert f"takes {len(expected)}, people 0 -> {len(expected)}" in moved.stdout, moved.stderr


@pytest.mark.committed
def test_a_target_that_cannot_be_is_said(live: Runtime, tmp_path: Path) -> None:
    office = Office(World(live), clients=1)
    other = office.world.person(office.id, Role.COUNSELLOR)
    for person in (office.admin, other):
        with live.database.unit_of_work(person.actor) as uow:
            create_filter(uow, SaveFilter(name="Same", rule=NEVER_MET, shared=True))
    who = ("--organization", "org-1", "--as", office.admin.email)
    work = ("assign", *who, "--what", "due", "--step", "1", "--due-in-days", "7")
    nobody = tmp_path / "nobody.csv"
    nobody.write_text("id\nX9\n", encoding="utf-8")
    mistakes = {
        (): "in one way",
        ("--cohort", "A", "--client", "B"): "in one way",
        ("--cohort", "None"): "There is no cohort named None.",
        ("--filter", "None"): "There is no filter named None.",
        ("--filter", "Same"): "Several filters are named Same. Say which by its id: ",
        ("--file", str(nobody)): "Nobody you see is known by any of these.",
        ("--client", "S000000", "--client", "X9"): "X9",
    }
    with live.database.unit_of_work(access.system(office.id)) as uow:
        known = uow.session.execute(text("SELECT external_id FROM clients")).scalar_one()
    for way, sentence in mistakes.items():
        said = octant(live, *work, *(known if word == "S000000" else word for word in way))
        assert (said.returncode, said.stdout) == (2, ""), (way, said)
        assert sentence in said.stderr, way
    assert office.rows("SELECT 1 FROM jobs") == []


@pytest.mark.committed
def test_a_member_reaches_only_whom_they_see(live: Runtime) -> None:
    office = Office(World(live), clients=2)
    stranger = office.people[1]
    who = ("--organization", "org-1", "--as", stranger.email)
    by_id = octant(
        live, "edit", *who, "--client", str(office.clients[0]), "--kind", "pause", "--set", "starts_on=2100-01-01"
    )
    assert by_id.stdout.startswith("0 of 0 are changed.\n1 are not there, or not yours to see.\n"), by_id.stderr
    known = office.rows("SELECT external_id FROM clients LIMIT 1")[0].external_id
    by_word = octant(live, "edit", *who, "--client", known, "--kind", "pause", "--set", "starts_on=2099-01-01")
    assert by_word.returncode == 2
    assert "Nobody you see" in by_word.stderr
