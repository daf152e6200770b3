"""The simulated ShipStation for tests: a fixture that starts it, the settings to reach it, and small stores.

Import what a test file needs: ``from shipstation_fixtures import simulate  # noqa: F401``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lotgate.config import ShipStationSettings
from lotgate.shipstation.simulator import Faults, SetClock, Simulator, Store, Switches, serve
from lotgate.shipstation.simulator.clock import Clock

__all__ = ["ENVIRON", "FREE", "NOW", "busy_store", "settings_for", "simulate"]

NOW = datetime(2030, 3, 14, 12, 0, 0)
"""Noon, Pacific: where the clock of the simulators stands unless a test gives another one."""

ENVIRON = {"SHIPSTATION_API_KEY": "simulator", "SHIPSTATION_API_SECRET": "simulator"}

FREE = Switches(rate_limit=1_000_000)
"""No test waits for the rate limit unless the limit is its subject."""

Simulate = Callable[..., Simulator]


@pytest.fixture
def simulate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulate]:
    """Starts simulators that end with the test: ``simulate(store, switches, faults, clock=..., **serve's)``.

    Without arguments: an empty store, no rate limit to speak of, no faults, a clock that stands at ``NOW``.
    The credentials are in the environment meanwhile.
    """
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as running:

        def start(
            store: Store | None = None,
            switches: Switches | None = None,
            faults: Faults | None = None,
            *,
            clock: Clock | None = None,
            **more: object,
        ) -> Simulator:
            return running.enter_context(
                serve(store or Store(), switches or FREE, faults, clock=clock or SetClock(NOW), **more)  # type: ignore[arg-type]
            )

        yield start


def settings_for(simulator: Simulator, **changes: object) -> ShipStationSettings:
    """Settings that reach ``simulator``: a short timeout; ``changes`` are further fields."""
    settings = ShipStationSettings(url=simulator.url, timeout_s=5.0)
    return replace(settings, **changes)  # type: ignore[arg-type]


def busy_store(labels: int = 7, *, start: datetime = datetime(2030, 3, 11, 8, 0, 0)) -> Store:
    """A store with ``labels`` labels, ten minutes apart from ``start``, each of an order with one line.

    Orders 100001 and on hold 1, 2, 3, 1, 2, ... units of ``17612 - 250300``.
    """
    store = Store()
    for place in range(labels):
        moment = start + timedelta(minutes=10 * place)
        order_id = store.add_order(str(100001 + place), [("17612 - 250300", place % 3 + 1)], moment)
        store.add_shipment(order_id, moment + timedelta(minutes=1))
    return store
