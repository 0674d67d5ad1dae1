"""Run the sink: ``python -m app.infra.mailsink --spool DIR --ready-file FILE``."""

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
from pathlib import Path

from app.infra.mailsink.faults import Faults
from app.infra.mailsink.pages import make_http_server
from app.infra.mailsink.smtp import serve_smtp
from app.infra.mailsink.store import MailStore


async def _run(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    faults = Faults(json.loads(arguments.rules.read_text(encoding="utf-8")) if arguments.rules else ())
    store = MailStore(arguments.spool, keep_messages=not arguments.no_spool)
    smtp = await serve_smtp(store, faults, arguments.smtp_port)
    http = make_http_server(store, faults, arguments.http_port)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    if arguments.ready_file:
        ports = {
            "smtp_port": smtp.sockets[0].getsockname()[1],
            "http_port": http.server_address[1],
            "pid": os.getpid(),
        }
        unfinished = arguments.ready_file.with_name(arguments.ready_file.name + ".part")
        unfinished.write_text(json.dumps(ports), encoding="utf-8")
        unfinished.replace(arguments.ready_file)
    await stop.wait()
    smtp.close()
    await asyncio.to_thread(http.shutdown)
    http.server_close()
    store.close()


def main(argv: list[str] | None = None) -> int:
    """Run the sink until SIGTERM or SIGINT; ``argv`` as on the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.infra.mailsink", description=__doc__)
    parser.add_argument("--spool", type=Path, required=True, help="folder for the messages and the ledger")
    parser.add_argument("--smtp-port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--http-port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--ready-file", type=Path, help="where to write the ports as JSON once both listen")
    parser.add_argument("--rules", type=Path, help="JSON list of fault rules")
    parser.add_argument("--no-spool", action="store_true", help="keep the ledger only")
    asyncio.run(_run(parser.parse_args(argv)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
