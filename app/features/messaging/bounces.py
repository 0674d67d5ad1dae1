"""Mail that came back: the message is failed, an address that is gone gets no more mail, and a person is told."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select, text, update

from app.domain import access
from app.domain.bounces import addresses_in, read_report
from app.domain.errors import NotFound
from app.features.audit.service import record
from app.features.messaging.inbox import administrators, members_looking_after, put_notices
from app.features.messaging.models import Message, SuppressedAddress
from app.features.messaging.service import DECLINED
from app.infra.db.open import UnitOfWork
from app.infra.return_path import read_return_path
from app.infra.runtime import Runtime

_SUPPRESS = text(
    "INSERT INTO suppressed_addresses (address, reason, bounced) VALUES (:address, :reason, true)"
    " ON CONFLICT (organization_id, address) DO UPDATE SET reason = excluded.reason, bounced = true"
)


class Taken(StrEnum):
    """What became of a mail that came back."""

    NOT_OURS = "not_ours"
    NO_REPORT = "no_report"
    NOT_YET = "not_yet"
    RETURNED = "returned"
    GONE = "gone"


def take_bounce(runtime: Runtime, raw: bytes, recipient: str = "") -> Taken:
    """Read a mail that came to the address of bounces; says what it was.

    `recipient` is the address it came to, where the mail server tells it; else its headers are asked. Harmless to
    repeat: servers deliver twice.
    """
    named = None
    for address in [recipient, *addresses_in(raw)]:
        named = named or read_return_path(runtime.settings, address, runtime.database.organization_ids)
    if named is None:
        return Taken.NOT_OURS
    report = read_report(raw)
    if report is None:
        return Taken.NO_REPORT
    if not report.failed:
        return Taken.NOT_YET
    with runtime.database.unit_of_work(access.system(named[0])) as uow:
        if not _note_return(uow, named[1], f"{report.status} {report.words}".strip(), gone=report.gone):
            return Taken.NOT_OURS
    return Taken.GONE if report.gone else Taken.RETURNED


def _note_return(uow: UnitOfWork, message_id: UUID, words: str, *, gone: bool) -> bool:
    message = uow.session.scalars(select(Message).where(Message.id == message_id).with_for_update()).one_or_none()
    if message is None:
        return False
    if message.state in ("sent", "handed", "unknown"):
        message.state, message.reason = "failed", f"came back: {words}"
        message.lease_until = message.lease_token = None
        uow.session.flush()
    if gone:
        address = message.recipient.casefold()
        uow.session.execute(_SUPPRESS, {"address": address, "reason": f"came back: {words}"})
    clients = [] if message.client_id is None else [message.client_id]
    told = [member for members in members_looking_after(uow, clients).values() for member in members]
    new = put_notices(
        uow,
        [
            {
                "membership_id": member,
                "dedupe_key": f"bounce:{message.id}",
                "kind": "mail_bounced" if gone else "mail_returned",
                "params": {"name": message.recipient_name, "reason": words},
                "href": f"/clients/{message.client_id}" if message.client_id else "/settings/messages",
            }
            for member in told or administrators(uow)
        ],
    )
    if new:
        # The address and the server's words may name a person, so the ledger keeps only what happened.
        record(uow, "message.bounced" if gone else "message.returned", "message", message.id)
    return True


def bounced_addresses(uow: UnitOfWork) -> list[SuppressedAddress]:
    """The addresses that get no mail because mail to them came back, the latest first."""
    found = select(SuppressedAddress).where(SuppressedAddress.bounced)
    return list(uow.session.scalars(found.order_by(SuppressedAddress.created_at.desc(), SuppressedAddress.address)))


def try_again(uow: UnitOfWork, address: str) -> None:
    """Send to an address again whose mail came back: somebody says that it works now. Raises NotFound.

    What the address's owner has declined stays declined.
    """
    this = (SuppressedAddress.bounced, SuppressedAddress.address == address.casefold())
    declined = update(SuppressedAddress).where(*this, SuppressedAddress.declined)
    declined = declined.values(bounced=False, reason=DECLINED)
    gone = delete(SuppressedAddress).where(*this, ~SuppressedAddress.declined)
    found = [*uow.session.execute(declined.returning(SuppressedAddress.address))]
    if not found and not uow.session.execute(gone.returning(SuppressedAddress.address)).all():
        raise NotFound("This address is not on the list.")
    record(uow, "address.released", "organization", uow.actor.organization_id)
