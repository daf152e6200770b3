"""Installs wheel and sdist as a newcomer would, on every Python that this machine has, and runs the demo.

Each Python gets an empty environment; pip brings the dependencies from the package index. It takes some
minutes, so it is no part of the tests: ``make dist-test`` runs it. Pythons that lotgate does not support
must be refused by pip. Exits with 1 where anything failed, or where a Python that was asked for is missing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

SUPPORTED = ("3.11", "3.12", "3.13")
REFUSED = ("3.10", "3.14")
PYENV = Path.home() / ".pyenv" / "versions"


@dataclass(frozen=True)
class Trial:
    """One archive on one Python: how long it took to install and to run the demo, and what went wrong."""

    python: str
    archive: str
    install_s: float
    demo_s: float | None
    outcome: str
    is_good: bool


def find_pythons() -> dict[str, Path]:
    """The newest of each version, from the path and from pyenv; a shim that leads nowhere is none."""
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    candidates = [folder / f"python{name}" for name in (*SUPPORTED, *REFUSED) for folder in folders]
    candidates += sorted(PYENV.glob("3.*/bin/python"))
    found: dict[str, tuple[tuple[int, ...], Path]] = {}
    for candidate in candidates:
        if not candidate.exists():
            continue
        program = "import sys; print(*sys.version_info[:3], sys.executable)"
        done = subprocess.run([candidate, "-c", program], capture_output=True, text=True, check=False)
        if done.returncode:
            continue
        *numbers, executable = done.stdout.strip().split(" ", 3)
        version = tuple(map(int, numbers))
        name = f"{version[0]}.{version[1]}"
        if name in (*SUPPORTED, *REFUSED) and (name not in found or version > found[name][0]):
            found[name] = (version, Path(executable))
    return {name: found[name][1] for name in sorted(found, key=lambda name: found[name][0])}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command in a clean environment, so that neither this tree nor an owner's settings help it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("LOTGATE_", "PYTHON"))}
    clean.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        [*map(str, command)], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )


def try_archive(python: Path, name: str, archive: Path, folder: Path) -> Trial:
    """Install, version, dependencies, init, demo: up to the first that goes wrong."""
    empty = folder / "an empty folder"
    empty.mkdir()
    if (made := run(python, "-m", "venv", folder / "venv", cwd=folder)).returncode:
        return Trial(name, archive.name, 0.0, None, f"no venv: {last_line(made)}", False)
    binaries = folder / "venv" / "bin"
    started = time.monotonic()
    installed = run(binaries / "python", "-m", "pip", "install", archive, cwd=empty)
    install_s = time.monotonic() - started
    if name in REFUSED:
        is_refused = installed.returncode != 0 and "requires a different Python" in installed.stderr
        outcome = "refused by pip" if is_refused else "not refused"
        return Trial(name, archive.name, install_s, None, outcome, is_refused)
    if installed.returncode:
        return Trial(name, archive.name, install_s, None, f"pip: {last_line(installed)}", False)
    for step in (["-m", "pip", "check"], ["-c", "import lotgate.cli"]):
        if (done := run(binaries / "python", *step, cwd=empty)).returncode:
            return Trial(name, archive.name, install_s, None, f"{step[-1]}: {last_line(done)}", False)
    started = time.monotonic()
    for step in (["init", "mine"], ["demo"]):
        if (done := run(binaries / "lotgate", *step, cwd=empty)).returncode:
            return Trial(name, archive.name, install_s, None, f"{step[0]}: {last_line(done)}", False)
    demo_s = time.monotonic() - started
    verified = [line for line in done.stdout.splitlines() if line.startswith("Verified: all")]
    return Trial(name, archive.name, install_s, demo_s, " ".join(verified) or "not verified", bool(verified))


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """What a command said at the end, or what it called its error."""
    lines = (done.stderr or done.stdout).strip().splitlines() or ["nothing was said"]
    return next((line for line in lines if line.lower().startswith("error: ")), lines[-1])[:200]


@click.command()
@click.argument("archives", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--require", multiple=True, default=SUPPORTED, show_default=True, help="Pythons that must be here."
)
def main(archives: tuple[Path, ...], require: tuple[str, ...]) -> None:
    """Try each wheel on every Python found, and each sdist on the newest supported one."""
    pythons = find_pythons()
    supported = [name for name in pythons if name in SUPPORTED]
    trials = []
    for archive in archives:
        is_wheel = archive.suffix == ".whl"
        for name in pythons if is_wheel else supported[-1:]:
            print(f"{archive.name} on {pythons[name]} ...", file=sys.stderr, flush=True)
            with tempfile.TemporaryDirectory(prefix="lotgate-try-") as folder:
                trials.append(try_archive(pythons[name], name, archive.resolve(), Path(folder).resolve()))
    table = Table("Python", "archive", "install", "init + demo", "outcome")
    for trial in trials:
        demo = "" if trial.demo_s is None else f"{trial.demo_s:.0f} s"
        table.add_row(trial.python, trial.archive, f"{trial.install_s:.0f} s", demo, trial.outcome)
    missing = sorted(set(require) - set(pythons))
    for name in missing:
        table.add_row(name, "", "", "", "not found")
    Console(width=110).print(table)
    sys.exit(1 if missing or not all(trial.is_good for trial in trials) else 0)


if __name__ == "__main__":
    main()
