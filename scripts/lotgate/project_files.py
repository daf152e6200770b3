"""What a dbt project of lotgate is made of. Nothing is imported here: ``hatch_build.py`` reads it."""

from __future__ import annotations

from typing import Final

__all__ = ["PROJECT_FILES"]

PROJECT_FILES: Final = (
    "dbt_project.yml",
    "profiles.yml",
    "selectors.yml",
    "models",
    "macros",
    "seeds",
    "tests/dbt",
    "expectations",
)
"""Files and whole folders at the root of the source tree, and of a copy of it; some may be missing.

A wheel has them in ``lotgate/project``, and ``lotgate init --with-project`` lays them out for an owner.
"""
