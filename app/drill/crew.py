"""The processes of an installation under fire: workers, beat, sweeper and broker, killed and started again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from app.config import Settings
from app.infra import processes
from app.infra.embedded import ValkeyServer, start_valkey
from app.infra.processes import EXIT_DEAF

Victim = Literal["worker", "pool child", "beat", "sweeper", "broker"]
_LAST_LINES = 15
VICTIMS: tuple[Victim, ...] = ("worker", "worker", "pool child", "pool child", "beat", "sweeper", "broker")


class Crew:
    """Starts the processes on one installation; `kill` ends one with SIGKILL and starts it again."""

    def __init__(self, settings: Settings, valkey: ValkeyServer, folder: Path) -> None:
        """Take the settings every process gets, the running broker and a folder for logs."""
        # The worker that no longer hears ends itself, as in a deployment.
        self.settings = replace(settings, heartbeat_file=str(folder / "worker.alive"))
        self.valkey = valkey
        self.folder = folder
        self.kills: dict[str, int] = {}
        # Workers that ended themselves because they no longer heard the broker.
        self.deaf = 0
        self._commands = {
            "worker": ("run", "worker", "--concurrency", "2"),
            "beat": ("run", "beat", "--schedule", str(folder / "beat-schedule")),
            "sweeper": ("run", "sweeper", "--every", "0.5"),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        # Whoever kills starts again what they killed before anybody else sees that it is gone; else it runs twice.
        self._turn = threading.Lock()

    def start(self) -> None:
        """Start every process."""
        for name in self._commands:
            self._start(name)

    def _start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 # our own commands
                [sys.executable, "-m", "app.cli", *self._commands[name]],
                env={**os.environ, **self.settings.environ()},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, victim: Victim, which: float) -> bool:
        """SIGKILL one process (the worker with its whole group, or one of its pool children) and restart it.

        `which` (0 to 1) chooses among pool children. Returns whether there was one to kill; only then it is counted.
        """
        if victim == "broker":
            self.valkey.kill()
            # It keeps nothing, so it comes back empty, at the same address.
            self.valkey = start_valkey(self.valkey.data_dir)
            if self.valkey.url != self.settings.broker_url:
                raise RuntimeError("the broker came back at another address")
        elif victim == "pool child":
            children = sorted(processes.descendants(self._running["worker"].pid))
            if not children:
                return False
            try:
                os.kill(children[int(which * len(children))], signal.SIGKILL)
            except ProcessLookupError:
                return False
        else:
            with self._turn:
                self._end(victim, signal.SIGKILL)
                self._start(victim)
        self.kills[victim] = self.kills.get(victim, 0) + 1
        return True

    def mend(self) -> None:
        """Start again what died by itself, as a supervisor would."""
        with self._turn:
            for name, process in list(self._running.items()):
                if (code := process.poll()) is not None:
                    self.deaf += code == EXIT_DEAF
                    self._start(name)

    def last_words(self) -> str:
        """The last lines each process wrote, for whoever looks for the cause of a fault."""
        return "\n".join(
            f"{name}: {line}"
            for name in self._commands
            for line in (self.folder / f"{name}.log").read_text("utf-8", "replace").splitlines()[-_LAST_LINES:]
        )

    def _end(self, name: str, number: signal.Signals) -> None:
        process = self._running[name]
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait()

    def stop(self) -> None:
        """End every process and the broker."""
        for name in self._running:
            self._end(name, signal.SIGKILL)
        self.valkey.stop()


class Killer(threading.Thread):
    """Kills at random moments until told to stop or its kills are used up; all choices come from one generator."""

    def __init__(
        self,
        crew: Crew,
        choices: random.Random,
        *,
        kills: int,
        between: tuple[float, float],
        running: Callable[[], Collection[str]],
    ) -> None:
        """`between` are the least and most seconds from one kill to the next; `running` names the work that is left."""
        super().__init__(daemon=True)
        self._crew = crew
        self._running = running
        # Drawn here and in one go, so that how the threads meet does not change what is drawn next.
        self._plan = [(choices.uniform(*between), choices.choice(VICTIMS), choices.random()) for _ in range(kills)]
        # Kills that found a victim, by the work that was not over then.
        self.hits = Counter[str]()
        self._stop_asked = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        """Kill by plan."""
        try:
            for pause, victim, which in self._plan:
                if self._stop_asked.wait(pause):
                    return
                running = self._running()
                if self._crew.kill(victim, which) and running:
                    self.hits.update(set(running))
        except BaseException as error:  # handed to the thread that waits for it
            self.error = error

    def finish(self) -> None:
        """Stop killing; raises what went wrong in the thread."""
        self._stop_asked.set()
        self.join()
        if self.error is not None:
            raise self.error


def wait_until(done: Callable[[], bool], *, seconds: float, crew: Crew) -> bool:
    """Ask `done` a few times a second, restarting what died by itself; False when the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if done():
            return True
        crew.mend()
        time.sleep(0.2)
    return done()
