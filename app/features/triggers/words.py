"""Triggers in words: the rules by name, and every reason as a sentence for staff.

What the client reads of the same is in `app.features.reviews.reasons`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.domain.saying import Say
from app.domain.triggers import Trigger
from app.features.plans.rooms import step_of
from app.features.plans.words import step_names
from app.features.reviews.reasons import DayWords, letters_words, moved_words


def rule_names(_: Say) -> dict[str, str]:
    """The rules and the event by their names."""
    return {
        Trigger.GOAL_MISSED: _("A goal was missed"),
        Trigger.STEP_OVERDUE: _("A step is overdue"),
        Trigger.ASSESSMENT_OLD: _("A questionnaire has grown old"),
        Trigger.INTERESTS_CHANGED: _("A leading interest changed reliably"),
        Trigger.MATCH_LEFT_BAND: _("The chosen occupation left its band of matches"),
        Trigger.ATTAINMENT_LOW: _("Goal attainment was low twice"),
        Trigger.CONFIDENCE_DOWN: _("Confidence fell reliably"),
        Trigger.FACTOR_CHANGED: _("A factor beyond control changed"),
        Trigger.CATALOGUE_MOVED: _("A new release moved an occupation"),
        Trigger.EXTERNAL_EVENT: _("An event outside"),
    }


def rule_hints(_: Say) -> dict[str, str]:
    """What each rule finds, in a sentence or two."""
    return {
        Trigger.GOAL_MISSED: _(
            "The day of a goal has passed, and it is neither reached nor given up nor rated as expected or better."
        ),
        Trigger.STEP_OVERDUE: _("A step that nobody has handed in is so many days past its due day."),
        Trigger.ASSESSMENT_OLD: _(
            "The newest answers to a questionnaire are older than so many months. Of several questionnaires on one "
            "thing the newest counts."
        ),
        Trigger.INTERESTS_CHANGED: _(
            "A first or second letter of the interests differs from the taking before by more than error explains "
            "(reliable change, 95 percent). Without a known error there is no verdict."
        ),
        Trigger.MATCH_LEFT_BAND: _(
            "The chosen occupation was among the first 20 or 50 matches when it was taken, and is not any more."
        ),
        Trigger.ATTAINMENT_LOW: _("Goal attainment T was below this figure on two days in a row; 50 is as expected."),
        Trigger.CONFIDENCE_DOWN: _(
            "Confidence (0 to 10) fell by at least so many points from one check-in to the next. From 100 such changes "
            "on the drop must also be larger than 95 percent of your own."
        ),
        Trigger.FACTOR_CHANGED: _(
            "A factor nobody controls was changed in step 3 since the last check-in: how likely, how strong, or gone."
        ),
        Trigger.CATALOGUE_MOVED: _(
            "Between the release a plan was made with and the current one an occupation's job zone is another, its "
            "interests are no longer alike, its growth moved by three points or its pay by this many percent, or it is "
            "gone."
        ),
    }


def number_words(_: Say) -> dict[str, str]:
    """What the number of a rule counts."""
    return {
        Trigger.STEP_OVERDUE: _("Days overdue"),
        Trigger.ASSESSMENT_OLD: _("Months"),
        Trigger.ATTAINMENT_LOW: _("T below"),
        Trigger.CONFIDENCE_DOWN: _("Points"),
        Trigger.CATALOGUE_MOVED: _("Percent of pay"),
    }


def reason(kind: str, evidence: Mapping[str, Any], _: Say, day: DayWords) -> str:
    """Why a plan is looked at again, as a sentence; `day` writes a day of the evidence in the reader's way."""
    try:
        return _SENTENCES[Trigger(kind)](evidence, _, day)
    except (KeyError, TypeError, ValueError):
        # Evidence of an older or newer Octant; the name of the rule still says what it was.
        return rule_names(_).get(kind, kind)


def _goal(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _("The goal “%(text)s” was due on %(day)s and is not reached.", text=seen["text"], day=day(seen["on"]))


def _step(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    name = step_names(_)[step_of(seen["step"])]
    return _("Step %(number)s, %(step)s, was due on %(day)s.", number=seen["step"], step=name, day=day(seen["on"]))


def _assessment(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "“%(title)s” was answered on %(day)s; answers that old may fit no longer.",
        title=seen["title"],
        day=day(seen["on"]),
    )


def _interests(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "Leading interests changed by more than error explains between %(since)s and %(day)s: %(letters)s.",
        since=day(seen["since"]),
        day=day(seen["on"]),
        letters=letters_words(seen["letters"], _),
    )


def _match(seen: Mapping[str, Any], _: Say, _day: DayWords) -> str:
    return _(
        "“%(title)s” was match number %(before)s when it was chosen, and is number %(after)s now.",
        title=seen["title"],
        before=seen["before"],
        after=seen["after"],
    )


def _attainment(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "Goal attainment was below %(mark)s twice in a row, the second time on %(day)s (T %(value)s).",
        mark=seen["mark"],
        day=day(seen["on"]),
        value=seen["value"],
    )


def _confidence(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _(
        "Confidence fell from %(before)s to %(after)s between %(since)s and %(day)s.",
        before=seen["before"],
        after=seen["after"],
        since=day(seen["since"]),
        day=day(seen["on"]),
    )


def _factor(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _("A factor beyond control changed on %(day)s: “%(text)s”.", text=seen["text"], day=day(seen["on"]))


def _catalogue(seen: Mapping[str, Any], _: Say, _day: DayWords) -> str:
    words = moved_words(_)
    return _(
        "The figures of “%(title)s” moved with the release %(release)s: %(what)s.",
        title=seen["title"],
        release=seen["release"],
        what=", ".join(words[one] for one in seen["what"]),
    )


def _event(seen: Mapping[str, Any], _: Say, day: DayWords) -> str:
    return _("%(title)s (%(day)s): %(words)s", title=seen["title"], day=day(seen["on"]), words=seen["words"])


_SENTENCES: Mapping[Trigger, Callable[[Mapping[str, Any], Say, DayWords], str]] = {
    Trigger.GOAL_MISSED: _goal,
    Trigger.STEP_OVERDUE: _step,
    Trigger.ASSESSMENT_OLD: _assessment,
    Trigger.INTERESTS_CHANGED: _interests,
    Trigger.MATCH_LEFT_BAND: _match,
    Trigger.ATTAINMENT_LOW: _attainment,
    Trigger.CONFIDENCE_DOWN: _confidence,
    Trigger.FACTOR_CHANGED: _factor,
    Trigger.CATALOGUE_MOVED: _catalogue,
    Trigger.EXTERNAL_EVENT: _event,
}
