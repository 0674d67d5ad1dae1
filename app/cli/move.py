"""`octant move`: hand a caseload over, for good or for a time; shows what would happen and does it with --yes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import click

from app.cli.acting import acting, at_work, colleague_called
from app.cli.targets import Whom, for_whom, target_called
from app.domain.access import Permission
from app.features.moves import covers, service
from app.features.moves.commands import PlanMove
from app.features.moves.models import CaseloadMove
from app.features.moves.queries import names_of
from app.infra.db.open import UnitOfWork

_LEFT_OUT = {
    "unseen": "cannot be seen",
    "inactive": "are no longer active",
    "elsewhere": "are not in that caseload",
    "already": "are with one of them already",
}
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@acting
@click.option("--from", "source", metavar="EMAIL", help="Whose caseload; without it the options below say who.")
@click.option("--to", "receivers", required=True, multiple=True, metavar="EMAIL", help="Who takes them; repeat it.")
@for_whom
@click.option("--supporting", is_flag=True, help="Beside the primary one; not with --from.")
@click.option("--first-day", type=_DAY, help="With --last-day: cover for that time.")
@click.option("--last-day", type=_DAY)
@click.option("--yes", is_flag=True, help="Do it; without this it is only shown.")
def move(
    *,
    slug: str,
    email: str,
    source: str | None,
    receivers: Sequence[str],
    whom: Whom,
    supporting: bool,
    first_day: datetime | None,
    last_day: datetime | None,
    yes: bool,
) -> None:
    """Hand people over, balanced by minutes a week and open work."""
    with at_work(slug, email, Permission.MANAGE_PEOPLE) as uow:
        planned = service.plan_move(
            uow,
            PlanMove(
                receiver_ids=tuple(colleague_called(uow, receiver) for receiver in receivers),
                source_id=None if source is None else colleague_called(uow, source),
                target=target_called(uow, whom, optional=source is not None),
                supporting=supporting,
                first_on=None if first_day is None else first_day.date(),
                last_on=None if last_day is None else last_day.date(),
            ),
        )
        _show(uow, planned)
        if not planned.client_ids:
            click.echo("Nobody would be handed over.")
        elif not yes:
            click.echo("Nothing has happened. Repeat it with --yes to do this.")
        elif planned.kind == "cover":
            click.echo(f"The cover is set up: {covers.plan_cover(uow, planned.id).id}.")
        else:
            click.echo(f"The job has started: {service.start_move(uow, planned.id).id}.")


def _show(uow: UnitOfWork, planned: CaseloadMove) -> None:
    receivers = planned.numbers["receivers"]
    names = names_of(uow, [UUID(receiver["id"]) for receiver in receivers])
    for receiver in receivers:
        (before, after), (work, then) = receiver["clients"], receiver["work"]
        minutes = "no minutes said" if receiver["minutes"] is None else f"{receiver['minutes']} minutes a week"
        click.echo(
            f"{names[UUID(receiver['id'])]}: takes {receiver['takes']}, people {before} -> {after},"
            f" open work {work} -> {then}, {minutes}"
        )
    for reason, number in planned.numbers["left_out"].items():
        click.echo(f"Left out: {number} {_LEFT_OUT[reason]}.")
