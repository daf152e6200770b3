"""Which dbt project, with its suites, a command works with.

The project that the current folder is in wins, so that a clone or an owner's copy is used as it stands there;
everybody else gets the one that came with the package. A dbt project of another name is somebody else's work
and is passed over. One of lotgate's that belongs to another user is refused: its macros and plugins are code,
which would run with the caller's rights. Nothing is ever written into the installed project: it may belong to
root.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lotgate.errors import EnvironmentFailed, UsageError

__all__ = ["COPY_FILE", "Project", "locate_project", "require_project"]

PROJECT_FILE: Final = "dbt_project.yml"
COPY_FILE: Final = "lotgate-project.json"
"""Beside the ``dbt_project.yml`` of a copy: the version of lotgate that it was made with."""
# by the line, not by a YAML parser: a project that its owner broke is still this one, and dbt says so
_NAME = re.compile(r"""^name:[ \t]*(['"]?)lotgate\1[ \t]*(#.*)?$""", re.MULTILINE)
_WHERE: Final = {
    "here": "this folder",
    "above": "a folder above this one",
    "installed": "installed with the package",
    "checkout": "the source tree that the package is installed from",
}


@dataclass(frozen=True)
class Project:
    """A dbt project of lotgate: its root, and how it was found.

    ``where`` is ``here`` (the current folder), ``above`` (a folder above it), ``installed`` (inside the
    package) or ``checkout`` (the tree of an editable installation).
    """

    path: Path
    where: Literal["here", "above", "installed", "checkout"]

    @property
    def origin(self) -> str:
        """How it was found, in words."""
        return _WHERE[self.where]

    @property
    def is_installed(self) -> bool:
        """Whether it is the package's own, which nobody edits."""
        return self.where == "installed"

    @property
    def copied_from(self) -> str | None:
        """The version of lotgate whose project this is a copy of; None where it does not say."""
        try:
            content = json.loads((self.path / COPY_FILE).read_text(encoding="utf-8"))
            return str(content["lotgate"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def locate_project(folder: Path) -> Project | None:
    """The project that ``folder`` is in, else the package's own; None where a package has lost its own.

    Raises UsageError where the first belongs neither to the caller nor to root, unless it is the source tree
    that this package runs from.
    """
    package = Path(__file__).resolve().parent
    installed = package / "project"
    tree = package.parents[1]  # scripts/lotgate of a source tree
    for candidate in (folder, *folder.parents):
        if _is_ours(candidate):
            if candidate.resolve() == installed:
                break
            if candidate.resolve() != tree:  # code from there runs already
                _refuse_strangers(candidate)
            return Project(candidate, "here" if candidate == folder else "above")
    if _is_ours(installed):
        return Project(installed, "installed")
    if _is_ours(tree):
        return Project(tree, "checkout")
    return None


def require_project(folder: Path) -> Project:
    """The same, and raises EnvironmentFailed where there is none."""
    project = locate_project(folder)
    if project is None:
        raise EnvironmentFailed(
            "lotgate's dbt project is neither here, nor in a folder above, nor in the installed package.",
            hint="Install lotgate again.",
        )
    return project


def _is_ours(folder: Path) -> bool:
    try:
        text = (folder / PROJECT_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return _NAME.search(text) is not None


def _refuse_strangers(folder: Path) -> None:
    """As git does with a repository of somebody else's."""
    trusted = {0, os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdecimal():
        trusted.add(int(os.environ["SUDO_UID"]))  # who typed it, which nobody else can set
    file = folder / PROJECT_FILE
    # a link and what it leads to: anybody may put a link to root's file into a folder that all may write to
    if not {path.stat().st_uid for path in (folder, file)} | {file.lstat().st_uid} <= trusted:
        raise UsageError(
            f"The dbt project in {folder} belongs to another user. Its macros and plugins are code, which"
            " would run with your rights.",
            hint="Work in a folder that is not below it. If you trust it, run lotgate as its owner, or make"
            " the folder yours.",
        )
