"""Pages of sign-in: in, out, out everywhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_login import current_user
from flask_wtf import FlaskForm

from app.domain.errors import FieldProblem, InvalidInput
from app.features.identity import guard
from app.features.identity.entry import Attempt, SignedIn
from app.features.identity.entry import sign_in as try_to_sign_in
from app.features.identity.forms import SignInForm
from app.features.identity.messages import AccountPost
from app.features.identity.service import end_all_sessions, end_session
from app.infra.web.access import public, signed_in
from app.infra.web.context import runtime
from app.infra.web.throttle import Throttle

blueprint = Blueprint("identity", __name__)


def throttle() -> Throttle:
    """The counter of attempts of this process."""
    found: Throttle = current_app.extensions["octant_throttle"]
    return found


def local_path(wanted: str | None) -> str | None:
    """`wanted` when it is a path of this site and nothing else; else None.

    A browser reads `//host`, `/\\host` and addresses with control characters as leading elsewhere.
    """
    if not wanted or not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted:
        return None
    if any(ord(character) < 33 for character in wanted):
        return None
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc else None


def attempt_of(email: str, password: str) -> Attempt:
    """What this request gives to sign in."""
    return Attempt(
        email=email,
        password=password,
        address=request.remote_addr or "",
        user_agent=request.headers.get("User-Agent", ""),
        device_cookie=request.cookies.get(guard.device_cookie_name(runtime().settings)),
    )


def enter(entered: SignedIn, wanted: str | None) -> ResponseReturnValue:
    """Give the browser its new session, and nothing of the one before (TRUST S3), and send it on."""
    old = session.get("_user_id")
    if old:
        with runtime().database.identity_session() as database:
            end_session(database, old)
    session.clear()
    session["_user_id"] = entered.token
    settings = runtime().settings
    target = local_path(wanted)
    response = make_response(redirect(target if target and target != "/" else url_for("identity.enter_organization")))
    guard.keep_device(response, settings, entered.device_cookie)
    return response


def post() -> AccountPost:
    """What sends account mails in this process."""
    found: AccountPost = current_app.extensions["octant_post"]
    return found


def show_problems(form: FlaskForm, error: InvalidInput) -> None:
    """Put the sentences of a refused input beside their fields."""
    for problem in error.problems:
        if problem.field in form:
            form[problem.field].errors = [*form[problem.field].errors, problem.sentence]
        else:
            form.form_errors.append(problem.sentence)


def refused(form: FlaskForm) -> InvalidInput:
    """The error of a form that did not validate, for a page that has no form to show again."""
    wrong = {str(name): " ".join(map(str, errors)) for name, errors in form.errors.items()}
    return InvalidInput([FieldProblem(name, sentence) for name, sentence in wrong.items()])


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public("somebody who is not signed in yet must reach it")
def sign_in() -> ResponseReturnValue:
    """The sign-in page; any wrong pair of e-mail and password gets the same words."""
    wanted = request.args.get("next")
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(local_path(wanted) or url_for("identity.enter_organization"))
    form = SignInForm()
    wrong = False
    if form.validate_on_submit():
        entered = try_to_sign_in(runtime(), throttle(), attempt_of(form.email.data, form.password.data))
        if entered is not None:
            return enter(entered, wanted)
        wrong = True
    return render_template("identity/sign_in.html", form=form, wrong=wrong, wanted=local_path(wanted)), (
        422 if form.is_submitted() else 200
    )


@blueprint.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End this browser's session; `everywhere` ends all of the user's."""
    with runtime().database.identity_session() as database:
        if request.form.get("everywhere") == "1":
            end_all_sessions(database, current_user.id)
        else:
            end_session(database, current_user.token)
    session.clear()
    flash(gettext("You are signed out."))
    return redirect(url_for("identity.sign_in"))
