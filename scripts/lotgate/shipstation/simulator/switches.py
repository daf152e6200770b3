"""The points on which ShipStation's documentation and the traffic seen do not agree, each as a switch.

The defaults are the likelier or the harder of the possible behaviours (docs/shipstation.md, the points
marked as not established).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_type_hints

from lotgate.errors import UsageError

__all__ = ["MAX_PAGE_SIZE", "Switches", "list_switches", "parse_switches"]

MAX_PAGE_SIZE = 500
FLAG = ("true", "false")


@dataclass(frozen=True)
class Switches:
    """How the simulated API behaves where it is not established.

    ``rate_limit`` requests are answered in each window of ``window_s`` seconds, for each key; the header
    that tells the seconds to the next window is rounded ``reset_rounding``.
    ``offsets``: what becomes of ``Z`` or ``-08:00`` behind a time in a request: converted to Pacific
    (``honour``), cut off (``ignore``) or answered with 400 (``reject``).
    ``fractions``: fractions of seconds in a request's times count (``honour``) or are cut off (``cut``).
    ``order_bounds``: whether the time filters of orders include their ends.
    ``shipment_number``: how shipments are found by ``orderNumber``; orders always by their beginning.
    ``fulfillment_ship_filter``: ship date filters of fulfillments compare days, or whole times (a plain date
    is midnight then).
    ``bad_paging``: a page or page size out of its range is put into it (``clamp``) or answered with 400.
    ``numbers``: how quantities, amounts and weights are written; ``mixed`` writes whole quantities plainly
    and amounts with two digits.
    ``returns_listed``, ``discounts_in_labels``: whether return labels, and adjustment lines of labels, are
    served at all. ``adjustment_in_labels``: whether the items of labels have the key ``adjustment``, which
    the documentation has for orders only: without it a discount in a label is known by its null SKU or its
    line key alone.
    ``retry_after``: whether a 429 has that header.
    """

    rate_limit: int = 40
    window_s: float = 60.0
    reset_rounding: Literal["down", "up"] = "down"
    offsets: Literal["honour", "ignore", "reject"] = "honour"
    fractions: Literal["honour", "cut"] = "honour"
    order_bounds: Literal["inclusive", "exclusive"] = "inclusive"
    shipment_number: Literal["exact", "prefix"] = "exact"
    fulfillment_ship_filter: Literal["day", "time"] = "day"
    bad_paging: Literal["clamp", "reject"] = "clamp"
    numbers: Literal["mixed", "1", "1.0", "1.00"] = "mixed"
    returns_listed: bool = True
    discounts_in_labels: bool = True
    adjustment_in_labels: bool = False
    retry_after: bool = False

    def __post_init__(self) -> None:
        if self.rate_limit < 1 or self.window_s <= 0:
            raise ValueError("a rate limit needs at least 1 request in a window longer than 0 s")


def parse_switches(texts: tuple[str, ...], base: Switches | None = None) -> Switches:
    """``base`` with what texts such as ``offsets=reject`` change. Raises UsageError for any other."""
    changes: dict[str, Any] = {}
    choices = _choices()
    for text in texts:
        name, _, value = text.partition("=")
        if name not in choices:
            raise UsageError(f"There is no switch {name!r}.", hint=f"The switches are: {', '.join(choices)}.")
        if value not in choices[name]:
            raise UsageError(
                f"The switch {name} cannot be {value!r}.", hint=f"It is one of: {', '.join(choices[name])}."
            )
        is_flag = choices[name] == FLAG
        changes[name.replace("-", "_")] = value == "true" if is_flag else value
    return replace(base or Switches(), **changes)


def list_switches() -> str:
    """All switches with their values, a line each; the default in front."""
    lines = []
    for name, values in _choices().items():
        default = (
            str(getattr(Switches(), name.replace("-", "_"))).replace("True", "true").replace("False", "false")
        )
        lines.append(f"{name}={default}  (or {', '.join(value for value in values if value != default)})")
    return "\n".join(lines)


def _choices() -> dict[str, tuple[str, ...]]:
    """Switch, as it is written on the command line -> its values. The rate limit has options of its own."""
    hints = get_type_hints(Switches)
    return {
        name.replace("_", "-"): tuple(get_args(hint)) or FLAG
        for name, hint in hints.items()
        if name not in ("rate_limit", "window_s")
    }
