"""Words of mails from compiled templates, without a web application: workers have none.

A campaign's mails differ in few places. So a template is rendered once for the values that many share, with
marks where each reader's own values go, and the marks are filled in per mail: 10,000 mails cost one rendering.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

_ROOT = Path(__file__).resolve().parents[2]
# Characters of private use, which no name or address has a use for, around the name of a reader's own value.
_MARK = re.compile("\ue000([a-z_]+)\ue001")
_FORMS = ("subject.txt", "txt", "html")
# What a template may show; the values many readers share are scalars, so that they can be a key.
Shared = Mapping[str, str | int | None]


@lru_cache(maxsize=16)
def mail_environment(locale: str) -> Environment:
    """Templates of `app/templates/mail` in one language; English where the catalogue has no words.

    HTML is escaped, text is not, and a missing value is an error rather than a gap in the mail.
    """
    environment = Environment(
        loader=FileSystemLoader(_ROOT / "templates" / "mail"),
        autoescape=select_autoescape(["html"], default=False),  # the .txt forms are text, not markup
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translations = Translations.load(_ROOT / "translations", [locale])
    environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined] # the extension adds it
    return environment


def render_mail(name: str, locale: str, shared: Shared, own: Mapping[str, str]) -> tuple[str, str, str]:
    """Subject, text and HTML of `<name>.subject.txt`, `<name>.txt` and `<name>.html`.

    `shared` are the values many mails have in common and templates may decide by; `own` are this reader's,
    which templates only show; one that is markup already is put into the HTML as it is.
    """
    subject, text, html = _skeleton(name, locale, tuple(shared.items()), tuple(own))
    escaped = {key: str(escape(value)) for key, value in own.items()}
    return " ".join(_fill(subject, own).split()), _fill(text, own), _fill(html, escaped)


@lru_cache(maxsize=256)
def _skeleton(
    name: str, locale: str, shared: tuple[tuple[str, str | int | None], ...], own: tuple[str, ...]
) -> tuple[tuple[str, ...], ...]:
    """The three forms, cut at the marks: every second part is the name of a value."""
    environment = mail_environment(locale)
    # What somebody called themselves must not be taken for a mark.
    values = {key: _unmarked(value) for key, value in shared} | {key: f"\ue000{key}\ue001" for key in own}
    return tuple(tuple(_MARK.split(environment.get_template(f"{name}.{form}").render(values))) for form in _FORMS)


def _unmarked(value: str | int | None) -> str | int | None:
    return value.replace("\ue000", "").replace("\ue001", "") if isinstance(value, str) else value


def _fill(parts: tuple[str, ...], values: Mapping[str, str]) -> str:
    return "".join(values[part] if index % 2 else part for index, part in enumerate(parts))
