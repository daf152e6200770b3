"""``lotgate audit`` from the command line: what it writes, and what it says where it cannot audit."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conftest import Outcome, drop_privileges, fingerprint, run_lotgate
from lotgate.audit import audit_candidate
from lotgate.console import SilentReporter
from lotgate.dbt_docs import without_paths
from lotgate.errors import EnvironmentFailed, LotgateError, UsageError
from lotgate.live.counter import read_counter, schema_fingerprint
from lotgate.live.state import database_id
from lotgate.sqlite_files import open_live
from lotgate.verdict import read_verdict
from lotgate.workdir import WorkDir, write_private

Cli = Callable[..., Outcome]
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def work(demo_build: Path, tmp_path: Path) -> Path:
    """A copy of the demo's work directory, audited and open, that may be spoiled."""
    return Path(shutil.copytree(demo_build, tmp_path / 'it\'s a "work" dir %41?#$x'))


@pytest.fixture
def expectations(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "expectations", tmp_path / "suites of mine"))


def reasons(outcome: Outcome) -> list[str]:
    return [reason.split(":")[0] for reason in outcome.json["reasons"]]


def all_files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def audited(work: Path) -> list[str]:
    """What an audit leaves that somebody could take for its outcome."""
    return [name for name in ("verdict.json", "review/index.html") if (work / name).exists()]


def test_the_demo_is_open_and_everything_is_there(demo_build: Path) -> None:
    verdict = json.loads((demo_build / "verdict.json").read_text())
    assert verdict["verdict"] == "open"
    assert verdict["reasons"] == []
    assert verdict["cannot_be_swapped_because"] is None
    with open_live(
        demo_build / "demo" / "ora.db"
    ) as live:  # as they are now: nothing changed since the build
        found = read_counter(live.connection)
        assert found is not None
        assert verdict["change_counter"] == {"value": found.value, "stamp": found.stamp}
        assert verdict["schema_fingerprint"] == schema_fingerprint(live.connection)
        assert verdict["database_id"] == database_id(live.connection)
    read = read_verdict(demo_build / "verdict.json")
    assert (read.change_counter, json.loads(json.dumps(read.as_json()))) == (found, verdict)
    counts = verdict["counts"]
    assert counts["checks"] == len(verdict["checks"]) == len({check["id"] for check in verdict["checks"]})
    assert (counts["errored"], counts["not_run"]) == (0, 0)
    assert counts["passed"] + counts["failed"] == counts["checks"] > 350
    assert {check["severity"] for check in verdict["checks"] if check["result"] == "failed"} <= {
        "warning",
        "info",
    }
    build = json.loads((demo_build / "build.json").read_text())
    assert verdict["hashes"]["tables"] == {table["table"]: table["sha256"] for table in build["hashes"]}
    assert verdict["hashes"]["snapshot"] == build["snapshot_sha256"]
    assert verdict["hashes"]["controls"] == build["controls_sha256"]
    assert verdict["hashes"]["project"] == build["project_sha256"]
    assert verdict["runs"]["dbt"] == build["dbt_invocation_id"]
    pages = [
        "review/index.html",
        "review/data_docs/index.html",
        "review/dbt_docs/index.html",
        "gx/data_docs/index.html",
    ]
    for page in pages:
        assert (demo_build / page).stat().st_size > 5_000, page
    cases = list(ET.parse(demo_build / "gx" / "junit.xml").getroot().iter("testcase"))
    assert sorted(case.attrib["name"] for case in cases) == sorted(check["id"] for check in verdict["checks"])
    assert len(cases) == counts["checks"]
    private = ("gx", "review", "verdict.json")
    assert [(demo_build / name).stat().st_mode & 0o077 for name in private] == [0, 0, 0]


def test_an_audit_changes_nothing_that_it_reads(
    lotgate: Cli, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it works in a folder whose name has quotes, blanks and what means something in a URL."""
    inputs = ("candidate.sqlite", "legacy.sqlite", "shipstation.sqlite", "build.json", "snapshot.json")
    before = {name: (work / name).read_bytes() for name in inputs}
    live = fingerprint(work / "demo")
    source = all_files(PROJECT / "expectations")
    listed = subprocess.run(["git", "-C", PROJECT, "status", "--short"], capture_output=True, check=False)
    page = work / "job page.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    outcome = lotgate("audit", "--work-dir", work, "--json")
    assert outcome.code == 0, outcome.out
    assert outcome.err == ""
    assert outcome.json == json.loads((work / "verdict.json").read_text())
    assert {name: (work / name).read_bytes() for name in inputs} == before
    assert not list(work.glob("*.sqlite-*"))
    assert fingerprint(work / "demo") == live
    found = all_files(PROJECT / "expectations")
    assert {name for name in found if "__pycache__" not in name} == {
        name for name in source if "__pycache__" not in name
    }
    assert all(found[name] == content for name, content in source.items() if "__pycache__" not in name)
    after = subprocess.run(["git", "-C", PROJECT, "status", "--short"], capture_output=True, check=False)
    assert after.stdout == listed.stdout
    assert page.read_text().startswith("before\n## lotgate audit: the gate is open\n")


def test_what_a_person_reads(lotgate: Cli, work: Path) -> None:
    outcome = lotgate("audit", "--work-dir", work)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0] == "The gate is open."
    assert " checks: " in lines[1]
    assert "swap" not in outcome.out
    assert any(line.startswith("Warning: ") for line in lines)
    assert f"Review     {work / 'review' / 'index.html'}" in lines
    progress = outcome.err.splitlines()
    assert progress[0] == "Comparing files, controls and hashes ..."
    assert all(line.endswith(" ...") or ": done in " in line for line in progress)
    assert not set("\r\x1b") & set(outcome.err)


def test_an_expected_total_that_does_not_hold_is_named(lotgate: Cli, work: Path) -> None:
    with closing(sqlite3.connect(work / "candidate.sqlite")) as connection:
        connection.execute("update shipped_items set quantity_shipped = quantity_shipped + 1 where id = ("
                           " select min(id) from shipped_items where ship_date = '2025-10-06')")  # fmt: skip
        connection.commit()
    outcome = lotgate("audit", "--work-dir", work, "--json")
    assert outcome.code == 1
    assert outcome.err == ""
    assert outcome.json["verdict"] == "closed"
    found = reasons(outcome)
    assert "files.table_shipped_items" in found
    assert any(reason.startswith("reconciliation.") for reason in found)
    text = lotgate("audit", "--work-dir", work)
    assert text.code == 1
    assert text.out.startswith("The gate is closed.\n")
    assert "Closed by: files.table_shipped_items. The table shipped_items holds what was built." in text.out


def test_without_a_candidate(lotgate: Cli, tmp_path: Path) -> None:
    outcome = lotgate("audit", "--work-dir", tmp_path / "nowhere")
    assert outcome.code == 2
    assert outcome.err == (
        f"Error: There is no candidate in {tmp_path / 'nowhere'}.\n"
        "Hint: Make one with `lotgate build`, or name the folder that has it with --work-dir.\n"
    )
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "candidate.failed.sqlite").touch()
    assert ", only one that did not hold." in lotgate("audit", "--work-dir", tmp_path).err


def test_a_candidate_that_cannot_be_swapped_says_so(lotgate: Cli, work: Path) -> None:
    description = json.loads((work / "snapshot.json").read_text())
    (work / "snapshot.json").write_text(json.dumps(description | {"change_counter": None}))
    outcome = lotgate("audit", "--work-dir", work)
    assert outcome.code == 0
    assert (
        "It cannot be swapped yet: The build put no change-counter into the live database.\n" in outcome.out
    )
    assert json.loads((work / "verdict.json").read_text())["change_counter"] is None


@pytest.mark.parametrize("name", ["change_counter", "schema_fingerprint", "database_id"])
def test_a_snapshot_that_lacks_what_binds_it(lotgate: Cli, work: Path, name: str) -> None:
    description = json.loads((work / "snapshot.json").read_text())
    del description[name]
    (work / "snapshot.json").write_text(json.dumps(description))
    outcome = lotgate("audit", "--work-dir", work)
    assert (outcome.code, audited(work)) == (1, [])
    assert "snapshot.json, the snapshot's description, is missing or damaged." in outcome.err


@pytest.mark.parametrize("name", ["build.json", "snapshot.json"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_damaged_description(lotgate: Cli, work: Path, name: str, content: bytes | None) -> None:
    if content is None:
        (work / name).unlink()
    else:
        (work / name).write_bytes(content)
    outcome = lotgate("audit", "--work-dir", work)
    assert outcome.code == 1
    assert f"{name}, the " in outcome.err
    assert "Build again" in outcome.err


def test_the_candidate_of_another_snapshot(lotgate: Cli, work: Path) -> None:
    (work / "legacy.sqlite").chmod(0o600)
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        connection.execute("create table something_else (a)")
    outcome = lotgate("audit", "--work-dir", work, "--json")
    assert outcome.code == 1
    assert "files.snapshot" in reasons(outcome)


def test_controls_that_changed_since_the_build(lotgate: Cli, work: Path, tmp_path: Path) -> None:
    controls = Path(shutil.copytree(PROJECT / "seeds" / "controls", tmp_path / "controls"))
    same = lotgate("audit", "--work-dir", work, "--controls", controls, "--json")
    assert (same.code, same.json["verdict"]) == (0, "open")
    with (controls / "expected_units.csv").open("a") as file:
        file.write("2025-10-07,1,counted\n")
    outcome = lotgate("audit", "--work-dir", work, "--controls", controls, "--json")
    assert (outcome.code, reasons(outcome)) == (1, ["files.controls", "files.controls_in_candidate"])
    (controls / "expected_units.csv").write_text("no such column\n1\n")
    outcome = lotgate("audit", "--work-dir", work, "--controls", controls, "--json")
    assert (outcome.code, reasons(outcome)) == (1, ["files.controls", "files.controls_in_candidate"])


def test_the_snapshot_of_another_database(lotgate: Cli, work: Path, live: Path) -> None:
    outcome = lotgate("audit", "--work-dir", work, "--database", live)
    assert outcome.code == 1
    assert f"not of {live}" in outcome.err


def test_a_closed_gate_leaves_no_older_verdict(work: Path, expectations: Path) -> None:
    """Whatever goes wrong on the way: the verdict of the audit before is gone."""
    assert audited(work)
    (expectations / "suites" / "lots.json").write_text("{")
    with pytest.raises(UsageError, match=r"lots\.json is not valid JSON") as error:
        audit_candidate(WorkDir(work), reporter=SilentReporter(), expectations=expectations)
    assert error.value.exit_code == 2
    assert audited(work) == []


CONTEXTS: dict[str, tuple[str, Callable[[str], str], str]] = {
    "no data source": (
        "great_expectations.yml",
        lambda text: text.split("  legacy:")[0],
        "data source legacy",
    ),
    "no file": ("great_expectations.yml", lambda text: "", "cannot be opened|data source"),
    "no YAML": ("great_expectations.yml", lambda text: "a: [", "cannot be opened"),
    "no checkpoint": ("checkpoints/audit.json", lambda text: "{}", "could not run"),
    "no register": ("register.json", lambda text: "[]", "register"),
}


@pytest.mark.parametrize("case", CONTEXTS)
def test_a_context_that_cannot_be_used(work: Path, expectations: Path, case: str) -> None:
    name, change, message = CONTEXTS[case]
    file = expectations / name
    file.write_text(change(file.read_text()))
    with pytest.raises(LotgateError, match=message) as error:
        audit_candidate(WorkDir(work), reporter=SilentReporter(), expectations=expectations)
    assert error.value.exit_code == 2
    assert error.value.hint
    assert audited(work) == []


def test_a_work_directory_that_cannot_be_written_to(work: Path) -> None:
    work.chmod(0o500)
    try:
        outcome = run_lotgate("audit", "--work-dir", work, cwd=PROJECT, preexec=drop_privileges)
    finally:
        work.chmod(0o700)
    assert outcome.code == 3, outcome.err
    assert "Traceback" not in outcome.err
    assert "Hint: " in outcome.err
    assert json.loads((work / "verdict.json").read_text())["verdict"] == "open"  # nothing was touched


def test_a_job_page_that_cannot_be_written(lotgate: Cli, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(work / "no" / "page.md"))
    outcome = lotgate("audit", "--work-dir", work)
    assert outcome.code == 3
    assert "GITHUB_STEP_SUMMARY names" in outcome.err


def test_one_run_at_a_time(lotgate: Cli, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lotgate.workdir import open_work_dir

    with open_work_dir(work, work / "demo" / "ora.db"):
        outcome = lotgate("audit", "--work-dir", work)
    assert outcome.code == 3
    assert "in use" in outcome.err


def test_a_snapshot_takes_the_audit_away(lotgate: Cli, work: Path) -> None:
    outcome = lotgate("snapshot", "--work-dir", work, "--database", work / "demo" / "ora.db")
    if outcome.code == 2:  # the copy's evidence is that of the original's path
        (work / "shipstation.sqlite").unlink()
        outcome = lotgate("snapshot", "--work-dir", work, "--database", work / "demo" / "ora.db")
    assert outcome.code == 0, outcome.err
    assert audited(work) == []
    assert not (work / "gx").exists()


def test_a_full_disk_is_an_error_of_the_environment(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import lotgate.audit

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lotgate.audit, "run_suites", full)
    with pytest.raises(EnvironmentFailed, match="No space left on device"):
        audit_candidate(WorkDir(work), reporter=SilentReporter())
    assert audited(work) == []


@pytest.mark.parametrize("full_at", ["summary.md", "verdict.json"])
def test_no_report_says_open_where_the_audit_failed(
    work: Path, monkeypatch: pytest.MonkeyPatch, full_at: str
) -> None:
    """CI reads JUnit; an exit code of 3 and a JUnit that passes must not stand side by side."""
    import lotgate.audit
    import lotgate.check
    import lotgate.verdict

    written: list[str] = []

    @contextmanager
    def until_full(path: Path) -> Iterator[Path]:
        if path.name == full_at:
            written.append((work / "gx" / "junit.xml").read_text())
            raise EnvironmentFailed("No space left on device.")
        with write_private(path) as temporary:
            yield temporary

    for module in (lotgate.audit, lotgate.verdict):
        monkeypatch.setattr(module, "write_private", until_full)
    monkeypatch.setattr(lotgate.check, "build_candidate", lambda *_, **__: (None, None))
    with pytest.raises(EnvironmentFailed, match="No space left"):
        lotgate.check.check_database(
            *(work / "demo" / "ora.db", None, WorkDir(work)),
            lock_timeout=1,
            reporter=SilentReporter(),
            counter=False,
        )
    ((before),) = written
    assert ET.fromstring(before).find(".//failure") is None  # what stood there said "open"
    assert not (work / "verdict.json").exists()
    assert not (work / "review").exists()
    after = ET.parse(work / "gx" / "junit.xml").getroot()
    assert after.attrib["name"] == "lotgate build"
    assert len(list(after.iter("error"))) == len(list(after.iter("testcase"))) == 1
    assert "there is no verdict" in (work / "gx" / "summary.md").read_text()


def test_no_page_that_is_handed_on_says_where_things_lie(demo_build: Path) -> None:
    """The review's own pages name the database and the work directory, in what a person is to type."""
    own = set((demo_build / "review").glob("*.html"))
    pages = [*(demo_build / "review").rglob("*"), *(demo_build / "gx").rglob("*")]
    texts = {path: path.read_bytes() for path in pages if path.is_file()}
    assert len(texts) > len(own) > 5
    assert [path for path, text in texts.items() if str(PROJECT).encode() in text] == []
    assert {path for path, text in texts.items() if str(demo_build).encode() in text} <= own
    page = texts[demo_build / "review" / "dbt_docs" / "index.html"].decode()
    assert '"original_file_path": "models/marts/skus.sql"' in page
    assert '"compiled_path": "dbt/compiled/lotgate/models/marts/skus.sql"' in page
    assert not re.search(r'"\w+_path": "/', page)


@pytest.mark.parametrize("folder", ["/w", "/a b/c+d", "/"])
def test_only_whole_paths_are_taken_out(folder: str) -> None:
    given = {"root_path": folder, "build_path": f"{folder.rstrip('/')}/x.sql", "else_path": "/usr/lib/y.sql"}
    texts = {"a": "select '/what' from /w2/x, /srv/w/x", "b": [1, None, "/"]}
    found = json.loads(without_paths(json.dumps(given | texts), (Path(folder),)))
    assert found == {"root_path": "", "build_path": "x.sql", "else_path": "y.sql"} | texts


def test_no_personal_data_in_anything_that_is_written(lotgate: Cli, work: Path) -> None:
    """Not even where the very columns that hold it are what is wrong."""
    (work / "legacy.sqlite").chmod(0o600)
    for name, where in (("candidate", "id % 2 = 0"), ("legacy", "id % 3 = 0")):
        with closing(sqlite3.connect(work / f"{name}.sqlite")) as connection:
            connection.execute(
                f"update shipped_orders set customer_email = 'jo.doe{name}@example.test' where {where}"
            )
            connection.commit()
    outcome = lotgate("audit", "--work-dir", work, "--json")
    assert outcome.code == 1
    assert any(reason.startswith("shipped_orders.") for reason in reasons(outcome))
    written = [path for part in ("gx", "review") for path in (work / part).rglob("*") if path.is_file()]
    written += [work / "verdict.json"]
    assert len(written) > 20
    assert [path for path in written if b"jo.doe" in path.read_bytes()] == []
    assert "jo.doe" not in outcome.out
