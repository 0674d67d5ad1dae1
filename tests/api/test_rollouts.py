"""Roll-outs and templates as files through the API."""

from __future__ import annotations

from datetime import date

from app.domain.access import Role
from app.domain.steps import StepKey
from app.features.organizations.commands import SaveTerm
from app.features.organizations.settings import save_term
from app.features.plans.commands import SetDueDate
from app.features.plans.service import set_due_date
from tests.api.conftest import Callers
from tests.factories import World
from tests.rollouts.helpers import finish, plans, two_versions, version_of


def test_a_version_is_previewed_rolled_out_in_stages_and_back(world: World, calls: Callers) -> None:
    runtime, organization = world.runtime, world.organization()
    admin = world.person(organization, Role.ADMIN)
    template = two_versions(world, organization)
    made = plans(world, organization, template, 8)
    for plan in made:
        with runtime.database.unit_of_work(admin.actor) as uow:
            set_due_date(uow, SetDueDate(plan_id=plan, step=StepKey.GOALS, due_on=date(2027, 1, 1)))
    caller = calls(admin)
    version = f"/templates/{template}/versions/2"
    seen = caller.get(f"{version}/rollout-preview", query_string={"choice": "all"}).json
    assert {name: seen[name] for name in ("plans", "changed", "in_conflict", "conflicts", "standing")} == {
        "plans": 8,
        "changed": 8,
        "in_conflict": 8,
        "conflicts": 8,
        "standing": 0,
    }
    assert seen["steps"] == [
        {"step": 3, "counts": {"lose": 8}, "conflicts": 0},
        {"step": 6, "counts": {"due_by_hand": 8}, "conflicts": 8},
        {"step": 8, "counts": {"gain": 8}, "conflicts": 0},
    ]
    body = {"choice": "all", "percent": 25, "most_conflicts": 4}
    once = {"headers": {"Idempotency-Key": "one"}}
    begun = caller.post(f"{version}/rollouts", body, **once)
    assert (begun.status_code, begun.json["phase"]) == (202, "running")
    assert caller.post(f"{version}/rollouts", body, **once).json == begun.json
    assert caller.post(f"{version}/rollouts", body).status_code == 409
    here = f"/rollouts/{begun.json['id']}"
    finish(runtime, organization)
    stands = caller.get(here).json
    assert (stands["phase"], stands["done"], stands["left"], stands["conflicts"]) == ("waiting", 2, 6, 2)
    assert caller.get(f"/templates/{template}/rollouts").json["items"] == [stands]
    met = caller.get(f"{here}/conflicts", query_string={"limit": 1}).json
    assert (len(met["items"]), met["more"]) == (1, True)
    assert met["items"][0]["steps"] == [{"step": 6, "reason": "due_by_hand"}]
    assert caller.post(f"{here}/stages", {"number": 2, "percent": 25}).status_code == 422
    assert caller.post(f"{here}/stages", {"number": 2}).json["phase"] == "running"
    finish(runtime, organization)
    # The last batch went over what was allowed, and everybody was in it.
    assert caller.get(here).json["phase"] == "done"
    assert caller.post(f"{here}/stop").json["phase"] == "done"
    assert caller.post(f"{here}/roll-back").json["phase"] == "rolling_back"
    finish(runtime, organization)
    assert caller.get(here).json["phase"] == "rolled_back"
    assert {version_of(runtime, organization, plan) for plan in made} == {1}
    assert caller.post(f"{here}/roll-back").status_code == 409
    counsellor = calls(world.person(organization, Role.COUNSELLOR))
    assert counsellor.get(here).status_code == 403
    # A token for templates alone changes no plan.
    narrow = calls(admin, "templates")
    assert narrow.get(here).status_code == 403
    assert narrow.post(f"{version}/rollouts", body).status_code == 403
    other = calls(world.person(world.organization(), Role.ADMIN))
    for path in (here, f"{here}/conflicts", f"{version}/rollout-preview", f"/templates/{template}/rollouts"):
        assert other.get(path).status_code == 404


def test_a_template_goes_to_another_organization_and_into_next_year(world: World, calls: Callers) -> None:
    runtime, organization = world.runtime, world.organization()
    admin = world.person(organization, Role.ADMIN)
    with runtime.database.unit_of_work(admin.actor) as uow:
        for year in (2026, 2027):
            save_term(uow, SaveTerm(name=f"Autumn {year}", starts_on=date(year, 9, 7), ends_on=date(year, 12, 18)))
    due = {"kind": "term", "term": "Autumn 2026", "edge": "end"}
    template = world.template(organization, raw={"steps": {"ambition": {"guidance": "x", "due": due}}})
    caller, there = calls(admin), calls(world.person(world.organization(), Role.ADMIN))
    file = caller.get(f"/templates/{template}/versions/1/file").json
    taken = there.post("/templates/files", {"file": file, "name": "Theirs"})
    assert (taken.status_code, taken.json["name"]) == (201, "Theirs")
    assert [lack["field"] for lack in taken.json["lacking"]] == ["steps.ambition.due.term"]
    broken = there.post("/templates/files", {"file": file | {"name": "Changed"}})
    assert (broken.status_code, broken.json["errors"][0]["field"]) == (422, "checksum")
    planned = caller.get(f"/templates/{template}/next-year").json
    assert planned["terms"] == {"Autumn 2026": "Autumn 2027"}
    copied = caller.post(f"/templates/{template}/next-year", {"name": "Next", "terms": planned["terms"]})
    assert copied.status_code == 201
    content = caller.get(f"/templates/{copied.json['id']}/versions/1").json["content"]
    assert content["steps"]["ambition"]["due"]["term"] == "Autumn 2027"
    refused = caller.post(f"/templates/{template}/next-year", {"name": "None"})
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "terms.Autumn 2026")
