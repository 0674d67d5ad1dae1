"""Uploaded tables: stored as they came, and known by what they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from uuid import uuid4

from app.domain.access import Actor
from app.domain.file_names import safe_name
from app.features.clients.roster_reader import Source, examine
from app.features.jobs.models import StoredFile
from app.infra.db.open import UnitOfWork
from app.infra.runtime import Runtime
from app.infra.sheets import XLSX

_MEDIA = {"csv": "text/csv", "xlsx": XLSX}


@contextmanager
def storing_table(
    runtime: Runtime, actor: Actor, stream: BinaryIO, name: str, *, kind: str, request_id: str
) -> Iterator[tuple[UnitOfWork, Source, StoredFile]]:
    """Store an uploaded table as a file of this kind, copied as a stream; the block notes what it is for.

    Yields the transaction, what the table is, and the file. When the block fails nothing stays. Raises InvalidInput
    (field "file") when it is no table that can be read.
    """
    with runtime.storage.writing(actor.organization_id, f".{kind}") as pending:
        shutil.copyfileobj(stream, pending.handle, 1 << 18)
        pending.handle.flush()
        source = examine(pending.path)
    stored = pending.stored
    try:
        with runtime.database.unit_of_work(actor, request_id=request_id) as uow:
            file = StoredFile(
                id=uuid4(),
                kind=kind,
                name=safe_name(name),
                media_type=_MEDIA[source.format],
                size=stored.size,
                sha256=stored.sha256,
                location=stored.location,
                created_by=actor.membership_id,
                created_at=uow.now,
            )
            uow.session.add(file)
            uow.session.flush()
            yield uow, source, file
    except BaseException:
        runtime.storage.delete(stored.location)
        raise
