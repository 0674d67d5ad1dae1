"""The languages there are, and the locale to write days and figures in: a language with the region it is read in."""

from __future__ import annotations

from functools import cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

# Each by its own name.
LANGUAGES = {"en": "English", "zh_Hans_CN": "简体中文"}
# English as the world writes it, day before month, for a region of which nothing else is known.
_WORLD = "001"
_ANY = "en"


@cache
def is_locale(name: str) -> bool:
    """Whether days and figures can be written in this language ("de", "zh_Hans_CN")."""
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True


@cache
def regional(locale: str, time_zone: str | None) -> str:
    """The locale with the region of an organization's time zone: "en" in Europe/Dublin is "en_IE".

    A locale that names its region, and a zone that lies in none (UTC), leave it as it is. Only days and figures
    change; the words are those of the language.
    """
    if not is_locale(locale):
        # Kept from before such names were refused: days are written all the same.
        locale = _ANY
    language = Locale.parse(locale)
    if language.territory or not time_zone:
        return locale
    zone = get_global("zone_aliases").get(time_zone, time_zone)
    territory = get_global("zone_territories").get(zone) or get_global("zone_territories").get(time_zone)
    if territory in (None, "ZZ"):
        return locale
    for region in (territory, _WORLD):
        try:
            return str(Locale.parse(f"{language}_{region}"))
        except UnknownLocaleError:
            continue
    return locale
