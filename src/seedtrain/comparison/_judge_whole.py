"""The part of a plan that looks at runs as a whole: everything known of each, against the reference's own spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seedtrain.base import InputError
from seedtrain.base import translate as _
from seedtrain.comparison._judge_series import Number
from seedtrain.comparison._judged import Judged
from seedtrain.comparison._members import Setting, named_runs
from seedtrain.comparison._multivariate import Multivariate, multivariate
from seedtrain.comparison._profiles import GRID, readings
from seedtrain.comparison._reason import Reason
from seedtrain.development import read_sheet

Rows = Mapping[str, dict[str, float]]


def judge_whole(setting: Setting, numbers: list[Number]) -> Iterator[tuple[str, Multivariate, Judged]]:
    """Each tested group against the reference by numbers, shapes and further tables together."""
    rows: Rows = {item.name: {} for item in setting.members}
    for number in numbers:
        for name, value in number.values.items():
            rows[name][number.name] = value
    _profile_columns(setting, rows)
    for data, name, whole in named_runs(setting.datasets):
        rows[whole].update(data.features.get(name, {}))
    _feature_tables(setting, rows)
    if not any(rows.values()):
        return
    reference = [item.name for item in setting.groups[setting.plan.reference]]
    for group, members in setting.tested:
        setting.progress(0.5, f"multivariate {group}")
        item = multivariate(rows, reference, [m.name for m in members], seed=setting.seed)
        yield group, item, _judged(setting, group, item, len(members))


def _judged(setting: Setting, group: str, item: Multivariate, runs: int) -> Judged:
    word, note = item.verdict, ""
    if word == "pass" and not (setting.plan.numbers or setting.plan.profiles):
        word = "inconclusive"  # that runs look alike excludes no difference: it only stands beside margins
        note = Reason(lambda: _("no margin was given; runs within the limits do not show equivalence"))
    return Judged(
        name=lambda: _("all together (T2, SPE)") + f": {group}",
        value=lambda: _("{count} of {runs} runs outside").format(count=len(item.outside), runs=runs),
        limit=lambda: _("none outside"),
        verdict=word,
        why=item.why,
        note=note,
    )


def _profile_columns(setting: Setting, rows: Rows) -> None:
    """Each profile of the plan at times that every run covers."""
    for entry in setting.plan.profiles:
        unit = setting.unit(entry.symbol)
        read = {m.name: readings(m.run, entry.symbol, unit) for m in setting.members if entry.symbol in m.run.variables}
        read = {name: pair for name, pair in read.items() if len(pair[0]) > 1}
        if not read:
            continue
        low = max(entry.start, *(pair[0][0] for pair in read.values()))
        high = min(entry.end, *(pair[0][-1] for pair in read.values()))
        for time in np.linspace(low, high, GRID) if high > low else ():
            for name, pair in read.items():
                rows[name][f"{entry.symbol} at {time:.3g} h"] = float(np.interp(time, *pair))


def _feature_tables(setting: Setting, rows: Rows) -> None:
    """The tables that the plan names beside itself."""
    for entry in setting.plan.features:
        sheet = read_sheet(setting.folder / entry.file)
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


def _number(cell: str, column: str, place: Any) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{column}: {cell!r} is not a number", position=place, remedy="Give one, or empty the cell.")
    return value
