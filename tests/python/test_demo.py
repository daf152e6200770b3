"""``lotgate demo``: the owner's figures, from the command line to the ledger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conftest import Outcome, fingerprint
from lotgate.evidence import create_evidence
from test_build import rows_of, work_dir_of_the_session

Cli = Callable[..., Outcome]


def test_figures_and_a_second_run(
    lotgate: Cli, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run, in the same work directory, prints for people what the first printed for programs."""
    work = work_dir_of_the_session(tmp_path_factory)
    first = lotgate("demo", "--work-dir", work, "--json")
    assert first.code == 0, first.err
    assert first.err == ""
    figures = first.json["figures"]
    days = {
        day["ship_date"]: [day[name] for name in ("before", "after", "shipstation", "expected")]
        for day in figures["days"]
    }
    assert days == {"2024-04-16": [107, 0, None, None], "2025-10-06": [223, 331, 331, 331]}
    (stock,) = figures["on_hand"]
    assert (stock["sku_code"], stock["as_of_date"]) == ("17612", "2025-10-10")
    assert (stock["before"], stock["after"], stock["expected"]) == (638, 610, 610)
    assert (figures["residual"], figures["undecided"]) == (0, 0)
    assert figures["legacy_rows"] == sum(
        line["rows"] for line in figures["rows"] if line["disposition"] != "recovered"
    )
    recovered = [line for line in figures["rows"] if line["disposition"] == "recovered"]
    assert [line["units"] for line in recovered] == [75]
    assert_swapped(first.json, work / "demo" / "ora.db")
    candidate = work / "candidate.sqlite"
    wrong = units_of_the_wrong_date(candidate)
    assert (wrong.pop("redate"), sum(wrong.values()), set(wrong)) == (33, 74, {"merge", "remove"})
    assert rows_of(
        candidate, "select sum(quantity_shipped) from shipped_items where ship_date = '2025-10-06'"
    ) == [(331,)]

    second = lotgate("demo", "--work-dir", work)
    assert second.code == 0, second.err
    assert table_hashes(work) == {table["table"]: table["sha256"] for table in first.json["build"]["hashes"]}
    for title in ("Units by ship date", "Units on hand", "What became of the rows"):
        assert title in second.out
    table_rows = [line.replace("│", " ").split() for line in second.out.splitlines()]
    assert ["2024-04-16", "2025-10-06"] in table_rows
    assert ["before", "107", "223"] in table_rows
    assert ["=", "after", "0", "331"] in table_rows
    assert ["17612", "2025-10-10", "638", "610", "610"] in table_rows
    for line in figures["rows"]:
        assert [line["disposition"], line["reason"], str(line["rows"]), str(line["units"])] in table_rows
    assert "Units that are not explained: 0." in second.out
    assert f"Candidate  {candidate}" in second.out
    assert "Swapped: 5 skus, 10 lots, 295 shipped_orders, 467 shipped_items; 1472 units." in second.out
    assert "Verified: all 17 checks hold." in second.out


def assert_swapped(content: dict[str, Any], live: Path) -> None:
    """The live database has the new tables, and its figures are the owner's."""
    assert content["verdict"]["verdict"] == "open"
    assert content["verification"]["holds"] is True
    assert len(content["swap"]["backups"]) == 2
    day = "select sum(quantity_shipped) from {} where ship_date = '2025-10-06'"
    assert rows_of(live, day.format("shipped_items")) == [(331,)]
    assert rows_of(live, day.format("legacy_shipped_items")) == [(223,)]
    assert rows_of(live, "select count(*) from lotgate_row_ledger") == [(477,)]


def units_of_the_wrong_date(candidate: Path) -> dict[str, int]:
    """Units by what became of them; merge and remove are the second records, 74 together."""
    sql = (
        "select disposition, sum(units) from audit_row_ledger where ship_date = '2024-04-16'"
        " group by disposition"
    )
    return dict(rows_of(candidate, sql))


def table_hashes(work: Path) -> dict[str, Any]:
    content = json.loads((work / "build.json").read_text(encoding="ascii"))
    return {table["table"]: table["sha256"] for table in content["hashes"]}


@pytest.mark.parametrize("name", ["ora.db", "ora.db-wal"])
def test_a_database_that_is_not_the_demos_own_stays(lotgate: Cli, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "work" / "demo"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / name)) as connection:
        connection.execute("create table precious (a)")
    before = fingerprint(folder)
    outcome = lotgate("demo", "--work-dir", folder.parent)
    assert outcome.code == 2
    assert f"Error: {folder / 'ora.db'} exists and was not made by the demo." in outcome.err
    assert "Hint: Move it away, or name another folder with --work-dir." in outcome.err
    assert outcome.out == ""
    assert fingerprint(folder) == before


def test_evidence_that_is_not_the_demos_own_stays(lotgate: Cli, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    evidence = work / "shipstation.sqlite"
    create_evidence(evidence, tmp_path / "other.db")
    with closing(sqlite3.connect(evidence)) as connection:
        connection.execute(
            "insert into fetches values (1, '2025-10-06', '2025-10-06', '2025-10-08', 1, null)"
        )
        connection.commit()
    content = evidence.read_bytes()
    outcome = lotgate("demo", "--work-dir", work)
    assert outcome.code == 2
    assert "holds the ShipStation evidence of another database" in outcome.err
    assert evidence.read_bytes() == content
    assert not (work / "demo").exists()
