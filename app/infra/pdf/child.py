"""The typesetting child: `python -m app.infra.pdf.child MEBIBYTES FOLDER`.

Reads pairs of frames (template and moment as JSON, the document as JSON) and answers each with a pair (a status
as JSON, the PDF). It knows nothing but what the frames hold, has no secrets in its environment, no network where the
kernel lets it give that up, and a limit on its memory; it ends when its input ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import resource
import sys
import threading
from pathlib import Path
from typing import IO

from app.infra.pdf.frames import receive, send

# From <linux/sched.h>: a user namespace allows an ordinary user to leave the network's.
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def main() -> None:
    """Serve until the input ends."""
    mebibytes, templates = int(sys.argv[1]), Path(sys.argv[2]).resolve()
    _leave_network()
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, mebibytes << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    waiting: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, waiting), daemon=True).start()
    _serve(waiting, sys.stdout.buffer, templates)


def _leave_network() -> None:
    # Not every kernel or container allows it; reports then still never ask for anything.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def _read(source: IO[bytes], waiting: queue.SimpleQueue[tuple[bytes, bytes] | None]) -> None:
    """Take what is sent as it comes: a sender that had to wait could wait for us while we wait for it."""
    with contextlib.suppress(EOFError):
        while (head := receive(source)) is not None and (document := receive(source)) is not None:
            waiting.put((head, document))
    waiting.put(None)


def _serve(waiting: queue.SimpleQueue[tuple[bytes, bytes] | None], target: IO[bytes], templates: Path) -> None:
    # Imported here, after the limits: typst starts threads, and only a fresh process may.
    import typst  # noqa: PLC0415 - see above

    from app.infra.pdf import fonts  # noqa: PLC0415 - read after the limits too

    extra = fonts.extra_fonts()
    found = typst.Fonts(include_system_fonts=False, font_paths=list(fonts.font_folders(extra)))
    families = [name for name in fonts.FAMILIES if name in found.families()]
    substitute = fonts.substituter(extra)
    compilers: dict[str, typst.Compiler] = {}
    folder = str(templates)
    while (pair := waiting.get()) is not None:
        head = json.loads(pair[0])
        template = head["template"]
        try:
            path = (templates / template).resolve()
            if not path.is_relative_to(templates):
                raise ValueError("the template is outside its folder")
            if template not in compilers:
                compilers[template] = typst.Compiler(
                    input=str(path),
                    root=folder,
                    font_paths=found,
                    ignore_system_fonts=True,
                    package_path="/nonexistent",
                    package_cache_path="/nonexistent",
                )
            text, missing = substitute(pair[1].decode())
            pdf = compilers[template].compile(
                format="pdf",
                sys_inputs={
                    "data": text,
                    "fonts": json.dumps(families),
                    "missing": json.dumps(missing),
                },
                pdf_standards=["ua-1"],
                # The same content gives the same bytes.
                timestamp=head["moment"],
            )
            if not isinstance(pdf, bytes):
                raise ValueError("the typesetter gave no document")
            send(target, json.dumps({"missing": missing}).encode(), pdf)
        except (RuntimeError, ValueError, OSError) as error:
            send(target, json.dumps({"problem": f"{type(error).__name__}: {error}"[:1000]}).encode(), b"")


if __name__ == "__main__":
    main()
    # Typst's threads may be at work; nothing is left to save.
    os._exit(0)
