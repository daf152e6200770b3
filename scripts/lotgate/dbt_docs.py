"""dbt's documentation as one page, made in a process of its own while the audit goes on."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotgate.child_process import end_with_parent, start_child
from lotgate.dbt_run import dbt_environment, find_project
from lotgate.errors import EnvironmentFailed
from lotgate.workdir import WorkDir

__all__ = ["DbtDocs", "start_dbt_docs", "without_paths"]

PROGRAM = "from lotgate.dbt_docs import main; main()"
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)
"""dbt's page has everything in itself; with this no request can leave the machine."""
PARSED = "partial_parse.msgpack"
FROM_THE_BUILD = ("manifest.json", PARSED)
"""The project as the build read it, as text and as dbt stores it."""


@dataclass(frozen=True)
class DbtDocs:
    """A running ``dbt docs generate``, the folder that it writes to, and those that it shall not name."""

    process: subprocess.Popen[bytes]
    folder: Path
    hidden: tuple[Path, ...]

    def place(self, page: Path) -> str:
        """Waits until it is done and puts the page where it belongs; what went wrong, or the empty string."""
        assert self.process.stdout is not None
        output = self.process.stdout.read()  # communicate() would close its input
        self.process.wait()
        made, manifest = self.folder / "static_index.html", self.folder / "manifest.json"
        if self.process.returncode or not made.exists():
            lines = output.decode("utf-8", "replace").strip().splitlines()
            return f"dbt could not make it: {lines[-1] if lines else 'no output'}"
        try:
            page.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = made.read_text(encoding="utf-8")
            if "<head>" not in content:
                return "dbt's page has no head, so nothing keeps it off the network."
            found = manifest.read_text(encoding="utf-8")
            if found not in content:
                return "dbt's page does not hold its manifest, so paths of this machine may be in it."
            content = content.replace(found, without_paths(found, self.hidden))
            page.write_text(content.replace("<head>", f"<head>{POLICY}", 1), encoding="utf-8")
            page.chmod(0o600)
        except OSError as error:
            raise EnvironmentFailed(
                f"{page} cannot be written: {error.strerror}.",
                hint="Free space there, or use another --work-dir.",
            ) from error
        return ""


def without_paths(manifest: str, hidden: tuple[Path, ...]) -> str:
    """The manifest with paths below ``hidden`` relative to it, and every other absolute path shortened.

    The page is handed on and uploaded; where things lie on this machine is nobody's business there.
    """
    folders = {str(path) for one in hidden for path in (one, one.resolve())} - {"/"}
    longest_first = "|".join(re.escape(folder) for folder in sorted(folders, key=len, reverse=True)) or "$^"
    inside = re.compile(rf"(?<![\w./-])(?:{longest_first})(?:/|(?![\w.-]))")

    def shortened(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            return {name: shortened(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [shortened(one, key) for one in value]
        if not isinstance(value, str):
            return value
        short = inside.sub("", value)
        return Path(short).name if key.endswith("_path") and short.startswith("/") else short

    return json.dumps(shortened(json.loads(manifest), ""))


@contextmanager
def start_dbt_docs(work_dir: WorkDir) -> Iterator[DbtDocs]:
    """Starts it; a process that is still running when the block ends is stopped.

    Its artifacts go to a folder of their own, since those of the build prove what the build did.
    """
    folder = work_dir.dbt / "docs"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        built = [work_dir.dbt / name for name in FROM_THE_BUILD]
        if all(file.exists() for file in built):
            for file in built:
                shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise EnvironmentFailed(
            f"{folder} cannot be written: {error.strerror}.",
            hint="Free space there, make it writable, or use another --work-dir.",
        ) from error
    project = str(find_project())
    arguments = [
        "-c", PROGRAM, str(folder / PARSED), "--quiet", "--no-use-colors",
        "docs", "generate", "--static", "--no-compile",
        "--project-dir", project, "--profiles-dir", project,
        "--target-path", str(folder), "--log-path", str(folder),
    ]  # fmt: skip
    hidden = (work_dir.path, Path(project))
    with dbt_environment(work_dir, work_dir.candidate):
        process = start_child(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield DbtDocs(process, folder, hidden)
    finally:
        process.kill()  # nothing happens where it has ended
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def main() -> None:
    """The other process: ``dbt docs generate`` with the project as the build parsed it.

    dbt's own partial parsing would not do: it begins anew where the candidate has another name.
    """
    end_with_parent()
    from dbt.cli.main import dbtRunner

    manifest = None
    with suppress(Exception):  # without it dbt reads the project again
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        parsed = Path(sys.argv[1]).read_bytes()
        manifest = Manifest.from_msgpack(parsed, decoder=extended_mashumuro_decoder)
    sys.exit(not dbtRunner(manifest).invoke(sys.argv[2:]).success)
