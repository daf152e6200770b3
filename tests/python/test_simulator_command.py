"""``lotgate simulate-shipstation`` in a process of its own: start, answers, end, wrong usage."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "shipstation"
COMMAND = [sys.executable, "-c", "from lotgate.cli import main; main()", "simulate-shipstation"]
PAIR = ("simulator", "simulator")
SECRETS = ("SHIPSTATION_API_KEY", "SHIPSTATION_API_SECRET")


@dataclass
class Running:
    """A simulator that runs; ``first_line`` is what it said at once."""

    process: subprocess.Popen[str]
    first_line: str

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err


@contextmanager
def started(*arguments: str | Path, **environ: str) -> Iterator[Running]:
    clean = {name: value for name, value in os.environ.items() if name not in SECRETS}
    command = [*COMMAND, "--data", str(SEEDS), *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**clean, **environ},
        # a shell's background job ignores Ctrl-C, and what it starts does, too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout is not None
        yield Running(process, process.stdout.readline().strip())
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=20, check=False
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_the_seeds_until_it_is_told_to_end(tmp_path: Path, how: signal.Signals) -> None:
    log = tmp_path / "requests.log"
    with started("--now", "2025-10-10T11:05:00", "--log", log) as running:
        assert running.first_line.startswith("http://127.0.0.1:")
        query = {"shipDateStart": "2025-10-06", "shipDateEnd": "2025-10-06", "includeShipmentItems": "true"}
        response = requests.get(
            f"{running.first_line}/shipments", query | {"pageSize": "500"}, auth=PAIR, timeout=5
        )
        units = sum(
            item["quantity"]
            for label in response.json()["shipments"]
            for item in label["shipmentItems"]
            if item["sku"] and not label["voided"] and not label["isReturnLabel"]
        )
        assert units == 331
        assert parsedate_to_datetime(response.headers["Date"]).isoformat()[:16] == "2025-10-10T18:05"
        assert (
            requests.get(f"{running.first_line}/stores", auth=("simulator", "x"), timeout=5).status_code
            == 401
        )
        code, out, err = running.end(how)
    assert (code, err) == (0, "")
    assert out == "Answered 2 requests, at most 1 in one window; 0 were over the rate limit.\n"
    lines = log.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["GET", "GET"]
    assert "/shipments?shipDateStart=2025-10-06&shipDateEnd=2025-10-06" in lines[0]


def test_address_and_counts_as_json() -> None:
    with started("--json", "--rate-limit", "2", "--rate-window", "600") as running:
        url = json.loads(running.first_line)["url"]
        statuses = [requests.get(f"{url}/stores", auth=PAIR, timeout=5).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        code, out, _ = running.end()
    assert code == 0
    assert json.loads(out) == {"requests": 3, "rate_violations": 1, "peak_per_window": 3}


def test_key_and_secret_come_from_the_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pair = {"SHIPSTATION_API_KEY": "key-of-a-test", "SHIPSTATION_API_SECRET": "secret-of-a-test"}
    with started("--log", log, **pair) as running:
        good = requests.get(f"{running.first_line}/stores", auth=tuple(pair.values()), timeout=5)  # type: ignore[arg-type]
        bad = requests.get(f"{running.first_line}/stores", auth=PAIR, timeout=5)
        assert (good.status_code, bad.status_code) == (200, 401)
        _, out, err = running.end()
    assert "of-a-test" not in running.first_line + out + err + log.read_text()


def test_faults_and_switches_from_the_command_line() -> None:
    arguments = ("--fault", "bad-gateway=2:/shipments", "--fault", "foreign-order", "--seed", "3")
    with started(*arguments, "--switch", "offsets=reject", "--switch", "numbers=1.00") as running:

        def get(path: str) -> requests.Response:
            return requests.get(running.first_line + path, auth=PAIR, timeout=5)

        assert [get("/shipments?pageSize=1").status_code for _ in range(3)] == [200, 502, 200]
        assert get("/orders").json()["total"] == 1
        assert get("/shipments?createDateStart=2025-10-06T00:00:00Z").status_code == 400
        assert '"shipmentCost":0.00' in get("/shipments?pageSize=1").text


def test_a_port_of_ones_own_and_one_that_is_taken() -> None:
    with started() as running:
        port = running.first_line.rpartition(":")[2]
        done = run("--data", SEEDS, "--port", port)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == (
            f"Error: Port {port} is in use by another program.\n"
            "Hint: Name another one with --port, or leave it out: a free one is taken.\n"
        )
        running.end()
    with started("--port", port) as again:
        assert again.first_line == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--data is missing."),
        (["--data", "nowhere"], "The data folder nowhere does not exist."),
        (["--data", SEEDS, "--port", "70000"], "70000 is not in the range"),
        (["--data", SEEDS, "--now", "soon"], "--now cannot be 'soon'."),
        (["--data", SEEDS, "--fault", "thunder"], "There is no fault 'thunder'."),
        (["--data", SEEDS, "--switch", "offsets=maybe"], "The switch offsets cannot be 'maybe'."),
        (["--data", SEEDS, "--switch", "colour=red"], "There is no switch 'colour'."),
        (["--data", SEEDS, "--rate-limit", "0"], "0 is not in the range"),
        (["--data", SEEDS, "--rate-window", "0"], "0.0 is not in the range"),
    ],
)
def test_wrong_usage(arguments: list[str | Path], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert "Hint: " in done.stderr


def test_a_wrong_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "shipstation_shipments.csv").write_text(
        "shipment_id,create_date,ship_date\n1,today,2025-10-06\n"
    )
    done = run("--data", tmp_path)
    assert done.returncode == 2
    assert "Error: shipstation_shipments.csv, line 2, column create_date: 'today' is no time" in done.stderr


def test_help_lists_faults_and_switches() -> None:
    faults, switches = run("--fault", "help"), run("--switch", "help")
    assert faults.returncode == switches.returncode == 0
    assert "foreign-order " in faults.stdout
    assert "offsets=honour  (or ignore, reject)" in switches.stdout
    assert "Example: lotgate simulate-shipstation --data" in run("--help").stdout
