"""A phase in which some clients write and their counsellors answer, each through the use cases they would use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select, true

from app.demo import catalogue_work
from app.demo.answer_work import begin_one
from app.demo.build import Build, PastClock
from app.demo.cohort import COUNSELLORS
from app.demo.places import PUJIANG
from app.demo.room_work import choose_another, look_ahead, recommend_one, write_step
from app.demo.stories import CHINESE, CHINESE_REMARKS, Remarks, Story, story_of
from app.domain import access
from app.domain.access import Actor
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.clients.models import CaseloadEntry, Client
from app.features.clients.service import record_contact
from app.features.instruments.builtin import add_built_in
from app.features.instruments.models import Assessment
from app.features.organizations.invitations import accept_as_new, client_to_invite, invite
from app.features.plans import service
from app.features.plans.commands import AddComment, SetDueDate
from app.features.plans.models import Plan
from app.features.plans.queries import surroundings_of, view_plan
from app.features.plans.revisions import freeze_revision
from app.features.steps.registry import ROOMS
from app.infra.db.open import UnitOfWork
from app.infra.runtime import make_runtime


@dataclass(frozen=True, slots=True)
class _Client:
    id: UUID
    external_id: str
    name: str
    email: str
    programme: str
    plan_id: UUID
    membership_id: UUID | None


@dataclass(frozen=True, slots=True)
class Course:
    """How far somebody has come: steps accepted, then one submitted, returned, begun or skipped."""

    accepted: int
    then: str = ""
    comment: str = ""


_STEPS = tuple(StepKey)
# What writers are dealt, one after the other; every status and every list has somebody in it. Thirteen, so that each
# of three counsellors sees all of them.
_COURSES: tuple[Course, ...] = (
    Course(7, comment="A convincing plan. Let us look at it again together after the exams."),
    Course(5, "submitted", comment="I am not sure whether the second goal can be measured like this."),
    Course(3, "deciding", comment="You have all you need for the decision. Take your time, then write down why."),
    Course(1, "submitted"),
    Course(0, "begun"),
    Course(2, "begun", comment="Could we talk about the placement list next week?"),
    Course(0, "submitted"),
    Course(4, "skipped"),
    Course(6, "begun"),
    Course(3, "returned"),
    Course(2, "moved"),
    Course(4, "submitted"),
    Course(5, "changed"),
)
_FINISHED, _DECIDING = 0, 2
# So large a part of those who write chose before a newer release of the catalogue came; their choice says so.
_BEFORE_THE_RELEASE = 3
_BEFORE_THE_QUESTIONNAIRE: tuple[Course, ...] = (Course(1), Course(0, "submitted"), Course(0, "begun"))


@dataclass(frozen=True, slots=True)
class _Pair:
    """A client with their counsellor, both as they act, how far they come, and what they tell it with."""

    plan_id: UUID
    course: Course
    author: Actor
    counsellor: Actor
    story: Story
    remarks: Remarks
    turn: int


def write_plans(build: Build) -> dict[str, Any]:
    """Let some clients of the first organization work on their plans; returns how many wrote, and who is where."""
    counsellors = [build.actor(email) for email in COUNSELLORS]
    # Every course once for each counsellor, and no more: it is most of the time a first start takes.
    number = min(len(_COURSES) * len(COUNSELLORS), max(len(_COURSES), build.keep.size // 4))
    # Step 2 asks for the questionnaire, so those write who answered it. A file of answers may fit nobody.
    clients, courses = _clients(build, "harbour", number, answered=True), _COURSES
    if not clients:
        clients, courses = _clients(build, "harbour", number), _BEFORE_THE_QUESTIONNAIRE
    completed = 0
    moved = False
    for index, client in enumerate(clients):
        build.check()
        if index == len(clients) // _BEFORE_THE_RELEASE:
            moved = catalogue_work.bring_a_release(build)
        course = courses[index % len(courses)]
        counsellor = _counsellor_of(build, client, counsellors)
        author = _author(build, client, "harbour")
        story = story_of(client.programme, index)
        # Rounds of courses, so that not everybody of one course takes the same turns of a story.
        turn = index + index // len(_COURSES)
        pair = _Pair(client.plan_id, course, author, counsellor, story, Remarks(), turn)
        _follow(build, pair)
        completed += course.accepted
    _contacts(build, clients, counsellors)
    finished = clients[_FINISHED :: len(_COURSES)] if courses is _COURSES else []
    return {
        "clients": len(clients),
        "steps_completed": completed,
        "release": moved,
        "client_sign_in": clients[min(_DECIDING, len(clients) - 1)].email if clients else "",
        "finished_sign_in": finished[0].email if finished else "",
        "finished": [client.external_id for client in finished[::2]],
    }


def write_chinese_plans(build: Build) -> dict[str, Any]:
    """The same for a few clients of the second organization."""
    counsellor = build.actor("counsellor@pujiang.example.org", PUJIANG.slug)
    clients = _clients(build, PUJIANG.slug, 6)
    for client, index in zip(clients, (0, 1, 2, 3, 4, 7), strict=False):
        author = _author(build, client, PUJIANG.slug)
        _follow(build, _Pair(client.plan_id, _COURSES[index], author, counsellor, CHINESE, CHINESE_REMARKS, index))
    return {"clients": len(clients)}


def _clients(build: Build, slug: str, number: int, *, answered: bool = False) -> list[_Client]:
    """Clients with an address and a plan, in the order of their ids; `answered`: who answered a questionnaire."""
    taken = exists().where(Assessment.client_id == Client.id) if answered else true()
    with build.runtime.database.unit_of_work(access.system(build.organization(slug))) as uow:
        rows = uow.session.execute(
            select(Client, Plan.id)
            .join(Plan, Plan.client_id == Client.id)
            .where(Client.active, Client.email.is_not(None), Plan.status == "active", taken)
            .order_by(Client.external_id)
            .limit(number)
        ).all()
        return [
            _Client(
                id=client.id,
                external_id=client.external_id,
                name=client.name,
                email=str(client.email),
                programme=str(client.attributes.get("programme", "")),
                plan_id=plan_id,
                membership_id=client.membership_id,
            )
            for client, plan_id in rows
        ]


def _author(build: Build, client: _Client, slug: str) -> Actor:
    """The client as they act, with an account made by invitation as anybody's is."""
    if client.membership_id is None:
        admin = build.actor(f"admin@{slug}.example.org", slug)
        with build.runtime.database.unit_of_work(admin) as uow:
            link = invite(uow, client_to_invite(uow, client.id))
        accept_as_new(build.runtime, link, name=client.name, password=build.keep.password)
    return build.actor(client.email, slug)


def _counsellor_of(build: Build, client: _Client, counsellors: Sequence[Actor]) -> Actor:
    with build.runtime.database.unit_of_work(access.system(build.organization())) as uow:
        found = uow.session.scalars(
            select(CaseloadEntry.membership_id).where(
                CaseloadEntry.client_id == client.id, CaseloadEntry.kind == "primary"
            )
        ).one_or_none()
    return next((actor for actor in counsellors if actor.membership_id == found), build.actor())


def _follow(build: Build, pair: _Pair) -> None:
    """Client writes and hands in, counsellor answers, client thanks, changes their mind or looks ahead."""
    database, course, plan_id = build.runtime.database, pair.course, pair.plan_id
    with database.unit_of_work(pair.author) as uow:
        if view_plan(uow, plan_id).plan.touched_at is not None:
            return  # written before the last stop
        handed_in = _hand_in(uow, pair)
    with database.unit_of_work(pair.counsellor) as uow:
        _answer(uow, pair, handed_in)
    with database.unit_of_work(pair.author) as uow:
        if course.comment:
            body = pair.remarks.thanks
            service.add_comment(uow, AddComment(plan_id=plan_id, step=_talked_about(course), body=body))
        if course.then == "changed" and handed_in > StepKey.CAREER_CHOICE.number:
            choose_another(uow, plan_id, pair.remarks.second_thoughts)
        if course.accepted == _ALL_WRITTEN and handed_in == _ALL_WRITTEN:
            look_ahead(uow, plan_id, pair.remarks.what_if)


# Step 8 is answered by the link of a prompt.
_ALL_WRITTEN = 7


def _hand_in(uow: UnitOfWork, pair: _Pair) -> int:
    """Write the steps of the course and hand them in; returns how many were complete, and so are handed in."""
    course, plan_id = pair.course, pair.plan_id
    count = course.accepted + (course.then in ("submitted", "returned"))
    for done, step in enumerate(_STEPS[:count]):
        write_step(uow, plan_id, step, pair.story, pair.turn)
        view = view_plan(uow, plan_id)
        missing = ROOMS[step].missing(view.content(step), surroundings_of(uow, view, step), plain)
        if missing:
            return done
        service.submit_step(uow, plan_id, step, missing)
    if course.then in ("begun", "deciding"):
        step = _STEPS[course.accepted]
        write_step(uow, plan_id, step, pair.story, pair.turn, undecided=course.then == "deciding")
        if step is StepKey.SELF_ASSESSMENT:
            begin_one(uow, add_built_in(uow, "adaptability").instrument_id)
    return count


def _answer(uow: UnitOfWork, pair: _Pair, handed_in: int) -> None:
    course, plan_id, remarks = pair.course, pair.plan_id, pair.remarks
    accepted = min(course.accepted, handed_in)
    for step in _STEPS[:accepted]:
        service.complete_step(uow, plan_id, step)
    if accepted < course.accepted:
        return
    following = _STEPS[course.accepted]
    if course.then == "returned" and handed_in > accepted:
        service.return_step(uow, plan_id, following, remarks.returned)
    elif course.then == "deciding":
        recommend_one(uow, plan_id, remarks.recommended)
    elif course.then == "skipped":
        service.skip_step(uow, plan_id, following, remarks.skipped)
    elif course.then == "moved":
        later = uow.now.date() + timedelta(days=10)
        service.set_due_date(uow, SetDueDate(plan_id=plan_id, step=following, due_on=later))
    elif course.then == "changed":
        service.reopen_step(uow, plan_id, StepKey.CAREER_CHOICE, remarks.reopened)
    if course.comment:
        body = remarks.comment or course.comment
        service.add_comment(uow, AddComment(plan_id=plan_id, step=_talked_about(course), body=body))
    if course.accepted == _ALL_WRITTEN:
        freeze_revision(uow, view_plan(uow, plan_id).plan, remarks.round_done)


def _talked_about(course: Course) -> StepKey:
    return _STEPS[max(0, course.accepted - 1)]


def _contacts(build: Build, clients: Sequence[_Client], counsellors: Sequence[Actor]) -> None:
    """Note talks with clients over the last months; the clock of this runtime alone is set back for it."""
    clock = PastClock(build.runtime.clock)
    runtime = make_runtime(build.runtime.settings, doorbell=build.runtime.doorbell, clock=clock)
    for number, client in enumerate(clients):
        clock.days = (number * 13) % 95
        if number % 4 == 3:
            continue  # some were never met
        with runtime.database.unit_of_work(_counsellor_of(build, client, counsellors)) as uow:
            record_contact(uow, client.id)
    runtime.database.dispose()
