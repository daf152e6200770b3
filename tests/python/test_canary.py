"""The canary: without lotgate's own safe_cast, fixtures lose their texts, and a unit test must notice."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from plain_dbt import copy_project, dbt

CANARY = "canary_texts_survive_the_fixtures"
OVERRIDE = Path("macros", "engine", "safe_cast.sql")


def test_the_canary_dies_without_the_override_of_safe_cast(demo_build: Path, tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    target = project / "target"
    target.mkdir()
    for name in ("legacy.sqlite", "shipstation.sqlite", "candidate.sqlite"):
        shutil.copyfile(demo_build / name, target / name)

    def status() -> list[tuple[str, str]]:
        said = dbt(project, "test", "--select", CANARY)
        results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
        found = [(result["unique_id"].rpartition(".")[2], result["status"]) for result in results]
        assert said.code == (0 if found == [(CANARY, "pass")] else 1), said.out
        return found

    assert status() == [(CANARY, "pass")]
    (project / OVERRIDE).unlink()
    assert status() == [(CANARY, "fail")]
