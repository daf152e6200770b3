"""Pausing ingestion, and switching it on again exactly as it was.

What is switched off is written down in the same transaction, so that a crash at any moment leaves behind what
is needed to switch it on again. Only the column ``enabled`` is touched; no process is ever stopped.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from lotgate.errors import EnvironmentFailed
from lotgate.live.connection import immediate
from lotgate.live.schema import columns_of
from lotgate.live.state import Operation, read_operation, write_operation

__all__ = ["pause_ingestion", "resume_ingestion"]

CONTROLS = "workflow_controls"


def pause_ingestion(
    connection: sqlite3.Connection,
    operation: Operation,
    *,
    workflows: Sequence[str],
    pause_command: str | None,
    resume_command: str | None,
    timeout_s: float,
) -> Operation:
    """Sets ``enabled`` of these workflows to 0 and runs the pause command; returns the operation as noted.

    Workflows that are off already, or that the database does not know, stay as they are. An operation that
    has paused already pauses nothing again. EnvironmentFailed where the command fails.
    """
    if operation.phase != "staging":
        return operation
    with immediate(connection):
        before = _enabled(connection, workflows)
        for name in before:
            connection.execute(f"update {CONTROLS} set enabled = 0 where workflow_name = ?", (name,))
        operation = replace(
            operation,
            phase="paused",
            enabled_before=before,
            # noted before the pause command runs: a command that was cut short is answered, too
            resume_command=resume_command if pause_command else None,
        )
        write_operation(connection, operation)
    if pause_command:
        _run(pause_command, "pause", timeout_s)
    return operation


def resume_ingestion(connection: sqlite3.Connection, operation: Operation, *, timeout_s: float) -> Operation:
    """Puts ``enabled`` back where it still is as lotgate set it, and runs the resume command.

    Returns the operation with nothing left to resume. EnvironmentFailed where the command fails; then it
    stays noted, and the next command tries again.
    """
    with immediate(connection):
        for name, enabled in operation.enabled_before.items():
            if columns_of(connection, CONTROLS):
                connection.execute(
                    f"update {CONTROLS} set enabled = ? where workflow_name = ? and enabled = 0",
                    (enabled, name),
                )
        operation = replace(operation, enabled_before={})
        if read_operation(connection) is not None:
            write_operation(connection, operation)
    if operation.resume_command:
        _run(operation.resume_command, "resume", timeout_s)
        operation = replace(operation, resume_command=None)
        with immediate(connection):
            if read_operation(connection) is not None:
                write_operation(connection, operation)
    return operation


def _enabled(connection: sqlite3.Connection, workflows: Sequence[str]) -> dict[str, int]:
    """The workflows among these that are switched on, as they are; none in a database that has no switch."""
    if not {"workflow_name", "enabled"} <= {c.name.lower() for c in columns_of(connection, CONTROLS)}:
        return {}
    marks = ", ".join("?" * len(workflows))
    return dict(
        connection.execute(
            f"select workflow_name, enabled from {CONTROLS}"
            f" where workflow_name in ({marks}) and enabled <> 0 order by workflow_name",
            tuple(workflows),
        ).fetchall()
    )


def _run(command: str, purpose: str, timeout_s: float) -> None:
    """Runs a command of the owner's in the shell. What it prints may hold anything, so it is not repeated."""
    try:
        process = subprocess.run(
            command, shell=True, capture_output=True, check=False, timeout=timeout_s, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise EnvironmentFailed(
            f"The {purpose}_command of lotgate.toml did not end within {timeout_s:g} s.",
            hint="Make it quicker, or raise command_timeout_s in [swap].",
        ) from error
    if process.returncode:
        raise EnvironmentFailed(
            f"The {purpose}_command of lotgate.toml failed with exit code {process.returncode}.",
            hint="Run it by hand to see why; `lotgate status` then brings the database home.",
        )
