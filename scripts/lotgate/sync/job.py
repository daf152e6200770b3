"""What a run is asked to do, and where its window begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lotgate.config import SyncSettings
from lotgate.errors import GateClosed
from lotgate.sync.model import Rules
from lotgate.sync.services import Service

__all__ = ["Job", "start_of_window", "watermark_name", "write_stamp"]

REPEATED = timedelta(hours=1)
"""An hour comes twice in November: a watermark may be that much ahead of the clock."""


@dataclass(frozen=True)
class Job:
    """What one run is to do.

    ``since`` (a day) replaces the watermark as the start; ``retry`` asks again for every order in
    quarantine; ``rules`` makes the rules for a day (``today``) and the SKUs that the database knows.
    """

    service: Service
    settings: SyncSettings
    rules: Callable[[str, frozenset[str]], Rules]
    discovered_lot_status: str
    chunk_s: float
    since: str | None = None
    retry: bool = False
    dry_run: bool = False


def watermark_name(service: Service) -> str:
    """The service's row in ``sync_watermark``: ``lotgate-sync-shipments``."""
    return f"lotgate-sync-{service}"


def write_stamp(naive: datetime) -> str:
    """Naive Pacific to the second, as the other rows of ``sync_watermark`` are written."""
    return naive.isoformat(timespec="seconds")


def start_of_window(job: Job, now: datetime, watermark: str | None) -> datetime:
    """The watermark less the overlap, or some days ago, or a day further back that ``--since`` names.

    What lies between the watermark and a later ``--since`` would be lost: then it begins at the watermark.
    ``now`` is naive Pacific. Raises GateClosed for a watermark that cannot be one, without ``--since``.
    """
    settings = job.settings
    since = None if job.since is None else min(datetime.fromisoformat(job.since), now)
    if watermark is None:
        days = settings.guard_days if job.service == "shipments" else settings.window_days
        some_days_ago = (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        return some_days_ago if since is None else min(some_days_ago, since)
    reached = _read_stamp(watermark)
    if reached is None or reached > now + REPEATED:
        if since is not None:
            return since
        raise GateClosed(
            f"The watermark {watermark_name(job.service)} in sync_watermark is {watermark[:40]!r}, which is"
            f" no time in US Pacific before now ({write_stamp(now)}).",
            hint="Correct it, or delete the row; --since YYYY-MM-DD says from which day on to read.",
        )
    start = min(reached, now) - timedelta(hours=settings.overlap_hours)
    return start if since is None else min(start, since)


def _read_stamp(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.tzinfo is not None else found
