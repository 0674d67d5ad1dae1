"""A story of the demonstration as the rooms of the eight steps hold it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.demo.stories import Story
from app.domain.goals import SMART
from app.domain.pairs import pair_order
from app.domain.steps import StepKey
from app.features.steps.ambition.deck import DECK, PILES
from app.features.steps.goals.content import LEVELS

# The fact of a match that each criterion of a choice goes with, where there is one.
_FACTS = (None, "interests", "education", "skills", "environment")
_WEIGHTS = (7, 9, 5, 6, 4)
# The chosen option first, each next one a little weaker, not on every criterion; the last stands for all others.
_RATINGS = ((5, 5, 4, 4, 3), (3, 4, 4, 5, 4), (4, 3, 3, 3, 5), (2, 4, 3, 3, 3))
_MOST_TIMES = 9


@dataclass(frozen=True, slots=True)
class Telling:
    """What a story is told with: the day, which person tells it, and the catalogue of occupations (code to title)."""

    today: date
    turn: int = 0
    release: str | None = None
    titles: Mapping[str, str] | None = None

    def known(self, story: Story) -> list[str]:
        """The codes of the story's options that the catalogue has; the first is the one to be chosen."""
        return [code for code in story.codes if self.titles and code in self.titles]

    def occupation(self, code: str) -> dict[str, Any]:
        """An occupation of the catalogue as rooms keep it."""
        return {"name": (self.titles or {})[code], "code": code, "release": self.release}


def content_of(story: Story, step: StepKey, telling: Telling, before: Mapping[str, Any]) -> dict[str, Any]:
    """What the story says in one step, over what the room holds already; empty for step 8, which holds nothing."""
    tell = _TOLD.get(step)
    return {} if tell is None else tell(story, telling, before)


def _ambition(story: Story, telling: Telling, _before: Mapping[str, Any]) -> dict[str, Any]:
    # The cards on top in the story's order, the others dealt out, each person in a different way.
    rest = [card for card in DECK if card not in story.cards]
    piles = [{"id": card, "pile": PILES[0]} for card in story.cards]
    piles += [{"id": card, "pile": PILES[1 + (place * 7 + telling.turn) % 3]} for place, card in enumerate(rest)]
    pairs = [sorted(pair, key=story.cards.index) for pair in pair_order(story.cards)]
    return {
        "statement": story.ambition,
        "why": story.why,
        "role_models": [{"id": "m1", "name": story.model[0], "why": story.model[1]}],
        "cards": piles,
        "values": [{"id": card, "name": "", "card": card} for card in story.cards],
        "pairs": [{"preferred": first, "other": second} for first, second in pairs],
    }


def _assessment(story: Story, _telling: Telling, _before: Mapping[str, Any]) -> dict[str, Any]:
    return {"fits": story.fits, "surprises": story.surprises, "adds": ""}


def _opportunities(story: Story, telling: Telling, _before: Mapping[str, Any]) -> dict[str, Any]:
    looked_up = [telling.occupation(code) | {"id": f"l{n}"} for n, code in enumerate(telling.known(story))]
    link = {name: looked_up[0][name] for name in ("code", "release")} if looked_up else None
    names = ("text", "kind", "controllable", "likelihood", "impact", "source", "area", "what_i_do")
    return {
        "factors": [
            dict(zip(names, factor, strict=True))
            | {
                "id": f"f{n}",
                "noted_on": (telling.today - timedelta(days=20 + n)).isoformat(),
                "occupation": None if n else link,
            }
            for n, factor in enumerate(story.factors)
        ],
        "occupations": looked_up,
        "education": story.education,
    }


def _choice(story: Story, telling: Telling, before: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were taken from the catalogue stay, in their order; without enough of them the story's own."""
    criteria = [
        {"id": f"c{n}", "name": name, "weight": weight, "fact": fact}
        for n, (name, weight, fact) in enumerate(zip(story.criteria, _WEIGHTS, _FACTS, strict=True))
    ]
    options = [dict(row) for row in before.get("options", ()) if row.get("name")]
    own = [{"id": f"o{n}", "name": name} for n, name in enumerate(story.options)]
    options += own[len(options) :]
    for place, row in enumerate(options):
        rated = _RATINGS[min(place, len(_RATINGS) - 1)]
        row["ratings"] = {f"c{n}": rating for n, rating in enumerate(rated)}
    return {
        "criteria": criteria,
        "options": options,
        "pairs": _pairs(criteria) if telling.turn % 3 == 1 else [],
        "weighting": "pairs" if telling.turn % 3 == 1 else "direct",
        "chosen": options[0]["id"],
        "runner_up": options[1]["id"],
        "reason": story.reason,
    }


def _pairs(criteria: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every two criteria compared as their weights say, a little exaggerated, as people do."""
    found = []
    for one in range(len(criteria)):
        for two in range(one + 1, len(criteria)):
            first, second = sorted((criteria[one], criteria[two]), key=lambda row: -row["weight"])
            times = min(_MOST_TIMES, round((first["weight"] / second["weight"]) ** 1.5))
            found.append({"first": first["id"], "second": second["id"], "times": times})
    return found


def _path(story: Story, telling: Telling, _before: Mapping[str, Any]) -> dict[str, Any]:
    aim = telling.occupation(story.aim) if story.aim and telling.titles and story.aim in telling.titles else None
    return {
        "criteria": [
            {"id": f"k{n}", "name": name, "weight": weight}
            for n, (name, weight) in enumerate(zip(story.way_criteria, (6, 4), strict=True))
        ],
        "paths": [
            {
                "id": f"p{n}",
                "kind": kind,
                "name": name,
                "advantages": says,
                "drawbacks": story.drawback if n else "",
                "ratings": {"k0": 5 - n, "k1": 4 - n},
            }
            for n, (kind, name, says) in enumerate((story.path, story.other_path))
        ],
        "chosen": "p0",
        "reason": story.reason,
        "start": {"name": "", "code": None, "release": None, "none": True},
        "target": aim and aim | {"none": False},
        "milestones": [
            {"id": f"m{n}", "text": text, "due_on": (telling.today + timedelta(days=500 + 900 * n)).isoformat()}
            for n, text in enumerate(story.milestones)
        ],
    }


def _goals(story: Story, telling: Telling, _before: Mapping[str, Any]) -> dict[str, Any]:
    return {"goals": [_goal(story, n, telling) for n in range(len(story.goals))]}


def _goal(story: Story, number: int, telling: Telling) -> dict[str, Any]:
    horizon, text, measure = story.goals[number]
    ahead = {"short": 240, "medium": 1400, "long": 2900}.get(horizon)
    answers = {key: {"yes": True, "why": why} for key, why in zip(SMART, story.smart, strict=True)}
    return {
        "id": f"g{number}",
        "horizon": horizon,
        "text": text,
        "measure": measure,
        "due_on": None if ahead is None else (telling.today + timedelta(days=ahead)).isoformat(),
        "parent": "g1" if number == 0 else None,
        # What belongs to the chosen way is kept aside when another one is taken.
        "path": "p0" if number == 1 else None,
        "weight": (4, 3, 2)[number % 3],
        "smart": {} if number else answers,
        "levels": {} if number else dict(zip(LEVELS, story.levels, strict=True)),
        "level": None if number else (-1, 0, 0, 1)[telling.turn % 4],
    }


def _actions(story: Story, telling: Telling, _before: Mapping[str, Any]) -> dict[str, Any]:
    return {"hours_a_week": 8, "actions": [_action(story, n, telling) for n in range(len(story.actions))]}


def _action(story: Story, number: int, telling: Telling) -> dict[str, Any]:
    kind, text, goal = story.actions[number]
    start = telling.today + timedelta(days=40 * number - 30)
    done = number == 0 and telling.turn % 2 == 0
    return {
        "id": f"a{number}",
        "kind": kind,
        "text": text,
        "start_on": start.isoformat(),
        # The first is a little late where it is not done, so that lists of what is overdue have something to show.
        "due_on": (start + timedelta(days=25 + 40 * number)).isoformat(),
        "after": [f"a{number - 1}"] if number == 2 else [],
        "status": "done" if done else "planned" if number else "begun",
        "hours": 16 if number == 1 else None,
        "hours_week": None if number == 1 else (4, 3, 6)[number % 3],
        "evidence": story.proof if done else "",
        "evidence_link": "https://files.example.org/confirmation.pdf" if done else "",
        "goal": f"g{goal}",
    }


_TOLD: Mapping[StepKey, Callable[[Story, Telling, Mapping[str, Any]], dict[str, Any]]] = {
    StepKey.AMBITION: _ambition,
    StepKey.SELF_ASSESSMENT: _assessment,
    StepKey.OPPORTUNITIES: _opportunities,
    StepKey.CAREER_CHOICE: _choice,
    StepKey.CAREER_PATH: _path,
    StepKey.GOALS: _goals,
    StepKey.ACTION_PLAN: _actions,
}
