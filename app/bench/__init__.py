"""Measures the large jobs against bare floors on the same work, in the same run, on the same database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.bench import (
    assign,
    caseload,
    due,
    extracts,
    figures,
    filters,
    match,
    memory,
    neighbours,
    prompts,
    report,
    rollout,
    roster,
    routes,
    score,
    shift,
    triggers,
)
from app.bench.harness import Measured, Place

# Name, a function of (place, n, limit, runs), the size with a limit, the limit, and sizes to show growth.
_MEASUREMENTS: tuple[tuple[str, Callable[..., Measured], int, float | None, tuple[int, ...]], ...] = (
    ("assign", assign.measure, 10_000, 2.5, (1_000, 100_000)),
    ("step", assign.step, 50_000, 2.5, (5_000,)),
    ("rollout", rollout.out, 10_000, 4.0, (1_000, 100_000)),
    ("rollback", rollout.back, 10_000, 4.0, (1_000, 100_000)),
    ("shift", shift.measure, 400_000, 2.0, (40_000,)),
    ("neighbours", neighbours.measure, 200, 1.5, ()),
    ("prompts", prompts.measure, 10_000, 2.0, (1_000, 100_000)),
    ("claim", due.claim, 200_000, 1.5, ()),
    ("write", due.write, 200_000, 2.5, ()),
    ("sweep", due.sweep, 1_000, None, ()),
    ("report", report.measure, 1_000, 1.3, (100,)),
    ("csv", extracts.lines, 1_000_000, 1.5, (100_000,)),
    # No ratio to keep but a time: a second.
    ("first", extracts.first_byte, 1_000_000, None, ()),
    ("workbook", extracts.workbook, 100_000, 1.5, (10_000,)),
    ("score", score.measure, 12_000, 3.0, (1_000, 100_000)),
    ("roster", roster.measure, 100_000, 4.0, (1_000, 10_000)),
    ("caseload", caseload.measure, 200_000, 2.0, ()),
    ("rule", filters.rule, 200_000, 1.5, ()),
    # No ratio to keep but a time: 200 ms for a size that is shown while conditions are chosen.
    ("filter", filters.preview, 200_000, None, ()),
    ("figures", figures.page, 50_000, 0.25, (5_000,)),
    ("aggregates", figures.aggregates, 50_000, 0.25, (5_000, 500_000)),
    ("figures_anew", figures.anew, 50_000, None, (5_000, 500_000)),
    # No ratio to keep but a time: 200 ms for 50 by 50.
    ("withhold", figures.suppress, 2_500, None, ()),
    # No ratio to keep but a time: ten seconds from a release to the plans it touches.
    ("triggers", triggers.measure, 200_000, None, (1_000,)),
    # No ratio to keep but a time: 30 ms for one search.
    ("routes", routes.measure, 18_460, None, ()),
    ("rank", match.rank, match.OCCUPATIONS, 3.0, ()),
    ("correlate", match.correlate, 10_000, 2.0, ()),
    ("resample", match.resample, 500, None, ()),
)


def run_all(
    folder: Path, *, wanted: Sequence[str], runs: int, growth: bool, say: Callable[[str], None]
) -> list[Measured]:
    """Measure everything in `wanted` (all when empty) in `folder`; `growth` adds the sizes beside the limited one.

    Says every line as it comes, and with "memory" what a worker holds after up to 1,000 reports and 20,000 prompts.
    """
    rows = []
    place = Place(folder)
    try:
        for name, measure, size, limit, others in _MEASUREMENTS:
            if wanted and name not in wanted:
                continue
            for n in sorted({size, *(others if growth else ())}):
                limited = n == size
                row = measure(place, n, limit=limit if limited else None, runs=runs)
                say(f"{row.name}, {row.n:,}: {row.seconds:.3f} s, floor {row.floor_seconds:.3f} s, {row.ratio:.2f}")
                rows.append(row)
        if not wanted or "memory" in wanted:
            say(memory.writing_reports(place, reports=1_000, jobs=10).line())
            say(memory.making_prompts(place, prompts=20_000).line())
    finally:
        place.stop()
    return rows
