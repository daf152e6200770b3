"""One check as a page shows it: an expectation, and what became of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lotgate.data_docs.content import Block, Table, as_blocks, as_text, shown

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

__all__ = ["ShownCheck", "Tally", "describe", "examine", "tally", "with_anchors"]

HIDDEN_PARAMETERS = ("batch_id", "result_format", "catch_exceptions", "meta_properties_to_render", "column")
NOT_RUN = "GX does not know this type, so the check does not run."


@dataclass(frozen=True)
class ShownCheck:
    """One check of a suite, all of it plain text.

    ``name`` is what ``meta.check`` says, or empty. ``result`` is ``passed``, ``failed`` or ``errored``; in a
    suite's page it is empty, or ``unknown`` where GX has no such expectation. ``queries`` and ``parameters``
    are pairs of name and value.
    """

    sentence: str
    type: str
    severity: str
    name: str = ""
    column: str = ""
    result: str = ""
    observed: str = ""
    problem: str = ""
    traceback: str = ""
    found: tuple[Block, ...] = ()
    queries: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    notes: str = ""
    anchor: str = ""

    @property
    def tone(self) -> str:
        """How grave it is, as the gate counts it: ``pass``, ``warn``, ``fail``, or empty without a result."""
        match self.result:
            case "passed":
                return "pass"
            case "failed" if self.severity != "critical":
                return "warn"
            case "":
                return ""
            case _:
                return "fail"

    @property
    def order(self) -> int:
        """What closes the gate comes first, then warnings, then what passed."""
        return ("fail", "warn", "pass", "").index(self.tone) * 2 + (self.result == "failed")


@dataclass(frozen=True)
class Tally:
    """How many checks of a run passed, failed with severity critical, failed with another, could not be
    carried out; ``expected`` is how many the suite holds, None where that is not known."""

    checks: int
    passed: int
    failed: int
    warnings: int
    errored: int
    expected: int | None = None

    @property
    def has_gaps(self) -> bool:
        """The run has another number of results than its suite has checks, or none at all."""
        return self.checks == 0 or self.expected not in (None, self.checks)

    @property
    def tone(self) -> str:
        """As ``ShownCheck.tone``, for all of them."""
        if self.failed or self.errored or self.has_gaps:
            return "fail"
        return "warn" if self.warnings else "pass"

    @property
    def word(self) -> str:
        """The same in a word or two."""
        if self.failed or self.errored:
            return "Failed"
        if self.has_gaps:
            return "Incomplete"
        return "Warnings" if self.warnings else "Passed"


def tally(results: Iterable[ExpectationValidationResult], expected: int | None) -> Tally:
    """Counts the results of a run."""
    found = [(_outcome(result), _severity(result.expectation_config)) for result in results]
    failed = [severity for outcome, severity in found if outcome == "failed"]
    return Tally(
        checks=len(found),
        passed=sum(outcome == "passed" for outcome, _ in found),
        failed=failed.count("critical"),
        warnings=len(failed) - failed.count("critical"),
        errored=sum(outcome == "errored" for outcome, _ in found),
        expected=expected,
    )


def describe(configuration: ExpectationConfiguration) -> ShownCheck:
    """An expectation as its suite states it."""
    expectation = _expectation(configuration)
    parameters = [
        (name, value)
        for name, value in configuration.kwargs.items()
        if name not in HIDDEN_PARAMETERS and value is not None
    ]
    queries = [(name, value) for name, value in parameters if _is_sql(name, value)]
    query = _own_query(expectation)
    if query:
        queries.append(("query", query))
    return ShownCheck(
        sentence=_sentence(configuration, expectation),
        type=configuration.type,
        severity=_severity(configuration),
        name=shown(configuration.meta["check"]) if (configuration.meta or {}).get("check") else "",
        column=shown(configuration.kwargs["column"]) if configuration.kwargs.get("column") else "",
        result="" if expectation is not None else "unknown",
        problem="" if expectation is not None else NOT_RUN,
        queries=tuple((_worded(name), _laid_out(value)) for name, value in queries),
        parameters=tuple(
            (_worded(name), shown(value)) for name, value in parameters if (name, value) not in queries
        ),
        notes=as_text(configuration.notes, escaped=False),
    )


def examine(result: ExpectationValidationResult) -> ShownCheck:
    """An expectation, and what became of it."""
    from great_expectations.render.components import LegacyDiagnosticRendererType as Renderer

    assert result.expectation_config is not None, "a result without its expectation"
    check = describe(result.expectation_config)
    outcome = _outcome(result)
    if outcome == "errored":
        raised = _raised(result.exception_info)
        return replace(
            check,
            result=outcome,
            # the first line says it; a database adds the statement, which is its own entry
            problem="\n".join(dict.fromkeys(message.strip().partition("\n")[0] for message, _ in raised)),
            traceback="\n\n".join(f"{message.strip()}\n\n{trace.strip()}" for message, trace in raised),
        )
    found = _rendered(check.type, Renderer.UNEXPECTED_STATEMENT, result) if outcome == "failed" else ()
    return replace(
        check,
        result=outcome,
        problem="",
        observed=_observed(result, check.type),
        found=found + _rendered(check.type, Renderer.UNEXPECTED_TABLE, result),
    )


def with_anchors(checks: Iterable[ShownCheck]) -> list[ShownCheck]:
    """Gives each check the name of its place in a page: its own, where that can be one and is still free."""
    given: set[str] = set()
    anchored = []
    for number, check in enumerate(checks, 1):
        own = check.name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", check.name) else ""
        anchor = own if own and own not in given else f"check-{number}"
        given.add(anchor)
        anchored.append(replace(check, anchor=anchor))
    return anchored


def _outcome(result: ExpectationValidationResult) -> str:
    if _raised(result.exception_info):
        return "errored"
    return "passed" if result.success else "failed"


def _severity(configuration: ExpectationConfiguration | None) -> str:
    severity = configuration.severity if configuration is not None else "critical"
    return str(getattr(severity, "value", severity))


def _expectation(configuration: ExpectationConfiguration) -> Expectation | None:
    """The object behind the words; None where GX does not know the type or the parameters do not fit it."""
    from great_expectations.exceptions.exceptions import GreatExpectationsError

    try:
        return configuration.to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError):  # pydantic's errors are ValueErrors
        return None


def _own_query(expectation: Expectation | None) -> str:
    """The SQL that an expectation writes; empty where it writes none, or none without a run's parameters."""
    query = getattr(expectation, "query", None)
    if not callable(query):
        return ""
    with contextlib.suppress(Exception):  # whatever it raises made, or will make, the check fail to run
        return str(query())
    return ""


def _sentence(configuration: ExpectationConfiguration, expectation: Expectation | None) -> str:
    from great_expectations.render.components import LegacyRendererType

    description = configuration.description or getattr(expectation, "description", None)
    if description:
        return str(description)
    written = None
    if expectation is not None:
        renderer = _find(configuration.type, LegacyRendererType.PRESCRIPTIVE)
        written = _call(renderer, configuration=configuration, runtime_configuration={})
    return as_text(written, escaped=False) or configuration.type


def _observed(result: ExpectationValidationResult, expectation_type: str) -> str:
    from great_expectations.render.components import LegacyDiagnosticRendererType as Renderer

    value = (result.result or {}).get("observed_value")
    renderer = _find(expectation_type, Renderer.OBSERVED_VALUE)
    if _is_stock(renderer) and isinstance(value, int | float) and not isinstance(value, bool):
        number = shown(value)  # GX rounds, and goes by the machine's locale
        if "unexpected_rows_query" in (result.expectation_config.kwargs if result.expectation_config else ()):
            return f"{number} unexpected {'row' if value == 1 else 'rows'}"
        return number
    if _is_stock(renderer) and isinstance(value, list):
        return ", ".join(map(shown, value))
    text = as_text(_call(renderer, result=result), escaped=not _is_stock(renderer))
    return "" if text == "--" else text


def _rendered(expectation_type: str, kind: str, result: ExpectationValidationResult) -> tuple[Block, ...]:
    renderer = _find(expectation_type, kind)
    blocks = as_blocks(_call(renderer, result=result), escaped=not _is_stock(renderer))
    count = (result.result or {}).get("observed_value")
    match blocks:
        case (Table() as table,) if not _is_stock(renderer) and isinstance(count, int):
            # An expectation of rows shows the first few, and observes how many there are.
            return (replace(table, left_off=max(table.left_off, count - len(table.rows))),)
    return blocks


def _call(renderer: Any, **arguments: Any) -> Any:
    """What a renderer returns, or, as the page has to be there, what was wrong with it."""
    if renderer is None:
        return None
    try:
        return renderer(**arguments)
    except Exception as error:  # noqa: BLE001 - any expectation's own code
        return f"(This cannot be shown: {type(error).__name__}: {error})"


def _find(expectation_type: str, kind: str) -> Any:
    from great_expectations.expectations.registry import get_renderer_impl

    found = get_renderer_impl(object_name=expectation_type, renderer_type=kind)
    return found.renderer if found else None


def _is_stock(renderer: Any) -> bool:
    """GX's own renderers do not escape what they show; those of other expectations do."""
    return renderer is None or renderer.__module__.startswith("great_expectations.")


def _raised(information: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Messages and tracebacks of what was raised: GX keeps one at the top, or one for each metric."""
    information = information or {}
    entries = [information] if "raised_exception" in information else list(information.values())
    found = {
        (shown(entry.get("exception_message")), shown(entry.get("exception_traceback"))): None
        for entry in entries
        if isinstance(entry, Mapping) and entry.get("raised_exception")
    }
    return list(found)


def _is_sql(name: str, value: Any) -> bool:
    return isinstance(value, str) and (name == "query" or name.endswith(("_query", "_sql")))


def _worded(name: str) -> str:
    return name.replace("_", " ")


def _laid_out(sql: Any) -> str:
    """SQL without the indentation of the code that it stands in."""
    lines = str(sql).strip("\n").rstrip().splitlines()
    indented = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    margin = min(indented, default=0)
    return "\n".join([line[min(margin, len(line) - len(line.lstrip())) :] for line in lines])
