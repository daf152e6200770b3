"""A server of canned replies, a clock that only sleeping moves, and a transport between the two, for tests.

Import the fixtures that a test file needs: ``connected_transport``, ``fake_time``,
``server_of_canned_replies``, which tests call ``connect``, ``fake`` and ``server``.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lotgate.config import ShipStationSettings
from lotgate.shipstation.transport import Transport

KEY, SECRET = "k3y-of-nobody", "s3cret-of-nobody"
DATE = datetime(2025, 10, 6, 12, 0, 0, tzinfo=UTC)
TOO_MANY = b'{"message": "Too Many Requests"}'


@dataclass(frozen=True)
class Canned:
    """A reply; ``length`` is the Content-Length that it claims, ``pauses`` seconds before every byte."""

    status: int = 200
    body: bytes = b'{"ok": true}'
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    pauses: float = 0.0
    hang_up: bool = False
    date: datetime | None = DATE


def limited(remaining: object, reset: object) -> dict[str, str]:
    return {
        "X-Rate-Limit-Limit": "40",
        "X-Rate-Limit-Remaining": str(remaining),
        "X-Rate-Limit-Reset": str(reset),
    }


class Server:
    """Answers with ``replies`` in turn, the last one for ever; notes what it was asked."""

    def __init__(self) -> None:
        self.replies: list[Canned] = [Canned()]
        self.asked: list[tuple[str, dict[str, str], tuple[str, int]]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                server.asked.append((self.path, dict(self.headers), self.client_address))
                reply = server.replies.pop(0) if len(server.replies) > 1 else server.replies[0]
                if reply.hang_up:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response_only(reply.status)
                if reply.date is not None:
                    self.send_header("Date", format_datetime(reply.date, usegmt=True))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                length = len(reply.body) if reply.length is None else reply.length
                if "Transfer-Encoding" not in reply.headers:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                try:
                    for byte in (
                        [reply.body[at : at + 1] for at in range(len(reply.body))] if reply.pauses else []
                    ):
                        time.sleep(reply.pauses)
                        self.wfile.write(byte)
                        self.wfile.flush()
                    if not reply.pauses:
                        self.wfile.write(reply.body)
                except OSError:
                    pass  # the client has gone, as it should
                if length != len(reply.body) or "Transfer-Encoding" in reply.headers:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class FakeTime:
    """A clock that only a sleep moves."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    @property
    def waits(self) -> list[float]:
        return [seconds for seconds in self.slept if seconds > 0]


@pytest.fixture(name="server")
def server_of_canned_replies() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


@pytest.fixture(name="fake")
def fake_time() -> FakeTime:
    return FakeTime()


Connect = Callable[..., Transport]


@pytest.fixture(name="connect")
def connected_transport(server: Server, fake: FakeTime) -> Iterator[Connect]:
    made: list[Transport] = []

    def start(*, path: str = "", real: bool = False, **settings: Any) -> Transport:
        settings = {"url": server.url + path, "timeout_s": 5.0, "attempts": 4, **settings}
        times: dict[str, Any] = {} if real else {"clock": fake.clock, "sleep": fake.sleep}
        made.append(Transport(ShipStationSettings(**settings), (KEY, SECRET), **times))
        made[-1].note = notes.append
        return made[-1]

    notes: list[str] = []
    start.notes = notes  # type: ignore[attr-defined]
    yield start
    for transport in made:
        transport.close()
    for text in notes:
        assert KEY not in text
        assert SECRET not in text
