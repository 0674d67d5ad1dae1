"""S4: which passwords are taken, and how they are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain.errors import InvalidInput
from app.features.identity.passwords import check_password, hash_password, needs_rehash, verify_password

ABOUT = ("Mary Murphy", "mary.murphy@uni.example", "Riverside Career Centre")


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars",
        "passwordpassword",
        "P@ssw0rd2024!!!!",
        "correcthorsebatterystaple",
        "qwertyuiopasdfghjkl",
        "aaaaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "iloveyou20242024",
        "123456789012345",
        "11223344556677889900",
        "welcomewelcome2026",
        "MaryMurphy@uni.example1",
        "riverside-career-centre",
        "abababababababababab",
        "zyxwvutsrqponmlk",
        "x" * 129,
    ],
)
def test_guessable_short_and_endless_passwords_are_refused(password: str) -> None:
    with pytest.raises(InvalidInput):
        check_password(password, about=ABOUT, list_file="")


@pytest.mark.parametrize(
    "password",
    [
        "seven quiet lanterns drift",
        "my dog ate four blue socks",
        "ahjw8912ndkslq01",
        "安静的灯笼漂在河上慢慢走远了呢呀",
        "only lower case here",
        "ünïcode is fïne hère",
    ],
)
def test_long_passwords_need_no_digits_or_signs(password: str) -> None:
    check_password(password, about=ABOUT, list_file="")


def test_the_operators_own_list_is_refused(tmp_path: Path) -> None:
    listed = tmp_path / "known.txt"
    listed.write_text("short\nSeven Quiet Lanterns Drift\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="first that others would try"):
        check_password("seven quiet lanterns drift", about=(), list_file=str(listed))


def test_s4_hashes_are_argon2id_with_the_agreed_cost() -> None:
    stored = hash_password("seven quiet lanterns drift")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not needs_rehash(stored)
    assert verify_password(stored, "seven quiet lanterns drift")
    assert not verify_password(stored, "seven quiet lanterns drifT")
    assert not verify_password(None, "seven quiet lanterns drift")
    assert not verify_password(stored, "x" * 10_000)


def test_one_password_typed_on_two_keyboards_is_one_password() -> None:
    assert verify_password(
        hash_password("caf\u00e9 caf\u00e9 caf\u00e9 \ufb01ne"), "cafe\u0301 cafe\u0301 cafe\u0301 fine"
    )
