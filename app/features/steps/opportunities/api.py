"""JSON of step 3 beyond its content: what Octant reads in the scan, now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.plans import queries
from app.features.steps.opportunities.facts import credit_of
from app.features.steps.opportunities.figures import as_factor, beside, coverage, numbered
from app.features.steps.opportunities.hints import hints
from app.features.steps.opportunities.schemas import ScanSchema
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Opportunities", __name__, description="The environment scan of step 3.")


@blueprint.get("/plans/<uuid:plan_id>/steps/3/scan")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, ScanSchema)
def read_scan(plan_id: UUID) -> dict[str, Any]:
    """The map, the coverage check and the occupations' facts; what is not known is null."""
    with unit_of_work() as uow:
        view = queries.view_plan(uow, plan_id)
        content = view.content(StepKey.OPPORTUNITIES)
        around = queries.surroundings_of(uow, view, StepKey.OPPORTUNITIES)
    occupations = beside(content, around)
    factors = [(row, as_factor(row)) for row in numbered(content)]
    return {
        "factors": [
            {
                "number": number,
                "text": row["text"],
                "weight": factor.weight,
                "controllable": factor.control,
                **{name: getattr(factor, name) for name in ("id", "kind", "area", "likelihood", "impact", "answered")},
            }
            for number, (row, factor) in enumerate(factors, start=1)
        ],
        "coverage": asdict(coverage(content, around.today)),
        "hints": hints(content, around.today, plain),
        "education": content.get("education"),
        "occupations": [
            {
                **{
                    name: getattr(each, name) for name in ("code", "name", "looked_up", "chosen", "at_most", "by_level")
                },
                "release": each.release.key if each.release else None,
                "job_zone": each.facts.job_zone if each.facts else None,
                "sources": each.facts.sources if each.facts else {},
                "outlook": each.facts.outlook if each.facts else None,
            }
            for each in occupations
        ],
        "country": "US",
        "credit": credit_of(occupations, around, plain),
    }
