"""`octant label` and `octant queue`: what the pages of labels and work queues do, from the command line."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import pytest
from sqlalchemy import text

from app.infra.runtime import Runtime
from tests.cli.here import octant_here as octant
from tests.factories import World
from tests.moves.office import Office
from tests.selections.scene import Scene, make_scene


@pytest.mark.committed
def test_labels_are_made_put_on_taken_off_and_deleted(live: Runtime) -> None:
    office = Office(World(live), clients=3)
    lena = office.people[0]
    admin = ("--organization", "org-1", "--as", office.admin.email)
    own = ("--organization", "org-1", "--as", lena.email)
    made = octant(live, "label", "create", *admin, "--name", "Scholarship", "--shared", "--tone", "ok")
    shared = made.stdout.split()[0]
    assert made.stdout == f"{shared}  Scholarship (the organization's)\n", made.stderr
    refused = octant(live, "label", "create", *own, "--name", "For all", "--shared")
    assert (refused.returncode, "kept by its administrators" in refused.stderr) == (2, True)
    put = ("label", "put", *own, "--label", "Scholarship", "--client", str(office.clients[0]))
    shown = octant(live, *put, "--client", str(office.clients[1]))
    assert shown.stdout == "2 of 2 are changed.\nNothing has happened. Repeat it with --yes to do this.\n", shown.stderr
    assert office.rows("SELECT 1 FROM client_labels") == []
    done = octant(live, *put, "--client", str(office.clients[1]), "--yes")
    assert "The job has started" in done.stdout, done.stderr
    office.work()
    listed = octant(live, "label", "list", *own)
    assert listed.stdout == f"{shared}  Scholarship (the organization's)  2\n"
    take = ("label", "take", *own, "--label", shared, "--client", str(office.clients[0]))
    assert octant(live, *take, "--client", str(office.clients[2]), "--yes").stdout.startswith("1 of 2 are changed.\n1 ")
    office.work()
    assert [row.client_id for row in office.rows("SELECT client_id FROM client_labels")] == [office.clients[1]]
    # The same word can be a member's own as well; then its id says which.
    octant(live, "label", "create", *own, "--name", "Scholarship")
    which = octant(live, *put)
    assert which.returncode == 2
    assert f"{shared} (the organization's)" in which.stderr
    assert octant(live, "label", "delete", *admin, "--label", "None").stderr == "There is no label named None.\n"
    shown = octant(live, "label", "delete", *admin, "--label", "Scholarship")
    assert shown.stdout.startswith("1 have Scholarship (the organization's). Nothing has happened."), shown.stderr
    gone = octant(live, "label", "delete", *admin, "--label", "Scholarship", "--yes")
    assert gone.stdout == "Scholarship (the organization's) is deleted; 1 had it.\n", gone.stderr
    assert [row.owner_id for row in office.rows("SELECT owner_id FROM labels")] == [lena.actor.membership_id]


@pytest.fixture
def scene(live: Runtime) -> Scene:
    made = make_scene(World(live), live)
    with live.database.unit_of_work(made.admin.actor) as uow:
        uow.session.execute(
            text("UPDATE memberships SET weekly_minutes = 600 WHERE id = :m"),
            {"m": made.counsellor.actor.membership_id},
        )
        # A cell that a spreadsheet program would run.
        uow.session.execute(text("UPDATE clients SET given_name = '=1+1' WHERE id = :late"), {"late": made.ids["late"]})
    return made


@pytest.mark.committed
def test_queues_are_counted_with_the_time_for_them_and_their_people_listed(live: Runtime, scene: Scene) -> None:
    lena = ("--organization", "org-1", "--as", scene.counsellor.email)
    counts = octant(live, "queue", "list", *lena)
    lines = counts.stdout.splitlines()
    assert lines[1:] == [
        *("      2  overdue", "      2  waiting", "      1  silent", "      1  never_met"),
        "Lena: 600 minutes a week, 10 people, 2 wait, 2 late",
    ], counts.stderr
    found = json.loads(octant(live, "queue", "list", *lena, "--format", "json").stdout)
    assert (found["counts"]["overdue"], found["capacity"][0]["weekly_minutes"]) == (2, 600)
    rows = json.loads(octant(live, "queue", "rows", "overdue", *lena, "--format", "json").stdout)
    assert [row["id"] for row in rows] == [str(scene.ids["very_late"]), str(scene.ids["late"])]
    assert date.fromisoformat(rows[0]["due_on"]) < date.fromisoformat(rows[1]["due_on"])
    table = octant(live, "queue", "rows", "overdue", *lena, "--format", "csv").stdout
    read = list(csv.DictReader(io.StringIO(table)))
    assert [row["id"] for row in read] == [row["id"] for row in rows]
    assert read[1]["name"].startswith("'=1+1 ")
    said = octant(live, "queue", "rows", "waiting", *lena).stdout
    assert "step 2 waits" in said
    assert len(said.splitlines()) == 2
    [first] = octant(live, "queue", "rows", "overdue", *lena, "--most", "1").stdout.splitlines()
    assert f"due {rows[0]['due_on']}" in first
    assert octant(live, "queue", "rows", "silent", *lena, "--weeks", "10").stdout == ""


@pytest.mark.committed
def test_whose_queues_one_may_ask_for(live: Runtime, scene: Scene) -> None:
    admin = ("--organization", "org-1", "--as", scene.admin.email)
    everybody = octant(live, "queue", "rows", "overdue", *admin).stdout.splitlines()
    assert len(everybody) == 2
    assert octant(live, "queue", "rows", "overdue", *admin, "--counsellor", scene.admin.email).stdout == ""
    asked = ("--counsellor", scene.counsellor.email)
    assert octant(live, "queue", "rows", "overdue", *admin, *asked).stdout.splitlines() == everybody
    lena = ("--organization", "org-1", "--as", scene.counsellor.email)
    refused = octant(live, "queue", "list", *lena, "--counsellor", scene.admin.email)
    assert (refused.returncode, "their own queues" in refused.stderr) == (2, True)
