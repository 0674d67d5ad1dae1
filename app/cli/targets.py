"""Whom a command is for: a cohort, a saved filter, a file, or people named one by one; the same words everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import select

from app.domain.errors import FieldProblem, InvalidInput, NotFound
from app.domain.saying import later
from app.features.cohorts.models import Cohort
from app.features.selections.commands import Target
from app.features.selections.lists import choose_listed, lines_of_file
from app.features.selections.models import SavedFilter, Selection
from app.features.selections.queries import list_filters
from app.infra.db.open import UnitOfWork

_MOST_SAID = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """What was typed to say whom a command is for."""

    cohort: str | None
    saved: str | None
    file: Path | None
    clients: tuple[str, ...]

    @property
    def said(self) -> int:
        """In how many ways it was said."""
        return sum(way is not None for way in (self.cohort, self.saved, self.file, self.clients or None))


def for_whom(command: Callable[..., Any]) -> Callable[..., Any]:
    """The four options of every command that is for people; it is called with `whom` in their place."""

    @wraps(command)
    def called(
        *, cohort: str | None, saved: str | None, file: Path | None, clients: tuple[str, ...], **others: Any
    ) -> Any:
        return command(whom=Whom(cohort=cohort, saved=saved, file=file, clients=clients), **others)

    options = (
        click.option("--cohort", metavar="NAME", help="For the members of this cohort."),
        click.option(
            "--filter", "saved", metavar="NAME", help="For whom this saved filter selects now; its id as well."
        ),
        click.option(
            "--file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="For whom the first column of this CSV or XLSX file names, by id or e-mail.",
        ),
        click.option(
            "--client", "clients", multiple=True, metavar="ID", help="For this person, by id or e-mail; repeat it."
        ),
    )
    for option in reversed(options):
        option(called)
    return called


def target_called(uow: UnitOfWork, whom: Whom, *, optional: bool = False) -> Target:
    """Whom the words mean, for `selections.service.choose`; lines of a file that name nobody are said and passed over.

    Raises UsageError unless one way is used (none is right as well where it is `optional`), NotFound for a cohort or
    filter that is not there, or a person the member does not see; InvalidInput for a name that several filters have,
    and for a file of nobody.
    """
    if whom.said > 1 or not (whom.said or optional):
        raise click.UsageError("Say whom it is for in one way: --cohort, --filter, --file, or --client.")
    if whom.cohort is not None:
        return Target(cohort_id=cohort_called(uow, whom.cohort))
    if whom.saved is not None:
        return Target(filter_id=filter_called(uow, whom.saved))
    if whom.file is not None:
        return Target(selection_id=_listed_in(uow, whom.file).id)
    return Target(client_ids=_clients(uow, whom.clients))


def filters_called(uow: UnitOfWork, name: str) -> list[SavedFilter]:
    """The member's filters, and those shared with them, that have this name or id. Raises NotFound for none."""
    found = [one.filter for one in list_filters(uow) if name in (one.filter.name, str(one.filter.id))]
    if not found:
        raise NotFound(later("There is no filter named %(name)s.", name=name))
    return found


def cohort_called(uow: UnitOfWork, name: str) -> UUID:
    """The cohort of this name. Raises NotFound for none."""
    found = uow.session.scalars(select(Cohort.id).where(Cohort.name == name)).one_or_none()
    if found is None:
        raise NotFound(later("There is no cohort named %(name)s.", name=name))
    return found


def filter_called(uow: UnitOfWork, name: str) -> UUID:
    """The one filter of this name or id. Raises NotFound for none, InvalidInput for several."""
    found = filters_called(uow, name)
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise InvalidInput([FieldProblem("filter", f"Several filters are named {name}. Say which by its id: {ids}.")])
    return found[0].id


def _listed_in(uow: UnitOfWork, path: Path) -> Selection:
    selection = choose_listed(uow, lines_of_file(path), name=path.name)
    for line, written in selection.unknown[:_MOST_SAID]:
        click.echo(f"Line {line} names nobody: {written}", err=True)
    if (more := len(selection.unknown) - _MOST_SAID) > 0:
        click.echo(f"{more} more lines name nobody.", err=True)
    return selection


def _clients(uow: UnitOfWork, named: Iterable[str]) -> tuple[UUID, ...]:
    """Ids of people: Octant's own as they are, the organization's and addresses looked up.

    Unlike a line of a long file, somebody named one by one who is not there is a mistake to stop at.
    """
    own, others = list[UUID](), list[str]()
    for one in named:
        try:
            own.append(UUID(one))
        except ValueError:
            others.append(one)
    if others:
        listed = choose_listed(uow, list(enumerate(others, start=1)))
        if listed.unknown:
            raise NotFound(later("There is nobody you see with the id %(id)s.", id=listed.unknown[0][1]))
        own += listed.client_ids
    return tuple(dict.fromkeys(own))
