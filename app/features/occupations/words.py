"""Words for the figures of the catalogue, in the reader's language."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.domain.saying import Say, later

# In the order of the profiles: realistic, investigative, artistic, social, enterprising, conventional.
_AREAS = (
    later("Hands and tools (R)"),
    later("Finding out (I)"),
    later("Creating (A)"),
    later("Helping people (S)"),
    later("Leading, selling (E)"),
    later("Order and detail (C)"),
)
_VALUES = (
    later("Achievement"),
    later("Working conditions"),
    later("Recognition"),
    later("Good relationships"),
    later("Support"),
    later("Independence"),
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
AREAS = tuple(_l(word) for word in _AREAS)
VALUES = tuple(_l(word) for word in _VALUES)
EDUCATION = tuple(_l(word) for word in _EDUCATION)
ZONES = {zone: _l(word) for zone, word in _ZONES.items()}
JOINS = {how: _l(word) for how, word in _JOINS.items()}


def area_words(say: Say) -> tuple[str, ...]:
    """The six areas of interest in the order of the profiles, where another language than the page's may be spoken."""
    return tuple(say(word) for word in _AREAS)


def value_words(say: Say) -> tuple[str, ...]:
    """The six work values in the order of the profiles, as `area_words`."""
    return tuple(say(word) for word in _VALUES)


def education_words(say: Say) -> dict[int, str]:
    """The twelve levels of education, 1 the lowest, as `area_words`."""
    return {level: say(word) for level, word in enumerate(_EDUCATION, start=1)}


def zone_words(say: Say) -> dict[int, str]:
    """What must be brought along, by job zone, as `area_words`."""
    return {zone: say(word) for zone, word in _ZONES.items()}


def join_words(say: Say) -> dict[str, str]:
    """How a projection was joined to an occupation, as `area_words`."""
    return {how: say(word) for how, word in _JOINS.items()}
