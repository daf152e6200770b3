"""The time of day and the version, as the live database's books write them."""

from __future__ import annotations

import importlib.metadata
from datetime import UTC, datetime

__all__ = ["package_version", "parse_utc", "utc_now"]


def utc_now() -> str:
    """Now in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def parse_utc(text: str) -> datetime:
    """The time that ``utc_now`` wrote."""
    return datetime.fromisoformat(text)


def package_version() -> str:
    """The version of lotgate that is at work."""
    return importlib.metadata.version("lotgate")
