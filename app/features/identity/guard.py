"""How often a password may be tried (TRUST S5), and which browsers an account knows.

An account takes ten tries in a quarter of an hour from all unknown browsers together, whatever
their addresses; so at most fifty in any hour. A browser that signed in before carries a signed
cookie and has tries of its own, so that nobody can lock the true user out by guessing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from flask import Response
from flask_babel import gettext, ngettext
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.config import Settings
from app.domain.errors import TooMany
from app.infra.web.throttle import Budget, Throttle

PER_ACCOUNT = Budget("account", "10 per 15 minutes")
PER_DEVICE = Budget("device", "10 per 15 minutes")
# Wrong passwords only: a lecture hall behind one address signs in without waiting.
PER_ADDRESS = Budget("address", "100 per 15 minutes")
LINKS_PER_ACCOUNT = Budget("links", "3 per hour")
LINKS_PER_ADDRESS = Budget("links-address", "30 per hour")
DEVICE_DAYS = 180


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that signed in to one account before."""

    user_id: UUID
    number: str


def device_cookie_name(settings: Settings) -> str:
    """The cookie's name; the prefix binds it to this host over https."""
    return "__Host-octant-device" if settings.secure else "octant-device"


def new_device(settings: Settings, user_id: UUID) -> str:
    """The signed text a browser keeps after signing in to an account."""
    return _signer(settings).dumps([user_id.hex, secrets.token_hex(8)])


def keep_device(response: Response, settings: Settings, text: str) -> None:
    """Let the browser keep its device cookie."""
    response.set_cookie(
        device_cookie_name(settings),
        text,
        max_age=DEVICE_DAYS * 86400,
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def read_device(settings: Settings, text: str | None) -> Device | None:
    """The device of a cookie; None when there is none, it was changed, or it is half a year old."""
    try:
        user, number = _signer(settings).loads(text or "", max_age=DEVICE_DAYS * 86400)
        return Device(UUID(user), str(number))
    except (BadSignature, ValueError, TypeError):
        return None


def _signer(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings.key_for("device"), salt="device")


def admit_attempt(throttle: Throttle, *, email: str, address: str, device: Device | None) -> None:
    """Count one try of a password, before it is looked at. Raises TooMany with the time to wait.

    `device` is given only when it is known to the very account of `email`.
    """
    if device is not None:
        _refuse(throttle.spend(PER_DEVICE, f"{device.user_id}:{device.number}"))
        return
    _refuse(throttle.wait(PER_ADDRESS, address))
    _refuse(throttle.spend(PER_ACCOUNT, email))


def note_failure(throttle: Throttle, *, address: str, device: Device | None) -> None:
    """Count a wrong password against the address it came from."""
    if device is None:
        throttle.spend(PER_ADDRESS, address)


def note_success(throttle: Throttle, *, email: str, device: Device | None) -> None:
    """A right password forgets the tries of the browser that gave it.

    The account's own count is left alone when a known browser signs in: others may be guessing meanwhile.
    """
    if device is not None:
        throttle.forgive(PER_DEVICE, f"{device.user_id}:{device.number}")
    else:
        throttle.forgive(PER_ACCOUNT, email)


def admit_link_request(throttle: Throttle, *, email: str, address: str) -> None:
    """Count one request for a link by mail. Raises TooMany with the time to wait."""
    _refuse(throttle.spend(LINKS_PER_ADDRESS, address))
    _refuse(throttle.spend(LINKS_PER_ACCOUNT, email))


def _refuse(seconds: int) -> None:
    if seconds <= 0:
        return
    minutes = -(-seconds // 60)
    wait = ngettext("%(num)s minute", "%(num)s minutes", minutes)
    raise TooMany(gettext("Too many attempts. Try again in %(wait)s.", wait=wait), retry_after=seconds)
