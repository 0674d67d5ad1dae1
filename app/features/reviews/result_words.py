"""A check-in's answers and result in the reader's words: as blocks for its page and the report, and as sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from app.domain.saying import Say
from app.domain.staleness import Aspect
from app.domain.steps import StepKey
from app.features.plans.rooms import Block, Listing, Paragraph, Picture, Section, Table
from app.features.plans.words import (
    aspect_words,
    change_words,
    choice_words,
    control_words,
    direction_words,
    step_names,
)
from app.infra.drawing.charts import Line, line_svg

_WIDE = 380
# Changes of a scale that are more than error explains.
_BEYOND = ("higher", "lower")


def level_words(_: Say) -> dict[int, str]:
    """The five levels of a goal."""
    return {
        -2: _("much less than hoped"),
        -1: _("less than hoped"),
        0: _("as hoped"),
        1: _("more than hoped"),
        2: _("much more than hoped"),
    }


def cause_words(_: Say, *, own: bool) -> dict[str, str]:
    """Why an occupation came or went, said to the client (`own`) or of them."""
    you = _("you changed") if own else _("they changed")
    return {"you": you, "data": _("the data changed"), "together": _("both together")}


def confidence_picture(history: Sequence[tuple[date, int]], _: Say) -> Picture | None:
    """How sure the client was over time; None for fewer than two check-ins."""
    if len(history) < 2:
        return None
    heading = _("How sure of the plan, over time")
    said = "; ".join(f"{day.isoformat()}: {value}" for day, value in history)
    svg = line_svg(
        [day.isoformat()[:7] for day, _value in history],
        [Line("", [float(value) for _day, value in history])],
        title=heading,
        description=said,
        limits=(0, 10),
        width=_WIDE,
        height=160,
    )
    rows = tuple((day, str(value)) for day, value in history)
    return Picture(heading, svg, said, (_("Day"), _("From 0 to 10")), rows)


def answers_section(answers: Mapping[str, Any], result: Mapping[str, Any], _: Say, *, own: bool = False) -> Section:
    """What the client answered, beside what they said the time before; `own`: told to the client."""
    blocks: list[Block] = []
    words = level_words(_)
    if levels := result["goals"]["levels"]:
        rows = tuple((row["text"], _level(row["before"], words), _level(row["now"], words)) for row in levels)
        blocks.append(Table(_("How the goals are going"), (_("Goal"), _("Last time"), _("Now")), rows))
    factors = [change for change in result["changes"] if change["kind"] in ("factor", "new_factor")]
    if factors:
        control, became = control_words(_), change_words(_)
        rows = tuple(
            (row["label"], became[row["change"]], control.get(row["controllable"] or "", "–")) for row in factors
        )
        columns = (_("Factor"), _("What became of it"), _("Can something be done?"))
        blocks.append(Table(_("What has changed around"), columns, rows))
    if answers.get("steps"):
        names, choices = step_names(_), choice_words(_)
        kept = tuple((names[key], choices[answers["steps"][key]]) for key in StepKey if key in answers["steps"])
        blocks.append(Table(_("What to keep"), (_("Step"), _("Choice")), kept))
    if answers.get("why"):
        blocks.append(Paragraph(_("Why"), answers["why"]))
    if answers.get("words"):
        blocks.append(Paragraph(_("In your own words") if own else _("In their own words"), answers["words"]))
    return Section(_("What you answered") if own else _("What was answered"), tuple(blocks))


def result_section(
    result: Mapping[str, Any], confidence: Sequence[tuple[date, int]], _: Say, *, own: bool = False
) -> Section:
    """What the answers come to: measured change, goal attainment, days, the match, steps this opens again.

    `own`: told to the client, in sentences, with the tables folded away.
    """
    blocks: list[Block] = [*_sure(result["confidence"], confidence, _), *_attainment(result["goals"], _, own=own)]
    for taken in result["scales"]:
        blocks += [_scales_told(taken, _), _scales(taken, _, folded=True)] if own else [_scales(taken, _)]
    blocks += _drift(result["drift"], _)
    if own:
        blocks += _choice(result["match"], _)
    blocks += _match(result["match"], _, own=own)
    if result["reopens"]:
        names = step_names(_)
        rows = tuple((names[StepKey(row["step"])], reopen_words(row, _, own=own)) for row in result["reopens"])
        blocks.append(Table(_("Steps this touches"), (_("Step"), _("Why")), rows))
    return Section(_("What it comes to"), tuple(blocks))


def reopen_words(row: Mapping[str, Any], _: Say, *, own: bool = False) -> str:
    """Why a step opens again: the client's choice, or what it rests on; `own`: told to the client."""
    said = []
    if row["choice"]:
        choice = choice_words(_)[row["choice"]]
        said.append(_("you chose: %(choice)s", choice=choice) if own else _("asked for: %(choice)s", choice=choice))
    if row["on"]:
        aspects = aspect_words(_)
        what = ", ".join(aspects[Aspect(name).value] for name in row["on"])
        said.append(_("rests on %(what)s", what=what) if row["sure"] else _("may follow from %(what)s", what=what))
    return "; ".join(said)


def _level(value: int | None, words: Mapping[int, str]) -> str:
    return "–" if value is None else words[value]


def _sure(said: Mapping[str, Any], history: Sequence[tuple[date, int]], _: Say) -> list[Block]:
    picture = confidence_picture(history, _)
    if picture is not None:
        return [picture]
    if said["now"] is None:
        return []
    return [Paragraph(_("How sure of the plan"), _("%(value)s of 10", value=said["now"]))]


def _attainment(goals: Mapping[str, Any], _: Say, *, own: bool) -> list[Block]:
    if goals["t"] is None:
        return []
    if own:
        text = _("Your goals stand at %(t)s; 50 is as you hoped, more is better.", t=f"{goals['t']:.1f}")
        if goals["before"] is not None:
            text += " " + _("Before this check-in they stood at %(t)s.", t=f"{goals['before']:.1f}")
        return [Paragraph(_("Goal attainment"), text)]
    text = _("T is %(t)s over goals with described levels: %(count)s. 50 is as expected.",
             t=f"{goals['t']:.1f}", count=goals["measured"])  # fmt: skip
    if goals["before"] is not None:
        text += " " + _("Before this check-in it was %(t)s, over %(count)s.",
                        t=f"{goals['before']:.1f}", count=goals["measured_before"])  # fmt: skip
    return [Paragraph(_("Goal attainment"), text)]


def _scales_told(taken: Mapping[str, Any], _: Say) -> Listing:
    """What changed beyond error, scale by scale, and in one line each what did not or is not known."""
    words = direction_words(_)
    lines = [
        _("%(scale)s: %(direction)s, from %(before)s to %(now)s", scale=line["title"], direction=words[line["change"]],
          before=_figure(line["before"]), now=_figure(line["score"]))
        for line in taken["scales"]
        if line["change"] in _BEYOND
    ]  # fmt: skip
    for change in dict.fromkeys(line["change"] for line in taken["scales"] if line["change"] not in _BEYOND):
        scales = ", ".join(line["title"] for line in taken["scales"] if line["change"] == change)
        lines.append(_("%(direction)s: %(scales)s", direction=words[change], scales=scales))
    return Listing(_("Measured change: %(title)s", title=taken["title"]), tuple(lines))


def _scales(taken: Mapping[str, Any], _: Say, *, folded: bool = False) -> Table:
    words = direction_words(_)
    rows = tuple(
        (
            line["title"],
            _figure(line["before"]),
            _figure(line["score"]),
            "–" if line["band"] is None else f"{line['band'][0]:.1f} – {line['band'][1]:.1f}",
            "–" if line["least_change"] is None else f"{line['least_change']:.1f}",
            words[line["change"]],
        )
        for line in taken["scales"]
    )
    columns = (_("Scale"), _("Before"), _("Now"), _("Error band"), _("Least change beyond error"), _("Change"))
    if folded:
        return Table(_("Each scale with its error band"), columns, rows, folded=True)
    return Table(_("Measured change: %(title)s", title=taken["title"]), columns, rows)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _drift(drift: Mapping[str, Any], _: Say) -> list[Block]:
    if not drift["items"]:
        if not drift["compared"]:
            return []
        return [Paragraph(_("Days that moved"), _("No day was moved, and nothing is late."))]
    rows = tuple(
        (
            item["text"],
            date.fromisoformat(item["was"]) if item["was"] else "–",
            date.fromisoformat(item["now"]) if item["now"] else "–",
            "–" if item["days"] is None else f"{item['days']:+d}",
            "" if item["late"] is None else str(item["late"]),
        )
        for item in drift["items"]
    )
    heading = _("Days that moved")
    if drift["mean"] is not None:
        heading = _("Days that moved: %(mean)s days later on average", mean=f"{drift['mean']:+.0f}")
    return [Table(heading, (_("What"), _("Planned"), _("Now"), _("Days later"), _("Days late today")), rows)]


# Of 100: less than is shown is no news.
_LEAST_SHOWN = 0.05


def _choice(match: Mapping[str, Any] | None, _: Say) -> list[Block]:
    """What the match with the chosen option did since the last time, and why, in a sentence."""
    heading = _("How well your choice fits")
    return [
        Paragraph(heading, _moved(option["name"], option["split"], _))
        for option in (match or {}).get("options", ())
        if option["chosen"] and option["split"] is not None
    ]


def _moved(name: str, split: Mapping[str, Any], _: Say) -> str:
    values = {"name": name, "before": f"{split['before']:.1f}", "after": f"{split['after']:.1f}"}
    if abs(split["after"] - split["before"]) < _LEAST_SHOWN:
        return _("“%(name)s” stays at %(after)s of 100.", **values)
    causes = {
        "you": _("you changed"),
        "data": _("the data changed"),
        "weights": _("you weigh things differently"),
        "together": _("these together"),
    }
    why = ", ".join(
        f"{words} ({split[cause]:+.1f})" for cause, words in causes.items() if abs(split[cause] or 0) >= _LEAST_SHOWN
    )
    if not why:
        return _("“%(name)s” went from %(before)s to %(after)s of 100.", **values)
    return _("“%(name)s” went from %(before)s to %(after)s of 100. Why: %(why)s.", **values, why=why)


def _moved_by(part: float) -> str:
    """A part of a difference with its sign; one that rounds to nothing has none."""
    rounded = round(part, 1)
    return f"{rounded:+.1f}" if rounded else "0"


def _match(match: Mapping[str, Any] | None, _: Say, *, own: bool) -> list[Block]:
    if match is None:
        return []
    rows = []
    for option in match["options"]:
        split = option["split"]
        if split is None:
            continue
        parts = [split[name] for name in ("you", "data", "weights", "together")]
        moved = [("–" if part is None else _moved_by(part)) for part in parts]
        name = _("%(name)s (chosen)", name=option["name"]) if option["chosen"] else option["name"]
        rows.append((name, f"{split['before']:.1f}", f"{split['after']:.1f}", *moved))
    blocks: list[Block] = []
    if rows:
        # Before and now first: what a narrow page cuts off is the split, and never where an option stands.
        you = _("You changed") if own else _("They changed")
        columns = (_("Option"), _("Before"), _("Now"), you, _("The data changed"), _("The weights changed"),
                   _("Together"))  # fmt: skip
        blocks.append(Table(_("The options weighed again, 0 to 100"), columns, tuple(rows), folded=own))
    causes = cause_words(_, own=own)
    moved_rows = [(row["title"], _("came in"), causes[row["cause"]]) for row in match["entered"]]
    moved_rows += [(row["title"], _("dropped out"), causes[row["cause"]]) for row in match["left"]]
    if moved_rows:
        heading = _("Among the first %(number)s matches", number=match["first"])
        if own:
            counts = {"came": len(match["entered"]), "went": len(match["left"])}
            blocks.append(Paragraph(heading, _("Came in: %(came)s. Dropped out: %(went)s.", **counts)))
            heading = _("Which came and went, and why")
        names = (_("Occupation"), _("What became of it"), _("Why"))
        blocks.append(Table(heading, names, tuple(moved_rows), folded=own))
    return blocks
