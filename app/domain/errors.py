"""The errors that use cases raise; the edge turns each kind into a page or a problem document."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field: where it is and a sentence saying what to do."""

    field: str
    sentence: str


class OctantError(Exception):
    """Base of all expected errors. `sentence` says what happened and what to do; `field` names an input."""

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


class NotFound(OctantError):  # named for what happened, as the page says it
    """There is no such thing, or none that this person may know of."""


class Forbidden(OctantError):  # named for what happened, as the page says it
    """The person may see the thing but not do this to it."""


class Conflict(OctantError):  # named for what happened, as the page says it
    """The thing is not in a state that allows this, or somebody else changed it meanwhile."""


class Gone(OctantError):  # named for what happened, as the page says it
    """A link has expired or was already used."""


class TooMany(OctantError):  # named for what happened, as the page says it
    """Too many attempts or too large a request; waiting `retry_after` seconds, or asking for less, helps."""

    def __init__(self, sentence: str, *, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(sentence, field=field)
        self.retry_after = retry_after


class InvalidInput(OctantError, ValueError):  # named for what happened, as the page says it
    """Input that cannot be accepted, with every problem found, in the order they were found."""

    def __init__(self, problems: Iterable[FieldProblem]) -> None:
        self.problems = tuple(problems)
        if not self.problems:
            raise ValueError("InvalidInput needs at least one problem.")
        only_field = self.problems[0].field if len(self.problems) == 1 else None
        super().__init__(
            "\n".join(f"{problem.field}: {problem.sentence}" for problem in self.problems), field=only_field
        )
