"""JSON of the catalogue: search, and one occupation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.features.occupations import queries
from app.features.occupations.credit import credit_lines
from app.features.occupations.releases import current_outlook, current_release, find_release
from app.features.occupations.schemas import (
    FoundOccupationsSchema,
    OccupationQuery,
    OccupationSchema,
    ReleaseQuery,
)
from app.features.occupations.search import search
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Occupations", __name__, description="The catalogue of occupations.")


@blueprint.get("/occupations")
@requires(Permission.READ_OCCUPATIONS)
@blueprint.arguments(OccupationQuery, location="query")
@blueprint.response(200, FoundOccupationsSchema)
def search_occupations(query: dict[str, Any]) -> dict[str, Any]:
    """Occupations by title, other names or code, the best first; typing errors are forgiven."""
    with unit_of_work() as uow:
        release = current_release(uow)
        hits = search(uow, query["search"], query["limit"], release) if release else []
    return {
        "items": hits,
        "release": release.key if release else None,
        "starter": bool(release and release.starter),
        "credit": credit_lines(release),
    }


@blueprint.get("/occupations/<code>")
@requires(Permission.READ_OCCUPATIONS)
@blueprint.arguments(ReleaseQuery, location="query")
@blueprint.response(200, OccupationSchema)
def read_occupation(query: dict[str, Any], code: str) -> dict[str, Any]:
    """One occupation with its profiles, outlook and related occupations."""
    with unit_of_work() as uow:
        named = query.get("release")
        release = find_release(uow, named) if named else current_release(uow)
        found = queries.find(uow, code, release) if release else None
        if release is None or found is None:
            raise NotFound("There is no such occupation in the catalogue.")
        return {
            **asdict(found),
            "rated": found.rated,
            "related": queries.related(uow, code, release),
            "release": release.key,
            "starter": release.starter,
            "credit": credit_lines(release, current_outlook(uow) if found.outlook else None),
        }
