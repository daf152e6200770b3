"""The control files: everything wrong is named, with file, line, column, value and remedy."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Outcome, drop_privileges, fingerprint, run_lotgate
from lotgate.control_rows import Incident
from lotgate.controls import Controls, load_controls, write_normalized
from lotgate.errors import UsageError

Cli = Callable[..., Outcome]

HEADERS = {
    "incidents.csv": "wrong_ship_date,correct_ship_date,created_from,created_to,note",
    "expected_units.csv": "ship_date,expected_units,source",
    "expected_on_hand.csv": "sku_code,as_of_date,expected_quantity,source",
    "quarantine_decisions.csv": "legacy_id,order_number,base_sku,sku_lot,quantity_shipped,decision,ship_date,"
    "reason,decided_by,decided_on",
    "sku_variants.csv": "raw_sku,sku_code,lot_number,note",
}
GOOD = {
    "incidents.csv": "2024-04-16,2025-10-06,2025-10-06 15:43:00,2025-10-06 17:45:00,the bad batch",
    "expected_units.csv": "2025-10-06,331,ShipStation",
    "expected_on_hand.csv": "17612,2025-10-06,610,count",
    "quarantine_decisions.csv": "17,600015,17612,,16,redate,2025-10-06,seen on the slip,ops,2025-10-20",
    "sku_variants.csv": "17612-40,17612,,a pack of 40",
}


def write(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join((HEADERS[name], *lines)) + "\n", encoding="utf-8")
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(UsageError) as caught:
        load_controls(folder)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def replaced(name: str, column: str, value: str) -> str:
    fields = next(csv.reader([GOOD[name]]))
    fields[HEADERS[name].split(",").index(column)] = value
    output = io.StringIO()
    csv.writer(output, lineterminator="").writerow(fields)
    return output.getvalue()


def test_good_files_are_read(tmp_path: Path) -> None:
    for name, line in GOOD.items():
        write(tmp_path, name, line)
    controls = load_controls(tmp_path)
    assert controls.incidents[0].created_to == "2025-10-06 17:45:00"
    assert controls.expected_units[0].expected_units == 331
    assert controls.expected_on_hand[0].expected_quantity == 610
    decision = controls.quarantine_decisions[0]
    assert (decision.legacy_id, decision.sku_lot, decision.ship_date) == (17, "", "2025-10-06")
    assert controls.sku_variants[0].lot_number is None


WRONG = [
    ("incidents.csv", "wrong_ship_date", "2025-02-30", "is not a real day; write a day as YYYY-MM-DD"),
    ("incidents.csv", "wrong_ship_date", "10/06/2025", "is not a real day; write a day as YYYY-MM-DD"),
    ("incidents.csv", "wrong_ship_date", " ", "is blank; write a day as YYYY-MM-DD"),
    (
        "incidents.csv",
        "correct_ship_date",
        "soon",
        "is not a real day; write a day as YYYY-MM-DD, or leave it",
    ),
    ("incidents.csv", "created_from", "2025-10-06 25:00:00", "is not a real time; write YYYY-MM-DD HH:MM:SS"),
    ("incidents.csv", "created_from", "2025-10-06 15", "is not a real time; write YYYY-MM-DD HH:MM:SS"),
    ("incidents.csv", "created_from", "2025-02-30 15:00", "is not a real time; write YYYY-MM-DD HH:MM:SS"),
    ("incidents.csv", "created_to", "", "is blank; write YYYY-MM-DD HH:MM:SS"),
    (
        "incidents.csv",
        "created_to",
        "2025-10-06 15:42:59",
        "is before created_from (2025-10-06 15:43:00); write",
    ),
    ("expected_units.csv", "ship_date", "2025-1-6", "is not a real day"),
    ("expected_units.csv", "expected_units", "x", "is not a number; write a whole number from 0"),
    ("expected_units.csv", "expected_units", "1.5", "is not a whole number; write a whole number from 0"),
    ("expected_units.csv", "expected_units", "-1", "is negative; write a whole number from 0"),
    ("expected_units.csv", "expected_units", "1_000", "is not a number"),
    ("expected_units.csv", "expected_units", "３３１", "is not a number"),
    ("expected_units.csv", "expected_units", "9" * 19, "is too large"),
    ("expected_units.csv", "expected_units", "9" * 5000, "is too large"),
    ("expected_on_hand.csv", "sku_code", "17612 - 250300", "is not a SKU; write the digits of the SKU"),
    ("expected_on_hand.csv", "sku_code", "", "is blank; write the digits of the SKU"),
    ("expected_on_hand.csv", "expected_quantity", "", "is blank; write a whole number"),
    ("quarantine_decisions.csv", "legacy_id", "", "is blank; write the id of the row in shipped_items"),
    ("quarantine_decisions.csv", "decision", "drop", "is not a decision; write one of keep, redate, merge"),
    ("quarantine_decisions.csv", "decision", "Keep", "is not a decision"),
    ("quarantine_decisions.csv", "ship_date", "", "is blank, and the decision redate needs it; write a day"),
    ("quarantine_decisions.csv", "ship_date", "2025-02-30", "is not a real day"),
    ("quarantine_decisions.csv", "reason", "", "is blank; say why"),
    ("quarantine_decisions.csv", "decided_by", "\u00a0", "is blank; say who decided"),
    ("quarantine_decisions.csv", "decided_on", "yesterday", "is not a real day"),
    ("sku_variants.csv", "raw_sku", "\ufeff ", "is blank; write the text as the source has it"),
    ("sku_variants.csv", "sku_code", "ABC", "is not a SKU; write the digits of the SKU"),
    ("sku_variants.csv", "sku_code", "１７６１２", "is not a SKU"),
    ("sku_variants.csv", "lot_number", "40", "is too short for a lot number (a pack size?); write 5 digits"),
    (
        "sku_variants.csv",
        "lot_number",
        "25O300",
        "is not a lot number; write 5 digits or more, or leave it empty",
    ),
]


@pytest.mark.parametrize(("name", "column", "value", "message"), WRONG)
def test_a_wrong_value(tmp_path: Path, name: str, column: str, value: str, message: str) -> None:
    write(tmp_path, name, "", replaced(name, column, value))
    (problem,) = problems(tmp_path)
    shown = repr(value) if len(value) <= 60 else repr(value[:60] + "...")
    assert problem.startswith(f"{name}, line 3, column {column}: {shown}: {message}")


@pytest.mark.parametrize("decision", ["keep", "merge", "remove", "hold"])
def test_a_ship_date_belongs_to_redate_alone(tmp_path: Path, decision: str) -> None:
    name = "quarantine_decisions.csv"
    write(tmp_path, name, replaced(name, "decision", decision))
    (problem,) = problems(tmp_path)
    assert f"column ship_date: '2025-10-06': does not go with the decision {decision}; write" in problem
    write(tmp_path, name, replaced(name, "decision", decision).replace("2025-10-06", ""))
    assert load_controls(tmp_path).quarantine_decisions[0].decision == decision


@pytest.mark.parametrize(
    ("name", "first", "second", "message"),
    [
        (
            "incidents.csv",
            GOOD["incidents.csv"],
            GOOD["incidents.csv"] + " again",
            "the same incident as line 2",
        ),
        ("expected_units.csv", "2025-10-06,331,a", "2025-10-06,330,b", "the same ship_date as line 2"),
        (
            "expected_on_hand.csv",
            "17612,2025-10-06,1,a",
            " 17612 ,2025-10-06,2,b",
            "the same sku_code and as_of",
        ),
        ("sku_variants.csv", "ABC,17612,,", "\u2003ABC\ufeff,17904,,", "the same raw_sku as line 2"),
        (
            "quarantine_decisions.csv",
            GOOD["quarantine_decisions.csv"],
            "017,600015,17612,,16,hold,,r,o,2025-10-20",
            "a second decision for the legacy_id of line 2",
        ),
    ],
)
def test_duplicates(tmp_path: Path, name: str, first: str, second: str, message: str) -> None:
    write(tmp_path, name, first, second)
    (problem,) = problems(tmp_path)
    assert problem.startswith(f"{name}, line 3: {message}")
    assert problem.endswith("; keep one of them")


def test_all_problems_are_told_at_once_up_to_20(tmp_path: Path) -> None:
    write(tmp_path, "expected_units.csv", *(f"{day},x,s" for day in range(30)))
    write(tmp_path, "sku_variants.csv", "A,B,C,")
    with pytest.raises(UsageError) as caught:
        load_controls(tmp_path)
    lines = caught.value.message.splitlines()
    assert lines[0] == f"The controls in {tmp_path} have 62 problems:"
    assert len(lines) == 22
    assert lines[-1] == "  and 42 more"


def test_the_header_is_strict(tmp_path: Path) -> None:
    write(tmp_path, "expected_units.csv")
    (tmp_path / "expected_units.csv").write_text("ship_date,units,source,source\n2025-10-06,x,y,z\n")
    assert problems(tmp_path) == [
        "expected_units.csv, line 1: unknown column 'units'; the header is ship_date,expected_units,source",
        "expected_units.csv, line 1: missing column 'expected_units'; the header is"
        " ship_date,expected_units,source",
        "expected_units.csv, line 1: column 'source' twice; the header is ship_date,expected_units,source",
    ]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "expected_units.csv").write_text("source, expected_units ,ship_date\ncount,+007,2025-10-06\n")
    (row,) = load_controls(tmp_path).expected_units
    assert (row.ship_date, row.expected_units, row.source) == ("2025-10-06", 7, "count")


def test_bom_crlf_and_missing_final_newline_are_fine(tmp_path: Path) -> None:
    text = HEADERS["expected_units.csv"] + "\r\n2025-10-06,331,count\r\n\r\n,,\r\n2025-10-07,1,count"
    (tmp_path / "expected_units.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [row.ship_date for row in load_controls(tmp_path).expected_units] == ["2025-10-06", "2025-10-07"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"ship_date,expected_units,source\n2025-10-06,1,caf\xe9\n",
            "expected_units.csv, line 2: not UTF-8 text;",
        ),
        ("ship_date,expected_units,source\n".encode("utf-16"), "expected_units.csv, line 1: not UTF-8 text;"),
        (
            b"ship_date,expected_units,source\n\n2025-10-06,1,\0\n",
            "expected_units.csv, line 3: holds a NUL byte;",
        ),
        (
            b"ship_date,expected_units,source\n2025-10-06,1\n",
            "expected_units.csv, line 2: has 2 fields where the header has 3;",
        ),
        (
            b"ship_date,expected_units,source\n2025-10-06,1,a,b\n",
            "expected_units.csv, line 2: has 4 fields where the header has 3; put texts with commas in double"
            " quotes",
        ),
        (
            b'ship_date,expected_units,source\n2025-10-06,1,"a\n',
            "expected_units.csv, line 2: not valid CSV (",
        ),
        (
            b"ship_date;expected_units;source\n2025-10-06;1;a\n",
            "expected_units.csv, line 1: its fields are divided by semicolons; save the file with commas:",
        ),
        (
            b"\xef\xbb\xbfship_date\texpected_units\tsource\r\n",
            "expected_units.csv, line 1: its fields are divided by tabs; save the file with commas:",
        ),
        (
            b"\n\nship_date;units\n",
            "expected_units.csv, line 3: unknown column 'ship_date;units'",
        ),
    ],
)
def test_files_that_are_no_good_csv(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "expected_units.csv").write_bytes(content)
    assert problems(tmp_path)[0].startswith(message)


def test_lines_are_counted_through_quoted_line_breaks(tmp_path: Path) -> None:
    write(tmp_path, "expected_units.csv", '2025-10-06,1,"two\nlines"', "2025-10-07,x,s")
    assert problems(tmp_path)[0].startswith("expected_units.csv, line 4, column expected_units: 'x'")


@pytest.mark.parametrize(
    "content", [None, "", "\n\n", "\ufeff", HEADERS["incidents.csv"], HEADERS["incidents.csv"] + "\r\n"]
)
def test_absent_empty_and_header_only_files_mean_nothing(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "incidents.csv").write_text(content, encoding="utf-8")
    assert load_controls(tmp_path) == Controls() == load_controls(None)


def test_a_mistyped_file_name_is_an_error_and_other_files_are_not(tmp_path: Path) -> None:
    for name in ("README.md", "incidents.csv~", "incidents.yml", ".hidden"):
        (tmp_path / name).write_text("x")
    assert load_controls(tmp_path) == Controls()
    (tmp_path / "incident.csv").write_text("x")
    (tmp_path / "Expected_Units.CSV").write_text("x")
    (tmp_path / "sku_variants.csv").mkdir()
    found = problems(tmp_path)
    assert [problem.split(":")[0] for problem in found] == [
        "Expected_Units.CSV",
        "incident.csv",
        "sku_variants.csv",
    ]
    assert "no such control (a typing error?); the files are incidents.csv, expected_units.csv" in found[1]


def test_a_controls_folder_that_is_none(lotgate: Cli, live: Path, work: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("")
    before = fingerprint(live.parent)
    for folder, message in ((tmp_path / "none", "does not exist"), (file, "is not a folder")):
        outcome = lotgate("snapshot", "--database", live, "--work-dir", work, "--controls", folder)
        assert f"The controls folder {folder} {message}." in outcome.err
        assert "--controls" in outcome.err
        assert outcome.code == 2
    assert fingerprint(live.parent) == before
    assert not work.exists()


def test_an_unreadable_file_is_the_environments_fault(live: Path, work: Path, tmp_path: Path) -> None:
    folder = write(tmp_path / "controls", "incidents.csv")
    (folder / "incidents.csv").chmod(0)
    outcome = run_lotgate(
        "snapshot", "--database", live, "--work-dir", work, "--controls", folder, preexec=drop_privileges
    )
    assert f"The control {folder / 'incidents.csv'} cannot be read: Permission denied." in outcome.err
    assert outcome.code == 3


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2025-10-06", "2025-10-06", ("2025-10-06 00:00:00", "2025-10-06 23:59:59")),
        ("2025-10-06 15:43", "2025-10-06T15:43", ("2025-10-06 15:43:00", "2025-10-06 15:43:59")),
        (" 2025-10-06 15:43:01", "2025-10-06 15:43:01 ", ("2025-10-06 15:43:01", "2025-10-06 15:43:01")),
    ],
)
def test_the_window_takes_days_and_minutes_whole(
    tmp_path: Path, start: str, end: str, expected: tuple[str, str]
) -> None:
    write(tmp_path, "incidents.csv", f"2024-04-16,,{start},{end},")
    (incident,) = load_controls(tmp_path).incidents
    assert (incident.created_from, incident.created_to) == expected
    assert incident.correct_ship_date is None


def test_the_normalized_files_do_not_depend_on_how_the_controls_were_written(tmp_path: Path) -> None:
    one = write(tmp_path / "one", "expected_units.csv", "2025-10-06,331,a", "2025-10-05,1,b")
    two = tmp_path / "two"
    two.mkdir()
    (two / "expected_units.csv").write_bytes(
        b"\xef\xbb\xbfsource,ship_date,expected_units\r\nb , 2025-10-05,01\r\na,2025-10-06,331\r\n"
    )
    (two / "incidents.csv").write_text("")
    first, second = load_controls(one), load_controls(two)
    assert first == second
    assert first.sha256 == second.sha256 != Controls().sha256
    write_normalized(first, tmp_path / "out")
    write_normalized(second, tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == sorted(HEADERS)  # noqa: PTH208 - the names only
    assert (tmp_path / "out" / "expected_units.csv").read_bytes() == (
        b"ship_date,expected_units,source\n2025-10-05,1,b\n2025-10-06,331,a\n"
    )
    assert (tmp_path / "out" / "incidents.csv").read_text() == HEADERS["incidents.csv"] + "\n"


def test_a_link_in_the_place_of_a_normalized_file_is_replaced_not_followed(tmp_path: Path) -> None:
    mine = write(tmp_path / "mine", "incidents.csv", GOOD["incidents.csv"]) / "incidents.csv"
    out = tmp_path / "out"
    out.mkdir()
    (out / "incidents.csv").symlink_to(mine)
    write_normalized(Controls(), out)
    assert len(mine.read_text().splitlines()) == 2
    assert (out / "incidents.csv").read_text() == HEADERS["incidents.csv"] + "\n"


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(TEXT, max_size=4))
def test_normalizing_twice_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, notes: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("controls")
    controls = Controls(
        incidents=tuple(
            Incident(
                wrong_ship_date="2024-04-16",
                correct_ship_date="2025-10-06",
                created_from=f"2025-10-0{day}",
                created_to="2025-10-31",
                note=note,  # type: ignore[arg-type]
            )
            for day, note in enumerate(notes, start=1)
        )
    )
    write_normalized(controls, folder)
    read = load_controls(folder)
    assert read == controls
    assert read.sha256 == controls.sha256
    assert read.as_files() == controls.as_files()


def test_the_snapshot_command_writes_them_for_dbt(
    lotgate: Cli, live: Path, work: Path, tmp_path: Path
) -> None:
    folder = write(tmp_path / "controls", "sku_variants.csv", GOOD["sku_variants.csv"])
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work, "--controls", folder, "--json")
    assert outcome.code == 0
    assert outcome.json["controls_sha256"] == load_controls(folder).sha256
    assert load_controls(work / "controls") == load_controls(folder)
