"""Make due prompts and hand them to a mail server; the floor sends the same messages in a bare loop.

Both sides use one process per core with one connection each, as an installation's workers do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text

from app.bench.assign import FLOOR as GIVE_PLANS
from app.bench.assign import START, prepare
from app.bench.harness import Measured, Place, interleaved, stopwatch
from app.composition import prompt_organization
from app.config import Settings
from app.domain import access
from app.infra.mailsink.launch import start_mailsink
from app.infra.runtime import Runtime

_PROCESSES = os.cpu_count() or 1
# A worker as it runs in an installation: says when it has started, then works until nothing is due.
_WORKER = """
import os, sys
from datetime import timedelta
from uuid import UUID
from app.composition import prompt_organization
from app.config import load
from app.infra.queue import SilentDoorbell
from app.infra.runtime import make_runtime
runtime = make_runtime(load(os.environ), doorbell=SilentDoorbell())
runtime.database.ready()
print("ready", flush=True)
organization = UUID(sys.stdin.readline().strip())
until = runtime.clock() + timedelta(minutes=10)
while prompt_organization(runtime, organization, until=until, senders=1):
    pass
print("done", flush=True)
"""
# A connection and a loop and nothing else.
_BARE = """
import json, smtplib, socket, sys
port, source = int(sys.argv[1]), sys.argv[2]
messages = [(to, content.encode()) for to, content in json.load(open(source, encoding="utf-8"))]
print("ready", flush=True)
sys.stdin.readline()
with smtplib.SMTP("127.0.0.1", port) as connection:
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for to, content in messages:
        connection.sendmail("octant@example.org", [to], content)
print("done", flush=True)
"""


def due(place: Place, clients: int) -> UUID:
    """An organization whose `clients` plans are all due now."""
    organization, _, template = prepare(place, clients)
    with place.superuser() as connection:
        connection.execute(GIVE_PLANS, {"o": organization, "t": template, "d": START})
        connection.execute(
            "UPDATE plans SET next_review_on = current_date + 14, next_prompt_at = now() - interval '1 hour',"
            " review_set = true"
            " WHERE organization_id = %s",
            (organization,),
        )
    return organization


def _sample(runtime: Runtime, place: Place, folder: Path) -> bytes:
    """One prompt as it leaves, headers and all."""
    with_spool = start_mailsink(folder)
    try:
        settings = replace(runtime.settings, smtp_url=f"smtp://127.0.0.1:{with_spool.smtp_port}")
        until = runtime.clock() + timedelta(minutes=1)
        prompt_organization(replace(runtime, settings=settings), due(place, 1), until=until)
        return next(iter(sorted(folder.rglob("*.eml")))).read_bytes()
    finally:
        with_spool.stop()


def _run_all(script: str, arguments: list[list[str]], begin: str, settings: Settings) -> float:
    """Seconds from telling every process to begin until the last says it is done."""
    processes = [
        subprocess.Popen(  # noqa: S603 # our own script
            [sys.executable, "-c", script, *given],
            env={**os.environ, **settings.environ()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for given in arguments
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    with stopwatch() as seconds:
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(begin + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "done\n"
        taken = seconds()
    for process in processes:
        process.communicate()
    return taken


def measure(place: Place, clients: int, *, limit: float | None, runs: int = 5) -> Measured:
    """From plans that are due to every mail accepted and noted as sent."""
    folder = place.folder / uuid4().hex
    sink = start_mailsink(folder / "sink", keep_messages=False)
    settings = replace(
        place.settings, smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}", mail_lookup_url=f"{sink.url}/lookup"
    )
    runtime = replace(place.runtime, settings=settings)
    try:
        sample = _sample(runtime, place, folder / "sample")
        organizations = [due(place, clients) for _ in range(runs)]
        place.settle()

        def floor(_: int) -> float:
            messages = []
            for number in range(clients):
                message = message_from_bytes(sample, policy=SMTP)
                message.replace_header("Message-ID", f"<{uuid4()}@example.org>")
                messages.append((f"client{number}@example.org", message.as_bytes().decode()))
            parts = []
            for n in range(_PROCESSES):
                part = folder / f"messages-{n}.json"
                part.write_text(json.dumps(messages[n::_PROCESSES]), encoding="utf-8")
                parts.append([str(sink.smtp_port), str(part)])
            return _run_all(_BARE, parts, "", settings)

        def ours(run: int) -> float:
            taken = _run_all(_WORKER, [[]] * _PROCESSES, str(organizations[run]), settings)
            with runtime.database.unit_of_work(access.system(organizations[run])) as uow:
                sent = uow.session.execute(text("SELECT count(*) FROM messages WHERE state = 'sent'")).scalar_one()
            assert sent == clients, sent
            return taken

        return interleaved("make and send due prompts", clients, floor, ours, limit=limit, runs=runs)
    finally:
        sink.stop()
