"""Data Docs of a real run of Great Expectations, in a real browser without a network.

The site is built once from a small database full of hostile texts: suites that pass, warn, fail, hold nothing
or have a hostile name; checks that raise, that GX does not know, and one with a table of rows of its own.
"""

from __future__ import annotations

import html
import json
import sqlite3
import stat
import uuid
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from lotgate.data_docs import build_data_docs
from lotgate.data_docs.content import as_blocks, as_text
from lotgate.data_docs.view import visible
from lotgate.errors import EnvironmentFailed, UsageError

if TYPE_CHECKING:
    from browser import Browse, Page

pytest_plugins = ["browser"]

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


@pytest.fixture(scope="module")
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


# What GX's own site does without a network, and what the harness notices


def test_the_stock_site_reaches_for_the_network_and_stays_blank(
    site: Site, browse: Browse, tmp_path: Path
) -> None:
    stock = tmp_path / "stock"
    with pytest.raises(EnvironmentFailed, match="not a page of lotgate"):
        build_data_docs(site.context, stock, site="stock")
    page = browse(stock / "index.html")
    assert any("bootstrap" in request for request in page.requests)
    with pytest.raises(AssertionError):
        page.assert_quiet()
    assert "shipped_items" not in page.text("body")


@pytest.mark.parametrize(
    "body",
    [
        "<img alt='' src='http://example.com/x.png'>",
        "<link rel=stylesheet href='//example.com/x.css'>",
        "<script>new WebSocket('wss://example.com/')</script>",
        "<script>navigator.sendBeacon('https://example.com/')</script>",
        "<script>console.error('no')</script>",
        "<script>setTimeout(() => { throw new Error('no') })</script>",
        "<img alt='' src='missing.png'>",
        "<script>alert('no')</script>",
        "<script>window.pwned = 1</script>",
    ],
)
def test_the_harness_notices(browse: Browse, tmp_path: Path, body: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(f"<!doctype html><title>t</title>{body}", encoding="utf-8")
    with pytest.raises(AssertionError):
        browse(path).assert_quiet()


def test_the_harness_notices_what_cannot_be_read_or_reached(browse: Browse, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><title>t</title><main><h1>t</h1><p style='color:#aaa'>pale</p>"
        "<a href='#a'>seen</a> <button style='outline:none'>unseen</button></main>",
        encoding="utf-8",
    )
    page = browse(path)
    assert ["color-contrast" in finding for finding in page.axe()] == [True]
    with pytest.raises(AssertionError, match="without a ring: button unseen"):
        page.tab_stops()


# Every page


@pytest.mark.parametrize(
    "name", ["index", "shipped_items", "hostile", "lots", "empty", ODD], ids=lambda name: name[:13]
)
def test_pages_are_quiet_and_accessible(site: Site, browse: Browse, name: str) -> None:
    for path in [site.index] if name == "index" else [site.suite(name), site.run(name)]:
        page = browse(path)
        page.assert_quiet()
        assert page.files == [path], "A page is one file."
        assert len(page.text("main")) > 100
        assert page.count("p:empty") == 0, "A parser closed a paragraph before its time."
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.localName[1])")
        assert levels[0] == 1
        assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
        page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        for dark in (False, True):
            page.show(dark=dark)
            ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            assert (sum(map(int, ground[4:-1].split(","))) < 150) == dark
            assert page.axe() == []
        page.assert_quiet()


def test_nothing_may_be_loaded_or_run(site: Site, browse: Browse) -> None:
    """The policy holds even where text would get into the page as markup."""
    page = browse(site.run("hostile"))
    failures: list[str | None] = []
    page.raw.on("requestfailed", lambda request: failures.append(request.failure))
    blocked = page.evaluate(
        """async () => {
            const found = [];
            addEventListener("securitypolicyviolation", e => found.push(e.effectiveDirective));
            document.body.insertAdjacentHTML("beforeend",
                "<img src='https://example.com/x.png' onerror='window.pwned=1'>" +
                "<b onclick='window.pwned=1'>x</b>" +
                "<iframe src='https://example.com/'></iframe><p style='color:red'>x</p>");
            document.querySelector("b:last-of-type").click();
            const script = document.createElement("script");
            script.textContent = "window.pwned = 1";
            document.body.append(script);
            await fetch("https://example.com/").catch(() => 0);
            await new Promise(done => setTimeout(done, 50));
            return [...new Set(found)].sort();
        }"""
    )
    assert blocked == [
        "connect-src",
        "frame-src",
        "img-src",
        "script-src-attr",
        "script-src-elem",
        "style-src-attr",
    ]
    assert set(failures) == {"csp"}
    assert page.evaluate("window.pwned === undefined")


def test_every_link_leads_to_a_file(site: Site, browse: Browse) -> None:
    """From the index, all pages are reached; the only way out is the review."""
    page = browse(site.index, javascript=False)
    waiting, reached, outside = [site.index], {site.index}, set()
    while waiting:
        here = waiting.pop()
        page.raw.goto(here.as_uri())
        for href in page.evaluate("[...document.querySelectorAll('a')].map(e => e.getAttribute('href'))"):
            address = urlsplit(href)
            assert (address.scheme, address.netloc, address.query) == ("", "", ""), href
            if not address.path:
                assert page.count(f"[id='{address.fragment}']") == 1
                continue
            target = (here.parent / unquote(address.path)).resolve()
            assert target.is_file(), href
            if not target.is_relative_to(site.folder):
                outside.add(target)
            elif target not in reached:
                reached.add(target)
                waiting.append(target)
    assert sorted(reached) == site.pages
    assert len(site.pages) == 1 + 2 * len(SUITES)
    assert outside == {site.folder.parent / "index.html"}


# Index, suites, runs


def test_the_index_has_all_runs_and_suites(site: Site, browse: Browse) -> None:
    page = browse(site.index, javascript=False)
    runs = {name: cells[:-1] for name, cells in rows_of(page, "Runs").items()}
    data = "candidate, items"
    assert runs == {
        "shipped_items": ["Failed", data, "7 of 8", "2", "2", "1", "2"],
        "hostile": ["Warnings", data, "11", "10", "0", "0", "1"],
        "skus": ["Passed", data, "3", "3", "0", "0", "0"],
        "lots": ["Warnings", data, "1", "0", "0", "0", "1"],
        "empty": ["Incomplete", data, "0", "0", "0", "0", "0"],
        ODD: ["Passed", data, "3", "3", "0", "0", "0"],
    }
    assert all(cells[-1].endswith(" UTC") for cells in rows_of(page, "Runs").values())
    suites = rows_of(page, "Suites")
    assert suites["shipped_items"] == ["What shipped_items is for.", "8", "5", "1", "2", "Failed"]
    assert sorted(suites) == sorted(SUITES)
    assert page.texts(".tally li") == ["2 failed", "2 with warnings", "2 passed"]
    seen = "all => all.every(e => e.getBoundingClientRect().width > 8 && e.checkVisibility())"
    assert page.count(".sign svg") == page.count(".sign") > 10
    assert page.raw.locator(".sign svg").evaluate_all(seen)


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no_script"])
@pytest.mark.parametrize("name", ["shipped_items", ODD], ids=["plain", "odd"])
def test_the_way_through_the_site(site: Site, browse: Browse, name: str, javascript: bool) -> None:
    page = browse(site.index, javascript=javascript)
    page.raw.get_by_role("link", name=name, exact=True).first.click()
    assert page.text("h1") == f"Run of {name}"
    page.raw.get_by_role("navigation").get_by_role("link", name=f"Suite {name}").click()
    assert page.text("h1") == f"Suite {name}"
    page.raw.get_by_role("link", name="an audit").click()
    assert page.text("h1") == f"Run of {name}"
    page.raw.get_by_role("navigation").get_by_role("link", name="Data Docs").click()
    assert page.text("h1") == "Data Docs"
    page.raw.get_by_role("link", name="Review").click()
    assert page.text("h1") == "Review"
    assert page.requests == []
    assert page.problems == []


def test_what_did_not_pass_comes_first(site: Site, browse: Browse) -> None:
    page = browse(site.run("shipped_items"), javascript=False)
    assert page.texts(".checks > tbody > tr > td:first-child") == [
        "Could not run", "Failed", "Failed", "Failed", "Failed", "Passed", "Passed"
    ]  # fmt: skip
    assert page.evaluate("[...document.querySelectorAll('.checks > tbody')].map(e => e.id)") == [
        "raises", "sku_known", "sku_by_query", "row_count", "enough_rows", "sku_is_there", "orders"
    ]  # fmt: skip
    assert page.texts(".checks > tbody > tr > td:nth-child(3)") == [
        "info", "critical", "critical", "warning", "info", "critical", "critical"
    ]  # fmt: skip
    assert "2 of 7 checks passed, 2 failed, 1 could not run, 2 warnings." in page.text(".verdict")
    assert "The suite holds 8: not every check ran." in page.text(".verdict")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no_script"])
def test_passed_checks_can_be_hidden_by_keyboard(site: Site, browse: Browse, javascript: bool) -> None:
    page = browse(site.run("shipped_items"), javascript=javascript)
    page.raw.get_by_label("Show only the 5 that did not pass").focus()
    page.press("Space")
    assert page.count(".checks > tbody", visible=True) == 5
    assert page.texts("#sku_is_there") == [""]
    page.press("Space")
    assert page.count(".checks > tbody", visible=True) == 7
    assert browse(site.run("skus")).count("input") == 0


def test_a_check_shows_what_it_says_and_saw(site: Site, browse: Browse) -> None:
    page = browse(site.run("shipped_items"), fragment="sku_by_query")
    assert page.text("#sku_by_query .sentence") == "Each SKU is one of those that are sold."
    assert page.text("#sku_by_query .observed") == f"{len(HOSTILE)} unexpected rows"
    assert page.texts("#sku_by_query .found th") == ["id", "SKU & lot"]
    assert f"{len(HOSTILE) - 8} more rows are not shown." in page.text("#sku_by_query")
    shown = page.texts("#sku_by_query .found tbody td")
    assert dict(zip(shown[::2], shown[1::2], strict=True))["2"] == HOSTILE["script"]
    assert page.text("#row_count .observed") == "12"
    assert page.text("#sku_known .sentence") == "Each SKU is known."
    assert "10 of 12" not in page.text("#sku_is_there")
    assert page.evaluate("document.querySelector('#sku_by_query').getBoundingClientRect().top < innerHeight")


def test_sql_is_folded_and_opens_by_keyboard(site: Site, browse: Browse) -> None:
    page = browse(site.run("shipped_items"), javascript=False)
    assert page.count("pre", visible=True) == 0
    page.raw.locator("#sku_by_query .details > summary").focus()
    page.press("Enter")
    assert page.text("#sku_by_query pre") == (
        "select id, sku\nfrom {batch}\nwhere sku not in ('17612', '17904') order by id"
    )
    assert "expect_known_skus" in page.text("#sku_by_query dl")
    assert '["17612", "17904"]' in page.text("#sku_by_query dl")
    assert page.count("pre", visible=True) == 1


def test_sql_that_is_written_from_parameters(site: Site, browse: Browse) -> None:
    """A suite has the parameters' names, a run their values; a broken renderer costs its own cell only."""
    page = browse(site.suite("skus"), javascript=False)
    page.click("#blanks .details > summary")
    assert page.text("#blanks .sentence") == "No SKU is blank."
    assert "(given by the run: least)" in page.text("#blanks dl")
    assert page.count("#blanks pre") == 0
    page = browse(site.run("skus"), javascript=False)
    page.click("#blanks .details > summary")
    assert page.text("#blanks pre") == "select id from items where length(trim(sku)) < 1"
    assert page.text("#blanks .observed") == "(This cannot be shown: KeyError: 'missing')"
    assert page.text("#columns .observed") == "id, order_number, sku"


def test_a_check_that_raised_says_why(site: Site, browse: Browse) -> None:
    page = browse(site.run("shipped_items"), javascript=False)
    assert page.text("#raises .problem") == "(sqlite3.OperationalError) no such column: absent"
    assert "Traceback (most recent call last)" in page.raw.locator("#raises pre").last.text_content()


def test_a_suite_shows_the_checks_that_gx_drops(site: Site, browse: Browse) -> None:
    page = browse(site.suite("shipped_items"), javascript=False)
    assert page.texts(".checks .sentence") == [
        "Each row has a SKU.", "Each SKU is known.", "Each SKU is one of those that are sold.",
        "There are 5 rows.", "There are 1,000 rows.", "It raises.", "Each order number has six digits.",
        "GX does not know this one.",
    ]  # fmt: skip
    assert "Does not run" in page.text("#mistyped")
    assert page.count(".checks .sign") == 1
    assert page.text("#mistyped .severity") == "critical"
    assert rows_of(page, "Runs")["an audit"][0] == "Failed"


def test_a_check_without_a_description_gets_gx_words(site: Site, browse: Browse) -> None:
    page = browse(site.suite("hostile"), javascript=False)
    assert page.text("#set .sentence").startswith("sku distinct values must contain this set: ")


# Hostile text


@pytest.mark.parametrize("name", ["hostile", "shipped_items"])
@pytest.mark.parametrize("kind", ["suite", "run"])
def test_hostile_text_is_shown_as_text(site: Site, browse: Browse, name: str, kind: str) -> None:
    """From descriptions, names, notes and parameters (``hostile``) and from data (``shipped_items``)."""
    page = browse(site.suite(name) if kind == "suite" else site.run(name))
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    for stray in (
        "script",
        "img",
        "iframe",
        "link",
        "main a[href^=javascript]",
        "[onerror], [onload], [onfocus]",
    ):
        assert page.count(stray) == 0, stray
    assert page.count("style") == 1
    assert page.count("b, i, object, embed, form") == 0
    if (name, kind) != ("shipped_items", "suite"):
        text = page.text("main")
        for payload in HOSTILE.values():
            assert visible(payload) in text
            assert payload in text or not payload.isprintable()
    page.assert_quiet()


def test_hostile_names_are_shown_as_text(site: Site, browse: Browse) -> None:
    for path in (site.index, site.suite(ODD), site.run(ODD)):
        page = browse(path)
        assert ODD in page.text("main")
        assert page.count("img, [onerror]") == 0
        page.assert_quiet()


def test_nothing_hides_and_long_texts_are_folded(site: Site, browse: Browse) -> None:
    page = browse(site.run("hostile"), javascript=False)
    assert "17612 [U+202E]- 250300[U+202C][U+200F][U+200B]" in page.texts(".sentence")
    assert "nul[U+0000] escape[U+001B][31m line[U+2028]end" in page.texts(".sentence")
    (folded,) = page.raw.locator(".sentence", has_text=LONG).all()
    assert not folded.get_by_text(LONG, exact=True).is_visible()
    folded.get_by_text("All 10,000 characters").click()
    assert folded.get_by_text(LONG, exact=True).is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# Keyboard, paper, narrow windows


def test_the_keyboard_reaches_everything(site: Site, browse: Browse) -> None:
    for path in (site.index, site.suite("shipped_items"), site.run("shipped_items")):
        page = browse(path)
        stops = page.tab_stops()
        assert stops[0] == "a Skip to the content"
        script = "all => all.filter(e => e.checkVisibility()).length"
        assert len(stops) == page.raw.locator("a, summary, input, [tabindex='0']").evaluate_all(script)
    page.press("Tab", "Enter")
    assert page.focused().startswith("main#content")


def test_pages_print_whole_and_plain(site: Site, browse: Browse, tmp_path: Path) -> None:
    page = browse(site.run("shipped_items"), dark=True, size=(720, 1000))
    page.raw.get_by_label("Show only").check()
    page.show(printed=True)
    assert page.count(".skip, .filter, header, details.details", visible=True) == 0
    assert page.count(".checks > tbody", visible=True) == 7, (
        "Paper has every check, whatever is hidden on screen."
    )
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.pdf(tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("width", [360, 1366])
def test_windows_of_any_width_do_not_scroll_sideways(site: Site, browse: Browse, width: int) -> None:
    for path in (site.index, site.suite(ODD), site.run("shipped_items"), site.run("hostile")):
        page = browse(path, size=(width, 700))
        assert page.evaluate("document.documentElement.scrollWidth") == width


# Building


def test_a_site_is_html_only_and_private(site: Site) -> None:
    entries = list(site.folder.rglob("*"))
    assert {path.suffix for path in entries if path.is_file()} == {".html"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in entries if path.is_file()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in [site.folder, *entries] if path.is_dir()} == {0o700}
    assert not list(site.folder.rglob("static"))


def test_building_again_gives_the_same_and_takes_old_pages_away(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "docs"
    build_data_docs(site.context, folder, review_href="../index.html")
    for old in ("expectations/gone.html", "validations/gone/run.html"):
        (folder / old).parent.mkdir(exist_ok=True)
        (folder / old).write_text("old", encoding="utf-8")
    (folder / "notes.txt").write_text("not ours", encoding="utf-8")
    index = build_data_docs(site.context, folder, review_href="../index.html")
    assert index == folder / "index.html"
    assert (folder / "notes.txt").exists()
    assert sorted(page.relative_to(folder) for page in folder.rglob("*.html")) == [
        page.relative_to(site.folder) for page in site.pages
    ]
    for page in site.pages:
        assert (folder / page.relative_to(site.folder)).read_bytes() == page.read_bytes()


def test_there_is_no_link_to_the_review_where_none_is_asked_for(site: Site, tmp_path: Path) -> None:
    build_data_docs(site.context, tmp_path)
    assert not [page for page in tmp_path.rglob("*.html") if ">Review<" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    "href",
    ["https://example.com/", "//example.com/", "/srv/index.html", "javascript:alert(1)", "\\\\host\\x"],
)
def test_the_link_to_the_review_is_relative(site: Site, tmp_path: Path, href: str) -> None:
    with pytest.raises(UsageError, match="is not relative"):
        build_data_docs(site.context, tmp_path, review_href=href)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "docs"):
        with pytest.raises(EnvironmentFailed, match="cannot be written to") as failed:
            build_data_docs(site.context, folder)
        assert failed.value.hint


@pytest.mark.parametrize("name", ["absent", "nowhere", "mistyped"])
def test_a_site_that_is_not_described(site: Site, tmp_path: Path, name: str) -> None:
    with pytest.raises(EnvironmentFailed) as failed:
        build_data_docs(site.context, tmp_path / "docs", site=name)
    assert failed.value.hint == "Restore expectations/ from the checkout."
    assert ("PageVeiw" if name == "mistyped" else f"no Data Docs site {name}") in str(failed.value)


def test_a_page_that_gx_leaves_out_is_an_error(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """GX logs what goes wrong with a page, and goes on without it."""

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lotgate.data_docs.pages._facts", fail)
    with pytest.raises(
        EnvironmentFailed, match=r"not complete, .* is missing: OSError: .*No space left on device"
    ):
        build_data_docs(site.context, tmp_path / "docs")
    assert caplog.records == [], "What GX logs is in the message, and not printed as well."


# The content of GX's renderers


def test_content_of_renderers_becomes_plain_values() -> None:
    from great_expectations.render import (
        CollapseContent,
        RenderedBulletListContent,
        RenderedStringTemplateContent,
        RenderedTableContent,
    )

    sentence = RenderedStringTemplateContent(
        string_template={
            "template": "$column is &lt; ${value} and $other",
            "params": {"column": "<b>", "value": 1200},
        }
    )
    nested = CollapseContent(
        collapse_toggle_link="Show &amp; tell",
        collapse=[
            RenderedBulletListContent([sentence]),
            RenderedTableContent([[1, None, sentence]], header_row=["a"]),
        ],
    )
    (folded,) = as_blocks(nested, escaped=True)
    assert folded.summary == "Show & tell"
    paragraph, table = folded.blocks
    assert paragraph.text == "<b> is < 1,200 and $other", "Parameters are never HTML, and stay as they are."
    assert (table.header, table.rows) == (("a",), (("1", "(none)", "<b> is < 1,200 and $other"),))
    assert as_text(nested, escaped=False) == (
        "<b> is &lt; 1,200 and $other\na\n1, (none), <b> is &lt; 1,200 and $other"
    )
    assert (
        as_text({"content_block_type": "graph", "graph": {}}, escaped=False)
        == "(graph that is not shown here)"
    )
    (long,) = as_blocks(RenderedTableContent([[number] for number in range(250)]), escaped=False)
    assert (len(long.rows), long.left_off) == (200, 50)
