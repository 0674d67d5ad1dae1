"""What the ledger's entries say in words: the action as a phrase, and its figures by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.saying import Say, later

# Every action that is recorded, as a heading reads it. A name that is missing here is shown as it is stored.
ACTIONS: dict[str, str] = {
    "action.marked": later("Said where an action stands"),
    "address.suppressed": later("Address put on the list that gets no optional mail"),
    "aggregates.exported": later("Aggregates downloaded"),
    "assessment.rescored": later("Result scored again"),
    "assessment.taken": later("Questionnaire finished"),
    "assessments.imported": later("Results imported"),
    "assignment.created": later("Template assigned"),
    "assignment.ended": later("Standing assignment ended"),
    "attribute.changed": later("Attribute changed"),
    "attribute.defined": later("Attribute defined"),
    "audit.exported": later("Audit log downloaded"),
    "calendar.ended": later("Calendar address ended"),
    "calendar.made": later("Calendar address made"),
    "caseload.assigned": later("Put into a caseload"),
    "caseload.removed": later("Taken out of a caseload"),
    "choice.recommendation_withdrawn": later("Recommendation of an occupation withdrawn"),
    "choice.recommended": later("Occupation recommended"),
    "client.contacted": later("Meeting noted"),
    "client.created": later("Person added"),
    "client.edited": later("Person edited"),
    "cohort.archived": later("Cohort archived"),
    "cohort.changed": later("Cohort changed"),
    "cohort.created": later("Cohort made"),
    "cohort.members_added": later("People put into a cohort"),
    "cohort.members_removed": later("People taken out of a cohort"),
    "cohort.refreshed": later("Cohort brought up to date by its rule"),
    "cohort.restored": later("Cohort taken back into use"),
    "event.opened": later("Reviews opened for an event"),
    "event.recorded": later("Event outside recorded"),
    "event.withdrawn": later("Event outside withdrawn"),
    "evidence.added": later("File of an action added"),
    "evidence.downloaded": later("File of an action downloaded"),
    "evidence.erased": later("File of an action erased"),
    "evidence.removed": later("File of an action removed"),
    "evidence.restored": later("File of an action brought back"),
    "file.downloaded": later("File downloaded"),
    "goal.levels_changed": later("Levels of a goal changed"),
    "instrument.loaded": later("Questionnaire loaded"),
    "instrument.offered": later("Questionnaire offered"),
    "instrument.withdrawn": later("Questionnaire no longer offered"),
    "invitation.accepted": later("Invitation accepted"),
    "invitation.revoked": later("Invitation withdrawn"),
    "invitation.sent": later("Invitation sent"),
    "job.cancelled": later("Job cancelled"),
    "job.created": later("Job started"),
    "job.ended": later("Job ended"),
    "job.undo_requested": later("Undoing of a job asked for"),
    "job.undone": later("Job undone"),
    "member.added": later("Member added"),
    "member.deactivated": later("Member made inactive"),
    "member.reactivated": later("Member made active again"),
    "member.role_changed": later("Role changed"),
    "message.left": later("Mail of unknown fate left alone"),
    "message.sent_again": later("Mail sent again"),
    "organization.created": later("Organization made"),
    "organization.resumed": later("Organization taken back into use"),
    "organization.suspended": later("Organization suspended"),
    "path.switched": later("Another way taken"),
    "plan.assigned": later("Plan given"),
    "plan.assignment_undone": later("Plan taken back"),
    "plan.revision_frozen": later("Revision closed"),
    "prompts.asked_for": later("Review asked for by hand"),
    "prompts.made": later("Prompts made"),
    "report.batch_made": later("Reports written"),
    "report.cohort_asked": later("Reports of a cohort asked for"),
    "report.cohort_made": later("Archive and workbook of a cohort made"),
    "report.downloaded": later("Report downloaded"),
    "report.made": later("Report written"),
    "responses.import_started": later("Import of answers started"),
    "responses.uploaded": later("File of answers uploaded"),
    "review.answered": later("Check-in answered"),
    "review.fresh_link": later("Fresh check-in link sent"),
    "review.opened_by_link": later("Check-in opened by its link"),
    "review.saved": later("Check-in saved"),
    "review.started": later("Check-in begun"),
    "review_policy.removed": later("Review policy taken away"),
    "review_policy.set": later("Review policy set"),
    "roster.applied": later("Part of a roster taken"),
    "roster.check_asked": later("Check of a roster asked for"),
    "roster.checked": later("Roster checked"),
    "roster.confirmed": later("Roster import confirmed"),
    "roster.undone": later("Roster import taken back"),
    "roster.uploaded": later("Roster uploaded"),
    "scratch.begun": later("What-if copy made"),
    "scratch.discarded": later("What-if copy thrown away"),
    "scratch.shared": later("What-if copy shown"),
    "scratch.unshared": later("What-if copy hidden again"),
    "settings.changed": later("Settings changed"),
    "sitting.saved": later("Answers saved"),
    "sitting.started": later("Questionnaire begun"),
    "step.commented": later("Step commented on"),
    "step.completed": later("Step accepted"),
    "step.confirmed": later("Step looked at again: still right"),
    "step.due_changed": later("Due day of a step moved"),
    "step.marked": later("Steps marked for another look"),
    "step.reopened": later("Step reopened"),
    "step.returned": later("Step returned"),
    "step.saved": later("Step saved"),
    "step.skipped": later("Step skipped"),
    "step.started": later("Step begun"),
    "step.submitted": later("Step handed in"),
    "step.unskipped": later("Step taken up again"),
    "step.withdrawn": later("Step taken back"),
    "template.archived": later("Template archived"),
    "template.created": later("Template made"),
    "template.draft_discarded": later("Draft of a template thrown away"),
    "template.draft_saved": later("Draft of a template saved"),
    "template.published": later("Template published"),
    "template.renamed": later("Template renamed"),
    "template.unarchived": later("Template taken back into use"),
    "term.removed": later("Term removed"),
    "term.saved": later("Term saved"),
    "token.created": later("API token made"),
    "token.revoked": later("API token revoked"),
    "trigger.limit_set": later("Number of reviews a day set"),
    "trigger.look_asked": later("Look at the triggers asked for"),
    "trigger.looked": later("Triggers looked at"),
    "trigger.opened": later("Reviews opened by triggers"),
    "trigger.rule_set": later("Rule of a trigger set"),
}
SUBJECTS: dict[str, str] = {
    "assessment": later("result"),
    "assignment": later("assignment"),
    "attribute": later("attribute"),
    "client": later("person"),
    "cohort": later("cohort"),
    "event": later("event outside"),
    "evidence": later("file of an action"),
    "file": later("file"),
    "instrument": later("questionnaire"),
    "invitation": later("invitation"),
    "job": later("job"),
    "membership": later("member"),
    "message": later("mail"),
    "organization": later("organization"),
    "plan": later("plan"),
    "review": later("review"),
    "roster_import": later("roster"),
    "sitting": later("questionnaire"),
    "template": later("template"),
    "term": later("term"),
    "token": later("token"),
}
_DETAILS: dict[str, str] = {
    "added": later("added"),
    "after": later("after"),
    "before": later("before"),
    "clients": later("people"),
    "created": later("created"),
    "deactivated": later("made inactive"),
    "escalated": later("told of silence"),
    "fields": later("fields"),
    "kind": later("kind"),
    "number": later("number"),
    "opened": later("opened"),
    "plans": later("plans"),
    "prompts": later("prompts"),
    "reason": later("reason"),
    "removed": later("removed"),
    "reports": later("reports"),
    "revision": later("revision"),
    "role": later("role"),
    "size": later("bytes"),
    "state": later("state"),
    "step": later("step"),
    "stored": later("stored"),
    "updated": later("updated"),
    "version": later("version"),
}
# Ids and digests say nothing to a reader; they stand in the fold.
_MOST_SHOWN = 4
_LONGEST = 60


def action_words(action: str, _: Say) -> str:
    """The action as a phrase; one without words as it is stored."""
    return _(ACTIONS[action]) if action in ACTIONS else action


def subject_words(kind: str, _: Say) -> str:
    """What it was done to."""
    return _(SUBJECTS[kind]) if kind in SUBJECTS else kind.replace("_", " ")


def detail_words(detail: Mapping[str, Any], _: Say, people: Mapping[str, str] | None = None) -> str:
    """The figures of an entry by their names, those that have one; empty where there are none.

    `people` are what the organization calls a client and a counsellor, which are roles too.
    """
    said = []
    for key, value in detail.items():
        if key not in _DETAILS or isinstance(value, dict):
            continue
        own = (people or {}).get(value) if isinstance(value, str) else None
        shown = ", ".join(str(part) for part in value) if isinstance(value, list) else own or _value(value, _)
        said.append(f"{_(_DETAILS[key])}: {shown[:_LONGEST]}")
    return "; ".join(said[:_MOST_SHOWN])


def _value(value: object, _: Say) -> str:
    if isinstance(value, str) and value:
        # A status or a kind has a word of its own in the catalogue; anything else stays as it is.
        return _(value.replace("_", " ")) if value.replace("_", "").isalpha() else value
    return "–" if value is None or value == "" else str(value)
