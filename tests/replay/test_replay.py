"""The short form of `make replay`: a year of a small organization, compared with the independent model."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.harness import Servers
from tests.replay.checks import Differs
from tests.replay.driver import Replay
from tests.replay.model import Made

# Chosen once; `make replay SEED=… YEARS=… PLANS=…` tries others.
SEED = 20261129


@pytest.mark.committed
def test_a_year_of_outages_pauses_edits_moves_and_clock_jumps_is_as_the_model_says(
    servers: Servers, tmp_path: Path
) -> None:
    replay = Replay(servers, tmp_path, seed=SEED, plans=40, years=1, grid_hours=12, say=lambda _: None)
    try:
        found = replay.run()
        assert (found.lost, found.doubled, found.in_quiet_hours, found.out_of_order) == (0, 0, 0, 0)
        assert found.occurrences > 60
        assert found.mails > 90
        assert found.told > 15
        # Everything that may happen did; some policy was edited between two prompts of one visit, and mail failed.
        assert {"pause", "holiday", "move_client", "edit_organization", "ask", "jump", "outage", "answer"} <= set(
            replay.scene.happened
        )
        assert found.edits_between > 0
        assert found.transfers > found.mails * 1.2
        # And a difference would have been seen.
        first = replay.scene.model.acts[0]
        replay.scene.model.acts.append(Made(first.plan, date(2027, 1, 1), first.at, ()))
        with pytest.raises(Differs, match="1 lost"):
            replay.checks.compare()
    finally:
        replay.close()
