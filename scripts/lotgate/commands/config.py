"""``lotgate config``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotgate.commands.options import (
    controls_option,
    database_option,
    debug_option,
    json_option,
    work_dir_option,
)

if TYPE_CHECKING:
    from lotgate.config import Setting

__all__ = ["config"]


@click.command(
    epilog="Example: lotgate config --json",
    short_help="Every setting, its value, and where it comes from.",
)
@debug_option
@json_option
@controls_option
@work_dir_option
@database_option
def config(database: str | None, work_dir: str | None, controls: str | None, as_json: bool) -> None:
    """Show every setting, its value and where it comes from: an option, the environment, lotgate.toml or the
    default. Nothing is changed, and no database is opened.

    Of a secret only whether it is set is shown. `project` is the dbt project that commands use here: that of
    a clone or a copy that this folder is in, else the one that was installed.
    """
    from lotgate.config import list_settings, load_settings, project_setting

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    shown = (project_setting(Path.cwd()), *list_settings(settings))
    if as_json:
        content = [{"name": one.name, "value": one.value, "origin": one.origin} for one in shown]
        click.echo(json.dumps({"settings": content}, indent=2))
    elif sys.stdout.isatty():
        _print_table(shown)
    else:
        for one in shown:
            click.echo(f"{one.name} = {_text(one)}  ({one.origin})")


def _print_table(shown: tuple[Setting, ...]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("Setting", "Value", "Where from"):
        table.add_column(heading, overflow="fold")
    for one in shown:
        table.add_row(Text(one.name), Text(_text(one)), Text(one.origin))
    Console().print(table)


def _text(one: Setting) -> str:
    if one.value is None:
        return "-"
    if isinstance(one.value, tuple):
        return ", ".join(one.value) or "-"
    return str(one.value)
