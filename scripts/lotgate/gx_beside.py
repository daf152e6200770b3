"""Some of the suites in a process of their own: GX runs one check after another, on one core.

Of a large candidate the checks take longer than starting GX twice does; of a small one they do not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lotgate.child_process import end_with_parent, start_child
from lotgate.errors import EnvironmentFailed, LotgateError, UsageError
from lotgate.gx_part import Part, run_part
from lotgate.verdict import Check
from lotgate.workdir import WorkDir

__all__ = ["LARGE_BYTES", "SUITES_BESIDE", "Beside", "start_beside"]

SUITES_BESIDE = frozenset({"legacy_health", "lots", "shipped_items"})
"""Half of the work of a large candidate (docs/benchmarks.md)."""
LARGE_BYTES = 50_000_000
"""A candidate of this size has some 60,000 rows; its checks take as long as GX needs to start."""


@dataclass(frozen=True)
class Beside:
    """The running process. Its input stays open, so that it ends with this process, however that ends."""

    process: subprocess.Popen[bytes]

    def part(self) -> Part:
        """Waits for the results.

        Raises what ``run_part`` raised there, and EnvironmentFailed where the process did not come to an end
        of its own: what it did not say did not run.
        """
        assert self.process.stdout is not None
        output = self.process.stdout.read()
        code = self.process.wait()
        try:
            said = json.loads(output)
            if error := said.get("error"):
                kind = UsageError if error["kind"] == UsageError.__name__ else EnvironmentFailed
                raise kind(error["message"], hint=error["hint"])
            return Part(*(tuple(Check(**check) for check in said[name]) for name in _FIELDS))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EnvironmentFailed(
                f"The second process of the audit ended without results (exit code {code}).",
                hint="Audit again; where memory is short, close other programs first.",
            ) from error


_FIELDS = ("sources", "checks", "strangers")


@contextmanager
def start_beside(
    expectations: Path, work_dir: WorkDir, parameters: Mapping[str, Any], run_time: str
) -> Iterator[Beside]:
    """Starts ``run_part`` for ``SUITES_BESIDE``; a process that still runs when the block ends is stopped."""
    process = start_child(["-m", __name__], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    order = {
        "expectations": os.fsdecode(expectations),
        "work_dir": os.fsdecode(work_dir.path),
        "parameters": dict(parameters),
        "run_time": run_time,
    }
    try:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(order).encode("ascii") + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended at once; part() says so
        yield Beside(process)
    finally:
        process.kill()  # nothing happens where it has ended
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def main() -> None:
    """What the process does: reads an order from its input, and writes a part, or an error, as JSON."""
    order = json.loads(sys.stdin.readline())
    end_with_parent()
    # what others print is no result
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    said: dict[str, Any]
    try:
        part, _ = run_part(
            Path(order["expectations"]),
            WorkDir(Path(order["work_dir"])),
            order["parameters"],
            run_time=order["run_time"],
            only=SUITES_BESIDE,
        )
        said = asdict(part)
    except LotgateError as error:
        said = {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}
    with output:
        json.dump(said, output)


if __name__ == "__main__":
    main()
