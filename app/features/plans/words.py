"""The words of plans in the reader's language: steps, statuses, and the history in sentences."""

from __future__ import annotations

from typing import Any

from app.domain.saying import Say
from app.domain.steps import StepKey
from app.features.plans.rooms import step_of


def step_names(_: Say) -> dict[StepKey, str]:
    """The names of the eight steps."""
    return {
        StepKey.AMBITION: _("Ambition"),
        StepKey.SELF_ASSESSMENT: _("Self-assessment"),
        StepKey.OPPORTUNITIES: _("Opportunities"),
        StepKey.CAREER_CHOICE: _("Career choice"),
        StepKey.CAREER_PATH: _("Career path"),
        StepKey.GOALS: _("Goals"),
        StepKey.ACTION_PLAN: _("Action plan"),
        StepKey.REVIEW: _("Review"),
    }


def status_words(_: Say) -> dict[str, str]:
    """The statuses of a step."""
    return {
        "not_started": _("not started"),
        "in_progress": _("in progress"),
        "submitted": _("submitted"),
        "returned": _("returned"),
        "completed": _("completed"),
        "skipped": _("skipped"),
    }


def aspect_words(_: Say) -> dict[str, str]:
    """What a step may rest on, as it stands after "rests on" and before "changed"."""
    return {
        "values": _("the order of the work values"),
        "interests": _("the result on interests"),
        "work_values": _("the result on work values"),
        "skills": _("the self-rating of skills"),
        "orientation": _("the result on ways to work"),
        "factors": _("the factors of opportunity and threat"),
        "education": _("the level of education"),
        "catalogue": _("the figures of the occupations"),
        "matches": _("the ratings of the options"),
        "occupation": _("the chosen occupation"),
        "ways": _("the comparison of ways"),
        "path": _("the chosen way"),
        "milestones": _("the milestones"),
        "goals": _("the goals"),
        "actions": _("the actions"),
    }


def _marked(kind: str, step: int, detail: dict[str, Any], _: Say) -> str:
    place = {
        "number": step,
        "step": step_names(_)[step_of(step)],
        "what": aspect_words(_).get(str(detail.get("aspect")), "?"),
    }
    if kind == "marked":
        return _("Step %(number)s, %(step)s, is worth another look: %(what)s changed", **place)
    return _("Step %(number)s, %(step)s, stands as it did: %(what)s changed back", **place)


def event_sentence(kind: str, step: int | None, detail: dict[str, Any], who: str | None, _: Say) -> str:
    """One line of a plan's history, for whoever reads the plan; `who` is the person's name (None: Octant)."""
    name = who or "Octant"
    if step is None:
        if kind == "revision_frozen":
            return _(
                "%(who)s closed revision %(number)s: %(reason)s",
                who=name,
                number=detail.get("revision"),
                reason=detail.get("reason", ""),
            )
        if kind == "rolled_out":
            return _("The plan was brought to version %(number)s of its template", number=detail.get("to"))
        if kind == "rolled_back":
            return _("The plan was brought back to version %(number)s of its template", number=detail.get("to"))
        said = {
            "due_moved": _("%(who)s moved due days, for many at once"),
            "due_moved_back": _("%(who)s took a move of due days back"),
        }.get(kind, _("%(who)s changed the plan"))
        return said % {"who": name}
    if kind in ("marked", "unmarked"):
        return _marked(kind, step, detail, _)
    said = {
        "started": _("%(who)s began step %(number)s, %(step)s"),
        "submitted": _("%(who)s submitted step %(number)s, %(step)s"),
        "withdrawn": _("%(who)s took step %(number)s, %(step)s, back to go on with it"),
        "returned": _("%(who)s returned step %(number)s, %(step)s"),
        "completed": _("%(who)s accepted step %(number)s, %(step)s"),
        "reopened": _("%(who)s reopened step %(number)s, %(step)s"),
        "skipped": _("%(who)s skipped step %(number)s, %(step)s"),
        "unskipped": _("%(who)s took up step %(number)s, %(step)s, again"),
        "commented": _("%(who)s commented on step %(number)s, %(step)s"),
        "confirmed": _("%(who)s looked at step %(number)s, %(step)s, again: it is still right"),
        "review_opened": _("%(who)s opened a check-in of the plan, for a reason beside the calendar"),
        "levels_changed": _("%(who)s changed the levels of a goal in step %(number)s, %(step)s"),
        "path_switched": _("%(who)s took another way in step %(number)s, %(step)s"),
        "recommended": _("%(who)s recommended another occupation in step %(number)s, %(step)s"),
        "recommendation_withdrawn": _("%(who)s withdrew a recommendation in step %(number)s, %(step)s"),
        "action_marked": _("%(who)s said where an action of step %(number)s, %(step)s, stands"),
        "evidence_added": _("%(who)s added a file to an action of step %(number)s, %(step)s"),
        "evidence_removed": _("%(who)s removed a file from an action of step %(number)s, %(step)s"),
        "review_answered": _("The check-in was answered"),
        "review_agreed": _("%(who)s read the check-in: the plan stays as it is"),
        "review_accepted": _("%(who)s took the changes of a check-in into a new revision"),
        "review_returned": _("%(who)s gave the check-in back"),
        "review_meeting": _("%(who)s set a day to talk about the check-in"),
        "due_changed": _("%(who)s moved the due day of step %(number)s, %(step)s"),
        "step_given": _("%(who)s asked for step %(number)s, %(step)s"),
        "action_given": _("%(who)s gave an action in step %(number)s, %(step)s"),
        "action_taken_back": _("%(who)s took back an action given in step %(number)s, %(step)s"),
    }.get(kind, _("%(who)s changed step %(number)s, %(step)s"))
    sentence = said % {"who": name, "number": step, "step": step_names(_)[step_of(step)]}
    return f"{sentence}: {detail['reason']}" if detail.get("reason") else sentence


def change_words(_: Say) -> dict[str, str]:
    """What became of a factor."""
    return {
        "same": _("no change"),
        "control": _("seen otherwise: what can be done about it"),
        "stronger": _("stronger"),
        "weaker": _("weaker"),
        "came_true": _("came true"),
        "gone": _("gone"),
        "new": _("new"),
    }


def control_words(_: Say) -> dict[str, str]:
    """Whether something can be done about a change, as a choice and in tables."""
    return {"yes": _("controllable"), "partly": _("partly controllable"), "no": _("uncontrollable")}


def choice_words(_: Say) -> dict[str, str]:
    """What the client wants to do with a step."""
    return {"keep": _("keep"), "adjust": _("adjust"), "rethink": _("rethink")}


def direction_words(_: Say) -> dict[str | None, str]:
    """What can be said of two scores."""
    return {
        "higher": _("higher"),
        "lower": _("lower"),
        "no_change": _("no change beyond error"),
        "unknown": _("not known"),
        None: _("not comparable"),
    }


def change_sentence(kind: str, label: str, change: str, _: Say) -> str:
    """A change that a check-in brought (`kind`, what it is about, what became of it), as a line."""
    match kind:
        case "step":
            name = step_names(_)[StepKey(label)]
            return _("Step %(step)s: %(choice)s", step=name, choice=choice_words(_)[change])
        case "scale":
            return _("%(scale)s: %(direction)s, beyond error", scale=label,
                     direction=direction_words(_)[change])  # fmt: skip
        case "data":
            return _("The figures of the chosen occupation changed")
    return _("“%(factor)s”: %(change)s", factor=label, change=change_words(_)[change])
