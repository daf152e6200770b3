"""Reading a list of ShipStation's completely, or not at all.

A list is evaluated anew for every page, so that records may move between the pages while they are read. What
was read counts only when one pass over all pages was of one piece: the same total on every page, and as many
different records as that total (``docs/shipstation.md``, section 0).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, NoReturn, Protocol, TypeVar

from lotgate.shipstation.failures import FetchIncomplete, RequestFailed, WrongAnswer
from lotgate.shipstation.records import UnreadableRecord, whole_number

__all__ = ["ListRequest", "Pages", "Place", "read_list"]

PASSES: Final = 5
# how often a page that is short or has an unreadable record is asked for, before that is taken as it is
PAGE_READINGS: Final = 3
# years of the busiest account: a larger total is a mistake, and reading it would take hours
MOST_RECORDS: Final = 5_000_000
_Record = TypeVar("_Record")


class Place(Enum):
    """Where a record lies as to what was asked for.

    ``beside`` is within the small margin that was asked for besides: it belongs to the list, and is not kept.
    ``moved`` has left the window since the list was made. ``elsewhere`` means that the list is about
    something else.
    """

    inside = "inside"
    beside = "beside"
    moved = "moved"
    elsewhere = "elsewhere"


class Pages(Protocol):
    """What reading a list needs of the transport."""

    note: Callable[[str], None]
    sleep: Callable[[float], None]

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The parsed answer; raises RequestFailed."""


@dataclass(frozen=True)
class ListRequest(Generic[_Record]):
    """A list to read.

    ``name`` is its name in the path and in the answer; ``read`` makes a record of what was sent, or raises
    UnreadableRecord; ``put`` takes the records of a page that lie inside, which ``place`` says.
    """

    name: str
    query: Mapping[str, str]
    read: Callable[[object], _Record]
    identity: Callable[[_Record], int]
    put: Callable[[Iterable[_Record]], None]
    place: Callable[[_Record], Place]


def read_list(
    transport: Pages,
    request: ListRequest[_Record],
    page_size: int,
    advance: Callable[[float], None] = lambda amount: None,
) -> int:
    """Reads all pages into ``request.put`` and returns how many different records lie inside.

    ``advance`` is told how many records came.

    A pass that is not of one piece is repeated, a few times; what comes again is put again, so that the
    newest reading wins. A page that ends in errors of the server is read in smaller ones, down to single
    records. Raises FetchIncomplete where no pass was of one piece or a page cannot be read, WrongAnswer where
    the list is about something else, and CredentialsRefused or EnvironmentFailed as the transport does.
    """
    reader = _Reader(transport, request, advance)
    why = ""
    try:
        for number in range(PASSES):
            if number:
                transport.note(f"{request.name}: {why}; reading all pages again")
                transport.sleep(float(number))
            try:
                return reader.read_once(page_size)
            except _NotOfOnePiece as error:
                why = str(error)
    except RequestFailed as error:
        raise FetchIncomplete(
            f"The list of {request.name} is incomplete. {error}", hint=error.hint
        ) from error
    raise FetchIncomplete(
        f"The list of {request.name} is incomplete: it was read {PASSES} times, and {why}.",
        hint="Try again when ShipStation is less busy, or with a shorter window.",
    )


class _NotOfOnePiece(Exception):
    """This pass does not count; it says why, in words."""


@dataclass
class _Pass:
    """One pass over all pages: what it has seen so far."""

    total: int | None = None
    pages: dict[int, int] = field(default_factory=dict)  # by page size
    seen: set[int] = field(default_factory=set)
    inside: set[int] = field(default_factory=set)


@dataclass
class _Reader(Generic[_Record]):
    transport: Pages
    request: ListRequest[_Record]
    advance: Callable[[float], None]
    server_works: bool = False

    def read_once(self, page_size: int) -> int:
        """One pass. Raises _NotOfOnePiece where it does not count."""
        state = _Pass()
        number = 1
        while True:
            self._read_page(number, page_size, state)
            assert state.total is not None
            if number >= state.pages.get(page_size, -(-state.total // page_size)):
                break
            number += 1
        if len(state.seen) != state.total:
            raise _NotOfOnePiece(f"{len(state.seen)} different records came of {state.total}")
        return len(state.inside)

    def _read_page(self, number: int, size: int, state: _Pass) -> None:
        """Reads a page into the spool; in parts, where the server fails for the whole."""
        before = (number - 1) * size
        try:
            sent, records = self._ask(number, size, state)
        except RequestFailed as error:
            if not error.page_may_be_at_fault:
                raise
            self._check_server()
            if size == 1:
                self._unreadable(before + 1, state, "ShipStation fails for it even alone")
            part = size // _smallest_factor(size)  # so that the parts begin where the page begins
            for first in range(before, before + size, part):
                if state.total is None or first < state.total:
                    self._read_page(first // part + 1, part, state)
            return
        inside = []
        for record in records:
            identity = self.request.identity(record)
            if identity in state.seen:
                raise _NotOfOnePiece("a record came twice")  # so that another one did not come
            state.seen.add(identity)
            place = self.request.place(record)
            if place is Place.elsewhere:
                raise WrongAnswer(
                    f"ShipStation's list of {self.request.name} has a record that was not asked for.",
                    hint="The list was not used. Check the address in [shipstation] of lotgate.toml; where"
                    " it is right, ShipStation does not heed the filter, or reads it in another way.",
                )
            if place is Place.moved:
                raise _NotOfOnePiece("a record changed meanwhile")
            if place is Place.inside:
                state.inside.add(identity)
                inside.append(record)
        self.request.put(inside)
        self.advance(sent)

    def _ask(self, number: int, size: int, state: _Pass) -> tuple[int, list[_Record]]:
        """The records of a page, and how many were sent; asked again where one of them cannot be read."""
        name = self.request.name
        query = {**self.request.query, "page": str(number), "pageSize": str(size)}
        short = None
        for reading in range(PAGE_READINGS):
            if reading:
                self.transport.sleep(float(reading))
            sent = self._check(self.transport.get(f"/{name}", query), number, size, state)
            short = self._short(len(sent), number, size, state)
            if short is not None:
                continue
            records = []
            for record in sent:
                try:
                    records.append(self.request.read(record))
                except UnreadableRecord as error:
                    position, wrong = (number - 1) * size + len(records) + 1, str(error)
                    break
            else:
                return len(sent), records
        if short is not None:
            raise _NotOfOnePiece(short)
        self._unreadable(position, state, wrong)

    def _short(self, sent: int, number: int, size: int, state: _Pass) -> str | None:
        """In words, that a page has fewer or more records than its place in the list asks for."""
        assert state.total is not None
        if state.pages[size] != -(-state.total // size):
            return None  # the server's pages are smaller, so that only the whole tells
        due = max(0, min(size, state.total - (number - 1) * size))
        return None if sent == due else f"a page had {sent} records instead of {due}"

    def _check(self, answer: Any, number: int, size: int, state: _Pass) -> list[Any]:
        """The records as they were sent, of a page that agrees with the pages before it."""
        sent = answer.get(self.request.name) if isinstance(answer, dict) else None
        if not isinstance(sent, list):
            raise _NotOfOnePiece("an answer held no list")
        total, pages = whole_number(answer.get("total")), whole_number(answer.get("pages"))
        if total is None or pages is None or total < 0:
            raise _NotOfOnePiece("an answer did not say how many records there are")
        if total > MOST_RECORDS:
            raise FetchIncomplete(
                f"ShipStation says that its list of {self.request.name} has {total} records.",
                hint="Ask for a shorter window.",
            )
        # a server that sends smaller pages than asked for says so with a larger number of pages
        if not (pages in (0, 1) if total == 0 else -(-total // size) <= pages <= total):
            raise _NotOfOnePiece(f"an answer spoke of {total} records on {pages} pages")
        if answer.get("page") is not None and whole_number(answer["page"]) != number:
            raise _NotOfOnePiece("another page came than the one asked for")
        if state.total is None:
            state.total = total
        if total != state.total:
            raise _NotOfOnePiece(f"the number of records changed from {state.total} to {total}")
        if pages != state.pages.setdefault(size, pages):
            raise _NotOfOnePiece("the number of pages changed")
        return sent

    def _check_server(self) -> None:
        """Raises RequestFailed where the server fails for everything, so that smaller pages are no use."""
        if not self.server_works:
            self.transport.get("/stores")
            self.server_works = True

    def _unreadable(self, position: int, state: _Pass, wrong: str) -> NoReturn:
        of = "" if state.total is None else f" of {state.total}"
        raise FetchIncomplete(
            f"The list of {self.request.name} is incomplete: record {position}{of} cannot be read ({wrong}).",
            hint="Look at that record in ShipStation, in the order of creation, or try again later.",
        )


def _smallest_factor(number: int) -> int:
    return next(factor for factor in range(2, number + 1) if number % factor == 0)
