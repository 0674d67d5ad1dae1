"""Folding: what a reader takes for the same name is found by either spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.folding import fold, fold_words


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Zoë   ÅBERG ", "zoe aberg"),
        ("Straße", "strasse"),
        ("Ｗｉｄｅ", "wide"),
        ("Nguyễn", "nguyen"),
        ("İpek", "ipek"),
        ("Ângela d'Ávila", "angela d'avila"),
        ("李 娜", "李 娜"),
        ("हिन्दी", "हिन्दी"),
        ("ガ", "ガ"),
        ("한글", "한글"),
    ],
)
def test_spellings_of_a_name_fold_to_one(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_pasted_page_is_cut_to_eight_words() -> None:
    assert fold_words("Á b " * 50) == ["a", "b"] * 4
