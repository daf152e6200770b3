"""The page "ShipStation against the tables": figures, causes, gaps, what was shipped by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from browser import Browse, Page
from compiled_models import CompiledModels
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.review import write_review
from lotgate.review.reconciliation import SkuDay, by_day, differing_days, read_coverage
from lotgate.review.words import CAUSES
from lotgate.workdir import WorkDir
from reference.building import write_example
from reference.scenario import Example, FetchRow, ItemRow, Row, ShipmentRow
from test_review_data import OPEN, candidate_of, opened, records, work_copy

PAGE = "reconciliation.html"


@pytest.fixture(scope="module")
def demo(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    work = work_copy(demo_build, tmp_path_factory.mktemp("page") / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    return work


def cells(page: Page, section: str) -> list[list[str]]:
    """The rows of a small table, as they are shown."""
    script = "all => all.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    return list(page.raw.locator(f"section[aria-labelledby={section}] tbody tr").evaluate_all(script))


def test_the_demos_day_by_sku_and_cause(demo: WorkDir, browse: Browse) -> None:
    page = browse(demo.review / PAGE)
    assert page.text("h1") == "ShipStation against the tables"
    agrees = "✓ as ShipStation"
    assert cells(page, "days") == [
        ["2025-10-06", "17612", "108", "138", "−30", "138", agrees],
        ["2025-10-06", "17904", "29", "38", "−9", "38", agrees],
        ["2025-10-06", "17914", "23", "45", "−22", "45", agrees],
        ["2025-10-06", "18675", "26", "36", "−10", "36", agrees],
        ["2025-10-06", "18795", "37", "74", "−37", "74", agrees],
    ]
    causes = {row[0]: row[2:] for row in cells(page, "causes")}
    # 33 redated; 69 + 6 = 75 recovered
    assert causes == {
        "missing": ["14", "0", "69", "69", "0"],
        "parcel_overwritten": ["1", "4", "10", "10", "0"],
        "other_day": ["9", "0", "33", "33", "0"],
    }
    assert page.axe() == []
    page.assert_quiet()


def test_a_cause_selects_its_differences(demo: WorkDir, browse: Browse) -> None:
    page = browse(demo.review / PAGE)
    page.raw.get_by_role("link", name="other_day").click()
    page.raw.locator("[role=status]", has_text="9 of 24 rows").wait_for()
    shown = page.texts("section.data tbody tr td:nth-child(4)")
    assert set(shown) == {"other_day"}
    page.assert_quiet()


def test_every_difference_is_listed_with_its_figures(demo: WorkDir) -> None:
    found = records(demo.review / PAGE)
    with opened(demo) as connection:
        wanted = connection.execute("select * from audit_shipstation_differences").fetchall()
    assert len(found) == len(wanted) == 24
    assert {(row["order_number"], row["sku_code"], row["cause"], row["legacy_units"]) for row in found} == {
        (row["order_number"], row["sku_code"], row["likely_cause"], row["legacy_units"]) for row in wanted
    }
    (overwritten,) = [row for row in found if row["cause"] == "parcel_overwritten"]
    assert (overwritten["legacy_units"], overwritten["shipstation_units"], overwritten["after"]) == (
        4, 10, "as ShipStation",
    )  # fmt: skip


def test_without_evidence_the_page_says_how_to_get_some(
    compiled_models: CompiledModels, tmp_path: Path, browse: Browse
) -> None:
    legacy = tmp_path / "ora.db"
    create_legacy_database(legacy, Shape.late).close()
    work = candidate_of(compiled_models, tmp_path / "work", legacy, None, None)
    write_review(work, OPEN, has_dbt_docs=False)
    page = browse(work.review / PAGE)
    text = page.text("main")
    assert "Nothing was fetched from ShipStation" in text
    assert f"lotgate recover --database {OPEN.source} --work-dir {work.path} --from DAY --to DAY" in text
    assert page.count("section") == 0
    assert page.axe() == []
    page.assert_quiet()


def test_an_incomplete_fetch_is_shown_with_its_reason(
    demo_build: Path, tmp_path: Path, browse: Browse
) -> None:
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "insert into audit_shipstation_fetches values"
        " (2, '2025-10-07', '2025-10-09', '2025-10-10', 0, 'The list of shipments is incomplete: record 7.')",
    )
    write_review(work, OPEN, has_dbt_docs=False)
    page = browse(work.review / PAGE)
    assert cells(page, "incomplete") == [
        ["2025-10-07", "2025-10-09", "2025-10-10", "The list of shipments is incomplete: record 7."]
    ]
    assert "on the day that was fetched" in page.text(".intro")
    page.assert_quiet()


def test_units_of_orders_shipped_by_hand_are_marked(
    compiled_models: CompiledModels, tmp_path: Path, browse: Browse
) -> None:
    """Also that the candidate's row has the negative id, which is no shipment's."""
    day = "2025-10-06"
    example = Example(
        name="by hand",
        rows=(Row(1, "17612 - 250300", "17612", 2, day, order_number="100001"),),
        outcomes=(),
        headers=(("100001", day),),
        fetches=(FetchRow(day, day),),
        shipments=(
            ShipmentRow(11, day, (ItemRow("17612 - 250300", 2),), order_number="100001"),
            ShipmentRow(-12, day, (ItemRow("18795 - 11001", 3),), order_number="100002"),
        ),
    )
    files = write_example(example, tmp_path / "example")
    work = candidate_of(compiled_models, tmp_path / "work", files.legacy, files.evidence, files.controls)
    write_review(work, OPEN, has_dbt_docs=False)
    page = browse(work.review / PAGE)
    assert "3 units are from the items of orders shipped by hand" in page.text(".intro")
    (difference,) = records(work.review / PAGE)
    assert (difference["cause"], difference["shipment"]) == ("missing", "by hand, 12")
    (line,) = records(work.review / "shipstation.html")
    assert line["units_from"] == "the order, shipped by hand"
    (row,) = [one for one in records(work.review / "rows.html") if one["disposition"] == "recovered"]
    assert "fulfillment 12; the units are the order's" in row["evidence"]
    with opened(work) as connection:
        found = connection.execute(
            "select order_number, shipstation_shipment_id from shipped_items order by id"
        )
        assert [tuple(row) for row in found] == [("100001", None), ("100002", -12)]


def test_days_that_still_differ_are_shown_first_and_the_rest_is_counted() -> None:
    days = [
        SkuDay("2025-10-01", "1", 1, 2, 2),
        SkuDay("2025-10-02", "1", 5, 5, 5),
        SkuDay("2025-10-03", "1", 5, 5, 4),
    ]
    assert differing_days(days, 9) == ([days[0], days[2]], 0)
    assert differing_days(days, 1) == ([days[2]], 1)
    last = by_day([*days, SkuDay("2025-10-03", "2", 1, 1, 1)])[-1]
    assert (last.label, last.before, last.after, last.shipstation) == ("2025-10-03", 6, 5, 6)


def test_covered_days_are_united(demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "delete from audit_shipstation_fetches",
        "insert into audit_shipstation_fetches values"
        " (1, '2025-10-01', '2025-10-03', '2025-10-08', 1, null),"
        " (2, '2025-10-04', '2025-10-20', '2025-10-06', 1, null),"
        " (3, '2025-10-02', '2025-10-02', '2025-10-08', 1, null),"
        " (4, '2025-10-10', '2025-10-11', '2025-10-12', 1, null),"
        " (5, '2025-12-01', '2025-12-02', '2025-11-01', 1, null)",
    )
    with opened(work) as connection:
        coverage = read_coverage(connection)
    assert coverage.windows == (("2025-10-01", "2025-10-06"), ("2025-10-10", "2025-10-11"))
    assert (coverage.days, coverage.incomplete) == (8, ())


def test_every_cause_has_its_words() -> None:
    models = Path(__file__).resolve().parents[2] / "models"
    path = models / "audit" / "audit_shipstation_differences.yml"
    (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    (column,) = [one for one in model["columns"] if one["name"] == "likely_cause"]
    values = [
        one["accepted_values"]["arguments"]["values"] for one in column["data_tests"] if one != "not_null"
    ]
    assert set(values[0]) == set(CAUSES)
    assert all(f"{cause}:" in column["description"] for cause in CAUSES)
