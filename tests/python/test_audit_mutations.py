"""The audit's mutation table: a good candidate opens the gate; whatever is spoiled closes it, and says why.

What is spoiled after the build is found by hashes. The same done by a faulty build has the right hashes, and
is found by the suites. The table is in ``mutations``; ``pytest -s`` prints which checks found each.
"""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from compiled_models import CompiledModels
from conftest import LOTGATE
from lotgate.build import hashed_tables, read_build
from lotgate.generator import Shape, generate
from lotgate.table_hashes import hash_tables
from lotgate.workdir import WorkDir
from mutations import ALL, CANDIDATES, FAULTS, TAMPERINGS, Mutation, Tampering
from mutations.bench import PROJECT, Bench, accept
from mutations.worker import Outcome, Paths, audit_alone, audit_case, audit_unspoiled
from reference.building import write_example
from reference.corner_cases import CORNER_CASES
from reference.examples import EXAMPLES
from reference.scenario import Example
from reference.strategies import DATABASES
from suite_candidates import build, hold_all_undecided
from suites import checks_of, failed, parameters_of, run_suite

WORKERS = 2
SUITE = "explanations"
"""The suite of what only the mutation table showed to be missing; the others have tests of their own."""


class Audits:
    """The audits of the cases that were asked for, in worker processes, all under way from the start."""

    def __init__(self, pool: ProcessPoolExecutor, paths: Paths, names: list[str]) -> None:
        self.pool = pool
        self.paths = paths
        self.unspoiled = self._start_unspoiled(paths.good)
        self.under_way: dict[str, Future[Outcome]] = {
            name: pool.submit(audit_case, name, paths) for name in names
        }

    def of(self, name: str) -> Outcome:
        """What the audit of a case found."""
        return self.under_way[name].result()

    def of_unspoiled(self, work: Path) -> Outcome:
        """What the audit of a good work directory found."""
        future = self.unspoiled if work == self.paths.good else self._start_unspoiled(work)
        return future.result()

    def _start_unspoiled(self, work: Path) -> Future[Outcome]:
        return self.pool.submit(audit_unspoiled, work, self.paths)


@pytest.fixture(scope="module")
def audits(
    request: pytest.FixtureRequest, demo_build: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Audits]:
    folder = tmp_path_factory.mktemp("mutations")
    expectations = Path(shutil.copytree(PROJECT / "expectations", folder / "expectations"))
    accept(expectations, read_build(WorkDir(demo_build)).checks)
    asked_for = [
        item.callspec.params["name"]
        for item in request.session.items
        if item.path == request.path and "name" in getattr(item, "fixturenames", ())
    ]
    pool = ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield Audits(pool, Paths(demo_build, expectations, folder), asked_for)
    finally:
        pool.shutdown(cancel_futures=True)


def names(cases: tuple[Mutation | Tampering, ...]) -> list[str]:
    return [case.name for case in cases]


def report(name: str, outcome: Outcome) -> None:
    found = outcome.error or ", ".join(outcome.closing)
    print(f"{name} ({outcome.seconds:.1f} s): {found}")


def assert_closed(name: str, outcome: Outcome) -> None:
    """The gate is closed, by the checks that must find the case, and no check gave up without need."""
    case = ALL[name]
    report(name, outcome)
    assert case.found_by, "no check is said to find it"
    assert outcome.error == "", outcome.message
    assert not outcome.is_open
    assert set(case.found_by) - set(outcome.closing) == set(), f"closed by {sorted(outcome.closing)}"
    if not getattr(case, "breaks", False):
        unexpected = {
            identity: result
            for identity, result in outcome.closing.items()
            if result != "failed" and not identity.startswith(("register.", "dbt"))
        }
        assert unexpected == {}


def test_an_unspoiled_demo_opens_the_gate(demo_build: Path, audits: Audits) -> None:
    outcome = audits.of_unspoiled(demo_build)
    assert outcome.closing == {}
    assert outcome.is_open
    assert {finding.split(".")[0] for finding in outcome.findings} <= {
        *("dbt", "lots", "shipped_items", "shipped_orders", "reconciliation", "reporting", "legacy_health")
    }


def test_an_unspoiled_generated_database_opens_the_gate(
    audits: Audits, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=1_500, seed=7, shape=Shape.late)
    first = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "first")
    assert hold_all_undecided(first, made.controls) > 10
    work = tmp_path / "work"
    work.mkdir()
    assert made.shipstation
    shutil.copyfile(made.shipstation, work / "shipstation.sqlite")
    arguments = ["--database", made.database, "--controls", made.controls, "--work-dir", work]
    done = subprocess.run([*LOTGATE, "build", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome = audits.of_unspoiled(work)
    assert outcome.closing == {}
    assert outcome.is_open


def test_the_committed_expectations_open_the_gate(demo_build: Path) -> None:
    """With the register as it is committed, not as it would be accepted now."""
    found = audit_alone(demo_build, PROJECT / "expectations")
    assert found.get("closing") == {}, found
    assert found["is_open"]


def test_models_that_run_again_make_the_same_candidate(
    demo_build: Path, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    """What a fault changes is the fault's doing."""
    bench = Bench.copy_of(demo_build, tmp_path / "bench", PROJECT / "expectations", compiled_models)
    candidate = bench.work_dir.candidate
    before = hash_tables(candidate, hashed_tables(candidate))
    bench.rerun_models(after="stg_legacy__shipped_items")
    assert hash_tables(candidate, hashed_tables(candidate)) == before


def test_the_table_is_long_and_names_are_unique() -> None:
    assert len(ALL) == len(CANDIDATES) + len(FAULTS) + len(TAMPERINGS)
    assert len(ALL) >= 200


@pytest.mark.parametrize("name", names(CANDIDATES))
def test_a_spoiled_candidate_closes_the_gate(name: str, audits: Audits) -> None:
    case, outcome = ALL[name], audits.of(name)
    assert isinstance(case, Mutation)
    told = {*(f"table_{table}" for table in case.tables), *(["candidate_schema"] if case.schema else [])}
    if case.unsound:
        assert outcome.file_problems == {"candidate_is_sound"}
    else:
        assert outcome.file_problems - {"candidate_is_sound"} == told
    # with the hashes of what the faulty build made
    assert_closed(name, outcome)
    assert {f"files.{problem}" for problem in told} & set(outcome.closing) == set()


@pytest.mark.parametrize("name", [fault.name for fault in FAULTS])
def test_a_faulty_build_closes_the_gate(name: str, audits: Audits) -> None:
    outcome = audits.of(name)
    assert outcome.file_problems - {"candidate_is_sound"}
    assert_closed(name, outcome)


@pytest.mark.parametrize("name", names(TAMPERINGS))
def test_a_spoiled_audit_closes_the_gate(name: str, audits: Audits) -> None:
    case, outcome = ALL[name], audits.of(name)
    assert isinstance(case, Tampering)
    if case.error:
        report(name, outcome)
        assert outcome.error == case.error
        assert case.message in outcome.message
    else:
        assert_closed(name, outcome)


@pytest.mark.parametrize("shape", list(Shape))
def test_what_the_rules_allow_is_no_finding(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=800, seed=60 + len(shape), shape=shape, nasty=0.5)
    work = build(compiled_models, made.database, made.shipstation, made.controls, tmp_path / "work")
    found = run_suite(work, SUITE)
    assert [one.error for one in found.values() if one.error] == []
    assert failed(found) == {}


@pytest.mark.parametrize("example", [*EXAMPLES, *CORNER_CASES], ids=lambda example: example.name)
def test_no_example_of_the_rules_is_a_finding(
    example: Example, compiled_models: CompiledModels, demo_build: Path, tmp_path: Path
) -> None:
    assert findings(example, compiled_models, demo_build, tmp_path / "example") == {}


@given(example=DATABASES)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_no_random_database_is_a_finding(
    example: Example, compiled_models: CompiledModels, demo_build: Path
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert findings(example, compiled_models, demo_build, Path(folder)) == {}


def findings(
    example: Example, models: CompiledModels, demo_build: Path, folder: Path
) -> dict[str, list[tuple[object, ...]]]:
    """What the queries of the suite find in the candidate of an example; run without GX, in milliseconds."""
    files = write_example(example, folder)
    with models.run(files.legacy, files.evidence, files.controls) as candidate:
        expectations = expectations_of(demo_build)
        for table in dict.fromkeys(table for one in expectations.values() for table in one.shared):
            for statement in table.statements:
                candidate.execute(statement)
        found = {name: candidate.execute(one.query()).fetchall() for name, one in expectations.items()}
    return {name: rows for name, rows in found.items() if rows}


@cache
def expectations_of(demo_build: Path) -> dict[str, Any]:
    import lotgate_expectations  # noqa: F401
    from great_expectations.expectations.registry import get_expectation_impl

    parameters = parameters_of(demo_build)

    def value_of(argument: object) -> object:
        return parameters[argument["$PARAMETER"]] if isinstance(argument, dict) else argument

    return {
        name: get_expectation_impl(check["type"])(
            **{key: value_of(argument) for key, argument in check["kwargs"].items()}
        )
        for name, check in checks_of(SUITE).items()
    }
