"""``lotgate init``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import click

from lotgate.commands.options import debug_option, json_option

__all__ = ["init"]


@click.command(
    epilog="Example: lotgate init /srv/orders/lotgate",
    short_help="Lay out controls and settings in a folder of your own.",
)
@debug_option
@json_option
@click.option(
    "--with-project",
    is_flag=True,
    help="Copy the dbt project and the suites as well, to change them. Commands in DIR then use that copy.",
)
@click.argument("folder", metavar="DIR")
def init(folder: str, with_project: bool, as_json: bool) -> None:
    """Lay out what an owner edits: five control files with their headers, a lotgate.toml in which every
    setting is a comment with its default, a .gitignore and a README.

    DIR is made where it is missing. Nothing is overwritten: where a file is in the way, nothing is written at
    all. Run lotgate inside DIR afterwards, and it finds controls and settings there.

    A copy of the project does not follow upgrades of lotgate; make a new one then, and bring changes over.
    """
    from lotgate.errors import UsageError
    from lotgate.initialise import initialise
    from lotgate.project import require_project

    if not folder or "\0" in folder:
        raise UsageError("DIR is empty, or holds a NUL character.", hint="Name a folder.")
    made = initialise(Path(folder), require_project(Path.cwd()), with_project=with_project)
    shown = f"./{made.folder}" if str(made.folder).startswith("-") else str(made.folder)
    steps = [
        f"cd {shlex.quote(shown)}",
        "lotgate doctor --database FILE",
        "lotgate build --database FILE",
        "lotgate audit",
    ]
    if as_json:
        content = {
            "folder": str(made.folder.resolve()),
            "files": [file.as_posix() for file in made.files],
            "with_project": made.with_project,
            "version": made.version,
            "next": steps,
        }
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(f"Laid out in {made.folder}: {len(made.files)} files.")
    click.echo("  controls/     what you know about your data; controls/README.md explains the columns")
    click.echo("  lotgate.toml  settings, each as a comment with its default")
    if made.with_project:
        click.echo(
            f"  models/, macros/, expectations/ and more: the project of lotgate {made.version}, yours now"
        )
    click.echo("Next, with your live database in the place of FILE:")
    for step in steps:
        click.echo(f"  {step}")
