"""Ringing the workers' queues. A lost, repeated or late ring changes nothing but the waiting time."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

import redis
import structlog
from celery import Celery

from app.infra.db.open import Bell

_LOG = structlog.get_logger()
# A second ring within this time is not sent while the first waits to be heard, so that a sweeper
# that rings every two seconds does not pile up messages before a busy worker.
_QUIET_SECONDS = 3
# How long it is remembered which rings were heard; every ring renews it.
_REMEMBERED_SECONDS = 3600
TASKS = {
    Bell.PROMPT: "workers.tasks.prompt",
    Bell.SWEEP: "workers.tasks.sweep",
    Bell.BULK: "workers.tasks.bulk",
    Bell.LONG: "workers.tasks.long",
}


def ring_key(bell: Bell, organization_id: UUID) -> str:
    """The broker key that says a ring for this organization is waiting; begins with the organization's id."""
    return f"{organization_id}:octant:ring:{bell.value}"


def rings_key(bell: Bell, organization_id: UUID) -> str:
    """The broker key that counts an organization's rings, and says up to which of them were heard."""
    return f"{organization_id}:octant:rings:{bell.value}"


class BrokerDoorbell:
    """Rings through Celery's broker; when the broker is away it says so in the log and returns.

    A task may work longer than rings are kept back, so messages of one organization pile up behind it, before those of
    others that rang later. Rings have numbers: whoever hears one has heard all that were rung before, and what is left
    of those says nothing any more.
    """

    def __init__(self, broker_url: str) -> None:
        """Connect to nothing yet."""
        self._url = broker_url

    @cached_property
    def _celery(self) -> Celery:
        app = Celery(broker=self._url)
        app.conf.update(
            broker_connection_retry_on_startup=False,
            broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 1, "max_retries": 0},
            task_ignore_result=True,
            task_serializer="json",
        )
        return app

    @cached_property
    def _client(self) -> redis.Redis:
        return redis.Redis.from_url(self._url, socket_timeout=2, socket_connect_timeout=1)

    def ring(self, bell: Bell, organization_id: UUID) -> None:
        """Send one message with the organization's id; never raises because of the broker."""
        try:
            if self._client.set(ring_key(bell, organization_id), b"1", nx=True, ex=_QUIET_SECONDS):
                key = rings_key(bell, organization_id)
                with self._client.pipeline() as pipe:
                    pipe.hincrby(key, "rung", 1)
                    pipe.expire(key, _REMEMBERED_SECONDS)
                    number = pipe.execute()[0]
                self._celery.send_task(TASKS[bell], args=[str(organization_id), number], queue=bell.value, retry=False)
        except Exception as error:  # any broker fault is the same to us: the sweeper will ring again
            _LOG.warning("doorbell_unheard", bell=bell.value, error=type(error).__name__)

    def heard(self, bell: Bell, organization_id: UUID, number: int) -> bool:
        """Note that a ring was heard, so that what is committed from now on rings anew.

        Returns whether it says anything: False when one that was rung later was heard before it.
        """
        key = rings_key(bell, organization_id)
        try:
            rung, heard = self._client.hmget(key, ["rung", "heard"])
            if heard is not None and 0 < number <= int(heard):
                return False
            self._client.delete(ring_key(bell, organization_id))
            if rung is not None:
                self._client.hset(key, "heard", rung)
        except redis.RedisError as error:
            _LOG.warning("doorbell_unheard", bell=bell.value, error=type(error).__name__)
        return True


class SilentDoorbell:
    """Rings nothing; for commands and tests that run the work themselves, and keeps what was rung."""

    def __init__(self) -> None:
        """Start with nothing rung."""
        self.rung: list[tuple[Bell, UUID]] = []

    def ring(self, bell: Bell, organization_id: UUID) -> None:
        """Remember the ring."""
        self.rung.append((bell, organization_id))
