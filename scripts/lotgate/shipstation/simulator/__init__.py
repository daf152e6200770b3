"""A stand-in for ShipStation's V1 API on this machine, with its oddities as switches and its troubles as
faults.

What it imitates is written down in docs/shipstation.md.
"""

from __future__ import annotations

from lotgate.shipstation.simulator.clock import SetClock, TickingClock
from lotgate.shipstation.simulator.faults import FAULTS, Faults, Request, Scripted
from lotgate.shipstation.simulator.rows import Label, Line, Mark, Order
from lotgate.shipstation.simulator.server import Simulator, serve
from lotgate.shipstation.simulator.store import Store, UnknownRow
from lotgate.shipstation.simulator.switches import Switches

__all__ = [
    "FAULTS",
    "Faults",
    "Label",
    "Line",
    "Mark",
    "Order",
    "Request",
    "Scripted",
    "SetClock",
    "Simulator",
    "Store",
    "Switches",
    "TickingClock",
    "UnknownRow",
    "serve",
]
