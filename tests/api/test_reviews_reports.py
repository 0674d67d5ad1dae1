"""Reviews and reports through the API: policies, asking now, prompts, answers; a PDF, a cohort's job."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from app.composition import JOB_KINDS
from app.domain.access import Role
from app.features.jobs.runner import work
from tests.api.conftest import Caller, Callers
from tests.factories import Person, World


@pytest.fixture
def organization(world: World) -> UUID:
    return world.organization()


@pytest.fixture
def ada(world: World, organization: UUID) -> Person:
    return world.person(organization, Role.ADMIN)


@pytest.fixture
def admin(calls: Callers, ada: Person) -> Caller:
    return calls(ada)


def run(world: World, organization: UUID) -> None:
    work(world.runtime, organization, JOB_KINDS, until=world.runtime.clock() + timedelta(minutes=1))


@pytest.fixture
def cohort(world: World, organization: UUID, admin: Caller) -> str:
    """A cohort of two clients with plans."""
    clients = [str(client) for client in world.clients(organization, 2)]
    made = admin.post("/cohorts", {"name": "All"}).json["id"]
    admin.post(f"/cohorts/{made}/members", {"client_ids": clients})
    template = admin.post("/templates", {"name": "Eight steps"}).json["id"]
    admin.post(f"/templates/{template}/publish")
    given = {"template_id": template, "version": 1, "started_on": "2026-09-07", "cohort_id": made}
    assert admin.post("/assignments", given).status_code == 202
    run(world, organization)
    return str(made)


POLICY = {"content": {"cadence": {"kind": "every_months", "months": 6}, "reminder_days": [0, 3]}}


def test_a_policy_is_set_listed_and_taken_away(admin: Caller, cohort: str) -> None:
    path = f"/review-policies/cohort/{cohort}"
    assert admin("PUT", path, POLICY).json == {"plans": 2}
    assert admin("PUT", "/review-policies/organization", POLICY).status_code == 200
    listed = admin.get("/review-policies").json["items"]
    assert [(line["scope"], line["name"]) for line in listed] == [("organization", ""), ("cohort", "All")]
    assert listed[1]["content"]["reminder_days"] == [0, 3]
    assert len(admin.get("/review-policies", query_string={"subject": cohort}).json["items"]) == 1
    bad = admin("PUT", path, {"content": {"cadence": {"kind": "hourly"}, "weekdays": ["noday"]}})
    assert bad.status_code == 422
    assert {problem["field"] for problem in bad.json["errors"]} >= {"cadence.kind"}
    assert admin("DELETE", path).json == {"plans": 2}
    assert admin("DELETE", "/review-policies/organization").status_code == 200
    assert admin.get("/review-policies").json["items"] == []


def test_clients_are_asked_now_and_once(world: World, organization: UUID, admin: Caller, cohort: str) -> None:
    plans = admin.get("/plans", query_string={"cohort": cohort}).json["items"]
    clients = {"client_ids": [plan["client_id"] for plan in plans]}
    assert admin.post("/prompts/preview", clients).json["asked"] == 2
    key = {"Idempotency-Key": "ask-1"}
    assert [admin.post("/prompts", clients, headers=key).json for _ in range(2)] == [{"asked": 2}, {"asked": 2}]
    assert admin.get("/prompts").json == {"items": [], "next": None}
    assert admin.get("/reviews").json == {"items": [], "next": None}


def test_a_clients_report_is_a_pdf(admin: Caller, cohort: str) -> None:
    client = admin.get(f"/cohorts/{cohort}/members").json["items"][0]["id"]
    with admin.get(f"/clients/{client}/report") as answer:
        assert answer.status_code == 200
        assert answer.data.startswith(b"%PDF-")
        assert answer.mimetype == "application/pdf"
    assert admin.get(f"/clients/{UUID(int=1)}/report").status_code == 404


def test_a_cohorts_reports_are_a_job_with_files(world: World, organization: UUID, admin: Caller, cohort: str) -> None:
    preview = admin.get(f"/cohorts/{cohort}/reports/preview").json
    assert preview == {"reports": 2, "without_plan": 0, "not_yours": 0}
    key = {"Idempotency-Key": "reports-1"}
    jobs = [admin.post(f"/cohorts/{cohort}/reports", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in jobs] == [202, 202]
    assert jobs[0].json["id"] == jobs[1].json["id"]
    run(world, organization)
    job = admin.get(f"/jobs/{jobs[0].json['id']}").json
    assert (job["state"], job["progress"]["done"]) == ("done", 2)
    kinds = [file["kind"] for file in admin.get("/files", query_string={"job": job["id"]}).json["items"]]
    assert sorted(kinds) == ["client_report", "client_report", "cohort_archive", "cohort_workbook", "report_index"]
    client = admin.get(f"/cohorts/{cohort}/members").json["items"][0]["id"]
    kept = admin.get(f"/clients/{client}/reports").json["items"]
    with admin.get(f"/clients/{client}/reports/{kept[0]['id']}") as answer:
        assert answer.data.startswith(b"%PDF-")
