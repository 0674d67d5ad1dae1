"""The short form of `make drill`: kill -9 at random points of every main job, twenty seeded trials (J1-J3, M1, J13)."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.drill.crew import Crew, Killer
from app.drill.phases import Subject
from app.infra import processes
from tests.harness import Servers

ROOT = Path(__file__).resolve().parents[2]
TRIALS = 20
# Chosen once; the drill prints it first, and another can be tried with `make drill SEED=…`.
SEED = 20261122


@pytest.mark.fault
@pytest.mark.timeout(1500)
def test_nothing_is_lost_or_doubled_whatever_is_killed() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OCTANT_")}
    command = [sys.executable, "-m", "app.cli", "drill", "--trials", str(TRIALS), "--seed", str(SEED)]
    done = subprocess.run(
        [*command, "--clients", "1500"], cwd=ROOT, env=clean, capture_output=True, text=True, timeout=1400, check=False
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr[-2000:]
    assert lines[0] == f"seed {SEED}"
    result = json.loads(lines[-1])
    assert {name: result[name] for name in ("trials", "lost", "doubled", "unfinished")} == {
        "trials": TRIALS,
        "lost": 0,
        "doubled": 0,
        "unfinished": 0,
    }, done.stdout[-3000:]
    assert sum(result["kills"].values()) >= TRIALS
    # Each main job was met by kills while it ran; else a clean result would say nothing of it.
    assert set(result["hits"]) == {"assign", "prompt", "report", "roster", "score"}
    assert all(result["hits"].values()), result["hits"]


def test_a_kill_without_a_victim_is_not_counted(servers: Servers, tmp_path: Path) -> None:
    crew = Crew(servers.settings("any", tmp_path), servers.valkey, tmp_path)
    alone = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    crew._running["worker"] = alone  # type: ignore[assignment] # bytes or text, it is only asked for its id
    try:
        assert crew.kill("pool child", 0.5) is False
        assert crew.kills == {}
        assert alone.poll() is None
    finally:
        alone.kill()
        alone.wait()


def test_a_drill_that_is_told_to_end_leaves_nothing(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OCTANT_")}
    drill = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "drill", "--trials", "1", "--clients", "2000"],
        cwd=ROOT,
        env={**environment, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 120
        while not list(tmp_path.glob("octant-drill-*/worker.log")) and time.monotonic() < until:
            time.sleep(0.1)
        crew = processes.descendants(drill.pid)
        assert crew
        drill.terminate()
        assert drill.wait(60) == 128 + signal.SIGTERM
    finally:
        drill.kill()
        drill.wait()
    assert list(tmp_path.glob("octant-drill-*")) == []
    assert processes.wait_until_gone(crew, 5) == set()


def test_what_is_killed_is_started_again_once_whoever_looks_meanwhile(servers: Servers, tmp_path: Path) -> None:
    crew = Crew(servers.settings("any", tmp_path), servers.valkey, tmp_path)
    started = []

    def start(name: str) -> None:
        process = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True)
        started.append(process)
        crew._running[name] = process

    crew._start = start  # type: ignore[method-assign] # what is started does not matter here, only how often
    start("sweeper")
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            crew.mend()

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(30):
            crew.kill("sweeper", 0)
    finally:
        ended.set()
        looker.join()
        alive = [process for process in started if process.poll() is None]
        for process in alive:
            process.kill()
            process.wait()
    assert len(started) == 31
    assert len(alive) == 1


def test_every_choice_of_a_killer_comes_from_its_seed(servers: Servers, tmp_path: Path) -> None:
    crew = Crew(servers.settings("any", tmp_path), servers.valkey, tmp_path)

    def plan(seed: int) -> list[tuple[float, str, float]]:
        made = Killer(crew, random.Random(seed), kills=40, between=(0.1, 0.6), running=lambda: True)
        return list(made._plan)

    assert plan(7) == plan(7) != plan(8)
    source = (ROOT / "app" / "drill").glob("*.py")
    text = "\n".join(path.read_text("utf-8") for path in source)
    assert not re.search(r"\brandom\.(choice|random|randint|uniform|sample|shuffle)\(", text)


def test_mails_are_counted_by_whom_the_sink_took_them_for(tmp_path: Path) -> None:
    subject = Subject.__new__(Subject)
    subject.mail, subject.domain = tmp_path, "ours.example.org"
    lines = [["a@ours.example.org"], ["a@ours.example.org"], ["b@theirs.example.org"], ["c@ours.example.org"]]
    (tmp_path / "ledger.jsonl").write_text(
        "".join(json.dumps({"message_id": f"<{n}>", "to": to}) + "\n" for n, to in enumerate(lines))
    )
    assert subject.mails() == {"a@ours.example.org": 2, "c@ours.example.org": 1}
