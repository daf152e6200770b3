"""Sync on an interval, until it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from lotgate.errors import EnvironmentFailed, LotgateError
from lotgate.shipstation.failures import WrongAnswer
from lotgate.sync.engine import SyncReport
from lotgate.sync.permission import NotNow
from lotgate.sync.services import Service

__all__ = ["watch"]


def watch(
    services: Iterable[Service],
    run: Callable[[Service], SyncReport],
    tell: Callable[[Service, SyncReport | LotgateError], None],
    *,
    interval_s: float,
    sleep: Callable[[float], None] = time.sleep,
    rounds: int | None = None,
) -> None:
    """Runs every service in turn, then waits; for ever, or for ``rounds``.

    What may pass (network, a lock, a wrong answer, ingestion switched off, a swap under way) is told, and
    tried again in the next round. What a person must change is raised: wrong settings (UsageError), a
    database that is not migrated any more (GateClosed). SIGTERM and Ctrl-C come through as KeyboardInterrupt,
    between orders.
    """
    services = tuple(services)
    done = 0
    while rounds is None or done < rounds:
        for service in services:
            try:
                report = run(service)
            except (EnvironmentFailed, NotNow, WrongAnswer) as error:
                tell(service, error)
            else:
                tell(service, report)
        done += 1
        if rounds is None or done < rounds:
            sleep(interval_s)
