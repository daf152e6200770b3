"""Reading lists: complete, in one piece, or not at all. Against answers that are made up page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotgate.errors import EnvironmentFailed
from lotgate.shipstation.failures import CredentialsRefused, FetchIncomplete, RequestFailed, WrongAnswer
from lotgate.shipstation.paging import PASSES, ListRequest, Place, read_list
from lotgate.shipstation.records import UnreadableRecord

Asked = tuple[int, int]
"""Page number and page size."""


@dataclass
class Lists:
    """A list of numbers, served in pages; ``change`` may alter an answer, or raise, at each request."""

    rows: list[Any]
    change: Callable[[Lists, Asked, dict[str, Any]], Any] = lambda lists, asked, answer: answer
    asked: list[Asked] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        self.paths.append(path)
        if query is None:
            return self.change(self, (0, 0), {"stores": []})
        number, size = int(query["page"]), int(query["pageSize"])
        assert query["filter"] == "kept"
        self.asked.append((number, size))
        answer = {
            "numbers": self.rows[(number - 1) * size : number * size],
            "total": len(self.rows),
            "page": number,
            "pages": -(-len(self.rows) // size),
        }
        return self.change(self, (number, size), answer)


@dataclass
class Basket:
    """Where the records go."""

    kept: dict[int, int] = field(default_factory=dict)
    advanced: float = 0

    def put(self, records: Iterable[int]) -> None:
        self.kept |= {record % 1000: record for record in records}

    def advance(self, amount: float) -> None:
        self.advanced += amount


def read_number(value: object) -> int:
    if not isinstance(value, int):
        raise UnreadableRecord("the number is missing")
    return value


def read(
    lists: Lists, basket: Basket, size: int = 3, place: Callable[[int], Place] = lambda number: Place.inside
) -> int:
    request = ListRequest(
        name="numbers",
        query={"filter": "kept"},
        read=read_number,
        identity=lambda number: number % 1000,
        put=basket.put,
        place=place,
    )
    return read_list(lists, request, size, basket.advance)


@given(st.integers(0, 60), st.integers(1, 25))
def test_reads_all_pages_once(count: int, size: int) -> None:
    lists, basket = Lists(list(range(1, count + 1))), Basket()
    assert read(lists, basket, size) == count
    assert sorted(basket.kept) == lists.rows
    assert lists.asked == [(page, size) for page in range(1, max(1, -(-count // size)) + 1)]
    assert (basket.advanced, lists.slept, lists.notes) == (count, [], [])


def test_a_list_that_says_one_page_when_empty_is_empty() -> None:
    lists = Lists([], lambda lists, asked, answer: {**answer, "pages": 1})
    assert read(lists, Basket()) == 0


def test_a_row_that_appears_between_pages_makes_the_pass_not_count() -> None:
    def insert(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        if len(lists.asked) == 1:
            lists.rows.insert(0, 99)  # shifts the others: the third row comes twice
        return answer

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], insert), Basket()
    assert read(lists, basket) == 8
    assert sorted(basket.kept) == [1, 2, 3, 4, 5, 6, 7, 99]
    assert lists.asked == [(1, 3), (2, 3), (1, 3), (2, 3), (3, 3)]
    assert lists.notes == ["numbers: the number of records changed from 7 to 8; reading all pages again"]


def test_a_row_that_goes_between_pages_makes_the_pass_not_count() -> None:
    def remove(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        if len(lists.asked) == 1:
            lists.rows.remove(1)
        return answer

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], remove), Basket()
    assert read(lists, basket) == 6
    assert {2, 3, 4, 5, 6, 7} <= set(basket.kept)


def test_a_double_that_hides_a_missing_row_is_noticed() -> None:
    def shift(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        if len(lists.asked) == 2:
            answer["numbers"] = lists.rows[2:5]  # 3 again, and 6 never
        return answer

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], shift), Basket()
    assert read(lists, basket) == 7
    assert 6 in basket.kept
    assert lists.notes == ["numbers: a record came twice; reading all pages again"]


def test_the_newest_reading_of_a_record_wins() -> None:
    def edit(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        if len(lists.asked) == 1:
            lists.rows[0] = 1001
            return {**answer, "total": 8}
        return answer

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], edit), Basket()
    assert read(lists, basket) == 7
    assert basket.kept[1] == 1001


def test_an_empty_page_before_the_last_is_not_the_end() -> None:
    def empty(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        return {**answer, "numbers": []} if len(lists.asked) == 2 else answer

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], empty), Basket()
    assert read(lists, basket) == 7
    assert lists.asked == [(1, 3), (2, 3), (2, 3), (3, 3)]


def always(**changes: Any) -> Callable[[Lists, Asked, dict[str, Any]], Any]:
    return lambda lists, asked, answer: {**answer, **changes}


NEVER_OF_ONE_PIECE: dict[str, Callable[[Lists, Asked, dict[str, Any]], Any]] = {
    "the total grows with every request": lambda lists, asked, answer: {
        **answer,
        "total": 7 + len(lists.asked),
        "pages": 3 + len(lists.asked),
    },
    "the total is larger than what comes": always(total=9),
    "the total is smaller than what comes": always(total=5, pages=2),
    "no total": always(total=None),
    "no pages": always(pages=None),
    "a negative total": always(total=-1),
    "too few pages for the total": always(pages=2),
    "more pages than records": always(pages=8),
    "pages without records": always(total=0, pages=3),
    "always the first page": always(page=1),
    "always the first rows": lambda lists, asked, answer: {**answer, "numbers": lists.rows[:3]},
    "no list": always(numbers=None),
    "an object for a list": always(numbers={}),
    "an array for an answer": lambda lists, asked, answer: [answer],
    "no list in the answer": lambda lists, asked, answer: {"message": "maintenance"},
    "the middle page is always empty": lambda lists, asked, answer: {
        **answer,
        "numbers": [] if asked[0] == 2 else answer["numbers"],
    },
}


@pytest.mark.parametrize("name", NEVER_OF_ONE_PIECE)
def test_a_list_that_is_never_of_one_piece_is_incomplete(name: str) -> None:
    lists = Lists([1, 2, 3, 4, 5, 6, 7], NEVER_OF_ONE_PIECE[name])
    with pytest.raises(FetchIncomplete, match=f"numbers is incomplete: it was read {PASSES} times") as failed:
        read(lists, Basket())
    assert failed.value.exit_code == 3
    assert failed.value.hint
    assert len(lists.notes) == PASSES - 1
    assert PASSES <= lists.asked.count((1, 3)) <= 3 * PASSES


def test_a_total_beyond_all_reason_is_not_read() -> None:
    lists = Lists([1], always(total=10**9, pages=10**7))
    with pytest.raises(FetchIncomplete, match="1000000000 records"):
        read(lists, Basket(), 100)
    assert len(lists.asked) == 1


def test_a_server_with_smaller_pages_than_asked_for_is_read_completely() -> None:
    def smaller(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        at = (asked[0] - 1) * 2
        return {**answer, "numbers": lists.rows[at : at + 2], "pages": 4}

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], smaller), Basket()
    assert read(lists, basket, 500) == 7
    assert len(lists.asked) == 4


def test_a_server_with_smaller_pages_that_skips_a_record_is_noticed() -> None:
    def skip(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        at = (asked[0] - 1) * 2
        return {**answer, "numbers": [row for row in lists.rows[at : at + 2] if row != 4], "pages": 4}

    with pytest.raises(FetchIncomplete, match="6 different records came of 7"):
        read(Lists([1, 2, 3, 4, 5, 6, 7], skip), Basket(), 500)


@pytest.mark.parametrize("wrong", [None, "x", {}])
def test_a_page_with_an_unreadable_record_is_asked_for_again(wrong: object) -> None:
    def spoil(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        return {**answer, "numbers": [4, wrong, 6]} if len(lists.asked) in (2, 3) else answer

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7], spoil), Basket()
    assert read(lists, basket) == 7
    assert lists.asked == [(1, 3), (2, 3), (2, 3), (2, 3), (3, 3)]
    assert lists.slept == [1.0, 2.0]


def test_a_record_that_stays_unreadable_makes_the_list_incomplete_and_is_named_by_its_position() -> None:
    lists, basket = Lists([1, 2, 3, 4, None, 6, 7]), Basket()
    with pytest.raises(FetchIncomplete, match=r"record 5 of 7 cannot be read \(the number is missing\)"):
        read(lists, basket)
    assert 4 not in basket.kept


def failing(poisoned: set[int], ends_at: int) -> Callable[[Lists, Asked, dict[str, Any]], Any]:
    """500 for every page with one of the rows, as long as it has more than ``ends_at`` rows."""

    def fail(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        if asked[1] > ends_at and poisoned & set(answer.get("numbers", ())):
            raise RequestFailed("status 500.", page_may_be_at_fault=True)
        return answer

    return fail


@given(
    st.integers(1, 70),
    st.sampled_from([1, 2, 7, 12, 25, 30, 500]),
    st.sets(st.integers(1, 70), max_size=3),
    st.integers(1, 5),
)
def test_a_page_that_fails_is_read_in_parts_without_losing_a_record(
    count: int, size: int, poisoned: set[int], ends_at: int
) -> None:
    lists, basket = Lists(list(range(1, count + 1)), failing(poisoned, ends_at)), Basket()
    assert read(lists, basket, size) == count
    assert sorted(basket.kept) == lists.rows


def test_a_page_of_500_is_taken_apart_with_few_requests() -> None:
    lists, basket = Lists(list(range(1, 1000)), failing({777}, 1)), Basket()
    assert read(lists, basket, 500) == 999
    assert len(lists.asked) < 25
    assert {size for _, size in lists.asked} == {500, 250, 125, 25, 5, 1}
    assert lists.paths.count("/stores") == 1


def test_a_record_that_fails_by_itself_makes_the_list_incomplete_and_is_named() -> None:
    lists = Lists(list(range(1, 1000)), failing({777}, 0))
    with pytest.raises(FetchIncomplete, match="record 777 of 999 cannot be read"):
        read(lists, Basket(), 500)


def test_a_server_that_fails_for_everything_is_not_asked_for_smaller_pages() -> None:
    def down(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        raise RequestFailed("It did not answer.", hint="Later.", page_may_be_at_fault=True)

    lists = Lists([1, 2, 3], down)
    with pytest.raises(FetchIncomplete, match=r"numbers is incomplete. It did not answer\.") as failed:
        read(lists, Basket(), 500)
    assert failed.value.hint == "Later."
    assert lists.paths == ["/numbers", "/stores"]


def test_a_lost_connection_half_way_makes_the_list_incomplete() -> None:
    def lost(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        if asked[0] == 2:
            raise RequestFailed("no connection.")
        return answer

    lists, basket = Lists([1, 2, 3, 4, 5], lost), Basket()
    with pytest.raises(FetchIncomplete):
        read(lists, basket)
    assert lists.asked == [(1, 3), (2, 3)]


@pytest.mark.parametrize("error", [CredentialsRefused("no"), EnvironmentFailed("no"), KeyboardInterrupt()])
def test_what_is_no_matter_of_this_list_comes_through(error: BaseException) -> None:
    def fail(lists: Lists, asked: Asked, answer: dict[str, Any]) -> Any:
        raise error

    with pytest.raises(type(error)) as raised:
        read(Lists([1], fail), Basket())
    assert raised.value is error


def test_a_record_that_was_not_asked_for_stops_everything_before_its_page_is_kept() -> None:
    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7]), Basket()
    with pytest.raises(WrongAnswer, match="was not asked for") as failed:
        read(lists, basket, place=lambda number: Place.elsewhere if number == 5 else Place.inside)
    assert failed.value.exit_code == 1
    assert sorted(basket.kept) == [1, 2, 3]


def test_records_beside_the_window_belong_to_the_list_and_are_not_kept() -> None:
    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7]), Basket()
    assert read(lists, basket, place=lambda n: Place.beside if n in (1, 7) else Place.inside) == 5
    assert sorted(basket.kept) == [2, 3, 4, 5, 6]


def test_a_record_that_moved_away_makes_the_pass_not_count() -> None:
    moved = [5]

    def place(number: int) -> Place:
        if number in moved:
            moved.clear()
            return Place.moved
        return Place.inside

    lists, basket = Lists([1, 2, 3, 4, 5, 6, 7]), Basket()
    assert read(lists, basket, place=place) == 7
    assert lists.notes == ["numbers: a record changed meanwhile; reading all pages again"]
    with pytest.raises(FetchIncomplete, match="a record changed meanwhile"):
        read(Lists([1]), Basket(), place=lambda number: Place.moved)
