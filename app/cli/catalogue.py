"""`octant import`: releases of occupation data, written by the operator as the owner of the schema."""

from __future__ import annotations

from pathlib import Path

import click

from app.cli import settings_from_environment
from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.content import Content
from app.features.occupations.onet import read_onet
from app.features.occupations.starter import read_starter

_PATH = click.Path(exists=True, path_type=Path)
_RELEASE = click.option("--release", help="The release, where it cannot be told from the files.")


@click.group(name="import")
def catalogue() -> None:
    """Occupation data. A release lies beside the earlier ones and becomes the one that pages show."""


@catalogue.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH, metavar="PATH...")
@_RELEASE
def onet(paths: tuple[Path, ...], release: str | None) -> None:
    """Import an O*NET text download, a folder or ZIP. Tables it lacks are taken from further PATHs, older releases."""
    _store(read_onet(paths, label=release))


@catalogue.command()
@click.argument("path", type=_PATH)
@_RELEASE
def bls(path: Path, release: str | None) -> None:
    """Import growth, openings, pay and education: table 1.2 of the BLS projections, XLSX, CSV or a folder."""
    _store(read_bls(path, label=release))


@catalogue.command()
def starter() -> None:
    """Import the starter catalogue that comes with Octant; `octant db migrate` does so by itself."""
    _store(read_starter())


@catalogue.command("list")
def list_releases() -> None:
    """Name the releases that are there; a star marks those that pages show."""
    for row in store.releases(_owner()):
        borrowed = {name: note["release"] for name, note in row.tables.items() if note["release"] != row.label}
        more = "".join(f", {name} {label}" for name, label in borrowed.items())
        click.echo(f"{'*' if row.current else ' '} {row.key}  imported {row.imported_at:%Y-%m-%d %H:%M}{more}")


@catalogue.command()
@click.argument("key")
def use(key: str) -> None:
    """Let pages show another release that is there, such as onet-30.1."""
    store.make_current(_owner(), key)
    click.echo(f"Pages now show {key}.")


def _owner() -> str:
    url = settings_from_environment().owner_database_url
    if not url:
        raise click.UsageError("OCTANT_OWNER_DATABASE_URL is missing: catalogues are written as octant_owner.")
    return url


def _store(content: Content) -> None:
    stored = store.store(_owner(), content)
    if not stored.new:
        click.echo(f"This content is there already as {stored.key}; nothing was changed.")
        return
    for name, note in content.release.tables.items():
        left_out = f", {note['left_out']} left out: not in this release" if note["left_out"] else ""
        click.echo(f"{name}: {note['rows']} rows of {note['release']}{left_out}")
    shown = "pages now show it" if stored.current else "pages go on showing the whole release"
    click.echo(f"Imported as {stored.key}; {shown}.")
