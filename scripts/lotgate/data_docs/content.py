"""From the content that GX's renderers return to plain values, which are escaped when they are shown.

A renderer returns components: texts with parameters, tables, lists, things to unfold. Some of their texts are
HTML by convention, since GX's own pages show them as they stand: an expectation that shows data escapes it.
GX's own renderers do not. So texts of other renderers are unescaped here, once; escaping is the view's.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any

__all__ = ["Block", "Folded", "Paragraph", "Table", "as_blocks", "as_text", "shown"]

SHOWN_ROWS = 200
"""Rows of a table that are shown; an expectation chooses fewer."""


@dataclass(frozen=True)
class Paragraph:
    """A text; line breaks in it count."""

    text: str
    kind: str = "paragraph"


@dataclass(frozen=True)
class Table:
    """A table of texts. ``left_off`` counts the rows that are not shown."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_off: int = 0
    kind: str = "table"


@dataclass(frozen=True)
class Folded:
    """What a reader has to open."""

    summary: str
    blocks: tuple[Block, ...]
    kind: str = "folded"


Block = Paragraph | Table | Folded


def as_blocks(content: Any, *, escaped: bool) -> tuple[Block, ...]:
    """What a renderer returned, as blocks. ``escaped``: its texts are HTML by convention."""
    text = html.unescape if escaped else str
    return tuple(_blocks(content, text))


def as_text(content: Any, *, escaped: bool) -> str:
    """What a renderer returned, as one text; a table in it becomes lines."""
    return "\n".join(_lines(as_blocks(content, escaped=escaped))).strip()


def shown(value: Any) -> str:
    """A value of a result or of an expectation's parameters, as a person reads it."""
    if value is None:
        return "(none)"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:,}"
    if isinstance(value, dict) and list(value) == ["$PARAMETER"]:
        return f"(given by the run: {value['$PARAMETER']})"
    return json.dumps(value, ensure_ascii=False, default=str)


def _blocks(content: Any, text: Callable[[str], str]) -> Iterable[Block]:
    if content is None or content == "":
        return
    if isinstance(content, list | tuple):
        for part in content:
            yield from _blocks(part, text)
        return
    if hasattr(content, "to_json_dict"):
        content = content.to_json_dict()
    if not isinstance(content, dict):
        yield Paragraph(text(content) if isinstance(content, str) else shown(content))
        return
    for heading in ("header", "subheader"):
        yield from _blocks(content.get(heading), text)
    match content.get("content_block_type"):
        case "string_template":
            yield Paragraph(_filled(content["string_template"], text))
        case "table":
            yield _table(content, text)
        case "collapse":
            summary = _joined(content.get("collapse_toggle_link"), text)
            yield Folded(summary or "More", tuple(_blocks(content.get("collapse"), text)))
        case "bullet_list" | "value_list" | "text" | "markdown" | "header" | "content_block_container":
            for part in ("bullet_list", "value_list", "text", "markdown", "content_blocks"):
                yield from _blocks(content.get(part), text)
        case other:
            # A chart needs a script to be drawn; what it is drawn from is in the result.
            yield Paragraph(f"({str(other or 'something').replace('_', ' ')} that is not shown here)")


def _filled(template: dict[str, Any], text: Callable[[str], str]) -> str:
    """The text of a string template. Its parameters are never HTML: GX's view escapes them."""
    parameters = {name: shown(value) for name, value in (template.get("params") or {}).items()}
    return Template(text(str(template.get("template", "")))).safe_substitute(parameters).strip()


def _table(content: dict[str, Any], text: Callable[[str], str]) -> Table:
    rows: Sequence[Any] = content.get("table") or []
    header = [_joined(cell, text) for cell in content.get("header_row") or []]
    cells = [tuple(_joined(cell, text) for cell in row) for row in rows[:SHOWN_ROWS]]
    return Table(tuple(header), tuple(cells), left_off=len(rows) - len(cells))


def _joined(content: Any, text: Callable[[str], str]) -> str:
    if content is None:
        return shown(None)
    return "\n".join(_lines(_blocks(content, text))).strip()


def _lines(blocks: Iterable[Block]) -> Iterable[str]:
    for block in blocks:
        match block:
            case Paragraph():
                yield block.text
            case Table():
                yield from (", ".join(row) for row in (block.header, *block.rows) if row)
            case Folded():
                yield from _lines(block.blocks)
