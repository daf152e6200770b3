"""Which dbt project, with its suites, a command works with.

The project that the current folder is in wins, so that a clone or an owner's copy is used as it stands there;
everybody else gets the one that came with the package. A dbt project of another name is somebody else's work
and is passed over. Nothing is ever written into the installed project: it may belong to root.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from lotgate.errors import EnvironmentFailed
from lotgate.project_files import PROJECT_FILES

__all__ = ["COPY_FILE", "Project", "files_of_project", "locate_project", "require_project"]

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
    """The project that ``folder`` is in, else the package's own; None where a package has lost its own."""
    package = Path(__file__).resolve().parent
    installed = package / "project"
    for candidate in (folder, *folder.parents):
        if _is_ours(candidate):
            if candidate.resolve() == installed:
                break
            return Project(candidate, "here" if candidate == folder else "above")
    if _is_ours(installed):
        return Project(installed, "installed")
    tree = package.parents[1]  # scripts/lotgate of a source tree
    if _is_ours(tree):
        return Project(tree, "checkout")
    return None


def require_project(folder: Path) -> Project:
    """The same; EnvironmentFailed where there is none."""
    project = locate_project(folder)
    if project is None:
        raise EnvironmentFailed(
            "lotgate's dbt project is neither here, nor in a folder above, nor in the installed package.",
            hint="Install lotgate again.",
        )
    return project


def files_of_project(root: Path) -> tuple[Path, ...]:
    """Every file of a project, relative to ``root``, without what Python leaves beside plugins."""
    found = [
        file
        for name in PROJECT_FILES
        for file in ((root / name).rglob("*") if (root / name).is_dir() else (root / name,))
        if file.is_file() and "__pycache__" not in file.parts
    ]
    return tuple(sorted(file.relative_to(root) for file in found))


def _is_ours(folder: Path) -> bool:
    try:
        text = (folder / PROJECT_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return _NAME.search(text) is not None
