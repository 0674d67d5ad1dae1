"""`octant queue`: how many people stand in each work queue, what time there is for them, and who they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, cast

import click

from app.cli.acting import acting, at_work, colleague_called
from app.domain.access import Permission, Role
from app.domain.csv_text import csv_line
from app.domain.errors import Forbidden
from app.domain.rules import MOST_WEEKS
from app.features.overview.queues import QUEUES, Asked, Capacity, Queue, Waiting, capacities, count_queues, queue_page
from app.features.selections.criteria import SILENT_WEEKS
from app.infra.db.open import UnitOfWork

_COLUMNS = ("id", "external_id", "name", "due_on", "waiting_step", "last_contact_at", "heard_at", "plan_id")


def _whose(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options that say whose queues."""
    counsellor = click.option(
        "--counsellor",
        metavar="EMAIL",
        help="Whose people, or all; a counsellor's own by default, for others everybody's.",
    )
    weeks = click.option(
        "--weeks",
        type=click.IntRange(1, MOST_WEEKS),
        default=SILENT_WEEKS,
        show_default=True,
        help="After how many weeks without a sign somebody is silent.",
    )
    return counsellor(weeks(command))


@click.group(name="queue")
def queues() -> None:
    """Work queues, as one member sees them."""


@queues.command("list")
@acting
@_whose
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def list_queues(*, slug: str, email: str, counsellor: str | None, weeks: int, form: str) -> None:
    """How many people stand in each queue, and the time each counsellor has for them."""
    with at_work(slug, email, Permission.READ_CLIENTS, reads=True) as uow:
        asked = _asked(uow, counsellor, weeks)
        counts, held = count_queues(uow, asked), capacities(uow, asked)
    if form == "json":
        click.echo(_json({"counts": counts, "capacity": [asdict(one) for one in held]}))
        return
    for queue, people in counts.items():
        click.echo(f"{people:>7}  {queue}")
    for one in held:
        click.echo(_capacity(one))


@queues.command()
@acting
@_whose
@click.option("--format", "form", type=click.Choice(("text", "csv", "json")), default="text", show_default=True)
@click.option("--most", type=click.IntRange(1), help="At most so many; all by default.")
@click.argument("queue", type=click.Choice(QUEUES))
def rows(*, slug: str, email: str, counsellor: str | None, weeks: int, form: str, most: int | None, queue: str) -> None:
    """The people of one queue, the most pressing first."""
    with at_work(slug, email, Permission.READ_CLIENTS, reads=True) as uow:
        found = queue_page(uow, cast("Queue", queue), _asked(uow, counsellor, weeks), limit=most)
    _WRITERS[form](found)


def _asked(uow: UnitOfWork, counsellor: str | None, weeks: int) -> Asked:
    """As the page has it: a counsellor asks for another's queue only where caseloads are shared."""
    own, actor = uow.actor.membership_id, uow.actor
    if counsellor == "all" or (counsellor is None and actor.role is not Role.COUNSELLOR):
        return Asked(weeks=weeks)
    chosen = own if counsellor is None else colleague_called(uow, counsellor)
    if chosen != own and actor.role is Role.COUNSELLOR and not actor.shares_caseloads:
        raise Forbidden("Counsellors see their own queues here, because the organization does not share caseloads.")
    return Asked(counsellor_id=chosen, weeks=weeks)


def _capacity(one: Capacity) -> str:
    minutes = "no minutes said" if one.weekly_minutes is None else f"{one.weekly_minutes} minutes a week"
    return f"{one.name}: {minutes}, {one.clients} people, {one.waiting} wait, {one.overdue} late"


def _text(found: Sequence[Waiting]) -> None:
    for one in found:
        said = [f"{one.external_id}  {one.name}"]
        said += [f"due {one.due_on}"] if one.due_on else []
        said += [f"step {one.waiting_step} waits"] if one.waiting_step else []
        said += [f"met {one.last_contact_at:%Y-%m-%d}" if one.last_contact_at else "never met"]
        click.echo(", ".join(said))


def _csv(found: Sequence[Waiting]) -> None:
    click.echo(csv_line(_COLUMNS), nl=False)
    for one in found:
        values = (getattr(one, name) for name in _COLUMNS)
        click.echo(csv_line(None if value is None else str(value) for value in values), nl=False)


def _lines(found: Sequence[Waiting]) -> None:
    click.echo(_json([{name: getattr(one, name) for name in _COLUMNS} for one in found]))


def _json(value: object) -> str:
    # Days, moments and ids as their text.
    return json.dumps(value, default=str, ensure_ascii=False, indent=1)


_WRITERS: dict[str, Callable[[Sequence[Waiting]], None]] = {"text": _text, "csv": _csv, "json": _lines}
