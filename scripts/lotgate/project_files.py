"""What a dbt project of lotgate is made of. Imports nothing of lotgate: ``hatch_build.py`` runs it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["DEMO_CONTROLS", "PROJECT_FILES", "foreign_controls", "project_files"]

PROJECT_FILES: Final = (
    "dbt_project.yml",
    "profiles.yml",
    "selectors.yml",
    "models/**/*.sql",
    "models/**/*.yml",
    "models/**/*.md",
    "macros/**/*.sql",
    "macros/**/*.yml",
    "seeds/controls/*.csv",
    "seeds/legacy/legacy_*.csv",
    "seeds/shipstation/shipstation_*.csv",
    "seeds/**/*.yml",
    "tests/dbt/**/*.sql",
    "tests/dbt/**/*.yml",
    "expectations/great_expectations.yml",
    "expectations/register.json",
    "expectations/checkpoints/*.json",
    "expectations/suites/*.json",
    "expectations/validation_definitions/*.json",
    "expectations/plugins/**/*.py",
)
"""Patterns of files from the root of the source tree, and of a copy of it; some may match nothing.

A wheel has these files in ``lotgate/project``, an sdist has them at its root, and ``lotgate init
--with-project`` lays them out for an owner. Whatever else lies in these folders, a database, GX's
``uncommitted``, an export, gets nowhere.
"""
DEMO_CONTROLS: Final[Mapping[str, str]] = {
    "expected_on_hand.csv": "c2888bcc88efa1d0627ef63f51f9bf1dfd2d4e4420e2a8df745334461b96450d",
    "expected_units.csv": "06f2f237eff40be90429448310c9ca42c70600ebeeaced91b1cccaf3cb14bd5a",
    "incidents.csv": "c6ae721ed97fd65e8509f3743c19d02bf5e55e76cad6878e681421dc73aadef6",
    "quarantine_decisions.csv": "18815f66068ffc17f3be9b505fd3b2cebe34cb4172b20b219d39fa0543dd921c",
    "sku_variants.csv": "11df2245eb094215f1f612d83444b7d64838283c3a011daae91ff4b16a1e5cd3",
}
"""The SHA-256 of each file of ``seeds/controls`` as the demo has it."""


def project_files(root: Path) -> tuple[Path, ...]:
    """Every file of the project in ``root``, relative to it, in order."""
    found = {file for pattern in PROJECT_FILES for file in root.glob(pattern) if file.is_file()}
    return tuple(sorted(file.relative_to(root) for file in found))


def foreign_controls(root: Path) -> tuple[str, ...]:
    """The files of ``seeds/controls`` that are not as the demo has them: an owner's, in a clone."""
    present = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (root / "seeds" / "controls").glob("*.csv")
    }
    names = sorted(present.keys() | DEMO_CONTROLS.keys())
    return tuple(name for name in names if present.get(name) != DEMO_CONTROLS.get(name))
