"""Statuses, kinds of employment and sources in the reader's language."""

from __future__ import annotations

from app.domain.outcomes import (
    EDUCATION,
    FULL_TIME,
    MILITARY,
    NOT_SEEKING,
    PART_TIME,
    SEEKING_EDUCATION,
    SEEKING_WORK,
    SERVICE,
)
from app.domain.saying import Say


def status_words(say: Say) -> dict[str, str]:
    """What became of somebody, in the order of the standard."""
    return {
        FULL_TIME: say("Employed full time"),
        PART_TIME: say("Employed part time"),
        SERVICE: say("In a service programme"),
        MILITARY: say("In the military"),
        EDUCATION: say("In continuing education"),
        SEEKING_WORK: say("Seeking employment"),
        SEEKING_EDUCATION: say("Seeking continuing education"),
        NOT_SEEKING: say("Not seeking"),
    }


def employment_words(say: Say) -> dict[str, str]:
    """As whom somebody is employed."""
    return {
        "organization": say("by an organization"),
        "entrepreneur": say("in a business of their own"),
        "temporary": say("on a temporary contract"),
        "freelance": say("freelance"),
        "internship": say("in an internship or fellowship"),
    }


def source_words(say: Say) -> dict[str, str]:
    """Where it is known from."""
    return {
        "survey": say("the graduate said so"),
        "counsellor": say("somebody here knows it"),
        "employer": say("the employer said so"),
        "social_profile": say("a public profile"),
        "institution": say("records of an institution"),
        "other": say("another source"),
    }
