"""The dial in mails: its order, a sign of its own for each status, words for who does not see it."""

from __future__ import annotations

import re

import pytest

from app.domain.contrast import contrast
from app.features.reviews.mail_dial import dial_lines, dial_table, is_dial

ALL = "nisrctkc"


def test_it_goes_round_clockwise_from_the_top_with_the_revision_in_the_middle() -> None:
    said = re.findall(r"<td[^>]*>(?:<b>)?(\d)", dial_table(ALL, 9, "en", "#0b6b66"))
    assert said == ["8", "1", "2", "7", "9", "3", "6", "5", "4"]


def test_each_status_has_its_own_sign_and_can_be_read() -> None:
    table = dial_table("nisrctkn", 1, "en", "#0b6b66")
    cells = re.findall(r"background:(#\w+);color:(#\w+);[^>]*>(\d)<br>(&#\d+;)<", table)
    assert len({sign for *_, sign in cells}) == 7
    assert all(contrast(ground, ink) >= 4.5 for ground, ink, *_ in cells)


def test_it_is_read_out_and_written_as_lines() -> None:
    label = re.search(r'role="img" aria-label="([^"]+)"', dial_table(ALL, 1, "en", "#0b6b66"))
    assert label is not None
    assert label[1].split(";\n")[:3] == ["Plan progress", "1 Ambition: not started", "2 Self-assessment: in progress"]
    assert dial_lines(ALL, "en").splitlines()[5] == "[!] 6 Goals: to look at again"


def test_a_mail_in_english_needs_no_encoding() -> None:
    mail = dial_table(ALL, 1, "en", "#0b6b66") + dial_lines(ALL, "en")
    assert mail.isascii()
    assert max(len(line) for line in mail.splitlines()) < 200


@pytest.mark.parametrize("letters", [None, "", "nnnn", "nnnnnnnnn", "nnnnnnnx", 12345678])
def test_a_message_without_a_dial_has_none(letters: object) -> None:
    assert not is_dial(letters)
