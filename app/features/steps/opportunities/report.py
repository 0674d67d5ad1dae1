"""Step 3 as blocks of a report or page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.environment import HEAVY
from app.domain.saying import Say
from app.features.occupations.words import education_words
from app.features.plans.rooms import Block, Content, Listing, Paragraph, Picture, Section, Surroundings, Table
from app.features.steps.opportunities.content import FIGURES
from app.features.steps.opportunities.facts import facts_blocks
from app.features.steps.opportunities.figures import gone, numbered, occupation_name
from app.features.steps.opportunities.hints import hints
from app.features.steps.opportunities.words import (
    area_words,
    control_legend,
    control_words,
    kind_words,
    state_words,
)
from app.features.steps.parts import day_of, written
from app.infra.drawing.environment import FactorMark, MapWords, factor_map_svg

# The first columns of the table of factors stand there whatever is written.
_ALWAYS = 2


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The map, the factors with the weightiest first, hints, and the facts of the occupations beside them."""
    blocks = scan_blocks(content, around, _)
    if level := content.get("education"):
        blocks.append(Paragraph(_("My education"), education_words(_)[level]))
    return Section(_("Opportunities"), (*blocks, *facts_blocks(content, around, _)))


def scan_blocks(content: Content, around: Surroundings, _: Say) -> list[Block]:
    """The map, the factors, and what they may have left out."""
    factors = numbered(content)
    blocks: list[Block] = []
    if picture := factor_map(factors, _):
        blocks.append(picture)
    if factors:
        blocks.append(_factors(factors, content, around, _))
        if said := hints(content, around.today, _):
            blocks.append(Listing(_("Worth a thought"), tuple(said)))
    if lines := tuple(row["text"] for row in gone(content)):
        blocks.append(Listing(_("No longer so"), lines))
    return blocks


def factor_map(factors: Sequence[Mapping[str, Any]], _: Say) -> Picture | None:
    """The map of numbered factors; those without likelihood or impact are in its table only. None without a mark."""
    kinds, control = kind_words(_), control_words(_)
    marks = [
        FactorMark(number, row["text"], row.get("kind"), row.get("controllable"), row["likelihood"], row["impact"])
        for number, row in enumerate(factors, start=1)
        if row.get("likelihood") and row.get("impact")
    ]
    if not marks:
        return None
    heading = _("Map of opportunities and threats")
    alt = _(
        "Each factor by its number: how likely it is to the right, how much it would matter upward. Circles are "
        "opportunities, triangles threats, squares strengths, triangles on their tip weaknesses; full ones are in my "
        "control, pale ones partly, dashed ones not. What is both likely and large stands on the darker ground."
    )
    words = MapWords(
        likelihood=_("How likely (1 hardly, 5 certain)"),
        impact=_("How much it would matter (1 little, 5 a lot)"),
        kinds=kinds,
        control=control_legend(_),
    )
    unplaced = _("not on the map")
    columns = (_("Number and factor"), _("Is a"), _("In my control"), _("Likelihood"), _("Impact"))
    rows = tuple(
        (
            f"{number}  {row['text']}",
            kinds.get(row.get("kind") or "", ""),
            control.get(row.get("controllable") or "", ""),
            str(row.get("likelihood") or unplaced),
            str(row.get("impact") or unplaced),
        )
        for number, row in enumerate(factors, start=1)
    )
    svg = factor_map_svg(marks, words, heavy=HEAVY, title=heading, description=alt)
    return Picture(heading, svg, alt, columns, rows)


def _factors(factors: Sequence[Mapping[str, Any]], content: Content, around: Surroundings, _: Say) -> Table:
    kinds, areas, states = kind_words(_), area_words(_), state_words(_)
    columns = (
        _("Factor"),
        _("Is a"),
        _("Comes from"),
        _("What I do about it"),
        _("Concerns"),
        _("Source"),
        _("Seen on"),
        _("Does it hold?"),
    )
    cells = tuple(
        (
            f"{number}  {row['text']}",
            kinds.get(row.get("kind") or "", ""),
            areas.get(row.get("area") or "", ""),
            row.get("what_i_do") or "",
            occupation_name(row, content, around),
            row.get("source") or "",
            day_of(row.get("noted_on")) or "",
            states.get(row.get("state") or "", ""),
        )
        for number, row in enumerate(factors, start=1)
    )
    # A column in which nothing is written only narrows the others.
    used = [n for n in range(len(columns)) if n < _ALWAYS or any(row[n] for row in cells)]
    return Table(
        _("What is around me"),
        tuple(columns[n] for n in used),
        tuple(tuple(row[n] for n in used) for row in cells),
    )


def changes_blocks(before: Content, after: Content, _: Say) -> tuple[Block, ...]:
    """What became of the factors between two contents: which came, went, or are weighed otherwise; occupations too."""
    old = {row["id"]: row for row in written(before, "factors", "text")}
    new = {row["id"]: row for row in written(after, "factors", "text")}
    kinds = kind_words(_)
    unsaid = _("not said")

    def named(row: Mapping[str, Any]) -> str:
        return f"“{row['text']}” ({kinds.get(row.get('kind') or '', unsaid)})"

    rows = [(named(row), _("new"), "") for factor, row in new.items() if factor not in old]
    rows += [(named(row), _("taken out"), "") for factor, row in old.items() if factor not in new]
    for factor, row in new.items():
        if factor in old and (said := _moved(old[factor], row, _)):
            rows.append((named(row), _("changed"), said))
    blocks: list[Block] = []
    if rows:
        columns = (_("Factor"), _("What became of it"), _("From and to"))
        blocks.append(Table(_("Factors since then"), columns, tuple(rows)))
    lines = _occupations_changed(before, after, _)
    if lines:
        blocks.append(Listing(_("Occupations and education since then"), tuple(lines)))
    return tuple(blocks)


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], _: Say) -> str:
    """The figures of a factor that differ, from and to."""
    names = {
        "kind": _("is a"),
        "likelihood": _("likelihood"),
        "impact": _("impact"),
        "controllable": _("in my control"),
        "state": _("does it hold"),
    }
    words: dict[str, dict[str, str]] = {
        "kind": kind_words(_),
        "controllable": control_words(_),
        "state": state_words(_),
    }

    def said(name: str, row: Mapping[str, Any]) -> str:
        value = row.get(name)
        return _("not said") if value is None else words.get(name, {}).get(value, str(value))

    return "; ".join(
        f"{names[name]}: {said(name, before)} → {said(name, after)}"
        for name in ("kind", *FIGURES)
        if before.get(name) != after.get(name)
    )


def _occupations_changed(before: Content, after: Content, _: Say) -> list[str]:
    old = {row["code"]: row["name"] for row in before.get("occupations", ())}
    new = {row["code"]: row["name"] for row in after.get("occupations", ())}
    said = [_("Looked up: %(name)s", name=name) for code, name in new.items() if code not in old]
    said += [_("No longer looked at: %(name)s", name=name) for code, name in old.items() if code not in new]
    levels = education_words(_)
    was, now = before.get("education"), after.get("education")
    if was != now:
        unsaid = _("not said")
        said.append(
            _(
                "Education: %(before)s → %(after)s",
                before=levels.get(was or 0, unsaid),
                after=levels.get(now or 0, unsaid),
            )
        )
    return said
