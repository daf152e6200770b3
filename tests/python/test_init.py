"""``lotgate init``: what it lays out, that it fits the code, and that it never overwrites anything."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from conftest import Outcome, drop_privileges, fingerprint, run_lotgate
from lotgate.config import list_settings, load_settings
from lotgate.controls import Controls, load_controls
from lotgate.dbt_run import project_sha256
from lotgate.initialise import settings_text
from lotgate.project import locate_project
from lotgate.project_files import project_files

Cli = Callable[..., Outcome]
ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"README.md", ".gitignore", "lotgate.toml", "controls/README.md"} | {
    f"controls/{name}" for name in Controls().as_files()
}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["mine", 'a b\'c "d" $e', "-x", "deep/er"])
def test_controls_settings_and_a_way_on(
    lotgate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "elsewhere" / "deep").mkdir()
    outcome = lotgate("init", "--", name)
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    folder = tmp_path / "elsewhere" / name
    assert files_in(folder) == PLAIN
    steps = [line.strip() for line in outcome.out.splitlines()]
    (change,) = [line for line in steps if line.startswith("cd ")]
    shown = subprocess.run(
        ["sh", "-c", f"{change} && pwd"], cwd=tmp_path / "elsewhere", capture_output=True, text=True
    )
    assert shown.stdout == f"{folder}\n"
    assert "lotgate build --database FILE" in steps
    monkeypatch.chdir(folder)
    settings = load_settings(environ={})
    assert settings.controls == folder / "controls"
    assert load_controls(settings.controls) == Controls()


def test_as_json(lotgate: Cli, tmp_path: Path) -> None:
    outcome = lotgate("init", "mine", "--json")
    assert set(outcome.json) == {"folder", "files", "with_project", "version", "next"}
    assert outcome.json["folder"] == str(tmp_path / "elsewhere" / "mine")
    assert set(outcome.json["files"]) == PLAIN
    assert outcome.json["with_project"] is False
    assert shlex.split(outcome.json["next"][0]) == ["cd", "mine"]
    assert outcome.err == ""


def uncommented(text: str) -> str:
    """The file as it is when everything in it is switched on that can be."""
    return "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if re.match(r"# (\[[a-z]+\]$|[a-z_]+ = )", line)
    )


def test_the_settings_are_all_there_with_their_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Generated from the code: each line, uncommented, is allowed and changes nothing."""
    before = tmp_path / "before"
    (before / "controls").mkdir(parents=True)
    monkeypatch.chdir(before)
    text = settings_text()
    assert tomllib.loads(text) == {}
    (before / "lotgate.toml").write_text(text, encoding="utf-8")
    defaults = {one.name: one for one in list_settings(load_settings(folder=before, environ={}), {})}
    assert {one.origin for one in defaults.values()} == {"default"}
    (before / "lotgate.toml").write_text(uncommented(text), encoding="utf-8")
    everything = {one.name: one for one in list_settings(load_settings(folder=before, environ={}), {})}
    examples = {"swap.pause_command", "swap.resume_command", "verify.alert_command"}
    for name, one in everything.items():
        if name.startswith("SHIPSTATION_"):
            continue
        assert one.origin == "lotgate.toml", name
        default = defaults[name].value
        if name in examples:
            assert default is None
            assert one.value
        elif name.startswith(("lotgate.", "backups.")):
            assert isinstance(one.value, str)
            assert isinstance(default, str)
            assert (before / one.value).resolve() == (before / default).resolve(), name
        else:
            assert one.value == default, name


def test_the_readme_of_the_controls_explains_every_column(lotgate: Cli, tmp_path: Path) -> None:
    lotgate("init", "mine")
    text = (tmp_path / "elsewhere" / "mine" / "controls" / "README.md").read_text()
    parts = dict(re.findall(r"^## (\S+\.csv)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert {
        name: re.findall(r"^\| `(\w+)` \| .+ \|$", part, re.MULTILINE) for name, part in parts.items()
    } == {name: content.strip().split(",") for name, content in Controls().as_files().items()}
    assert "The day it shipped on; empty while not known." in parts["incidents.csv"]


def test_git_ignores_what_holds_data(lotgate: Cli, tmp_path: Path) -> None:
    lotgate("init", "mine")
    folder = tmp_path / "elsewhere" / "mine"
    for name in (
        "target/candidate.sqlite",
        "ora.db",
        "ora.db-wal",
        "ora.db.lotgate-backups/x",
        "logs/dbt.log",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(listed.stdout.splitlines()) == PLAIN


def test_with_the_project(lotgate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that is used where it lies, and says which version it is of."""
    outcome = lotgate("init", "mine", "--with-project", "--json")
    folder = tmp_path / "elsewhere" / "mine"
    copied = {file.as_posix() for file in project_files(ROOT)}
    assert files_in(folder) == PLAIN | copied | {"lotgate-project.json"} == set(outcome.json["files"])
    assert project_sha256(folder) == project_sha256(ROOT)
    assert all(os.access(folder / name, os.W_OK) for name in copied)
    monkeypatch.chdir(folder)
    project = locate_project(Path.cwd())
    assert project is not None
    assert (project.path, project.where) == (folder, "here")
    assert project.copied_from == outcome.json["version"]
    assert outcome.json["version"] in (folder / "README.md").read_text()
    assert load_settings(environ={}).controls == folder / "controls"  # not the demo's, which came along
    variables = yaml.safe_load((folder / "dbt_project.yml").read_text())["vars"]
    assert variables == yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]
    # a copy of a copy is of the same version
    (folder / "lotgate-project.json").write_text('{"lotgate": "0.0.9"}')
    assert lotgate("init", "again", "--with-project", "--json").json["version"] == "0.0.9"


def test_an_empty_folder_and_one_with_other_files_are_used(lotgate: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "mine"
    folder.mkdir()
    assert lotgate("init", folder).code == 0
    other = tmp_path / "other"
    (other / "controls").mkdir(parents=True)
    (other / "notes.txt").write_text("mine")
    assert lotgate("init", other).code == 0
    assert files_in(other) == PLAIN | {"notes.txt"}
    assert (other / "notes.txt").read_text() == "mine"


def test_nothing_is_overwritten(lotgate: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "controls").mkdir(parents=True)
    (folder / "controls" / "incidents.csv").write_text("mine")
    (folder / "lotgate.toml").symlink_to("/nowhere/at/all")
    before = fingerprint(folder), fingerprint(folder / "controls")
    outcome = lotgate("init", folder)
    assert outcome.code == 2
    assert outcome.err == (
        f"Error: In {folder} this is in the way, and would have been overwritten:\n"
        "  controls/incidents.csv\n"
        "  lotgate.toml\n"
        "Hint: Nothing was written. Move it away, or name another folder.\n"
    )
    assert (fingerprint(folder), fingerprint(folder / "controls")) == before
    assert lotgate("init", folder, "--json").json["error"]["exit_code"] == 2


def test_a_second_time_lists_some_and_says_how_many(lotgate: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert lotgate("init", folder, "--with-project").code == 0
    outcome = lotgate("init", folder, "--with-project")
    assert outcome.code == 2
    assert f"  and {len(files_in(folder)) - 20} more\n" in outcome.err


@pytest.mark.parametrize("name", ["file", "file/under", "mine"])
def test_files_in_the_place_of_folders(lotgate: Cli, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "controls").write_text("x")
    outcome = lotgate("init", tmp_path / name)
    assert outcome.code in (2, 3)
    assert "Hint: " in outcome.err
    assert files_in(tmp_path) == {"file", "mine/controls"}


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_no_name(lotgate: Cli, name: str) -> None:
    assert lotgate("init", name).code == 2


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o555)
    for target in (shut, shut / "mine"):
        outcome = run_lotgate("init", target, "--json", preexec=drop_privileges)
        assert outcome.code == 3
        error = json.loads(outcome.out)["error"]
        assert "cannot be written: Permission denied" in error["message"]
    assert files_in(shut) == set()


def test_a_failure_half_way_leaves_nothing(
    lotgate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    real = Path.open

    def full(path: Path, mode: str = "r", *rest: object, **more: object) -> object:
        if mode == "xb" and path.name == "lotgate.toml":
            raise OSError(28, "No space left on device")
        return real(path, mode, *rest, **more)  # type: ignore[arg-type,call-overload]

    monkeypatch.setattr(Path, "open", full)
    outcome = lotgate("init", folder)
    assert outcome.code == 3
    assert "No space left on device" in outcome.err
    monkeypatch.undo()
    assert [path.name for path in folder.rglob("*")] == ["notes.txt"]
    assert run_lotgate("init", folder).code == 0
