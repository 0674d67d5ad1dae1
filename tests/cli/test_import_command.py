"""`octant import`: what an operator types to bring in occupation data, and what broken files get."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from app.infra.runtime import Runtime
from tests.cli.test_organization_command import octant
from tests.occupations.test_bad_files import BLS, download, interests


@pytest.mark.committed
def test_releases_are_imported_listed_and_chosen(live: Runtime, tmp_path: Path) -> None:
    folder = download(tmp_path)
    packed = tmp_path / "db_30_2_text.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in folder.iterdir():
            archive.writestr(f"db_30_2_text/{file.name}", file.read_text().replace("1.00", "1.50"))
    first = octant(live, "import", "onet", str(folder))
    assert first.returncode == 0, first.stderr
    assert "interests: 6 rows of 30.1" in first.stdout
    assert "Imported as onet-30.1; pages now show it." in first.stdout
    again = octant(live, "import", "onet", str(folder))
    assert again.stdout == "This content is there already as onet-30.1; nothing was changed.\n"
    assert "Imported as onet-30.2" in octant(live, "import", "onet", str(packed)).stdout
    table = tmp_path / "table.csv"
    table.write_text(BLS)
    assert "Imported as bls-2024-34" in octant(live, "import", "bls", str(table)).stdout
    shown = {line[2:].split()[0]: line[0] for line in octant(live, "import", "list").stdout.splitlines()}
    assert shown == {"bls-2024-34": "*", "onet-30.2": "*", "onet-30.1": " ", "starter-30.1": " "}
    assert octant(live, "import", "use", "onet-30.1").stdout == "Pages now show onet-30.1.\n"
    nothing = octant(live, "import", "use", "onet-99.9")
    assert nothing.returncode == 2
    assert "There is no release onet-99.9" in nothing.stderr


@pytest.mark.committed
def test_a_broken_file_is_refused_whole_with_file_line_and_reason(live: Runtime, tmp_path: Path) -> None:
    broken = octant(live, "import", "onet", str(download(tmp_path, interests=interests(c="8.00"))))
    assert broken.returncode == 2
    assert broken.stderr == "Interests.txt, line 4: 8.00 is outside 1 to 7. Nothing was imported.\n"
    missing = octant(live, "import", "onet", str(tmp_path / "nowhere"))
    assert missing.returncode == 2
    assert "does not exist" in missing.stderr
    listed = octant(live, "import", "list").stdout
    assert listed.startswith("* starter-30.1")
    assert len(listed.splitlines()) == 1
