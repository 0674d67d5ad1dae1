"""Reads of clients, their attributes and their counsellors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, func, literal, or_, select, true

from app.domain.attributes import Attribute
from app.domain.errors import NotFound
from app.domain.folding import fold_words
from app.domain.saying import later
from app.features.clients.commands import ClientChoice
from app.features.clients.models import AttributeDefinition, CaseloadEntry, Client
from app.features.clients.policy import seen_by, visible_clients
from app.features.organizations.models import Membership
from app.infra.db.open import UnitOfWork

# What a job says of a client who left the caseload of whoever asked for it, or for taking it back.
NOT_THEIRS = later("Is no longer in the caseload of whoever asked for this.")
_SEARCHED = (Client.family_folded, Client.given_folded, Client.email_folded, Client.external_folded)


@dataclass(frozen=True, slots=True)
class Counsellor:
    """Somebody who looks after a client, or could: the id is the membership's."""

    id: UUID
    name: str
    kind: str = ""


def begins_with(text: str) -> ColumnElement[bool]:
    """Clients of whom every word of `text` begins a name, the e-mail or the external id; found by index."""
    words = fold_words(text)
    return and_(literal(True), *(or_(*(column.op("^@")(word) for column in _SEARCHED)) for word in words))


def holds(text: str) -> ColumnElement[bool]:
    """Clients of whom every word of `text` stands anywhere in a name, the e-mail or the external id.

    No index helps with the middle of a word (the operators that would are not trusted under row security), so this is
    for criteria that read each row anyway: a caseload, whose rows are read for their reasons and counts.
    """
    return and_(
        literal(True),
        *(or_(*(func.strpos(column, word) > 0 for column in _SEARCHED)) for word in fold_words(text)),
    )


def find_clients(uow: UnitOfWork, text: str, *, limit: int = 20, with_inactive: bool = False) -> list[Client]:
    """Up to `limit` clients the actor may see whose name, e-mail or id begins so, by name; none for no text."""
    if not fold_words(text):
        return []
    found = select(Client).where(visible_clients(uow.actor), begins_with(text))
    if not with_inactive:
        found = found.where(Client.active)
    return list(uow.session.scalars(found.order_by(Client.family_folded, Client.given_folded, Client.id).limit(limit)))


def get_client(uow: UnitOfWork, client_id: UUID) -> Client:
    """The client if the actor may see them. Raises NotFound otherwise."""
    client = uow.session.scalars(select(Client).where(Client.id == client_id, visible_clients(uow.actor))).one_or_none()
    if client is None:
        raise NotFound("There is no such person, or they are not in your caseload.")
    return client


def chosen_clients(uow: UnitOfWork, clients: ClientChoice) -> Select[UUID]:
    """A select of the ids among `clients` that the actor may see."""
    wanted = clients if isinstance(clients, Select) else select_ids(clients)
    return select(Client.id).where(Client.id.in_(wanted), visible_clients(uow.actor))


def select_ids(ids: Sequence[UUID]) -> Select[UUID]:
    """The ids as rows, in one array parameter however many: `IN (...)` binds each and stops at 65,535."""
    return select(func.unnest(literal(list(ids), ARRAY(Uuid)), type_=Uuid()))


def still_seen(uow: UnitOfWork, membership_id: UUID | None, clients: Sequence[UUID]) -> list[UUID]:
    """Those of the clients whom a member who is not here to ask (see `seen_by`) sees now, in the order given."""
    criterion = seen_by(uow, membership_id)
    if criterion.compare(true()):
        return list(clients)
    seen = set(uow.session.scalars(select(Client.id).where(Client.id.in_(select_ids(clients)), criterion)))
    return [client for client in clients if client in seen]


def attribute_rows(uow: UnitOfWork) -> list[AttributeDefinition]:
    """The organization's attributes in their order."""
    return list(
        uow.session.scalars(
            select(AttributeDefinition).order_by(AttributeDefinition.position, AttributeDefinition.label)
        )
    )


def as_attribute(row: AttributeDefinition) -> Attribute:
    """The definition as the domain reads it."""
    return Attribute(row.key, row.label, row.kind, tuple(row.choices or ()))  # type: ignore[arg-type] # checked by the table


def attributes(uow: UnitOfWork) -> list[Attribute]:
    """The organization's attributes in their order, as the domain reads them."""
    return [as_attribute(row) for row in attribute_rows(uow)]


def counsellors(uow: UnitOfWork) -> list[Counsellor]:
    """Everybody who may have a caseload: active counsellors and admins, by name."""
    rows = uow.session.execute(
        select(Membership.id, Membership.name)
        .where(Membership.active, Membership.role.in_(("counsellor", "admin")))
        .order_by(func.lower(Membership.name), Membership.id)
    )
    return [Counsellor(row.id, row.name) for row in rows]


def counsellors_of(uow: UnitOfWork, client_id: UUID) -> list[Counsellor]:
    """Who looks after a client, the primary counsellor first."""
    rows = uow.session.execute(
        select(Membership.id, Membership.name, CaseloadEntry.kind)
        .join(CaseloadEntry, CaseloadEntry.membership_id == Membership.id)
        .where(CaseloadEntry.client_id == client_id)
        .order_by(CaseloadEntry.kind, func.lower(Membership.name))
    )
    return [Counsellor(row.id, row.name, row.kind) for row in rows]
