"""The server of the browser tests leaves nothing behind when a browser goes away before its answer has ended."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.served import serving

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class _Body:
    def __init__(self, begun: threading.Event, left: threading.Event, closed: threading.Event) -> None:
        self._begun, self._left, self._closed = begun, left, closed

    def __iter__(self) -> Iterator[bytes]:
        yield b"a"
        self._begun.set()
        self._left.wait(10)

    def close(self) -> None:
        self._closed.set()


def test_a_browser_that_leaves_early_leaves_no_body_open() -> None:
    begun, left, closed = threading.Event(), threading.Event(), threading.Event()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1")])
        return _Body(begun, left, closed)

    with serving(answer) as address:
        where = urlsplit(address)
        browser = socket.create_connection((where.hostname, where.port))
        browser.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert begun.wait(10)
        # Closing with nothing lingering resets the connection, as a browser does that goes to another page.
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        browser.close()
        left.set()
        assert closed.wait(10)
