"""What ``lotgate.toml`` may hold: its tables, their keys, and the values that are allowed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from lotgate.errors import EnvironmentFailed, UsageError

__all__ = [
    "FOLDERS",
    "PATHS",
    "SHIPSTATION_KEYS",
    "SWAP_KEYS",
    "SYNC_KEYS",
    "Key",
    "check_value",
    "read_tables",
]

PATHS = {
    "database": "The live database.",
    "work_dir": "Where lotgate keeps its files: copies of your data among them.",
    "controls": "The folder of the control CSVs.",
}
"""The settings of ``[lotgate]``, each with what it means."""
# how much of a wrong value an error repeats
SHOWN = 60


def _no_blank(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("blank, or with a NUL character")
    return text


def _no_doubles(texts: list[str]) -> list[str]:
    if len(set(texts)) < len(texts):
        raise ValueError("one is named twice")
    return texts


def _address(text: str) -> str:
    """Key and secret go with every request: only encrypted, or to this machine."""
    parts = urlsplit(text)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or parts.scheme not in (("http", "https") if here else ("https",)):
        raise ValueError("neither https nor on this machine")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("with more than host, port and path")
    return text.rstrip("/")


_Text = Annotated[str, AfterValidator(_no_blank)]


@dataclass(frozen=True)
class Key:
    """A setting of ``lotgate.toml`` besides the paths: what is allowed, for pydantic and in words.

    ``about`` says what it means. ``separator`` divides a list in the environment; ``secret`` values are not
    repeated in an error.
    """

    table: str
    name: str
    about: str
    kind: Any
    allowed: str
    separator: str | None = None
    secret: bool = False

    @property
    def full_name(self) -> str:
        """Table and name, as ``lotgate config`` shows them."""
        return f"{self.table}.{self.name}"

    @property
    def variable(self) -> str:
        """The variable of the environment."""
        name = "backup_folders" if self.table == "backups" else self.name
        if self.table in ("shipstation", "sync"):
            name = f"{self.table}_{name}"
        return f"LOTGATE_{name.upper()}"


def _number(table: str, name: str, about: str, kind: type, least: float, most: float, unit: str) -> Key:
    noun = "whole number" if kind is int else "number"
    allowed = f"a {noun} from {least:g} to {most:g}{unit}"
    return Key(table, name, about, Annotated[kind, Field(ge=least, le=most)], allowed)


def _command(table: str, name: str, about: str) -> Key:
    allowed = "a command for the shell, as a text that is not blank"
    return Key(table, name, about, _Text, allowed, secret=True)


SWAP_KEYS = (
    Key(
        "swap",
        "pause_workflows",
        "Rows of workflow_controls that are switched off while a swap goes on.",
        Annotated[list[_Text], AfterValidator(_no_doubles)],
        "a list of names of workflows, none blank, none twice",
        ",",
    ),
    _command("swap", "pause_command", "What else pauses ingestion. Only together with resume_command."),
    _command("swap", "resume_command", "What takes it up again. It may run twice."),
    _command("verify", "alert_command", "Runs when `lotgate verify` finds something, which it is told."),
    _number(
        "swap",
        "lock_budget_ms",
        "How long the cut-over may hold writers up before it rolls back and tries again.",
        int,
        1,
        60_000,
        " (milliseconds)",
    ),
    _number("swap", "lock_attempts", "How often the cut-over is tried.", int, 1, 1_000, ""),
    _number(
        "swap",
        "chunk_ms",
        "How long one step of staging may hold writers up.",
        int,
        1,
        10_000,
        " (milliseconds)",
    ),
    _number(
        "swap",
        "catch_up_rounds",
        "How often `lotgate migrate` builds again because the database changed meanwhile.",
        int,
        0,
        100,
        "",
    ),
    _number(
        "swap",
        "retention_days",
        "How long a rollback stays possible: `lotgate contract` and the pruning of backups wait for it.",
        float,
        0,
        36_500,
        " (days)",
    ),
    _number(
        "swap",
        "command_timeout_s",
        "How long a pause, resume or alert command may take.",
        float,
        0.1,
        86_400,
        " (seconds)",
    ),
)
SHIPSTATION_KEYS = (
    Key(
        "shipstation",
        "url",
        "Where ShipStation's API is. Key and secret never stand in a file.",
        Annotated[_Text, AfterValidator(_address)],
        "an address, https://... (http:// on this machine only)",
        secret=True,  # somebody may write the key into it
    ),
    _number("shipstation", "timeout_s", "How long one reply may take.", float, 0.1, 3_600, " (seconds)"),
    _number("shipstation", "page_size", "How many records a page has.", int, 1, 500, " (records)"),
    _number("shipstation", "attempts", "How often one request is tried.", int, 1, 100, ""),
)
SYNC_KEYS = (
    Key(
        "sync",
        "workflow",
        "The row of workflow_controls that switches sync on and off.",
        _Text,
        "the name of a workflow",
    ),
    Key(
        "sync",
        "manual_prefix",
        "By their numbers, orders that were made by hand in ShipStation are told from others.",
        _Text,
        "what the numbers of orders made in ShipStation begin with",
    ),
    _number(
        "sync", "guard_days", "How old a ship date may be without --backfill.", int, 1, 36_500, " (days)"
    ),
    _number("sync", "window_days", "How many days back every run reads again.", int, 1, 366, " (days)"),
    _number(
        "sync", "overlap_hours", "How far a run reaches back behind the last one.", float, 2, 720, " (hours)"
    ),
    _number("sync", "interval_s", "How long --watch waits between two runs.", float, 1, 86_400, " (seconds)"),
)
FOLDERS = Key(
    "backups",
    "folders",
    "Where the two backups before a swap go, by default in the work directory and beside the database.",
    Annotated[list[_Text], Field(min_length=2, max_length=2)],
    "a list of two folders, [first, second]",
    os.pathsep,
)
_TABLES: Mapping[str, tuple[str, ...]] = {
    "lotgate": tuple(PATHS),
    **{
        table: tuple(
            key.name for key in (*SWAP_KEYS, FOLDERS, *SHIPSTATION_KEYS, *SYNC_KEYS) if key.table == table
        )
        for table in ("swap", "backups", "verify", "shipstation", "sync")
    },
}


def check_value(key: Key, value: Any, origin: str, *, strict: bool) -> Any:
    """The value as pydantic understands it; ``strict`` where a text is no number. Raises UsageError."""
    try:
        return TypeAdapter(key.kind).validate_python(value, strict=strict)
    except ValidationError as error:
        # a command line may hold a token
        said = "" if key.secret else f" = {_shortened(repr(value))}"
        raise UsageError(
            f"{origin}{said} is not {key.allowed}.", hint="Correct it, or leave it out."
        ) from error


def _shortened(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def read_tables(path: Path) -> dict[str, dict[str, Any]]:
    """The tables of ``lotgate.toml``, whose names and keys are known; empty where there is no file.

    Raises UsageError for what is no such file, EnvironmentFailed where it cannot be read.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is not valid TOML: {error}", hint="Correct the file, or remove it."
        ) from error
    except OSError as error:
        raise EnvironmentFailed(
            f"{path} cannot be read: {error.strerror}.", hint="Make it readable, or remove it."
        ) from error
    for name, table in content.items():
        if name not in _TABLES:
            raise UsageError(
                f"{path}: there is no table or setting {name!r}.",
                hint=f"The tables are {', '.join(f'[{known}]' for known in _TABLES)}.",
            )
        if not isinstance(table, dict):
            raise UsageError(
                f"{path}: {name} is not a table.", hint=f"Write [{name}], then {_TABLES[name][0]} = ..."
            )
        for key in table:
            if key not in _TABLES[name]:
                raise UsageError(
                    f"{path}: [{name}] has no setting {key!r}.",
                    hint=f"The settings of [{name}] are {', '.join(_TABLES[name])}.",
                )
    return content
