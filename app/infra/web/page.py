"""What the frame of every page shows: navigation, who is signed in, where, and in which words and theme.

The names are those `app/templates/base.html` lists at its top. A page may set `g.nav_endpoint` to say
under which entry of the navigation it belongs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, has_request_context, request, url_for
from flask_babel import get_locale, gettext

from app.domain.access import Actor, Permission
from app.domain.wording import people_words
from app.infra.drawing.jinja import drawing_globals
from app.infra.web.context import Place
from app.infra.web.words import said, words_here

Navigation = Sequence[tuple[str, str, Permission]]


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of a menu."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationItem:
    """An organization to work in; `href` takes a POST, which renews the session."""

    name: str
    href: str
    current: bool


def install_page(app: Flask, navigation: Navigation, organizations: Callable[[], Sequence[OrganizationItem]]) -> None:
    """Give every template the frame's values; `organizations` lists where the reader may work."""
    app.jinja_env.globals.update(drawing_globals())
    app.jinja_env.filters["said"] = said
    app.extensions["octant_navigation"] = navigation

    @app.context_processor
    def _frame() -> dict[str, Any]:
        return frame(navigation, organizations) if has_request_context() else {}


def frame(navigation: Navigation, organizations: Callable[[], Sequence[OrganizationItem]]) -> dict[str, Any]:
    """The values of the frame for this request; on a page for anybody, only language and direction."""
    locale = get_locale()
    generic = people_words("client", "counsellor", gettext)
    values: dict[str, Any] = {f"{name}_word": word for name, word in generic.items()} | {
        "lang": str(locale).replace("_", "-") if locale else "en",
        "dir": locale.text_direction if locale else "ltr",
    }
    place: Place | None = g.get("place")
    if place is not None:
        values |= house(place)
    user = g.get("user")
    if user is None:
        return values
    actor: Actor | None = g.get("actor")
    values |= {
        "theme": "" if user.theme == "system" else user.theme,
        "current_user_name": user.name,
        "sign_out_href": url_for("identity.sign_out"),
        "user_menu": [NavItem(gettext("Profile"), url_for("identity.profile"))],
        "organizations": organizations(),
    }
    if place is None or actor is None:
        return values
    nav = navigation_of(actor, navigation)
    values |= {
        "nav": nav,
        "home_href": nav[0].href if nav else url_for("identity.enter_organization"),
        "may": lambda permission: actor.may(Permission(permission)),
    }
    values |= {"inbox_href": url_for("messaging.inbox"), "unread": actor.unread}
    values["user_menu"] = [NavItem(gettext("Inbox"), values["inbox_href"]), *values["user_menu"]]
    if actor.may(Permission.READ_OCCUPATIONS):
        values["occupations_href"] = url_for("occupations.index")
    if actor.may(Permission.READ_CLIENTS):
        values["find_href"] = url_for("overview.caseload")
        values["find_label"] = gettext("Find a %(client)s", client=values["client_word"])
    return values


def house(place: Place) -> dict[str, Any]:
    """What the organization of a page gives it, whoever reads: its name, its words for people, its colour.

    A page that a link opened has a place too, and nobody who is signed in.
    """
    words = words_here()
    values: dict[str, Any] = {
        "organization_name": place.name,
        "client_word": words["client"],
        "clients_word": words["clients"],
        "counsellor_word": words["counsellor"],
        "counsellors_word": words["counsellors"],
    }
    if place.accent:
        values["accent_href"] = url_for("organizations.accent", colour=place.accent.removeprefix("#"))
    return values


def navigation_of(actor: Actor, navigation: Navigation) -> list[NavItem]:
    """The entries that the actor may open, in order; at most one is current."""
    here = g.get("nav_endpoint") or request.endpoint or ""
    shown = [(e, label) for e, label, permission in navigation if actor.may(permission)]
    endpoints = [endpoint for endpoint, _ in shown]
    if here not in endpoints:
        # A page of a feature with one entry belongs to that entry.
        siblings = [e for e in endpoints if e.partition(".")[0] == here.partition(".")[0]]
        here = siblings[0] if len(siblings) == 1 else here
    return [NavItem(str(label), url_for(endpoint), endpoint == here) for endpoint, label in shown]
