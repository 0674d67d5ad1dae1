"""Match quality: the measure itself, and the published figure recomputed from the files without the product."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from app.cli.science import science
from app.domain.match_quality import (
    coverage_likeness,
    education_likeness,
    nearness,
    profile_likeness,
    quality,
    together,
)
from app.domain.matching import SkillNeed, coverage
from app.features.occupations.onet import read_onet
from app.features.occupations.science import BEGIN, END, columns_of, figures_of, put_into, report_of, starter_figure
from app.features.occupations.starter import read_starter
from tests.domain.onet_files import interests, rows
from tests.shared_data import data_file

ROOT = Path(__file__).resolve().parents[2]


def by_hand(codes: list[str], matrix: np.ndarray[Any, Any], related: dict[str, set[str]], within: int) -> float:
    """The share found, one occupation after the other, with numpy's own correlation."""
    r = np.corrcoef(matrix)
    shares = []
    for place, code in enumerate(codes):
        others = sorted((-r[place, other], codes[other]) for other in range(len(codes)) if other != place)
        first = {other for _, other in others[:within]}
        shares.append(len(first & related[code]) / len(related[code]))
    return float(np.mean(shares))


@pytest.fixture(scope="module")
def folders() -> list[Path]:
    return [
        data_file("onet/db_30_1_text/Interests.txt").parent,
        data_file("onet/db_29_3_text_converted/Skills.txt").parent,
    ]


def test_the_published_figure_from_the_files_alone(folders: list[Path], tmp_path: Path) -> None:
    codes, matrix = interests("30.1")
    related: dict[str, set[str]] = {}
    for row in rows("30.1", "Related Occupations.txt"):
        related.setdefault(row["O*NET-SOC Code"], set()).add(row["Related O*NET-SOC Code"])
    assert {len(each) for each in related.values()} == {20}
    expected = by_hand(codes, matrix, related, 20)
    assert round(expected, 3) == 0.307
    figures = {figure.name: figure.quality for figure in figures_of(columns_of(read_onet(folders)))}
    assert figures["Interests"].share == pytest.approx(expected, abs=1e-6)
    assert (figures["Interests"].occupations, figures["Interests"].listed) == (923, 18_460)
    assert round(figures["Interests"].chance, 3) == 0.022
    assert figures["Values"].occupations == 874
    assert figures["Skills: level"].occupations == 879
    # What was computed when the work was asked for: about 0.33 with skills added.
    for name in ("Interests + Skills: level", "Interests + Skills: importance"):
        share = figures[name].share
        assert share is not None
        assert 0.33 < share < 0.35
    document = tmp_path / "science.md"
    document.write_text(f"# Science\n\n{BEGIN}\nold\n{END}\n\nEnd.\n")
    ran = CliRunner().invoke(science, [*map(str, folders), "--write", str(document)])
    assert ran.exit_code == 0, ran.output
    assert f"| Interests | {expected:.3f} | 923 |" in ran.output
    written = document.read_text()
    assert ran.output.split("\n\nWritten")[0].strip() in written
    assert written.startswith("# Science")
    assert written.endswith("End.\n")
    assert "old" not in written
    # What the documents say is what the command says, whatever the day.
    table = re.compile(r"^\|.*\|$", re.M)
    said = (ROOT / "docs" / "science.md").read_text().partition(BEGIN)[2].partition(END)[0]
    assert table.findall(said) == table.findall(ran.output)


def test_the_starter_counts_only_what_it_has(folders: list[Path]) -> None:
    starter = read_starter()
    columns = columns_of(read_onet(folders))
    found = starter_figure(columns, starter).quality
    codes = sorted(str(row["code"]) for row in starter.occupations)
    matrix = np.array([row["interests"] for row in sorted(starter.occupations, key=lambda row: str(row["code"]))])
    mine = set(codes)
    related: dict[str, set[str]] = {code: set() for code in codes}
    for row in rows("30.1", "Related Occupations.txt"):
        if row["O*NET-SOC Code"] in mine and row["Related O*NET-SOC Code"] in mine:
            related[row["O*NET-SOC Code"]].add(row["Related O*NET-SOC Code"])
    r = np.corrcoef(matrix)
    hits = 0
    for place, code in enumerate(codes):
        order = sorted((-r[place, n], other) for n, other in enumerate(codes) if other != code)
        hits += len({other for _, other in order[:20]} & related[code])
    assert found.listed == sum(map(len, related.values()))
    assert found.share == pytest.approx(hits / found.listed, abs=1e-6)
    assert found.chance == pytest.approx(20 / (len(codes) - 1))


def test_a_release_without_skills_or_values_shows_what_it_has() -> None:
    partial = data_file("onet/db_30_2_text_partial/Interests.txt").parent
    report = report_of(read_onet([partial]), read_starter(), date(2026, 1, 2))
    assert "| Interests | undefined | 0 |" in report
    assert "Values" not in report
    assert "2026-01-02" in report


def test_a_file_without_a_place_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no place"):
        put_into("# Nothing", "table")
    assert put_into(f"a{BEGIN}x{END}b", "table") == f"a{BEGIN}\n\ntable\n\n{END}b"


def test_an_occupation_never_finds_itself_and_undefined_rows_are_left_out() -> None:
    likeness = np.array([[1.0, 0.9, 0.1], [0.2, 1.0, 0.8], [np.nan, np.nan, 1.0]])
    related = np.array([[False, True, False], [True, False, False], [True, False, False]])
    found = quality(likeness, related, within=1)
    # The first finds its relation, the second does not, the third has no ranking beside itself.
    assert (found.share, found.occupations, found.listed, found.chance) == (0.5, 2, 2, 0.5)
    nothing = quality(np.full((2, 2), np.nan), np.ones((2, 2), dtype=np.bool_))
    assert (nothing.share, nothing.occupations) == (None, 0)


@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_ranking_by_the_lists_themselves_finds_everything(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    related = rng.random((number, number)) < 0.5
    np.fill_diagonal(related, False)
    found = quality(related.astype(np.float64), related, within=number)
    assert found.share == (1.0 if related.any() else None)


@given(st.integers(0, 2**32 - 1))
def test_coverage_of_all_is_coverage_of_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    importance, level = rng.uniform(1, 5, (4, 5)), rng.integers(0, 8, (4, 5)).astype(np.float64)
    level[rng.random((4, 5)) < 0.2] = np.nan
    counted = rng.random((4, 5)) < 0.8
    found = coverage_likeness(importance, level, counted)
    for person in range(4):
        own = {str(n): float(value) for n, value in enumerate(level[person]) if not np.isnan(value)}
        for job in range(4):
            needs = [
                SkillNeed(str(n), float(importance[job, n]), None if np.isnan(level[job, n]) else float(level[job, n]))
                for n in range(5)
                if counted[job, n]
            ]
            share = coverage(needs, own).share
            assert found[person, job] == pytest.approx(np.nan if share is None else share, nan_ok=True)


def test_the_other_columns_by_hand() -> None:
    distributions = np.array([[50.0, 50.0], [0.0, 100.0], [np.nan, np.nan]])
    found = education_likeness(distributions)
    # Half of the first occupation's jobs ask for the lowest level, which is therefore typical of it.
    assert found[:2, :2].tolist() == [[50.0, 0.0], [100.0, 100.0]]
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
    assert nearness(np.array([1.0, 4.0]))[0].tolist() == [0.0, -3.0]
    flat = profile_likeness(np.array([[1.0, 2, 3], [2, 2, 2], [3, 2, 1]]))
    assert flat[0, 2] == pytest.approx(-1)
    assert np.isnan(flat[1]).all()


def test_columns_together_count_what_is_known() -> None:
    nan = np.nan
    first = np.array([[9, 0.0, 1.0], [0.5, 9, 0.5], [nan, nan, nan]])
    second = np.array([[9, 4.0, 2.0], [nan, 9, 3.0], [nan, nan, nan]])
    found = together([first, second])
    assert found[0, 1:].tolist() == [0.5, 0.5]
    # The second row has no spread in the first column (1 for all) and one figure in the second.
    assert found[1, [0, 2]].tolist() == [1.0, 1.0]
    assert np.isnan(found[2]).all()
