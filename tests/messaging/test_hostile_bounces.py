"""Mail that comes back oddly: what a person declined stays declined, and nothing in it stops the command."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.composition import MESSAGE_KINDS
from app.domain import access
from app.features.messaging.bounces import Taken, bounced_addresses, take_bounce, try_again
from app.features.messaging.runner import send_outbox
from app.features.messaging.service import DECLINED, queue_messages, suppress_address
from app.infra.return_path import return_path
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.messaging.letters import notification
from tests.messaging.test_bounces import ada, letter, returning
from tests.reviews.helpers import rows

__all__ = ["ada", "returning"]  # fixtures


def _suppressed(runtime: Runtime, world: World, writer: Person, address: str) -> list[str]:
    """The states of a digest (which may be declined) written to an address now."""
    here = writer.actor.organization_id
    with runtime.database.unit_of_work(access.system(here)) as uow:
        queue_messages(
            uow,
            [
                {
                    "dedupe_key": f"probe:{uow.now}",
                    "kind": "digest",
                    "recipient": address,
                    "recipient_name": "Reader",
                    "locale": "en",
                    "params": {"items": [], "given_name": "Reader"},
                    "client_id": None,
                    "due_at": uow.now,
                    "not_before": uow.now,
                }
            ],
        )
    send_outbox(runtime, here, MESSAGE_KINDS, until=runtime.clock() + timedelta(seconds=60))
    return [row.state for row in rows(runtime, here, "SELECT state FROM messages WHERE kind = 'digest'")]


@pytest.mark.parametrize("declined_first", [True, False])
def test_who_declined_mail_gets_none_again_because_the_address_works_again(
    returning: Runtime, world: World, ada: Person, declined_first: bool
) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    message = letter(returning, ada, client)
    (to,) = rows(returning, here, "SELECT recipient FROM messages")[0]

    def decline() -> None:
        with returning.database.unit_of_work(access.system(here)) as uow:
            suppress_address(uow, to, DECLINED)

    if declined_first:
        decline()
    assert take_bounce(returning, notification(return_path(returning.settings, here, message))) is Taken.GONE
    if not declined_first:
        decline()
    with returning.database.unit_of_work(ada.actor) as uow:
        assert [row.address for row in bounced_addresses(uow)] == [to.casefold()]
        try_again(uow, to)
        assert bounced_addresses(uow) == []
    assert _suppressed(returning, world, ada, to) == ["suppressed"]
    letter(returning, ada, client, "A letter may not be declined")
    assert rows(returning, here, "SELECT count(*) FROM messages WHERE kind <> 'digest' AND state = 'sent'")[0][0] == 1


def test_a_report_with_characters_that_cannot_be_kept_is_read_all_the_same(
    returning: Runtime, world: World, ada: Person
) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    address = return_path(returning.settings, here, letter(returning, ada, client))
    report = notification(address).replace(b"550 no such", b"550 \x00no \xff such")
    assert take_bounce(returning, report) is Taken.GONE


def test_an_address_with_a_sign_that_only_looks_like_a_letter_is_not_ours(returning: Runtime) -> None:
    kelvin = "bounce+" + "\N{KELVIN SIGN}" * 55 + "@mail.example.org"
    assert take_bounce(returning, notification("x@example.org"), kelvin) is Taken.NOT_OURS


def test_a_report_nested_without_end_is_none(returning: Runtime, world: World, ada: Person) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    address = return_path(returning.settings, here, letter(returning, ada, client))
    deep = f"To: {address}\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n".encode()
    deep += b"Content-Type: message/rfc822\r\n\r\n" * 5000
    assert take_bounce(returning, deep) is Taken.NO_REPORT
