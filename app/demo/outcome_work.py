"""The phase of first destinations: a class that graduated, what became of most, and some who are asked by mail."""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.demo.build import Build
from app.domain.outcomes import class_of, counts_until, days_of_class
from app.features.clients.models import Client
from app.features.edits.service import BulkEdit
from app.features.edits.service import start as start_edit
from app.features.jobs.models import Job
from app.features.outcomes.file_service import confirm_import, import_file, lock_import
from app.features.outcomes.models import Graduation
from app.features.outcomes.queries import missing
from app.features.selections.commands import Target

_EVERY = 3
_ASKED = 5
_KEY = "demonstration-outcomes"
# How many of a hundred, what became of them, and how.
_BECAME = (
    (42, "Employed full time", "organization"),
    (6, "Employed full time", "temporary"),
    (8, "Employed part time", "freelance"),
    (3, "Service", ""),
    (16, "Continuing education", ""),
    (10, "Seeking employment", ""),
    (3, "Not seeking", ""),
)
_EMPLOYERS = (
    "Harbour Hospital",
    "North Quay Software",
    "Lindqvist & Sons",
    "City Council",
    "Riverside Energy",
    "Atelier Nord",
)
_TITLES = ("Analyst", "Nurse", "Site engineer", "Editor", "Account assistant", "Designer")
_PLACES = ("Dublin, Ireland", "Galway, Ireland", "Porto, Portugal", "Gdańsk, Poland")


def let_a_class_graduate(build: Build) -> dict[str, Any]:
    """Every third person graduated with the last class; a file says what became of most, and a few others are asked.

    A start that goes on where the last one stopped does nothing twice.
    """
    admin, database = build.actor(), build.runtime.database
    with database.unit_of_work(admin) as uow:
        today = uow.now.date()
        people = uow.session.execute(
            select(Client.id, Client.external_id).where(Client.active).order_by(Client.external_id)
        ).all()[::_EVERY]
        known = uow.session.scalars(select(Graduation.client_id).limit(1)).first()
    year = class_of(today) - 1
    if known is None:
        path = build.folder / f"outcomes-of-{year}.csv"
        _write(path, [person.external_id for person in people], year, today)
        import_id = import_file(build.runtime, admin, path)
        with database.unit_of_work(admin) as uow:
            job = lock_import(uow, import_id).check_job_id
        assert job is not None
        build.wait_for_job(job)
        with database.unit_of_work(admin) as uow:
            job = confirm_import(uow, import_id).id
        build.wait_for_job(job)
    target = Target(client_ids=tuple(person.id for person in people))
    day = days_of_class(year)[1].isoformat()
    with database.unit_of_work(admin) as uow:
        graduated = start_edit(
            uow,
            BulkEdit(kind="graduation", values={"graduated_on": day}, target=target, idempotency_key=_KEY),
        ).id
    build.wait_for_job(graduated)
    with database.unit_of_work(admin) as uow:
        before = select(Job.id).where(Job.idempotency_key == _KEY, Job.kind == "edits.ask_outcome")
        asked = uow.session.scalars(before).first()
        if asked is None:
            some = tuple(uow.session.scalars(missing(year, admin).order_by(Client.external_id).limit(_ASKED)))
            edit = BulkEdit(kind="ask_outcome", values={}, target=Target(client_ids=some), idempotency_key=_KEY)
            asked = start_edit(uow, edit).id if some else None
    if asked is not None:
        build.wait_for_job(asked)
    return {"graduates": len(people), "class": year}


def _write(path: Path, numbers: list[str], year: int, today: date) -> None:
    """A file as a survey gives it: those who did not answer are not in it."""
    chance = random.Random(year)  # noqa: S311 - made-up people need no secret randomness
    weights = [*(number for number, _, _ in _BECAME), 100 - sum(number for number, _, _ in _BECAME)]
    last = min(today, counts_until(year))
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                *("Student number", "Graduation date", "Outcome", "Employment", "Employer", "Job title"),
                *("Location", "Salary", "Currency", "As of", "Source"),
            ]
        )
        for number in numbers:
            (became,) = chance.choices((*_BECAME, None), weights)
            if became is None:
                continue
            _, status, how = became
            work = status.startswith("Employed")
            writer.writerow(
                [
                    *(number, days_of_class(year)[1].isoformat(), status, how),
                    chance.choice(_EMPLOYERS) if work else "",
                    chance.choice(_TITLES) if work else "",
                    chance.choice(_PLACES) if work else "",
                    chance.randrange(26, 46) * 1000 if how == "organization" else "",
                    "EUR" if how == "organization" else "",
                    (last - timedelta(days=chance.randrange(60))).isoformat(),
                    chance.choice(("survey", "survey", "social profile")),
                ]
            )
