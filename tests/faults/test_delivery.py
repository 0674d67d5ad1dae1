"""J5: every task is delivered five times, twice of them at the same moment; the rows are as after one delivery."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.features.assignments.commands import Assign
from app.features.assignments.service import assign
from app.features.cohorts.models import Cohort, CohortMember
from app.features.reports.commands import ReportCohort
from app.features.reports.service import report_cohort
from app.infra.mailsink.launch import start_mailsink
from app.infra.runtime import Runtime
from tests.factories import World
from workers import tasks
from workers.app import celery

_CLIENTS = 12
_POLICY = {"quiet_hours": None, "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
_COUNTS = text(
    """
    SELECT (SELECT count(*) FROM plans) AS plans, (SELECT count(*) FROM plan_steps) AS steps,
           (SELECT count(*) FROM reviews) AS reviews, (SELECT count(*) FROM prompts) AS prompts,
           (SELECT count(*) FROM messages WHERE state = 'sent') AS sent, (SELECT count(*) FROM messages) AS messages,
           (SELECT count(*) FROM stored_files WHERE kind = 'client_report') AS reports,
           (SELECT count(*) FROM stored_files WHERE kind <> 'client_report') AS bundles,
           (SELECT count(*) FROM audit_entries WHERE action = 'plan.assigned') AS told,
           (SELECT count(*) FROM jobs WHERE state = 'done') AS jobs
    """
)


def _prepared(runtime: Runtime) -> UUID:
    world = World(runtime)
    organization = world.organization()
    admin = world.person(organization, Role.ADMIN).actor
    clients = world.clients(organization, _CLIENTS)
    template = world.template(organization, policy=_POLICY)
    with runtime.database.unit_of_work(admin) as uow:
        cohort = Cohort(name="Everybody", kind="fixed")
        uow.session.add(cohort)
        uow.session.flush()
        uow.session.add_all(CohortMember(cohort_id=cohort.id, client_id=client) for client in clients)
        uow.session.flush()
        assign(
            uow,
            Assign(
                template_id=template,
                version=1,
                started_on=date(2026, 1, 5),
                cohort_id=cohort.id,
                standing=True,
            ),
        )
        report_cohort(uow, ReportCohort(cohort_id=cohort.id))
    return organization


def _deliver(name: str, organization: UUID) -> None:
    task = celery.tasks[name]
    arguments = [] if name in ("workers.tasks.ring_all", "workers.tasks.alive") else [str(organization)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(task.run, *arguments) for _ in range(2)]:
            done.result()
    for _ in range(3):
        task.run(*arguments)


def test_j5_five_deliveries_do_what_one_does(live: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = start_mailsink(tmp_path / "sink")
    settings = replace(
        live.settings,
        smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}",
        mail_lookup_url=f"{sink.url}/lookup",
        heartbeat_file=str(tmp_path / "heartbeat"),
    )
    runtime = replace(live, settings=settings)
    monkeypatch.setattr(tasks, "runtime", lambda: runtime)
    try:
        organization = _prepared(runtime)
        for _ in range(2):
            for name in sorted(name for name in celery.tasks if name.startswith("workers.")):
                _deliver(name, organization)
            with runtime.database.unit_of_work(access.system(organization)) as uow:
                uow.session.execute(
                    text(
                        "UPDATE plans SET next_review_on = :day, next_prompt_at = :now, next_reminder = 0"
                        " WHERE next_reminder = 0"
                    ),
                    {"day": date(2026, 7, 6), "now": uow.now - timedelta(minutes=1)},
                )
        _deliver("workers.tasks.prompt", organization)
        with runtime.database.unit_of_work(access.system(organization)) as uow:
            counts = uow.session.execute(_COUNTS).one()._asdict()
            ids = uow.session.execute(text("SELECT id FROM messages")).scalars().all()
        assert counts == {
            "plans": _CLIENTS,
            "steps": 8 * _CLIENTS,
            "reviews": _CLIENTS,
            "prompts": counts["prompts"],
            "sent": counts["messages"],
            "messages": counts["messages"],
            "reports": _CLIENTS,
            # The part of the archive, the index of everybody and the workbook.
            "bundles": 3,
            "told": _CLIENTS,
            "jobs": 2,
        }
        assert counts["messages"] >= _CLIENTS
        assert {sink.times_seen(f"<{message}@example.org>") for message in ids} == {1}
    finally:
        sink.stop()
