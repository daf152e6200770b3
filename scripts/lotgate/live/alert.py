"""Telling somebody: the owner's alert command, with what was found on its standard input."""

from __future__ import annotations

import subprocess

from lotgate.config import SwapSettings
from lotgate.live.verify import Verification

__all__ = ["run_alert"]


def run_alert(settings: SwapSettings, found: Verification) -> str:
    """Runs ``alert_command`` in the shell; returns why that did not work, empty where it did.

    It gets the failed checks as text, a line each: names and counts, no content of the database.
    """
    assert settings.alert_command is not None
    text = "".join(f"{f.name}: {f.problem}\n" for f in found.findings if f.problem)
    try:
        process = subprocess.run(
            settings.alert_command,
            shell=True,
            input=f"lotgate verify at {found.at}\n{text}",
            text=True,
            capture_output=True,
            check=False,
            timeout=settings.command_timeout_s,
        )
    except subprocess.TimeoutExpired:
        return f"The alert_command did not end within {settings.command_timeout_s:g} s."
    return f"The alert_command failed with exit code {process.returncode}." if process.returncode else ""
