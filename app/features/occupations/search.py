"""Finds occupations by title, alternate title or code, forgiving of typing errors.

A process keeps which words the names of a release have, read once. A typed word stands for itself, for words that
begin with it, and, where that finds too little, for words a typing error away; a name must have all of them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text

from app.domain.folding import fold
from app.features.occupations.releases import Release, kept
from app.features.occupations.store import words_of
from app.infra.db.open import UnitOfWork

_CODE = re.compile(r"\d{2}-?\d{0,4}(\.\d{0,2})?")
_MOST_WORDS = 6
_LONGEST = 200
_LETTERS = 36
_MOST_LETTERS = 100
# Two stretches longer than this without a common sign are further apart than any error allowed.
_FAR_APART = 2

_FIND = """
SELECT o.code, o.title, t.title AS matched, t.number = 0 AS own, o.job_zone, o.interests IS NOT NULL AS rated
FROM unnest(CAST(:codes AS text[]), CAST(:numbers AS smallint[])) WITH ORDINALITY AS found (code, number, place)
JOIN occupation_titles t ON t.release_id = :release AND t.code = found.code AND t.number = found.number
JOIN occupations o ON o.release_id = :release AND o.code = found.code
ORDER BY found.place
"""
_FIND_CODE = """
SELECT code, title, title AS matched, true AS own, job_zone, interests IS NOT NULL AS rated
FROM occupations WHERE release_id = :release AND starts_with(code, :code) ORDER BY code LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An occupation found: its title, the name that matched, whether that is its own title, whether it is rated."""

    code: str
    title: str
    matched: str
    own: bool
    job_zone: int | None
    rated: bool


@dataclass(frozen=True, slots=True)
class _Index:
    """All names of a release by their words; some five megabytes for 57,000 names.

    `words` has the most frequent first; the names with word w are `rows[starts[w]:starts[w + 1]]`. Of each name:
    its occupation's place in `codes`, its number, how many words it has.
    """

    words: tuple[str, ...]
    place_of: dict[str, int]
    # The words in the order of the alphabet, and the place of each: those that begin alike stand together.
    alphabet: tuple[str, ...]
    places: NDArray[np.int64]
    # By length: the places of the words so long, and how often each letter stands in them.
    lengths: dict[int, tuple[NDArray[np.int64], NDArray[np.int8]]]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    codes: tuple[str, ...]
    occupation: NDArray[np.int32]
    number: NDArray[np.int32]
    size: NDArray[np.int16]

    def with_any(self, words: Iterable[int]) -> NDArray[np.bool_]:
        """Which names have one of the words."""
        found = np.zeros(len(self.size), dtype=np.bool_)
        for word in words:
            found[self.rows[self.starts[word] : self.starts[word + 1]]] = True
        return found


def search(uow: UnitOfWork, typed: str, limit: int, release: Release) -> list[Hit]:
    """At most `limit` occupations for what somebody typed, the best first; empty for nothing that could be a name."""
    query = fold(typed.replace("\x00", " "))[:_LONGEST]
    if _CODE.fullmatch(query):
        code = query if "-" in query or len(query) < 3 else f"{query[:2]}-{query[2:]}"
        of_code = uow.session.execute(text(_FIND_CODE), {"release": release.id, "code": code, "limit": limit})
        return [Hit(*row) for row in of_code]
    words = words_of(query)[:_MOST_WORDS]
    if not words:
        return []
    index = kept(release, "names", lambda: _index(uow, release))
    begun = [_beginning(index, word) for word in words]
    found = _best(index, words, begun, limit) if all(begun) else []
    if len(found) < limit:
        # Too little: what was typed may have errors. A word that is like none is passed over.
        meant = [forms | _alike(index, word) for word, forms in zip(words, begun, strict=True)]
        if meant != begun:
            known = {code for code, _ in found}
            more = _best(index, words, [forms for forms in meant if forms], limit)
            found += [each for each in more if each[0] not in known]
    values = {
        "release": release.id,
        "codes": [code for code, _ in found[:limit]],
        "numbers": [number for _, number in found[:limit]],
    }
    return [Hit(*row) for row in uow.session.execute(text(_FIND), values)] if found else []


def _best(index: _Index, words: Sequence[str], forms: Sequence[set[int]], limit: int) -> list[tuple[str, int]]:
    """The best name of each of at most `limit` occupations, as code and number, among those that fit every word."""
    if not forms:
        return []
    fits = np.ones(len(index.size), dtype=np.bool_)
    for each in forms:
        fits &= index.with_any(each)
    rows = np.flatnonzero(fits)
    # Words as they were typed count for more than words that only begin so or look so; one and many are the same.
    exact = np.zeros(len(rows), dtype=np.int16)
    for word in words:
        same = [index.place_of[w] for w in (word, f"{word}s", word.removesuffix("s")) if w in index.place_of]
        exact += index.with_any(same)[rows]
    size = index.size[rows]
    whole = (exact == len(words)) & (size == len(words))
    own = index.number[rows] == 0
    order = np.lexsort((index.occupation[rows], size, ~own, -exact, ~whole))
    best: dict[int, int] = {}
    for row in rows[order]:
        best.setdefault(int(index.occupation[row]), int(index.number[row]))
        if len(best) == limit:
            break
    return [(index.codes[occupation], number) for occupation, number in best.items()]


def _index(uow: UnitOfWork, release: Release) -> _Index:
    names = uow.session.execute(
        text("SELECT code, number, folded FROM occupation_titles WHERE release_id = :release ORDER BY code, number"),
        {"release": release.id},
    ).all()
    codes = tuple(dict.fromkeys(name.code for name in names))
    place = {code: number for number, code in enumerate(codes)}
    split = [name.folded.split() for name in names]
    often = Counter(word for words in split for word in words)
    words = tuple(sorted(often, key=lambda word: (-often[word], word)))
    place_of = {word: number for number, word in enumerate(words)}
    alphabet = tuple(sorted(words))
    lengths = {}
    for length in {len(word) for word in words}:
        there = [place for place, word in enumerate(words) if len(word) == length]
        counted = np.array([_letters(words[place]) for place in there], dtype=np.int8)
        lengths[length] = np.array(there, dtype=np.int64), counted
    pairs = [(place_of[word], row) for row, each in enumerate(split) for word in each]
    order = np.array(sorted(pairs), dtype=np.int64).reshape(len(pairs), 2)
    return _Index(
        words=words,
        place_of=place_of,
        alphabet=alphabet,
        places=np.array([place_of[word] for word in alphabet], dtype=np.int64),
        lengths=lengths,
        starts=np.searchsorted(order[:, 0], np.arange(len(words) + 1)),
        rows=order[:, 1].copy(),
        codes=codes,
        occupation=np.array([place[name.code] for name in names], dtype=np.int32),
        number=np.array([name.number for name in names], dtype=np.int32),
        size=np.array([len(each) for each in split], dtype=np.int16),
    )


def _letters(word: str) -> list[int]:
    """How often each letter and digit stands in a word; other letters share places with these."""
    counts = [0] * _LETTERS
    for sign in word:
        counts[(ord(sign) - 97 if sign.isalpha() else ord(sign) - 22) % _LETTERS] += 1
    # No word has more of a letter; what is typed may, and must still fit into a small number.
    return [min(count, _MOST_LETTERS) for count in counts]


def _beginning(index: _Index, word: str) -> set[int]:
    """The words a typed word stands for without an error: itself and those that begin with it."""
    first = bisect_left(index.alphabet, word)
    # No letter sorts behind this sign, so that it ends the words that begin alike.
    last = bisect_left(index.alphabet, word + "\U0010ffff", lo=first)
    return set(index.places[first:last].tolist())


def _alike(index: _Index, word: str) -> set[int]:
    """Words one typing error away, two for long words, and words that begin with them; none for very short words."""
    allowed = 0 if len(word) < 4 else 1 if len(word) < 8 else 2
    if not allowed:
        return set()
    letters = np.array(_letters(word), dtype=np.int8)
    meant: set[int] = set()
    for length in range(len(word) - allowed, len(word) + allowed + 1):
        if length not in index.lengths:
            continue
        places, counts = index.lengths[length]
        # A sign too many or too few changes one count, a wrong one two, an exchange none: most words are out so.
        apart = np.abs(counts - letters).sum(axis=1, dtype=np.int16)
        near = places[apart <= 2 * allowed - abs(length - len(word))]
        for place in near.tolist():
            if is_within(word, index.words[place], allowed):
                meant |= _beginning(index, index.words[place])
    return meant


def is_within(one: str, other: str, allowed: int) -> bool:
    """Whether `errors_between` two words is at most `allowed`, without counting where both begin or end alike."""
    if abs(len(one) - len(other)) > allowed:
        return False
    if one == other:
        return True
    first, most = 0, min(len(one), len(other))
    while first < most and one[first] == other[first]:
        first += 1
    last = 0
    while last < most - first and one[-1 - last] == other[-1 - last]:
        last += 1
    one, other = one[first : len(one) - last], other[first : len(other) - last]
    if not one or not other:
        return len(one) + len(other) <= allowed
    if allowed == 1:
        # What differs is one sign, or two that are exchanged.
        return len(one) == len(other) == 1 or (len(one) == len(other) == 2 and one == other[::-1])
    if len(one) > _FAR_APART and len(other) > _FAR_APART and len(set(one) & set(other)) == 0:
        return False
    return errors_between(one, other) <= allowed


def errors_between(one: str, other: str) -> int:
    """The fewest typing errors that make one word of the other: a sign left out, added, wrong, or two exchanged.

    Optimal string alignment distance (Damerau 1964, without editing a place twice).
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, sign in enumerate(one, start=1):
        line = [row]
        for column, against in enumerate(other, start=1):
            cost = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (sign != against))
            if row > 1 and column > 1 and sign == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]
