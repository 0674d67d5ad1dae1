"""What another organization feels of a bulk job: its caseload page while a worker assigns, and the same page idle."""

from __future__ import annotations

import multiprocessing
import statistics
from datetime import timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from uuid import UUID

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.caseload import browser_of
from app.bench.harness import Measured, Place, finish_jobs, interleaved, stopwatch
from app.config import Settings
from app.domain import access
from app.factory import create_app
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.infra.logs import configure_logging
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime

_ADDRESS = "/caseload?size=600"
_CLIENTS = 50_000
# Enough pages for a median, few enough that the job outlasts them.
_PAGES = 15


def measure(place: Place, rows: int, *, limit: float | None, runs: int = 5) -> Measured:
    """The page of `rows` clients, idle and while 50,000 steps are assigned in another organization; limit 1.5."""
    busy, cohort, template = prepare(place, _CLIENTS)
    quiet, _, other = prepare(place, rows)
    with place.superuser() as connection:
        for organization, given in ((busy, template), (quiet, other)):
            connection.execute(GIVE_PLANS, {"o": organization, "t": given, "d": START})
        connection.commit()
    app = create_app(place.runtime)
    browser = browser_of(place, app, quiet, rows)
    place.settle()
    browser.get(_ADDRESS)
    spawn = multiprocessing.get_context("spawn")

    def pages(worker: BaseProcess | None) -> float:
        times: list[float] = []
        while len(times) < _PAGES and (worker is None or worker.is_alive()):
            with stopwatch() as seconds:
                assert browser.get(_ADDRESS).status_code == 200
                times.append(seconds())
        assert len(times) > _PAGES // 2, "the job ended before enough pages were asked for"
        return statistics.median(times)

    def floor(_: int) -> float:
        return pages(None)

    def ours(run: int) -> float:
        with place.runtime.database.unit_of_work(access.system(busy)) as uow:
            day = START + timedelta(days=run)
            assign(uow, Assign(what="step", step=3, due_on=day, cohort_id=cohort))
        ready = spawn.Event()
        worker = spawn.Process(target=_work, args=(place.settings, busy, ready))
        worker.start()
        try:
            assert ready.wait(60), "the worker did not start"
            return pages(worker)
        finally:
            worker.join()
            assert worker.exitcode == 0, worker.exitcode

    name = "page of another organization while 50,000 steps are assigned"
    return interleaved(name, rows, floor, ours, limit=limit, runs=runs)


def _work(settings: Settings, organization: UUID, ready: Event) -> None:
    # A process of its own says what it does unless it is told not to.
    configure_logging("text", "WARNING")
    runtime = make_runtime(settings, doorbell=SilentDoorbell())
    ready.set()
    finish_jobs(runtime, organization)
    runtime.database.dispose()
