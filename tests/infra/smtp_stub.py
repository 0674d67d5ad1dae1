"""A mail server of one script: what it answers at each moment, per message, and what it really took."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Mapping

HANG = "hang"
CLOSE = "close"
RESET = "reset"


class SmtpStub:
    """Answers well except where `script` says: moment -> reply, HANG, CLOSE or RESET.

    Moments: connect, ehlo, mail, rcpt, data, dot (before anything is kept), kept (after it is), after (once
    answered). `times` is how often the script applies before all goes well; with `pipelining` it says that
    commands may come in groups.
    """

    def __init__(self, script: Mapping[str, str], *, times: int = 10**6, pipelining: bool = False) -> None:
        self.greeting = "250-stub\r\n250 PIPELINING" if pipelining else "250 stub"
        self.script = dict(script)
        self.times = times
        self.taken: list[str] = []
        self.connections = 0
        self._stop = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(0.1)
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        self._server.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._server.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError, StopIteration), connection.makefile("rb") as lines:
            self._say(connection, "connect", "220 stub")
            while (line := lines.readline()) and not self._stop.is_set():
                # A client that begins with TLS sends any bytes.
                verb = line[:4].decode("latin-1").strip().lower()
                if verb == "ehlo":
                    self._say(connection, "ehlo", self.greeting)
                elif verb == "data":
                    if not self._say(connection, "data", "354 go on"):
                        continue
                    content = b""
                    while (line := lines.readline()) not in (b".\r\n", b""):
                        content += line
                    self._end(connection, content)
                elif verb == "quit":
                    connection.sendall(b"221 bye\r\n")
                    return
                else:
                    self._say(connection, verb, "250 ok")

    def _end(self, connection: socket.socket, content: bytes) -> None:
        if not content:
            # A group of commands went on after one was refused.
            connection.sendall(b"554 no valid recipients\r\n")
            return
        found = re.search(rb"(?im)^message-id: (\S+)", content)
        message_id = found.group(1).decode() if found else ""
        if "dot" in self.script and self.times > 0:
            self._say(connection, "dot", "")
            return
        self.taken.append(message_id)
        self._say(connection, "kept", "250 kept")
        self._say(connection, "after", "")

    def _say(self, connection: socket.socket, moment: str, well: str) -> bool:
        """Send a reply; returns whether it was the good one."""
        told = self.script.get(moment) if self.times > 0 else None
        if told is not None:
            self.times -= 1
        if told == HANG:
            while not self._stop.is_set():
                time.sleep(0.05)
            raise StopIteration
        if told in (CLOSE, RESET):
            if told == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.close()
            raise StopIteration
        if told or well:
            connection.sendall((told or well).encode() + b"\r\n")
        if told and told.startswith("421"):
            connection.close()
            raise StopIteration
        return told is None
