"""The contact budget: the cap holds whoever sends and however many do it at once, and nothing is lost or late twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.config import Settings
from app.domain import access
from app.features.messaging import runner
from app.features.messaging.contacts import contacts_of
from app.features.messaging.digest import with_digest
from app.features.messaging.kinds import Draft, Line, MessageKind, Words
from app.features.messaging.runner import send_outbox
from app.features.messaging.service import queue_messages, suppress_address
from app.infra.db.open import UnitOfWork
from app.infra.mailsink.launch import MailSink
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock
from tests.messaging.letters import letters_in
from tests.reviews.helpers import rows


def _render(_: Settings, draft: Draft) -> Words:
    return Words("Hello", f"about {draft.params['about']}", f"<p>about {draft.params['about']}</p>")


def _line(_: Settings, draft: Draft) -> Line:
    return Line(f"about {draft.params['about']}", f"https://example.org/{draft.params['about']}")


def _pointless(_: UnitOfWork, waiting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [params for params in waiting if params["about"].startswith("answered")]


KINDS = with_digest(
    {
        "prompt": MessageKind(name="prompt", optional=True, render=_render, line=_line, pointless=_pointless),
        "letter": MessageKind(name="letter", optional=False, render=_render),
        "urgent": MessageKind(name="urgent", optional=False, urgent=True, render=_render),
    }
)


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization(time_zone="UTC")


def row(client: UUID, about: str, now: datetime, kind: str = "prompt", **more: Any) -> dict[str, Any]:
    return {
        "dedupe_key": f"{kind}:{client}:{about}",
        "kind": kind,
        "recipient": f"{client}@example.org",
        "recipient_name": "Ann Smith",
        "locale": "en",
        "params": {"about": about},
        "client_id": client,
        "due_at": now,
        "not_before": now,
    } | more


def queue(runtime: Runtime, organization: UUID, *given: Mapping[str, Any]) -> None:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        queue_messages(uow, given)


def send(runtime: Runtime, organization: UUID) -> bool:
    return send_outbox(runtime, organization, KINDS, until=runtime.clock() + timedelta(seconds=60))


def states(runtime: Runtime, organization: UUID) -> dict[str, int]:
    found = rows(runtime, organization, "SELECT kind || ' ' || state AS what, count(*) AS n FROM messages GROUP BY 1")
    return {r.what: r.n for r in found}


def test_the_cap_holds_by_the_week_and_what_is_left_over_leaves_together_next_week(
    mailing: Runtime, organization: UUID, world: World, clock: Clock, tmp_path: Path
) -> None:
    (client,) = world.clients(organization, 1)
    for about in ("a", "b", "c", "d"):
        queue(mailing, organization, row(client, about, clock.now))
        send(mailing, organization)
        clock.now += timedelta(hours=1)
    assert states(mailing, organization) == {"prompt sent": 2, "prompt held": 2}
    held = rows(mailing, organization, "SELECT DISTINCT not_before FROM messages WHERE state = 'held'")
    assert [r.not_before for r in held] == [datetime(2026, 9, 14, tzinfo=UTC)], "Monday of the client's next week"
    clock.now = datetime(2026, 9, 13, 23, 59, tzinfo=UTC)
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt sent": 2, "prompt held": 2}
    clock.now = datetime(2026, 9, 14, 0, 0, 30, tzinfo=UTC)
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt sent": 2, "prompt merged": 2, "digest sent": 1}
    (digest,) = [m for m in letters_in(tmp_path / "sink") if "What waits for you" in m["Subject"]]
    for part in digest.walk():
        if part.get_content_maintype() == "text":
            assert "about c" in part.get_content()
            assert "https://example.org/d" in part.get_content()
    slots = rows(mailing, organization, "SELECT week, n FROM contact_slots ORDER BY 1, 2")
    assert [(r.week.isoformat(), r.n) for r in slots] == [("2026-09-07", 1), ("2026-09-07", 2), ("2026-09-14", 1)]


def test_what_is_due_at_once_is_one_mail_and_takes_one_slot(
    mailing: Runtime, organization: UUID, world: World, clock: Clock
) -> None:
    one, other = world.clients(organization, 2)
    queue(mailing, organization, *(row(one, str(n), clock.now) for n in range(7)), row(other, "x", clock.now))
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt merged": 7, "digest sent": 1, "prompt sent": 1}
    left = rows(mailing, organization, "SELECT client_id, count(*) AS n FROM contact_slots GROUP BY 1")
    assert {r.client_id: r.n for r in left} == {one: 1, other: 1}


def test_what_became_pointless_while_it_waited_is_left_out(
    mailing: Runtime, organization: UUID, world: World, clock: Clock, tmp_path: Path
) -> None:
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(text("UPDATE organizations SET contact_cap = 1"))
    one, other, third = world.clients(organization, 3)
    queue(mailing, organization, *(row(client, "answered at once", clock.now) for client in (one, other, third)))
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt sent": 3}, "what never waited is sent as it is"
    for client, about in (
        (one, "answered"),
        (other, "answered"),
        (other, "open"),
        (third, "open"),
        (third, "also open"),
    ):
        queue(mailing, organization, row(client, about, clock.now))
        send(mailing, organization)
    # A digest that waits, with one line that is answered when it leaves.
    queue(mailing, organization, row(third, "open 3", clock.now), row(third, "answered 4", clock.now))
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt sent": 3, "prompt held": 5, "prompt merged": 2, "digest held": 1}
    clock.now += timedelta(days=7)
    send(mailing, organization)
    assert states(mailing, organization) == {
        "prompt sent": 4,
        "prompt suppressed": 2,
        "prompt merged": 4,
        "digest merged": 1,
        "digest sent": 1,
    }
    (digest,) = [m for m in letters_in(tmp_path / "sink") if "What waits for you" in m["Subject"]]
    plain = digest.get_body(("plain",))
    assert plain is not None
    assert {line for line in plain.get_content().splitlines() if line.startswith("*")} == {
        "* about open",
        "* about also open",
        "* about open 3",
    }


def test_urgent_kinds_leave_whatever_the_budget_says_and_use_none_of_it(
    mailing: Runtime, organization: UUID, world: World, clock: Clock
) -> None:
    (client,) = world.clients(organization, 1)
    queue(mailing, organization, *(row(client, str(n), clock.now, "letter") for n in range(3)))
    send(mailing, organization)
    assert states(mailing, organization) == {"letter sent": 2, "letter held": 1}
    queue(mailing, organization, *(row(client, str(n), clock.now, "urgent") for n in range(5)))
    send(mailing, organization)
    assert states(mailing, organization) == {"letter sent": 2, "letter held": 1, "urgent sent": 5}


def test_a_mail_one_may_not_decline_is_never_a_line_of_one_that_may(
    mailing: Runtime, organization: UUID, world: World, clock: Clock
) -> None:
    (client,) = world.clients(organization, 1)
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        suppress_address(uow, f"{client}@example.org", "unsubscribed")
    queue(
        mailing,
        organization,
        row(client, "p", clock.now),
        row(client, "q", clock.now),
        row(client, "l", clock.now, "letter"),
    )
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt merged": 2, "digest suppressed": 1, "letter sent": 1}
    assert len(rows(mailing, organization, "SELECT 1 FROM contact_slots")) == 1, "what never left uses up nothing"


def test_a_refused_mail_gives_its_slot_back(
    mailing: Runtime, organization: UUID, world: World, clock: Clock, sink: MailSink
) -> None:
    (client,) = world.clients(organization, 1)
    sink.set_rules([{"on": "rcpt", "answer": "550 5.1.1 no such user"}])
    queue(mailing, organization, row(client, "a", clock.now))
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt failed": 1}
    assert rows(mailing, organization, "SELECT 1 FROM contact_slots") == []


def test_a_mail_that_is_tried_into_the_next_week_counts_in_the_week_it_leaves(
    mailing: Runtime, organization: UUID, world: World, clock: Clock, sink: MailSink
) -> None:
    (client,) = world.clients(organization, 1)
    clock.now = datetime(2026, 9, 13, 23, 59, 30, tzinfo=UTC)
    sink.set_rules([{"on": "rcpt", "answer": "450 later", "times": 1}])
    queue(mailing, organization, row(client, "a", clock.now))
    send(mailing, organization)
    assert [r.week.isoformat() for r in rows(mailing, organization, "SELECT week FROM contact_slots")] == ["2026-09-07"]
    clock.now += timedelta(hours=1)
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt sent": 1}
    assert [r.week.isoformat() for r in rows(mailing, organization, "SELECT week FROM contact_slots")] == ["2026-09-14"]


@pytest.mark.parametrize(
    ("zone", "now", "week"),
    [
        ("Pacific/Auckland", datetime(2026, 9, 13, 13, tzinfo=UTC), "2026-09-14"),
        ("America/Los_Angeles", datetime(2026, 9, 14, 6, tzinfo=UTC), "2026-09-07"),
        (None, datetime(2026, 9, 14, 6, tzinfo=UTC), "2026-09-14"),
    ],
)
def test_the_week_is_that_of_the_clients_own_time_zone(
    *, mailing: Runtime, organization: UUID, world: World, clock: Clock, zone: str | None, now: datetime, week: str
) -> None:
    (client,) = world.clients(organization, 1, time_zone=zone)
    clock.now = now
    queue(mailing, organization, row(client, "a", clock.now))
    send(mailing, organization)
    assert [r.week.isoformat() for r in rows(mailing, organization, "SELECT week FROM contact_slots")] == [week]


@pytest.mark.parametrize(("week", "n"), [("2026-09-07", 3), ("2026-09-07", 0), ("2026-09-08", 1), ("2026-09-07", 1)])
def test_the_database_takes_no_slot_above_the_cap_on_another_day_or_twice(
    *, mailing: Runtime, organization: UUID, world: World, clock: Clock, week: str, n: int
) -> None:
    (client,) = world.clients(organization, 1)
    queue(mailing, organization, row(client, "a", clock.now), row(client, "b", clock.now, "letter"))
    put = text(
        "INSERT INTO contact_slots (client_id, week, n, message_id)"
        " SELECT client_id, CAST(:week AS date), :n, id FROM messages WHERE kind = :kind"
    )
    with mailing.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(put, {"week": "2026-09-07", "n": 1, "kind": "prompt"})
    with pytest.raises(IntegrityError), mailing.database.unit_of_work(access.system(organization)) as uow:
        uow.session.execute(put, {"week": week, "n": n, "kind": "letter"})


def test_nothing_that_should_have_a_slot_is_handed_over_without_one(
    mailing: Runtime, organization: UUID, world: World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (client,) = world.clients(organization, 1)
    queue(mailing, organization, row(client, "a", clock.now), row(client, "b", clock.now, "urgent"))
    # A sender that forgot the budget altogether.
    monkeypatch.setattr(runner, "admit", lambda uow, token, found, kinds: list(found))
    send(mailing, organization)
    assert states(mailing, organization) == {"prompt queued": 1, "urgent sent": 1}


def test_staff_see_who_was_written_to_and_what_is_left(
    mailing: Runtime, organization: UUID, world: World, clock: Clock
) -> None:
    ada = world.person(organization, access.Role.COUNSELLOR, "Ada Lovelace")
    client, silent = world.clients(organization, 2)
    queue(mailing, organization, row(client, "old", clock.now))
    send(mailing, organization)
    clock.now += timedelta(days=7)
    queue(mailing, organization, row(client, "by Octant", clock.now))
    send(mailing, organization)
    clock.now += timedelta(hours=1)
    with mailing.database.unit_of_work(ada.actor) as uow:
        queue_messages(uow, [row(client, "by Ada", clock.now, "letter")])
    with mailing.database.unit_of_work(ada.actor) as uow:
        found = contacts_of(uow, [client, silent])
    assert [(m.kind, m.state, m.by) for m in found[client].messages] == [
        ("letter", "queued", "Ada Lovelace"),
        ("prompt", "sent", None),
    ]
    assert (found[client].cap, found[client].used, found[client].left) == (2, 1, 1)
    assert (found[silent].messages, found[silent].left) == ((), 2)


def test_five_senders_and_fifty_due_items_keep_the_cap_and_drop_nothing_urgent(
    live: Runtime, sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real processes' worth of senders on a database that commits: each reserves few at a time, so that they meet."""
    monkeypatch.setattr(runner, "_RESERVED_AT_ONCE", 4)
    world = World(live)
    organization = world.organization(time_zone="UTC")
    clients = world.clients(organization, 3)
    settings = replace(
        live.settings, smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}", mail_lookup_url=sink.url + "/lookup"
    )
    sending = replace(live, settings=settings)
    start = threading.Barrier(10)
    failures: list[BaseException] = []

    def queueing(number: int) -> None:
        start.wait()
        for turn in range(10):
            now = live.clock()
            about = f"{number}-{turn}"
            kind = ("prompt", "prompt", "letter")[(number + turn) % 3]
            given = [row(client, about, now, kind) for client in clients]
            given += [row(client, about, now, "urgent") for client in clients if turn % 5 == 0]
            queue(live, organization, *given)

    def working() -> None:
        try:
            start.wait()
            for _ in range(12):
                send(sending, organization)
        except BaseException as error:  # a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=queueing, args=(n,)) for n in range(5)]
    threads += [threading.Thread(target=working) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    send(sending, organization)

    left = Counter(r.client_id for r in rows(live, organization, "SELECT client_id FROM messages WHERE state = 'sent'"
                                             " AND kind <> 'urgent'"))  # fmt: skip
    cap = 2
    assert set(left) == set(clients)
    assert all(count <= cap for count in left.values()), left
    found = states(live, organization)
    assert found["urgent sent"] == 5 * 2 * len(clients)
    assert not {what.partition(" ")[2] for what in found} - {"sent", "held", "merged"}
    # Every item is in a mail that left, is held, or is a line of a digest that left or is held: none is lost.
    whole = rows(
        live,
        organization,
        "SELECT count(*) FILTER (WHERE kind <> 'digest') AS items,"
        " count(*) FILTER (WHERE state = 'merged') AS merged,"
        " (SELECT count(*) FROM messages d CROSS JOIN jsonb_array_elements(d.params -> 'items')"
        "  WHERE d.kind = 'digest' AND d.state IN ('sent', 'held')) AS lines FROM messages",
    )[0]
    assert whole.items == 5 * 10 * len(clients) + found["urgent sent"]
    of_items = rows(
        live, organization, "SELECT count(*) AS n FROM messages WHERE state = 'merged' AND kind <> 'digest'"
    )
    assert whole.lines == of_items[0].n
    # And what the mail server took is what the rows say.
    seen = rows(live, organization, "SELECT id FROM messages WHERE state = 'sent'")
    assert all(sink.times_seen(f"<{r.id}@example.org>") == 1 for r in seen)
