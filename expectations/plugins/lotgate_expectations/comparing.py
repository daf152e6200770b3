"""SQL that says how a row differs from what it should be: the names of the columns, never their values."""

from __future__ import annotations

from collections.abc import Mapping

from lotgate_expectations.expressions import trimmed_or_null, whole_number
from lotgate_expectations.rows import literal


def problem(same: Mapping[str, str], missing: str, missing_text: str = "not in the candidate") -> str:
    """SQL for what is wrong with a row: empty where all is well.

    ``same`` has a condition for each column; ``missing`` is the condition for there being no row at all,
    which is then called ``missing_text``.
    """
    names = " || ".join(
        f"case when {condition} then '' else {literal(f', {name}')} end" for name, condition in same.items()
    )
    return (
        f"case when {missing} then {literal(missing_text)} when {' and '.join(same.values())} then ''"
        f" else 'different: ' || substr({names}, 3) end"
    )


def is_same(one: str, other: str) -> str:
    """Whether two values are the same; NULL is NULL."""
    return f"({one} is {other})"


def is_same_text(one: str, other: str) -> str:
    """Whether two texts are the same as they stand, or once they are trimmed; a blank one is NULL."""
    # few need trimming, which is dear
    return f"({one} = {other} or {trimmed_or_null(one)} is {trimmed_or_null(other)})"


def is_same_number(one: str, other: str) -> str:
    """Whether a whole number is what another column stores as a number or a text."""
    return f"({one} = {other} or {one} is ({whole_number(other)}))"
