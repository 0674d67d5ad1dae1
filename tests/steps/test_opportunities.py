"""Step 3: history of factors, the map, coverage hints, facts beside them, and what changed between revisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.environment import AREAS, CONTROL, KINDS
from app.domain.errors import InvalidInput
from app.domain.saying import plain
from app.domain.steps import StepKey
from app.features.occupations.beside import Catalogue
from app.features.occupations.queries import Facts, Outlook
from app.features.occupations.releases import Release
from app.features.plans.rooms import Listing, Paragraph, Picture, Settling, Surroundings, Table
from app.features.steps.opportunities import figures
from app.features.steps.opportunities.content import add_factors, factors_of, take_changes
from app.features.steps.opportunities.hints import hints
from app.features.steps.opportunities.words import area_words, control_words, kind_words
from app.features.steps.registry import ROOMS

ROOM = ROOMS[StepKey.OPPORTUNITIES]
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
THREAT = {
    "id": "f1",
    "text": "Hiring freeze",
    "kind": "threat",
    "area": "market",
    "controllable": "no",
    "likelihood": 3,
    "impact": 5,
    "noted_on": "2026-09-20",
}


def save(before: dict[str, Any], *rows: dict[str, Any], at: datetime = NOW, **more: Any) -> dict[str, Any]:
    """What is stored when these factors are saved over `before`."""
    assert ROOM.settle is not None
    after = ROOM.read({"factors": list(rows)} | more)
    return ROOM.settle(before, after, Settling(at, Surroundings()))


def typed(row: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A stored factor as a form sends it again."""
    return {name: value for name, value in row.items() if name != "history"} | changed


def test_content_of_older_plans_still_loads_and_lacks_nothing_new() -> None:
    old = {"factors": [{"id": "f1", "text": "X", "kind": "threat", "controllable": "no", "likelihood": 3}]}
    (factor,) = ROOM.read(old)["factors"]
    assert (factor["area"], factor["what_i_do"], factor["occupation"], factor["history"]) == (None, "", None, [])
    # Stored content is used as it is, without the new fields.
    assert figures.numbered(old)[0]["text"] == "X"
    assert ROOM.report(old, Surroundings(), plain).blocks
    assert ROOM.missing(old, Surroundings(), plain)


def test_the_history_keeps_every_change_of_the_figures_and_nothing_else() -> None:
    first = save({}, THREAT)
    assert first["factors"][0]["history"] == [
        {"on": "2026-11-27", "likelihood": 3, "impact": 5, "controllable": "no", "state": None, "source": "plan"}
    ]
    again = save(first, typed(first["factors"][0], source="the newspaper"), at=NOW + timedelta(days=1))
    assert again["factors"][0]["history"] == first["factors"][0]["history"]
    later = save(again, typed(again["factors"][0], likelihood=5), at=NOW + timedelta(days=30))
    assert [(note["on"], note["likelihood"]) for note in later["factors"][0]["history"]] == [
        ("2026-11-27", 3),
        ("2026-12-27", 5),
    ]
    # Later on the same day the day's note follows.
    same_day = save(later, typed(later["factors"][0], impact=1), at=NOW + timedelta(days=30, hours=2))
    assert [note["impact"] for note in same_day["factors"][0]["history"]] == [5, 1]
    assert ROOM.read(same_day) == same_day


def test_a_history_cannot_be_typed() -> None:
    forged = {"on": "2020-01-01", "likelihood": 1, "impact": 1, "controllable": "yes", "source": "check-in"}
    first = save({}, THREAT | {"history": [forged]})
    assert [note["on"] for note in first["factors"][0]["history"]] == ["2026-11-27"]
    again = save(first, typed(first["factors"][0]) | {"history": [forged]})
    assert again["factors"][0]["history"] == first["factors"][0]["history"]


def test_what_was_stored_before_histories_becomes_their_first_note() -> None:
    old = {"factors": [dict(THREAT)]}
    kept = save(old, typed(THREAT))
    assert kept["factors"][0]["history"] == []
    moved = save(old, typed(THREAT, controllable="partly"))
    assert [(note["on"], note["controllable"]) for note in moved["factors"][0]["history"]] == [
        ("2026-09-20", "no"),
        ("2026-11-27", "partly"),
    ]


def test_a_check_in_asks_the_same_factors_and_notes_each_answer() -> None:
    content = save({}, THREAT, THREAT | {"id": "f2", "text": "Gone long ago", "state": "gone"})
    assert [row["id"] for row in factors_of(content)] == ["f1"]
    at = datetime(2027, 5, 1, tzinfo=UTC)
    changed = take_changes(content, {"f1": {"likelihood": 5, "text": "typed over"}, "unknown": {"impact": 1}}, at)
    factor = changed["factors"][0]
    assert (factor["text"], factor["likelihood"], factor["impact"]) == ("Hiring freeze", 5, 5)
    assert factor["history"][-1] == {
        "on": "2027-05-01",
        "likelihood": 5,
        "impact": 5,
        "controllable": "no",
        "state": None,
        "source": "check-in",
    }
    # “The same” is an answer too: the factor was looked at.
    same = take_changes(changed, {"f1": {}}, datetime(2027, 11, 1, tzinfo=UTC))
    assert [note["on"] for note in same["factors"][0]["history"]] == ["2026-11-27", "2027-05-01", "2027-11-01"]
    assert same["factors"][1] == content["factors"][1]
    came = take_changes(same, {"f1": {"state": "gone"}}, datetime(2028, 1, 1, tzinfo=UTC))
    assert factors_of(came) == []
    assert ROOM.read(came) == came
    assert content["factors"][0]["likelihood"] == 3


def test_a_check_in_adds_what_is_new_under_an_id_of_its_own() -> None:
    content = save({}, THREAT | {"id": "n1"})
    at = datetime(2027, 5, 1, tzinfo=UTC)
    new = [{"text": "A new line to the coast", "kind": "opportunity", "controllable": None}, {"text": "Fees rose"}]
    more = add_factors(content, new, at)
    assert [row["id"] for row in more["factors"]] == ["n1", "n2", "n3"]
    assert more["factors"][0] == content["factors"][0]
    first = more["factors"][1]
    assert (first["kind"], first["noted_on"], first["history"][-1]["source"]) == (
        "opportunity",
        "2027-05-01",
        "check-in",
    )
    assert ROOM.read(more) == more
    full = {"factors": [THREAT | {"id": f"f{n}"} for n in range(99)]}
    assert [row["text"] for row in add_factors(full, new, at)["factors"][98:]] == [
        "Hiring freeze",
        "A new line to the coast",
    ]


factor_rows = st.fixed_dictionaries(
    {
        "likelihood": st.none() | st.integers(1, 5),
        "impact": st.none() | st.integers(1, 5),
        "controllable": st.none() | st.sampled_from(CONTROL),
    }
)


@given(st.lists(factor_rows, min_size=1, max_size=8))
def test_the_history_ends_with_the_figures_of_the_factor_however_it_was_changed(steps: list[dict[str, Any]]) -> None:
    content: dict[str, Any] = {}
    for number, figure in enumerate(steps):
        at = NOW + timedelta(days=number)
        if number and number % 2:
            content = take_changes(content, {"f1": figure}, at)
        else:
            rows = content.get("factors") or [{"id": "f1", "text": "X"}]
            content = save(content, typed(rows[0], **figure), at=at)
    factor = content["factors"][0]
    assert ROOM.read(content) == content
    days = [note["on"] for note in factor["history"]]
    assert days == sorted(days)
    if factor["history"]:
        assert {name: factor["history"][-1][name] for name in figure} == {name: factor[name] for name in figure}
    else:
        assert not any(figure.values())


def test_the_map_numbers_the_weightiest_first_and_leaves_out_what_has_no_place() -> None:
    content = save(
        {},
        THREAT | {"id": "a", "text": "Light", "likelihood": 1, "impact": 2},
        THREAT | {"id": "b", "text": "No place", "likelihood": None},
        THREAT | {"id": "c", "text": "Heavy", "likelihood": 5, "impact": 5, "what_i_do": "Save money"},
        THREAT | {"id": "d", "text": "Was once", "state": "gone"},
    )
    section = ROOM.report(content, Surroundings(today=NOW.date()), plain)
    picture = next(block for block in section.blocks if isinstance(block, Picture))
    assert [row[0] for row in picture.rows] == ["1  Heavy", "2  Light", "3  No place"]
    assert picture.rows[2][3] == "not on the map"
    # Two threats on the map, a threat and a weakness below it, each drawn over a ground of its shape.
    assert picture.svg.count("<polygon") == 2 * 2 + 2 * 2
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert table.rows[0][table.columns.index("What I do about it")] == "Save money"
    assert "Concerns" not in table.columns
    assert next(block for block in section.blocks if block.heading == "No longer so") == Listing(
        "No longer so", ("Was once",)
    )


def test_hints_are_about_the_scan_and_never_what_is_missing() -> None:
    strengths = [
        THREAT
        | {"id": f"f{n}", "text": f"S{n}", "kind": "strength", "controllable": "yes", "area": "abilities"}
        | {"noted_on": "2024-01-01" if n == 1 else None, "impact": 4 if n < 4 else None}
        for n in (1, 2, 3, 4)
    ]
    content = save({}, *strengths, at=datetime(2024, 2, 1, tzinfo=UTC))
    said = hints(content, date(2026, 11, 27), plain)
    assert said[:3] == [f"“S{n}” weighs heavily, and you have not yet said what you do about it." for n in (1, 2, 3)]
    assert "Everything here helps. What could get in the way, around you or in yourself?" in said
    assert "No opportunity is named: something around you that could help." in said
    # Said already by the list being one-sided.
    assert not any(sentence.startswith(("No threat", "No weakness")) for sentence in said)
    assert "Nothing here is beyond your control. What will happen whether you like it or not?" in said
    assert sum(sentence.startswith("No factor yet comes from this side") for sentence in said) == 2
    assert "“S4” is not on the map: say how likely it is and how much it would matter." in said
    assert "Nobody has looked at “S1” for 12 months. Does it still hold?" in said
    assert "Without a day when you saw or read it: “S2”, “S3”, “S4”." in said
    assert not set(said) & set(ROOM.missing(content, Surroundings(), plain))
    assert hints({}, date(2026, 11, 27), plain) == []


def outlook(**more: Any) -> Outlook:
    known: dict[str, Any] = {
        "soc_code": "29-1141",
        "title": "Registered nurses",
        "join": "exact",
        "release": "2024-34",
        "jobs": 100,
        "growth": 5.0,
        "openings": 1234567,
        "wage": 93600.0,
        "wage_text": None,
        "education": "Bachelor's degree",
        "experience": "None",
        "training": None,
        "self_employed": 0.6,
        "growing": True,
    }
    return Outlook(**known | more)


def facts(code: str, title: str, **more: Any) -> Facts:
    known: dict[str, Any] = {
        "code": code,
        "title": title,
        "description": "",
        "job_zone": 4,
        "interests": None,
        "high_points": None,
        "values": None,
        "education": (0.0, 1.0, 2.0, 8.0, 20.0, 30.0, 9.0, 20.0, 0.0, 0.0, 10.0, 0.0),
        "sources": {"education": ("Incumbent", "08/2023"), "job_zone": (None, None)},
        "outlook": outlook(),
    }
    return Facts(**known | more)


RELEASE = Release(
    1,
    "onet-30.1",
    "onet",
    "30.1",
    {"education": {"release": "30.1"}, "job_zones": {"release": "30.1"}},
    {},
    "x",
    NOW,
)
BLS = Release(2, "bls-2024-34", "bls", "2024-34", {}, {}, "y", NOW)
NURSE, OTHER, UNKNOWN = ("onet-30.1", "29-1141.00"), ("onet-30.1", "11-9199.00"), ("onet-29.0", "55-1111.00")
AROUND = Surroundings(
    contents={
        StepKey.CAREER_CHOICE: {
            "options": [
                {"id": "o1", "name": "Managers", "code": OTHER[1], "release": OTHER[0]},
                {"id": "o2", "name": "By hand", "code": None},
            ],
            "chosen": "o1",
        }
    },
    today=NOW.date(),
    catalogue=Catalogue(
        facts={
            NURSE: facts(NURSE[1], "Registered Nurses"),
            OTHER: facts(OTHER[1], "Managers, All Other", education=None, job_zone=None, outlook=None),
        },
        releases={NURSE: RELEASE, OTHER: RELEASE},
        current=RELEASE,
        outlook=BLS,
    ),
)
LOOKED_UP = [
    {"id": "n1", "code": NURSE[1], "release": NURSE[0], "name": "Registered Nurses"},
    {"id": "n2", "code": UNKNOWN[1], "release": UNKNOWN[0], "name": "Some officer"},
]


def test_facts_stand_beside_each_other_and_what_is_not_known_says_so() -> None:
    content = ROOM.read({"occupations": LOOKED_UP, "education": 6})
    found = figures.beside(content, AROUND)
    assert [(each.name, each.chosen, each.looked_up) for each in found] == [
        ("Managers, All Other", True, False),
        ("Registered Nurses", False, True),
        ("Some officer", False, True),
    ]
    assert [each.at_most for each in found] == [None, 61.0, None]
    section = ROOM.report(content, AROUND, plain)
    assert Paragraph("My education", "Bachelor's degree") in section.blocks
    assert Listing("Occupations looked up", ("Some officer",)) in section.blocks
    table = next(block for block in section.blocks if block.heading == "Occupations beside each other")
    assert isinstance(table, Table)
    assert table.columns == ("Figure", "Managers, All Other", "Registered Nurses")
    rows = {str(row[0]): row[1:] for row in table.rows}
    assert rows["Growth"] == ("not known", "+5.0 percent · Growing")
    assert rows["Openings a year"] == ("not known", "1,234,567")
    assert rows["Median pay a year"] == ("not known", "93,600 dollars")
    # What is not known of any of them is no row, but said once.
    assert "Usual training on the job" not in rows
    (told,) = (block for block in section.blocks if block.heading == "Where these figures come from")
    assert isinstance(told, Listing)
    assert "Usual training on the job" in told.lines[0]
    assert told.lines[0].startswith("Not known of any of them: ")
    assert rows["Self-employed"] == ("not known", "0.6 percent")
    assert rows["Preparation (job zone)"] == ("not known", "4: considerable preparation")
    assert rows["Jobs asking for at most my education"] == ("not known", "61 percent")
    assert rows["Figures of"][1] == (
        "United States; outlook and pay 2024-34, for this occupation; "
        "education asked for 08/2023, release 30.1; job zone release 30.1"
    )
    assert "0" not in rows["Growth"][0]
    picture = next(block for block in section.blocks if isinstance(block, Picture))
    assert "61 percent of the jobs ask for at most your level" in picture.svg
    assert picture.columns == ("At most", "Registered Nurses")
    assert picture.rows[5] == ("6: Bachelor's degree", "61 percent")
    sources = section.blocks[-1]
    assert isinstance(sources, Listing)
    assert "O*NET® 30.1 Database" in sources.lines[1]
    assert "Employment Projections, 2024-34" in sources.lines[2]


def _lines(block: object) -> tuple[str, ...]:
    return block.lines if isinstance(block, Listing) else ()


def test_without_an_education_no_share_is_told() -> None:
    section = ROOM.report(ROOM.read({"occupations": LOOKED_UP[:1]}), AROUND, plain)
    table = next(block for block in section.blocks if block.heading == "Occupations beside each other")
    assert isinstance(table, Table)
    assert "Jobs asking for at most my education" not in {row[0] for row in table.rows}
    assert any("Jobs asking for at most my education" in line for block in section.blocks for line in _lines(block))
    picture = next(block for block in section.blocks if isinstance(block, Picture))
    assert "ask for at most your level" not in picture.svg


def test_withheld_pay_stands_in_the_source_s_words_and_a_borrowed_release_is_told() -> None:
    held = facts(NURSE[1], "Surgeons", outlook=outlook(wage=None, wage_text=">=$239,200", growth=-3.24, growing=False))
    around = replace(
        AROUND,
        contents={},
        catalogue=replace(
            AROUND.catalogue, facts={("onet-29.0", NURSE[1]): held}, releases={("onet-29.0", NURSE[1]): RELEASE}
        ),
    )
    content = ROOM.read({"occupations": [LOOKED_UP[0] | {"release": "onet-29.0"}]})
    lines = ROOM.report(content, around, plain).lines()
    assert any(">=$239,200 dollars" in line for line in lines)
    assert any("−3.2 percent" in line for line in lines)
    assert any("“Surgeons” was taken from a release that is not here" in line for line in lines)


def test_changes_name_factors_that_came_went_or_are_weighed_otherwise() -> None:
    before = save({}, THREAT, THREAT | {"id": "f2", "text": "Old law", "kind": None}, occupations=LOOKED_UP[:1])
    after = save(
        before,
        typed(THREAT, likelihood=5, controllable="partly", source="elsewhere"),
        THREAT | {"id": "f3", "text": "New plant", "kind": "opportunity"},
        occupations=LOOKED_UP[1:],
        education=6,
    )
    assert ROOM.changes is not None
    table, listing = ROOM.changes(before, after, plain)
    assert isinstance(table, Table)
    assert table.rows == (
        ("“New plant” (opportunity)", "new", ""),
        ("“Old law” (not said)", "taken out", ""),
        ("“Hiring freeze” (threat)", "changed", "likelihood: 3 → 5; in my control: no → partly"),
    )
    assert isinstance(listing, Listing)
    assert listing.lines == (
        "Looked up: Some officer",
        "No longer looked at: Registered Nurses",
        "Education: not said → Bachelor's degree",
    )
    assert ROOM.changes(after, after, plain) == ()
    # What was stored before this version compares too.
    assert ROOM.changes({}, {"factors": [{"id": "f1", "text": "X"}]}, plain)


def test_every_kind_area_and_control_has_a_word() -> None:
    assert set(kind_words(plain)) == set(KINDS)
    assert set(area_words(plain)) == set(AREAS)
    assert set(control_words(plain)) == set(CONTROL)


@pytest.mark.parametrize(
    "wrong",
    [
        {"education": 13},
        {"factors": [{"id": "f", "area": "moon"}]},
        {"factors": [{"id": "f", "occupation": {"code": "nurse"}}]},
        {"occupations": [{"id": "n", "code": "29-1141"}]},
        {"occupations": [{"id": f"n{n}", "code": "29-1141.00"} for n in range(9)]},
    ],
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ROOM.read(wrong)
