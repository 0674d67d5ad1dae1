"""`octant edit`: one change for many people; shows what would happen and does it with --yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from app.cli.acting import acting, at_work
from app.cli.targets import Whom, for_whom, target_called
from app.features.edits import service
from app.features.edits.registry import EDITS
from app.features.edits.service import BulkEdit
from app.features.selections.commands import Target
from app.infra.db.open import UnitOfWork


@click.command()
@acting
@for_whom
@click.option("--kind", required=True, type=click.Choice(list(EDITS)))
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value of the kind, such as mode=shift by=5; repeat it, and steps=1,2,3 for several.",
)
@click.option("--yes", is_flag=True, help="Do it; without this it is only shown.")
def edit(*, slug: str, email: str, whom: Whom, kind: str, given: Sequence[str], yes: bool) -> None:
    """Change due days, labels, a cohort, an attribute, pauses, or write to many."""
    with at_work(slug, email, EDITS[kind].permission) as uow:
        show_and_start(uow, BulkEdit(kind=kind, values=_values(given), target=target_called(uow, whom)), yes=yes)


def show_and_start(uow: UnitOfWork, command: BulkEdit, *, yes: bool) -> None:
    """Say what the edit would do, and with `yes` start its job for exactly those who were counted."""
    selection, _, numbers = service.preview(uow, command)
    click.echo(f"{numbers.new} of {numbers.chosen} are changed.")
    if numbers.not_seen:
        click.echo(f"{numbers.not_seen} are not there, or not yours to see.")
    for reason in (*numbers.same, *numbers.refused):
        click.echo(f"{reason.clients} left out: {reason.sentence}")
    if yes:
        job = service.start(uow, replace(command, target=Target(selection_id=selection.id)))
        click.echo(f"The job has started: {job.id}.")
    else:
        click.echo("Nothing has happened. Repeat it with --yes to do this.")


def _values(given: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for one in given:
        name, is_said, value = one.partition("=")
        if not is_said:
            raise click.UsageError(f"Write {one} as NAME=VALUE.")
        values[name] = value.split(",") if name == "steps" else value
    return values
