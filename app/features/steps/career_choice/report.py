"""Step 4 as blocks of a report or page: the decision, the bars it rests on, the matrix, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.saying import Say
from app.features.occupations.credit import occupation_credit
from app.features.occupations.words import area_words
from app.features.plans.rooms import Block, Cell, Content, Listing, Paragraph, Section, Surroundings, Table
from app.features.steps.career_choice.bars import Scores, match_bars
from app.features.steps.career_choice.content import matrix_of_options
from app.features.steps.career_choice.words import kind_words, percent
from app.features.steps.matrix_words import blocks_of
from app.features.steps.parts import day_of, written


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The choice with its bars, the table of ratings, what would change the leader, earlier and other decisions."""
    rows = {row["id"]: row for row in written(content, "options", "name")}
    chosen, second = (rows.get(content.get(name) or "") for name in ("chosen", "runner_up"))
    blocks: list[Block] = []
    if chosen:
        blocks.append(Paragraph(_("First choice"), chosen["name"]))
    if second:
        blocks.append(Paragraph(_("Runner-up"), second["name"]))
    if content.get("reason"):
        blocks.append(Paragraph(_("My reason"), content["reason"]))
    if chosen and (day := day_of(content.get("decided_on"))):
        blocks.append(Table(_("When I decided"), (_("Choice"), _("Day")), ((chosen["name"], day),)))
    blocks += _recommended(content, _)
    for row in (chosen, second):
        if row and row.get("match"):
            blocks += _match(row, _)
    matrix = matrix_of_options(content)
    blocks += blocks_of(matrix, content, _, heading=_("How the options compare"), option=_("Option"))
    blocks += _earlier(content, _)
    # The key of a release ends in its number: "onet-30.1".
    shown = [row["release"] for row in (chosen, second) if row and row.get("match") and row.get("release")]
    if shown:
        labels = sorted({key.partition("-")[2] or key for key in shown})
        blocks.append(Paragraph(_("Sources"), occupation_credit(labels, _)))
    return Section(_("Career choice"), tuple(blocks))


def _match(row: Mapping[str, Any], _: Say) -> list[Block]:
    match = row["match"]
    if not match.get("person") or not match.get("occupation") or match.get("low") is None:
        return []
    person = Scores(match["person"], match.get("errors"), float(match["low"]), float(match["high"]))
    if not person.low < person.high:
        return []
    heading = _("My interests and: %(name)s", name=row["name"])
    picture = match_bars(heading, area_words(_), person, match["occupation"], _, columns=2)
    return [picture, _saved(row, _)]


def _saved(row: Mapping[str, Any], _: Say) -> Table:
    """What the match said when the option was taken."""
    match = row["match"]
    stays = match.get("stays20"), match.get("stays50")
    unknown = _("not known")
    known: list[tuple[str, Cell]] = [
        (_("Questionnaire"), match["instrument"]),
        (_("Answered on"), day_of(match.get("answered_on")) or unknown),
        (_("Taken into the shortlist on"), day_of(match.get("taken_on")) or unknown),
        (_("Release of the catalogue"), row.get("release") or unknown),
        (_("Correlation of interests"), f"{match['r']:.2f}"),
        (_("Rank"), _("%(rank)s of %(of)s", rank=match["rank"], of=match["of"])),
        (_("Among the first 20 when drawn anew within its error"), _share(stays[0], unknown)),
        (_("Among the first 50 when drawn anew within its error"), _share(stays[1], unknown)),
        (_("Correlation of work values"), unknown if match["values_r"] is None else f"{match['values_r']:.2f}"),
        (_("Skills: share of what is asked"), _share(match["coverage"], unknown)),
        (
            _("Jobs that ask for at most my education"),
            unknown if match["asking_at_most"] is None else f"{match['asking_at_most']:.0f} %",
        ),
    ]
    heading = _("What the match said: %(name)s", name=row["name"])
    return Table(heading, (_("Figure"), _("When it was taken")), tuple(known), folded=True)


def _share(share: float | None, unknown: str) -> str:
    return unknown if share is None else f"{percent(share)} %"


def _recommended(content: Content, _: Say) -> list[Block]:
    words = kind_words(_)
    cells = tuple(
        (
            row["name"],
            words.get(row.get("kind") or "", ""),
            row["reason"],
            row["by_name"],
            day_of(row["on"]) or "",
            day_of(row.get("withdrawn_on")) or "",
        )
        for row in content.get("recommendations", ())
    )
    columns = (_("Occupation"), _("It is"), _("Why"), _("By"), _("On"), _("Withdrawn on"))
    return [Table(_("What was recommended to me"), columns, cells)] if cells else []


def _earlier(content: Content, _: Say) -> list[Block]:
    cells: tuple[tuple[Cell, ...], ...] = tuple(
        (
            row["name"],
            row["runner_up"] or "–",
            row["reason"],
            day_of(row.get("decided_on")) or _("not known"),
            day_of(row.get("until")) or "",
        )
        for row in reversed(content.get("earlier", ()))
    )
    columns = (_("First choice"), _("Runner-up"), _("Reason"), _("Decided on"), _("Until"))
    return [Table(_("Earlier decisions"), columns, cells)] if cells else []


def changes_block(before: Content, after: Content, _: Say) -> tuple[Block, ...]:
    """What became of the choice between two contents: the decision, the shortlist, totals that moved."""
    said = _decision_change(before, after, _)
    old, new = ({row["id"]: row["name"] for row in written(side, "options", "name")} for side in (before, after))
    said += [_("New in the shortlist: %(name)s", name=name) for key, name in new.items() if key not in old]
    said += [_("Gone from the shortlist: %(name)s", name=name) for key, name in old.items() if key not in new]
    blocks: list[Block] = [Listing(_("What became of the choice"), tuple(said))] if said else []
    was, now = _totals(before), _totals(after)
    moved = [key for key in new if key in old and was.get(key) != now.get(key)]
    if moved:
        rows = tuple((new[key], was.get(key) or _("not known"), now.get(key) or _("not known")) for key in moved)
        blocks.append(Table(_("Weighted means that moved"), (_("Option"), _("Before"), _("After")), rows))
    return tuple(blocks)


def _decision_change(before: Content, after: Content, _: Say) -> list[str]:
    names = [
        {row["id"]: row["name"] for row in written(side, "options", "name")}.get(side.get("chosen") or "")
        for side in (before, after)
    ]
    if names[0] == names[1]:
        return []
    return [
        _(
            "First choice: %(before)s before, %(after)s now",
            before=names[0] or _("none"),
            after=names[1] or _("none"),
        )
    ]


def _totals(content: Content) -> dict[str, str]:
    return {key: f"{total:.2f}" for key, total in matrix_of_options(content).totals.items() if total is not None}
