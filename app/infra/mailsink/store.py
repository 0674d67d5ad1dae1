"""Where accepted messages go: a spool folder of .eml files, and the ledger of their Message-IDs."""

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

_NAME = re.compile(r"\d{20}-\d{6}")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class MailStore:
    """The messages under one folder; safe to use from several threads, written by one process."""

    def __init__(self, folder: Path, *, keep_messages: bool = True) -> None:
        """Open ``folder`` and read its ledger; without ``keep_messages`` only the ledger is written."""
        self._messages = folder / "messages"
        self._messages.mkdir(parents=True, exist_ok=True)
        self._keep = keep_messages
        self._lock = threading.Lock()
        self._number = 0
        self._seen: Counter[str] = Counter()
        path = folder / "ledger.jsonl"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    self._seen[json.loads(line)["message_id"]] += 1
                except ValueError:  # the last line of a killed sink: that message was never acknowledged
                    continue
        self._ledger = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            os.write(self._ledger, b"\n")

    def close(self) -> None:
        """Close the ledger."""
        os.close(self._ledger)

    def accept(self, content: bytes, recipients: Sequence[str]) -> None:
        """Keep one message; when this returns it may be acknowledged.

        The system has it then, so it outlives our process; it is not forced to the disk, for a sink need not
        outlive a power loss.
        """
        head = content.partition(b"\r\n\r\n")[0]
        found = _MESSAGE_ID.search(head)
        message_id = found.group(1).decode(errors="replace") if found else ""
        with self._lock:
            self._number += 1
            name = f"{time.time_ns():020d}-{self._number:06d}"
            if self._keep:
                unfinished = self._messages / f"{name}.part"
                unfinished.write_bytes(content)
                unfinished.rename(self._messages / f"{name}.eml")
            entry = {"message_id": message_id, "at": time.time(), "to": list(recipients), "name": name}
            os.write(self._ledger, json.dumps(entry).encode() + b"\n")
            self._seen[message_id] += 1

    def times_seen(self, message_id: str) -> int:
        """Return how often a message of this id (with its angle brackets) was accepted."""
        with self._lock:
            return self._seen.get(message_id, 0)

    def count(self) -> int:
        """Return how many messages were accepted in all."""
        with self._lock:
            return self._seen.total()

    def names(self) -> list[str]:
        """Return the names of the kept messages, newest first."""
        return sorted((path.stem for path in self._messages.glob("*.eml")), reverse=True)

    def raw(self, name: str) -> bytes | None:
        """Return the message called ``name`` as it came, or None when there is none."""
        path = self._messages / f"{name}.eml"
        return path.read_bytes() if _NAME.fullmatch(name) and path.exists() else None

    def message(self, name: str, *, headers_only: bool = False) -> EmailMessage | None:
        """Return the message called ``name`` read into its parts, or None when there is none."""
        content = self.raw(name)
        if content is None:
            return None
        return BytesParser(EmailMessage, policy=default).parsebytes(content, headersonly=headers_only)
