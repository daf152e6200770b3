"""``lotgate audit`` and ``lotgate checks``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lotgate.commands.github import job_page
from lotgate.commands.options import debug_option, json_option, shared_options

if TYPE_CHECKING:
    from lotgate.verdict import Check, Verdict
    from lotgate.workdir import WorkDir

__all__ = ["audit", "checks", "print_verdict"]

EXIT_CLOSED = 1
SHOWN = 20
LEGACY_HEALTH = "legacy_health"
"""The suite about what was wrong before; a migration is done because of it."""


@click.command(
    epilog="Example: lotgate audit --work-dir target",
    short_help="May the candidate be promoted? Verdict, review pages, Data Docs.",
)
@shared_options
def audit(
    database: str | None, work_dir: str | None, controls: str | None, lock_timeout: float, as_json: bool
) -> int:
    """Check the candidate that `lotgate build` made, and say whether it may be promoted, and why.

    The Great Expectations suites run on candidate and snapshot; hashes show that both are what was built.
    Writes verdict.json, the review pages, Data Docs and JUnit into the work directory. The live database is
    not touched; naming it only makes sure that the snapshot is of that one. The controls must be those that
    the build read.

    Exits with 0 where the gate is open, with 1 where it is closed. Warnings close nothing.
    """
    from lotgate.audit import audit_candidate, read_inputs, recorded_source
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.errors import GateClosed
    from lotgate.sqlite_files import check_file, path_text
    from lotgate.workdir import WorkDir, open_work_dir

    settings = load_settings(database=database, work_dir=work_dir, controls=controls)
    found = WorkDir(settings.work_dir.resolve())
    if not found.path.is_dir():
        read_inputs(found)  # says that there is nothing
    source = recorded_source(found)
    if source and settings.database_given and path_text(check_file(settings.database)) != source:
        raise GateClosed(
            f"The candidate in {settings.work_dir} is of {source}, not of {settings.database}.",
            hint="Name its work directory with --work-dir, or build again.",
        )
    page = job_page()
    with open_work_dir(settings.work_dir, Path(source) if source else settings.database) as work:
        verdict = audit_candidate(
            work,
            reporter=SilentReporter() if as_json else make_reporter(),
            controls_folder=settings.controls if settings.controls_given else None,
        )
        if page is not None:
            page.write(work.summary.read_text(encoding="utf-8"))
            page.close()
    if as_json:
        click.echo(json.dumps(verdict.as_json(), indent=2))
    else:
        print_verdict(verdict, work)
    return 0 if verdict.is_open else EXIT_CLOSED


@click.command(
    epilog="Example: lotgate checks --json",
    short_help="List what an audit checks; accept changed checks.",
)
@debug_option
@json_option
@click.option(
    "--accept",
    is_flag=True,
    help="Write the register: from now on an audit demands exactly these checks. Commit it with the change.",
)
def checks(as_json: bool, accept: bool) -> int:
    """List every check of the suites and of dbt, and how they differ from the register.

    An audit is closed where a check that the register demands is missing or was changed. Exits with 1 where
    they differ.
    """
    from lotgate.project_checks import list_checks

    listed = list_checks(accept=accept)
    problems = [check for check in listed.differences if check.result != "passed"]
    if as_json:
        content = {
            "checks": [vars(check) for check in listed.checks],
            "differences": [check.detail for check in problems],
        }
        click.echo(json.dumps(content, indent=2))
    else:
        for check in listed.checks:
            click.echo(f"{check.severity:<8} {check.id}: {check.description}")
        for problem in problems:
            click.secho(f"register {problem.id}: {problem.detail}", fg="red")
        click.echo(f"Checks: {len(listed.checks)}. Differences from the register: {len(problems)}.")
        if accept:
            click.echo(f"Written: {listed.register}")
    return EXIT_CLOSED if problems else 0


def print_verdict(verdict: Verdict, work: WorkDir) -> None:
    """The verdict on a terminal: open or closed, why, warnings, and where to look."""
    click.secho(
        f"The gate is {'open' if verdict.is_open else 'closed'}.",
        fg="green" if verdict.is_open else "red",
        bold=True,
    )
    counts = verdict.counts
    click.echo(
        f"{counts['checks']} checks: {counts['passed']} passed, {counts['failed']} failed"
        f" ({len(verdict.warnings)} of them warnings), {counts['errored']} could not be carried out,"
        f" {counts['not_run']} did not run."
    )
    _list(verdict.reasons, "red", title="Closed by")
    before = [check for check in verdict.warnings if check.suite == LEGACY_HEALTH]
    _list(tuple(check for check in verdict.warnings if check not in before), "yellow")
    if before:
        click.echo(f"In the legacy data before: {len(before)} findings; the review shows them.")
    if verdict.is_open and verdict.cannot_be_swapped_because:
        click.echo(f"It cannot be swapped yet: {verdict.cannot_be_swapped_because}")
    click.echo()
    click.echo(f"Review     {work.review / 'index.html'}")
    click.echo(f"Data Docs  {work.data_docs / 'index.html'}")
    click.echo(f"Verdict    {work.verdict}")
    if not verdict.is_open:  # once more, since what ends a log is what is read
        names = [check.id for check in verdict.reasons]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        click.echo(f"Closed by  {', '.join(names[:SHOWN]) or 'there being no checks'}{more}")


def _list(found: tuple[Check, ...], colour: str, title: str | None = None) -> None:
    from lotgate.review.texts import visible  # the data may hold what a terminal would obey

    for check in found[:SHOWN]:
        click.secho(f"{title or check.severity.capitalize()}: ", fg=colour, nl=False)
        click.echo(visible(f"{check.id}. {check.description} {check.detail}".rstrip()))
    if len(found) > SHOWN:
        click.echo(f"and {len(found) - SHOWN} more; the review shows all.")
