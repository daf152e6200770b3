"""Writes docs/commands.md from the commands themselves: ``make docs``. A test says where the page is stale.

Usage: python scripts/command_reference.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from lotgate.cli import cli

PAGE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
INTRODUCTION = """# Commands

`lotgate COMMAND --help` says the same as this page, which `make docs` makes from the commands.

Options come after the command's name. `--database`, `--work-dir` and `--controls` mean the same everywhere. \
What is not given is taken from the environment, then from `lotgate.toml`, then from the default; \
`lotgate config` prints all of it. Where a command has `--json`, it prints one JSON document on stdout; \
progress and errors go to stderr. `lotgate --debug COMMAND` adds the traceback to an error; \
`lotgate --version` says which version it is.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the gate is closed: a check failed, or it is not allowed now |
| 2 | wrong usage or configuration |
| 3 | the environment failed: I/O, lock, space, network, permissions |
"""


def reference() -> str:
    """The page. Every command and option that is not hidden, with default, range and example."""
    commands = list(_commands(click.Context(cli, info_name="lotgate"), cli))
    rows = [
        f"| [`{path}`](#{_anchor(path)}) | {_line(command.get_short_help_str(200))} |"
        for path, command in commands
    ]
    parts = [INTRODUCTION, "\n".join(["| command | does |", "|---|---|", *rows, ""])]
    parts += [_section(path, command) for path, command in commands]
    return "\n".join(parts)


def _commands(context: click.Context, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        path = f"{context.command_path} {name}"
        yield path, command
        if isinstance(command, click.Group):
            yield from _commands(click.Context(command, info_name=name, parent=context), command)


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"## {path}", "", "```text", usage, "```", "", *_paragraphs(command.help or "")]
    options = [row for option in command.params if (row := _row(option, context))]
    if options:
        lines += ["| option | meaning |", "|---|---|", *options, ""]
    if command.epilog:
        lines += _example(command.epilog)
    return "\n".join(lines)


def _row(parameter: click.Parameter, context: click.Context) -> str:
    record = parameter.get_help_record(context)
    if record is None:
        return ""
    names, text = record
    return f"| `{_line(names)}` | {_line(text)} |"


def _paragraphs(text: str) -> list[str]:
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.replace("\b", "").strip()):
        lines += [_line(paragraph), ""]
    return lines


def _example(epilog: str) -> list[str]:
    """`Example: lotgate x --y` as a block; other words that stand there stay words."""
    lines: list[str] = []
    for paragraph in re.split(r"\n\s*\n", epilog.replace("\b", "").strip()):
        found = re.fullmatch(r"Example: (lotgate [^\n]+)", paragraph.strip())
        lines += ["```sh", found[1], "```", ""] if found else [_line(paragraph), ""]
    return lines


def _line(text: str) -> str:
    """One line of a table or a paragraph: what Markdown would take for its own is kept as it is."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _anchor(path: str) -> str:
    return path.replace(" ", "-")


def main() -> int:
    """Writes the page, or with ``--check`` says whether it is as it should be."""
    page = reference()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE.name} is not what the commands say. `make docs` writes it anew.", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
