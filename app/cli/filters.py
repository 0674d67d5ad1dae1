"""`octant filter`: saved filters and how many people they select, as a named member sees them."""

from __future__ import annotations

import json
from typing import Any

import click

from app.cli.acting import acting, at_work
from app.cli.targets import filters_called
from app.domain.access import Permission
from app.domain.rules import stored_rule
from app.features.selections.queries import count_filter, list_filters, read_rule


@click.group(name="filter")
def filters() -> None:
    """Saved filters, as one member sees them."""


@filters.command("list")
@acting
def list_saved(slug: str, email: str) -> None:
    """Name each filter the member may use: its id, whether it is shared, and its rule."""
    with at_work(slug, email, Permission.USE_COHORTS, reads=True) as uow:
        for line in list_filters(uow):
            whose = f"shared by {line.owner}" if line.filter.shared else "own"
            click.echo(
                f"{line.filter.id}  {line.filter.name} ({whose})  {json.dumps(line.filter.rule, sort_keys=True)}"
            )


@filters.command()
@acting
@click.option("--filter", "name", help="Its name or its id; all by default.")
@click.option("--rule", help="Instead a rule as JSON, which is not kept.")
def size(slug: str, email: str, name: str | None, rule: str | None) -> None:
    """How many people a filter, every filter, or a rule selects now."""
    with at_work(slug, email, Permission.USE_COHORTS, reads=True) as uow:
        if rule is not None:
            click.echo(str(count_filter(uow, read_rule(uow, _json(rule)))))
            return
        named = [line.filter for line in list_filters(uow)] if name is None else filters_called(uow, name)
        for saved in named:
            click.echo(f"{count_filter(uow, stored_rule(saved.rule))}  {saved.name}")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--rule") from None
