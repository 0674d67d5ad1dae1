"""Things that point at each other: circles, found and named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Links = Mapping[str, Sequence[str]]


def circles(links: Links) -> list[tuple[str, ...]]:
    """The circles among `links` (id to the ids it points at), each once, beginning at its first id in the mapping.

    Of several circles through the same ids one is named, so that mending it and asking again finds the next. Ids
    pointed at that are no key of the mapping lead nowhere. An id that points at itself is a circle of one.
    """
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in links:
        if start not in done:
            found += _from(start, links, done)
    order = {name: number for number, name in enumerate(links)}
    return [_turned(circle, order) for circle in found]


def in_order(links: Links) -> list[str]:
    """The ids so that each comes after all it points at, otherwise as in the mapping. Raises ValueError on a circle."""
    if found := circles(links):
        raise ValueError("a circle: " + " → ".join(found[0]))
    ordered: list[str] = []
    done: set[str] = set()
    for start in links:
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            name, left = stack.pop()
            if left and name not in done:
                done.add(name)
                ordered.append(name)
            elif not left and name not in done:
                stack.append((name, True))
                stack += [(other, False) for other in reversed(links[name]) if other in links and other not in done]
    return ordered


def below(links: Links, starts: Iterable[str]) -> set[str]:
    """All ids that can be reached from `starts` along `links`, without the starts unless a circle leads back."""
    reached: set[str] = set()
    waiting = [name for start in starts for name in links.get(start, ())]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += links.get(name, ())
    return reached


def _from(start: str, links: Links, done: set[str]) -> list[tuple[str, ...]]:
    # A walk without recursion: a chain of hundreds must not exhaust the stack.
    found: list[tuple[str, ...]] = []
    path: list[str] = [start]
    place = {start: 0}
    left = [iter(links[start])]
    while path:
        name = next(left[-1], None)
        if name is None:
            left.pop()
            gone = path.pop()
            del place[gone]
            done.add(gone)
        elif name in place:
            found.append(tuple(path[place[name] :]))
        elif name in links and name not in done:
            place[name] = len(path)
            path.append(name)
            left.append(iter(links[name]))
    return found


def _turned(circle: tuple[str, ...], order: Mapping[str, int]) -> tuple[str, ...]:
    first = min(range(len(circle)), key=lambda number: order[circle[number]])
    return circle[first:] + circle[:first]
