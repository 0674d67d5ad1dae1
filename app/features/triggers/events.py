"""Events outside that an administrator records: what they touch, the reviews opened for them, taking them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from app.domain.errors import Conflict, FieldProblem, InvalidInput, NotFound
from app.domain.outlook import CODE
from app.domain.reading import check_day
from app.domain.saying import later
from app.features.audit.service import record
from app.features.cohorts.queries import get_cohort
from app.features.occupations.families import FAMILIES
from app.features.occupations.releases import current_release
from app.features.occupations.whole import titles_of_all
from app.features.reviews.schedule import schedule_plans
from app.features.steps.action_plan.content import KINDS as ACTIONS
from app.features.steps.career_path.content import KINDS as PATHS
from app.features.triggers.commands import RecordEvent
from app.features.triggers.models import ExternalEvent
from app.features.triggers.rules import settings_of
from app.features.triggers.service import find_for_event, open_waiting
from app.infra.db.open import UnitOfWork

MOST_TITLE, MOST_WORDS, MOST_CODES = 200, 2000, 200

_DROP = text("DELETE FROM trigger_findings WHERE event_id = :event AND review_id IS NULL RETURNING plan_id")
# A prompt that is being made for one of them is waited for, and then seen.
_HOLD = text(
    "SELECT 1 FROM plans WHERE id IN (SELECT f.plan_id FROM trigger_findings f JOIN reviews r ON r.id = f.review_id"
    " WHERE f.event_id = :event AND f.opened_on IS NOT NULL AND r.state = 'open') ORDER BY id FOR UPDATE"
)
# It goes whole, so that the calendar counts on as if it had never been. Who was told of it, or has begun it, keeps it,
# and so does who is asked for another reason too.
_TAKE_BACK = text(
    """
    DELETE FROM reviews r
    WHERE r.state = 'open'
      AND EXISTS (SELECT 1 FROM trigger_findings f
                  WHERE f.review_id = r.id AND f.event_id = :event AND f.opened_on IS NOT NULL)
      AND NOT EXISTS (SELECT 1 FROM trigger_findings f
                      WHERE f.review_id = r.id AND f.event_id IS DISTINCT FROM :event)
      AND NOT EXISTS (SELECT 1 FROM prompts p WHERE p.review_id = r.id)
    RETURNING r.plan_id
    """
)
_STAY = text(
    "SELECT count(DISTINCT r.id) FROM trigger_findings f JOIN reviews r ON r.id = f.review_id"
    " WHERE f.event_id = :event AND r.state IN ('open', 'started')"
)
_UNSCHEDULE = text(
    "UPDATE plans SET next_review_on = NULL, next_prompt_at = NULL, next_reminder = 0 WHERE id = ANY(:plans)"
)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What taking an event back did: plans that waited, reviews taken back, reviews that go on."""

    waited: int
    taken_back: int
    stay: int


def record_event(uow: UnitOfWork, command: RecordEvent) -> ExternalEvent:
    """Keep an event; nothing opens before `open_event`. Raises InvalidInput naming each field, or NotFound (cohort)."""
    _check(uow, command)
    event = ExternalEvent(
        title=command.title.strip(),
        words=command.words.strip(),
        happened_on=command.happened_on,
        occupations=_once(command.occupations),
        families=_once(command.families),
        paths=_once(command.paths),
        actions=_once(command.actions),
        cohort_id=command.cohort_id,
        reach=command.reach,
        created_by=uow.actor.membership_id,
        created_at=uow.now,
    )
    uow.session.add(event)
    uow.session.flush()
    record(uow, "event.recorded", "event", event.id)
    return event


def find_event(uow: UnitOfWork, event_id: UUID, *, lock: bool = False) -> ExternalEvent:
    """One event; raises NotFound."""
    statement = select(ExternalEvent).where(ExternalEvent.id == event_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found = uow.session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such event.")
    return found


def open_event(uow: UnitOfWork, event_id: UUID) -> tuple[int, int]:
    """Open reviews of the plans the event touches now, as many as may open today; the others wait in their order.

    Returns how many plans were found that were not before, and how many reviews were opened in all. May be repeated:
    plans that have come to rest on it since are found, nobody twice. Raises NotFound, Conflict once it is withdrawn.
    """
    event = find_event(uow, event_id, lock=True)
    if event.withdrawn_at is not None:
        raise Conflict("This event was withdrawn. Record it anew to open reviews for it.")
    event.opened_at = event.opened_at or uow.now
    uow.session.flush()
    found = find_for_event(uow, event)
    _, opened = open_waiting(uow)
    record(uow, "event.opened", "event", event.id, plans=found)
    return found, opened


def withdraw_event(uow: UnitOfWork, event_id: UUID) -> Withdrawn:
    """Take an event back: what waits for it goes, and so does a review nobody was told of yet. Raises NotFound.

    Withdrawing it once more changes nothing.
    """
    event = find_event(uow, event_id, lock=True)
    values = {"event": event.id}
    event.withdrawn_at = event.withdrawn_at or uow.now
    uow.session.flush()
    # As a look does, so that no review is opened for it meanwhile.
    settings_of(uow, lock=True)
    uow.session.execute(_HOLD, values)
    waited = len(uow.session.execute(_DROP, values).all())
    plans = list(uow.session.execute(_TAKE_BACK, values).scalars())
    if plans:
        uow.session.execute(_UNSCHEDULE, {"plans": plans})
        schedule_plans(uow, plans)
    stay = uow.session.execute(_STAY, values).scalar_one()
    record(uow, "event.withdrawn", "event", event.id, plans=waited + len(plans))
    return Withdrawn(waited, len(plans), stay)


def _check(uow: UnitOfWork, command: RecordEvent) -> None:
    problems = [
        FieldProblem(field, later("Write between %(least)s and %(most)s characters.", least=1, most=most))
        for field, value, most in (("title", command.title, MOST_TITLE), ("words", command.words, MOST_WORDS))
        if not 0 < len(value.strip()) <= most
    ]
    problems += check_day("happened_on", command.happened_on)
    release = current_release(uow)
    known = titles_of_all(uow, release) if release is not None else {}
    problems += _unknown("occupations", command.occupations, lambda code: bool(CODE.fullmatch(code)) and code in known)
    problems += _unknown("families", command.families, FAMILIES.__contains__)
    problems += _unknown("paths", command.paths, PATHS.__contains__)
    problems += _unknown("actions", command.actions, ACTIONS.__contains__)
    if command.reach not in ("any", "chosen"):
        problems.append(FieldProblem("reach", later("Choose one of: %(kinds)s.", kinds="any, chosen")))
    if command.cohort_id is not None:
        get_cohort(uow, command.cohort_id)
    elif not (command.occupations or command.families or command.paths or command.actions):
        problems.append(FieldProblem("occupations", later("Say what the event touches: name at least one thing.")))
    if problems:
        raise InvalidInput(problems)


def _unknown(field: str, given: tuple[str, ...], is_known: Callable[[str], bool]) -> list[FieldProblem]:
    if len(given) > MOST_CODES:
        return [FieldProblem(field, later("Name at most %(most)s.", most=MOST_CODES))]
    unknown = [value for value in given if not is_known(value)]
    if not unknown:
        return []
    return [FieldProblem(field, later("These are not known here: %(values)s.", values=", ".join(unknown[:5])))]


def _once(values: Iterable[str]) -> list[str]:
    return sorted(set(values))
