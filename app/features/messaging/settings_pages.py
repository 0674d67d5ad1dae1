"""Settings of messages: an organization's own words, its webhook, and the addresses that get no mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf import FlaskForm
from markupsafe import Markup

from app.domain.access import Permission
from app.domain.errors import InvalidInput
from app.domain.places import fill_places, places_in
from app.features.messaging.bounces import bounced_addresses, try_again
from app.features.messaging.forms import WebhookForm, WordsForm
from app.features.messaging.kinds import MessageKind, OwnWords, Wording
from app.features.messaging.pages import blueprint
from app.features.messaging.webhook import find_webhook, remove_webhook, renew_key, save_webhook, signing_keys
from app.features.messaging.wordings import (
    check_words,
    find_wording,
    own_words,
    paragraphs,
    remove_words,
    save_words,
    wordings_of,
)
from app.infra.locales import LANGUAGES
from app.infra.web.access import requires
from app.infra.web.context import actor, place, runtime, unit_of_work

_HOME = "messaging.settings"


def message_kinds() -> Mapping[str, MessageKind]:
    """Every kind of message there is; put there by the composition, which alone knows the features."""
    return current_app.extensions["octant_message_kinds"]  # type: ignore[no-any-return] # put there by the composition


def _show_problems(form: FlaskForm, error: InvalidInput) -> None:
    for problem in error.problems:
        form[problem.field].errors = [*form[problem.field].errors, problem.sentence]


def _page(form: WebhookForm | None = None) -> ResponseReturnValue:
    g.nav_endpoint = "organizations.settings"
    with unit_of_work() as uow:
        hook, own, gone = find_webhook(uow), own_words(uow), bounced_addresses(uow)
    keys = [] if hook is None else signing_keys(runtime().settings, actor().organization_id, hook.salt)
    bad = form is not None
    if form is None:
        form = WebhookForm(formdata=None, data=None if hook is None else {"url": hook.url, "active": hook.active})
    return render_template(
        "messaging/settings.html",
        form=form,
        hook=hook,
        key=keys[0] if keys else None,
        wordings=wordings_of(message_kinds()).values(),
        languages=LANGUAGES,
        own=own,
        gone=gone,
    ), 422 if bad else 200


@blueprint.get("/settings/messages")
@requires(Permission.MANAGE_SETTINGS)
def settings() -> ResponseReturnValue:
    """The mails one may write anew, the webhook, and the addresses that get no mail."""
    return _page()


@blueprint.post("/settings/messages/webhook")
@requires(Permission.MANAGE_SETTINGS)
def take_webhook() -> ResponseReturnValue:
    """Name the address that is told."""
    form = WebhookForm()
    if not form.validate_on_submit():
        return _page(form)
    try:
        with unit_of_work() as uow:
            save_webhook(uow, runtime().settings, form.url.data.strip(), active=form.active.data)
    except InvalidInput as error:
        _show_problems(form, error)
        return _page(form)
    flash(gettext("The webhook is saved."))
    return redirect(url_for(_HOME))


@blueprint.post("/settings/messages/webhook/<any(renew, remove):choice>")
@requires(Permission.MANAGE_SETTINGS)
def change_webhook(choice: str) -> ResponseReturnValue:
    """Give the webhook another key, or tell nobody any more."""
    with unit_of_work() as uow:
        hook = find_webhook(uow)
        if hook is not None and choice == "renew":
            renew_key(uow, hook)
            flash(gettext("The webhook has another key. Write it into the system that is told."))
        elif hook is not None:
            remove_webhook(uow)
            flash(gettext("The webhook is removed."))
    return redirect(url_for(_HOME))


@blueprint.post("/settings/messages/addresses")
@requires(Permission.MANAGE_SETTINGS)
def release_address() -> ResponseReturnValue:
    """Send to an address again whose mail came back."""
    with unit_of_work() as uow:
        try_again(uow, request.form.get("address", ""))
    flash(gettext("Mail is sent to this address again."))
    return redirect(url_for(_HOME))


@blueprint.get("/settings/messages/words/<name>/<any(en, zh_Hans_CN):locale>")
@requires(Permission.MANAGE_SETTINGS)
def words(name: str, locale: str) -> ResponseReturnValue:
    """The words of a mail in one language: the organization's own, else those that come with Octant."""
    wording = find_wording(message_kinds(), name, locale)
    with unit_of_work() as uow:
        kept = own_words(uow).get((name, locale))
    shown = OwnWords(kept.subject, kept.body) if kept else wording.shipped(locale)
    form = WordsForm(formdata=None, data={"subject": shown.subject, "body": shown.body})
    return _words_page(wording, locale, form, is_own=kept is not None)


@blueprint.post("/settings/messages/words/<name>/<any(en, zh_Hans_CN):locale>")
@requires(Permission.MANAGE_SETTINGS)
def take_words(name: str, locale: str) -> ResponseReturnValue:
    """Keep the words, or only show how they read."""
    wording = find_wording(message_kinds(), name, locale)
    with unit_of_work() as uow:
        is_own = (name, locale) in own_words(uow)
    form = WordsForm()
    if not form.validate_on_submit():
        return _words_page(wording, locale, form, is_own=is_own)
    written = OwnWords(form.subject.data, form.body.data.replace("\r\n", "\n"))
    try:
        if request.form.get("act") == "preview":
            check_words(wording, written)
            return _words_page(wording, locale, form, is_own=is_own, preview=_preview(written))
        with unit_of_work() as uow:
            save_words(uow, wording, locale, written)
    except InvalidInput as error:
        _show_problems(form, error)
        return _words_page(wording, locale, form, is_own=is_own)
    flash(gettext("Your words are saved. Mails that leave from now on have them."))
    return redirect(url_for(_HOME))


@blueprint.post("/settings/messages/words/<name>/<any(en, zh_Hans_CN):locale>/remove")
@requires(Permission.MANAGE_SETTINGS)
def drop_words(name: str, locale: str) -> ResponseReturnValue:
    """Go back to the words that come with Octant."""
    wording = find_wording(message_kinds(), name, locale)
    with unit_of_work() as uow:
        remove_words(uow, wording, locale)
    flash(gettext("The words that come with Octant are used again."))
    return redirect(url_for(_HOME))


def _words_page(
    wording: Wording, locale: str, form: WordsForm, *, is_own: bool, preview: Mapping[str, Any] | None = None
) -> ResponseReturnValue:
    g.nav_endpoint = "organizations.settings"
    page = render_template(
        "messaging/words.html",
        wording=wording,
        locale=locale,
        language=LANGUAGES[locale],
        form=form,
        is_own=is_own,
        preview=preview,
    )
    return page, 422 if form.errors else 200


def _preview(written: OwnWords) -> dict[str, Any]:
    """The words with made-up values, as a reader gets them."""
    samples = {
        "given_name": gettext("Ada"),
        "organization": place().name,
        "counsellor": gettext("Nora Blake"),
        "day": gettext("1 March"),
        "dial": gettext("[x] 1 Ambition: completed"),
        "why": gettext("Why we ask now:") + "\n* " + gettext("Something changed that your plan rests on."),
        "items": gettext("* Look at your plan again"),
        "link": runtime().settings.public_url,
        "sender": gettext("Nora Blake"),
        "text": gettext("What somebody wrote."),
    }
    known = samples | dict.fromkeys({*places_in(written.subject), *places_in(written.body)} - set(samples), "…")
    return {
        "subject": fill_places(written.subject, known),
        "body": paragraphs(written.body, known, {"link": Markup('<a href="#main">{}</a>').format(known["link"])}),
    }
