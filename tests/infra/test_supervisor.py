import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.infra import processes
from app.infra.supervisor import Child, Supervisor, SupervisorError, end_recorded

ROOT = Path(__file__).parents[2]
SLEEPER = [sys.executable, "-c", "import time; print('up'); time.sleep(600)"]


def _eventually(fact: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def _watch(supervisor: Supervisor, fact: Callable[[], bool], seconds: float = 10) -> None:
    def look() -> bool:
        supervisor.check()
        return fact()

    _eventually(look, seconds)


def test_lines_carry_the_name_and_a_dead_child_is_started_again_later_each_time() -> None:
    output = io.StringIO()
    supervisor = Supervisor(
        [Child(name="web", argv=SLEEPER), Child(name="brief", argv=["/bin/sh", "-c", "echo hello; exit 3"])],
        output=output,
    )
    supervisor.start()
    try:
        first = supervisor.pid("web")
        assert first is not None
        _watch(supervisor, lambda: output.getvalue().count("brief | hello") >= 2)
        os.kill(first, signal.SIGKILL)
        _watch(supervisor, lambda: supervisor.pid("web") not in {None, first})
        _watch(supervisor, lambda: output.getvalue().count("brief | hello") >= 3)
    finally:
        supervisor.stop()
    said = output.getvalue()
    assert "web   | up\n" in said
    assert "brief | ended with code 3, starting again in 0.5 s\n" in said
    assert "brief | ended with code 3, starting again in 1.0 s\n" in said
    assert "web   | ended with code -9, starting again in 0.5 s\n" in said


def test_a_program_that_does_not_exist_is_named_and_tried_again() -> None:
    output = io.StringIO()
    supervisor = Supervisor([Child(name="gone", argv=["/no/such/program"])], output=output)
    supervisor.start()
    _watch(supervisor, lambda: output.getvalue().count("cannot start") >= 2)
    supervisor.stop()


def test_the_next_child_waits_for_readiness_and_a_child_never_ready_stops_all(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    output = io.StringIO()
    first = Child(name="first", argv=["/bin/sh", "-c", f"sleep 0.4; touch {flag}; exec sleep 600"], ready=flag.exists)
    second = Child(name="second", argv=["/bin/sh", "-c", f"test -e {flag} && echo in order; exec sleep 600"])
    supervisor = Supervisor([first, second], output=output)
    supervisor.start()
    _eventually(lambda: "second | in order" in output.getvalue())
    supervisor.stop()

    never = Child(name="never", argv=SLEEPER, ready="http://127.0.0.1:1/healthz", ready_seconds=0.3)
    supervisor = Supervisor([Child(name="other", argv=SLEEPER), never], output=output)
    before = processes.descendants(os.getpid())
    with pytest.raises(SupervisorError, match="never was not ready"):
        supervisor.start()
    assert processes.descendants(os.getpid()) <= before


def test_waiting_for_one_child_starts_no_other_and_a_killed_supervisors_children_are_found(tmp_path: Path) -> None:
    flag, record = tmp_path / "flag", tmp_path / "processes.json"
    output = io.StringIO()
    first = Child(name="first", argv=["/bin/sh", "-c", f"sleep 0.4; touch {flag}; exec sleep 600"], ready=flag.exists)
    supervisor = Supervisor([first, Child(name="second", argv=SLEEPER)], output=output, record=record)
    before = processes.descendants(os.getpid())
    supervisor.start()
    started = processes.descendants(os.getpid()) - before
    assert len(started) == 2, "each child runs once"
    # As after a kill -9: nobody calls stop, and one of the noted numbers belongs to somebody else by now.
    noted = json.loads(record.read_text())
    record.write_text(json.dumps({**noted, str(os.getpid()): "another moment"}))
    assert end_recorded(record) == 2
    assert not processes.wait_until_gone(started, 5)
    assert not record.exists()
    supervisor.stop()


def test_a_child_alive_but_deaf_is_restarted(tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    output = io.StringIO()
    # The first run beats and then falls silent; later runs keep beating.
    script = textwrap.dedent(f"""
        import pathlib, time
        beat = pathlib.Path({str(beat)!r})
        first = not beat.exists()
        while True:
            if first:
                beat.touch()
                time.sleep(600)
            beat.touch()
            time.sleep(0.1)
    """)
    child = Child(name="worker", argv=[sys.executable, "-c", script], heartbeat_file=beat, heartbeat_seconds=1.5)
    supervisor = Supervisor([child], output=output)
    supervisor.start()
    try:
        first = supervisor.pid("worker")
        _watch(supervisor, lambda: supervisor.pid("worker") not in {None, first})
        second = supervisor.pid("worker")
        until = time.monotonic() + 2.5
        _watch(supervisor, lambda: time.monotonic() > until)
        assert supervisor.pid("worker") == second
    finally:
        supervisor.stop()
    assert output.getvalue().count("no heartbeat for") == 1


# A child that forks: one grandchild in its group, one in a session of its own; both ignore SIGTERM.
FORKER = textwrap.dedent("""
    import os, signal, sys, time
    pids = []
    for own_session in (False, True):
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if own_session:
                os.setsid()
            time.sleep(600)
        pids.append(pid)
    if len(sys.argv) > 2:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(sys.argv[1] + ".part", "w") as file:
        file.write(" ".join(map(str, [os.getpid(), *pids])))
    os.rename(sys.argv[1] + ".part", sys.argv[1])
    time.sleep(600)
""")


@pytest.mark.parametrize("stubborn", [True, False])
def test_stopping_kills_what_children_forked(tmp_path: Path, *, stubborn: bool) -> None:
    pids_file = tmp_path / "pids"
    argv = [sys.executable, "-c", FORKER, str(pids_file), *(["ignore"] if stubborn else [])]
    supervisor = Supervisor(
        [Child(name="forker", argv=argv, ready=pids_file.exists)],
        grace_seconds=0.5,
        output=io.StringIO(),
    )
    supervisor.start()
    pids = {int(each) for each in pids_file.read_text().split()}
    assert pids <= processes.parents().keys()
    started = time.monotonic()
    supervisor.stop()
    assert (0.5 if stubborn else 0) <= time.monotonic() - started < 5
    assert not pids & processes.parents().keys()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_in_reverse_order_and_leaves_nothing(tmp_path: Path, signum: signal.Signals) -> None:
    ends = tmp_path / "ends"
    polite = "trap 'echo {0} >> {1}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    script = textwrap.dedent(f"""
        import sys
        from app.infra.supervisor import Child, end_recorded, Supervisor
        Supervisor([
            Child(name="a", argv=["/bin/sh", "-c", {polite.format("a", ends)!r}]),
            Child(name="b", argv=["/bin/sh", "-c", {polite.format("b", ends)!r}]),
            Child(name="c", argv=[sys.executable, "-c", {FORKER!r}, {str(tmp_path / "pids")!r}, "ignore"]),
        ], grace_seconds=3).run(lambda: print("all up", flush=True))
        print("left", flush=True)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    ) as process:
        assert process.stdout is not None
        lines = []
        seen: set[str] = set()
        while not {"all up", "a | up", "b | up"} <= seen:
            lines.append(process.stdout.readline().strip())
            assert lines[-1], lines
            seen.add(lines[-1])
        _eventually((tmp_path / "pids").exists)
        pids = processes.descendants(process.pid)
        assert len(pids) >= 5
        os.kill(process.pid, signum)
        rest = process.stdout.read()
        assert process.wait(15) == 0
    assert "c | did not stop in time, killing it" in rest
    assert rest.endswith("left\n")
    assert ends.read_text().split() == ["b", "a"]
    assert not pids & processes.parents().keys()
