"""The story of a plan so far: for each step what it came to in a line or two, and the days that come next."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.instruments import Instrument
from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.instruments.words import picture_groups
from app.features.plans.rooms import Content
from app.features.plans.words import step_names
from app.features.reports.sources import PlanSource, Source, Taking
from app.features.steps.ambition.values import ranked_values, value_name
from app.features.steps.career_path.ways import kept_route, live_milestones, way_of
from app.features.steps.opportunities.figures import numbered
from app.features.steps.opportunities.words import kind_words
from app.features.steps.parts import action_status, chosen_occupation, day_of, live_actions, live_goals, path_name
from app.features.steps.review.words import review_words

Day = Callable[[date | None], str]
Definitions = Mapping[tuple[Any, int], Instrument]
_MOST_NAMED = 3
_FEWEST_RANKED = 3
_HELPS, _HARMS = ("opportunity", "strength"), ("threat", "weakness")


@dataclass(frozen=True, slots=True)
class NextDay:
    """A day that comes, or that has passed with something still open."""

    on: date
    what: str
    place: str
    late: bool


def clipped(text: str, most: int) -> str:
    """The text in one line, cut behind a word where it is wider than so many letters; a wide sign counts as two."""
    line = " ".join(text.split())
    width = 0
    for at, sign in enumerate(line):
        width += 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        if width > most:
            head = line[:at]
            # Scripts without spaces, and one endless word, are cut where they are.
            whole = head.rpartition(" ")[0]
            return (whole if len(whole) > at // 2 else head).rstrip(" ,;:.–") + "…"
    return line


def told(source: Source, definitions: Definitions, day: Day, _: Say) -> dict[StepKey, str]:
    """For each step what it came to, in the client's own words where they are there; empty where nothing is."""
    plan = source.plan
    contents = plan.contents if plan else {}
    return {
        StepKey.AMBITION: _values(contents.get(StepKey.AMBITION, {}), _),
        StepKey.SELF_ASSESSMENT: _results(source, contents.get(StepKey.SELF_ASSESSMENT, {}), definitions, _),
        StepKey.OPPORTUNITIES: _factors(contents.get(StepKey.OPPORTUNITIES, {}), _),
        StepKey.CAREER_CHOICE: _choice(contents, _),
        StepKey.CAREER_PATH: _way(contents.get(StepKey.CAREER_PATH, {}), _),
        StepKey.GOALS: _goals(contents, day, _),
        StepKey.ACTION_PLAN: _actions(contents, day, _),
        StepKey.REVIEW: _reviews(source, day, _),
    }


def _values(content: Content, _: Say) -> str:
    names = [value_name(row, _) for row in ranked_values(content)[:_MOST_NAMED]]
    if names:
        return _("What matters most at work: %(names)s.", names=", ".join(names))
    return str(content.get("statement") or content.get("why") or "")


def _results(source: Source, content: Content, definitions: Definitions, _: Say) -> str:
    newest: dict[Any, Taking] = {}
    for taking in source.takings:
        newest.setdefault(taking.instrument_id, taking)
    said = [line for taking in newest.values() if (line := _highest(taking, definitions, _))]
    return " ".join([*said, content.get("fits") or ""]).strip()


def _highest(taking: Taking, definitions: Definitions, _: Say) -> str:
    """The highest scores of scales with one range; with fewer than four scales they are no choice of some."""
    definition = definitions[taking.instrument_id, taking.version]
    groups = picture_groups([(scale.low, scale.high) for scale in definition.scales])
    group = max(groups, key=len)
    known = [(score, definition.scales[n].title) for n in group if (score := taking.scores[n]) is not None]
    if len(known) <= _FEWEST_RANKED:
        return ""
    names = [title for _score, title in sorted(known, key=lambda one: -one[0])[:_MOST_NAMED]]
    return _("%(title)s, highest scores: %(names)s.", title=definition.title, names=", ".join(names))


def _factors(content: Content, _: Say) -> str:
    words = kind_words(_)
    rows = numbered(content)
    found = [next((row for row in rows if row.get("kind") in kinds), None) for kinds in (_HELPS, _HARMS)]
    return "; ".join(f"{words[row['kind']]}: {row['text']}" for row in found if row)


def _choice(contents: Mapping[StepKey, Content], _: Say) -> str:
    content = contents.get(StepKey.CAREER_CHOICE, {})
    chosen = chosen_occupation(contents)
    if chosen is None:
        options = [row["name"] for row in content.get("options", ()) if row.get("name")]
        return _("Options looked at: %(names)s.", names=", ".join(options)) if options else ""
    second = next((row["name"] for row in content["options"] if row["id"] == content.get("runner_up")), None)
    if second:
        return _("First choice: %(first)s. Runner-up: %(second)s.", first=chosen.name, second=second)
    return _("First choice: %(first)s.", first=chosen.name)


def _way(content: Content, _: Say) -> str:
    said = []
    if (chosen := way_of(content, content.get("chosen"))) is not None:
        said.append(_("The way: %(way)s.", way=path_name(chosen, _)))
    if (route := kept_route(content)) is not None:
        said.append(_("The route: %(names)s.", names=" → ".join(stage["name"] for stage in route["stages"])))
    return " ".join(said)


def _open_goals(contents: Mapping[StepKey, Content]) -> list[Mapping[str, Any]]:
    return [row for row in live_goals(contents) if (row.get("status") or "open") == "open"]


def _open_actions(contents: Mapping[StepKey, Content]) -> list[Mapping[str, Any]]:
    return [row for row in live_actions(contents) if action_status(row) != "done"]


def _soonest(rows: Sequence[Mapping[str, Any]], day: Day) -> str:
    """The row due first with its day, else the first there is."""
    row = min(rows, key=lambda row: row.get("due_on") or "9999")
    due = day_of(row.get("due_on"))
    return f"“{row['text']}” ({day(due)})" if due else f"“{row['text']}”"


def _goals(contents: Mapping[StepKey, Content], day: Day, _: Say) -> str:
    goals, still = live_goals(contents), _open_goals(contents)
    if not goals:
        return ""
    if not still:
        return _("All goals are reached: %(count)s.", count=len(goals))
    return _("Goals: %(count)s. Next: %(next)s.", count=len(goals), next=_soonest(still, day))


def _actions(contents: Mapping[StepKey, Content], day: Day, _: Say) -> str:
    actions, still = live_actions(contents), _open_actions(contents)
    if not actions:
        return ""
    done = len(actions) - len(still)
    if not still:
        return _("All %(count)s actions are done.", count=len(actions))
    return _("%(done)s of %(all)s done. Next: %(next)s.", done=done, all=len(actions), next=_soonest(still, day))


def _reviews(source: Source, day: Day, _: Say) -> str:
    words = review_words(_)
    said = []
    if source.reviews:
        on, state, outcome = source.reviews[0]
        said.append(f"{day(on)}: {words.get(outcome or state, _('answered'))}.")
    if source.plan and source.plan.next_review_on:
        said.append(_("Next on %(day)s.", day=day(source.plan.next_review_on)))
    return " ".join(said)


def next_days(source: Source, plan: PlanSource, today: date, _: Say) -> list[NextDay]:
    """What has a day and is still open, the earliest first; what the client dropped or set aside is not in it."""
    steps = step_names(_)
    found: list[NextDay] = []

    def add(on: date | None, what: str, key: StepKey) -> None:
        if on is not None:
            found.append(NextDay(on, what, f"{key.number} {steps[key]}", on < today))

    add(plan.next_review_on, _("Next review"), StepKey.REVIEW)
    for on in source.meetings:
        add(on, _("Meeting about the check-in"), StepKey.REVIEW)
    for line in plan.steps:
        if line.status not in ("completed", "submitted", "skipped"):
            add(line.due_on, _("The step is due"), line.key)
    for key, row in _dated(plan.contents):
        add(day_of(row.get("due_on")), row["text"], key)
    return sorted(found, key=lambda one: (one.on, one.place, one.what))


def _dated(contents: Mapping[StepKey, Content]) -> Iterator[tuple[StepKey, Mapping[str, Any]]]:
    """Goals, actions and milestones that are still open."""
    for row in live_milestones(contents.get(StepKey.CAREER_PATH, {})):
        yield StepKey.CAREER_PATH, row
    for row in _open_goals(contents):
        yield StepKey.GOALS, row
    for row in _open_actions(contents):
        yield StepKey.ACTION_PLAN, row
