"""Two revisions field by field, in the reader's words: where a field is, what it held and what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.plans.revisions import StepDifference
from app.features.plans.rooms import Cell
from app.features.plans.words import status_words
from app.features.steps.ambition.values import value_name

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
# Fields that hold the ids of other rows, and fields that hold one of a few words.
_POINTS = frozenset({"chosen", "runner_up", "parent", "path", "goal", "after", "order"})
_CHOICES = frozenset(
    {"kind", "controllable", "state", "area", "horizon", "weighting", "fact", "source", "pile", "status"}
)


def field_names(_: Say) -> dict[str, str]:
    """Every field of the rooms by its name; a name means the same wherever it stands."""
    return {
        "actions": _("Actions"),
        "adds": _("What it leaves out"),
        "advantages": _("Advantages"),
        "after": _("Waits for"),
        "answered_on": _("Answered on"),
        "area": _("Area"),
        "asking_at_most": _("Jobs asking for at most this education, in per cent"),
        "assessment": _("Result"),
        "at": _("When"),
        "before": _("Before"),
        "begun_at": _("Begun"),
        "by": _("By"),
        "by_name": _("By"),
        "card": _("Card"),
        "cards": _("Cards"),
        "changes": _("Changes of levels"),
        "chosen": _("First choice"),
        "code": _("Code"),
        "controllable": _("Controllable"),
        "coverage": _("Share of skills covered"),
        "criteria": _("Criteria"),
        "decided_on": _("Decided on"),
        "done_on": _("Done on"),
        "drawbacks": _("Drawbacks"),
        "dropped_why": _("Why it was dropped"),
        "due_on": _("Due"),
        "earlier": _("Earlier decisions"),
        "education": _("Level of education"),
        "education_steps": _("Levels of education lacking"),
        "errors": _("Errors"),
        "evidence": _("Evidence"),
        "evidence_link": _("Link to the evidence"),
        "fact": _("Fact"),
        "factors": _("Factors"),
        "first": _("First"),
        "fit": _("Fit"),
        "fits": _("What fits"),
        "goal": _("For the goal"),
        "goals": _("Goals"),
        "high": _("Highest score"),
        "history": _("What was said over time"),
        "horizon": _("Horizon"),
        "hours": _("Hours"),
        "hours_a_week": _("Hours a week"),
        "hours_week": _("Hours a week"),
        "impact": _("Impact"),
        "instrument": _("Questionnaire"),
        "kind": _("Kind"),
        "lack": _("What it lacks"),
        "level": _("Level"),
        "levels": _("Levels"),
        "levels_at": _("Levels written"),
        "likelihood": _("Likelihood"),
        "locked_at": _("Locked"),
        "low": _("Lowest score"),
        "match": _("Match"),
        "measure": _("Measure"),
        "milestones": _("Milestones"),
        "name": _("Name"),
        "none": _("No position yet"),
        "noted_on": _("Noted on"),
        "occupation": _("Occupation"),
        "occupations": _("Occupations looked up"),
        "of": _("Of"),
        "on": _("Day"),
        "options": _("Options"),
        "order": _("Order"),
        "other": _("Other"),
        "own": _("Own"),
        "pairs": _("Comparisons"),
        "parent": _("Serves the goal"),
        "path": _("Way"),
        "paths": _("Ways"),
        "person": _("Person"),
        "pile": _("Pile"),
        "preferred": _("Preferred"),
        "r": _("Correlation"),
        "rank": _("Rank"),
        "ratings": _("Ratings"),
        "reason": _("Reason"),
        "recommendations": _("Recommendations"),
        "release": _("Release"),
        "required": _("Required"),
        "role_models": _("Role models"),
        "routes": _("Routes"),
        "runner_up": _("Runner-up"),
        "second": _("Second"),
        "skills": _("Skills"),
        "smart": _("Five questions"),
        "source": _("Source"),
        "stages": _("Stages"),
        "start": _("Start"),
        "start_on": _("Start"),
        "state": _("State"),
        "statement": _("Ambition"),
        "status": _("Status"),
        "stays20": _("Share among the first 20"),
        "stays50": _("Share among the first 50"),
        "surprises": _("What surprises"),
        "taken_on": _("Taken on"),
        "target": _("Target"),
        "text": _("Text"),
        "times": _("Times as important"),
        "until": _("Until"),
        "values": _("Values"),
        "values_r": _("Correlation of values"),
        "weight": _("Weight"),
        "weighting": _("Weighting"),
        "what_i_do": _("What is done about it"),
        "why": _("Why"),
        "withdrawn_on": _("Withdrawn on"),
        "yes": _("Yes"),
        "zone": _("Job zone"),
        "zones": _("Job zones"),
        "specific": _("Specific"),
        "measurable": _("Measurable"),
        "attainable": _("Attainable"),
        "relevant": _("Relevant"),
        "timed": _("Timed"),
    }


def field_rows(
    difference: StepDifference, old: Mapping[str, Any], new: Mapping[str, Any], _: Say
) -> list[tuple[str, Cell, Cell]]:
    """Each field of a step that differs between two snapshots: where it is, and what it held and holds."""
    names, rows = field_names(_), _names_of(old, _) | _names_of(new, _)
    steps = status_words(_)

    def told(path: tuple[str, ...], value: Any) -> Cell:
        if path == ("status",) and isinstance(value, str):
            return steps.get(value, value)
        return _value(path[-1], value, rows, _)

    found = []
    for change in difference.fields:
        path = change.path[1:] if change.path[0] == "content" else change.path
        where = " · ".join(names.get(part) or rows.get(part, part) for part in path)
        found.append((where, told(path, change.before), told(path, change.after)))
    return found


def _value(name: str, value: Any, rows: Mapping[str, str], _: Say) -> Cell:  # noqa: PLR0911 # one return a kind of value
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "; ".join(str(_value(name, each, rows, _)) for each in value)
    if isinstance(value, Mapping):
        return ", ".join(str(_value(key, each, rows, _)) for key, each in value.items() if each not in (None, "", []))
    if not isinstance(value, str):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if _DAY.fullmatch(value):
        return date.fromisoformat(value)
    if name in _POINTS:
        return rows.get(value, value)
    # A kind or a status has a word of its own in the catalogue; anything else stays as it is written.
    return _(value.replace("_", " ")) if name in _CHOICES else value


def _names_of(snapshot: Mapping[str, Any], _: Say) -> dict[str, str]:
    """What the rows of a snapshot are called, by their ids."""
    found = {}
    for key in StepKey:
        for row in _rows(snapshot["steps"][key.value]["content"]):
            said = row.get("text") or (value_name(row, _) if row.get("card") or row.get("name") else "")
            if said:
                found[row["id"]] = f"“{said}”"
    return found


def _rows(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("id"), str):
            yield value
        for each in value.values():
            yield from _rows(each)
    elif isinstance(value, list):
        for each in value:
            yield from _rows(each)
