"""What a worker keeps in memory (TRUST J10): one process that writes reports, and one that makes prompts."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.bench.harness import Place
from app.bench.prompts import due
from app.bench.report import open_worker, prepare, write_inputs
from app.domain import access
from app.features.reports.commands import ReportCohort
from app.features.reports.service import report_cohort
from app.features.reviews.engine import BATCH

_ORGANIZATIONS, _BATCHES_A_READING = 5, 4


@dataclass(frozen=True, slots=True)
class Resident:
    """Resident memory of the worker after so many results, in KiB."""

    done: int
    kib: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A series of `Resident`; the first is the warm worker. `of` names its results, many of them."""

    series: tuple[Resident, ...]
    of: str = "reports"

    @property
    def peak_mib(self) -> float:
        """The most it held at any reading."""
        return max(point.kib for point in self.series) / 1024

    @property
    def kib_each(self) -> float:
        """The slope of a straight line through the series (least squares): what each further result leaves behind."""
        count = len(self.series)
        middle_n = sum(point.done for point in self.series) / count
        middle_kib = sum(point.kib for point in self.series) / count
        across = sum((point.done - middle_n) * (point.kib - middle_kib) for point in self.series)
        spread = sum((point.done - middle_n) ** 2 for point in self.series)
        return across / spread if spread else 0.0

    def line(self) -> str:
        """One line for people."""
        told = ", ".join(f"{point.done:,}: {point.kib / 1024:.1f}" for point in self.series)
        return (
            f"memory of a worker in MiB after so many {self.of}: {told}; {self.kib_each:.2f} KiB for each further one"
        )


def writing_reports(place: Place, *, reports: int, jobs: int) -> Memory:
    """Let one worker write `reports` reports in `jobs` jobs and read its resident memory after each.

    The jobs go round five organizations, whose words and looks a worker keeps: one job for each comes before.
    Raises OSError where the system has no /proc.
    """
    each = reports // jobs
    organizations = [prepare(place, each) for _ in range(_ORGANIZATIONS)]
    source = place.folder / "memory.jsonl"
    write_inputs(place, organizations[0][0], [source])
    worker = open_worker(str(source), environment={**os.environ, **place.settings.environ()})
    assert worker.stdin is not None
    assert worker.stdout is not None
    series = []
    try:
        for number in range(1 - _ORGANIZATIONS, jobs + 1):
            organization, cohort = organizations[number % _ORGANIZATIONS]
            with place.runtime.database.unit_of_work(access.system(organization)) as uow:
                report_cohort(uow, ReportCohort(cohort_id=cohort))
            worker.stdin.write(f"{organization}\n")
            worker.stdin.flush()
            said = worker.stdout.readline()
            assert said == "done\n", said
            if number >= 0:
                series.append(Resident(number * each, _resident(worker.pid)))
    finally:
        worker.kill()
        worker.communicate()
    return Memory(tuple(series))


# As a worker makes them, one batch a transaction; says after each batch what it holds.
_MAKER = """
import os, sys
from uuid import UUID
from app.config import load
from app.domain import access
from app.features.reviews.engine import make_batch
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
runtime = make_runtime(load(os.environ), doorbell=SilentDoorbell())
more = True
while more:
    with runtime.database.unit_of_work(access.system(UUID(sys.argv[1]))) as uow:
        more = make_batch(uow)
    print("batch", flush=True)
    sys.stdin.readline()
"""


def making_prompts(place: Place, *, prompts: int) -> Memory:
    """Let one worker make `prompts` due prompts, batch after batch, and read its resident memory after every fourth.

    The first four are its warm-up. Raises OSError where the system has no /proc.
    """
    organization = due(place, prompts)
    worker = subprocess.Popen(  # noqa: S603 # our own script
        [sys.executable, "-c", _MAKER, str(organization)],
        env={**os.environ, **place.settings.environ()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    series = []
    try:
        for number in range(1, prompts // BATCH + 1):
            said = worker.stdout.readline()
            assert said == "batch\n", said
            if number % _BATCHES_A_READING == 0:
                series.append(Resident(number * BATCH, _resident(worker.pid)))
            worker.stdin.write("\n")
            worker.stdin.flush()
    finally:
        worker.kill()
        worker.communicate()
    with place.runtime.database.unit_of_work(access.system(organization)) as uow:
        made = uow.session.execute(text("SELECT count(*) FROM prompts")).scalar_one()
    assert made == prompts, made
    return Memory(tuple(series), "prompts")


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
