"""Ten thousand plans there and back, compared byte for byte."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.rollouts import service
from app.infra.runtime import Runtime
from tests.factories import World
from tests.rollouts.helpers import START, begin, digest, finish, recipe, two_versions

PLANS = 10_000
# Plans as an assignment would have made them; some steps of some of them as persons leave them.
_PLANS = """
    WITH made AS (
        INSERT INTO clients (external_id, given_name, family_name, given_folded, family_folded, external_folded)
        SELECT 'T' || n, 'Given', 'Family' || n, 'given', 'family' || n, 't' || n FROM generate_series(1, :plans) n
        RETURNING id
    ), plans AS (
        INSERT INTO plans (client_id, template_id, template_version, started_on)
        SELECT id, :template, 1, :start FROM made RETURNING id
    )
    INSERT INTO plan_steps (plan_id, step, status, due_on, reason, changed_at)
    SELECT p.id, s,
           CASE WHEN s = 8 THEN 'skipped' WHEN (p.n + s) % 7 = 0 THEN 'in_progress'
                WHEN (p.n + s) % 11 = 0 THEN 'skipped' WHEN (p.n + s) % 13 = 0 THEN 'completed' ELSE 'not_started' END,
           CASE WHEN s < 8 THEN CASE WHEN (p.n + s) % 17 = 0 THEN DATE '2030-01-01'
                                ELSE cast(:start AS date) + 14 * s END END,
           CASE WHEN s = 8 THEN 'Not part of this template.' WHEN (p.n + s) % 11 = 0 THEN 'By hand.' END,
           CASE WHEN (p.n + s) % 3 = 0 THEN now() - p.n * interval '1.000001 seconds' END
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM plans) p CROSS JOIN generate_series(1, 8) s
"""


@pytest.mark.committed
def test_ten_thousand_plans_there_and_back(live: Runtime) -> None:
    world = World(live)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    # A step of every sort: gained, lost, moved, and three that stay.
    template = two_versions(world, organization, recipe(review=None), recipe(opportunities=None, goals=100, ambition=3))
    with live.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text(_PLANS), {"plans": PLANS, "template": template, "start": START})
    before = digest(live, organization)
    rollout = begin(live, admin, template)
    finish(live, organization)
    with live.database.unit_of_work(admin) as uow:
        reached = uow.session.execute(text("SELECT count(*) FROM plans WHERE template_version = 2")).scalar_one()
        stage = uow.session.execute(text("SELECT conflicts FROM rollout_stages")).scalar_one()
    assert reached == PLANS
    assert stage > PLANS // 20
    assert digest(live, organization) != before
    with live.database.unit_of_work(admin) as uow:
        service.roll_back(uow, rollout)
    finish(live, organization)
    assert digest(live, organization) == before
    with live.database.unit_of_work(admin) as uow:
        states = uow.session.execute(text("SELECT state, count(*) FROM job_items GROUP BY state")).all()
    assert dict(states) == {"undone": PLANS}
