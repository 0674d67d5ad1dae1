"""Which long passwords are easily guessed, by rule.

This is not a copy of a list of breached passwords: Octant ships none (docs/adr/0003). It takes away
what guessers combine first (common base words with the usual letter swaps, years and short numbers,
runs along the keyboard or the alphabet, repeats, and what is known of the person) and refuses a
password of which too little is left. An operator can add a real list by `OCTANT_COMMON_PASSWORDS_FILE`.
"""

from __future__ import annotations

import re

# Characters that must be left once everything guessable is taken away.
_ENOUGH = 6
_SWAPS = str.maketrans("0134578@$!|", "oleastbasil")
# The bases people reach for, longest first where one holds another; in the languages of the pages.
_BASES = re.findall(
    r"\w+",
    "administrator verysecurepassword correcthorsebatterystaple mypassword password passwort passphrase passcode pass "
    "letmein welcome iloveyou iloveu sunshine princess football baseball basketball superman batman starwars pokemon "
    "monkey dragon master shadow killer trustno secret changeme change temporary temp default guest login signin "
    "qwertyuiop qwerty azerty qwertz admin root user test testing demo student university college career octant "
    "computer internet google facebook michael jennifer jordan charlie summer winter spring autumn monday january "
    "freedom whatever nothing hello world love mother father family forever woaini mima nihao zhongguo "
    "the and my is one two three four five six seven eight nine ten abc xyz",
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qwertzuiop", "1234567890", "abcdefghijklmnopqrstuvwxyz")
_RUN = 3


def is_common(password: str, about: tuple[str, ...] = ()) -> bool:
    """Whether fewer than six characters of `password` are left when everything guessable is taken away.

    `about` are texts others know of the person: their words of three letters or more count as guessable.
    """
    plain = password.casefold()
    return min(len(_residue(plain, about)), len(_residue(plain.translate(_SWAPS), about))) < _ENOUGH


def _residue(text: str, about: tuple[str, ...]) -> str:
    known = {word for source in about for word in re.split(r"[\W_]+", source.casefold()) if len(word) > 2}
    text = re.sub(r"[\W_]+", "", text)
    for word in sorted(known | set(_BASES), key=len, reverse=True):
        text = text.replace(word, "\0")
    text = _without_runs(re.sub(r"([^\0])\1+", r"\1", text))
    # Years, dates and short numbers; a longer group that is no run may be as random as letters.
    text = re.sub(r"(?<!\d)\d{1,8}(?!\d)", "\0", text)
    text = re.sub(r"(.{1,6}?)\1+", r"\1", text)
    text = text.replace("\0", "")
    # Ten letters of which only two differ are one idea, not ten.
    return text if len(set(text)) > 2 else text[:2]


def _without_runs(text: str) -> str:
    rows = [row for given in _ROWS for row in (given, given[::-1])]
    kept, at = [], 0
    while at < len(text):
        length = max((_shared(text, at, row) for row in rows), default=0)
        if length > _RUN:
            kept.append("\0")
            at += length
        else:
            kept.append(text[at])
            at += 1
    return "".join(kept)


def _shared(text: str, at: int, row: str) -> int:
    """How many characters from `at` on follow `row`, wherever they begin in it."""
    begin = row.find(text[at])
    length = 0
    while (
        begin >= 0
        and at + length < len(text)
        and begin + length < len(row)
        and text[at + length] == row[begin + length]
    ):
        length += 1
    return length
