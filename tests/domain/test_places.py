"""Texts with named places: what stands in braces is a name and nothing else, and values are never read for places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.places import BadPlaces, check_places, fill_places, parse_places, places_in

NAMES = ("given_name", "link")


def test_places_are_filled_and_doubled_braces_are_braces() -> None:
    assert parse_places("Hello {given_name}, {{so}} {link}") == ("Hello ", "given_name", ", {so} ", "link", "")
    assert fill_places("{given_name}: {{x}}", {"given_name": "Ada"}) == "Ada: {x}"


@pytest.mark.parametrize("written", ["{", "}", "a { b", "{given_name", "given_name}", "{{}", "{a{b}c}", "{link}}"])
def test_a_brace_that_stands_alone_is_refused(written: str) -> None:
    with pytest.raises(BadPlaces):
        parse_places(written)


@pytest.mark.parametrize(
    "written",
    [
        "{other}",
        "{}",
        "{0}",
        "{given_name.__class__}",
        "{given_name!r}",
        "{given_name:>10}",
        "{given_name[0]}",
        "{ given_name }",
        "{Given_Name}",
        "{self}",
    ],
)
def test_anything_but_a_known_name_is_refused_with_those_that_are_known(written: str) -> None:
    with pytest.raises(BadPlaces) as refused:
        check_places(written, NAMES)
    assert "{given_name}, {link}" in str(refused.value)


def test_code_of_other_template_languages_is_text() -> None:
    for written in ("{{7*7}}", "%(x)s %s", "${link}", "<%= 1 %>", "{{{link}}}"):
        check_places(written, NAMES)
    assert fill_places("{{7*7}}", {}) == "{7*7}"
    assert fill_places("${link} {{{link}}}", {"link": "x"}) == "$x {x}"


@given(st.text(), st.text(), st.text())
def test_values_are_shown_as_they_are_whatever_they_hold(before: str, value: str, after: str) -> None:
    plain = [part.replace("{", "{{").replace("}", "}}") for part in (before, after)]
    written = f"{plain[0]}{{link}}{plain[1]}"
    assert places_in(written) == ("link",)
    assert fill_places(written, {"link": value}) == f"{before}{value}{after}"


@given(st.text(alphabet="{}ab "))
def test_every_text_is_either_refused_or_filled(written: str) -> None:
    try:
        names = places_in(written)
    except BadPlaces:
        return
    assert fill_places(written, dict.fromkeys(names, "")).count("{") == written.count("{{")
