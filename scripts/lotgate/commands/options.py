"""The options that commands share. They mean the same everywhere (docs/design.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = [
    "controls_option",
    "database_option",
    "debug_option",
    "json_option",
    "lock_timeout_option",
    "shared_options",
    "work_dir_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])

database_option = click.option(
    "--database",
    metavar="FILE",
    help="The live database. Default: LOTGATE_DATABASE, else lotgate.toml, else ora.db.",
)
work_dir_option = click.option(
    "--work-dir",
    metavar="DIR",
    help="Where lotgate keeps its files. Default: LOTGATE_WORK_DIR, else lotgate.toml, else target.",
)
controls_option = click.option(
    "--controls",
    metavar="DIR",
    help="The folder of the control CSVs. Default: LOTGATE_CONTROLS, else lotgate.toml, else controls here,"
    " else in a clone its seeds/controls, else none.",
)
lock_timeout_option = click.option(
    "--lock-timeout",
    metavar="SECONDS",
    type=click.FloatRange(0, 86_400),
    default=30.0,
    show_default=True,
    help="How long to wait for another process's lock on the database.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for programs.")
debug_option = click.option(
    "--debug",
    is_flag=True,
    hidden=True,
    expose_value=False,
    help="The same as before the command's name; cli.main looks at it.",
)


def shared_options(command: Command) -> Command:
    """All of the above, in this order."""
    for option in (
        debug_option,
        json_option,
        lock_timeout_option,
        controls_option,
        work_dir_option,
        database_option,
    ):
        command = option(command)
    return command
