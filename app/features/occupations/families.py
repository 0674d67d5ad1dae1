"""Job families: the major groups of the Standard Occupational Classification of 2018, by a code's first two digits."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

FAMILIES = {
    "11": _l("Management"),
    "13": _l("Business and finance"),
    "15": _l("Computing and mathematics"),
    "17": _l("Architecture and engineering"),
    "19": _l("Life, physical and social science"),
    "21": _l("Community and social service"),
    "23": _l("Law"),
    "25": _l("Education and libraries"),
    "27": _l("Arts, design, media, sports"),
    "29": _l("Health professions"),
    "31": _l("Health care support"),
    "33": _l("Protection and safety"),
    "35": _l("Food preparation and serving"),
    "37": _l("Cleaning and grounds"),
    "39": _l("Personal care and service"),
    "41": _l("Sales"),
    "43": _l("Office and administration"),
    "45": _l("Farming, fishing, forestry"),
    "47": _l("Building and extraction"),
    "49": _l("Installation and repair"),
    "51": _l("Production"),
    "53": _l("Transport and moving"),
    "55": _l("Military"),
}


def family_of(code: str) -> str:
    """The job family of an occupation's code: its first two digits."""
    return code[:2]
