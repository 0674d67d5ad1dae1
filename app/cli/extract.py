"""`octant extract`: own reports as a named member sees them, and their files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import click

from app.cli import settings_from_environment
from app.cli.acting import acting, member_called
from app.domain.access import Actor, Permission
from app.domain.errors import Conflict, NotFound
from app.domain.saying import later, recalled
from app.features.extracts.commands import FORMS, RunExtract
from app.features.extracts.models import Extract
from app.features.extracts.queries import get_run, list_extracts
from app.features.extracts.service import run_extract, take_file
from app.infra.db.open import UnitOfWork
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime


@click.group()
def extract() -> None:
    """Own reports, as one member sees them."""


def _open(slug: str, email: str) -> tuple[Runtime, Actor]:
    runtime = make_runtime(settings_from_environment(), doorbell=SilentDoorbell())
    return runtime, member_called(runtime, slug, email, Permission.OWN_REPORTS)


@extract.command("list")
@acting
def list_kept(slug: str, email: str) -> None:
    """Name each report the member may use: its id, whose it is, and what its rows are."""
    runtime, actor = _open(slug, email)
    with runtime.database.unit_of_work(actor) as uow:
        for line in list_extracts(uow):
            whose = f"shared by {line.owner}" if line.extract.shared else "own"
            click.echo(f"{line.extract.id}  {line.extract.name} ({whose})  {line.extract.definition['rows']}")


@extract.command()
@acting
@click.option("--report", "name", required=True, help="Its name or its id.")
@click.option("--form", type=click.Choice(FORMS), default="csv", show_default=True)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to put the file.")
def write(slug: str, email: str, name: str, form: str, out: Path) -> None:
    """Write a report's file now and put it where it is wanted."""
    from app.composition import JOB_KINDS  # noqa: PLC0415 # imports the whole product
    from app.features.jobs.runner import work  # noqa: PLC0415 # as above

    runtime, actor = _open(slug, email)
    with runtime.database.unit_of_work(actor) as uow:
        run = run_extract(uow, RunExtract(extract_id=_named(uow, name).id, form=form, locale="en")).id
    work(runtime, actor.organization_id, JOB_KINDS, until=runtime.clock() + timedelta(minutes=10))
    with runtime.database.unit_of_work(actor) as uow:
        made, job, file = get_run(uow, run)
        if file is None:
            raise Conflict(recalled(job.error) or later("The file is not there yet. Look at the page of own reports."))
        take_file(uow, run)
    content = runtime.storage.path(file.location)
    with content.open("rb") as source, out.open("wb") as target:
        while piece := source.read(1 << 20):
            target.write(piece)
    click.echo(f"{made.row_count} rows, {file.size} bytes, SHA-256 {file.sha256.hex()}")


def _named(uow: UnitOfWork, name: str) -> Extract:
    found = [line.extract for line in list_extracts(uow) if name == line.extract.name or _id(name) == line.extract.id]
    if not found:
        raise NotFound(later("There is no report named %(name)s.", name=name))
    return found[0]


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
