"""What a kind of bulk edit is: what it would do, what it does, and how that is taken back.

The statements are pieces of one larger statement each (`statements.py`), so that a new kind is one module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask_babel.speaklater import LazyString

from app.domain.access import Permission
from app.features.jobs.models import Job
from app.features.jobs.service import Settled
from app.infra.db.open import UnitOfWork

Values = Mapping[str, Any]
# What will be done to a client, and what is done already; any other outcome is a reason to leave them out.
NEW, SAME = "new", "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class EditKind:
    """A kind of bulk edit.

    `read` checks what was typed or sent and gives values that JSON can hold; it raises InvalidInput. Its form
    stands in `forms.py`. `parameters` are those of the statements beside `clients`, `job`, `by` and `now`.

    `say` is what these values do, in one sentence for the preview and the list of jobs; empty where the label says all.

    `look` selects `client_id`, `outcome`, `before` and `after` (jsonb) of every row of `asked (client_id)`.
    `change` are CTEs over `asked` that change what is to be changed; the last is `done (client_id, result)`, with what
    undoing needs. `back` are CTEs over `was (client_id, result)`; the last is `back (client_id)`: those that are as
    they were before. Without it the kind cannot be undone. With `of_plans` the active plans of active clients are
    locked first (their row is the lock of whoever changes anything of a plan) and are the parameter `plans` of
    `change`. A kind that no statement can do has `act` instead of `change`; it gets only clients with an outcome of
    `goes`. `after` runs once a batch.
    """

    name: str
    label: LazyString
    permission: Permission
    read: Callable[[UnitOfWork, Values], dict[str, Any]]
    parameters: Callable[[UnitOfWork, Values], dict[str, Any]]
    say: Callable[[UnitOfWork, Values], str]
    look: str
    # Sentences for outcomes other than `new`, and for what stays when a job is undone.
    reasons: Mapping[str, str]
    kept: str = ""
    change: str = ""
    back: str = ""
    of_plans: bool = False
    act: Callable[[UnitOfWork, Job, Values, Sequence[UUID]], Mapping[UUID, Settled]] | None = None
    goes: frozenset[str] = frozenset({NEW})
    after: Callable[[UnitOfWork], None] | None = None
    # A value of `before` or `after` in words.
    words: Callable[[Any], str] = str
    batch_size: int = 2000
    # What the figures of outcomes that go say, where there is more than one.
    figures: Mapping[str, str] = field(default_factory=dict)
