"""The caseload's filter as a rule that can be kept, shared and given work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.rules import ACTIVE, ANY_STEP, ATTENTION, COHORT, CONTACT, COUNSELLOR, LABEL, REVIEW, SEARCH, STEPS
from app.features.overview.commands import CaseloadFilter, Why
from app.features.reviews.figures import SOON_DAYS

# The reasons of a row as rules call them.
ATTENTION_OF: Mapping[Why, str] = {
    Why.WAITING: "waiting",
    Why.ANSWERED: "answered",
    Why.ESCALATED: "unanswered",
    Why.OVERDUE: "overdue",
    Why.STALE: "stale",
    Why.NEVER_MET: "never_met",
    Why.SILENT: "silent",
}


def rule_of(wanted: CaseloadFilter, saved: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The filter as a rule (`app.domain.rules`): active people who meet all of it, whatever the order and the page.

    `saved` is the rule of the saved filter it narrows, whose conditions go first. Raises InvalidInput for one that asks
    for any of several conditions: together with others it is no longer one list of conditions.
    """
    made: list[dict[str, Any]] = [{"field": ACTIVE, "is": "is", "values": [True]}]
    if saved is not None:
        if "any" in saved:
            raise InvalidInput(
                [FieldProblem("name", "This filter asks for any of several conditions. Change it on its own page.")]
            )
        made = list(saved["all"])
    for condition in _conditions(wanted):
        if condition not in made:
            made.append(condition)
    return {"all": made}


def _conditions(wanted: CaseloadFilter) -> list[dict[str, Any]]:
    made = []

    def ask(field: str, operator: str, *values: Any) -> None:
        made.append({"field": field, "is": operator} | ({"values": list(values)} if values else {}))

    if wanted.search:
        ask(SEARCH, "holds", wanted.search)
    for field, some_id in ((COHORT, wanted.cohort_id), (COUNSELLOR, wanted.counsellor_id), (LABEL, wanted.label_id)):
        if some_id is not None:
            ask(field, "is", str(some_id))
    if wanted.why:
        ask(ATTENTION, "any_of", *(word for why, word in ATTENTION_OF.items() if wanted.why & why))
    if wanted.status is not None:
        ask(ANY_STEP if wanted.step is None else STEPS[wanted.step - 1], "is", wanted.status)
    if wanted.attribute is not None:
        ask(wanted.attribute[0], "is", wanted.attribute[1])
    if wanted.quiet_weeks is not None:
        ask(CONTACT, *(("weeks_ago", wanted.quiet_weeks) if wanted.quiet_weeks else ("is_empty",)))
    if wanted.review_soon:
        ask(REVIEW, "within_days", SOON_DAYS)
    return made
