"""The outbox: what each fault makes of a message, what a crash at each point leaves, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain import access
from app.domain.errors import Conflict
from app.features.messaging import runner, settle
from app.features.messaging.kinds import Draft, MessageKind, Words
from app.features.messaging.relay import Relay, relay_of
from app.features.messaging.rendering import render_mail
from app.features.messaging.runner import send_outbox
from app.features.messaging.service import leave_unsent, queue_messages, send_again, suppress_address
from app.features.messaging.states import reserve
from app.infra.mail import Fate, MailConnection, Outcome
from app.infra.mailsink.launch import MailSink
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.infra.smtp_stub import CLOSE, HANG, RESET, SmtpStub
from tests.reviews.helpers import rows


def _render(_: object, draft: Draft) -> Words:
    if draft.params.get("broken"):
        raise KeyError("broken")
    return Words("Hello", f"Hello {draft.recipient_name}", f"<p>Hello {draft.recipient_name}</p>")


KINDS = {
    "optional": MessageKind(name="optional", optional=True, render=_render),
    "account": MessageKind(name="account", optional=False, render=_render),
}


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization(time_zone="UTC")


@pytest.fixture
def stub_runtime(runtime: Runtime) -> Iterator[Callable[[SmtpStub], Runtime]]:
    """`runtime`, sending to a scripted server that cannot be asked."""
    stubs = []

    def make(stub: SmtpStub) -> Runtime:
        stubs.append(stub)
        return replace(runtime, settings=replace(runtime.settings, smtp_url=stub.url))

    yield make
    for stub in stubs:
        relay_of(stub.url).close()
        stub.stop()


def queue(runtime: Runtime, organization: UUID, key: str = "a", **more: Any) -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        row = {
            "dedupe_key": key,
            "kind": "optional",
            "recipient": f"{key}@example.org",
            "recipient_name": "Ann Smith",
            "locale": "en",
            "params": {},
            "client_id": None,
            "due_at": uow.now,
            "not_before": uow.now,
        }
        queue_messages(uow, [row | more])


def send(runtime: Runtime, organization: UUID) -> bool:
    return send_outbox(runtime, organization, KINDS, until=runtime.clock() + timedelta(seconds=60))


def states(runtime: Runtime, organization: UUID) -> list[tuple[str, int]]:
    return [tuple(r) for r in rows(runtime, organization, "SELECT state, attempts FROM messages ORDER BY due_at, id")]


TABLE = [
    ("connect", "554 no service", "queued", 0),
    ("connect", "421 too many", "queued", 0),
    ("connect", CLOSE, "queued", 0),
    ("connect", HANG, "queued", 0),
    ("ehlo", "421 go away", "queued", 0),
    ("mail", "451 busy", "queued", 1),
    ("mail", "550 not you", "failed", 1),
    ("rcpt", "450 mailbox full", "queued", 1),
    ("rcpt", "550 no such user", "failed", 1),
    ("rcpt", "421 closing", "queued", 1),
    ("rcpt", RESET, "queued", 1),
    ("data", "451 later", "queued", 1),
    ("data", "554 no", "failed", 1),
    ("dot", "452 no room", "queued", 1),
    ("dot", "554 spam", "failed", 1),
    ("dot", CLOSE, "unknown", 1),
    ("kept", RESET, "unknown", 1),
    ("after", RESET, "sent", 1),
]


@pytest.mark.parametrize(("moment", "does", "state", "attempts"), TABLE)
def test_m2_each_fault_leads_to_its_state(
    *,
    runtime: Runtime,
    organization: UUID,
    stub_runtime: Callable[[SmtpStub], Runtime],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    does: str,
    state: str,
    attempts: int,
) -> None:
    if does == HANG:
        monkeypatch.setattr(runner, "TRANSFER_SECONDS", 0.4)
    stub = SmtpStub({moment: does})
    sending = stub_runtime(stub)
    queue(sending, organization)
    send(sending, organization)
    assert states(sending, organization) == [(state, attempts)]
    (reason,) = rows(sending, organization, "SELECT reason FROM messages")[0]
    assert (reason is None) == (state == "sent")
    assert len(set(stub.taken)) == len(stub.taken) <= 1


def test_what_may_pass_is_tried_again_with_growing_waits_and_given_up_after_twelve(
    runtime: Runtime, organization: UUID, stub_runtime: Callable[[SmtpStub], Runtime], clock: Clock
) -> None:
    sending = stub_runtime(SmtpStub({"rcpt": "450 mailbox full"}))
    queue(sending, organization)
    for attempt in range(1, 13):
        send(sending, organization)
        state, not_before, attempts = rows(sending, organization, "SELECT state, not_before, attempts FROM messages")[0]
        assert attempts == attempt
        if state == "queued":
            assert timedelta(0) < not_before - clock.now <= timedelta(seconds=min(3600, 30 * 2 ** (attempt - 1)))
            send(sending, organization)
            clock.now = not_before
    assert state == "failed"
    (reason,) = rows(sending, organization, "SELECT reason FROM messages")[0]
    assert "12 attempts" in reason
    assert "450" in reason


def test_one_refused_address_does_not_hold_up_the_others(
    mailing: Runtime, organization: UUID, sink: MailSink, clock: Clock
) -> None:
    sink.set_rules(
        [
            {"on": "rcpt", "match": "b@*", "answer": "550 5.1.1 No such user"},
            {"on": "data", "match": "c@*", "delay": 0.5},
        ]
    )
    for key in "abcd":
        queue(mailing, organization, key)
        clock.now += timedelta(seconds=1)
    queue(mailing, organization, "e", params={"broken": True})
    queue(mailing, organization, "f", recipient="not an address")
    send(mailing, organization)
    found = rows(mailing, organization, "SELECT dedupe_key, state FROM messages ORDER BY 1")
    assert dict(map(tuple, found)) == {
        "a": "sent", "b": "failed", "c": "sent", "d": "sent", "e": "failed", "f": "failed"
    }  # fmt: skip


def test_the_relay_down_for_six_hours_costs_no_mail_an_attempt(
    runtime: Runtime, organization: UUID, mailing: Runtime, sink: MailSink, clock: Clock
) -> None:
    for key in "abc":
        queue(mailing, organization, key)
    sink.set_rules([{"on": "connect", "answer": "421 down"}])
    knocks = 0
    for _ in range(6 * 60):
        resting = relay_of(mailing.settings.smtp_url).is_resting(clock.now)
        knocks += not resting
        send(mailing, organization)
        clock.now += timedelta(minutes=1)
    assert states(mailing, organization) == [("queued", 0)] * 3
    assert knocks < 6 * 60
    sink.set_rules([])
    for _ in range(5):
        clock.now += timedelta(minutes=1)
        send(mailing, organization)
    assert states(mailing, organization) == [("sent", 1)] * 3


def test_the_breaker_rests_longer_while_trouble_goes_on_and_forgets_on_success(clock: Clock) -> None:
    relay = Relay("smtp://127.0.0.1:1")
    down = Outcome(Fate.LATER, "no", relay_down=True, begun=False)
    for _ in range(3):
        assert not relay.is_resting(clock.now)
        relay.note(down, clock.now)
    assert relay.is_resting(clock.now + timedelta(seconds=2))
    assert not relay.is_resting(clock.now + timedelta(seconds=6))
    for _ in range(20):
        relay.note(down, clock.now)
    assert relay.is_resting(clock.now + timedelta(seconds=50))
    assert not relay.is_resting(clock.now + timedelta(seconds=121))


def test_a_rest_begun_by_a_clock_that_was_a_day_ahead_does_not_last_until_that_day(clock: Clock) -> None:
    relay = Relay("smtp://127.0.0.1:1")
    for _ in range(3):
        relay.note(Outcome(Fate.LATER, "no", relay_down=True, begun=False), clock.now + timedelta(days=1))
    assert relay.is_resting(clock.now + timedelta(days=1))
    assert not relay.is_resting(clock.now)
    relay.note(Outcome(Fate.SENT), clock.now)
    assert not relay.is_resting(clock.now)


class _Crash(BaseException):
    """Stands for a kill: nothing may catch it."""


def _crash(*_: object, **__: object) -> None:
    raise _Crash


@pytest.mark.parametrize("left", [False, True])
def test_m1_a_crash_after_the_hand_over_is_settled_by_asking(
    *,
    mailing: Runtime,
    organization: UUID,
    sink: MailSink,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    left: bool,
) -> None:
    queue(mailing, organization)
    really = MailConnection.send

    def dying(self: MailConnection, *arguments: Any, **options: Any) -> None:
        if left:
            really(self, *arguments, **options)
        raise _Crash

    with monkeypatch.context() as patch:
        patch.setattr(MailConnection, "send", dying)
        with pytest.raises(_Crash):
            send(mailing, organization)
    assert states(mailing, organization) == [("handed", 1)]
    send(mailing, organization)
    assert states(mailing, organization) == [("handed", 1)], "the lease of the dead sender still holds"
    clock.now += timedelta(seconds=31)
    send(mailing, organization)
    assert states(mailing, organization) == [("sent", 1 if left else 2)]
    (message,) = rows(mailing, organization, "SELECT id FROM messages")
    assert sink.times_seen(f"<{message.id}@example.org>") == 1


def test_a_crash_before_the_hand_over_leaves_a_queued_mail_that_is_free_when_the_lease_ends(
    mailing: Runtime, organization: UUID, sink: MailSink, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(mailing, organization)
    with monkeypatch.context() as patch:
        patch.setattr(runner, "advance", _crash)
        with pytest.raises(_Crash):
            send(mailing, organization)
    assert states(mailing, organization) == [("queued", 0)]
    clock.now += timedelta(seconds=31)
    send(mailing, organization)
    assert states(mailing, organization) == [("sent", 1)]


def test_a_crash_while_asking_is_asked_again(
    mailing: Runtime, organization: UUID, sink: MailSink, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink.set_rules([{"on": "data", "close": "before", "times": 1}])
    queue(mailing, organization)
    send(mailing, organization)
    assert states(mailing, organization) == [("unknown", 1)]
    clock.now += timedelta(seconds=61)
    for name in ("look_up", "_write"):
        with monkeypatch.context() as patch:
            patch.setattr(settle, name, _crash)
            with pytest.raises(_Crash):
                send(mailing, organization)
        assert states(mailing, organization) == [("unknown", 1)]
        clock.now += timedelta(seconds=31)
    send(mailing, organization)
    assert states(mailing, organization) == [("sent", 1)]
    (message,) = rows(mailing, organization, "SELECT id FROM messages")
    assert sink.times_seen(f"<{message.id}@example.org>") == 1


def test_a_lost_message_that_the_relay_never_saw_is_sent_again(
    mailing: Runtime, organization: UUID, sink: MailSink, clock: Clock
) -> None:
    sink.set_rules([{"on": "data", "close": "lost", "times": 1}])
    queue(mailing, organization)
    send(mailing, organization)
    assert states(mailing, organization) == [("unknown", 1)]
    clock.now += timedelta(seconds=61)
    send(mailing, organization)
    assert states(mailing, organization) == [("sent", 2)]


def test_without_a_look_up_an_unknown_outcome_waits_for_a_person(
    runtime: Runtime, organization: UUID, stub_runtime: Callable[[SmtpStub], Runtime], clock: Clock
) -> None:
    stub = SmtpStub({"dot": CLOSE}, times=2)
    sending = stub_runtime(stub)
    queue(sending, organization, "a")
    queue(sending, organization, "b")
    send(sending, organization)
    clock.now += timedelta(days=2)
    send(sending, organization)
    assert states(sending, organization) == [("unknown", 1), ("unknown", 1)]
    first, second = [r.id for r in rows(sending, organization, "SELECT id FROM messages ORDER BY dedupe_key")]
    with sending.database.unit_of_work(access.system(organization)) as uow:
        send_again(uow, first)
        leave_unsent(uow, second)
        with pytest.raises(Conflict):
            leave_unsent(uow, second)
    send(sending, organization)
    found = rows(sending, organization, "SELECT state FROM messages ORDER BY dedupe_key")
    assert [r.state for r in found] == ["sent", "failed"]
    assert len(stub.taken) == 1


def test_m4_a_suppressed_address_gets_no_optional_mail_but_account_mail(
    mailing: Runtime, organization: UUID, sink: MailSink
) -> None:
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        suppress_address(uow, "Ann@Example.org", "unsubscribed")
    queue(mailing, organization, "a", recipient="ann@example.org")
    queue(mailing, organization, "b", recipient="ann@example.org", kind="account")
    send(mailing, organization)
    found = rows(mailing, organization, "SELECT dedupe_key, state, reason FROM messages ORDER BY 1")
    assert list(map(tuple, found)) == [("a", "suppressed", "unsubscribed"), ("b", "sent", None)]


def test_a_key_used_once_never_makes_a_second_message(mailing: Runtime, organization: UUID, sink: MailSink) -> None:
    for _ in range(3):
        queue(mailing, organization)
        send(mailing, organization)
    assert states(mailing, organization) == [("sent", 1)]
    (message,) = rows(mailing, organization, "SELECT id FROM messages")
    assert sink.times_seen(f"<{message.id}@example.org>") == 1


def test_a_sender_reserves_no_more_than_it_asked_for(mailing: Runtime, organization: UUID) -> None:
    for number in range(30):
        queue(mailing, organization, f"k{number}")
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        assert len(reserve(uow, uuid4(), 7)) == 7
        assert len(reserve(uow, uuid4(), 30)) == 23
    leased = rows(mailing, organization, "SELECT lease_token, count(*) FROM messages GROUP BY 1 ORDER BY 2")
    assert [r.count for r in leased] == [7, 23]


def test_a_readers_own_values_are_shown_and_never_read_as_markup_or_marks() -> None:
    shared = {
        "lang": "en",
        "organization": "A & B",
        "counsellor": None,
        "reminder": 0,
        "day": "1 May",
        "accent": "#0b6b66",
        "has_dial": 0,
        "has_why": 0,
        "counsellor_word": "adviser",
    }
    name = "<b>\ue000url\ue001</b> %(name)s {{ 7 * 7 }}"
    own = {"given_name": name, "url": "https://example.org/a", "unsubscribe_url": "https://example.org/u"}
    for _ in range(2):
        subject, plain, html = render_mail("review_prompt", "en", shared, own)
        assert subject == "Five minutes for your plan"
        assert f"Hello {name}," in plain
        assert "&lt;b&gt;\ue000url\ue001&lt;/b&gt; %(name)s {{ 7 * 7 }}" in html
        assert "A &amp; B" in html
        own = own | {"given_name": name}
    assert "Hello Bo," in render_mail("review_prompt", "en", shared, own | {"given_name": "Bo"})[1]


def test_what_many_share_is_no_mark_either() -> None:
    shared = {
        "lang": "en",
        "organization": "\ue000url\ue001",
        "counsellor": "Lena \ue000nothing\ue001",
        "reminder": 0,
        "day": "1 May",
        "accent": "#0b6b66",
        "has_dial": 0,
        "has_why": 0,
        "counsellor_word": "adviser",
    }
    own = {"given_name": "Bo", "url": "https://example.org/a", "unsubscribe_url": "https://example.org/u"}
    plain = render_mail("review_prompt", "en", shared, own)[1]
    assert "Lena nothing" in plain
    assert plain.count("https://example.org/a") == render_mail(
        "review_prompt", "en", shared | {"organization": "Centre"}, own
    )[1].count("https://example.org/a")
