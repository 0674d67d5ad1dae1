"""Servers of a test's own, as the measurements have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bench.harness import Place
from app.infra.embedded import remove_data


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A database and a broker, whose data is deleted afterwards."""
    made = Place(tmp_path)
    yield made
    made.stop()
    remove_data(tmp_path / "postgres")
    remove_data(tmp_path / "valkey")
