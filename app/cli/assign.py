"""`octant assign`: give something to many, as the pages do."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import click
from sqlalchemy import select

from app.cli.acting import acting, at_work
from app.cli.targets import Whom, for_whom, target_called
from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.saying import later
from app.features.assignments import service
from app.features.assignments.commands import Assign, GivenAction
from app.features.assignments.queries import Preview, latest_published
from app.features.assignments.schemas import WHATS
from app.features.instruments.models import Instrument
from app.infra.db.open import UnitOfWork

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@acting
@click.option("--what", type=click.Choice(WHATS), default="template", show_default=True)
@for_whom
@click.option("--template", help="The name of a template; its latest published version is given.")
@click.option("--started-on", type=_DAY, help="The first day of plans; today by default.")
@click.option("--step", type=click.IntRange(1, 8))
@click.option("--instrument", help="The key of a questionnaire.")
@click.option("--action-kind", type=click.Choice(("work", "training", "education", "job_rotation")))
@click.option("--action-text", help="What is to be done.")
@click.option("--due-on", type=_DAY)
@click.option("--due-in-days", type=click.IntRange(0, 3660), help="Counted from the day each is given it.")
@click.option("--standing", is_flag=True, help="Also for clients who join the cohort later.")
@click.option("--on-leaving", type=click.Choice(("keep", "pause", "withdraw")), default="keep", show_default=True)
@click.option("--start-at", type=click.DateTime(), help="When the job starts, in UTC; now by default.")
@click.option("--tell", is_flag=True, help="Tell each by mail.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.option("--key", help="A word that names this request: repeating it starts nothing twice.")
def assign(
    *,
    slug: str,
    email: str,
    what: str,
    whom: Whom,
    template: str | None,
    started_on: datetime | None,
    step: int | None,
    instrument: str | None,
    action_kind: str | None,
    action_text: str | None,
    due_on: datetime | None,
    due_in_days: int | None,
    standing: bool,
    on_leaving: str,
    start_at: datetime | None,
    tell: bool,
    dry_run: bool,
    key: str | None,
) -> None:
    """Give a template, a step, a questionnaire, an action or a due day to people; prints what happens first."""
    with at_work(slug, email, Permission.ASSIGN) as uow:
        target = target_called(uow, whom)
        template_id, version = _template(uow, template) if template else (None, None)
        command = Assign(
            what=what,  # type: ignore[arg-type] # one of click's choices
            template_id=template_id,
            version=version,
            started_on=started_on.date() if started_on else uow.now.date(),
            step=step,
            instrument_id=_instrument(uow, instrument) if instrument else None,
            action=GivenAction(kind=action_kind or "", text=action_text or "") if what == "action" else None,
            due_on=due_on.date() if due_on else None,
            due_in_days=due_in_days,
            cohort_id=target.cohort_id,
            filter_id=target.filter_id,
            client_ids=target.client_ids,
            selection_id=target.selection_id,
            standing=standing,
            on_leaving=on_leaving,  # type: ignore[arg-type] # one of click's choices
            starts_at=start_at.replace(tzinfo=uow.now.tzinfo) if start_at else None,
            tell=tell,
            idempotency_key=key,
        )
        _, numbers = service.preview(uow, command)
        _say(numbers)
        if not dry_run:
            job = service.assign(uow, command)
            click.echo(f"The job is {job.id}.")


def _say(numbers: Preview) -> None:
    click.echo(f"{numbers.new} of {numbers.chosen} are given it; {numbers.mailed} get a mail.")
    if numbers.not_seen:
        click.echo(f"{numbers.not_seen} are not there, or not yours to see.")
    for title, reasons in (("already there", numbers.already), ("left out", numbers.refused)):
        for reason in reasons:
            click.echo(f"{reason.clients} {title}: {reason.sentence}")


def _template(uow: UnitOfWork, name: str) -> tuple[UUID, int]:
    for template, version in latest_published(uow):
        if template.name == name:
            return template.id, version
    raise NotFound(later("There is no published template named %(name)s.", name=name))


def _instrument(uow: UnitOfWork, key: str) -> UUID:
    found = uow.session.scalars(select(Instrument.id).where(Instrument.key == key)).one_or_none()
    if found is None:
        raise NotFound(later("There is no questionnaire with the key %(key)s.", key=key))
    return found
