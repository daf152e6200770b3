"""One GET request to ShipStation: sent within its rate limit, tried again where that helps, parsed.

Only GET is ever sent. No redirect is followed, since key and secret go with every request. No error, note or
repr has a credential, a query or a part of an answer.
"""

from __future__ import annotations

import json
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import Any, Final, Literal, NoReturn
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3
from requests.auth import HTTPBasicAuth

from lotgate.config import ShipStationSettings
from lotgate.errors import EnvironmentFailed
from lotgate.shipstation.failures import CredentialsRefused, RequestFailed
from lotgate.shipstation.headers import RateLimit, ServerClock, retry_after

__all__ = ["Transport"]

LARGEST_BODY: Final = 64 * 1024 * 1024
CHUNK: Final = 64 * 1024
CONNECT_S: Final = 30.0
LONGEST_BACKOFF_S: Final = 60.0
# a request that is one too many says nothing about the server, but somebody else may use up every window
THROTTLED_PER_ATTEMPT: Final = 5
THROTTLED: Final = "too many requests"
# a body with that text is short; in a long one it is somebody's note
LONGEST_THROTTLED: Final = 4096
HERE: Final = ("127.0.0.1", "localhost", "::1")
KEYS_HINT: Final = (
    "Check SHIPSTATION_API_KEY and SHIPSTATION_API_SECRET: a key pair for ShipStation's V1 API."
)


@dataclass(frozen=True)
class _Body:
    """What a reply's body holds; ``wrong`` says what it is instead of JSON, in words."""

    value: Any
    wrong: str | None
    throttled: bool


class _Again(Exception):
    """The request may be sent again. ``what`` happened; ``wait_s`` None leaves the pause to the backoff."""

    def __init__(
        self,
        kind: Literal["failed", "refused", "throttled"],
        what: str,
        *,
        wait_s: float | None = None,
        reached: bool = True,
    ) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what
        self.wait_s = wait_s
        self.reached = reached


class Transport:
    """A connection to ShipStation's API. ``note`` is called with what it waits for, in words.

    ``clock`` gives seconds that only go forward, ``sleep`` waits for seconds; both are replaced in tests.
    """

    def __init__(
        self,
        settings: ShipStationSettings,
        auth: tuple[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        note: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self.clock = clock
        self.sleep = sleep
        self.note = note
        self.requests = 0
        self.server_clock = ServerClock()
        self._limit = RateLimit()
        self._session = requests.Session()
        key, secret = auth
        self._session.auth = HTTPBasicAuth(key.encode(), secret.encode())
        self._session.headers.update({"Accept": "application/json", "User-Agent": "lotgate"})
        if urlsplit(self._url).hostname in HERE:
            self._session.trust_env = False  # a stand-in on this machine is not behind the network's proxy

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def get(self, path: str, query: Mapping[str, str] | None = None, *, missing_ok: bool = False) -> Any:
        """The parsed JSON of the answer, numbers as int or Decimal; None for 404 where ``missing_ok``.

        5xx, timeouts, lost connections, and 200 with a body that is no JSON are tried again, with growing
        pauses, ``attempts`` times in all; 429 after the wait that it asks for; a 401 once. Raises
        RequestFailed where that did not help, CredentialsRefused for a second 401 and EnvironmentFailed for
        any other status.
        """
        happened: Counter[str] = Counter()

        def attempt() -> Any:
            try:
                return self._attempt(path, query or {}, missing_ok)
            except _Again as again:
                happened[again.kind] += 1
                raise

        def is_over(state: tenacity.RetryCallState) -> bool:
            attempts = self._settings.attempts
            return (
                happened["failed"] >= attempts
                or happened["refused"] >= 2
                or happened["throttled"] >= THROTTLED_PER_ATTEMPT * attempts
            )

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            wait=self._pause,
            stop=is_over,
            sleep=self.sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _Again as last:
            _give_up(path, last, happened.total())

    def _attempt(self, path: str, query: Mapping[str, str], missing_ok: bool) -> Any:
        wait = self._limit.wait_s(self.clock())
        if wait > 0:
            self.note(f"waiting {wait:.0f} s for ShipStation's rate limit")
            self.sleep(wait)
        self.requests += 1
        sent_at = self.clock()
        self._limit.sent(sent_at)
        try:
            response = self._session.get(
                self._url + path,
                params=dict(query),
                timeout=(min(CONNECT_S, self._settings.timeout_s), self._settings.timeout_s),
                allow_redirects=False,
                stream=True,
            )
        except requests.ConnectTimeout:
            raise _Again("failed", f"no connection within {CONNECT_S:g} s", reached=False) from None
        except requests.Timeout:
            raise _Again("failed", f"no answer within {self._settings.timeout_s:g} s") from None
        except requests.ConnectionError as error:
            reason = _innermost(error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise EnvironmentFailed(
                    f"The certificate of {self._host} is not to be trusted: {reason.verify_message}.",
                    hint="Check the address in [shipstation] of lotgate.toml, and this machine's time and"
                    " certificates.",
                ) from None
            raise _Again("failed", f"no connection ({_kind(reason)})", reached=False) from None
        except requests.RequestException as error:
            raise EnvironmentFailed(
                f"ShipStation at {self._host} cannot be asked ({type(error).__name__}).",
                hint="Check the address in [shipstation] of lotgate.toml, and the proxy settings.",
            ) from None
        received_at = self.clock()
        self._limit.replied(response.headers, received_at)
        try:
            body = _parse(self._read(response, sent_at))
        finally:
            response.close()
        return self._judge(path, response, body, missing_ok, sent_at, received_at)

    def _read(self, response: requests.Response, sent_at: float) -> bytes:
        """The whole body, unless it takes longer than ``timeout_s`` in all or is cut off."""
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK, decode_content=True):
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise EnvironmentFailed(
                        f"ShipStation's answer is longer than {LARGEST_BODY // 1024**2} MB.",
                        hint="Lower page_size in [shipstation] of lotgate.toml.",
                    )
                if self.clock() - sent_at > self._settings.timeout_s:
                    raise _Again("failed", f"no whole answer within {self._settings.timeout_s:g} s")
        except urllib3.exceptions.ReadTimeoutError:
            raise _Again("failed", f"no whole answer within {self._settings.timeout_s:g} s") from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise _Again("failed", "an answer that was cut off") from None
        return bytes(body)

    def _judge(
        self,
        path: str,
        response: requests.Response,
        body: _Body,
        missing_ok: bool,
        sent_at: float,
        received_at: float,
    ) -> Any:
        status = response.status_code
        if status == 429 or body.throttled:
            self._limit.throttled(response.headers, received_at)
            raise _Again("throttled", "too many requests", wait_s=0.0)
        if status == 401:
            raise _Again("refused", "status 401", wait_s=1.0)
        if status >= 500 or status == 408:
            raise _Again("failed", f"status {status}", wait_s=retry_after(response.headers))
        if status == 404 and missing_ok:
            return None
        if status == 403:
            raise CredentialsRefused(
                f"ShipStation does not allow these credentials to read {path} (status 403).", hint=KEYS_HINT
            )
        if status not in (200, 204):
            raise EnvironmentFailed(
                f"ShipStation answered {path} with status {status}.",
                hint="Check the address in [shipstation] of lotgate.toml."
                if status == 404 or 300 <= status < 400
                else None,
            )
        if body.wrong is not None:
            raise _Again("failed", body.wrong)
        self.server_clock.replied(response.headers, sent_at, received_at)
        return body.value

    @property
    def _host(self) -> str:
        return urlsplit(self._url).hostname or self._url

    def _pause(self, state: tenacity.RetryCallState) -> float:
        backoff = tenacity.wait_exponential_jitter(initial=1, max=LONGEST_BACKOFF_S)(state)
        wait_s = _last(state).wait_s
        if wait_s is None:
            return backoff
        return wait_s if _last(state).kind == "throttled" else max(wait_s, backoff)

    def _tell(self, state: tenacity.RetryCallState) -> None:
        # of a full window the wait before the next request tells
        if _last(state).kind != "throttled" and state.next_action is not None:
            self.note(f"ShipStation: {_last(state).what}; asking again in {state.next_action.sleep:.0f} s")


def _last(state: tenacity.RetryCallState) -> _Again:
    assert state.outcome is not None
    error = state.outcome.exception()
    assert isinstance(error, _Again)
    return error


def _give_up(path: str, last: _Again, times: int) -> NoReturn:
    if last.kind == "refused":
        raise CredentialsRefused("ShipStation refused key and secret (status 401).", hint=KEYS_HINT) from None
    if last.kind == "throttled":
        raise RequestFailed(
            f"ShipStation refused {path} as one request too many, {times} times.",
            hint="Another program uses up the limit of this key pair: stop it, or give lotgate its own.",
        ) from None
    raise RequestFailed(
        f"ShipStation did not answer {path}, asked {times} {'time' if times == 1 else 'times'}: {last.what}.",
        hint="Try again later; nothing was lost." if last.reached else "Check the network, then try again.",
        page_may_be_at_fault=last.reached,
    ) from None


def _parse(body: bytes) -> _Body:
    """The body as JSON. A gateway's HTML, nothing at all or half an answer is none, whatever the status."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _Body(None, "an answer that is no text", False)
    throttled = len(text) <= LONGEST_THROTTLED and THROTTLED in text.lower()
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, DecimalException):
        wrong = "an answer that is no JSON" if text.strip() else "an empty answer"
        return _Body(None, wrong, throttled)
    if not isinstance(value, (dict, list)):
        return _Body(None, "an answer that is no object", throttled)
    # a record may have the words in a note
    message = str(value.get("message") or value.get("Message") or "") if isinstance(value, dict) else ""
    return _Body(value, None, THROTTLED in message.lower())


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _innermost(error: BaseException) -> BaseException:
    """The error that the others were made from: their texts hold the whole query."""
    seen = [error]
    while True:
        last = seen[-1]
        inner = [part for part in last.args if isinstance(part, BaseException)]
        following = getattr(last, "reason", None) or last.__cause__ or (inner[0] if inner else None)
        if not isinstance(following, BaseException) or following in seen:
            return last
        seen.append(following)


def _kind(error: BaseException) -> str:
    return error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
