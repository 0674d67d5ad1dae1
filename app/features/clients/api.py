"""JSON of clients, the attributes kept about them, and caseloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from app.domain.access import Permission
from app.features.clients import letters, queries, service
from app.features.clients.commands import (
    AssignCounsellor,
    ChangeAttribute,
    ClientDetails,
    DefineAttribute,
    RemoveCounsellor,
)
from app.features.clients.models import AttributeDefinition, CaseloadEntry, Client
from app.features.clients.policy import visible_clients
from app.features.clients.schemas import (
    AttributeChangeSchema,
    AttributeSchema,
    CaseloadChangeSchema,
    CaseloadCounsellorSchema,
    CaseloadRemovalSchema,
    ChangedSchema,
    ClientChangeSchema,
    ClientQuery,
    ClientSchema,
    ContactsSchema,
    CounsellorSchema,
    LetterSchema,
    NewAttributeSchema,
    NewClientSchema,
    NewLetterSchema,
)
from app.features.messaging.contacts import Contacts
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import page, whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Clients", __name__, description="Clients, their attributes and caseloads.")


@blueprint.get("/clients")
@requires(Permission.READ_CLIENTS)
@blueprint.arguments(ClientQuery, location="query")
@blueprint.response(200, page_of(ClientSchema))
def list_clients(query: dict[str, Any]) -> dict[str, Any]:
    """Clients you may see, by name; the filters combine."""
    with unit_of_work() as uow:
        found = select(Client).where(visible_clients(uow.actor))
        if "search" in query:
            found = found.where(queries.begins_with(query["search"]))
        if "active" in query:
            found = found.where(Client.active.is_(query["active"]))
        if "counsellor" in query:
            looked_after = exists().where(
                CaseloadEntry.client_id == Client.id, CaseloadEntry.membership_id == query["counsellor"]
            )
            found = found.where(looked_after)
        return page(uow, found, (Client.family_folded, Client.given_folded, Client.id), query)


@blueprint.post("/clients")
@requires(Permission.IMPORT_ROSTER)
@once
@blueprint.arguments(NewClientSchema)
@blueprint.response(201, ClientSchema)
def create_client(uow: UnitOfWork, body: dict[str, Any]) -> Client:
    """Add one client."""
    return service.create_client(uow, ClientDetails(**body))


@blueprint.get("/clients/<uuid:client_id>")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, ClientSchema)
def read_client(client_id: UUID) -> Client:
    """One client."""
    with unit_of_work() as uow:
        return queries.get_client(uow, client_id)


@blueprint.patch("/clients/<uuid:client_id>")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(ClientChangeSchema)
@blueprint.response(200, ClientSchema)
def change_client(body: dict[str, Any], client_id: UUID) -> Client:
    """Change what is known of a client; fields left out stay."""
    with unit_of_work() as uow:
        client = queries.get_client(uow, client_id)
        kept = ("external_id", "given_name", "family_name", "email", "time_zone", "locale", "active")
        details = ClientDetails(**{name: getattr(client, name) for name in kept} | body)
        return service.edit_client(uow, client_id, details)


@blueprint.post("/clients/<uuid:client_id>/contacts")
@requires(Permission.WORK_PLANS)
@blueprint.response(200, ClientSchema)
def record_contact(client_id: UUID) -> Client:
    """Note that the client was met or spoken to now."""
    with unit_of_work() as uow:
        service.record_contact(uow, client_id)
        return queries.get_client(uow, client_id)


@blueprint.get("/clients/<uuid:client_id>/messages")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, ContactsSchema)
def read_contacts(client_id: UUID) -> Contacts:
    """What a client was written this week or is about to be, by whom, and how many contacts are left."""
    with unit_of_work() as uow:
        return letters.contacts_with(uow, client_id)


@blueprint.post("/clients/<uuid:client_id>/messages")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(NewLetterSchema)
@blueprint.response(202, LetterSchema)
def write_to_client(uow: UnitOfWork, body: dict[str, Any], client_id: UUID) -> dict[str, UUID]:
    """Write to a client by mail; one that finds no contact left this week waits for the next unless it is urgent."""
    return {"message_id": letters.write_letter(uow, letters.WriteLetter(client_id=client_id, **body))}


@blueprint.get("/clients/<uuid:client_id>/counsellors")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(CaseloadCounsellorSchema))
def list_client_counsellors(client_id: UUID) -> dict[str, Any]:
    """Who looks after a client, the primary counsellor first."""
    with unit_of_work() as uow:
        queries.get_client(uow, client_id)
        return whole(queries.counsellors_of(uow, client_id))


@blueprint.get("/counsellors")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(CounsellorSchema))
def list_counsellors() -> dict[str, Any]:
    """Everybody who may have a caseload, by name."""
    with unit_of_work() as uow:
        return whole(queries.counsellors(uow))


@blueprint.post("/counsellors/<uuid:counsellor_id>/caseload")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(CaseloadChangeSchema)
@blueprint.response(200, ChangedSchema)
def add_to_caseload(body: dict[str, Any], counsellor_id: UUID) -> dict[str, int]:
    """Put clients in a counsellor's caseload; a new primary counsellor takes over. Safe to repeat."""
    command = AssignCounsellor(counsellor_id=counsellor_id, clients=body["client_ids"], kind=body["kind"])
    with unit_of_work() as uow:
        return {"changed": service.assign_counsellor(uow, command)}


@blueprint.post("/counsellors/<uuid:counsellor_id>/caseload/remove")
@requires(Permission.IMPORT_ROSTER)
@blueprint.arguments(CaseloadRemovalSchema)
@blueprint.response(200, ChangedSchema)
def remove_from_caseload(body: dict[str, Any], counsellor_id: UUID) -> dict[str, int]:
    """Take clients off a counsellor's caseload. Safe to repeat."""
    command = RemoveCounsellor(counsellor_id=counsellor_id, clients=body["client_ids"])
    with unit_of_work() as uow:
        return {"changed": service.remove_counsellor(uow, command)}


@blueprint.get("/attributes")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(AttributeSchema))
def list_attributes() -> dict[str, Any]:
    """The attributes kept about clients, in their order."""
    with unit_of_work() as uow:
        return whole(queries.attribute_rows(uow))


@blueprint.post("/attributes")
@requires(Permission.MANAGE_SETTINGS)
@once
@blueprint.arguments(NewAttributeSchema)
@blueprint.response(201, AttributeSchema)
def create_attribute(uow: UnitOfWork, body: dict[str, Any]) -> AttributeDefinition:
    """Add an attribute at the end of the list."""
    return service.define_attribute(uow, DefineAttribute(**body))


@blueprint.put("/attributes/<uuid:attribute_id>")
@requires(Permission.MANAGE_SETTINGS)
@blueprint.arguments(AttributeChangeSchema)
@blueprint.response(200, AttributeSchema)
def change_attribute(body: dict[str, Any], attribute_id: UUID) -> AttributeDefinition:
    """Rename or reorder an attribute, or change its choices; values already kept stay as they are."""
    with unit_of_work() as uow:
        return service.change_attribute(uow, ChangeAttribute(attribute_id=attribute_id, **body))
