"""Shows that a worker still hears the broker: it sends itself a message and notes the time when it arrives.

A worker can be alive and deaf (its connection half open after a broker restart); only a message that
went through the broker and its own pool proves the opposite. Such a worker ends itself: what restarts a
process that died need not know more, and Docker, for one, restarts nothing that is only unhealthy.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
from celery import Celery

from app.infra import processes

_LOG = structlog.get_logger()
_EVERY = 10.0


def queue_of(heartbeat_file: str) -> str:
    """The queue only this worker serves."""
    return "alive." + hashlib.sha256(heartbeat_file.encode()).hexdigest()[:12]


def start(app: Celery, heartbeat_file: str, *, deaf_after: float) -> threading.Thread:
    """Send the worker a message every few seconds until its process ends.

    When none came back for `deaf_after` seconds although the broker takes them, the worker ends itself and its pool
    with exit code 75. What it worked on is free again when its lease runs out.
    """
    note = Path(heartbeat_file)

    def beat() -> None:
        quiet = threading.Event()
        # An older note is another process's. The moments are this process's own: a clock that is set makes nobody deaf.
        noted, heard = _noted(note), time.monotonic()
        while True:
            try:
                app.send_task("workers.tasks.alive", queue=queue_of(heartbeat_file), retry=False, expires=_EVERY)
            except Exception as error:  # whatever keeps us from the broker, the worker is not to blame
                _LOG.warning("broker_away", error=type(error).__name__)
                note.touch()
            quiet.wait(_EVERY)
            if (now_noted := _noted(note)) != noted:
                noted, heard = now_noted, time.monotonic()
            silent = time.monotonic() - heard
            if silent > deaf_after:
                _LOG.error("worker_deaf", seconds=round(silent))
                _end()

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    return thread


def _noted(note: Path) -> int | None:
    """When the note was last touched, by whichever clock; None where there is none."""
    try:
        return note.stat().st_mtime_ns
    except FileNotFoundError:
        return None


@contextmanager
def kept(heartbeat_file: str) -> Iterator[None]:
    """Touch the file meanwhile: a worker whose whole pool is at long work does not hear, and is not deaf."""
    over = threading.Event()

    def touch() -> None:
        while not over.wait(_EVERY):
            Path(heartbeat_file).touch()

    if heartbeat_file:
        threading.Thread(target=touch, name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _end() -> None:
    """End the pool and the worker at once: one that does not hear would not hear a request to end either."""
    for child in processes.descendants(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os._exit(processes.EXIT_DEAF)
