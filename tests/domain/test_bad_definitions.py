"""What a definition file must not be, and what a question cannot be answered with: each refused by place and reason."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from app.domain.definition_files import Beside, definition_of_file
from app.domain.errors import InvalidInput
from app.domain.instruments import DefinitionError, definition_as_json, parse_definition
from app.domain.reading import MOST_PROBLEMS
from app.domain.scoring import score
from app.features.instruments.builtin import built_ins
from tests.domain.instrument_maker import definition
from tests.domain.test_instruments import full


def refused(raw: Any) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(raw)
    return {problem.field: problem.sentence for problem in caught.value.problems}


REQUIRED = ("id", "version", "language", "title", "status", "licence", "attribution", "citation", "options", "items")


@pytest.mark.parametrize("key", [*REQUIRED, "scales"])
def test_a_missing_key_is_named(key: str) -> None:
    raw = full()
    del raw[key]
    raw.pop("checksum", None)
    said = refused(raw)
    assert "missing" in said[key]


@pytest.mark.parametrize(
    ("part", "key"),
    [
        *(("items", key) for key in ("id", "text", "scale")),
        *(("scales", key) for key in ("id", "title", "method")),
        *(("options", key) for key in ("value", "label")),
    ],
)
def test_a_missing_key_of_a_part_is_named_with_its_number(part: str, key: str) -> None:
    raw = definition()
    del raw[part][1][key]
    assert "missing" in refused(raw)[f"{part}[1].{key}"]


@pytest.mark.parametrize("key", ["name", "text"])
def test_a_licence_field_that_is_absent_is_named(key: str) -> None:
    licence = {"name": "CC0-1.0", "text": "No rights reserved."}
    del licence[key]
    assert "missing" in refused(definition(licence=licence))[f"licence.{key}"]


def test_an_item_that_is_there_twice_is_named() -> None:
    raw = definition()
    raw["items"].append({"id": "a1", "text": "Again.", "scale": "A", "order": 4})
    assert refused(raw) == {"items[3].id": '"a1" is used twice. Give each its own.'}


def test_a_scale_without_items_is_named() -> None:
    raw = definition()
    raw["scales"].append({"id": "C", "title": "Nothing", "method": "sum"})
    assert refused(raw) == {"scales[2].id": 'No item belongs to the scale "C". Add items or remove the scale.'}


@pytest.mark.parametrize("wrong", [[0, 9], [8, 0], [0], "0-8", [None, None], [-1, 8]])
def test_a_range_that_cannot_be_is_named_with_the_right_one(wrong: Any) -> None:
    raw = definition()
    raw["scales"][0]["range"] = wrong
    said = refused(raw)
    assert list(said) == ["scales[0].range"]
    if isinstance(wrong, list):
        assert "[0, 8]" in said["scales[0].range"]


@pytest.mark.parametrize("answer", [6, -1, 99])
def test_an_item_answered_out_of_range_is_named_with_the_person(answer: int) -> None:
    instrument = parse_definition(definition())
    with pytest.raises(InvalidInput) as caught:
        score(instrument, np.array([[1, 2, 3], [1, 2, answer]]))
    [problem] = caught.value.problems
    assert problem.field == "responses[1].a2"
    assert problem.sentence == f"{answer} is no answer. Give 1 to 5, or 0 for missed."


def ranking(**changes: Any) -> dict[str, Any]:
    """Two choices between two scales."""
    return definition(
        options=[{"value": 1, "label": "The first"}, {"value": 2, "label": "The second"}],
        items=[
            {"id": "p1", "text": "Socks sorted", "scale": "A", "against": "B", "other": "A song"},
            {"id": "p2", "text": "A tune", "scale": "B", "against": "A", "other": "Socks folded"},
        ],
        scales=[{"id": "A", "title": "Socks", "method": "sum"}, {"id": "B", "title": "Humming", "method": "sum"}],
        **changes,
    )


def test_a_ranking_counts_choices_and_a_missed_one_counts_for_nobody() -> None:
    instrument = parse_definition(ranking())
    assert instrument.ranking
    assert [(scale.low, scale.high) for scale in instrument.scales] == [(0, 2), (0, 2)]
    table = score(instrument, np.array([[1, 2], [1, 1], [2, 1], [0, 2]]))
    assert table.column("A")[:3].tolist() == [2, 1, 0]
    assert table.column("B")[:3].tolist() == [0, 1, 2]
    # One of two is fewer than four fifths: undefined, never 0.
    assert np.isnan(table.scores[3]).all()
    assert table.answered[3].tolist() == [1, 1]
    assert parse_definition(definition_as_json(instrument)) == instrument


@pytest.mark.parametrize(
    ("index", "change", "place", "reason"),
    [
        (0, {"against": "A"}, "items[0].against", "Name another scale"),
        (0, {"against": "Z"}, "items[0].against", "A, B"),
        (0, {"key": -1}, "items[0].key", "not reversed"),
        (0, {"other": ""}, "items[0].other", "a text"),
        (1, {"against": ""}, "items[1].against", "Name the other one"),
    ],
)
def test_a_choice_that_is_none_is_refused(index: int, change: dict[str, Any], place: str, reason: str) -> None:
    raw = ranking()
    raw["items"][index].update(change)
    assert reason in refused(raw)[place]


def test_a_ranking_has_two_answers_no_norms_and_no_half_choices() -> None:
    raw = ranking()
    del raw["items"][1]["against"], raw["items"][1]["other"]
    assert "Name the other one" in refused(raw)["items[1].against"]
    assert "two answers" in refused(ranking() | {"options": definition()["options"]})["options"]
    norm = {"scale": "A", "group": "All", "mean": 1, "sd": 1, "n": 9, "source": "None", "year": 2000}
    assert "only with themselves" in refused(ranking(norms=[norm]))["norms"]
    raw = ranking()
    raw["scales"][0]["offset"] = -1
    assert "counts choices" in refused(raw)["scales[0].offset"]


def test_a_scale_of_others_takes_their_items_together() -> None:
    raw = definition()
    raw["scales"].append({"id": "T", "title": "Both", "method": "sum", "of": ["A", "B"]})
    instrument = parse_definition(raw)
    assert (instrument.scales[2].low, instrument.scales[2].high) == (3, 15)
    table = score(instrument, np.array([[1, 2, 3]]))
    # a2 is turned: 1 + 2 + (6 - 3).
    assert table.column("T").tolist() == [6]
    assert table.items.tolist() == [2, 1, 3]
    assert parse_definition(definition_as_json(instrument)) == instrument
    raw["scales"][2]["of"] = ["A", "Z"]
    assert "no scale with items" in refused(raw)["scales[2].of"]
    raw["scales"][2]["of"] = ["A", "T"]
    assert "no scale with items" in refused(raw)["scales[2].of"]
    raw["scales"][2]["of"] = ["A"]
    raw["items"][1]["scale"] = "T"
    assert "no items of its own" in refused(raw)["scales[2].of"]


def test_short_answers_are_short_and_for_all_or_none() -> None:
    raw = definition()
    raw["options"][0]["short"] = "1"
    assert "for every answer or for none" in refused(raw)["options"]
    raw["options"][0]["short"] = "much too long"
    assert "at most 3" in refused(raw)["options[0].short"]


def test_the_checksums_of_what_is_loaded_do_not_change_with_the_form() -> None:
    # A definition without rankings, wholes and short answers is written as it always was.
    written = definition_as_json(parse_definition(definition()))
    assert set(written["items"][0]) == {"id", "text", "scale", "key", "order"}
    assert set(written["scales"][0]) == {"id", "title", "method", "offset", "range", "min_answered"}
    assert set(written["options"][0]) == {"value", "label"}


@pytest.mark.parametrize("name", sorted(built_ins()))
def test_built_in_definitions_survive_json(name: str) -> None:
    known = built_ins()[name].definition
    assert parse_definition(definition_as_json(known)) == known


def test_w7_a_file_of_nothing_but_parts_is_refused_at_once() -> None:
    many = [{"id": f"s{n}", "title": "x"} for n in range(60_000)]
    norms = [{"scale": "no such", "group": "x"} for _ in range(60_000)]
    texts: dict[str, Any] = {f"a{n}": {} for n in range(60_000)}
    for raw in (
        definition(scales=many, norms=norms),
        definition(reliabilities=norms, norms=norms),
        definition(translations=texts),
        definition(options=many),
    ):
        began = time.process_time()
        said = refused(raw)
        assert time.process_time() - began < 2
        assert len(said) <= MOST_PROBLEMS
        assert sum(map(len, said.values())) < 1_000_000


def test_w7_a_table_of_nothing_but_lines_is_refused_at_once() -> None:
    began = time.process_time()
    with pytest.raises(DefinitionError, match="Give at most 1000 items"):
        definition_of_file("x.csv", b"index,text,domain,key\n" + b"a\n" * 1_000_000, Beside())
    assert time.process_time() - began < 2
