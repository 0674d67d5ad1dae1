"""Every route says who may use it; a route that does not say stops the boot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from flask import Flask

from app.domain.access import Permission

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """Who may use a route.

    `public` needs nobody signed in (with a reason), `signed_in` any user, `member` a member with any of
    `permissions`, `link` a review opened by its signed link.
    """

    kind: Literal["public", "signed_in", "member", "link"]
    permissions: tuple[Permission, ...] = ()
    reason: str = ""


def _mark(value: RouteAccess) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        view.octant_access = value  # type: ignore[attr-defined] # read back by `access_of`
        return view

    return decorate


def public(reason: str) -> Callable[[View], View]:
    """The route serves anybody; `reason` says why that is right."""
    return _mark(RouteAccess("public", reason=reason))


def signed_in(view: View) -> View:
    """The route serves any signed-in user, whatever their organization."""
    return _mark(RouteAccess("signed_in"))(view)


def requires(*permissions: Permission) -> Callable[[View], View]:
    """The route serves members of the current organization whose role grants one of `permissions`."""
    return _mark(RouteAccess("member", permissions))


def by_link(view: View) -> View:
    """The route serves a browser that opened a review by its signed link."""
    return _mark(RouteAccess("link"))(view)


def access_of(app: Flask, endpoint: str) -> RouteAccess | None:
    """What a route says of itself; None when it says nothing."""
    view: Any = app.view_functions[endpoint]
    return getattr(view, "octant_access", None)


def check_every_route(app: Flask) -> None:
    """Raise RuntimeError naming every route that does not say who may use it."""
    silent = sorted(rule.endpoint for rule in app.url_map.iter_rules() if access_of(app, rule.endpoint) is None)
    if silent:
        raise RuntimeError(f"these routes do not say who may use them: {', '.join(silent)}")
