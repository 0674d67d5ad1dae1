"""Rules over one large organization: a cohort brought up to date, and the size of a filter that asks for plans."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.caseload import VARY
from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.clients.commands import CreateLabel
from app.features.clients.labels import create_label
from app.features.cohorts.models import Cohort
from app.features.cohorts.queries import get_cohort
from app.features.cohorts.service import refresh_cohort
from app.features.identity.service import find_or_create_user, start_session
from app.features.organizations.service import add_member
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.infra.memory import settle_memory

_REPEATS = 5
# The five conditions of the cohort, by hand; the rule below is the same.
_BARE_RULE = """
    INSERT INTO cohort_members (organization_id, cohort_id, client_id, since)
    SELECT c.organization_id, %(cohort)s, c.id, now() FROM clients c
    WHERE c.organization_id = %(o)s AND c.active
      AND (c.attributes -> 'programme' = '"P1"' OR c.attributes -> 'programme' = '"P2"'
           OR c.attributes -> 'programme' = '"P3"')
      AND jsonb_typeof(c.attributes -> 'year') = 'number' AND c.attributes -> 'year' >= '2'
      AND EXISTS (SELECT FROM client_labels l
                  WHERE l.organization_id = c.organization_id AND l.label_id = %(label)s AND l.client_id = c.id)
      AND EXISTS (SELECT FROM caseload_entries e
                  WHERE e.organization_id = c.organization_id AND e.membership_id = %(member)s AND e.client_id = c.id)
"""
_BARE_SIZE = """
    SELECT count(*) FROM clients c
    WHERE c.organization_id = %(o)s AND c.active
      AND (c.attributes -> 'programme' = '"P1"' OR c.attributes -> 'programme' = '"P2"'
           OR c.attributes -> 'programme' = '"P3"')
      AND c.last_contact_at < now() - interval '4 weeks'
      AND EXISTS (
        SELECT FROM plans p WHERE p.organization_id = c.organization_id AND p.client_id = c.id AND p.status = 'active'
          AND EXISTS (SELECT FROM plan_steps s WHERE s.organization_id = p.organization_id AND s.plan_id = p.id
                      AND s.step = 3 AND s.status = 'completed')
          AND EXISTS (SELECT FROM plan_steps s WHERE s.organization_id = p.organization_id AND s.plan_id = p.id
                      AND s.status NOT IN ('completed', 'skipped', 'submitted') AND s.due_on < %(today)s))
"""
_LABELLED = """
    INSERT INTO client_labels (organization_id, label_id, client_id)
    SELECT organization_id, %(label)s, id FROM clients WHERE organization_id = %(o)s AND hashtext(id::text) %% 2 = 0
"""
_LOOKED_AFTER = """
    INSERT INTO caseload_entries (organization_id, membership_id, client_id)
    SELECT organization_id, %(member)s, id FROM clients WHERE organization_id = %(o)s
"""
_MET = """
    UPDATE clients SET last_contact_at = now() - interval '1 week' * (abs(hashtext(id::text)) %% 20)
    WHERE organization_id = %(o)s
"""


def _admin(place: Place, organization: UUID) -> tuple[UUID, access.Actor]:
    """An administrator of the organization: who signs in, and how they act."""
    email = f"admin-{organization}@example.org"
    with place.runtime.database.identity_session() as session:
        user = find_or_create_user(session, email, "Maja Berg").id
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        member = add_member(uow, user_id=user, role=Role.ADMIN, name="Maja Berg", email=email).id
    return user, access.member(Role.ADMIN, organization, membership_id=member, user_id=user)


def _attributes(place: Place, organization: UUID) -> None:
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(
            text(
                "INSERT INTO attribute_definitions (key, label, kind)"
                " VALUES ('programme', 'Programme', 'text'), ('year', 'Year', 'number')"
            )
        )


def rule(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """A rule cohort of five conditions filled from nothing; the floor is one INSERT … SELECT without row security."""
    organization = place.organization()
    place.clients(organization, clients)
    _, admin = _admin(place, organization)
    _attributes(place, organization)
    with place.runtime.database.unit_of_work(admin) as uow:
        label = create_label(uow, CreateLabel(name="Scholarship", shared=True)).id
        asked = {
            "all": [
                {"field": "@active", "is": "is", "values": [True]},
                {"field": "programme", "is": "any_of", "values": ["P1", "P2", "P3"]},
                {"field": "year", "is": "at_least", "values": [2]},
                {"field": "@label", "is": "is", "values": [str(label)]},
                {"field": "@counsellor", "is": "is", "values": [str(admin.membership_id)]},
            ]
        }
        cohorts = [Cohort(name=f"Rule {n}", kind="rule", rule=asked) for n in range(2 * runs)]
        uow.session.add_all(cohorts)
        uow.session.flush()
        ids = [cohort.id for cohort in cohorts]
    given = {"o": organization, "label": label, "member": admin.membership_id}
    with place.superuser() as connection:
        connection.execute(_LABELLED, given)
        connection.execute(_LOOKED_AFTER, given)
    place.settle()

    def floor(run: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds:
            connection.execute(_BARE_RULE, given | {"cohort": ids[2 * run]})
            connection.commit()
            return seconds()

    def ours(run: int) -> float:
        with stopwatch() as seconds:
            with place.runtime.database.unit_of_work(access.system(organization)) as uow:
                refreshed = refresh_cohort(uow, get_cohort(uow, ids[2 * run + 1]))
            taken = seconds()
        assert refreshed.added > clients // 20, refreshed
        return taken

    return interleaved("a rule cohort of five conditions", clients, floor, ours, limit=limit, runs=runs)


def preview(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """How many people a filter of five conditions selects, as the page shows it; the floor is the SQL alone."""
    organization, _, template = prepare(place, clients)
    with place.superuser() as connection:
        connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
        connection.execute(VARY, {"o": organization})
        connection.execute(_MET, {"o": organization})
    user, admin = _admin(place, organization)
    _attributes(place, organization)
    asked = {
        "all": [
            {"field": "@active", "is": "is", "values": [True]},
            {"field": "programme", "is": "any_of", "values": ["P1", "P2", "P3"]},
            {"field": "@step_3", "is": "is", "values": ["completed"]},
            {"field": "@overdue", "is": "at_least", "values": [1]},
            {"field": "@contact", "is": "weeks_ago", "values": [4]},
        ]
    }
    with place.runtime.database.unit_of_work(admin) as uow:
        saved = create_filter(uow, SaveFilter(name="Late and far", rule=asked)).id
    place.settle()
    app = create_app(place.runtime)
    with place.runtime.database.identity_session() as session:
        token = start_session(session, user, place.runtime.clock(), organization_id=organization)
    browser: FlaskClient = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    address = f"/filters/{saved}/size"
    first = browser.get(address)
    assert first.status_code == 200, first.status
    settle_memory()
    given = {"o": organization, "today": date.today()}  # noqa: DTZ011 # the floor's day; nobody reads it

    def floor(_: int) -> float:
        with place.superuser() as connection:
            with stopwatch() as seconds:
                for _ in range(_REPEATS):
                    found = connection.execute(_BARE_SIZE, given).fetchone()
                taken = seconds() / _REPEATS
            assert found is not None
            assert found[0] > 0
            return taken

    def ours(_: int) -> float:
        with stopwatch() as seconds:
            for _ in range(_REPEATS):
                browser.get(address)
            return seconds() / _REPEATS

    return interleaved(
        "the size of a filter, as the page shows it", clients, floor, ours, limit=limit, runs=runs, at_most_seconds=0.2
    )
