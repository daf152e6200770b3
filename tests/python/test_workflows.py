"""The workflows: what GitHub would make of them, and the example's jobs, carried out on the demo."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import fingerprint
from workflow_jobs import EXPRESSION, NO_API, Job, read_workflow, run_job

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "ci"
OWN = ROOT / ".github" / "workflows" / "ci.yml"
VALIDATION = EXAMPLE / ".github" / "workflows" / "data-validation.yml"
WORKFLOWS = [OWN, VALIDATION]
NIGHTLY = "github.event_name == 'schedule' && vars.LOTGATE_FROM != ''"
SEVERAL_DATABASES = re.compile(r"\.sqlite|\.db\b")


@pytest.fixture(scope="module")
def owners(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes a copy of the example, in which an owner has said which lotgate is installed."""

    def copy() -> Path:
        repository = tmp_path_factory.mktemp("owner") / "repository"
        shutil.copytree(EXAMPLE, repository)
        (repository / "requirements.txt").write_text("# the one that is installed\nlotgate\n")
        return repository

    return copy


def gate(
    repository: Path,
    snapshot: str,
    evidence: str = "",
    visibility: str = "private",
    artifacts_ok: str = "",
    api: str = NO_API,
) -> Job:
    values = {
        "vars.LOTGATE_ARTIFACTS_OK": artifacts_ok,
        "github.token": "a-token",
        "vars.LOTGATE_SNAPSHOT": snapshot,
        "vars.LOTGATE_EVIDENCE": evidence,
        "github.event.repository.visibility": visibility,
        NIGHTLY: "false",
    }
    return run_job(VALIDATION, "gate", repository, repository.parent / "temp", values, api)


def controls(repository: Path) -> Job:
    return run_job(VALIDATION, "controls", repository, repository.parent / "temp", {})


@pytest.fixture(scope="module")
def opened(owners: Callable[[], Path], demo_build: Path) -> tuple[Job, Path]:
    """The gate on the demo's database, with its evidence and its decisions."""
    repository = owners()
    shutil.copytree(ROOT / "seeds" / "controls", repository / "controls", dirs_exist_ok=True)
    before = fingerprint(demo_build / "demo")
    job = gate(repository, str(demo_build / "demo" / "ora.db"), str(demo_build / "shipstation.sqlite"))
    assert fingerprint(demo_build / "demo") == before
    return job, repository


@pytest.fixture(scope="module")
def closed(owners: Callable[[], Path], demo_build: Path) -> Job:
    """The same with one decision less."""
    repository = owners()
    shutil.copytree(ROOT / "seeds" / "controls", repository / "controls", dirs_exist_ok=True)
    decisions = repository / "controls" / "quarantine_decisions.csv"
    lines = decisions.read_text(encoding="utf-8").splitlines(keepends=True)
    decisions.write_text("".join(line for line in lines if not line.startswith("4141,")), encoding="utf-8")
    return gate(repository, str(demo_build / "demo" / "ora.db"), str(demo_build / "shipstation.sqlite"))


def test_an_open_gate(opened: tuple[Job, Path], demo_build: Path) -> None:
    job, repository = opened
    assert job.failed == []
    assert list(job.codes) == [
        "Install lotgate",
        "Get the snapshot",
        "Build and audit",
        "Leave no copy on the runner",
    ]
    assert job.page.startswith("## lotgate audit: the gate is open\n")
    assert "::error" not in job.err + job.out
    done = json.loads(job.uploads["lotgate/check.json"])
    assert done["verdict"] == json.loads(job.uploads["lotgate/verdict.json"])
    assert done["verdict"]["verdict"] == "open"
    assert done["build"]["controls_folder"] == str(repository / "controls")
    assert set(done["reports"]) == {"review", "data_docs", "junit", "summary", "verdict"}
    assert done["figures"]["residual"] == 0
    assert (demo_build / "demo" / "ora.db").exists(), "cleaning up followed the link"
    assert sorted(path.name for path in (repository.parent / "temp").iterdir()) == []


def test_what_is_uploaded(opened: tuple[Job, Path]) -> None:
    files = opened[0].uploads
    for name in ("review/index.html", "review/data_docs/index.html", "gx/data_docs/index.html"):
        assert len(files[f"lotgate/{name}"]) > 5_000
    cases = list(ET.fromstring(files["lotgate/gx/junit.xml"]).iter("testcase"))
    assert len(cases) == json.loads(files["lotgate/verdict.json"])["counts"]["checks"]
    assert files["lotgate/gx/summary.md"].decode() == opened[0].page
    assert [name for name in files if SEVERAL_DATABASES.search(name)] == []
    assert [name for name, content in files.items() if content.startswith(b"SQLite format 3")] == []


def test_a_closed_gate(closed: Job) -> None:
    assert closed.codes["Build and audit"] == 1
    assert closed.codes["Leave no copy on the runner"] == 0
    assert closed.page.startswith("## lotgate audit: the gate is closed\n")
    verdict = json.loads(closed.uploads["lotgate/verdict.json"])
    reasons = [reason.split(":")[0] for reason in verdict["reasons"]]
    assert reasons == ["reconciliation.no_row_is_undecided"]
    failed = [
        case.attrib["name"]
        for case in ET.fromstring(closed.uploads["lotgate/gx/junit.xml"]).iter("testcase")
        if case.find("failure") is not None
    ]
    assert sorted(failed) == sorted(reasons)
    (shown,) = [line for line in closed.err.splitlines() if line.startswith("::error ")]
    assert shown.startswith("::error title=lotgate%3A reconciliation.no_row_is_undecided::")
    assert "legacy_id 4141" in shown
    assert "lotgate/review/index.html" in closed.uploads


def test_controls_that_are_broken_stop_before_any_database(owners: Callable[[], Path]) -> None:
    repository = owners()
    assert controls(repository).failed == []
    (repository / "controls" / "expected_units.csv").write_text(
        "ship_date,expected_units,source\n2025-10-06,many,count\n"
    )
    job = controls(repository)
    assert job.codes == {"Install lotgate": 0, "Check the controls": 2}
    assert "::error file=controls/expected_units.csv,line=2,title=lotgate%3A controls::" in job.err


def test_the_same_controls_stop_the_gate_with_a_page_that_says_why(
    owners: Callable[[], Path], demo_build: Path
) -> None:
    repository = owners()
    (repository / "controls" / "incident.csv").write_text("")
    job = gate(repository, str(demo_build / "demo" / "ora.db"))
    assert job.codes["Build and audit"] == 2
    assert job.page.startswith("## lotgate: there is no verdict\n")
    assert "incident.csv" in job.page
    assert sorted(job.uploads) == ["lotgate/check.json", "lotgate/gx/junit.xml", "lotgate/gx/summary.md"]
    error = json.loads(job.uploads["lotgate/check.json"])["error"]
    assert [problem["file"] for problem in error["problems"]] == ["incident.csv"]


@pytest.mark.parametrize(
    ("snapshot", "visibility", "code", "message"),
    [
        ("", "private", 2, "Set the repository variable LOTGATE_SNAPSHOT"),
        ("/nowhere/ora.db", "private", 3, "is not on this runner"),
        ("/nowhere/ora.db", "public", 2, "would show order numbers to everybody"),
    ],
)
def test_what_is_not_filled_in_says_so(
    owners: Callable[[], Path], snapshot: str, visibility: str, code: int, message: str
) -> None:
    job = gate(owners(), snapshot, visibility=visibility)
    assert job.codes["Get the snapshot"] == code
    assert message in job.out
    assert "Build and audit" not in job.codes


@pytest.fixture
def api() -> Iterator[Callable[[str | None], str]]:
    """Starts what answers as GitHub's API, about this repository and to this token alone, with a body."""
    servers: list[ThreadingHTTPServer] = []

    def start(body: str | None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = (self.path, self.headers["Authorization"])
                known = body is not None and asked == ("/repos/owner/validation", "Bearer a-token")
                self.send_response(200 if known else 404)
                self.end_headers()
                self.wfile.write((body or "").encode() if known else b'{"visibility": "private"}')

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


PUBLIC = "would show order numbers to everybody"
UNKNOWN = "set the repository variable LOTGATE_ARTIFACTS_OK to yes"
GOES_ON = "Set the repository variable LOTGATE_SNAPSHOT"


@pytest.mark.parametrize(
    ("event", "answer", "artifacts_ok", "message"),
    [
        ("internal", None, "", GOES_ON),
        ("public", '{"visibility": "private"}', "yes", PUBLIC),
        ("Public", '{"visibility": "private"}', "", UNKNOWN),
        # a scheduled run's event has no such field
        ("", '{"visibility": "private"}', "", GOES_ON),
        ("", '{"visibility": "public"}', "yes", PUBLIC),
        ("", '{"private": true}', "", UNKNOWN),
        ("", "", "", UNKNOWN),
        ("", None, "", UNKNOWN),
        ("", None, "yes", GOES_ON),
    ],
)
def test_only_who_is_known_to_be_private_goes_on(
    owners: Callable[[], Path],
    api: Callable[[str | None], str],
    event: str,
    answer: str | None,
    artifacts_ok: str,
    message: str,
) -> None:
    job = gate(owners(), "", visibility=event, artifacts_ok=artifacts_ok, api=api(answer))
    assert job.codes["Get the snapshot"] == 2
    assert [text for text in (PUBLIC, UNKNOWN, GOES_ON) if text in job.out] == [message]
    assert "a-token" not in job.out + job.err


def test_no_answer_at_all_is_no_yes(owners: Callable[[], Path]) -> None:
    job = gate(owners(), "", visibility="")
    assert job.codes["Get the snapshot"] == 2
    assert UNKNOWN in job.out


def test_the_example_as_it_is_copied_says_what_is_to_be_filled_in(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    shutil.copytree(EXAMPLE, repository)
    job = controls(repository)
    assert job.codes == {"Install lotgate": 2}
    assert "::error file=requirements.txt,line=1::Say here which lotgate to install" in job.out


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_careful(path: Path) -> None:
    workflow = read_workflow(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "group" in workflow["concurrency"]
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 120
        assert "permissions" not in job
        for step in job["steps"]:
            # a value put into a script is a script; as a variable it stays a value
            assert not EXPRESSION.search(step.get("run", ""))
            uses = step.get("uses", "")
            assert not uses or re.fullmatch(r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})", uses)
            if uses.startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
            if uses.startswith("actions/upload-artifact@"):
                assert step["if"] == "always()"
                assert 0 < step["with"]["retention-days"] <= 30
                named = [line for line in step["with"]["path"].splitlines() if not line.startswith("!")]
                assert [line for line in named if SEVERAL_DATABASES.search(line) or "*" in line] == []
            if uses.startswith("actions/cache@"):
                assert "target" not in step["with"]["path"]


def test_secrets_are_for_the_nightly_run_alone() -> None:
    workflow = read_workflow(VALIDATION)
    with_secrets = [
        (name, step["if"])
        for name, job in workflow["jobs"].items()
        for step in job["steps"]
        if "secrets." in json.dumps(step)
    ]
    assert with_secrets == [("gate", NIGHTLY)]
    assert json.dumps(workflow).count("secrets.") == 2
    assert workflow["jobs"]["gate"]["if"] == (
        "github.event_name != 'pull_request'"
        " || github.event.pull_request.head.repo.full_name == github.repository"
    )


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", [ROOT / ".github" / "dependabot.yml"]),
    ],
)
def test_github_would_take_it(schema: str, files: list[Path]) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run([program, "--builtin-schema", schema, *files], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()


def test_ci_runs_what_anybody_can_run() -> None:
    (job,) = read_workflow(OWN)["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert ".ci/run" in [step.get("run") for step in job["steps"]]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.endswith("\nmake lint\nmake test\nmake gate\n")

    # As from a shell: below `make test` these would make it a sub-make, which prints its folders too.
    shell = {
        name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }

    def plan(*targets: str) -> str:
        command = ["make", "-n", *targets]
        done = subprocess.run(command, cwd=ROOT, env=shell, capture_output=True, text=True, check=True)
        return done.stdout

    assert plan("ci") == ".ci/run\n"
    planned = plan("lint", "test", "gate")
    for part in ("ruff check", "mypy", "check-jsonschema", "pytest", "lotgate check"):
        assert part in planned


def test_a_snapshot_that_is_a_link_is_read_where_it_is(demo_build: Path, tmp_path: Path) -> None:
    """Evidence is bound to the database's own path, which a link must not change."""
    link = tmp_path / "ora.db"
    link.symlink_to(demo_build / "demo" / "ora.db")
    with closing(sqlite3.connect(demo_build / "shipstation.sqlite")) as evidence:
        (bound,) = evidence.execute("select value from lotgate_evidence where key = 'database'").fetchone()
    assert Path(bound) == link.resolve()
