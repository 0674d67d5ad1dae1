"""Which parts a client's report has: all of them, those a counsellor chose, or one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import Say, later
from app.domain.steps import StepKey
from app.features.plans.words import step_names

# In the order in which a report has them; the cover is always there.
PARTS: tuple[str, ...] = ("story", *(key.value for key in StepKey), "changes", "dates")
FORMS = ("whole", "short")


@dataclass(frozen=True, slots=True)
class Parts:
    """What is in a report: the parts named, or in the `short` form the story and the next dates on one page."""

    named: tuple[str, ...] = PARTS
    short: bool = False

    def __contains__(self, part: str) -> bool:
        return part in self.named

    def as_json(self) -> dict[str, Any]:
        """What a job's parameters keep of it: nothing where it is the whole report."""
        if self.short:
            return {"form": "short"}
        return {} if self.named == PARTS else {"parts": list(self.named)}


WHOLE = Parts()


def choose_parts(named: Iterable[str] = (), form: str = "whole") -> Parts:
    """The parts named, in the report's order; none named are all. Raises InvalidInput for one there is not."""
    wanted = set(named)
    if unknown := sorted(wanted.difference(PARTS)):
        said = later("A report has no part “%(part)s”.", part=unknown[0][:40])
        raise InvalidInput([FieldProblem("parts", said)])
    if form not in FORMS:
        raise InvalidInput([FieldProblem("form", later("Choose one of: %(kinds)s.", kinds=", ".join(FORMS)))])
    if form == "short":
        return Parts(short=True)
    return Parts(tuple(part for part in PARTS if part in wanted)) if wanted else WHOLE


def parts_given(given: MultiDict[str, str]) -> Parts:
    """What an address or a form names: `form`, and `part`, repeated. Raises as `choose_parts`."""
    return choose_parts(given.getlist("part"), given.get("form") or "whole")


def parts_kept(params: Mapping[str, Any]) -> Parts:
    """What a job's parameters keep."""
    return choose_parts(params.get("parts", ()), params.get("form", "whole"))


def part_words(_: Say) -> dict[str, str]:
    """The parts as a person chooses them, in their order."""
    steps = step_names(_)
    return {
        "story": _("The story so far"),
        **{key.value: f"{key.number} {steps[key]}" for key in StepKey},
        "changes": _("What changed since the last revision"),
        "dates": _("Next dates"),
    }
