"""Rules of cohorts: what can be said, and the sentence for what cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.attributes import Attribute
from app.domain.errors import InvalidInput
from app.domain.rules import ACTIVE, COUNSELLOR, EXTERNAL_ID, LABEL, Rule, fields_of, parse_rule, stored_rule

FIELDS = fields_of(
    [
        Attribute("year", "Year", "number"),
        Attribute("programme", "Programme", "choice", ("Economics", "Law")),
        Attribute("start", "Start", "date"),
    ],
    [("id-1", "Lena")],
    {ACTIVE: "Active", EXTERNAL_ID: "Id", COUNSELLOR: "Counsellor", LABEL: "Label"},
)


def parse(*conditions: Any, match: str = "all") -> Rule:
    return parse_rule({match: list(conditions)}, FIELDS)


def test_values_take_their_stored_form_and_the_rule_reads_back() -> None:
    rule = parse(
        {"field": "year", "is": "at_least", "values": ["2"]},
        {"field": "programme", "is": "any_of", "values": ["law", "LAW", "economics"]},
        {"field": "start", "is": "is_empty", "values": ["left over"]},
        {"field": "@active", "is": "is", "values": ["yes"]},
        {"field": "@counsellor", "is": "is_not", "values": ["id-1"]},
        match="any",
    )
    assert [c.values for c in rule.conditions] == [(2,), ("Law", "Economics"), (), (True,), ("id-1",)]
    assert stored_rule(json.loads(json.dumps(rule.as_json()))) == rule


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({"field": "colour", "is": "is", "values": ["x"]}, "what the condition is about"),
        ({"field": "year", "is": "before", "values": ["2"]}, "how to compare Year"),
        ({"field": "year", "is": "is", "values": ["two"]}, "not a number"),
        ({"field": "year", "is": "is", "values": []}, "compared with"),
        ({"field": "year", "is": "is", "values": ["1", "2"]}, "any of"),
        ({"field": "programme", "is": "is", "values": ["Magic"]}, "not one of the choices"),
        ({"field": "@counsellor", "is": "is", "values": ["id-2"]}, "from the list"),
        ({"field": "year", "is": "is", "values": "2"}, "as a list"),
        ("year", "names a field"),
    ],
)
def test_a_bad_condition_is_named_by_its_place(condition: Any, words: str) -> None:
    good = {"field": "year", "is": "is", "values": ["1"]}
    with pytest.raises(InvalidInput, match=words) as caught:
        parse(good, condition)
    assert [p.field for p in caught.value.problems] == ["conditions.1"]


@pytest.mark.parametrize("raw", [None, {}, {"all": []}, {"some": []}, {"all": [], "any": []}, {"all": "x"}, []])
def test_a_rule_needs_one_condition(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_rule(raw, FIELDS)
