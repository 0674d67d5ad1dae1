"""JSON of the audit ledger: its entries, and whether its chain holds."""

from __future__ import annotations

from typing import Any

from app.domain.access import Permission
from app.features.audit.queries import AuditFilter, list_entries
from app.features.audit.schemas import AuditEntrySchema, AuditQuery, AuditVerdictSchema
from app.features.audit.service import verify
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import cut, read_cursor
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Audit", __name__, description="What was done, by whom, to what.")


@blueprint.get("/audit")
@requires(Permission.READ_AUDIT)
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, page_of(AuditEntrySchema))
def list_audit(query: dict[str, Any]) -> dict[str, Any]:
    """Entries of the ledger, newest first."""
    wanted = AuditFilter(action=query.get("action"), subject_id=query.get("subject"), actor_id=query.get("actor"))
    before = None
    if "cursor" in query:
        sequence, position = read_cursor(query["cursor"], 2)
        before = (sequence, position)
    with unit_of_work() as uow:
        lines = list_entries(uow, wanted, before=before, limit=query["limit"] + 1)
    return cut(lines, query["limit"], lambda line: [line.sequence, line.position])


@blueprint.get("/audit/check")
@requires(Permission.READ_AUDIT)
@blueprint.response(200, AuditVerdictSchema)
def check_audit() -> dict[str, list[str]]:
    """Recompute the chain of the ledger and say where it does not hold."""
    with unit_of_work() as uow:
        return {"problems": verify(uow)}
