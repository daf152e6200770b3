"""Puts the dbt project and the suites into the wheel, as ``lotgate/project``.

In the source tree they stand at the root, where dbt, GX and people look for them. A mapping in pyproject.toml
would copy them into editable installations too, where the copies would get stale; those use the tree itself.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProjectHook(BuildHookInterface):
    """Adds the files of the dbt project to a wheel that is no editable installation's."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        names = runpy.run_path(str(root / "scripts" / "lotgate" / "project_files.py"))["PROJECT_FILES"]
        build_data["force_include"] |= {
            str(root / name): f"lotgate/project/{name}" for name in names if (root / name).exists()
        }
