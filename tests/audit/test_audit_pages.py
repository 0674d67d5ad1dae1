"""The audit page: filters, paging, checking, and a file no spreadsheet program runs (S11, S13)."""

from __future__ import annotations

import csv
import io

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.domain import access
from app.domain.access import Role
from app.domain.csv_text import csv_line, neutral
from app.features.audit.service import record
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.identity.helpers import csrf_of


@pytest.fixture
def admin(world: World) -> Person:
    return world.person(world.organization(), Role.ADMIN, name="=Ada")


def note(runtime: Runtime, person: Person, action: str, **detail: str) -> None:
    with runtime.database.unit_of_work(person.actor) as uow:
        record(uow, action, "thing", person.actor.membership_id, **detail)


def test_entries_are_newest_first_and_paged(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    for n in range(60):
        note(runtime, admin, f"thing.done{n:02}")
    browser = world.browser(app, admin)
    first = browser.get("/audit").text
    assert first.index("thing.done59") < first.index("thing.done58")
    assert "thing.done09" not in first
    older = first.partition('href="/audit?before=')[2].partition('"')[0]
    second = browser.get(f"/audit?before={older}").text
    assert "thing.done09" in second
    assert "thing.done10" not in second
    assert "organization.created" in second


def test_entries_are_filtered_by_action_person_and_subject(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    other = world.person(admin.actor.organization_id, Role.COUNSELLOR)
    note(runtime, admin, "thing.first")
    note(runtime, other, "thing.second")
    browser = world.browser(app, admin)
    by_action = browser.get("/audit?action=thing.f").text
    assert "thing.first" in by_action
    assert "thing.second" not in by_action
    by_person = browser.get(f"/audit?person={other.actor.membership_id}").text
    assert "thing.second" in by_person
    assert "thing.first" not in by_person
    by_subject = browser.get(f"/audit?subject={other.actor.membership_id}").text
    assert "thing.second" in by_subject
    assert "member.added" in by_subject
    assert "thing.first" not in by_subject
    assert "This is not an id" in browser.get("/audit?subject=nonsense&before=x-y").text


def test_another_organizations_entries_are_nowhere(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    foreign = world.person(world.organization(), Role.ADMIN)
    note(runtime, foreign, "thing.foreign")
    browser = world.browser(app, admin)
    assert "thing.foreign" not in browser.get("/audit").text
    assert "thing.foreign" not in browser.get("/audit.csv").text
    assert "thing.foreign" not in browser.get(f"/audit?person={foreign.actor.membership_id}").text


def test_s11_the_file_holds_every_entry_and_no_formula(
    app: Flask, runtime: Runtime, world: World, admin: Person
) -> None:
    note(runtime, admin, "=cmd|'/c calc'!A1")
    answer = world.browser(app, admin).get("/audit.csv")
    assert answer.mimetype == "text/csv"
    text = answer.text.removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text)))
    # Taking the file is an event too.
    wanted = ["audit.exported", "'=cmd|'/c calc'!A1", "member.added", "organization.created"]
    assert [row["action"] for row in rows] == wanted
    assert rows[1]["who"] == "'=Ada"


def test_the_check_says_whether_the_log_is_whole(app: Flask, runtime: Runtime, world: World, admin: Person) -> None:
    browser = world.browser(app, admin)
    token = csrf_of(browser, "/audit")
    assert "is whole" in browser.post("/audit/verify", data={"csrf_token": token}, follow_redirects=True).text
    with runtime.database.unit_of_work(access.system(admin.actor.organization_id)) as uow:
        from app.features.audit.models import AuditBatch

        # A batch that follows nothing, as somebody would slip it in.
        uow.session.add(
            AuditBatch(
                sequence=999,
                at=uow.now,
                actor_kind="admin",
                entries=0,
                digest=b"x",
                previous=b"y",
                hash=b"z",
            )
        )
    answer = browser.post("/audit/verify", data={"csrf_token": token}, follow_redirects=True).text
    assert "is whole" not in answer
    assert "is missing" in answer


@given(st.text(max_size=30))
def test_s11_any_text_survives_and_none_begins_like_a_formula(value: str) -> None:
    cell = neutral(value)
    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r", "\n"))
    assert cell.removeprefix("'") == value.replace("\0", "").removeprefix("'")
    assert next(csv.reader(io.StringIO(csv_line([value, -5]), newline=""))) == [cell, "-5"]
