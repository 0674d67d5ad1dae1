"""The `octant` command. Each subject has a module of its own; errors are printed as sentences."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import ClassVar

import click

from app.config import ConfigurationError, Settings, load
from app.domain.errors import OctantError


def settings_from_environment() -> Settings:
    """Settings of this process; raises ConfigurationError naming each variable at fault."""
    return load(os.environ)


class _Subjects(click.Group):
    """Imports a subject's module when it is asked for: a process that serves must not wait for the benchmarks."""

    subjects = (
        "assign",
        "bench",
        "bounce",
        "db",
        "demo",
        "drill",
        "duplicates",
        "edit",
        "extract",
        "filter",
        "import",
        "label",
        "move",
        "organization",
        "outcomes",
        "queue",
        "rollout",
        "run",
        "schedule",
        "science",
        "template",
    )
    # Modules that are called otherwise than their command, because the word is Python's own or one of many things.
    modules: ClassVar = {"filter": "filters", "import": "catalogue", "label": "labels", "queue": "queues"}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """The subjects by name."""
        return list(self.subjects)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click gives it
        """The command group of one subject; None for a word that is no subject."""
        if cmd_name not in self.subjects:
            return None
        module = self.modules.get(cmd_name, cmd_name)
        command: click.Command = getattr(import_module(f"app.cli.{module}"), module)
        return command


@click.group(cls=_Subjects)
def cli() -> None:
    """Octant: career plans in eight steps, for many clients of many organizations."""


def main() -> None:
    """Entry point of the `octant` command; expected errors end with their sentence and code 2."""
    # Octant's matrix products are small (six columns): threads of the linear algebra would only wait for each other,
    # and took four times the processor time. Read when NumPy is loaded, here and in every process started from here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        cli(prog_name="octant")
    except (OctantError, ConfigurationError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
