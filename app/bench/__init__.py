"""Measures the large jobs against bare floors on the same work, in the same run, on the same database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.bench import assign, caseload, match, memory, prompts, report, roster, routes, score, triggers
from app.bench.harness import Measured, Place

# Name, a function of (place, n, limit, runs), the size with a limit, the limit, and sizes to show growth.
_MEASUREMENTS: tuple[tuple[str, Callable[..., Measured], int, float | None, tuple[int, ...]], ...] = (
    ("assign", assign.measure, 10_000, 2.5, (1_000, 100_000)),
    ("prompts", prompts.measure, 10_000, 2.0, (1_000, 100_000)),
    ("report", report.measure, 1_000, 1.3, (100,)),
    ("score", score.measure, 12_000, 3.0, (1_000, 100_000)),
    ("roster", roster.measure, 100_000, 4.0, (1_000, 10_000)),
    ("caseload", caseload.measure, 200_000, 2.0, ()),
    # No ratio to keep but a time: ten seconds from a release to the plans it touches.
    ("triggers", triggers.measure, 200_000, None, (1_000,)),
    # No ratio to keep but a time: 30 ms for one search.
    ("routes", routes.measure, 18_460, None, ()),
    ("rank", match.rank, match.OCCUPATIONS, 3.0, ()),
    ("correlate", match.correlate, 10_000, 2.0, ()),
    ("resample", match.resample, 500, None, ()),
)
# A size that is there to show growth has no limit to keep, and the largest take minutes a run.
_GROWTH_RUNS = 3


def run_all(
    folder: Path, *, wanted: Sequence[str], runs: int, growth: bool, say: Callable[[str], None]
) -> list[Measured]:
    """Measure everything in `wanted` (all when empty) in `folder`; `growth` adds the sizes beside the limited one.

    Says every line as it comes, and with "memory" what a worker holds after up to 1,000 reports.
    """
    rows = []
    place = Place(folder)
    try:
        for name, measure, size, limit, others in _MEASUREMENTS:
            if wanted and name not in wanted:
                continue
            for n in sorted({size, *(others if growth else ())}):
                limited = n == size
                row = measure(
                    place, n, limit=limit if limited else None, runs=runs if limited else min(runs, _GROWTH_RUNS)
                )
                say(f"{row.name}, {row.n:,}: {row.seconds:.3f} s, floor {row.floor_seconds:.3f} s, {row.ratio:.2f}")
                rows.append(row)
        if not wanted or "memory" in wanted:
            say(memory.measure(place, reports=1_000, cohorts=10).line())
    finally:
        place.stop()
    return rows
