"""An installation with one of everything, for tests that open every page: long names, two organizations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from app.composition import JOB_KINDS, MESSAGE_KINDS
from app.domain import access
from app.domain.access import Permission, Role
from app.domain.outcomes import Destination
from app.domain.recurrence import Recurrence
from app.domain.rollouts import Choice
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.domain.template_content import content_as_json, parse_content
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.clients.commands import CreateLabel, DefineAttribute
from app.features.clients.labels import create_label, put_labels
from app.features.clients.roster_service import import_file
from app.features.clients.service import define_attribute
from app.features.cohorts.commands import ChangeMembers, CreateCohort
from app.features.cohorts.queries import list_cohorts
from app.features.cohorts.service import add_members, create_cohort
from app.features.extracts.commands import RunExtract, SaveExtract
from app.features.extracts.service import create_extract, run_extract
from app.features.figures.layer import Question
from app.features.identity.links import make_reset
from app.features.instruments.builtin import add_built_in
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.models import Assessment
from app.features.instruments.service import keep_sheet, load_definition
from app.features.instruments.sittings import begin_sitting
from app.features.jobs.runner import work
from app.features.messaging.inbox import put_notices
from app.features.messaging.kinds import UNSUBSCRIBE_PURPOSE, OwnWords
from app.features.messaging.models import SuppressedAddress
from app.features.messaging.webhook import save_webhook
from app.features.messaging.wordings import save_words, wordings_of
from app.features.models import metadata
from app.features.moves.commands import PlanMove
from app.features.moves.covers import plan_cover
from app.features.moves.service import plan_move
from app.features.organizations.commands import Invite, SaveTerm
from app.features.organizations.invitations import invite
from app.features.organizations.service import add_member
from app.features.organizations.settings import save_term
from app.features.organizations.tokens import CreateToken, create_token
from app.features.outcomes.commands import RecordOutcome, SetGraduation
from app.features.outcomes.file_service import import_file as import_outcomes
from app.features.outcomes.links import link_token
from app.features.outcomes.models import OutcomeLink
from app.features.outcomes.service import record_outcome, set_graduation
from app.features.plans.commands import SaveContent, SaveDraft
from app.features.plans.models import StepContent
from app.features.plans.service import save_content
from app.features.plans.templates import find_template, publish_template, save_draft, versions_of
from app.features.reports.cohort_service import report_figures
from app.features.reports.commands import CohortQuestion, ReportFigures
from app.features.reports.parts import Parts
from app.features.reviews.answers import Sheet
from app.features.reviews.commands import AcceptChanges, TakenChange
from app.features.reviews.decisions import accept_changes
from app.features.reviews.engine import make_due_prompts
from app.features.reviews.messages import LINK_PURPOSE
from app.features.reviews.models import Review
from app.features.reviews.service import start_review, submit_review, view_check_in
from app.features.rollouts.commands import RollOut
from app.features.rollouts.service import start_rollout
from app.features.schedules import contents
from app.features.schedules.commands import RunNow, SaveSchedule
from app.features.schedules.queries import members
from app.features.schedules.service import create_schedule, run_now
from app.features.schedules.settling import settle_ended
from app.features.scratches.commands import BeginScratch
from app.features.scratches.service import begin_scratch
from app.features.selections.commands import SaveFilter
from app.features.selections.filters import create_filter
from app.features.selections.lists import choose_listed, lines_of_text
from app.features.steps.registry import ROOMS
from app.features.triggers.commands import RecordEvent
from app.features.triggers.events import open_event, record_event
from app.infra.db.tenancy import GLOBAL_TABLES
from app.infra.links import make_token
from app.infra.runtime import Runtime
from app.infra.web.access import access_of
from tests.domain.instrument_maker import definition
from tests.factories import Person, World
from tests.plans.scenes import WRITTEN, Scene, make_scene
from tests.reviews.helpers import rows

# Names as long as real ones: a university's, a family's, an address that has no place to break.
HERE = "Harbour University Careers and Employability Service"
THERE = "Riverside Polytechnic of Applied Sciences and Arts"
LONG_EMAIL = "maximilian.featherstonehaugh-cholmondeley@students.harbour-university.example.org"


@dataclass(frozen=True)
class Everything:
    """People of each role (a visitor is nobody's), the ids of the organization's rows, and addresses with tokens."""

    people: dict[str, Person | None]
    ids: dict[str, list[UUID]]
    by_token: dict[str, str]


def make_everything(runtime: Runtime, folder: Path) -> Everything:
    """One of everything that a page can show, made by the use cases."""
    world = World(runtime)
    scene = make_scene(world, name=HERE)
    here = scene.organization
    there = world.organization(name=THERE)
    analyst = world.person(here, Role.ANALYST, "Ngozi Adichie-Featherstonehaugh")
    world.person(here, Role.COUNSELLOR, "Bartholomew Winterbottom-Fitzgerald")
    with runtime.database.unit_of_work(access.system(there)) as uow:
        add_member(uow, user_id=scene.admin.user_id, role=Role.ADMIN, name="Maja Berg", email=scene.admin.email)
    clients = _clients(world, here, scene.counsellor)
    _people_and_work(runtime, scene, clients, folder)
    _rooms(runtime, scene)
    _event(runtime, scene)
    _answered(world, scene)
    _graduates(runtime, scene, clients, folder)
    for_links = {"answers": _results(runtime, scene.client)} | _reviews(world, scene)
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        link = invite(uow, Invite(email="new.colleague@example.org", name="New Colleague", role=Role.ANALYST))
    with runtime.database.identity_session() as session:
        made = make_reset(session, analyst.email, runtime.clock())
    assert made is not None
    people: dict[str, Person | None] = {
        "admin": scene.admin,
        "counsellor": scene.counsellor,
        "analyst": analyst,
        "client": scene.client,
        "visitor": None,
    }
    return Everything(
        people,
        _ids(
            runtime,
            here,
            {
                scene.client.actor.client_id,
                scene.plan_id,
                *_cohort_reports(runtime, scene),
                *_sent(runtime, here),
            },
        ),
        for_links | {"link": link, "reset": made[1]},
    )


def _clients(world: World, here: UUID, counsellor: Person) -> list[UUID]:
    long = world.clients(
        here,
        1,
        given_name="Maximilian Alexander",
        family_name="Featherstonehaugh-Cholmondeley",
        email=LONG_EMAIL,
        external_id="HARBOUR-2026-0000000000000017",
        external_folded="harbour-2026-0000000000000017",
    )
    clients = long + world.clients(here, 6)
    world.caseload(counsellor, clients)
    return clients


def _people_and_work(runtime: Runtime, scene: Scene, clients: list[UUID], folder: Path) -> None:
    admin = scene.admin
    roster = folder / "people of the autumn intake.csv"
    roster.write_text("id,given name,family name,e-mail\nR1,Ada,Lovelace,ada@example.org\nR2,,,not-an-address\n")
    with runtime.database.unit_of_work(admin.actor) as uow:
        for label, kind, choices in (("Programme of study", "choice", ["Law", "Economics"]), ("Year", "number", [])):
            define_attribute(uow, DefineAttribute(label=label, kind=kind, choices=choices))
        save_term(uow, SaveTerm(name="Autumn semester", starts_on=date(2026, 9, 1), ends_on=date(2026, 12, 18)))
        cohort = create_cohort(uow, CreateCohort(name="Final year of engineering")).id
        add_members(uow, ChangeMembers(cohort_id=cohort, clients=clients[:6]))
        create_token(uow, CreateToken(name="Synchronisation with the registry", scopes=("read",)))
    _labels_and_filters(runtime, scene, clients)
    _own_reports(runtime, scene)
    _schedules(runtime, scene)
    given = Assign(template_id=scene.template_id, version=1, started_on=date(2026, 9, 7), client_ids=tuple(clients[:4]))
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        assign(uow, given)
    _second_version(runtime, scene)
    _handed_over(runtime, scene)
    import_file(runtime, admin.actor, roster)
    work(runtime, admin.actor.organization_id, JOB_KINDS, until=runtime.clock() + timedelta(minutes=2))
    settle_ended(runtime, admin.actor.organization_id)


def _second_version(runtime: Runtime, scene: Scene) -> None:
    """A second version of the template, rolled out to a part of the plans; some keep a day set by hand."""
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        latest = versions_of(uow, scene.template_id)[0]
        raw = content_as_json(parse_content(latest.content))
        raw["steps"]["opportunities"]["enabled"] = False
        raw["steps"]["goals"] |= {
            "guidance": raw["steps"]["goals"]["guidance"] + "\n\nWrite down how you will know that each is reached.",
            "due": {"kind": "after_start", "days": 120},
        }
        template = find_template(uow, scene.template_id)
        save_draft(
            uow,
            SaveDraft(template_id=template.id, name=template.name, description="", content=raw, over=latest.checksum),
        )
        publish_template(uow, template.id)
        uow.session.execute(text("UPDATE plan_steps SET due_on = DATE '2027-03-01' WHERE step = 6"))
        start_rollout(
            uow,
            RollOut(template_id=template.id, version=latest.version + 1, choice=Choice.ALL, percent=25),
        )


def _handed_over(runtime: Runtime, scene: Scene) -> None:
    """Cover for a counsellor who is away, and a handing over that was worked out."""
    source, receiver = scene.counsellor.actor.membership_id, scene.admin.actor.membership_id
    assert receiver is not None
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        days = {"first_on": uow.now.date() + timedelta(days=1), "last_on": uow.now.date() + timedelta(days=15)}
        for when in (days, {}):
            move = plan_move(uow, PlanMove(source_id=source, receiver_ids=(receiver,), **when))
            if when:
                plan_cover(uow, move.id)


def _graduates(runtime: Runtime, scene: Scene, clients: list[UUID], folder: Path) -> None:
    """A class of which something is known of some, and a file of outcomes with a bad row."""
    told = Destination(
        status="employed_full_time",
        known_on=date(2004, 9, 1),
        source="social_profile",
        employment="internship",
        employer="Harbour and Riverside Federation of Independent Applied Research Institutions",
        title="Junior Associate Research Administration Coordinator",
        place="Newcastle upon Tyne, United Kingdom of Great Britain and Northern Ireland",
        salary=31_500,
        currency="GBP",
    )
    file = folder / "outcomes of the class of 2004.csv"
    file.write_text("id,outcome,graduation date\nHARBOUR-2026-0000000000000017,happy,2004-06-20\nX,military,\n")
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        for client in clients:
            set_graduation(uow, SetGraduation(client_id=client, graduated_on=date(2004, 6, 20)))
        for client in clients[:2]:
            record_outcome(uow, RecordOutcome(client_id=client, class_year=2004, destination=told))
    import_outcomes(runtime, scene.admin.actor, file)
    work(runtime, scene.organization, JOB_KINDS, until=runtime.clock() + timedelta(minutes=2))


def _outcome_link(runtime: Runtime, here: UUID) -> str:
    """The token of a link by which a graduate says what became of them."""
    with runtime.database.unit_of_work(access.system(here)) as uow:
        client = uow.session.execute(text("SELECT client_id FROM graduations LIMIT 1")).scalar_one()
        link = OutcomeLink(client_id=client, class_year=2004, expires_at=uow.now + timedelta(days=60))
        uow.session.add(link)
        uow.session.flush()
        return link_token(runtime.settings, here, link.id)


def _labels_and_filters(runtime: Runtime, scene: Scene, clients: list[UUID]) -> None:
    """A label on some, a filter shared with everybody, and people chosen by a list that has lines of nobody."""
    late = {"all": [{"field": "@overdue", "is": "at_least", "values": [1]}, {"field": "@contact", "is": "is_empty"}]}
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        label = create_label(uow, CreateLabel(name="Scholarship of the Harbour Foundation", tone="brass", shared=True))
        put_labels(uow, label.id, [*clients[:3], scene.client.actor.client_id or clients[0]])
        create_filter(uow, SaveFilter(name="A step overdue and never met since the autumn", rule=late, shared=True))
    for person in (scene.admin, scene.counsellor):
        with runtime.database.unit_of_work(person.actor) as uow:
            lines = "HARBOUR-2026-0000000000000017\nNobody-here-0000000000000000001"
            choose_listed(uow, lines_of_text(lines), name="people of the autumn intake.csv")


def _own_reports(runtime: Runtime, scene: Scene) -> None:
    """A report that everybody may use, with a file that waits to be written."""
    asked = {
        "rows": "steps",
        "columns": ["client.external_id", "client.family_name", "step", "status", "due_on"],
        "rule": {"all": [{"field": "row.status", "is": "is", "values": ["in_progress"]}]},
    }
    for person in (scene.admin, scene.counsellor):
        with runtime.database.unit_of_work(person.actor) as uow:
            kept = create_extract(uow, SaveExtract(name="Steps under way this autumn", definition=asked, shared=True))
            run_extract(uow, RunExtract(extract_id=kept.id, form="xlsx", locale="en"))


def _cohort_reports(runtime: Runtime, scene: Scene) -> list[UUID]:
    """A cohort in figures as files, one asked for by the administrator and one by the counsellor. Returns the jobs."""
    jobs = []
    for person in (scene.admin, scene.counsellor):
        with runtime.database.unit_of_work(person.actor) as uow:
            question = CohortQuestion(list_cohorts(uow)[0].cohort.id, "organization")
            jobs.append(report_figures(uow, ReportFigures(question, "en")).id)
    work(runtime, scene.organization, JOB_KINDS, until=runtime.clock() + timedelta(minutes=2))
    return jobs


def _schedules(runtime: Runtime, scene: Scene) -> None:
    """A schedule of each who works here, for both, and a run of it: one has a file, one may not have it."""
    with runtime.database.unit_of_work(access.system(scene.organization)) as uow:
        working = tuple(members(uow))
    when = Recurrence(cadence="weekly", at=time(8), starts_on=date(2026, 9, 1), weekday=2)
    for person in (scene.admin, scene.counsellor):
        with runtime.database.unit_of_work(person.actor) as uow:
            rows = uow.session.execute(text("SELECT id FROM extracts WHERE shared LIMIT 1")).scalar_one()
            cohort = list_cohorts(uow)[0].cohort.id
            named: dict[str, Any] = {"recurrence": when, "form": "xlsx", "recipients": working}
            for command in (
                SaveSchedule(
                    name="Steps under way this autumn, each Wednesday", content=contents.extract(rows), **named
                ),
                SaveSchedule(name="Completed steps", content=contents.figures(Question("completed")), **named),
                SaveSchedule(name="The organization in figures", content=contents.aggregates(), **named),
                SaveSchedule(
                    name="Reports of everybody in it",
                    content=contents.clients_of_cohort(cohort, Parts(short=True)),
                    **named | {"form": contents.ZIP, "recipients": (*members(uow, Permission.REPORT_CLIENTS),)},
                ),
            ):
                kept = create_schedule(uow, command)
                run_now(uow, RunNow(schedule_id=kept.id, key="look"))


def _rooms(runtime: Runtime, scene: Scene) -> None:
    """Two ways and an action of the client's, and a copy of the plan that each of two tries changes on."""
    written: dict[StepKey, dict[str, Any]] = {
        StepKey.CAREER_PATH: {"paths": [{"id": "p1", "kind": "technical"}, {"id": "p2", "kind": "administration"}]},
        StepKey.ACTION_PLAN: {"actions": [{"id": "a1", "text": "Ask three analysts about their week", "kind": "work"}]},
    }
    with runtime.database.unit_of_work(scene.client.actor) as uow:
        for key, content in written.items():
            save_content(uow, SaveContent(plan_id=scene.plan_id, step=key, content=content, over=0), ROOMS[key])
    for person in (scene.client, scene.counsellor):
        with runtime.database.unit_of_work(person.actor) as uow:
            begin_scratch(uow, BeginScratch(plan_id=scene.plan_id, title="If the placement comes first"))


def _event(runtime: Runtime, scene: Scene) -> None:
    """An event outside that touches the client's way, with its review opened, so that pages say why."""
    event = RecordEvent(
        title="The county stops hiring analysts until the summer",
        words="No new posts before July. Look at your second choice, and at what you would do until then.",
        happened_on=date(2026, 9, 1),
        families=("15", "13"),
        actions=("work",),
    )
    with runtime.database.unit_of_work(scene.admin.actor) as uow:
        open_event(uow, record_event(uow, event).id)


def _results(runtime: Runtime, client: Person) -> str:
    """A loaded instrument with two takings of the client's, the built-in one begun; where a file of answers is."""
    here = client.actor.organization_id
    with runtime.database.unit_of_work(access.system(here)) as uow:
        loaded = load_definition(uow, LoadDefinition(raw=definition())).instrument_id
        built_in = add_built_in(uow, "interests").instrument_id
        for month in (6, 9):
            uow.session.add(
                Assessment(
                    client_id=client.actor.client_id,
                    instrument_id=loaded,
                    version=1,
                    taken_at=uow.now.replace(year=2026, month=month, day=3),
                    source="import",
                    source_key=f"look-{month}",
                    responses=[5, 3, 1],
                    scores=[8.0, 3.0],
                    answered=[2, 1],
                )
            )
    with runtime.database.unit_of_work(client.actor) as uow:
        begin_sitting(uow, built_in)
    with runtime.storage.writing(here, ".csv") as pending:
        pending.handle.write(b"id,a1,b1,a2\nS000001,1,2,3\nNobody-here-0000000000000000001,1,2,9\n")
    kept = pending.stored
    with runtime.database.unit_of_work(access.system(here)) as uow:
        sheet = keep_sheet(
            uow, name="answers of the autumn.csv", location=kept.location, size=kept.size, sha256=kept.sha256
        )
        return f"/instruments/{loaded}/answers/{sheet.id}"


def _decided(runtime: Runtime, scene: Scene) -> None:
    """A check-in of the client's own of which changes were taken, so that they read what came of it."""
    client_id = scene.client.actor.client_id
    assert client_id is not None
    with runtime.database.unit_of_work(access.review_link(scene.organization, client_id)) as uow:
        asked = Review(plan_id=scene.plan_id, occurrence_on=uow.now.date() - timedelta(days=30), state="started")
        uow.session.add(asked)
        uow.session.flush()
        sheet = view_check_in(uow, asked.id).sheet
        submit_review(uow, asked.id, _all_changed(sheet), sheet, plain)
        review, result = asked.id, asked.result or {}
    with runtime.database.unit_of_work(scene.counsellor.actor) as uow:
        changes = tuple(
            TakenChange(change["key"], "It came sooner than anybody had thought.", "partly")
            for change in result["changes"]
        )
        reopen = tuple(StepKey(row["step"]) for row in result["reopens"])
        accept_changes(uow, AcceptChanges(review_id=review, changes=changes, reopen=reopen), plain)


def _reviews(world: World, scene: Scene) -> dict[str, str]:
    """A client's own check-in, and links of prompts: one of a person who was asked by mail, one to end such mail."""
    client = scene.client
    runtime, here = world.runtime, client.actor.organization_id
    plan = world.plan(here, *world.clients(here, 1, given_name="Asked"))
    with runtime.database.unit_of_work(access.system(here)) as uow:
        uow.session.execute(
            text("UPDATE plans SET next_prompt_at = :now, next_review_on = :today WHERE id = :plan"),
            {"now": runtime.clock() - timedelta(hours=1), "today": runtime.clock().date(), "plan": plan},
        )
        uow.session.execute(
            text(
                "INSERT INTO review_pauses (client_id, kind, starts_on, ends_on, note) VALUES"
                " (NULL, 'holiday', :today + 90, :today + 99, 'The house is closed between the years'),"
                " (:client, 'exchange', :today + 20, :today + 140, 'A term at the University of Applied Sciences'),"
                " (:client, 'leave', :today + 200, NULL, '')"
            ),
            {"today": runtime.clock().date(), "client": client.actor.client_id},
        )
    _messages(runtime, here)
    make_due_prompts(runtime, here, until=runtime.clock() + timedelta(seconds=60))
    assert client.actor.client_id is not None
    _decided(runtime, scene)
    with runtime.database.unit_of_work(access.review_link(here, client.actor.client_id)) as uow:
        start_review(uow, client.actor.client_id)
    link = rows(runtime, here, "SELECT id FROM review_links LIMIT 1")[0].id
    message = rows(runtime, here, "SELECT id FROM messages WHERE kind = 'review_prompt' LIMIT 1")[0].id
    return {
        "check_in": make_token(runtime.settings, LINK_PURPOSE, here, link),
        "first_destination": _outcome_link(runtime, here),
        "unsubscribe": make_token(runtime.settings, UNSUBSCRIBE_PURPOSE, here, message),
    }


def _answered(world: World, scene: Scene) -> None:
    """A check-in of a person with a long name that was answered, with changes, and waits for the counsellor."""
    runtime, here = world.runtime, scene.organization
    (client,) = world.clients(here, 1, given_name="Maximiliane", family_name="Featherstonehaugh-Cholmondeley")
    world.caseload(scene.counsellor, [client])
    plan = world.plan(here, client)
    with runtime.database.unit_of_work(access.system(here)) as uow:
        for key, content in WRITTEN.items():
            uow.session.add(StepContent(plan_id=plan, step=key.number, content=ROOMS[key].read(content)))
        uow.session.execute(text("UPDATE plan_steps SET status = 'completed' WHERE plan_id = :p"), {"p": plan})
    with runtime.database.unit_of_work(access.review_link(here, client)) as uow:
        review = start_review(uow, client)
        sheet = view_check_in(uow, review).sheet
        submit_review(uow, review, _all_changed(sheet), sheet, plain)


def _all_changed(sheet: Sheet) -> dict[str, Any]:
    """Answers by which everything that is asked has changed."""
    return {
        "goals": {goal: -1 for goal, _ in sheet.goals},
        "factors": {factor: "stronger" for factor, _ in sheet.factors},
        "control": {},
        "new_factors": [{"text": "The county opens an office for figures", "kind": "opportunity"}],
        "confidence": 4,
        "steps": {step.value: "rethink" for step in sheet.steps},
        "why": "The thesis takes longer than I had planned.",
        "words": "Let us talk about the summer.",
    }


def _messages(runtime: Runtime, here: UUID) -> None:
    """A notice in everybody's inbox, own words for a mail, an address whose mail came back, and a webhook at rest."""
    with runtime.database.unit_of_work(access.system(here)) as uow:
        members = uow.session.execute(text("SELECT id FROM memberships")).scalars().all()
        told = {
            "dedupe_key": "look",
            "kind": "mail_bounced",
            "params": {"name": "Maximilian Alexander Featherstonehaugh-Cholmondeley"},
            "href": "/inbox",
        }
        put_notices(uow, [told | {"membership_id": member} for member in members])
        wording = wordings_of(MESSAGE_KINDS)["review_prompt"]
        save_words(uow, wording, "en", OwnWords("Time for {organization}", "Hello {given_name},\n\n{link}"))
        save_webhook(uow, runtime.settings, "https://registry.harbour-university.example.org/hooks/octant")
        uow.session.execute(text("UPDATE webhooks SET rest_until = :now"), {"now": uow.now})
        uow.session.add(
            SuppressedAddress(
                address=LONG_EMAIL.replace("students.", "people."), reason="came back: 5.1.1 no such user", bounced=True
            )
        )


def _sent(runtime: Runtime, here: UUID) -> set[UUID | None]:
    """Of each who works here a report that was sent to them, and a file of figures."""
    return {
        row.id
        for statement in (
            "SELECT DISTINCT ON (membership_id) id FROM schedule_runs WHERE state = 'sent'"
            " ORDER BY membership_id, report_job_id IS NULL, id",
            "SELECT DISTINCT ON (owner_id) id FROM figure_exports ORDER BY owner_id, id",
        )
        for row in rows(runtime, here, statement)
    }


def _ids(runtime: Runtime, here: UUID, first: set[UUID | None]) -> dict[str, list[UUID]]:
    """Some ids of each table; those in `first`, of whom most is known, before the others."""
    found: dict[str, list[UUID]] = {}
    with runtime.database.unit_of_work(access.system(here)) as uow:
        for table in metadata.tables.values():
            if table.name not in GLOBAL_TABLES and "id" in table.primary_key.columns:
                ids = uow.session.execute(text(f"SELECT id FROM {table.name} ORDER BY id LIMIT 99")).scalars()
                found[table.name] = sorted(ids, key=lambda some_id: some_id not in first)[:9]
    return found


def addresses(app: Flask, everything: Everything) -> dict[str, dict[str, str]]:
    """For each role the pages it can open: endpoint to address, with the first id that opens it.

    The endpoint of a step's page has the step's number behind it.
    """
    runtime: Runtime = app.extensions["octant"]
    world = World(runtime)
    found: dict[str, dict[str, str]] = {}
    for role, person in everything.people.items():
        browser = world.browser(app, person)
        found[role] = {}
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
            route = access_of(app, rule.endpoint)
            if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/api/", "/static")) or route is None:
                continue
            if (route.kind in ("public", "link")) != (person is None):
                continue
            for path in _tried(rule.rule, everything):
                answer = browser.get(path, buffered=True)
                if answer.status_code == 200 and answer.mimetype == "text/html" and "<main" in answer.text:
                    found[role][rule.endpoint] = path
                    break
        # An administrator's are the counsellor's.
        for endpoint in () if role == "admin" else ("plans.step", "overview.my_step"):
            if path := found[role].pop(endpoint, ""):
                found[role] |= {f"{endpoint} {n}": re.sub(r"\d+$", str(n), path) for n in range(1, 9)}
    return found


# Pages that ask for something first: what they ask of a cohort, and who may not see those.
_OF_COHORTS = {
    "/cohort-figures": ("against=organization", ""),
    "/schedules/new": ("what=clients", "figure=completed"),
}


def _tried(rule: str, everything: Everything) -> list[str]:
    by_token = everything.by_token
    if rule.endswith("/answers/<uuid:file_id>"):
        return [by_token["answers"]]
    if rule in _OF_COHORTS:
        of_cohort, other = _OF_COHORTS[rule]
        return [*(f"{rule}?{of_cohort}&cohort={some_id}" for some_id in everything.ids["cohorts"]), f"{rule}?{other}"]
    if rule in ("/reviews/prompt", "/reports/selected", "/assignments/new"):
        return [f"{rule}?client={some_id}" for some_id in everything.ids["clients"]]
    rule = rule.replace("<int:class_year>", "2004").replace("received_id>", "schedule_run_id>")
    path = re.sub(r"<int:\w+>", "4", re.sub(r"<any\((\w+)[^>]*>", r"\1", rule))
    # Few revisions are closed where there are eight steps.
    path = path.replace("/revisions/4", "/revisions/1")
    path = path.replace("/check-in/<token>", f"/check-in/{by_token['check_in']}")
    path = path.replace("/first-destination/<token>", f"/first-destination/{by_token['first_destination']}")
    path = path.replace("/unsubscribe/<token>", f"/unsubscribe/{by_token['unsubscribe']}")
    path = path.replace("/reset/<token>", f"/reset/{by_token['reset']}").replace("<link>", by_token["link"])
    path = (
        path.replace("<goal>", "g1")
        .replace("<action>", "a1")
        .replace("<path>", "p2")
        .replace("<code>", "15-2051.00")
        .replace("<scope>", "organization")
        .replace("<name>", "review_prompt")
    )
    named = re.search(r"<uuid:(\w+)_id>", path)
    if named is None:
        return [path] if "<" not in path else []
    if "<uuid:scratch_id>" in path:
        plans, copies = everything.ids["plans"][:1], everything.ids["plan_scratches"]
        pairs = [(plan, copy) for plan in plans for copy in copies]
        return [path.replace("<uuid:plan_id>", str(a)).replace("<uuid:scratch_id>", str(b)) for a, b in pairs]
    # The id of a template lies in plan_templates, that of an import in roster_imports or outcome_imports.
    ids = [some_id for table, found in everything.ids.items() if named[1] in table for some_id in found]
    return [re.sub(r"<[^>]+>", str(some_id), path) for some_id in ids]


__all__ = ["Everything", "addresses", "make_everything"]
