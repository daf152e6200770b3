"""Where a command finds its settings: paths, and how the swap goes about its work.

Each setting is, in this order: the command's option, the environment (``LOTGATE_`` and the setting's name in
capitals), ``lotgate.toml`` in the current folder, and the default. The tables of ``lotgate.toml`` are
``[lotgate]``, ``[swap]``, ``[backups]``, ``[verify]``, ``[shipstation]`` and ``[sync]`` (whose variables
have the table's name in them: ``LOTGATE_SYNC_GUARD_DAYS``); relative paths in it start at the file's folder.
An empty variable counts as not set. Lists in the environment are divided by a comma
(``LOTGATE_PAUSE_WORKFLOWS``; a comma alone is the empty list) or by the system's path separator
(``LOTGATE_BACKUP_FOLDERS``). Where nobody names the controls they are the folder ``controls`` here, else, in
a clone or a copy of the project, its ``seeds/controls``, else there are none.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lotgate.config_keys import (
    FOLDERS,
    SHIPSTATION_KEYS,
    SWAP_KEYS,
    SYNC_KEYS,
    Key,
    check_value,
    read_tables,
)
from lotgate.errors import UsageError
from lotgate.project import locate_project
from lotgate.workdir import WorkDir

__all__ = [
    "CONFIG_FILE",
    "Setting",
    "Settings",
    "ShipStationSettings",
    "SwapSettings",
    "SyncSettings",
    "list_settings",
    "load_settings",
    "project_setting",
]

CONFIG_FILE = "lotgate.toml"
DEFAULT_DATABASE = "ora.db"
DEFAULT_WORK_DIR = "target"
CONTROLS = "controls"
DEFAULT_WORKFLOWS = ("unified-shipstation-sync", "shipstation-upload", "xml-import")
SECRETS = ("SHIPSTATION_API_KEY", "SHIPSTATION_API_SECRET")


@dataclass(frozen=True)
class SwapSettings:
    """How backups, swap, rollback, contract and verify work.

    ``pause_workflows`` are rows of ``workflow_controls``; ``lock_budget_ms`` is how long the cut-over may
    hold the write lock before it rolls back, ``lock_attempts`` how often it is tried; ``chunk_ms`` how long
    one staging transaction may hold the lock; ``catch_up_rounds`` how often ``migrate`` builds again because
    the source changed; ``retention_days`` how long ``contract`` and the pruning of backups wait;
    ``command_timeout_s`` how long a pause, resume or alert command may take.
    """

    backup_folders: tuple[Path, Path]
    pause_workflows: tuple[str, ...] = DEFAULT_WORKFLOWS
    pause_command: str | None = None
    resume_command: str | None = None
    alert_command: str | None = None
    lock_budget_ms: int = 250
    lock_attempts: int = 10
    chunk_ms: int = 15
    catch_up_rounds: int = 3
    retention_days: float = 7.0
    command_timeout_s: float = 60.0

    @property
    def is_shared(self) -> bool:
        """Whether others write to the database; not so where it is a copy for a rehearsal."""
        return True


@dataclass(frozen=True)
class ShipStationSettings:
    """How ShipStation's API is asked. Key and secret are not here: they come from the environment only.

    ``timeout_s`` is how long one reply may take; ``page_size`` how many records a page has (at most 500);
    ``attempts`` how often one request is tried.
    """

    url: str = "https://ssapi.shipstation.com"
    timeout_s: float = 60.0
    page_size: int = 500
    attempts: int = 6


@dataclass(frozen=True)
class SyncSettings:
    """How ``sync`` works.

    ``workflow`` is the row of ``workflow_controls`` that switches it off; ``manual_prefix`` is what the
    numbers of orders made in ShipStation begin with; ``guard_days`` is how old a ship date may be without
    ``--backfill``; ``window_days`` how many ship dates before today every run reads again;
    ``overlap_hours`` how far a run reaches back behind its watermark; ``interval_s`` is for ``--watch``.
    """

    workflow: str = "lotgate-sync"
    manual_prefix: str = "10"
    guard_days: int = 40
    window_days: int = 7
    overlap_hours: float = 3.0
    interval_s: float = 300.0


@dataclass(frozen=True)
class Settings:
    """What the commands share. ``controls`` is None where there are none, which means no control at all.

    ``controls_given`` says that a person named the folder, so that it must exist; ``database_given`` that
    one named the database, by option, environment or ``lotgate.toml``. ``origins`` says of every setting
    (``swap.chunk_ms``) where it came from: ``option --database``, ``environment LOTGATE_DATABASE``,
    ``lotgate.toml`` or ``default``.
    """

    database: Path
    database_given: bool
    work_dir: Path
    controls: Path | None
    controls_given: bool
    swap: SwapSettings
    shipstation: ShipStationSettings
    sync: SyncSettings
    origins: Mapping[str, str]


@dataclass(frozen=True)
class Setting:
    """One setting for a person to look at; ``value`` is what JSON knows."""

    name: str
    value: str | float | tuple[str, ...] | None
    origin: str


def load_settings(
    *,
    database: str | None = None,
    work_dir: str | None = None,
    controls: str | None = None,
    second_backup_folder: str | None = None,
    retention_days: float | None = None,
    lock_budget_ms: int | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings for one command; the first six are its options as given, None where they were not.

    ``second_backup_folder`` is the option ``--backup-dir``. Raises UsageError for an empty path, a wrong
    ``lotgate.toml``, a value that is not allowed, a pause command without a resume command, and backup
    folders that are one or that lotgate empties; EnvironmentFailed for an unreadable ``lotgate.toml``.
    """
    folder = Path.cwd() if folder is None else folder
    file = folder / CONFIG_FILE
    source = _Source(os.environ if environ is None else environ, file, read_tables(file))
    named_database = source.path("database", database)
    named_work_dir = source.path("work_dir", work_dir)
    named_controls = source.path("controls", controls)
    found_database = named_database or Path(DEFAULT_DATABASE)
    found_work_dir = named_work_dir or Path(DEFAULT_WORK_DIR)
    options = {"retention_days": retention_days, "lock_budget_ms": lock_budget_ms}
    swap = SwapSettings(
        backup_folders=_backup_folders(source, found_database, found_work_dir, second_backup_folder),
        **source.values(SWAP_KEYS, options),
    )
    _check_pair(swap, source)
    return Settings(
        database=found_database,
        database_given=named_database is not None,
        work_dir=found_work_dir,
        controls=named_controls or _default_controls(folder),
        controls_given=named_controls is not None,
        swap=swap,
        shipstation=ShipStationSettings(**source.values(SHIPSTATION_KEYS)),
        sync=SyncSettings(**source.values(SYNC_KEYS)),
        origins=dict(source.origins),
    )


def list_settings(settings: Settings, environ: Mapping[str, str] | None = None) -> tuple[Setting, ...]:
    """Every setting with its value and origin, for a person. Of secrets only whether they are set."""
    environ = os.environ if environ is None else environ
    values: dict[str, str | float | tuple[str, ...] | None] = {
        "lotgate.database": str(settings.database),
        "lotgate.work_dir": str(settings.work_dir),
        "lotgate.controls": None if settings.controls is None else str(settings.controls),
        **{key.full_name: getattr(settings.swap, key.name) for key in SWAP_KEYS},
        **{key.full_name: getattr(settings.shipstation, key.name) for key in SHIPSTATION_KEYS},
        **{key.full_name: getattr(settings.sync, key.name) for key in SYNC_KEYS},
        **{f"backups.folders[{at}]": str(path) for at, path in enumerate(settings.swap.backup_folders)},
    }
    shown = [Setting(name, value, settings.origins[name]) for name, value in values.items()]
    for name in SECRETS:
        is_set = bool(environ.get(name))
        shown.append(
            Setting(name, "set" if is_set else "not set", f"environment {name}" if is_set else "default")
        )
    return tuple(shown)


def project_setting(folder: Path) -> Setting:
    """The dbt project that commands in ``folder`` use, listed like a setting: its path, and why this one."""
    project = locate_project(folder)
    if project is None:
        return Setting("project", None, "not found: install lotgate again")
    installed = importlib.metadata.version("lotgate")
    origin = f"{project.origin}, {installed}" if project.is_installed else project.origin
    if project.copied_from is not None:
        origin += f", a copy made with {project.copied_from}"
        if project.copied_from != installed:
            origin += f"; the package is {installed}"
    return Setting("project", str(project.path), origin)


@dataclass
class _Source:
    """Where values are looked up; notes in ``origins`` where each was found."""

    environ: Mapping[str, str]
    file: Path
    tables: Mapping[str, Mapping[str, Any]]
    origins: dict[str, str] = field(default_factory=dict)

    def path(self, key: str, option: str | None) -> Path | None:
        """A path of ``[lotgate]``; None where nobody named it."""
        variable = f"LOTGATE_{key.upper()}"
        name = "--" + key.replace("_", "-")
        self.origins[f"lotgate.{key}"] = "default"
        if option is not None:
            self.origins[f"lotgate.{key}"] = f"option {name}"
            return _path(option, name)
        if self.environ.get(variable):
            self.origins[f"lotgate.{key}"] = f"environment {variable}"
            return _path(self.environ[variable], variable)
        if key not in self.tables.get("lotgate", {}):
            return None
        value = self.tables["lotgate"][key]
        if not isinstance(value, str):
            raise UsageError(
                f"{self.file}: in [lotgate], {key} is not a text.", hint=f'Write {key} = "a/path".'
            )
        self.origins[f"lotgate.{key}"] = CONFIG_FILE
        return self.file.parent / _path(value, f"{key} in {CONFIG_FILE}")

    def values(self, keys: Sequence[Key], options: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The values that somebody gave, by name."""
        found = {key.name: self.value(key, (options or {}).get(key.name)) for key in keys}
        return {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in found.items()
            if value is not None
        }

    def value(self, key: Key, option: Any = None) -> Any:
        """A checked value of another table; None where nobody gave one."""
        table = self.tables.get(key.table, {})
        text = self.environ.get(key.variable)
        if option is not None:
            name = "--" + key.name.replace("_", "-")
            self.origins[key.full_name] = f"option {name}"
            return check_value(key, option, name, strict=False)
        if text:
            self.origins[key.full_name] = f"environment {key.variable}"
            given: Any = text
            if key.separator:
                given = [part.strip() for part in text.split(key.separator) if part.strip()]
            return check_value(key, given, key.variable, strict=False)
        if key.name in table:
            self.origins[key.full_name] = CONFIG_FILE
            return check_value(key, table[key.name], f"{self.file}: [{key.table}] {key.name}", strict=True)
        self.origins[key.full_name] = "default"
        return None


def _backup_folders(
    source: _Source, database: Path, work_dir: Path, second_option: str | None
) -> tuple[Path, Path]:
    given = source.value(FOLDERS)
    origin = source.origins.pop(FOLDERS.full_name)
    # the second default is beside the real file, so that it stays the same whichever link names it
    real = Path(os.path.realpath(database))
    first, second = work_dir / "backups", real.with_name(f"{real.name}.lotgate-backups")
    if given is not None:
        start = source.file.parent if origin == CONFIG_FILE else Path()
        first, second = start / given[0], start / given[1]
    source.origins |= {"backups.folders[0]": origin, "backups.folders[1]": origin}
    if second_option is not None:
        second = _path(second_option, "--backup-dir")
        source.origins["backups.folders[1]"] = "option --backup-dir"
    if os.path.realpath(first) == os.path.realpath(second):
        raise UsageError(
            f"Both backup folders are {first}.",
            hint="Name two folders, on two disks where possible: folders in [backups] of lotgate.toml, "
            "LOTGATE_BACKUP_FOLDERS, or --backup-dir for the second.",
        )
    for path in (first, second):
        for emptied in WorkDir(work_dir).folders:
            if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(emptied)):
                raise UsageError(
                    f"The backup folder {path} is inside {emptied}, which lotgate empties.",
                    hint="Name another folder in [backups] of lotgate.toml.",
                )
    return first, second


def _check_pair(swap: SwapSettings, source: _Source) -> None:
    """What a pause command switched off would stay off without its counterpart."""
    if (swap.pause_command is None) == (swap.resume_command is None):
        return
    there, missing = "pause_command", "resume_command"
    if swap.pause_command is None:
        there, missing = missing, there
    raise UsageError(
        f"[swap] {there} is given ({source.origins[f'swap.{there}']}), and {missing} is not.",
        hint=f"Give both in [swap] of {source.file}, or neither.",
    )


def _default_controls(folder: Path) -> Path | None:
    """``controls`` in this folder, else ``seeds/controls`` of the clone or copy that this folder is in.

    Never those of an installed package: they are the demo's, and would not fit.
    """
    if (folder / CONTROLS).is_dir():
        return folder / CONTROLS
    project = locate_project(folder)
    if project is None or project.where not in ("here", "above"):
        return None
    found = project.path / "seeds" / "controls"
    return found if found.is_dir() else None


def _path(text: str, origin: str) -> Path:
    if not text:
        raise UsageError(f"{origin} is empty.", hint="Give a path.")
    if "\0" in text:
        raise UsageError(f"{origin} holds a NUL character, which no path can.", hint="Give a path.")
    return Path(text)
