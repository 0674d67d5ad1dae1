"""Commands that act as a member: what they do is that person's, by the permission table, and audited as theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import click
from sqlalchemy import func, select

from app.cli import settings_from_environment
from app.domain import access
from app.domain.access import Actor, Permission
from app.domain.errors import Forbidden, NotFound
from app.domain.saying import later
from app.features.organizations.models import Membership
from app.features.organizations.queries import find_organization
from app.features.organizations.service import find_actor
from app.infra.db.open import UnitOfWork
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime, make_runtime


def acting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The two options every such command has: `--organization` and `--as`."""
    whom = click.option("--as", "email", required=True, help="The e-mail address of the member who does it.")
    where = click.option("--organization", "slug", required=True, help="The organization's short name.")
    return where(whom(command))


@contextmanager
def at_work(slug: str, email: str, needed: Permission, *, reads: bool = False) -> Iterator[UnitOfWork]:
    """A unit of work in which the member acts, committed at its end. With `reads` no worker is woken.

    Raises as `member_called`.
    """
    runtime = make_runtime(settings_from_environment(), doorbell=SilentDoorbell() if reads else None)
    try:
        with runtime.database.unit_of_work(member_called(runtime, slug, email, needed)) as uow:
            yield uow
    finally:
        runtime.database.dispose()


def member_called(runtime: Runtime, slug: str, email: str, needed: Permission) -> Actor:
    """The member with this address, acting in the organization.

    Raises NotFound for no such organization or member, Forbidden for one whose role does not have the permission.
    """
    organization_id = find_organization(runtime, slug)
    with runtime.database.unit_of_work(access.system(organization_id)) as uow:
        user_id = uow.session.scalars(
            select(Membership.user_id).where(func.lower(Membership.email) == email.lower(), Membership.active)
        ).one_or_none()
    found = find_actor(runtime, organization_id, user_id) if user_id else None
    if found is None:
        raise NotFound(later("Nobody with the address %(email)s works in %(slug)s.", email=email, slug=slug))
    if not found[0].may(needed):
        raise Forbidden(later("%(email)s may not do this. Ask an administrator of the organization.", email=email))
    return found[0]


def colleague_called(uow: UnitOfWork, email: str) -> UUID:
    """The membership of whoever works here and has this address. Raises NotFound naming it."""
    found = uow.session.scalars(
        select(Membership.id).where(func.lower(Membership.email) == email.strip().lower(), Membership.role != "client")
    ).one_or_none()
    if found is None:
        raise NotFound(later("Nobody with the address %(email)s works here.", email=email))
    return found
