"""`octant schedule`: what there is, having it written, resting it, and what became of it, as a named member."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from app.domain.access import Role
from app.features.figures.layer import Question
from app.features.reports.commands import CohortQuestion
from app.features.schedules import contents
from app.features.schedules.service import MOST_BY_HAND
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.infra.runtime import Runtime
from tests.cli.here import Said, octant_here
from tests.factories import Person, World
from tests.schedules.scene import cohort_of, daily, member_of, pass_time, report, rows, schedule

ALL = {"all": [{"field": "@active", "is": "is", "values": [True]}]}


def said_by(live: Runtime, person: Person, *words: str) -> Said:
    return octant_here(live, "schedule", words[0], "--organization", "org-1", "--as", person.email, *words[1:])


@pytest.mark.committed
def test_what_there_is_and_what_became_of_it(live: Runtime) -> None:
    world = World(live)
    here = world.organization()
    admin, counsellor, analyst = (world.person(here, role) for role in (Role.ADMIN, Role.COUNSELLOR, Role.ANALYST))
    people = world.clients(here, 2)
    world.plans(here, people)
    cohort = cohort_of(live, admin, people)
    far = daily(starts_on=date(2099, 1, 1))
    first = schedule(live, admin, [admin, analyst], question=Question("people"), recurrence=far, name="Numbers")
    question = CohortQuestion(cohort)
    for name, content in (
        ("Autumn", contents.cohort(question)), ("Everybody's", contents.clients_of_cohort(cohort)),
    ):  # fmt: skip
        schedule(live, admin, [admin], content=content, form=content.sort.forms[0], recurrence=far, name=name)
    listed = said_by(live, admin, "list")
    assert f"{first}  Numbers (on)  People with a plan  2099-01-01T08:00:00+00:00  2 readers" in listed.stdout
    assert "Autumn (on)  Autumn in figures  " in listed.stdout
    assert "Everybody's (on)  Reports: Autumn  " in listed.stdout
    assert (said_by(live, counsellor, "list").stdout, said_by(live, counsellor, "list").returncode) == ("", 0)

    for words in (("run", "Numbers"), ("run", str(first))):
        done = said_by(live, admin, words[0], "--schedule", words[1])
        assert done.stdout == "2 readers\n", done.stderr
    assert rows(live, here, "SELECT count(*), count(DISTINCT occurrence) FROM schedule_runs") == [(4, 2)]
    pass_time(live, here)
    told = said_by(live, admin, "runs", "--schedule", "Numbers").stdout.splitlines()
    assert len(told) == 4
    assert all("  sent  " in line for line in told)
    # A member acts, so the ledger names them.
    asked = rows(
        live,
        here,
        "SELECT DISTINCT actor_id FROM audit_batches JOIN audit_entries USING (sequence) WHERE action = 'schedule.run'",
    )
    assert [str(row[0]) for row in asked] == [str(member_of(admin))]

    assert said_by(live, admin, "pause", "--schedule", "Numbers").stdout == "paused\n"
    assert "Numbers (paused)  People with a plan  nothing to come" in said_by(live, admin, "list").stdout
    assert said_by(live, admin, "resume", "--schedule", "Numbers").stdout == "on\n"
    for _ in range(MOST_BY_HAND - 2):
        assert said_by(live, admin, "run", "--schedule", "Numbers").returncode == 0
    refused = said_by(live, admin, "run", "--schedule", "Numbers")
    assert (refused.returncode, "run by hand 6 times within an hour" in refused.stderr) == (2, True)


@pytest.mark.committed
def test_who_may_not_is_told_so(live: Runtime) -> None:
    world = World(live)
    here = world.organization()
    admin, counsellor = world.person(here, Role.ADMIN), world.person(here, Role.COUNSELLOR)
    made = schedule(live, admin, [counsellor], question=Question("people"))
    for command in ("runs", "run", "pause", "resume"):
        # Who gets it has no hand on it, and a name that is not there is said.
        for name in (str(made), uuid4().hex):
            refused = said_by(live, counsellor, command, "--schedule", name)
            assert (refused.returncode, f"There is no schedule named {name}." in refused.stderr) == (2, True)
    client = world.client_person(here)
    for command in (("list",), ("run", "--schedule", str(made))):
        refused = said_by(live, client, *command)
        assert (refused.returncode, "may not do this" in refused.stderr) == (2, True)
    assert rows(live, here, "SELECT state, why FROM schedules") == [("on", None)]
    assert rows(live, here, "SELECT count(*) FROM schedule_runs") == [(0,)]


@pytest.mark.committed
def test_each_kind_is_kept_from_the_command_line(live: Runtime) -> None:
    world = World(live)
    here = world.organization()
    admin, analyst = world.person(here, Role.ADMIN), world.person(here, Role.ANALYST)
    people = world.clients(here, 2)
    # Of two quarters, so that figures are offered by it.
    world.plans(here, people[:1], started_on=date(2026, 1, 5))
    world.plans(here, people[1:])
    cohort = cohort_of(live, admin, people)
    own = report(live, admin)
    with live.database.unit_of_work(admin.actor) as uow:
        saved = create_filter(uow, SaveFilter(name="All of us", rule=ALL, shared=True)).id

    def create(*words: str) -> Said:
        return said_by(live, admin, "create", "--name", "Kept", "--from", "2099-01-05", *words)

    kinds: list[tuple[tuple[str, ...], dict[str, Any], tuple[str, str]]] = [
        (("--report", str(own), "--form", "xlsx"), {"extract_id": own}, ("extract", "xlsx")),
        (
            ("--figure", "people", "--withhold"),
            {"question": {"figure": "people", "small": "withheld"}},
            ("figures", "xlsx"),
        ),
        (
            ("--figure", "people", "--within", "@started_month:2026-01"),
            {"question": {"figure": "people"} | dict.fromkeys(("since", "until"), "@started_month:2026-01")},
            ("figures", "xlsx"),
        ),
        (("--aggregates",), {"question": {}}, ("aggregates", "xlsx")),
        (
            ("--cohort-figures", "Autumn", "--beside", "organization"),
            {"cohort_id": cohort, "question": {"against": "organization"}},
            ("cohort", "both"),
        ),
        (
            ("--reports-of-cohort", "Autumn", "--short"),
            {"cohort_id": cohort, "question": {"form": "short"}},
            ("clients", "zip"),
        ),
        (("--reports-of-filter", "All of us"), {"filter_id": saved, "question": {}}, ("clients", "zip")),
    ]
    for words, told, (what, form) in kinds:
        done = create(*words, "--every", "weekly", "--weekday", "wednesday", "--at", "06:30")
        assert done.returncode == 0, (words, done.stderr)
        made, following = done.stdout.split()
        assert following == "2099-01-07T06:30:00+00:00"
        (kept,) = rows(live, here, "SELECT * FROM schedules WHERE id = :id", id=made)
        assert (kept.what, kept.form, kept.state, kept.when_empty) == (what, form, "on", "say")
        nothing = {"extract_id": None, "cohort_id": None, "filter_id": None, "question": None}
        assert {key: getattr(kept, key) for key in nothing} == nothing | told
        assert said_by(live, admin, "end", "--schedule", made).stdout == "ended\n"
    done = create("--aggregates", "--every", "term", "--edge", "end", "--to", analyst.email, "--to", admin.email)
    assert (done.returncode, done.stdout.split(maxsplit=1)[1]) == (0, "nothing to come\n")
    (readers,) = rows(
        live, here, "SELECT array_agg(membership_id) FROM schedule_recipients WHERE schedule_id = :id",
        id=done.stdout.split()[0],
    )  # fmt: skip
    assert set(readers[0]) == {member_of(admin), member_of(analyst)}


@pytest.mark.committed
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Say what to write in one way"),
        (("--aggregates", "--figure", "people"), "Say what to write in one way"),
        (("--figure", "people", "--by", "a", "--by", "b", "--by", "c"), "at most two attributes"),
        (("--figure", "nothing"), "There is no such figure"),
        (("--report", "nothing"), "There is no report named nothing."),
        (("--reports-of-cohort", "nothing"), "There is no cohort named nothing."),
        (("--reports-of-filter", "nothing"), "There is no filter named nothing."),
        (("--cohort-figures", "Autumn", "--beside", "Spring"), "There is no cohort named Spring."),
        (("--aggregates", "--at", "noon"), "Give the time as HH:MM."),
        (("--aggregates", "--form", "zip"), "Choose one of: xlsx, csv"),
        (("--aggregates", "--to", "nobody@example.org"), "Nobody with the address nobody@example.org works here."),
        (("--aggregates", "--until", "2026-01-01", "--from", "2026-02-01"), "The last day is before the first."),
    ],
)
def test_what_cannot_be_kept_is_said(live: Runtime, words: tuple[str, ...], said: str) -> None:
    world = World(live)
    here = world.organization()
    refused = said_by(live, world.person(here, Role.ADMIN), "create", "--name", "Kept", *words)
    assert (refused.returncode, said in refused.stderr) == (2, True), refused
    assert rows(live, here, "SELECT 1 FROM schedules") == []
