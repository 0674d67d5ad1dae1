"""Mail that came back: the message fails, a gone address gets no mail of any kind, and a person is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.composition import MESSAGE_KINDS
from app.config import ConfigurationError, load
from app.domain import access
from app.domain.access import Role
from app.domain.errors import NotFound
from app.features.clients.letters import WriteLetter, write_letter
from app.features.messaging.bounces import Taken, bounced_addresses, take_bounce, try_again
from app.features.messaging.runner import send_outbox
from app.infra.mailsink.launch import MailSink
from app.infra.return_path import read_return_path, return_path
from app.infra.runtime import Runtime
from tests.factories import Person, World
from tests.harness import Clock
from tests.messaging.letters import letters_in, notification
from tests.reviews.helpers import rows


@pytest.fixture
def returning(mailing: Runtime) -> Runtime:
    """`mailing`, with an address mail comes back to."""
    return replace(mailing, settings=replace(mailing.settings, bounce_address="bounce@mail.example.org"))


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.organization(time_zone="UTC"), Role.COUNSELLOR, "Ada Lovelace")


def letter(runtime: Runtime, writer: Person, client: UUID, subject: str = "Hello") -> UUID:
    with runtime.database.unit_of_work(writer.actor) as uow:
        message_id = write_letter(uow, WriteLetter(client_id=client, subject=subject, text="Come by.", urgent=True))
    until = runtime.clock() + timedelta(seconds=60)
    send_outbox(runtime, writer.actor.organization_id, MESSAGE_KINDS, until=until)
    return message_id


def notices(runtime: Runtime, organization: UUID) -> list[tuple[UUID, str]]:
    found = rows(runtime, organization, "SELECT membership_id, kind FROM notices ORDER BY created_at, id")
    return [(r.membership_id, r.kind) for r in found]


def test_each_mail_names_a_return_path_of_its_own_and_one_comes_back_by_it(
    returning: Runtime, world: World, ada: Person, tmp_path: Path, clock: Clock
) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    first, second = letter(returning, ada, client), letter(returning, ada, client, "Again")
    assert len(letters_in(tmp_path / "sink")) == 2
    address = return_path(returning.settings, here, first)
    assert address != return_path(returning.settings, here, second)
    for _ in range(3):
        assert take_bounce(returning, notification(address)) is Taken.GONE
    found = {r.id: (r.state, r.reason) for r in rows(returning, here, "SELECT id, state, reason FROM messages")}
    assert found[first] == ("failed", "came back: 5.1.1 550 no such user here")
    assert found[second] == ("sent", None)
    assert notices(returning, here) == [(ada.actor.membership_id, "mail_bounced")], "told once"
    third = letter(returning, ada, client, "Still there?")
    assert rows(returning, here, "SELECT state FROM messages WHERE id = :id", id=third)[0].state == "suppressed"
    assert len(letters_in(tmp_path / "sink")) == 2, "nothing more is sent, urgent or not"
    with returning.database.unit_of_work(access.system(here)) as uow:
        (gone,) = bounced_addresses(uow)
        try_again(uow, gone.address)
        with pytest.raises(NotFound):
            try_again(uow, gone.address)
    letter(returning, ada, client, "You are back")
    assert len(letters_in(tmp_path / "sink")) == 3


def test_the_sink_is_told_the_return_path_as_the_envelopes_sender(
    returning: Runtime, world: World, ada: Person, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    senders = []
    from app.infra.mail import MailConnection  # the class whose method is watched

    really = MailConnection.send

    def watched(self: MailConnection, sender: str, recipient: str, content: bytes, **more: float) -> object:
        senders.append(sender)
        return really(self, sender, recipient, content, **more)

    monkeypatch.setattr(MailConnection, "send", watched)
    (client,) = world.clients(ada.actor.organization_id, 1)
    world.caseload(ada, [client])
    message = letter(returning, ada, client)
    assert senders == [return_path(returning.settings, ada.actor.organization_id, message)]
    local, _, domain = senders[0].partition("@")
    assert (len(local), domain) == (62, "mail.example.org"), "64 characters at most (RFC 5321)"


def test_a_mail_that_did_not_arrive_for_another_reason_stops_none(
    returning: Runtime, world: World, ada: Person
) -> None:
    here = ada.actor.organization_id
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    message = letter(returning, ada, client)
    address = return_path(returning.settings, here, message)
    assert take_bounce(returning, notification(address, action="delayed", status="4.4.1")) is Taken.NOT_YET
    assert notices(returning, here) == []
    assert take_bounce(returning, notification(address, status="5.2.2")) is Taken.RETURNED
    assert notices(returning, here) == [(ada.actor.membership_id, "mail_returned")]
    with returning.database.unit_of_work(access.system(here)) as uow:
        assert bounced_addresses(uow) == []


def test_where_nobody_looks_after_the_reader_administrators_are_told(
    returning: Runtime, world: World, ada: Person
) -> None:
    here = ada.actor.organization_id
    admin = world.person(here, Role.ADMIN)
    (client,) = world.clients(here, 1)
    message = letter(returning, admin, client)
    take_bounce(returning, notification(return_path(returning.settings, here, message)))
    assert notices(returning, here) == [(admin.actor.membership_id, "mail_bounced")]


@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_a_return_path_is_read_whatever_a_server_makes_of_its_case(
    returning: Runtime, world: World, case: object
) -> None:
    here, message = world.organization(), uuid4()
    address = return_path(returning.settings, here, message)
    changed = case(address)  # type: ignore[operator] # one of str's methods
    assert read_return_path(returning.settings, changed, returning.database.organization_ids) == (here, message)


def test_only_this_installations_return_paths_are_believed(returning: Runtime, world: World, ada: Person) -> None:
    here, elsewhere = ada.actor.organization_id, world.organization()
    (client,) = world.clients(here, 1)
    world.caseload(ada, [client])
    message = letter(returning, ada, client)
    address = return_path(returning.settings, here, message)
    local, _, domain = address.partition("@")
    for number in range(len("bounce+"), len(local)):
        # The last character has bits to spare, which say nothing.
        other = "a" if local[number] != "a" else "z"
        forged = local[:number] + other + local[number + 1 :] + "@" + domain
        if read_return_path(returning.settings, forged, returning.database.organization_ids) is not None:
            assert number == len(local) - 1
    for made_up in ("", "bounce@mail.example.org", "bounce+x@mail.example.org", return_path(
        returning.settings, elsewhere, message
    )):  # fmt: skip
        assert take_bounce(returning, notification("nobody@example.org"), made_up) is Taken.NOT_OURS
    old = replace(returning.settings, secret_key="y" * 40, previous_secret_keys=(returning.settings.secret_key,))
    assert read_return_path(old, address, returning.database.organization_ids) == (here, message)
    assert read_return_path(
        replace(old, previous_secret_keys=()), address, returning.database.organization_ids
    ) is None  # fmt: skip
    away = b"From: ann@example.org\r\nSubject: I am away\r\n\r\nBack on Monday."
    assert take_bounce(returning, away, address) is Taken.NO_REPORT
    assert notices(returning, here) == []


def test_without_an_address_for_bounces_mail_comes_back_to_the_sender(mailing: Runtime) -> None:
    assert return_path(mailing.settings, uuid4(), uuid4()) == ""


@pytest.fixture
def environ(live: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """An installation of its own that the command finds in its environment."""
    settings = replace(live.settings, bounce_address="bounce@mail.example.org")
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    return replace(live, settings=settings)


def test_the_command_takes_a_mail_from_its_input(environ: Runtime) -> None:
    world = World(environ)
    ada = world.person(world.organization(), Role.COUNSELLOR)
    (client,) = world.clients(ada.actor.organization_id, 1)
    world.caseload(ada, [client])
    with environ.database.unit_of_work(ada.actor) as uow:
        message = write_letter(uow, WriteLetter(client_id=client, subject="Hello", text="Come by."))
    address = return_path(environ.settings, ada.actor.organization_id, message)
    answer = CliRunner().invoke(cli, ["bounce", "--recipient", address], input=notification("x@example.org"))
    assert (answer.exit_code, answer.output.partition(".")[0]) == (0, "The address does not exist")
    assert notices(environ, ada.actor.organization_id) == [(ada.actor.membership_id, "mail_bounced")]
    nonsense = CliRunner().invoke(cli, ["bounce"], input=b"\xff\x00 nothing")
    assert (nonsense.exit_code, "passed over" in nonsense.output) == (0, True)


def test_the_command_asks_the_mail_server_to_come_again_when_the_database_is_away(
    environ: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCTANT_DATABASE_URL", "postgresql://octant_app:x@127.0.0.1:1/none")
    address = return_path(environ.settings, uuid4(), uuid4())
    answer = CliRunner().invoke(cli, ["bounce", "--recipient", address], input=notification(address))
    assert answer.exit_code == 75


@pytest.mark.parametrize(
    "given", ["bounce", "bounce@", "much-too-long@example.org", "a+b@example.org", "Ä@example.org"]
)
def test_an_address_for_bounces_that_cannot_carry_the_token_stops_the_start(environ: Runtime, given: str) -> None:
    with pytest.raises(ConfigurationError, match="OCTANT_BOUNCE_ADDRESS"):
        load(environ.settings.environ() | {"OCTANT_BOUNCE_ADDRESS": given})
