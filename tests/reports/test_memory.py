"""J10: a worker that writes report after report does not grow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.harness import Place
from app.bench.memory import Memory, Resident, measure
from app.infra.embedded import remove_data

LONG = os.environ.get("OCTANT_TEST_LONG") == "1"
# A report of two pages is some 40 KiB; whatever is kept of each shows against this.
MOST_KIB_EACH = 1.0 if LONG else 6.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Servers of their own, as the measurements have them."""
    made = Place(tmp_path)
    yield made
    made.stop()
    remove_data(tmp_path / "postgres")
    remove_data(tmp_path / "valkey")


@pytest.mark.fault
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident memory is read from /proc")
def test_j10_a_workers_memory_stays_flat_over_many_reports(place: Place) -> None:
    found = measure(place, reports=1_000 if LONG else 200, cohorts=10 if LONG else 8)
    assert found.peak_mib < 400, found.line()
    # The first cohorts are still the warm-up: caches of the catalogue, of fonts and of compiled queries fill.
    warm = Memory(found.series[2:])
    assert warm.kib_per_report < MOST_KIB_EACH, found.line()


def test_a_leak_shows_as_its_size_for_each_report() -> None:
    leaking = Memory(tuple(Resident(n * 25, 100_000 + n * 25 * 40) for n in range(1, 9)))
    assert round(leaking.kib_per_report, 3) == 40
    assert Memory((Resident(25, 90), Resident(50, 90))).kib_per_report == 0
    assert "25: 0.1" in Memory((Resident(25, 100), Resident(50, 90))).line()
