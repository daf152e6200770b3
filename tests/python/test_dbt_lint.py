"""dbt-bouncer and sqlfluff as `make lint` runs them: each rule of the house fails for what breaks it."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plain_dbt import PROJECT, Said, copy_project, dbt, run_command

TOOLS = Path(sys.executable).parent
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, parsed as lint does."""
    folder = copy_project(tmp_path_factory.mktemp("lint") / "project")
    for name in ("dbt-bouncer.yml", ".sqlfluff"):
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    parsed = dbt(
        folder, "--quiet", "--warn-error", "parse", "--no-partial-parse", "--target-path", "target/lint"
    )
    assert parsed.code == 0, parsed.out
    return folder


@pytest.fixture(scope="module")
def manifest(project: Path) -> Manifest:
    return dict(json.loads((project / "target" / "lint" / "manifest.json").read_text(encoding="utf-8")))


def bounce(project: Path, manifest: Manifest) -> Said:
    """dbt-bouncer on a manifest of a test's choice."""
    (project / "target" / "lint" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    options = ["--config-file", "dbt-bouncer.yml", "--show-all-failures"]
    return run_command([str(TOOLS / "dbt-bouncer"), "run", *options], project)


def model(manifest: Manifest, name: str) -> dict[str, Any]:
    node: dict[str, Any] = manifest["nodes"][f"model.lotgate.{name}"]
    return node


def no_grain(manifest: Manifest) -> None:
    model(manifest, "shipped_items")["description"] = "The rows that shipped."


def no_column_description(manifest: Manifest) -> None:
    model(manifest, "shipped_items")["columns"]["order_number"]["description"] = ""


def wrong_name(manifest: Manifest) -> None:
    model(manifest, "audit_lots")["name"] = "lots_of_the_audit"


def wrong_folder(manifest: Manifest) -> None:
    moved = model(manifest, "audit_lots")
    moved["original_file_path"] = "models/extra/audit_lots.sql"


def no_twin(manifest: Manifest) -> None:
    model(manifest, "audit_lots")["patch_path"] = "lotgate://models/audit/audit_stock.yml"


def no_key(manifest: Manifest) -> None:
    manifest["nodes"] = {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if not (
            node["resource_type"] == "test"
            and (node.get("test_metadata") or {}).get("name") in ("unique", "unique_combination")
            and node.get("attached_node") == "model.lotgate.skus"
        )
    }


def no_contract(manifest: Manifest) -> None:
    skus = model(manifest, "skus")
    skus["config"]["contract"]["enforced"] = False
    skus["contract"]["enforced"] = False


def a_view(manifest: Manifest) -> None:
    model(manifest, "audit_lots")["config"]["materialized"] = "view"


def no_unit_test(manifest: Manifest) -> None:
    manifest["unit_tests"] = {
        unique_id: test
        for unique_id, test in manifest["unit_tests"].items()
        if "model.lotgate.int_twins" not in test["depends_on"]["nodes"]
    }


def an_engines_word(manifest: Manifest) -> None:
    model(manifest, "int_lots")["raw_code"] += "\nwhere ifnull(1, 0) = 1"


def mart_reads_report(manifest: Manifest) -> None:
    model(manifest, "skus")["depends_on"]["nodes"].append("model.lotgate.audit_lots")


def staging_reads_model(manifest: Manifest) -> None:
    model(manifest, "stg_legacy__sku_lot")["depends_on"]["nodes"].append("model.lotgate.skus")


def audit_reads_source(manifest: Manifest) -> None:
    model(manifest, "audit_lots")["depends_on"]["nodes"].append("source.lotgate.legacy.sku_lot")


def no_source_description(manifest: Manifest) -> None:
    manifest["sources"]["source.lotgate.legacy.sku_lot"]["description"] = ""


def no_owner(manifest: Manifest) -> None:
    manifest["exposures"]["exposure.lotgate.weekly_report"]["owner"] = {"name": "", "email": None}


BROKEN: tuple[tuple[Callable[[Manifest], None], str], ...] = (
    (no_grain, "check_model_description_contains_regexp_pattern"),
    (no_column_description, "check_model_column_description_populated"),
    (wrong_name, "check_model_names"),
    (wrong_folder, "check_model_directories"),
    (no_twin, "check_model_property_file_location"),
    (no_key, "check_model_has_unique_test"),
    (no_contract, "check_model_has_contracts_enforced"),
    (a_view, "check_model_materialization_permitted"),
    (no_unit_test, "check_model_has_unit_tests"),
    (an_engines_word, "check_model_code_does_not_contain_regexp_pattern"),
    (mart_reads_report, "check_lineage_permitted_upstream_models"),
    (staging_reads_model, "check_lineage_permitted_upstream_models"),
    (audit_reads_source, "check_lineage_source_cannot_be_used"),
    (no_source_description, "check_source_description_populated"),
    (no_owner, "check_exposure_has_owner"),
)


def test_the_project_keeps_its_rules(project: Path, manifest: Manifest) -> None:
    said = bounce(project, manifest)
    assert said.code == 0, said.out


@pytest.mark.parametrize(("break_it", "check"), BROKEN, ids=[break_it.__name__ for break_it, _ in BROKEN])
def test_a_broken_rule_fails_by_its_name(
    project: Path, manifest: Manifest, break_it: Callable[[Manifest], None], check: str
) -> None:
    broken = copy.deepcopy(manifest)
    break_it(broken)
    said = bounce(project, broken)
    assert said.code == 1, said.out
    assert check in said.out


UGLY = """with

skus as (

    SELECT * from {{ ref('skus') }}

),

lots as (

    select * from {{ ref('lots') }}

)

select skus.sku_code, lot_number sku_lot_text, 'a text that makes the line longer than a page is' as text
from skus
join lots on skus.sku_id=lots.sku_id
"""

# keywords, `inner join`, `as`, long lines, blanks, columns without their table
FOUND = {"CP01", "AM05", "AL02", "LT05", "LT01", "RF02"}


def test_the_layout_of_a_model_is_looked_at(project: Path) -> None:
    (project / "models" / "marts" / "ugly.sql").write_text(UGLY, encoding="utf-8")
    paths = ["models/marts/skus.sql", "models/marts/ugly.sql"]
    said = run_command([str(TOOLS / "sqlfluff"), "lint", "--format", "json", *paths], project)
    (project / "models" / "marts" / "ugly.sql").unlink()
    assert said.code == 1, said.out
    (line,) = (line for line in said.out.splitlines() if line.startswith("[{"))
    codes = {
        Path(file["filepath"]).stem: {violation["code"] for violation in file["violations"]}
        for file in json.loads(line)
    }
    assert codes.get("skus", set()) == set()
    assert codes["ugly"] >= FOUND


def test_lint_runs_both_on_everything() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.split("\nlint: setup\n", 1)[1].split("\n\n", 1)[0]
    steps = [line.strip() for line in recipe.splitlines()]
    parse, bouncer, fluff = (
        next(place for place, step in enumerate(steps) if step.startswith(f"$(BIN)/{tool} "))
        for tool in ("dbt", "dbt-bouncer", "sqlfluff")
    )
    assert "--warn-error" in steps[parse]
    assert "--target-path target/lint" in steps[parse]
    assert parse < bouncer, "it reads what was parsed"
    assert steps[fluff].endswith(" models tests/dbt")
