"""JSON of bulk edits: preview and start."""

from __future__ import annotations

from typing import Any

from app.domain.access import Permission
from app.features.edits import service
from app.features.edits.registry import EDITS
from app.features.edits.schemas import BulkEditSchema, EditPreviewSchema
from app.features.edits.service import BulkEdit
from app.features.jobs.api import job_json
from app.features.jobs.schemas import JobSchema
from app.features.selections.schemas import target_in
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.context import unit_of_work
from app.infra.web.words import said

blueprint = ApiBlueprint("Bulk edits", __name__, description="One change for many clients at once.")


def _command(body: dict[str, Any]) -> BulkEdit:
    return BulkEdit(kind=body["kind"], values=body["values"], target=target_in(body))


@blueprint.post("/edits/preview")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(BulkEditSchema)
@blueprint.response(200, EditPreviewSchema)
def preview_edit(body: dict[str, Any]) -> dict[str, Any]:
    """What a bulk edit would do, in numbers and with ten people shown; nothing happens."""
    with unit_of_work() as uow:
        selection, _, numbers = service.preview(uow, _command(body))

        def reasons(found: list[service.Reason]) -> list[dict[str, Any]]:
            return [{"sentence": said(reason.sentence), "clients": reason.clients} for reason in found]

        return {
            "selection_id": selection.id,
            "chosen": numbers.chosen,
            "new": numbers.new,
            "goes": numbers.goes,
            "same": reasons(numbers.same),
            "refused": reasons(numbers.refused),
            "not_seen": numbers.not_seen,
            "can_be_undone": bool(EDITS[body["kind"]].back),
            "sample": numbers.sample,
        }


@blueprint.post("/edits")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(BulkEditSchema)
@blueprint.response(202, JobSchema)
def start_edit(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, Any]:
    """Start a bulk edit; the answer is the job that does it."""
    return job_json(uow, [service.start(uow, _command(body))])[0]
