"""Rings again for whatever the rows say is to be done. Independent of beat and of any message.

What a lost message, a killed worker or an expired lease left behind is found here within one round.
"""

from __future__ import annotations

import itertools
import signal
import threading
from datetime import timedelta
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
        OR EXISTS (SELECT 1 FROM plans WHERE review_stale AND status = 'active')
        OR EXISTS (SELECT 1 FROM schedules WHERE state = 'on' AND (stale OR next_at <= :now))
        OR EXISTS (
            SELECT 1 FROM schedule_runs r WHERE r.state = 'making' AND EXISTS (
                SELECT 1 FROM jobs j WHERE j.organization_id = r.organization_id AND j.id = r.report_job_id
                AND j.state IN ('done', 'failed', 'cancelled')))
    ) AS prompt, EXISTS (SELECT 1 FROM cohorts WHERE stale AND archived_at IS NULL) AS sweep
    """
)


# When the organization has something to do next, by the same rows.
_NEXT = text(
    """
    SELECT least(
        (SELECT min(next_prompt_at) FROM plans WHERE status = 'active' AND next_prompt_at IS NOT NULL),
        (SELECT min(not_before) FROM messages WHERE state IN ('queued', 'unknown')),
        (SELECT min(lease_until) FROM messages WHERE state = 'handed'),
        (SELECT min(next_at) FROM schedules WHERE state = 'on'),
        (SELECT min(greatest(not_before, lease_until)) FROM jobs
         WHERE state IN ('queued', 'running', 'finishing', 'undoing'))
    )
    """
)
# Nothing is due. What is written from now on brings the moment forward again (triggers); what was being written, and
# could not be seen yet, is looked for once more a little later.
_REST = text(
    "UPDATE organization_wakes SET wake_at = CASE WHEN wake_at <= :now THEN 'infinity' ELSE wake_at END,"
    " check_at = CASE WHEN wake_at <= :now THEN CAST(:again AS timestamptz) WHEN check_at <= :now THEN 'infinity'"
    " ELSE check_at END"
    " WHERE organization_id = :organization"
)
_PUT_OFF = text("UPDATE organization_wakes SET wake_at = least(wake_at, :next) WHERE organization_id = :organization")
_STAY = text("UPDATE organization_wakes SET wake_at = :now WHERE organization_id = :organization AND wake_at > :now")
# Longer than a transaction that makes work takes; one that takes longer is found by the next whole round.
_AGAIN = timedelta(seconds=5)
# A round over every organization, whatever is known of it, once in so many.
_WHOLE_ROUND = 30


def sweep_once(runtime: Runtime, *, whole: bool = False) -> int:
    """One round over the organizations that have something to do, or over all; returns how many bells were rung."""
    database = runtime.database
    rung = 0
    for organization_id in database.organization_ids() if whole else database.organizations_to_wake(database.clock()):
        for bell in wanted(runtime, organization_id):
            runtime.doorbell.ring(bell, organization_id)
            rung += 1
    return rung


def wanted(runtime: Runtime, organization_id: UUID) -> list[Bell]:
    """The queues this organization has due work for; without any it is left alone until it has."""
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        row = uow.session.execute(_WANTED, {"now": uow.now}).one()
        of = {"organization": organization_id, "now": uow.now}
        if row.bulk or row.prompt or row.sweep:
            uow.session.execute(_STAY, of)
        else:
            uow.session.execute(_REST, of | {"again": uow.now + _AGAIN})
            uow.session.execute(_PUT_OFF, of | {"next": uow.session.execute(_NEXT).scalar_one()})
    return [bell for bell, due in ((Bell.BULK, row.bulk), (Bell.PROMPT, row.prompt), (Bell.SWEEP, row.sweep)) if due]


def sweep_for_ever(runtime: Runtime, every: float) -> None:
    """Sweep every `every` seconds until SIGTERM or SIGINT; a database that is away is asked again next round."""
    stop = threading.Event()
    for caught in (signal.SIGTERM, signal.SIGINT):
        signal.signal(caught, lambda *_: stop.set())
    for number in itertools.count():
        if stop.is_set():
            break
        try:
            sweep_once(runtime, whole=number % _WHOLE_ROUND == 0)
        except SQLAlchemyError as error:
            _LOG.warning("sweep_failed", error=type(error).__name__)
        stop.wait(every)
    runtime.database.dispose()
