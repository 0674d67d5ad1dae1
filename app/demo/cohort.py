"""Phases that bring the people in: organizations, roster, cohorts, plans."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.composition import JOB_KINDS
from app.demo import answer_work
from app.demo.build import Build, DemoError, PastClock
from app.demo.people import CAMPUSES, CHINESE_PROGRAMMES, PROGRAMMES, write_chinese_roster, write_roster
from app.demo.places import HARBOUR, PUJIANG, make_place
from app.domain.access import Actor, Role
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.clients import roster_service
from app.features.clients.commands import AssignCounsellor, DefineAttribute
from app.features.clients.models import CaseloadEntry, Client, RosterImport
from app.features.clients.queries import attributes
from app.features.clients.service import assign_counsellor, define_attribute
from app.features.cohorts.commands import CreateCohort
from app.features.cohorts.models import Cohort
from app.features.cohorts.service import create_cohort
from app.features.instruments.builtin import add_built_ins
from app.features.jobs.runner import work
from app.features.plans.commands import SaveDraft
from app.features.plans.models import Plan, PlanTemplate
from app.features.plans.templates import create_default_template, publish_template, save_draft, versions_of
from app.infra.db.open import UnitOfWork
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime

COUNSELLORS = tuple(member.email for member in HARBOUR.members if member.role is Role.COUNSELLOR)
EVERYONE = "All current students"
FINAL_YEARS = "Final years"


def organizations(build: Build) -> dict[str, Any]:
    """Two organizations with members, settings and terms."""
    made = {}
    for place in (HARBOUR, PUJIANG):
        made[place.slug] = str(make_place(build.runtime, place, build.keep.password))
        build.check()
    return made


def workers(build: Build) -> dict[str, Any]:
    """Wait until the workers hear the broker, so that no main job's seconds hold their start."""
    build.wait_until(lambda: any(build.folder.glob("worker-bulk.alive")), "the workers to listen")
    return {}


def people(build: Build) -> dict[str, Any]:
    """A roster checked and taken by workers, as an administrator would; returns what its check counted."""
    admin = build.actor()
    with build.runtime.database.unit_of_work(admin) as uow:
        _define(uow, "programme", "Programme", "choice", PROGRAMMES)
        _define(uow, "year", "Year", "number")
        _define(uow, "campus", "Campus", "choice", CAMPUSES)
    path = build.inputs.roster
    if path is None:
        path = build.folder / "roster.csv"
        write_roster(path, people=build.keep.size, seed=build.keep.seed, counsellors=COUNSELLORS)
    counts = import_roster(build, admin, path)
    with build.runtime.database.unit_of_work(admin) as uow:
        for number, email in enumerate(COUNSELLORS):
            _share_out(uow, build.actor(email), number)
        active = uow.session.execute(select(func.count()).where(Client.active)).scalar_one()
    return {**counts, "clients": active}


def import_roster(build: Build, admin: Actor, path: Path, slug: str = "harbour") -> dict[str, int]:
    """Check a roster and take its good rows, both as jobs; returns the counts of the check."""
    import_id = roster_service.import_file(build.runtime, admin, path)
    roster = _roster(build, admin, import_id)
    build.wait_for_job(_known(roster.check_job_id), slug)
    roster = _roster(build, admin, import_id)
    if roster.refusal:
        raise DemoError(f"{path.name}: {roster.refusal}")
    counts = {key: value for key, value in roster.counts.items() if isinstance(value, int)}
    if counts["new"] + counts["changed"]:
        with build.runtime.database.unit_of_work(admin) as uow:
            job_id = roster_service.confirm_import(uow, import_id, yes=True).id
        build.wait_for_job(job_id, slug)
    return counts


def _roster(build: Build, admin: Actor, import_id: UUID) -> RosterImport:
    with build.runtime.database.unit_of_work(admin) as uow:
        return uow.session.scalars(select(RosterImport).where(RosterImport.id == import_id)).one()


def _known(job_id: UUID | None) -> UUID:
    if job_id is None:
        raise DemoError("The roster import has no job.")
    return job_id


def _define(uow: UnitOfWork, key: str, label: str, kind: str, choices: tuple[str, ...] = ()) -> None:
    if key not in {attribute.key for attribute in attributes(uow)}:
        define_attribute(uow, DefineAttribute(key=key, label=label, kind=kind, choices=choices))


def _share_out(uow: UnitOfWork, counsellor: Actor, number: int) -> None:
    """Give a counsellor their part of the clients whose roster named nobody."""
    if counsellor.membership_id is None:
        return
    left = (
        select(Client.id)
        .where(Client.active, ~select(CaseloadEntry).where(CaseloadEntry.client_id == Client.id).exists())
        .order_by(Client.external_id)
    )
    ids = uow.session.scalars(left).all()
    part = ids[:: len(COUNSELLORS) - number]
    if part:
        assign_counsellor(uow, AssignCounsellor(counsellor_id=counsellor.membership_id, clients=part))


def plans(build: Build) -> dict[str, Any]:
    """Cohorts by rule, and the eight-step template given to everyone, standing, by a job."""
    admin = build.actor()
    with build.runtime.database.unit_of_work(admin) as uow:
        everyone = _cohort(uow, EVERYONE, {"all": [{"field": "@active", "is": "is", "values": [True]}]})
        early: list[UUID] = []
        if build.inputs.roster is None:
            _cohort(uow, FINAL_YEARS, {"all": [{"field": "year", "is": "at_least", "values": [3]}]})
            early = [
                _cohort(uow, programme, {"all": [{"field": "programme", "is": "is", "values": [programme]}]})
                for programme in PROGRAMMES[:3]
            ]
        template_id, version = _template(uow, answer_work.load_questionnaires(build, uow))
        today = uow.now.date()
    for cohort in early[:2]:
        _give_earlier(build, _giving(template_id, version, cohort, today - timedelta(days=_EARLIER)))
    with build.runtime.database.unit_of_work(admin) as uow:
        given = _giving(template_id, version, everyone, today - timedelta(days=12), standing=True)
        job_id = assign(uow, given).id
    build.wait_for_job(job_id)
    with build.runtime.database.unit_of_work(admin) as uow:
        made = uow.session.execute(select(func.count()).where(Plan.status == "active")).scalar_one()
    return {"cohort": str(everyone), "template": str(template_id), "plans": made}


# Two programmes began a month earlier: their first steps are due, everybody else's are to come; and there are enough
# people in both months for figures by them with small groups withheld.
_EARLIER = 40


def _giving(template_id: UUID, version: int, cohort_id: UUID, on: date, *, standing: bool = False) -> Assign:
    return Assign(
        template_id=template_id,
        version=version,
        started_on=on,
        cohort_id=cohort_id,
        standing=standing,
        idempotency_key=f"demonstration-{cohort_id}",
    )


def _give_earlier(build: Build, given: Assign) -> None:
    """Give a template on the day it begins, by this process with its clock set back; a quicker worker may do it too."""
    clock = PastClock(build.runtime.clock, days=_EARLIER)
    runtime = make_runtime(build.runtime.settings, doorbell=SilentDoorbell(), clock=clock)
    try:
        with runtime.database.unit_of_work(build.actor()) as uow:
            job_id = assign(uow, given).id
        work(runtime, build.organization(), JOB_KINDS, until=clock() + timedelta(minutes=5))
    finally:
        runtime.database.dispose()
    build.wait_for_job(job_id)


def _cohort(uow: UnitOfWork, name: str, rule: dict[str, Any]) -> UUID:
    known = uow.session.scalars(select(Cohort.id).where(Cohort.name == name)).one_or_none()
    return known or create_cohort(uow, CreateCohort(name=name, rule=rule)).id


def _template(uow: UnitOfWork, asked: list[str]) -> tuple[UUID, int]:
    """The template of a new organization, and its second version, which asks for questionnaires."""
    template = uow.session.scalars(select(PlanTemplate)).first()
    if template is None:
        template = create_default_template(uow)
    latest = versions_of(uow, template.id)[0]
    if latest.version == 1:
        content = json.loads(json.dumps(latest.content))
        content["steps"]["self_assessment"]["instruments"] = asked
        command = SaveDraft(
            template_id=template.id,
            name=template.name,
            description="The eight steps, with the questionnaires that step 2 asks for.",
            content=content,
            over=latest.checksum,
        )
        save_draft(uow, command)
        latest = publish_template(uow, template.id)
    return template.id, latest.version


def second_organization(build: Build) -> dict[str, Any]:
    """A small cohort in the other language and time zone, with plans."""
    slug = PUJIANG.slug
    admin = build.actor("admin@pujiang.example.org", slug)
    with build.runtime.database.unit_of_work(admin) as uow:
        _define(uow, "programme", "专业", "choice", CHINESE_PROGRAMMES)
        _define(uow, "year", "年级", "number")
    path = build.folder / "roster-zh.csv"
    size = max(12, min(60, build.keep.size // 5))
    write_chinese_roster(path, people=size, seed=build.keep.seed, counsellor="counsellor@pujiang.example.org")
    import_roster(build, admin, path, slug)
    with build.runtime.database.unit_of_work(admin) as uow:
        add_built_ins(uow)
        everyone = _cohort(uow, "全体在读学生", {"all": [{"field": "@active", "is": "is", "values": [True]}]})
        template = uow.session.scalars(select(PlanTemplate)).first() or create_default_template(uow, language="zh")
        command = Assign(
            template_id=template.id,
            version=1,
            started_on=uow.now.date() - timedelta(days=20),
            cohort_id=everyone,
            standing=True,
            idempotency_key="demonstration",
        )
        job_id = assign(uow, command).id
    build.wait_for_job(job_id, slug)
    return {"clients": size}
