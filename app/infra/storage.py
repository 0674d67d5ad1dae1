"""Files on disk, below a folder per organization; a file is visible only when it is whole."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from app.domain.saying import later

# The disk, a quota or a limit of the process has been reached.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BEGUN = ".part"


class StorageTrouble(OSError):
    """Files cannot be kept or read just now. `sentence` says so to whoever asked for them."""

    def __init__(self, cause: OSError) -> None:
        """Take the system's own error."""
        super().__init__(cause.errno, cause.strerror)
        self.sentence = (
            later("There is no room left where files are kept. Tell your administrator.")
            if cause.errno in _FULL
            else later("The place where files are kept cannot be reached. Tell your administrator.")
        )


@contextmanager
def told() -> Iterator[None]:
    """Whatever the system says of files meanwhile is raised as StorageTrouble."""
    try:
        yield
    except StorageTrouble:
        raise
    except OSError as error:
        raise StorageTrouble(error) from error


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a file is kept (relative to the storage folder), how long it is, and its SHA-256."""

    location: str
    size: int
    sha256: bytes

    def as_json(self) -> dict[str, Any]:
        """The same as the result of a job's item keeps it."""
        return {"location": self.location, "size": self.size, "sha256": self.sha256.hex()}


def stored_of(kept: Mapping[str, Any]) -> Stored:
    """What `Stored.as_json` made of it, whatever is kept beside it."""
    return Stored(kept["location"], kept["size"], bytes.fromhex(kept["sha256"]))


class Storage:
    """A folder of files. Locations begin with the organization's id and are never reused."""

    def __init__(self, root: Path) -> None:
        """Take the folder; it is made when first written to."""
        self.root = root

    @contextmanager
    def writing(self, organization_id: UUID, suffix: str, *, folder: str = "") -> Iterator[PendingFile]:
        """Write a file through the yielded handle; on success it appears whole under its location.

        A crash or an exception leaves nothing under the location. `folder` groups files that are cleaned together.
        Raises StorageTrouble where there is no room, or no place, for it.
        """
        location = self.new_location(organization_id, suffix, folder=folder)
        final = self.root / location
        partial = self._begun(location)
        pending = PendingFile(location, partial)
        with told():
            try:
                final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with partial.open("wb") as handle:
                    pending.handle = handle
                    yield pending
                    handle.flush()
                    os.fsync(handle.fileno())
                pending.stored = Stored(location, partial.stat().st_size, _digest(partial))
                partial.rename(final)
            finally:
                # Where the folder is gone or no folder, there is nothing to take away either.
                with suppress(OSError):
                    partial.unlink(missing_ok=True)

    def keep(self, organization_id: UUID, suffix: str, content: bytes, *, folder: str = "") -> Stored:
        """Write content that is in memory; otherwise as `writing`."""
        with self.writing(organization_id, suffix, folder=folder) as pending:
            pending.handle.write(content)
        return pending.stored

    def new_location(self, organization_id: UUID, suffix: str, *, folder: str = "") -> str:
        """A location nothing was ever kept at."""
        return "/".join(part for part in (str(organization_id), folder, uuid4().hex + suffix) if part)

    @contextmanager
    def growing(self, location: str, size: int) -> Iterator[IO[bytes]]:
        """Go on with a file that grows in several goes: the handle stands behind its first `size` bytes.

        What a go that was cut short left behind them is taken off; what is written is on disk when this ends. Its
        folder is there, for it grows from what was kept there before.
        Raises StorageTrouble as `writing`, also where that folder is gone, and Torn where those bytes are.
        """
        final, partial = self.path(location), self._begun(location)
        with told():
            if final.exists():
                # It was whole, and whoever was to say so ended before; nobody has it yet.
                final.rename(partial)
            with partial.open("r+b" if partial.exists() else "w+b") as handle:
                if handle.seek(0, os.SEEK_END) < size:
                    raise Torn(location)
                handle.truncate(size)
                handle.seek(size)
                yield handle
                handle.flush()
                os.fsync(handle.fileno())

    def end_growing(self, location: str) -> Stored:
        """Make a file that grew whole: from now on it lies under its location. Raises StorageTrouble."""
        final, partial = self.path(location), self._begun(location)
        with told():
            stored = Stored(location, partial.stat().st_size, _digest(partial))
            partial.rename(final)
            folder = os.open(final.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        return stored

    def _begun(self, location: str) -> Path:
        path = self.root / location
        return path.with_suffix(path.suffix + _BEGUN)

    def content(self, location: str) -> bytes | None:
        """A file's content; None where it is gone from its folder.

        Raises StorageTrouble where the folder itself is gone: then it is not this file that is missing.
        """
        path = self.path(location)
        with told():
            try:
                return path.read_bytes()
            except FileNotFoundError:
                if not path.parent.is_dir():
                    raise
                return None

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
        """Remove the file if it is there, also one that is still growing."""
        with told():
            self.path(location).unlink(missing_ok=True)
            self._begun(location).unlink(missing_ok=True)

    def delete_folder(self, organization_id: UUID, folder: str) -> None:
        """Remove a folder of an organization with everything in it, if it is there."""
        with told():
            for location in self.locations(organization_id, folder):
                self.path(location).unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                self.path(f"{organization_id}/{folder}").rmdir()


class Torn(Exception):
    """Of a file that grew less is there than was said to be: it has to be begun anew."""


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
