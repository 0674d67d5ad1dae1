"""The `octant` command within the test's own process: as fast as what it does."""

from __future__ import annotations

from dataclasses import dataclass

from click.testing import CliRunner

from app.cli import cli
from app.domain.errors import OctantError
from app.infra.runtime import Runtime


@dataclass(frozen=True)
class Said:
    """The code a command ended with, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def octant_here(runtime: Runtime, *words: str) -> Said:
    """What `octant WORDS` says on the test's installation; a process of its own would take seconds to start."""
    done = CliRunner(env=runtime.settings.environ()).invoke(cli, words)
    if isinstance(done.exception, OctantError):
        # As `main` ends it.
        return Said(2, done.stdout, f"{done.exception}\n")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)
