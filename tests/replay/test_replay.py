"""The short form of `make replay`: a year of a small organization, compared with the independent model."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.harness import Servers
from tests.replay.driver import Differs, Replay
from tests.replay.model import Made

# Chosen once; `make replay SEED=… YEARS=… PLANS=…` tries others.
SEED = 20261129


@pytest.mark.committed
def test_a_year_of_outages_pauses_edits_moves_and_clock_jumps_is_as_the_model_says(
    servers: Servers, tmp_path: Path
) -> None:
    replay = Replay(servers, tmp_path, seed=SEED, plans=30, years=1, grid_hours=12, say=lambda _: None)
    try:
        found = replay.run()
        assert (found.lost, found.doubled, found.in_quiet_hours, found.out_of_order) == (0, 0, 0, 0)
        assert found.occurrences > 40
        assert found.mails > 60
        assert found.told > 10
        # Everything that may happen did.
        assert {"pause", "holiday", "move_client", "edit_organization", "ask", "jump", "outage", "answer"} <= set(
            replay.happened
        )
        # And a difference would have been seen.
        first = replay.model.made[0]
        replay.model.made.append(Made(first.plan, date(2027, 1, 1), first.at, first.reminders))
        with pytest.raises(Differs, match="1 lost"):
            replay._compare()
    finally:
        replay.close()
