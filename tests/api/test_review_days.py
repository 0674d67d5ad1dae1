"""Pauses, the policy that decides, the forecast and its spread through the API."""

from __future__ import annotations

from datetime import date

from app.domain.access import Role
from app.domain.cadence import ReviewPolicy, policy_as_json
from app.infra.runtime import Runtime
from tests.api.conftest import Callers
from tests.factories import World
from tests.reviews.helpers import make_plans, rows

SOON = policy_as_json(ReviewPolicy(reminder_days=(0,))) | {"cadence": {"kind": "every_months", "months": 3}}


def test_a_counsellor_pauses_looks_ahead_and_spreads(runtime: Runtime, world: World, calls: Callers) -> None:
    organization = world.organization(time_zone="UTC")
    plans = make_plans(runtime, organization, 4, started_on=date(2026, 6, 30), recipe=SOON)
    nora = world.person(organization, Role.COUNSELLOR, "Nora Blake")
    world.caseload(nora, [row.id for row in rows(runtime, organization, "SELECT id FROM clients")])
    caller = calls(nora)
    client = str(rows(runtime, organization, "SELECT client_id FROM plans WHERE id = :p", p=plans[0])[0].client_id)
    leave = {"client_id": client, "kind": "leave", "starts_on": "2026-09-20", "ends_on": "2026-10-31"}
    made = caller.post("/review-pauses", leave)
    assert made.status_code == 201, made.text
    holiday = {"starts_on": "2026-12-24", "ends_on": "2026-12-26"}
    assert caller.post("/review-pauses", holiday).status_code == 403
    assert caller.post("/review-pauses", holiday | {"kind": "leave"}).status_code == 422
    assert calls(world.person(organization, Role.ADMIN)).post("/review-pauses", holiday).json["client_id"] is None
    listed = caller.get("/review-pauses", query_string={"client": client}).json["items"]
    assert [line["kind"] for line in listed] == ["leave", "holiday"]
    policy = caller.get(f"/plans/{plans[0]}/review-policy").json
    assert policy["coming"][0] == {"review_on": "2026-11-01", "next_mail_at": "2026-11-02T09:00:00+00:00"}
    assert [one["place"] for one in policy["chain"] if one["wins"]] == ["recipe"]
    days = caller.get("/review-forecast").json["items"]
    assert sum(line["asked"] for line in days if line["day"] < "2026-12-01") == 4
    shown = caller.post("/review-spread/preview", {"most": 1}).json
    assert len(shown["moves"]) == 2
    assert caller.post("/review-spread", {"most": 1, "digest": "0" * 16}).status_code == 409
    assert caller.post("/review-spread", {"most": 1, "digest": shown["digest"]}).json == {"moved": 2}
    end = f"/review-pauses/{made.json['id']}/end"
    assert caller.post(end, {"last_on": "2026-09-01"}).status_code == 204
    assert [line["kind"] for line in caller.get("/review-pauses").json["items"]] == ["holiday"]
    stranger = calls(world.person(organization, Role.COUNSELLOR))
    assert stranger.get(f"/plans/{plans[0]}/review-policy").status_code == 404
    assert stranger.post("/review-pauses", leave).status_code == 404
