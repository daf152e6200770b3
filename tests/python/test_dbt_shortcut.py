"""The short way of putting ephemeral models into a query is dbt's own, character by character."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dbt import compilation

from lotgate.dbt_shortcut import inject_ctes

dbts_own: Any = compilation.inject_ctes_into_sql


@dataclass(frozen=True)
class Cte:
    sql: str


CTES = [
    Cte(" __dbt__cte__a as (\nselect 1 as x\n)"),
    Cte(" __dbt__cte__b as (\nwith c as (select 2) select * from c\n)"),
]

QUERIES = [
    "with c as (select * from __dbt__cte__a) select * from c",
    "\n\n    -- why\n-- with a comment; or two\nWITH\n\n  c as (select 1)\n\nselect * from c -- end",
    "with c as (select 1) -- one; two\nselect * from c",
    "with c as (select ';' as x) select * from c",
    "with c as (select 1) select * from c; select 2",
    "with recursive c as (select 1) select * from c",
    "with\nrecursive c as (select 1) select * from c",
    'with "c" as (select 1) select * from "c"',
    "with -- why\nc as (select 1) select * from c",
    "/* why */ with c as (select 1) select * from c",
    "withdrawn",
    "select * from (with c as (select 1) select * from c)",
    "select * from __dbt__cte__a",
    "  \n",
]


def outcome(inject: Callable[[str, Sequence[Cte]], str], query: str, ctes: Sequence[Cte]) -> str:
    try:
        return inject(query, ctes)
    except Exception as error:  # noqa: BLE001 - what dbt cannot do either
        return repr(error)


def short(sql: str, ctes: Sequence[Cte]) -> str:
    return inject_ctes(sql, ctes, dbts_own)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_query_becomes_what_dbt_makes_of_it(query: str, count: int) -> None:
    assert outcome(short, query, CTES[:count]) == outcome(dbts_own, query, CTES[:count])


def test_every_model_becomes_what_dbt_makes_of_it_and_most_go_the_short_way(demo_build: Path) -> None:
    manifest = json.loads((demo_build / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    queries = [node["compiled_code"] for node in models if node["compiled_code"]]
    long_way: list[str] = []

    def noted(sql: str, ctes: Sequence[Cte]) -> str:
        long_way.append(sql)
        return str(dbts_own(sql, ctes))

    for query in queries:
        by_dbt = outcome(dbts_own, query, CTES)
        if "tokens exceeded" not in by_dbt:  # with its inputs in it, a query may be too long for dbt's parser
            assert inject_ctes(query, CTES, noted) == by_dbt
    assert queries
    assert len(long_way) < len(queries) / 5
