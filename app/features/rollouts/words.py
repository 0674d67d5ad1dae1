"""The words of roll-outs in the reader's language: choices, phases, and what becomes of a step."""

from __future__ import annotations

from app.domain.rollouts import Choice, Outcome
from app.domain.saying import Say


def choice_words(_: Say) -> dict[str, str]:
    """Which plans a roll-out changes, as a choice."""
    return {
        Choice.JOINERS: _("Only people who join later: no plan that is there changes"),
        Choice.NOT_STARTED: _("Plans that are there, but only steps nobody has begun"),
        Choice.ALL: _("Plans that are there, also steps that are begun"),
    }


def phase_words(_: Say) -> dict[str, str]:
    """What a roll-out waits for, as a tag."""
    return {
        "running": _("under way"),
        "paused": _("paused"),
        "waiting": _("waits for you"),
        "held": _("too many conflicts"),
        "done": _("done"),
        "stopped": _("stopped"),
        "rolling_back": _("being rolled back"),
        "rolled_back": _("rolled back"),
    }


# The colour of each phase's tag, as the macro takes it.
PHASE_TAGS = {
    "running": "wait",
    "paused": "wait",
    "waiting": "brass",
    "held": "bad",
    "done": "ok",
    "rolling_back": "wait",
}


def outcome_words(_: Say) -> dict[str, str]:
    """What becomes of a step in a plan, as a column's heading or a reason."""
    return {
        Outcome.GAIN: _("gain it"),
        Outcome.LOSE: _("lose it"),
        Outcome.MOVE: _("get another day"),
        Outcome.LEFT: _("have begun it, so it stays"),
        Outcome.DUE_BY_HAND: _("its due day is not the one its version gives"),
        Outcome.SKIPPED_BY_HAND: _("it was skipped by hand"),
        Outcome.TAKEN_UP: _("it was taken up by hand"),
        Outcome.WORKED_ON: _("it was worked on"),
        "kept": _("it was worked on since, so it did not go back"),
    }
