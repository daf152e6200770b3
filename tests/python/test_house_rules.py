"""The house rules of the dbt project that no linter knows: where tables are named, and how."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted(ROOT.glob("models/**/*.sql"))
SQL = sorted([*MODELS, *ROOT.glob("macros/**/*.sql"), *ROOT.glob("tests/dbt/**/*.sql")])
IMPORT = re.compile(r"    select \* from \{\{ (?:ref|source)\('[a-z_']+(?:, '[a-z_]+')?\) \}\}")
ONE_ENGINE = re.compile(
    r"\b(ifnull|glob|typeof|instr|julianday|strftime|pragma|rowid|autoincrement|target\.type)\b"
)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SQL, ids=relative)
def test_lines_fit_on_a_page(path: Path) -> None:
    assert [line for line in path.read_text(encoding="utf-8").splitlines() if len(line) > 100] == []


@pytest.mark.parametrize("path", MODELS, ids=relative)
def test_tables_are_named_in_import_ctes_only(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    named = [
        line
        for line in lines
        if ("ref(" in line or "source(" in line) and not line.startswith("-- depends_on")
    ]
    assert [line for line in named if not IMPORT.fullmatch(line)] == []


@pytest.mark.parametrize("path", MODELS, ids=relative)
def test_models_name_no_engine(path: Path) -> None:
    assert ONE_ENGINE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", MODELS, ids=relative)
def test_every_model_has_its_twin_with_grain_columns_and_a_tested_key(path: Path) -> None:
    (model,) = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
    assert model["name"] == path.stem
    assert model["description"].startswith("One row per")
    assert all(column["description"] for column in model["columns"])
    tests = [name for column in model["columns"] for name in map(_name, column.get("data_tests", []))]
    tests += map(_name, model.get("data_tests", []))
    exempt = {"stg_controls__quarantine_decisions", "stg_controls__incidents"}  # checked as files, by lotgate
    assert {"unique", "unique_combination"} & set(tests) or path.stem in exempt


def _name(test: str | dict[str, object]) -> str:
    return test if isinstance(test, str) else next(iter(test))
