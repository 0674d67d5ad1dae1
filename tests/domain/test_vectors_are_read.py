"""Every file of test vectors, and every case and figure in it, is read by some test."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.domain.onet_files import rows
from tests.shared_data import FOLDER, data_file, vectors
from tests.watched import unread, watched

ROOT = Path(__file__).resolve().parents[2]
# Words about a file: where it is from, and formulas written out.
SAID_ONLY = re.compile(
    r".*\.(source|formula|similarity|note|rule|normalisation|wsm_normalisation)"
    r"|profile_indices\.(consistency|data_ideas|things_people)"
    r"|reliable_change\.(SEM|S_diff)"
)


def readers() -> dict[str, set[str]]:
    """Test functions that read vectors, as pytest names them, each with the files it reads."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            names = {
                str(call.args[0].value)
                for call in ast.walk(node)
                if isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id == "vectors"
                and isinstance(call.args[0], ast.Constant)
            }
            if names:
                found[f"{path.relative_to(ROOT)}::{node.name}"] = names
    return found


def test_every_file_of_vectors_is_named_by_a_test() -> None:
    data_file("vectors/README.md")
    named = set().union(*readers().values())
    assert named == {path.stem for path in (FOLDER / "vectors").glob("*.json")}


@pytest.mark.data
def test_the_files_of_release_30_1_are_as_expected() -> None:
    expected = vectors("onet_30_1_expectations")
    interests = [row for row in rows("30.1", "Interests.txt") if row["Scale ID"] == "OI"]
    scores = [float(row["Data Value"]) for row in interests]
    assert [min(scores), max(scores)] == expected["interest_range"]
    assert len(rows("30.1", "Job Zones.txt")) == expected["job_zone_rows"]
    assert len(rows("30.1", "Work Values.txt")) == expected["work_value_rows"]
    styles = rows("30.1", "Work Styles.txt")
    assert len({row["O*NET-SOC Code"] for row in styles}) == expected["work_style_occupations"]
    assert len({row["Element ID"] for row in styles}) == expected["work_style_elements"]
    raw = data_file("onet/db_30_1_text/Education, Training, and Experience.txt").read_bytes()
    assert raw.isascii() == (expected["encoding"] == "ASCII (UTF-8)")
    assert (raw.count(b"\r\n") == raw.count(b"\n")) == (expected["line_ending"] == "CRLF")
    assert (b"\t" in raw.splitlines()[0]) == (expected["delimiter"] == "TAB")
    assert expected["missing"].encode() in raw


@pytest.mark.data
def test_every_case_and_figure_is_looked_at(tmp_path: Path) -> None:
    data_file("vectors/README.md")
    log = tmp_path / "read"
    # Those that need a server are run with the rest; here the pure ones are run once more, watched.
    pure = [name for name in readers() if name.startswith("tests/domain/")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *pure],
        cwd=ROOT,
        env=os.environ | {"OCTANT_VECTORS_LOG": str(log)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    seen = set(log.read_text(encoding="utf-8").split("\n"))
    # What needs the imported catalogue is read by name there, in a database of its own.
    catalogue = (ROOT / "tests" / "occupations" / "test_whole_catalogue.py").read_text(encoding="utf-8")
    expectations = json.loads(data_file("vectors/onet_30_1_expectations.json").read_text(encoding="utf-8"))
    seen |= {f"onet_30_1_expectations.{key}" for key in expectations if f'["{key}"]' in catalogue}
    seen |= {f"onet_30_1_expectations.spot.{key}" for key in expectations["spot"] if f'["{key}"]' in catalogue}
    # These two are compared whole.
    seen |= {
        f"onet_30_1_expectations.{table}.{key}"
        for table in ("job_zone_counts", "related_tiers")
        for key in expectations[table]
        if f'== expected["{table}"]' in catalogue
    }
    missed = []
    for path in sorted((FOLDER / "vectors").glob("*.json")):
        value = json.loads(path.read_text(encoding="utf-8"))
        missed += [place for place in unread(value, path.stem, seen) if not SAID_ONLY.fullmatch(place)]
    assert not missed, "no test reads:\n" + "\n".join(missed)


def test_what_nobody_looked_at_is_named(tmp_path: Path) -> None:
    value = {"cases": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3]}], "matrix": [[1], [2]], "whole": {"x": 1}, "left": 0}
    log = tmp_path / "read"
    seen = watched(value, "file", log)
    for case in seen["cases"]:
        assert case["a"] > 0
    assert seen["cases"][0]["b"] == [1, 2]
    assert seen["matrix"]
    assert seen["whole"] == {"x": 1}
    assert unread(value, "file", set(log.read_text().split("\n"))) == ["file.cases[1].b", "file.left"]
