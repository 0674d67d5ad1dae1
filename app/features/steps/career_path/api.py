"""JSON of step 5: routes to the target, and taking another way with its preview."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.steps import StepKey
from app.features.instruments.queries import newest_results
from app.features.occupations.credit import credit_lines
from app.features.plans import queries
from app.features.steps.career_path.finder import find_routes, own_levels
from app.features.steps.career_path.schemas import RoutesSchema, WaySwitchSchema, WayTakenSchema
from app.features.steps.career_path.service import SwitchPath, switch_path
from app.features.steps.career_path.tools import why_words
from app.features.steps.career_path.ways import Fate, kept_route, preview, way_of
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint, conditional
from app.infra.web.api.parser import matching_version
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Ways", __name__, description="Step 5: routes to the target, and the ways to choose from.")
_KEY = StepKey.CAREER_PATH


@blueprint.get("/plans/<uuid:plan_id>/routes")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, RoutesSchema)
def read_routes(plan_id: UUID) -> dict[str, Any]:
    """Routes from where the client stands to the target, with what each hop lacks, or why there is none."""
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        content = view.content(_KEY)
        taken = newest_results(uow, view.client.id, ["skills"])
        found = find_routes(uow, content, view.written, own_levels(taken.get("skills")))
        kept = kept_route(content)
        return {
            "start": found.start,
            "target": found.target,
            "release": found.release.key if found.release else None,
            "education": found.education,
            "routes": [list(stages) for stages in found.routes],
            "kept": kept["stages"] if kept else None,
            "why": found.why,
            "sentence": why_words(found) or None,
            "credit": credit_lines(found.release),
        }


@blueprint.get("/plans/<uuid:plan_id>/ways/<path>")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, WaySwitchSchema)
def preview_way(plan_id: UUID, path: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """What taking this way would set aside and bring back; its ETag is what taking it names."""
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        if way_of(view.content(_KEY), path) is None:
            raise NotFound("There is no such way in step 5 of this plan.")
        found = preview(view.written, path)
        version = view.version(_KEY)
        answer = {
            "before": found.before,
            "after": path,
            "version": version,
            "goals": _fate(found.goals),
            "actions": _fate(found.actions),
            "milestones": _fate(found.milestones),
            "orphans": [{"action": action["id"], "goal": goal["id"]} for action, goal in found.orphans],
        }
        return answer, 200, {"ETag": f'"{version}"'}


def _fate(fate: Fate) -> dict[str, list[dict[str, str]]]:
    return {
        name: [{"id": row["id"], "text": row["text"]} for row in getattr(fate, name)]
        for name in ("stays", "aside", "back", "still_aside")
    }


@blueprint.post("/plans/<uuid:plan_id>/ways/<path>")
@conditional
@requires(Permission.OWN_PLAN)
@blueprint.response(200, WayTakenSchema)
def take_way(plan_id: UUID, path: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Take this way over the version its preview was made from; steps 6 and 7 are not touched. The client's own act."""
    over = matching_version()
    with unit_of_work() as uow:
        if queries.view_plan(uow, plan_id).version(_KEY) != over:
            abort(412)
        stored = switch_path(uow, SwitchPath(plan_id, path, over))
        return {"chosen": path, "version": stored.version}, 200, {"ETag": f'"{stored.version}"'}
