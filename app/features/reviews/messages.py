"""The mails reviews send: the prompt, a fresh link, a check-in that was given back, and what came of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from babel.dates import format_date
from markupsafe import Markup
from sqlalchemy import select

from app.config import Settings
from app.domain.saying import later
from app.domain.wording import people_words
from app.features.messaging.kinds import Draft, Line, MessageKind, OwnWords, Wording, Words
from app.features.messaging.rendering import render_mail
from app.features.messaging.wordings import render_own, shipped_words
from app.features.reviews.engine import PROMPT_KIND
from app.features.reviews.mail_dial import dial_lines, dial_table, is_dial
from app.features.reviews.models import Review, ReviewLink
from app.features.reviews.reasons import reason_to_client, reasons_of_links, why_lines, why_list
from app.infra.db.open import UnitOfWork
from app.infra.drawing.svg import ACCENT
from app.infra.links import make_token
from app.infra.locales import regional
from app.infra.speech import speaker

LINK_PURPOSE = "review-link"
FRESH_LINK_KIND = "review_fresh_link"
RETURNED_KIND = "review_returned"
DECIDED_KIND = "review_decided"
# A reminder is a prompt with words of its own.
REMINDER_WORDS = "review_reminder"
_PLACES = {
    "given_name": later("the reader's given name"),
    "organization": later("the name of your organization"),
    "counsellor": later("the name of who looks after the reader, else of your organization"),
    "day": later("the day the check-in is due"),
    "why": later("why the check-in comes before its day; empty for one that comes by the calendar"),
    "dial": later("the plan as it stands"),
    "link": later("the link that opens the check-in; it must be there"),
}
_FRESH_PLACES = ("given_name", "organization", "day", "link")


def check_in_url(settings: Settings, organization_id: UUID, link_id: UUID) -> str:
    """The address that opens the review of a link."""
    token = make_token(settings, LINK_PURPOSE, organization_id, link_id)
    return f"{settings.public_url.rstrip('/')}/check-in/{token}"


@lru_cache(maxsize=2048)
def _day(written: str, locale: str) -> str:
    return format_date(date.fromisoformat(written), "long", locale)


def _why(draft: Draft) -> list[str]:
    """Why the reader is asked before their day, in sentences; empty where the calendar asks."""
    locale, say = regional(draft.locale, draft.time_zone), speaker(draft.locale)

    def day(written: str | None) -> str:
        return _day(written, locale) if written else "–"

    return [reason_to_client(one["kind"], one["evidence"], say, day) for one in draft.params.get("why", ())]


def _render(name: str, settings: Settings, draft: Draft, own_name: str) -> Words:
    params = draft.params
    accent, letters = draft.accent or ACCENT, params.get("dial")
    dial = str(letters) if is_dial(letters) else ""
    why, say = _why(draft), speaker(draft.locale)
    own_word = people_words("", draft.counsellor_word, speaker(draft.locale))["counsellor"]
    shared = {
        "accent": accent,
        "has_dial": int(bool(dial)),
        "has_why": int(bool(why)),
        "counsellor_word": own_word,
        "lang": draft.locale.replace("_", "-"),
        "organization": draft.organization_name,
        "counsellor": params.get("counsellor"),
        "reminder": params.get("reminder", 0),
        "went_on": params.get("went_on", 0),
        "day": _day(params["day"], regional(draft.locale, draft.time_zone)),
    }
    words = draft.own_words.get(own_name)
    if words is not None:
        return _in_own_words(settings, draft, words, dial, why)
    own = {
        "given_name": params["given_name"],
        "url": check_in_url(settings, draft.organization_id, UUID(params["link"])),
        "unsubscribe_url": draft.unsubscribe_url,
        "why_list": why_list(why, say),
        "why_lines": why_lines(why, say),
        "dial_table": dial_table(dial, params.get("revision", 1), draft.locale, accent) if dial else "",
        "dial_lines": dial_lines(dial, draft.locale) if dial else "",
    }
    return Words(*render_mail(name, draft.locale, shared, own))


def _in_own_words(settings: Settings, draft: Draft, words: OwnWords, dial: str, why: Sequence[str]) -> Words:
    params, say = draft.params, speaker(draft.locale)
    url = check_in_url(settings, draft.organization_id, UUID(params["link"]))
    values = {
        "given_name": params["given_name"],
        "organization": draft.organization_name,
        # Whom to ask where nobody looks after the reader.
        "counsellor": params.get("counsellor") or draft.organization_name,
        "day": _day(params["day"], regional(draft.locale, draft.time_zone)),
        "link": url,
        "why": why_lines(why, say),
        "dial": dial_lines(dial, draft.locale) if dial else "",
    }
    accent = draft.accent or ACCENT
    markup = {
        "link": Markup('<a class="go" href="{}">{}</a>').format(url, say("Open my check-in")),
        "why": why_list(why, say),
        "dial": dial_table(dial, params.get("revision", 1), draft.locale, accent) if dial else Markup(),
    }
    return render_own(draft, words, values, markup)


def _render_prompt(settings: Settings, draft: Draft) -> Words:
    return _render("review_prompt", settings, draft, REMINDER_WORDS if draft.params.get("reminder") else PROMPT_KIND)


def _render_fresh_link(settings: Settings, draft: Draft) -> Words:
    return _render("review_fresh_link", settings, draft, FRESH_LINK_KIND)


def _render_returned(settings: Settings, draft: Draft) -> Words:
    return _render(RETURNED_KIND, settings, draft, RETURNED_KIND)


def _render_decided(settings: Settings, draft: Draft) -> Words:
    return _render(DECIDED_KIND, settings, draft, DECIDED_KIND)


def _decided_line(settings: Settings, draft: Draft) -> Line:
    day = _day(draft.params["day"], regional(draft.locale, draft.time_zone))
    say = speaker(draft.locale)
    text = say("What came of your check-in of %(day)s", day=day)
    return Line(text, check_in_url(settings, draft.organization_id, UUID(draft.params["link"])))


def _prompt_line(settings: Settings, draft: Draft) -> Line:
    params = draft.params
    day = _day(params["day"], regional(draft.locale, draft.time_zone))
    say = speaker(draft.locale)
    text = say("Look at your plan again: the check-in of %(day)s waits for your answer", day=day)
    if why := _why(draft):
        text = say("%(asked)s. Why we ask now: %(why)s", asked=text, why=" ".join(why))
    return Line(text, check_in_url(settings, draft.organization_id, UUID(params["link"])))


def _with_reasons(uow: UnitOfWork, leaving: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Prompts with why they are sent: as they leave, so that an event taken back meanwhile is not told of."""
    found = reasons_of_links(uow, [UUID(params["link"]) for params in leaving])
    told = {
        str(link): [{"kind": one.kind, "evidence": one.evidence} for one in reasons] for link, reasons in found.items()
    }
    return [{**params, "why": told.get(params["link"], [])} for params in leaving]


def _answered(uow: UnitOfWork, waiting: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of prompts that waited, those whose review was answered or gave way to a newer one meanwhile."""
    links = [UUID(params["link"]) for params in waiting]
    done = select(ReviewLink.id).join(Review, Review.id == ReviewLink.review_id)
    ended = set(uow.session.scalars(done.where(ReviewLink.id.in_(links), Review.state.not_in(("open", "started")))))
    return [params for params in waiting if UUID(params["link"]) in ended]


def _wording(name: str, template: str, title: str, *, reminder: int = 0) -> Wording:
    """The mail of a template as an organization may write it anew."""
    places = _PLACES if template == PROMPT_KIND else {key: _PLACES[key] for key in _FRESH_PLACES}

    def shipped(locale: str) -> OwnWords:
        shared: dict[str, str | int | None] = {
            "accent": ACCENT,
            "has_dial": 1,
            "has_why": 1,
            "counsellor_word": people_words("", "counsellor", speaker(locale))["counsellor"],
            "lang": locale,
            "organization": "{organization}",
            "counsellor": "{counsellor}",
            "reminder": reminder,
            "day": "{day}",
        }
        own = {"given_name": "{given_name}", "url": "{link}", "dial_table": "", "dial_lines": "{dial}"}
        own |= {"why_list": "", "why_lines": "{why}"}
        return shipped_words(template, locale, shared, own)

    return Wording(name=name, title=title, places=places, needed=frozenset({"link"}), shipped=shipped)


# A prompt is optional: the client may opt out. A fresh link was asked for by the client a moment ago, and a check-in
# that was given back waits for them, so both are urgent. What came of a check-in stands in My plan too, so it can wait.
KINDS: tuple[MessageKind, ...] = (
    MessageKind(
        name=PROMPT_KIND,
        optional=True,
        render=_render_prompt,
        line=_prompt_line,
        pointless=_answered,
        completed=_with_reasons,
        wordings=(
            _wording(PROMPT_KIND, PROMPT_KIND, later("The mail that asks for a check-in")),
            _wording(REMINDER_WORDS, PROMPT_KIND, later("The reminder of a check-in"), reminder=1),
        ),
    ),
    MessageKind(
        name=FRESH_LINK_KIND,
        optional=False,
        urgent=True,
        render=_render_fresh_link,
        wordings=(_wording(FRESH_LINK_KIND, FRESH_LINK_KIND, later("The fresh link a reader asked for")),),
    ),
    MessageKind(name=RETURNED_KIND, optional=False, urgent=True, render=_render_returned),
    MessageKind(name=DECIDED_KIND, optional=True, render=_render_decided, line=_decided_line),
)
