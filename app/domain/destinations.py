"""Where graduates go: the two rates of the first-destination survey."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destinations:
    """Counts of one graduating class (people, each in one count at most); the rest gave no information.

    Raises ValueError for a negative count, or more people than graduates.
    """

    graduates: int
    employed: int = 0
    service: int = 0
    military: int = 0
    continuing_education: int = 0
    still_seeking: int = 0
    not_seeking: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        counts = (self.graduates, self.placed, self.still_seeking, self.not_seeking)
        each = (self.employed, self.service, self.military, self.continuing_education)
        if min(*counts, *each) < 0 or self.known > self.graduates:
            raise ValueError("counts of graduates are at least 0 and together at most all graduates")

    @property
    def placed(self) -> int:
        """People employed, in service, in the military or in further education."""
        return self.employed + self.service + self.military + self.continuing_education

    @property
    def known(self) -> int:
        """People of whom something is known."""
        return self.placed + self.still_seeking + self.not_seeking

    @property
    def no_information(self) -> int:
        """Graduates of whom nothing is known."""
        return self.graduates - self.known

    @property
    def knowledge_rate(self) -> float | None:
        """Known / graduates, 0 to 1; None without graduates. Source: NACE first-destination standards."""
        return self.known / self.graduates if self.graduates else None

    @property
    def career_outcomes_rate(self) -> float | None:
        """Placed / (placed + still seeking), 0 to 1; None when nobody is either. Show it with the knowledge rate and n.

        Those not seeking leave the denominator, and the unknown were never in it. Source: as above.
        """
        basis = self.placed + self.still_seeking
        return self.placed / basis if basis else None
