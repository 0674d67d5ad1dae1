"""`octant label`: the organization's labels and a member's own; putting one on many, or taking it off."""

from __future__ import annotations

import click

from app.cli.acting import acting, at_work
from app.cli.edit import show_and_start
from app.cli.targets import Whom, for_whom, target_called
from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.saying import later
from app.features.clients import labels as service
from app.features.clients.commands import CreateLabel
from app.features.clients.models import Label
from app.features.edits.service import BulkEdit
from app.infra.db.open import UnitOfWork

_LABEL = click.option("--label", "name", required=True, help="Its name or its id.")
_YES = click.option("--yes", is_flag=True, help="Do it; without this it is only shown.")


@click.group(name="label")
def labels() -> None:
    """Labels, as one member has them."""


@labels.command("list")
@acting
def list_labels(slug: str, email: str) -> None:
    """Name each label the member may use: its id, whose it is, and how many people the member sees have it."""
    with at_work(slug, email, Permission.WORK_PLANS) as uow:
        for line in service.list_labels(uow):
            click.echo(f"{line.label.id}  {line.label.name} ({_whose(line.label)})  {line.clients}")


@labels.command()
@acting
@click.option("--name", required=True, help="At most sixty characters.")
@click.option("--tone", type=click.Choice(service.TONES), default=service.TONES[0], show_default=True)
@click.option("--shared", is_flag=True, help="The organization's; without this it is the member's own.")
def create(*, slug: str, email: str, name: str, tone: str, shared: bool) -> None:
    """Make a label."""
    with at_work(slug, email, Permission.WORK_PLANS) as uow:
        made = service.create_label(uow, CreateLabel(name=name, tone=tone, shared=shared))
        click.echo(f"{made.id}  {made.name} ({_whose(made)})")


@labels.command()
@acting
@_LABEL
@_YES
def delete(*, slug: str, email: str, name: str, yes: bool) -> None:
    """Take a label off everybody and away; refused while a cohort's rule or a filter asks for it."""
    with at_work(slug, email, Permission.WORK_PLANS) as uow:
        label = _called(uow, name)
        people = next(line.clients for line in service.list_labels(uow) if line.label.id == label.id)
        said = f"{label.name} ({_whose(label)})"
        if yes:
            service.delete_label(uow, label.id)
            click.echo(f"{said} is deleted; {people} had it.")
        else:
            click.echo(f"{people} have {said}. Nothing has happened. Repeat it with --yes to delete it.")


@labels.command()
@acting
@_LABEL
@for_whom
@_YES
def put(*, slug: str, email: str, name: str, whom: Whom, yes: bool) -> None:
    """Put a label on people."""
    _change(slug, email, name, whom, act="add", yes=yes)


@labels.command()
@acting
@_LABEL
@for_whom
@_YES
def take(*, slug: str, email: str, name: str, whom: Whom, yes: bool) -> None:
    """Take a label off people."""
    _change(slug, email, name, whom, act="remove", yes=yes)


def _change(slug: str, email: str, name: str, whom: Whom, *, act: str, yes: bool) -> None:
    with at_work(slug, email, Permission.WORK_PLANS) as uow:
        values = {"label_id": str(_called(uow, name).id), "act": act}
        show_and_start(uow, BulkEdit(kind="label", values=values, target=target_called(uow, whom)), yes=yes)


def _called(uow: UnitOfWork, name: str) -> Label:
    found = [label for label in service.visible_labels(uow) if name in (label.name, str(label.id))]
    if not found:
        raise NotFound(later("There is no label named %(name)s.", name=name))
    if len(found) > 1:
        # The same word can be the organization's and the member's own.
        which = ", ".join(f"{label.id} ({_whose(label)})" for label in found)
        raise InvalidInput([FieldProblem("label", f"Several labels are named {name}. Say which by its id: {which}.")])
    return found[0]


def _whose(label: Label) -> str:
    return "the organization's" if label.owner_id is None else "own"
