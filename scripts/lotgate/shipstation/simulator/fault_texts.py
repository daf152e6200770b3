"""Faults as a person writes them on the command line: ``NAME``, ``NAME=0.1``, ``NAME=3:/shipments``."""

from __future__ import annotations

import re

from lotgate.errors import UsageError
from lotgate.shipstation.simulator.faults import FAULTS, Faults, Scripted

__all__ = ["list_faults", "parse_faults"]

POISON = {
    "poisoned-row": "a page with the record of this id answers 500 until it is the only one on its page",
    "poisoned-row-forever": "the same, and it stays so when it is the only one",
    "foreign-order-id": "the order that foreign-order and foreign-id answer with",
}
SCRIPTED = re.compile(r"(\d{1,9}):(\*|/\S+)")


def parse_faults(texts: tuple[str, ...], *, seed: int = 0, slow_s: float = 2.0) -> Faults:
    """The faults that ``texts`` describe. Raises UsageError that says what is possible."""
    chances: dict[str, float] = {}
    script: list[Scripted] = []
    numbers: dict[str, list[int]] = {name: [] for name in POISON}
    for text in texts:
        name, _, when = text.partition("=")
        if name in POISON:
            numbers[name].append(_id(name, when))
            continue
        if name not in FAULTS:
            raise UsageError(f"There is no fault {name!r}.", hint="`--fault help` lists what is possible.")
        scripted = SCRIPTED.fullmatch(when)
        if scripted:
            script.append(Scripted(name, scripted[2].rstrip("/") or "/", int(scripted[1])))
        else:
            chances[name] = _chance(name, when) if "=" in text else 1.0
    if numbers["poisoned-row"] and numbers["poisoned-row-forever"]:
        raise UsageError("Rows cannot be poisoned in both ways at once.", hint="Leave one of them out.")
    return Faults(
        chances=chances,
        script=script,
        seed=seed,
        slow_s=slow_s,
        # what a person asks for always is meant so; chances leave a patient client a way through
        in_a_row=None if any(chance == 1 for chance in chances.values()) else 2,
        poisoned=(*numbers["poisoned-row"], *numbers["poisoned-row-forever"]),
        poison_ends_at=0 if numbers["poisoned-row-forever"] else 1,
        foreign_order_id=next(iter(numbers["foreign-order-id"]), None),
    )


def list_faults() -> str:
    """All faults, a line each."""
    lines = {**FAULTS, **{f"{name}=ID": what for name, what in POISON.items()}}
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {what}" for name, what in lines.items())


def _chance(name: str, text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = -1.0
    if not 0 <= chance <= 1:
        raise UsageError(
            f"The fault {name} cannot come {text!r}.",
            hint=f"Write {name}=0.1 for a chance, {name}=3:/shipments for the third request to /shipments.",
        )
    return chance


def _id(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,18}", text):
        raise UsageError(f"The fault {name} needs the id of a record.", hint=f"Write {name}=900000001.")
    return int(text)
