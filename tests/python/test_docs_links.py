"""Every link, anchor, picture and path that a page names is there."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pages import ROOT, all_pages, read_page

PAGES = all_pages()
IMAGES = ROOT / "docs" / "images"
OWN_PATHS = re.compile(
    r"(?:scripts|models|macros|tests|seeds|docs|expectations|examples|\.github|\.ci)/[\w./*-]*"
)
AFTER_A_DEMO = re.compile(r"target/(?!mine|copy|ci\b|ui)[\w./-]+")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_spans(page: Path) -> list[str]:
    return [span for _, line in read_page(page).prose for span in re.findall(r"`([^`]+)`", line)]


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    page = read_page(path)
    broken = []
    for _, _, target in page.links():
        parts = urlsplit(target)
        if parts.scheme:
            if parts.scheme != "https" or "." not in parts.netloc or " " in target:
                broken.append(target)
            continue
        file = path if not parts.path else (path.parent / parts.path).resolve()
        if (
            not file.exists()
            or not file.is_relative_to(ROOT)
            or (parts.fragment and parts.fragment not in read_page(file).anchors())
        ):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_paths_of_this_repository_are_there(path: Path) -> None:
    named = [span for span in code_spans(path) if OWN_PATHS.fullmatch(span)]
    folder = path.parent if path.is_relative_to(ROOT / "examples") else ROOT
    assert [one for one in named if not any(folder.glob(one.rstrip("/")))] == []


def test_files_that_a_demo_leaves_are_there(demo_build: Path) -> None:
    named = {
        found
        for path in PAGES
        if path.parent in (ROOT, ROOT / "docs")
        for found in AFTER_A_DEMO.findall(read_page(path).text)
    }
    made_later = {  # by dbt alone, or by what the page says, not by the demo
        *("target/broken", "target/dbt", "target/lint", "target/lint/manifest.json"),
        *("target/try.sqlite", "target/try-failures.sqlite"),
    }
    missing = {one for one in named if not (demo_build / one.removeprefix("target/")).exists()}
    assert missing - made_later == set()
    assert {"target/review/index.html", "target/candidate.sqlite", "target/demo/ora.db"} <= named


def test_every_module_is_in_a_table_of_the_design() -> None:
    """By its name or its folder's; of the folders that have a table, each module."""
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:scripts/lotgate/)?([\w/]+(?:\*|/)?(?:\.py)?)`", design))
    package = ROOT / "scripts" / "lotgate"
    missing = []
    for path in package.rglob("*.py"):
        module = path.relative_to(package)
        ways = {module.name, module.as_posix(), *(f"{parent.as_posix()}/" for parent in module.parents)}
        ways |= {f"{parent.name}/" for parent in module.parents if len(parent.parts) > 1}
        ways -= {"live/", "sync/", "shipstation/"}  # their modules are told one by one
        starred = {name for name in named if name.endswith("*.py") and module.name.startswith(name[:-4])}
        if not path.name.startswith("__") and not ways & named and not starred:
            missing.append(module.as_posix())
    assert missing == []


def test_every_page_is_in_the_table_of_contents() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for _, _, target in read_page(index).links()}
    pages = {path for path in PAGES if path.parent in (ROOT, ROOT / "docs")} - {index}
    assert {name(path) for path in pages - linked} == set()


def test_pictures_are_used_light_and_told_in_words() -> None:
    shown = {}
    for path in PAGES:
        for is_picture, text, target in read_page(path).links():
            if is_picture:
                shown[(path.parent / target).resolve()] = text
    assert set(IMAGES.iterdir()) == set(shown)
    for file, text in shown.items():
        assert len(text) > 60, file
        assert file.stat().st_size < 300_000, file
        if file.suffix == ".svg":
            content = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert "http" not in content  # no font and no style from elsewhere
            assert "/tmp/" not in content
            assert str(ROOT) not in content


def test_the_recording_shows_what_the_demo_says(demo_build: Path) -> None:
    """Its figures are those of the ledger; times may be another run's."""
    drawn = (IMAGES / "demo.svg").read_text(encoding="utf-8")
    texts = [unescape(text).replace("\xa0", " ") for text in re.findall(r"<text[^>]*>([^<]*)</text>", drawn)]
    lines = [text.split() for text in texts]
    with closing(sqlite3.connect(demo_build / "candidate.sqlite")) as connection:
        ledger = connection.execute(
            "select disposition, reason, count(*), sum(units) from audit_row_ledger group by 1, 2"
        ).fetchall()
        days = connection.execute(
            "select legacy_units, candidate_units from audit_daily_units"
            " where ship_date in ('2024-04-16', '2025-10-06') order by ship_date"
        ).fetchall()
        (items,) = connection.execute("select count(*) from shipped_items").fetchone()
    for disposition, reason, rows, units in ledger:
        assert [disposition, reason, str(rows), str(units)] in lines
    assert ["before", *(str(before) for before, _ in days)] in lines
    assert ["=", "after", *(str(after) for _, after in days)] in lines
    told = " ".join(texts)
    assert f"The candidate has {items}:" in told
    assert "Units that are not explained: 0." in told
    assert "The gate is open." in told
    assert "Verified: all" in told
