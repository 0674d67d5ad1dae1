"""`octant outcomes`: classes in figures, the sheet of the standard, whom nothing is known of, and files of outcomes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from app.cli import settings_from_environment
from app.cli.acting import acting, member_called
from app.domain.access import Permission
from app.domain.outcomes import FIRST_CLASS, LAST_CLASS
from app.domain.saying import plain
from app.features.audit.service import record
from app.features.figures.class_sheet import write
from app.features.figures.classes import tell_classes
from app.features.jobs.runner import work
from app.features.outcomes import queries
from app.features.outcomes.file_jobs import KINDS
from app.features.outcomes.file_queries import faults, get_import
from app.features.outcomes.file_service import confirm_import, import_file
from app.infra.runtime import make_runtime

# Workers may do the same work at the same time; without any the command does it.
_KINDS = {kind.name: kind for kind in KINDS}
_PATIENCE = timedelta(minutes=30)


@click.group()
def outcomes() -> None:
    """What became of graduates."""


@outcomes.command()
@acting
def figures(*, slug: str, email: str) -> None:
    """Print each class with its two rates."""
    runtime = make_runtime(settings_from_environment())
    actor = member_called(runtime, slug, email, Permission.READ_AGGREGATES)
    with runtime.database.unit_of_work(actor) as uow:
        shown = tell_classes(uow)
    for one in shown:
        knowledge = "withheld" if one.knowledge.value is None else f"{one.knowledge.value:.1f} %"
        rate = "undefined" if one.outcomes is None else "withheld"
        if one.outcomes is not None and one.outcomes.value is not None:
            rate = f"{one.outcomes.value:.1f} %"
        graduates, known, basis = (
            "withheld" if number is None else number for number in (one.graduates, one.known, one.basis)
        )
        click.echo(f"{one.class_year}: {known} of {graduates} known ({knowledge}); career outcomes {rate} of {basis}")
    if not shown:
        click.echo("No graduates are recorded.")
    runtime.database.dispose()


@outcomes.command()
@acting
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(*, slug: str, email: str, file: Path) -> None:
    """Write the sheet of the standard to FILE, which ends in .csv or .xlsx."""
    form = file.suffix.removeprefix(".").lower()
    if form not in ("csv", "xlsx"):
        raise click.UsageError("Name a file that ends in .csv or .xlsx.")
    runtime = make_runtime(settings_from_environment())
    actor = member_called(runtime, slug, email, Permission.READ_AGGREGATES)
    with runtime.database.unit_of_work(actor) as uow:
        shown, now = tell_classes(uow), uow.now
        withheld = not actor.may(Permission.READ_CLIENTS)
        record(uow, "outcomes.exported", "organization", actor.organization_id, form=form, withheld=withheld)
    write(form, file, shown, plain, moment=now, title="First destinations")
    click.echo(f"{len(shown)} classes are in {file}.")
    runtime.database.dispose()


@outcomes.command()
@acting
@click.option(
    "--class", "class_year", type=click.IntRange(FIRST_CLASS, LAST_CLASS), required=True, help="Such as 2026."
)
def missing(*, slug: str, email: str, class_year: int) -> None:
    """Print the ids of the graduates of a class of whom nothing is known."""
    runtime = make_runtime(settings_from_environment())
    actor = member_called(runtime, slug, email, Permission.READ_CLIENTS)
    with runtime.database.unit_of_work(actor) as uow:
        for one in queries.missing_page(uow, class_year, limit=1_000_000):
            click.echo(one.external_id)
    runtime.database.dispose()


@outcomes.command("import")
@acting
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Take the good rows; without this the file is only checked.")
def import_(*, slug: str, email: str, file: Path, yes: bool) -> None:
    """Check FILE of outcomes, print what is wrong with which line, and take the good rows with --yes."""
    runtime = make_runtime(settings_from_environment())
    actor = member_called(runtime, slug, email, Permission.IMPORT_ROSTER)
    import_id = import_file(runtime, actor, file)
    until = runtime.clock() + _PATIENCE
    work(runtime, actor.organization_id, _KINDS, until=until)
    with runtime.database.unit_of_work(actor) as uow:
        taken, _ = get_import(uow, import_id)
        for fault in faults(uow, import_id):
            click.echo(f"line {fault.line}, {fault.column or 'the row'}: {fault.reason} {fault.value}".rstrip())
        state, refusal, counts = taken.state, taken.refusal, taken.counts
    if state != "checked":
        raise click.ClickException(refusal or "The check has not ended yet. Look at its page.")
    click.echo(f"{counts['good']} of {counts['rows']} rows are new; {counts['known']} known, {counts['bad']} bad.")
    if yes and counts["good"]:
        with runtime.database.unit_of_work(actor) as uow:
            job_id = confirm_import(uow, import_id).id
        work(runtime, actor.organization_id, _KINDS, until=runtime.clock() + _PATIENCE)
        click.echo(f"The job has started: {job_id}.")
    elif not yes:
        click.echo("Nothing has happened. Repeat it with --yes to do this.")
    runtime.database.dispose()
