"""Routes through related occupations: right, different, and quick on the whole catalogue."""

from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.routes import Network, Position, SkillStep, lacks, network, routes
from tests.domain import onet_files

RELATIONS = {
    "a": [("b", 1), ("c", 2)],
    "b": [("d", 1)],
    "c": [("d", 1)],
    "d": [("e", 1)],
    "far": [("away", 1)],
}


def test_routes_are_chains_that_share_only_their_ends() -> None:
    net = network(RELATIONS, {})
    found = routes(net, ["a"], "d")
    assert [route.codes for route in found] == [("a", "b", "d"), ("a", "c", "d")]
    assert found[0].cost < found[1].cost
    assert [route.codes for route in routes(net, ["a"], "b")] == [("a", "b"), ("a", "c", "d", "b")]


def test_where_no_route_leads_there_is_none() -> None:
    net = network(RELATIONS, {})
    assert routes(net, ["a"], "away") == []
    assert routes(net, ["a"], "unknown") == []
    assert routes(net, ["unknown"], "a") == []
    assert routes(net, ["a"], "a") == []
    assert routes(net, ["a"], "e", hops=2) == []
    assert routes(network({}, {}), ["a"], "b") == []


def test_a_stage_in_every_zone_is_nearer_than_a_jump_over_zones() -> None:
    net = network(
        {"helper": [("chief", 1), ("worker", 2)], "worker": [("chief", 3)]}, {"helper": 1, "worker": 3, "chief": 5}
    )
    assert routes(net, ["helper"], "chief")[0].codes == ("helper", "chief")
    steps = network(
        {"helper": [("chief", 1), ("worker", 1)], "worker": [("chief", 1)]}, {"helper": 2, "worker": 3, "chief": 5}
    )
    # One hop over two zones costs 1 + 2 x 1.5; two hops, one of them over one zone, 2 + 1.5.
    assert routes(steps, ["helper"], "chief")[0].codes == ("helper", "worker", "chief")


def test_with_several_starts_each_route_begins_at_another() -> None:
    found = routes(network(RELATIONS, {}), ["b", "c"], "e")
    assert [route.codes for route in found] == [("b", "d", "e")]
    found = routes(network(RELATIONS, {}), ["b", "c"], "d")
    assert [route.codes for route in found] == [("b", "d"), ("c", "d")]


CODES = st.sampled_from("abcdefghij")
GRAPHS = st.dictionaries(CODES, st.lists(CODES, max_size=4, unique=True), min_size=1)


def plain_cost(net: Network, start: str, target: str) -> float:
    """Dijkstra without its queue, one relation after the other."""
    cost = {start: 0.0}
    for _ in range(len(net.codes)):
        for source, goal, step in zip(net.sources, net.targets, net.costs, strict=True):
            if net.codes[source] in cost:
                further = cost[net.codes[source]] + step
                cost[net.codes[goal]] = min(further, cost.get(net.codes[goal], further))
    return cost.get(target, float("inf"))


@given(graph=GRAPHS, start=CODES, target=CODES, zones=st.dictionaries(CODES, st.integers(1, 5)))
def test_the_first_route_is_the_cheapest_and_all_are_real(
    graph: dict[str, list[str]], start: str, target: str, zones: dict[str, int]
) -> None:
    relations = {code: [(other, rank) for rank, other in enumerate(each, start=1)] for code, each in graph.items()}
    net = network(relations, zones)
    related = {(a, b) for a, each in graph.items() for b in each}
    related |= {(b, a) for a, b in related}
    found = routes(net, [start], target, hops=len(net.codes))
    best = plain_cost(net, start, target) if start != target else float("inf")
    assert (found[0].cost if found else float("inf")) == pytest.approx(best)
    seen: set[str] = set()
    for route in found:
        assert (route.codes[0], route.codes[-1]) == (start, target)
        assert all(pair in related for pair in pairwise(route.codes))
        assert len(set(route.codes)) == len(route.codes)
        assert not seen & set(route.codes[1:-1])
        seen |= set(route.codes[1:-1])
    assert len({route.codes for route in found}) == len(found) <= 3
    assert [route.cost for route in found] == sorted(route.cost for route in found)


@pytest.mark.data
def test_the_whole_catalogue_is_searched_in_under_30_ms(record_property: pytest.FixtureRequest) -> None:
    relations: dict[str, list[tuple[str, int]]] = {}
    for row in onet_files.rows("30.1", "Related Occupations.txt"):
        relations.setdefault(row["O*NET-SOC Code"], []).append((row["Related O*NET-SOC Code"], int(row["Index"])))
    assert sum(map(len, relations.values())) == 18460
    zones = {row["O*NET-SOC Code"]: int(row["Job Zone"]) for row in onet_files.rows("30.1", "Job Zones.txt")}
    net = network(relations, zones)
    # From a waiter to a chief executive, and from anything in the lowest zones to an astronomer.
    for starts, target in ((["35-3031.00"], "11-1011.00"), ([c for c, z in zones.items() if z <= 2], "19-2011.00")):
        fastest = 1.0
        for _ in range(5):
            begun = perf_counter()
            found = routes(net, starts, target)
            fastest = min(fastest, perf_counter() - begun)
        assert len(found) == 3
        assert fastest < 0.03


def test_a_hop_says_what_it_lacks() -> None:
    here = Position(2, None, {"reading": (4.0, 3.0), "maths": (3.0, 2.0), "lifting": (2.0, 1.0)})
    there = Position(
        4,
        [0, 40, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0],
        {"reading": (4.0, 5.0), "maths": (3.0, 4.5), "lifting": (2.0, 6.0), "art": (5.0, 5.0)},
    )
    found = lacks(here, there, 2, {"maths": 4.2})
    assert (found.zones, found.asking_at_most, found.education_steps) == (2, 40, 4)
    # Art was never measured on the first side; lifting is not important; in maths one's own rating is enough.
    assert found.skills == (SkillStep("reading", 5.0, 3.0),)


def test_what_is_not_known_is_not_called_a_lack() -> None:
    nothing = Position(None, None, {})
    found = lacks(nothing, nothing, None, None)
    assert (found.zones, found.asking_at_most, found.education_steps, found.skills) == (None, None, None, None)
    assert lacks(None, Position(3, None, {"maths": (4.0, 4.0)}), None, {"maths": 4.0}).skills == ()
