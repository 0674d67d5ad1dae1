"""Feeds documents to typesetting children and takes their PDFs; a child that dies or hangs is replaced."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from app.infra.pdf.frames import receive, send

_ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = _ROOT / "app" / "templates"
Key = TypeVar("Key", bound=Hashable)
# Documents asked for one by one that are printed, or wait for a child, at the same time.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Printed:
    """One finished document: its bytes, or why there are none; and the characters no font here can print."""

    pdf: bytes
    problem: str | None = None
    missing: tuple[str, ...] = ()


class Press:
    """Typesets documents on `size` children (one per core if not said), each with a memory limit in MiB.

    A document is a JSON object; its `moment` (seconds since 1970) becomes the PDF's date. One that takes longer
    than `seconds` or kills its child is answered with a problem, and the others go on.
    Children start with the first document and end with this process or `close`.
    """

    def __init__(
        self, *, size: int | None = None, seconds: float = 20.0, memory: int = 512, templates: Path = TEMPLATES
    ) -> None:
        self.seconds = seconds
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        self._children = [_Child(memory, templates) for _ in range(size or os.cpu_count() or 1)]
        for child in self._children:
            self._idle.put(child)
        # Who prints or waits holds one of the few threads of a web process (four), and with all of them the site.
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self.patience = 2.0

    def print_one(self, template: str, document: Mapping[str, Any]) -> Printed:
        """Typeset one document now; waits for a free child for at most the time limit, a moment where others wait."""
        busy = Printed(b"", "Too many reports are being made. Try again in a moment.")
        if not self._room.acquire(timeout=self.patience):
            return busy
        try:
            child = self._idle.get(timeout=self.seconds)
        except queue.Empty:
            self._room.release()
            return busy
        try:
            (_, printed), *_ = child.run(template, iter([(None, document)]), self.seconds)
            return printed
        finally:
            self._idle.put(child)
            self._room.release()

    def print_each(
        self, template: str, documents: Iterator[tuple[Key, Mapping[str, Any]]]
    ) -> Iterator[tuple[Key, Printed]]:
        """Typeset many documents on all children, yielding each as it is done.

        The next ones are made while others are typeset, so that neither side waits for the other.
        """
        results: queue.SimpleQueue[tuple[Key, Printed] | BaseException | None] = queue.SimpleQueue()
        shared = _Shared(documents)
        stop = threading.Event()

        def feed() -> None:
            child = self._idle.get()
            try:
                for result in child.run(template, shared, self.seconds):
                    results.put(result)
                    if stop.is_set():
                        child.end()
                        break
            except BaseException as error:  # handed to the thread that asked
                results.put(error)
            finally:
                self._idle.put(child)
                results.put(None)

        threads = [threading.Thread(target=feed, daemon=True) for _ in self._children]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                result = results.get()
                if result is None:
                    running -= 1
                elif isinstance(result, BaseException):
                    raise result
                else:
                    yield result
        finally:
            stop.set()

    def close(self) -> None:
        """End every child."""
        for child in self._children:
            child.end()


class _Shared(Iterator[Any]):
    """One iterator that several threads take from."""

    def __init__(self, inner: Iterator[Any]) -> None:
        self.inner = inner
        self.lock = threading.Lock()

    def __next__(self) -> Any:
        with self.lock:
            return next(self.inner)


class _Child:
    """One typesetting process, started when needed."""

    def __init__(self, memory: int, templates: Path) -> None:
        self.memory = memory
        self.templates = templates
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, template: str, documents: Iterator[Any], seconds: float) -> Iterator[tuple[Any, Printed]]:
        """Typeset documents one after the other, the next one always waiting in the pipe."""
        sent: deque[tuple[Any, tuple[bytes, bytes]]] = deque()
        more = True
        while more or sent:
            while more and len(sent) < 2:
                try:
                    key, document = next(documents)
                except StopIteration:
                    more = False
                    break
                head = {"template": template, "moment": int(document.get("moment", 0))}
                parts = (json.dumps(head).encode(), json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
                sent.append((key, parts))
                self._send(parts)
            if not sent:
                return
            answer = self._answer(seconds)
            key, _ = sent.popleft()
            if isinstance(answer, Printed):
                yield key, answer
                continue
            self.end()
            yield key, Printed(b"", answer)
            # The one behind it was lost with the child and is sent again.
            for _, waiting in sent:
                self._send(waiting)

    def _send(self, parts: tuple[bytes, bytes]) -> None:
        process = self._process()
        assert process.stdin is not None
        # A child that died meanwhile is noticed when its answer is read.
        with contextlib.suppress(BrokenPipeError):
            send(process.stdin, *parts)

    def _answer(self, seconds: float) -> Printed | str:
        process = self._process()
        assert process.stdout is not None
        if not select.select([process.stdout], [], [], seconds)[0]:
            return f"Typesetting took longer than {seconds:g} seconds."
        try:
            status, pdf = receive(process.stdout), receive(process.stdout)
        except EOFError:
            status = pdf = None
        if status is None or pdf is None:
            return "Typesetting needed more memory than it may use, or stopped."
        said = json.loads(status)
        return Printed(pdf, said.get("problem"), tuple(said.get("missing", ())))

    def _process(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            # The arguments are constants of this program.
            self.process = subprocess.Popen(  # noqa: S603 - see above
                [sys.executable, "-m", "app.infra.pdf.child", str(self.memory), str(self.templates)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # Nothing of this process's environment: the child needs no secret. One thread and one heap
                # keep its memory small; the cores are used by several children.
                env={"PYTHONPATH": str(_ROOT), "RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
                start_new_session=True,
            )
        return self.process

    def end(self) -> None:
        """Kill the process, if it runs, and forget it."""
        if self.process is None:
            return
        process, self.process = self.process, None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        process.wait()


@cache
def _press_of(_process_id: int, size: int | None) -> Press:
    return Press(size=size)


def press(size: int | None = None) -> Press:
    """This process's press of `size` children (one per core if not said), made on first use.

    A forked process gets its own. What is one of several worker processes asks for one child: the processes are
    one per core already, and each child more would only have to learn the same fonts and drawings once more.
    """
    return _press_of(os.getpid(), size)
