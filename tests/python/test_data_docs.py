"""Data Docs: quiet, accessible, offline; the index, the suites and the runs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from browser import Browse
from data_docs_cases import (
    HOSTILE,
    ODD,
    SUITES,
    Site,
    rows_of,
)
from lotgate.data_docs import build_data_docs
from lotgate.errors import EnvironmentFailed


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
