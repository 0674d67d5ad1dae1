"""JSON of when reviews come: pauses and holidays, why a plan follows its policy, the forecast and its spread."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.access import Permission
from app.domain.cadence import policy_as_json
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.forecast import loads
from app.domain.pauses import HOLIDAY
from app.features.reviews import forecast as forecasts
from app.features.reviews import pauses
from app.features.reviews.commands import AddPause, EndPause
from app.features.reviews.models import ReviewPause
from app.features.reviews.schemas import (
    ForecastLineSchema,
    NewPauseSchema,
    PauseEndSchema,
    PauseQuery,
    PauseSchema,
    PlanPolicySchema,
    SpreadApplySchema,
    SpreadDoneSchema,
    SpreadQuerySchema,
    SpreadSchema,
)
from app.features.reviews.why import Why, explain
from app.infra.db.open import UnitOfWork
from app.infra.web.access import requires
from app.infra.web.api.blueprint import ApiBlueprint
from app.infra.web.api.once import once
from app.infra.web.api.paging import whole
from app.infra.web.api.schemas import page_of
from app.infra.web.context import unit_of_work

blueprint = ApiBlueprint(
    "Review days", __name__, description="When reviews come: pauses, holidays, the policy that decides, the forecast."
)


@blueprint.get("/review-pauses")
@requires(Permission.READ_CLIENTS)
@blueprint.arguments(PauseQuery, location="query")
@blueprint.response(200, page_of(PauseSchema))
def list_pauses(query: dict[str, Any]) -> dict[str, Any]:
    """The pauses that are on or to come, of one client or of all you may see, and the organization's holidays."""
    with unit_of_work() as uow:
        return whole([line.pause for line in pauses.pauses_of(uow, client_id=query.get("client"))])


@blueprint.post("/review-pauses")
@requires(Permission.WORK_PLANS, Permission.MANAGE_COHORTS)
@once
@blueprint.arguments(NewPauseSchema)
@blueprint.response(201, PauseSchema)
def create_pause(uow: UnitOfWork, body: dict[str, Any]) -> ReviewPause:
    """Put in a client's pause, or a holiday of the organization; reviews that fall into it come after it."""
    client_id = body.pop("client_id", None)
    kind = body.pop("kind", None)
    if (client_id is None) != (kind is None):
        raise InvalidInput([FieldProblem("kind", "A pause of a person has a kind; a holiday has neither.")])
    pause_id = pauses.add_pause(uow, AddPause(client_id=client_id, kind=kind or HOLIDAY, **body))
    return uow.session.get_one(ReviewPause, (uow.actor.organization_id, pause_id))


@blueprint.post("/review-pauses/<uuid:pause_id>/end")
@requires(Permission.WORK_PLANS, Permission.MANAGE_COHORTS)
@blueprint.arguments(PauseEndSchema)
@blueprint.response(204)
def end_pause(body: dict[str, Any], pause_id: UUID) -> None:
    """Give a pause its last day, or take one away that has not begun."""
    with unit_of_work() as uow:
        pauses.end_pause(uow, EndPause(pause_id=pause_id, last_on=body["last_on"]))


@blueprint.get("/plans/<uuid:plan_id>/review-policy")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, PlanPolicySchema)
def read_plan_policy(plan_id: UUID) -> dict[str, Any]:
    """Which policy an active plan follows and why, and the reviews to come."""
    with unit_of_work() as uow:
        why: Why = explain(uow, plan_id)
    return {
        "plan_id": plan_id,
        "content": policy_as_json(why.policy),
        "chain": why.chain,
        "coming": why.coming,
    }


@blueprint.get("/review-forecast")
@requires(Permission.READ_CLIENTS)
@blueprint.response(200, page_of(ForecastLineSchema))
def read_forecast() -> dict[str, Any]:
    """How many of your people are asked for a review on each of the next 90 days, per counsellor."""
    with unit_of_work() as uow:
        found = loads(forecasts.forecast(uow).asks)
    lines = sorted(found.items(), key=lambda pair: (pair[0][1], str(pair[0][0])))
    return whole([{"day": day, "counsellor_id": who, "asked": asked} for (who, day), asked in lines])


@blueprint.post("/review-spread/preview")
@requires(Permission.WORK_PLANS)
@blueprint.arguments(SpreadQuerySchema)
@blueprint.response(200, SpreadSchema)
def preview_spread(body: dict[str, Any]) -> dict[str, Any]:
    """What would be moved so that no counsellor has more new reviews a day; nothing happens."""
    with unit_of_work() as uow:
        proposal = forecasts.propose_spread(uow, body["most"])
    moves = [
        {
            "plan_id": move.ask.plan_id,
            "counsellor_id": move.ask.counsellor_id,
            "review_on": move.ask.review_on,
            "days": move.days,
            "asked_on": move.to,
        }
        for move in proposal.moves
    ]
    return {"digest": proposal.digest, "moves": moves}


@blueprint.post("/review-spread")
@requires(Permission.WORK_PLANS)
@once
@blueprint.arguments(SpreadApplySchema)
@blueprint.response(200, SpreadDoneSchema)
def apply_spread(uow: UnitOfWork, body: dict[str, Any]) -> dict[str, int]:
    """Move the reviews as the preview with this digest showed them."""
    return {"moved": forecasts.apply_spread(uow, body["most"], body["digest"])}
