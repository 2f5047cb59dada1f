"""The cells of one table as series, events or spectra, with everything in them that is no reading."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

import numpy as np

from seedtrain.base import Document, InputError, Position, SeedtrainError
from seedtrain.base import translate as _
from seedtrain.development._data_check._clock import day_at, duration, moment
from seedtrain.development._data_check._findings import Finding, Series
from seedtrain.development._data_check._headers import as_unit
from seedtrain.development._data_check._mapping import CLOCK, TIME_UNITS, UNITS, ColumnEntry, TableEntry, TimeEntry
from seedtrain.development._data_check._of_culture import molar_factor
from seedtrain.development._data_check._plates import placed, unfolded
from seedtrain.development._data_check._spectra import SpectraTable, read_rows
from seedtrain.development._data_check._table import Sheet
from seedtrain.development._data_check._wide import unlisted
from seedtrain.quantity import QuantityError, convert
from seedtrain.simulation import Culture, RunEvent

NOTHING: Final = (
    "", "na", "n/a", "#n/a", "#nv", "n.a.", "nan", "nd", "n.d.", "n/d", "n.b.", "k.a.", "bdl", "blq", "bloq", "-", "--",
    "---", "/", "null", "#div/0!", "#value!", "#wert!", "#ref!", "#bezug!", "#num!", "#zahl!", "#name?", "#null!",
    "none", "err", "error", "err.", "#error", "fehler", "bad", "invalid", "fault", "refoverld", "ovrflw", "overflow",
    "未检出", "未测", "无",
)  # fmt: skip

Happened = tuple[str, RunEvent, Position]
"""An event with its run (empty: of every run) and its place."""


def _time(table: TableEntry) -> TimeEntry:
    assert table.time is not None  # the mapping's own check
    return table.time


class TableReader:
    """The cells of one table as series."""

    def __init__(
        self, sheet: Sheet, table: TableEntry, document: Document, place: tuple[str | int, ...],
        culture: Culture | None, names: Mapping[str, str], began: Mapping[str, datetime],
    ) -> None:  # fmt: skip
        self.columns = list(table.columns)
        if table.kind == "plate" and table.plate is not None:
            value, plate = "reading", table.plate
            sheet = unfolded(sheet, _time(table).column, value)
            table = table.model_copy(update={"run": "well"})
            self.columns = [ColumnEntry(column=value, symbol=plate.symbol, unit=plate.unit, factor=plate.factor)]
        self.listed: list[str] = []
        self.given: list[str] = []
        if table.readings is not None:
            self.listed = [row[sheet.column(table.readings.name)] for row in sheet.rows]
            self.given = [row[sheet.column(table.readings.unit)] for row in sheet.rows] if table.readings.unit else []
            sheet = unlisted(sheet, table.readings.name, table.readings.value)
        self.sheet, self.table, self.document, self.place, self.culture = sheet, table, document, place, culture
        self.names, self.began = names, began
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
                read = list(self._column(at, column, names, hours))
            except SeedtrainError as error:
                self.faults.append(error)
                continue
            if not read and self.sheet.rows:
                self._tell_empty(column)
            found += read
        listed = [f"{run}, {name}" for run, name in zip(sources, self.listed, strict=True)] if self.listed else sources
        self._order(listed, hours)
        return found

    def _tell_empty(self, column: ColumnEntry) -> None:
        words = _("no reading in the column {name}").format(name=repr(column.column))
        remedy = _(
            "Fill it. Formulas have no values in a workbook that no spreadsheet has calculated: open it in one and "
            "save it."
        )
        place = Position(self.sheet.file, max(self.sheet.lines[0] - 1, 1), 1)
        self.findings.append(Finding("missing", self.table.of_run, column.symbol, words, remedy, place))

    def spectra(self) -> SpectraTable:
        """The spectra of the table; those that lack a reading are told and left out."""
        self._one_run(lambda count: count == 1)
        names = self._placed(self._sources())
        table, told = read_rows(self.table.spectra, self.sheet, names, self._hours(names))
        self.findings += told
        return table

    def events(self) -> list[Happened]:
        """What happened, each with its run (empty: every run) and its place."""
        self._one_run(lambda count: count < 2)
        table, sheet = self.table, self.sheet
        time = _time(table)
        names = self._placed(self._sources()) if table.run or table.of_run else [""] * len(sheet.rows)
        if time.unit == "timestamp" and not time.zero:
            lost = sorted({name for name in names if name not in self.began})
            words = "times of events that are timestamps need `zero`, or when each run `began`"
            if lost:
                raise self.document.error(
                    (*self.place, "time"), f"{words}; {', '.join(filter(None, lost)) or 'every run'} lacks it",
                    remedy="Give the inoculation: zero: 2026-03-01T08:00, or under `runs` began: 2026-03-01T08:00.",
                )  # fmt: skip
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
        time, sheet = _time(self.table), self.sheet
        at = sheet.column(time.column)
        beside = sheet.column(time.clock) if time.clock else None
        if time.unit == CLOCK:
            return [self._duration(number, row[at]) for number, row in enumerate(sheet.rows)]
        if time.unit != "timestamp":
            found = [self._number(number, row[at], "time") for number, row in enumerate(sheet.rows)]
            for number, value in enumerate(found):
                if math.isnan(value) and not sheet.rows[number][at]:
                    self._fault(number, "the row has no time", "Give its time.")
            return [value * TIME_UNITS[time.unit] for value in found]
        clocks = [row[beside] if beside is not None else "" for row in sheet.rows]
        stamps = [self._stamp(number, row[at], clocks[number]) for number, row in enumerate(sheet.rows)]
        zero = self._stamp(-1, time.zero) if time.zero else None
        zoned = "some times have a zone and others none"
        first: dict[str, datetime] = {}
        found = []
        try:
            for name, stamp in zip(names, stamps, strict=True):
                if stamp is not None:
                    first[name] = min(first.get(name, stamp), stamp)
            for name, stamp in zip(names, stamps, strict=True):
                start = self.began.get(name) or zero or first.get(name)
                found.append((stamp - start).total_seconds() / 3600 if stamp and start else math.nan)
        except TypeError:
            raise self.document.error((*self.place, "time"), zoned, remedy="Give all a zone, `began` too.") from None
        return found

    def _duration(self, row: int, text: str) -> float:
        try:
            return duration(text)
        except ValueError:
            self._fault(row, f"{text!r} is no time since the start", "Write 12:30:00.")
            return math.nan

    def _stamp(self, row: int, text: str, clock: str = "") -> datetime | None:
        form = _time(self.table).format if row >= 0 else ""
        try:
            return day_at(text, clock, form) if row >= 0 and _time(self.table).clock else moment(text, form)
        except ValueError:
            text = f"{text} {clock}".strip()
            words = f"{text!r} is no timestamp"
            if row < 0:
                raise self.document.error(
                    (*self.place, "time", "zero"), words, remedy="Write 2026-03-01T08:00."
                ) from None
            remedy = 'Write 2026-03-01T08:00, or say how times are written: `format: "%m/%d/%Y %H:%M"` of `time`.'
            self._fault(row, f"{words} as {form}" if form else words, remedy)
            return None

    def _column(self, at: int, column: ColumnEntry, names: list[str], hours: list[float]) -> Iterator[Series]:
        sheet = self.sheet
        place = sheet.column(column.column)
        unit = self._unit(column, at)
        self._check_given(column)
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
                remedy=f"Correct the unit, or the symbol; {self._factor(column, unit)}",
            ) from None
        return unit

    def _check_given(self, column: ColumnEntry) -> None:
        """Readings of a list whose own unit is another than the mapping's: mixed units are refused, with the line."""
        for number, (name, text) in enumerate(zip(self.listed, self.given, strict=False)):
            if name != column.column or not text or as_unit(text) == column.unit:
                continue
            words = f"{name} is in {text} here, in {column.unit or 'a plain number'} by the mapping"
            remedy = "Give one thing one unit; or two names, with a column of the mapping each."
            self._fault(number, words, remedy)

    def _factor(self, column: ColumnEntry, unit: str) -> str:
        """What turns other readings into `unit`, with the figure where the culture's formula gives it."""
        factor = molar_factor(self.culture, column.symbol, column.unit)
        if factor is None or self.culture is None:
            return f"a factor turns other readings into {unit or 'it'}."
        known = self.culture.species[column.symbol].known_as or column.symbol
        return f"of {known} write unit: g/L, factor: {factor:.6g}."

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
        return self._number(row, text, column.column, percent=column.unit == "%")

    def _number(self, row: int, text: str, column: str, *, percent: bool = False) -> float:
        """A cell's number; `percent`: its unit is %, so that the cell may say so too."""
        if not text:
            return math.nan
        try:
            value = float(text[:-1] if percent and text.endswith("%") else text)
            if math.isfinite(value):
                return value
        except ValueError:
            pass
        remedy = "Give the number alone, or empty the cell; words belong in a column of their own."
        if text.endswith("%"):
            remedy = 'Say `unit: "%"` of the column in the mapping, or write the number without %.'
        elif "," in text and self.table.decimal == ".":
            remedy = 'Write 12.5, with a point; or say `decimal: ","` of the whole table in its mapping.'
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
