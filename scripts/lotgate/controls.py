"""The controls: what an owner edits, as CSV files in one folder (docs/design.md, section 5).

Five files, each optional; an absent, empty or header-only file means that there is nothing to control. They
are checked strictly and completely, since a line that silently means nothing is worse than none. Whether a
decision matches its row is checked later, in SQL.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from lotgate.control_rows import (
    ControlRow,
    ExpectedOnHand,
    ExpectedUnits,
    Incident,
    QuarantineDecision,
    SkuVariant,
    remedy_for,
)
from lotgate.errors import EnvironmentFailed, UsageError

__all__ = [
    "ControlProblem",
    "Controls",
    "ControlsRefused",
    "check_control_files",
    "load_controls",
    "write_normalized",
]

SHOWN_PROBLEMS = 20
SHOWN_VALUE = 60

# what spreadsheets divide fields by where a comma is the decimal sign, and as "Unicode text"
OTHER_DIVIDERS = {";": "semicolons", "\t": "tabs"}

Row = TypeVar("Row", bound=ControlRow)


@dataclass(frozen=True)
class ControlProblem:
    """What is wrong with a control file, and the remedy.

    ``file`` is its name in the folder. ``line`` counts from 1, the header's; None where it is the file's name
    or kind that is wrong. ``column`` is None where the problem is the line's.
    """

    file: str
    text: str
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        column = "" if self.column is None else f", column {self.column}"
        return f"{self.file}{line}{column}: {self.text}"


class ControlsRefused(UsageError):
    """The controls in ``folder`` mean nothing as they are; ``problems`` are all that was found."""

    def __init__(self, folder: Path, problems: Sequence[ControlProblem]) -> None:
        shown = "\n".join(f"  {problem}" for problem in problems[:SHOWN_PROBLEMS])
        more = len(problems) - SHOWN_PROBLEMS
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"The controls in {folder} have {count}:\n{shown}" + (f"\n  and {more} more" if more > 0 else ""),
            hint="Correct the lines named above; line 1 is the header.",
            details={"problems": [asdict(problem) for problem in problems]},
        )
        self.folder = folder
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Controls:
    """The rows of the five files, each in a canonical order that does not depend on the files' order."""

    incidents: tuple[Incident, ...] = ()
    expected_units: tuple[ExpectedUnits, ...] = ()
    expected_on_hand: tuple[ExpectedOnHand, ...] = ()
    quarantine_decisions: tuple[QuarantineDecision, ...] = ()
    sku_variants: tuple[SkuVariant, ...] = ()

    def as_files(self) -> dict[str, str]:
        """File name -> the file's canonical text: UTF-8, LF, always with its header."""
        return {
            "incidents.csv": _canonical(Incident, self.incidents),
            "expected_units.csv": _canonical(ExpectedUnits, self.expected_units),
            "expected_on_hand.csv": _canonical(ExpectedOnHand, self.expected_on_hand),
            "quarantine_decisions.csv": _canonical(QuarantineDecision, self.quarantine_decisions),
            "sku_variants.csv": _canonical(SkuVariant, self.sku_variants),
        }

    @property
    def sha256(self) -> str:
        """The hash of the canonical texts: equal for controls that mean the same."""
        digest = hashlib.sha256()
        for name, text in self.as_files().items():
            digest.update(f"{name}\0{len(text)}\0{text}".encode())
        return digest.hexdigest()


def load_controls(folder: Path | None) -> Controls:
    """Reads and checks the controls in ``folder``; None means that there are none.

    Raises ControlsRefused with all problems at once (its message has the first 20, and how many more), each
    with file, line, column, value and remedy; UsageError where there is no such folder; EnvironmentFailed
    where a file cannot be read.
    """
    if folder is None:
        return Controls()
    controls, problems = _read_folder(folder)
    if problems:
        raise ControlsRefused(folder, problems)
    return controls


def check_control_files(files: Sequence[Path]) -> None:
    """Checks these files and no others of their folders, as somebody does who is about to commit them.

    Raises ControlsRefused with all problems, UsageError where a file is not there, EnvironmentFailed where
    one cannot be read.
    """
    for file in files:
        if not file.is_file():
            raise UsageError(
                f"There is no file {file}.", hint="Name control files, or the folder with --controls."
            )
    folders = sorted({file.parent for file in files})
    names = {file.parent: {other.name for other in files if other.parent == file.parent} for file in files}
    top = Path(os.path.commonpath(folders)) if folders else Path()
    problems = [
        replace(problem, file=(folder / problem.file).relative_to(top).as_posix())
        for folder in folders
        for problem in _read_folder(folder)[1]
        if problem.file in names[folder]
    ]
    if problems:
        raise ControlsRefused(top, problems)


def _read_folder(folder: Path) -> tuple[Controls, list[ControlProblem]]:
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise UsageError(f"The controls folder {folder} {what}.", hint="Name the folder with --controls.")
    problems: list[ControlProblem] = []
    _check_names(folder, problems)
    controls = Controls(
        incidents=_load(folder, "incidents.csv", Incident, problems, Incident.identity),
        expected_units=_load(
            folder, "expected_units.csv", ExpectedUnits, problems, lambda row: row.ship_date
        ),
        expected_on_hand=_load(
            folder,
            "expected_on_hand.csv",
            ExpectedOnHand,
            problems,
            lambda row: (row.sku_code, row.as_of_date),
        ),
        quarantine_decisions=_load(
            folder, "quarantine_decisions.csv", QuarantineDecision, problems, lambda row: row.legacy_id
        ),
        sku_variants=_load(folder, "sku_variants.csv", SkuVariant, problems, lambda row: row.raw_sku),
    )
    return controls, problems


def write_normalized(controls: Controls, folder: Path) -> None:
    """Writes all five files canonically into ``folder``, which is created; the same controls, the same bytes.

    Other files in it stay. Raises EnvironmentFailed where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in controls.as_files().items():
            (folder / name).unlink(missing_ok=True)  # a link to an owner's file must not be written through
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
    except OSError as error:
        raise EnvironmentFailed(
            f"The controls cannot be written to {folder}: {error.strerror}.",
            hint="Make it writable, free space there, or use another --work-dir.",
        ) from error


def _check_names(folder: Path, problems: list[ControlProblem]) -> None:
    known = Controls().as_files()
    problems += [
        ControlProblem(path.name, f"no such control (a typing error?); the files are {', '.join(known)}")
        for path in sorted(folder.iterdir())
        if path.suffix.lower() == ".csv" and path.name not in known
    ]


def _load(
    folder: Path, name: str, model: type[Row], problems: list[ControlProblem], key: Callable[[Row], Hashable]
) -> tuple[Row, ...]:
    """The rows of one file; what is wrong with it is added to ``problems``. No two rows have the same key."""
    text = _read(folder / name, problems)
    if text is None:
        return ()
    rows: list[Row] = []
    first_lines: dict[Hashable, int] = {}
    for line, values in _records(name, text, tuple(model.model_fields), problems):
        try:
            row = model.model_validate(values)
        except ValidationError as error:
            problems += [_problem(name, line, model, dict(detail), values) for detail in error.errors()]
            continue
        first = first_lines.setdefault(key(row), line)
        if first != line:
            problems.append(ControlProblem(name, f"{model.duplicate} line {first}; keep one of them", line))
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: row.sort_key()))


def _read(path: Path, problems: list[ControlProblem]) -> str | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        problems.append(ControlProblem(path.name, "is a folder, not a file; move it away"))
        return None
    except OSError as error:
        raise EnvironmentFailed(
            f"The control {path} cannot be read: {error.strerror}.", hint="Make it readable."
        ) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problems.append(ControlProblem(path.name, "not UTF-8 text; save the file as CSV in UTF-8", line))
        return None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        problems.append(ControlProblem(path.name, "holds a NUL byte; save the file as CSV in UTF-8", line))
        return None
    return text


def _records(
    name: str, text: str, columns: tuple[str, ...], problems: list[ControlProblem]
) -> list[tuple[int, dict[str, str]]]:
    """The data lines, with the number of the line that each begins on; blank lines are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[tuple[int, dict[str, str]]] = []
    header: list[str] | None = None
    line = 1
    try:
        for fields in reader:
            start, line = line, reader.line_num + 1
            if not any(field.strip() for field in fields):
                continue
            if header is None:
                header = [field.strip() for field in fields]
                if not _check_header(name, start, header, columns, problems):
                    return []
            elif len(fields) != len(header):
                text = f"has {len(fields)} fields where the header has {len(header)}"
                problems.append(
                    ControlProblem(name, f"{text}; put texts with commas in double quotes", start)
                )
            else:
                records.append((start, dict(zip(header, fields, strict=True))))
    except csv.Error as error:
        problems.append(ControlProblem(name, f"not valid CSV ({error}); check its double quotes", line))
    return records


def _check_header(
    name: str, line: int, header: list[str], columns: tuple[str, ...], problems: list[ControlProblem]
) -> bool:
    expected = f"the header is {','.join(columns)}"
    for divider, word in OTHER_DIVIDERS.items():
        if len(header) == 1 and {part.strip().strip('"') for part in header[0].split(divider)} == {*columns}:
            text = f"its fields are divided by {word}; save the file with commas: {expected}"
            problems.append(ControlProblem(name, text, line))
            return False
    found = [f"unknown column {column!r}" for column in header if column not in columns]
    found += [f"missing column {column!r}" for column in columns if column not in header]
    found += [f"column {column!r} twice" for column in columns if header.count(column) > 1]
    problems += [ControlProblem(name, f"{problem}; {expected}", line) for problem in found]
    return not found


def _problem(
    name: str, line: int, model: type[ControlRow], detail: dict[str, object], values: dict[str, str]
) -> ControlProblem:
    location = detail["loc"]
    assert isinstance(location, tuple)
    context = detail.get("ctx")
    message = str(detail["msg"])
    if isinstance(context, dict) and "error" in context:
        message = str(context["error"])
    column = str(location[0]) if location else model.joint_column
    value = values.get(column, "")
    shown = repr(value if len(value) <= SHOWN_VALUE else value[:SHOWN_VALUE] + "...")
    remedy = remedy_for(model, column)
    text = f"{shown}: {message}" + (f"; {remedy}" if remedy else "")
    return ControlProblem(name, text, line, column)


def _canonical(model: type[ControlRow], rows: tuple[ControlRow, ...]) -> str:
    lines = [tuple(model.model_fields), *(tuple(row.model_dump().values()) for row in rows)]
    return "".join(",".join(map(_field, line)) + "\n" for line in lines)


def _field(value: object) -> str:
    """A field as RFC 4180 writes it. csv.writer leaves a lone carriage return unquoted before Python 3.13."""
    text = "" if value is None else str(value)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
