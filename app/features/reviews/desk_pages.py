"""The counsellor's page of an answered check-in: answers, what they come to, and the decision."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, gettext

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.steps import StepKey
from app.features.plans.words import change_sentence, control_words, status_words, step_names
from app.features.reviews import decisions
from app.features.reviews.commands import AcceptChanges, TakenChange
from app.features.reviews.decisions import Answered
from app.features.reviews.pages import blueprint
from app.features.reviews.result_words import answers_section, reopen_words, result_section
from app.infra.web.access import requires
from app.infra.web.context import actor, unit_of_work


@blueprint.get("/reviews/<uuid:review_id>")
@requires(Permission.READ_CLIENTS)
def answered(review_id: UUID) -> str:
    """An answered check-in, with the counsellor's choices while it waits."""
    return _page(review_id)


@blueprint.post("/reviews/<uuid:review_id>/agree")
@requires(Permission.WORK_PLANS)
def agree(review_id: UUID) -> ResponseReturnValue:
    """Agree that the plan stays as it is."""
    with unit_of_work() as uow:
        decisions.agree_review(uow, review_id, request.form.get("read"))
    flash(gettext("The plan stays as it is. What was said of goals and factors is in it."))
    return redirect(url_for("reviews.answered", review_id=review_id))


@blueprint.post("/reviews/<uuid:review_id>/accept")
@requires(Permission.WORK_PLANS)
def accept(review_id: UUID) -> ResponseReturnValue:
    """Take the ticked changes into a new revision."""
    with unit_of_work() as uow:
        changes = (decisions.view_answered(uow, review_id).review.result or {}).get("changes", ())
    form = request.form
    command = AcceptChanges(
        review_id=review_id,
        changes=tuple(
            TakenChange(change["key"], form.get(f"reason-{n}", ""), form.get(f"control-{n}", ""))
            for n, change in enumerate(changes)
            if f"take-{n}" in form
        ),
        reopen=tuple(step for step in StepKey if f"reopen-{step.value}" in form),
        # Changes are named by their places on the page, which may be another's by now.
        read=form.get("read"),
    )
    try:
        with unit_of_work() as uow:
            frozen = decisions.accept_changes(uow, command, gettext)
            plan_id, number = frozen.plan_id, frozen.revision
    except InvalidInput as refused:
        return _page(review_id, refused, form), 422
    flash(gettext("Revision %(n)s is closed and kept as it was; revision %(next)s is open.", n=number, next=number + 1))
    return redirect(url_for("plans.compare", plan_id=plan_id, before=number, after=number + 1))


@blueprint.post("/reviews/<uuid:review_id>/return")
@requires(Permission.WORK_PLANS)
def give_back(review_id: UUID) -> ResponseReturnValue:
    """Give the check-in back with a sentence."""
    try:
        with unit_of_work() as uow:
            review = decisions.return_review(uow, review_id, request.form.get("words", ""))
            plan_id = review.plan_id
    except InvalidInput as refused:
        return _page(review_id, refused, request.form), 422
    flash(gettext("The check-in is open again, with what you wrote at its top."))
    return redirect(url_for("plans.plan", plan_id=plan_id))


@blueprint.post("/reviews/<uuid:review_id>/meeting")
@requires(Permission.WORK_PLANS)
def meeting(review_id: UUID) -> ResponseReturnValue:
    """Note the day of a meeting about it."""
    try:
        try:
            on = date.fromisoformat(request.form.get("meeting_on", ""))
        except ValueError:
            raise InvalidInput([FieldProblem("meeting_on", gettext("Give the day of the meeting."))]) from None
        with unit_of_work() as uow:
            decisions.call_meeting(uow, review_id, on, request.form.get("meeting_note", ""))
    except InvalidInput as refused:
        return _page(review_id, refused, request.form), 422
    flash(gettext("Noted: you talk about it on %(day)s. It waits until then.", day=format_date(on, "long")))
    return redirect(url_for("reviews.answered", review_id=review_id))


def _page(review_id: UUID, problems: InvalidInput | None = None, form: Mapping[str, str] | None = None) -> str:
    g.nav_endpoint = "overview.today"
    with unit_of_work() as uow:
        found = decisions.view_answered(uow, review_id)
        result = found.review.result
        return render_template(
            "reviews/answered.html",
            found=found,
            mark=decisions.mark_of(found.review),
            name=f"{found.client.given_name} {found.client.family_name}",
            answers=None if result is None else answers_section(found.review.answers, result, gettext),
            result=None if result is None else result_section(result, found.confidence, gettext),
            changes=_changes(found, problems, form),
            reopens=_reopens(found, form),
            taken=[(row, change_sentence(row.kind, row.label, row.change, gettext)) for row in found.taken],
            control=control_words(gettext),
            problems=problems.problems if problems else (),
            form=form or {},
            may_decide=actor().may(Permission.WORK_PLANS) and found.waits and found.plan.status == "active",
        )


def _changes(found: Answered, problems: InvalidInput | None, form: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """The changes that can be taken, each with what stands in its fields and what is wrong with them."""
    bad = {problem.field: problem.sentence for problem in problems.problems} if problems else {}
    rows = []
    for n, change in enumerate((found.review.result or {}).get("changes", ())):
        sentence = change_sentence(change["kind"], change["label"], change["change"], gettext)
        # What the client said of steps is theirs; of other changes the change itself is said, to be made better.
        reason = found.review.answers.get("why", "") if change["kind"] == "step" else sentence
        rows.append(
            {
                "n": n,
                "sentence": sentence,
                "taken": form is None or f"take-{n}" in form,
                "reason": reason if form is None else form.get(f"reason-{n}", ""),
                "controllable": change["controllable"] if form is None else form.get(f"control-{n}", ""),
                "bad_reason": bad.get(f"{change['key']}.reason"),
                "bad_control": bad.get(f"{change['key']}.controllable"),
            }
        )
    return rows


def _reopens(found: Answered, form: Mapping[str, str] | None) -> list[dict[str, Any]]:
    """The steps that can be opened for it, ticked where the client named them or what they rest on did change."""
    names, statuses = step_names(gettext), status_words(gettext)
    return [
        {
            "step": row["step"],
            "name": names[StepKey(row["step"])],
            "why": reopen_words(row, gettext),
            "status": statuses[found.steps[StepKey(row["step"])]],
            "open": found.steps[StepKey(row["step"])] not in ("completed", "submitted"),
            "ticked": row["sure"] if form is None else f"reopen-{row['step']}" in form,
        }
        for row in (found.review.result or {}).get("reopens", ())
    ]
