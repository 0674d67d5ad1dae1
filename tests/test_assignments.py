"""Main job 1: assign to a cohort, with preview, cancel, undo and later members."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from app.composition import JOB_KINDS
from app.domain import access
from app.domain.access import Role
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.features.assignments import service
from app.features.assignments.commands import Assign
from app.features.assignments.models import Assignment
from app.features.assignments.runner import follow_standing
from app.features.audit.models import AuditEntry
from app.features.audit.service import verify
from app.features.cohorts.models import Cohort, CohortMember
from app.features.jobs.models import Job, JobItem
from app.features.jobs.runner import undo_job, work
from app.features.organizations.commands import SaveTerm
from app.features.organizations.models import Organization
from app.features.organizations.settings import save_term
from app.features.plans import templates
from app.features.plans.models import Plan, PlanStep
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Clock

START = date(2026, 9, 7)


def _cohort(world: World, organization: UUID, clients: list[UUID], name: str = "Class of 2028") -> UUID:
    with world.runtime.database.unit_of_work(access.system(organization)) as uow:
        cohort = Cohort(name=name, kind="fixed", created_at=uow.now - timedelta(days=1))
        uow.session.add(cohort)
        uow.session.flush()
        uow.session.add_all(CohortMember(cohort_id=cohort.id, client_id=c, since=uow.now) for c in clients)
        return cohort.id


def _assign(world: World, actor: access.Actor, **values: Any) -> UUID:
    with world.runtime.database.unit_of_work(actor) as uow:
        return service.assign(uow, Assign(version=1, started_on=START, **values)).id


def _work(runtime: Runtime, organization: UUID) -> None:
    work(runtime, organization, JOB_KINDS, until=runtime.clock() + timedelta(seconds=20))


def _items(runtime: Runtime, job_id: UUID, organization: UUID) -> dict[str, int]:
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        rows = uow.session.execute(
            select(JobItem.state, func.count()).where(JobItem.job_id == job_id).group_by(JobItem.state)
        ).all()
        return dict(map(tuple, rows))


def test_a_cohort_gets_plans_with_eight_dated_steps(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    template = world.template(organization)
    clients = world.clients(organization, 5)
    cohort = _cohort(world, organization, clients)
    command = Assign(template_id=template, version=1, started_on=START, cohort_id=cohort)
    with runtime.database.unit_of_work(admin) as uow:
        assert service.preview(uow, command)[1].new == 5
    job = _assign(world, admin, template_id=template, cohort_id=cohort)
    _work(runtime, organization)
    assert _items(runtime, job, organization) == {"done": 5}
    with runtime.database.unit_of_work(admin) as uow:
        assert set(uow.session.scalars(select(Plan.client_id))) == set(clients)
        steps = uow.session.execute(
            select(PlanStep.step, PlanStep.due_on, func.count()).group_by(PlanStep.step, PlanStep.due_on)
        ).all()
        assert {s: d for s, d, _ in steps} == {n: START + timedelta(days=14 * n) for n in range(1, 9)}
        assert {n for _, _, n in steps} == {5}
        audited = select(func.count()).where(AuditEntry.action == "plan.assigned")
        assert uow.session.execute(audited).scalar_one() == 5
        assert verify(uow) == []


def test_j1_nobody_gets_a_second_plan_however_often_it_is_assigned(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    template = world.template(organization)
    clients = world.clients(organization, 4)
    ended = world.clients(organization, 1, active=False)
    first = _assign(world, admin, template_id=template, client_ids=tuple(clients[:2]), idempotency_key="k")
    assert first == _assign(world, admin, template_id=template, client_ids=tuple(clients[:2]), idempotency_key="k")
    second = _assign(world, admin, template_id=template, client_ids=tuple(clients + ended))
    with runtime.database.unit_of_work(admin) as uow:
        command = Assign(template_id=template, version=1, started_on=START, client_ids=tuple(clients + ended))
        left_out = service.preview(uow, command)[1].refused
        assert [(reason.code, reason.clients) for reason in left_out] == [("inactive", 1)]
    _work(runtime, organization)
    assert _items(runtime, first, organization) == {"done": 2}
    assert _items(runtime, second, organization) == {"done": 2, "skipped": 3}
    with runtime.database.unit_of_work(admin) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 4


def test_w1_a_key_stands_for_one_persons_one_choice(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    other = world.person(organization, Role.ADMIN).actor
    template = world.template(organization)
    clients = world.clients(organization, 2)
    asked = {"template_id": template, "client_ids": tuple(clients), "idempotency_key": "k"}
    first = _assign(world, admin, **asked)
    assert _assign(world, admin, **asked) == first
    with pytest.raises(Conflict, match="other choices"):
        _assign(world, admin, **asked | {"client_ids": tuple(clients[:1])})
    with pytest.raises(Conflict, match="other choices"):
        _assign(world, admin, **asked | {"template_id": world.template(organization)})
    with pytest.raises(Conflict, match="other choices"):
        _assign(world, other, **asked)


def test_undo_takes_back_the_untouched_and_keeps_the_rest(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    clients = world.clients(organization, 3)
    job = _assign(world, admin, template_id=world.template(organization), client_ids=tuple(clients))
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.execute(text("UPDATE plans SET touched_at = now() WHERE client_id = :c").bindparams(c=clients[0]))
    undo_job(runtime, admin, JOB_KINDS, job)
    _work(runtime, organization)
    assert _items(runtime, job, organization) == {"kept": 1, "undone": 2}
    with runtime.database.unit_of_work(admin) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 1
        assert uow.session.execute(text("SELECT count(*) FROM plan_steps")).scalar_one() == 8


def test_later_members_get_a_standing_assignment_once(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    clients = world.clients(organization, 4)
    cohort = _cohort(world, organization, clients[:2])
    _assign(world, admin, template_id=world.template(organization), cohort_id=cohort, standing=True)
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.add_all(CohortMember(cohort_id=cohort, client_id=c, since=uow.now) for c in clients[2:])
    for _ in range(3):
        follow_standing(runtime, organization)
    _work(runtime, organization)
    follow_standing(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 4
        assert uow.session.execute(select(func.count()).select_from(Job)).scalar_one() == 2


def test_a_counsellor_reaches_only_their_caseload(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    counsellor = world.person(organization, Role.COUNSELLOR)
    clients = world.clients(organization, 3)
    world.caseload(counsellor, clients[:1])
    template = world.template(organization)
    command = Assign(template_id=template, version=1, started_on=START, client_ids=tuple(clients))
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        _, numbers = service.preview(uow, command)
        assert (numbers.new, numbers.not_seen) == (1, 2)
    job = _assign(world, counsellor.actor, template_id=template, client_ids=tuple(clients))
    _work(runtime, organization)
    assert _items(runtime, job, organization) == {"done": 1}


def test_t2_a_counsellors_standing_assignment_reaches_only_their_caseload(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    counsellor, other = (world.person(organization, Role.COUNSELLOR) for _ in range(2))
    theirs, not_theirs = world.clients(organization, 2)
    world.caseload(counsellor, [theirs])
    cohort = _cohort(world, organization, [])
    _assign(world, counsellor.actor, template_id=world.template(organization), cohort_id=cohort, standing=True)
    _work(runtime, organization)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.add_all(CohortMember(cohort_id=cohort, client_id=c, since=uow.now) for c in (theirs, not_theirs))
    follow_standing(runtime, organization)
    _work(runtime, organization)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        assert uow.session.scalars(select(Plan.client_id)).all() == [theirs]
        made = uow.session.scalars(select(Assignment.id)).one()
    with pytest.raises(Forbidden), runtime.database.unit_of_work(other.actor) as uow:
        service.end_assignment(uow, made)
    with runtime.database.unit_of_work(access.system(organization)) as uow:
        uow.session.get_one(Organization, organization).shares_caseloads = True
    follow_standing(runtime, organization)
    _work(runtime, organization)
    with runtime.database.unit_of_work(counsellor.actor) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 2
        service.end_assignment(uow, made)


def test_what_cannot_be_assigned_is_refused_in_a_sentence(runtime: Runtime, world: World) -> None:
    ours, theirs = world.organization(), world.organization()
    admin = world.person(ours, Role.ADMIN).actor
    template, clients = world.template(ours), world.clients(ours, 1)
    foreign = world.template(theirs)
    for values, error in (
        ({"template_id": template}, InvalidInput),
        ({"template_id": template, "client_ids": tuple(clients), "standing": True}, InvalidInput),
        ({"template_id": foreign, "client_ids": tuple(clients)}, NotFound),
        ({"template_id": template, "cohort_id": _cohort(world, theirs, [])}, NotFound),
    ):
        with pytest.raises(error):
            _assign(world, admin, **values)


def test_a_cohort_of_nobody_ends_at_once(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    job = _assign(world, admin, template_id=world.template(organization), cohort_id=_cohort(world, organization, []))
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        assert uow.session.scalars(select(Job.state).where(Job.id == job)).one() == "done"


def test_the_pages_preview_run_and_undo(app: Flask, runtime: Runtime, world: World) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN)
    template = world.template(organization)
    clients = world.clients(organization, 3)
    browser = world.browser(app, admin)
    data = {"client": [str(c) for c in clients], "template": f"{template}:1", "started_on": "2026-09-07", "key": "x"}
    page = browser.post("/assignments/new", data={"client": data["client"]})
    assert "3 people" in page.text
    page = browser.post("/assignments/preview", data=data)
    assert page.status_code == 200
    assert "are given it" in page.text
    answer = browser.post("/assignments", data=data)
    again = browser.post("/assignments", data=data)
    assert answer.status_code == 302
    assert answer.location == again.location
    _work(runtime, organization)
    shown = browser.get(answer.location).text
    assert "Undo the job" in shown
    assert "<b>3</b> done" in shown
    assert "to do</li>" not in shown, "of a finished job nothing is left to do"
    assert browser.post(answer.location + "/undo").status_code == 302
    _work(runtime, organization)
    assert "undone" in browser.get(answer.location).text
    assert "Assign" in browser.get("/jobs").text
    assert browser.get(answer.location + "/progress").status_code == 200
    broken = browser.post("/assignments/preview", data=data | {"started_on": "soon"})
    assert broken.status_code == 422


def _recipe(term: str) -> dict[str, Any]:
    by_term = {"kind": "term", "term": term, "edge": "end", "offset_days": -7}
    return {
        "steps": {
            "ambition": {"guidance": "Look ahead.", "due": by_term},
            "goals": {"guidance": "Set goals.", "due": {"kind": "after_start", "days": 30}},
        }
    }


def _by_term(world: World, actor: access.Actor, term: str, *, rename: str = "") -> UUID:
    """A published template whose first step is due a week before the term's end; `rename` then takes the term away."""
    with world.runtime.database.unit_of_work(actor) as uow:
        made = save_term(uow, SaveTerm(name=term, starts_on=date(2026, 9, 7), ends_on=date(2026, 12, 18)))
        template = templates.create_template(uow, name=f"By {term}", content=_recipe(term))
        templates.publish_template(uow, template.id)
        if rename:
            save_term(
                uow,
                SaveTerm(
                    name=rename,
                    starts_on=date(2026, 9, 7),
                    ends_on=date(2026, 12, 18),
                    term_id=made.id,
                ),
            )
        return template.id


def test_a_step_is_due_by_its_term(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    template, clients = _by_term(world, admin, "Autumn 2026"), world.clients(organization, 2)
    _assign(world, admin, template_id=template, client_ids=tuple(clients))
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        due = select(PlanStep.step, PlanStep.due_on).where(PlanStep.status != "skipped").distinct()
        assert dict(map(tuple, uow.session.execute(due).all())) == {1: date(2026, 12, 11), 6: date(2026, 10, 7)}


def test_a_term_that_does_not_exist_is_refused_before_anything_happens(
    app: Flask, runtime: Runtime, world: World
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    organization = world.organization()
    person = world.person(organization, Role.ADMIN)
    clients = tuple(world.clients(organization, 2))
    with runtime.database.unit_of_work(person.actor) as uow:
        draft = templates.create_template(uow, name="Draft", content=_recipe("Nowhere 2031")).id
        with pytest.raises(InvalidInput, match=r"Step 1 .*Nowhere 2031.*Add the term in the settings") as caught:
            templates.publish_template(uow, draft)
        assert [problem.field for problem in caught.value.problems] == ["steps.ambition.due.term"]
        assert templates.versions_of(uow, draft)[0].state == "draft"
    gone = _by_term(world, person.actor, "Spring 2026", rename="Spring 2027")
    command = Assign(template_id=gone, version=1, started_on=START, client_ids=clients)
    for ask in (service.preview, service.assign):
        with pytest.raises(InvalidInput, match="Spring 2026"), runtime.database.unit_of_work(person.actor) as uow:
            ask(uow, command)
    browser = world.browser(app, person)
    answer = browser.post(f"/templates/{draft}/publish")
    assert answer.status_code == 422
    assert "Nowhere 2031" in answer.text
    data = {"client": [str(c) for c in clients], "template": f"{gone}:1", "started_on": "2026-09-07", "key": "x"}
    shown = browser.post("/assignments/preview", data=data)
    assert shown.status_code == 422
    assert "Spring 2026" in shown.text
    assert 'name="started_on"' in shown.text, "what was chosen is still in the form"
    assert browser.post("/assignments", data=data).status_code == 422
    with runtime.database.unit_of_work(person.actor) as uow:
        assert uow.session.execute(select(func.count()).select_from(Job)).scalar_one() == 0


def test_a_term_that_went_after_the_assignment_ends_its_job_at_once_with_the_sentence(
    app: Flask, runtime: Runtime, world: World
) -> None:
    organization = world.organization()
    person = world.person(organization, Role.ADMIN)
    template, clients = _by_term(world, person.actor, "Spring 2026"), tuple(world.clients(organization, 3))
    job_id = _assign(world, person.actor, template_id=template, client_ids=clients)
    with runtime.database.unit_of_work(person.actor) as uow:
        uow.session.execute(text("DELETE FROM terms"))
    with capture_logs() as logged:
        _work(runtime, organization)
    assert "job_batch_failed" not in [line["event"] for line in logged], "a traceback for what was expected"
    with runtime.database.unit_of_work(person.actor) as uow:
        job = uow.session.scalars(select(Job).where(Job.id == job_id)).one()
        assert (job.state, job.attempts) == ("failed", 0)
        assert str(job.error).startswith('Step 1 is due by the term "Spring 2026"')
    assert _items(runtime, job_id, organization) == {"failed": 3}
    page = world.browser(app, person).get(f"/jobs/{job_id}").text
    assert "which does not exist" in page
    assert "InvalidInput" not in page


def test_a_standing_assignment_waits_for_its_term_and_then_goes_on(runtime: Runtime, world: World) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    template, clients = _by_term(world, admin, "Spring 2026"), world.clients(organization, 2)
    cohort = _cohort(world, organization, [])
    _assign(world, admin, template_id=template, cohort_id=cohort, standing=True)
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.add_all(CohortMember(cohort_id=cohort, client_id=c, since=uow.now) for c in clients)
        uow.session.execute(text("UPDATE terms SET name = 'Spring 2027'"))
    for _ in range(3):
        follow_standing(runtime, organization)
        _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        assert uow.session.execute(select(func.count()).select_from(Job)).scalar_one() == 1
        uow.session.execute(text("UPDATE terms SET name = 'Spring 2026'"))
    follow_standing(runtime, organization)
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        assert uow.session.execute(text("SELECT count(*) FROM plans")).scalar_one() == 2


def test_a_later_member_who_could_not_be_given_a_plan_is_tried_again_after_a_day(
    runtime: Runtime, world: World, clock: Clock
) -> None:
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    cohort = _cohort(world, organization, [])
    _assign(world, admin, template_id=world.template(organization), cohort_id=cohort, standing=True)
    _work(runtime, organization)
    with runtime.database.unit_of_work(admin) as uow:
        uow.session.add(CohortMember(cohort_id=cohort, client_id=world.clients(organization, 1)[0], since=uow.now))

    def made() -> int:
        follow_standing(runtime, organization)
        with runtime.database.unit_of_work(admin) as uow:
            uow.session.execute(
                text("UPDATE job_items SET state = 'failed' WHERE state = 'pending'"),
            )
            uow.session.execute(text("UPDATE jobs SET state = 'failed', finished_at = :now"), {"now": uow.now})
            return uow.session.execute(select(func.count()).select_from(Job)).scalar_one()

    assert [made(), made(), made()] == [2, 2, 2]
    clock.now += timedelta(days=1, minutes=1)
    # The first job's end was moved along with the others, so only the time decides.
    assert made() == 3
