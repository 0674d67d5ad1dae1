"""The timeline of a client's page: newest first, in one order however often it is asked for, page by page."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.overview.client_view import Happened, timeline
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock

# What was done in one moment, first to last, as (kind, step).
DONE = [("started", 6), ("submitted", 6), *(("completed", step) for step in (1, 2, 3, 4, 5))]


@pytest.fixture
def lena(world: World) -> Person:
    return world.person(world.organization(), Role.COUNSELLOR, "Lena")


def happen(runtime: Runtime, world: World, lena: Person, clock: Clock, times: int = 1) -> str:
    """One client to whom the same seven things happen in one moment, so often; their id."""
    here = lena.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(lena, [client])
    plan = world.plan(here, client)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(text("UPDATE plans SET created_at = :at"), {"at": clock.now})
        for n in range(times):
            for kind, step in DONE:
                uow.session.execute(
                    text(
                        "INSERT INTO plan_events (plan_id, step, kind, actor_kind, at)"
                        " VALUES (:plan, :step, :kind, 'member', :at)"
                    ),
                    {"plan": plan, "step": step, "kind": kind, "at": clock.now + timedelta(hours=n)},
                )
        for body in ("Well done.", "Thank you."):
            uow.session.execute(
                text(
                    "INSERT INTO step_comments (plan_id, step, author_id, body, created_at)"
                    " VALUES (:plan, 6, :who, :body, :at)"
                ),
                {"plan": plan, "who": lena.actor.membership_id, "body": body, "at": clock.now},
            )
    return str(client)


def test_what_happened_in_one_moment_stands_last_done_first(
    runtime: Runtime, world: World, lena: Person, clock: Clock
) -> None:
    happen(runtime, world, lena, clock)
    with runtime.database.unit_of_work(lena.actor) as uow:
        client = uow.session.execute(text("SELECT id FROM clients")).scalar_one()
        lines = timeline(uow, client, limit=50)
    assert [(line.kind, line.step) for line in lines if line.what == "plan"] == DONE[::-1]
    # In one moment a plan is given before anything is done to it, and talked about after.
    assert [line.what for line in lines] == ["comment"] * 2 + ["plan"] * len(DONE) + ["given"]


def test_pages_of_it_neither_repeat_nor_drop_a_line_while_more_happens(
    app: Flask, runtime: Runtime, world: World, lena: Person, clock: Clock
) -> None:
    client = happen(runtime, world, lena, clock, times=6)
    again: list[Happened] = []
    with runtime.database.unit_of_work(lena.actor) as uow:
        whole = timeline(uow, UUID(client), limit=200)
        while part := timeline(uow, UUID(client), before=again[-1].cursor if again else None, limit=5):
            again += part[:5]
    assert [line.id for line in again] == [line.id for line in whole]
    browser = world.browser(app, lena)
    first = browser.get(f"/clients/{client}").text
    older = re.search(r'href="([^"]+before=[^"#]+)', first)
    assert older is not None
    address = older[1].replace("&amp;", "&")
    second = browser.get(address).text
    # Something new comes in: the page that was asked for stays the same.
    with runtime.database.unit_of_work(access.system(lena.actor.organization_id)) as uow:
        newest = "(SELECT max(number) FROM plan_events)"
        uow.session.execute(text(f"UPDATE plan_events SET at = at + interval '9 days' WHERE number = {newest}"))
    lines = re.compile(r'<ol class="timeline">.*?</ol>', re.S)
    assert lines.findall(browser.get(address).text) == lines.findall(second)
    assert "Newest" in second


@pytest.mark.parametrize("before", ["x", "0", "9999-12-31T23:59:59_0_0_x", "\x01", "e" * 3000])
def test_a_place_that_was_not_given_shows_the_newest(app: Flask, world: World, lena: Person, before: str) -> None:
    (client,) = world.clients(lena.actor.organization_id, 1)
    world.caseload(lena, [client])
    assert world.browser(app, lena).get(f"/clients/{client}", query_string={"before": before}).status_code == 200
