"""Labels: put one on many people, or take it off."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _

from app.domain.access import Permission
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.saying import later
from app.features.clients.labels import visible_labels
from app.features.clients.service import mark_rules_stale
from app.features.edits.belonging import REASONS, Belonging, parameters, read_act
from app.features.edits.kinds import EditKind, Values
from app.features.edits.reading import an_id
from app.infra.db.open import UnitOfWork

# A label that is gone meanwhile is put on nobody.
_PIECES = Belonging("client_labels", "label_id", "SELECT id FROM labels WHERE id = :of FOR KEY SHARE")


def _read(uow: UnitOfWork, raw: Values) -> dict[str, Any]:
    label = an_id(raw.get("label_id"))
    if label is None or all(known.id != label for known in visible_labels(uow)):
        raise InvalidInput([FieldProblem("label_id", "Choose a label from the list.")])
    return read_act(raw, label)


def _say(uow: UnitOfWork, values: Values) -> str:
    name = next((known.name for known in visible_labels(uow) if str(known.id) == values["of"]), "")
    if values["act"] == "add":
        return later("The label %(name)s is put on", name=name)
    return later("The label %(name)s is taken off", name=name)


KIND = EditKind(
    name="label",
    label=_("Change labels"),
    permission=Permission.WORK_PLANS,
    read=_read,
    parameters=parameters,
    say=_say,
    look=_PIECES.look,
    change=_PIECES.change,
    back=_PIECES.back,
    after=mark_rules_stale,
    reasons=REASONS,
    kept=later("The label was put on or taken off again since, so it stays as it is now."),
)
