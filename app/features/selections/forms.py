"""How a form or an address names whom an act is for."""

from __future__ import annotations

from uuid import UUID

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from app.domain.errors import FieldProblem, InvalidInput
from app.features.selections.commands import Target


def target_of(given: MultiDict[str, str]) -> Target:
    """The target a request names: `selection`, `cohort` or `filter` by id, or `client`, repeated.

    Raises InvalidInput for what is no id; how many ways are used is checked by `service.choose`.
    """
    try:
        return Target(
            client_ids=tuple(dict.fromkeys(UUID(value) for value in given.getlist("client"))),
            cohort_id=_id(given, "cohort"),
            filter_id=_id(given, "filter"),
            selection_id=_id(given, "selection"),
        )
    except ValueError:
        raise InvalidInput([FieldProblem("target", gettext("Choose people from the list."))]) from None


def _id(given: MultiDict[str, str], name: str) -> UUID | None:
    value = given.get(name)
    return UUID(value) if value else None
