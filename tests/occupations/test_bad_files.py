"""Downloads that are broken are refused whole, with the file, the line and the reason; other layouts are read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from app.features.occupations import store
from app.features.occupations.bls import read_bls
from app.features.occupations.files import BadFile
from app.features.occupations.onet import read_onet
from app.features.occupations.starter import read_starter
from app.infra.db.migrate import admin_engine
from tests.harness import Servers

_SCORES = {letter: f"{number}.00" for number, letter in enumerate("abcdef", start=1)}
OCCUPATIONS = "O*NET-SOC Code\tTitle\tDescription\n11-1011.00\tChief\tLeads.\n11-1021.00\tManager\tRuns.\n"
SCORED = "O*NET-SOC Code\tElement ID\tElement Name\tScale ID\tData Value\tDate\tDomain Source\n"


def interests(code: str = "11-1011.00", **changed: str) -> str:
    scores = _SCORES | changed
    rows = [f"{code}\t1.B.1.{letter}\tArea\tOI\t{value}\t11/2023\tAnalyst" for letter, value in scores.items()]
    return SCORED + "\n".join(rows) + "\n"


def download(folder: Path, **files: str) -> Path:
    """A folder named as a release, with files by their base names without spaces and ending."""
    target = folder / "db_30_1_text"
    target.mkdir(parents=True, exist_ok=True)
    names = {"occupations": "Occupation Data.txt", "interests": "Interests.txt"}
    for name, content in ({"occupations": OCCUPATIONS, "interests": interests()} | files).items():
        (target / names.get(name, name)).write_bytes(content.encode())
    return target


def test_the_smallest_download_is_read(tmp_path: Path) -> None:
    content = read_onet([download(tmp_path)])
    assert content.release.label == "30.1"
    assert [row.get("interests") for row in content.occupations] == [[1, 2, 3, 4, 5, 6], None]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"interests": ""}, "Interests.txt, line 1: The file is empty"),
        ({"interests": SCORED.replace("Data Value", "Value")}, "line 1: The column Data Value is missing"),
        ({"interests": interests(c="8.00")}, "Interests.txt, line 4: 8.00 is outside 1 to 7"),
        ({"interests": interests(c="nan")}, "Interests.txt, line 4: nan is outside"),
        ({"interests": interests(c="many")}, "Interests.txt, line 4: 'many' is no number"),
        ({"interests": interests("99-9999.00")}, "line 2: The code '99-9999.00' is not in the occupations"),
        ({"interests": interests() + interests().split("\n", 1)[1]}, "line 8: 11-1011.00 has 1.B.1.a twice"),
        ({"interests": "\n".join(interests().split("\n")[:5])}, "line 5: 11-1011.00 has scores for 4 of the six areas"),
        ({"interests": interests() + "11-1021.00\t1.B"}, "line 8: There are 2 columns where the heading has 7"),
        ({"interests": interests().replace("11/2023", "13/2023", 1)}, "line 2: '13/2023' is no month"),
        ({"occupations": OCCUPATIONS + "11-1011.00\tAgain\t\n"}, "line 4: The code 11-1011.00 stands here twice"),
        ({"occupations": OCCUPATIONS + "111011\tCode\t\n"}, "line 4: '111011' is no code"),
        ({"occupations": OCCUPATIONS.replace("Leads.", "Le\x00ads.")}, "line 2: There is a NUL character"),
        ({"Job Zones.txt": "O*NET-SOC Code\tJob Zone\n11-1011.00\t6\n"}, "Job Zones.txt, line 2: 6 is outside 1 to 5"),
        (
            {"Related Occupations.txt": "O*NET-SOC Code\tRelated O*NET-SOC Code\tIndex\n11-1011.00\t11-9999.00\t1\n"},
            "Related Occupations.txt, line 2: The code '11-9999.00' is not in the occupations",
        ),
        (
            {
                "Education, Training, and Experience.txt": SCORED.replace("Scale ID", "Scale ID\tCategory")
                + "".join(f"11-1011.00\t2.D.1\tE\tRL\t{n}\t9.00\t08/2023\tI\n" for n in range(1, 13))
            },
            "line 13: The percentages of 11-1011.00 sum to 108.00",
        ),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, files: dict[str, str], said: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_onet([download(tmp_path, **files)])
    assert said in refused.value.sentence
    assert refused.value.sentence.endswith("Nothing was imported.")


def test_text_that_is_not_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = download(tmp_path)
    (folder / "Occupation Data.txt").write_bytes(OCCUPATIONS.encode().replace(b"Runs", b"Ru\xffns"))
    with pytest.raises(BadFile, match=r"Occupation Data\.txt, line 3: This is not text"):
        read_onet([folder])


def test_a_missing_file_and_a_missing_release_are_named(tmp_path: Path) -> None:
    folder = download(tmp_path)
    (folder / "Interests.txt").unlink()
    with pytest.raises(BadFile, match=r"There is no Interests\.txt or Career Interest Types\.txt"):
        read_onet([folder])
    nameless = folder.rename(tmp_path / "download")
    with pytest.raises(BadFile, match="name it with --release"):
        read_onet([nameless])
    with pytest.raises(BadFile, match="neither a folder nor a ZIP"):
        read_onet([Path(__file__)])


def test_newer_names_line_ends_columns_and_missing_scores_are_read(tmp_path: Path) -> None:
    windows = (
        OCCUPATIONS.replace("Description", "Description\tNew column").replace(".\n", ".\tx\n").replace("\n", "\r\n")
    )
    skill = SCORED + "11-1011.00\t2.{0}.1.a\tSkill {0}\tIM\t3.00\t08/2023\tAnalyst\n"
    folder = download(
        tmp_path,
        occupations="\ufeff" + windows,
        **{
            "Career Interest Types.txt": interests(b="n/a"),
            "Essential Skills.txt": skill.format("A"),
            "Transferable Skills.txt": skill.format("B"),
            "Job Titles.txt": "O*NET-SOC Code\tJob Title\n11-1011.00\tBoss\n",
        },
    )
    (folder / "Interests.txt").unlink()
    content = read_onet([folder])
    # A score that is not there leaves the occupation unrated; it is never 0.
    assert "interests" not in content.occupations[0]
    assert content.release.figures["skills"] == {"2.A.1.a": "Skill A", "2.B.1.a": "Skill B"}
    assert content.titles[-1] == ("11-1011.00", "Boss")


def test_a_table_is_borrowed_from_an_older_release_with_its_label(tmp_path: Path) -> None:
    values = SCORED + "".join(
        f"{code}\t1.B.2.{letter}\tValue\tEX\t4.00\t06/2008\tAnalyst\n"
        for code in ("11-1011.00", "55-1111.00")
        for letter in "abcdef"
    )
    older = tmp_path / "db_29_0_text"
    older.mkdir()
    (older / "Work Values.txt").write_text(values)
    content = read_onet([download(tmp_path), older])
    assert content.occupations[0]["work_values"] == [4] * 6
    note = content.release.tables["values"]
    assert (note["release"], note["left_out"], note["first"]) == ("29.0", 6, "06/2008")


def test_a_zip_is_read_at_any_depth_and_a_file_twice_is_refused(tmp_path: Path) -> None:
    folder = download(tmp_path)
    target = tmp_path / "anything.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for file in folder.iterdir():
            archive.write(file, f"../../up/db_30_1_text/{file.name}")
    assert read_onet([target]).checksum() == read_onet([folder]).checksum()
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("db_30_2_text/Interests.txt", interests())
    with pytest.raises(BadFile, match="This file is here 2 times"):
        read_onet([target])


def test_a_zip_that_unpacks_to_more_than_a_table_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.features.occupations.files._MOST_BYTES", 100_000)
    target = tmp_path / "db_30_1_text.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Occupation Data.txt", OCCUPATIONS + "\n" * 1_000_000)
        archive.writestr("Interests.txt", interests())
    with pytest.raises(BadFile, match="too large to be one of the tables"):
        read_onet([target])


BLS = (
    "2024 National Employment Matrix title,2024 National Employment Matrix code,Occupation type,"
    '"Employment, 2024","Employment change, percent, 2024–34","Percent self employed, 2024",'
    '"Occupational openings, 2024–34 annual average","Median annual wage, dollars, 2024[1]",'
    "Typical education needed for entry,Work experience in a related occupation,"
    "Typical on-the-job training needed to attain competency in the occupation\n"
    '"Total, all occupations",00-0000,Summary,169956.1,3.1,5.8,18863.3,49500,,,\n'
    'Surgeons,29-1022,Line item,6.1,4.1,—,0.2,">=$239,200",Doctoral,None,Internship\n'
)


def test_a_projection_is_read_with_what_it_withholds(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(BLS)
    content = read_bls(file)
    (row,) = content.outlook
    assert (content.release.label, row["wage"], row["wage_text"]) == ("2024-34", None, ">=$239,200")
    assert (row["jobs"], row["openings"], row["self_employed"]) == (6100, 200, None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("6.1,4.1", "6.1,much"), "table.csv, line 3: 'much' is no number"),
        (("29-1022", "291022"), "table.csv, line 3: '291022' is no code"),
        (("Typical education", "Education"), "line 1: The column Typical education is missing"),
        (("Occupation type", "Type"), "There is no table 1.2"),
    ],
)
def test_a_broken_projection_is_refused_with_its_place(tmp_path: Path, changed: tuple[str, str], said: str) -> None:
    file = tmp_path / "table.csv"
    file.write_text(BLS.replace(*changed))
    with pytest.raises(BadFile) as refused:
        read_bls(file)
    assert said in refused.value.sentence


@pytest.mark.committed
def test_releases_lie_side_by_side_and_repeating_an_import_changes_nothing(servers: Servers, tmp_path: Path) -> None:
    name = servers.clone()
    owner = servers.url("octant_owner", name)
    try:
        first = store.store(owner, read_onet([download(tmp_path / "one")]))
        again = store.store(owner, read_onet([download(tmp_path / "two", interests=interests().replace("\n", "\r\n"))]))
        other = store.store(owner, read_onet([download(tmp_path / "three", interests=interests(a="7.00"))]))
        starter = store.store(owner, read_starter())
        assert (first.key, first.new, again.key, again.new) == ("onet-30.1", True, "onet-30.1", False)
        # Other content under the same label is a release of its own: what was matched with the first stays readable.
        assert (other.key, other.new, other.current) == ("onet-30.1-2", True, True)
        assert not starter.new
        store.make_current(owner, "onet-30.1")
        assert {row.key: row.current for row in store.releases(owner)} == {
            "onet-30.1": True,
            "onet-30.1-2": False,
            "starter-30.1": False,
        }
        with admin_engine(owner).connect() as connection:
            counts = connection.execute(text("SELECT count(*) FROM occupations GROUP BY release_id ORDER BY 1"))
            assert [row[0] for row in counts] == [2, 2, 116]
    finally:
        servers.drop(name)


@pytest.mark.committed
def test_an_import_that_fails_while_writing_leaves_nothing(servers: Servers, tmp_path: Path) -> None:
    name = servers.clone()
    owner = servers.url("octant_owner", name)
    try:
        content = read_onet([download(tmp_path)])
        content.tasks.append(("11-1011.00", 1, "A\x00B", True))
        with pytest.raises(Exception, match="NUL"):
            store.store(owner, content)
        assert [row.key for row in store.releases(owner)] == ["starter-30.1"]
    finally:
        servers.drop(name)
