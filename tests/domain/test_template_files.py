"""A template as a file: there and back the same, and nothing that was changed on the way comes in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.canonical import digest
from app.domain.errors import InvalidInput
from app.domain.steps import StepKey
from app.domain.template_content import parse_content
from app.domain.template_files import (
    LARGEST_FILE,
    SharedTemplate,
    instruments_named,
    parse_file,
    read_template,
    template_as_file,
)

CONTENT = parse_content(
    {
        "steps": {
            "ambition": {"guidance": "What for?", "due": {"kind": "term", "term": "Autumn 2026", "edge": "end"}},
            "self_assessment": {"guidance": "Answer.", "instruments": ["interests", "own-scale"]},
            "goals": {"enabled": False, "instruments": ["unused"]},
        },
        "review_policy": {"retake": ["adaptability", "interests"]},
    }
)
SHARED = SharedTemplate("Eight steps", "For everybody", 3, CONTENT)


def resealed(file: dict[str, Any]) -> dict[str, Any]:
    """The file with a checksum that is right again."""
    body = {key: value for key, value in file.items() if key != "checksum"}
    return body | {"checksum": digest(body)}


def problems_of(file: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        read_template(file)
    return [problem.field for problem in refused.value.problems]


def test_there_and_back_it_is_the_same() -> None:
    written = json.dumps(template_as_file(SHARED), indent=2).encode()
    assert read_template(parse_file(written)) == SHARED
    # Whoever saved it with a byte order mark did not change it.
    assert read_template(parse_file(b"\xef\xbb\xbf" + written)) == SHARED


@pytest.mark.parametrize("place", ["name", "description", "version", "content"])
def test_whatever_is_changed_breaks_the_checksum(place: str) -> None:
    file = template_as_file(SHARED)
    if place == "content":
        file["content"]["steps"]["ambition"]["guidance"] = "Another"
    else:
        file[place] = 7 if place == "version" else "Another"
    assert problems_of(file) == ["checksum"]
    assert read_template(resealed(file)) != SHARED


def test_every_problem_is_told_with_its_place() -> None:
    file = template_as_file(SHARED)
    file["name"] = "x" * 121
    file["content"]["steps"]["ambition"]["due"]["edge"] = "middle"
    file["content"]["steps"]["goals"]["completion"]["least_goals"] = 900
    file["more"] = 1
    del file["version"]
    assert set(problems_of(file)) == {
        "more",
        "checksum",
        "name",
        "version",
        "content.steps.ambition.due.edge",
        "content.steps.goals.completion.least_goals",
    }


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"{", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"version": NaN}', "not valid JSON"),
        (b"[]", "no file of a template"),
        (b" " * (LARGEST_FILE + 1), "too large"),
        (b'{"name": "\\ud800"}', "surrogates not allowed"),
    ],
)
def test_what_is_no_file_is_said(written: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        parse_file(written)


def test_another_format_is_refused() -> None:
    assert problems_of({"format": "another"}) == ["file"]
    assert problems_of(resealed(template_as_file(SHARED) | {"format_version": 2})) == ["format_version"]
    # Half a surrogate pair: no checksum can be made of it.
    assert "checksum" in problems_of(template_as_file(SHARED) | {"name": "\ud800"})


def test_instruments_of_steps_that_are_on_and_of_reviews_are_named_once() -> None:
    assert instruments_named(CONTENT) == ("interests", "own-scale", "adaptability")
    assert CONTENT.step(StepKey.GOALS).instruments == ("unused",)
