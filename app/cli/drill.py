"""`octant drill`: kill processes at random points of the main jobs and count what was lost or doubled."""

from __future__ import annotations

import secrets
import sys
import tempfile
from pathlib import Path

import click

from app.cli.ending import ended_by_signals


@click.command()
@click.option("--trials", default=20, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=None, type=int, help="Repeats an earlier campaign's choices.")
@click.option("--clients", default=4000, show_default=True, type=click.IntRange(1), help="Clients of each trial.")
@click.option("--kills", default=3, show_default=True, type=click.IntRange(1), help="At most so many per main job.")
def drill(trials: int, seed: int | None, clients: int, kills: int) -> None:
    """Run trials under random kills; ends with one line of JSON and with code 1 when anything was wrong."""
    from app.drill.campaign import run_campaign  # noqa: PLC0415 # imports the whole product
    from app.infra.embedded import remove_data  # noqa: PLC0415 # as above

    seed = secrets.randbelow(2**31) if seed is None else seed
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="octant-drill-") as name:
        folder = Path(name)
        try:
            result = run_campaign(folder, trials=trials, seed=seed, clients=clients, kills=kills, say=click.echo)
        finally:
            remove_data(folder)
            folder.mkdir(exist_ok=True)
    click.echo(result.line())
    sys.exit(0 if result.clean else 1)
