"""Files on disk, below a folder per organization; a file is visible only when it is whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a file is kept (relative to the storage folder), how long it is, and its SHA-256."""

    location: str
    size: int
    sha256: bytes


class Storage:
    """A folder of files. Locations begin with the organization's id and are never reused."""

    def __init__(self, root: Path) -> None:
        """Take the folder; it is made when first written to."""
        self.root = root

    @contextmanager
    def writing(self, organization_id: UUID, suffix: str, *, folder: str = "") -> Iterator[PendingFile]:
        """Write a file through the yielded handle; on success it appears whole under its location.

        A crash or an exception leaves nothing under the location. `folder` groups files that are cleaned together.
        """
        location = "/".join(part for part in (str(organization_id), folder, uuid4().hex + suffix) if part)
        final = self.root / location
        final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = final.with_suffix(final.suffix + ".part")
        pending = PendingFile(location, partial)
        try:
            with partial.open("wb") as handle:
                pending.handle = handle
                yield pending
                handle.flush()
                os.fsync(handle.fileno())
            pending.stored = Stored(location, partial.stat().st_size, _digest(partial))
            partial.rename(final)
        finally:
            partial.unlink(missing_ok=True)

    def keep(self, organization_id: UUID, suffix: str, content: bytes, *, folder: str = "") -> Stored:
        """Write content that is in memory; otherwise as `writing`."""
        with self.writing(organization_id, suffix, folder=folder) as pending:
            pending.handle.write(content)
        return pending.stored

    def locations(self, organization_id: UUID, folder: str) -> list[str]:
        """Every file in a folder of an organization, also those still being written."""
        where = self.path(f"{organization_id}/{folder}")
        return [f"{organization_id}/{folder}/{path.name}" for path in where.iterdir()] if where.is_dir() else []

    def path(self, location: str) -> Path:
        """The file at a location. Raises ValueError for a location outside the storage folder."""
        path = (self.root / location).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ValueError("the location leaves the storage folder")
        return path

    def delete(self, location: str) -> None:
        """Remove the file if it is there."""
        self.path(location).unlink(missing_ok=True)


class PendingFile:
    """A file being written; `path` may be given to a library that opens it itself."""

    handle: IO[bytes]
    stored: Stored

    def __init__(self, location: str, path: Path) -> None:
        """Take the final location and the path written to meanwhile."""
        self.location = location
        self.path = path


def _digest(path: Path) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()
