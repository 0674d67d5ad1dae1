"""Step 5 as blocks of a report or page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.saying import Say
from app.features.plans.rooms import Block, Content, Listing, Paragraph, Picture, Section, Surroundings, Table
from app.features.steps.career_path.ways import (
    aside_milestones,
    kept_route,
    live_milestones,
    matrix_of_ways,
    target_of,
    way_of,
    ways_of,
)
from app.features.steps.career_path.words import begin_words, lack_words, zone_lack, zone_name
from app.features.steps.matrix_words import blocks_of
from app.features.steps.parts import day_of, path_name, way_words
from app.infra.drawing.routes import RouteStop, route_svg


def report_section(content: Content, around: Surroundings, _: Say) -> Section:
    """The chosen way with its reason, where from and where to, the route, milestones, and the ways compared."""
    blocks: list[Block] = []
    if (chosen := way_of(content, content.get("chosen"))) is not None:
        blocks.append(Paragraph(_("The way I choose"), path_name(chosen, _)))
    if content.get("reason"):
        blocks.append(Paragraph(_("Why this way"), content["reason"]))
    if start := start_words(content, _):
        blocks.append(Paragraph(_("Where I stand now"), start))
    target = target_of(content, around.contents)
    if content.get("target") and target is not None:
        blocks.append(Paragraph(_("Where I want to get"), target.name))
    if (route := kept_route(content)) is not None:
        blocks += route_blocks(route["stages"], _("The route I take"), _)
    if milestones := live_milestones(content):
        cells = tuple((row["text"], day_of(row.get("due_on")) or "") for row in milestones)
        blocks.append(Table(_("Milestones"), (_("Milestone"), _("By")), cells))
    if kept := aside_milestones(content):
        lines = tuple(f"{row['text']} ({_way_name(content, row, _)})" for row in kept)
        blocks.append(Listing(_("Milestones set aside, of ways not taken now"), lines))
    matrix = matrix_of_ways(content, lambda row: path_name(row, _))
    blocks += blocks_of(matrix, content, _, heading=_("How the ways compare"), option=_("Way"))
    if paths := ways_of(content):
        blocks.append(_ways(paths, _))
    return Section(_("Career path"), tuple(blocks))


def _ways(paths: Sequence[Mapping[str, Any]], _: Say) -> Table:
    kinds = way_words(_)
    # In older plans one number says how well a way fits.
    fits = any(row.get("fit") for row in paths)
    columns = [_("Way"), _("Kind"), *([_("Fit")] if fits else []), _("What speaks for it"), _("What speaks against it")]
    rows = tuple(
        (
            path_name(row, _),
            kinds.get(row["kind"], ""),
            *([str(row.get("fit") or "")] if fits else []),
            row.get("advantages", ""),
            row.get("drawbacks", ""),
        )
        for row in paths
    )
    return Table(_("Ways compared"), tuple(columns), rows)


def start_words(content: Content, _: Say) -> str:
    """Where the client stands, in words; empty where it is not said."""
    start = content.get("start")
    if not start:
        return ""
    if start.get("none"):
        none = _("no position yet")
        return f"{none}: {start['name']}" if start.get("name") else none
    return str(start.get("name", ""))


def route_blocks(stages: Sequence[Mapping[str, Any]], heading: str, _: Say) -> list[Block]:
    """A route as its picture with a table, and what each hop lacks as lines."""
    picture = route_picture(stages, heading, _)
    lines = tuple(f"{stage['name']}: {sentence}" for stage, sentences in hops(stages, _) for sentence in sentences)
    return [picture, *([Listing(_("What each stage of the route asks beyond what I have"), lines)] if lines else [])]


def route_picture(stages: Sequence[Mapping[str, Any]], heading: str, _: Say) -> Picture:
    """The drawing of a route; its table has each stage with its job zone and code."""
    names = [stage["name"] for stage in stages]
    said = _("%(count)s stages: %(names)s.", count=len(names), names=", ".join(names))
    svg = route_svg(
        [
            RouteStop(stage["name"], stage.get("zone"), _stop_word(number, stages, _), number == len(stages) - 1)
            for number, stage in enumerate(stages)
        ],
        title=heading,
        description=said,
        zones=_("job zone"),
    )
    rows = tuple((stage["name"], zone_name(stage.get("zone"), _), stage.get("code") or "") for stage in stages)
    return Picture(heading, svg, said, (_("Stage"), _("Job zone"), _("Code")), rows)


def _stop_word(number: int, stages: Sequence[Mapping[str, Any]], _: Say) -> str:
    if number == len(stages) - 1:
        return _("Target")
    if number == 0:
        return _("Begin here") if stages[0].get("lack") else _("I stand here")
    return ""


def hops(stages: Sequence[Mapping[str, Any]], _: Say) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Each stage one has to get to, with what that takes in sentences; without a position also the first."""
    return [
        (
            stage,
            [zone_lack(lack.get("zones"), _) if number else begin_words(stage.get("zone"), _), *lack_words(lack, _)],
        )
        for number, stage in enumerate(stages)
        if (lack := stage.get("lack"))
    ]


def _way_name(content: Content, row: Mapping[str, Any], _: Say) -> str:
    way = way_of(content, row.get("path"))
    return path_name(way, _) if way is not None else _("a way that is no longer listed")


def changes_block(before: Content, after: Content, _: Say) -> tuple[Block, ...]:
    """What became of the step between two revisions: another way, another target or route; none: nothing of it."""
    lines = []
    old, new = way_of(before, before.get("chosen")), way_of(after, after.get("chosen"))
    if old is not None and new is not None and old["id"] != new["id"]:
        lines.append(
            _("Another way was taken: “%(new)s” instead of “%(old)s”.", new=path_name(new, _), old=path_name(old, _))
        )
    lines += _changed_start(before, after, _)
    routes = [[stage["name"] for stage in (kept_route(content) or {}).get("stages", ())] for content in (before, after)]
    if routes[0] != routes[1] and routes[1]:
        lines.append(_("The route is now: %(names)s.", names=" → ".join(routes[1])))
    elif routes[0] and not routes[1]:
        lines.append(_("No route is kept any more."))
    first, then = (matrix_of_ways(content, lambda row: path_name(row, _)).leaders for content in (before, after))
    if first and then and first != then:
        names = {row["id"]: path_name(row, _) for row in (*ways_of(before), *ways_of(after))}
        lines.append(
            _(
                "By the criteria “%(new)s” leads now, before it was “%(old)s”.",
                new=", ".join(names[one] for one in then),
                old=", ".join(names[one] for one in first),
            )
        )
    return (Listing(_("What changed on the way"), tuple(lines)),) if lines else ()


def _changed_start(before: Content, after: Content, _: Say) -> list[str]:
    lines = []
    if (old := start_words(before, _)) != (new := start_words(after, _)) and new:
        lines.append(
            _("Where I stand: now %(new)s, before %(old)s.", new=new, old=old)
            if old
            else _("Where I stand: %(new)s.", new=new)
        )
    targets = [(content.get("target") or {}).get("name", "") for content in (before, after)]
    if targets[0] != targets[1]:
        lines.append(
            _("The target is now %(new)s.", new=targets[1])
            if targets[1]
            else _("The target is the occupation chosen in step 4 again.")
        )
    return lines
