"""`octant bounce`: what a mail server hands a mail to that came back."""

from __future__ import annotations

import sys

import click
from sqlalchemy.exc import SQLAlchemyError

from app.cli import settings_from_environment
from app.features.messaging.bounces import Taken, take_bounce
from app.infra.runtime import make_runtime

# A notification says what it has to in its first part; the mail it is about may be appended whole.
_MOST_BYTES = 4 * 1024 * 1024
# Mail servers keep a mail and come again when a program ends with this (EX_TEMPFAIL of sysexits.h).
_COME_AGAIN = 75
_SAID = {
    Taken.NOT_OURS: "Not the return address of a mail of this installation: passed over.",
    Taken.NO_REPORT: "No delivery status notification: passed over.",
    Taken.NOT_YET: "The mail may still arrive: nothing to do.",
    Taken.RETURNED: "The mail did not arrive. It is noted, and who looks after its reader is told.",
    Taken.GONE: "The address does not exist. No more mail is sent to it, and who looks after its reader is told.",
}


@click.command()
@click.option("--recipient", default="", help="The address the mail came to, such as Postfix's ${recipient}.")
def bounce(recipient: str) -> None:
    """Take a mail that came back, from standard input; code 75 when the database cannot be asked now."""
    runtime = make_runtime(settings_from_environment())
    raw = sys.stdin.buffer.read(_MOST_BYTES)
    try:
        taken = take_bounce(runtime, raw, recipient)
    except SQLAlchemyError as error:
        click.echo(f"The database cannot be asked now: {type(error).__name__}.", err=True)
        sys.exit(_COME_AGAIN)
    finally:
        runtime.database.dispose()
    click.echo(_SAID[taken])
