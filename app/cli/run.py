"""`octant run`: the processes of an installation. Each replaces this one, so that signals reach it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from app.cli import settings_from_environment
from app.infra.runtime import make_runtime

_QUEUES = ("prompt", "sweep", "bulk", "long")


@click.group()
def run() -> None:
    """Run one process of an installation: web, worker, beat or sweeper."""


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _exec(*argv: str) -> None:
    os.execv(argv[0], argv)  # noqa: S606 # a fixed program of our own environment, without a shell


@run.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=int)
@click.option("--workers", default=2, show_default=True, type=int, help="Processes; one per core.")
@click.option("--threads", default=4, show_default=True, type=int, help="Requests a process serves at once.")
def web(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the pages and the API. Refuses to start on a database role that sees every organization."""
    settings = settings_from_environment()
    runtime = make_runtime(settings)
    runtime.database.refuse_unsafe_roles()
    runtime.database.dispose()
    _exec(
        *(_program("granian"), "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--respawn-failed-workers"),
        # As long as a request may take; a process that does not end by then, one that had only begun say, is killed.
        *("--workers-kill-timeout", "30", "--no-ws", "--log-level", "warning", "app.wsgi:application"),
    )


@run.command()
@click.option("--queues", default=",".join(_QUEUES), show_default=True, help="Which queues to serve.")
@click.option("--concurrency", default=2, show_default=True, type=int, help="Processes of this worker.")
def worker(queues: str, concurrency: int) -> None:
    """Work on bulk jobs, prompts and housekeeping."""
    settings = settings_from_environment()
    runtime = make_runtime(settings)
    runtime.database.refuse_unsafe_roles()
    runtime.database.dispose()
    name = queues.replace(",", "-")
    if settings.heartbeat_file:
        from workers.heartbeat import queue_of  # noqa: PLC0415 # the other commands need no Celery

        queues += "," + queue_of(settings.heartbeat_file)
    _exec(
        *(_program("celery"), "--app", "workers.main:celery", "--quiet", "worker", "--queues", queues),
        *("--concurrency", str(concurrency), "--hostname", f"{name}@%h", "--loglevel", settings.log_level),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "--pool", "prefork"),
    )


@run.command()
@click.option("--schedule", default="celerybeat-schedule", show_default=True, help="Where beat keeps its notes.")
def beat(schedule: str) -> None:
    """Ring for housekeeping once a minute. May run twice or not at all: nothing a client sees depends on it."""
    settings = settings_from_environment()
    _exec(
        *(_program("celery"), "--app", "workers.main:celery", "--quiet", "beat", "--schedule", schedule),
        *("--loglevel", settings.log_level, "--pidfile", ""),
    )


@run.command()
@click.option("--every", default=2.0, show_default=True, type=float, help="Seconds between two rounds.")
def sweeper(every: float) -> None:
    """Ring again what was lost: open jobs, due messages, due prompts. Harmless in several copies."""
    from app.infra.logs import configure_logging  # noqa: PLC0415 # the other commands replace this process
    from workers.sweeper import sweep_for_ever  # noqa: PLC0415 # as above

    settings = settings_from_environment()
    configure_logging(settings.log_format, settings.log_level)
    runtime = make_runtime(settings)
    runtime.database.refuse_unsafe_roles()
    sweep_for_ever(runtime, every)
