"""What a migration changes in rows it changes in every organization's."""

from __future__ import annotations

import re
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, text

import migrations.ops  # noqa: F401 # registers op.everywhere
from app.domain import access
from app.features.edits.service import start
from app.features.figures.models import FigureRelease
from app.features.jobs.models import JobItem
from app.features.jobs.queries import items_in_turn
from app.infra.db.migrate import admin_engine
from app.infra.db.tenancy import GLOBAL_TABLES
from app.infra.runtime import Runtime
from tests.edits.desk import Desk
from tests.factories import World

_VERSIONS = sorted((Path(__file__).resolve().parents[2] / "migrations/versions").glob("*.py"))
# A statement of its own; those in functions of triggers work in the organization of whoever pulls them.
_CHANGES = re.compile(r'op\.execute\(\s*f?"(?:UPDATE|DELETE FROM) (\w+)')


@pytest.mark.parametrize("path", _VERSIONS, ids=lambda path: path.stem)
def test_no_migration_changes_rows_that_it_does_not_see(path: Path) -> None:
    written = path.read_text("utf-8")
    for table in set(_CHANGES.findall(written)) - set(GLOBAL_TABLES):
        assert f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" in written, table


@pytest.mark.committed
def test_a_statement_for_everywhere_is_one_and_the_wall_stands_again(live: Runtime) -> None:
    world = World(live)
    for here in (world.organization(), world.organization()):
        with live.database.unit_of_work(access.system(here)) as uow:
            now = datetime(2026, 9, 7, tzinfo=UTC)
            uow.session.add(FigureRelease(withheld=False, day=now.date(), moment=now, attributes=[], scales=[]))
    with admin_engine(live.settings.owner_database_url).begin() as connection:
        op = Operations(MigrationContext.configure(connection))
        assert connection.execute(text("DELETE FROM figure_releases")).rowcount == 0
        op.everywhere("figure_releases", "DELETE FROM figure_releases")
        forced = text("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'figure_releases'")
        assert connection.execute(forced).scalar_one()
    for here in live.database.organization_ids():
        with live.database.unit_of_work(access.system(here)) as uow:
            assert uow.session.execute(text("SELECT count(*) FROM figure_releases")).scalar_one() == 0


# As 0031 found it: with each item its plan, and of each step the day before and after.
_OLD_FORM = text(
    """
    UPDATE job_items i SET result = (
        SELECT jsonb_build_object('plan', u.plan,
                                  'steps', jsonb_object_agg(u.step, jsonb_build_array(u.was, u.became)))
        FROM due_changes d, unnest(d.plans, d.steps, d.was, d.became) AS u(plan, step, was, became)
        JOIN plans p ON p.id = u.plan WHERE d.job_id = i.job_id AND p.client_id = i.subject_id GROUP BY u.plan)
    WHERE i.job_id = :job AND i.state = 'done'
    """
)


@pytest.mark.committed
def test_days_changed_before_0031_are_taken_back_after_it(live: Runtime) -> None:
    desk = Desk(World(live))
    desk.rows("UPDATE plan_steps SET due_on = NULL WHERE plan_id = :plan AND step = 1 RETURNING 1", plan=desk.plans[0])
    before = desk.days()
    job = desk.run("due", mode="set", day="2026-12-01", steps=[1, 2])
    with live.database.unit_of_work(access.system(desk.id)) as uow:
        uow.session.execute(_OLD_FORM, {"job": job})
        uow.session.execute(text("DELETE FROM due_changes"))
    migration = runpy.run_path(str(next(path for path in _VERSIONS if path.stem.startswith("0031"))))
    with admin_engine(live.settings.owner_database_url).begin() as connection:
        for to in ("NO FORCE", "FORCE"):
            for table in ("jobs", "job_items", "due_changes"):
                connection.execute(text(f"ALTER TABLE {table} {to} ROW LEVEL SECURITY"))
            if to == "NO FORCE":
                connection.execute(text(migration["_AS_BEFORE"]))
    assert desk.undo(job) == {"undone": 8, "skipped": 2}
    assert desk.days() == before


@pytest.mark.committed
def test_who_waits_is_not_lost_when_the_table_of_ids_goes_and_comes_again(live: Runtime) -> None:
    desk = Desk(World(live))
    with live.database.unit_of_work(desk.admin.actor) as uow:
        job = start(uow, desk.command("due", {"mode": "set", "day": "2026-12-01", "steps": [1]})).id
        listed = [(item.subject_id, item.position) for item in items_in_turn(uow, job, limit=100)]
    assert len(listed) == len(desk.clients)
    migration = runpy.run_path(str(next(path for path in _VERSIONS if path.stem.endswith("_items"))))
    live.database.dispose()
    with (
        admin_engine(live.settings.owner_database_url).begin() as connection,
        Operations.context(MigrationContext.configure(connection)),
    ):
        migration["downgrade"]()
        found = connection.execute(text("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'job_items'"))
        assert found.scalar_one()
        migration["upgrade"]()
    with live.database.unit_of_work(desk.admin.actor) as uow:
        rows = uow.session.scalars(select(JobItem).order_by(JobItem.position)).all()
        assert [(item.subject_id, item.position) for item in rows] == listed
        assert {item.state for item in rows} == {"pending"}
    # As of a job that was under way when the table came.
    desk.work()
    assert desk.states(job) == {"done": 8, "skipped": 2}
