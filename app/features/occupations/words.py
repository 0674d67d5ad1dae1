"""Words for the figures of the catalogue, in the reader's language."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.domain.saying import Say, later

# In the order of the profiles: realistic, investigative, artistic, social, enterprising, conventional.
AREAS = (
    _l("Hands and tools (R)"),
    _l("Finding out (I)"),
    _l("Creating (A)"),
    _l("Helping people (S)"),
    _l("Leading, selling (E)"),
    _l("Order and detail (C)"),
)
VALUES = (
    _l("Achievement"),
    _l("Working conditions"),
    _l("Recognition"),
    _l("Good relationships"),
    _l("Support"),
    _l("Independence"),
)
# The twelve categories of required education, the lowest first.
_EDUCATION = (
    later("Less than a high school diploma"),
    later("High school diploma"),
    later("Certificate after high school"),
    later("Some college courses"),
    later("Associate's degree"),
    later("Bachelor's degree"),
    later("Certificate after a bachelor's degree"),
    later("Master's degree"),
    later("Certificate after a master's degree"),
    later("First professional degree"),
    later("Doctoral degree"),
    later("Training after a doctorate"),
)
# What must be brought along, by job zone.
_ZONES = {
    1: later("1: little or no preparation"),
    2: later("2: some preparation"),
    3: later("3: medium preparation"),
    4: later("4: considerable preparation"),
    5: later("5: extensive preparation"),
}
_JOINS = {
    "exact": later("for this occupation"),
    "broad": later("for the broader group it belongs to"),
    "table": later("for the group it is counted with"),
}
EDUCATION = tuple(_l(word) for word in _EDUCATION)
ZONES = {zone: _l(word) for zone, word in _ZONES.items()}
JOINS = {how: _l(word) for how, word in _JOINS.items()}


def education_words(say: Say) -> dict[int, str]:
    """The twelve levels of education, 1 the lowest, where another language than the page's may be spoken."""
    return {level: say(word) for level, word in enumerate(_EDUCATION, start=1)}


def zone_words(say: Say) -> dict[int, str]:
    """What must be brought along, by job zone, as `education_words`."""
    return {zone: say(word) for zone, word in _ZONES.items()}


def join_words(say: Say) -> dict[str, str]:
    """How a projection was joined to an occupation, as `education_words`."""
    return {how: say(word) for how, word in _JOINS.items()}
