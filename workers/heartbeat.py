"""Shows that a worker still hears the broker: it sends itself a message and notes the time when it arrives.

A worker can be alive and deaf (its connection half open after a broker restart); only a message that
went through the broker and its own pool proves the opposite.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import structlog
from celery import Celery

_LOG = structlog.get_logger()
# Several times within the age at which a supervisor restarts the worker (app/demo: two minutes).
_EVERY = 10.0


def queue_of(heartbeat_file: str) -> str:
    """The queue only this worker serves."""
    return "alive." + hashlib.sha256(heartbeat_file.encode()).hexdigest()[:12]


def start(app: Celery, heartbeat_file: str) -> threading.Thread:
    """Send the worker a message every few seconds until its process ends."""

    def beat() -> None:
        quiet = threading.Event()
        while True:
            try:
                app.send_task("workers.tasks.alive", queue=queue_of(heartbeat_file), retry=False, expires=_EVERY)
            except Exception as error:  # whatever keeps us from the broker, the worker is not to blame
                _LOG.warning("broker_away", error=type(error).__name__)
                Path(heartbeat_file).touch()
            quiet.wait(_EVERY)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    return thread
