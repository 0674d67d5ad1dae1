"""`octant science`: how well matches find related occupations, computed from a release; needs no database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from app.features.occupations.onet import read_onet
from app.features.occupations.science import put_into, report_of
from app.features.occupations.starter import read_starter


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option("--release", help="The release, where it cannot be told from the files.")
@click.option(
    "--write", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Put the table into this file."
)
def science(paths: tuple[Path, ...], release: str | None, write: Path | None) -> None:
    """Print how many related occupations each column finds, from an O*NET text download, a folder or ZIP.

    Tables it lacks are taken from further PATHs, older releases.
    """
    report = report_of(read_onet(paths, label=release), read_starter(), datetime.now(UTC).date())
    click.echo(report)
    if write is not None:
        try:
            text = put_into(write.read_text(encoding="utf-8"), report)
        except ValueError as error:
            raise click.UsageError(f"{write}: {error}.") from None
        write.write_text(text, encoding="utf-8")
        click.echo(f"\nWritten into {write}.")
