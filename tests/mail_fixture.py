"""A mail server of this test's own, and an installation that sends through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.features.messaging.relay import relay_of
from app.infra.mailsink.launch import MailSink, start_mailsink
from app.infra.runtime import Runtime


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    """A running mail sink that can be told to fail."""
    sink = start_mailsink(tmp_path / "sink")
    yield sink
    relay_of(f"smtp://127.0.0.1:{sink.smtp_port}").close()
    sink.stop()


@pytest.fixture
def mailing(runtime: Runtime, sink: MailSink) -> Runtime:
    """`runtime`, sending through `sink` and able to ask it."""
    settings = replace(
        runtime.settings, smtp_url=f"smtp://127.0.0.1:{sink.smtp_port}", mail_lookup_url=sink.url + "/lookup"
    )
    return replace(runtime, settings=settings)
