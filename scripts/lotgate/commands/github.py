"""What a job of GitHub Actions reads besides the exit code: its page, and commands in the log.

The runner takes every line of a log, on stdout and on stderr, for a command that begins with ``::`` or has
``##[`` in it. What lotgate prints comes from a database and from files that others write, so it is fenced: no
line counts as a command between ``stop-commands`` and a token that nobody can know beforehand.
Source: GitHub's documentation, "Workflow commands" ("Stopping and starting workflow commands").
"""

from __future__ import annotations

import atexit
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from lotgate.errors import LotgateError

__all__ = ["Annotation", "Fence", "annotations_of", "fenced", "is_github", "job_page", "workflow_command"]

SHOWN_ANNOTATIONS = 10
"""GitHub shows ten errors of a step, and drops the others."""


@dataclass(frozen=True)
class Annotation:
    """An error beside a job, and beside the line of ``file`` where that is known (from 1)."""

    title: str
    message: str
    file: Path | None = None
    line: int | None = None


def is_github() -> bool:
    """Whether this is a step of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def workflow_command(name: str, properties: Mapping[str, str | int], message: str) -> str:
    """One line ``::name key=value,...::message`` whose texts stay texts, whatever is in them.

    >>> workflow_command("error", {"file": "a,b.csv", "line": 3}, "100%\\nsure")
    '::error file=a%2Cb.csv,line=3::100%25%0Asure'
    """
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_message(message)}"


class Fence:
    """Between ``shut`` and ``open`` no printed line is a command; see ``fenced``."""

    def __init__(self) -> None:
        self._token: str | None = None

    def shut(self) -> None:
        """From here on every line is text. Does nothing where this is no step of GitHub Actions."""
        if is_github() and self._token is None:
            # on stderr, as all of these, since stdout may hold a JSON document
            self._token = secrets.token_hex(16)
            click.echo(workflow_command("stop-commands", {}, self._token), err=True)

    def open(self) -> None:
        """Commands count again."""
        if self._token is not None:
            click.echo(f"::{self._token}::", err=True)
            self._token = None

    def annotate(self, annotations: Sequence[Annotation]) -> None:
        """Shows errors beside the job. Does nothing where this is no step of GitHub Actions."""
        if not is_github():
            return
        sys.stdout.flush()
        self.open()
        for one in annotations[:SHOWN_ANNOTATIONS]:
            place: dict[str, str | int] = {} if one.file is None else {"file": _in_repository(one.file)}
            if one.line is not None:
                place["line"] = one.line
            click.echo(workflow_command("error", place | {"title": one.title}, one.message), err=True)
        self.shut()


@contextmanager
def fenced() -> Iterator[Fence]:
    """What is printed within is text to the runner, and so is the error that ends the command."""
    fence = Fence()
    fence.shut()
    try:
        yield fence
    except BaseException:
        atexit.register(fence.open)  # the error is printed after this; the step's next command is not ours
        raise
    sys.stdout.flush()
    fence.open()


def annotations_of(error: LotgateError) -> list[Annotation]:
    """What to show of an error: the line of each problem where controls were refused, else its message."""
    from lotgate.controls import ControlsRefused

    if isinstance(error, ControlsRefused):
        return [
            Annotation("lotgate: controls", str(problem), error.folder / problem.file, problem.line)
            for problem in error.problems
        ]
    return [Annotation("lotgate", error.message)]


def job_page() -> IO[str] | None:
    """The page of a GitHub job, where there is one; opened first, so that it cannot fail at the end."""
    from lotgate.errors import EnvironmentFailed

    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if not target:
        return None
    try:
        return Path(target).open("a", encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailed(
            f"GITHUB_STEP_SUMMARY names {target}, which cannot be written: {error.strerror}.",
            hint="Unset it, or name a file that can be written.",
        ) from error


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def _in_repository(file: Path) -> str:
    """The path as the repository has it, where it is in there."""
    root = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()
    found = file.resolve()
    return found.relative_to(root).as_posix() if found.is_relative_to(root) else str(found)
