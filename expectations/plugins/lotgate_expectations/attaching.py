"""Another data source's tables inside this data source's queries, so that one statement compares both.

SQLite joins tables of two files once the other is attached. The file is attached read-only, under the data
source's name, for one query only: left attached, a table that is missing here would be looked up there. For
the same reason a query names a table that both files have as ``main.table`` and ``name.table``.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa
from great_expectations.data_context import project_manager

if TYPE_CHECKING:
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine


@contextmanager
def attached(engine: SqlAlchemyExecutionEngine, names: Sequence[str]) -> Iterator[sa.Connection]:
    """This data source's connection with others attached to it, each under its data source's name.

    No statement may be open on the connection when the block ends. Raises KeyError for a name that is no data
    source.
    """
    with engine.get_connection() as connection:
        done: list[str] = []
        try:
            for name in names:
                connection.execute(sa.text(f'attach :uri as "{name}"'), {"uri": _uri(name)})
                done.append(name)
            yield connection
        finally:
            for name in done:
                connection.execute(sa.text(f'detach "{name}"'))


def _uri(name: str) -> str:
    """The file that a data source opens, as SQLite's read-only URI."""
    engine = project_manager.get_datasources()[name].get_execution_engine()
    url = engine.engine.url  # type: ignore[attr-defined]
    parameters = {key: value for key, value in url.query.items() if key != "uri"} | {"mode": "ro"}
    return f"{url.database}?{urllib.parse.urlencode(parameters)}"
