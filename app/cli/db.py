"""`octant db`: roles, database, migrations and the check that a deployed database keeps the rules."""

from __future__ import annotations

import click
from sqlalchemy.engine import make_url

from app.cli import settings_from_environment
from app.features.occupations.starter import load_starter
from app.infra.db import migrate as migrations
from app.infra.db.catalogue import tenancy_problems


@click.group()
def db() -> None:
    """Roles, database and migrations."""


@db.command()
@click.option("--superuser-url", envvar="OCTANT_SUPERUSER_URL", required=True, help="Address of a superuser.")
@click.option("--database", default="octant", show_default=True, help="Name of the database to make.")
def create(superuser_url: str, database: str) -> None:
    """Make the three roles and the database; their passwords are those in the settings. Safe to repeat."""
    settings = settings_from_environment()
    urls = (settings.owner_database_url, settings.database_url, settings.identity_database_url)
    passwords = {str(make_url(url).username): str(make_url(url).password or "") for url in urls if url}
    missing = [role for role in migrations.ROLES if not passwords.get(role)]
    if missing:
        raise click.UsageError(f"The settings hold no address with a password for {', '.join(missing)}.")
    migrations.create_roles(superuser_url, passwords)
    migrations.create_database(superuser_url, database)
    click.echo(f"The roles and the database {database} are there.")


@db.command()
@click.option("--to", "revision", default="head", show_default=True, help="The migration to go to.")
def migrate(revision: str) -> None:
    """Bring the schema up to date; waits for another migration that is running."""
    settings = settings_from_environment()
    if not settings.owner_database_url:
        raise click.UsageError("OCTANT_OWNER_DATABASE_URL is missing: migrations run as octant_owner.")
    migrations.migrate(settings.owner_database_url, revision=revision)
    if revision == "head":
        load_starter(settings.owner_database_url)
    click.echo("The schema is up to date.")


@db.command()
def check() -> None:
    """Say whether the deployed database keeps every rule of tenancy; code 1 when it does not."""
    settings = settings_from_environment()
    with migrations.admin_engine(settings.owner_database_url or settings.database_url).connect() as connection:
        problems = tenancy_problems(connection)
    for problem in problems:
        click.echo(problem)
    click.echo("Every rule of tenancy is kept." if not problems else f"{len(problems)} rules are broken.")
    raise SystemExit(1 if problems else 0)
