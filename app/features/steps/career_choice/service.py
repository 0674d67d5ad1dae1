"""Use cases of step 4: taking an occupation into the shortlist, and what a counsellor recommends in its place."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import FieldProblem, Forbidden, InvalidInput, NotFound
from app.domain.folding import fold
from app.domain.outlook import CODE
from app.domain.saying import Say, later, plain
from app.domain.steps import ActorKind, StepKey
from app.features.audit.service import record
from app.features.occupations import whole
from app.features.occupations.releases import current_release
from app.features.occupations.search import search
from app.features.plans.acting import lock_plan
from app.features.plans.commands import SaveContent
from app.features.plans.models import Plan, StepContent
from app.features.plans.policy import kind_of
from app.features.plans.queries import view_plan
from app.features.plans.rooms import Content, Room, Settling
from app.features.plans.service import note_event, put_content, save_by_button
from app.features.steps.career_choice.content import CareerChoice, missing, usual_criteria
from app.features.steps.career_choice.matches import read_matches, saved_match
from app.features.steps.career_choice.report import changes_block, report_section
from app.features.steps.career_choice.settle import keep_settled, settle_with
from app.features.steps.parts import MOST_LINE, MOST_ROWS
from app.infra.db.open import UnitOfWork

_KEY = StepKey.CAREER_CHOICE
ROOM = Room(_KEY, CareerChoice, missing, report_section, settle=keep_settled, changes=changes_block)
MOST_REASON = 2000
# Far below what content may hold, so that a client's own save is never refused for them.
MOST_RECOMMENDED = 30
Kind = Literal["recommended", "decided"]


@dataclass(frozen=True, slots=True)
class TakeOccupation:
    """Take an occupation of the current release, by its code, into the plan's shortlist."""

    plan_id: UUID
    code: str


@dataclass(frozen=True, slots=True)
class Recommend:
    """What a counsellor recommends, or holds as decided: a code, a title of the catalogue or own words, and why."""

    plan_id: UUID
    occupation: str
    reason: str
    kind: Kind = "recommended"


def take_occupation(uow: UnitOfWork, command: TakeOccupation, say: Say = plain) -> tuple[StepContent, bool]:
    """Add an occupation to the shortlist with what the match says of it now; the stored content, and whether it is new.

    One that is there already stays as it is. Raises NotFound for a code the current release does not have,
    InvalidInput when the shortlist is full, Conflict when the step was saved meanwhile or is not open.
    """
    view = view_plan(uow, command.plan_id)
    matches = read_matches(uow, view)
    title = whole.titles_of_all(uow, matches.release).get(command.code) if matches.release else None
    if matches.release is None or title is None:
        raise NotFound(say("There is no such occupation in the catalogue. Search for it by another name."))
    content = view.content(_KEY) or ROOM.empty()
    options = [row for row in content["options"] if row.get("name")]
    known = any(row.get("code") == command.code for row in options)
    if not known and len(options) >= MOST_ROWS:
        raise InvalidInput([FieldProblem("options", say("Your shortlist is full. Remove an option first."))])
    new = {"id": secrets.token_hex(4), "name": title, "code": command.code, "release": matches.release.key}
    taken = {new["id"]: saved_match(matches, command.code, uow.now.date())}
    criteria = content["criteria"] or usual_criteria(say)
    after = content | {"criteria": criteria, "options": options if known else [*options, new]}

    def settle_taken(before: Content, after: dict[str, Any], settling: Settling) -> dict[str, Any]:
        return settle_with(before, after, settling, taken=taken)

    saving = SaveContent(plan_id=command.plan_id, step=_KEY, content=after, over=view.version(_KEY))
    return save_by_button(uow, saving, replace(ROOM, settle=settle_taken), say), not known


def recommend(uow: UnitOfWork, command: Recommend, say: Say = plain) -> Mapping[str, Any]:
    """A counsellor of the plan records another occupation with a reason; the client reads both. Returns the row.

    It changes nothing the client wrote, and not the step's version: whoever types meanwhile is not disturbed. Raises
    Forbidden for one who does not work on plans, NotFound for a plan out of sight, InvalidInput without a reason.
    """
    plan, stored, rows = _theirs(uow, command.plan_id)
    name, code, release = _named(uow, command.occupation)
    problems = []
    if not name or len(name) > MOST_LINE:
        problems.append(FieldProblem("occupation", say("Name an occupation: a title or code, or your own words.")))
    reason = command.reason.strip()
    if not reason or len(reason) > MOST_REASON:
        said = later("Write why, in at most %(most)s characters; the %(client)s reads it.", most=MOST_REASON)
        problems.append(FieldProblem("reason", said))
    if len(rows) >= MOST_RECOMMENDED:
        problems.append(FieldProblem("occupation", say("Enough is recommended here. Talk it over instead.")))
    if problems:
        raise InvalidInput(problems)
    row = {
        "id": secrets.token_hex(4),
        "kind": command.kind,
        "name": name,
        "code": code,
        "release": release,
        "reason": reason,
        "by": str(uow.actor.membership_id),
        "by_name": uow.actor.name[:MOST_LINE],
        "on": uow.now.date().isoformat(),
        "withdrawn_on": None,
    }
    _keep(uow, plan, stored, [*rows, row])
    _tell(uow, plan, "recommended", row)
    return row


def withdraw_recommendation(uow: UnitOfWork, plan_id: UUID, recommendation: str, say: Say = plain) -> None:
    """A counsellor of the plan takes a recommendation back; it stays with the day. Raises NotFound as `recommend`."""
    plan, stored, rows = _theirs(uow, plan_id)
    row = next((row for row in rows if row["id"] == recommendation and not row["withdrawn_on"]), None)
    if row is None:
        raise NotFound(say("There is no such recommendation. Load the page again."))
    gone = row | {"withdrawn_on": uow.now.date().isoformat()}
    _keep(uow, plan, stored, [gone if each is row else each for each in rows])
    _tell(uow, plan, "recommendation_withdrawn", gone)


def _theirs(uow: UnitOfWork, plan_id: UUID) -> tuple[Plan, StepContent | None, list[dict[str, Any]]]:
    """The plan, locked, the step's content (None: nothing is written) and what was recommended so far."""
    if kind_of(uow.actor) is not ActorKind.COUNSELLOR or uow.actor.membership_id is None:
        raise Forbidden(later("Only the %(counsellor)s can recommend an occupation."))
    plan = lock_plan(uow, plan_id)
    stored = uow.session.scalars(
        select(StepContent)
        .where(StepContent.plan_id == plan_id, StepContent.step == _KEY.number)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return plan, stored, [dict(row) for row in (stored.content if stored else {}).get("recommendations", ())]


def _keep(uow: UnitOfWork, plan: Plan, stored: StepContent | None, rows: list[dict[str, Any]]) -> None:
    content = dict(stored.content if stored else ROOM.empty()) | {"recommendations": rows}
    put_content(uow, plan, _KEY, stored, content, empty=ROOM.empty(), typed=False)


def _named(uow: UnitOfWork, typed: str) -> tuple[str, str | None, str | None]:
    """Name, code and release of what was typed: a code or exact title of the current release, else own words."""
    typed = typed.strip()
    release = current_release(uow)
    if release is None or not typed:
        return typed, None, None
    if CODE.fullmatch(typed) and (title := whole.titles_of_all(uow, release).get(typed)):
        return title, typed, release.key
    hits = search(uow, typed, 1, release)
    if hits and hits[0].own and fold(hits[0].title) == fold(typed):
        return hits[0].title, hits[0].code, release.key
    return typed, None, None


def _tell(uow: UnitOfWork, plan: Plan, what: str, row: Mapping[str, Any]) -> None:
    note_event(uow, plan, _KEY, what, {"recommendation": row["id"], "reason": row["name"]})
    record(uow, f"choice.{what}", "plan", plan.id, recommendation=row["id"], kind=row["kind"], code=row["code"])
