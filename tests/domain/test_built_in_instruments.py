"""The questionnaires that come with Octant: whole in both languages, honest about themselves, in our own words."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter

import pytest

from app.domain.instrument_parts import WORK_VALUES
from app.domain.profiles import AREAS
from app.features.instruments.builtin import BuiltIn, built_ins
from tests.shared_data import data_file

EACH = pytest.mark.parametrize("built_in", built_ins().values(), ids=built_ins().keys())


def plain(text: str) -> str:
    return re.sub(r"[^a-z ]", "", text.lower()).strip()


@EACH
def test_each_is_labelled_as_unstudied_and_told_in_chinese(built_in: BuiltIn) -> None:
    definition = built_in.definition
    assert definition.status in ("original_under_study", "reflection_only")
    assert not definition.reliabilities
    assert not definition.norms
    assert definition.retest_days > 0
    told = definition.in_language("zh_Hans_CN")
    assert told.language == "zh-Hans"
    assert all(re.search(r"[\u4e00-\u9fff]", item.text) for item in told.items)
    assert not any(re.search(r"[\u4e00-\u9fff][,?:;]", item.text) for item in told.items)
    assert len({(item.text, item.other) for item in told.items}) == len(definition.items)
    # Every word a person meets is told, down to the terms.
    assert re.search(r"[\u4e00-\u9fff]", told.citation + "".join(told.allowed_uses))


@EACH
def test_no_item_is_anybody_elses(built_in: BuiltIn) -> None:
    pool = json.loads(data_file("instruments/ipip_items.json").read_text())
    taken = {plain(str(text)) for text in re.findall(r'"([A-Z][^"]{8,})"', json.dumps(pool))}
    for name in ("onet_ip_short_form_60.csv", "ipip_neo_120.csv"):
        with data_file(f"instruments/{name}").open(encoding="utf-8") as rows:
            taken |= {plain(row["text"]) for row in csv.DictReader(rows)}
    # The names of skills are plain facts; what the publisher says of them is the publisher's.
    with data_file("onet/db_30_1_text/Content Model Reference.txt").open(encoding="utf-8") as rows:
        taken |= {plain(row["Description"]) for row in csv.DictReader(rows, delimiter="\t")}
    items = built_in.definition.items
    own = {plain(text) for item in items for text in (item.text, item.other, item.text.partition(": ")[2]) if text}
    assert len(own) >= len(items)
    assert not own & taken


@EACH
def test_each_says_what_it_may_be_used_for_and_promises_nothing(built_in: BuiltIn) -> None:
    definition = built_in.definition
    assert definition.licence_name == "AGPL-3.0-or-later"
    assert "not for selecting or hiring anybody" in definition.allowed_uses
    assert "no comparison with other people is made" in definition.citation
    assert definition.attribution
    said = json.dumps(built_in.raw).lower()
    for claim in ("validated", "proven", "riasec", "scientific", "percentile", "suitab", "norm group"):
        assert claim not in said
    # The publisher's mark stands where its names are credited, nowhere else.
    elsewhere = said.replace(definition.attribution.lower(), "")
    for texts in built_in.raw["translations"].values():
        elsewhere = elsewhere.replace(json.dumps(texts["attribution"]).strip('"').lower(), "")
    assert "o*net" not in elsewhere


@EACH
def test_questions_are_short_and_ask_one_thing(built_in: BuiltIn) -> None:
    for item in built_in.definition.items:
        for text in (item.text, item.other):
            assert len(text.split()) <= 18, text
            assert not re.search(r"\b(guys|girls|boys|man|woman|men|women|husband|wife|he|she)\b", text.lower()), text


def test_interests_have_ten_activities_for_each_area() -> None:
    definition = built_ins()["interests"].definition
    assert definition.keys == tuple(AREAS)
    assert Counter(item.scale for item in definition.items) == dict.fromkeys(AREAS, 10)
    # Never two of one area side by side.
    assert all(a.scale != b.scale for a, b in zip(definition.items, definition.items[1:], strict=False))
    assert {(scale.low, scale.high) for scale in definition.scales} == {(0.0, 40.0)}


def test_values_are_thirty_choices_in_which_every_two_meet_twice() -> None:
    definition = built_ins()["values"].definition
    assert definition.ranking
    assert definition.keys == WORK_VALUES
    pairs = Counter(frozenset((item.scale, item.against)) for item in definition.items)
    assert len(pairs) == 15
    assert set(pairs.values()) == {2}
    # Nobody gains by standing first, and no statement is worn out: each stands twice, against different values.
    assert Counter(item.scale for item in definition.items) == dict.fromkeys(WORK_VALUES, 5)
    said = Counter(text for item in definition.items for text in (item.text, item.other))
    assert len(said) == 30
    assert set(said.values()) == {2}
    assert len({frozenset((item.text, item.other)) for item in definition.items}) == 30


@pytest.mark.parametrize(("name", "each"), [("adaptability", 6), ("paths", 5)])
def test_rated_scales_are_balanced_and_partly_turned_round(name: str, each: int) -> None:
    definition = built_ins()[name].definition
    assert Counter(item.scale for item in definition.items) == {scale.id: each for scale in definition.scales}
    assert all(a.scale != b.scale for a, b in zip(definition.items, definition.items[1:], strict=False))
    assert {item.scale for item in definition.items if item.key < 0} == {scale.id for scale in definition.scales}


def test_paths_are_three_ways_and_four_wishes() -> None:
    assert built_ins()["paths"].definition.keys == (
        *("management", "technical", "entrepreneurship"),
        *("security", "autonomy", "service", "balance"),
    )


def test_skills_are_the_catalogues_by_id_name_and_level() -> None:
    definition = built_ins()["skills"].definition
    with data_file("onet/db_29_3_text_converted/Skills.txt").open(encoding="utf-8") as lines:
        named = {row["Element ID"]: row["Element Name"] for row in csv.DictReader(lines, delimiter="\t")}
    assert {scale.id: scale.title for scale in definition.scales} == named
    assert {(scale.low, scale.high) for scale in definition.scales} == {(0.0, 7.0)}
    assert definition.status == "reflection_only"
    assert [option.short for option in definition.options] == list("01234567")
