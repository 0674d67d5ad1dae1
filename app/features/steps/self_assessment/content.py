"""Step 2: what the client makes of the questionnaires taken."""

from __future__ import annotations

from datetime import timedelta

from app.domain.saying import Say
from app.features.plans.rooms import Content, Surroundings
from app.features.steps.parts import StrictSchema, long_text


class SelfAssessment(StrictSchema):
    """The client's reflections; the scores are assessments, kept beside the plan."""

    fits = long_text()
    surprises = long_text()
    adds = long_text()


def missing(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What is not yet there: assigned questionnaires not taken or too old, and a word on what fits."""
    said = []
    valid = timedelta(days=around.parameters.get("days_valid", 365))
    for key, title in around.instruments.items():
        taken = around.assessments.get(key)
        if taken is None:
            said.append(_("You have not answered the questionnaire “%(title)s” yet.", title=title))
        elif around.today is not None and around.today - taken[0] > valid:
            said.append(_("Your answers to “%(title)s” are old. Answer it again.", title=title))
    if not content.get("fits", "").strip():
        said.append(_("Write what fits you."))
    return said
