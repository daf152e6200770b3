"""``lotgate simulate-shipstation``."""

from __future__ import annotations

import json
import os
import threading
from datetime import datetime
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import debug_option
from lotgate.errors import UsageError

if TYPE_CHECKING:
    from lotgate.shipstation.simulator.server import Simulator

KEY_VARIABLE, SECRET_VARIABLE = "SHIPSTATION_API_KEY", "SHIPSTATION_API_SECRET"


@click.command(
    name="simulate-shipstation",
    epilog="Example: lotgate simulate-shipstation --data seeds/shipstation --port 8080"
    " --fault bad-gateway=3:/shipments",
    short_help="A stand-in for ShipStation's API, on this machine.",
)
@click.option("--data", metavar="DIR", help="The folder of the account's CSV or JSON files.")
@click.option(
    "--port", metavar="N", type=click.IntRange(0, 65_535), default=0, help="Default: one that is free."
)
@click.option(
    "--now",
    metavar="TIME",
    help="What its clock shows at the start, as 2030-03-11T20:30:05 in Pacific time. Default: now.",
)
@click.option(
    "--rate-limit",
    metavar="N",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="How many requests it answers in a window.",
)
@click.option(
    "--rate-window",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="How long a window is.",
)
@click.option(
    "--fault",
    "faults",
    metavar="NAME[=WHEN]",
    multiple=True,
    help="What goes wrong; may be given several times. WHEN is a chance from 0 to 1, or N:PATH for the Nth"
    " request to PATH; without it, always. `--fault help` lists them.",
)
@click.option(
    "--switch",
    "switches",
    metavar="NAME=VALUE",
    multiple=True,
    help="How it behaves where ShipStation's behaviour is not established. `--switch help` lists them.",
)
@click.option("--seed", metavar="N", type=int, default=0, help="What chance begins with.")
@click.option(
    "--slow-seconds",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=2.0,
    show_default=True,
    help="How long the fault `slow` takes.",
)
@click.option("--log", "log_file", metavar="FILE", help="Write a line for each request into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print address and end as JSON, a line each.")
@debug_option
def simulate_shipstation(
    data: str | None,
    port: int,
    now: str | None,
    rate_limit: int,
    rate_window: float,
    faults: tuple[str, ...],
    switches: tuple[str, ...],
    seed: int,
    slow_seconds: float,
    log_file: str | None,
    as_json: bool,
) -> int:
    """Serve the account in DIR as ShipStation's V1 API does, on loopback only, until SIGTERM or Ctrl-C.

    The first line of the output is its address. It answers those who come with the key and secret of
    SHIPSTATION_API_KEY and SHIPSTATION_API_SECRET; without these variables both are `simulator`.
    """
    from pathlib import Path

    from lotgate.shipstation.simulator.clock import TickingClock, utc_clock
    from lotgate.shipstation.simulator.data import load_folder
    from lotgate.shipstation.simulator.fault_texts import list_faults, parse_faults
    from lotgate.shipstation.simulator.server import KEY, serve
    from lotgate.shipstation.simulator.switches import Switches, list_switches, parse_switches

    if "help" in faults or "help" in switches:
        click.echo(list_faults() if "help" in faults else list_switches())
        return 0
    if not data:
        raise UsageError("--data is missing.", hint="Name the folder with the account's files.")
    chosen = parse_switches(switches, Switches(rate_limit=rate_limit, window_s=rate_window))
    with serve(
        load_folder(Path(data)),
        chosen,
        parse_faults(faults, seed=seed, slow_s=slow_seconds),
        port=port,
        clock=utc_clock if now is None else TickingClock(_start(now)),
        key=os.environ.get(KEY_VARIABLE) or KEY,
        secret=os.environ.get(SECRET_VARIABLE) or KEY,
        log_file=None if log_file is None else Path(log_file),
    ) as simulator:
        try:
            click.echo(json.dumps({"url": simulator.url}) if as_json else simulator.url)
            threading.Event().wait()
        except KeyboardInterrupt:  # SIGTERM as well, see cli.main: here it is how one ends it
            pass
        _tell(simulator, as_json)
    return 0


def _start(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--now cannot be {text!r}.", hint="Write it as 2030-03-11T20:30:05, in Pacific time."
        ) from error


def _tell(simulator: Simulator, as_json: bool) -> None:
    counts = {
        "requests": len(simulator.log),
        "rate_violations": simulator.rate_violations,
        "peak_per_window": simulator.peak_per_window,
    }
    if as_json:
        click.echo(json.dumps(counts))
    else:
        click.echo(
            f"Answered {counts['requests']} requests, at most {counts['peak_per_window']} in one window;"
            f" {counts['rate_violations']} were over the rate limit."
        )
