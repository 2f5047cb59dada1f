"""The parts of a plan that look at readings over time: numbers, shapes, sensors against assays."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seedtrain.base import translate as _
from seedtrain.comparison._covered import Span, partly, short_runs, span
from seedtrain.comparison._equivalence import Equivalence, equivalence
from seedtrain.comparison._judged import Judged, within
from seedtrain.comparison._members import Member, Setting
from seedtrain.comparison._plan import NumberEntry, ProfileEntry
from seedtrain.comparison._profiles import Profiles, feature, profiles, readings
from seedtrain.comparison._reconcile import Reconciled, reconcile


@dataclass(frozen=True)
class Number:
    """One number a run: what it is, in which unit, of which group, each run's value, and the test."""

    entry: NumberEntry
    unit: str
    group: str
    values: Mapping[str, float]
    test: Equivalence

    @property
    def name(self) -> str:
        """What it is called by machines."""
        return self.entry.name


def judge_numbers(setting: Setting) -> Iterator[tuple[Number, Judged]]:
    """Each number of the plan for each tested group."""
    for entry in setting.plan.numbers:
        values = {item.name: _feature(setting, item, entry) for item in setting.members}
        unit = setting.unit(entry.symbol, entry.take)
        margin = entry.margin.margin(unit)
        sets = {name: [values[m.name] for m in group if math.isfinite(values[m.name])]
                for name, group in setting.groups.items()}  # fmt: skip
        for group, _members in setting.tested:
            test = equivalence(
                sets[setting.plan.reference], sets[group], margin, level=setting.plan.level, seed=setting.seed
            )
            number = Number(entry, unit, group, values, test)
            both = (*setting.groups[setting.plan.reference], *setting.groups[group])
            yield number, _of_number(number, short_runs(_spans(both, entry)))


def _spans(members: Sequence[Member], entry: NumberEntry) -> dict[str, Span]:
    """From when to when each run was read within what a number is taken of; none where it is that at a time."""
    if entry.take == "value":
        return {}
    read = {item.name: readings(item.run, entry.symbol)[0] for item in members if entry.symbol in item.run.variables}
    return {name: span(times.tolist(), entry.start, entry.end) for name, times in read.items() if len(times)}


def _of_number(number: Number, note: str) -> Judged:
    test, unit = number.test, number.unit
    return Judged(
        name=lambda: f"{number.entry.label}: {number.group}",
        value=lambda: number_words(test, unit)[0],
        interval=number_words(test, unit)[1],
        limit=lambda: number_words(test, unit)[2],
        verdict=test.verdict,
        why=test.why,
        note=note,
    )


def _feature(setting: Setting, item: Member, entry: NumberEntry) -> float:
    if entry.symbol not in item.run.variables:
        return math.nan
    unit = setting.unit(entry.symbol)
    return feature(item.run, entry.symbol, entry.take, start=entry.start, end=entry.end, unit=unit)


def judge_profiles(setting: Setting) -> Iterator[tuple[str, Profiles, Judged]]:
    """Each shape of the plan for each tested group."""
    reference = [item.run for item in setting.groups[setting.plan.reference]]
    for entry in setting.plan.profiles:
        margin = entry.margin.margin(setting.unit(entry.symbol))
        for group, members in setting.tested:
            item = profiles(
                reference, [member.run for member in members], entry.symbol, margin.value, margin.kind,
                start=entry.start, end=entry.end, level=setting.plan.level, seed=setting.seed,
            )  # fmt: skip
            yield group, item, _of_profile(entry, group, item)


def _of_profile(entry: ProfileEntry, group: str, item: Profiles) -> Judged:
    def name() -> str:
        return _("{symbol}, shape").format(symbol=entry.symbol) + f": {group}"

    if item.why:
        return Judged(name, lambda: entry.margin.text, item.verdict, why=item.why)
    at = item.worst
    middle, wide = float(item.difference[at]), float(item.point[at])

    def value() -> str:
        return _("{value} at {time} h").format(value=f"{middle:.4g} {item.unit}", time=f"{item.time[at]:.3g}")

    interval = (f"{middle - wide:.4g} {item.unit}", f"{middle + wide:.4g} {item.unit}")
    note = partly((float(item.time[0]), float(item.time[-1])), item.whole) if item.partial else ""
    return Judged(name, lambda: within(f"{item.margin[at]:.4g} {item.unit}"), item.verdict, value, interval, note=note)


def judge_sensors(setting: Setting) -> Iterator[tuple[Reconciled, Judged]]:
    """Each sensor of the plan against its assay, over all runs."""
    runs = {item.name: item.run for item in setting.members}
    for entry in setting.plan.sensors:
        margin = setting.absolute(entry, entry.assay)
        item = reconcile(runs, entry.sensor, entry.assay, margin, level=setting.plan.level)
        yield item, _of_sensor(item, setting.unit(entry.assay))


def _of_sensor(item: Reconciled, unit: str) -> Judged:
    return Judged(
        name=lambda: _("{sensor} against {assay}, bias").format(sensor=item.sensor, assay=item.assay),
        value=lambda: f"{item.bias:.4g} {unit}",
        interval=(f"{item.low:.4g} {unit}", f"{item.high:.4g} {unit}"),
        limit=lambda: within(f"{item.margin:.4g} {unit}"),
        verdict=item.verdict,
        why=item.why,
    )


def number_words(test: Equivalence, unit: str) -> tuple[str, tuple[str, str], str]:
    """A test's difference, interval and limit with their unit."""
    shown = {"absolute": (1.0, f" {unit}".rstrip()), "relative": (100.0, " %"), "deviations": (1.0, " SD")}
    factor, unit = shown[test.scale]
    value, low, high, margin = (f"{factor * x:.4g}{unit}" for x in (test.difference, test.low, test.high, test.margin))
    return value, (low, high), within(margin)
