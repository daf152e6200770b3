"""Settings: option over environment over lotgate.toml over default, what is refused, and `lotgate config`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import LOTGATE, Outcome
from lotgate.config import (
    Settings,
    ShipStationSettings,
    SwapSettings,
    SyncSettings,
    list_settings,
    load_settings,
)
from lotgate.errors import UsageError

Cli = Callable[..., Outcome]

FULL = """
[lotgate]
database = "data/ora.db"

[swap]
pause_workflows = ["xml-import"]
pause_command = "systemctl stop upload.timer"
resume_command = "systemctl start upload.timer"
lock_budget_ms = 100
lock_attempts = 3
chunk_ms = 10
catch_up_rounds = 0
retention_days = 14
command_timeout_s = 5.5

[backups]
folders = ["first", "/srv/second"]

[verify]
alert_command = "logger broken"

[shipstation]
url = "https://ssapi.example.com/v1/"
timeout_s = 30
page_size = 100
attempts = 4

[sync]
workflow = "shipstation"
manual_prefix = "20"
guard_days = 30
window_days = 3
overlap_hours = 4.5
interval_s = 60
"""
SHIPSTATION = ShipStationSettings("https://ssapi.example.com/v1", 30.0, 100, 4)
SYNC = SyncSettings("shipstation", "20", 30, 3, 4.5, 60.0)


def load(folder: Path, content: str = "", environ: dict[str, str] | None = None, **options: Any) -> Settings:
    (folder / "lotgate.toml").write_text(content, encoding="utf-8")
    return load_settings(folder=folder, environ=environ or {}, **options)


def test_the_defaults(tmp_path: Path) -> None:
    found = load_settings(folder=tmp_path, environ={}, database=str(tmp_path / "ora.db"), work_dir="w")
    assert found.swap == SwapSettings(
        backup_folders=(Path("w/backups"), tmp_path / "ora.db.lotgate-backups"),
        pause_workflows=("unified-shipstation-sync", "shipstation-upload", "xml-import"),
        pause_command=None,
        resume_command=None,
        alert_command=None,
        lock_budget_ms=250,
        lock_attempts=10,
        chunk_ms=15,
        catch_up_rounds=3,
        retention_days=7,
        command_timeout_s=60,
    )
    assert found.origins.pop("lotgate.database") == "option --database"  # type: ignore[attr-defined]
    assert found.origins.pop("lotgate.work_dir") == "option --work-dir"  # type: ignore[attr-defined]
    assert set(found.origins.values()) == {"default"}


def test_the_second_default_folder_is_beside_the_real_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "ora.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "real" / "ora.db")
    found = load(tmp_path, '[lotgate]\ndatabase = "link.db"')
    assert found.swap.backup_folders[1] == tmp_path / "real" / "ora.db.lotgate-backups"


def test_everything_from_the_file(tmp_path: Path) -> None:
    found = load(tmp_path, FULL)
    assert found.database == tmp_path / "data" / "ora.db"
    assert found.swap == SwapSettings(
        backup_folders=(tmp_path / "first", Path("/srv/second")),
        pause_workflows=("xml-import",),
        pause_command="systemctl stop upload.timer",
        resume_command="systemctl start upload.timer",
        alert_command="logger broken",
        lock_budget_ms=100,
        lock_attempts=3,
        chunk_ms=10,
        catch_up_rounds=0,
        retention_days=14.0,
        command_timeout_s=5.5,
    )
    assert isinstance(found.swap.retention_days, float)
    assert (found.shipstation, found.sync) == (SHIPSTATION, SYNC)
    left_out = {"lotgate.work_dir", "lotgate.controls"}
    assert {name for name, origin in found.origins.items() if origin != "lotgate.toml"} == left_out


def test_the_environment_is_over_the_file(tmp_path: Path) -> None:
    environ = {
        "LOTGATE_PAUSE_WORKFLOWS": "a, b,",
        "LOTGATE_BACKUP_FOLDERS": os.pathsep.join(["here", "/there"]),
        "LOTGATE_PAUSE_COMMAND": "true",
        "LOTGATE_RESUME_COMMAND": "true 1",
        "LOTGATE_ALERT_COMMAND": "true 2",
        "LOTGATE_LOCK_BUDGET_MS": "99",
        "LOTGATE_LOCK_ATTEMPTS": "9",
        "LOTGATE_CHUNK_MS": "8",
        "LOTGATE_CATCH_UP_ROUNDS": "7",
        "LOTGATE_RETENTION_DAYS": "0.5",
        "LOTGATE_COMMAND_TIMEOUT_S": "6",
    }
    found = load(tmp_path, FULL, environ)
    assert found.swap == SwapSettings(
        backup_folders=(Path("here"), Path("/there")),  # as the other paths: from the current folder
        pause_workflows=("a", "b"),
        pause_command="true",
        resume_command="true 1",
        alert_command="true 2",
        lock_budget_ms=99,
        lock_attempts=9,
        chunk_ms=8,
        catch_up_rounds=7,
        retention_days=0.5,
        command_timeout_s=6.0,
    )
    assert found.origins["swap.chunk_ms"] == "environment LOTGATE_CHUNK_MS"
    assert found.origins["backups.folders[0]"] == "environment LOTGATE_BACKUP_FOLDERS"
    assert found.origins["verify.alert_command"] == "environment LOTGATE_ALERT_COMMAND"
    assert load(tmp_path, FULL, dict.fromkeys(environ, "")).swap == load(tmp_path, FULL).swap
    assert load(tmp_path, FULL, {"LOTGATE_PAUSE_WORKFLOWS": ","}).swap.pause_workflows == ()


def test_variables_of_shipstation_and_sync_have_the_tables_name(tmp_path: Path) -> None:
    environ = {
        "LOTGATE_SHIPSTATION_URL": "http://127.0.0.1:8080",
        "LOTGATE_SHIPSTATION_PAGE_SIZE": "7",
        "LOTGATE_SYNC_GUARD_DAYS": "9",
    }
    found = load(tmp_path, FULL, environ)
    assert found.shipstation == replace(SHIPSTATION, url="http://127.0.0.1:8080", page_size=7)
    assert found.sync == replace(SYNC, guard_days=9)
    assert found.origins["shipstation.url"] == "environment LOTGATE_SHIPSTATION_URL"


@pytest.mark.parametrize(
    "url",
    [
        "http://ssapi.shipstation.com",  # the key would go over the wire in plain text
        "ssapi.shipstation.com",
        "https://key:secret@ssapi.shipstation.com",
        "https://ssapi.shipstation.com/?x=1",
        "ftp://127.0.0.1",
        "https://",
        " ",
    ],
)
def test_an_address_that_is_none_or_is_not_encrypted(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="is not an address") as raised:
        load(tmp_path, f'[shipstation]\nurl = "{url}"')
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"


def test_a_window_must_overlap_by_the_hour_that_repeats(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="overlap_hours"):
        load(tmp_path, "[sync]\noverlap_hours = 1")


def test_options_are_over_the_environment(tmp_path: Path) -> None:
    environ = {
        "LOTGATE_BACKUP_FOLDERS": os.pathsep.join(["/a", "/b"]),
        "LOTGATE_RETENTION_DAYS": "2",
        "LOTGATE_LOCK_BUDGET_MS": "2",
    }
    found = load(tmp_path, FULL, environ, second_backup_folder="c", retention_days=1.0, lock_budget_ms=1)
    assert found.swap.backup_folders == (Path("/a"), Path("c"))
    assert (found.swap.retention_days, found.swap.lock_budget_ms) == (1.0, 1)
    assert found.origins["backups.folders[0]"] == "environment LOTGATE_BACKUP_FOLDERS"
    assert found.origins["backups.folders[1]"] == "option --backup-dir"
    assert found.origins["swap.retention_days"] == "option --retention-days"
    assert found.origins["swap.lock_budget_ms"] == "option --lock-budget-ms"


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("x = 1", "there is no table or setting 'x'", "[lotgate], [swap], [backups], [verify]"),
        ("[swop]", "there is no table or setting 'swop'", "[lotgate], [swap], [backups], [verify]"),
        ("swap = 1", "swap is not a table", "[swap]"),
        ("[swap]\nchunk = 1", "[swap] has no setting 'chunk'", "chunk_ms"),
        ("[swap]\nalert_command = 'x'", "[swap] has no setting 'alert_command'", "pause_command"),
        ("[verify]\nfolders = 1", "[verify] has no setting 'folders'", "are alert_command."),
        ("[swap]\nchunk_ms = 0", "[swap] chunk_ms = 0 is not a whole number from 1 to 10000", ""),
        ("[swap]\nchunk_ms = 10001", "chunk_ms = 10001 is not", ""),
        ("[swap]\nchunk_ms = true", "chunk_ms = True is not", ""),
        ("[swap]\nchunk_ms = '20'", "chunk_ms = '20' is not", ""),
        ("[swap]\nchunk_ms = 1.5", "chunk_ms = 1.5 is not", ""),
        ("[swap]\nlock_budget_ms = 0", "a whole number from 1 to 60000 (milliseconds)", ""),
        ("[swap]\nlock_attempts = 0", "a whole number from 1 to 1000", ""),
        ("[swap]\ncatch_up_rounds = -1", "a whole number from 0 to 100", ""),
        ("[swap]\nretention_days = -0.5", "a number from 0 to 36500 (days)", ""),
        ("[swap]\nretention_days = nan", "a number from 0 to 36500 (days)", ""),
        ("[swap]\nretention_days = inf", "a number from 0 to 36500 (days)", ""),
        ("[swap]\nretention_days = true", "a number from 0 to 36500 (days)", ""),
        ("[swap]\ncommand_timeout_s = 0", "a number from 0.1 to 86400 (seconds)", ""),
        ("[swap]\npause_workflows = 'a'", "= 'a' is not a list of names of workflows", ""),
        ("[swap]\npause_workflows = ['a', '']", "is not a list of names of workflows", ""),
        ("[swap]\npause_workflows = ['a', 'a']", "none twice", ""),
        ("[swap]\npause_workflows = [1]", "is not a list of names of workflows", ""),
        ("[swap]\npause_command = ' '", "pause_command is not a command", ""),
        ("[verify]\nalert_command = 1", "[verify] alert_command is not a command", ""),
        ("[backups]\nfolders = ['a']", "= ['a'] is not a list of two folders", ""),
        ("[backups]\nfolders = ['a', 'b', 'c']", "is not a list of two folders", ""),
        ("[backups]\nfolders = ['a', '']", "is not a list of two folders", ""),
        ("[backups]\nfolders = 'a'", "is not a list of two folders", ""),
        (
            "[swap]\npause_command = 'x'",
            "[swap] pause_command is given (lotgate.toml), and resume_command",
            "",
        ),
        ("[swap]\nresume_command = 'x'", "[swap] resume_command is given (lotgate.toml), and pause_", ""),
    ],
)
def test_what_the_file_must_not_say(tmp_path: Path, content: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, content)
    assert message in raised.value.message
    told = f"{raised.value.message} {raised.value.hint}"
    assert str(tmp_path / "lotgate.toml") in told
    assert hint in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CHUNK_MS", "soon", "LOTGATE_CHUNK_MS = 'soon' is not a whole number from 1 to 10000"),
        ("RETENTION_DAYS", "nan", "LOTGATE_RETENTION_DAYS = 'nan' is not a number from 0"),
        ("BACKUP_FOLDERS", "one", "LOTGATE_BACKUP_FOLDERS = ['one'] is not a list of two folders"),
        ("PAUSE_COMMAND", "x", "pause_command is given (environment LOTGATE_PAUSE_COMMAND)"),
        ("ALERT_COMMAND", " ", "LOTGATE_ALERT_COMMAND is not a command"),
    ],
)
def test_what_the_environment_must_not_say(tmp_path: Path, name: str, value: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, "", {f"LOTGATE_{name}": value})
    assert message in raised.value.message


def test_options_have_ranges_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--lock-budget-ms = 0 is not a whole number"):
        load(tmp_path, lock_budget_ms=0)
    with pytest.raises(UsageError, match="--retention-days = -1 is not a number"):
        load(tmp_path, retention_days=-1)
    with pytest.raises(UsageError, match="--backup-dir is empty"):
        load(tmp_path, second_backup_folder="")


def test_a_command_is_not_repeated_in_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, '[verify]\nalert_command = "curl -H token-123 \\u0000"')
    assert "token-123" not in f"{raised.value.message}{raised.value.hint}"


def test_two_backup_folders_that_are_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    for second in ("a", "b/../a", "link", str(tmp_path / "a")):
        with pytest.raises(UsageError, match="Both backup folders are"):
            load(tmp_path, f'[backups]\nfolders = ["a", "{second}"]')
    with pytest.raises(UsageError, match="Both backup folders are"):
        load(tmp_path, FULL, second_backup_folder=str(tmp_path / "first"))


@pytest.mark.parametrize("name", ["gx", "dbt/x", "review", "controls"])
def test_a_backup_folder_that_lotgate_empties(tmp_path: Path, name: str) -> None:
    content = f'[lotgate]\nwork_dir = "w"\n[backups]\nfolders = ["w/{name}", "b"]'
    with pytest.raises(UsageError, match="which lotgate empties"):
        load(tmp_path, content)


def test_every_field_is_listed_with_its_origin(tmp_path: Path) -> None:
    found = load(tmp_path, FULL)
    listed = {one.name.split(".")[-1].split("[")[0] for one in list_settings(found, {})}
    kinds = (SwapSettings, ShipStationSettings, SyncSettings)
    fields = {name for kind in kinds for name in kind.__dataclass_fields__} - {"backup_folders"} | {"folders"}
    assert listed == fields | {
        "database",
        "work_dir",
        "controls",
        "SHIPSTATION_API_KEY",
        "SHIPSTATION_API_SECRET",
    }
    assert {one.name for one in list_settings(found, {})} - set(found.origins) == {
        "SHIPSTATION_API_KEY",
        "SHIPSTATION_API_SECRET",
    }


def test_the_command_as_json(lotgate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere" / "lotgate.toml").write_text(FULL)
    monkeypatch.setenv("LOTGATE_CHUNK_MS", "5")
    monkeypatch.setenv("SHIPSTATION_API_KEY", "the-key")
    monkeypatch.delenv("SHIPSTATION_API_SECRET", raising=False)
    outcome = lotgate("config", "--work-dir", "w", "--json")
    assert outcome.code == 0
    assert outcome.err == ""
    assert "the-key" not in outcome.out
    found = {one["name"]: (one["value"], one["origin"]) for one in outcome.json["settings"]}
    assert found["lotgate.database"] == (str(tmp_path / "elsewhere" / "data" / "ora.db"), "lotgate.toml")
    assert found["lotgate.work_dir"] == ("w", "option --work-dir")
    assert found["lotgate.controls"] == (None, "default")
    assert found["swap.chunk_ms"] == (5, "environment LOTGATE_CHUNK_MS")
    assert found["swap.pause_workflows"] == (["xml-import"], "lotgate.toml")
    assert found["SHIPSTATION_API_KEY"] == ("set", "environment SHIPSTATION_API_KEY")
    assert found["SHIPSTATION_API_SECRET"] == ("not set", "default")


def test_the_command_as_lines(lotgate: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIPSTATION_API_SECRET", "the-secret")
    outcome = lotgate("config", "--database", "/x/ora.db")
    lines = outcome.out.splitlines()
    assert "lotgate.database = /x/ora.db  (option --database)" in lines
    assert "lotgate.controls = -  (default)" in lines
    assert "swap.retention_days = 7.0  (default)" in lines
    assert "swap.pause_command = -  (default)" in lines
    assert "backups.folders[1] = /x/ora.db.lotgate-backups  (default)" in lines
    assert "SHIPSTATION_API_SECRET = set  (environment SHIPSTATION_API_SECRET)" in lines
    assert "the-secret" not in outcome.out


def test_the_command_as_a_table(tmp_path: Path) -> None:
    import pty

    master, slave = pty.openpty()
    environ = {
        **os.environ,
        "NO_COLOR": "1",
        "TERM": "xterm",
        "COLUMNS": "140",
        "SHIPSTATION_API_KEY": "k-e-y",
    }
    subprocess.run([*LOTGATE, "config"], stdout=slave, cwd=tmp_path, env=environ, check=True)
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    text = shown.decode()
    assert "Where from" in text
    assert [line.split() for line in text.splitlines() if "chunk_ms" in line] == [
        ["swap.chunk_ms", "15", "default"]
    ]
    assert "backups.folders[0]" in text  # not taken for markup
    assert "k-e-y" not in text
