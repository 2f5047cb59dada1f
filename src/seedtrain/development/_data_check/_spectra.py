"""Spectra of runs: one row a spectrum, columns that a number heads are its channels; what looks wrong in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position
from seedtrain.base import translate as _
from seedtrain.development._data_check._findings import Finding, Floats
from seedtrain.development._data_check._headers import is_number
from seedtrain.development._data_check._table import Sheet

FEWEST_CHANNELS: Final = 5
FEWEST_SPECTRA: Final = 8
"""Spectra of a run below which none of them can be told to stand apart."""
FAR_SHAPE: Final = 3.0
"""How many times farther from both neighbours than these are from each other, and than is usual in the run, a spectrum
lies that stands apart; assumed."""
FLAT: Final = 3
"""Neighbouring channels at the very highest reading of a table that look like a detector at its end; assumed."""


@dataclass(frozen=True, eq=False)
class SpectraTable:
    """Spectra of one kind: `x` of shape "spectrum, channel" over `channels`; each with its run, time (h) and place."""

    name: str
    channels: Floats
    x: Floats
    run: tuple[str, ...]
    time: Floats
    places: tuple[Position, ...]


def channels_of(sheet: Sheet) -> list[tuple[int, float]]:
    """Where the channels stand, and what heads them: a wavelength or a wavenumber."""
    return [(at, float(name)) for at, name in enumerate(sheet.header) if is_number(name)]


def read_rows(
    name: str, sheet: Sheet, runs: Sequence[str], hours: Sequence[float]
) -> tuple[SpectraTable, list[Finding]]:
    """The spectra of a table whose rows are of `runs` at `hours`, and those left out because a reading lacks.

    Raises `InputError` for fewer than five channels.
    """
    channels = channels_of(sheet)
    if len(channels) < FEWEST_CHANNELS:
        raise InputError(f"{len(channels)} columns have a number as their header", position=Position(sheet.file, 1, 1),
                         remedy="Head each channel with its wavelength or wavenumber.")  # fmt: skip
    kept: list[int] = []
    findings: list[Finding] = []
    for number, row in enumerate(sheet.rows):
        if not runs[number] or hours[number] != hours[number]:
            continue
        lacking = [sheet.header[at] for at, _value in channels if not is_number(row[at])]
        if lacking:
            words = _("{count} channels have no reading, the first at {channel}: the spectrum is left out")
            words = words.format(count=len(lacking), channel=lacking[0])
            remedy = _("Measure it again, or leave the row out.")
            findings.append(Finding("missing", runs[number], name, words, remedy, sheet.place(number)))
        else:
            kept.append(number)
    x = np.array([[float(sheet.rows[number][at]) for at, _value in channels] for number in kept])
    table = SpectraTable(
        name,
        np.array([value for _at, value in channels]),
        x.reshape(len(kept), len(channels)),
        tuple(runs[number] for number in kept),
        np.array([hours[number] for number in kept]),
        tuple(sheet.place(number) for number in kept),
    )
    return table, findings


def look_at_spectra(table: SpectraTable) -> Iterator[Finding]:
    """Spectra that stand apart in shape within their run, and those whose detector was at its end."""
    if not len(table.x):
        return
    yield from _saturated(table)
    shape = _standardised(table.x)
    for run in dict.fromkeys(table.run):
        mine = np.flatnonzero([name == run for name in table.run])
        if len(mine) < FEWEST_SPECTRA:
            continue
        order = mine[np.argsort(table.time[mine], kind="stable")]
        for at in _apart(shape[order]):
            words = _("the spectrum at {hours} h has another shape than its neighbours")
            yield Finding("outlier", run, table.name, words.format(hours=f"{table.time[order[at]]:.4g}"),
                          _("Look at probe and window; leave it out by removing the row."),
                          table.places[int(order[at])])  # fmt: skip


def _apart(shape: Floats) -> list[int]:
    """Spectra that lie far from the ones before and after, which are alike: a change of the broth shows in the next."""
    steps = np.linalg.norm(np.diff(shape, axis=0), axis=1)
    near = np.minimum(steps[:-1], steps[1:])
    across = np.linalg.norm(shape[2:] - shape[:-2], axis=1)
    found: list[int] = (1 + np.flatnonzero(near > FAR_SHAPE * np.maximum(across, np.median(steps)))).tolist()
    return found


def _standardised(x: Floats) -> Floats:
    spread = x.std(1, keepdims=True)
    found: Floats = (x - x.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    return found


def _saturated(table: SpectraTable) -> Iterator[Finding]:
    highest = float(table.x.max())
    at_end: NDArray[np.intp] = np.flatnonzero((table.x == highest).sum(1) >= FLAT)
    for at in at_end.tolist():
        words = _("{count} channels read {value}, the highest of the table: the detector was at its end?")
        count = int((table.x[at] == highest).sum())
        yield Finding("outlier", table.run[at], table.name, words.format(count=count, value=f"{highest:.6g}"),
                      _("Shorten the exposure; leave the row out."), table.places[at])  # fmt: skip
