"""Controls as dbt loads them: more lines than one statement of SQLite takes, and texts of all kinds."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

from plain_dbt import copy_project, dbt

# SQLite's default is 32,766 values in one statement; these are 120,000
DECISIONS = 12_000
NOTES = ("plain", "with 'one' and \"two\" quotes", "a, comma", "  blanks  ", "7", "2025-10-06", "Å æ ö", "")


def test_thousands_of_decisions_are_loaded_line_by_line(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    file = project / "seeds" / "controls" / "quarantine_decisions.csv"
    header = file.read_text(encoding="utf-8").splitlines()[0].split(",")
    lines = [
        {"legacy_id": str(number), "decision": "keep", "reason": NOTES[number % len(NOTES)]}
        for number in range(1, DECISIONS + 1)
    ]
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
    said = dbt(project, "seed", "--select", "quarantine_decisions")
    assert said.code == 0, said.out
    candidate = next(path for path in project.rglob("*.sqlite") if path.name.startswith("candidate"))
    with closing(sqlite3.connect(candidate)) as connection:
        loaded = connection.execute(
            "select legacy_id, decision, reason, decided_by from quarantine_decisions order by rowid"
        ).fetchall()
    assert len(loaded) == DECISIONS
    assert [(str(row[0]), row[1], row[2] or "", row[3]) for row in loaded] == [
        (line["legacy_id"], line["decision"], line["reason"], None) for line in lines
    ]
