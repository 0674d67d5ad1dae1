"""The words of jobs in the reader's language."""

from __future__ import annotations

from app.domain.saying import Say


def item_words(_: Say) -> dict[str, str]:
    """What became of an item of a job, by its state."""
    return {
        "done": _("done"),
        "skipped": _("left out"),
        "kept": _("kept"),
        "failed": _("failed"),
        "cancelled": _("cancelled"),
        "undone": _("undone"),
        "pending": _("waiting"),
        "leased": _("waiting"),
    }
