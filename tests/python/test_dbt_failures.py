"""The rows that a data test found can be looked at, in a file beside the candidate and never in it."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from conftest import Outcome
from lotgate.sqlite_files import sqlite_uri

Cli = Callable[..., Outcome]


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(sqlite_uri(database, mode="ro"), uri=True)) as connection:
        return connection.execute(query).fetchall()


def tables(database: Path) -> set[str]:
    return {name for (name,) in rows(database, "select name from sqlite_schema where type = 'table'")}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def results(work: Path) -> list[dict[str, Any]]:
    content = json.loads((work / "dbt" / "run_results.json").read_text(encoding="utf-8"))
    return list(content["results"])


def manifest(work: Path) -> dict[str, Any]:
    return dict(json.loads((work / "dbt" / "manifest.json").read_text(encoding="utf-8")))


def test_each_test_that_found_rows_has_a_table_with_them_and_no_other_has(demo_build: Path) -> None:
    found = {
        result["unique_id"].split(".")[2]: result["failures"]
        for result in results(demo_build)
        if result["unique_id"].startswith("test.") and result["failures"]
    }
    failures = demo_build / "failures.sqlite"
    assert found
    assert tables(failures) == set(found)
    for name, count in found.items():
        assert rows(failures, f'select count(*) from "{name}"') == [(count,)]


def test_the_rows_are_what_the_test_saw(demo_build: Path) -> None:
    seen = rows(demo_build / "failures.sqlite", "select * from warn_lots_are_discovered order by 1, 2")
    (test,) = (node for node in results(demo_build) if ".warn_lots_are_discovered" in node["unique_id"])
    query = test["compiled_code"].replace("main.", "")
    assert seen
    assert seen == sorted(rows(demo_build / "candidate.sqlite", query))


def test_the_candidate_has_the_tables_of_models_and_controls_and_no_other(demo_build: Path) -> None:
    built = {result["unique_id"] for result in results(demo_build)}
    nodes = manifest(demo_build)["nodes"]
    expected = {
        node["alias"]
        for unique_id, node in nodes.items()
        if unique_id in built
        and node["resource_type"] in ("model", "seed")
        and node["config"]["materialized"] != "ephemeral"
    }
    assert tables(demo_build / "candidate.sqlite") - {"sqlite_sequence"} == expected
    hashed = json.loads((demo_build / "build.json").read_text(encoding="utf-8"))["hashes"]
    assert {entry["table"] for entry in hashed} <= expected


def test_every_data_test_keeps_its_rows(demo_build: Path) -> None:
    tests = [node for node in manifest(demo_build)["nodes"].values() if node["resource_type"] == "test"]
    assert tests
    assert {(node["schema"], node["config"]["store_failures"]) for node in tests} == {("failures", True)}


def test_the_file_is_its_owners_alone(demo_build: Path) -> None:
    assert mode(demo_build / "failures.sqlite") == 0o600


def test_a_build_that_fails_says_where_the_rows_are(
    lotgate: Cli, live: Path, work: Path, tmp_path: Path
) -> None:
    controls = tmp_path / "controls"
    controls.mkdir()
    expected = "ship_date,expected_units,source\n2025-09-15,41,counted\n"
    (controls / "expected_units.csv").write_text(expected, encoding="utf-8")
    outcome = lotgate("build", "--database", live, "--work-dir", work, "--controls", controls)
    failures = work / "failures.sqlite"
    name = "assert_units_are_as_the_owner_expects"
    assert outcome.code == 1
    assert str(failures) in outcome.err
    assert name in tables(failures)
    columns = "ship_date, expected_units"
    assert rows(failures, f"select {columns} from {name}") == [("2025-09-15", 41)]
    assert name not in tables(work / "candidate.failed.sqlite")
    assert mode(failures) == 0o600
    # what was found then does not stand beside another snapshot
    taken = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert taken.code == 0, taken.err
    assert not failures.exists()
