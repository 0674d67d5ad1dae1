"""What handing a client over changes in their caseload entries: decided purely, written by two statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.queries import select_ids
from app.infra.db.open import UnitOfWork


@dataclass(frozen=True, slots=True)
class Held:
    """That a member has a client: as what, and since when."""

    kind: str
    since: datetime


# Of one client: member to what they have.
Entries = Mapping[UUID, Held]
# Of one client: the members that change, each with what they have then (None: nothing any more).
Change = Mapping[UUID, Held | None]


def change_of(kind: str, entries: Entries, source: UUID | None, receiver: UUID, now: datetime) -> Change | None:
    """What a move of this kind changes for a client with these entries; None where there is nothing to change."""
    primary = next((member for member, held in entries.items() if held.kind == "primary"), None)
    if kind == "same":
        if source is None or source not in entries:
            return None
        takes = entries[source].kind == "primary" or receiver not in entries
        return {source: None} | ({receiver: Held(entries[source].kind, now)} if takes else {})
    if kind == "primary":
        if primary == receiver:
            return None
        return ({} if primary is None else {primary: None}) | {receiver: Held("primary", now)}
    return None if receiver in entries else {receiver: Held("supporting", now)}


def as_result(entries: Entries, change: Change) -> dict[str, Any]:
    """What undoing needs to know: what the members had, and what they have since."""
    return {
        "before": {str(m): None if m not in entries else _data(entries[m]) for m in change},
        "after": {str(m): None if held is None else _data(held) for m, held in change.items()},
    }


def way_back(entries: Entries, result: Mapping[str, Any]) -> Change | None:
    """What takes a change back; None where somebody changed one of its entries since."""
    if any(entries.get(member) != held for member, held in _held(result["after"]).items()):
        return None
    return _held(result["before"])


def _data(held: Held) -> dict[str, str]:
    return {"kind": held.kind, "since": held.since.isoformat()}


def _held(written: Mapping[str, Any]) -> Change:
    return {
        UUID(member): None if data is None else Held(data["kind"], datetime.fromisoformat(data["since"]))
        for member, data in written.items()
    }


def lock_clients(uow: UnitOfWork, clients: Sequence[UUID]) -> dict[UUID, bool]:
    """Lock clients in one order until the transaction ends, so that moves at once follow each other; id to active."""
    rows = uow.session.execute(
        select(Client.id, Client.active)
        .where(Client.id.in_(select_ids(clients)))
        .order_by(Client.id)
        .with_for_update(of=Client, key_share=True)
    )
    return {row.id: row.active for row in rows}


def entries_of(uow: UnitOfWork, clients: Sequence[UUID]) -> dict[UUID, dict[UUID, Held]]:
    """Who has each of the clients now; every client asked for has an answer."""
    found: dict[UUID, dict[UUID, Held]] = {client: {} for client in clients}
    rows = uow.session.execute(
        select(CaseloadEntry.client_id, CaseloadEntry.membership_id, CaseloadEntry.kind, CaseloadEntry.since).where(
            CaseloadEntry.client_id.in_(select_ids(clients))
        )
    )
    for row in rows:
        found[row.client_id][row.membership_id] = Held(row.kind, row.since)
    return found


_TAKE = text(
    "DELETE FROM caseload_entries e"
    " USING unnest(CAST(:clients AS uuid[]), CAST(:members AS uuid[])) AS g(client_id, membership_id)"
    " WHERE e.client_id = g.client_id AND e.membership_id = g.membership_id"
)
_PUT = text(
    "INSERT INTO caseload_entries (membership_id, client_id, kind, since)"
    " SELECT * FROM unnest(CAST(:members AS uuid[]), CAST(:clients AS uuid[]), CAST(:kinds AS text[]),"
    "  CAST(:moments AS timestamptz[]))"
    " ON CONFLICT (organization_id, membership_id, client_id)"
    " DO UPDATE SET kind = excluded.kind, since = excluded.since"
)


def write(uow: UnitOfWork, changes: Mapping[UUID, Change]) -> None:
    """Write the changes of clients whose rows are locked. What is taken goes first: a client has one primary."""
    taken = [(client, member) for client, change in changes.items() for member, held in change.items() if held is None]
    put = [
        (client, member, held)
        for client, change in changes.items()
        for member, held in sorted(change.items(), key=lambda pair: pair[1] is not None and pair[1].kind == "primary")
        if held is not None
    ]
    if taken:
        uow.session.execute(_TAKE, {"clients": [c for c, _ in taken], "members": [m for _, m in taken]})
    if put:
        uow.session.execute(
            _PUT,
            {
                "clients": [client for client, _, _ in put],
                "members": [member for _, member, _ in put],
                "kinds": [held.kind for _, _, held in put],
                "moments": [held.since for _, _, held in put],
            },
        )
