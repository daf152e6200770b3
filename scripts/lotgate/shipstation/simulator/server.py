"""The simulated API over real HTTP: ``http.server`` with keep-alive, on loopback only.

It is made for rehearsals and tests, and never for a network that others are on.
"""

from __future__ import annotations

import base64
import errno
import hmac
import ipaddress
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.shipstation.simulator.answers import Answer, Answers, refused_key, server_error, throttled
from lotgate.shipstation.simulator.clock import Clock, utc_clock
from lotgate.shipstation.simulator.faults import Faults
from lotgate.shipstation.simulator.limits import RateLimit
from lotgate.shipstation.simulator.log import RequestLog
from lotgate.shipstation.simulator.store import Store
from lotgate.shipstation.simulator.switches import Switches

__all__ = ["KEY", "Simulator", "serve"]

KEY = "simulator"
"""Key, and secret, of the simulator where none are given."""

IDLE_S = 120.0


class Simulator:
    """A running simulator: where it is, and what it saw."""

    def __init__(self, server: _Server) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        host, port = self._server.server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{shown}:{port}"

    @property
    def store(self) -> Store:
        """The truth that it serves."""
        return self._server.store

    @property
    def faults(self) -> Faults:
        """The faults in force; assign others at any time."""
        return self._server.answers.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._server.answers.faults = faults

    @property
    def log(self) -> RequestLog:
        """Every request so far."""
        return self._server.log

    @property
    def rate_violations(self) -> int:
        """Requests that came over the rate limit, and were answered 429 for it."""
        return self._server.limit.violations

    @property
    def peak_per_window(self) -> int:
        """The most requests that one key sent in one window."""
        return self._server.limit.peak


@contextmanager
def serve(
    store: Store,
    switches: Switches | None = None,
    faults: Faults | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    clock: Clock = utc_clock,
    key: str = KEY,
    secret: str = KEY,
    log_file: Path | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Simulator]:
    """Serves ``store`` as long as the ``with`` block lasts; port 0 takes a free one.

    ``clock`` gives aware UTC; ``monotonic`` is what the rate limit's windows are measured with. Raises
    UsageError for a host that is not loopback or a port that cannot be, EnvironmentFailed for one in use; and
    at the end what went wrong in the simulator itself, such as an exception of a hook (answered with 500).
    """
    _require_loopback(host)
    log = RequestLog(log_file)
    try:
        switches = switches or Switches()
        answers = Answers(store, switches, faults or Faults(), clock)
        server = _bind(host, port, answers, RateLimit(switches, monotonic), log, key, secret)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield Simulator(server)
        finally:
            server.shutdown()
            server.server_close()
            server.cut_connections()
            thread.join()
    finally:
        log.close()
    if server.failures:
        raise server.failures[0]


def _require_loopback(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise UsageError(
            f"The simulator does not listen on {host}: it serves loopback addresses only.",
            hint="Use 127.0.0.1.",
        )


def _bind(
    host: str, port: int, answers: Answers, limit: RateLimit, log: RequestLog, key: str, secret: str
) -> _Server:
    try:
        return _Server(host, port, answers, limit, log, key, secret)
    except OverflowError as error:
        raise UsageError(f"{port} is no port.", hint="Ports are 0 to 65535; 0 takes a free one.") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise EnvironmentFailed(
                f"Port {port} is in use by another program.",
                hint="Name another one with --port, or leave it out: a free one is taken.",
            ) from error
        raise EnvironmentFailed(
            f"The simulator cannot listen on {host}:{port}: {error.strerror}.", hint="Name another --port."
        ) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self, host: str, port: int, answers: Answers, limit: RateLimit, log: RequestLog, key: str, secret: str
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answers = answers
        self.store = answers.store
        self.limit = limit
        self.log = log
        self.credentials = base64.b64encode(f"{key}:{secret}".encode())
        self.failures: list[Exception] = []
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would look up the host's name
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: clients that hang up are part of the game."""

    def cut_connections(self) -> None:
        """Ends the connections that are kept alive; after this nothing is answered any more."""
        with self._lock:
            left = list(self._open)
        for connection in left:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    wbufsize = -1  # head and body leave in one piece
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer("GET")

    def do_OTHER(self) -> None:
        self._answer(self.command)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_OTHER

    def log_message(self, format: str, *arguments: object) -> None:
        """The request log is the only one."""

    def _answer(self, method: str) -> None:
        started = time.monotonic()
        path, _, query = self.path.partition("?")
        answer = self._decide(method, path, query)
        if answer.delay_s:
            time.sleep(answer.delay_s)
        now = self.server.answers.clock()
        sent = 0 if answer.reset else answer.status
        self.server.log.add(
            when=f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
            method=method,
            path=path,
            query=query,
            status=sent,
            records=answer.records,
            milliseconds=(time.monotonic() - started) * 1000,
            faults=answer.faults,
        )
        if answer.reset:
            self._reset()
        else:
            self._send(method, answer, format_datetime(now.replace(microsecond=0), usegmt=True))

    def _decide(self, method: str, path: str, query: str) -> Answer:
        standing = self.server.limit.take(self.headers.get("Authorization", ""))
        if not self._is_authorized():
            answer = refused_key()
        elif not standing.allowed:
            answer = throttled(standing.reset_s if self.server.answers.switches.retry_after else None)
        else:
            try:
                answer = self.server.answers.answer(method, path, query)
            except Exception as error:  # noqa: BLE001 - told to whoever runs the simulator, not to its client
                self.server.failures.append(error)
                answer = server_error()
        return answer.with_standing(standing)

    def _is_authorized(self) -> bool:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "basic" and hmac.compare_digest(
            given.strip().encode("latin-1", "replace"), self.server.credentials
        )

    def _send(self, method: str, answer: Answer, date: str) -> None:
        self.send_response_only(answer.status)
        if answer.has_date:
            self.send_header("Date", date)
        if answer.content_type:
            self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        has_body = self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers
        if has_body or answer.cut_short:
            self.send_header("Connection", "close")  # a request's body is not read here
            self.close_connection = True
        self.end_headers()
        body = answer.body[: len(answer.body) // 2] if answer.cut_short else answer.body
        if method != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _reset(self) -> None:
        """Ends the connection with a reset instead of an orderly close."""
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        with suppress(OSError):
            self.rfile.close()
            self.connection.close()
