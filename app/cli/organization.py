"""`octant organization`: what the operator does; no command shows a client's content."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO

import click
from flask import Flask
from flask_babel import Babel
from sqlalchemy import text

from app.cli import settings_from_environment
from app.config import ConfigurationError
from app.domain import access
from app.domain.access import Role
from app.domain.definition_files import Beside, definition_of_file
from app.domain.instrument_parts import STATUSES
from app.features.audit.service import record
from app.features.instruments.builtin import add_built_in, built_ins
from app.features.instruments.commands import LoadDefinition
from app.features.instruments.service import Loaded, load_definition
from app.features.organizations.commands import Invite
from app.features.organizations.invitations import DAYS, invite
from app.features.organizations.queries import find_organization
from app.features.organizations.service import create_organization
from app.infra.db.migrate import admin_engine
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime


@click.group()
def organization() -> None:
    """Organizations and their first administrators."""


@organization.command()
@click.option("--slug", required=True, help="Short name in addresses and commands: letters, digits and hyphens.")
@click.option("--name", required=True, help="The name people read.")
@click.option("--time-zone", required=True, help="Such as Europe/Dublin.")
@click.option("--locale", default="en", show_default=True, help="The language of its mails: en or zh_Hans_CN.")
def create(slug: str, name: str, time_zone: str, locale: str) -> None:
    """Create an organization."""
    runtime = make_runtime(settings_from_environment(), doorbell=SilentDoorbell())
    organization_id = create_organization(runtime, slug=slug, name=name, time_zone=time_zone, locale=locale)
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        for built_in in built_ins():
            add_built_in(uow, built_in)
    click.echo(f"{name} is there. Its id is {organization_id}.")


@organization.command()
@click.option("--slug", required=True, help="The organization's short name.")
def suspend(slug: str) -> None:
    """Shut an organization: nobody gets in, no token or link opens, no worker works for it. Its data stay."""
    _set_active(slug, active=False)
    click.echo(f"{slug} is suspended. `octant organization resume` opens it again.")


@organization.command()
@click.option("--slug", required=True, help="The organization's short name.")
def resume(slug: str) -> None:
    """Open a suspended organization again; what fell due meanwhile is done now."""
    _set_active(slug, active=True)
    click.echo(f"{slug} is open again.")


def _set_active(slug: str, *, active: bool) -> None:
    settings = settings_from_environment()
    if not settings.owner_database_url:
        raise ConfigurationError("OCTANT_OWNER_DATABASE_URL is missing: only the owner may change the directory.")
    runtime = make_runtime(settings, doorbell=SilentDoorbell())
    organization_id = find_organization(runtime, slug, active=not active)
    with admin_engine(settings.owner_database_url).begin() as connection:
        connection.execute(
            text("UPDATE tenants SET active = :active WHERE id = :id"), {"active": active, "id": organization_id}
        )
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        record(uow, "organization.resumed" if active else "organization.suspended", "organization", organization_id)


@organization.command("add-admin")
@click.option("--slug", required=True, help="The organization's short name.")
@click.option("--email", required=True)
@click.option("--name", required=True)
def add_admin(slug: str, email: str, name: str) -> None:
    """Invite an administrator; prints the single-use link, which nobody else keeps."""
    runtime = make_runtime(settings_from_environment(), doorbell=SilentDoorbell())
    organization_id = find_organization(runtime, slug)
    app = Flask("octant-command")
    Babel(app)
    with app.app_context(), runtime.database.unit_of_work(access.system(organization_id)) as uow:
        link = invite(uow, Invite(email=email, name=name, role=Role.ADMIN))
    click.echo(f"Send {name} this link. It works once, within {DAYS} days:")
    click.echo(f"{runtime.settings.public_url.rstrip('/')}/invitation/{link}")


@organization.command("add-instrument")
@click.option("--slug", required=True, help="The organization's short name.")
@click.argument("name", type=click.Choice(["all", *sorted(built_ins())]))
def add_instrument(slug: str, name: str) -> None:
    """Add a questionnaire that comes with Octant, or its newer version; `all` adds all of them."""
    runtime = make_runtime(settings_from_environment(), doorbell=SilentDoorbell())
    with runtime.database.unit_of_work(access.system(find_organization(runtime, slug))) as uow:
        done = {each: add_built_in(uow, each) for each in (built_ins() if name == "all" else [name])}
    for each, loaded in done.items():
        _say_loaded(each, loaded)


@organization.command("load-instrument")
@click.option("--slug", required=True, help="The organization's short name.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--status", default="", type=click.Choice(["", *STATUSES]), help="How far it can be trusted.")
@click.option("--id", "key", default="", help="A short name, where the file and its source give none.")
@click.option("--title", default="", help="The name people read.")
@click.option("--version", default="", help="The edition.")
@click.option("--language", default="", help="The language of the items, such as en.")
@click.option("--answers", type=click.File(encoding="utf-8"), help="A text file of answers, one a line: 1 Never.")
@click.option("--chosen", type=click.File(encoding="utf-8"), help="For a pool: items taken, one a line: H34 E +.")
def load_instrument(slug: str, file: Path, answers: TextIO | None, chosen: TextIO | None, **told: str) -> None:
    """Load a definition file, a table of items or a pool of items."""
    beside = Beside(options=answers.read() if answers else "", chosen=chosen.read() if chosen else "", **told)
    raw = definition_of_file(file.name, file.read_bytes(), beside)
    runtime = make_runtime(settings_from_environment(), doorbell=SilentDoorbell())
    with runtime.database.unit_of_work(access.system(find_organization(runtime, slug))) as uow:
        loaded = load_definition(uow, LoadDefinition(raw=raw))
    _say_loaded(str(raw["id"]), loaded)


def _say_loaded(name: str, loaded: Loaded) -> None:
    click.echo(
        f"{name}: version {loaded.version} is loaded." if loaded.new else f"{name}: loaded before; nothing changed."
    )
