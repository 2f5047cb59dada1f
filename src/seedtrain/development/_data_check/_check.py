"""Tables and their mapping as runs, with everything that looks wrong; nothing is changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from seedtrain.base import (
    Document,
    InputError,
    Position,
    SeedtrainError,
    collect,
    digest,
    digest_file,
    load,
    parse_document,
    validate,
)
from seedtrain.base import translate as _
from seedtrain.development._data_check._balance import carbon, sampling
from seedtrain.development._data_check._findings import Finding, Series, compare, look_at
from seedtrain.development._data_check._mapping import (
    TIME_UNITS,
    UNITS,
    ColumnEntry,
    MappingEntry,
    RunEntry,
    TableEntry,
    draft_mapping,
)
from seedtrain.development._data_check._table import Sheet, read_sheet
from seedtrain.quantity import QuantityError, convert
from seedtrain.simulation import Culture, Run, Variable, read_culture

NOTHING: Final = ("", "na", "n/a", "nan", "nd", "n.d.", "-", "null", "none")


@dataclass(frozen=True, eq=False)
class Dataset:
    """Runs as measured. - `findings`: what to look at; `digest`: of every file; `about`: the mapping's runs by name."""

    name: str
    runs: Mapping[str, Run]
    about: Mapping[str, RunEntry]
    findings: tuple[Finding, ...]
    digest: str
    culture: str
    readings: int

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, without the readings."""
        return {
            "data": self.name,
            "digest": self.digest,
            "readings": self.readings,
            "runs": {name: _summary(run, self.about[name]) for name, run in self.runs.items()},
            "findings": [item.to_data() for item in self.findings],
        }


def _summary(run: Run, about: RunEntry) -> dict[str, Any]:
    symbols = {name: int(np.isfinite(item.values).sum()) for name, item in run.variables.items()}
    balances = {item.name: {"inlet": item.inlet, "relative": item.relative} for item in run.balances}
    return {
        "origin": run.origin, "scale": about.scale, "vessel": about.vessel, "hours": float(run.time[-1]),
        "readings": symbols, "balances": balances,
    }  # fmt: skip


def read_data(mapping: Path) -> Dataset:
    """The runs that a mapping file describes; faults of all its tables at once, each with file and line."""
    entry, document = load(mapping, MappingEntry, what="mapping")
    return _dataset(entry, document, mapping.parent, [mapping])


def check_files(files: Sequence[Path]) -> tuple[Dataset, str]:
    """The runs of tables without a mapping, by a draft of one; the draft as YAML."""
    folder = files[0].parent
    apart = [path for path in files if path.parent != folder]
    if apart:
        raise InputError(
            "the tables lie in several folders", position=Position(str(apart[0])), remedy="Put them side by side."
        )
    text = draft_mapping(files)
    document = parse_document(text, "drafted mapping")
    return _dataset(validate(document, MappingEntry), document, folder, []), text


def _dataset(entry: MappingEntry, document: Document, folder: Path, more: Sequence[Path]) -> Dataset:
    culture = read_culture(entry.culture) if entry.culture else None
    faults: list[SeedtrainError] = []
    findings: list[Finding] = []
    series: list[Series] = []
    for at, table in enumerate(entry.tables):
        try:
            reader = _Reader(read_sheet(folder / table.file, table.sheet), table, document, ("tables", at), culture)
            series += reader.series()
            findings += reader.findings
            faults += reader.faults[:20]
        except SeedtrainError as error:
            faults.append(error)
    named = {item.run for item in series}
    for name in entry.runs:
        if series and name not in named:
            known = ", ".join(sorted(named))
            faults.append(document.error(("runs", name), "no table has this run", remedy=f"Use one of: {known}."))
    collect(faults)
    for item in series:
        findings += look_at(item, [other for other in series if other.symbol == item.symbol])
    findings += compare(series)
    about = {name: entry.runs.get(name, RunEntry()) for name in dict.fromkeys(item.run for item in series)}
    runs = {}
    for name, known_run in about.items():
        run = _run(entry, known_run, [item for item in series if item.run == name])
        findings += sampling(name, run)
        if culture is not None:
            run, told = carbon(name, run, known_run.fed, culture)
            findings += told
        runs[name] = run
    files = [*more, *(folder / table.file for table in entry.tables)]
    key = digest(["seedtrain data 1", *(digest_file(path) for path in files)])
    count = sum(len(item.values) for item in series)
    return Dataset(entry.data, runs, about, tuple(findings), key, entry.culture, count)


def _run(entry: MappingEntry, about: RunEntry, series: Sequence[Series]) -> Run:
    """One run: a time for every reading, not-a-number where a symbol was not read then."""
    by_symbol: dict[str, list[tuple[float, float]]] = {}
    for item in series:
        by_symbol.setdefault(item.symbol, []).extend(zip(item.time.tolist(), item.values.tolist(), strict=True))
    most: dict[float, int] = {}
    for rows in by_symbol.values():
        for time, count in Counter(time for time, _value in rows).items():
            most[time] = max(most.get(time, 0), count)
    times = np.array([time for time in sorted(most) for _ in range(most[time])])
    variables = {}
    for symbol, rows in by_symbol.items():
        values = np.full(len(times), np.nan)
        used: dict[float, int] = {}
        for time, value in rows:  # replicates take one row each
            values[int(np.searchsorted(times, time)) + used.get(time, 0)] = value
            used[time] = used.get(time, 0) + 1
        unit = next(item.unit for item in series if item.symbol == symbol)
        variables[symbol] = Variable(symbol, unit, values)
    return Run(entry.origin, "", entry.culture, about.vessel, "production", times, variables)


class _Reader:
    """The cells of one table as series."""

    def __init__(
        self, sheet: Sheet, table: TableEntry, document: Document, place: tuple[str | int, ...], culture: Culture | None
    ) -> None:
        self.sheet, self.table, self.document, self.place, self.culture = sheet, table, document, place, culture
        self.faults: list[SeedtrainError] = []
        self.findings: list[Finding] = []

    def series(self) -> list[Series]:
        """Every series of the table."""
        table = self.table
        if bool(table.run) == bool(table.of_run):
            raise self.document.error(
                self.place,
                "exactly one of `run` and `of_run` is needed",
                remedy="Name the column of the run, or the run.",
            )
        names = self._runs()
        hours = self._hours(names)
        found = []
        for at, column in enumerate(table.columns):
            try:
                found += list(self._column(at, column, names, hours))
            except SeedtrainError as error:
                self.faults.append(error)
        self._order(names, hours)
        return found

    def _runs(self) -> list[str]:
        if self.table.of_run:
            return [self.table.of_run] * len(self.sheet.rows)
        at = self.sheet.column(self.table.run)
        for number, row in enumerate(self.sheet.rows):
            if not row[at]:
                self._fault(number, "the row names no run", "Name its run.")
        return [row[at] for row in self.sheet.rows]

    def _hours(self, names: list[str]) -> list[float]:
        time, sheet = self.table.time, self.sheet
        at = sheet.column(time.column)
        if time.unit != "timestamp":
            found = [self._number(number, row[at], "time") for number, row in enumerate(sheet.rows)]
            for number, value in enumerate(found):
                if math.isnan(value) and not sheet.rows[number][at]:
                    self._fault(number, "the row has no time", "Give its time.")
            return [value * TIME_UNITS[time.unit] for value in found]
        stamps = [self._stamp(number, row[at]) for number, row in enumerate(sheet.rows)]
        zero = self._stamp(-1, time.zero) if time.zero else None
        first: dict[str, datetime] = {}
        for name, stamp in zip(names, stamps, strict=True):
            if stamp is not None:
                first[name] = min(first.get(name, stamp), stamp)
        found = []
        for name, stamp in zip(names, stamps, strict=True):
            start = zero or first.get(name)
            try:
                found.append((stamp - start).total_seconds() / 3600 if stamp and start else math.nan)
            except TypeError:
                raise self.document.error(
                    (*self.place, "time", "zero"), "some times have a zone and others none", remedy="Give all a zone."
                ) from None
        return found

    def _stamp(self, row: int, text: str) -> datetime | None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            words = f"{text!r} is no timestamp"
            if row < 0:
                raise self.document.error(
                    (*self.place, "time", "zero"), words, remedy="Write 2026-03-01T08:00."
                ) from None
            self._fault(row, words, "Write 2026-03-01T08:00.")
            return None

    def _column(self, at: int, column: ColumnEntry, names: list[str], hours: list[float]) -> Iterator[Series]:
        sheet = self.sheet
        place = sheet.column(column.column)
        unit = self._unit(column, at)
        rows: dict[str, list[tuple[float, float, Position]]] = {}
        for number, row in enumerate(sheet.rows):
            value = self._reading(number, row[place], names[number], column)
            if math.isnan(value) or math.isnan(hours[number]):
                continue
            value = convert(value * column.factor, column.unit or unit, unit)
            rows.setdefault(names[number], []).append((hours[number], value, sheet.place(number)))
        for name, items in rows.items():
            items.sort(key=lambda item: item[0])
            times, values, places = zip(*items, strict=True)
            yield Series(name, column.symbol, unit, self.table.kind, np.array(times), np.array(values), places)

    def _unit(self, column: ColumnEntry, at: int) -> str:
        """The unit that runs hold the symbol in."""
        species = self.culture.species.get(column.symbol) if self.culture else None
        unit = species.unit if species else UNITS.get(column.symbol, column.unit)
        try:
            convert(1.0, column.unit or unit, unit)
        except QuantityError:
            raise self.document.error(
                (*self.place, "columns", at, "unit"),
                f"{column.symbol} is in {unit or 'a plain number'}, which {column.unit} is not",
                remedy=f"Correct the unit, or the symbol; a factor turns other readings into {unit or 'it'}.",
            ) from None
        return unit

    def _reading(self, row: int, text: str, run: str, column: ColumnEntry) -> float:
        """A cell's value; what is no reading is told, and left out."""
        place = self.sheet.place(row)
        if text.startswith(("<", ">")):
            words = _("{cell} says only on which side of a limit it is: left out").format(cell=repr(text))
            remedy = _("Give the value if there is one.")
            self.findings.append(Finding("censored", run, column.symbol, words, remedy, place))
            return math.nan
        if text.lower() in NOTHING:
            if text:
                words = _("{cell} is no reading: left out").format(cell=repr(text))
                remedy = _("Empty the cell, or fill it.")
                self.findings.append(Finding("missing", run, column.symbol, words, remedy, place))
            return math.nan
        return self._number(row, text, column.column)

    def _number(self, row: int, text: str, column: str) -> float:
        if not text:
            return math.nan
        try:
            value = float(text)
            if math.isfinite(value):
                return value
        except ValueError:
            pass
        remedy = "Write 12.5, with a point." if "," in text else "Give a number, or empty the cell."
        self._fault(row, f"{column}: {text!r} is not a number", remedy)
        return math.nan

    def _order(self, names: list[str], hours: list[float]) -> None:
        """Tables whose time goes back within a run are refused: rows may belong to another run."""
        last: dict[str, float] = {}
        for number, (name, time) in enumerate(zip(names, hours, strict=True)):
            if time < last.get(name, -math.inf):
                words = f"run {name}: the time goes back from {last[name]:.5g} to {time:.5g} h"
                self._fault(number, words, "Sort the rows, or give the rows their own run.")
            last[name] = time if not math.isnan(time) else last.get(name, -math.inf)

    def _fault(self, row: int, words: str, remedy: str) -> None:
        self.faults.append(InputError(words, position=self.sheet.place(row), remedy=remedy))
