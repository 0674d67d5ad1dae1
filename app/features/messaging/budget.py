"""The contact budget: how many messages a client gets in a week, decided where messages leave.

Every message to a client passes here after its lease and before it is handed over. Urgent kinds are exempt by name.
What is due to one client at the same time and can be said in one mail becomes one digest; each mail then takes one of
the client's contact slots of the week, and what finds none is held until the client's next week. The slots' key is
the limit, so that any number of senders keeps it; `states.advance` hands over nothing that lacks one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.features.messaging.digest import DIGEST_KIND, items_of
from app.features.messaging.kinds import MessageKind
from app.features.messaging.service import message_id_for
from app.features.messaging.states import LEASE, Reserved, release
from app.infra.db.open import UnitOfWork

# One statement for a batch; ids are named twice for the reason given in `states.py`. Slots are taken in the order of
# the key, so that two senders wait for each other and never in a circle. Who loses the race for a number gives its
# message back and tries again with what is free by then.
_CLAIM = text(
    """
    WITH given AS (
        SELECT g.id, g.client, g.place, o.contact_cap AS cap, coalesce(c.time_zone, o.time_zone) AS zone,
               date_trunc('week', CAST(:now AS timestamptz) AT TIME ZONE coalesce(c.time_zone, o.time_zone))::date
                   AS week
        FROM unnest(CAST(:ids AS uuid[]), CAST(:clients AS uuid[])) WITH ORDINALITY AS g(id, client, place)
        CROSS JOIN organizations o
        LEFT JOIN clients c ON c.id = g.client AND c.id = ANY(CAST(:clients AS uuid[]))
    ), own AS (
        SELECT message_id, week FROM contact_slots WHERE message_id = ANY(CAST(:ids AS uuid[]))
    ), wanted AS (
        SELECT id, client, week, row_number() OVER (PARTITION BY client ORDER BY place) AS turn
        FROM given WHERE NOT EXISTS (SELECT FROM own WHERE own.message_id = given.id)
    ), free AS (
        SELECT w.client, w.week, n.n, row_number() OVER (PARTITION BY w.client ORDER BY n.n) AS turn
        FROM (SELECT DISTINCT client, week, cap FROM given) w CROSS JOIN generate_series(1, w.cap) AS n(n)
        WHERE NOT EXISTS (
            SELECT FROM contact_slots s WHERE s.client_id = w.client AND s.week = w.week AND s.n = n.n
              AND s.client_id = ANY(CAST(:clients AS uuid[])))
    ), taken AS (
        INSERT INTO contact_slots (client_id, week, n, message_id)
        SELECT w.client, w.week, f.n, w.id FROM wanted w JOIN free f ON f.client = w.client AND f.turn = w.turn
        ORDER BY w.client, f.n
        ON CONFLICT DO NOTHING RETURNING message_id
    )
    SELECT g.id, t.message_id IS NOT NULL OR own.week IS NOT DISTINCT FROM g.week AS granted,
           own.week <> g.week AS stale, f.n IS NOT NULL AS was_free,
           (g.week + 7)::timestamp AT TIME ZONE g.zone AS next_week
    FROM given g LEFT JOIN own ON own.message_id = g.id LEFT JOIN taken t ON t.message_id = g.id
    LEFT JOIN wanted w ON w.id = g.id LEFT JOIN free f ON f.client = w.client AND f.turn = w.turn
    """
)
_DROP = text("DELETE FROM contact_slots WHERE message_id = ANY(:ids)")
_HOLD = text(
    "UPDATE messages m SET state = 'held', not_before = g.moment, lease_token = NULL, lease_until = NULL"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:moments AS timestamptz[])) AS g(id, moment)"
    " WHERE m.id = g.id AND m.lease_token = :token AND m.state IS NOT DISTINCT FROM 'queued'"
)
# What else waits for clients who have several due: it goes into the same digest.
_SIBLINGS = text(
    """
    SELECT id, kind, recipient, recipient_name, locale, params, due_at, client_id, state = 'held'
    FROM messages WHERE client_id = ANY(:clients) AND state IN ('queued', 'held') AND not_before <= :now
      AND (lease_until IS NULL OR lease_until <= :now)
    ORDER BY due_at, id FOR UPDATE SKIP LOCKED
    """
)
_PUT_DIGEST = text(
    """
    INSERT INTO messages (id, dedupe_key, kind, recipient, recipient_name, locale, params, client_id, due_at,
                          not_before, lease_token, lease_until)
    VALUES (:id, :key, :kind, :recipient, :name, :locale, CAST(:params AS jsonb), :client, :due_at, :now, :token,
            :until)
    """
)
_MERGE = text(
    "UPDATE messages SET state = 'merged', merged_into = :digest, lease_token = NULL, lease_until = NULL"
    " WHERE id = ANY(:ids)"
)
# A digest that is merged once more takes its own lines along, so that a line always names the mail it leaves in.
_MERGE_LINES = text(
    "UPDATE messages SET merged_into = :digest WHERE client_id = :client AND merged_into = ANY(:digests)"
)
# What became pointless while it waited.
_END = text(
    "UPDATE messages SET state = 'suppressed', reason = :reason, lease_token = NULL, lease_until = NULL"
    " WHERE id = ANY(:ids) AND lease_token = :token AND state IS NOT DISTINCT FROM 'queued'"
)
_SHORTEN = text("UPDATE messages SET params = CAST(:params AS jsonb) WHERE id = :id AND lease_token = :token")
# Leaves so soon after it fell due that nothing can have changed that is worth a question to the database.
_NO_WAIT = timedelta(minutes=5)
POINTLESS = "no longer needed: while the mail waited it was answered, taken back, or its reader left"


def admit(
    uow: UnitOfWork, token: UUID, reserved: Sequence[Reserved], kinds: Mapping[str, MessageKind]
) -> list[Reserved]:
    """Of the messages a sender has leased, those that may leave now; the others are merged, held or given back."""
    free = _still_wanted(uow, token, [m for m in reserved if is_exempt(m, kinds)], kinds)
    counted = [m for m in reserved if not is_exempt(m, kinds)]
    if not counted:
        return free
    merged = _merge(uow, token, _still_wanted(uow, token, counted, kinds), kinds)
    granted = _claim(uow, token, merged)
    return sorted(free + [m for m in merged if m.id in granted], key=lambda m: (m.due_at, m.id))


def is_exempt(message: Reserved, kinds: Mapping[str, MessageKind]) -> bool:
    """Whether a message needs no slot: it is not to a client, or of an urgent kind."""
    return message.client_id is None or kinds[message.kind].urgent


def _still_wanted(
    uow: UnitOfWork, token: UUID, counted: Sequence[Reserved], kinds: Mapping[str, MessageKind]
) -> list[Reserved]:
    """The messages without those that waited (a week, a night, a pause) and became pointless, in whole or lines."""
    waited = [(m, items_of(m)) for m in counted if m.was_held or m.due_at < uow.now - _NO_WAIT]
    if not waited:
        return list(counted)
    pointless: set[str] = set()
    for name in {item["kind"] for _, items in waited for item in items}:
        ask = kinds[name].pointless
        if ask is not None:
            of_kind = [item["params"] for _, items in waited for item in items if item["kind"] == name]
            pointless |= {json.dumps(params, sort_keys=True) for params in ask(uow, of_kind)}
    ended, changed = [], {}
    for message, items in waited:
        left = [item for item in items if json.dumps(item["params"], sort_keys=True) not in pointless]
        if not left:
            ended.append(message.id)
        elif len(left) < len(items):
            changed[message.id] = replace(message, params={**message.params, "items": left})
    if ended:
        uow.session.execute(_END, {"ids": ended, "token": token, "reason": POINTLESS})
        # One that was tried before has a slot, and the client was not contacted.
        uow.session.execute(_DROP, {"ids": ended})
    for digest in changed.values():
        shortened = {"id": digest.id, "token": token, "params": json.dumps(digest.params)}
        uow.session.execute(_SHORTEN, shortened)
    return [changed.get(m.id, m) for m in counted if m.id not in set(ended)]


def _claim(uow: UnitOfWork, token: UUID, wanted: Sequence[Reserved]) -> set[UUID]:
    """Take a slot for each; holds those without one until their next week. Returns the ids that may leave."""
    if not wanted:
        return set()
    values = {"ids": [m.id for m in wanted], "clients": [m.client_id for m in wanted], "now": uow.now}
    rows = uow.session.execute(_CLAIM, values).all()
    granted = {row.id for row in rows if row.granted}
    again = [row.id for row in rows if not row.granted and (row.was_free or row.stale)]
    held = [row for row in rows if not row.granted and not (row.was_free or row.stale)]
    stale = [row.id for row in rows if row.stale]
    if stale:
        # Of an earlier week: the message was tried then and has not left.
        uow.session.execute(_DROP, {"ids": stale})
    if again:
        # Another sender took the number meanwhile. The next round sees what is left, after this transaction.
        release(uow, token, again)
    if held:
        moments = {"ids": [row.id for row in held], "moments": [row.next_week for row in held]}
        uow.session.execute(_HOLD, moments | {"token": token})
    return granted


def _merge(
    uow: UnitOfWork, token: UUID, counted: Sequence[Reserved], kinds: Mapping[str, MessageKind]
) -> list[Reserved]:
    """Make one digest of what is due to the same person at once; returns what is to leave then."""
    if not any(len(group) > 1 for group in _groups(counted, kinds).values()):
        return list(counted)
    known = {m.id for m in counted}
    crowded = [group[0].client_id for group in _groups(counted, kinds).values() if len(group) > 1]
    siblings = (Reserved(*row) for row in uow.session.execute(_SIBLINGS, {"clients": crowded, "now": uow.now}))
    more = [m for m in siblings if m.id not in known and _can_merge(m, kinds)]
    groups = _groups([*counted, *more], kinds)
    alone = [m for m in counted if not _can_merge(m, kinds)]
    return alone + [
        group[0] if len(group) == 1 else _make_digest(uow, token, sorted(group, key=lambda m: (m.due_at, m.id)))
        for group in groups.values()
    ]


def _can_merge(message: Reserved, kinds: Mapping[str, MessageKind]) -> bool:
    kind = kinds[message.kind]
    # Mail one may not decline stays by itself: as a line of a digest it would end with the digest.
    return not is_exempt(message, kinds) and kind.optional and (kind.line is not None or kind.name == DIGEST_KIND)


def _groups(
    messages: Sequence[Reserved], kinds: Mapping[str, MessageKind]
) -> dict[tuple[UUID | None, str, str], list[Reserved]]:
    groups: dict[tuple[UUID | None, str, str], list[Reserved]] = defaultdict(list)
    for message in messages:
        if _can_merge(message, kinds):
            groups[message.client_id, message.recipient.casefold(), message.locale].append(message)
    return groups


def _make_digest(uow: UnitOfWork, token: UUID, group: Sequence[Reserved]) -> Reserved:
    first = group[0]
    # A message goes into one digest only, so its id names that digest.
    key = f"digest:{first.id}"
    params: dict[str, Any] = {
        "items": [item for message in group for item in items_of(message)],
        "given_name": next((m.params["given_name"] for m in group if "given_name" in m.params), first.recipient_name),
    }
    for shared in ("window", "reply_to", "counsellor"):
        found = next((m.params[shared] for m in group if m.params.get(shared)), None)
        if found is not None:
            params[shared] = found
    digest = Reserved(
        id=message_id_for(uow.actor.organization_id, key),
        kind=DIGEST_KIND,
        recipient=first.recipient,
        recipient_name=first.recipient_name,
        locale=first.locale,
        params=params,
        due_at=first.due_at,
        client_id=first.client_id,
    )
    uow.session.execute(
        _PUT_DIGEST,
        {
            "id": digest.id,
            "key": key,
            "kind": digest.kind,
            "recipient": digest.recipient,
            "name": digest.recipient_name,
            "locale": digest.locale,
            "params": json.dumps(params, default=str),
            "client": digest.client_id,
            "due_at": digest.due_at,
            "now": uow.now,
            "token": token,
            "until": uow.now + LEASE,
        },
    )
    ids = [message.id for message in group]
    uow.session.execute(_MERGE, {"digest": digest.id, "ids": ids})
    digests = [message.id for message in group if message.kind == DIGEST_KIND]
    if digests:
        uow.session.execute(_MERGE_LINES, {"digest": digest.id, "digests": digests, "client": digest.client_id})
    uow.session.execute(_DROP, {"ids": ids})
    return digest
