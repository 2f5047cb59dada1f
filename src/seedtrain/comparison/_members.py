"""Whose runs are compared: every run with its group, and whether the plan's symbols were read in units that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seedtrain.base import Document, InputError, Location, Progress, SeedtrainError, collect
from seedtrain.comparison._plan import By, PlanEntry, PredictionEntry, SensorEntry
from seedtrain.comparison._profiles import readings
from seedtrain.development import Dataset
from seedtrain.quantity import QuantityError, convert
from seedtrain.simulation import Run


@dataclass(frozen=True)
class Member:
    """A run and the group that it belongs to."""

    name: str
    group: str
    scale: str
    run: Run


def members_of(datasets: Sequence[Dataset], by: By) -> tuple[Member, ...]:
    """Every run with its group; a name that several data sets use is told apart by theirs."""
    found = []
    for data, name, whole in named_runs(datasets):
        run, about = data.runs[name], data.about[name]
        group = {"scale": about.scale, "vessel": about.vessel, "origin": run.origin, "data": data.name}[by]
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


def named_runs(datasets: Sequence[Dataset]) -> list[tuple[Dataset, str, str]]:
    """Every run: its data set, its name there, and its name among all of them."""
    names = [name for data in datasets for name in data.runs]
    return [
        (data, name, name if names.count(name) == 1 else f"{data.name}: {name}")
        for data in datasets
        for name in data.runs
    ]


@dataclass(frozen=True)
class Setting:
    """What every part of a comparison needs: the plan with its places, and the runs in their groups."""

    plan: PlanEntry
    document: Document
    folder: Path
    datasets: Sequence[Dataset]
    members: tuple[Member, ...]
    groups: Mapping[str, Sequence[Member]]
    seed: int
    progress: Progress

    @property
    def tested(self) -> list[tuple[str, Sequence[Member]]]:
        """Every group that is held against the reference."""
        return [(name, group) for name, group in self.groups.items() if name != self.plan.reference]

    def unit(self, symbol: str, take: str = "") -> str:
        """The unit that a symbol is compared in: that of the first run that has it; per hour for a slope."""
        unit = next(item.run.variables[symbol].unit for item in self.members if symbol in item.run.variables)
        if take not in ("slope", "log slope"):
            return unit
        return f"{unit}/h" if unit and take == "slope" else "1/h"

    def absolute(self, entry: SensorEntry | PredictionEntry, symbol: str) -> float:
        """A margin of a bias, in the symbol's unit; a part or a number of deviations is of what was measured."""
        unit = self.unit(symbol)
        margin = entry.margin.margin(unit)
        if margin.kind == "absolute":
            return margin.value
        measured = np.concatenate([readings(m.run, symbol, unit)[1] for m in self.members if symbol in m.run.variables])
        return margin.value * float(np.abs(measured).mean() if margin.kind == "relative" else measured.std())


def grouped(plan: PlanEntry, document: Document, members: Sequence[Member]) -> dict[str, list[Member]]:
    """Members by group, the reference first; refused where it has no run or nothing stands against it."""
    found: dict[str, list[Member]] = {plan.reference: []}
    for item in members:
        found.setdefault(item.group, []).append(item)
    if not found[plan.reference]:
        known = ", ".join(name for name in found if found[name])
        raise document.error(("reference",), f"no run is of {plan.by} {plan.reference!r}",
                             remedy=f"Use one of: {known}.")  # fmt: skip
    if len(found) < 2 and not (plan.predictions or plan.sensors or plan.spectra):
        words = f"all runs are of {plan.by} {plan.reference!r}: there is nothing to compare them with"
        raise document.error(("reference",), words, remedy="Give runs of another one too.")
    return found


def check(setting: Setting, *, predicted: bool) -> None:
    """Every symbol that the plan names was read, in a unit that its margin fits; faults of the plan at once."""
    known = list(dict.fromkeys(s for item in setting.members for s in item.run.variables))
    plan, document = setting.plan, setting.document
    faults: list[SeedtrainError] = []
    for place, symbol, entry in _asked(plan):
        if symbol not in known:
            faults.append(document.error(place, f"no run has readings of {symbol!r}",
                                         remedy=f"Use one of: {', '.join(known)}."))  # fmt: skip
            continue
        faults += _check_units(setting, place, symbol, getattr(entry, "sensor", symbol))
        try:
            if entry is not None:
                entry.margin.margin(setting.unit(symbol, getattr(entry, "take", "")))
        except QuantityError as error:
            faults.append(document.error((*place, "margin"), error.message, remedy="Give it in that unit."))
    if plan.predictions and not predicted:
        faults.append(document.error(("predictions",), "there are no predictions",
                                     remedy="Give the recipe of the runs: --recipe recipe.yaml."))  # fmt: skip
    collect(faults)


def _asked(plan: PlanEntry) -> list[tuple[Location, str, Any]]:
    """Place, symbol and entry of everything that the plan takes from the runs' readings."""
    found: list[tuple[Location, str, Any]] = []
    for part in ("numbers", "profiles", "predictions"):
        found += [((part, at), item.symbol, item) for at, item in enumerate(getattr(plan, part))]
    for at, item in enumerate(plan.sensors):
        found += [(("sensors", at), item.sensor, None), (("sensors", at), item.assay, item)]
    found += [(("spectra", at), item.assay, None) for at, item in enumerate(plan.spectra) if not item.file]
    return found


def _check_units(setting: Setting, place: Location, symbol: str, sensor: str) -> list[SeedtrainError]:
    """That all runs (and the sensor of an assay) were read in units that can be turned into one another."""
    unit = setting.unit(symbol)
    units = [(item.name, name, item.run.variables[name].unit) for item in setting.members for name in {symbol, sensor}
             if name in item.run.variables]  # fmt: skip
    for run, name, other in units:
        try:
            convert(1.0, other, unit)
        except QuantityError:
            words = f"{name} of {run} is in {other or 'no unit'}, {symbol} elsewhere in {unit or 'no unit'}"
            return [setting.document.error(place, words, remedy="Correct the unit in a mapping, or the symbol.")]
    return []
