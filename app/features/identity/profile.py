"""The profile: what a user sets for themselves, their password, and the browsers they are signed in with."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import abort, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from wtforms.fields.choices import SelectChoice

from app.domain.access import Actor, Permission
from app.domain.errors import InvalidInput
from app.features.identity import guard
from app.features.identity.forms import ChangePasswordForm, ProfileForm
from app.features.identity.models import User
from app.features.identity.pages import blueprint, show_problems, throttle
from app.features.identity.passwords import check_password, hash_password, verify_password
from app.features.identity.service import (
    end_all_sessions,
    end_session_by_digest,
    live_sessions,
    start_session,
    token_hash,
)
from app.infra.web.access import signed_in
from app.infra.web.context import runtime


def time_zone_names() -> list[str]:
    """Names of time zones that people choose from: regions and cities, and UTC."""
    return [*sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/")), "UTC"]


def time_zone_choices() -> list[SelectChoice]:
    """The names as choices of a form."""
    return [SelectChoice(name, name.replace("_", " ")) for name in time_zone_names()]


def _profile_form(user: User) -> ProfileForm:
    form = ProfileForm(
        data={"name": user.name, "locale": user.locale or "", "time_zone": user.time_zone or "", "theme": user.theme}
    )
    form.time_zone.choices = [SelectChoice("", gettext("As the organization")), *time_zone_choices()]
    return form


# In this order: each of the later names also stands in the earlier ones' own texts.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """A browser in few words, as far as it tells: "Firefox on Windows"."""
    name = next((said for part, said in _BROWSERS if part in user_agent), gettext("Unknown browser"))
    system = next((said for part, said in _SYSTEMS if part in user_agent), None)
    return gettext("%(browser)s on %(system)s", browser=name, system=system) if system else str(name)


def _may_use_api() -> bool:
    actor: Actor | None = g.get("actor")
    return actor is not None and actor.may(Permission.USE_API)


def _page(form: ProfileForm | None = None, password_form: ChangePasswordForm | None = None) -> ResponseReturnValue:
    with runtime().database.identity_session() as database:
        user = database.get_one(User, current_user.id)
        browsers = live_sessions(database, user.id, runtime().clock())
    bad = form is not None or password_form is not None
    return render_template(
        "identity/profile.html",
        form=form or _profile_form(user),
        password_form=password_form or ChangePasswordForm(formdata=None),
        email=user.email,
        browsers=browsers,
        browser_name=browser_name,
        this_browser=token_hash(current_user.token),
        tokens_href=url_for("organizations.tokens") if _may_use_api() else None,
    ), 422 if bad else 200


@blueprint.get("/profile")
@signed_in
def profile() -> ResponseReturnValue:
    """The profile page."""
    return _page()


@blueprint.post("/profile")
@signed_in
def save_profile() -> ResponseReturnValue:
    """Take name, language, time zone and appearance."""
    with runtime().database.identity_session() as database:
        user = database.get_one(User, current_user.id)
        form = _profile_form(user)
        if form.validate_on_submit():
            user.name = form.name.data.strip()
            user.locale, user.time_zone = form.locale.data or None, form.time_zone.data or None
            user.theme = form.theme.data
    if form.errors:
        return _page(form=form)
    flash(gettext("Your profile is saved."))
    return redirect(url_for("identity.profile"))


@blueprint.post("/profile/password")
@signed_in
def change_password() -> ResponseReturnValue:
    """Take a new password for the old one; other browsers are signed out, this one's session is renewed."""
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return _page(password_form=form)
    with runtime().database.identity_session() as database:
        user = database.get_one(User, current_user.id)
    device = guard.Device(user.id, "profile")
    guard.admit_attempt(throttle(), email=user.email, address="", device=device)
    if not verify_password(user.password_hash, form.old.data):
        form.old.errors = [gettext("This is not your password so far.")]
        return _page(password_form=form)
    guard.note_success(throttle(), email=user.email, device=device)
    try:
        check_password(
            form.password.data,
            about=(user.name, user.email, g.place.name if g.get("place") else ""),
            list_file=runtime().settings.common_passwords_file,
        )
    except InvalidInput as error:
        show_problems(form, error)
        return _page(password_form=form)
    new_hash = hash_password(form.password.data)
    with runtime().database.identity_session() as database:
        database.get_one(User, user.id).password_hash = new_hash
        end_all_sessions(database, user.id)
        token = start_session(
            database,
            user.id,
            runtime().clock(),
            organization_id=current_user.organization_id,
            user_agent=request.headers.get("User-Agent", ""),
            address=request.remote_addr or "",
        )
    session.clear()
    session["_user_id"] = token
    flash(gettext("Your password is changed. Your other browsers are signed out."))
    return redirect(url_for("identity.profile"))


@blueprint.post("/profile/browsers/<digest>/sign-out")
@signed_in
def sign_out_browser(digest: str) -> ResponseReturnValue:
    """Sign one browser of the user out."""
    try:
        wanted = bytes.fromhex(digest)
    except ValueError:
        abort(404)
    with runtime().database.identity_session() as database:
        if not end_session_by_digest(database, current_user.id, wanted):
            abort(404)
    flash(gettext("That browser is signed out."))
    return redirect(url_for("identity.profile"))
