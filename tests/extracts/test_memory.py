"""Own reports are written row by row: ten times the rows need no more memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.bench.extracts import STEPS, _steps, _written
from app.bench.harness import Place

LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
FEW, MANY = (100_000, 1_000_000) if LONG else (16_000, 160_000)
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _resident(which: str) -> int:
    """Of this process, in KiB: `VmRSS` now, `VmHWM` the most since it was cleared."""
    return next(int(line.split()[1]) for line in _STATUS.read_text().splitlines() if line.startswith(which))


def _grows_by(place: Place, form: str, rows: int) -> int:
    """How many KiB more than before this process holds at most while it writes so many rows."""
    _, reader = _steps(place, rows)
    # Once before, so that what is kept for good is there.
    _written(place, reader, STEPS, form, rows)
    _CLEAR.write_text("5")
    before = _resident("VmRSS")
    _written(place, reader, STEPS, form, rows)
    return max(0, _resident("VmHWM") - before)


@pytest.mark.fault
@pytest.mark.skipif(not os.access(_CLEAR, os.W_OK), reason="the most memory ever held is read from /proc")
@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "parquet"])
def test_ten_times_the_rows_need_no_more_memory(place: Place, form: str) -> None:
    few, many = (_grows_by(place, form, rows) for rows in (FEW, MANY))
    # A row is a hundred bytes of text at least: kept, those more would be 14 MiB.
    assert many < few + 6 * 1024, (few, many)
