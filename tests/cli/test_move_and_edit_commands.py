"""`octant move` and `octant edit`: shown first, done with --yes, as a named member with their permissions."""

from __future__ import annotations

import pytest

from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.service import add_members, create_cohort
from app.infra.runtime import Runtime
from tests.cli.test_organization_command import octant
from tests.factories import World
from tests.moves.office import Office


@pytest.mark.committed
def test_they_show_first_and_do_it_with_yes(live: Runtime) -> None:
    office = Office(World(live), clients=4)
    office.world.plans(office.id, office.clients[:3], due_on=live.clock().date())
    with live.database.unit_of_work(office.admin.actor) as uow:
        cohort = create_cohort(uow, CreateCohort(name="Mentoring")).id
        add_members(uow, ChangeMembers(cohort_id=cohort, clients=office.clients))
    who = ("--organization", "org-1", "--as", office.admin.email)
    leaver, one, other = (person.email for person in office.people)
    words = ("move", *who, "--from", leaver, "--to", one, "--to", other)
    shown = octant(live, *words)
    assert shown.returncode == 0, shown.stderr
    assert "takes 2, people 0 -> 2" in shown.stdout
    assert "Nothing has happened" in shown.stdout
    assert office.rows("SELECT 1 FROM jobs") == []
    done = octant(live, *words, "--yes")
    assert "The job has started" in done.stdout, done.stderr
    office.work()
    assert {member for _, member, _ in office.entries()} == set(office.members[1:])
    cover = octant(
        live, "move", *who, "--from", one, "--to", other, "--first-day", "2100-01-01", "--last-day", "2100-01-05"
    )
    assert "Nothing has happened" in cover.stdout, cover.stderr
    edit = ("edit", *who, "--cohort", "Mentoring", "--kind", "due", "--set", "mode=shift", "--set", "by=5")
    shown = octant(live, *edit, "--set", "steps=1,2")
    assert "3 of 4 are changed." in shown.stdout, shown.stderr
    assert "1 left out: Has no active plan." in shown.stdout
    done = octant(live, *edit, "--set", "steps=1,2", "--yes")
    assert "The job has started" in done.stdout, done.stderr


@pytest.mark.committed
def test_mistakes_are_sentences(live: Runtime) -> None:
    office = Office(World(live), clients=1)
    who = ("--organization", "org-1", "--as", office.people[0].email)
    refused = octant(live, "move", *who, "--from", office.people[0].email, "--to", office.people[1].email)
    assert refused.returncode == 2
    assert "may not do this" in refused.stderr
    who = ("--organization", "org-1", "--as", office.admin.email)
    nobody = octant(live, "move", *who, "--from", "nobody@example.org", "--to", office.people[1].email)
    assert (nobody.returncode, nobody.stderr) == (2, "Nobody with the address nobody@example.org works here.\n")
    edit = octant(live, "edit", *who, "--cohort", "None", "--kind", "resume")
    assert (edit.returncode, edit.stderr) == (2, "There is no cohort named None.\n")
