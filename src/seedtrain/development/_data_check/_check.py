"""Tables and their mapping as runs, with everything that looks wrong; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
from seedtrain.development._data_check._balance import carbon, sampling
from seedtrain.development._data_check._clock import moment
from seedtrain.development._data_check._draft import draft_mapping
from seedtrain.development._data_check._draft_forms import NOT_UNDERSTOOD
from seedtrain.development._data_check._exports import read_table
from seedtrain.development._data_check._findings import Finding, Series, compare, look_at
from seedtrain.development._data_check._mapping import MappingEntry, RunEntry, TableEntry
from seedtrain.development._data_check._of_runs import read_features
from seedtrain.development._data_check._plates import read_layout
from seedtrain.development._data_check._reader import Happened, TableReader
from seedtrain.development._data_check._spectra import SpectraTable, look_at_spectra
from seedtrain.development._data_check._table import SUFFIXES, Sheet, forget, is_note, with_points
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture, Run, RunEvent, Variable, read_culture


@dataclass(frozen=True, eq=False)
class Dataset:
    """Runs as measured. - `findings`: what to look at; `digest`: of every file; `about`: the mapping's runs by name.

    - `features`: further numbers of each run (omics, images) by run and column. - `spectra`: of the runs.
    - `document`: the mapping, for the places of faults.
    """

    name: str
    runs: Mapping[str, Run]
    about: Mapping[str, RunEntry]
    findings: tuple[Finding, ...]
    digest: str
    culture: str
    readings: int
    features: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spectra: tuple[SpectraTable, ...] = ()
    document: Document | None = None

    def recipe_of(self, name: str, recipe: MasterRecipe) -> MasterRecipe:
        """`recipe` as it was set in a run; raises `InputError` at the mapping's line for what the recipe has not."""
        for label, value in self.about[name].set.items():
            path, _colon, parameter = label.rpartition(":")
            try:
                recipe = recipe.with_value(path, parameter, value)
            except InputError as error:
                if self.document is None:
                    raise
                raise self.document.error(("runs", name, "set", label), error.message, remedy=error.remedy) from None
        return recipe

    def to_data(self) -> dict[str, Any]:
        """JSON-ready, without the readings."""
        return {
            "data": self.name,
            "digest": self.digest,
            "readings": self.readings,
            "runs": {name: self._summary(name) for name in self.runs},
            "spectra": {item.name: {"spectra": len(item.run), "channels": len(item.channels)} for item in self.spectra},
            "findings": [item.to_data() for item in self.findings],
        }

    def _summary(self, name: str) -> dict[str, Any]:
        run, about = self.runs[name], self.about[name]
        symbols = {symbol: int(np.isfinite(item.values).sum()) for symbol, item in run.variables.items()}
        balances = {item.name: {"inlet": item.inlet, "relative": item.relative} for item in run.balances}
        return {
            "origin": run.origin, "scale": about.scale, "vessel": about.vessel, "hours": float(run.time[-1]),
            "readings": symbols, "balances": balances, "events": len(run.events),
            "features": len(self.features.get(name, {})),
        }  # fmt: skip


def read_data(mapping: Path) -> Dataset:
    """The runs that a mapping file describes; faults of all its tables at once, each with file and line."""
    if mapping.suffix.lower() in SUFFIXES:
        draft = f"seedtrain data check {mapping} --draft {mapping.parent / 'mapping.yaml'}"
        raise InputError("this is a table, and no mapping says what it holds", position=Position(str(mapping)),
                         remedy=f"Draft one, correct it, and give that: {draft}")  # fmt: skip
    entry, document = load(mapping, MappingEntry, what="mapping")
    try:
        return _dataset(entry, document, mapping.parent, [mapping])
    finally:
        forget()


def tables_of_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """The tables and exports that lie in a folder, by name, and what else does, but mappings and hidden files."""
    here = sorted(path for path in folder.iterdir() if path.is_file() and path.name[:1] not in ".~")
    tables = [path for path in here if path.suffix.lower() in (*SUFFIXES, ".json") and not is_note(path)]
    if not tables:
        raise InputError(
            "there is no table in this folder", position=Position(str(folder)),
            remedy=f"Give a folder of files that end in {', '.join(SUFFIXES)}.",
        )  # fmt: skip
    return tables, [path for path in here if path not in tables and path.suffix not in (".yaml", ".yml")]


def check_files(files: Sequence[Path], *, instrument: str = "", culture: str = "") -> tuple[Dataset, str]:
    """The runs of tables without a mapping, by a draft of one; the draft as YAML.

    - `instrument`: whose exports they are, where their beginning does not tell. - `culture`: whose species they hold.
    """
    folder = files[0].parent
    apart = [path for path in files if path.parent != folder]
    if apart:
        raise InputError(
            "the tables lie in several folders", position=Position(str(apart[0])), remedy="Put them side by side."
        )
    name = folder.resolve().name or "my data"
    try:
        text = draft_mapping(files, name=name, instrument=instrument, culture=culture)
        _check_draft(text, files)
        document = parse_document(text, "drafted mapping")
        return _dataset(validate(document, MappingEntry), document, folder, []), text
    finally:
        forget()


def _check_draft(text: str, files: Sequence[Path]) -> None:
    """Refuse tables of which no column was understood, and tables that hold no readings at all, at their own place."""
    blocks = text.partition("\ntables:\n")[2].split("  - file: ")[1:]
    faults: list[SeedtrainError] = [
        InputError(
            "no column but the time was understood",
            position=Position(str(next(path for path in files if block.startswith(f'"{path.name}"'))), 1, 1),
            remedy="Head columns such as `biomass [g/L]`, or write the mapping by hand (docs/reference/data.md).",
        )
        for block in blocks
        if NOT_UNDERSTOOD in block
    ]
    if not blocks:
        words = "these tables say something of runs, but hold no readings over time"
        faults.append(InputError(words, position=Position(str(files[0]), 1, 1), remedy="Give a table with a time too."))
    collect(faults)


def _dataset(entry: MappingEntry, document: Document, folder: Path, more: Sequence[Path]) -> Dataset:
    culture = read_culture(entry.culture) if entry.culture else None
    tables = _Tables(entry, document, folder, culture).read()
    series, findings = tables.series, tables.findings
    for item in series:
        findings += look_at(item, [other for other in series if other.symbol == item.symbol])
    findings += compare(series, {name: about.scale for name, about in entry.runs.items()})
    for spectra in tables.spectra:
        findings += look_at_spectra(spectra)
    about = {name: entry.runs.get(name, RunEntry()) for name in dict.fromkeys(item.run for item in series)}
    runs = {}
    for name, known_run in about.items():
        events = [event for run, event, _place in tables.happened if run in ("", name)]
        run = _run(entry, known_run, [item for item in series if item.run == name], events)
        findings += sampling(name, run)
        if culture is not None:
            run, told = carbon(name, run, known_run.fed, culture)
            findings += told
        runs[name] = run
    named = [name for table in entry.tables for name in (table.file, table.layout) if name]
    key = digest(["seedtrain data 1", *(digest_file(path) for path in [*more, *(folder / name for name in named)])])
    count = sum(len(item.values) for item in series)
    return Dataset(entry.data, runs, about, tuple(findings), key, entry.culture, count, tables.features,
                   tuple(tables.spectra), document)  # fmt: skip


class _Tables:
    """Everything that the tables of a mapping hold; the faults of all of them are raised at once."""

    def __init__(self, entry: MappingEntry, document: Document, folder: Path, culture: Culture | None) -> None:
        self.entry, self.document, self.folder, self.culture = entry, document, folder, culture
        self.faults: list[SeedtrainError] = []
        self.findings: list[Finding] = []
        self.series: list[Series] = []
        self.happened: list[Happened] = []
        self.spectra: list[SpectraTable] = []
        self.features: dict[str, dict[str, float]] = {}
        self.seen: set[str] = set()
        self.last: tuple[tuple[object, ...], Sheet] | None = None
        # Runs of each instrument's export, and what its events tell of all of them.
        self.exported: dict[str, set[str]] = {}
        self.of_export: list[tuple[str, RunEvent, Position]] = []
        # Runs that a table names without readings over time, with where it does.
        self.beside: list[tuple[str, Position]] = []

    def read(self) -> _Tables:
        """Itself, with all tables read."""
        for at, table in enumerate(self.entry.tables):
            try:
                self._table(at, table)
            except SeedtrainError as error:
                self.faults.append(error)
        self.happened += [(run, event, place) for file, event, place in self.of_export
                          for run in sorted(self.exported.get(file, ()))]  # fmt: skip
        if not self.faults:
            self._check_runs()
        collect(self.faults)
        return self

    def _table(self, at: int, table: TableEntry) -> None:
        sheet = self._sheet(table)
        if table.kind == "features":
            for run, values in read_features(sheet, table.run, list(table.features)).items():
                place = sheet.place([cells[sheet.column(table.run)] for cells in sheet.rows].index(run))
                mine = self.features.setdefault(run, {})
                for name in sorted(set(mine) & set(values)):
                    words = f"run {run} has {name!r} in another table too"
                    self.faults.append(InputError(words, position=place, remedy="Rename one of the columns."))
                mine |= values
                self.beside.append((run, place))
            return
        names = read_layout(self.folder / table.layout) if table.layout else {}
        began = {name: moment(about.began) for name, about in self.entry.runs.items() if about.began}
        reader = TableReader(sheet, table, self.document, ("tables", at), self.culture, names, began)
        if table.kind == "events":
            for run, event, place in reader.events():
                if run or not table.instrument:
                    self.happened.append((run, event, place))
                else:  # an instrument tells of its own runs, not of those of the tables beside it
                    self.of_export.append((table.file, event, place))
        elif table.kind == "spectra":
            found = reader.spectra()
            self.spectra.append(found)
            self.beside += dict(zip(found.run, found.places, strict=True)).items()
        else:
            series = reader.series()
            self.series += series
            self.seen |= reader.seen
            self.exported.setdefault(table.file, set()).update(item.run for item in series)
        self.findings += reader.findings
        self.faults += reader.faults[:20]

    def _sheet(self, table: TableEntry) -> Sheet:
        """The cells; read once where the entry before is of the same ones, as where columns name their runs."""
        key = (table.file, table.sheet, table.instrument, table.decimal, table.beginning)
        if self.last is None or self.last[0] != key:
            sheet = read_table(self.folder / table.file, table.sheet, table.instrument, beginning=table.beginning)
            self.last = key, with_points(sheet) if table.decimal == "," else sheet
        return self.last[1]

    def _check_runs(self) -> None:
        """Runs of the mapping, of events, spectra and features that no table has readings of."""
        named = {item.run for item in self.series}
        known = ", ".join(sorted(named))
        remedy = f"Use one of: {known}." if known else "Give a table with readings of it too."
        self.faults += [
            self.document.error(("runs", name), "no table has this run", remedy=remedy)
            for name in self.entry.runs
            if name not in self.seen
        ]
        of_events = [(run, place) for run, _event, place in self.happened if run]
        self.faults += [
            InputError(f"no table has readings of run {run}", position=place, remedy=remedy)
            for run, place in [*of_events, *self.beside]
            if run not in named
        ][:20]
        if not named:
            words = "the tables hold no reading"
            self.faults.append(self.document.error(("tables",), words, remedy="Give one with readings."))


def _run(entry: MappingEntry, about: RunEntry, series: Sequence[Series], events: Sequence[RunEvent]) -> Run:
    """One run: a time for every reading, not-a-number where a symbol was not read then; replicates take a row each."""
    by_symbol: dict[str, list[Series]] = {}
    for item in series:
        by_symbol.setdefault(item.symbol, []).append(item)
    read = {symbol: (np.concatenate([item.time for item in items]), np.concatenate([item.values for item in items]))
            for symbol, items in by_symbol.items()}  # fmt: skip
    unique = np.unique(np.concatenate([time for time, _values in read.values()]))
    place = {symbol: np.searchsorted(unique, time) for symbol, (time, _values) in read.items()}
    most = np.max([np.bincount(at, minlength=len(unique)) for at in place.values()], axis=0)
    first = np.cumsum(most) - most
    variables = {}
    for symbol, (_time, values) in read.items():
        order = np.argsort(place[symbol], kind="stable")
        at = place[symbol][order]
        again = np.arange(len(at)) - np.searchsorted(at, at)  # how many readings of that time stand before it
        column = np.full(int(most.sum()), np.nan)
        column[first[at] + again] = values[order]
        variables[symbol] = Variable(symbol, by_symbol[symbol][0].unit, column)
    ordered = tuple(sorted(events, key=lambda event: event.time))
    times = np.repeat(unique, most)
    return Run(entry.origin, "", entry.culture, about.vessel, "production", times, variables, events=ordered)
