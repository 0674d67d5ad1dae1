"""Celery's configuration. Each number has its reason: see TRUST goals J1 to J10 in docs/operations.md."""

from __future__ import annotations

import os
from functools import cache

from celery import Celery
from celery.signals import setup_logging, worker_process_init, worker_ready

from app.config import Settings, load
from app.infra.logs import configure_logging
from app.infra.memory import settle_memory
from app.infra.runtime import Runtime, make_runtime
from workers import heartbeat, transport

celery = Celery("octant", include=["workers.tasks"])


def configure(settings: Settings) -> Celery:
    """Point the application at the settings' broker and return it."""
    celery.conf.update(
        broker_url=settings.broker_url,
        broker_transport=transport.NAME,
        broker_connection_retry_on_startup=True,
        # A stopped broker must not hold a worker for ever (the default waits without end).
        broker_transport_options={
            "socket_timeout": 30,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
        },
        task_serializer="json",
        accept_content=["json"],
        # Results live in rows.
        task_ignore_result=True,
        # Acknowledged when taken: the rows carry redelivery, so the broker need not.
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        # A task works for at most a third of a lease (workers/tasks.py); these catch one that hangs, and
        # both stay below the lease, so that nobody else has the item while it is still worked on.
        task_soft_time_limit=settings.lease_seconds * 0.75,
        task_time_limit=settings.lease_seconds * 0.9,
        # Returns memory that libraries keep; the restart costs less than a second in 500 tasks.
        worker_max_tasks_per_child=500,
        worker_max_memory_per_child=400_000,
        worker_soft_shutdown_timeout=20,
        worker_enable_soft_shutdown_on_idle=True,
        worker_hijack_root_logger=False,
        timezone="UTC",
        # Beat rings for housekeeping only; nothing a client sees depends on it.
        beat_schedule={
            "sweep-everything": {
                "task": "workers.tasks.ring_all",
                "schedule": 60.0,
                "options": {"queue": "sweep"},
            },
        },
    )
    return celery


@cache
def runtime() -> Runtime:
    """This process's ports, made on first use, after the fork."""
    return make_runtime(load(os.environ))


@setup_logging.connect
def _logging(**_: object) -> None:
    settings = load(os.environ)
    configure_logging(settings.log_format, settings.log_level)


@worker_ready.connect
def _start_heartbeat(**_: object) -> None:
    settings = load(os.environ)
    if settings.heartbeat_file:
        # A message waits behind one slice of a task at most, a third of a lease.
        heartbeat.start(celery, settings.heartbeat_file, deaf_after=2 * settings.lease_seconds)


@worker_process_init.connect
def _fresh_process(**_: object) -> None:
    runtime.cache_clear()
    settle_memory()
