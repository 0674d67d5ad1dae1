"""Questions about processes that the standard library leaves open, answered for Linux and macOS."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
# How a worker ends that no longer hears its broker (EX_TEMPFAIL of sysexits.h: it may go better next time).
EXIT_DEAF = 75


def _parents_from_proc() -> dict[int, int]:
    parents = {}
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_bytes()
        except OSError:  # it ended between the listing and the reading
            continue
        # The name in parentheses may hold spaces and parentheses; the fields after its end may not.
        state, parent = stat[stat.rindex(b")") + 2 :].split()[:2]
        if state != b"Z":
            parents[int(entry.name)] = int(parent)
    return parents


def _parents_from_ps() -> dict[int, int]:
    listing = subprocess.run(["/bin/ps", "-axo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(maxsplit=2) for line in listing.splitlines())
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


def parents() -> dict[int, int]:
    """Return the parent's process id of every process that runs now; zombies are left out."""
    return _parents_from_proc() if (_PROC / "self" / "stat").exists() else _parents_from_ps()


def descendants(pid: int) -> set[int]:
    """Return the ids of all children of ``pid``, their children and so on, without ``pid`` itself."""
    children: dict[int, set[int]] = {}
    for child, parent in parents().items():
        children.setdefault(parent, set()).add(child)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        fresh = children.get(waiting.pop(), set()) - found
        found |= fresh
        waiting.extend(fresh)
    return found


def sessions(leaders: Iterable[int]) -> set[int]:
    """Return the ids of the processes that run in the sessions that ``leaders`` opened, dead ones included."""
    wanted = set(leaders)
    found = set()
    for pid in parents():
        with suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) in wanted:
                found.add(pid)
    return found


def family_sessions(leader: int) -> set[int]:
    """Return the sessions of ``leader`` and of all that it started, each named by its leader's process id.

    Processes stay in their session when their parent dies, so these find what a dead leader left behind.
    """
    found = {leader}
    for pid in sessions([leader]) | descendants(leader):
        with suppress(ProcessLookupError, PermissionError):
            found.add(os.getsid(pid))
            found |= {os.getsid(child) for child in descendants(pid)}
    return found


def is_running(pid: int) -> bool:
    """Tell whether ``pid`` runs: it exists and is no zombie."""
    return pid in parents()


def command_line(pid: int) -> str:
    """Return the command line of ``pid`` with spaces between its words; empty when it does not run."""
    if (_PROC / "self" / "stat").exists():
        try:
            return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()


def started(pid: int) -> str:
    """Return when ``pid`` started, in the system's own words; empty when it does not run.

    Together with its number this names a process for good: numbers are used again, moments are not.
    """
    if (_PROC / "self" / "stat").exists():
        try:
            stat = (_PROC / str(pid) / "stat").read_bytes()
        except OSError:
            return ""
        return stat[stat.rindex(b")") + 2 :].split()[19].decode()
    return subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()


def send(pids: Iterable[int], signum: signal.Signals) -> None:
    """Send ``signum`` to each of ``pids``; one that has ended already is passed over."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def wait_until_gone(pids: Iterable[int], seconds: float) -> set[int]:
    """Wait at most ``seconds`` for all of ``pids`` to end; return those that still run."""
    deadline = time.monotonic() + seconds
    left = set(pids)
    while left := left & parents().keys():
        if time.monotonic() >= deadline:
            break
        time.sleep(0.02)
    return left
