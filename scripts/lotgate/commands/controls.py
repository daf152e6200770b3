"""``lotgate controls``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lotgate.commands.github import annotations_of, fenced
from lotgate.commands.options import controls_option, debug_option, json_option

__all__ = ["controls"]


@click.command(
    epilog="Example: lotgate controls --controls controls",
    short_help="Check the control CSVs alone, without a database.",
)
@debug_option
@json_option
@controls_option
@click.argument("files", nargs=-1, metavar="[FILE]...")
def controls(controls: str | None, as_json: bool, files: tuple[str, ...]) -> None:
    """Check the control files: names, columns, every value, duplicates. Nothing is written.

    With FILE only these are checked, wherever they are, as pre-commit asks for; otherwise the whole folder of
    controls. Exits with 2 where a line means nothing, and names file, line, column and remedy. Whether a
    decision fits its row is seen in a build, which has the rows.
    """
    from lotgate.config import load_settings
    from lotgate.controls import check_control_files, load_controls
    from lotgate.errors import LotgateError

    with fenced() as fence:
        try:
            if files:
                checked = [Path(file) for file in files]
                check_control_files(checked)
            else:
                folder = load_settings(controls=controls).controls
                known = load_controls(folder).as_files()
                checked = [] if folder is None else [folder / name for name in known]
        except LotgateError as error:
            fence.annotate(annotations_of(error))
            raise
    found = [str(file) for file in checked if file.exists()]
    if as_json:
        click.echo(json.dumps({"files": found}, indent=2))
    else:
        count = "1 control file" if len(found) == 1 else f"{len(found)} control files"
        click.echo(f"No problems in {count}.")
