"""A site of Data Docs of suites that have everything: failures, hostile texts, odd names."""

from __future__ import annotations

import html
import json
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from browser import Page
from lotgate.data_docs import build_data_docs

ROOT = Path(__file__).resolve().parents[2]


MISTYPED = {"module_name": "lotgate.data_docs", "class_name": "PageVeiw"}


# The site is the one of the committed context.
CONTEXT = """
config_version: 4.0
plugins_directory: plugins/
analytics_enabled: false
progress_bars: {globally: false}
expectations_store_name: expectations_store
validation_results_store_name: validation_results_store
checkpoint_store_name: checkpoint_store
stores:
  expectations_store:
    class_name: ExpectationsStore
    store_backend: &place
      class_name: TupleFilesystemStoreBackend
      base_directory: suites/
      suppress_store_backend_id: true
  validation_definition_store:
    class_name: ValidationDefinitionStore
    store_backend: {<<: *place, base_directory: validation_definitions/}
  checkpoint_store:
    class_name: CheckpointStore
    store_backend: {<<: *place, base_directory: checkpoints/}
  validation_results_store:
    class_name: ValidationResultsStore
    store_backend: {<<: *place, base_directory: results/}
data_docs_sites:
  stock:
    class_name: SiteBuilder
    show_how_to_buttons: false
    store_backend: {class_name: TupleFilesystemStoreBackend, base_directory: stock/}
    site_index_builder: {class_name: DefaultSiteIndexBuilder}
  nowhere: {class_name: SiteBuilder}
fluent_datasources:
  candidate:
    type: sqlite
    connection_string: sqlite:///file:DATABASE?mode=ro&uri=true
    assets:
      items: {type: table, table_name: items, batch_definitions: {whole: {}}}
"""


LONG = "9" * 10_000


HOSTILE = {
    "script": "<script>window.pwned=1</script>",
    "attribute": "\"'><img src=x onerror=window.pwned=1><svg onload=window.pwned=1>",
    "link": "<a href='javascript:window.pwned=1' onfocus='window.pwned=1' autofocus>x</a>",
    "address": "javascript:window.pwned=1",
    "style": "</style><link rel=stylesheet href=https://example.com/x.css><!--",
    "entity": "&lt;b&gt; &amp;amp; &quot;",
    "template": "{{ 7*7 }} {% raw %} $column ${kwargs} $$ %(x)s",
    "direction": "17612 \u202e- 250300\u202c\u200f\u200b",
    "control": "nul\x00 escape\x1b[31m line\u2028end",
    "long": LONG,
}


ODD = "odd.<img src=x onerror=window.pwned=1> 'q' \"d\" javascript:a%20?d=1#x&amp;"


@dataclass(frozen=True)
class Site:
    """The built site, and what it was built from."""

    context: Any
    folder: Path

    @property
    def index(self) -> Path:
        return self.folder / "index.html"

    def suite(self, name: str) -> Path:
        return self.folder.joinpath("expectations", *name.split(".")[:-1], name.split(".")[-1] + ".html")

    def run(self, name: str) -> Path:
        (page,) = self.folder.joinpath("validations", *name.split(".")).rglob("*.html")
        return page

    @property
    def pages(self) -> list[Path]:
        return sorted(self.folder.rglob("*.html"))


SUITES: dict[str, list[list[Any]]] = yaml.safe_load("""
shipped_items:
- [expect_column_values_to_not_be_null, sku_is_there, critical, Each row has a SKU., {column: sku}]
- [expect_column_values_to_be_in_set, sku_known, critical, Each SKU is known., {column: sku, value_set: [a]}]
- [expect_known_skus, sku_by_query, critical, null, {known: ["17612", "17904"]}]
- [expect_table_row_count_to_equal, row_count, warning, There are 5 rows., {value: 5}]
- [expect_table_row_count_to_be_between, enough_rows, info, "There are 1,000 rows.", {min_value: 1000}]
- - unexpected_rows_expectation
  - raises
  - info
  - It raises.
  - {unexpected_rows_query: "select absent from {batch}"}
- - unexpected_rows_expectation
  - orders
  - critical
  - Each order number has six digits.
  - {unexpected_rows_query: "select id\\n  from {batch}\\n where length(order_number) <> 6"}
- [expect_something_else, mistyped, critical, GX does not know this one., {column: sku}]
skus:
- [expect_column_values_to_be_unique, id_is_unique, critical, No id is there twice., {column: id}]
- [expect_table_columns_to_match_set, columns, critical, It has them., {column_set: [id, order_number, sku]}]
- [expect_no_blank_skus, blanks, warning, null, {least: {"$PARAMETER": least}}]
lots:
- [expect_table_row_count_to_be_between, few, warning, There are at most 3 lots., {max_value: 3}]
empty: []
""")


SUITES["hostile"] = [
    [
        "expect_column_values_to_not_be_in_set",
        text,
        "warning",
        text,
        {"column": "order_number", "value_set": [text]},
    ]
    for text in HOSTILE.values()
] + [
    [
        "expect_column_distinct_values_to_contain_set",
        "set",
        "info",
        None,
        {"column": "sku", "value_set": ["a"]},
    ]
]


SUITES[ODD] = SUITES["skus"]


def define_expectations() -> None:
    """An expectation with rows of its own, which it escapes, as lotgate's do since GX's pages do not; and one
    that writes its SQL from its fields, and whose renderer is broken."""
    from great_expectations.compatibility.pydantic import root_validator
    from great_expectations.expectations import UnexpectedRowsExpectation
    from great_expectations.expectations.expectation import BatchExpectation
    from great_expectations.render import LegacyDiagnosticRendererType, RenderedTableContent
    from great_expectations.render.renderer.renderer import renderer

    class ExpectKnownSkus(UnexpectedRowsExpectation):
        known: list[str]

        @root_validator(pre=True)
        def _fill(cls, values: dict[str, Any]) -> dict[str, Any]:
            known = ", ".join(f"'{sku}'" for sku in values["known"])
            values["unexpected_rows_query"] = f"""
                select id, sku
                from {{batch}}
                where sku not in ({known}) order by id
            """
            values["description"] = "Each SKU is one of those that are sold."
            return values

        def _validate(self, metrics: Any, *arguments: Any, **named: Any) -> Any:
            done: Any = super()._validate(metrics, *arguments, **named)
            rows = [dict(row) for row in metrics["unexpected_rows_query.table"]]
            done["result"]["details"] = {"rows": [[row["id"], row["sku"]] for row in rows]}
            return done

        @classmethod
        @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
        def _show(cls, configuration: Any = None, result: Any = None, **named: Any) -> Any:
            rows = result.result["details"]["rows"]
            cells = [[html.escape(str(cell)) for cell in row] for row in rows[:8]]
            return [RenderedTableContent(table=cells, header_row=["id", "SKU &amp; lot"])]

    class ExpectNoBlankSkus(BatchExpectation):
        """Expect no SKU to be blank."""

        least: Any
        description: str = "No SKU is blank."

        def query(self) -> str:
            return f"select id from items where length(trim(sku)) < {int(self.least)}"

        def _validate(self, *arguments: Any, **named: Any) -> Any:
            return {"success": not self.query().endswith("< 0"), "result": {"observed_value": 0}}

        @classmethod
        @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
        def _show(cls, configuration: Any = None, result: Any = None, **named: Any) -> Any:
            return result.result["missing"]


def as_expectation(
    kind: str, name: str, severity: str, description: str | None, kwargs: dict[str, Any]
) -> dict[str, Any]:
    """One check as a suite's file has it."""
    stated = {"type": kind, "description": description, "severity": severity, "kwargs": kwargs}
    return stated | {"meta": {"check": name}, "notes": description}


def run(context: Any) -> None:
    """Runs all suites in one checkpoint; results stay in the context's store."""
    import great_expectations as gx

    data = context.data_sources.get("candidate").get_asset("items").get_batch_definition("whole")
    definitions = []
    for number, name in enumerate(SUITES):
        definition = gx.ValidationDefinition(name=f"{number}", data=data, suite=context.suites.get(name))
        definitions.append(context.validation_definitions.add(definition))
    checkpoint = gx.Checkpoint(name="audit", validation_definitions=definitions, result_format="SUMMARY")
    context.checkpoints.add(checkpoint).run(
        run_id=gx.RunIdentifier(run_name="an audit"), expectation_parameters={"least": 1}
    )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Data Docs of one run of all suites."""
    import great_expectations as gx

    root = tmp_path_factory.mktemp("data docs")
    database = root / "items.sqlite"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("create table items (id integer primary key, order_number text, sku text) strict")
        texts = ["17612", "17904", *HOSTILE.values()]
        rows = [(number, f"600{number:02}5", text) for number, text in enumerate(texts)]
        connection.executemany("insert into items values (?, ?, ?)", rows)
    home = root / "context"
    for name, checks in SUITES.items():
        file = home.joinpath("suites", *name.split("."))
        file.parent.mkdir(parents=True, exist_ok=True)
        suite = {
            "name": name,
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)),
            "notes": f"What {name} is for.",
        }
        suite |= {"meta": {}, "expectations": [as_expectation(*check) for check in checks]}
        file.with_name(file.name + ".json").write_text(json.dumps(suite), encoding="utf-8")
    quoted = str(database).replace(" ", "%2520")  # once for SQLAlchemy, once for SQLite
    settings = yaml.safe_load(CONTEXT.replace("DATABASE", quoted))
    committed = yaml.safe_load((ROOT / "expectations" / "great_expectations.yml").read_text(encoding="utf-8"))
    ours = committed["data_docs_sites"]["data_docs"]
    mistyped = ours | {"site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": MISTYPED}}
    settings["data_docs_sites"] |= {"data_docs": ours, "mistyped": mistyped}
    (home / "great_expectations.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    with pytest.MonkeyPatch.context() as patch:  # as the audit does: the variable is set while GX runs
        patch.setenv("LOTGATE_GX_DIR", str(root / "gx"))
        context = gx.get_context(mode="file", context_root_dir=home)
        define_expectations()
        run(context)
    review = root / "review"
    review.mkdir()
    (review / "index.html").write_text(
        "<!doctype html><title>Review</title><h1>Review</h1>", encoding="utf-8"
    )
    index = build_data_docs(context, review / "data docs", review_href="../index.html")
    return Site(context, index.parent)


def rows_of(page: Page, heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by what their row header says."""
    script = """heading => {
        const h2 = [...document.querySelectorAll("h2")].find(e => e.innerText === heading);
        const rows = [...h2.parentElement.querySelectorAll("tbody tr")];
        return rows.map(row => [...row.cells].map(cell => cell.innerText.trim()));
    }"""
    table = [list(map(str, row)) for row in page.evaluate(script, heading)]
    key = 0 if heading == "Suites" else 1
    return {row[key]: row[:key] + row[key + 1 :] for row in table}
