"""The house rules of the dbt project that neither sqlfluff nor dbt-bouncer can say.

What they can say is in ``.sqlfluff`` and ``dbt-bouncer.yml``, which ``make lint`` carries out.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted(ROOT.glob("models/**/*.sql"))
# sqlfluff looks at what dbt renders, so at no macro
MACROS = sorted(ROOT.glob("macros/**/*.sql"))
IMPORT = re.compile(r"    select \* from \{\{ (?:ref|source)\('[a-z_']+(?:, '[a-z_]+')?\) \}\}")
DEFINED = re.compile(r"\{%-?\s*(macro|test|materialization)\s+(\w+)\s*(?:\(([^)]*)\)|,\s*adapter='(\w+)')")
VARIANT = re.compile(r"(?:default|sqlite|postgres|spark)__(\w+)")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MACROS, ids=relative)
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


# Macros

Arguments = tuple[str, ...]


def defined_macros(path: Path) -> dict[str, Arguments]:
    """What a file defines, by the name that dbt knows it by, with its arguments."""
    found: dict[str, Arguments] = {}
    for kind, name, listed, engine in DEFINED.findall(path.read_text(encoding="utf-8")):
        if kind == "materialization":
            found[f"materialization_{name}_{engine}"] = ()
        else:
            arguments = (part.split("=")[0].strip() for part in listed.split(","))
            found[f"test_{name}" if kind == "test" else name] = tuple(filter(None, arguments))
    return found


def described_macros() -> dict[str, dict[str, Any]]:
    files = ROOT.glob("macros/**/*.yml")
    listed = [entry for file in files for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["macros"]]
    by_name = {entry["name"]: entry for entry in listed}
    assert len(by_name) == len(listed), "a macro is described twice"
    return by_name


def test_every_described_macro_is_there() -> None:
    defined = {name for path in MACROS for name in defined_macros(path)}
    assert set(described_macros()) - defined == set()


@pytest.mark.parametrize("path", MACROS, ids=relative)
def test_every_macro_and_every_argument_is_described(path: Path) -> None:
    described = described_macros()
    defined = defined_macros(path)
    assert defined, "the file defines nothing"
    for name, arguments in defined.items():
        variant = VARIANT.fullmatch(name)
        if variant and variant[1] in defined:
            # an engine's variant is described where it is dispatched from, and takes the same arguments
            assert arguments == defined[variant[1]], name
            continue
        assert name in described, f"{name} is in no YAML"
        assert described[name]["description"].strip(), name
        listed = described[name].get("arguments", [])
        assert tuple(argument["name"] for argument in listed) == arguments, name
        assert all(argument.get("description") and argument.get("type") for argument in listed), name


@pytest.mark.parametrize("path", MACROS, ids=relative)
def test_every_macro_is_used(path: Path) -> None:
    texts = [
        file.read_text(encoding="utf-8")
        for pattern in ("macros/**/*.sql", "models/**/*.sql", "models/**/*.yml", "tests/dbt/**/*.sql")
        for file in ROOT.glob(pattern)
    ]
    for name in defined_macros(path):
        if name.startswith("materialization_") or name in CALLED_BY_DBT or VARIANT.fullmatch(name):
            continue
        word = re.compile(rf"\b{name.removeprefix('test_')}\b(?:\(|:)")
        uses = sum(len(word.findall(text)) for text in texts)
        assert uses > 1, f"{name} is defined, and used nowhere"


CALLED_BY_DBT = {"generate_schema_name"}


# Seeds

SEEDS = {
    entry["name"]: entry
    for file in [*ROOT.glob("seeds/**/*.yml"), *ROOT.glob("models/**/_*__seeds.yml")]
    for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["seeds"]
}


@pytest.mark.parametrize("path", sorted(ROOT.glob("seeds/**/*.csv")), ids=relative)
def test_every_column_of_every_seed_is_described_and_typed(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    seed = SEEDS[path.stem]
    assert seed["description"].strip()
    assert [column["name"] for column in seed["columns"]] == header
    assert all(column["description"].strip() for column in seed["columns"])
    assert list(seed["config"]["column_types"]) == header


def test_every_described_seed_is_there() -> None:
    assert set(SEEDS) == {path.stem for path in ROOT.glob("seeds/**/*.csv")}


# Data tests of several models


def test_every_data_test_says_what_it_guards() -> None:
    described = yaml.safe_load((ROOT / "tests/dbt/_tests.yml").read_text(encoding="utf-8"))["data_tests"]
    assert {entry["name"] for entry in described} == {path.stem for path in ROOT.glob("tests/dbt/*.sql")}
    assert all(entry["description"].strip() for entry in described)
