"""Which dbt project a command works with, and whose controls: never a stranger's."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Outcome
from lotgate import project as module
from lotgate.config import load_settings, project_setting
from lotgate.doctor import Check, examine_project
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.project import locate_project, require_project
from lotgate.project_files import project_files

Cli = Callable[..., Outcome]
ROOT = Path(__file__).resolve().parents[2]


def make(folder: Path, content: str = "name: lotgate\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dbt_project.yml").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As installed: the package with its own project, and no source tree around it."""
    folder = tmp_path / "site-packages" / "lotgate"
    make(folder / "project")
    monkeypatch.setattr(module, "__file__", str(folder / "project.py"))
    return folder


def found(folder: Path) -> tuple[Path, str] | None:
    project = locate_project(folder)
    return None if project is None else (project.path, project.where)


def test_here_then_above_then_the_package(tmp_path: Path, package: Path) -> None:
    inner = tmp_path / "mine" / "deep" / "er"
    inner.mkdir(parents=True)
    assert found(inner) == (package / "project", "installed")
    make(tmp_path / "mine")
    assert found(inner) == (tmp_path / "mine", "above")
    assert found(tmp_path / "mine") == (tmp_path / "mine", "here")
    make(inner)
    assert found(inner) == (inner, "here")


@pytest.mark.parametrize(
    "content",
    ["name: jaffle_shop\n", "name: lotgate_two\n", "", "models:\n  name: lotgate\n", "# name: lotgate\n"],
)
def test_somebody_elses_project_is_passed_over(tmp_path: Path, package: Path, content: str) -> None:
    stranger = make(tmp_path / "mine" / "stranger", content)
    assert found(stranger) == (package / "project", "installed")
    make(tmp_path / "mine")
    assert found(stranger) == (tmp_path / "mine", "above")


@pytest.mark.parametrize(
    "content",
    [
        "name: 'lotgate'\n",
        'x: 1\nname:  "lotgate"  # ours\n',
        "name: lotgate\nvars: {\n",
        "name: lotgate\r\n",
    ],
)
def test_ours_however_it_is_written_and_broken_below(tmp_path: Path, package: Path, content: str) -> None:
    """A project that its owner broke must not be replaced, silently, by another."""
    assert found(make(tmp_path / "mine", content)) == (tmp_path / "mine", "here")


ME = os.geteuid()
STRANGER = 4711


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch) -> dict[Path, int]:
    """Whose a file or a folder is said to be; all others are whose they are."""
    said: dict[Path, int] = {}

    def as_said(status: Callable[[Path], os.stat_result]) -> Callable[..., os.stat_result]:
        def ask(path: Path, **more: bool) -> os.stat_result:
            found = status(path, **more)
            values = list(found)
            values[4] = said.get(path, found.st_uid)
            return os.stat_result(values)

        return ask

    monkeypatch.setattr(Path, "stat", as_said(Path.stat))
    monkeypatch.setattr(Path, "lstat", as_said(Path.lstat))
    return said


@pytest.mark.parametrize("name", [".", "dbt_project.yml"])
@pytest.mark.parametrize("inner", [".", "deep/er"])
def test_a_project_of_another_user_is_refused(
    tmp_path: Path, package: Path, owners: dict[Path, int], name: str, inner: str
) -> None:
    """Its macros and plugins would run as whoever stands below it: /tmp/dbt_project.yml, for one."""
    mine = make(tmp_path / "mine")
    (mine / inner).mkdir(parents=True, exist_ok=True)
    for owner in (0, ME):
        owners[mine / name] = owner
        assert found(mine / inner) == (mine, "here" if inner == "." else "above")
    owners[mine / name] = STRANGER
    with pytest.raises(UsageError, match="belongs to another user") as raised:
        locate_project(mine / inner)
    assert "run lotgate as its owner" in (raised.value.hint or "")
    assert examine_project(mine / inner).status == "problem"


def test_the_tree_that_runs_is_trusted_whoever_owns_it(
    tmp_path: Path, owners: dict[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container the files of a checkout often belong to another user than the one who runs them."""
    tree = make(tmp_path / "tree")
    (tree / "scripts" / "lotgate").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(tree / "scripts" / "lotgate" / "project.py"))
    owners[tree] = owners[tree / "dbt_project.yml"] = STRANGER
    assert found(tree) == (tree, "here")
    assert found(tree / "scripts") == (tree, "above")
    assert found(tmp_path) == (tree, "checkout")


def test_a_strangers_link_to_a_file_of_roots_is_refused(
    tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of root's that everybody may write to."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "dbt_project.yml").symlink_to(package / "project" / "dbt_project.yml")
    assert found(shared) == (shared, "here")
    owned = os.stat_result((0, 0, 0, 1, STRANGER, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "lstat", lambda path: owned)
    with pytest.raises(UsageError, match="belongs to another user"):
        locate_project(shared)


def test_sudo_is_who_typed_it(
    tmp_path: Path, package: Path, owners: dict[Path, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only root is believed it: anybody else could have set it."""
    mine = make(tmp_path / "mine")
    owners[mine] = owners[mine / "dbt_project.yml"] = STRANGER
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert found(mine) == (mine, "here")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UsageError, match="belongs to another user"):
        locate_project(mine)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for other in ("1000", "", "x", "-1"):
        monkeypatch.setenv("SUDO_UID", other)
        with pytest.raises(UsageError, match="belongs to another user"):
            locate_project(mine)


def test_a_folder_in_the_place_of_the_file(tmp_path: Path, package: Path) -> None:
    (tmp_path / "mine" / "dbt_project.yml").mkdir(parents=True)
    assert found(tmp_path / "mine") == (package / "project", "installed")


def test_inside_the_installed_project_it_is_still_the_installed_one(package: Path) -> None:
    project = locate_project(package / "project")
    assert project is not None
    assert project.is_installed
    (package / "project" / "models").mkdir()
    assert found(package / "project" / "models") == (package / "project", "installed")


def test_an_editable_installation_uses_its_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = make(tmp_path / "tree")
    monkeypatch.setattr(module, "__file__", str(tree / "scripts" / "lotgate" / "project.py"))
    (tree / "scripts" / "lotgate").mkdir(parents=True)
    assert found(tmp_path) == (tree, "checkout")


def test_a_package_that_lost_its_project(tmp_path: Path, package: Path) -> None:
    shutil.rmtree(package / "project")
    assert locate_project(tmp_path) is None
    assert project_setting(tmp_path).value is None
    with pytest.raises(EnvironmentFailed, match="neither here") as raised:
        require_project(tmp_path)
    assert raised.value.hint == "Install lotgate again."


def test_controls_here_then_those_of_a_clone_and_never_the_packages(tmp_path: Path, package: Path) -> None:
    (package / "project" / "seeds" / "controls").mkdir(parents=True)
    inner = tmp_path / "mine" / "deep"
    inner.mkdir(parents=True)
    assert load_settings(folder=inner, environ={}).controls is None
    seeds = make(tmp_path / "mine") / "seeds" / "controls"
    assert load_settings(folder=inner, environ={}).controls is None
    seeds.mkdir(parents=True)
    assert load_settings(folder=inner, environ={}).controls == seeds
    (inner / "controls").write_text("no folder")
    assert load_settings(folder=inner, environ={}).controls == seeds
    (inner / "controls").unlink()
    (inner / "controls").mkdir()
    settings = load_settings(folder=inner, environ={})
    assert settings.controls == inner / "controls"
    assert not settings.controls_given
    assert load_settings(folder=inner, environ={"LOTGATE_CONTROLS": "/x"}).controls == Path("/x")


def test_what_config_says_of_it(
    lotgate: Cli, tmp_path: Path, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "2.0")
    line = lotgate("config").out.splitlines()[0]
    assert line == f"project = {package / 'project'}  (installed with the package, 2.0)"
    mine = make(tmp_path / "mine")
    monkeypatch.chdir(mine)
    (project, *_) = lotgate("config", "--json").json["settings"]
    assert project == {"name": "project", "value": str(mine), "origin": "this folder"}
    for version, end in (
        ("2.0", ", a copy made with 2.0"),
        ("1.0", ", a copy made with 1.0; the package is 2.0"),
    ):
        (mine / "lotgate-project.json").write_text(json.dumps({"lotgate": version}))
        assert project_setting(mine).origin == f"this folder{end}"
    (mine / "lotgate-project.json").write_text("[]")
    assert project_setting(mine).origin == "this folder"


def test_doctor_warns_of_a_copy_of_another_version(tmp_path: Path, package: Path) -> None:
    mine = make(tmp_path / "mine")
    assert examine_project(mine) == Check("project", "ok", f"{mine} (this folder)")
    (mine / "lotgate-project.json").write_text('{"lotgate": "0.0.1"}')
    found = examine_project(mine)
    assert found.status == "warning"
    assert "made with lotgate 0.0.1; this is " in found.detail
    assert "lotgate init DIR --with-project" in (found.hint or "")
    shutil.rmtree(package / "project")
    assert examine_project(tmp_path).status == "problem"


def test_the_register_of_the_installed_project_is_not_written(
    lotgate: Cli, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.project_checks.write_register", pytest.fail)
    outcome = lotgate("checks", "--accept")
    assert outcome.code == 2
    assert "is the installed one" in outcome.err
    assert "lotgate init DIR --with-project" in outcome.err


def test_the_files_of_a_project(tmp_path: Path) -> None:
    root = make(tmp_path / "p")
    planted = (
        *(
            "tests/python/y.py",
            "target/z",
            "README.md",
            "models/ora.sqlite",
            "seeds/ora.db",
            "models/orders.csv",
        ),
        *("seeds/legacy/orders.csv", "expectations/uncommitted/config_variables.yml", "macros/x.sql.bak"),
    )
    for name in ("models/a/b.sql", "tests/dbt/x.sql", "seeds/controls/incidents.csv", *planted):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    cache = root / "expectations" / "plugins" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "q.pyc").touch()
    assert [str(file) for file in project_files(root)] == [
        "dbt_project.yml",
        "models/a/b.sql",
        "seeds/controls/incidents.csv",
        "tests/dbt/x.sql",
    ]
    ours = {file.parts[0] for file in project_files(ROOT)}
    assert ours >= {"dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "tests", "expectations"}
