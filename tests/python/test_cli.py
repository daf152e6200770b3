"""The command line: help, settings, errors and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import click
import pytest

from conftest import LOTGATE, Outcome, fingerprint, run_lotgate
from lotgate.cli import cli
from lotgate.config import load_settings
from lotgate.console import PlainReporter, TerminalReporter, make_reporter
from lotgate.errors import EnvironmentFailed, GateClosed, LotgateError, UsageError

Cli = Callable[..., Outcome]

HEAVY = ("dbt", "great_expectations", "pandas", "numpy", "pydantic", "rich", "requests")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["snapshot", "--help"], ["doctor", "-h"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom lotgate.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit as stop: assert stop.code == 0\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("heavy: []\n")


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_help_has_an_example(lotgate: Cli, name: str) -> None:
    outcome = lotgate(name, "--help")
    assert outcome.code == 0
    assert f"Example: lotgate {name} " in outcome.out


@pytest.mark.parametrize("name", ["snapshot", "doctor"])
def test_the_shared_options(lotgate: Cli, name: str) -> None:
    outcome = lotgate(name, "--help")
    for option in ("--database", "--work-dir", "--controls", "--lock-timeout", "--json"):
        assert option in outcome.out


def test_no_command_is_wrong_usage(lotgate: Cli) -> None:
    outcome = lotgate()
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Commands:" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dance"], "No such command 'dance'."),
        (["snapshot", "--databse", "x"], "No such option"),
        (["snapshot", "--database"], "requires an argument"),
        (["snapshot", "--lock-timeout", "-1"], "-1.0 is not in the range"),
        (["snapshot", "--lock-timeout", "soon"], "'soon' is not a valid float"),
        (["snapshot", "ora.db"], "unexpected extra argument"),
        (["snapshot", "--database", ""], "--database is empty."),
    ],
)
def test_wrong_usage(lotgate: Cli, arguments: list[str], message: str) -> None:
    outcome = lotgate(*arguments)
    assert message in outcome.err
    assert outcome.out == ""
    assert outcome.code == 2
    as_json = (
        lotgate(*arguments, "--json")
        if arguments[0] == "snapshot" and arguments[-1] != "--database"
        else None
    )
    if as_json:
        assert as_json.json["error"]["exit_code"] == 2
        assert message in as_json.json["error"]["message"]


@pytest.mark.parametrize(("error", "code"), [(GateClosed, 1), (UsageError, 2), (EnvironmentFailed, 3)])
def test_errors_end_a_command_with_their_code(
    lotgate: Cli, monkeypatch: pytest.MonkeyPatch, error: type[LotgateError], code: int
) -> None:
    def fail(**_: object) -> None:
        raise error("It is so.", hint="Do that.")

    monkeypatch.setattr("lotgate.config.load_settings", fail)
    assert lotgate("doctor") == Outcome(code, "", "Error: It is so.\nHint: Do that.\n")
    outcome = lotgate("doctor", "--json")
    assert outcome.json == {
        "error": {"kind": error.__name__, "exit_code": code, "message": "It is so.", "hint": "Do that."}
    }
    assert outcome.err == "Error: It is so.\nHint: Do that.\n"
    for arguments in (["--debug", "doctor"], ["doctor", "--debug"]):
        outcome = lotgate(*arguments)
        assert "Traceback (most recent call last)" in outcome.err
        assert outcome.code == code


def test_an_unexpected_error_shows_no_traceback_and_no_data(
    lotgate: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise ValueError("row of somebody")

    monkeypatch.setattr("lotgate.config.load_settings", fail)
    outcome = lotgate("doctor")
    assert outcome.err == (
        "Error: Unexpected error: ValueError.\n"
        "Hint: Run it again with --debug (lotgate --debug ...) to see where.\n"
    )
    assert outcome.code == 3
    assert "row of somebody" in lotgate("--debug", "doctor").err


@pytest.mark.parametrize("stop", [KeyboardInterrupt, click.Abort])
def test_an_interrupt_is_told_plainly(
    lotgate: Cli, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    def fail(**_: object) -> None:
        raise stop

    monkeypatch.setattr("lotgate.config.load_settings", fail)
    outcome = lotgate("doctor")
    assert outcome.err.lstrip().startswith("Error: Interrupted.\n")
    assert outcome.code == 3


def test_a_reader_that_goes_away_is_no_traceback(live: Path, work: Path) -> None:
    process = subprocess.Popen(
        [*LOTGATE, "doctor", "--database", str(live), "--work-dir", str(work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == 3


def test_json_is_all_that_stdout_holds(lotgate: Cli, live: Path, work: Path) -> None:
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work, "--json")
    assert outcome.err == ""
    assert outcome.json["sha256"] == json.loads((work / "snapshot.json").read_text())["sha256"]
    assert outcome.code == 0


def test_plain_lines_go_to_stderr_and_the_result_to_stdout(lotgate: Cli, live: Path, work: Path) -> None:
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert [line.split(" (")[0] for line in outcome.err.splitlines()] == [
        "Copying ora.db",
        "Checking the snapshot ...",
        "Hashing the snapshot ...",
    ]
    assert outcome.out.startswith(f"Snapshot of {live}: {work / 'legacy.sqlite'}\n  sha256 ")
    assert "shipped_items (20)" in outcome.out
    assert "  added, empty: column shipped_orders.shipping_carrier_code," in outcome.out


def test_the_real_command_from_an_ordinary_folder(live: Path) -> None:
    """No option at all: ora.db and target."""
    before = fingerprint(live.parent)
    outcome = run_lotgate("snapshot", cwd=live.parent)
    assert outcome.code == 0
    assert (live.parent / "target" / "legacy.sqlite").exists()
    assert {**fingerprint(live.parent), "target": None} == {**before, "target": None}


# settings


def settings(
    folder: Path, environ: dict[str, str] | None = None, **options: str
) -> tuple[str, str, str | None]:
    found = load_settings(folder=folder, environ=environ or {}, **options)  # type: ignore[arg-type]
    return str(found.database), str(found.work_dir), str(found.controls) if found.controls_given else None


def test_option_then_environment_then_file_then_default(tmp_path: Path) -> None:
    assert settings(tmp_path) == ("ora.db", "target", None)
    (tmp_path / "lotgate.toml").write_text(
        '[lotgate]\ndatabase = "file.db"\nwork_dir = "/abs/work"\ncontrols = "rules"\n'
    )
    in_file = (str(tmp_path / "file.db"), "/abs/work", str(tmp_path / "rules"))
    assert settings(tmp_path) == in_file
    environ = {"LOTGATE_DATABASE": "env.db", "LOTGATE_WORK_DIR": "env-work", "LOTGATE_CONTROLS": "env-rules"}
    assert settings(tmp_path, environ) == ("env.db", "env-work", "env-rules")
    assert settings(tmp_path, {"LOTGATE_DATABASE": ""}) == in_file
    assert settings(tmp_path, environ, database="o.db", work_dir="o", controls="c") == ("o.db", "o", "c")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[lotgate", "is not valid TOML"),
        (b"x = '\xff'", "is not valid TOML"),
        (b"lotgate = 1", "lotgate is not a table"),
        (b"[lotgate]\ndatbase = 'x'", "[lotgate] has no setting 'datbase'"),
        (b"[lotgate]\ndatabase = 1", "database is not a text"),
        (b"[lotgate]\ndatabase = ''", "database in lotgate.toml is empty"),
        (b'[lotgate]\ndatabase = "a\\u0000b"', "database in lotgate.toml holds a NUL character"),
    ],
)
def test_a_wrong_configuration(lotgate: Cli, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "elsewhere" / "lotgate.toml").write_bytes(content)
    outcome = lotgate("doctor")
    assert message in outcome.err
    assert "Hint: " in outcome.err
    assert outcome.code == 2


# progress


def test_plain_progress_is_one_line_or_two(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.5, 10.0, 12.34])
    monkeypatch.setattr("lotgate.console.time.monotonic", lambda: next(clock))
    stream = StringIO()
    reporter = PlainReporter(stream)
    with reporter.step("Quick"):
        pass
    with reporter.step("Slow", total=2) as step:
        step.advance()
    assert stream.getvalue() == "Quick ...\nSlow ...\nSlow: done in 2.3 s\n"


def test_bars_are_for_terminals_only(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(make_reporter(), PlainReporter)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(make_reporter(), TerminalReporter)


def test_a_bar_on_a_real_terminal(live: Path, work: Path) -> None:
    import os
    import pty

    master, slave = pty.openpty()
    done = subprocess.run(
        [*LOTGATE, "snapshot", "--database", str(live), "--work-dir", str(work)],
        stdout=subprocess.PIPE,
        stderr=slave,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"},
        check=False,
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    assert done.returncode == 0
    assert "✓ Copying ora.db" in shown.decode()
    assert "✓ Hashing the snapshot" in shown.decode()
    assert b"\x1b[32m" not in shown
    assert done.stdout.startswith(b"Snapshot of ")


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_the_exit_code_is_the_same_when_nobody_reads_the_error(tmp_path: Path, more: list[str]) -> None:
    command = [*LOTGATE, "snapshot", "--database", str(tmp_path / "missing.db"), *more]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(60) == UsageError.exit_code


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("arguments", "code"), [(["config"], 0), (["doctor", "--database", "none.db"], 2)])
def test_closed_streams_change_no_exit_code(
    tmp_path: Path, closed: str, arguments: list[str], code: int
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *LOTGATE, *arguments],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done
