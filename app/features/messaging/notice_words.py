"""What notices say: kind to sentence. A feature that puts a new kind into inboxes adds its sentence here.

The sentences' places are the params of the notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.domain.saying import Say, later

NOTICES: dict[str, str] = {
    "mail_bounced": later(
        "The mail to %(name)s came back: the address does not exist. No more mail is sent to it until it is mended."
    ),
    "mail_returned": later("A mail to %(name)s came back: %(reason)s"),
    "review_opened": later("A check-in of %(name)s was opened beside the calendar: %(why)s."),
    "review_reason": later("There is another reason for the open check-in of %(name)s: %(why)s."),
    "review_silent": later("%(name)s has not answered the review of %(day)s."),
    "review_still_silent": later("%(name)s has not answered the review of %(day)s, and it was told before."),
    "webhook_failing": later("The webhook does not take what it is told. The last answer: %(reason)s"),
}


def notice_words(kind: str, params: Mapping[str, Any], say: Say) -> str:
    """The sentence of a notice in the reader's language; the kind itself where a newer Octant wrote it.

    A param `day` is a date as text, and `why` words of Octant's own in English.
    """
    values = dict(params)
    if "day" in values:
        values["day"] = date.fromisoformat(values["day"])
    if why := values.get("why"):
        values["why"] = say(why)
    return say(NOTICES[kind], **values) if kind in NOTICES else kind
