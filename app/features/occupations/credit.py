"""Whom to name wherever figures of the catalogue are shown: on pages, in exports, in PDFs (CC BY 4.0)."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext

from app.domain.saying import Say
from app.features.occupations.releases import Release

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def occupation_credit(labels: Sequence[str], say: Say) -> str:
    """The sentence that must stand with figures of these releases, by their numbers; in reports as on pages."""
    return say(
        "Occupation data: O*NET® %(labels)s Database of the U.S. Department of Labor, Employment and Training"
        " Administration (USDOL/ETA), used under the CC BY 4.0 licence (%(licence)s). O*NET® is a trademark of"
        " USDOL/ETA. Octant has selected, combined and computed from these data; USDOL/ETA has not approved,"
        " endorsed or tested these changes.",
        labels=", ".join(labels),
        licence=LICENCE,
    )


def credit_lines(
    release: Release | Sequence[Release] | None, outlook: Release | None = None, say: Say = gettext
) -> list[str]:
    """The sentences that must stand with figures of these releases; empty where there are none.

    The numbers of the releases come from what was imported, each table's own where it is from another release.
    """
    lines = []
    several = [] if release is None else [release] if isinstance(release, Release) else release
    if several:
        labels = sorted({str(note["release"]) for each in several for note in each.tables.values()})
        lines.append(occupation_credit(labels, say))
    if outlook is not None:
        lines.append(
            say(
                "Growth, openings, pay and usual education: U.S. Bureau of Labor Statistics, Employment Projections,"
                " %(label)s. Figures are for the United States; pay is of employees and leaves out the self-employed.",
                label=outlook.label,
            )
        )
    return lines
