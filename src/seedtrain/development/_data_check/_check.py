"""Tables and their mapping as runs, with everything that looks wrong; nothing is changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from seedtrain.development._data_check._exports import read_table
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
from seedtrain.development._data_check._plates import placed, read_layout, unfolded
from seedtrain.development._data_check._table import Sheet
from seedtrain.quantity import QuantityError, convert
from seedtrain.simulation import Culture, Run, RunEvent, Variable, read_culture

NOTHING: Final = ("", "na", "n/a", "nan", "nd", "n.d.", "-", "null", "none", "refoverld", "ovrflw", "overflow")

Happened = tuple[str, RunEvent, Position]
"""An event with its run (empty: of every run) and its place."""


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
        "readings": symbols, "balances": balances, "events": len(run.events),
    }  # fmt: skip


def read_data(mapping: Path) -> Dataset:
    """The runs that a mapping file describes; faults of all its tables at once, each with file and line."""
    entry, document = load(mapping, MappingEntry, what="mapping")
    return _dataset(entry, document, mapping.parent, [mapping])


def check_files(files: Sequence[Path], *, instrument: str = "") -> tuple[Dataset, str]:
    """The runs of tables without a mapping, by a draft of one; the draft as YAML.

    - `instrument`: whose exports they are, where their beginning does not tell.
    """
    folder = files[0].parent
    apart = [path for path in files if path.parent != folder]
    if apart:
        raise InputError(
            "the tables lie in several folders", position=Position(str(apart[0])), remedy="Put them side by side."
        )
    text = draft_mapping(files, instrument=instrument)
    document = parse_document(text, "drafted mapping")
    return _dataset(validate(document, MappingEntry), document, folder, []), text


def _dataset(entry: MappingEntry, document: Document, folder: Path, more: Sequence[Path]) -> Dataset:
    culture = read_culture(entry.culture) if entry.culture else None
    series, happened, findings = _read(entry, document, folder, culture)
    for item in series:
        findings += look_at(item, [other for other in series if other.symbol == item.symbol])
    findings += compare(series)
    about = {name: entry.runs.get(name, RunEntry()) for name in dict.fromkeys(item.run for item in series)}
    runs = {}
    for name, known_run in about.items():
        events = [event for run, event, _place in happened if run in ("", name)]
        run = _run(entry, known_run, [item for item in series if item.run == name], events)
        findings += sampling(name, run)
        if culture is not None:
            run, told = carbon(name, run, known_run.fed, culture)
            findings += told
        runs[name] = run
    named = [name for table in entry.tables for name in (table.file, table.layout) if name]
    key = digest(["seedtrain data 1", *(digest_file(path) for path in [*more, *(folder / name for name in named)])])
    count = sum(len(item.values) for item in series)
    return Dataset(entry.data, runs, about, tuple(findings), key, entry.culture, count)


def _read(
    entry: MappingEntry, document: Document, folder: Path, culture: Culture | None
) -> tuple[list[Series], list[Happened], list[Finding]]:
    """Series, events and findings of every table; the faults of all of them are raised at once."""
    faults: list[SeedtrainError] = []
    findings: list[Finding] = []
    series: list[Series] = []
    happened: list[Happened] = []
    seen: set[str] = set()
    for at, table in enumerate(entry.tables):
        try:
            sheet = read_table(folder / table.file, table.sheet, table.instrument)
            names = read_layout(folder / table.layout) if table.layout else {}
            reader = _Reader(sheet, table, document, ("tables", at), culture, names)
            if table.kind == "events":
                happened += reader.events()
            else:
                series += reader.series()
                seen |= reader.seen
            findings += reader.findings
            faults += reader.faults[:20]
        except SeedtrainError as error:
            faults.append(error)
    named = {item.run for item in series}
    known = ", ".join(sorted(named)) or "no run was read"
    if not faults:
        faults += [
            document.error(("runs", name), "no table has this run", remedy=f"Use one of: {known}.")
            for name in entry.runs
            if name not in seen
        ]
        faults += [
            InputError(f"no table has readings of run {run}", position=place, remedy=f"Use one of: {known}.")
            for run, _event, place in happened
            if run and run not in named
        ][:20]
        if not named:
            faults.append(document.error(("tables",), "the tables hold no reading", remedy="Give one with readings."))
    collect(faults)
    return series, happened, findings


def _run(entry: MappingEntry, about: RunEntry, series: Sequence[Series], events: Sequence[RunEvent]) -> Run:
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
    ordered = tuple(sorted(events, key=lambda event: event.time))
    return Run(entry.origin, "", entry.culture, about.vessel, "production", times, variables, events=ordered)


class _Reader:
    """The cells of one table as series."""

    def __init__(
        self, sheet: Sheet, table: TableEntry, document: Document, place: tuple[str | int, ...],
        culture: Culture | None, names: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.columns = list(table.columns)
        if table.kind == "plate" and table.plate is not None:
            value, plate = "reading", table.plate
            sheet = unfolded(sheet, table.time.column, value)
            table = table.model_copy(update={"run": "well"})
            self.columns = [ColumnEntry(column=value, symbol=plate.symbol, unit=plate.unit, factor=plate.factor)]
        self.sheet, self.table, self.document, self.place, self.culture = sheet, table, document, place, culture
        self.names = names
        self.seen: set[str] = set()
        self.faults: list[SeedtrainError] = []
        self.findings: list[Finding] = []

    def series(self) -> list[Series]:
        """Every series of the table."""
        self._one_run(lambda count: count == 1)
        sources = self._sources()
        names = self._placed(sources)
        self.seen = set(names)
        hours = self._hours(names)
        found = []
        for at, column in enumerate(self.columns):
            try:
                found += list(self._column(at, column, names, hours))
            except SeedtrainError as error:
                self.faults.append(error)
        self._order(sources, hours)
        return found

    def events(self) -> list[Happened]:
        """What happened, each with its run (empty: every run) and its place."""
        self._one_run(lambda count: count < 2)
        table, sheet = self.table, self.sheet
        if table.time.unit == "timestamp" and not table.time.zero:
            words = "times of events that are timestamps need `zero`"
            raise self.document.error(
                (*self.place, "time"), words, remedy="Give the inoculation: zero: 2026-03-01T08:00."
            )
        names = self._placed(self._sources()) if table.run or table.of_run else [""] * len(sheet.rows)
        hours = self._hours(names)
        kind = sheet.column(table.event)
        words_at = sheet.column(table.words) if table.words else kind
        found: list[Happened] = []
        for number, row in enumerate(sheet.rows):
            if not row[kind]:
                remedy = _("Empty the row, or say what happened.")
                self.findings.append(
                    Finding(
                        "missing", names[number], "event", _("an event without a word"), remedy, sheet.place(number)
                    )
                )
            elif not math.isnan(hours[number]) and (names[number] or not table.run):
                event = RunEvent(hours[number], row[kind], row[words_at] or row[kind])
                found.append((names[number], event, sheet.place(number)))
        return found

    def _one_run(self, right: Callable[[int], bool]) -> None:
        if not right(bool(self.table.run) + bool(self.table.of_run)):
            words = "exactly one of `run` and `of_run` is needed"
            raise self.document.error(self.place, words, remedy="Name the column of the run, or the run.")

    def _sources(self) -> list[str]:
        if self.table.of_run:
            return [self.table.of_run] * len(self.sheet.rows)
        at = self.sheet.column(self.table.run)
        for number, row in enumerate(self.sheet.rows):
            if not row[at]:
                self._fault(number, "the row names no run", "Name its run.")
        return [row[at] for row in self.sheet.rows]

    def _placed(self, sources: list[str]) -> list[str]:
        """The run of every row by the layout; empty where the layout leaves a well out, which is told."""
        if not self.table.layout:
            return sources
        known = {name: placed(self.names, name) for name in dict.fromkeys(sources) if name}
        for name, run in known.items():
            place = self.sheet.place(sources.index(name))
            if run is None:
                remedy = "Add it to the layout, without a run where it is not to be read."
                self.faults.append(InputError(f"the layout does not name {name}", position=place, remedy=remedy))
            elif not run:
                words = _("{well} has no run in the layout: not read").format(well=name)
                self.findings.append(Finding("missing", name, "", words, _("Name its run if it is one."), place))
        return [known.get(name) or "" for name in sources]

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
            if not names[number]:
                continue
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
        """Tables whose time goes back within a run are refused: rows may belong to another run.

        An instrument that writes so is told of, and its readings are put in order.
        """
        last: dict[str, float] = {}
        for number, (name, time) in enumerate(zip(names, hours, strict=True)):
            if time < last.get(name, -math.inf) and self.table.instrument:
                told = _("the export goes back from {last} to {time} h: read in order of time").format(
                    last=f"{last[name]:.5g}", time=f"{time:.5g}"
                )
                remedy = _("Look whether the instrument wrote readings twice.")
                self.findings.append(Finding("order", name, "", told, remedy, self.sheet.place(number)))
            elif time < last.get(name, -math.inf):
                words = f"run {name}: the time goes back from {last[name]:.5g} to {time:.5g} h"
                self._fault(number, words, "Sort the rows, or give the rows their own run.")
            last[name] = time if not math.isnan(time) else last.get(name, -math.inf)

    def _fault(self, row: int, words: str, remedy: str) -> None:
        self.faults.append(InputError(words, position=self.sheet.place(row), remedy=remedy))
