"""Other engines (docs/engines.md): what can be said of them without having one. `make engines` tries them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TARGETS = yaml.safe_load((ROOT / "profiles.yml").read_text(encoding="utf-8"))["lotgate"]["outputs"]
ENGINE = re.compile(r"\b(sqlite|postgres\w*|spark|target\.(?:type|name))\b", re.IGNORECASE)
SECRET = re.compile(r"password|token|secret", re.IGNORECASE)


def rendered(value: object, environment: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {name: rendered(part, environment) for name, part in value.items()}
    if not isinstance(value, str):
        return value
    template = jinja2.Environment(undefined=jinja2.StrictUndefined)
    template.filters["as_number"] = int
    return template.from_string(value).render(
        env_var=lambda name, default=None: environment.get(name, default or "")
    )


def test_sqlite_is_the_default() -> None:
    profile = yaml.safe_load((ROOT / "profiles.yml").read_text(encoding="utf-8"))["lotgate"]
    assert profile["target"] == "sqlite"
    assert set(TARGETS) == {"sqlite", "postgres", "spark"}


@pytest.mark.parametrize("target", TARGETS)
def test_targets_have_their_values_without_any_variable(target: str) -> None:
    found = rendered(TARGETS[target], {})
    assert isinstance(found, dict)
    assert found["schema"] == "main"
    assert found["type"] == target


def test_postgres_takes_the_usual_variables() -> None:
    environment = {"PGHOST": "db", "PGPORT": "5433", "PGUSER": "u", "PGDATABASE": "d"}
    found = rendered(TARGETS["postgres"], environment)
    assert isinstance(found, dict)
    assert [found[name] for name in ("host", "port", "user", "dbname")] == ["db", "5433", "u", "d"]


@pytest.mark.parametrize("target", TARGETS)
def test_no_secret_stands_in_the_profile(target: str) -> None:
    for name, value in TARGETS[target].items():
        if SECRET.search(name):
            # dbt keeps values of such variables out of its logs
            assert re.fullmatch(r"\{\{ env_var\('DBT_ENV_SECRET_\w+', ''\) \}\}", value), name


@pytest.mark.parametrize(
    "path",
    sorted([*ROOT.glob("models/**/*.sql"), *ROOT.glob("tests/dbt/*.sql")]),
    ids=lambda path: path.name,
)
def test_no_model_and_no_test_names_an_engine(path: Path) -> None:
    assert ENGINE.findall(path.read_text(encoding="utf-8")) == []


def test_names_of_unit_tests_fit_into_an_identifier_of_postgres() -> None:
    for file in ROOT.glob("models/**/*unit_tests.yml"):
        for test in yaml.safe_load(file.read_text(encoding="utf-8"))["unit_tests"]:
            assert len(test["name"]) <= 63, test["name"]


@pytest.mark.parametrize("engine", ["postgres", "spark"])
def test_a_missing_adapter_is_named_with_its_remedy(engine: str, tmp_path: Path) -> None:
    script = ROOT / "tests" / "engines" / f"try_{engine}.py"
    # none of the adapters is among the dependencies; where somebody has one, it is hidden
    hidden = f"import sys; sys.modules['dbt.adapters.{engine}'] = None; sys.argv = [{str(script)!r}]"
    program = f"{hidden}; import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"dbt-{engine} is missing" in done.stderr
    assert f".[{engine}]" in done.stderr
