"""JSON of labels, and of putting them on clients."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.features.clients import labels as service
from app.features.clients.commands import CreateLabel
from app.features.clients.models import Label
from app.features.clients.queries import get_client
from app.features.clients.schemas import LabelChangeSchema, LabelledSchema, LabelSchema, LabelUseSchema, NewLabelSchema
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Labels", __name__, description="Words put on clients: the organization's, or your own.")


def _shown(label: Label) -> dict[str, Any]:
    return {"id": label.id, "name": label.name, "tone": label.tone, "shared": label.owner_id is None}


@blueprint.get("/labels")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(LabelSchema))
def list_labels() -> dict[str, Any]:
    """The organization's labels and your own, by name."""
    with unit_of_work() as uow:
        return whole([_shown(label) for label in service.visible_labels(uow)])


@blueprint.post("/labels")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(NewLabelSchema)
@blueprint.response(201, LabelSchema)
def create_label(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Make a label of your own, or with `shared` the organization's."""
    return _shown(service.create_label(uow, CreateLabel(**body)))


@blueprint.patch("/labels/<uuid:label_id>")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(LabelChangeSchema)
@blueprint.response(200, LabelSchema)
def change_label(body: dict[str, Any], label_id: UUID) -> dict[str, Any]:
    """Rename a label or draw it otherwise; fields left out stay."""
    with unit_of_work() as uow:
        label = service.get_label(uow, label_id)
        kept = {"name": label.name, "tone": label.tone}
        return _shown(service.change_label(uow, label_id, **kept | body))


@blueprint.delete("/labels/<uuid:label_id>")
@requires(Permission.WORK_PLANS)
@blueprint.response(204)
def delete_label(label_id: UUID) -> None:
    """Take a label off everybody and away; refused while a rule or filter asks for it."""
    with unit_of_work() as uow:
        service.delete_label(uow, label_id)


@blueprint.get("/clients/<uuid:client_id>/labels")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(LabelSchema))
def list_client_labels(client_id: UUID) -> dict[str, Any]:
    """The labels of one client that you may see."""
    with unit_of_work() as uow:
        get_client(uow, client_id)
        return whole([_shown(label) for label in service.labels_of(uow, [client_id])[client_id]])


@blueprint.post("/labels/<uuid:label_id>/put")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(LabelUseSchema)
@blueprint.response(200, LabelledSchema)
def put_label(body: dict[str, Any], label_id: UUID) -> dict[str, Any]:
    """Put a label on clients you may see; answers how many did not have it before. Safe to repeat."""
    with unit_of_work() as uow:
        return {"changed": len(service.put_labels(uow, label_id, body["client_ids"]))}


@blueprint.post("/labels/<uuid:label_id>/take")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(LabelUseSchema)
@blueprint.response(200, LabelledSchema)
def take_label(body: dict[str, Any], label_id: UUID) -> dict[str, Any]:
    """Take a label off clients you may see; answers how many had it. Safe to repeat."""
    with unit_of_work() as uow:
        return {"changed": len(service.take_labels(uow, label_id, body["client_ids"]))}
