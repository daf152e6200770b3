"""The pages of the review, written together and put in their place together."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from markupsafe import Markup

from lotgate.figures import read_figures
from lotgate.review import lists, reconciliation, words
from lotgate.review.candidate import attempt, read_candidate
from lotgate.review.changed_rows import read_changed_rows
from lotgate.review.daily_units import read_daily_units
from lotgate.review.day_charts import charts_of
from lotgate.review.templating import asset, make_environment
from lotgate.review.texts import number
from lotgate.review.views import BigTable, Facet, result_options, row_totals, split_days, suites_of
from lotgate.review.weekly_page import weekly_content
from lotgate.review.writing import replaced_folder, write_file
from lotgate.verdict import Verdict, count_checks
from lotgate.workdir import WorkDir

if TYPE_CHECKING:
    import sqlite3

    from jinja2 import Environment

__all__ = ["PAGES", "write_review"]

T = TypeVar("T")

PAGES = (
    ("index.html", "Verdict"),
    ("weekly.html", "Weekly"),
    ("rows.html", "Changed rows"),
    ("quarantine.html", "Quarantine"),
    ("decisions.html", "Decisions"),
    ("headers.html", "Order headers"),
    ("lots.html", "Lots and stock"),
    ("reconciliation.html", "Against ShipStation"),
    ("shipstation.html", "ShipStation's lines"),
)
KEPT_FOLDERS = ("data_docs", "dbt_docs")
SHOWN_REASONS = 12
SHOWN_STOCK = 30
SHOWN_SKU_DAYS = 200
ON_PAPER = ("index.html", "weekly.html")
"""The pages that are printed upright, and shown at the width of a text."""


def write_review(work_dir: WorkDir, verdict: Verdict, *, has_dbt_docs: bool) -> Path:
    """Writes the review of an audit into ``work_dir.review`` and returns the path of its first page.

    The pages replace those of the audit before, all at once; the folders ``data_docs`` and ``dbt_docs`` in it
    are the caller's and stay. What a spoiled candidate does not have is said on the page where it would be.
    The same verdict and candidate give the same bytes. Raises EnvironmentFailed where the folder cannot be
    written.
    """
    with replaced_folder(work_dir.review, keep=KEPT_FOLDERS) as folder:
        review = _Review(folder, work_dir, verdict, has_dbt_docs, make_environment())
        review.write_rows()
        review.write_quarantine()
        review.write_decisions()
        review.write_headers()
        review.write_lots()
        review.write_reconciliation()
        review.write_shipstation()
        review.write_weekly()
        review.write_index()
    return work_dir.review / "index.html"


@dataclass
class _Review:
    """One review while it is being written; the big tables are read, written and let go one by one."""

    folder: Path
    work_dir: WorkDir
    verdict: Verdict
    has_dbt_docs: bool
    environment: Environment
    listed: Mapping[tuple[str, str], int] | None = None

    def write_rows(self) -> None:
        problems: list[str] = []
        found = self._read(read_changed_rows, "The changed rows", problems)
        view = found is not None and BigTable(
            found.table,
            title="Changed and reported rows",
            caption="Legacy rows and recovered lines, before and after",
            source="audit_row_ledger",
            file="changed-rows.csv",
            empty="No row changed, and none is reported.",
            facets=(
                Facet("disposition", "Disposition"),
                Facet("reason", "Reason"),
                Facet("changes", "Changes"),
            ),
            sum="units",
        )
        self.listed = found.listed if found else None
        self._page(
            "rows.html",
            "Changed rows",
            problems,
            view=view,
            changes=words.CHANGES,
            dispositions=words.DISPOSITIONS,
        )

    def write_quarantine(self) -> None:
        problems: list[str] = []
        table = self._read(lists.read_quarantine, "The quarantine", problems)
        undecided = self._read(
            lambda candidate: candidate.execute(
                "select count(*) from audit_quarantine where is_undecided"
            ).fetchone()[0],
            "The number of undecided rows",
            problems,
        )
        view = table is not None and BigTable(
            table,
            title="Quarantined rows",
            caption="Quarantined rows with what is known and a proposal",
            source="audit_quarantine",
            file="quarantine.csv",
            empty="No row is quarantined.",
            facets=(Facet("state", "State"), Facet("reason", "Reason")),
            sum="units",
        )
        reasons = [(key[1], text) for key, text in words.REASONS.items() if key[0] == "quarantine"]
        self._page(
            "quarantine.html",
            "Quarantine",
            problems,
            view=view,
            undecided=undecided,
            decisions=words.DECISIONS,
            work_dir=shlex.quote(str(self.work_dir.path)),
            database=shlex.quote(self.verdict.source),
            reasons=reasons,
        )

    def write_decisions(self) -> None:
        problems: list[str] = []
        table = self._read(lists.read_decisions, "The decisions", problems)
        incidents = self._read(lists.read_likely_incidents, "The likely incidents", problems)
        view = table is not None and BigTable(
            table,
            title="Decisions",
            is_title_shown=True,
            caption="Lines of quarantine_decisions.csv with what became of their rows",
            source="audit_decisions",
            file="decisions-applied.csv",
            empty="There is no decision.",
            facets=(Facet("decision", "Decision"),),
            sum="units",
        )
        self._page("decisions.html", "Decisions and incidents", problems, view=view, incidents=incidents)

    def write_headers(self) -> None:
        problems: list[str] = []
        table = self._read(lists.read_headers, "The changes of order headers", problems)
        view = table is not None and BigTable(
            table,
            title="Changed headers",
            caption="Order headers that are changed, added or taken out",
            source="audit_order_header_changes",
            file="order-headers.csv",
            empty="No order header changes.",
            facets=(Facet("change", "Change"),),
        )
        self._page("headers.html", "Order headers", problems, view=view)

    def write_lots(self) -> None:
        problems: list[str] = []
        found = self._read(lists.read_lots, "The lots", problems)
        stock = self._read(lists.read_stock, "The stock", problems)
        view = found is not None and BigTable(
            found.table,
            title="Lots",
            is_title_shown=True,
            caption="Lots with their status and where they are known",
            source="audit_lots",
            file="lots.csv",
            empty="There is no lot.",
            facets=(Facet("status", "Status"), Facet("note", "To look at")),
            sum="",
        )
        self._page("lots.html", "Lots and stock", problems, view=view, lots=found, stock=stock)

    def write_reconciliation(self) -> None:
        problems: list[str] = []
        coverage = self._read(reconciliation.read_coverage, "The fetches", problems)
        by_hand = self._read(reconciliation.read_by_hand_units, "The units shipped by hand", problems)
        days = self._read(reconciliation.read_sku_days, "The days by SKU", problems)
        causes = self._read(reconciliation.read_causes, "The causes", problems)
        table = self._read(reconciliation.read_differences, "The differences", problems)
        view = table is not None and BigTable(
            table,
            title="Differences",
            is_title_shown=True,
            caption="Orders and SKUs of which the legacy rows of a day differ from ShipStation",
            source="audit_shipstation_differences",
            file="shipstation-differences.csv",
            empty="No order differs: on the covered days the legacy rows are what ShipStation shipped.",
            facets=(Facet("cause", "Likely cause"), Facet("sku_code", "SKU"), Facet("after", "Afterwards")),
            sum="shipstation_units",
        )
        shown, more = reconciliation.differing_days(days or (), SHOWN_SKU_DAYS)
        by_day = reconciliation.by_day(days or ())
        self._page(
            "reconciliation.html",
            "ShipStation against the tables",
            problems,
            view=view,
            coverage=coverage,
            by_hand_units=by_hand,
            shown_days=shown,
            more_days=more,
            same_days=sum(not day.differs for day in days or ()),
            charts=charts_of(by_day, which="covered days with units"),
            has_shipstation=True,
            causes=causes,
            meanings=words.CAUSES,
            comparison=_comparison,
            database=shlex.quote(self.verdict.source),
            work_dir=shlex.quote(str(self.work_dir.path)),
        )

    def write_shipstation(self) -> None:
        problems: list[str] = []
        outcomes = self._read(lists.read_outcomes, "ShipStation's lines", problems)
        table = self._read(lists.read_shipstation_lines, "ShipStation's lines one by one", problems)
        view = table is not None and BigTable(
            table,
            title="Lines that are not simply matched",
            is_title_shown=True,
            caption="ShipStation's lines that are not the same line on the same day",
            source="audit_shipstation_lines",
            file="shipstation-lines.csv",
            empty="Every line is a legacy row on its day.",
            facets=(Facet("outcome", "Outcome"),),
            sum="quantity",
        )
        self._page(
            "shipstation.html",
            "ShipStation's lines",
            problems,
            view=view,
            outcomes=outcomes,
            meanings=words.OUTCOMES,
        )

    def write_weekly(self) -> None:
        problems: list[str] = []
        content = weekly_content(lambda read, what: self._read(read, what, problems), problems)
        self._page("weekly.html", "Weekly report", problems, script="", **content)

    def write_index(self) -> None:
        problems: list[str] = []
        verdict = self.verdict
        figures = attempt(lambda: read_figures(self.work_dir.candidate), "The figures", problems)
        stock = self._read(lists.read_stock, "The stock", problems) or ()
        daily = self._read(read_daily_units, "The units per day", problems)
        days, undated = daily or ([], [])
        suites = suites_of(verdict)
        self._page(
            "index.html",
            f"Gate {'open' if verdict.is_open else 'closed'}",
            problems,
            script="checks.js",
            reasons=verdict.reasons,
            shown_reasons=SHOWN_REASONS,
            results=words.RESULTS,
            counts=count_checks(verdict.checks),
            figures=figures,
            days=split_days(figures.days) if figures else [],
            stock=[row for row in stock if row.expected is not None or len(stock) <= SHOWN_STOCK],
            totals=row_totals(figures) if figures else [],
            listed=self.listed,
            listed_total=sum((self.listed or {}).values()),
            meanings=words.REASONS,
            charts=charts_of(days),
            has_shipstation=any(day.shipstation is not None for day in days),
            undated=undated,
            comparison=_comparison,
            snapshot_taken=_snapshot_taken(self.work_dir.snapshot_json),
            hashes=(
                ("snapshot", verdict.snapshot_sha256),
                ("evidence", verdict.evidence_sha256),
                ("controls", verdict.controls_sha256),
                ("register of checks", verdict.register_sha256),
            ),
            has_dbt_docs=self.has_dbt_docs,
            suites=suites,
            result_options=result_options(suites),
        )

    def _read(self, read: Callable[[sqlite3.Connection], T], what: str, problems: list[str]) -> T | None:
        return attempt(lambda: read_candidate(self.work_dir.candidate, read), what, problems)

    def _page(
        self, name: str, title: str, problems: list[str], *, script: str = "table.js", **content: Any
    ) -> None:
        parts = self.environment.get_template(f"{name}.j2").generate(
            page=name,
            pages=PAGES,
            is_wide=name not in ON_PAPER,
            title=title,
            verdict=self.verdict,
            problems=problems,
            style=asset("review.css"),
            scripts=[asset(file) for file in ("page.js", script) if file],
            **content,
        )
        write_file(self.folder / name, parts)


def _comparison(after: object, wanted: object, by: str) -> Markup:
    """Whether a figure is the one that it should be, by a sign and in words."""
    if not isinstance(after, int) or not isinstance(wanted, int):
        return Markup('<span class="bad">not known</span>')
    sign, look = ("✓", "good") if after == wanted else ("✕", "bad")
    if after == wanted:
        text = f"as {by}"
    else:
        text = f"{number(abs(after - wanted))} {'more' if after > wanted else 'fewer'} than {by}"
    return Markup('<span class="{}"><span aria-hidden="true">{}</span> {}</span>').format(look, sign, text)


def _snapshot_taken(path: Path) -> str | None:
    try:
        taken = json.loads(path.read_text(encoding="utf-8")).get("taken_at")
    except (OSError, ValueError, AttributeError):
        return None
    return taken if isinstance(taken, str) else None
