"""The request log: one line a request, without secrets, in memory and, where wanted, in a file."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qsl, quote, urlencode

from lotgate.errors import EnvironmentFailed

__all__ = ["Entry", "RequestLog"]

SHOWN_AS_THEY_ARE = re.compile(
    r"(page|pageSize|sortBy|sortDir|includeShipmentItems|storeId|shipmentId|orderId|orderIds|fulfillmentId|orderNumber"
    r"|orderStatus|shipmentStatus|batchId|carrierCode|serviceCode"
    r"|(create|modify|order|payment|ship|void)Date(Start|End))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Entry:
    """One answered request. ``when`` is the simulated time in UTC; ``status`` is 0 after a reset."""

    number: int
    when: str
    method: str
    path: str
    query: str
    status: int
    records: int | None
    milliseconds: float
    faults: tuple[str, ...]

    def line(self) -> str:
        """The entry as a line of the log."""
        target = self.path + (f"?{self.query}" if self.query else "")
        records = "-" if self.records is None else str(self.records)
        faults = f" fault={','.join(self.faults)}" if self.faults else ""
        status = str(self.status) if self.status else "cut"
        tail = f"{status} records={records} ms={self.milliseconds:.1f}{faults}"
        return f"{self.when} {self.method} {target} {tail}"


def masked_query(query: str) -> str:
    """The query with the values of all names that are not known to be harmless replaced by ``***``."""
    pairs = parse_qsl(query, keep_blank_values=True)
    shown = [(name, value if SHOWN_AS_THEY_ARE.fullmatch(name) else "***") for name, value in pairs]
    return urlencode(shown, quote_via=quote, safe=":/*")


def masked_path(path: str) -> str:
    """The path in printable characters, cut to a sensible length."""
    return quote(path, safe="/%:@!$&'()*+,;=~-._")[:200]


class RequestLog:
    """All entries, in the order in which they were answered. Thread safe."""

    def __init__(self, file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._file: TextIO | None = None
        if file is not None:
            try:
                descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            except OSError as error:
                raise EnvironmentFailed(
                    f"The request log {file} cannot be written: {error.strerror}.",
                    hint="Name another file with --log.",
                ) from error
            self._file = os.fdopen(descriptor, "a", encoding="utf-8")

    def add(
        self,
        *,
        when: str,
        method: str,
        path: str,
        query: str,
        status: int,
        records: int | None,
        milliseconds: float,
        faults: tuple[str, ...],
    ) -> None:
        """Adds an entry, and its line to the file; ``path`` and ``query`` are masked here."""
        with self._lock:
            entry = Entry(
                number=len(self._entries) + 1,
                when=when,
                method=method,
                path=masked_path(path),
                query=masked_query(query),
                status=status,
                records=records,
                milliseconds=milliseconds,
                faults=faults,
            )
            self._entries.append(entry)
            if self._file is not None:
                self._file.write(entry.line() + "\n")
                self._file.flush()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """A copy, safe to look at while requests go on."""
        with self._lock:
            return tuple(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def close(self) -> None:
        """Closes the file; entries in memory stay."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
