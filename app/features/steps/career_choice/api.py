"""JSON of step 4: the ranked matches, one occupation's reasons, the shortlist, what counsellors recommend."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.instruments.queries import NewestResult
from app.features.occupations import queries as catalogue
from app.features.plans.queries import surroundings_of, view_plan
from app.features.steps.career_choice import service
from app.features.steps.career_choice.matches import credit_of, read_matches
from app.features.steps.career_choice.reasons import reasons_for
from app.features.steps.career_choice.schemas import (
    MatchPageSchema,
    MatchQuery,
    MatchReasonsSchema,
    RecommendationSchema,
    RecommendSchema,
    TakeSchema,
)
from app.features.steps.schemas import StepContentSchema
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.paging import cut, read_cursor, whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint("Matches", __name__, description="Occupations that fit a client, and the choice among them.")
_PLAN = "/plans/<uuid:plan_id>"


@blueprint.get(f"{_PLAN}/matches")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.arguments(MatchQuery, location="query")
@blueprint.response(200, MatchPageSchema)
def list_matches(query: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Every rated occupation by the correlation of interests, the best first; the other columns are never added up."""
    with unit_of_work() as uow:
        found = read_matches(uow, view_plan(uow, plan_id))
        codes = found.codes(family=query.get("family", ""), zone=query.get("zone"), growing=bool(query.get("growing")))
        after = read_cursor(query["cursor"], 1)[0] if query.get("cursor") else 0
        rest = [code for code in codes if (found.rank_of(code) or 0) > after][: query["limit"] + 1]
        rows = [match for code in rest if (match := found.match(code))]
        taken = found.result
        return cut(rows, query["limit"], lambda row: [row.rank]) | {
            "why_not": found.why_not,
            "release": found.release.key if found.release else None,
            "assessment": taken.assessment_id if taken else None,
            "instrument": taken.instrument if taken else None,
            "taken_at": taken.taken_at if taken else None,
            "credit": credit_of(uow, found),
        }


@blueprint.get(f"{_PLAN}/matches/<code>")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, MatchReasonsSchema)
def read_match(plan_id: UUID, code: str) -> dict[str, Any]:
    """One occupation's reasons: both profiles bar by bar, gaps of skills, related occupations."""
    with unit_of_work() as uow:
        found = read_matches(uow, view_plan(uow, plan_id))
        said = reasons_for(uow, found, code, plain)
        if said is None or found.release is None:
            raise NotFound("There is no such occupation in the catalogue.")
        values = catalogue.values_matrix(uow, found.release)
        return {
            "code": said.code,
            "title": said.title,
            "rated": said.rated,
            "match": said.match,
            "interests": _bars(found.result, found.profiles, code) if said.interests else None,
            "values": _bars(found.values, values, code) if said.values else None,
            "gaps": said.gaps,
            "near": [
                {"code": near.code, "title": near.title, "tier": near.tier, "rank": near.match and near.match.rank}
                for near in said.near
            ],
            "release": found.release.key,
            "credit": credit_of(uow, found),
        }


@blueprint.post(f"{_PLAN}/shortlist")
@requires(Permission.OWN_PLAN)
@blueprint.arguments(TakeSchema)
@blueprint.response(200, StepContentSchema)
def take_occupation(body: dict[str, Any], plan_id: UUID) -> dict[str, Any]:
    """Take an occupation into the shortlist with what the match says now; one that is there stays as it is."""
    with unit_of_work() as uow:
        stored, _new = service.take_occupation(uow, service.TakeOccupation(plan_id, body["code"]))
        view = view_plan(uow, plan_id)
        around = surroundings_of(uow, view, StepKey.CAREER_CHOICE)
        return {
            "step": StepKey.CAREER_CHOICE.value,
            "version": stored.version,
            "content": stored.content,
            "missing": service.ROOM.missing(stored.content, around, plain),
        }


@blueprint.get(f"{_PLAN}/recommendations")
@requires(Permission.READ_CLIENTS, Permission.OWN_PLAN)
@blueprint.response(200, page_of(RecommendationSchema))
def list_recommendations(plan_id: UUID) -> dict[str, Any]:
    """What counsellors recommend in place of the client's choice, the oldest first, withdrawn ones too."""
    with unit_of_work() as uow:
        return whole(view_plan(uow, plan_id).content(StepKey.CAREER_CHOICE).get("recommendations", []))


@blueprint.post(f"{_PLAN}/recommendations")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(RecommendSchema)
@blueprint.response(201, RecommendationSchema)
def recommend(body: dict[str, Any], plan_id: UUID) -> Any:
    """Record another occupation with a reason; the client sees it with your name and the day."""
    with unit_of_work() as uow:
        return service.recommend(uow, service.Recommend(plan_id, **body))


@blueprint.delete(f"{_PLAN}/recommendations/<recommendation>")
@requires(Permission.WORK_PLANS)
@blueprint.response(204)
def withdraw(plan_id: UUID, recommendation: str) -> None:
    """Take a recommendation back; it stays in the history with its day."""
    with unit_of_work() as uow:
        service.withdraw_recommendation(uow, plan_id, recommendation)


def _bars(result: NewestResult | None, profiles: catalogue.Profiles | None, code: str) -> list[dict[str, Any]]:
    if result is None or profiles is None:
        return []
    rated = profiles.matrix[profiles.row_of[code]].tolist()
    return [
        {"name": name, "person": score, "error": result.sem.get(name), "occupation": figure}
        for (name, score), figure in zip(result.scores.items(), rated, strict=True)
    ]
