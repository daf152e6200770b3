"""The audit: is the candidate what was built, does everything hold that must, and may it be promoted?

Source: docs/audit.md.
"""

from __future__ import annotations

import importlib.metadata
import json
import operator
import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lotgate.build import Build, read_build
from lotgate.ci_reports import as_junit, as_markdown
from lotgate.console import Reporter
from lotgate.data_docs import build_data_docs
from lotgate.dbt_docs import DbtDocs, start_dbt_docs
from lotgate.dbt_run import find_project, read_vars
from lotgate.errors import EnvironmentFailed, GateClosed
from lotgate.file_checks import FileHashes, check_controls, check_dbt, check_files, check_project, hash_files
from lotgate.gx_run import run_suites
from lotgate.gx_suites import read_suites
from lotgate.live.counter import Counter
from lotgate.register import compare, present_register, read_register
from lotgate.review import write_review
from lotgate.verdict import Check, Verdict, count_checks, write_verdict
from lotgate.workdir import WorkDir, discard_audit, write_private

__all__ = [
    "Examination",
    "Inputs",
    "audit_candidate",
    "examine",
    "read_inputs",
    "recorded_source",
    "suite_parameters",
]

PACKAGES = ("lotgate", "dbt-core", "dbt-sqlite", "great-expectations", "sqlalchemy")
DATA_DOCS = {"gx/data_docs": "../../review/index.html", "review/data_docs": "../index.html"}
"""Where GX's site goes, with its way back: the second makes the folder of the review complete in itself."""


@dataclass(frozen=True)
class Inputs:
    """What an audit starts from: the candidate's description, its snapshot's, and the day that was copied.

    ``live_tables`` has the rows of every table of the live database when the snapshot was taken;
    ``change_counter``, ``schema_fingerprint`` and ``database_id`` are as in ``Snapshot``.
    """

    build: Build
    snapshot_sha256: str
    source: str
    taken_at: str
    live_tables: dict[str, int]
    change_counter: Counter | None
    schema_fingerprint: str
    database_id: str | None


def recorded_source(work_dir: WorkDir) -> str | None:
    """The live database that the snapshot says it is of; None where it does not say."""
    try:
        return str(json.loads(work_dir.snapshot_json.read_text(encoding="ascii"))["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_inputs(work_dir: WorkDir) -> Inputs:
    """Reads what ``snapshot`` and ``build`` wrote. UsageError without a candidate, GateClosed for damage."""
    build = read_build(work_dir)
    try:
        content = json.loads(work_dir.snapshot_json.read_text(encoding="ascii"))
        tables = {
            table["name"]: int(table["rows"]) for table in content["tables"] if table["rows"] is not None
        }
        counter = content["change_counter"]
        if counter is not None:
            counter = Counter(value=operator.index(counter["value"]), stamp=operator.index(counter["stamp"]))
        return Inputs(
            build=build,
            snapshot_sha256=content["sha256"],
            source=content["source"],
            taken_at=content["taken_at"],
            live_tables=tables,
            change_counter=counter,
            schema_fingerprint=content["schema_fingerprint"],
            database_id=content["database_id"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GateClosed(
            f"{work_dir.snapshot_json}, the snapshot's description, is missing or damaged.",
            hint="Build again.",
        ) from error


def audit_candidate(
    work_dir: WorkDir,
    *,
    reporter: Reporter,
    controls_folder: Path | None = None,
    expectations: Path | None = None,
) -> Verdict:
    """Audits ``work_dir``'s candidate, and writes the verdict, the review pages, Data Docs and CI's reports.

    The caller holds the work directory's lock. An earlier audit is removed first, so that whatever goes wrong
    no older verdict stays. Raises what ``examine`` raises, and EnvironmentFailed where something cannot be
    written; nothing of this audit is left then.
    """
    discard_audit(work_dir)
    inputs = read_inputs(work_dir)
    try:
        with _private_output(work_dir), start_dbt_docs(work_dir) as docs:
            found = examine(
                work_dir,
                inputs,
                reporter=reporter,
                controls_folder=controls_folder,
                expectations=expectations,
            )
            with reporter.step("Writing Data Docs"):
                for folder, review in DATA_DOCS.items():
                    build_data_docs(found.gx_context, work_dir.path / folder, review_href=review)
            with reporter.step("Writing dbt's documentation"):
                found.checks.append(_place_dbt_docs(docs, work_dir))
            verdict = found.verdict()
            with reporter.step("Writing the review"):
                _write_reports(work_dir, verdict)
                if hash_files(work_dir) != found.files:  # the pages may show what was not audited
                    raise GateClosed(
                        "The candidate or the snapshot changed while the review was written.",
                        hint="Leave the work directory alone while lotgate runs, and audit again.",
                    )
                write_verdict(verdict, work_dir.verdict)
    except BaseException:  # no report may say "open" where there is no verdict
        with suppress(EnvironmentFailed):
            discard_audit(work_dir)
        raise
    return verdict


@dataclass(frozen=True)
class Examination:
    """Everything that was checked, before it is judged.

    ``gx_context`` is GX's own, for Data Docs; ``files`` are the hashes of what was read.
    """

    inputs: Inputs
    register_sha256: str
    gx_run_id: str
    gx_context: Any
    checks: list[Check]
    files: FileHashes

    def verdict(self) -> Verdict:
        """The verdict on these checks, as of now."""
        build = self.inputs.build
        return Verdict(
            checks=tuple(self.checks),
            audited_at=datetime.now(UTC).isoformat(timespec="seconds"),
            source=self.inputs.source,
            snapshot_sha256=build.snapshot_sha256,
            evidence_sha256=build.evidence_sha256,
            controls_sha256=build.controls_sha256,
            project_sha256=build.project_sha256,
            register_sha256=self.register_sha256,
            candidate_schema_sha256=build.schema_sha256,
            schema_fingerprint=self.inputs.schema_fingerprint,
            tables=build.hashes,
            dbt_invocation_id=build.dbt_invocation_id,
            gx_run_id=self.gx_run_id,
            versions=_versions(),
            change_counter=self.inputs.change_counter,
            database_id=self.inputs.database_id,
            counts=count_checks(self.checks),
        )


def examine(
    work_dir: WorkDir,
    inputs: Inputs,
    *,
    reporter: Reporter,
    controls_folder: Path | None = None,
    expectations: Path | None = None,
) -> Examination:
    """Carries out every check of an audit; writes nothing but GX's results, to ``work_dir.gx``.

    ``controls_folder`` is the owner's folder of controls, by default the one that the build read;
    ``expectations`` the GX context, by default the project's. A check that fails is a result; raises
    UsageError for a configuration that cannot be used, and EnvironmentFailed where files cannot be read.
    """
    project = find_project()
    expectations = expectations or project / "expectations"
    register = read_register(expectations)
    suites = read_suites(expectations)
    build = inputs.build
    before = hash_files(work_dir)
    with reporter.step("Comparing files, controls and hashes"):
        checks = [
            *check_files(work_dir, build, inputs.snapshot_sha256, before),
            *check_controls(build, controls_folder or build.controls_folder, work_dir.candidate),
            check_project(build, project),
            *check_dbt(build),
            *compare(register, present_register(project, expectations, suites, build.checks)),
        ]
    with reporter.step("Running the suites"):
        run = run_suites(expectations, work_dir, suite_parameters(inputs, project))
    checks += [*run.checks, _unchanged(work_dir, before)]
    return Examination(inputs, register.sha256, run.run_id, run.context, checks, before)


def suite_parameters(inputs: Inputs, project: Path) -> dict[str, Any]:
    """The values of the suites' ``$PARAMETER``: the variables of dbt, and the snapshot's own figures."""
    return read_vars(project) | {
        "snapshot_day": inputs.taken_at[:10],
        "legacy_tables": json.dumps(inputs.live_tables, sort_keys=True),
    }


def _place_dbt_docs(docs: DbtDocs, work_dir: WorkDir) -> Check:
    problem = docs.place(work_dir.review / "dbt_docs" / "index.html")
    return Check(
        id="review.dbt_docs",
        suite="review",
        description="dbt's documentation of the models stands beside the review.",
        severity="warning",
        result="failed" if problem else "passed",
        detail=problem,
    )


def _unchanged(work_dir: WorkDir, before: FileHashes) -> Check:
    changed = hash_files(work_dir) != before
    return Check(
        id="files.unchanged_during_audit",
        suite="files",
        description="Nobody wrote to the candidate or the snapshot while they were audited.",
        severity="critical",
        result="failed" if changed else "passed",
        detail="One of them changed. Leave the work directory alone, and audit again." if changed else "",
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    return found | {name: importlib.metadata.version(name) for name in PACKAGES}


def _write_reports(work_dir: WorkDir, verdict: Verdict) -> None:
    """Everything for people and for CI. The verdict, which the swap believes, comes after it."""
    has_docs = (work_dir.review / "dbt_docs" / "index.html").exists()
    write_review(work_dir, verdict, has_dbt_docs=has_docs)
    with write_private(work_dir.junit) as temporary:
        temporary.write_text(as_junit(verdict), encoding="utf-8")
    with write_private(work_dir.summary) as temporary:
        temporary.write_text(as_markdown(verdict), encoding="utf-8")


@contextmanager
def _private_output(work_dir: WorkDir) -> Iterator[None]:
    """The folders of GX and the review, for their owner only, however permissive the umask is."""
    umask = os.umask(0o077)
    try:
        for folder in (work_dir.gx, work_dir.review):
            folder.mkdir(mode=0o700, exist_ok=True)
        yield
    except OSError as error:
        raise EnvironmentFailed(
            f"{work_dir.gx} cannot be written: {error.strerror}.",
            hint="Free space there, make it writable, or use another --work-dir.",
        ) from error
    finally:
        os.umask(umask)
