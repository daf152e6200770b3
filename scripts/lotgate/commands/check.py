"""``lotgate check``."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

import click

from lotgate.commands.github import Annotation, annotations_of, fenced, job_page
from lotgate.commands.options import shared_options

if TYPE_CHECKING:
    from lotgate.check import Checked
    from lotgate.config import Settings
    from lotgate.errors import LotgateError
    from lotgate.verdict import Verdict
    from lotgate.workdir import WorkDir

__all__ = ["check"]

EXIT_CLOSED = 1


@click.command(
    epilog="Example: lotgate check --database snapshots/ora.db --controls controls --json",
    short_help="Build and audit in one go, for CI: may it be promoted?",
)
@shared_options
@click.option(
    "--counter/--no-counter",
    default=False,
    show_default=True,
    help="Put the change-counter into the database, so that the candidate can be swapped.",
)
def check(
    database: str | None,
    work_dir: str | None,
    controls: str | None,
    lock_timeout: float,
    as_json: bool,
    counter: bool,
) -> int:
    """Build a candidate and audit it: the gate for CI, on a copy of the database or on the live one.

    The database is only read. (`lotgate build` and `--counter` put the change-counter into it, which a swap
    asks for.) Review, Data Docs, JUnit and a summary are in the work directory; where the build fails, JUnit
    and summary say why. In a job of GitHub Actions the summary goes on the job's page, and what closes the
    gate is shown beside it.

    Exits with 0 where the gate is open, with 1 where it is closed, with 2 where the controls or the
    configuration are wrong, and with 3 where the environment failed.
    """
    from lotgate.check import check_database
    from lotgate.config import load_settings
    from lotgate.console import SilentReporter, make_reporter
    from lotgate.errors import LotgateError
    from lotgate.sqlite_files import check_file
    from lotgate.workdir import open_work_dir

    with fenced() as fence:
        page = job_page()
        work = None
        try:
            settings = load_settings(database=database, work_dir=work_dir, controls=controls)
            live = check_file(settings.database)
            with open_work_dir(settings.work_dir, live) as work:
                done = check_database(
                    live,
                    settings.controls,
                    work,
                    lock_timeout=lock_timeout,
                    reporter=SilentReporter() if as_json else make_reporter(),
                    counter=counter,
                )
                _write_page(page, work, None)
                _show(done, work, settings, counter=counter, as_json=as_json)
        except LotgateError as error:
            _write_page(page, work, error)
            _tell_where(error, work)
            fence.annotate(annotations_of(error))
            raise
        fence.annotate(_about_verdict(done.verdict))
    return 0 if done.verdict.is_open else EXIT_CLOSED


def _show(done: Checked, work: WorkDir, settings: Settings, *, counter: bool, as_json: bool) -> None:
    from lotgate.check import report_files
    from lotgate.commands.audit import print_verdict
    from lotgate.commands.summary import print_summary
    from lotgate.figures import read_figures

    figures = read_figures(done.build.candidate)
    if as_json:
        content = {
            "snapshot": done.snapshot.as_json(),
            "build": done.build.as_json(),
            "figures": figures.as_json(),
            "verdict": done.verdict.as_json(),
            "reports": report_files(work),
        }
        click.echo(json.dumps(content, indent=2))
        return
    print_summary(done.snapshot, done.build, figures)
    click.echo()
    print_verdict(done.verdict, work)
    click.echo(f"JUnit      {work.junit}")
    click.echo(f"Summary    {work.summary}")
    if not counter:
        click.echo(f"{settings.database} was only read: no change-counter was put into it.")


def _write_page(page: IO[str] | None, work: WorkDir | None, error: LotgateError | None) -> None:
    """What the run left for the page; of one that never got its work directory, its error."""
    from lotgate.ci_reports import failure_as_markdown

    if page is None:
        return
    if work is not None and work.summary.exists():
        page.write(work.summary.read_text(encoding="utf-8"))
    elif error is not None:
        page.write(failure_as_markdown(error, ()))
    page.close()


def _tell_where(error: LotgateError, work: WorkDir | None) -> None:
    """What a run that stopped has left, in the error itself, so that JSON has it as well."""
    from lotgate.check import report_files

    if work is None:
        return
    found = report_files(work)
    error.details["reports"] = found
    if "junit" in found:
        where = f"What failed: {found['junit']} and {found['summary']}."
        error.hint = f"{error.hint}\n      {where}" if error.hint else where


def _about_verdict(verdict: Verdict) -> list[Annotation]:
    return [
        Annotation(f"lotgate: {check.id}", f"{check.description} {check.detail}".rstrip())
        for check in verdict.reasons
    ]
