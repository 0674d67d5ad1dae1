"""The pages of figures while nothing changed, counting anew, withholding in a table; floors are the bare counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from uuid import UUID

import numpy as np
from flask.testing import FlaskClient
from sqlalchemy import text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.caseload import VARY
from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access
from app.domain.access import Role
from app.domain.linked_people import People
from app.domain.linked_tables import protect
from app.factory import create_app
from app.features.identity.service import find_or_create_user, start_session
from app.features.organizations.service import add_member
from app.infra.memory import settle_memory

_REPEATS = 5
# What a figure by an attribute shows, by hand and without row security: how many completed each step, by programme.
_BY_PROGRAMME = """
    SELECT c.attributes -> 'programme', s.step, count(*), count(*) FILTER (WHERE s.status = 'completed')
    FROM clients c
    JOIN plans p ON p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'active'
    JOIN plan_steps s ON s.organization_id = p.organization_id AND s.plan_id = p.id
    WHERE c.organization_id = %(o)s AND c.active
    GROUP BY 1, 2
"""
# Of what the page of aggregates shows the first two drawings: completed and overdue, by step.
_BY_STEP = """
    SELECT s.step, count(*), count(*) FILTER (WHERE s.status = 'completed'),
           count(*) FILTER (WHERE s.due_on < current_date
                            AND s.status NOT IN ('completed', 'skipped', 'submitted'))
    FROM clients c
    JOIN plans p ON p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'active'
    JOIN plan_steps s ON s.organization_id = p.organization_id AND s.plan_id = p.id
    WHERE c.organization_id = %(o)s AND c.active
    GROUP BY 1
"""
_CHANGE = """
    UPDATE plan_steps SET status = 'completed', changed_at = now()
    WHERE step = 1 AND plan_id = (SELECT id FROM plans ORDER BY id OFFSET :run LIMIT 1)
"""


def page(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """An administrator's page of a figure by an attribute, when nothing changed since it was worked out."""
    address = "/figures?figure=completed&by=programme"
    name, bare = "page of figures, nothing changed", (_BY_PROGRAMME, 12 * 8)
    return _kept(place, clients, (address, name), bare, limit=limit, runs=runs)


def aggregates(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """An administrator's page of aggregates, as it is served when nothing changed since it was worked out."""
    name = "page of aggregates, nothing changed"
    return _kept(place, clients, ("/aggregates", name), (_BY_STEP, 8), limit=limit, runs=runs)


def anew(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """The page of aggregates after each change of a step: every figure by every two attributes is counted again."""
    organization, browser = _centre(place, clients)

    def ours(run: int) -> float:
        with place.runtime.database.unit_of_work(access.system(organization)) as uow:
            uow.session.execute(text(_CHANGE), {"run": run})
        with stopwatch() as seconds:
            assert browser.get("/aggregates").status_code == 200
            return seconds()

    floor = _floor(place, organization, (_BY_STEP, 8))
    return interleaved("all figures counted anew", clients, floor, ours, limit=limit, runs=runs)


def _kept(
    place: Place, clients: int, shown: tuple[str, str], bare: tuple[str, int], *, limit: float | None, runs: int
) -> Measured:
    """A page by its address and name, beside a bare statement and how many lines that must give."""
    address, name = shown
    organization, browser = _centre(place, clients)
    first = browser.get(address)
    assert first.status_code == 200, first.status
    settle_memory()

    def ours(_: int) -> float:
        with stopwatch() as seconds:
            for _ in range(_REPEATS):
                browser.get(address)
            return seconds() / _REPEATS

    floor = _floor(place, organization, bare)
    return interleaved(name, clients, floor, ours, limit=limit, runs=runs, at_most_seconds=0.3)


def _floor(place: Place, organization: UUID, bare: tuple[str, int]) -> Callable[[int], float]:
    """The bare statement, and how many lines it must give."""
    statement, lines = bare

    def floor(_: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds:
            found = connection.execute(statement, {"o": organization}).fetchall()
            taken = seconds()
        assert len(found) == lines, len(found)
        return taken

    return floor


@cache
def _centre(place: Place, clients: int) -> tuple[UUID, FlaskClient]:
    """An organization whose clients all have plans in every state, and the browser of its administrator."""
    organization, _, template = prepare(place, clients)
    with place.superuser() as connection:
        connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
        connection.execute(VARY, {"o": organization})
    email = f"figures-{organization}@example.org"
    with place.runtime.database.identity_session() as session:
        user = find_or_create_user(session, email, "Maja Berg").id
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        add_member(uow, user_id=user, role=Role.ADMIN, name="Maja Berg", email=email)
        uow.session.execute(
            text(
                "INSERT INTO attribute_definitions (key, label, kind)"
                " VALUES ('programme', 'Programme', 'text'), ('year', 'Year', 'number')"
            )
        )
    place.settle()
    with place.runtime.database.identity_session() as session:
        token = start_session(session, user, place.runtime.clock(), organization_id=organization)
    browser: FlaskClient = create_app(place.runtime).test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    return organization, browser


def suppress(_: Place, cells: int, *, limit: float | None, runs: int = 5) -> Measured:
    """What to withhold of a square table of people and of one figure of them; the floor adds up its two tables."""
    side = round(cells**0.5)
    rng = np.random.default_rng(1)
    codes = np.array(list(product(range(side), range(side))), dtype=np.int64)
    counts = rng.poisson(20, len(codes)).astype(np.int64)
    people, so = People(codes, counts, (side, side)), rng.binomial(counts, 0.5).astype(np.int64)

    def floor(_: int) -> float:
        with stopwatch() as seconds:
            people.by_two((0, 1))
            people.by_two((0, 1), so)
            return seconds()

    def ours(_: int) -> float:
        with stopwatch() as seconds:
            protect(people, [so], 10)
            return seconds()

    return interleaved("withhold in a table", cells, floor, ours, limit=limit, runs=runs, at_most_seconds=0.2)
