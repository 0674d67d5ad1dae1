"""The caseload page of 600 clients among 200,000; the floor runs its SQL alone and renders an empty page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.engine import Engine, make_url

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.identity.service import find_or_create_user, start_session
from app.features.organizations.service import add_member
from app.infra.memory import settle_memory

_ORGANIZATIONS = 20
_STATEMENTS_AT_MOST = 8
_REPEATS = 5
# Every plan a little different: statuses along the steps, as a centre's plans are in the middle of a year.
VARY = """
    UPDATE plan_steps s SET status = CASE
        WHEN s.step <= h.n %% 9 THEN 'completed'
        WHEN s.step = h.n %% 9 + 1 THEN (ARRAY['in_progress', 'submitted', 'returned', 'not_started'])[1 + h.n %% 4]
        ELSE 'not_started' END,
        due_on = current_date + (s.step * 9 - h.n %% 60), changed_at = now()
    FROM (SELECT id, abs(hashtext(id::text)) AS n FROM plans WHERE organization_id = %(o)s) h
    WHERE s.organization_id = %(o)s AND s.plan_id = h.id
"""


def _fill(place: Place, clients: int) -> list[UUID]:
    organizations = []
    for _ in range(_ORGANIZATIONS):
        organization, _, template = prepare(place, clients)
        with place.superuser() as connection:
            connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
            connection.execute(VARY, {"o": organization})
        organizations.append(organization)
    return organizations


def browser_of(place: Place, app: Flask, organization: UUID, caseload: int) -> FlaskClient:
    """The browser of a counsellor of the organization, signed in, with so many clients in their caseload."""
    runtime = place.runtime
    with runtime.database.identity_session() as session:
        user_id = find_or_create_user(session, "counsellor@example.org", "Lena Moreau").id
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        member = add_member(
            uow, user_id=user_id, role=Role.COUNSELLOR, name="Lena Moreau", email="counsellor@example.org"
        )
        uow.session.execute(
            text(
                "INSERT INTO caseload_entries (membership_id, client_id)"
                " SELECT :m, id FROM clients ORDER BY external_id LIMIT :n"
            ),
            {"m": member.id, "n": caseload},
        )
    with runtime.database.identity_session() as session:
        token = start_session(session, user_id, runtime.clock(), organization_id=organization)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    return browser


def _record(browser: FlaskClient, address: str) -> tuple[list[tuple[str, Any]], int]:
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        answer = browser.get(address)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert answer.status_code == 200, answer.status
    return seen, answer.text.count("data-row")


def measure(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """One signed-in request for the whole caseload, through the edge, as the browser gets it."""
    organizations = _fill(place, clients // _ORGANIZATIONS)
    app = create_app(place.runtime)
    browser = browser_of(place, app, organizations[0], 600)
    place.settle()
    address = "/caseload?size=600"
    browser.get(address)
    # As `app.wsgi` does once it is complete.
    settle_memory()
    statements, rows = _record(browser, address)
    assert rows >= 600, rows
    assert len(statements) <= _STATEMENTS_AT_MOST, [s for s, _ in statements]

    def address_of(url: str) -> str:
        return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)

    tenant = psycopg.connect(address_of(place.settings.database_url))
    identity = psycopg.connect(address_of(place.settings.identity_database_url))

    def floor(_: int) -> float:
        with app.test_request_context(), stopwatch() as seconds:
            for _ in range(_REPEATS):
                for statement, parameters in statements:
                    cursor = (identity if "user_sessions" in statement else tenant).execute(statement, parameters)
                    if cursor.description:
                        cursor.fetchall()
                app.jinja_env.get_template("base.html").render()
            return seconds() / _REPEATS

    def ours(_: int) -> float:
        with stopwatch() as seconds:
            for _ in range(_REPEATS):
                browser.get(address)
            return seconds() / _REPEATS

    try:
        return interleaved("caseload page of 600 clients", clients, floor, ours, limit=limit, runs=runs)
    finally:
        tenant.close()
        identity.close()
