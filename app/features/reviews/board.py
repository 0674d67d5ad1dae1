"""The reviews page of counsellors and administrators: policies, prompts to come and made, what to decide."""

from __future__ import annotations

from typing import cast, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, gettext, ngettext
from wtforms import SelectChoice

from app.domain.access import Permission
from app.domain.cadence import AtTerm, EveryMonths, OnDates, ReviewPolicy
from app.domain.errors import NotFound
from app.features.instruments.queries import list_instruments
from app.features.reviews import queries, settings
from app.features.reviews.commands import Scope, SetPolicy
from app.features.reviews.forms import PolicyForm
from app.features.reviews.pages import blueprint
from app.features.selections.forms import target_of
from app.features.selections.service import choose
from app.infra.web.access import requires
from app.infra.web.context import actor, place, unit_of_work


@blueprint.get("/reviews")
@requires(Permission.USE_COHORTS)
def index() -> str:
    """Policies in force, what waits for a decision, what is to come and what went out."""
    with unit_of_work() as uow:
        return render_template(
            "reviews/index.html",
            figures=queries.figures(uow, uow.now.astimezone(ZoneInfo(place().time_zone)).date()),
            policies=queries.policies(uow),
            subjects=queries.subjects(uow),
            troubled=queries.made(uow, troubled=True),
            upcoming=queries.upcoming(uow),
            made=queries.made(uow, troubled=False),
            shown=queries.SHOWN,
            may_set=actor().may(Permission.MANAGE_COHORTS),
            cadence=cadence_words,
            mail_days=mail_days_words,
        )


def cadence_words(policy: ReviewPolicy) -> str:
    """How often, in the reader's language."""
    match policy.cadence:
        case EveryMonths(months):
            said = ngettext("every month", "every %(num)s months", months)
        case OnDates(dates):
            said = gettext("on %(days)s", days=", ".join(format_date(day, "medium") for day in dates))
        case AtTerm("start", _):
            said = gettext("at the start of each term")
        case _:
            said = gettext("at the end of each term")
    return str(said)


def mail_days_words(policy: ReviewPolicy) -> str:
    """On which days mails leave, seen from the review's day, in the reader's language."""
    days = sorted(policy.reminder_days)
    before, after = [-day for day in days if day < 0], [day for day in days if day > 0]
    said = []
    if before:
        listed = ", ".join(map(str, before))
        said.append(ngettext("%(days)s day before", "%(days)s days before", max(before), days=listed))
    if 0 in days:
        said.append(gettext("on the day"))
    if after:
        listed = ", ".join(map(str, after))
        said.append(ngettext("%(days)s day after", "%(days)s days after", max(after), days=listed))
    return "; ".join(said)


@blueprint.get("/reviews/subject")
@requires(Permission.USE_COHORTS)
def choose_subject() -> ResponseReturnValue:
    """Go to the form of what was chosen in the list."""
    scope, _, subject = request.args.get("what", "").partition(":")
    return redirect(url_for("reviews.policy", scope=scope or "organization", subject=subject or None))


@blueprint.route("/reviews/policy/<scope>", methods=["GET", "POST"])
@requires(Permission.USE_COHORTS)
def policy(scope: str) -> ResponseReturnValue:
    """Set the policy of the organization, or of the template, cohort or plan that `?subject=` names."""
    form = PolicyForm()
    with unit_of_work() as uow:
        form.retake.choices = [
            SelectChoice(one.row.key, one.row.title) for one in list_instruments(uow) if one.row.active
        ]
    chosen = form.policy() if form.validate_on_submit() else None
    with unit_of_work() as uow:
        command = SetPolicy(scope=_scope(scope), subject_id=_subject(scope), policy=chosen)
        name = settings.name_of_subject(uow, command)
        here = [line for line in queries.policies(uow) if (line.row.scope, line.row.subject_id) == _key(command)]
        if chosen is not None:
            reached = settings.set_policy(uow, command)
    if chosen is not None:
        flash(ngettext("Set. %(num)s plan follows it now.", "Set. %(num)s plans follow it now.", reached))
        return redirect(url_for("reviews.index"))
    if not form.is_submitted():
        form.fill(here[0].policy if here else ReviewPolicy())
    page = render_template("reviews/policy.html", form=form, scope=scope, name=name, is_set=bool(here))
    return page, 422 if form.is_submitted() else 200


@blueprint.post("/reviews/policy/<scope>/remove")
@requires(Permission.USE_COHORTS)
def remove_policy(scope: str) -> ResponseReturnValue:
    """Take a policy away; the next wider one counts again."""
    with unit_of_work() as uow:
        settings.set_policy(uow, SetPolicy(scope=_scope(scope), subject_id=_subject(scope), policy=None))
    flash(gettext("Taken away. The next wider policy counts from now on."))
    return redirect(url_for("reviews.index"))


@blueprint.post("/reviews/messages/<uuid:message_id>/<any(again, leave):choice>")
@requires(Permission.WORK_PLANS)
def decide(message_id: UUID, choice: str) -> ResponseReturnValue:
    """Send a mail whose arrival is unknown again, or leave it."""
    with unit_of_work() as uow:
        settings.decide_unknown(uow, message_id, again=choice == "again")
    flash(gettext("It is on its way again.") if choice == "again" else gettext("Left as it is."))
    return redirect(url_for("reviews.index"))


@blueprint.route("/reviews/prompt", methods=["GET", "POST"])
@requires(Permission.WORK_PLANS)
def prompt() -> str:
    """What asking the chosen people now would do, in numbers."""
    with unit_of_work() as uow:
        selection = choose(uow, target_of(request.values))
        preview = settings.preview_prompts(uow, selection.client_ids)
        warned = settings.warn_contacts(uow, selection.client_ids)
    return render_template("reviews/prompt.html", preview=preview, warned=warned, selection=selection)


@blueprint.post("/reviews/prompt/now")
@requires(Permission.WORK_PLANS)
def prompt_now() -> ResponseReturnValue:
    """Ask the chosen people for a review today."""
    with unit_of_work() as uow:
        asked = settings.prompt_now(uow, choose(uow, target_of(request.form)).client_ids)
    flash(ngettext("%(num)s person is asked now.", "%(num)s people are asked now.", asked))
    return redirect(url_for("reviews.index"))


def _scope(written: str) -> Scope:
    if written not in get_args(Scope):
        raise NotFound(gettext("There is no such page, or it is not yours to see."))
    return cast("Scope", written)


def _subject(scope: str) -> UUID | None:
    if scope == "organization":
        return None
    try:
        return UUID(request.args.get("subject", ""))
    except ValueError:
        raise NotFound(gettext("There is no such page, or it is not yours to see.")) from None


def _key(command: SetPolicy) -> tuple[str, UUID | None]:
    return command.scope, command.subject_id
