"""The three kinds of pages of Data Docs, from GX's objects to plain values: index, suite, run of a suite.

GX makes one object of each class and calls ``render``; great_expectations.yml names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lotgate.data_docs.checks import ShownCheck, Tally, describe, examine, tally, with_anchors
from lotgate.data_docs.content import as_text, shown
from lotgate.data_docs.paths import INDEX, link, suite_page, validation_page

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite, ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
    from great_expectations.data_context.types.resource_identifiers import ValidationResultIdentifier

__all__ = ["IndexPage", "Page", "SuitePage", "ValidationPage"]


@dataclass(frozen=True)
class Page:
    """What the view makes a page of. ``path`` is its place in the site, ``trail`` the pages above it."""

    template: str
    path: str
    title: str
    trail: tuple[tuple[str, str], ...] = ()
    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """One run of a suite on a batch; times are UTC."""

    suite: str
    name: str
    time: str
    source: str
    href: str
    tally: Tally


@dataclass(frozen=True)
class Suite:
    """One suite of the index: how many checks it holds by severity, and its newest run."""

    name: str
    notes: str
    href: str
    checks: int
    severities: Mapping[str, int]
    newest: Run | None


class IndexPage:
    """All runs and all suites."""

    def __init__(self, data_context: AbstractDataContext) -> None:
        self._context = data_context

    def render(self, index_links: Mapping[str, Any]) -> Page:
        """``index_links`` is what GX knows of the site; names and keys come from the stores instead."""
        runs = [_run(self._context, key, page=INDEX) for key in _runs(self._context)]
        suites = []
        for name in _suites(self._context):
            severities = dict.fromkeys(("critical", "warning", "info"), 0)
            checks = _stated(self._context, name)
            for check in checks:
                severities[check.severity] = severities.get(check.severity, 0) + 1
            suites.append(
                Suite(
                    name=name,
                    notes=_notes(self._context, name),
                    href=link(suite_page(name), page=INDEX),
                    checks=len(checks),
                    severities=severities,
                    newest=next((run for run in runs if run.suite == name), None),
                )
            )
        return Page(
            template="index.html",
            path=INDEX,
            title="Data Docs",
            content={"runs": runs, "suites": suites, "tones": _count(run.tally.tone for run in runs)},
        )


class SuitePage:
    """What a suite checks, in its own order, and its runs."""

    def __init__(self, data_context: AbstractDataContext) -> None:
        self._context = data_context

    def render(self, suite: ExpectationSuite) -> Page:
        """The suite's own checks are those that GX knows; the page also shows those that it dropped."""
        path = suite_page(suite.name)
        runs = [_run(self._context, key, page=path) for key in _runs(self._context, suite.name)]
        return Page(
            template="suite.html",
            path=path,
            title=f"Suite {suite.name}",
            trail=(("Data Docs", link(INDEX, page=path)),),
            content={
                "name": suite.name,
                "notes": _notes(self._context, suite.name),
                "checks": with_anchors(_stated(self._context, suite.name)),
                "runs": runs,
            },
        )


class ValidationPage:
    """What became of every check of a suite in one run; what did not pass comes first."""

    def __init__(self, data_context: AbstractDataContext) -> None:
        self._context = data_context

    def render(self, result: ExpectationSuiteValidationResult) -> Page:
        """GX gives the result without its key, so the key is found by what the result says of itself."""
        key = _key(self._context, result)
        path = validation_page(key)
        checks = with_anchors(examine(check) for check in result.results)
        trail = [("Data Docs", link(INDEX, page=path))]
        suite_href = None
        if result.suite_name in _suites(self._context):
            suite_href = link(suite_page(result.suite_name), page=path)
            trail.append((f"Suite {result.suite_name}", suite_href))
        return Page(
            template="validation.html",
            path=path,
            title=f"Run of {result.suite_name}",
            trail=tuple(trail),
            content={
                "suite": result.suite_name,
                "suite_href": suite_href,
                "checks": sorted(checks, key=lambda check: check.order),
                "tally": tally(result.results, _size(self._context, result.suite_name)),
                "facts": _facts(result, key),
                "parameters": {name: shown(value) for name, value in (result.suite_parameters or {}).items()},
            },
        )


def _suites(context: AbstractDataContext) -> list[str]:
    store = context.stores[context.expectations_store_name]
    return sorted(key.name for key in store.list_keys())


def _stored_suite(context: AbstractDataContext, name: str) -> dict[str, Any]:
    """The suite as its file has it: GX's own object lacks the checks whose type GX does not know."""
    store = context.stores[context.expectations_store_name]
    return dict(store.get(store.get_key(name=name)))


def _stated(context: AbstractDataContext, name: str) -> list[ShownCheck]:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    fields = ("type", "kwargs", "meta", "notes", "description", "severity")
    return [
        describe(
            ExpectationConfiguration(**{name: entry[name] for name in fields if entry.get(name) is not None})
        )
        for entry in _stored_suite(context, name)["expectations"]
    ]


def _size(context: AbstractDataContext, name: str) -> int | None:
    return len(_stored_suite(context, name)["expectations"]) if name in _suites(context) else None


def _notes(context: AbstractDataContext, name: str) -> str:
    return as_text(_stored_suite(context, name).get("notes"), escaped=False)


def _runs(context: AbstractDataContext, suite: str | None = None) -> list[ValidationResultIdentifier]:
    """The newest first, then by the suites' names."""
    found = context.stores[context.validation_results_store_name].list_keys()
    wanted = [key for key in found if suite in (None, key.expectation_suite_identifier.name)]
    by_name = sorted(wanted, key=lambda key: (key.expectation_suite_identifier.name, key.batch_identifier))
    return sorted(by_name, key=lambda key: _utc(key.run_id.run_time), reverse=True)


def _run(context: AbstractDataContext, key: ValidationResultIdentifier, *, page: str) -> Run:
    result = context.stores[context.validation_results_store_name].get(key)
    return Run(
        suite=result.suite_name,
        name=shown(key.run_id.run_name) if key.run_id.run_name else "",
        time=_utc(key.run_id.run_time),
        source=_source(result),
        href=link(validation_page(key), page=page),
        tally=tally(result.results, _size(context, result.suite_name)),
    )


def _key(
    context: AbstractDataContext, result: ExpectationSuiteValidationResult
) -> ValidationResultIdentifier:
    from great_expectations.core import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import (
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    run = result.meta["run_id"]
    return ValidationResultIdentifier(
        expectation_suite_identifier=ExpectationSuiteIdentifier(result.suite_name),
        run_id=run if isinstance(run, RunIdentifier) else RunIdentifier(**run),
        batch_identifier=result.batch_id,
    )


def _source(result: ExpectationSuiteValidationResult) -> str:
    batch = result.meta.get("active_batch_definition") or {}
    names = (batch.get("datasource_name"), batch.get("data_asset_name"))
    return ", ".join(shown(name) for name in names if name)


def _facts(
    result: ExpectationSuiteValidationResult, key: ValidationResultIdentifier
) -> tuple[tuple[str, str], ...]:
    facts = {
        "Data": _source(result),
        "Run": key.run_id.run_name,
        "Time": _utc(key.run_id.run_time),
        "Checkpoint": result.meta.get("checkpoint_name"),
        "Great Expectations": result.meta.get("great_expectations_version"),
    }
    return tuple((name, shown(value)) for name, value in facts.items() if value)


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _count(values: Iterable[str]) -> dict[str, int]:
    found = list(values)
    return {value: found.count(value) for value in ("pass", "warn", "fail")}
