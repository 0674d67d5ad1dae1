"""A mail that waited for its reader's week is not sent when what it tells of was taken back, or its reader left."""

from __future__ import annotations

from datetime import timedelta

from app.composition import MESSAGE_KINDS
from app.features.edits.service import BulkEdit, start
from app.features.messaging.budget import POINTLESS
from app.features.messaging.runner import send_outbox
from app.features.selections.commands import Target
from app.infra.runtime import Runtime
from tests.assignments.helpers import START, Place, place
from tests.factories import World
from tests.harness import Clock


def _send(mailing: Runtime, at: Place) -> None:
    send_outbox(mailing, at.organization, MESSAGE_KINDS, until=mailing.clock() + timedelta(seconds=60))


def _waiting(mailing: Runtime, world: World) -> Place:
    """People with plans whose mails wait until next week."""
    at = place(world, clients=3)
    world.plans(at.organization, at.clients, "nnnnnnnn")
    at.sql("UPDATE organizations SET contact_cap = 1, time_zone = 'UTC'")
    at.sql("UPDATE clients SET email = id || '@example.org'")
    at.assign(what="step", step=2, due_on=START, client_ids=tuple(at.clients), tell=True)
    _send(mailing, at)
    return at


def _states(at: Place) -> dict[str, tuple[str, str | None]]:
    rows = at.sql(
        "SELECT client_id, state, reason FROM messages WHERE state <> 'sent' OR sent_at > :now - interval '1 day'",
        now=at.runtime.clock(),
    )
    return {row.client_id: (row.state, row.reason) for row in rows}


def test_what_was_taken_back_is_not_told_of(mailing: Runtime, world: World, clock: Clock) -> None:
    at = _waiting(mailing, world)
    job = at.assign(what="step", step=3, due_on=START, client_ids=tuple(at.clients), tell=True)
    _send(mailing, at)
    assert [row.state for row in at.sql("SELECT state FROM messages ORDER BY state")] == ["held"] * 3 + ["sent"] * 3
    one, other, third = at.clients
    theirs = "plan_id IN (SELECT id FROM plans WHERE client_id = :c)"
    at.sql(f"UPDATE plan_steps SET status = 'submitted' WHERE step = 3 AND {theirs}", c=one)
    at.undo(job)
    clock.now += timedelta(days=7)
    _send(mailing, at)
    assert _states(at) == {one: ("sent", None), other: ("suppressed", POINTLESS), third: ("suppressed", POINTLESS)}


def test_who_left_gets_neither_that_nor_what_somebody_wrote(mailing: Runtime, world: World, clock: Clock) -> None:
    at = _waiting(mailing, world)
    with at.runtime.database.unit_of_work(at.admin.actor) as uow:
        values = {"subject": "The fair", "text": "Come to the fair."}
        start(uow, BulkEdit(kind="message", values=values, target=Target(client_ids=tuple(at.clients))))
    at.work()
    _send(mailing, at)
    assert [row.state for row in at.sql("SELECT state FROM messages ORDER BY state")] == ["held"] * 3 + ["sent"] * 3
    one, other, third = at.clients
    at.sql("UPDATE clients SET active = false WHERE id = :c", c=one)
    clock.now += timedelta(days=7)
    _send(mailing, at)
    assert _states(at) == {one: ("suppressed", POINTLESS), other: ("sent", None), third: ("sent", None)}
