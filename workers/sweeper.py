"""Rings again for whatever the rows say is to be done. Independent of beat and of any message.

What a lost message, a killed worker or an expired lease left behind is found here within one round.
"""

from __future__ import annotations

import signal
import threading
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.domain import access
from app.infra.db.open import Bell
from app.infra.runtime import Runtime

_LOG = structlog.get_logger()

_WANTED = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM jobs
        WHERE state IN ('queued', 'running', 'finishing', 'undoing') AND not_before <= :now
          AND (lease_until IS NULL OR lease_until < :now)
    ) AS bulk, (
        EXISTS (SELECT 1 FROM messages WHERE state IN ('queued', 'held', 'unknown') AND not_before <= :now)
        OR EXISTS (SELECT 1 FROM messages WHERE state = 'handed' AND lease_until < :now)
        OR EXISTS (
            SELECT 1 FROM webhooks w WHERE w.active AND (w.rest_until IS NULL OR w.rest_until <= :now)
            AND EXISTS (SELECT 1 FROM webhook_deliveries WHERE state = 'queued' AND not_before <= :now))
        OR EXISTS (SELECT 1 FROM plans WHERE next_prompt_at <= :now AND status = 'active')
    ) AS prompt, EXISTS (SELECT 1 FROM cohorts WHERE stale AND archived_at IS NULL) AS sweep
    """
)


def sweep_once(runtime: Runtime) -> int:
    """One round over every organization; returns how many bells were rung."""
    rung = 0
    for organization_id in runtime.database.organization_ids():
        for bell in wanted(runtime, organization_id):
            runtime.doorbell.ring(bell, organization_id)
            rung += 1
    return rung


def wanted(runtime: Runtime, organization_id: UUID) -> list[Bell]:
    """The queues this organization has due work for."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        row = uow.session.execute(_WANTED, {"now": uow.now}).one()
    return [bell for bell, due in ((Bell.BULK, row.bulk), (Bell.PROMPT, row.prompt), (Bell.SWEEP, row.sweep)) if due]


def sweep_for_ever(runtime: Runtime, every: float) -> None:
    """Sweep every `every` seconds until SIGTERM or SIGINT; a database that is away is asked again next round."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            sweep_once(runtime)
        except SQLAlchemyError as error:
            _LOG.warning("sweep_failed", error=type(error).__name__)
        stop.wait(every)
    runtime.database.dispose()
