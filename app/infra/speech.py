"""Octant's words in a language, where no web request is: reports and messages made by workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_skeleton
from babel.support import NullTranslations, Translations

from app.domain.saying import Month, Say

_CATALOGUES = Path(__file__).resolve().parents[1] / "translations"


@cache
def _catalogue(locale: str) -> NullTranslations:
    return Translations.load(str(_CATALOGUES), [locale], "messages")


def days_in(values: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """A sentence's values with days and months as `locale` writes them: "May 3, 2027" and "May 2027"."""
    return {name: _day_in(value, locale) for name, value in values.items()}


def _day_in(value: Any, locale: str) -> Any:
    if isinstance(value, Month):
        return format_skeleton("yMMM", value.day, locale=locale)
    return format_date(value, "medium", locale=locale) if isinstance(value, date) else value


def speaker(locale: str) -> Say:
    """A function that says an English sentence in `locale` ("zh_Hans_CN"); without a catalogue it stays English."""
    catalogue = _catalogue(locale)

    def say(text: str, /, **values: Any) -> str:
        said = catalogue.gettext(text)
        return said % days_in(values, locale) if values else said

    return say
