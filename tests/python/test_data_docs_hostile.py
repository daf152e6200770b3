"""Data Docs with hostile and long texts, by keyboard, on paper and in narrow windows."""

from __future__ import annotations

from pathlib import Path

import pytest

from browser import Browse
from data_docs_cases import (
    HOSTILE,
    LONG,
    ODD,
    Site,
)
from lotgate.data_docs.view import visible


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
