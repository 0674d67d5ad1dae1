"""What each figure means, once: page, files and API say this beside it, and the counting does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.domain.environment import CONTROL
from app.domain.outcomes import AIMED_KNOWLEDGE, STATUSES
from app.domain.saying import later
from app.features.reviews.figures import ANSWER_DAYS

STALLED_DAYS = 30
# Goal attainment: the expected level of every goal comes to this (Kiresuk & Sherman 1968).
EXPECTED_T = 50
# The two that others are out of in the end: they count different people, who may be asked by different attributes.
PEOPLE, GRADUATES = "people", "graduates"
# The part of a first destination for those of whom nothing is known.
UNKNOWN = "unknown"
Parts = Literal["", "step", "control", "status", "scale"]
_PARTS: dict[Parts, tuple[str, ...]] = {
    "": ("all",),
    "step": tuple(str(n) for n in range(1, 9)),
    "control": CONTROL,
    "status": (*STATUSES, UNKNOWN),
    "scale": (),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure counts people of whom something is so, out of all with a plan, all graduates or another figure's people.

    `of` is the figure whose people it is out of. With `mean`, it is no count: the mean of something over exactly the
    people of figure `of`, with the interval in which the mean would lie in 95 of 100 such groups. `per` says what it
    has a part for: the eight steps ("1" to "8"), how far a change could be steered, what became of graduates, the
    scales of questionnaires (known when counted: `Answer.parts`), or one part, "all".
    """

    key: str
    name: str
    definition: str
    per: Parts = ""
    of: str = PEOPLE
    mean: bool = False
    # What the mean is of, as a column's heading.
    unit: str = ""

    @property
    def by_step(self) -> bool:
        """Whether it has a part for each step."""
        return self.per == "step"

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys of its parts; those that are known when counted only are not among them."""
        return _PARTS[self.per]


FIGURES = (
    Figure(
        PEOPLE,
        later("People with a plan"),
        later("People who are active and have an active plan. All other figures are of them."),
    ),
    Figure(
        "completed",
        later("Completed, by step"),
        later("People whose step is completed now; a skipped step is not completed."),
        per="step",
    ),
    Figure(
        "completed_before",
        later("Completed at the end of last term, by step"),
        later(
            "Of the same people those whose step was completed when the last term ended; nobody if no term has ended."
        ),
        per="step",
    ),
    Figure(
        "planned_before",
        later("Had begun by the end of last term"),
        later("Of the same people those whose plan had begun when the last term ended; nobody if no term has ended."),
    ),
    Figure(
        "finished",
        later("Whole plan done"),
        later("People all of whose eight steps are completed or skipped, at least one of them completed."),
    ),
    Figure(
        "days",
        later("Time in step"),
        later(
            "Days from the first work on a step (from the plan's first day, where none was noted) until it was"
            " completed last: the mean of all people whose step is completed now, and the interval that holds the mean"
            " in 95 of 100 such groups (mean ± t × standard deviation / √n, t for n − 1 degrees of freedom)."
        ),
        per="step",
        of="completed",
        mean=True,
        unit=later("Days"),
    ),
    Figure(
        "reopened",
        later("Dropped back, by step"),
        later("People whose step was completed once and is to be worked on again: it is not completed or skipped now."),
        per="step",
    ),
    Figure(
        "overdue",
        later("Overdue, by step"),
        later("People whose step is past its day and still theirs to work on: not handed in, completed or skipped."),
        per="step",
    ),
    Figure(
        "late",
        later("Anything overdue"),
        later("People with at least one overdue step, each counted once."),
    ),
    Figure(
        "stalled",
        later("Where people stall"),
        later(
            "People none of whose steps changed in the last %(days)s days, and whose plan did not begin in them,"
            " counted at the first step that is neither completed nor skipped.",
            days=STALLED_DAYS,
        ),
        per="step",
    ),
    Figure(
        "returned",
        later("Sent back, by step"),
        later("People whose step was returned to them and not handed in again yet."),
        per="step",
    ),
    Figure(
        "due",
        later("Reviews due"),
        later(
            "People with a review of their active plan whose %(days)s days to answer are over. Each is counted once,"
            " by the last of them; its quarter can be asked for.",
            days=ANSWER_DAYS,
        ),
    ),
    Figure(
        "answered",
        later("Reviews answered"),
        later("Of the people whose review was due: those who answered the last one, in time or later."),
        of="due",
    ),
    Figure(
        "in_time",
        later("Reviews answered in time"),
        later("Of the people who answered: those who did within %(days)s days of its day.", days=ANSWER_DAYS),
        of="answered",
    ),
    Figure(
        "changed",
        later("Why plans changed"),
        later(
            "People with a change that a check-in brought and that was taken into a new revision, by whether it could"
            " be steered. Somebody with changes of several kinds is counted at each."
        ),
        per="control",
    ),
    Figure(
        "scored",
        later("With a score, by scale"),
        later("People with a score on the scale; it is that of their newest taking of the questionnaire."),
        per="scale",
    ),
    Figure(
        "score",
        later("Mean score, by scale"),
        later(
            "The newest score of the people who have one: the mean, and the interval that holds it in 95 of 100 such"
            " groups (mean ± t × standard deviation / √n, t for n − 1 degrees of freedom)."
        ),
        per="scale",
        of="scored",
        mean=True,
        unit=later("Mean score"),
    ),
    Figure(
        "low",
        later("Low scores, by scale"),
        later(
            "Of the people with a score: those whose newest is in the lowest third of what the scale can have. The"
            " measure is the scale, not other people."
        ),
        per="scale",
        of="scored",
    ),
    Figure(
        "high",
        later("High scores, by scale"),
        later(
            "Of the people with a score: those whose newest is in the highest third of what the scale can have, of"
            " interests: strong ones. The measure is the scale, not other people."
        ),
        per="scale",
        of="scored",
    ),
    Figure(
        "measured",
        later("Measured twice, by scale"),
        later(
            "People who took the same version of a questionnaire at least twice, with a score on the scale each time."
        ),
        per="scale",
    ),
    Figure(
        "change",
        later("Change measured, by scale"),
        later(
            "The last score less the first, over the people measured twice: the mean difference, and the interval that"
            " holds it in 95 of 100 such groups (mean ± t × standard deviation of the differences / √n, t"
            " for n − 1). It says nothing of what brought the change about."
        ),
        per="scale",
        of="measured",
        mean=True,
        unit=later("Mean difference"),
    ),
    Figure(
        "beyond",
        later("Changed beyond error, by scale"),
        later(
            "Of the people measured twice: those whose scores differ by more than the error of measurement explains,"
            " 1.96 × √2 × its standard error, up or down (reliable change: Jacobson & Truax 1991, in the form of"
            " Christensen & Mendoza 1986). Scales whose error is not known are left out."
        ),
        per="scale",
        of="measured",
    ),
    Figure(
        "rated",
        later("Goals rated"),
        later("People at whose last answered check-in at least one goal with five described levels was rated."),
    ),
    Figure(
        "attained",
        later("Goals attained"),
        later(
            "Of the people with rated goals: those whose goals came to the expected level or better, T of %(expected)s"
            " or more (goal attainment scaling: Kiresuk & Sherman 1968).",
            expected=EXPECTED_T,
        ),
        of="rated",
    ),
    Figure(
        GRADUATES,
        later("Graduates"),
        later(
            "People who graduated, once in every class they graduated with; with a plan or without, still here or not."
            " All figures of first destinations are of them."
        ),
        of=GRADUATES,
    ),
    Figure(
        "known",
        later("Knowledge rate"),
        later(
            "Of all graduates: those of whom something is known, by 31 December of the year their class ends in; of"
            " each the newest. Aim at %(number)s percent or more.",
            number=round(100 * AIMED_KNOWLEDGE),
        ),
        of=GRADUATES,
    ),
    Figure(
        "outcome",
        later("First destinations, by status"),
        later("Of all graduates: what became of them, as far as it is known in time."),
        per="status",
        of=GRADUATES,
    ),
    Figure(
        "reached",
        later("Placed or still seeking"),
        later(
            "Of all graduates: those employed, in service, in the military, in further education or still seeking:"
            " whom the career outcomes rate is of."
        ),
        of=GRADUATES,
    ),
    Figure(
        "placed",
        later("Career outcomes rate"),
        later(
            "Of those placed or still seeking: those who are not still seeking. Who is not seeking, and of whom nothing"
            " is known, is not counted in it. Read it together with the knowledge rate."
        ),
        of="reached",
    ),
    Figure(
        "employed",
        later("At work"),
        later("Of those placed: the employed, full time or part time."),
        of="placed",
    ),
    Figure(
        "full_time",
        later("At work full time"),
        later("Of the employed: those employed full time."),
        of="employed",
    ),
    Figure(
        "paid",
        later("Salary known"),
        later("Of those employed full time: those whose salary is known."),
        of="full_time",
    ),
    Figure(
        "working",
        later("At work, with an occupation planned"),
        later(
            "Of the employed: those who work in a known occupation, and whose plan (the active one, else the last)"
            " names an occupation as chosen (step 4) or as the target of the way (step 5)."
        ),
        of="employed",
    ),
    Figure(
        "matched",
        later("Outcome matches the plan"),
        later("Of the people at work with an occupation planned: those who work in an occupation their plan names so."),
        of="working",
    ),
)
# What tells of the same people at the end of the last term.
BEFORE = {"completed": "completed_before", PEOPLE: "planned_before"}
BY_KEY = {figure.key: figure for figure in FIGURES}
WHOLES = (PEOPLE, GRADUATES)


def whole_of(figure: Figure) -> str:
    """Out of whom a figure is in the end: the key of the figure of all people with a plan, or of all graduates."""
    while figure.key not in WHOLES:
        figure = BY_KEY[figure.of]
    return figure.key


# The attributes beside the organization's own that have no word elsewhere.
BEGAN = {
    "": later("Quarter the plan began"),
    "_month": later("Month the plan began"),
    "_year": later("Year the plan began"),
    "_term": later("Term the plan began in"),
}
LAST_REVIEW = {
    "": later("Quarter of the last review"),
    "_month": later("Month of the last review"),
    "_year": later("Year of the last review"),
    "_term": later("Term of the last review"),
}
COHORTS = later("Cohort")
CLASS = later("Class")
