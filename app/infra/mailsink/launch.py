"""Start a sink as a process of its own, as the demonstration, the tests and the benchmarks do."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode


@dataclass(eq=False)
class MailSink:
    """A running sink."""

    smtp_port: int
    http_port: int
    process: "subprocess.Popen[bytes]" = field(repr=False)
    host: str = "127.0.0.1"

    @property
    def pid(self) -> int:
        """The sink's process id."""
        return self.process.pid

    @property
    def url(self) -> str:
        """The address of its pages, without a slash at the end."""
        return f"http://{self.host}:{self.http_port}"

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - always http to ourselves
            self.url + path, data=body, method="GET" if body is None else "PUT"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            return json.load(answer)

    def times_seen(self, message_id: str) -> int:
        """Return how often it accepted the message of this id (with its angle brackets)."""
        return int(self._ask("/lookup?" + urlencode({"message_id": message_id}))["times"])

    def set_rules(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Make it fail as ``rules`` say (see ``faults``); an empty list ends that."""
        self._ask("/rules", json.dumps(list(rules)).encode())

    def stop(self) -> None:
        """Ask it to end and wait for it."""
        self.process.terminate()
        self.process.wait(15)

    def kill(self) -> None:
        """Kill it at once, as a crash would; what it acknowledged stays."""
        self.process.kill()
        self.process.wait()


def start_mailsink(
    folder: Path,
    *,
    keep_messages: bool = True,
    rules: Iterable[Mapping[str, Any]] = (),
    smtp_port: int = 0,
    http_port: int = 0,
) -> MailSink:
    """Start a sink on ``folder`` and return once it listens; a second start goes on with the same ledger.

    ``keep_messages=False`` keeps the ledger only. Raises RuntimeError when it is not ready in 20 seconds.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    rules_file = folder / "rules.json"
    rules_file.write_text(json.dumps(list(rules)), encoding="utf-8")
    process = subprocess.Popen(  # noqa: S603 - our own program
        [
            sys.executable,
            "-m",
            "app.infra.mailsink",
            f"--spool={folder}",
            f"--smtp-port={smtp_port}",
            f"--http-port={http_port}",
            f"--ready-file={ready}",
            f"--rules={rules_file}",
            *([] if keep_messages else ["--no-spool"]),
        ],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for its owner, who stops it in turn
    )
    deadline = time.monotonic() + 20
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RuntimeError("The mail sink did not start; its own lines above say why.")
        time.sleep(0.02)
    ports = json.loads(ready.read_text(encoding="utf-8"))
    return MailSink(smtp_port=ports["smtp_port"], http_port=ports["http_port"], process=process)
