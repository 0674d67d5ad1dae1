"""What the files of a job were made of: the moment of the data, the templates, how many reports, and each checksum.

The same people at the same moment with the same templates give the same bytes, so that a checksum tells whether a file
is what was made. It is kept with the job, whose files are deleted when their days are over.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.features.jobs.models import JobItem, StoredFile
from app.features.reports.naming import ARCHIVE_FILE, INDEX_FILE, WORKBOOK_FILE
from app.infra.db.open import UnitOfWork
from app.infra.pdf.press import TEMPLATES


@cache
def template_version() -> str:
    """Which templates reports are made with: it changes with every letter of them."""
    found = hashlib.sha256()
    for path in sorted(Path(TEMPLATES, "reports").glob("*.typ")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"reports/{found.hexdigest()[:12]}"


def origin_of(uow: UnitOfWork, job_id: UUID) -> dict[str, Any]:
    """What is kept of how the files of a job were made; moments are those at which the first and last were read."""
    read = JobItem.result["data_at"].astext
    first, last, number = uow.session.execute(
        select(func.min(read), func.max(read), func.count()).where(JobItem.job_id == job_id, JobItem.state == "done")
    ).one()
    files = uow.session.execute(
        select(StoredFile.name, StoredFile.size, StoredFile.sha256)
        .where(StoredFile.job_id == job_id, StoredFile.kind.in_((ARCHIVE_FILE, INDEX_FILE, WORKBOOK_FILE)))
        .order_by(StoredFile.created_at, StoredFile.name)
    )
    return {
        "data_from": first,
        "data_until": last,
        "template": template_version(),
        "rows": number,
        "files": [{"name": name, "size": size, "sha256": sha256.hex()} for name, size, sha256 in files],
    }
