"""Pages of a forgotten password: asking for a link, and choosing a new one by it."""

from __future__ import annotations

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, get_locale, gettext

from app.domain.errors import InvalidInput
from app.features.identity import guard, links
from app.features.identity.forms import ForgottenForm, NewPasswordForm
from app.features.identity.messages import reset_mail
from app.features.identity.pages import blueprint, post, show_problems, throttle
from app.features.identity.service import fold_email
from app.infra.web.access import public
from app.infra.web.context import runtime


def _gone() -> str:
    return str(
        gettext("This link has expired or was already used. Ask for a fresh one on the page “Set a new password”.")
    )


@blueprint.route("/forgotten", methods=["GET", "POST"])
@public("somebody who cannot sign in must reach it")
def forgotten() -> ResponseReturnValue:
    """Ask for a link; the answer is the same for every address."""
    form = ForgottenForm()
    if form.validate_on_submit():
        email = fold_email(form.email.data)
        guard.admit_link_request(throttle(), email=email, address=request.remote_addr or "")
        _send_link(email)
        return redirect(url_for("identity.forgotten_sent"))
    return render_template("identity/forgotten.html", form=form), 422 if form.is_submitted() else 200


@blueprint.get("/forgotten/sent")
@public("the answer to somebody who cannot sign in")
def forgotten_sent() -> ResponseReturnValue:
    """Say what happens next, whether or not there is an account."""
    return render_template("identity/forgotten_sent.html")


def _send_link(email: str) -> None:
    # Looked up after the answer has left, so that its time says nothing about the address.
    app, here, letters, spoken = current_app._get_current_object(), runtime(), post(), str(get_locale() or "en")  # type: ignore[attr-defined] # the application itself, for the thread

    def work() -> None:
        with here.database.identity_session() as session:
            made = links.make_reset(session, email, here.clock())
            if made is None:
                return
            user, token = made
            name, to, language = user.name, user.email, user.locale or spoken
        link = f"{here.settings.public_url.rstrip('/')}/reset/{token}"
        with app.app_context(), force_locale(language):
            letters.send(to, *reset_mail(name, link))

    letters.later(work)


@blueprint.route("/reset/<token>", methods=["GET", "POST"])
@public("the link is the proof; opening it changes nothing, sending the form uses it up")
def reset(token: str) -> ResponseReturnValue:
    """Choose a new password by a link."""
    form = NewPasswordForm()
    if form.validate_on_submit():
        try:
            user = links.redeem_reset(runtime(), token, form.password.data, gone=_gone())
        except InvalidInput as error:
            show_problems(form, error)
        else:
            flash(
                gettext(
                    "Your new password is set. Sign in with it; you are signed out everywhere else, and your tokens "
                    "for programs have ended."
                )
            )
            answer = current_app.make_response(redirect(url_for("identity.sign_in")))
            # Who reads the account's mail is its owner: their browser may sign in even while others guess.
            guard.keep_device(answer, runtime().settings, guard.new_device(runtime().settings, user.id))
            return answer
    else:
        with runtime().database.identity_session() as session:
            if links.user_of_reset(session, token, runtime().clock()) is None:
                return render_template("identity/link_gone.html", sentence=_gone()), 410
    return render_template("identity/reset.html", form=form), 422 if form.is_submitted() else 200
