"""Where a command finds the database, the work directory and the controls.

Each is, in this order: the command's option, the environment (``LOTGATE_DATABASE``, ``LOTGATE_WORK_DIR``,
``LOTGATE_CONTROLS``), the table ``[lotgate]`` of ``lotgate.toml`` in the current folder (keys ``database``,
``work_dir``, ``controls``; relative paths start at the file's folder), and the default.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import EnvironmentFailed, UsageError

__all__ = ["CONFIG_FILE", "Settings", "load_settings", "project_root"]

CONFIG_FILE = "lotgate.toml"
DEFAULT_DATABASE = "ora.db"
DEFAULT_WORK_DIR = "target"
KEYS = ("database", "work_dir", "controls")


@dataclass(frozen=True)
class Settings:
    """What the commands share. ``controls`` is None where there are none, which means no control at all.

    ``controls_given`` says that a person named the folder, so that it must exist; ``database_given`` that
    one named the database, by option, environment or ``lotgate.toml``.
    """

    database: Path
    database_given: bool
    work_dir: Path
    controls: Path | None
    controls_given: bool


def project_root(folder: Path) -> Path | None:
    """The dbt project that ``folder`` is in, else the one that this package was installed from, else None."""
    package = Path(__file__).resolve().parents
    for candidate in (folder, *folder.parents, *package[1:3]):
        if (candidate / "dbt_project.yml").is_file():
            return candidate
    return None


def load_settings(
    *,
    database: str | None = None,
    work_dir: str | None = None,
    controls: str | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings for one command; the three texts are the options as given, None where they were not.

    Raises UsageError for an empty path and a wrong ``lotgate.toml``, EnvironmentFailed for an unreadable one.
    """
    environ = os.environ if environ is None else environ
    folder = Path.cwd() if folder is None else folder
    configured = _read_config(folder / CONFIG_FILE)

    def find(key: str, option: str | None) -> Path | None:
        variable = f"LOTGATE_{key.upper()}"
        name = "--" + key.replace("_", "-")
        if option is not None:
            return _path(option, name)
        if environ.get(variable):  # an empty variable counts as not set
            return _path(environ[variable], variable)
        if key in configured:
            return folder / _path(configured[key], f"{key} in {CONFIG_FILE}")
        return None

    named_controls = find("controls", controls)
    named_database = find("database", database)
    return Settings(
        database=named_database or Path(DEFAULT_DATABASE),
        database_given=named_database is not None,
        work_dir=find("work_dir", work_dir) or Path(DEFAULT_WORK_DIR),
        controls=named_controls or _project_controls(folder),
        controls_given=named_controls is not None,
    )


def _project_controls(folder: Path) -> Path | None:
    root = project_root(folder)
    if root is None or not (root / "seeds" / "controls").is_dir():
        return None
    return root / "seeds" / "controls"


def _path(text: str, origin: str) -> Path:
    if not text:
        raise UsageError(f"{origin} is empty.", hint="Give a path.")
    if "\0" in text:
        raise UsageError(f"{origin} holds a NUL character, which no path can.", hint="Give a path.")
    return Path(text)


def _read_config(path: Path) -> dict[str, str]:
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
    table = content.get("lotgate", {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: lotgate is not a table.", hint='Write [lotgate], then database = "...".')
    settings: dict[str, str] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise UsageError(
                f"{path}: [lotgate] has no setting {key!r}.", hint=f"The settings are {', '.join(KEYS)}."
            )
        if not isinstance(value, str):
            raise UsageError(f"{path}: {key} is not a text.", hint=f'Write {key} = "a/path".')
        settings[key] = value
    return settings
