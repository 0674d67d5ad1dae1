"""The webhook: signed, ids only, repeated until it is taken with one id, and no burden where it is not."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain import access
from app.domain.access import Role
from app.domain.errors import InvalidInput
from app.features.clients.letters import WriteLetter, write_letter
from app.features.messaging import webhook
from app.features.messaging.inbox import put_notices
from app.features.messaging.webhook import (
    deliver_webhooks,
    find_webhook,
    remove_webhook,
    renew_key,
    save_webhook,
    signature,
    signing_keys,
)
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.messaging.receiver import Receiver
from tests.reviews.helpers import rows
from workers.sweeper import wanted


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    started = Receiver().start()
    yield started
    started.stop()


@pytest.fixture
def ada(world: World, runtime: Runtime, receiver: Receiver) -> Person:
    """A counsellor of an organization whose webhook is the receiver."""
    ada = world.person(world.organization(), Role.COUNSELLOR, "Ada Lovelace")
    with runtime.database.unit_of_work(ada.actor) as uow:
        save_webhook(uow, runtime.settings, f"{receiver.url}/octant")
    return ada


def deliver(runtime: Runtime, organization: UUID) -> None:
    deliver_webhooks(runtime, organization, runtime.clock() + timedelta(seconds=60))


def write(runtime: Runtime, writer: Person, client: UUID) -> UUID:
    with runtime.database.unit_of_work(writer.actor) as uow:
        return write_letter(uow, WriteLetter(client_id=client, subject="Private subject", text="Private text"))


def deliveries(runtime: Runtime, organization: UUID) -> list[Any]:
    return rows(
        runtime, organization, "SELECT id, state, attempts, reason FROM webhook_deliveries ORDER BY created_at, id"
    )


def test_messages_and_notices_are_told_by_ids_and_kinds_and_signed(
    runtime: Runtime, world: World, ada: Person, receiver: Receiver
) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1, given_name="Unmistakable")
    world.caseload(ada, [client])
    message = write(runtime, ada, client)
    with runtime.database.unit_of_work(ada.actor) as uow:
        notice = {
            "membership_id": ada.actor.membership_id,
            "dedupe_key": "n",
            "kind": "mail_returned",
            "params": {"name": "Unmistakable", "reason": "Private reason"},
            "href": f"/clients/{client}",
        }
        assert put_notices(uow, [notice]) == 1
        assert put_notices(uow, [notice]) == 0
        keys = signing_keys(runtime.settings, here, find_webhook(uow).salt)  # type: ignore[union-attr] # it was just saved
    deliver(runtime, here)
    assert [(d.state, d.attempts) for d in deliveries(runtime, here)] == [("sent", 1), ("sent", 1)]
    told = {json.loads(body)["event"]: (headers, body) for _, headers, body in receiver.came}
    assert set(told) == {"message.staff_letter", "notice.mail_returned"}
    for headers, body in told.values():
        assert not {"Private", "Unmistakable", "example.org"} & set(body.decode().replace('"', " ").split())
        assert b"Private" not in body
        assert b"Unmistakable" not in body
        stamp, _, digest = headers["Octant-Signature"].partition(",")
        signed = f"{stamp.removeprefix('t=')}.".encode() + body
        assert digest == "v1=" + hmac.new(keys[0].encode(), signed, hashlib.sha256).hexdigest()
        assert int(stamp.removeprefix("t=")) == int(runtime.clock().timestamp())
    assert json.loads(told["message.staff_letter"][1])["data"]["message_id"] == str(message)
    assert json.loads(told["notice.mail_returned"][1])["data"]["path"] == f"/clients/{client}"


def test_what_is_not_taken_is_repeated_with_the_same_id_after_growing_rests(
    runtime: Runtime, world: World, ada: Person, receiver: Receiver, clock: Clock
) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    admin = world.person(here, Role.ADMIN)
    write(runtime, ada, client)
    write(runtime, ada, client)
    receiver.answer = 500
    for attempt in range(1, 13):
        deliver(runtime, here)
        first = deliveries(runtime, here)[0]
        assert first.attempts == attempt
        rest = rows(runtime, here, "SELECT rest_until FROM webhooks")[0].rest_until - clock.now
        assert timedelta(0) < rest <= timedelta(seconds=min(3600, 30 * 2 ** (attempt - 1)))
        deliver(runtime, here)
        assert len(receiver.came) == attempt, "one try, then a rest for all that waits"
        clock.now += rest
    assert (first.state, first.reason) == ("failed", "HTTP 500")
    assert {headers["Octant-Delivery"] for _, headers, _ in receiver.came} == {str(first.id)}
    assert [r.membership_id for r in rows(runtime, here, "SELECT membership_id FROM notices")] == [
        admin.actor.membership_id
    ]
    receiver.answer = 200
    deliver(runtime, here)
    assert {d.state for d in deliveries(runtime, here)} == {"failed", "sent"}
    assert rows(runtime, here, "SELECT troubles FROM webhooks")[0].troubles == 0


def test_without_a_webhook_or_with_one_switched_off_nothing_is_kept_to_be_told(
    runtime: Runtime, world: World, ada: Person, receiver: Receiver
) -> None:
    here, elsewhere = ada.actor.organization_id, world.organization()
    bea = world.person(elsewhere, Role.COUNSELLOR)
    for person in (ada, bea):
        clients = world.clients(person.actor.organization_id, 1)
        world.caseload(person, clients)
        write(runtime, person, clients[0])
    assert len(deliveries(runtime, here)) == 1
    assert deliveries(runtime, elsewhere) == []
    with runtime.database.unit_of_work(ada.actor) as uow:
        save_webhook(uow, runtime.settings, f"{receiver.url}/octant", active=False)
    assert deliveries(runtime, here) == []
    write(runtime, ada, rows(runtime, here, "SELECT id FROM clients")[0].id)
    assert deliveries(runtime, here) == []
    with runtime.database.unit_of_work(ada.actor) as uow:
        remove_webhook(uow)
        remove_webhook(uow)
        assert find_webhook(uow) is None


def test_the_sweeper_rings_for_what_is_to_be_told_and_not_while_the_receiver_rests(
    runtime: Runtime, world: World, ada: Person, receiver: Receiver
) -> None:
    here = ada.actor.organization_id
    assert wanted(runtime, here) == []
    with runtime.database.unit_of_work(ada.actor) as uow:
        notice = {
            "membership_id": ada.actor.membership_id,
            "dedupe_key": "n",
            "kind": "mail_returned",
            "href": "/inbox",
        }
        put_notices(uow, [notice])
    assert [bell.value for bell in wanted(runtime, here)] == ["prompt"]
    receiver.answer = 503
    deliver(runtime, here)
    assert wanted(runtime, here) == []


def test_a_worker_that_dies_while_telling_leaves_it_to_the_next(
    *,
    runtime: Runtime,
    world: World,
    ada: Person,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Crash(BaseException):
        """Stands for a kill."""

    def crash(*_: object, **__: object) -> None:
        raise Crash

    here = ada.actor.organization_id
    clients = world.clients(here, 1)
    world.caseload(ada, clients)
    write(runtime, ada, clients[0])
    with monkeypatch.context() as patch:
        patch.setattr(webhook, "_settle", crash)
        with pytest.raises(Crash):
            deliver(runtime, here)
    deliver(runtime, here)
    assert len(receiver.came) == 1, "the lease still holds"
    clock.now += timedelta(minutes=3)
    deliver(runtime, here)
    assert [d.state for d in deliveries(runtime, here)] == ["sent"]
    assert len({headers["Octant-Delivery"] for _, headers, _ in receiver.came}) == 1, "told twice, with one id"


def test_another_key_signs_nothing_the_old_one_did_and_an_earlier_secret_still_does(
    runtime: Runtime, ada: Person
) -> None:
    here = ada.actor.organization_id
    with runtime.database.unit_of_work(ada.actor) as uow:
        hook = find_webhook(uow)
        assert hook is not None
        old = signing_keys(runtime.settings, here, hook.salt)
        renew_key(uow, hook)
        new = signing_keys(runtime.settings, here, hook.salt)
        rotated = replace(runtime.settings, secret_key="y" * 40, previous_secret_keys=(runtime.settings.secret_key,))
        both = signing_keys(rotated, here, hook.salt)
    assert len({*old, *new}) == 2
    assert both[1] == new[0]
    assert signature(new, 5, b"x").split(",")[1] in signature(both, 5, b"x").split(",")
    with runtime.database.unit_of_work(access.system(here)) as uow:
        stored = str(rows(runtime, here, "SELECT * FROM webhooks"))
    assert new[0] not in stored


@pytest.mark.parametrize("url", ["http://example.org/", "https://user:x@example.org/", "nonsense", ""])
def test_an_address_that_may_not_be_asked_is_refused(runtime: Runtime, ada: Person, url: str) -> None:
    with pytest.raises(InvalidInput) as refused, runtime.database.unit_of_work(ada.actor) as uow:
        save_webhook(uow, runtime.settings, url)
    assert refused.value.field == "url"


def test_in_production_the_loopback_is_refused_when_it_is_written_and_when_it_is_asked(
    runtime: Runtime, world: World, ada: Person, receiver: Receiver
) -> None:
    here = ada.actor.organization_id
    real = replace(runtime, settings=replace(runtime.settings, environment="production"))
    with pytest.raises(InvalidInput), runtime.database.unit_of_work(ada.actor) as uow:
        save_webhook(uow, real.settings, receiver.url)
    clients = world.clients(here, 1)
    world.caseload(ada, clients)
    write(runtime, ada, clients[0])
    deliver(real, here)
    assert receiver.came == []
    assert [(d.state, d.attempts) for d in deliveries(runtime, here)] == [("queued", 1)]
