"""One request to ShipStation: what is tried again, what stops at once, against canned replies."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import time
from contextlib import closing
from decimal import Decimal

import pytest

from lotgate.errors import EnvironmentFailed
from lotgate.shipstation.failures import CredentialsRefused, RequestFailed
from shipstation_canned import (  # noqa: F401
    KEY,
    SECRET,
    Canned,
    Connect,
    FakeTime,
    Server,
    connected_transport,
    fake_time,
    server_of_canned_replies,
)


def test_asks_with_basic_auth_and_parses_numbers_exactly(server: Server, connect: Connect) -> None:
    server.replies = [Canned(body=b'\xef\xbb\xbf{"total": 1, "cost": 0.1, "more": 1.00}')]
    transport = connect(path="/prefix/")
    answer = transport.get("/shipments", {"createDateStart": "2025-10-05 00:00:00", "page": "1"})
    assert answer == {"total": 1, "cost": Decimal("0.1"), "more": Decimal("1.00")}
    assert isinstance(answer["total"], int)
    ((path, headers, _),) = server.asked
    assert path == "/prefix/shipments?createDateStart=2025-10-05+00%3A00%3A00&page=1"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == f"{KEY}:{SECRET}".encode()
    assert transport.requests == 1
    for shown in (repr(transport), str(vars(transport))):
        assert KEY not in shown
        assert SECRET not in shown


def test_compressed_answers_are_read_and_one_connection_serves_all(server: Server, connect: Connect) -> None:
    packed = gzip.compress(json.dumps({"list": list(range(50_000))}).encode())
    server.replies = [Canned(body=packed, headers={"Content-Encoding": "gzip"}), Canned(), Canned()]
    transport = connect()
    assert len(transport.get("/a")["list"]) == 50_000
    transport.get("/b")
    transport.get("/c")
    assert len({address for _, _, address in server.asked}) == 1


CHUNKED = {"Transfer-Encoding": "chunked"}
AGAIN = {
    "500 with JSON": Canned(500, b'{"Message": "An error has occurred."}'),
    "502 with HTML": Canned(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}),
    "503 with nothing": Canned(503, b""),
    "504": Canned(504, b"<html></html>"),
    "408": Canned(408, b"{}"),
    "HTML with 200": Canned(200, b"<!DOCTYPE html><html></html>", {"Content-Type": "text/html"}),
    "nothing with 200": Canned(200, b""),
    "blanks with 200": Canned(200, b" \r\n"),
    "204": Canned(204, b""),
    "half of the JSON": Canned(200, b'{"shipments": [{"shipm'),
    "a text": Canned(200, b'"maintenance"'),
    "a number": Canned(200, b"1"),
    "NaN": Canned(200, b'{"total": NaN}'),
    "an endless number": Canned(200, b'{"total": ' + b"9" * 5000 + b"}"),
    "an exponent beyond all": Canned(200, b'{"total": 1e99999999999999999999}'),
    "too deep": Canned(200, b"[" * 100_000),
    "no UTF-8": Canned(200, b'{"a": "\xff"}'),
    "shorter than it says": Canned(200, b'{"ok": true}', length=100),
    "chunks that end early": Canned(200, b'20\r\n{"ok": true}', CHUNKED),
    "wrong compression": Canned(200, b'{"ok": true}', {"Content-Encoding": "gzip"}),
    "the line is cut": Canned(hang_up=True),
}


@pytest.mark.parametrize("name", AGAIN)
def test_asks_again_with_growing_pauses_where_that_may_help(
    name: str, server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [AGAIN[name]] * 3 + [Canned()]
    transport = connect()
    assert transport.get("/shipments") == {"ok": True}
    assert transport.requests == len(server.asked) == 4
    first, second, third = fake.waits
    assert 1 <= first <= 2 <= second <= 3
    assert 4 <= third <= 5
    assert len(connect.notes) == 3  # type: ignore[attr-defined]
    assert "asking again in" in connect.notes[0]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", AGAIN)
def test_gives_up_after_the_attempts_allowed(name: str, server: Server, connect: Connect) -> None:
    server.replies = [AGAIN[name]]
    with pytest.raises(RequestFailed, match=r"did not answer /orders, asked 4 times") as failed:
        connect().get("/orders", {"orderId": "77777"})
    assert len(server.asked) == 4
    assert failed.value.exit_code == 3
    assert failed.value.hint
    assert "77777" not in str(failed.value)
    assert failed.value.page_may_be_at_fault is (name != "the line is cut")


def test_one_attempt_is_one_request_and_the_pauses_are_bounded(
    server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [Canned(500, b"")]
    with pytest.raises(RequestFailed, match="asked 1 time:"):
        connect(attempts=1).get("/orders")
    assert fake.waits == []
    with pytest.raises(RequestFailed, match="asked 12 times: status 500"):
        connect(attempts=12).get("/orders")
    assert len(fake.waits) == 11
    assert max(fake.waits) <= 60


def test_nobody_listening_is_told_without_the_query(connect: Connect, fake: FakeTime) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(RequestFailed, match=r"no connection \(Connection refused\)") as failed:
        connect(url=f"http://127.0.0.1:{port}").get("/orders", {"orderId": "77777"})
    assert "77777" not in str(failed.value)
    assert not failed.value.page_may_be_at_fault
    assert "network" in (failed.value.hint or "")


def test_a_slow_answer_is_given_up_however_it_dribbles(server: Server, connect: Connect) -> None:
    server.replies = [Canned(body=b'{"ok": true}', pauses=0.1)]
    before = time.monotonic()
    with pytest.raises(RequestFailed, match=r"no whole answer within 0\.3 s"):
        connect(real=True, timeout_s=0.3, attempts=1).get("/orders")
    server.replies = [Canned(body=b"{}", pauses=1.0)]
    with pytest.raises(RequestFailed, match=r"within 0\.2 s"):
        connect(real=True, timeout_s=0.2, attempts=1).get("/orders")
    assert time.monotonic() - before < 1.0


def test_an_endless_answer_is_not_taken_into_memory(
    server: Server, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.shipstation.transport.LARGEST_BODY", 2 * 1024 * 1024)
    server.replies = [
        Canned(body=gzip.compress(b" " * 50_000_000), headers={"Content-Encoding": "gzip"}),
        Canned(),
    ]
    transport = connect()
    with pytest.raises(EnvironmentFailed, match="longer than 2 MB") as failed:
        transport.get("/orders")
    assert not isinstance(failed.value, RequestFailed)
    assert "page_size" in (failed.value.hint or "")
    assert transport.get("/orders") == {"ok": True}


def test_a_401_is_tried_once_more_and_then_names_the_two_variables(server: Server, connect: Connect) -> None:
    server.replies = [Canned(401, b"{}"), Canned(), Canned(401, b"{}")]
    transport = connect()
    assert transport.get("/shipments") == {"ok": True}
    with pytest.raises(CredentialsRefused, match="status 401") as failed:
        transport.get("/shipments")
    assert len(server.asked) == 4
    assert failed.value.exit_code == 3
    assert "SHIPSTATION_API_KEY" in (failed.value.hint or "")
    assert "SHIPSTATION_API_SECRET" in (failed.value.hint or "")


@pytest.mark.parametrize("status", [400, 402, 404, 405, 410])
def test_other_refusals_stop_at_once_with_status_and_path(
    status: int, server: Server, connect: Connect, fake: FakeTime
) -> None:
    server.replies = [Canned(status, b'{"Message": "a private thing"}')]
    with pytest.raises(EnvironmentFailed, match=f"answered /orders with status {status}") as failed:
        connect().get("/orders", {"orderId": "77777"})
    assert (len(server.asked), fake.waits) == (1, [])
    assert "private" not in str(failed.value)


def test_a_missing_order_is_none_only_where_that_is_an_answer(server: Server, connect: Connect) -> None:
    server.replies = [Canned(404, b"")]
    assert connect().get("/orders/5", missing_ok=True) is None
    with pytest.raises(EnvironmentFailed, match="status 404"):
        connect().get("/orders")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int, server: Server, connect: Connect) -> None:
    other = Server()
    try:
        server.replies = [Canned(status, b"", {"Location": other.url + "/orders"})]
        with pytest.raises(EnvironmentFailed, match=f"status {status}"):
            connect().get("/orders")
        assert (len(server.asked), other.asked) == (1, [])
    finally:
        other.stop()


def test_a_503_may_ask_for_a_longer_pause(server: Server, connect: Connect, fake: FakeTime) -> None:
    server.replies = [
        Canned(503, b"", {"Retry-After": "45"}),
        Canned(503, b"", {"Retry-After": "0"}),
        Canned(),
    ]
    connect().get("/a")
    assert fake.waits[0] == 45
    assert 2 <= fake.waits[1] <= 3
