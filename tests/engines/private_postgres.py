"""A PostgreSQL of one's own for some minutes: in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

__all__ = ["DATABASE", "USER", "private_postgres"]

USER = "lotgate"
DATABASE = "postgres"
"""The one that every new server has; with the server's order of texts."""


def _programs() -> Path:
    # Debian keeps them off the path
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not found and (on_path := shutil.which("initdb")):
        found = [Path(on_path).parent]
    if not found:
        sys.exit("No PostgreSQL here. On Debian: apt-get install postgresql")
    return found[-1]


@contextmanager
def private_postgres() -> Iterator[Path]:
    """The folder of the socket of a fresh server; both are gone afterwards."""
    programs = _programs()
    # PostgreSQL refuses to run as root
    user = pwd.getpwnam("postgres" if "postgres" in _users() else "nobody") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="lotgate-postgres-"))
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(*command: str | Path) -> None:
        owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()} if user else {}
        done = subprocess.run(
            list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False, **owner
        )  # type: ignore[call-overload]
        if done.returncode:
            sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")

    data = folder / "data"
    try:
        # texts are compared by their code points, as SQLite compares them
        run(
            programs / "initdb",
            "-D",
            data,
            "-U",
            USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-s", "-o", settings, "start")
        try:
            yield folder
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "-s", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _users() -> Sequence[str]:
    return [entry.pw_name for entry in pwd.getpwall()]
