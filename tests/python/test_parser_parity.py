"""The parser exists twice, in SQL and in Python: both read every pair alike (docs/rules.md section 1).

The SQL side is the compiled query of int_sku_texts, and of the models that it reads, on a legacy database in
which every column takes any value; the Python side is lotgate.parser.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Final, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiled_models import CompiledModels
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.parser import BLANKS, LotPosition, ParsedSku, Variant, is_real_day, parse_sku, trim

PROJECT: Final = Path(__file__).resolve().parents[2]

Value: TypeAlias = str | int | float | bytes | None
Pair: TypeAlias = tuple[Value, Value]

POSITIONS: Final[Mapping[int, LotPosition | None]] = {0: None, 1: "base_sku", 2: "sku_lot"}
LEAST_PAIRS: Final = 20_000
PASSES_ON: Final = ("stg_legacy__shipped_items", "int_sku_texts")


@dataclass(frozen=True)
class Controls:
    """What a pair is read with: the known SKUs and the lines of sku_variants.csv, as somebody wrote them."""

    known: tuple[Value, ...] = ("17612", "17904", "17914", "18675", "18795")
    variants: tuple[tuple[str, str, str | None], ...] = ()


@dataclass
class Tally:
    """What a run has compared."""

    pairs: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class SqlParser:
    """The models that read SKU texts, on a database that is filled and emptied for each batch."""

    connection: Connection
    queries: Mapping[str, str]

    def text_of(self, value: Value) -> str | None:
        """What SQLite takes a stored value for where a text is wanted: 17612.0 is '17612.0'."""
        found: str | None = self.connection.execute("select cast(? as text)", (value,)).fetchone()[0]
        return found

    def parse(self, pairs: Collection[Pair], controls: Controls) -> list[ParsedSku | None]:
        """What the models say of each pair; None for a pair of which they say nothing."""
        run = self.connection
        run.execute("savepoint batch")
        try:
            run.execute("delete from legacy.shipped_items")
            run.execute("delete from legacy.inventory_current")
            run.execute("delete from main.sku_variants")
            run.executemany(
                "insert into legacy.shipped_items (id, sku_lot, base_sku) values (?, ?, ?)",
                [(number, *pair) for number, pair in enumerate(pairs)],
            )
            run.executemany(
                "insert into legacy.inventory_current (sku, product_name) values (?, 'x')",
                [(sku,) for sku in controls.known],
            )
            run.executemany(
                "insert into main.sku_variants (raw_sku, sku_code, lot_number) values (?, ?, ?)",
                controls.variants,
            )
            for model in PASSES_ON:
                names = ", ".join(row[1] for row in run.execute(f"pragma table_info({model})"))
                run.execute(f"delete from main.{model}")
                run.execute(f"insert into main.{model} ({names}) select {names} from ({self.queries[model]})")
            found = run.execute(
                "select texts.sku_lot is not null, shipstation_sku_raw, sku_code, lot_number, lot_position,"
                " failure from stg_legacy__shipped_items as items"
                " left join int_sku_texts as texts using (sku_lot, base_sku) order by items.legacy_id"
            ).fetchall()
            return [
                ParsedSku(raw, sku, lot, POSITIONS[position], failure) if is_there else None
                for is_there, raw, sku, lot, position, failure in found
            ]
        finally:
            run.execute("rollback to batch")
            run.execute("release batch")

    def differences(
        self, pairs: Collection[Pair], controls: Controls, tally: Tally | None = None
    ) -> list[tuple[Pair, ParsedSku | None, ParsedSku]]:
        """The pairs that the two parsers read differently: the pair, by the models, by Python."""
        in_python = [
            parse_sku(
                self.text_of(sku_lot),
                self.text_of(base_sku),
                known_skus={trim(self.text_of(sku)) for sku in controls.known} - {""},
                variants={
                    trim(raw): Variant(trim(sku), trim(lot) or None) for raw, sku, lot in controls.variants
                },
            )
            for sku_lot, base_sku in pairs
        ]
        in_sql = self.parse(pairs, controls)
        assert len(in_sql) == len(in_python)
        if tally is not None:
            tally.pairs += len(pairs)
            tally.outcomes.update(f"{p.failure or 'read'} {p.lot_position or 'no lot'}" for p in in_python)
        compared = zip(pairs, in_sql, in_python, strict=True)
        return [(pair, sql, python) for pair, sql, python in compared if sql != python]


@pytest.fixture(scope="module")
def sql_parser(
    compiled_models: CompiledModels, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SqlParser]:
    legacy = tmp_path_factory.mktemp("keyless") / "ora.db"
    create_legacy_database(legacy, Shape.keyless).close()
    queries = {model.name: model.query for model in compiled_models.models}
    with compiled_models.run(legacy, None, None) as connection:
        yield SqlParser(connection, queries)


# ---- what there is to read ----------------

LOOK_ALIKES: Final = "\u180e\u200b\u200c\u200d\u2060\x1c\x1d\x1e\x1f\x08\u00ad\u2800\u3164\uffa0"
OTHER_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d_\u00ad"
OTHER_DIGITS: Final = "١٢٣۱०１２²³¹①Ⅻ½𝟏𝟙߁৪"
OTHERS: Final = "\0'\"`;%*?[]^\\/|.,+eExX|aé\u0301\u20e3😀👩\u200d🔬\u202e\ufffd\U0010ffff"

digits = st.sampled_from(
    [*("17612", "250300") * 3, "17904", "18795", "250237", "11001", "40", "99999", "017612", "0", "12345"]
) | st.from_regex("[0-9]{1,8}", fullmatch=True)
blanks = st.text(alphabet=BLANKS, max_size=3)
hyphens = st.integers(0, 3).flatmap(
    lambda kind: st.just("-") if kind else st.sampled_from(["--", "- -", "", *OTHER_DASHES])
)
specks = st.integers(0, 3).flatmap(
    lambda kind: st.just("") if kind else st.sampled_from(["\0", *LOOK_ALIKES, *OTHER_DIGITS, *OTHERS])
)
long_runs = st.builds(
    lambda part, size: part * (size // len(part)),
    st.sampled_from(["1", " ", "\u2003", "-", "\0", "a", "17612", " \u3000", "1 - 2", "é", "😀"]),
    st.integers(10_000, 12_000),
)
words = st.sampled_from(
    ["nan", "None", "NULL", "null", "", "-", " - ", "17612 - ", "- 250300", "17612|17914"]
)
alone = st.builds(lambda a, sku, b, x: f"{a}{sku}{x}{b}", blanks, digits, blanks, specks)
spelled = st.builds(
    lambda a, sku, b, hyphen, c, lot, d, x: f"{a}{sku}{b}{hyphen}{c}{lot}{x}{d}",
    blanks, digits, blanks, hyphens, blanks, digits, blanks, specks,
)  # fmt: skip
spelled_bytes: st.SearchStrategy[bytes] = spelled.map(lambda text: text.encode())
three_parts = st.builds(lambda *parts: "".join(parts), digits, hyphens, digits, hyphens, digits)
near_misses = st.lists(
    st.sampled_from([*BLANKS, *"0123456789--", *LOOK_ALIKES, *OTHER_DASHES, *OTHER_DIGITS, *OTHERS, "17612"]),
    max_size=8,
).map("".join)
very_long = st.builds(
    lambda head, run, tail: head + run + tail,
    st.sampled_from(["", "17612 - ", "17612", " "]),
    long_runs,
    st.sampled_from(["", "-250300", " - 250300", "\0", "x", "1"]),
)
numbers = (
    st.sampled_from([17612, 17612.0, 250300, 250300.0, 0, -17612, 1e300, float("inf"), 17612.5, 2**63 - 1])
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
)
# A value of the most frequent kinds more often, and few of those that are dear to compare.
values: st.SearchStrategy[Value] = st.integers(0, 39).flatmap(
    lambda kind: (
        spelled if kind < 14
        else alone if kind < 22
        else near_misses if kind < 28
        else words if kind < 31
        else three_parts if kind < 33
        else st.text(max_size=12) if kind < 35
        else numbers if kind < 37
        else st.none() if kind < 38
        else spelled_bytes if kind < 39
        else very_long
    )
)  # fmt: skip


KNOWN_SKUS: Final = st.sampled_from(["17612", " 17904\u00a0", 18795, "250300", "12345", None])
VARIANT_LOTS: Final = st.sampled_from(
    [None, "", " ", "250240", "40", "25O300", "\u00a0250300\t", "250300\0", "٢٥٠٣٠٠"]
)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Value], Controls]:
    """Some values, every pair of which is read, and controls that have to do with them."""
    found = draw(st.lists(values, min_size=14, max_size=26))
    texts = [value for value in found if isinstance(value, str) and 0 < len(trim(value)) < 100]
    known = draw(st.lists(KNOWN_SKUS, max_size=5))
    raw_texts = draw(st.lists(st.sampled_from(texts), max_size=4, unique_by=trim)) if texts else []
    variants = tuple(
        (
            draw(blanks) + raw + draw(blanks),
            draw(st.sampled_from(["17612", " 17904 ", "99999", "KIT"])),
            draw(VARIANT_LOTS),
        )
        for raw in raw_texts
    )
    # What most texts are read beside, in real life.
    return [*found, "", "17612", "17612 - 250070"], Controls(("17612", *known), variants)


def explained(differences: list[tuple[Pair, ParsedSku | None, ParsedSku]]) -> str:
    """The first few differences, short enough to be read."""
    return "\n".join(
        f"{str(pair)[:300]}\n  models {str(sql)[:300]}\n  python {str(python)[:300]}"
        for pair, sql, python in differences[:5]
    )


# ---- pairs ----------------


def test_models_and_python_read_every_pair_alike(sql_parser: SqlParser) -> None:
    tally = Tally()

    @given(batch=batches())
    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    def compare(batch: tuple[list[Value], Controls]) -> None:
        found, controls = batch
        differences = sql_parser.differences([*product(found, found)], controls, tally)
        assert not differences, explained(differences)

    compare()
    print(f"\n{tally.pairs:,} generated pairs: {dict(tally.outcomes.most_common())}")
    assert tally.pairs >= LEAST_PAIRS
    # Pairs of one kind only would prove little.
    assert {outcome.partition(" ")[0] for outcome in tally.outcomes} == {
        "read", "unparseable_sku", "sku_conflict", "unknown_sku", "implausible_lot",
    }  # fmt: skip
    assert min(tally.outcomes[f"read {place}"] for place in ("sku_lot", "base_sku", "no lot")) > 30


def test_models_and_python_read_every_short_text_alike(sql_parser: SqlParser) -> None:
    alphabet = ("1", "2", "-", " ", "\u00a0", "\0", "\u200b")
    texts = ["".join(text) for size in range(6) for text in product(alphabet, repeat=size)]
    controls = Controls(known=("1", "12", "2"))
    pairs: list[Pair] = [(text, base) for text in texts for base in ("", "1")]
    pairs += [(None, text) for text in texts]
    tally = Tally()
    differences = sql_parser.differences(pairs, controls, tally)
    assert not differences, explained(differences)
    print(f"\n{tally.pairs:,} pairs of short texts: {dict(tally.outcomes.most_common())}")


def test_lots_of_every_length_are_judged_alike(sql_parser: SqlParser) -> None:
    pairs: list[Pair] = [(f"17612 - {'1' * size}", "17612") for size in range(1, 12)]
    pairs += [("1" * size, "17612") for size in range(1, 12)]
    differences = sql_parser.differences(pairs, Controls())
    assert not differences, explained(differences)


EXAMPLES: Final[tuple[Pair, ...]] = (
    ("17612\u00a0-\u00a0250300", "17612"),
    ("\ufeff17612 - 250300", ""),
    ("17612 - 250300\0", "17612"),
    ("17612 - ٢٥٠٣٠٠", "17612"),
    ("250237", "17612"),
    ("17612", "17612 - 250070"),
    ("17612-40", "17612"),
    ("17612 - 250300 - 1", ""),
)


@pytest.mark.parametrize(
    ("sound", "broken"),
    [
        (", 160, ", ", "),
        ("'*[^0-9]*'", "'*[^0-9 -]*'"),
        ("char(0)", "'no such text'"),
        ("is_known_sku", "is_bare_number"),
        ("length(resolved.lot_number) < 5", "length(resolved.lot_number) < 2"),
    ],
)
def test_the_comparison_notices_a_broken_model(sql_parser: SqlParser, sound: str, broken: str) -> None:
    queries = {name: query.replace(sound, broken) for name, query in sql_parser.queries.items()}
    assert any(queries[model] != sql_parser.queries[model] for model in PASSES_ON)
    assert not sql_parser.differences(EXAMPLES, Controls())
    assert replace(sql_parser, queries=queries).differences(EXAMPLES, Controls())


# ---- blanks and days ----------------

MACROS: Final = {
    "trimmed": "{{ trim_blanks('value') }}",
    "is_real_day": "{{ is_real_day('value') }}",
    "real_day": "{{ real_day('value') }}",
    "stored_day": "{{ stored_day('value') }}",
}


@pytest.fixture(scope="module")
def macros(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """SQL expressions of a column `value`, as dbt compiles the macros."""
    target = tmp_path_factory.mktemp("inline")
    shutil.copyfile(demo_build / "dbt" / "partial_parse.msgpack", target / "partial_parse.msgpack")
    files = {
        "LOTGATE_LEGACY_DB": demo_build / "legacy.sqlite",
        "LOTGATE_SHIPSTATION_DB": demo_build / "shipstation.sqlite",
        "LOTGATE_FAILURES_DB": target / "failures.sqlite",
        "LOTGATE_CANDIDATE_DB": target / "candidate.sqlite",
        "LOTGATE_CONTROL_SEEDS": demo_build / "controls",
        "LOTGATE_DBT_DIR": target,
    }
    done = subprocess.run(
        [
            sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "compile",
            "--inline", "\n".join(f"/* {name} */ {macro}" for name, macro in MACROS.items()),
            "--target-path", str(target), "--log-path", str(target),
        ],
        cwd=PROJECT,
        env=os.environ | {name: str(path) for name, path in files.items()},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    parts = results[0]["compiled_code"].split("/* ")[1:]
    found = {name: sql for name, _, sql in (part.partition(" */ ") for part in parts)}
    assert found.keys() == MACROS.keys()
    return found


def test_sql_and_python_trim_the_same_characters(macros: Mapping[str, str]) -> None:
    query = (
        "with recursive points (point) as"
        " (select 1 union all select point + 1 from points where point < 1114111),"
        " padded as (select point, char(point) || 'x' || char(point) as value from points)"
        f" select point from padded where {macros['trimmed']} = 'x'"
    )
    connection = connect(":memory:")
    in_sql = {point for (point,) in connection.execute(query)}
    nul = connection.execute(f"select {macros['trimmed']} from (select ? as value)", ("\0x\0",)).fetchone()
    connection.close()
    in_python = {point for point in range(0x110000) if trim(f"{chr(point)}x{chr(point)}") == "x"}
    assert in_sql == in_python
    assert len(in_sql) == 26
    assert nul == ("\0x\0",)


def disagreements(macros: Mapping[str, str], texts: Iterable[str | None]) -> list[tuple[object, ...]]:
    """The texts of which a macro does not say what lotgate.parser says, with what the macros say."""
    connection = connect(":memory:")
    connection.execute("create table texts (place integer primary key, value text) strict")
    connection.executemany("insert into texts (value) values (?)", [(text,) for text in texts])
    found = connection.execute(
        "select value, coalesce({is_real_day}, 0), {real_day}, {stored_day} from texts order by place".format(
            **macros
        )
    ).fetchall()
    connection.close()
    return [
        row
        for row in found
        if row[1:]
        != (
            int(is_real_day(row[0])),
            row[0] if is_real_day(row[0]) else None,
            trim(row[0]) if is_real_day(trim(row[0])) else None,
        )
    ]


def test_every_day_like_text_is_judged_alike(macros: Mapping[str, str]) -> None:
    years = (0, 1, 4, 99, 100, 400, 1582, 1900, 2000, 2023, 2024, 2025, 2100, 9999)
    texts = [f"{year:04}-{month:02}-{day:02}" for year, month, day in product(years, range(15), range(34))]
    assert disagreements(macros, texts) == []
    # All years, at the one day that some of them have.
    assert disagreements(macros, [f"{year:04}-02-29" for year in range(10_000)]) == []


day_parts = st.sampled_from(
    ["2025", "2024", "0000", "0001", "9999", "02", "29", "30", "31", "12", "13", "00", "-", "-", "-", "/",
     ":", "T", " ", "\u00a0", "\0", "1", "0", "٢", "２", "+", ".", "e", "x", "2025-10-06", "2024-02-29",
     "now", "00:00:00"]
)  # fmt: skip
day_texts = (
    st.dates().map(str)
    | st.builds(lambda a, day, b: f"{a}{day}{b}", blanks, st.dates(), blanks)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True)
    | st.builds(
        lambda day, place, speck: day[:place] + speck + day[place + len(speck) :],
        st.dates().map(str),
        st.integers(0, 10),
        st.sampled_from(["\0", " ", "٢", "２", "x", "-", "+", ".", "😀", "\u0301"]),
    )
    | st.lists(day_parts, max_size=7).map("".join)
    | st.text(max_size=12)
)


@given(texts=st.lists(day_texts | st.none(), min_size=20, max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_the_same_day_or_none(macros: Mapping[str, str], texts: list[str | None]) -> None:
    assert disagreements(macros, texts) == []


def test_other_digits_than_ascii_are_none(macros: Mapping[str, str]) -> None:
    others = [chr(c) for c in range(128, 0x110000) if unicodedata.category(chr(c)) in {"Nd", "Nl", "No"}]
    assert len(others) > 1000
    texts = [text for other in others for text in (f"{other}025-10-06", f"2025-10-0{other}")]
    assert disagreements(macros, texts) == []
    assert not any(is_real_day(text) for text in texts)
