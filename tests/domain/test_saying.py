"""Sentences with values: English to whoever does not know, and able to be said in another language."""

from __future__ import annotations

import copy
import pickle
from datetime import date

from app.domain.attributes import BadValue
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import Month, Told, later, plain, recalled, several, stored
from app.infra.speech import speaker

CHINESE = speaker("zh_Hans_CN")
SENTENCE = later("The same number is also on line %(place)s. Keep the line that is right.", place="7, 9")


def _said(sentence: str | None) -> str:
    assert isinstance(sentence, Told)
    return sentence.said(CHINESE)


def test_it_is_the_english_sentence() -> None:
    assert SENTENCE == "The same number is also on line 7, 9. Keep the line that is right."
    assert _said(SENTENCE) == "第 7, 9 行也有相同的编号。请保留正确的那一行。"
    assert later("100% of it") == "100% of it"


def test_it_passes_through_errors() -> None:
    assert _said(str(BadValue(SENTENCE))).startswith("第 7, 9 行")
    assert _said(InvalidInput([FieldProblem("row", SENTENCE)]).problems[0].sentence).startswith("第 7, 9 行")


def test_words_of_ours_inside_it_are_said_too_and_values_are_not() -> None:
    fits = later("%(value)s does not fit here. Give %(wanted)s.", value='"yes"', wanted=later("a list"))
    assert fits == '"yes" does not fit here. Give a list.'
    assert _said(fits) == '"yes" 不适合这里。请填写列表。'
    # "no" is in the catalogue, but here it is what somebody typed.
    assert "no" in _said(later("%(value)s does not fit here. Give a text.", value="no"))


def test_it_is_stored_with_its_values_and_comes_back() -> None:
    nested = several(
        (SENTENCE, later("Give true or false."), later("%(first)s or %(second)s", first=later("a list"), second=2))
    )
    for sentence in (SENTENCE, nested):
        kept = stored(sentence)
        assert type(kept) is str
        back = recalled(kept)
        assert back == sentence
        assert _said(back) == _said(sentence)


def test_it_is_copied_and_sent_to_other_processes_whole() -> None:
    for again in (copy.deepcopy(SENTENCE), pickle.loads(pickle.dumps(SENTENCE))):  # noqa: S301  # our own
        assert again == SENTENCE
        assert _said(again) == _said(SENTENCE)


def test_a_text_without_values_is_stored_as_it_is() -> None:
    for text in (
        "This file is empty.",
        later("Give true or false."),
        '{"say": 3}',
        '{"say": "%(a)s", "with": {"b": 1}}',
        "{",
    ):
        assert stored(text) == text
        assert recalled(text) == text
    assert (stored(None), recalled(None)) == (None, None)


def test_an_organizations_own_words_for_people_are_put_in_where_it_is_said() -> None:
    alone = later("Only the %(counsellor)s can freeze a revision.")
    status = later("returned to the %(client)s")
    around = several((alone, later("The step is %(status)s, so it cannot be skipped.", status=status)))
    assert alone == "Only the counsellor can freeze a revision."
    assert around == f"{alone} The step is returned to the client, so it cannot be skipped."
    people = {"client": "student", "clients": "students", "counsellor": "adviser", "counsellors": "advisers"}
    for sentence in (around, recalled(stored(around))):
        assert isinstance(sentence, Told)
        assert sentence.said(plain, people) == (
            "Only the adviser can freeze a revision. The step is returned to the student, so it cannot be skipped."
        )


def test_days_and_months_are_written_as_the_reader_writes_them() -> None:
    day = date(2027, 5, 3)
    late = "“%(text)s” is due later, on %(day)s; days: %(days)s"
    assert speaker("en")(late, text="x", day=day, days=2) == "“x” is due later, on May 3, 2027; days: 2"
    assert "2027年5月3日" in CHINESE(late, text="x", day=day, days=2)
    assert (speaker("en")("%(month)s", month=Month(day)), CHINESE("%(month)s", month=Month(day))) == (
        "May 2027",
        "2027年5月",
    )
    assert plain("%(day)s, %(month)s", day=day, month=Month(day)) == "2027-05-03, 2027-05"


def test_plain_fills_in_too() -> None:
    assert plain("%(n)s days", n=3) == "3 days"
