"""What every printed document says of itself, whatever is in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from babel import Locale

from app.domain.saying import Say


def said_of_itself(
    _: Say, babel: Locale, *, title: str, organization: str, accent: str, moment: datetime
) -> dict[str, Any]:
    """Moment, language, title, whose it is, and the `words` for characters that could not be printed."""
    return {
        "moment": int(moment.timestamp()),
        "lang": babel.language,
        "region": babel.territory,
        "rtl": babel.text_direction == "rtl",
        "title": title,
        "organization": organization,
        "accent": accent,
        "words": {
            "missing": _("Characters that could not be printed"),
            "missing_note": _(
                "No font installed here has these characters; a hollow box stands for each. "
                "The pages of Octant show them."
            ),
        },
    }
