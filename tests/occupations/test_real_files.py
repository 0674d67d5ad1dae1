"""The real files: as folder or ZIP, with either line end; two releases side by side; every count that was verified."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.domain import access
from app.domain.access import Role
from app.factory import create_app
from app.features.occupations import queries, store
from app.features.occupations.bls import read_bls
from app.features.occupations.content import Content
from app.features.occupations.onet import INTERESTS, read_onet
from app.features.occupations.releases import current_release, find_release
from app.infra.db.migrate import admin_engine
from app.infra.queue import SilentDoorbell
from app.infra.runtime import Runtime
from app.infra.storage import Storage
from tests.catalogue_fixture import onet_folder
from tests.factories import World
from tests.harness import TEST_ROLE, Clock, OuterTransactionDatabase, Servers
from tests.shared_data import data_file

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def old() -> Content:
    """Release 30.1 with the skills of 29.3."""
    skills = onet_folder("db_29_3_text_converted", "Skills.txt")
    return read_onet([onet_folder("db_30_1_text", "Interests.txt"), skills])


@pytest.fixture(scope="module")
def new() -> Content:
    """Release 30.2, of which interests and skills are here; the rest, work values too, is from 30.1."""
    names = (("db_30_2_text_partial", "Interests.txt"), ("db_30_2_importance_rebuilt", "Skills.txt"))
    return read_onet([*(onet_folder(*name) for name in names), onet_folder("db_30_1_text", "Interests.txt")])


def test_a_zip_and_other_line_ends_are_the_same_release(tmp_path: Path) -> None:
    folder = onet_folder("db_30_1_text", "Interests.txt")
    wanted = ("Occupation Data.txt", "Interests.txt", "Job Zones.txt", "Work Values.txt", "Read Me.txt")
    unix = tmp_path / "db_30_1_text"
    unix.mkdir()
    packed = tmp_path / "download.zip"
    plain = tmp_path / "crlf" / "db_30_1_text"
    plain.mkdir(parents=True)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in wanted:
            content = (folder / name).read_bytes()
            if name != "Read Me.txt":
                assert content.count(b"\r\n") == content.count(b"\n") > 0, "the official text ends its lines with CRLF"
            archive.writestr(f"db_30_1_text/{name}", content)
            (plain / name).write_bytes(content)
            (unix / name).write_bytes(content.replace(b"\r\n", b"\n"))
    sums = {read_onet([path]).checksum() for path in (packed, unix, plain)}
    assert len(sums) == 1
    assert read_onet([packed]).release.label == "30.1"


def test_rows_dates_and_ranges_of_30_1_are_those_verified(old: Content) -> None:
    tables = old.release.tables
    rows = {name: note["rows"] for name, note in tables.items()}
    assert rows == {
        "occupations": 1016,
        "interests": 8307,
        "values": 7866,
        "job_zones": 923,
        "education": 37125,
        "titles": 56505,
        "relations": 18460,
        "skills": 61530,
        "tasks": 18796,
    }
    assert (tables["values"]["first"][-4:], tables["values"]["last"][-4:]) == ("2008", "2020")
    assert [note["release"] for note in tables.values()] == ["30.1"] * 7 + ["29.3", "30.1"]
    codes = [row["code"] for row in old.occupations]
    assert len(set(codes)) == 1016
    shares = [row["education"] for row in old.occupations if row.get("education")]
    assert (len(shares), {len(each) for each in shares}) == (878, {12})
    sums = [round(sum(each), 2) for each in shares]
    assert (min(sums), max(sums)) == (99.97, 100.02)
    points = [row["high_points"][0] for row in old.occupations if row.get("high_points")]
    assert (len(points), min(points)) == (923, 1)
    ties = [row for row in old.occupations if (i := row.get("interests")) and i.count(max(i)) > 1]
    assert len(ties) == 2
    tiers = Counter(tier for _, _, _, tier in old.relations)
    assert tiers == {"Primary-Short": 923 * 5, "Primary-Long": 923 * 5, "Supplemental": 923 * 10}
    assert len({code for code, _ in old.skills}) == 879
    # 124 rows are advised against and 3,302 not relevant; importance and level of a skill are one here.
    assert 0 < sum(skill[2] for skill in old.skills.values()) <= 124
    assert 0 < sum(skill[3] for skill in old.skills.values()) <= 3302
    titles = {code for code, _ in old.titles}
    assert len(titles) == 1016


def test_the_difference_between_30_1_and_30_2_is_the_one_verified(old: Content, new: Content) -> None:
    assert new.release.label == "30.2"
    assert new.release.tables["interests"]["rows"] == 8307
    assert {
        name: note["release"] for name, note in new.release.tables.items() if note["release"] != "30.2"
    } == dict.fromkeys(("values", "job_zones", "education", "titles", "relations", "tasks"), "30.1")
    assert (len(new.skills), new.release.tables["skills"]["rows"]) == (894 * 35, 31290)
    before = {row["code"]: row["interests"] for row in old.occupations if row.get("interests")}
    after = {row["code"]: row["interests"] for row in new.occupations if row.get("interests")}
    assert (len(before), before.keys()) == (923, after.keys())
    assert sum(before[code] != after[code] for code in before) == 832
    one, other = (np.array([each[code] for code in sorted(before)]) for each in (before, after))
    assert np.abs(one - other).mean() == pytest.approx(0.064, abs=0.0005)
    r = [np.corrcoef(*pair)[0, 1] for pair in zip(one, other, strict=True)]
    assert np.mean(r) == pytest.approx(0.998, abs=0.0005)
    assert len(INTERESTS) == 6


@pytest.mark.parametrize("name", ["occupation.xlsx", "table_1_2.csv"])
def test_the_projections_are_read_from_the_workbook_and_from_the_text(name: str) -> None:
    content = read_bls(data_file(f"onet/bls_ep_2024_34/{name}"))
    assert (content.release.label, len(content.outlook)) == ("2024-34", 832)
    withheld = [row for row in content.outlook if row["wage"] is None]
    assert len(withheld) == 23
    assert all(row["wage_text"] is None or row["wage_text"].startswith(">=$") for row in withheld)


@pytest.fixture
def both(servers: Servers, old: Content, new: Content, tmp_path: Path, clock: Clock) -> Iterator[World]:
    """An installation into which 30.1 and then 30.2 was imported."""
    name = servers.clone()
    owner = servers.url("octant_owner", name)
    first, second = store.store(owner, old), store.store(owner, new)
    assert (first.key, second.key, first.new, second.new) == ("onet-30.1", "onet-30.2", True, True)
    settings = servers.settings(name, tmp_path / "storage")
    with admin_engine(servers.url(TEST_ROLE, name)).connect() as connection:
        transaction = connection.begin()
        database = OuterTransactionDatabase(settings, SilentDoorbell(), connection, clock)
        yield World(Runtime(settings, database, Storage(settings.storage_dir), SilentDoorbell()))
        transaction.rollback()
    servers.drop(name)


@pytest.mark.committed
def test_two_releases_lie_side_by_side_and_what_names_the_old_one_still_reads_it(both: World) -> None:
    organization = both.organization()
    with both.runtime.database.unit_of_work(access.system(organization)) as uow:
        now, then = current_release(uow), find_release(uow, "onet-30.1")
        assert now is not None
        assert then is not None
        assert (now.key, now.label_of("values"), then.label_of("interests")) == ("onet-30.2", "30.1", "30.1")
        profiles = [queries.interest_matrix(uow, release) for release in (then, now)]
        assert [each.matrix.shape for each in profiles] == [(923, 6), (923, 6)]
        differ = (profiles[0].matrix != profiles[1].matrix).any(axis=1)
        assert differ.sum() == 832
        code = profiles[0].codes[int(np.flatnonzero(differ)[0])]
        assert [len(queries.all_relations(uow, release).of) for release in (then, now)] == [923, 923]
        shown = {release.key: queries.find(uow, code, release) for release in (then, now)}
        assert shown["onet-30.1"] != shown["onet-30.2"]
    browser = both.browser(create_app(both.runtime), both.person(organization, Role.COUNSELLOR))
    assert "release 30.2" in browser.get(f"/occupations/{code}").text
    pinned = browser.get(f"/occupations/{code}?release=onet-30.1").text
    assert "with which a match was made" in pinned
    assert "O*NET® 29.3, 30.1 Database" in pinned
    assert "O*NET® 30.1, 30.2 Database" in browser.get(f"/occupations/{code}").text
