"""The command ``lotgate``: a thin layer over the core. The commands stand in ``lotgate.commands``."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from lotgate.commands.audit import audit, checks
from lotgate.commands.backups import backups
from lotgate.commands.build import build, demo
from lotgate.commands.check import check
from lotgate.commands.config import config
from lotgate.commands.controls import controls
from lotgate.commands.doctor import doctor
from lotgate.commands.init import init
from lotgate.commands.migrate import migrate, prework
from lotgate.commands.recover import recover
from lotgate.commands.review import review
from lotgate.commands.rollback import contract, rollback
from lotgate.commands.simulate import simulate_shipstation
from lotgate.commands.snapshot import snapshot
from lotgate.commands.status import status
from lotgate.commands.swap import plan, swap
from lotgate.commands.sync import sync
from lotgate.commands.verify import verify
from lotgate.errors import EnvironmentFailed, LotgateError, UsageError

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.version_option(package_name="lotgate", message="%(prog)s %(version)s")
def cli(debug: bool) -> None:
    """Turn the free-text SKU-lot tables of a live order database into audited, constraint-enforced tables.

    The live database is only read, but for the change-counter of `build` and for what swap, rollback and
    contract do. Every command has an example: lotgate COMMAND --help.

    Exit codes: 0 done; 1 the gate is closed (a check failed, or it is not allowed now); 2 wrong usage or
    configuration; 3 the environment failed (I/O, lock, network, missing tool).
    """


cli.add_command(audit)
cli.add_command(backups)
cli.add_command(build)
cli.add_command(check)
cli.add_command(checks)
cli.add_command(config)
cli.add_command(contract)
cli.add_command(controls)
cli.add_command(demo)
cli.add_command(doctor)
cli.add_command(init)
cli.add_command(migrate)
cli.add_command(plan)
cli.add_command(prework)
cli.add_command(recover)
cli.add_command(review)
cli.add_command(rollback)
cli.add_command(simulate_shipstation)
cli.add_command(snapshot)
cli.add_command(status)
cli.add_command(swap)
cli.add_command(sync)
cli.add_command(verify)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits with its code. The one place where errors become text."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _open_closed_streams()
    for name in (signal.SIGTERM, signal.SIGHUP):  # a lost terminal must not leave ingestion switched off
        signal.signal(name, _interrupt)
    sys.exit(_run(list(arguments)))


def _open_closed_streams() -> None:
    """A caller may have closed them (``>&-``): the next file that is opened would be written to as if it
    were one."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - to the end


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _run(arguments: list[str]) -> int:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    try:
        result = cli.main(arguments, prog_name="lotgate", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path} --help shows what is possible." if context else None
        problem: LotgateError = UsageError(error.format_message(), hint=hint)
    except (click.Abort, KeyboardInterrupt):
        problem = EnvironmentFailed(
            "Interrupted.",
            hint="Nothing is lost. Of a swap, rollback or contract, `lotgate status` says whether it was"
            " done, and finishes or undoes the rest; anything else can be started again at any time.",
        )
    except (BrokenPipeError, SystemExit):
        # The reader of our output went away (click exits with 1 then, which would mean a closed gate).
        _forget_output()
        return EnvironmentFailed.exit_code
    except LotgateError as error:
        problem = error
    except Exception as error:  # noqa: BLE001 - whatever it is, its traceback is for --debug only
        problem = EnvironmentFailed(
            f"Unexpected error: {type(error).__name__}.",
            hint="Run it again with --debug (lotgate --debug ...) to see where.",
        )
        problem.__cause__ = error
    try:
        _show(problem, debug="--debug" in options, as_json="--json" in options)
        sys.stdout.flush()
    except BrokenPipeError:  # what is wrong is known, whoever still reads it
        _forget_output()
    return problem.exit_code


def _forget_output() -> None:
    """Nobody reads it any more, and Python would complain at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nothing, stream.fileno())


def _show(error: LotgateError, *, debug: bool, as_json: bool) -> None:
    if debug:
        traceback.print_exception(error)
    click.echo(f"Error: {error.message}", err=True)
    if error.hint:
        click.echo(f"Hint: {error.hint}", err=True)
    if as_json:
        content = {
            "error": {
                "kind": type(error).__name__,
                "exit_code": error.exit_code,
                "message": error.message,
                "hint": error.hint,
                **error.details,
            }
        }
        click.echo(json.dumps(content, indent=2))
