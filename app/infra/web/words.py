"""Words several features use: what an organization calls a client and a counsellor, and the statuses of a step.

The former are keys of the catalogue (`app.domain.wording`), so that every language has them.
"""

from __future__ import annotations

from flask import g, has_request_context
from flask_babel import get_locale, gettext
from flask_babel.speaklater import LazyString

from app.domain.saying import Told
from app.domain.wording import people_words
from app.infra.speech import days_in
from app.infra.web.context import Place


def words_here() -> dict[str, str]:
    """The words of the organization that the page is of, as the places of a sentence name them.

    A page of no organization in particular says "client" and "counsellor".
    """
    # A worker, which may come upon a form's label too, has no page.
    place: Place | None = g.get("place") if has_request_context() else None
    if place is None:
        return people_words("client", "counsellor", _say)
    return people_words(place.client_word, place.counsellor_word, _say)


def lazy_here(text: str) -> LazyString:
    """A form's label that names people by `%(client)s`, `%(counsellors)s`, ...: said when it is shown."""
    return LazyString(lambda: gettext(text, **words_here()))


def _say(text: str, /, **values: object) -> str:
    # Without text gettext answers with the catalogue's own header.
    return str(gettext(text, **values)) if text else ""


def say_here(text: str, /, **values: object) -> str:
    """An English sentence in the reader's language, its days and months as the reader writes them."""
    return _say(text, **days_in(values, str(get_locale())))


def status_words() -> dict[str, str]:
    """Each status of a step, and "stale", in the reader's language, as counted in a dial's name."""
    return {
        "not_started": gettext("not started"),
        "in_progress": gettext("in progress"),
        "submitted": gettext("submitted"),
        "returned": gettext("returned"),
        "completed": gettext("completed"),
        "skipped": gettext("skipped"),
        "stale": gettext("to look at again"),
    }


def said(sentence: object) -> str:
    """A sentence of an error or a job in the reader's language; one the catalogue lacks stays as it was written.

    Use cases raise English sentences and know no reader; one with values in it knows its text (`later`).
    """
    if isinstance(sentence, Told):
        return sentence.said(gettext, words_here())
    text = str(sentence)
    # Without text gettext answers with the catalogue's own header.
    return str(gettext(text)) if text else ""
