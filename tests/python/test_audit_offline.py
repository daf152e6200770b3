"""The pages of a real audit in a browser without a network: as a reviewer opens them from a CI artifact."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from browser import Browse


@pytest.fixture(scope="module")
def artifact(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the review alone, as it would be uploaded and unpacked somewhere else."""
    return Path(shutil.copytree(demo_build / "review", tmp_path_factory.mktemp("unpacked") / "review"))


def own_pages(folder: Path) -> list[Path]:
    """Every page but dbt's, which is not ours."""
    return [page for page in sorted(folder.rglob("*.html")) if "dbt_docs" not in page.parts]


def test_every_page_of_the_audit_works_without_a_network(artifact: Path, browse: Browse) -> None:
    pages = own_pages(artifact)
    assert len(pages) >= 7 + 1 + 6 + 6  # the review, and Data Docs' index, suites and runs
    for path in pages:
        page = browse(path)
        assert len(page.text("body")) > 100, path
        assert page.axe() == [], path
        page.assert_quiet()
        for address in page.evaluate(
            "() => [...document.querySelectorAll('[href], [src]')].map(e => e.href || e.src)"
        ):
            target = urlsplit(address)
            if target.scheme == "data":
                continue
            assert target.scheme == "file", f"{path}: {address}"
            file = Path(unquote(target.path))
            assert file.exists(), f"{path}: {address}"
            assert artifact in file.parents, f"{path} leads out of the folder: {address}"


def test_from_the_verdict_to_one_check_and_back(artifact: Path, browse: Browse) -> None:
    page = browse(artifact / "index.html")
    assert "open" in page.text("h1").lower() or "open" in page.text("main").lower()
    page.raw.get_by_role("link", name=re.compile("Data Docs")).first.click()
    page.raw.wait_for_load_state()
    assert page.text("h1") == "Data Docs"
    page.raw.get_by_role("link", name="reconciliation").first.click()
    page.raw.wait_for_load_state()
    assert "Every legacy row is in the ledger" in page.text("main")
    page.raw.get_by_role("link", name="Review").first.click()
    page.raw.wait_for_load_state()
    assert page.raw.url.endswith("/review/index.html")
    page.assert_quiet()


def test_the_review_shows_the_verdict_that_was_written(demo_build: Path, browse: Browse) -> None:
    verdict = json.loads((demo_build / "verdict.json").read_text())
    page = browse(demo_build / "review" / "index.html")
    text = page.text("main")
    assert verdict["verdict"] == "open"
    assert "The gate is open" in text
    assert "331" in text
    assert "638" in text
    assert "610" in text
    assert verdict["hashes"]["snapshot"][:8] in text
    ids = set(page.evaluate("() => [document.documentElement.textContent]")[0].split())
    missing = [check["id"] for check in verdict["checks"] if check["id"] not in ids]
    assert len(missing) < len(verdict["checks"]) / 20, missing[:5]


def test_dbt_documentation_sends_nothing(artifact: Path, browse: Browse) -> None:
    page = browse(artifact / "dbt_docs" / "index.html", fragment="!/model/model.lotgate.shipped_items")
    page.raw.get_by_text("shipstation_sku_raw").first.wait_for()
    page.evaluate("() => fetch('https://example.com/').catch(() => 0)")
    page.evaluate("() => { new Image().src = 'https://example.com/x.png' }")
    assert not [request for request in page.requests if "example.com" not in request]
    blocked = [problem for problem in page.problems if "Content Security Policy" in problem]
    assert any("example.com" in problem for problem in blocked)
