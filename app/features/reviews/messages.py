"""The mails reviews send: the prompt, a fresh link somebody asked for, and a check-in that was given back."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from uuid import UUID

from babel.dates import format_date

from app.config import Settings
from app.domain.wording import people_words
from app.features.messaging.kinds import Draft, MessageKind, Words
from app.features.messaging.rendering import render_mail
from app.features.reviews.engine import PROMPT_KIND
from app.features.reviews.mail_dial import dial_lines, dial_table, is_dial
from app.infra.drawing.svg import ACCENT
from app.infra.links import make_token
from app.infra.locales import regional
from app.infra.speech import speaker

LINK_PURPOSE = "review-link"
FRESH_LINK_KIND = "review_fresh_link"
RETURNED_KIND = "review_returned"


def check_in_url(settings: Settings, organization_id: UUID, link_id: UUID) -> str:
    """The address that opens the review of a link."""
    token = make_token(settings, LINK_PURPOSE, organization_id, link_id)
    return f"{settings.public_url.rstrip('/')}/check-in/{token}"


@lru_cache(maxsize=2048)
def _day(written: str, locale: str) -> str:
    return format_date(date.fromisoformat(written), "long", locale)


def _render(name: str, settings: Settings, draft: Draft) -> Words:
    params = draft.params
    accent, letters = draft.accent or ACCENT, params.get("dial")
    dial = str(letters) if is_dial(letters) else ""
    own_word = people_words("", draft.counsellor_word, speaker(draft.locale))["counsellor"]
    shared = {
        "accent": accent,
        "has_dial": int(bool(dial)),
        "counsellor_word": own_word,
        "lang": draft.locale.replace("_", "-"),
        "organization": draft.organization_name,
        "counsellor": params.get("counsellor"),
        "reminder": params.get("reminder", 0),
        "day": _day(params["day"], regional(draft.locale, draft.time_zone)),
    }
    own = {
        "given_name": params["given_name"],
        "url": check_in_url(settings, draft.organization_id, UUID(params["link"])),
        "unsubscribe_url": draft.unsubscribe_url,
        "dial_table": dial_table(dial, params.get("revision", 1), draft.locale, accent) if dial else "",
        "dial_lines": dial_lines(dial, draft.locale) if dial else "",
    }
    return Words(*render_mail(name, draft.locale, shared, own))


def _render_prompt(settings: Settings, draft: Draft) -> Words:
    return _render("review_prompt", settings, draft)


def _render_fresh_link(settings: Settings, draft: Draft) -> Words:
    return _render("review_fresh_link", settings, draft)


def _render_returned(settings: Settings, draft: Draft) -> Words:
    return _render("review_returned", settings, draft)


# A prompt is optional: the client may opt out. A fresh link was asked for by the client a moment ago, and one that was
# given back is an answer to what they sent.
KINDS: tuple[MessageKind, ...] = (
    MessageKind(name=PROMPT_KIND, optional=True, render=_render_prompt),
    MessageKind(name=FRESH_LINK_KIND, optional=False, render=_render_fresh_link),
    MessageKind(name=RETURNED_KIND, optional=False, render=_render_returned),
)
