"""Pausing ingestion, and switching it on again exactly as it was.

What is switched off is written down in the same transaction, so that a crash at any moment leaves behind what
is needed to switch it on again. Only the column ``enabled`` is touched; no process is ever stopped.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import replace

from lotgate.config import SwapSettings
from lotgate.errors import EnvironmentFailed
from lotgate.live.connection import immediate
from lotgate.live.schema import columns_of
from lotgate.live.state import Operation, read_operation, write_operation

__all__ = ["ResumeFailed", "pause_ingestion", "resume_ingestion", "unknown_workflows"]

CONTROLS = "workflow_controls"


class ResumeFailed(EnvironmentFailed):
    """The resume command was tried and failed; it is not tried again by the same command."""


def pause_ingestion(
    connection: sqlite3.Connection, operation: Operation, settings: SwapSettings
) -> Operation:
    """Sets ``enabled`` of the workflows to 0 and runs the pause command; returns the operation as noted.

    Workflows that are off already, or that the database does not know, stay as they are. An operation that
    has paused already pauses nothing again. EnvironmentFailed where the command fails.
    """
    if operation.phase != "staging":
        return operation
    with immediate(connection):
        before = _enabled(connection, settings.pause_workflows)
        for name in before:
            connection.execute(f"update {CONTROLS} set enabled = 0 where workflow_name = ?", (name,))
        operation = replace(
            operation,
            phase="paused",
            enabled_before=before,
            # noted before the pause command runs: a command that was cut short is answered, too
            must_resume=settings.pause_command is not None,
        )
        write_operation(connection, operation)
    if settings.pause_command:
        problem = _run(settings.pause_command, settings.command_timeout_s)
        if problem:
            raise EnvironmentFailed(
                f"The pause_command {problem}.",
                hint="Run it by hand to see why. Nothing was changed, and ingestion is on again.",
            )
    return operation


def resume_ingestion(
    connection: sqlite3.Connection, operation: Operation, settings: SwapSettings
) -> Operation:
    """Puts ``enabled`` back where it still is as lotgate set it, and runs the resume command.

    Returns the operation with nothing left to resume. ResumeFailed where the command fails or is not
    configured any more; then it stays noted, and the next command tries again.
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
    if operation.must_resume:
        problem = "is not configured any more"
        if settings.resume_command:
            problem = _run(settings.resume_command, settings.command_timeout_s)
        if problem:
            where = (
                "The new state of the tables is in place"
                if operation.phase == "switched"
                else "The tables are as they were"
            )
            raise ResumeFailed(
                f"{where}, but ingestion may still be off: the resume_command {problem}.",
                hint="Run it by hand to see why; `lotgate status` then tries it again.",
            )
        operation = replace(operation, must_resume=False)
        with immediate(connection):
            if read_operation(connection) is not None:
                write_operation(connection, operation)
    return operation


def unknown_workflows(connection: sqlite3.Connection, workflows: Sequence[str]) -> tuple[str, ...]:
    """Those that the database has no switch for: a typing error would leave an ingestion running."""
    known: set[object] = set()
    if {"workflow_name", "enabled"} <= {c.name.lower() for c in columns_of(connection, CONTROLS)}:
        known = {name for (name,) in connection.execute(f"select workflow_name from {CONTROLS}")}
    return tuple(name for name in workflows if name not in known)


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


def _run(command: str, timeout_s: float) -> str:
    """Runs a command of the owner's in the shell; returns what went wrong, empty where nothing did.

    What it prints may hold anything and is not read: a service that it starts may keep its output open. One
    that does not end in time is ended with all that it started.
    """
    process = subprocess.Popen(
        command,
        shell=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return f"did not end within {timeout_s:g} s (command_timeout_s)"
    return f"failed with exit code {code}" if code else ""
