"""Step 7 as blocks of a report or page: the schedule as a picture, what decides its end, what is at risk, the load."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.plans.rooms import Block, Cell, Content, Listing, Paragraph, Picture, Section, Surroundings, Table
from app.features.steps.action_plan.figures import Work, counted, goal_shares, set_aside, work_of
from app.features.steps.action_plan.words import kind_words, month_words, risk_words, status_words
from app.features.steps.parts import action_status, day_of, paths_of, written
from app.infra.drawing.load import LoadBar, load_svg
from app.infra.drawing.plans import GanttRow, gantt_svg

# Pictures and their tables end after so many months; what lies beyond is said in a sentence.
_MOST_MONTHS = 24


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The schedule, the chain that decides its end, what is late or at risk, the load, the evidence, the goals."""
    blocks: list[Block] = []
    work = work_of(content, around, around.today) if around.today else None
    if counted(content, around):
        blocks.append(_schedule(content, around, work, _))
        if work is not None:
            blocks += [*critical_block(work, _), *risk_block(work, _), *load_blocks(work, _)]
        blocks += _evidence(content, around, _)
        blocks += _goals(content, around, _)
    if aside := set_aside(content, around):
        names = paths_of(around.contents, _)
        lines = tuple(
            _("%(text)s (for the way “%(path)s”)", text=row["text"], path=names.get(row["path"], "?")) for row in aside
        )
        blocks.append(Listing(_("Set aside with a way not taken now"), lines))
    return Section(_("Action plan"), tuple(blocks))


def critical_block(work: Work, _: Say) -> list[Block]:
    """What the end hangs on, in words; nothing while nothing is open."""
    if not work.schedule.critical or work.schedule.end is None or not work.open():
        return []
    names = work.names
    chain = " → ".join(f"“{names[name]}”" for name in work.schedule.critical)
    said = _(
        "All is done on %(day)s, if nothing slips. The end hangs on: %(chain)s. Each day lost there is a day lost in "
        "all.",
        day=work.schedule.end,
        chain=chain,
    )
    return [Paragraph(_("What the end hangs on"), said)]


def risk_lines(work: Work, _: Say) -> tuple[str, ...]:
    """Each open action that is late or at risk with its reasons, those that end first at the top."""
    names = work.names
    return tuple(
        f"“{row['text']}”: " + "; ".join(risk_words(risk, names, _) for risk in work.risks[row["id"]])
        for row in work.open()
        if row["id"] in work.risks
    )


def risk_block(work: Work, _: Say) -> list[Block]:
    """The list of what is late or at risk; nothing when there is none."""
    lines = risk_lines(work, _)
    return [Listing(_("Late or at risk"), lines)] if lines else []


def load_blocks(work: Work, _: Say) -> list[Block]:
    """The hours of each month still to come against what the client has, and which actions are not in it."""
    blocks: list[Block] = []
    months = [(month, hours) for month, hours in work.load.hours.items() if month >= work.today.replace(day=1)]
    shown = months[:_MOST_MONTHS]
    heading = _("Hours in each month")
    if shown:
        there = {month: available(month, work.hours_a_week) for month, _hours in shown}
        bars = [LoadBar(month_words(month, _), hours, there[month], f"{hours:.0f}") for month, hours in shown]
        alt = _(
            "Hours planned in each month as bars; the upright line is what there is. A bar beyond it is hatched: too "
            "much is planned."
        )
        svg = load_svg(bars, title=heading, description=alt)
        cells = tuple(
            (
                month_words(month, _),
                f"{hours:.0f}",
                _("not said") if (most := there[month]) is None else f"{most:.0f}",
                "" if most is None else _("too much") if hours > most + 1e-9 else _("enough time"),
            )
            for month, hours in shown
        )
        columns = (_("Month"), _("Hours planned"), _("Hours there are"), _("So there is"))
        blocks.append(Picture(heading, svg, alt, columns, cells))
    said = []
    if months[_MOST_MONTHS:]:
        said.append(_("Later months are not shown: %(count)s.", count=len(months) - _MOST_MONTHS))
    if work.load.uncounted:
        names = work.names
        listed = ", ".join(f"“{names[name]}”" for name in work.load.uncounted)
        said.append(_("Not in it, because start, due day or hours are not known: %(names)s.", names=listed))
    if said:
        blocks.append(Paragraph(_("What the hours leave out"), " ".join(said)))
    return blocks


def available(month: date, hours_a_week: int | None) -> float | None:
    """The hours of a month at so many a week, by its days; None where they are not said."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return None if hours_a_week is None else hours_a_week * (following - month).days / 7


def changes_block(before: Content, after: Content, _: Say) -> tuple[Block, ...]:
    """What became of each action between two revisions: new, removed, begun, done, given up, moved."""
    old = {row["id"]: row for row in written(before, "actions", "text")}
    new = {row["id"]: row for row in written(after, "actions", "text")}
    lines = []
    for name, row in new.items():
        if name not in old:
            lines.append(_("new: “%(text)s”", text=row["text"]))
            continue
        lines += _became(old[name], row, _)
    lines += [_("removed: “%(text)s”", text=row["text"]) for name, row in old.items() if name not in new]
    return (Listing(_("What became of the actions"), tuple(lines)),) if lines else ()


def _became(old: Mapping[str, Any], new: Mapping[str, Any], _: Say) -> list[str]:
    lines = []
    status, text = action_status(new), new["text"]
    if status != action_status(old):
        line = f"{status_words(_)[status]}: “{text}”"
        lines.append(f"{line} ({new['dropped_why']})" if status == "dropped" and new.get("dropped_why") else line)
    was, now = day_of(old.get("due_on")), day_of(new.get("due_on"))
    if was and now and was != now:
        days = (now - was).days
        sentence = (
            _("“%(text)s” is due later, on %(day)s; days: %(days)s", text=text, day=now, days=days)
            if days > 0
            else _("“%(text)s” is due earlier, on %(day)s; days: %(days)s", text=text, day=now, days=-days)
        )
        lines.append(sentence)
    return lines


def goal_names(around: Surroundings) -> dict[str, str]:
    """The goals of step 6 by id, as plain data."""
    return {row["id"]: row["text"] for row in written(around.contents.get(StepKey.GOALS, {}), "goals", "text")}


def _schedule(content: Content, around: Surroundings, work: Work | None, _: Say) -> Block:
    kinds, states, goals = kind_words(_), status_words(_), goal_names(around)
    slots = work.schedule.slots if work else {}
    rows = sorted(
        counted(content, around),
        key=lambda row: (slots[row["id"]].start, slots[row["id"]].finish) if row["id"] in slots else (date.max,) * 2,
    )
    names = {row["id"]: row["text"] for row in rows}
    heading = _("Actions over time")
    columns = (
        _("Action"),
        _("Kind"),
        _("Start"),
        _("Due"),
        _("Stands"),
        _("As things stand it ends"),
        _("Goal"),
        _("After"),
    )
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        (
            row["text"],
            kinds.get(row.get("kind") or "", ""),
            day_of(row.get("start_on")) or "",
            day_of(row.get("due_on")) or "",
            _stands(row, states, _),
            _ends(row, slots, _),
            goals.get(row.get("goal") or "", ""),
            ", ".join(names[name] for name in row.get("after") or () if name in names),
        )
        for row in rows
    )
    drawn = [row for row in rows if row["id"] in slots]
    if work is None or not drawn:
        return Table(heading, columns, cells)
    places = {row["id"]: number for number, row in enumerate(drawn)}
    bars = [
        GanttRow(
            row["text"],
            slots[row["id"]].start,
            slots[row["id"]].finish,
            day_of(row.get("due_on")),
            _look(row, work.today),
            row["id"] in work.schedule.critical,
            action_status(row) == "begun",
            tuple(places[name] for name in row.get("after") or () if name in places),
        )
        for row in drawn
    ]
    alt = _(
        "Actions as bars over months, arrows from what each waits for. Filled: done; pale: begun; hollow: planned; a "
        "cross: late; a thick edge: the end hangs on it; the broken line: today."
    )
    legend = _("thick edge: the end hangs on it · cross: late · arrow: waits for")
    svg = gantt_svg(
        bars,
        work.today,
        title=heading,
        description=alt,
        words=(_("today"), legend),
        month_words=lambda month: month_words(month, _),
    )
    return Picture(heading, svg, alt, columns, cells)


def _look(row: Mapping[str, Any], today: date) -> Any:
    if action_status(row) == "done":
        return "done"
    due = day_of(row.get("due_on"))
    return "late" if due and due < today else "open"


def _stands(row: Mapping[str, Any], words: Mapping[str, str], _: Say) -> str:
    status = action_status(row)
    if status == "done":
        return _("done on %(day)s", day=day_of(row["done_on"])) if row.get("done_on") else words["done"]
    if status == "dropped" and row.get("dropped_why"):
        return f"{words['dropped']}: {row['dropped_why']}"
    return words[status]


def _ends(row: Mapping[str, Any], slots: Mapping[str, Any], _: Say) -> Cell:
    slot = slots.get(row["id"])
    if slot is None:
        return ""
    # How long it takes is not known, so its end is not known either.
    return _("not known") if slot.assumed else slot.finish


def _evidence(content: Content, around: Surroundings, _: Say) -> list[Block]:
    cells = tuple(
        (row["text"], row.get("evidence", ""), row.get("evidence_link", ""))
        for row in counted(content, around)
        if row.get("evidence") or row.get("evidence_link")
    )
    columns = (_("Action"), _("What shows it"), _("Link"))
    return [Table(_("What shows that it is done"), columns, cells)] if cells else []


def _goals(content: Content, around: Surroundings, _: Say) -> list[Block]:
    cells = tuple(
        (
            text,
            _("%(done)s of %(all)s", done=share.done, all=share.planned) if share.planned else _("none planned"),
        )
        for text, share in goal_shares(content, around)
    )
    return [Table(_("Actions done for each goal"), (_("Goal"), _("Actions done")), cells)] if cells else []
