"""`octant duplicates`: how many records are likely one person; deciding is done in the pages, where both are seen."""

from __future__ import annotations

import click

from app.cli.acting import acting, at_work
from app.domain.access import Permission
from app.features.clients.duplicates import likely_pairs


@click.command()
@acting
@click.option("--most", default=25, show_default=True, type=click.IntRange(1, 1000), help="How many pairs to list.")
def duplicates(slug: str, email: str, most: int) -> None:
    """List likely doubles by their external ids, the likeliest first, with what they share."""
    with at_work(slug, email, Permission.MANAGE_PEOPLE, reads=True) as uow:
        found = likely_pairs(uow, limit=most)
    for pair in found.pairs:
        click.echo(f"{pair.first.external_id}\t{pair.second.external_id}\t{', '.join(pair.shared)}")
    click.echo(f"{found.likely} pairs share more than a name, {found.namesakes} a name alone.")
