"""Running committed GX suites in this process on one work directory, and counting what really ran.

GX drops an expectation whose type it does not know and still reports success, so every result is matched with
the check that the suite's file holds; what has no result did not run. Source: docs/audit.md.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import sys
import urllib.parse
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.gx_suites import SuiteCheck, read_suites
from lotgate.sqlite_files import sqlite_uri
from lotgate.verdict import Check
from lotgate.workdir import WorkDir

__all__ = ["Part", "open_context", "run_part"]

CHECKPOINT = "audit"
PLUGIN = "lotgate_expectations"
SHOWN_ROWS = 3


@dataclass(frozen=True)
class Part:
    """What became of some suites.

    ``sources`` say whether GX read the right files with the right code; ``checks`` are those that the suites'
    files define, in their order; ``strangers`` stand for results that no file knows.
    """

    sources: tuple[Check, ...]
    checks: tuple[Check, ...]
    strangers: tuple[Check, ...]


def run_part(
    expectations: Path,
    work_dir: WorkDir,
    parameters: Mapping[str, Any],
    *,
    run_time: str,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
) -> tuple[Part, Any]:
    """Runs what the checkpoint has, or only some suites, or all but some; also gives GX's context.

    ``run_time`` is the run's id, ISO 8601 with its zone: parts of one run have the same. Results go to
    ``work_dir.gx``. A check that failed, could not be carried out or did not run is in the result. Raises
    UsageError where the context, a suite or a data source is not configured as it must be, EnvironmentFailed
    where GX itself fails.
    """

    def is_wanted(suite: str) -> bool:
        return (only is None or suite in only) and suite not in without

    defined = [check for check in read_suites(expectations) if is_wanted(check.suite)]
    with open_context(expectations, work_dir) as context:
        sources = (_check_plugin(expectations), *_check_data_sources(context, work_dir))
        try:
            with _quiet():
                results = _run_checkpoint(context, parameters, run_time, is_wanted)
        except Exception as error:  # whatever GX raises: none of it is a result
            raise _gx_failed(error, work_dir) from error
    found = _by_check(results)
    checks = tuple(_match(check, found.pop(check.id, [])) for check in defined)
    strangers = tuple(
        Check(
            id=f"{identity}.unknown",
            suite="register",
            description="Every result belongs to a check of a suite.",
            severity="critical",
            result="errored",
            detail=f"GX gave a result for {identity}, which is in no suite's file.",
        )
        for identity in sorted(found)
    )
    return Part(sources, checks, strangers), context


def _run_checkpoint(
    context: Any, parameters: Mapping[str, Any], run_time: str, is_wanted: Callable[[str], bool]
) -> list[Any]:
    """As GX's ``Checkpoint.run``, which knows no part of a checkpoint."""
    from great_expectations import RunIdentifier

    checkpoint = context.checkpoints.get(CHECKPOINT)
    fresh = checkpoint.is_fresh()
    if not fresh.success:
        fresh.raise_for_error()
    run_id = RunIdentifier(run_time=datetime.fromisoformat(run_time))
    return [
        definition.run(
            checkpoint_id=checkpoint.id,
            expectation_parameters=dict(parameters),
            result_format=checkpoint.result_format,
            run_id=run_id,
        )
        for definition in checkpoint.validation_definitions
        if is_wanted(definition.suite.name)
    ]


@contextmanager
def open_context(expectations: Path, work_dir: WorkDir) -> Iterator[Any]:
    """GX's file context in ``expectations`` with our own expectations known to it.

    While it is open, the environment has the paths that ``great_expectations.yml`` names.
    """
    wanted = {
        "LOTGATE_GX_CANDIDATE": _twice_quoted(work_dir.candidate),
        "LOTGATE_GX_LEGACY": _twice_quoted(work_dir.legacy),
        "LOTGATE_GX_DIR": str(work_dir.gx).replace("$", "\\$"),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        with _quiet():
            import great_expectations

            try:
                context = great_expectations.get_context(mode="file", context_root_dir=str(expectations))
                _import_plugin(expectations)
            except Exception as error:  # GX has no root of its own errors for this
                raise UsageError(
                    f"The GX context in {expectations} cannot be opened: {_first_line(error)}",
                    hint="Restore the folder as it was committed (git status shows what changed).",
                ) from error
        yield context
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _import_plugin(expectations: Path) -> None:
    """Makes our expectations known, those of this folder and no others; leaves no bytecode behind."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    # GX puts the folder last, where any other of that name on the path would come first
    sys.path.insert(0, str(expectations / "plugins"))
    try:
        importlib.import_module(PLUGIN)
    finally:
        sys.path.pop(0)
        sys.dont_write_bytecode = before


def _check_plugin(expectations: Path) -> Check:
    """Is the code that runs the code that the register was compared with?"""
    folder = (expectations / "plugins" / PLUGIN).resolve()
    strangers = sorted(
        f"{name} from {module.__file__}"
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == PLUGIN
        and not (module.__file__ and Path(module.__file__).resolve().is_relative_to(folder))
    )
    return Check(
        id="files.expectations_are_ours",
        suite="files",
        description="The expectations that ran are those in the folder expectations.",
        severity="critical",
        result="failed" if strangers else "passed",
        detail=f"Loaded was {', '.join(strangers)}." if strangers else "",
    )


def _check_data_sources(context: Any, work_dir: WorkDir) -> tuple[Check, ...]:
    """Do GX's data sources read the very files of this work directory? Asked of the open connections."""
    checks = []
    for name, file in (("candidate", work_dir.candidate), ("legacy", work_dir.legacy)):
        import sqlalchemy as sa

        try:
            engine = context.data_sources.get(name).get_engine()
            with engine.connect() as connection:
                opened = Path(connection.execute(sa.text("pragma database_list")).fetchone()[2])
                writable = not _refuses_writes(connection, sa)
        except Exception as error:  # KeyError from GX, SQLAlchemy's own from the engine
            raise UsageError(
                f"GX has no data source {name} that can be opened: {_first_line(error)}",
                hint="Restore expectations/great_expectations.yml as it was committed.",
            ) from error
        detail = ""
        if not (opened.exists() and opened.samefile(file)):
            detail = f"It reads {opened}."
        elif writable:
            detail = "It is opened for writing."
        checks.append(
            Check(
                id=f"files.data_source_{name}",
                suite="files",
                description=f"GX's data source {name} reads {file.name} of this work directory, read-only.",
                severity="critical",
                result="failed" if detail else "passed",
                detail=detail,
            )
        )
    return tuple(checks)


def _refuses_writes(connection: Any, sa: Any) -> bool:
    """Whether SQLite opened the file read-only; asked by a write that changes nothing."""
    try:
        version = connection.execute(sa.text("pragma user_version")).scalar()
        connection.execute(sa.text(f"pragma user_version = {int(version)}"))
    except sa.exc.OperationalError:
        return True
    finally:
        connection.rollback()
    return False


def _by_check(validations: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for validation in validations:
        for result in validation.results:
            meta = result.expectation_config.meta or {}
            found.setdefault(f"{validation.suite_name}.{meta.get('check')}", []).append(result)
    return found


def _match(defined: SuiteCheck, results: list[Any]) -> Check:
    common = {
        "id": defined.id,
        "suite": defined.suite,
        "description": defined.description,
        "severity": defined.severity,
    }
    if not results:
        return Check(
            **common,  # type: ignore[arg-type]
            result="not_run",
            detail="GX did not run it: it does not know its type, or the checkpoint leaves its suite out.",
        )
    if len(results) > 1:
        return Check(**common, result="errored", detail=f"GX gave {len(results)} results for it.")  # type: ignore[arg-type]
    result = results[0]
    message = _exception(result.exception_info)
    if message is not None:
        return Check(**common, result="errored", detail=message)  # type: ignore[arg-type]
    if result.success is True:
        return Check(**common, result="passed")  # type: ignore[arg-type]
    detail, unexpected = _explain(result.result or {})
    return Check(**common, result="failed", detail=detail, unexpected=unexpected)  # type: ignore[arg-type]


def _exception(info: Mapping[str, Any] | None) -> str | None:
    """The message of an exception that a check raised; GX keeps it flat, or keyed by metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else [e for e in info.values() if isinstance(e, Mapping)]
    for entry in entries:
        if entry.get("raised_exception"):
            return " ".join(str(entry.get("exception_message")).split())[:500]
    return None


def _explain(result: Mapping[str, Any]) -> tuple[str, int | None]:
    """What a failed check found, in a sentence, and how many rows should not be there."""
    observed = result.get("observed_value")
    details = result.get("details") or {}
    rows = details.get("rows")
    if isinstance(observed, int) and rows is not None:
        columns = details.get("columns", [])
        shown = "; ".join(
            ", ".join(f"{column} {value}" for column, value in zip(columns, row, strict=False))
            for row in rows[:SHOWN_ROWS]
        )
        more = ", first" if observed > SHOWN_ROWS else ""
        return f"{observed:,} {'row' if observed == 1 else 'rows'}{more}: {shown}", observed
    if result.get("unexpected_count"):
        count = int(result["unexpected_count"])
        return f"{count:,} {'value is' if count == 1 else 'values are'} unexpected.", count
    if observed is not None:
        return f"Found: {json.dumps(observed, default=str)[:300]}", None
    return "It does not hold.", None


def _gx_failed(error: Exception, work_dir: WorkDir) -> Exception:
    if isinstance(error, OSError):
        return EnvironmentFailed(
            f"{work_dir.gx} cannot be written: {error.strerror}.",
            hint="Free space there, make it writable, or use another --work-dir.",
        )
    return UsageError(
        f"The GX checkpoint {CHECKPOINT} could not run: {_first_line(error)}",
        hint="Restore the folder expectations as it was committed (git status shows what changed).",
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]


def _twice_quoted(path: Path) -> str:
    """The path for SQLAlchemy's URL, which decodes once, around SQLite's URI, which decodes again."""
    return urllib.parse.quote(sqlite_uri(path).removeprefix("file:"), safe="/")


@contextmanager
def _quiet() -> Iterator[None]:
    """GX prints, warns and logs tracebacks about what the result says as well; stdout and stderr are ours."""
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
