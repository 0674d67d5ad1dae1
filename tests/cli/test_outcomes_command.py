"""`octant outcomes`: figures, the sheet, whom nothing is known of, and a file, as a named member."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from app.infra.runtime import Runtime
from tests.cli.test_organization_command import octant
from tests.factories import World
from tests.outcomes.scene import Centre


@pytest.mark.committed
def test_from_a_file_to_figures(live: Runtime, tmp_path: Path) -> None:
    centre = Centre(World(live))
    numbers = [row.external_id for row in centre.rows("SELECT external_id FROM clients ORDER BY external_id")]
    file = tmp_path / "outcomes.csv"
    lines = [f"{number},2026-06-20,{'full time' if n else 'seeking'}\n" for n, number in enumerate(numbers[:4])]
    file.write_text("id,graduated on,status\n" + "".join(lines) + "X,2026-06-20,military\n")
    who = ("--organization", "org-1", "--as", centre.admin.email)
    empty = octant(live, "outcomes", "figures", *who)
    assert empty.stdout == "No graduates are recorded.\n", empty.stderr
    shown = octant(live, "outcomes", "import", *who, str(file))
    assert "line 6, id: Nobody here has this number." in shown.stdout, shown.stderr
    assert "4 of 5 rows are new; 0 known, 1 bad.\nNothing has happened." in shown.stdout
    assert centre.rows("SELECT * FROM outcomes") == []
    done = octant(live, "outcomes", "import", *who, str(file), "--yes")
    assert "The job has started" in done.stdout, done.stderr
    centre.graduate(centre.clients[4:5])
    figures = octant(live, "outcomes", "figures", *who)
    assert figures.stdout == "2026: 4 of 5 known (80.0 %); career outcomes 75.0 % of 4\n", figures.stderr
    missing = octant(live, "outcomes", "missing", *who, "--class", "2026")
    assert missing.stdout == f"{numbers[4]}\n", missing.stderr
    analyst = ("--organization", "org-1", "--as", centre.analyst.email)
    hidden = octant(live, "outcomes", "figures", *analyst)
    assert "withheld of withheld known" in hidden.stdout, hidden.stderr
    sheet = tmp_path / "sheet.csv"
    written = octant(live, "outcomes", "export", *who, str(sheet))
    assert written.returncode == 0, written.stderr
    with sheet.open(encoding="utf-8-sig", newline="") as opened:
        assert next(csv.DictReader(opened))["Graduates"] == "5"
    refused = octant(live, "outcomes", "import", *analyst, str(file))
    assert (refused.returncode, "may not do this" in refused.stderr) == (2, True)
