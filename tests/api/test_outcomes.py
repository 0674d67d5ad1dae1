"""First destinations through the API."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from app.composition import JOB_KINDS
from app.domain.access import Role
from app.features.jobs.runner import work
from tests.api.conftest import Caller, Callers
from tests.factories import World
from tests.outcomes.scene import Centre

TOLD = {"status": "employed_full_time", "known_on": "2026-08-01", "source": "survey"}


@pytest.fixture
def centre(world: World) -> Centre:
    return Centre(world)


@pytest.fixture
def admin(calls: Callers, centre: Centre) -> Caller:
    return calls(centre.admin)


def test_a_graduate_from_the_day_to_a_withdrawn_outcome(centre: Centre, admin: Caller) -> None:
    here = f"/clients/{centre.clients[0]}"
    assert admin.put(f"{here}/graduation", {"graduated_on": "2026-06-20"}).json["class_year"] == 2026
    path = f"{here}/graduations/2026/outcomes"
    made = admin.post(path, TOLD | {"salary": 30000, "currency": "EUR", "employment": "organization"})
    assert (made.status_code, made.json["salary"], made.json["withdrawn_at"]) == (201, 30000, None)
    (found,) = admin.get(f"{here}/graduations").json
    assert (found["newest"]["id"], len(found["history"])) == (made.json["id"], 1)
    for bad in ({"status": "unknown"}, {"salary": 1}, {"known_on": "2999-01-01"}, {"extra": 1}, {"employer": "\x00"}):
        assert admin.post(path, TOLD | bad).status_code == 422, bad
    for year in (2020, 0, 10**30):
        assert admin.post(f"{here}/graduations/{year}/outcomes", TOLD).status_code == 404
    assert admin("DELETE", f"{here}/graduations/2026").status_code == 409
    gone = admin.post(f"{here}/outcomes/{made.json['id']}/withdraw")
    assert gone.json["withdrawn_at"] is not None
    assert admin("DELETE", f"{here}/graduations/2026").status_code == 204
    assert admin("DELETE", f"{here}/graduations/2026").status_code == 404
    assert admin.get(f"{here}/graduations").json == []


def test_who_may_do_what(centre: Centre, calls: Callers, world: World) -> None:
    own, other = centre.clients[0], centre.clients[11]
    centre.graduate([own, other])
    counsellor, analyst = calls(centre.counsellor), calls(centre.analyst)
    assert counsellor.post(f"/clients/{own}/graduations/2026/outcomes", TOLD).status_code == 201
    assert counsellor.post(f"/clients/{other}/graduations/2026/outcomes", TOLD).status_code == 404
    assert counsellor.get(f"/clients/{other}/graduations").status_code == 404
    assert counsellor.get("/outcome-imports").status_code == 403
    assert analyst.get(f"/clients/{own}/graduations").status_code == 403
    assert analyst.get("/outcomes/missing?class_year=2026").status_code == 403
    reader = calls(centre.admin, "read")
    assert reader.get("/outcomes/classes").status_code == 200
    assert reader.post(f"/clients/{own}/graduations/2026/outcomes", TOLD).status_code == 403
    foreign = calls(world.person(world.organization(), Role.ADMIN))
    assert foreign.get(f"/clients/{own}/graduations").status_code == 404
    assert foreign.get("/outcomes/classes").json == {"classes": []}


def test_classes_are_withheld_from_who_may_not_see_people(centre: Centre, calls: Callers, admin: Caller) -> None:
    centre.graduate(centre.clients)
    centre.tell(centre.clients[0])
    (exact,) = admin.get("/outcomes/classes").json["classes"]
    assert (exact["graduates"], exact["known"], exact["career_outcomes_rate"]["value"]) == (12, 1, 100)
    assert exact["people"]["unknown"] == 11
    hidden = calls(centre.analyst).get("/outcomes/classes").json
    assert hidden["classes"][0]["people"]["employed_full_time"] is None
    assert hidden["classes"][0]["career_outcomes_rate"] == {"kind": "withheld", "value": None}
    assert admin.get("/outcomes/classes?withheld=true").json == hidden
    page = admin.get("/outcomes/missing?class_year=2026&limit=5").json
    rest = admin.get(f"/outcomes/missing?class_year=2026&limit=50&cursor={page['next']}").json
    assert len(page["items"]) + len(rest["items"]) == 11
    assert admin.get("/outcomes/missing").status_code == 422


def test_a_file_from_upload_to_undo(centre: Centre, admin: Caller) -> None:
    (number,) = [row.external_id for row in centre.rows("SELECT external_id FROM clients LIMIT 1")]
    content = f"id,graduated on,status\n{number},2026-06-20,military\nX,,?\n".encode()
    files = {"file": (io.BytesIO(content), "o.csv")}
    made = admin("POST", "/outcome-imports", data=files, content_type="multipart/form-data")
    assert (made.status_code, made.json["state"]) == (201, "uploaded")
    here = f"/outcome-imports/{made.json['id']}"
    assert admin.post(f"{here}/confirm").status_code == 409
    assert admin.post(f"{here}/check", {"mapping": {"status": 9}}).status_code == 422
    assert admin.post(f"{here}/check", {}).status_code == 202
    until = centre.runtime.clock() + timedelta(seconds=20)
    work(centre.runtime, centre.id, JOB_KINDS, until=until)
    assert admin.get(here).json["counts"]["good"] == 1
    (bad,) = admin.get(f"{here}/rows?verdict=bad").json["items"]
    assert (bad["line"], bad["problems"][0][0]) == (3, "status")
    assert admin.post(f"{here}/confirm").status_code == 202
    work(centre.runtime, centre.id, JOB_KINDS, until=until)
    assert admin.get(here).json["state"] == "applied"
    assert admin.post(f"{here}/undo").status_code == 202
    work(centre.runtime, centre.id, JOB_KINDS, until=until)
    assert [one["state"] for one in admin.get("/outcome-imports").json["items"]] == ["undone"]
