"""dbt as people use it: named parts of the project, and who reads what it makes."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from plain_dbt import PROJECT, Said, copy_project, dbt, run_command

SELECTORS = {
    entry["name"]: entry for entry in yaml.safe_load((PROJECT / "selectors.yml").read_text())["selectors"]
}
MART = {"skus", "lots", "shipped_orders", "shipped_items"}
READERS = (
    "weekly_report",
    "charge_report",
    "order_upload",
    "shipment_dashboard",
    "stock_dashboard",
    "review",
)


@dataclass(frozen=True)
class Listed:
    """What a selector holds: unique ids by resource type."""

    ids: dict[str, set[str]]

    def names(self, kind: str) -> set[str]:
        return {unique_id.split(".")[2] for unique_id in self.ids.get(kind, ())}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("usage") / "project")


# One process that parses once, and answers for every selector.
LIST = """
import json, sys
from dbt.cli.main import dbtRunner
runner = dbtRunner()
runner = dbtRunner(manifest=runner.invoke(["--quiet", "parse"]).result)
keys = ["--output", "json", "--output-keys", "unique_id", "resource_type"]
found = {}
for selector in sys.argv[1:]:
    outcome = runner.invoke(["--quiet", "--log-level", "none", "ls", "--selector", selector, *keys])
    assert outcome.success, (selector, outcome.exception)
    found[selector] = outcome.result
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def listed(project: Path) -> dict[str, Listed]:
    """Every selector of the project, as `dbt ls --selector` answers."""
    said = run_command([sys.executable, "-c", LIST, *SELECTORS], project)
    assert said.code == 0, said.out
    found: dict[str, Listed] = {}
    for selector, lines in json.loads(said.out.splitlines()[-1]).items():
        found[selector] = Listed({})
        for node in map(json.loads, lines):
            found[selector].ids.setdefault(node["resource_type"], set()).add(node["unique_id"])
    return found


@pytest.fixture(scope="module")
def manifest(project: Path, listed: dict[str, Listed]) -> dict[str, Any]:
    """What `dbt ls` left behind."""
    return dict(json.loads((project / "target" / "manifest.json").read_text(encoding="utf-8")))


def models_in(manifest: dict[str, Any], folder: str) -> set[str]:
    return {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["original_file_path"].startswith(f"models/{folder}/")
    }


def test_every_selector_holds_something_and_says_what(listed: dict[str, Listed]) -> None:
    assert {name for name, found in listed.items() if not found.ids} == set()
    assert all(entry["description"].strip() for entry in SELECTORS.values())


def test_every_selector_is_in_the_documentation() -> None:
    page = (PROJECT / "docs" / "dbt.md").read_text(encoding="utf-8")
    assert [name for name in SELECTORS if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("layer", ["marts", "reporting", "audit"])
def test_a_layer_comes_whole_and_with_what_it_is_made_of(
    listed: dict[str, Listed], manifest: dict[str, Any], layer: str
) -> None:
    names = listed[layer].names("model")
    assert names > models_in(manifest, layer)
    assert "int_shipped_items" in names  # what is needed first
    parents = {
        parent
        for unique_id in listed[layer].ids["model"]
        for parent in manifest["nodes"][unique_id]["depends_on"]["nodes"]
        if parent.startswith("model.")
    }
    assert parents <= listed[layer].ids["model"]


def test_the_marts_need_no_report_and_no_explanation(
    listed: dict[str, Listed], manifest: dict[str, Any]
) -> None:
    names = listed["marts"].names("model")
    assert names.isdisjoint(models_in(manifest, "reporting") | models_in(manifest, "audit"))
    assert names >= MART


def test_parsing_ends_where_decisions_begin(listed: dict[str, Listed]) -> None:
    parsing, decisions = listed["parsing"].names("model"), listed["decisions"].names("model")
    assert {"int_sku_texts", "int_shipped_items"} <= parsing < decisions
    assert "int_row_dispositions" in decisions - parsing
    assert "int_sku_texts" in {name for name in parsing if name.startswith("int_")}


def test_the_demos_data_are_no_controls(listed: dict[str, Listed]) -> None:
    demo, controls = listed["demo_data"].names("seed"), listed["controls"].names("seed")
    assert all(name.startswith(("legacy_", "shipstation_")) for name in demo)
    assert controls == {path.stem for path in (PROJECT / "seeds" / "controls").glob("*.csv")}


def test_every_data_test_either_closes_the_gate_or_warns(
    listed: dict[str, Listed], manifest: dict[str, Any]
) -> None:
    gate, warnings = listed["gate"].ids["test"], listed["warnings"].ids["test"]
    assert gate.isdisjoint(warnings)
    assert gate | warnings == {
        unique_id for unique_id, node in manifest["nodes"].items() if node["resource_type"] == "test"
    }
    assert "warn_lots_are_discovered" in {unique_id.split(".")[2] for unique_id in warnings}


def test_unit_tests_are_all_of_them(listed: dict[str, Listed], manifest: dict[str, Any]) -> None:
    assert listed["unit_tests"].ids == {"unit_test": set(manifest["unit_tests"])}


def test_the_readers_are_known_with_what_they_read(manifest: dict[str, Any]) -> None:
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}
    assert set(exposures) == set(READERS)
    for exposure in exposures.values():
        assert exposure["owner"]["email"].endswith("@example.invalid")
    read = {
        parent.split(".")[2] for exposure in exposures.values() for parent in exposure["depends_on"]["nodes"]
    }
    assert read >= MART | models_in(manifest, "reporting") | models_in(manifest, "audit")


def test_a_part_can_be_built_and_tested_by_itself(project: Path) -> None:
    def done(*arguments: str) -> Said:
        said = dbt(project, "--quiet", *arguments)
        assert said.code == 0, said.out
        return said

    done("seed")
    done("run", "--selector", "parsing")
    # cautious: only what needs nothing that has not been built
    done("test", "--select", "int_sku_texts", "--indirect-selection", "cautious")
    results = json.loads((project / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    assert {result["status"] for result in results} == {"pass"}
    assert any(result["unique_id"].startswith("unit_test.") for result in results)
    assert any(result["unique_id"].startswith("test.") for result in results)
