"""Who may move a step where, and when it is due."""

from datetime import date

import pytest

from app.domain.errors import Conflict, Forbidden, InvalidInput, OctantError
from app.domain.reading import Reader
from app.domain.steps import (
    ActorKind,
    AroundTerm,
    DaysAfterStart,
    StepAction,
    StepKey,
    StepStatus,
    allowed_actions,
    due_date,
    due_rule_as_json,
    read_due_rule,
    transition,
)
from app.domain.terms import Term

AUTUMN = Term("Autumn", date(2026, 9, 1), date(2026, 12, 18))
NEXT_AUTUMN = Term("Autumn", date(2027, 9, 1), date(2027, 12, 17))


def test_there_are_eight_steps_in_order() -> None:
    assert [step.value for step in sorted(StepKey, key=lambda step: step.number)] == [
        "ambition",
        "self_assessment",
        "opportunities",
        "career_choice",
        "career_path",
        "goals",
        "action_plan",
        "review",
    ]
    assert [StepKey.AMBITION.number, StepKey.REVIEW.number] == [1, 8]


# Written a second time, as a person would list it: status, what the client can do, what the counsellor can.
TABLE = {
    "not_started": ({"start": "in_progress", "save": "in_progress"}, {"skip": "skipped"}),
    "in_progress": (
        {"save": "in_progress", "submit": "submitted"},
        {"complete": "completed", "skip": "skipped"},
    ),
    "submitted": (
        {"withdraw": "in_progress"},
        {"return": "returned", "complete": "completed", "skip": "skipped"},
    ),
    "returned": (
        {"save": "in_progress", "submit": "submitted"},
        {"complete": "completed", "skip": "skipped"},
    ),
    "completed": ({}, {"reopen": "in_progress"}),
    "skipped": ({}, {"unskip": "not_started"}),
}


@pytest.mark.parametrize("action", StepAction)
@pytest.mark.parametrize("actor", ActorKind)
@pytest.mark.parametrize("status", StepStatus)
def test_every_combination_is_as_listed(status: StepStatus, actor: ActorKind, action: StepAction) -> None:
    expected = TABLE[status][actor is ActorKind.COUNSELLOR].get(action)
    assert (action in allowed_actions(status, actor)) == (expected is not None)
    if expected is not None:
        assert transition(status, action, actor, "because") == expected
    else:
        with pytest.raises(OctantError) as caught:
            transition(status, action, actor, "because")
        assert caught.value.sentence.endswith(".")


def test_refusals_say_what_happened_and_what_to_do() -> None:
    with pytest.raises(Forbidden, match="Ask your counsellor"):
        transition(StepStatus.SUBMITTED, StepAction.COMPLETE, ActorKind.CLIENT)
    with pytest.raises(Forbidden, match="Ask your client"):
        transition(StepStatus.IN_PROGRESS, StepAction.SUBMIT, ActorKind.COUNSELLOR)
    with pytest.raises(Conflict, match=r"completed, so it cannot be submitted.*while it is in progress or"):
        transition(StepStatus.COMPLETED, StepAction.SUBMIT, ActorKind.CLIENT)


@pytest.mark.parametrize("reason", [None, "", "  "])
@pytest.mark.parametrize("action", [StepAction.RETURN, StepAction.SKIP])
def test_returning_and_skipping_need_a_reason(action: StepAction, reason: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        transition(StepStatus.SUBMITTED, action, ActorKind.COUNSELLOR, reason)
    assert caught.value.field == "reason"


def test_due_days_follow_the_start_or_the_term() -> None:
    start = date(2026, 9, 20)
    assert due_date(DaysAfterStart(0), start) == start
    assert due_date(DaysAfterStart(14), start) == date(2026, 10, 4)
    terms = (NEXT_AUTUMN, AUTUMN)
    assert due_date(AroundTerm("Autumn", "end", -7), start, terms) == date(2026, 12, 11)
    assert due_date(AroundTerm("Autumn", "start", 3), start, terms) == date(2027, 9, 4)
    assert due_date(AroundTerm("Autumn", "start"), start, (AUTUMN,)) is None
    with pytest.raises(InvalidInput, match=r'no term "Spring".*settings'):
        due_date(AroundTerm("Spring", "end"), start, terms)


@pytest.mark.parametrize("rule", [DaysAfterStart(30), AroundTerm("Autumn", "start", -3), AroundTerm("A", "end")])
def test_a_due_rule_survives_json(rule: DaysAfterStart | AroundTerm) -> None:
    reader = Reader(due_rule_as_json(rule))
    assert read_due_rule(reader) == rule
    reader.finish()


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"kind": "soon"}, "kind"),
        ({"kind": "after_start", "days": -1}, "days"),
        ({"kind": "after_start", "days": 9999}, "days"),
        ({"kind": "after_start", "days": "7"}, "days"),
        ({"kind": "term", "edge": "end"}, "term"),
        ({"kind": "term", "term": "Autumn", "edge": "middle"}, "edge"),
        ({"kind": "term", "term": "Autumn", "edge": "end", "offset_days": 999}, "offset_days"),
        ({"kind": "term", "term": "Autumn", "edge": "end", "days": 3}, "days"),
    ],
)
def test_a_wrong_due_rule_names_its_field(raw: dict[str, object], field: str) -> None:
    reader = Reader(raw, "due")
    read_due_rule(reader)
    assert [problem.field for problem in reader.problems] == [f"due.{field}"]
