"""Terms: an organization's named date ranges, to which due dates and reviews may be tied."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later

TermEdge = Literal["start", "end"]


@dataclass(frozen=True, slots=True)
class Term:
    """A named range of days, both ends included. Raises `InvalidInput` when it ends before it starts."""

    name: str
    starts_on: date
    ends_on: date

    def __post_init__(self) -> None:
        if self.ends_on < self.starts_on:
            raise InvalidInput(
                [
                    FieldProblem(
                        "ends_on", later("%(name)s ends before it starts. Choose a later last day.", name=self.name)
                    )
                ]
            )

    def edge(self, edge: TermEdge) -> date:
        """The first day for "start", the last day for "end"."""
        return self.starts_on if edge == "start" else self.ends_on
