"""Spectra to an assay across scales: what a calibration made at one scale is worth at another.

The error that is told is that at a scale whose runs the calibration never saw. Cross-validation within the scale that
it was made at, even by whole runs, does not show the bias of another vessel, and is never given for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.comparison._latent import Regression, pls
from seedtrain.development import Sheet, read_sheet

Floats = NDArray[np.float64]
MOST_COMPONENTS: Final = 10
WINDOW: Final = 15


@dataclass(frozen=True)
class Spectra:
    """Spectra with their assay: `x` "spectrum, channel"; `y` "spectrum" in `unit`; `run` and `scale` of each."""

    channels: Floats
    x: Floats
    y: Floats
    unit: str
    run: tuple[str, ...]
    scale: tuple[str, ...]


def snv(x: Floats) -> Floats:
    """Each spectrum less its mean, over its standard deviation (Barnes et al. 1989, Appl Spectrosc 43:772)."""
    spread = x.std(1, ddof=1, keepdims=True)
    found: Floats = (x - x.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    return found


def derivative(x: Floats, order: int = 1, window: int = WINDOW) -> Floats:
    """The derivative along channels by a polynomial of degree 2 (Savitzky & Golay 1964, Anal Chem 36:1627)."""
    from scipy import signal

    found: Floats = signal.savgol_filter(x, min(window, _odd(x.shape[1])), 2, deriv=order, axis=1)
    return found


def _odd(count: int) -> int:
    return count if count % 2 else count - 1


TREATMENTS: Final[Mapping[str, Callable[[Floats], Floats]]] = {
    "none": lambda x: x,
    "smoothed": lambda x: derivative(x, 0),
    "SNV": snv,
    "first derivative": derivative,
    "SNV, first derivative": lambda x: derivative(snv(x)),
}
"""How spectra are treated before PLS, by name."""


@dataclass(frozen=True)
class Transferred:
    """A calibration made at `made_at`, under one `treatment`.

    - `own`: root mean square error of whole runs left out at its own scale. - `at`: scale -> (error, bias, slope of
      predicted on assay) at scales that it never saw, in the assay's unit.
    """

    treatment: str
    made_at: str
    components: int
    own: float
    at: Mapping[str, tuple[float, float, float]]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        rows = {name: {"rmse": r, "bias": b, "slope": s} for name, (r, b, s) in self.at.items()}
        return {"treatment": self.treatment, "made_at": self.made_at, "components": self.components,
                "cross_validated_at_own_scale": self.own, "at": rows}  # fmt: skip


def transfer(spectra: Spectra, made_at: str, treatments: Sequence[str] = tuple(TREATMENTS)) -> tuple[Transferred, ...]:
    """A calibration made of the spectra at `made_at` under each treatment, and its errors at every other scale.

    The number of components is chosen by leaving whole runs out (grouped cross-validation). Raises `InputError` where
    the scale has fewer than three runs, or where there is no other scale: then the error elsewhere is unknown.
    """
    here = np.array([name == made_at for name in spectra.scale])
    runs = sorted({name for name, mine in zip(spectra.run, here, strict=True) if mine})
    if len(runs) < 3:
        words = f"spectra of {len(runs)} runs at {made_at}"
        raise InputError(words, remedy="Give three runs or more at the scale that the calibration is made at.")
    others = sorted(set(spectra.scale) - {made_at})
    if not others:
        raise InputError(
            f"all spectra are from {made_at}: the error at another scale is unknown",
            remedy="Give spectra with assays of at least one run at another scale.",
        )
    return tuple(_transferred(spectra, here, made_at, others, name) for name in treatments)


def _transferred(
    spectra: Spectra, here: NDArray[np.bool_], made_at: str, others: Sequence[str], name: str
) -> Transferred:
    x, y = TREATMENTS[name](spectra.x), spectra.y
    count, own = _chosen(x[here], y[here], np.array(spectra.run)[here])
    model = pls(x[here], y[here], count, unit_variance=False)
    at = {}
    for scale in others:
        there = np.array([item == scale for item in spectra.scale])
        at[scale] = _error(model, x[there], y[there])
    return Transferred(name, made_at, count, own, at)


def _chosen(x: Floats, y: Floats, run: NDArray[np.str_]) -> tuple[int, float]:
    """Components with the least error of runs left out, and that error."""
    names = np.unique(run)
    most = min(MOST_COMPONENTS, min(int((run != name).sum()) for name in names) - 1, x.shape[1])
    missed = np.zeros(most)
    for name in names:
        out = run == name
        model = pls(x[~out], y[~out], most, unit_variance=False)
        for count in range(1, most + 1):
            predicted = model.predicted(x[out], min(count, len(model.coefficients)))
            missed[count - 1] += float(((predicted - y[out]) ** 2).sum())
    best = int(np.argmin(missed))
    return best + 1, float(np.sqrt(missed[best] / len(y)))


def _error(model: Regression, x: Floats, y: Floats) -> tuple[float, float, float]:
    predicted = model.predicted(x)
    apart = predicted - y
    slope = float(np.polyfit(y, predicted, 1)[0]) if np.ptp(y) > 0 else float("nan")
    return float(np.sqrt((apart**2).mean())), float(apart.mean()), slope


def read_spectra(path: Path, *, run: str, scale: str, assay: str, unit: str) -> Spectra:
    """Spectra of a table: columns whose header is a number are channels; others name run, scale and assay."""
    sheet = read_sheet(path)
    places = {name: sheet.column(name) for name in (run, scale, assay)}
    channels = [(at, _number(name)) for at, name in enumerate(sheet.header)]
    used = [(at, value) for at, value in channels if value is not None]
    if len(used) < 5:
        raise InputError(
            f"{len(used)} columns have a number as their header",
            position=sheet.place(0),
            remedy="Head each channel with its wavenumber or wavelength.",
        )
    x = np.array([[_cell(sheet, row, at) for at, _value in used] for row in range(len(sheet.rows))])
    y = np.array([_cell(sheet, row, places[assay]) for row in range(len(sheet.rows))])
    names = [tuple(cells[places[item]] for cells in sheet.rows) for item in (run, scale)]
    return Spectra(np.array([value for _at, value in used]), x, y, unit, names[0], names[1])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _cell(sheet: Sheet, row: int, column: int) -> float:
    value = _number(sheet.rows[row][column])
    if value is None or not np.isfinite(value):
        raise InputError(
            f"{sheet.header[column]}: {sheet.rows[row][column]!r} is not a number",
            position=sheet.place(row),
            remedy="Give a number, or leave the row out.",
        )
    return value
