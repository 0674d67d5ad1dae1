"""Octant's words in a language, where no web request is: reports and messages made by workers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations

from app.domain.saying import Say

_CATALOGUES = Path(__file__).resolve().parents[1] / "translations"


@cache
def _catalogue(locale: str) -> NullTranslations:
    return Translations.load(str(_CATALOGUES), [locale], "messages")


def speaker(locale: str) -> Say:
    """A function that says an English sentence in `locale` ("zh_Hans_CN"); without a catalogue it stays English."""
    catalogue = _catalogue(locale)

    def say(text: str, /, **values: Any) -> str:
        said = catalogue.gettext(text)
        return said % values if values else said

    return say
