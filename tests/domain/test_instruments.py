"""Definitions: read whole, every mistake named, the same again from JSON."""

import json
from typing import Any

import pytest

from app.domain.instruments import DefinitionError, checksum, definition_as_json, parse_definition
from app.domain.item_csv import ItemColumns, ScaleRule, definition_from_item_csv
from tests.domain.instrument_maker import definition


def problems(raw: Any) -> dict[str, str]:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(raw)
    return {problem.field: problem.sentence for problem in caught.value.problems}


def full() -> dict[str, Any]:
    return definition(
        interpretation={"order": ["B", "A"], "poles": {"A": ["heaped", "sorted"]}},
        reliabilities=[
            {"scale": "A", "type": "alpha", "value": 0.8, "n": 120, "population": "adults", "source": "none"}
        ],
        norms=[{"scale": "A", "group": "all", "mean": 4, "sd": 2.5, "n": 90, "source": "none", "year": 2020}],
    )


def test_a_definition_survives_json_and_keeps_its_checksum() -> None:
    instrument = parse_definition(full())
    again = json.loads(json.dumps(definition_as_json(instrument)))
    assert parse_definition(again) == instrument
    again["checksum"] = checksum(instrument)
    assert checksum(parse_definition(again)) == checksum(instrument)
    assert [(scale.low, scale.high) for scale in instrument.scales] == [(0, 8), (1, 5)]
    assert instrument.interpretation.order == ("B", "A")


def test_a_changed_word_breaks_the_checksum() -> None:
    raw = full()
    raw["checksum"] = checksum(parse_definition(raw))
    raw["items"][0]["text"] = "I sort my shoes."
    assert "changed" in problems(raw)["checksum"]


def test_items_are_asked_in_their_order() -> None:
    raw = definition()
    raw["items"][0]["order"] = 9
    assert [item.id for item in parse_definition(raw).items] == ["b1", "a2", "a1"]


@pytest.mark.parametrize(
    ("change", "field", "remedy"),
    [
        ({"id": "a b"}, "id", "hyphens"),
        ({"language": "English!"}, "language", "zh-Hans"),
        ({"status": "validated"}, "status", "reflection_only"),
        ({"title": " "}, "title", "a text"),
        ({"licence": {"name": "x"}}, "licence.text", "missing"),
        ({"licence": "free"}, "licence", "object"),
        ({"options": []}, "options", "at least two"),
        (
            {"options": [{"value": 0, "label": "no"}, {"value": 1, "label": "yes"}]},
            "options[0].value",
            "from 1",
        ),
        ({"options": [{"value": 1, "label": "no"}, {"value": 3, "label": "yes"}]}, "options", "go up by one"),
        ({"items": "many"}, "items", "a list"),
        ({"items": [{}] * 1001}, "items", "at most 1000"),
        ({"allowed_uses": [3]}, "allowed_uses[0]", "a text"),
        ({"interpretation": {"order": ["A"]}}, "interpretation.order", "every scale once"),
        ({"interpretation": {"poles": {"A": ["one"]}}}, "interpretation.poles.A", "low and the high"),
        ({"reliabilities": [{"scale": "A", "value": 1.2}]}, "reliabilities[0].value", "from 0 to 1"),
        ({"reliabilities": [{"scale": "Z", "value": 0.5}]}, "reliabilities[0].scale", "A, B"),
        ({"norms": [{"scale": "A", "sd": 0}]}, "norms[0].sd", "above 0"),
        ({"scoring": "sum"}, "scoring", "Remove it"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_remedy(change: dict[str, Any], field: str, remedy: str) -> None:
    assert remedy in problems(definition(**change))[field]


@pytest.mark.parametrize(
    ("part", "index", "change", "field", "remedy"),
    [
        ("items", 1, {"key": 0}, "items[1].key", "-1"),
        ("items", 1, {"key": "+"}, "items[1].key", "-1"),
        ("items", 1, {"order": 1}, "items[1].order", "its own"),
        ("items", 1, {"id": "a1"}, "items[1].id", "twice"),
        ("items", 1, {"scale": "C"}, "items[1].scale", "A, B"),
        ("items", 1, {"colour": "red"}, "items[1].colour", "Remove it"),
        ("items", 1, {"scale": "A"}, "scales[1].id", "Add items or remove"),
        ("scales", 0, {"method": "median"}, "scales[0].method", "sum, mean"),
        ("scales", 0, {"offset": float("nan")}, "scales[0].offset", "a number"),
        ("scales", 0, {"range": [0, 10]}, "scales[0].range", "[0, 8]"),
        ("scales", 0, {"min_answered": 0.2}, "scales[0].min_answered", "from 0.5 to 1"),
        ("scales", 0, {"id": "B"}, "scales[1].id", "twice"),
    ],
)
def test_a_mistake_in_a_list_is_named_with_its_place(
    part: str, index: int, change: dict[str, Any], field: str, remedy: str
) -> None:
    raw = definition()
    raw[part][index].update(change)
    assert remedy in problems(raw)[field]


def test_all_mistakes_are_reported_at_once() -> None:
    found = problems({"id": 5, "items": [], "scales": [{"id": "A"}], "options": [{"value": "x"}]})
    assert found.keys() >= {
        "id",
        "version",
        "language",
        "title",
        "status",
        "licence",
        "items",
        "scales[0].method",
        "options[0].value",
        "options[0].label",
    }
    assert problems([]) != {}


DETAILS = {key: value for key, value in definition().items() if key not in ("items", "scales")}


def test_an_item_table_becomes_a_definition() -> None:
    text = '\ufeffno,words,area\n2,"I hum, often",B\n1,I sort,A\n3,I file,A\n'
    raw = definition_from_item_csv(
        text,
        DETAILS,
        columns=ItemColumns("no", "words", "area", None),
        rule=ScaleRule("mean", -1),
        scale_titles={"A": "Order"},
    )
    instrument = parse_definition(raw)
    assert [(item.id, item.text, item.key) for item in instrument.items] == [
        ("1", "I sort", 1),
        ("2", "I hum, often", 1),
        ("3", "I file", 1),
    ]
    assert [(scale.id, scale.title, scale.low, scale.high) for scale in instrument.scales] == [
        ("B", "B", 0, 4),
        ("A", "Order", 0, 4),
    ]


def test_bad_rows_of_an_item_table_are_all_named() -> None:
    text = f"index,text,domain,key\nx,Some text,A,+\n2,,A,*\n3,Fine,A\n{'9' * 5000},Fine,A,+\n"
    with pytest.raises(DefinitionError) as caught:
        definition_from_item_csv(text, DETAILS)
    assert {problem.field for problem in caught.value.problems} == {
        "line 2, index",
        "line 3, text",
        "line 3, key",
        "line 4, key",
        "line 5, index",
    }


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("index,text,key\n1,A,+\n", "line 1", "domain"),
        ("index,text,domain,key\n", "line 2", "one row"),
        ("", "line 1", "Add it"),
        ("index,text,domain,key\n1," + "x" * 2_000_000 + ",A,+\n", "line 2", "readable"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, place: str, remedy: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        definition_from_item_csv(text, DETAILS)
    assert caught.value.problems[0].field == place
    assert remedy in caught.value.problems[0].sentence


@pytest.mark.parametrize("title", ["a\x00b", "half \ud83e"])
def test_text_that_no_database_keeps_is_refused(title: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(definition(title=title))
    assert [problem.field for problem in caught.value.problems] == ["title"]


def test_a_number_too_large_for_a_float_is_refused() -> None:
    scales = [dict(definition()["scales"][0], offset=10**400), definition()["scales"][1]]
    with pytest.raises(DefinitionError) as caught:
        parse_definition(definition(scales=scales))
    assert [problem.field for problem in caught.value.problems] == ["scales[0].offset"]
