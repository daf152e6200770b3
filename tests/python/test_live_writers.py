"""Processes read and write throughout a swap and a rollback: nothing written is lost, nobody fails."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Outcome
from live_writers import Crowd, Seen, crowd

Cli = Callable[..., Outcome]


@pytest.fixture
def work(demo_build: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_build, tmp_path / "work", symlinks=True))


def during(live: Crowd, phase: str, seconds: float = 0.5) -> None:
    live.set_phase(phase)
    time.sleep(seconds)


def units_of_marks(database: Path, column: str) -> dict[str, int]:
    """The shipments that the ingestion wrote, told by the text that it put into ``column``."""
    with closing(sqlite3.connect(database)) as connection:
        return dict(
            connection.execute(
                f"select {column}, sum(quantity_shipped) from shipped_items"
                f" where {column} like 'mark %' group by 1"
            ).fetchall()
        )


def test_nothing_written_is_lost_over_swap_and_rollback(lotgate: Cli, work: Path) -> None:
    database = work / "demo" / "ora.db"
    with closing(sqlite3.connect(database)) as connection:
        before = connection.execute("select count(*), sum(quantity_shipped) from shipped_items").fetchone()
        flags = connection.execute("select workflow_name, enabled from workflow_controls").fetchall()
    with crowd(database) as live:
        during(live, "before")
        live.set_phase("swap")
        swapped = lotgate("swap", "--database", database, "--work-dir", work, "--json")
        assert swapped.code == 0, swapped.err
        during(live, "migrated")
        live.set_phase("rollback")
        back = lotgate("rollback", "--database", database, "--work-dir", work, "--json")
        assert back.code == 0, back.err
        during(live, "after")
        seen = live.finish()
    assert [error for one in seen for error in one.errors] == []
    assert all(one.transactions > 20 for one in seen), [(one.kind, one.transactions) for one in seen]
    marks = [mark for one in seen for mark in one.marks]
    new = [mark for mark in marks if mark.startswith("new:")]
    legacy = [mark.removeprefix("legacy:") for mark in marks if mark.startswith("legacy:")]
    assert new, "the ingestion wrote nothing into the new tables"
    assert legacy, "the ingestion wrote nothing after the rollback"
    # written with a base_sku of its own, into the legacy table, after it was back
    assert units_of_marks(database, "base_sku") == dict.fromkeys(legacy, 1)
    with closing(sqlite3.connect(database)) as connection:
        after = connection.execute("select count(*), sum(quantity_shipped) from shipped_items").fetchone()
        kept = connection.execute(
            "select count(*) from lotgate_not_carried_over where after_row like '%mark %'"
        ).fetchone()[0]
        assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
        assert connection.execute("select workflow_name, enabled from workflow_controls").fetchall() == flags
    # the others became legacy rows without a lot; their raw texts have no legacy column and are kept
    assert after == (before[0] + len(marks), before[1] + len(marks))
    assert kept == len(new)
    assert back.json["inserted"] == len(new)
    assert swapped.json["lock_ms"] > 0


def test_a_writer_that_never_stops_makes_the_swap_refuse_and_loses_nothing(lotgate: Cli, work: Path) -> None:
    database = work / "demo" / "ora.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("update shipped_items set quantity_shipped = quantity_shipped + 1 where id = 4101")
        connection.commit()
        before = connection.execute("select * from shipped_items order by id").fetchall()
    with crowd(database, ingestions=0) as live:
        during(live, "swap", 0.1)
        refused = lotgate("swap", "--database", database, "--work-dir", work)
        seen: list[Seen] = live.finish()
    assert refused.code == 1
    assert "changed after the audit: 1 change" in refused.err
    assert [error for one in seen for error in one.errors] == []
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("select * from shipped_items order by id").fetchall() == before
