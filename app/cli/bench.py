"""`octant bench`: each large job against its floor, as a table and as `bench.json`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from app.cli.ending import ended_by_signals


@click.command()
@click.option("--only", default="", help="Names with commas, also memory; all by default.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(1), help="Interleaved runs of each.")
@click.option("--growth/--no-growth", default=True, help="Also measure 1,000, 10,000 and 100,000 side by side.")
@click.option("--out", default="bench.json", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
def bench(only: str, runs: int, growth: bool, out: Path) -> None:
    """Measure, print the table, write the file; code 1 when a limit is not kept."""
    from app.bench import run_all  # noqa: PLC0415 # imports the whole product
    from app.bench.harness import machine, table, write_json  # noqa: PLC0415 # as above
    from app.infra.embedded import remove_data  # noqa: PLC0415 # as above
    from app.infra.logs import configure_logging  # noqa: PLC0415 # as above

    # Requests are answered in this process too, and their lines would stand between the results.
    configure_logging("text", "WARNING")

    wanted = [name for name in only.split(",") if name]
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="octant-bench-") as name:
        folder = Path(name)
        try:
            rows = run_all(folder, wanted=wanted, runs=runs, growth=growth, say=click.echo)
        finally:
            remove_data(folder)
            folder.mkdir(exist_ok=True)
    click.echo(f"\n{machine()}\n\n{table(rows)}")
    write_json(rows, out)
    raise SystemExit(0 if all(row.kept for row in rows) else 1)
