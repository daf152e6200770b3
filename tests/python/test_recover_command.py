"""``lotgate recover`` as a person and a program meet it: what it prints, its refusals, and no secrets."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lotgate.commands.recover import recover
from lotgate.errors import EnvironmentFailed, LotgateError, UsageError
from lotgate.shipstation.simulator import Faults, Line, SetClock, Simulator, Store
from shipstation_fixtures import Simulate, simulate

__all__ = ["simulate"]  # the fixture

DAY = "2030-03-12"
MORNING = datetime(2030, 3, 12, 8, 0)
A = "17612 - 250300"


@pytest.fixture
def store() -> Store:
    store = Store()
    order = store.add_order("100001", [(A, 3), Line(None, None, 1, "discount")], MORNING)
    store.reprint_shipment(store.add_shipment(order, MORNING), MORNING)
    store.add_fulfillment(store.add_order("100002", [(A, 2)], MORNING), MORNING)
    return store


def run(simulator: Simulator, live: Path, work: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> Result:
    monkeypatch.setenv("LOTGATE_SHIPSTATION_URL", simulator.url)
    arguments = ["--database", str(live), "--work-dir", str(work), *more]
    return CliRunner().invoke(recover, arguments, standalone_mode=False)


def refusal(result: Result) -> LotgateError:
    assert isinstance(result.exception, LotgateError), result.output
    return result.exception


def test_a_person_reads_what_came(
    simulate: Simulate, store: Store, live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(simulate(store), live, work, monkeypatch, "--from", DAY)
    assert result.exception is None
    lines = result.stdout.splitlines()
    assert lines[0] == f"ShipStation, {DAY}, as of 2030-03-14 12:00:00 (US Pacific):"
    assert lines[1] == (
        "  3 shipments: 2 that count, 1 voided, 0 returns; 1 of them shipped by hand, without a label"
    )
    assert lines[2] == (
        "  5 units, 2 of them from the items of orders that were shipped by hand;"
        " 1 line ignored, being no goods"
    )
    assert lines[3].startswith("The evidence covers 1 day now (")
    assert lines[3].endswith(f"requests): {work / 'shipstation.sqlite'}")
    assert len(lines) == 4


def test_a_program_reads_the_same_as_json(
    simulate: Simulate, store: Store, live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate(store, clock=SetClock(datetime(2030, 3, 13, 9, 0)))
    result = run(simulator, live, work, monkeypatch, "--from", DAY, "--to", "2030-03-13", "--json")
    assert result.exception is None
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found.pop("requests") == len(simulator.log)
    assert found == {
        "database": str(live),
        "evidence": str(work / "shipstation.sqlite"),
        "ship_date_from": DAY,
        "ship_date_to": "2030-03-13",
        "fetched_at": "2030-03-13 09:00:00",
        "includes_today": True,
        "orders_asked": 1,
        "orders_gone": 0,
        "orders_elsewhere": 0,
        "days_covered": 2,
        "shipments": 3,
        "live": 2,
        "voided": 1,
        "returns": 0,
        "by_hand": 1,
        "units": 5,
        "by_hand_units": 2,
        "ignored_lines": 1,
        "without_items": 0,
        "updated_elsewhere": 0,
        "passed_over": 0,
    }


def test_what_deserves_a_word_gets_one(
    simulate: Simulate, store: Store, live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = store.add_order("100003", [(A, 2)], MORNING)
    store.add_fulfillment(gone, MORNING)
    store.remove_order(gone)
    store.add_fulfillment(store.add_order("100004", [(A, 2)], MORNING, externally_fulfilled=True), MORNING)
    simulator = simulate(store, clock=SetClock(MORNING.replace(hour=20)))
    text = run(simulator, live, work, monkeypatch, "--from", DAY).stdout
    assert "  1 without any item: what they shipped is not known" in text
    assert "  1 whose order ShipStation does not have any more: what they shipped is not known" in text
    assert "  1 shipped by another warehouse: nothing of them counts" in text
    assert f"  {DAY} is not over yet: fetch it again when it is." in text


def test_refusals_come_before_anything_is_asked(
    simulate: Simulate, store: Store, live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate(store)
    error = refusal(run(simulator, live, work, monkeypatch, "--from", DAY, "--to", "2030-03-11"))
    assert (error.exit_code, error.message) == (
        2,
        f"The window ends before it begins: {DAY} is after 2030-03-11.",
    )
    assert not work.exists()
    missing = refusal(run(simulator, live.with_name("no.db"), work, monkeypatch, "--from", DAY))
    assert isinstance(missing, UsageError)
    monkeypatch.delenv("SHIPSTATION_API_SECRET")
    error = refusal(run(simulator, live, work, monkeypatch, "--from", DAY))
    assert (error.exit_code, error.message) == (2, "SHIPSTATION_API_SECRET is not set.")
    assert len(simulator.log) == 0


def test_an_incomplete_fetch_and_refused_credentials_exit_with_3_and_tell_no_secret(
    simulate: Simulate, store: Store, live: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = simulate(store, faults=Faults(poisoned=list(store.labels), poison_ends_at=0))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setenv("LOTGATE_SHIPSTATION_ATTEMPTS", "2")
    result = run(simulator, live, work, monkeypatch, "--from", DAY)
    incomplete = refusal(result)
    assert isinstance(incomplete, EnvironmentFailed)
    assert "incomplete" in incomplete.message
    monkeypatch.setenv("SHIPSTATION_API_KEY", "not-the-key-4711")
    monkeypatch.setenv("SHIPSTATION_API_SECRET", "not-the-secret-4711")
    refused = run(simulator, live, work, monkeypatch, "--from", DAY)
    assert refusal(refused).exit_code == 3
    said = result.output + refused.output + incomplete.message + refusal(refused).message
    said += (work / "shipstation.sqlite").read_bytes().decode("latin-1")
    assert "4711" not in said
    assert "simulator" not in said.replace(simulator.url, "")


def test_help_has_an_example_and_names_the_variables() -> None:
    text = CliRunner().invoke(recover, ["--help"]).output
    assert "Example: lotgate recover" in text
    assert "SHIPSTATION_API_KEY" in text
