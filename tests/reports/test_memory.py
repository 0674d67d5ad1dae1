"""J10: a worker that writes report after report, or makes prompt after prompt, does not grow."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.bench.harness import Place
from app.bench.memory import Memory, Resident, making_prompts, writing_reports

LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
# A report of two pages is some 40 KiB; whatever is kept of each shows against this.
MOST_KIB_EACH = 1.0 if LONG else 6.0


@pytest.mark.fault
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_j10_a_workers_memory_stays_flat_over_many_reports(place: Place) -> None:
    found = writing_reports(place, reports=1_000 if LONG else 200, jobs=10 if LONG else 8)
    assert found.peak_mib < 400, found.line()
    assert found.kib_each < MOST_KIB_EACH, found.line()


@pytest.mark.fault
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_j10_a_workers_memory_stays_flat_over_many_prompts(place: Place) -> None:
    found = making_prompts(place, prompts=20_000 if LONG else 6_000)
    assert found.peak_mib < 400, found.line()
    # A prompt's message is some 600 bytes of parameters alone.
    assert found.kib_each < 0.2, found.line()


def test_a_leak_shows_as_its_size_for_each_report() -> None:
    leaking = Memory(tuple(Resident(n * 25, 100_000 + n * 25 * 40) for n in range(1, 9)))
    assert round(leaking.kib_each, 3) == 40
    assert Memory((Resident(25, 90), Resident(50, 90))).kib_each == 0
    assert "25: 0.1" in Memory((Resident(25, 100), Resident(50, 90))).line()
