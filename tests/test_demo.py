"""The demonstration as a user runs it: a process of its own with real servers, workers and mail."""

from __future__ import annotations

import http.cookiejar
import io
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator
from email import policy as email_policy
from email.parser import BytesParser
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from app.cli.demo import demo
from app.infra import processes
from app.infra.embedded import remove_data

ROOT = Path(__file__).resolve().parents[1]
OCTANT = (sys.executable, "-m", "app.cli")


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    remove_data(folder)


def _start(folder: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [*OCTANT, "demo", "up", "--port", str(port), "--data", str(folder), "--clients", "24"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_printed(log: Path, words: str, process: subprocess.Popen[bytes], seconds: float = 200) -> str:
    deadline = time.monotonic() + seconds
    while words not in (said := log.read_text("utf-8")):
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
    return said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sign_in(address: str, email: str, password: str) -> str:
    """Sign in as a browser would, following redirects; returns the page one lands on."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(f"{address}/sign-in", timeout=20).read().decode()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token is not None
    form = {"csrf_token": token[1], "email": email, "password": password}
    answer = browser.open(f"{address}/sign-in", urllib.parse.urlencode(form).encode(), timeout=20)
    assert answer.status == 200
    return str(answer.read().decode())


@pytest.mark.fault
def test_demo_up_serves_survives_a_kill_and_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    log, port = tmp_path / "terminal.log", _free_port()
    first = _start(data, port, log)
    family: set[int] = set()
    try:
        said = _wait_until_printed(log, "Ctrl-C stops everything", first)
        password = re.search(r"Password +(\S+)", said)
        assert password is not None
        assert len(password[1]) >= 15
        assert (data / "demo.json").stat().st_mode & 0o077 == 0
        assert "Harbour University Careers" in _sign_in(
            f"http://127.0.0.1:{port}", "admin@harbour.example.org", password[1]
        )
        # Killed whole: servers and workers live on without their owner, and the next start takes over.
        family = processes.descendants(first.pid)
        first.kill()
        first.wait()
        assert family & processes.parents().keys()
        log.write_text("")
        second = _start(data, port, log)
        try:
            said = _wait_until_printed(log, "Ctrl-C stops everything", second)
            assert password[1] in said, "the second start goes on with the same sign-ins"
            assert not family & processes.parents().keys()
            family = processes.descendants(second.pid)
            assert len(family) > 8
        finally:
            second.send_signal(signal.SIGTERM)
        assert second.wait(40) == 0
        assert not processes.wait_until_gone(family, 5)
    finally:
        if first.poll() is None:
            first.kill()
            first.wait()


def test_a_taken_port_is_answered_with_a_sentence(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*OCTANT, "demo", "up", "--port", str(port), "--data", str(data)],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert f"Port {port} is in use by another program. Choose another one: make demo PORT={port + 1}" in done.stderr


def test_demo_run_does_the_three_jobs_and_hands_out_what_they_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        [*OCTANT, "demo", "run", "--clients", "60", "--out", str(out)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((out / "summary.json").read_text())
    counts = summary["counts"]
    expected = {"roster_rows": 63, "roster_bad_rows": 3, "clients": 60, "plans": 60, "assessments": 45, "reports": 60}
    assert {name: counts[name] for name in expected} == expected
    assert set(summary["seconds"]) >= {"roster", "assignment", "scoring", "prompting", "reporting"}

    left = [BytesParser(policy=email_policy.default).parsebytes(p.read_bytes()) for p in out.glob("mails/*.eml")]
    told = [mail for mail in left if mail["Subject"] == "What came of your check-in"]
    assert told, "whoever answered is told what came of it"
    asked = [mail for mail in left if mail["Subject"] == "What became of you?"]
    # At an hour at which no mail may come they wait for the morning.
    waiting = counts["mails_waiting"].get("outcome_asked", 0)
    assert len(asked) + waiting > 0, "who graduated and has not said what became of them is asked"
    # Of schedules, to members; by night they wait.
    ready = [mail for mail in left if str(mail["Subject"]).endswith("is ready")]
    mails = [mail for mail in left if mail not in told and mail not in asked and mail not in ready]
    # A mail for each plan that was due and whose client has an address; no Message-ID and no person twice.
    assert counts["messages"] == {"sent": len(mails) - counts["mails_that_say_why"]}
    bodies = [body.get_content() for mail in mails if (body := mail.get_body(("plain",))) is not None]
    why = [said for said in bodies if "Why we ask now:" in said]
    assert len(why) == counts["mails_that_say_why"] > 0, "a trigger's mail says why, and no other"
    assert 0 < len(mails) - len(why) <= counts["plans_due"]
    assert len({mail["Message-ID"] for mail in mails}) == len({mail["To"] for mail in mails}) == len(mails)
    assert all("/check-in/" in said for said in bodies)
    assert len(bodies) == len(mails)
    assert counts["earlier_check_ins"] > 0, "what is counted as answered in time was answered"
    assert counts["reviews_answered"] >= counts["changes_asked_for"] >= counts["plans_revised"] >= 1

    with zipfile.ZipFile(out / "cohort.zip") as archive:
        assert archive.testzip() is None
        reports = [name for name in archive.namelist() if name.endswith(".pdf")]
        assert len(reports) == 60
        assert len(PdfReader(io.BytesIO(archive.read(reports[0]))).pages) >= 1
    book = openpyxl.load_workbook(out / "cohort.xlsx", read_only=True)
    # Headings above, one row for each person.
    assert any((sheet.max_row or 0) > 60 for sheet in book.worksheets)
    book.close()


_ITEMS = """index,domain,key,text
1,Drive,1,I begin things.
2,Drive,-1,I leave things lying.
3,Calm,1,I stay calm.
4,Calm,1,I sleep well.
"""


@pytest.mark.timeout(600)
def test_demo_run_on_files_of_the_user_into_a_folder_of_an_earlier_run(tmp_path: Path) -> None:
    people = [f"P{n:03d},Given{n},Family{n},p{n}@example.org" for n in range(1, 31)]
    roster, instrument, responses = (tmp_path / name for name in ("people.csv", "drive.csv", "answers.csv"))
    roster.write_text("\n".join(["id,given name,family name,e-mail", *people]) + "\n")
    instrument.write_text(_ITEMS)
    answers = [f"P{n:03d},{n % 5 + 1},{(n + 1) % 5 + 1},3,4" for n in range(1, 21)] + ["X1,1,2,3,4", "X2,1,2,3,4"]
    responses.write_text("\n".join(["id,1,2,3,4", *answers]) + "\n")
    out = tmp_path / "out"
    (out / "mails").mkdir(parents=True)
    (out / "mails" / "old.eml").write_text("of an earlier run")
    (out / "summary.json").write_text("{}")
    (out / "notes.txt").write_text("mine")
    files = {"--out": out, "--roster": roster, "--instrument": instrument, "--responses": responses}
    done = subprocess.run(
        [*OCTANT, "demo", "run", *(str(part) for pair in files.items() for part in pair)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Importing the people in people.csv" in done.stdout
    assert "made-up people" not in done.stdout
    assert "2 of 22 answer rows of answers.csv were left out" in done.stdout
    summary = json.loads((out / "summary.json").read_text())
    expected = {
        "clients": 30,
        "plans": 30,
        "reports": 30,
        "assessments": 20,
        "answer_rows": 22,
        "answer_rows_left_out": 2,
    }
    assert {name: summary["counts"][name] for name in expected} == expected
    assert summary["ran_on"] == {
        "roster": "people.csv",
        "instrument": "drive.csv",
        "responses": "answers.csv",
        "catalogue": "the starter catalogue",
    }
    assert len(list((out / "mails").glob("*.eml"))) == summary["counts"]["mails"]
    assert not (out / "mails" / "old.eml").exists()
    assert (out / "notes.txt").read_text() == "mine"


def test_demo_run_says_at_once_what_is_wrong_with_a_file_or_the_folder(tmp_path: Path) -> None:
    good = tmp_path / "answers.csv"
    good.write_text("id,1\nP1,1\n")
    for name, content, said in (
        ("broken.json", b"{", "broken.json is not readable as a JSON object."),
        ("list.json", b"[1]", "list.json is not readable as a JSON object."),
        ("empty.json", b"{}", "empty.json is no questionnaire that can be loaded:"),
        ("latin.csv", "index,domain,key,text\n1,Größe,1,x\n".encode("latin-1"), "latin.csv is not written in UTF-8."),
    ):
        (tmp_path / name).write_bytes(content)
        named = ["--instrument", str(tmp_path / name), "--responses", str(good)]
        done = CliRunner().invoke(demo, ["run", "--out", str(tmp_path / "out"), *named])
        assert done.exit_code == 1
        assert said in done.output
        assert "Starting" not in done.output, "no server was started for it"
        assert not (tmp_path / "out").exists()
    theirs = tmp_path / "theirs" / "mails"
    theirs.mkdir(parents=True)
    (theirs / "a.eml").write_text("somebody's own")
    done = CliRunner().invoke(demo, ["run", "--out", str(tmp_path / "theirs")])
    assert done.exit_code == 1
    assert "holds mails that are not of an earlier run. Name another folder with --out." in done.output
    assert (theirs / "a.eml").exists()
