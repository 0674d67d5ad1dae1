"""A route search as step 5 asks for it; the floor are the numpy passes over the same hops, without routes in them.

The network is generated in the measurement's own database: 923 occupations in five job zones with 20 relations each
(18,460), most of them near by, with skills and required education, so that every stage has something to compare.
"""

from __future__ import annotations

import random

import numpy as np

from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.domain import access
from app.domain.routes import MOST_HOPS, MOST_ROUTES, Network
from app.domain.steps import StepKey
from app.features.occupations import store
from app.features.occupations.content import Content, Release
from app.features.occupations.releases import find_release
from app.features.occupations.stages import stages_of
from app.features.steps.career_path.finder import find_routes

_RELATIONS = 20
_SKILLS = 35
_PAIRS = 40
_AT_MOST_SECONDS = 0.030
_LEVELS = 12


def _network(occupations: int) -> Content:
    chance = random.Random(11)  # noqa: S311 - a network to measure, no secret
    codes = [f"{11 + 2 * (n % 23)}-{1000 + n // 23:04d}.00" for n in range(occupations)]
    skills = {f"2.A.{n}": f"Skill {n}" for n in range(_SKILLS)}
    relations = []
    for number, code in enumerate(codes):
        # Three of four lie within fifty places, the others anywhere.
        near = [(number + offset) % occupations for offset in range(-50, 51) if offset]
        there = chance.sample(near, 15)
        while len(there) < _RELATIONS:
            other = chance.randrange(occupations)
            if other != number and other not in there:
                there.append(other)
        relations += [(code, rank, codes[other], "Primary-Short") for rank, other in enumerate(there, start=1)]
    return Content(
        release=Release("onet", "bench", {"occupations": {"release": "bench"}}, {"skills": skills}),
        occupations=[
            {
                "code": code,
                "title": f"Occupation {number}",
                "description": "Generated.",
                "job_zone": 1 + number * 5 // occupations,
                "education": [round(100 / _LEVELS, 2)] * _LEVELS,
                "sources": {},
            }
            for number, code in enumerate(codes)
        ],
        titles=[(code, f"Occupation {number}") for number, code in enumerate(codes)],
        relations=relations,
        skills={
            (code, element): [chance.uniform(1, 5), chance.uniform(0, 7), False, False]
            for code in codes
            for element in skills
        },
    )


def _passes(net: Network, start: int) -> None:
    """All hops relaxed six times for each of three routes: the arithmetic alone."""
    for _ in range(MOST_ROUTES):
        reach = np.full(len(net.codes), np.inf)
        reach[start] = 0.0
        for _hop in range(MOST_HOPS):
            best = reach.copy()
            here = np.minimum.reduceat(reach[net.sources] + net.costs, net.starts)
            best[net.reached] = np.minimum(best[net.reached], here)
            reach = best


def measure(place: Place, relations: int, *, limit: float | None, runs: int = 5) -> Measured:
    """One search in an open transaction, its release already read: up to three routes with what each hop lacks."""
    occupations = relations // _RELATIONS
    owner = place.settings.owner_database_url
    assert owner is not None
    key = store.store(owner, _network(occupations)).key
    actor = access.system(place.organization())
    with place.runtime.database.unit_of_work(actor) as uow:
        release = find_release(uow, key)
        assert release is not None
        stages = stages_of(uow, release)
    net = stages.net
    assert sum(len(each) for each in stages.related.values()) == relations, relations
    chance = random.Random(5)  # noqa: S311 - which pairs are asked, no secret
    pairs = [tuple(chance.sample(range(occupations), 2)) for _ in range(_PAIRS)]
    own = dict.fromkeys(stages.skills.elements, 3.0)

    def floor(_: int) -> float:
        with stopwatch() as seconds:
            for start, _goal in pairs:
                _passes(net, start)
            return seconds() / _PAIRS

    def ours(_: int) -> float:
        with place.runtime.database.unit_of_work(actor) as uow, stopwatch() as seconds:
            for start, goal in pairs:
                content = {
                    name: {"name": "", "code": net.codes[row], "release": key, "none": False}
                    for name, row in (("start", start), ("target", goal))
                }
                found = find_routes(uow, content, {StepKey.OPPORTUNITIES: {"education": 6}}, own)
                assert found.routes, found.why
            return seconds() / _PAIRS

    return interleaved(
        "route search, 923 occupations",
        relations,
        floor,
        ours,
        limit=limit,
        runs=runs,
        at_most_seconds=_AT_MOST_SECONDS,
    )
