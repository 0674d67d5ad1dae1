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
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from app.domain import access
from app.domain.access import Role
from app.drill.crew import Crew, Killer
from app.drill.phases import Faults, Subject
from app.drill.writing import _DUE, _keep_schedules, _sent
from app.infra import processes
from app.infra.runtime import Runtime
from tests.factories import World
from tests.harness import Servers
from tests.schedules.scene import pass_time, rows

ROOT = Path(__file__).resolve().parents[2]
TRIALS = 20
# Chosen once; the drill prints it first, and another can be tried with `make drill SEED=…`.
SEED = 20261122
# Jobs that are undone under fire as well.
_RETURNED = (
    *("give a plan", "ask a questionnaire", "give a step", "give an action"),
    *("label", "cohort", "attribute", "pause", "end pauses"),
)


@pytest.mark.fault
@pytest.mark.timeout(1500)
def test_nothing_is_lost_or_doubled_whatever_is_killed() -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OCTANT_")}
    command = [sys.executable, "-m", "app.cli", "drill", "--trials", str(TRIALS), "--seed", str(SEED)]
    done = subprocess.run(
        [*command, "--clients", "1000"], cwd=ROOT, env=clean, capture_output=True, text=True, timeout=1400, check=False
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
    assert set(result["hits"]) == {
        *("assign", "edit", "move"),
        *("prompt", "report", "roster", "score", "rollout", "rollback", "write", "own report", "schedule"),
        *(f"{undo}{name}" for undo in ("", "undo ") for name in _RETURNED),
    }
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
        made = Killer(crew, random.Random(seed), kills=40, between=(0.1, 0.6), running=lambda: {"a job"})
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


def test_what_was_due_is_counted_as_lost_doubled_or_left(world: World, runtime: Runtime, tmp_path: Path) -> None:
    here = world.organization()
    readers = [world.person(here, Role.ADMIN) for _ in range(3)]
    world.clients(here, 6)
    subject = Subject.__new__(Subject)
    subject.place = SimpleNamespace(runtime=runtime)  # type: ignore[assignment] # no other part of it is asked for
    subject.organization, subject.actor, subject.mail, subject.domain = (
        here,
        access.system(here),
        tmp_path,
        "example.org",
    )

    def taken(*addresses: str) -> None:
        lines = (json.dumps({"message_id": f"<{n}>", "to": [to]}) for n, to in enumerate(addresses))
        (tmp_path / "ledger.jsonl").write_text("".join(f"{line}\n" for line in lines))

    taken()
    with runtime.database.unit_of_work(readers[0].actor) as uow:
        _keep_schedules(uow, [reader.actor for reader in readers])
    # Four runs, five people in an archive and four mails are missing.
    assert _sent(subject) == Faults(13, 0, 0)
    with runtime.database.unit_of_work(subject.actor) as uow:
        uow.session.execute(_DUE, {"since": uow.now - timedelta(days=2), "now": uow.now})
    pass_time(runtime, here)
    everybody = [reader.email for reader in readers]
    assert rows(runtime, here, "SELECT count(*) FROM schedule_runs WHERE state = 'sent'") == [(4,)]
    assert _sent(subject) == Faults(0, 0, 0)
    rows_sent = "UPDATE messages SET state = 'sent' RETURNING recipient"
    told = [row.recipient for row in rows(runtime, here, rows_sent)]
    assert set(told) == set(everybody)
    for ledger, found in ((told, (0, 0, 0)), (told[1:], (1, 0, 0)), ([*told, told[2]], (0, 1, 0))):
        taken(*ledger)
        assert _sent(subject) == Faults(*found)
    taken(*told)
    undone = "state = 'making', settled_at = NULL, message_id = NULL, row_count = NULL, extract_run_id = NULL"
    with runtime.database.unit_of_work(subject.actor) as uow:
        uow.session.execute(
            text(
                f"UPDATE schedule_runs SET {undone}"
                " WHERE id = (SELECT id FROM schedule_runs WHERE report_job_id IS NULL LIMIT 1)"
            )
        )
    assert _sent(subject) == Faults(1, 0, 1)
