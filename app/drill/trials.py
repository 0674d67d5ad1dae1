"""The main jobs of a trial, in their order."""

from __future__ import annotations

from app.drill.changing import handing_over, shifting
from app.drill.phases import Phase, Subject, assigning, importing, prompting, reporting, scoring
from app.drill.returning import giving_and_returning
from app.drill.rolling import rolling
from app.drill.writing import writing


def phases_of(subject: Subject) -> list[Phase]:
    """The main jobs in their order; what is given needs the plans of the first."""
    return [
        assigning(subject),
        # Before anybody sets a day by hand, which a roll-out would leave as it is.
        *rolling(subject),
        shifting(subject),
        handing_over(subject),
        prompting(subject),
        reporting(subject),
        importing(subject),
        scoring(subject),
        # The people of the roster are there, and nobody of them has a plan.
        *giving_and_returning(subject),
        writing(subject),
    ]
