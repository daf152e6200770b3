"""The Markdown pages of this repository, taken apart for the tests: blocks, tables, headings, links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "Block", "Page", "Table", "all_pages", "read_page", "section", "slug"]

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(r"^(\s*)```(\w*)\s*$")
_MARK = re.compile(r"^\s*<!-- (.+) -->\s*$")
_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")
_CELL = re.compile(r"(?<!\\)\|")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, the heading above it, and the mark in a comment before it."""

    language: str
    text: str
    heading: str
    mark: str
    line: int


@dataclass(frozen=True)
class Table:
    """A table: its header and rows as texts, and the heading above it."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    heading: str
    line: int


@dataclass(frozen=True)
class Page:
    """One Markdown file. ``prose`` is what stands outside of blocks, line by line."""

    path: Path
    text: str
    blocks: tuple[Block, ...]
    tables: tuple[Table, ...]
    headings: tuple[str, ...]
    prose: tuple[tuple[int, str], ...]

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def links(self) -> list[tuple[bool, str, str]]:
        """(is a picture, text, target) of each link."""
        prose = re.sub(r"`[^`]*`", "", "\n".join(line for _, line in self.prose))
        return [(bool(mark), text, target) for mark, text, target in _LINK.findall(prose)]

    def anchors(self) -> set[str]:
        """What `#...` may name in this page, as GitHub makes it from headings."""
        found: set[str] = set()
        for heading in self.headings:
            name, number = slug(heading), 0
            while (name if not number else f"{name}-{number}") in found:
                number += 1
            found.add(name if not number else f"{name}-{number}")
        return found


def slug(heading: str) -> str:
    """The anchor of a heading: lower case, no punctuation, hyphens for blanks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def all_pages() -> list[Path]:
    """Every Markdown file of the repository that is its own."""
    folders = (".git", ".venv", "target", "logs", "node_modules", "build", "dist")
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not set(path.relative_to(ROOT).parts) & set(folders) and ".pytest_cache" not in path.parts
    )


def read_page(path: Path) -> Page:
    """Takes a file apart."""
    blocks, tables, headings, prose = [], [], [], []
    heading = mark = ""
    lines = path.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        if fence := _FENCE.match(line):
            end = number + 1
            while lines[end].strip() != "```":
                end += 1
            body = [text.removeprefix(fence[1]) for text in lines[number + 1 : end]]
            blocks.append(Block(fence[2], "\n".join(body), heading, mark, number + 1))
            number, mark = end + 1, ""
            continue
        if found := _HEADING.match(line):
            heading = found[2]
            headings.append(heading)
        if found := _MARK.match(line):
            mark = found[1]
        elif line.strip():
            mark = ""
        prose.append((number + 1, line))
        if line.lstrip().startswith("|") and re.fullmatch(r"\s*\|[-:| ]+\|\s*", _at(lines, number + 1)):
            end = number + 2
            while _at(lines, end).lstrip().startswith("|"):
                end += 1
            rows = tuple(_cells(text) for text in lines[number + 2 : end])
            tables.append(Table(_cells(line), rows, heading, number + 1))
            prose += [(index + 1, lines[index]) for index in range(number + 1, end)]
            number = end
            continue
        number += 1
    return Page(path, "\n".join(lines), tuple(blocks), tuple(tables), tuple(headings), tuple(prose))


def section(page: Page, heading: str) -> list[Block]:
    """The blocks under a heading."""
    return [block for block in page.blocks if block.heading == heading]


def _at(lines: list[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip()[1:-1]))
