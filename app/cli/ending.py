"""Orderly ends: a signal raises where the work is, so that what was started is stopped and removed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Ended(SystemExit):
    """Somebody asked the command to end; uncaught it ends with the code of a process ended by TERM."""

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn Ctrl-C, TERM and a closed terminal into one `Ended`; a second signal does not disturb the end."""
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)

    def end(_number: int, _frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Ended

    for each in signals:
        signal.signal(each, end)
    if signal.SIGHUP in signals:
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    yield
