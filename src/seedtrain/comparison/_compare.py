"""A plan carried out on one's own runs: one verdict from everything that it asks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seedtrain.base import (
    Document,
    InputError,
    Progress,
    SeedtrainError,
    collect,
    digest,
    load,
    parse_document,
    silent,
    validate,
)
from seedtrain.base import translate as _
from seedtrain.comparison._equivalence import Equivalence, equivalence
from seedtrain.comparison._multivariate import Multivariate, multivariate
from seedtrain.comparison._plan import NumberEntry, PlanEntry, PredictionEntry, SensorEntry, draft_plan
from seedtrain.comparison._predicted import Bound, Errors, Pair, bounds, prediction_errors
from seedtrain.comparison._profiles import GRID, Profiles, feature, profiles, readings
from seedtrain.comparison._reconcile import Reconciled, reconcile
from seedtrain.comparison._spectra import Transferred, read_spectra, transfer
from seedtrain.development import Dataset, read_sheet
from seedtrain.quality import Criterion, Verdict, VerdictWord
from seedtrain.quantity import QuantityError, convert
from seedtrain.simulation import Run


@dataclass(frozen=True)
class Member:
    """A run and the group that it belongs to."""

    name: str
    group: str
    scale: str
    run: Run


@dataclass(frozen=True)
class Number:
    """One number a run: what it is, in which unit, of which group, each run's value, and the test."""

    name: str
    unit: str
    group: str
    values: Mapping[str, float]
    test: Equivalence


@dataclass(frozen=True)
class Compared:
    """Everything that a plan asked, answered; `groups`: run names by group, the reference first."""

    plan: PlanEntry
    groups: Mapping[str, tuple[str, ...]]
    numbers: tuple[Number, ...]
    profiles: tuple[tuple[str, Profiles], ...]
    sensors: tuple[Reconciled, ...]
    spectra: tuple[tuple[float, str, tuple[Transferred, ...]], ...]
    rows: tuple[tuple[str, Multivariate], ...]
    errors: tuple[Errors, ...]
    bounds: tuple[Bound, ...]
    verdict: Verdict
    simulated: tuple[str, ...]
    digest: str

    def to_data(self) -> dict[str, Any]:
        """JSON-ready: the verdict's keys, and the figures beneath."""
        return {
            **self.verdict.to_data(), "comparison": self.plan.comparison, "digest": self.digest,
            "groups": {name: list(runs) for name, runs in self.groups.items()}, "simulated": list(self.simulated),
            "numbers": [{"name": n.name, "unit": n.unit, "group": n.group, "values": dict(n.values), **n.test.to_data()}
                        for n in self.numbers],
            "profiles": [{"group": group, **item.to_data()} for group, item in self.profiles],
            "sensors": [item.to_data() for item in self.sensors],
            "spectra": [item.to_data() for _limit, _unit, items in self.spectra for item in items],
            "multivariate": [{"group": group, **item.to_data()} for group, item in self.rows],
            "errors": [item.to_data() for item in self.errors],
            "bounds": [item.to_data() for item in self.bounds],
        }  # fmt: skip


def compare_runs(
    datasets: Sequence[Dataset],
    plan: Path | str,
    *,
    predicted: Mapping[str, Run] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Compared:
    """What `plan` (a file, or the text of one) asks of the runs of `datasets`.

    - `predicted`: what was predicted of each run, by its name. Raises `InputErrors` with places for what the plan names
      and no run has; a group with too few runs is an inconclusive criterion, with the reason.
    """
    if seed < 0:
        raise InputError(f"the seed is {seed}", remedy="Give 0 or more.")
    if isinstance(plan, Path):
        entry, document = load(plan, PlanEntry, what="plan")
        folder = plan.parent
    else:
        document, folder = parse_document(plan, "drafted plan"), Path()
        entry = validate(document, PlanEntry)
    return _Comparison(entry, document, folder, datasets, predicted or {}, seed, progress).made()


def drafted(datasets: Sequence[Dataset], *, by: Any = "scale", reference: str = "") -> str:
    """A plan of everything that the runs share; the reference is the largest group if none is named."""
    members = members_of(datasets, by)
    counts: dict[str, int] = {}
    for item in members:
        counts[item.group] = counts.get(item.group, 0) + 1
    if reference and reference not in counts:
        raise InputError(f"there is no {by} {reference!r}", remedy=f"Use one of: {', '.join(counts)}.")
    return draft_plan(datasets, by=by, reference=reference or max(counts, key=lambda name: counts[name]))


def members_of(datasets: Sequence[Dataset], by: str) -> tuple[Member, ...]:
    """Every run with its group; a name that several data sets use is told apart by theirs."""
    names = [name for data in datasets for name in data.runs]
    found = []
    for data in datasets:
        for name, run in data.runs.items():
            about = data.about[name]
            group = {"scale": about.scale, "vessel": about.vessel, "origin": run.origin, "data": data.name}[by]
            whole = name if names.count(name) == 1 else f"{data.name}: {name}"
            if not group:
                raise InputError(
                    f"run {name} of {data.name} has no {by}", remedy=f"Give its {by} in the mapping: runs.{name}.{by}."
                )
            found.append(Member(whole, group, about.scale or group, run))
    whole_names = [item.name for item in found]
    twice = sorted({name for name in whole_names if whole_names.count(name) > 1})
    if twice:
        raise InputError(f"two mappings have the same name and the same runs: {', '.join(twice)}",
                         remedy="Give each mapping once, and each a name of its own: data: bench.")  # fmt: skip
    return tuple(found)


class _Comparison:
    def __init__(
        self,
        plan: PlanEntry,
        document: Document,
        folder: Path,
        datasets: Sequence[Dataset],
        predicted: Mapping[str, Run],
        seed: int,
        progress: Progress,
    ) -> None:
        self.plan, self.document, self.folder, self.seed, self.progress = plan, document, folder, seed, progress
        self.members = members_of(datasets, plan.by)
        self.predicted = predicted
        self.groups = self._grouped()
        self.key = digest(["seedtrain comparison 1", "\n".join(document.lines), *(data.digest for data in datasets)])
        self.criteria: list[Criterion] = []
        self.evidence: list[str] = []

    def _grouped(self) -> dict[str, list[Member]]:
        found: dict[str, list[Member]] = {self.plan.reference: []}
        for item in self.members:
            found.setdefault(item.group, []).append(item)
        if not found[self.plan.reference]:
            known = ", ".join(name for name in found if found[name])
            raise self.document.error(("reference",), f"no run is of {self.plan.by} {self.plan.reference!r}",
                                      remedy=f"Use one of: {known}.")  # fmt: skip
        if len(found) < 2 and not (self.plan.predictions or self.plan.sensors or self.plan.spectra):
            words = f"all runs are of {self.plan.by} {self.plan.reference!r}: there is nothing to compare them with"
            raise self.document.error(("reference",), words, remedy="Give runs of another one too.")
        return found

    def made(self) -> Compared:
        """Everything, each part adding its criteria; faults of the plan at once."""
        self._check()
        numbers = tuple(self._numbers())
        shapes = tuple(self._profiles())
        sensors = tuple(self._sensors())
        spectra = tuple(self._spectra())
        rows = tuple(self._rows(numbers)) if self.plan.multivariate else ()
        errors, bounded = self._predictions()
        verdict = Verdict.of(self.criteria, self.evidence, {"comparison": "1"}, self.seed)
        simulated = tuple(item.name for item in self.members if item.run.origin == "simulated")
        groups = {name: tuple(item.name for item in group) for name, group in self.groups.items()}
        return Compared(self.plan, groups, numbers, shapes, sensors, spectra, rows, errors, bounded, verdict, simulated,
                        self.key)  # fmt: skip

    def _check(self) -> None:
        """Every symbol that the plan names was read, in a unit that its margin fits."""
        known = list(dict.fromkeys(s for item in self.members for s in item.run.variables))
        asked: list[tuple[tuple[str | int, ...], str, Any]] = []
        for part in ("numbers", "profiles", "predictions"):
            asked += [((part, at), item.symbol, item) for at, item in enumerate(getattr(self.plan, part))]
        for at, item in enumerate(self.plan.sensors):
            asked += [(("sensors", at), item.sensor, None), (("sensors", at), item.assay, item)]
        faults: list[SeedtrainError] = []
        for place, symbol, entry in asked:
            if symbol not in known:
                faults.append(self.document.error(place, f"no run has readings of {symbol!r}",
                                                  remedy=f"Use one of: {', '.join(known)}."))  # fmt: skip
                continue
            faults += self._check_units(place, symbol, getattr(entry, "sensor", symbol))
            try:
                if entry is not None:
                    entry.margin.margin(self._unit(symbol, getattr(entry, "take", "")))
            except QuantityError as error:
                faults.append(self.document.error((*place, "margin"), error.message, remedy="Give it in that unit."))
        if self.plan.predictions and not self.predicted:
            faults.append(self.document.error(("predictions",), "there are no predictions",
                                              remedy="Give the recipe of the runs: --recipe recipe.yaml."))  # fmt: skip
        collect(faults)

    def _check_units(self, place: tuple[str | int, ...], symbol: str, sensor: str) -> list[SeedtrainError]:
        """That all runs (and the sensor of an assay) were read in units that can be turned into one another."""
        unit = self._unit(symbol)
        units = [(item.name, name, item.run.variables[name].unit) for item in self.members for name in {symbol, sensor}
                 if name in item.run.variables]  # fmt: skip
        for run, name, other in units:
            try:
                convert(1.0, other, unit)
            except QuantityError:
                words = f"{name} of {run} is in {other or 'no unit'}, {symbol} elsewhere in {unit or 'no unit'}"
                return [self.document.error(place, words, remedy="Correct the unit in a mapping, or the symbol.")]
        return []

    def _unit(self, symbol: str, take: str = "") -> str:
        unit = next(item.run.variables[symbol].unit for item in self.members if symbol in item.run.variables)
        if take not in ("slope", "log slope"):
            return unit
        return f"{unit}/h" if unit and take == "slope" else "1/h"

    def _numbers(self) -> list[Number]:
        found = []
        for entry in self.plan.numbers:
            values = {item.name: self._feature(item, entry) for item in self.members}
            unit = self._unit(entry.symbol, entry.take)
            margin = entry.margin.margin(unit)
            sets = {name: [values[m.name] for m in group if math.isfinite(values[m.name])]
                    for name, group in self.groups.items()}  # fmt: skip
            reference = sets.pop(self.plan.reference)
            for group, tested in sets.items():
                test = equivalence(reference, tested, margin, level=self.plan.level, seed=self.seed)
                found.append(Number(entry.name, unit, group, values, test))
                value, interval, limit = number_words(test, unit)
                self._add(f"{entry.name}: {group}", value, interval, limit, test.verdict, test.why)
        return found

    def _feature(self, item: Member, entry: NumberEntry) -> float:
        if entry.symbol not in item.run.variables:
            return math.nan
        unit = self._unit(entry.symbol)
        return feature(item.run, entry.symbol, entry.take, start=entry.start, end=entry.end, unit=unit)

    def _add(
        self,
        name: str,
        value: str | None,
        interval: tuple[str, str] | None,
        limit: str,
        word: VerdictWord,
        why: str = "",
    ) -> None:
        self.criteria.append(Criterion(name, None if why else value, None if why else interval, limit, None, word))
        if why:
            self.evidence.append(f"{name}: {why}")

    def _profiles(self) -> list[tuple[str, Profiles]]:
        found = []
        for entry in self.plan.profiles:
            margin = entry.margin.margin(self._unit(entry.symbol))
            for group, members in self.groups.items():
                if group == self.plan.reference:
                    continue
                runs = [[item.run for item in side] for side in (self.groups[self.plan.reference], members)]
                item = profiles(
                    runs[0], runs[1], entry.symbol, margin.value, margin.kind, start=entry.start, end=entry.end,
                    level=self.plan.level, seed=self.seed,
                )  # fmt: skip
                found.append((group, item))
                name = _("{symbol}, shape").format(symbol=entry.symbol) + f": {group}"
                if item.why:
                    self._add(name, None, None, entry.margin.text, item.verdict, item.why)
                    continue
                at = item.worst
                middle, wide = float(item.difference[at]), float(item.point[at])
                value = _("{value} at {time} h").format(value=f"{middle:.4g} {item.unit}", time=f"{item.time[at]:.3g}")
                interval = (f"{middle - wide:.4g} {item.unit}", f"{middle + wide:.4g} {item.unit}")
                self._add(name, value, interval, _within(f"{item.margin[at]:.4g} {item.unit}"), item.verdict)
        return found

    def _sensors(self) -> list[Reconciled]:
        runs = {item.name: item.run for item in self.members}
        found = []
        for entry in self.plan.sensors:
            unit = self._unit(entry.assay)
            item = reconcile(runs, entry.sensor, entry.assay, self._absolute(entry, entry.assay), level=self.plan.level)
            found.append(item)
            interval = (f"{item.low:.4g} {unit}", f"{item.high:.4g} {unit}")
            name = _("{sensor} against {assay}, bias").format(sensor=entry.sensor, assay=entry.assay)
            self._add(name, f"{item.bias:.4g} {unit}", interval, _within(f"{item.margin:.4g} {unit}"), item.verdict,
                      item.why)  # fmt: skip
        return found

    def _absolute(self, entry: SensorEntry | PredictionEntry, symbol: str) -> float:
        """A margin of a bias, in the symbol's unit; a part or a number of deviations is of what was measured."""
        margin = entry.margin.margin(self._unit(symbol))
        if margin.kind == "absolute":
            return margin.value
        unit = self._unit(symbol)
        measured = np.concatenate([readings(m.run, symbol, unit)[1] for m in self.members if symbol in m.run.variables])
        return margin.value * float(np.abs(measured).mean() if margin.kind == "relative" else measured.std())

    def _spectra(self) -> list[tuple[float, str, tuple[Transferred, ...]]]:
        found = []
        for at, entry in enumerate(self.plan.spectra):
            self.progress(at / len(self.plan.spectra), f"calibration {entry.assay}")
            try:
                spectra = read_spectra(
                    self.folder / entry.file, run=entry.run, scale=entry.scale, assay=entry.assay, unit=entry.unit
                )
                items = transfer(spectra, entry.made_at)
            except InputError as error:
                if error.position is None:
                    raise self.document.error(("spectra", at), error.message, remedy=error.remedy) from None
                raise
            found.append((entry.limit, entry.unit, items))
            # The treatment is chosen where the calibration is made: choosing it by the held-out error would spend that.
            best = min(items, key=lambda item: item.own)
            for scale, (error_there, _bias, _slope) in best.at.items():
                word: VerdictWord = "pass" if error_there <= entry.limit else "fail"
                there = {run for run, at_scale in zip(spectra.run, spectra.scale, strict=True) if at_scale == scale}
                few = "1 run there; its error says nothing of another run" if len(there) < 2 else ""
                name = _("{assay} by spectra, {treatment}: error at {scale}").format(
                    assay=entry.assay, treatment=best.treatment, scale=scale
                )
                limit = _("at most {limit}").format(limit=f"{entry.limit:g} {entry.unit}".rstrip())
                self._add(name, f"{error_there:.4g} {entry.unit}", None, limit, "inconclusive" if few else word)
                self.evidence += [f"{name}: {few}"] if few else []
        return found

    def _rows(self, numbers: Sequence[Number]) -> list[tuple[str, Multivariate]]:
        rows: dict[str, dict[str, float]] = {item.name: {} for item in self.members}
        for number in numbers:
            for name, value in number.values.items():
                rows[name][number.name] = value
        self._profile_columns(rows)
        self._feature_tables(rows)
        if not any(rows.values()):
            return []
        found = []
        reference = [item.name for item in self.groups[self.plan.reference]]
        for group, members in self.groups.items():
            if group == self.plan.reference:
                continue
            self.progress(0.5, f"multivariate {group}")
            item = multivariate(rows, reference, [m.name for m in members], seed=self.seed)
            found.append((group, item))
            outside = _("{count} of {runs} runs outside").format(count=len(item.outside), runs=len(members))
            name = _("all together (T2, SPE)") + f": {group}"
            word = item.verdict
            if word == "pass" and not (self.plan.numbers or self.plan.profiles):
                word = "inconclusive"  # that runs look alike excludes no difference: it only stands beside margins
                self.evidence.append(f"{name}: no margin was given; runs within the limits do not show equivalence")
            self._add(name, outside, None, _("none outside"), word, item.why)
        return found

    def _profile_columns(self, rows: Mapping[str, dict[str, float]]) -> None:
        """Each profile of the plan at times that every run covers."""
        for entry in self.plan.profiles:
            unit = self._unit(entry.symbol)
            read = {
                m.name: readings(m.run, entry.symbol, unit) for m in self.members if entry.symbol in m.run.variables
            }
            read = {name: pair for name, pair in read.items() if len(pair[0]) > 1}
            if not read:
                continue
            low = max(entry.start, *(pair[0][0] for pair in read.values()))
            high = min(entry.end, *(pair[0][-1] for pair in read.values()))
            for time in np.linspace(low, high, GRID) if high > low else ():
                for name, pair in read.items():
                    rows[name][f"{entry.symbol} at {time:.3g} h"] = float(np.interp(time, *pair))

    def _feature_tables(self, rows: Mapping[str, dict[str, float]]) -> None:
        for entry in self.plan.features:
            sheet = read_sheet(self.folder / entry.file)
            place = sheet.column(entry.run)
            seen = set[str]()
            for at, cells in enumerate(sheet.rows):
                if cells[place] not in rows:
                    known = ", ".join(rows)
                    raise InputError(f"no run is called {cells[place]!r}", position=sheet.place(at),
                                     remedy=f"Use one of: {known}.")  # fmt: skip
                if cells[place] in seen:
                    raise InputError(f"run {cells[place]!r} stands twice", position=sheet.place(at),
                                     remedy="Give one row a run: means of its replicates, for instance.")  # fmt: skip
                seen.add(cells[place])
                for column, cell in zip(sheet.header, cells, strict=True):
                    if column != entry.run and cell:
                        rows[cells[place]][f"{entry.file}: {column}"] = _number(cell, column, sheet.place(at))

    def _predictions(self) -> tuple[tuple[Errors, ...], tuple[Bound, ...]]:
        pairs = [Pair(m.name, m.scale, m.run, self.predicted[m.name]) for m in self.members if m.name in self.predicted]
        if not pairs:
            return (), ()
        errors = prediction_errors(pairs, [entry.symbol for entry in self.plan.predictions])
        scales = list(dict.fromkeys(item.scale for item in self.members))
        for entry in self.plan.predictions:
            margin = self._absolute(entry, entry.symbol)
            for item in (e for e in errors if e.symbol == entry.symbol):
                self._judge_errors(item, margin)
        return errors, bounds(errors, scales, level=self.plan.level)

    def _judge_errors(self, item: Errors, margin: float) -> None:
        """The bias over runs of one scale against its margin."""
        name, unit = _("{symbol} predicted").format(symbol=item.symbol) + f": {item.scale}", item.unit
        low, high = item.interval(self.plan.level)
        why = "" if math.isfinite(low) else f"{item.runs} run; 2 are the least"
        word: VerdictWord = "inconclusive"
        if not why and -margin < low and high < margin:
            word = "pass"
        elif not why and (low >= margin or high <= -margin):
            word = "fail"
        interval = (f"{low:.4g} {unit}", f"{high:.4g} {unit}")
        self._add(name, f"{item.bias:.4g} {unit}", interval, _within(f"{margin:.4g} {unit}"), word, why)


def _number(cell: str, column: str, place: Any) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{column}: {cell!r} is not a number", position=place, remedy="Give one, or empty the cell.")
    return value


def number_words(test: Equivalence, unit: str) -> tuple[str, tuple[str, str], str]:
    """A test's difference, interval and limit with their unit."""
    shown = {"absolute": (1.0, f" {unit}".rstrip()), "relative": (100.0, " %"), "deviations": (1.0, " SD")}
    factor, unit = shown[test.scale]
    value, low, high, margin = (f"{factor * x:.4g}{unit}" for x in (test.difference, test.low, test.high, test.margin))
    return value, (low, high), _within(margin)


def _within(margin: str) -> str:
    return _("within {margin}").format(margin=margin.rstrip())
