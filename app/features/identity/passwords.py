"""Passwords: how they are hashed, and which are refused.

Parameters: argon2id with 19 MiB, two passes, one lane (TRUST S4, about 30 ms on one core). A hash
holds its memory while it runs, so at most four run at once in a process; the others wait.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext

from app.domain.errors import FieldProblem, InvalidInput
from app.features.identity.common_passwords import is_common

SHORTEST = 15
LONGEST = 128
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)
_AT_ONCE = threading.BoundedSemaphore(4)


def _normal(password: str) -> str:
    """One spelling per password: NFKC, so that a phone's and a desktop's keyboard give the same characters."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    """The encoded argon2id hash, salt and parameters included."""
    with _AT_ONCE:
        return _HASHER.hash(_normal(password))


@cache
def _dummy_hash() -> str:
    return hash_password("nobody has this password, it only costs the same time")


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`.

    Without a stored hash the same work is done on a dummy and the answer is False, so that an
    unknown account takes as long as a wrong password. So does a text longer than any password.
    """
    known = stored is not None and len(password) <= LONGEST
    target = stored if stored is not None and known else _dummy_hash()
    try:
        with _AT_ONCE:
            _HASHER.verify(target, _normal(password) if known else "")
    except (VerificationError, InvalidHashError):
        return False
    return known


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def check_password(password: str, *, about: tuple[str, ...], list_file: str, field: str = "password") -> None:
    """Raise InvalidInput naming `field` when a new password is too short, too long or easily guessed.

    `about` are words that others know of the person: name, e-mail, organization. `list_file` is the
    operator's own list of known passwords, or "".
    """
    text = _normal(password)
    sentence = ""
    if len(text) < SHORTEST:
        sentence = gettext(
            "Use at least %(count)s characters. A few words in a row are easy to remember.", count=SHORTEST
        )
    elif len(text) > LONGEST:
        sentence = gettext("Use at most %(count)s characters.", count=LONGEST)
    elif is_common(text, about) or _fold(text) in _listed(list_file):
        sentence = gettext("This password is among the first that others would try. Choose another one.")
    if sentence:
        raise InvalidInput([FieldProblem(field, sentence)])


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@cache
def _listed(path: str) -> frozenset[str]:
    """The entries of the operator's list that are long enough to be a password at all."""
    if not path:
        return frozenset()
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        return frozenset(_fold(line.rstrip("\r\n")) for line in lines if len(line) > SHORTEST)
