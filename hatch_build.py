"""Puts the dbt project and the suites into the wheel, as ``lotgate/project``, and into the sdist.

In the source tree they stand at the root, where dbt, GX and people look for them. A mapping in pyproject.toml
would copy them into editable installations too, where the copies would get stale; those use the tree itself.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProjectHook(BuildHookInterface):
    """Adds the files of the dbt project to an archive; an editable installation's wheel gets none."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        project = runpy.run_path(str(root / "scripts" / "lotgate" / "project_files.py"))
        foreign = project["foreign_controls"](root)
        if foreign:
            raise SystemExit(
                f"No archive is made: {', '.join(foreign)} in {root / 'seeds' / 'controls'} would get in,"
                " and the demo's controls are others.\nKeep your own in a folder outside of the clone"
                " (`lotgate init DIR` lays one out), and restore these: git checkout -- seeds/controls\n"
                "If you changed the demo itself, renew DEMO_CONTROLS in scripts/lotgate/project_files.py."
            )
        place = "lotgate/project/" if self.target_name == "wheel" else ""
        build_data["force_include"] |= {
            str(root / file): f"{place}{file.as_posix()}" for file in project["project_files"](root)
        }
