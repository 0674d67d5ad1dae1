"""An instrument in further languages, and what it measures."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.instrument_parts import WORK_VALUES
from app.domain.instrument_texts import best_language
from app.domain.instruments import (
    DefinitionError,
    checksum,
    definition_as_json,
    parse_definition,
)
from tests.domain.instrument_maker import definition, scales_of


def chinese(**changes: Any) -> dict[str, Any]:
    return {
        "title": "一份问卷",
        "options": [f"第{number}项" for number in range(1, 6)],
        "items": {"a1": "我整理袜子。", "b1": "我哼歌。", "a2": "我的袜子乱作一堆。"},
        "scales": {"A": "袜子", "B": "哼歌"},
        **changes,
    }


def test_a_translation_changes_words_and_nothing_else() -> None:
    instrument = parse_definition(definition(translations={"zh-Hans": chinese()}))
    told = instrument.in_language("zh_Hans_CN")
    assert (told.title, told.language) == ("一份问卷", "zh-Hans")
    assert [item.text for item in told.items] == ["我整理袜子。", "我哼歌。", "我的袜子乱作一堆。"]
    assert [(item.id, item.scale, item.key) for item in told.items] == [
        (item.id, item.scale, item.key) for item in instrument.items
    ]
    assert told.attribution == instrument.attribution
    assert instrument.in_language("fr") is instrument
    again = parse_definition(definition_as_json(instrument))
    assert again == instrument
    assert checksum(again) == checksum(instrument)


def test_the_second_statements_and_the_terms_are_translated_too() -> None:
    raw = definition(
        options=[{"value": 1, "label": "The first"}, {"value": 2, "label": "The second"}],
        items=[{"id": "p1", "text": "Socks", "scale": "A", "against": "B", "other": "A song"}],
        scales=[{"id": scale, "title": scale, "method": "sum"} for scale in "AB"],
        translations={
            "zh-Hans": chinese(
                options=["前一个", "后一个"],
                items={"p1": "袜子"},
                others={"p1": "一首歌"},
                citation="无。",
                allowed_uses=["测试"],
                scales={"A": "袜子", "B": "哼歌"},
            )
        },
    )
    told = parse_definition(raw).in_language("zh")
    assert (told.items[0].text, told.items[0].other) == ("袜子", "一首歌")
    assert (told.citation, told.allowed_uses) == ("无。", ("测试",))
    assert parse_definition(definition_as_json(parse_definition(raw))) == parse_definition(raw)
    del raw["translations"]["zh-Hans"]["others"]
    with pytest.raises(DefinitionError) as refused:
        parse_definition(raw)
    assert refused.value.problems[0].field == "translations.zh-Hans.others"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"options": ["第1项"]}, "translations.zh-Hans.options"),
        ({"items": {"a1": "我整理袜子。", "b1": "我哼歌。"}}, "translations.zh-Hans.items.a2"),
        ({"items": {**chinese()["items"], "z9": "?"}}, "translations.zh-Hans.items.z9"),
        ({"scales": {"A": "袜子"}}, "translations.zh-Hans.scales.B"),
        ({"titel": "?"}, "translations.zh-Hans.titel"),
    ],
)
def test_half_a_translation_is_refused_with_its_place(change: dict[str, Any], place: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_definition(definition(translations={"zh-Hans": chinese(**change)}))
    assert [problem.field for problem in refused.value.problems] == [place]


def test_the_closest_language_is_taken() -> None:
    assert best_language("en", ["zh", "zh-Hans"], "zh_Hans_CN") == "zh-Hans"
    assert best_language("en", ["zh-Hant"], "zh-Hans") == "zh-Hant"
    assert best_language("en", ["zh-Hans"], "de") == "en"


def test_six_scales_are_keyed_in_their_fixed_order() -> None:
    order = ["six", "one", "two", "three", "four", "five"]
    raw = scales_of({name: [1] for name in order}, order=order, method="sum")
    raw["interpretation"] = {"order": ["one", "two", "three", "four", "five", "six"]}
    assert parse_definition({**raw, "measures": "interests"}).keys == ("C", "R", "I", "A", "S", "E")
    assert set(parse_definition({**raw, "measures": "values"}).keys) == set(WORK_VALUES)
    assert parse_definition(raw).keys == tuple(order)


def test_interests_without_six_scales_are_refused() -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_definition(definition(measures="interests"))
    assert [problem.field for problem in refused.value.problems] == ["measures"]


def test_an_unknown_measure_and_an_impossible_retest_floor_are_refused() -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_definition(definition(measures="horoscope", retest_days=-1))
    assert sorted(problem.field for problem in refused.value.problems) == ["measures", "retest_days"]
