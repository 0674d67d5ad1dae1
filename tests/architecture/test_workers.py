"""Every task names its organization, every queue has a worker, and the limits stand in the right order."""

from __future__ import annotations

import inspect

from app.cli.run import _QUEUES
from app.infra.db.open import Bell
from app.infra.queue import TASKS
from tests.harness import Servers
from workers import tasks
from workers.app import celery, configure

# Tasks without an organization, with the reason.
_NO_TENANT = {
    "workers.tasks.ring_all": "rings for every organization in turn; reads the directory only",
    "workers.tasks.alive": "touches the worker's own heartbeat file",
}


def _ours() -> dict[str, object]:
    return {name: task for name, task in celery.tasks.items() if name.startswith("workers.")}


def test_every_task_takes_its_organization_and_the_number_of_the_ring_and_nothing_else() -> None:
    found = {name for name in _ours() if name not in _NO_TENANT}
    assert found == set(TASKS.values())
    for name in found:
        task = getattr(tasks, name.rsplit(".", 1)[1])
        assert list(inspect.signature(task.run).parameters) == ["organization_id", "number"], name


def test_every_queue_has_a_worker() -> None:
    assert {bell.value for bell in Bell} == set(_QUEUES)
    assert set(TASKS) == set(Bell)


def test_time_limits_end_below_the_lease(servers: Servers, tmp_path: object) -> None:
    settings = servers.settings("any", tmp_path)  # type: ignore[arg-type] # a path
    conf = configure(settings).conf
    assert settings.lease_seconds / 3 < conf.task_soft_time_limit < conf.task_time_limit < settings.lease_seconds
    assert conf.task_acks_late is False
    assert conf.task_ignore_result is True
    assert conf.accept_content == ["json"]
    assert conf.worker_prefetch_multiplier == 1
