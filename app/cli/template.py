"""`octant template`: save a template as a file, take one from a file, copy one for next year."""

from __future__ import annotations

from pathlib import Path

import click
from sqlalchemy import select

from app.cli.acting import acting, at_work
from app.domain.access import Permission
from app.domain.canonical import canonical_json
from app.domain.errors import NotFound
from app.domain.saying import later
from app.domain.template_content import parse_content
from app.domain.template_files import parse_file
from app.features.plans import sharing
from app.features.plans.models import PlanTemplate
from app.features.plans.templates import versions_of
from app.infra.db.open import UnitOfWork

_NAME = click.option("--template", required=True, help="The name of the template.")
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group()
def template() -> None:
    """Templates as files, and for next year."""


def template_called(uow: UnitOfWork, name: str) -> PlanTemplate:
    """The template with this name. Raises NotFound naming it."""
    found = uow.session.scalars(select(PlanTemplate).where(PlanTemplate.name == name)).one_or_none()
    if found is None:
        raise NotFound(later("There is no template named %(name)s.", name=name))
    return found


@template.command("export")
@acting
@_NAME
@click.option("--version", type=click.IntRange(1), help="The latest by default.")
@click.argument("file", type=_FILE)
def export_file(*, slug: str, email: str, template: str, version: int | None, file: Path) -> None:
    """Save a version of a template as FILE, with its checksum."""
    with at_work(slug, email, Permission.USE_TEMPLATES) as uow:
        found = template_called(uow, template)
        number = version or versions_of(uow, found.id)[0].version
        saved = sharing.export_template(uow, found.id, number)
    file.write_text(canonical_json(saved) + "\n", encoding="utf-8")
    click.echo(f"Version {number} is in {file}. Its checksum is {saved['checksum']}.")


@template.command("import")
@acting
@click.option("--name", default="", help="Another name for it here.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_file(*, slug: str, email: str, name: str, file: Path) -> None:
    """Take a template from FILE as a draft; says what it names that is missing here."""
    with at_work(slug, email, Permission.MANAGE_TEMPLATES) as uow:
        made = sharing.import_template(uow, parse_file(file.read_bytes()), name=name)
        lacks = sharing.lacking(uow, parse_content(versions_of(uow, made.id)[0].content))
    click.echo(f"{made.name} is there as a draft.")
    for problem in lacks:
        click.echo(f"{problem.field}: {problem.sentence}")


@template.command("next-year")
@acting
@_NAME
@click.option("--name", help="The name of the copy; the guessed one by default.")
@click.option("--term", "terms", nargs=2, multiple=True, metavar="THIS NEXT", help="Which term follows another.")
@click.option("--dry-run", is_flag=True, help="Say what is guessed, and do nothing.")
def next_year(
    *, slug: str, email: str, template: str, name: str | None, terms: tuple[tuple[str, str], ...], dry_run: bool
) -> None:
    """Copy a template for next year: its terms exchanged for those that follow, fixed review days moved."""
    with at_work(slug, email, Permission.MANAGE_TEMPLATES) as uow:
        found = template_called(uow, template)
        planned = sharing.plan_next_year(uow, found.id)
        chosen = {this: guess for this, guess in planned.terms.items() if guess} | dict(terms)
        for this in planned.terms:
            click.echo(f"{this} -> {chosen.get(this, '?')}")
        if not dry_run:
            made = sharing.copy_for_next_year(uow, found.id, name=name or planned.name, terms=chosen)
            click.echo(f"{made.name} is there as a draft.")
