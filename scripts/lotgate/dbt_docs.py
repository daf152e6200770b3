"""dbt's documentation as one page, made in a process of its own while the audit goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lotgate.dbt_run import dbt_environment, find_project
from lotgate.errors import EnvironmentFailed
from lotgate.workdir import WorkDir

__all__ = ["DbtDocs", "start_dbt_docs"]

PROGRAM = "from dbt.cli.main import cli; cli()"
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)
"""dbt's page has everything in itself; with this no request can leave the machine."""
FROM_THE_BUILD = ("manifest.json", "partial_parse.msgpack")
"""With these dbt need not parse the project again."""


@dataclass(frozen=True)
class DbtDocs:
    """A running ``dbt docs generate`` and the folder that it writes to."""

    process: subprocess.Popen[bytes]
    folder: Path

    def place(self, page: Path) -> str:
        """Waits until it is done and puts the page where it belongs; what went wrong, or the empty string."""
        output, _ = self.process.communicate()
        made = self.folder / "static_index.html"
        if self.process.returncode or not made.exists():
            lines = output.decode("utf-8", "replace").strip().splitlines()
            return f"dbt could not make it: {lines[-1] if lines else 'no output'}"
        try:
            page.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = made.read_text(encoding="utf-8")
            if "<head>" not in content:
                return "dbt's page has no head, so nothing keeps it off the network."
            page.write_text(content.replace("<head>", f"<head>{POLICY}", 1), encoding="utf-8")
            page.chmod(0o600)
        except OSError as error:
            raise EnvironmentFailed(
                f"{page} cannot be written: {error.strerror}.",
                hint="Free space there, or use another --work-dir.",
            ) from error
        return ""


@contextmanager
def start_dbt_docs(work_dir: WorkDir) -> Iterator[DbtDocs]:
    """Starts it; a process that is still running when the block ends is stopped.

    Its artifacts go to a folder of their own, since those of the build prove what the build did.
    """
    folder = work_dir.dbt / "docs"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        for name in FROM_THE_BUILD:
            if (work_dir.dbt / name).exists():
                shutil.copyfile(work_dir.dbt / name, folder / name)
    except OSError as error:
        raise EnvironmentFailed(
            f"{folder} cannot be written: {error.strerror}.",
            hint="Free space there, make it writable, or use another --work-dir.",
        ) from error
    project = str(find_project())
    command = [
        sys.executable, "-c", PROGRAM, "--quiet", "--no-use-colors",
        "docs", "generate", "--static", "--no-compile",
        "--project-dir", project, "--profiles-dir", project,
        "--target-path", str(folder), "--log-path", str(folder),
    ]  # fmt: skip
    with dbt_environment(work_dir, work_dir.candidate):
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"},
        )
    try:
        yield DbtDocs(process, folder)
    finally:
        process.kill()  # nothing happens where it has ended
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
