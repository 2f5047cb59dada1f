"""The part of a plan that looks at spectra: a calibration made at one scale, and its error at every other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seedtrain.base import InputError, Location
from seedtrain.base import translate as _
from seedtrain.comparison._judged import Judged
from seedtrain.comparison._members import Setting, named_runs
from seedtrain.comparison._plan import SpectraEntry
from seedtrain.comparison._profiles import readings
from seedtrain.comparison._spectra import Spectra, Transferred, read_spectra, transfer
from seedtrain.development import SpectraTable
from seedtrain.quality import VerdictWord


@dataclass(frozen=True)
class Calibration:
    """One calibration under every treatment: the limit of its error, the unit, and how many spectra had no assay."""

    limit: float
    unit: str
    items: tuple[Transferred, ...]
    unpaired: int = 0


def judge_spectra(setting: Setting) -> Iterator[tuple[Calibration, list[Judged]]]:
    """Each calibration of the plan; what is wrong is told at its place in the plan."""
    for at, entry in enumerate(setting.plan.spectra):
        setting.progress(at / len(setting.plan.spectra), f"calibration {entry.assay}")
        try:
            spectra, unpaired = _spectra(setting, entry, ("spectra", at))
            items = transfer(spectra, entry.made_at)
        except InputError as error:
            if error.position is None:
                raise setting.document.error(("spectra", at), error.message, remedy=error.remedy) from None
            raise
        found = Calibration(entry.limit, spectra.unit, items, unpaired)
        yield found, list(_judged(entry, spectra, found))


def _judged(entry: SpectraEntry, spectra: Spectra, found: Calibration) -> Iterator[Judged]:
    # The treatment is chosen where the calibration is made: choosing it by the held-out error would spend that.
    best = min(found.items, key=lambda item: item.own)
    for scale, (error, _bias, _slope) in best.at.items():
        there = {run for run, at_scale in zip(spectra.run, spectra.scale, strict=True) if at_scale == scale}
        yield _of_scale(entry, found, best.treatment, scale, error, len(there))


def _of_scale(entry: SpectraEntry, found: Calibration, treatment: str, scale: str, error: float, runs: int) -> Judged:
    few = "1 run there; its error says nothing of another run" if runs < 2 else ""
    word: VerdictWord = "pass" if error <= found.limit else "fail"
    return Judged(
        name=lambda: _("{assay} by spectra, {treatment}: error at {scale}").format(
            assay=entry.assay, treatment=treatment, scale=scale
        ),
        value=lambda: f"{error:.4g} {found.unit}".rstrip(),
        limit=lambda: _("at most {limit}").format(limit=f"{found.limit:g} {found.unit}".rstrip()),
        verdict="inconclusive" if few else word,
        note=few,
    )


def _spectra(setting: Setting, entry: SpectraEntry, place: Location) -> tuple[Spectra, int]:
    """The spectra of an entry with their assay, and how many had none near in time."""
    if entry.file:
        path = setting.folder / entry.file
        return read_spectra(path, run=entry.run, scale=entry.scale, assay=entry.assay, unit=entry.unit), 0
    tables = _tables(setting, entry, place)
    return _paired(setting, entry, tables)


def _tables(setting: Setting, entry: SpectraEntry, place: Location) -> list[tuple[str, SpectraTable]]:
    """The mappings' spectra of the kind that is asked for, with the name of their data set."""
    every = [(data.name, table) for data in setting.datasets for table in data.spectra]
    kinds = list(dict.fromkeys(table.name for _data, table in every))
    if not every:
        raise setting.document.error(place, "no mapping has spectra", remedy="Give a table of kind spectra, or a file.")
    if not entry.of and len(kinds) > 1:
        raise setting.document.error(place, f"the mappings have spectra of several kinds: {', '.join(kinds)}",
                                     remedy=f"Say which: of: {kinds[0]}.")  # fmt: skip
    mine = [(data, table) for data, table in every if table.name == (entry.of or kinds[0])]
    if not mine:
        raise setting.document.error((*place, "of"), f"no mapping has spectra called {entry.of!r}",
                                     remedy=f"Use one of: {', '.join(kinds)}.")  # fmt: skip
    first = mine[0][1]
    for _data, table in mine[1:]:
        if table.channels.shape != first.channels.shape or not np.allclose(table.channels, first.channels):
            words = f"the channels of {table.places[0].file if table.places else table.name} are others"
            raise setting.document.error(place, words, remedy="Bring all spectra onto the same channels first.")
    return mine


def _paired(setting: Setting, entry: SpectraEntry, tables: list[tuple[str, SpectraTable]]) -> tuple[Spectra, int]:
    """Every reading of the assay with the spectrum of its run that is nearest in time."""
    whole = {(data.name, name): called for data, name, called in named_runs(setting.datasets)}
    members = {item.name: item for item in setting.members}
    unit = entry.unit or setting.unit(entry.assay)
    rows: list[tuple[np.ndarray, float, str, str]] = []
    alone = 0
    for data, table in tables:
        for run in dict.fromkeys(table.run):
            member = members[whole[data, run]]
            mine = np.flatnonzero([name == run for name in table.run])
            if entry.assay not in member.run.variables:
                alone += len(mine)
                continue
            used = set[int]()
            for hour, value in zip(*readings(member.run, entry.assay, unit), strict=True):
                nearest = int(mine[np.argmin(np.abs(table.time[mine] - hour))])
                if abs(float(table.time[nearest]) - hour) <= entry.within + 1e-9:
                    rows.append((table.x[nearest], float(value), member.name, member.scale))
                    used.add(nearest)
            alone += len(mine) - len(used)
    if not rows:
        raise InputError(f"no spectrum lies within {entry.within:g} h of a reading of {entry.assay}",
                         remedy="Give a wider `within`, or look at the times of both tables.")  # fmt: skip
    x, y, run_names, scales = zip(*rows, strict=True)
    return Spectra(tables[0][1].channels, np.array(x), np.array(y), unit, run_names, scales), alone
