"""Running all committed GX suites on one work directory, in one process or in two.

Source: docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from lotgate.errors import EnvironmentFailed
from lotgate.gx_beside import LARGE_BYTES, SUITES_BESIDE, start_beside
from lotgate.gx_part import Part, run_part
from lotgate.gx_suites import read_suites
from lotgate.verdict import Check
from lotgate.workdir import WorkDir

__all__ = ["GxRun", "run_suites"]


@dataclass(frozen=True)
class GxRun:
    """One run of the checkpoint: GX's run id (its time, UTC), and every check of every suite.

    ``context`` is GX's own, for building Data Docs of this run.
    """

    run_id: str
    checks: tuple[Check, ...]
    context: Any = field(repr=False)


def run_suites(expectations: Path, work_dir: WorkDir, parameters: Mapping[str, Any]) -> GxRun:
    """Runs the checkpoint on the work directory's candidate and snapshot, which are opened read-only.

    ``parameters`` are the values of the suites' ``$PARAMETER``. Results go to ``work_dir.gx``. Of a large
    candidate two processes share the suites. A check that failed, could not be carried out or did not run is
    in the result. Raises UsageError where the context, a suite or a data source is not configured as it must
    be, EnvironmentFailed where GX itself fails or a process does.
    """
    run_time = datetime.now(UTC).isoformat()
    order = [check.id for check in read_suites(expectations)]
    if _is_large(work_dir):
        with start_beside(expectations, work_dir, parameters, run_time) as beside:
            part, context = run_part(
                expectations, work_dir, parameters, run_time=run_time, without=SUITES_BESIDE
            )
            parts = [part, beside.part()]
    else:
        part, context = run_part(expectations, work_dir, parameters, run_time=run_time)
        parts = [part]
    return GxRun(run_id=run_time, checks=_united(parts, order), context=context)


def _is_large(work_dir: WorkDir) -> bool:
    try:
        return work_dir.candidate.stat().st_size >= LARGE_BYTES
    except OSError:
        return False  # GX says what is wrong with it


def _united(parts: list[Part], order: list[str]) -> tuple[Check, ...]:
    """All checks, in the order of the suites' files. Of files and code the worst that a part saw."""
    sources: dict[str, Check] = {}
    for check in chain.from_iterable(part.sources for part in parts):
        if check.id not in sources or sources[check.id].result == "passed":
            sources[check.id] = check
    checks = {check.id: check for part in parts for check in part.checks}
    if checks.keys() != set(order):
        raise EnvironmentFailed(
            "The suites changed while they ran.", hint="Leave them alone while lotgate runs, and audit again."
        )
    strangers = chain.from_iterable(part.strangers for part in parts)
    return (*sources.values(), *(checks[identity] for identity in order), *strangers)
