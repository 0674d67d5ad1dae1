"""`octant demo`: the demonstration, kept running or run once."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from app.cli.ending import Ended, ended_by_signals
from app.demo.answer_work import read_instrument
from app.demo.build import Build, DemoError, Inputs, Stopped
from app.demo.collect import LOG, clear, collect
from app.demo.phases import PHASES
from app.demo.signs import sign_in_lines
from app.demo.stack import Stack
from app.domain.errors import FieldProblem, InvalidInput
from app.domain.instruments import DefinitionError, parse_definition
from app.infra.embedded import EmbeddedServerError, remove_data
from app.infra.logs import configure_logging
from app.infra.runtime import make_runtime
from app.infra.supervisor import Supervisor, SupervisorError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATH = click.Path(exists=True, path_type=Path)


@click.group()
def demo() -> None:
    """The demonstration: private servers, made-up people and the three main jobs."""


def _files(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name files of the user."""
    for option in (
        click.option("--bls", type=_PATH, help="Employment projections: XLSX, CSV or a folder."),
        click.option(
            *("--onet", "onet"),
            multiple=True,
            type=_PATH,
            help="An O*NET text download, folder or ZIP; once more for an older one with tables it lacks.",
        ),
        click.option("--responses", type=_FILE, help="Answers to it, CSV; without ids, in the order of the roster."),
        click.option(
            "--instrument", type=_FILE, help="A questionnaire of yours: a JSON definition or a CSV table of items."
        ),
    ):
        command = option(command)
    return command


@demo.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port of the pages.")
@click.option(
    *("--data", "folder"), default=".octant", show_default=True, type=click.Path(path_type=Path, file_okay=False)
)
@click.option("--clients", default=300, show_default=True, type=click.IntRange(20, 100_000), help="People to make up.")
@_files
def up(
    *,
    port: int,
    folder: Path,
    clients: int,
    instrument: Path | None,
    responses: Path | None,
    onet: tuple[Path, ...],
    bls: Path | None,
) -> None:
    """Start everything, print how to sign in, and keep running until Ctrl-C or TERM."""
    inputs = Inputs(instrument=instrument, responses=responses, onet=onet, bls=bls)
    _check(inputs)
    say = _Teller()
    with _ending(say), Stack(folder, say, port=port, size=clients) as stack:
        if inputs and "reporting" in stack.keep.phases:
            say(f"The files named are passed over: {folder} holds a demonstration that is built. make clean-demo")
        say("Starting web, workers, beat and the mail page")
        failed = _supervise(stack, say, web=True, stay=True, inputs=inputs)
    if failed:
        sys.exit(1)


@demo.command("run")
@click.option("--clients", default=300, show_default=True, type=click.IntRange(20, 200_000), help="People to make up.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--roster", type=_FILE, help="A roster of yours, CSV or XLSX, instead of made-up people.")
@_files
def run_once(
    *,
    clients: int,
    out: Path,
    roster: Path | None,
    instrument: Path | None,
    responses: Path | None,
    onet: tuple[Path, ...],
    bls: Path | None,
) -> None:
    """Run the three main jobs once with real workers, write what they made into a folder, and end."""
    inputs = Inputs(roster=roster, instrument=instrument, responses=responses, onet=onet, bls=bls)
    # Before anything is started: what is wrong with a file or the folder is said at once.
    _check(inputs)
    try:
        clear(out)
    except DemoError as error:
        raise click.ClickException(str(error)) from None
    say = _Teller()
    failed = True
    folder = Path(tempfile.mkdtemp(prefix="octant-demo-"))
    try:
        with _ending(say, last=""), Stack(folder, say, size=clients) as stack:
            say("Starting workers and the mail sink")
            failed = _supervise(stack, say, web=False, stay=False, inputs=inputs, out=out)
    finally:
        if failed and (log := folder / "octant.log").exists():
            out.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, out / LOG)
        remove_data(folder)
    if failed:
        sys.exit(1)


def _check(inputs: Inputs) -> None:
    """Refuse, with a sentence, a questionnaire that cannot be loaded or stands without its answers."""
    if inputs.instrument is None:
        return
    if inputs.responses is None:
        raise click.UsageError("--instrument needs --responses: made-up answers fit only what comes with Octant.")
    try:
        parse_definition(read_instrument(inputs.instrument))
    except (DemoError, InvalidInput, DefinitionError, UnicodeDecodeError) as error:
        raise click.ClickException(_told(error, inputs.instrument)) from None


def _told(error: Exception, instrument: Path | None) -> str:
    """What is wrong, in sentences, with the file it is wrong in."""
    problems: Sequence[FieldProblem] | None = getattr(error, "problems", None)
    if problems:
        said = "\n".join(f"  {problem.field}: {problem.sentence}" for problem in problems)
        return f"{instrument and instrument.name} is no questionnaire that can be loaded:\n{said}"
    if isinstance(error, UnicodeDecodeError):
        return f"{instrument and instrument.name} is not written in UTF-8. Save it so and start again."
    return str(error)


def _supervise(
    stack: Stack, say: _Teller, *, web: bool, stay: bool, inputs: Inputs | None = None, out: Path | None = None
) -> bool:
    """Run the processes and build the demonstration beside them; returns whether it failed."""
    # Some work is done by this process, in the past; the terminal tells of phases, and of what goes wrong.
    configure_logging("text", "WARNING")
    log = stack.folder / "octant.log"
    if log.exists():
        log.replace(log.with_name("octant.log.1"))
    with log.open("w", encoding="utf-8") as lines:
        supervisor = Supervisor(stack.children(web=web), output=lines, record=stack.record)
        stopping, serving = threading.Event(), threading.Event()
        faults: list[BaseException] = []

        def build() -> None:
            runtime = make_runtime(stack.settings())
            work = Build(
                runtime=runtime,
                keep=stack.keep,
                say=say,
                stopping=stopping,
                folder=stack.folder,
                inputs=inputs or Inputs(),
                owner_url=stack.owner_url,
            )
            try:
                work.run(PHASES)
                if stay:
                    serving.wait()
                    if not stopping.is_set():
                        say.block(sign_in_lines(stack))
                    return
                if out is not None:
                    say(f"Writing what was made into {out}")
                    collect(work, stack.mail_folder, out)
            except Stopped:
                pass
            except BaseException as fault:
                faults.append(fault)
            finally:
                runtime.database.dispose()
            supervisor.request_stop()

        # Beside the start of the processes, which is most of the wait.
        builder = threading.Thread(target=build, name="build")
        builder.start()
        try:
            supervisor.run(on_ready=serving.set)
        except SupervisorError as error:
            say(f"{error} They are in {log if out is None else out / LOG}.")
            return True
        finally:
            stopping.set()
            serving.set()
            builder.join()
    for fault in faults:
        # What is run once leaves its log beside its results; the folder of the servers is removed.
        say.fault(fault, log, kept=log if out is None else out / LOG)
    return bool(faults)


class _Teller:
    """Writes one line per phase, each with the seconds since the start."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __call__(self, sentence: str) -> None:
        click.echo(f"{time.monotonic() - self._begun:5.1f} s  {sentence}")

    def block(self, lines: list[str]) -> None:
        click.echo("\n" + "\n".join(lines) + "\n")

    def fault(self, error: BaseException, log: Path, *, kept: Path) -> None:
        import traceback  # noqa: PLC0415 # only where something went wrong

        with log.open("a", encoding="utf-8") as lines:
            traceback.print_exception(error, file=lines)
        self(f"The demonstration could not be built: {str(error).rstrip('.')}. More is in {kept}.")


@contextmanager
def _ending(
    say: _Teller, *, last: str = "Stopped; the data stay. Start again with the same command to go on."
) -> Iterator[None]:
    """Turn Ctrl-C, TERM and a closed terminal into an orderly end; a second one does not disturb it."""
    try:
        with ended_by_signals():
            yield
    except Ended:
        pass
    except EmbeddedServerError as error:
        say(str(error))
        sys.exit(2)
    if last:
        say(last)
