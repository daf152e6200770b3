"""Building Data Docs: private, repeatable, and what stops it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from data_docs_cases import (
    Site,
)
from lotgate.data_docs import build_data_docs
from lotgate.data_docs.content import as_blocks, as_text
from lotgate.errors import EnvironmentFailed, UsageError


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
