"""What a worker keeps in memory while it writes reports (TRUST J10): one process, cohort after cohort."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from app.bench.harness import Place
from app.bench.report import open_worker, prepare, write_inputs
from app.domain import access
from app.features.reports.commands import ReportCohort
from app.features.reports.service import report_cohort


@dataclass(frozen=True, slots=True)
class Resident:
    """Resident memory of the worker after so many reports, in KiB."""

    reports: int
    kib: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A series of `Resident`; the first is the warm worker, after its first cohort."""

    series: tuple[Resident, ...]

    @property
    def peak_mib(self) -> float:
        """The most it held after any cohort."""
        return max(point.kib for point in self.series) / 1024

    @property
    def kib_per_report(self) -> float:
        """The slope of a straight line through the series (least squares): what each further report leaves behind."""
        count = len(self.series)
        middle_n = sum(point.reports for point in self.series) / count
        middle_kib = sum(point.kib for point in self.series) / count
        across = sum((point.reports - middle_n) * (point.kib - middle_kib) for point in self.series)
        spread = sum((point.reports - middle_n) ** 2 for point in self.series)
        return across / spread if spread else 0.0

    def line(self) -> str:
        """One line for people."""
        told = ", ".join(f"{point.reports:,}: {point.kib / 1024:.1f}" for point in self.series)
        return (
            f"memory of a worker in MiB after so many reports: {told};"
            f" {self.kib_per_report:.2f} KiB for each further one"
        )


def measure(place: Place, *, reports: int, cohorts: int) -> Memory:
    """Let one worker write `reports` reports in `cohorts` jobs and read its resident memory after each.

    Raises OSError where the system has no /proc.
    """
    each = reports // cohorts
    organizations = [prepare(place, each) for _ in range(cohorts)]
    source = place.folder / "memory.jsonl"
    write_inputs(place, organizations[0][0], [source])
    worker = open_worker(str(source), environment={**os.environ, **place.settings.environ()})
    assert worker.stdin is not None
    assert worker.stdout is not None
    series = []
    try:
        for number, (organization, cohort) in enumerate(organizations, start=1):
            with place.runtime.database.unit_of_work(access.system(organization)) as uow:
                report_cohort(uow, ReportCohort(cohort_id=cohort))
            worker.stdin.write(f"{organization}\n")
            worker.stdin.flush()
            said = worker.stdout.readline()
            assert said == "done\n", said
            series.append(Resident(number * each, _resident(worker.pid)))
    finally:
        worker.kill()
        worker.communicate()
    return Memory(tuple(series))


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
