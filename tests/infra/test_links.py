"""Addresses that carry their own proof: no changed one is ever accepted (S7)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import settings as with_options
from hypothesis import strategies as st

from app.infra.links import make_token, read_token
from tests.infra.test_mail import settings

SETTINGS = settings("smtp://127.0.0.1:1")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@given(organization=st.uuids(), row=st.uuids(), position=st.integers(0, 63), other=st.sampled_from(ALPHABET))
@with_options(deadline=None)  # the machine may be busy
def test_s7_a_token_changed_in_one_place_is_refused(organization: UUID, row: UUID, position: int, other: str) -> None:
    token = make_token(SETTINGS, "review-link", organization, row)
    assert read_token(SETTINGS, "review-link", token) == (organization, row)
    changed = token[:position] + other + token[position + 1 :]
    assert read_token(SETTINGS, "review-link", changed) == ((organization, row) if changed == token else None)


@given(st.one_of(st.text(max_size=80), st.text(ALPHABET, min_size=64, max_size=64)))
@with_options(deadline=None)  # the machine may be busy
def test_s7_what_nobody_signed_is_refused(token: str) -> None:
    assert read_token(SETTINGS, "review-link", token) is None


def test_a_token_is_for_one_purpose_and_survives_a_change_of_keys() -> None:
    organization, row = uuid4(), uuid4()
    token = make_token(SETTINGS, "review-link", organization, row)
    assert read_token(SETTINGS, "unsubscribe", token) is None
    changed = replace(SETTINGS, secret_key="n" * 40)
    assert read_token(changed, "review-link", token) is None
    kept = replace(changed, previous_secret_keys=(SETTINGS.secret_key,))
    assert read_token(kept, "review-link", token) == (organization, row)
