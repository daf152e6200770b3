"""What an owner edits, laid out in a folder: controls, settings, on request the dbt project and its suites.

Every text with facts in it is made from where the facts stand: the controls' columns from the seeds' YAML,
the settings from ``config_keys``, so that neither gets stale.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lotgate.config import (
    CONFIG_FILE,
    CONTROLS,
    DEFAULT_DATABASE,
    DEFAULT_WORK_DIR,
    ShipStationSettings,
    SwapSettings,
    SyncSettings,
)
from lotgate.config_keys import FOLDERS, PATHS, SHIPSTATION_KEYS, SWAP_KEYS, SYNC_KEYS, Key
from lotgate.controls import Controls
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.project import COPY_FILE, Project
from lotgate.project_files import project_files

__all__ = ["Layout", "initialise", "settings_text"]

SHOWN = 20
SEEDS = Path("models") / "staging" / "controls" / "_controls__seeds.yml"
EXAMPLES = {
    "pause_command": "systemctl stop orders-upload.timer",
    "resume_command": "systemctl start orders-upload.timer",
    "alert_command": "logger -t lotgate 'the migrated database does not hold'",
}
"""For the settings that have no default."""
GITIGNORE = """\
# Copies of your data, and what dbt leaves: never in a repository.
/target/
/logs/
.user.yml
*.db
*.db-*
*.db.lotgate-backups/
*.sqlite
*.sqlite-*
"""
README = """\
# lotgate's controls and settings

- `controls/`: what you know about your data, as CSV files. `controls/README.md` explains every column.
- `lotgate.toml`: settings. Every line is a comment that shows the default.
{project}
Run lotgate in this folder, and it finds both. `FILE` is your live database; `lotgate.toml` can name it.

```sh
lotgate config
lotgate doctor --database FILE
lotgate build  --database FILE
lotgate audit
lotgate review
```

`lotgate config` shows what holds and where it comes from. What a build and an audit write is in `target/`:
copies of your data, for you only. Keep the rest in a repository.
"""
README_PROJECT = """\
- `dbt_project.yml`, `models/`, `macros/`, `tests/dbt/`, `seeds/`, `expectations/`: a copy of lotgate's dbt
  project and suites, made with lotgate {version}. Commands that run in this folder use this copy, not the
  installed one. After a change of a check, `lotgate checks --accept` renews the register. The copy does not
  follow upgrades: to upgrade, make a new copy in another folder, and bring your changes over.
"""


@dataclass(frozen=True)
class Layout:
    """What was laid out: the folder, and its files relative to it, in order. ``version`` is lotgate's."""

    folder: Path
    files: tuple[Path, ...]
    with_project: bool
    version: str


def initialise(folder: Path, project: Project, *, with_project: bool) -> Layout:
    """Writes controls, settings and a README into ``folder``, which is made; with ``with_project`` a copy of
    ``project`` too.

    The folder may exist and hold other files. Raises UsageError where it is a file, or where anything is in
    the way, before anything is written; EnvironmentFailed where it cannot be written, and then nothing is
    left.
    """
    version = project.copied_from or importlib.metadata.version("lotgate")
    contents = {
        Path(name): text.encode() for name, text in _texts(project.path, version, with_project=with_project)
    }
    if with_project:
        try:
            contents |= {file: (project.path / file).read_bytes() for file in project_files(project.path)}
        except OSError as error:
            raise EnvironmentFailed(
                f"The project in {project.path} cannot be read: {error.strerror}.",
                hint="Make it readable, or install lotgate again.",
            ) from error
    _refuse(folder, contents)
    _write(folder, contents)
    return Layout(folder, tuple(sorted(contents)), with_project, version)


def _texts(project: Path, version: str, *, with_project: bool) -> Iterator[tuple[str, str]]:
    about = README_PROJECT.format(version=version) if with_project else ""
    yield "README.md", README.format(project=about)
    yield ".gitignore", GITIGNORE
    yield CONFIG_FILE, settings_text()
    yield "controls/README.md", _controls_text(project)
    for name, text in Controls().as_files().items():
        yield f"controls/{name}", text
    if with_project:
        yield COPY_FILE, json.dumps({"lotgate": version}, indent=2) + "\n"


def settings_text() -> str:
    """``lotgate.toml`` with every setting as a comment, with its default and its meaning."""
    lines = [
        "# Settings of lotgate. Every line is a comment: take the mark away from what you change, and from",
        "# the table's name in brackets above it. A value shown is the default, but where it is called an",
        "# example. An option of a command and a variable of the environment come before this file.",
        "# Relative paths start at this file's folder.",
        "",
        "# [lotgate]",
    ]
    values = {"database": DEFAULT_DATABASE, "work_dir": DEFAULT_WORK_DIR, "controls": CONTROLS}
    for name, about in PATHS.items():
        lines += ["", f"# {about}", f"# {name} = {_toml(values[name])}"]
    tables: dict[str, list[Key]] = {}
    for key in (*SWAP_KEYS, FOLDERS, *SHIPSTATION_KEYS, *SYNC_KEYS):
        tables.setdefault(key.table, []).append(key)
    folders = (Path(DEFAULT_WORK_DIR) / "backups", Path(f"{DEFAULT_DATABASE}.lotgate-backups"))
    swap = SwapSettings(backup_folders=folders)
    defaults = {"shipstation": ShipStationSettings(), "sync": SyncSettings()}
    for table, keys in tables.items():
        lines += ["", "", f"# [{table}]"]
        for key in keys:
            value: Any = list(map(str, folders))
            if key is not FOLDERS:
                value = getattr(defaults.get(table, swap), key.name)
            allowed = f"Allowed: {key.allowed}."
            if value is None:
                allowed, value = f"{allowed} Not set by default; an example:", EXAMPLES[key.name]
            lines += ["", f"# {key.about}", f"# {allowed}", f"# {key.name} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A text, number or list of texts as TOML writes it, which JSON does the same way."""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _controls_text(project: Path) -> str:
    """The columns of the five files, in the words of the project's YAML."""
    import yaml

    file = project / SEEDS
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        seeds = {seed["name"]: seed for seed in content["seeds"]}
        parts = [_seed_text(name, seeds[name.removesuffix(".csv")]) for name in Controls().as_files()]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UsageError(
            f"{file} does not describe the controls.", hint="Restore it as it was, or install lotgate again."
        ) from error
    return "\n".join(
        [
            "# The controls",
            "",
            "CSV in UTF-8; the first line names the columns. Put texts with commas in double quotes. A file"
            " with no other line, or no file, means that there is nothing to control. Days are `YYYY-MM-DD`,"
            " times `YYYY-MM-DD HH:MM:SS`. `lotgate doctor` checks the files, and names the line of every"
            " mistake. No personal data belongs here.",
            "",
            *parts,
        ]
    )


def _seed_text(name: str, seed: dict[str, Any]) -> str:
    lines = [f"## {name}", "", seed["description"], "", "| column | meaning |", "|---|---|"]
    lines += [f"| `{column['name']}` | {column['description']} |" for column in seed["columns"]]
    return "\n".join(lines) + "\n"


def _refuse(folder: Path, contents: dict[Path, bytes]) -> None:
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", hint="Name another one.")
    blocking = {
        parent
        for file in contents
        for parent in file.parents
        if parent != Path() and _exists(folder / parent) and not (folder / parent).is_dir()
    }
    in_the_way = sorted(blocking | {file for file in contents if _exists(folder / file)})
    if in_the_way:
        shown = "\n".join(f"  {file}" for file in in_the_way[:SHOWN])
        more = len(in_the_way) - SHOWN
        raise UsageError(
            f"In {folder} this is in the way, and would have been overwritten:\n{shown}"
            + (f"\n  and {more} more" if more > 0 else ""),
            hint="Nothing was written. Move it away, or name another folder.",
        )


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _write(folder: Path, contents: dict[Path, bytes]) -> None:
    made: list[Path] = []
    try:
        for file, content in sorted(contents.items()):
            path = folder / file
            for parent in (parent for parent in reversed(path.parents) if not parent.exists()):
                parent.mkdir()
                made.append(parent)
            with path.open("xb") as stream:
                made.append(path)
                stream.write(content)
    except OSError as error:
        for path in reversed(made):  # what is new goes again, so that a second try finds nothing in its way
            with contextlib.suppress(OSError):
                (path.rmdir if path.is_dir() else path.unlink)()
        raise EnvironmentFailed(
            f"{folder} cannot be written: {error.strerror}.",
            hint="Nothing was left there. Make it writable, free space, or name another folder.",
        ) from error
