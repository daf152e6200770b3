"""The wheel and the sdist: what is in them, and that an installed lotgate works from anywhere, read-only."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import site
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

import pytest

from conftest import Outcome, drop_privileges, fill
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.project_files import project_files

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "lotgate/project/"
CACHES = {
    *("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis"),
    *(".venv", "target", "logs", "build", "dist", ".git"),
}
OWNERS = (
    "ora.db",
    "ora.db-wal",
    "lotgate.toml",
    ".env",
    ".mine.yml",
    "orders.md",
    "controls/incidents.csv",
    "notes/orders.csv",
    "docs/ora.db",
    "docs/orders.csv",
    "examples/ci/ora.sqlite-wal",
    "expectations/uncommitted/config_variables.yml",
    "expectations/suites/orders.csv",
    "macros/orders.txt",
    "models/ora.sqlite",
    "models/orders.csv",
    "scripts/lotgate/ora.db",
    "seeds/ora.db",
    "seeds/orders.csv",
    "seeds/legacy/orders.csv",
    "tests/dbt/ora.db-journal",
    "tests/python/uncommitted/secrets.py",
)
"""What an owner may have lying in a clone; it must get into no archive."""
LITTER = (
    "scripts/lotgate/__pycache__/cli.cpython-311.pyc",
    "expectations/plugins/lotgate_expectations/__pycache__/dates.cpython-311.pyc",
    "models/marts/.DS_Store",
    "target/candidate.sqlite",
)


@dataclass(frozen=True)
class Archives:
    """What was built from a copy of the tree, and the names of the files that were copied."""

    tree: Path
    names: frozenset[str]
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path
    editable: Path


@dataclass(frozen=True)
class Installation:
    """A virtual environment of its own with the wheel in it."""

    folder: Path

    def run(
        self, *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, as_owner: bool = False
    ) -> Outcome:
        """The installed command; with ``as_owner`` permission bits count, though root runs it."""
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("LOTGATE_", "PYTHON"))
        }
        done = subprocess.run(
            [self.folder / "bin" / "lotgate", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env=clean | dict(env or {}),
            preexec_fn=drop_privileges if as_owner else None,
            timeout=600,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @property
    def package(self) -> Path:
        """The installed package's folder."""
        (found,) = self.folder.glob("lib/python3.*/site-packages/lotgate")
        return found

    def files(self) -> dict[str, tuple[int, int, int]]:
        """Every file of it with size, time and mode; Python's own caches are nobody's business."""
        return {
            str(path.relative_to(self.folder)): (found.st_size, found.st_mtime_ns, found.st_mode)
            for path in self.folder.rglob("*")
            if "__pycache__" not in path.parts
            for found in [path.lstat()]
        }


def tree_files() -> set[str]:
    """The files of the source tree: git's, with new ones; without git (in an sdist) all but caches."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        return {name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}
    return {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*")
        if path.is_file() and not CACHES & set(path.relative_to(ROOT).parts)
    }


def python_build(*arguments: str | Path, tree: Path) -> None:
    """`python -m build`, with the backend of this environment where there is one: then without network."""
    isolation = ["--no-isolation"] if importlib.util.find_spec("hatchling") else []
    subprocess.run(
        [sys.executable, "-m", "build", *isolation, *map(str, arguments), str(tree)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def copy_tree(tree: Path) -> frozenset[str]:
    """Copies the source tree without an owner's things and caches; the names of its files."""
    names = frozenset(tree_files())
    for name in names:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tree / name)
    return names


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """Built from a copy of the tree in which an owner has worked; nothing is written into this one."""
    tree = tmp_path_factory.mktemp("source") / "a clone's folder"
    names = copy_tree(tree)
    for name in (*OWNERS, *LITTER):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("# an owner's")
    dist = tmp_path_factory.mktemp("dist")
    python_build("--outdir", dist / "both", tree=tree)
    python_build("--wheel", "--outdir", dist / "tree", tree=tree)
    subprocess.run([sys.executable, "-c", EDITABLE, str(tree), str(dist / "editable")], check=True)
    return Archives(
        tree=tree,
        names=names,
        sdist=one(dist / "both", "*.tar.gz"),
        wheel=one(dist / "tree", "*.whl"),
        wheel_of_sdist=one(dist / "both", "*.whl"),
        editable=one(dist / "editable", "*.whl"),
    )


EDITABLE = """
import importlib.util, sys
from build import ProjectBuilder
from build.env import DefaultIsolatedEnv
if importlib.util.find_spec("hatchling"):
    ProjectBuilder(sys.argv[1]).build("editable", sys.argv[2])
else:
    with DefaultIsolatedEnv() as env:
        builder = ProjectBuilder.from_isolated_env(env, sys.argv[1])
        env.install(builder.build_system_requires)
        builder.build("editable", sys.argv[2])
"""


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: Path) -> dict[str, str]:
    (name,) = [name for name in contents(wheel) if name.endswith(".dist-info/METADATA")]
    return dict(Parser().parsestr(contents(wheel)[name].decode()).items())


# what is in them


def test_the_wheel_holds_package_and_project_and_nothing_else(archives: Archives) -> None:
    files = {name: content for name, content in contents(archives.wheel).items() if ".dist-info/" not in name}
    project = {file.as_posix() for file in project_files(archives.tree)}
    assert project <= archives.names
    package = {name for name in archives.names if name.startswith("scripts/lotgate/")}
    assert set(files) == {PROJECT + name for name in project} | {
        name.removeprefix("scripts/") for name in package
    }
    for name, content in files.items():
        source = name.removeprefix(PROJECT) if name.startswith(PROJECT) else f"scripts/{name}"
        assert content == (archives.tree / source).read_bytes(), name
    assert {"dbt_project.yml", "profiles.yml", "expectations/register.json"} <= project
    assert any(name.startswith("tests/dbt/") for name in project)


def test_a_wheel_of_the_sdist_is_the_wheel_of_the_tree(archives: Archives) -> None:
    assert contents(archives.wheel_of_sdist) == contents(archives.wheel)


def test_the_sdist_is_the_tree(archives: Archives) -> None:
    with tarfile.open(archives.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    # one more at the root of the tree? name it in pyproject.toml, or ignore it in .gitignore
    assert names == archives.names | {"PKG-INFO"}


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        ("--wheel", "incidents.csv", "a line more"),
        ("--sdist", "quarantine_decisions.csv", "a line more"),
        ("--wheel", "mine.csv", "a file more"),
        ("--sdist", "expected_units.csv", "a file less"),
    ],
)
def test_an_owners_controls_stop_the_build(tmp_path: Path, kind: str, name: str, change: str) -> None:
    """A clone's `seeds/controls` is the default folder of controls there."""
    tree = tmp_path / "clone"
    copy_tree(tree)
    controls = tree / "seeds" / "controls"
    if change == "a file less":
        (controls / name).unlink()
    else:
        with (controls / name).open("a") as file:
            file.write("2025-10-07,an owner's\n")
    with pytest.raises(subprocess.CalledProcessError) as raised:
        python_build(kind, "--outdir", tmp_path / "dist", tree=tree)
    assert f"No archive is made: {name} in {controls}" in raised.value.output
    assert not list((tmp_path / "dist").glob("*.*"))


def test_an_editable_installation_copies_nothing(archives: Archives) -> None:
    files = contents(archives.editable)
    ours = {name: content for name, content in files.items() if ".dist-info/" not in name}
    assert list(ours.values()) == [str(archives.tree / "scripts").encode()]
    assert all(name.endswith(".pth") for name in ours)


def test_metadata_says_what_it_needs(archives: Archives) -> None:
    found = metadata(archives.wheel)
    assert (found["Name"], found["License-Expression"]) == ("lotgate", "Apache-2.0")
    assert set(found["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert any("licenses/LICENSE" in name for name in contents(archives.wheel))
    assert any(b"lotgate = lotgate.cli:main" in content for content in contents(archives.wheel).values())


# installed


def install(wheel: Path, folder: Path) -> Installation:
    """A new environment with this wheel, and with the dependencies of the one that runs the tests."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    installation = Installation(folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    # a .pth that is named in a .pth is not read, so this tree's own editable installation stays out
    (installation.package.parent / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return installation


@pytest.fixture(scope="module")
def installation(archives: Archives, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(archives.wheel, tmp_path_factory.mktemp("in st'all") / "ve nv")


@pytest.fixture
def read_only(installation: Installation) -> Iterator[Installation]:
    """As root would have installed it for everybody."""
    everything = [installation.folder, *installation.folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in everything if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield installation
    for path, mode in modes.items():
        path.chmod(mode)


def project_of(installation: Installation, cwd: Path) -> tuple[str, str]:
    outcome = installation.run("config", "--json", cwd=cwd)
    assert outcome.code == 0, outcome.err
    (found,) = [one for one in outcome.json["settings"] if one["name"] == "project"]
    return found["value"], found["origin"]


def test_the_demo_from_an_empty_folder_writes_nothing_into_the_installation(
    installation: Installation, archives: Archives, tmp_path: Path
) -> None:
    """Where it could write: permissions hide nothing here."""
    empty = tmp_path / "a b'c"
    empty.mkdir()
    version = metadata(archives.wheel)["Version"]
    assert installation.run("--version", cwd=empty).out == f"lotgate {version}\n"
    before = installation.files()
    done = installation.run("demo", cwd=empty)
    assert done.code == 0, done.err
    assert installation.files() == before
    assert "Verified: all 17 checks hold." in done.out
    assert [path.name for path in empty.iterdir()] == ["target"]
    (back,) = [line for line in done.out.splitlines() if line.startswith("Take it back with: ")]
    command = shlex.split(back.removeprefix("Take it back with: lotgate "))
    assert installation.run(*command, "--yes", cwd=tmp_path).code == 0
    assert (empty / "target" / "review" / "index.html").exists()


def test_init_and_build_with_an_installation_that_cannot_be_written(
    read_only: Installation, tmp_path: Path
) -> None:
    mine, live = tmp_path / "mi ne", tmp_path / "live"
    live.mkdir()
    database = live / "ora.db"
    with closing(create_legacy_database(database, Shape.autumn)) as connection:
        fill(connection)
    done = read_only.run("init", mine, cwd=tmp_path, as_owner=True)
    assert done.code == 0, done.err
    assert project_of(read_only, mine)[0] == str(read_only.package / "project")
    done = read_only.run("build", "--database", database, "--json", cwd=mine, as_owner=True)
    assert done.code == 0, done.err
    assert done.json["build"]["controls_folder"] == str(mine / "controls")
    refused = read_only.run("checks", "--accept", cwd=mine, as_owner=True)
    assert (refused.code, "is the installed one" in refused.err) == (2, True)


def test_controls_are_nobodys_where_there_are_none(installation: Installation, tmp_path: Path) -> None:
    outcome = installation.run("config", "--json", cwd=tmp_path)
    found = {one["name"]: one["value"] for one in outcome.json["settings"]}
    assert found["lotgate.controls"] is None


def test_two_installations_and_the_projects_that_win(
    installation: Installation, archives: Archives, tmp_path: Path
) -> None:
    """Each its own; a copy and a clone over both; somebody else's dbt project over none."""
    second = install(archives.wheel_of_sdist, tmp_path / "second")
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    (stranger / "dbt_project.yml").write_text("name: jaffle_shop\n")
    assert second.run("init", "mine", "--with-project", cwd=tmp_path).code == 0
    version = metadata(archives.wheel)["Version"]
    for installed in (installation, second):
        own = (str(installed.package / "project"), f"installed with the package, {version}")
        assert project_of(installed, tmp_path) == own
        assert project_of(installed, stranger) == own
        mine = str(tmp_path / "mine")
        assert project_of(installed, tmp_path / "mine") == (mine, f"this folder, a copy made with {version}")
        inner = tmp_path / "mine" / "controls"
        assert project_of(installed, inner)[0] == mine
        assert project_of(installed, archives.tree)[0] == str(archives.tree)


def test_help_of_an_installed_lotgate_is_quick(installation: Installation, tmp_path: Path) -> None:
    """Processor time, which does not depend on what else this machine does."""
    installation.run("--help", cwd=tmp_path)
    before = os.times()
    for _ in range(5):
        assert installation.run("--help", cwd=tmp_path).code == 0
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    assert spent / 5 < 0.3
