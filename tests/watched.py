"""Plain JSON values that note which of their parts somebody has looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any


class _Note:
    """Writes each place once to a file, one a line, at once: a test may end in any way."""

    def __init__(self, file: Path) -> None:
        self.file, self.known = file, set[str]()

    def __call__(self, place: str) -> None:
        if place not in self.known:
            self.known.add(place)
            with self.file.open("a", encoding="utf-8") as lines:
                lines.write(place + "\n")


class _Table(dict[Any, Any]):
    """A mapping that notes the keys that are fetched; as a whole when it is compared or listed."""

    def __init__(self, value: dict[str, Any], place: str, note: _Note) -> None:
        super().__init__({key: _wrap(each, f"{place}.{key}", note) for key, each in value.items()})
        self.place, self.note = place, note

    def _whole(self) -> None:
        for key in self.keys():
            self.note(f"{self.place}.{key}")

    def __getitem__(self, key: str) -> Any:
        self.note(f"{self.place}.{key}")
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As a mapping's."""
        self.note(f"{self.place}.{key}")
        return super().get(key, default)

    def items(self) -> Any:
        """As a mapping's."""
        self._whole()
        return super().items()

    def values(self) -> Any:
        """As a mapping's."""
        self._whole()
        return super().values()

    def __eq__(self, other: object) -> bool:
        self._whole()
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment] # as a plain mapping's


class _Row(list[Any]):
    """A list that notes the members that are fetched."""

    def __init__(self, value: list[Any], place: str, note: _Note) -> None:
        super().__init__(_wrap(each, f"{place}[{number}]", note) for number, each in enumerate(value))
        self.place, self.note = place, note

    def __getitem__(self, key: Any) -> Any:
        for number in range(*key.indices(len(self))) if isinstance(key, slice) else [key % len(self)]:
            self.note(f"{self.place}[{number}]")
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[Any]:
        for number, each in enumerate(super().__iter__()):
            self.note(f"{self.place}[{number}]")
            yield each


def _wrap(value: Any, place: str, note: _Note) -> Any:
    if isinstance(value, dict):
        return _Table(value, place, note)
    return _Row(value, place, note) if isinstance(value, list) else value


def watched(value: Any, name: str, log: Path) -> Any:
    """The same value; every part that is looked at is written to `log` as a place, such as `ahp.cases[0].weights`."""
    return _wrap(value, name, _Note(log))


def unread(value: Any, name: str, seen: set[str]) -> list[str]:
    """The places in a plain value that nobody looked at; what is below such a place is not listed again.

    A list of bare figures counts as read with itself, since comparing it as a whole reads it.
    """
    if isinstance(value, dict):
        parts = [(f"{name}.{key}", each) for key, each in value.items()]
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        parts = [(f"{name}[{number}]", each) for number, each in enumerate(value)]
    else:
        return []
    # A list that was handed on whole, such as a matrix, is read with its rows.
    rows = isinstance(value, list) and all(isinstance(each, list) for each in value)
    return [place for part, each in parts for place in (unread(each, part, seen) if part in seen or rows else [part])]
