"""The phase of own reports: two that everybody uses, each with a file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.demo.build import Build
from app.features.extracts.commands import RunExtract, SaveExtract
from app.features.extracts.queries import list_extracts, runs_of
from app.features.extracts.service import create_extract, run_extract

_WHO = ("client.external_id", "client.given_name", "client.family_name", "client.counsellor")
_ACTIVE = {"field": "@active", "is": "is", "values": [True]}
_REPORTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "Steps that are overdue",
        "xlsx",
        {
            "rows": "steps",
            "columns": [*_WHO, "step", "name", "status", "due_on"],
            "rule": {"all": [_ACTIVE, {"field": "row.overdue", "is": "is", "values": [True]}]},
            "group": [],
            "order": [{"column": "due_on", "descending": False}],
        },
    ),
    (
        "How far the steps are",
        "csv",
        {"rows": "steps", "columns": [], "rule": {"all": [_ACTIVE]}, "group": ["name", "status"], "order": []},
    ),
)


def keep_reports(build: Build) -> dict[str, Any]:
    """Keep two reports for everybody and write a file of each; what an interrupted run made is left as it is."""
    admin, database = build.actor(), build.runtime.database
    jobs: list[UUID] = []
    with database.unit_of_work(admin) as uow:
        known = {line.extract.name: line.extract.id for line in list_extracts(uow)}
        written = {run.name for run, _ in runs_of(uow)}
        for name, form, definition in _REPORTS:
            kept = known.get(name) or create_extract(uow, SaveExtract(name=name, definition=definition, shared=True)).id
            if name not in written:
                jobs.append(run_extract(uow, RunExtract(extract_id=kept, form=form, locale="en")).job_id)
    for job_id in jobs:
        build.wait_for_job(job_id)
    return {"reports": len(_REPORTS)}
