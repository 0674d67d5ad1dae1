"""Pages of settings, terms, the accent's stylesheet, and personal tokens."""

from __future__ import annotations

from uuid import UUID

from flask import Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from app.domain.access import Permission
from app.domain.contrast import dark_tones, is_colour, light_tones
from app.domain.errors import InvalidInput
from app.features.identity.pages import show_problems
from app.features.identity.profile import time_zone_choices
from app.features.identity.service import password_reset_at
from app.features.organizations.commands import ChangeSettings, SaveTerm
from app.features.organizations.forms import SCOPE_NAMES, SettingsForm, TermForm, TokenForm
from app.features.organizations.models import ApiToken, Organization
from app.features.organizations.people import blueprint
from app.features.organizations.service import organization_of
from app.features.organizations.settings import change_settings, remove_term, save_term, terms_of
from app.features.organizations.tokens import CreateToken, create_token, own_tokens, revoke_token
from app.infra.web.access import public, requires
from app.infra.web.context import actor, runtime, unit_of_work

# Octant's own colour, what the colour field begins with.
_OWN = "#0b6b66"


def _settings_form() -> SettingsForm:
    with unit_of_work() as uow:
        organization = organization_of(uow)
        values = {column.key: getattr(organization, column.key) for column in Organization.__table__.columns}
    form = SettingsForm(
        data=values | {"own_accent": organization.accent is not None, "accent": organization.accent or _OWN}
    )
    form.time_zone.choices = time_zone_choices()
    return form


def _page(form: SettingsForm | None = None, term_form: TermForm | None = None) -> ResponseReturnValue:
    with unit_of_work() as uow:
        terms = terms_of(uow)
    bad = form is not None or term_form is not None
    return render_template(
        "organizations/settings.html",
        form=form or _settings_form(),
        term_form=term_form or TermForm(formdata=None),
        terms=terms,
    ), 422 if bad else 200


@blueprint.get("/settings")
@requires(Permission.MANAGE_SETTINGS)
def settings() -> ResponseReturnValue:
    """How the organization is called and works, and its terms."""
    return _page()


@blueprint.post("/settings")
@requires(Permission.MANAGE_SETTINGS)
def save_settings() -> ResponseReturnValue:
    """Take the settings."""
    form = _settings_form()
    if not form.validate_on_submit():
        return _page(form=form)
    command = ChangeSettings(
        name=form.name.data,
        time_zone=form.time_zone.data,
        locale=form.locale.data,
        client_word=form.client_word.data,
        counsellor_word=form.counsellor_word.data,
        accent=form.accent.data if form.own_accent.data else None,
        shares_caseloads=form.shares_caseloads.data,
        small_cell_threshold=form.small_cell_threshold.data,
        contact_cap=form.contact_cap.data,
        reports_kept_days=form.reports_kept_days.data,
    )
    try:
        with unit_of_work() as uow:
            change_settings(uow, command)
    except InvalidInput as error:
        show_problems(form, error)
        return _page(form=form)
    flash(gettext("The settings are saved."))
    return redirect(url_for("organizations.settings"))


def _take_term(term_id: UUID | None) -> ResponseReturnValue:
    form = TermForm()
    if not form.validate_on_submit():
        return _page(term_form=form)
    command = SaveTerm(name=form.name.data, starts_on=form.starts_on.data, ends_on=form.ends_on.data, term_id=term_id)
    try:
        with unit_of_work() as uow:
            save_term(uow, command)
    except InvalidInput as error:
        show_problems(form, error)
        return _page(term_form=form)
    flash(gettext("The term is saved."))
    return redirect(url_for("organizations.settings"))


@blueprint.post("/settings/terms")
@requires(Permission.MANAGE_SETTINGS)
def add_term() -> ResponseReturnValue:
    """Add a term."""
    return _take_term(None)


@blueprint.post("/settings/terms/<uuid:term_id>")
@requires(Permission.MANAGE_SETTINGS)
def change_term(term_id: UUID) -> ResponseReturnValue:
    """Change a term's name or days."""
    return _take_term(term_id)


@blueprint.post("/settings/terms/<uuid:term_id>/remove")
@requires(Permission.MANAGE_SETTINGS)
def delete_term(term_id: UUID) -> ResponseReturnValue:
    """Remove a term that nothing is tied to."""
    with unit_of_work() as uow:
        remove_term(uow, term_id)
    flash(gettext("The term is removed."))
    return redirect(url_for("organizations.settings"))


@blueprint.get("/accent/<colour>.css")
@public("a stylesheet made from the colour in its own address; it says nothing of anybody")
def accent(colour: str) -> Response:
    """The tokens of an accent colour, light and dark."""
    if not is_colour(f"#{colour}"):
        abort(404)
    day, night = light_tones(f"#{colour}"), dark_tones(f"#{colour}")
    pairs = {
        "--accent": (day.plain, night.plain),
        "--accent-strong": (day.strong, night.strong),
        "--accent-soft": (day.soft, night.soft),
        "--accent-faint": (day.faint, night.faint),
        "--on-accent": (day.on, night.on),
    }
    lines = "".join(f"  {name}: light-dark({a}, {b});\n" for name, (a, b) in pairs.items())
    response = Response(f":root {{\n{lines}}}\n", mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _tokens_page(form: TokenForm, *, made: str | None = None) -> ResponseReturnValue:
    with runtime().database.identity_session() as database:
        reset_at = password_reset_at(database, actor().user_id)
    with unit_of_work() as uow:
        newest_first = own_tokens(uow.actor, reset_at).order_by(ApiToken.created_at.desc(), ApiToken.id)
        own = uow.session.scalars(newest_first).all()
        now = uow.now
    return render_template(
        "organizations/tokens.html", form=form, tokens=own, made=made, now=now, scope_names=SCOPE_NAMES
    ), (422 if form.errors else 200)


@blueprint.get("/profile/tokens")
@requires(Permission.USE_API)
def tokens() -> ResponseReturnValue:
    """The reader's tokens for programs."""
    return _tokens_page(TokenForm(formdata=None))


@blueprint.post("/profile/tokens")
@requires(Permission.USE_API)
def make_token() -> ResponseReturnValue:
    """Make a token and show it, this once: it is the answer itself and kept nowhere."""
    form = TokenForm()
    if not form.validate_on_submit():
        return _tokens_page(form)
    command = CreateToken(name=form.name.data, scopes=tuple(form.scopes.data or ()), days=int(form.days.data))
    try:
        with unit_of_work() as uow:
            _, made = create_token(uow, command)
    except InvalidInput as error:
        show_problems(form, error)
        return _tokens_page(form)
    return _tokens_page(form, made=made)


@blueprint.post("/profile/tokens/<uuid:token_id>/revoke")
@requires(Permission.USE_API)
def end_token(token_id: UUID) -> ResponseReturnValue:
    """End a token at once."""
    with unit_of_work() as uow:
        revoke_token(uow, token_id)
    flash(gettext("The token no longer works."))
    return redirect(url_for("organizations.tokens"))
