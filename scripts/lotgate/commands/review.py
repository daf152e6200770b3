"""``lotgate review``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lotgate.commands.options import debug_option, json_option, work_dir_option

__all__ = ["review"]


@click.command(
    epilog="Example: lotgate review --export decisions.csv",
    short_help="Where the review pages are; the undecided rows as a file.",
)
@work_dir_option
@json_option
@debug_option
@click.option(
    "--export",
    metavar="FILE",
    help="Write the undecided rows, with proposals, to a new CSV file like quarantine_decisions.csv.",
)
@click.option("--open", "open_it", is_flag=True, help="Open the review in the browser.")
def review(work_dir: str | None, as_json: bool, export: str | None, open_it: bool) -> None:
    """Say where the pages of the last audit are, and what it found.

    With --export, fill in decision, reason, decided_by and decided_on of each line, add the lines to
    quarantine_decisions.csv in the folder of your controls, then build and audit again.
    """
    from lotgate.build import read_build
    from lotgate.config import load_settings
    from lotgate.decisions_file import export_decisions
    from lotgate.errors import UsageError
    from lotgate.verdict import read_summary
    from lotgate.workdir import WorkDir

    work = WorkDir(load_settings(work_dir=work_dir).work_dir.resolve())
    read_build(work)
    exported = None if export is None else export_decisions(work.candidate, Path(export))
    summary = read_summary(work.verdict) if work.verdict.exists() else None
    page = work.review / "index.html"
    if summary is None and (export is None or open_it):
        raise UsageError(
            f"The candidate in {work.path} has not been audited.", hint="Audit it with `lotgate audit`."
        )
    if as_json:
        content = {
            "verdict": summary,
            "review": str(page) if summary else None,
            "candidate": str(work.candidate),
            "exported": exported,
        }
        click.echo(json.dumps(content, indent=2))
    else:
        if summary is not None:
            click.echo(f"The gate is {summary['verdict']} (audited {summary['audited_at']}).")
            click.echo(f"Review     {page}")
            click.echo(f"Data Docs  {work.data_docs / 'index.html'}")
        if export is not None:
            rows = "1 undecided row" if exported == 1 else f"{exported} undecided rows"
            click.echo(f"Exported   {rows} to {export}")
    if open_it:
        click.launch(page.as_uri())
