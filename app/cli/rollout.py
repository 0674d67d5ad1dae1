"""`octant rollout`: bring a template's version to the plans that follow older ones, in stages, and back."""

from __future__ import annotations

from uuid import UUID

import click

from app.cli.acting import acting, at_work
from app.cli.template import template_called
from app.domain.access import Permission
from app.domain.errors import NotFound
from app.domain.rollouts import STAGES, Choice
from app.domain.saying import later, plain
from app.features.plans.templates import versions_of
from app.features.rollouts import previews, queries, service
from app.features.rollouts.commands import NextStage, RollOut
from app.features.rollouts.words import outcome_words, phase_words
from app.infra.db.open import UnitOfWork

_TEMPLATE = click.option("--template", required=True, help="The name of the template.")
_PERCENT = click.Choice([str(stage) for stage in STAGES])
_CHOICES = click.Choice([choice.value for choice in Choice])
_MOST = click.option("--most-conflicts", type=click.IntRange(0), help="Nothing goes on once more were met.")


@click.group()
def rollout() -> None:
    """Bring a version of a template to plans, look, go on, and take it back."""


@rollout.command()
@acting
@_TEMPLATE
@click.option("--version", type=click.IntRange(1), help="The latest published one by default.")
@click.option(
    "--choice",
    type=click.Choice([choice.value for choice in Choice]),
    default=Choice.NOT_STARTED.value,
    show_default=True,
)
@click.option("--percent", type=_PERCENT, default="5", show_default=True, help="What the first stage reaches.")
@_MOST
@click.option("--standing/--no-standing", default=True, help="Standing assignments give the version from now on.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and do nothing.")
@click.option("--key", help="A word that names this request: repeating it starts nothing twice.")
def start(
    *,
    slug: str,
    email: str,
    template: str,
    version: int | None,
    choice: str,
    percent: str,
    most_conflicts: int | None,
    standing: bool,
    dry_run: bool,
    key: str | None,
) -> None:
    """Say what a roll-out does, by step, and begin its first stage."""
    with at_work(slug, email, Permission.ROLL_OUT) as uow:
        template_id = template_called(uow, template).id
        number = version or _latest(uow, template_id)
        _say_preview(previews.preview(uow, template_id, number, Choice(choice)))
        if not dry_run:
            command = RollOut(
                template_id=template_id,
                version=number,
                choice=Choice(choice),
                percent=int(percent),
                most_conflicts=most_conflicts,
                standing=standing,
                idempotency_key=key,
            )
            _say(uow, service.start_rollout(uow, command).id)


@rollout.command()
@acting
@_TEMPLATE
def status(*, slug: str, email: str, template: str) -> None:
    """Say where the latest roll-out of the template stands."""
    with at_work(slug, email, Permission.ROLL_OUT) as uow:
        _say(uow, _newest(uow, template))


@rollout.command("continue")
@acting
@_TEMPLATE
@click.option("--percent", type=_PERCENT, help="The next of 5, 25 and 100 by default.")
@_MOST
def go_on(*, slug: str, email: str, template: str, percent: str | None, most_conflicts: int | None) -> None:
    """Begin the next stage of the latest roll-out of the template."""
    with at_work(slug, email, Permission.ROLL_OUT) as uow:
        rollout_id = _newest(uow, template)
        number = len(queries.stages_of(uow, rollout_id)) + 1
        command = NextStage(
            rollout_id=rollout_id,
            number=number,
            percent=int(percent) if percent else None,
            most_conflicts=most_conflicts,
        )
        _say(uow, service.next_stage(uow, command).id)


@rollout.command()
@acting
@_TEMPLATE
def stop(*, slug: str, email: str, template: str) -> None:
    """End the latest roll-out of the template where it is; what is done stays."""
    with at_work(slug, email, Permission.ROLL_OUT) as uow:
        _say(uow, service.stop(uow, _newest(uow, template)).id)


@rollout.command()
@acting
@_TEMPLATE
def back(*, slug: str, email: str, template: str) -> None:
    """Bring every plan of the latest roll-out back, but for what was touched since."""
    with at_work(slug, email, Permission.ROLL_OUT) as uow:
        _say(uow, service.roll_back(uow, _newest(uow, template)).id)


def _newest(uow: UnitOfWork, template: str) -> UUID:
    rows = queries.list_rollouts(uow, template_called(uow, template).id)
    # One that was rolled back stands aside for the one before it.
    for row in rows:
        if row.state != "rolled_back":
            return row.id
    if rows:
        return rows[0].id
    raise NotFound(later("No version of %(name)s was rolled out.", name=template))


def _latest(uow: UnitOfWork, template_id: UUID) -> int:
    for row in versions_of(uow, template_id):
        if row.state == "published":
            return row.version
    raise NotFound("No version of this template is published.")


def _say(uow: UnitOfWork, rollout_id: UUID) -> None:
    view = queries.view_rollout(uow, rollout_id)
    phase = phase_words(plain)[view.phase]
    click.echo(f"Version {view.rollout.version} of {view.template.name}: {phase}. The roll-out is {rollout_id}.")
    click.echo(f"{view.done} plans brought over, {view.left} of older versions, {view.conflicts} conflicts.")
    for stage in view.stages:
        click.echo(f"stage {stage.row.number}, {stage.row.percent} %: job {stage.job.id} is {stage.job.state}")


def _say_preview(seen: previews.Preview) -> None:
    words = outcome_words(plain)
    click.echo(f"{seen.plans} plans follow an older version; {seen.changed} have a step that changes.")
    for line in seen.lines:
        for outcome, plans in line.counts.items():
            if outcome in words:
                click.echo(f"step {line.step.number}: {plans} {words[outcome]}")
    if seen.standing:
        click.echo(f"{seen.standing} standing assignments give an older version.")
