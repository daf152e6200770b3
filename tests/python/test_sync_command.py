"""`lotgate sync` as its users see it: what it prints, what it exits with, what it never shows."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from conftest import Outcome, drop_privileges, fingerprint, run_lotgate
from shipstation_fixtures import ENVIRON, NOW
from sync_cases import Ingestion, query

TODAY = f"{NOW:%Y-%m-%d}"
MORNING = NOW.replace(hour=8)
TEXT = "17612 - 250300"
SECRET = "s3cr3t-of-nobody"


def command(sync: Ingestion, *arguments: str | Path, **environ: str) -> Outcome:
    env = (
        ENVIRON
        | {"LOTGATE_SHIPSTATION_URL": sync.simulator.url, "LOTGATE_SHIPSTATION_ATTEMPTS": "2"}
        | environ
    )
    return run_lotgate("sync", *arguments, "--database", sync.database, env=env)


def refusing(sync: Ingestion) -> None:
    """One good order, and one of each kind that is refused."""
    sync.ship("600105", (TEXT, 3), ("17612 - 999001", 1), at=MORNING)
    sync.ship("600115", ("18255 - 250300", 2), at=MORNING)
    sync.ship("600125", ("17904-40", 1), (TEXT, 2), at=MORNING)
    sync.ship("600135", (TEXT, 2), at=MORNING, ship_date="2030-03-20")
    sync.ship("600145", (TEXT, 2), at=MORNING, ship_date="2030-03-13")


def test_the_report_says_what_was_written_what_was_refused_and_what_to_do(sync: Ingestion) -> None:
    refusing(sync)
    found = command(sync, "shipments")
    assert found.code == 0, found.err
    assert "sync shipments: 5 labels read from 2030-02-02T00:00:00 to 2030-03-14T11:59:55" in found.out
    assert "3 rows were added" in found.out
    assert "+6 -0 units in 2 orders" in found.out
    assert "New lots, which only shipments know: 17612 - 999001." in found.out
    assert "4 were refused and kept in quarantine, 4 of them new:" in found.out
    for line in (
        "unknown_sku: shipment 900000002 line 0, order 600115, 2 of 18255 - 250300, 2030-03-14",
        "implausible_lot: shipment 900000003 line 0, order 600125, 1 of 17904-40, 2030-03-14",
        "future_ship_date: shipment 900000004, order 600135, 2 of 17612 - 250300, 2030-03-20",
        "before_order_date: shipment 900000005, order 600145, 2 of 17612 - 250300, 2030-03-13",
    ):
        assert line in found.out
    assert found.out.count("What to do, ") == 4
    assert "Watermark: 2030-03-14T08:00:00 (before: none)." in found.out
    listed = command(sync, "quarantine")
    assert "4 open entries:" in listed.out
    assert len(json.loads(command(sync, "quarantine", "--json").out)["quarantine"]) == 4


def test_a_text_from_outside_cannot_forge_a_line(sync: Ingestion) -> None:
    sync.ship("600105", ("ducks\nWatermark: 2099-01-01\u202e", 3), at=MORNING)
    sync.ship("9" * 5000, ("ducks", 3), at=MORNING)
    for found in (command(sync, "shipments"), command(sync, "quarantine")):
        assert "\nWatermark: 2099" not in found.out
        assert "\u202e" not in found.out
        assert max(map(len, found.out.splitlines())) < 400


def test_a_dry_run_says_so(sync: Ingestion) -> None:
    refusing(sync)
    before = fingerprint(sync.database.parent)["ora.db"]
    found = command(sync, "shipments", "--dry-run")
    assert "3 rows would be added" in found.out
    assert "A dry run: nothing was written" in found.out
    assert fingerprint(sync.database.parent)["ora.db"] == before
    assert "empty" in command(sync, "quarantine").out


def test_json_has_everything(sync: Ingestion) -> None:
    refusing(sync)
    found = command(sync, "shipments", "--json")
    content = json.loads(found.out)
    assert content["written"]["rows_added"] == 3
    assert content["written"]["lots_created"] == ["17612 - 999001"]
    assert [one["reason"] for one in content["refusals"]].count("unknown_sku") == 1
    assert content["watermark"] == "2030-03-14T08:00:00"
    assert content["requests"] == len(list(sync.simulator.log))


def test_a_text_that_the_owner_explained_is_written_by_retry(sync: Ingestion, tmp_path: Path) -> None:
    sync.ship("600115", ("18255 - 250300", 2), at=MORNING)
    assert "1 were refused" in command(sync, "shipments").out
    controls = tmp_path / "controls"
    controls.mkdir()
    (controls / "sku_variants.csv").write_text(
        "raw_sku,sku_code,lot_number,note\n18255 - 250300,17612,250300,relabelled\n"
    )
    sync.later(days=9)
    found = command(sync, "shipments", "--retry", "--controls", controls)
    assert "1 entries of the quarantine were settled." in found.out
    assert sync.units() == {("600115", "17612", "250300", TODAY): 2}
    assert "The quarantine is empty." in command(sync, "quarantine").out


def test_status_shows_the_last_runs_and_what_waits(sync: Ingestion, tmp_path: Path) -> None:
    refusing(sync)
    command(sync, "shipments")
    found = run_lotgate("status", "--database", sync.database, "--work-dir", tmp_path / "w")
    assert "Last sync shipments: done" in found.out
    assert "4 entries in quarantine" in found.out
    content = json.loads(
        run_lotgate("status", "--database", sync.database, "--work-dir", tmp_path / "w", "--json").out
    )
    assert [one["service"] for one in content["syncs"]] == ["shipments"]
    assert content["quarantined"] == 4


# secrets


def test_key_and_secret_are_never_shown(sync: Ingestion) -> None:
    refusing(sync)
    for code, environ in (
        (3, {"SHIPSTATION_API_KEY": "wrong", "SHIPSTATION_API_SECRET": SECRET}),
        (3, {"SHIPSTATION_API_KEY": SECRET, "SHIPSTATION_API_SECRET": "wrong"}),
        (2, {"SHIPSTATION_API_KEY": "", "SHIPSTATION_API_SECRET": SECRET}),
    ):
        env = ENVIRON | {"LOTGATE_SHIPSTATION_URL": sync.simulator.url} | environ
        for options in ([], ["--json"]):
            found = run_lotgate(
                "--debug", "sync", "shipments", "--database", sync.database, *options, env=env
            )
            assert found.code == code, found.err
            assert SECRET not in found.out + found.err
            assert "SHIPSTATION_API_" in found.err
    dump = "\n".join(map(str, query(sync.database, "select * from lotgate_sync_runs")))
    assert SECRET not in dump
    assert sync.units() == {}


# what can be wrong


def test_nobody_listens(sync: Ingestion) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = command(sync, "shipments", LOTGATE_SHIPSTATION_URL=f"http://127.0.0.1:{port}")
    assert found.code == 3
    assert "Error: " in found.err
    assert "Hint: " in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["shipments", "--since", "yesterday"], 2, "--since yesterday is no day since 2000-01-01"),
        (["shipments", "--since", "0001-01-01"], 2, "is no day since"),
        (["shipments", "--since", "2025-02-30"], 2, "is no day"),
        ([], 2, "Which service?"),
        (["parcels"], 2, "No such command"),
        (["--watch", "shipments"], 2, "--watch runs all three services"),
        (["--interval", "5", "shipments"], 2, "Options come after the service"),
        (["shipments", "--controls", "/nowhere"], 2, "does not exist"),
    ],
)
def test_wrong_usage(sync: Ingestion, arguments: list[str], code: int, text: str) -> None:
    env = ENVIRON | {"LOTGATE_SHIPSTATION_URL": sync.simulator.url, "LOTGATE_DATABASE": str(sync.database)}
    found = run_lotgate("sync", *arguments, env=env)
    assert found.code == code, found.err
    assert text in found.err
    assert len(list(sync.simulator.log)) == 0


def test_what_is_no_database_of_ours(sync: Ingestion, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, however long it is " * 100)
    (tmp_path / "empty.db").touch()
    for path, code in (
        (tmp_path / "missing.db", 2),
        (tmp_path, 2),
        (tmp_path / "text.db", None),
        (tmp_path / "empty.db", None),
    ):
        found = run_lotgate("sync", "shipments", "--database", path, env=ENVIRON)
        assert found.code in ((code,) if code else (1, 2, 3)), found.err
        assert "Error: " in found.err
        assert "Traceback" not in found.err
    assert not (tmp_path / "missing.db").exists()


def test_a_path_with_quotes_and_blanks(sync: Ingestion, tmp_path: Path) -> None:
    folder = tmp_path / 'o\'ra 100% "x"'
    folder.mkdir()
    database = folder / "ora 'db'.sqlite"
    database.write_bytes(sync.database.read_bytes())
    sync.ship("600105", (TEXT, 3), at=MORNING)
    found = run_lotgate(
        "sync",
        "shipments",
        "--database",
        database,
        env=ENVIRON | {"LOTGATE_SHIPSTATION_URL": sync.simulator.url},
    )
    assert found.code == 0, found.err
    assert query(database, "select sum(quantity_shipped) from shipped_items") == [(3,)]


def test_a_database_that_may_not_be_written(sync: Ingestion) -> None:
    sync.database.chmod(0o400)
    env = ENVIRON | {"LOTGATE_SHIPSTATION_URL": sync.simulator.url}
    found = run_lotgate("sync", "shipments", "--database", sync.database, env=env, preexec=drop_privileges)
    assert found.code == 3
    assert "cannot be written to" in found.err
    os.chmod(sync.database, 0o600)  # noqa: PTH101


def test_every_command_has_an_example() -> None:
    for name in ("shipments", "status", "manual", "quarantine"):
        found = run_lotgate("sync", name, "--help")
        assert f"Example: lotgate sync {name}" in found.out
    assert "Example: lotgate sync --watch" in run_lotgate("sync", "--help").out
