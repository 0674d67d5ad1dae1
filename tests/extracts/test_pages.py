"""From choosing to the download, in a browser and by the API; what is kept, shared, changed and removed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from app.composition import JOB_KINDS
from app.domain.access import Role
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.features.extracts.commands import SaveExtract
from app.features.extracts.queries import get_extract, list_extracts
from app.features.extracts.service import change_extract, create_extract, delete_extract
from app.features.jobs.runner import work
from app.infra.runtime import Runtime
from tests.extracts.scene import definition
from tests.factories import World

_ROW = {"field-0": "row.status", "is-0": "is", "value-0": "completed"}


def test_from_choosing_to_the_download(world: World, runtime: Runtime, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    world.plans(organization, world.clients(organization, 2, given_name="<b>=Ada"), "ccnnnnnn")
    browser = world.browser(app, admin)
    assert "No own reports yet" in browser.get("/own-reports").text
    form = {"rows": "steps", "shown": "steps", "column": ["client.given_name", "step", "status"], **_ROW}
    shown = browser.post("/own-reports/new", data=form | {"act": "show"})
    assert shown.status_code == 200
    assert shown.text.count("&lt;b&gt;=Ada") == 4
    refused = browser.post("/own-reports/new", data=form | {"act": "save", "name": " "})
    assert refused.status_code == 422
    saved = browser.post("/own-reports/new", data=form | {"act": "save", "name": "Done", "shared": "1"})
    assert saved.status_code == 302
    page = browser.get(saved.location).text
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key is not None
    runs = {browser.post(f"{saved.location}/run", data={"form": "csv", "key": key[1]}).location for _ in range(2)}
    (where,) = runs
    assert "It is being written" in browser.get(where).text
    work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(minutes=1))
    assert "SHA-256" in browser.get(where).text
    with browser.get(f"{where}/file") as taken:
        assert taken.mimetype == "text/csv"
        content = taken.text
    assert content.splitlines()[1:] == ["<b>=Ada,1,completed", "<b>=Ada,2,completed"] * 2
    listed = browser.get("/own-reports").text
    assert "Done" in listed
    assert browser.post(f"{saved.location}/delete").status_code == 302
    # What was written stays, with what it asked for.
    with browser.get(f"{where}/file") as again:
        assert again.text == content
    assert browser.get(where).status_code == 200


def test_the_kind_of_rows_changes_the_columns_offered(world: World, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    admin = world.person(world.organization(), Role.ADMIN)
    browser = world.browser(app, admin)
    for rows, said in (("scores", "Scale"), ("prompts", "Reminder"), ("remarks", "Written by")):
        answer = browser.post("/own-reports/new", data={"rows": rows, "shown": "clients", "act": "rows"})
        assert answer.status_code == 200
        assert said in answer.text


def test_an_analyst_is_offered_counts_alone(world: World, app: Flask) -> None:
    analyst = world.person(world.organization(), Role.ANALYST)
    page = world.browser(app, analyst).get("/own-reports/new").text
    assert 'name="column"' not in page
    assert 'value="client.external_id"' not in page
    assert 'value="client.counsellor"' in page
    assert 'value="steps"' not in page


def test_kept_shared_changed_and_removed(world: World, runtime: Runtime) -> None:
    organization = world.organization()
    one, other = world.person(organization, Role.COUNSELLOR), world.person(organization, Role.COUNSELLOR)
    admin = world.person(organization, Role.ADMIN)
    raw = definition("clients", ["client.external_id"])
    with runtime.database.unit_of_work(one.actor) as uow:
        own = create_extract(uow, SaveExtract(name="Own", definition=raw)).id
        shared = create_extract(uow, SaveExtract(name="Shared", definition=raw, shared=True)).id
        with pytest.raises(InvalidInput):
            create_extract(uow, SaveExtract(name=" Own ", definition=raw))
    with runtime.database.unit_of_work(other.actor) as uow:
        assert [(line.extract.id, line.mine) for line in list_extracts(uow)] == [(shared, False)]
        with pytest.raises(NotFound):
            get_extract(uow, own)
        with pytest.raises(Forbidden):
            change_extract(uow, shared, SaveExtract(name="Mine", definition=raw))
        with pytest.raises(Forbidden):
            delete_extract(uow, shared)
    with runtime.database.unit_of_work(admin.actor) as uow:
        # An administrator mends what everybody uses, and cannot take it for themselves.
        assert change_extract(uow, shared, SaveExtract(name="Better", definition=raw)).shared
        assert delete_extract(uow, shared) == "Better"


@pytest.mark.parametrize(
    "raw",
    [
        {"rows": "wages", "columns": ["x"]},
        definition("clients"),
        definition("clients", ["status"]),
        definition("steps", ["status"], group=["status", "step", "due_on"]),
        definition("steps", ["status"], order=[{"column": "nothing"}]),
        definition("steps", ["status"], rule={"all": [{"field": "row.status", "is": "is", "values": ["gone"]}]}),
        {"rows": "steps", "columns": "status"},
    ],
)
def test_what_makes_no_sense_is_refused(world: World, runtime: Runtime, raw: dict[str, object]) -> None:
    admin = world.person(world.organization(), Role.ADMIN)
    with runtime.database.unit_of_work(admin.actor) as uow, pytest.raises(InvalidInput):
        create_extract(uow, SaveExtract(name="x", definition=raw))
