"""Step 6 as blocks of a report or page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.domain.goals import HORIZONS, check_smart, check_tree, tree_order
from app.domain.saying import Say
from app.features.plans.rooms import Block, Content, Listing, Paragraph, Picture, Section, Surroundings, Table
from app.features.steps.goals import figures
from app.features.steps.goals.words import horizon_heads, horizon_words, level_words, smart_words, status_words
from app.features.steps.parts import day_of, paths_of
from app.infra.drawing.charts import Line, line_svg
from app.infra.drawing.plans import TimelineMark, timeline_svg

# Where each horizon begins and how long it is, in years.
_SPANS = {"short": (0.0, 1.0), "medium": (1.0, 4.0), "long": (5.0, 5.0)}


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The tree over time, each goal's measure and levels, T beside the levels, the five questions, what to look at."""
    blocks: list[Block] = []
    goals = figures.counted(content, around)
    if goals:
        blocks.append(_timeline(goals, around, _))
        blocks += _measures(goals, _)
        blocks += _levels(goals, content, around, _)
        blocks += _smart(goals, _)
        if warned := warnings(content, around, _):
            blocks.append(Listing(_("Worth a look"), tuple(warned)))
    if aside := figures.set_aside(content, around):
        names = paths_of(around.contents, _)
        lines = tuple(
            _("%(text)s (for the way “%(path)s”)", text=row["text"], path=names.get(row["path"], "?")) for row in aside
        )
        blocks.append(Listing(_("Set aside with a way not taken now"), lines))
    return Section(_("Goals"), tuple(blocks))


def warnings(content: Content, around: Surroundings, _: Say) -> list[str]:
    """What may be forgotten: goals nothing leads to, empty horizons, levels written after work had begun."""
    goals = figures.counted(content, around)
    names = {row["id"]: row["text"] for row in goals}
    check = check_tree([figures.node(row, around) for row in goals])
    words = horizon_words(_)
    said = [
        _("Nothing leads to “%(text)s” yet: it has no smaller goal that you are working towards.", text=names[goal])
        for goal in check.childless
    ]
    said += [_("There is no goal yet for: %(horizon)s.", horizon=words[horizon]) for horizon in check.empty]
    said += [
        _("The levels of “%(text)s” were written after work on it had begun, so they say less.", text=row["text"])
        for row in goals
        if figures.written_late(row, around)
    ]
    return said


def _ordered(goals: Sequence[Mapping[str, Any]], around: Surroundings) -> list[tuple[Mapping[str, Any], int]]:
    """The goals as a tree, the furthest at the top, each with its depth."""
    far = sorted(goals, key=lambda row: -HORIZONS.index(row["horizon"]) if row.get("horizon") else 1)
    known = {row["id"]: row for row in goals}
    return [(known[name], depth) for name, depth in tree_order([figures.node(row, around) for row in far])]


def _timeline(goals: Sequence[Mapping[str, Any]], around: Surroundings, _: Say) -> Block:
    words, stands = horizon_words(_), status_words(_)
    ordered = _ordered(goals, around)
    names = {row["id"]: row["text"] for row in goals}
    heading = _("Goals over time")
    columns = (_("Goal"), _("How far ahead"), _("By"), _("It serves"), _("Stands"), _("Actions done"))
    shares = figures.shares_of(goals, around)
    cells = tuple(
        (
            row["text"],
            words.get(row.get("horizon") or "", _("without a time yet")),
            day_of(row.get("due_on")) or "",
            names.get(row.get("parent") or "", ""),
            stands[row.get("status") or "open"],
            _("%(done)s of %(all)s", done=share.done, all=share.planned)
            if (share := shares[row["id"]]).planned
            else _("none planned"),
        )
        for row, _depth in ordered
    )
    if around.today is None:
        return Table(heading, columns, cells)
    rows = {row["id"]: number for number, (row, _depth) in enumerate(ordered)}
    marks = [
        TimelineMark(
            row["text"],
            HORIZONS.index(row["horizon"]) if row.get("horizon") else None,
            _across(row, around.today),
            depth,
            _look(row, around.today),
            rows.get(row.get("parent") or "") if row.get("parent") != row["id"] else None,
        )
        for row, depth in ordered
    ]
    alt = _(
        "Goals from near to far, each under the one it serves. Diamonds have a day, circles none; filled ones are "
        "reached, crossed ones late or given up."
    )
    svg = timeline_svg(marks, list(horizon_heads(_).values()), title=heading, description=alt)
    return Picture(heading, svg, alt, columns, cells)


def _look(row: Mapping[str, Any], today: date) -> Any:
    if row.get("status") == "reached":
        return "done"
    if row.get("status") == "dropped":
        return "dropped"
    due = day_of(row.get("due_on"))
    return "late" if due and due < today else "open"


def _across(row: Mapping[str, Any], today: date) -> float | None:
    """How far across its horizon's column the goal's day lies; None without a day or for life."""
    due, span = day_of(row.get("due_on")), _SPANS.get(row.get("horizon") or "")
    if due is None or span is None:
        return None
    return ((due - today).days / 365.25 - span[0]) / span[1]


def _measures(goals: Sequence[Mapping[str, Any]], _: Say) -> list[Block]:
    cells = tuple((row["text"], row["measure"]) for row in goals if row.get("measure"))
    return [Table(_("How one will know"), (_("Goal"), _("Measure")), cells)] if cells else []


def _levels(goals: Sequence[Mapping[str, Any]], content: Content, around: Surroundings, _: Say) -> list[Block]:
    if not any(row.get("levels") or row.get("level") is not None for row in goals):
        return []
    words = level_words(_)
    cells = []
    for row in goals:
        level = row.get("level")
        said = (row.get("levels") or {}).get(str(level), "") if level is not None else ""
        now = _("not said yet") if level is None else f"{words[level]}{': ' if said else ''}{said}"
        expected = (row.get("levels") or {}).get("0", "") or _("not described yet")
        cells.append((row["text"], expected, now, str(row.get("weight") or 1)))
    columns = (_("Goal"), _("What I expect"), _("Where it is now"), _("Weight"))
    found = figures.attain(content, around)
    blocks: list[Block] = [Table(_("Where the goals are now"), columns, tuple(cells))]
    blocks.append(Paragraph(_("Goal attainment"), attainment_words(found, _)))
    if len(found.course) > 1 and around.today is not None:
        blocks.append(_course(found, _))
    return blocks


def attainment_words(found: figures.Attainment, _: Say) -> str:
    """T in a sentence with what it means, or why it is not known."""
    if found.value is None:
        return _(
            "Not known yet. It can be worked out once a goal has five described levels and you have said where it is "
            "now."
        )
    said = _(
        "T = %(value)s, goals measured: %(count)s. 50 means: all as expected; 10 points are about one level of one "
        "goal. How exact it is, is not known: read it beside the levels above.",
        value=f"{found.value:.1f}",
        count=found.measured,
    )
    if found.unmeasured:
        said += " " + _("Not in it: %(names)s.", names=", ".join(f"“{row['text']}”" for row in found.unmeasured))
    return said


def _course(found: figures.Attainment, _: Say) -> Picture:
    heading = _("Goal attainment over time")
    alt = _("The figure T on each day a goal was rated; 50 is as expected.")
    low = min(30.0, *(value for _day, value, _count in found.course))
    high = max(70.0, *(value for _day, value, _count in found.course))
    svg = line_svg(
        [day.isoformat() for day, _value, _count in found.course],
        [Line("T", [value for _day, value, _count in found.course])],
        title=heading,
        description=alt,
        limits=(low, high),
    )
    cells = tuple((day, f"{value:.1f}", str(count)) for day, value, count in found.course)
    return Picture(heading, svg, alt, (_("Day"), "T", _("From goals")), cells)


def _smart(goals: Sequence[Mapping[str, Any]], _: Say) -> list[Block]:
    words = smart_words(_)
    cells = []
    for row in goals:
        answers = row.get("smart") or {}
        check = check_smart({key: (answer.get("yes"), answer.get("why", "")) for key, answer in answers.items()})
        cells += [
            (row["text"], words[key], _("yes") if key in check.holds else _("no"), answers[key]["why"])
            for key in (*check.holds, *check.fails)
        ]
    columns = (_("Goal"), _("Question"), _("Answer"), _("Why"))
    return [Table(_("Five questions about each goal"), columns, tuple(cells))] if cells else []
