"""`make replay`: years of an organization on the product and on the model; the seed first, one line of JSON last."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

import structlog

from tests.harness import Servers
from tests.replay.checks import Differs
from tests.replay.driver import Replay


def main() -> int:
    """Run it; the exit code says whether both agreed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=float, default=10)
    parser.add_argument("--plans", type=int, default=1000)
    parser.add_argument("--seed", type=int, required=True)
    # Workers come thrice a day when something is due: at each of these visits a mail that failed is tried again.
    parser.add_argument("--grid-hours", type=float, default=8)
    given = parser.parse_args()
    # A mail that did not leave is no news here: one in three does not.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="octant-replay-") as name:
        folder = Path(name)
        servers = Servers(folder)
        try:
            replay = Replay(
                servers,
                folder,
                seed=given.seed,
                plans=given.plans,
                years=given.years,
                grid_hours=given.grid_hours,
                say=lambda line: print(line, flush=True),
            )
            try:
                found = replay.run()
            except Differs as error:
                print(error, file=sys.stderr)
                print(replay.found.line())
                return 1
            finally:
                replay.close()
            print(found.line())
            return 0
        finally:
            servers.stop()


if __name__ == "__main__":
    raise SystemExit(main())
