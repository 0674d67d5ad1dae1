"""Who is due among 200,000 plans, what is written for them, and what a sweep costs when nobody is."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access
from app.features.reviews.engine import BATCH, claim_due, make_due_prompts
from app.features.reviews.schedule import schedule_stale
from workers.sweeper import sweep_once

# One in ten is due, its first mail today; the others at some time in the half year to come.
_ONE_IN = 10
SWEEP_SECONDS = 0.010
# Longer than the sweeper waits before it looks again.
_SECOND_LOOK = 6
_SPREAD = """
    UPDATE plans p SET next_reminder = 0, review_set = true,
        next_review_on = current_date + 14 + CASE WHEN g.n %% %(one_in)s = 0 THEN 0 ELSE 1 + g.n %% 180 END::int,
        next_prompt_at = now() - interval '1 hour' + CASE WHEN g.n %% %(one_in)s = 0 THEN g.n %% 3000 * interval '1 s'
            ELSE (1 + g.n %% 180) * interval '1 day' END
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM plans WHERE organization_id = %(o)s) g
    WHERE p.organization_id = %(o)s AND p.id = g.id
"""
_FIND = """
    SELECT id FROM plans WHERE organization_id = %s AND status = 'active' AND next_prompt_at <= now()
    ORDER BY next_prompt_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
# The rows of one batch, as the engine writes them, from ids and constants.
_BARE = (
    """
    INSERT INTO reviews (organization_id, id, plan_id, occurrence_on, revision_before)
    SELECT %(o)s, review, plan, current_date + 14, 1
    FROM unnest(%(reviews)s::uuid[], %(plans)s::uuid[]) AS g(review, plan)
    """,
    """
    INSERT INTO messages (organization_id, id, dedupe_key, kind, recipient, recipient_name, locale, params, client_id,
                          due_at, not_before)
    SELECT %(o)s, g.message, 'prompt:' || g.plan || ':' || current_date + 14 || ':email:0', 'review_prompt',
           'client@example.org', 'Given Family', 'en', %(params)s::jsonb, p.client_id, now(), now()
    FROM unnest(%(messages)s::uuid[], %(plans)s::uuid[]) AS g(message, plan)
    JOIN plans p ON p.organization_id = %(o)s AND p.id = g.plan
    """,
    """
    INSERT INTO review_links (organization_id, id, review_id, expires_at, created_at)
    SELECT %(o)s, link, review, now() + interval '30 days', now()
    FROM unnest(%(links)s::uuid[], %(reviews)s::uuid[]) AS g(link, review)
    """,
    """
    INSERT INTO prompts (organization_id, plan_id, occurrence_on, reminder, due_at, review_id, message_id)
    SELECT %(o)s, plan, current_date + 14, 0, now(), review, message
    FROM unnest(%(plans)s::uuid[], %(reviews)s::uuid[], %(messages)s::uuid[]) AS g(plan, review, message)
    """,
    """
    INSERT INTO plan_events (organization_id, plan_id, step, kind, actor_kind, detail, at)
    SELECT %(o)s, plan, 8, 'review_prompted', 'system', '{"occurrence_on": "2026-09-07"}', now()
    FROM unnest(%(plans)s::uuid[]) AS g(plan)
    """,
    """
    UPDATE plans SET next_prompt_at = now() + interval '3 days', next_reminder = 1
    WHERE organization_id = %(o)s AND id = ANY(%(plans)s::uuid[])
    """,
)
_PARAMS = json.dumps(
    {
        "link": str(uuid4()),
        "day": "2026-09-07",
        "reminder": 0,
        "given_name": "Given",
        "counsellor": None,
        "reply_to": None,
        "dial": "nnnnnnnn",
        "revision": 1,
        "window": {"zone": "Europe/Dublin", "quiet_hours": None, "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
    }
)


def _due(place: Place, plans: int) -> UUID:
    organization, _, template = prepare(place, plans)
    with place.superuser() as connection:
        connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
        connection.execute(_SPREAD, {"o": organization, "one_in": _ONE_IN})
    return organization


def claim(place: Place, plans: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Find and lock all that are due, as one worker does; the floor is the bare query with its index."""
    organization, due = _due(place, plans), plans // _ONE_IN
    place.settle()

    def floor(_: int) -> float:
        with place.superuser() as connection, stopwatch() as seconds:
            found = connection.execute(_FIND, (organization, due + 1)).fetchall()
            taken = seconds()
            connection.rollback()
        assert len(found) == due, len(found)
        return taken

    def ours(_: int) -> float:
        database = place.runtime.database
        with database.unit_of_work(access.system(organization)) as uow, stopwatch() as seconds:
            renewed, found = schedule_stale(uow), claim_due(uow, due + 1)
            taken = seconds()
            uow.session.rollback()
        assert (renewed, len(found)) == (0, due), (renewed, len(found))
        return taken

    return interleaved(f"claim the due among plans ({due:,} due)", plans, floor, ours, limit=limit, runs=runs)


def write(place: Place, plans: int, *, limit: float | None, runs: int = 5) -> Measured:
    """Write reviews, links, prompts, messages and history for all that are due; the floor inserts the bare rows."""
    organizations = [_due(place, plans) for _ in range(2)]
    due = plans // _ONE_IN
    each = due // runs
    place.settle()

    def again(organization: UUID) -> None:
        """Leave only the next part due, so that every run writes as many anew."""
        with place.superuser() as connection:
            connection.execute(
                "UPDATE plans SET next_prompt_at = CASE WHEN id IN (SELECT id FROM plans WHERE organization_id = %(o)s"
                " AND next_reminder = 0 AND review_set AND next_review_on <= current_date + 14 ORDER BY id LIMIT %(n)s)"
                " THEN now() - interval '1 hour' ELSE now() + interval '30 days' END WHERE organization_id = %(o)s",
                {"o": organization, "n": each},
            )

    def floor(_: int) -> float:
        again(organizations[0])
        with psycopg.connect(place.superuser_url) as connection, stopwatch() as seconds:
            written = 0
            while ids := [row[0] for row in connection.execute(_FIND, (organizations[0], BATCH)).fetchall()]:
                _insert(connection, organizations[0], ids)
                connection.commit()
                written += len(ids)
            taken = seconds()
        assert written == each, written
        return taken

    def ours(_: int) -> float:
        again(organizations[1])
        runtime = place.runtime
        before = _messages(place, organizations[1])
        with stopwatch() as seconds:
            make_due_prompts(runtime, organizations[1], until=runtime.clock() + timedelta(minutes=10))
            taken = seconds()
        assert _messages(place, organizations[1]) - before == each
        return taken

    name = f"write occurrences and messages ({each:,} of {due:,} due a run)"
    return interleaved(name, plans, floor, ours, limit=limit, runs=runs)


def _insert(connection: psycopg.Connection[Any], organization: UUID, ids: list[UUID]) -> None:
    values = {
        "o": organization,
        "plans": ids,
        "params": _PARAMS,
        **{name: [uuid4() for _ in ids] for name in ("reviews", "messages", "links")},
    }
    for statement in _BARE:
        connection.execute(statement, values)


def _messages(place: Place, organization: UUID) -> int:
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        return int(uow.session.execute(text("SELECT count(*) FROM messages")).scalar_one())


def sweep(place: Place, organizations: int, *, limit: float | None, runs: int = 5) -> Measured:
    """One round of the sweeper over organizations where nothing is due; the floor reads their directory."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for _ in range(organizations):
        place.organization()
    organization = _due(place, 100)
    with place.superuser() as connection:
        connection.execute("UPDATE plans SET next_prompt_at = %s WHERE organization_id = %s", (tomorrow, organization))
        # Whatever other measurements left.
        connection.execute(
            "UPDATE tenants SET active = false WHERE id <> %s AND id IN (SELECT organization_id FROM plans)",
            (organization,),
        )
    place.settle()

    def floor(_: int) -> float:
        with stopwatch() as seconds:
            place.runtime.database.organization_ids()
            return seconds()

    def ours(_: int) -> float:
        with stopwatch() as seconds:
            rung = sweep_once(place.runtime)
            taken = seconds()
        assert rung == 0, rung
        return taken

    # Each is looked at twice before it is left alone.
    database = place.runtime.database
    while database.organizations_to_wake(database.clock()):
        sweep_once(place.runtime)
        time.sleep(1)
    time.sleep(_SECOND_LOOK)
    sweep_once(place.runtime)
    return interleaved(
        "sweep with nothing due", organizations, floor, ours, limit=limit, runs=runs, at_most_seconds=SWEEP_SECONDS
    )
