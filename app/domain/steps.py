"""The eight steps: their order, who may move them from status to status, and when they are due."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from app.domain.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from app.domain.reading import Reader
from app.domain.saying import Told, later, several
from app.domain.terms import Term, TermEdge

# Longer than any plan's round; it stops a slip of the key from giving dates in the next century.
MOST_DAYS = 3660


class StepKey(StrEnum):
    """The steps in their order."""

    AMBITION = "ambition"
    SELF_ASSESSMENT = "self_assessment"
    OPPORTUNITIES = "opportunities"
    CAREER_CHOICE = "career_choice"
    CAREER_PATH = "career_path"
    GOALS = "goals"
    ACTION_PLAN = "action_plan"
    REVIEW = "review"

    @property
    def number(self) -> int:
        """The number of the step, 1 to 8."""
        return list(StepKey).index(self) + 1


class StepStatus(StrEnum):
    """Where a step stands."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    COMPLETED = "completed"
    SKIPPED = "skipped"


class ActorKind(StrEnum):
    """On whose behalf a step is moved; an administrator moves steps as a counsellor does."""

    CLIENT = "client"
    COUNSELLOR = "counsellor"


class StepAction(StrEnum):
    """What may be done to a step."""

    START = "start"
    SAVE = "save"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    RETURN = "return"
    COMPLETE = "complete"
    REOPEN = "reopen"
    SKIP = "skip"
    UNSKIP = "unskip"


_ALLOWED: Mapping[ActorKind, Mapping[StepAction, Mapping[StepStatus, StepStatus]]] = {
    ActorKind.CLIENT: {
        StepAction.START: {StepStatus.NOT_STARTED: StepStatus.IN_PROGRESS},
        StepAction.SAVE: {
            StepStatus.NOT_STARTED: StepStatus.IN_PROGRESS,
            StepStatus.IN_PROGRESS: StepStatus.IN_PROGRESS,
            StepStatus.RETURNED: StepStatus.IN_PROGRESS,
        },
        StepAction.SUBMIT: {
            StepStatus.IN_PROGRESS: StepStatus.SUBMITTED,
            StepStatus.RETURNED: StepStatus.SUBMITTED,
        },
        StepAction.WITHDRAW: {StepStatus.SUBMITTED: StepStatus.IN_PROGRESS},
    },
    ActorKind.COUNSELLOR: {
        StepAction.RETURN: {StepStatus.SUBMITTED: StepStatus.RETURNED},
        StepAction.COMPLETE: {
            StepStatus.IN_PROGRESS: StepStatus.COMPLETED,
            StepStatus.SUBMITTED: StepStatus.COMPLETED,
            StepStatus.RETURNED: StepStatus.COMPLETED,
        },
        StepAction.REOPEN: {StepStatus.COMPLETED: StepStatus.IN_PROGRESS},
        StepAction.SKIP: {
            StepStatus.NOT_STARTED: StepStatus.SKIPPED,
            StepStatus.IN_PROGRESS: StepStatus.SKIPPED,
            StepStatus.SUBMITTED: StepStatus.SKIPPED,
            StepStatus.RETURNED: StepStatus.SKIPPED,
        },
        # Saving anything moves the step on to in_progress by itself.
        StepAction.UNSKIP: {StepStatus.SKIPPED: StepStatus.NOT_STARTED},
    },
}
# Those in which a step is the client's to write in.
OPEN_STATUSES: Final = tuple(status.value for status in _ALLOWED[ActorKind.CLIENT][StepAction.SAVE])
_NEEDS_REASON: Mapping[StepAction, str] = {
    StepAction.RETURN: later("Write why the step is returned; the %(client)s reads it."),
    StepAction.SKIP: later("Write why the step is skipped; the %(client)s reads it."),
}
_STATUS_WORDS: Mapping[StepStatus, str] = {
    StepStatus.NOT_STARTED: later("not started"),
    StepStatus.IN_PROGRESS: later("in progress"),
    StepStatus.SUBMITTED: later("submitted and waiting for the %(counsellor)s"),
    StepStatus.RETURNED: later("returned to the %(client)s"),
    StepStatus.COMPLETED: later("completed"),
    StepStatus.SKIPPED: later("skipped"),
}
# A sentence each: other languages do not say what is done and what was done with one word.
_NOT_NOW: Mapping[StepAction, str] = {
    StepAction.START: later("The step is %(status)s, so it cannot be started."),
    StepAction.SAVE: later("The step is %(status)s, so it cannot be changed."),
    StepAction.SUBMIT: later("The step is %(status)s, so it cannot be submitted."),
    StepAction.WITHDRAW: later("The step is %(status)s, so it cannot be withdrawn."),
    StepAction.RETURN: later("The step is %(status)s, so it cannot be returned."),
    StepAction.COMPLETE: later("The step is %(status)s, so it cannot be completed."),
    StepAction.REOPEN: later("The step is %(status)s, so it cannot be reopened."),
    StepAction.SKIP: later("The step is %(status)s, so it cannot be skipped."),
    StepAction.UNSKIP: later("The step is %(status)s, so it cannot be taken up again."),
}


def transition(status: StepStatus, action: StepAction, actor: ActorKind, reason: str | None = None) -> StepStatus:
    """The status after an action.

    Raises `Forbidden` when this actor never does this, `Conflict` when the step's status does not allow it
    now, and `InvalidInput` when returning or skipping lacks its reason.
    """
    actions = _ALLOWED[actor]
    if action not in actions:
        if actor is ActorKind.CLIENT:
            raise Forbidden(
                later("Only the %(counsellor)s can do this, so the step was left as it is. Ask your %(counsellor)s.")
            )
        raise Forbidden(later("Only the %(client)s can do this, so the step was left as it is. Ask your %(client)s."))
    following = actions[action].get(status)
    if following is None:
        raise Conflict(
            several(
                (
                    Told(_NOT_NOW[action], {"status": _STATUS_WORDS[status]}),
                    later("That is possible while it is %(status)s.", status=_either(actions[action])),
                    later("Load the page again to see its present state."),
                )
            )
        )
    if action in _NEEDS_REASON and not (reason and reason.strip()):
        raise InvalidInput([FieldProblem("reason", _NEEDS_REASON[action])])
    return following


def _either(statuses: Iterable[StepStatus]) -> str:
    first, *others = (_STATUS_WORDS[status] for status in statuses)
    for other in others:
        first = later("%(first)s or %(second)s", first=first, second=other)
    return first


def allowed_actions(status: StepStatus, actor: ActorKind) -> tuple[StepAction, ...]:
    """What this actor can do to a step of this status, for buttons and bulk previews."""
    return tuple(action for action, moves in _ALLOWED[actor].items() if status in moves)


@dataclass(frozen=True, slots=True)
class DaysAfterStart:
    """Due so many days after the plan's start, 0 to 3660 (`InvalidInput` otherwise); 0 is the same day."""

    days: int

    def __post_init__(self) -> None:
        if not 0 <= self.days <= MOST_DAYS:
            raise InvalidInput(
                [
                    FieldProblem(
                        "days",
                        later(
                            "%(days)s days is not possible. Choose 0 to %(most)s.",
                            days=self.days,
                            most=MOST_DAYS,
                        ),
                    )
                ]
            )


@dataclass(frozen=True, slots=True)
class AroundTerm:
    """Due at a named term's start or end, shifted by days (negative: before), at most a year either way."""

    term: str
    edge: TermEdge
    offset_days: int = 0

    def __post_init__(self) -> None:
        if abs(self.offset_days) > 366:
            raise InvalidInput(
                [FieldProblem("offset_days", "The shift is longer than a year. Choose -366 to 366 days.")]
            )


DueRule = DaysAfterStart | AroundTerm


def due_date(rule: DueRule, started_on: date, terms: Sequence[Term] = ()) -> date | None:
    """The day a step is due, given the plan's first day and the organization's terms.

    Where several terms share the name, the first that is not over counts. None when the day had passed
    before the plan started. Raises `InvalidInput` when no term has the name.
    """
    if isinstance(rule, DaysAfterStart):
        return started_on + timedelta(days=rule.days)
    shift = timedelta(days=rule.offset_days)
    days = [term.edge(rule.edge) + shift for term in terms if term.name == rule.term]
    if not days:
        raise InvalidInput(
            [
                FieldProblem(
                    "term",
                    later(
                        'There is no term "%(term)s". Add it in the settings or change the template.', term=rule.term
                    ),
                )
            ]
        )
    return min((day for day in days if day >= started_on), default=None)


def read_due_rule(reader: Reader) -> DueRule | None:
    """The rule written in a plain JSON object; problems are noted in the reader, and then it is None."""
    known = len(reader.problems)
    kind = reader.choice("kind", ("after_start", "term"))
    if len(reader.problems) > known:
        return None
    if kind == "after_start":
        reader.only(("kind", "days"))
        days = reader.whole("days")
        return reader.attempt("", lambda: DaysAfterStart(days))
    reader.only(("kind", "term", "edge", "offset_days"))
    term = reader.text("term")
    edge: TermEdge = "start" if reader.choice("edge", ("start", "end")) == "start" else "end"
    offset = reader.whole("offset_days", 0)
    return reader.attempt("", lambda: AroundTerm(term, edge, offset))


def due_rule_as_json(rule: DueRule) -> dict[str, Any]:
    """A plain JSON object from which `read_due_rule` makes the same rule again."""
    if isinstance(rule, DaysAfterStart):
        return {"kind": "after_start", "days": rule.days}
    return {"kind": "term", "term": rule.term, "edge": rule.edge, "offset_days": rule.offset_days}
