"""Finds the third-party data files that some tests read; they are no part of the project.

They are looked for in $OCTANT_SHARED_DATA, else in `../shared/data` beside the project. Where they are
absent the test is skipped with the name of what is missing.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.watched import watched

FOLDER = Path(os.environ.get("OCTANT_SHARED_DATA") or Path(__file__).resolve().parents[1].parent / "shared" / "data")


def data_file(name: str) -> Path:
    """The path of a data file, for example `vectors/mini_ipip.json`; skips the test where it is absent."""
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"shared data file {name} is not here (set OCTANT_SHARED_DATA to its folder)")
    return path


def vectors(name: str) -> Any:
    """The test vectors of one file in `vectors/`, named without its ending."""
    found = json.loads(data_file(f"vectors/{name}.json").read_text(encoding="utf-8"))
    # `tests/domain/test_vectors_are_read.py` asks what of them a test looked at.
    log = os.environ.get("OCTANT_VECTORS_LOG")
    return watched(found, name, Path(log)) if log else found
