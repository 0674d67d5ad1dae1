"""What a filter may ask for, in the reader's language."""

from __future__ import annotations

from flask_babel import gettext

from app.domain.rules import (
    ANY_STEP,
    ATTENTION,
    COHORT,
    CONTACT,
    DUE,
    OVERDUE,
    PLAN,
    REVIEW,
    SEARCH,
    SILENT,
    STATUSES,
    STEPS,
    TEMPLATE,
)
from app.domain.steps import StepKey
from app.features.cohorts.forms import field_labels
from app.features.plans.words import step_names
from app.features.selections.queries import Words
from app.infra.web.words import status_words


def filter_words() -> Words:
    """Fields, statuses and reasons as pages call them."""
    names = step_names(gettext)
    steps = {
        step: gettext("Step %(number)s, %(name)s", number=number, name=names[key])
        for number, (step, key) in enumerate(zip(STEPS, StepKey, strict=True), start=1)
    }
    fields = field_labels() | steps
    fields |= {
        COHORT: gettext("Cohort"),
        PLAN: gettext("Has a plan"),
        TEMPLATE: gettext("Template"),
        ANY_STEP: gettext("Any step"),
        ATTENTION: gettext("Needs attention"),
        OVERDUE: gettext("Number of steps overdue"),
        DUE: gettext("A step is due"),
        REVIEW: gettext("Next review"),
        CONTACT: gettext("Last contact"),
        SILENT: gettext("The last sign of life"),
        SEARCH: gettext("Name, e-mail or id"),
    }
    said = status_words()
    return Words(fields, {status: said[status] for status in STATUSES}, attention_words())


def attention_words() -> dict[str, str]:
    """Why somebody wants attention, as the caseload says it."""
    return {
        "waiting": gettext("Waiting for you"),
        "answered": gettext("Check-in answered"),
        "unanswered": gettext("Prompt unanswered"),
        "overdue": gettext("Overdue"),
        "stale": gettext("Look again"),
        "never_met": gettext("Never met"),
        "silent": gettext("Silent"),
    }
