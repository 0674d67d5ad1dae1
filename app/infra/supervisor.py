"""Run a set of processes, restart what dies or goes deaf, and leave nothing behind.

For the demonstration and for single-machine installations; a cluster has a supervisor of its own. Each child is
the leader of a session, so that Ctrl-C in the terminal reaches only us and we can stop the children in order.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.infra import processes

_TICK_SECONDS = 0.1
_BACKOFF_FIRST = 0.5
_BACKOFF_LAST = 10.0
_STEADY_SECONDS = 30.0  # one that ran this long is restarted without having to wait again


@dataclass(frozen=True, kw_only=True)
class Child:
    """One process to keep running.

    ``ready`` is a callable that returns True, or an http address that answers below 400, once the child can be
    used; the next child starts only then. A child whose ``heartbeat_file`` was not touched for
    ``heartbeat_seconds`` (counted from its start at the earliest) is alive but deaf, and is restarted.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    drop_env: frozenset[str] = frozenset()  # variables of ours that the child must not see
    cwd: Path | None = None
    ready: Callable[[], bool] | str | None = None
    ready_seconds: float = 60.0
    heartbeat_file: Path | None = None
    heartbeat_seconds: float = 60.0


@dataclass
class _Running:
    """What is known of one child."""

    child: Child
    process: "subprocess.Popen[bytes] | None" = None
    reader: threading.Thread | None = None
    started: float = 0.0
    started_at: float = 0.0
    backoff: float = _BACKOFF_FIRST
    restart_at: float = math.inf  # one that was not started yet is not restarted while another gets ready


class SupervisorError(RuntimeError):
    """A child was not ready in its time."""


class Supervisor:
    """Runs children from ``start`` to ``stop``; ``run`` does both around waiting for a signal."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        grace_seconds: float = 25.0,
        output: IO[str] | None = None,
        record: Path | None = None,
    ) -> None:
        """Take ``children`` in the order to start them; ``output`` gets their lines (standard output if None).

        ``grace_seconds`` is how long all children together have to end before they are killed. A process that
        a child turned into a daemon long ago (a session of its own and no parent) is out of our sight.
        ``record`` is a file that names the running children, for ``end_recorded`` after we were killed.
        """
        self._record = record
        self._running = [_Running(child) for child in children]
        self._grace = grace_seconds
        self._output = output or sys.stdout
        self._write_lock = threading.Lock()
        self._width = max((len(child.name) for child in children), default=0)
        self._stopping = threading.Event()

    def say(self, name: str, line: str) -> None:
        """Write one line under ``name``."""
        with self._write_lock:
            self._output.write(f"{name:<{self._width}} | {line}\n")
            self._output.flush()

    def pid(self, name: str) -> int | None:
        """Return the process id of the child called ``name``, or None while it is down."""
        for each in self._running:
            if each.child.name == name and each.process is not None and each.process.poll() is None:
                return each.process.pid
        return None

    def start(self) -> None:
        """Start all children in order, each once the one before it is ready.

        Raises SupervisorError when one is not ready in its time; those that run are stopped first.
        """
        try:
            for each in self._running:
                self._spawn(each)
                self._await_ready(each)
                if self._stopping.is_set():
                    return
        except BaseException:
            self.stop()
            raise

    def run(self, on_ready: Callable[[], None] | None = None) -> None:
        """Start, call ``on_ready``, watch until SIGINT or SIGTERM (or ``request_stop``), stop all.

        Must be called in the main thread; the signals' former handlers are put back at the end.
        """
        signals = (signal.SIGINT, signal.SIGTERM)
        former = {signum: signal.signal(signum, lambda *_: self._stopping.set()) for signum in signals}
        try:
            self.start()
            if on_ready is not None and not self._stopping.is_set():
                on_ready()
            while not self._stopping.wait(_TICK_SECONDS):
                self.check()
        finally:
            self.stop()
            for signum, handler in former.items():
                signal.signal(signum, handler)

    def request_stop(self) -> None:
        """Make ``run`` stop all children and return; callable from any thread or signal handler."""
        self._stopping.set()

    def check(self) -> None:
        """Look at every child once: restart what died or went deaf, when its waiting time is over."""
        now = time.monotonic()
        for each in self._running:
            if each.process is None:
                if now >= each.restart_at:
                    self._spawn(each)
            elif each.process.poll() is not None:
                self._bury(each, f"ended with code {each.process.returncode}")
            elif (age := self._silence(each)) > each.child.heartbeat_seconds:
                self.say(each.child.name, f"no heartbeat for {age:.0f} s, killing it")
                self._bury(each, "was deaf")

    def stop(self) -> None:
        """Stop all children, the last started first: SIGTERM, and SIGKILL for what is left after the grace."""
        self._stopping.set()
        deadline = time.monotonic() + self._grace
        for each in reversed(self._running):
            if each.process is not None:
                self._end(each, deadline)
        self._note_children()

    def _spawn(self, each: _Running) -> None:
        child = each.child
        kept = {name: value for name, value in os.environ.items() if name not in child.drop_env}
        environment = {**kept, **(child.env or {}), "PYTHONUNBUFFERED": "1"}
        try:
            each.process = subprocess.Popen(  # noqa: S603 - the caller's own programs, no shell
                list(child.argv),
                env=environment,
                cwd=child.cwd,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.say(child.name, f"cannot start: {error}")
            self._plan_restart(each)
            return
        each.started = time.monotonic()
        each.started_at = time.time()
        each.reader = threading.Thread(
            target=self._relay, args=(child.name, each.process), name=f"{child.name} output", daemon=True
        )
        each.reader.start()
        self._note_children()

    def _note_children(self) -> None:
        if self._record is None:
            return
        pids = [each.process.pid for each in self._running if each.process is not None]
        fresh = self._record.with_name(self._record.name + ".new")
        fresh.write_text(json.dumps({pid: processes.started(pid) for pid in pids}), encoding="utf-8")
        fresh.replace(self._record)

    def _relay(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        """Write the child's lines until the last process that holds its output has ended."""
        if process.stdout is not None:
            with process.stdout:
                for line in process.stdout:
                    self.say(name, line.decode(errors="replace").rstrip("\r\n"))

    def _await_ready(self, each: _Running) -> None:
        ready = each.child.ready
        if ready is None:
            return
        deadline = time.monotonic() + each.child.ready_seconds
        while not self._stopping.is_set():
            if _answers(ready) if isinstance(ready, str) else ready():
                return
            if time.monotonic() > deadline:
                raise SupervisorError(
                    f"{each.child.name} was not ready within {each.child.ready_seconds:.0f} seconds; "
                    "its lines above say why."
                )
            self.check()
            self._stopping.wait(_TICK_SECONDS)

    def _silence(self, each: _Running) -> float:
        """Return the seconds since the child's last heartbeat or its start; 0 for one that has no heartbeat."""
        if each.child.heartbeat_file is None:
            return 0.0
        beaten_at = each.started_at
        with suppress(FileNotFoundError):
            beaten_at = max(beaten_at, each.child.heartbeat_file.stat().st_mtime)
        return time.time() - beaten_at

    def _bury(self, each: _Running, why: str) -> None:
        """Kill what a child left running, and plan its restart."""
        self._kill_family(each)
        if time.monotonic() - each.started >= _STEADY_SECONDS:
            each.backoff = _BACKOFF_FIRST
        self.say(each.child.name, f"{why}, starting again in {each.backoff:.1f} s")
        self._plan_restart(each)

    def _plan_restart(self, each: _Running) -> None:
        each.process = None
        each.restart_at = time.monotonic() + each.backoff
        each.backoff = min(each.backoff * 2, _BACKOFF_LAST)

    def _end(self, each: _Running, deadline: float) -> None:
        """Ask the leader to end and wait: it ends its own workers in order. Then kill what it left."""
        process = each.process
        if process is None:
            return
        sessions = processes.family_sessions(process.pid)
        if process.poll() is None:
            process.terminate()
            try:
                # One that used the common grace up leaves the next a moment all the same.
                process.wait(max(deadline - time.monotonic(), 1.0))
            except subprocess.TimeoutExpired:
                self.say(each.child.name, "did not stop in time, killing it")
        self._kill_family(each, sessions)
        each.process = None

    def _kill_family(self, each: _Running, sessions: Iterable[int] = ()) -> None:
        """Kill every process the child started, and all in ``sessions``, until none is left."""
        process = each.process
        if process is None:
            return
        known = set(sessions)
        while family := processes.sessions(known := known | processes.family_sessions(process.pid)):
            processes.send(family, signal.SIGKILL)
            process.poll()  # takes the dead child off the list
            processes.wait_until_gone(family, 1.0)
        process.wait()
        if each.reader is not None:
            each.reader.join(1.0)


def end_recorded(record: Path, *, seconds: float = 10.0) -> int:
    """End the children that a killed supervisor left running, as its ``record`` names them; returns how many.

    A process id that belongs to somebody else by now has another starting time and is left alone.
    """
    try:
        noted: dict[str, str] = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    running = processes.parents()
    # A leader that is gone may have left children in its session, whose number stays its own until they end.
    leaders = {pid for pid in map(int, noted) if pid not in running or noted[str(pid)] == processes.started(pid)}
    sessions = {session for pid in leaders for session in processes.family_sessions(pid)}
    family = processes.sessions(sessions)
    processes.send(leaders & family, signal.SIGTERM)
    processes.wait_until_gone(family, seconds)
    left = processes.sessions(sessions)
    processes.send(left, signal.SIGKILL)
    processes.wait_until_gone(left, 2.0)
    record.unlink(missing_ok=True)
    return len(family)


def _answers(address: str) -> bool:
    """Tell whether an http ``address`` answers below 400."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - addresses are the caller's own
            return int(answer.status) < 400
    except (urllib.error.URLError, OSError, ValueError):
        return False
