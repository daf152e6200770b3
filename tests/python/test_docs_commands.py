"""Every command in the pages is one that can be given: commands, options, make targets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import command_reference
from lotgate.cli import cli
from pages import ROOT, all_pages, read_page

PAGES = all_pages()
LOTGATE = {"lotgate", ".venv/bin/lotgate", "$(BIN)/lotgate"}
SHELL = {"sh", "bash", "shell", "console"}
OTHERS = {
    *(
        "cd",
        "cp",
        "mkdir",
        "export",
        "rm",
        "git",
        "pip",
        "pipx",
        "python",
        "python3",
        "sqlite3",
        "pre-commit",
    ),
    *(".ci/run", "echo", "dbt", "sqlfluff", "dbt-bouncer", "source", "brew", "apt-get", "sudo", "crontab"),
}
ASSIGNMENT = re.compile(r"[A-Z_]+=.*")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def command_lines(path: Path) -> Iterator[list[str]]:
    """The words of every command in a page's shell blocks."""
    for block in read_page(path).blocks:
        assert block.language, f"{name(path)}:{block.line} does not say its language"
        if block.language in SHELL:
            for line in block.text.replace("\\\n", " ").splitlines():
                for part in re.split(r" (?:&&|\|\||\|) |; ", line):
                    words = shlex.split(part, comments=True)
                    while words and ASSIGNMENT.fullmatch(words[0]):
                        del words[0]
                    if words:
                        yield words


def parse(words: list[str]) -> None:
    """As click parses it, without running anything."""
    arguments = list(words)
    command: click.Command = cli
    context = click.Context(cli, info_name="lotgate")
    while isinstance(command, click.Group):
        if not arguments or arguments[0].startswith("-"):
            command.make_parser(context).parse_args(list(arguments)) if arguments else None
            return
        found = command.get_command(context, arguments.pop(0))
        assert found is not None, f"no such command: {shlex.join(words)}"
        command = found
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=command.name)
    values = ["1" if word in ("...", "N") else word for word in arguments]
    command.make_context(command.name, values, parent=context)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_commands_in_blocks_can_be_given(path: Path) -> None:
    for words in command_lines(path):
        program = words[0]
        if program in LOTGATE:
            parse(words[1:])
        elif program == "make":
            assert make_targets() >= {word for word in words[1:] if "=" not in word}, words
        else:
            assert program in OTHERS or program.startswith(".venv/bin/"), words


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", [p for p in PAGES if name(p) != "docs/commands.md"], ids=name)
def test_commands_in_sentences_exist(path: Path) -> None:
    """`lotgate x --y` in a sentence names a command and options that there are."""
    for _, line in read_page(path).prose:
        for span in re.findall(r"`([^`]+)`", line):
            if re.match(r"make [a-z-]+$", span):
                assert span.split()[1] in make_targets(), span
            if found := re.match(r"(?:\.venv/bin/)?lotgate ([a-z][a-z-]*)(.*)", span):
                command = cli.commands.get(found[1])
                assert command is not None, span
                rest = found[2].split()
                if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
                    command = command.commands.get(rest[0])
                    assert command is not None, span
                known = {option for parameter in _all_options(command) for option in parameter.opts}
                used = {word.partition("=")[0] for word in rest if word.startswith("--")}
                assert used <= known | {"--help"}, span


def _all_options(command: click.Command) -> list[click.Parameter]:
    if isinstance(command, click.Group):
        return [*command.params, *(p for each in command.commands.values() for p in each.params)]
    return command.params


def test_a_command_that_does_not_exist_is_noticed() -> None:
    with pytest.raises(click.UsageError, match="No such option"):
        parse(["swap", "--databse", "ora.db"])
    with pytest.raises(AssertionError, match="no such command"):
        parse(["swop"])
    parse(["sync", "shipments", "--database", "ora.db", "--dry-run"])


def test_the_command_reference_is_that_of_the_commands() -> None:
    """`make docs` writes it anew."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == command_reference.reference()


def test_the_command_reference_is_complete() -> None:
    page = command_reference.reference()
    for command_name, command in cli.commands.items():
        if not command.hidden:
            assert f"\n## lotgate {command_name}\n" in page
            for parameter in command.params:
                if isinstance(parameter, click.Option) and not parameter.hidden:
                    assert parameter.opts[0] in page.split(f"\n## lotgate {command_name}\n")[1]
            own = page.split(f"\n## lotgate {command_name}\n")[1].split("\n## ")[0]
            assert "```sh\nlotgate " in own or isinstance(command, click.Group), command_name
