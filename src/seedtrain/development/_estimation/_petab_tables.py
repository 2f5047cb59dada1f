"""The tables of a PEtab problem (version 1), read with the line of every row and written back.

**Source** https://petab.readthedocs.io/en/latest/v1/documentation_data_format.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from seedtrain.base import InputError, Position, SeedtrainError, collect, read_document, read_text

NEEDED: Final = {
    "parameter": ("parameterId", "parameterScale", "lowerBound", "upperBound", "estimate"),
    "condition": ("conditionId",),
    "observable": ("observableId", "observableFormula", "noiseFormula"),
    "measurement": ("observableId", "simulationConditionId", "measurement", "time"),
}


@dataclass(frozen=True)
class Row:
    """One row of a table: its cells by column, and where it stands."""

    cells: Mapping[str, str]
    file: str
    line: int

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def error(self, message: str, remedy: str) -> InputError:
        """A fault of this row."""
        return InputError(message, position=Position(self.file, self.line, 1), remedy=remedy)

    def number(self, column: str) -> float:
        """A finite number of the row."""
        text = self[column]
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if value - value != 0:
            raise self.error(f"{column} is {text!r}, not a finite number", "Give a number such as 0.25.")
        return value


@dataclass(frozen=True)
class Table:
    """One kind of table; rows of all its files, and its columns in order."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def to_tsv(self, replaced: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """The table as text; `replaced` gives new cells by the first column's value."""
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            new = (replaced or {}).get(row[self.columns[0]], {})
            writer.writerow([new.get(column, row[column]) for column in self.columns])
        return stream.getvalue()


@dataclass(frozen=True)
class PetabTables:
    """A problem as its files say it."""

    name: str
    file: str
    model: Path
    tables: Mapping[str, Table] = field(repr=False)

    def rows(self, kind: str) -> tuple[Row, ...]:
        """The rows of parameter, condition, observable or measurement tables."""
        return self.tables[kind].rows


def read_petab_tables(path: Path) -> PetabTables:
    """The tables that a PEtab YAML file names; every fault of a file at once."""
    document = read_document(path, what="PEtab problem")
    data = document.data
    if not isinstance(data, dict) or "problems" not in data:
        raise document.error((), "this is no PEtab problem", remedy="Give the problem's YAML file, version 1.")
    version = str(data.get("format_version", ""))
    if version.split(".")[0] != "1":
        raise document.error(("format_version",), f"the version is {version!r}", remedy="Write PEtab version 1.")
    problems = data["problems"]
    if not isinstance(problems, list) or len(problems) != 1 or not isinstance(problems[0], dict):
        raise document.error(("problems",), "there is not exactly one problem", remedy="Give one problem a file.")
    problem = problems[0]

    def files(key: str) -> list[Path]:
        found = problem.get(key) if key in problem else data.get(key)
        names = found if isinstance(found, list) else [found] if found else []
        if not names:
            raise document.error(("problems", 0), f"{key} is missing", remedy="Name the file.")
        return [path.parent / str(name) for name in names]

    models = files("sbml_files")
    if len(models) != 1:
        raise document.error(("problems", 0, "sbml_files"), f"there are {len(models)} models", remedy="Give one.")
    keys = {"parameter": "parameter_file"} | {kind: f"{kind}_files" for kind in NEEDED if kind != "parameter"}
    tables, faults = {}, list[SeedtrainError]()
    for kind, key in keys.items():
        try:
            tables[kind] = _joined([read_table(item, kind) for item in files(key)])
        except SeedtrainError as error:
            faults.append(error)
    collect(faults)
    return PetabTables(path.stem, str(path), models[0], tables)


def read_table(path: Path, kind: str) -> Table:
    """One tab-separated file."""
    lines = read_text(path, what=f"{kind} table").splitlines()
    rows = list(_rows(lines))
    if not rows:
        raise InputError(f"the {kind} table is empty", position=Position(str(path), 1, 1), remedy="Give its header.")
    columns = tuple(cell.strip() for cell in rows[0][1])
    missing = [name for name in NEEDED[kind] if name not in columns]
    faults: list[SeedtrainError] = []
    if missing:
        place = Position(str(path), 1, 1)
        raise InputError(f"the {kind} table has no column {missing[0]!r}", position=place, remedy="Add it, with tabs.")
    found = []
    for line, cells in rows[1:]:
        if len(cells) > len(columns):
            place = Position(str(path), line, 1)
            words = f"the row has {len(cells)} cells, the header {len(columns)}"
            faults.append(InputError(words, position=place, remedy="Separate cells by one tab."))
        found.append(Row(dict(zip(columns, (cell.strip() for cell in cells), strict=False)), str(path), line))
    collect(faults)
    return Table(columns, tuple(found))


def _rows(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, next(csv.reader([line], delimiter="\t"))


def _joined(tables: list[Table]) -> Table:
    columns = dict.fromkeys(column for table in tables for column in table.columns)
    return Table(tuple(columns), tuple(row for table in tables for row in table.rows))
