"""Figures and groups in the reader's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from app.domain.saying import Say, say_sentence
from app.domain.steps import StepKey
from app.domain.wording import first_large
from app.features.figures import definitions
from app.features.figures.definitions import BY_KEY, PEOPLE, UNKNOWN, WHOLES
from app.features.figures.kinds import CLASS, COHORT, COUNSELLOR, REVIEWED, STARTED, Attribute
from app.features.figures.layer import Answer, Number
from app.features.outcomes.words import status_words
from app.features.plans.words import control_words, step_names

Line = list[str | int | float]
_OWN = {
    **{f"{STARTED}{kind}": word for kind, word in definitions.BEGAN.items()},
    **{f"{REVIEWED}{kind}": word for kind, word in definitions.LAST_REVIEW.items()},
    CLASS: definitions.CLASS,
    COHORT: definitions.COHORTS,
}


def attribute_words(attribute: Attribute, _: Say, counsellor: str) -> str:
    """What an attribute is called; `counsellor` is the organization's word for who looks after somebody."""
    if attribute.key == COUNSELLOR:
        return first_large(counsellor)
    own = _OWN.get(attribute.key)
    return attribute.label if own is None else _(own)


def period_words(answer: Answer, _: Say) -> str:
    """The periods that an answer is restricted to, such as "Month the plan began: 2026-02 – 2026-05"; else empty."""
    key, _colon, since = answer.since.partition(":")
    until = answer.until.partition(":")[2]
    return f"{_(_OWN[key])}: {since}{f' – {until}' if until != since else ''}" if key else ""


def title_words(answer: Answer, _: Say, counsellor: str) -> str:
    """A figure with what it is asked by, such as "Completed, by step · Programme"; `counsellor` as above."""
    by = [attribute_words(one, _, counsellor) for one in (answer.first, answer.second) if one is not None]
    return " · ".join([_(answer.figure.name), *by, *filter(None, [period_words(answer, _)])])


def value_words(value: Any, _: Say, attribute: Attribute | None = None) -> str:
    """A value of an attribute as it is shown."""
    if value is None:
        key = "" if attribute is None else attribute.key
        if key in {f"{STARTED}_term", f"{REVIEWED}_term"}:
            return _("in no term")
        if key.startswith(REVIEWED):
            return _("none was due")
        return _("in none of them") if key == COHORT else _("not given")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:g}" if isinstance(value, float) else str(value)


def part_words(answer: Answer, _: Say) -> dict[str, str]:
    """The name of each part of the figure."""
    if answer.figure.per == "scale":
        return dict(answer.parts)
    if answer.figure.per == "control":
        return control_words(_)
    if answer.figure.per == "status":
        return {**status_words(_), UNKNOWN: _("Nothing known")}
    if not answer.figure.by_step:
        return {"all": _(answer.figure.name)}
    names = step_names(_)
    return {str(key.number): f"{key.number} {names[key]}" for key in StepKey}


def percent_words(number: Number) -> str | None:
    """The share as text, a bound with its sign; None where it is withheld or of nobody."""
    if number.percent is None:
        return None
    sign = {"at_most": "≤ ", "at_least": "≥ "}.get(number.bound, "")
    return f"{sign}{number.percent:g} %"


def mean_words(answer: Answer, number: float | None) -> str | float:
    """A mean or an end of its interval, to a tenth of a day or a hundredth of a score; a dash where there is none."""
    return "–" if number is None else round(number, 1 if answer.figure.by_step else 2)


def people_word(answer: Answer, _: Say) -> str:
    """What heads the number of people that a figure is out of."""
    return _("People") if answer.figure.of == PEOPLE else _(BY_KEY[answer.figure.of].name)


def headings(answer: Answer, _: Say, counsellor: str) -> list[str]:
    """What heads the columns of the lines; `counsellor` as for `attribute_words`."""
    figure = answer.figure
    by = [attribute_words(one, _, counsellor) for one in (answer.first, answer.second) if one is not None]
    counts = [] if figure.key in WHOLES else [_("Of them so"), _("Percent")]
    if figure.mean:
        counts = [_(figure.unit), _("Interval from"), _("Interval to")]
    return [_("Figure"), *by, people_word(answer, _), *counts]


def lines(answer: Answer, _: Say) -> Iterator[Line]:
    """The answer line by line, as files and the table below a chart give it; withheld numbers say so."""
    word, parts = _("withheld"), part_words(answer, _)
    for number in answer.numbers:
        by = [
            value_words(value, _, one)
            for one, value in ((answer.first, number.first), (answer.second, number.second))
            if one is not None
        ]
        people = word if number.people is None else number.people
        line: Line = [parts[number.part], *by, people]
        if answer.figure.mean:
            ends = (number.mean, number.low, number.high)
            line += [word if number.people is None else mean_words(answer, end) for end in ends]
        elif answer.figure.key not in WHOLES:
            share = percent_words(number)
            line += [
                word if number.number is None else number.number,
                (word if number.number is None else "–") if share is None else share,
            ]
        yield line


def whose_words(_: Say, *, whole: bool) -> str:
    """What aggregates are called, by whose they are: of the `whole` organization, or of those the reader sees."""
    return _("The organization in figures") if whole else _("Your caseload in figures")


def small_groups_words(threshold: int | None, _: Say) -> str:
    """What is withheld, in a sentence; `threshold` is None where figures are exact."""
    if threshold is None:
        return _("Exact figures: for those who may see the people behind them.")
    return _(
        "Groups under %(number)s people are withheld, and what would give them away. Made once a day.",
        number=threshold,
    )


def about(answer: Answer, _: Say, moment: str) -> Sequence[tuple[str, str]]:
    """What has to stand beside the figure: its definition, whom it counts, the moment, and what is withheld."""
    period = period_words(answer, _)
    return (
        (_("Figure"), _(answer.figure.name)),
        (_("Definition"), say_sentence(answer.figure.definition, _)),
        *([(_("Period"), period)] if period else []),
        (_("Counted"), _("people")),
        (_("As of"), moment),
        (_("Small groups"), small_groups_words(answer.threshold, _)),
    )
