"""Relative potency by four-parameter curves that share their shape, and whether they may share it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, Position
from seedtrain.quality import Criterion
from seedtrain.vectors._assays._estimate import Estimate, Finding, Setting, check, power
from seedtrain.vectors._table import Column, Sheet

COLUMNS: Final = (
    Column("sample", "word", None),
    Column("dose", "number", None, 0.0, 1e30),
    Column("response", "number", None, -1e12, 1e12),
)
SETTINGS: Final = (
    Setting("equivalence", 1.25, 1.01, 10.0, "largest ratio of slopes and of ranges that counts as parallel (assumed)"),
)
REFERENCE: Final = "reference"
NO_DOSE: Final = 1e-200
"""What a dose of 0 is on the logarithm: the curve's lower end at any slope above 0.1."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """Parameters with their covariance, residual sum of squares and degrees of freedom."""

    values: Floats
    covariance: Floats
    ssr: float
    freedom: int

    def variance(self, weights: Floats) -> float:
        """Of a weighted sum of the parameters; infinite where the data do not fix them."""
        if not np.isfinite(self.covariance).all():
            return math.inf
        return max(0.0, float(weights @ self.covariance @ weights))


def four_parameters(x: Floats, low: float, high: float, middle: float, slope: float) -> Floats:
    """The logistic in the logarithm of the dose: `low` at small doses, `high` at large ones, half way at `middle`."""
    found: Floats = low + (high - low) / (1 + np.exp(-np.clip(slope * (x - middle), -500, 500)))
    return found


def _fit(model: Any, start: Floats, y: Floats) -> Fit:
    from scipy.optimize import least_squares

    done = least_squares(lambda values: model(values) - y, start, method="lm", max_nfev=2_000)
    freedom = len(y) - len(start)
    ssr = float((done.fun**2).sum())
    information = done.jac.T @ done.jac
    # Responses without a curve fix no parameters: the inverse then holds noise, and none of it may be believed.
    unknown = np.full((len(start), len(start)), np.inf)
    if np.linalg.matrix_rank(information, hermitian=True) < len(start):
        return Fit(done.x, unknown, ssr, freedom)
    inverse = np.linalg.inv(information)
    return Fit(done.x, inverse * ssr / freedom if (np.diag(inverse) > 0).all() else unknown, ssr, freedom)


def _start(x: Floats, y: Floats) -> Floats:
    order = np.argsort(x, kind="stable")
    low, high = float(y[order[: max(1, len(y) // 6)]].mean()), float(y[order[-max(1, len(y) // 6) :]].mean())
    half = x[int(np.argmin(np.abs(y - (low + high) / 2)))]
    return np.array([low, high, float(half), 1.5])


def relative_potency(
    reference: tuple[Floats, Floats], test: tuple[Floats, Floats]
) -> tuple[float, float, float, Fit, Fit, Fit]:
    """log potency of the test over the reference with its 95 % interval; the common fit and both single fits.

    Common: both lower and upper asymptotes and slope shared, least squares, interval by the t quantile of the shift.
    **Source** Finney 1978, Statistical Method in Biological Assay; USP <1034>.
    """
    from scipy.stats import t

    single = [_fit(lambda p, x=x: four_parameters(x, *p), _start(x, y), y) for x, y in (reference, test)]
    x = np.concatenate([reference[0], test[0]])
    y = np.concatenate([reference[1], test[1]])
    mine = np.concatenate([np.zeros(len(reference[0])), np.ones(len(test[0]))])
    first, second = single[0].values, single[1].values
    common = _fit(
        lambda p: four_parameters(x + p[4] * mine, *p[:4]), np.array([*first, float(first[2] - second[2])]), y
    )
    half = float(t.ppf(0.975, common.freedom)) * math.sqrt(common.variance(np.eye(5)[4]))
    shift = float(common.values[4])
    return shift, shift - half, shift + half, common, single[0], single[1]


def analyse_elisa(sheet: Sheet, settings: Mapping[str, float]) -> Finding:
    """Potency of every sample relative to `reference`, with parallelism by F test and by equivalence of shapes."""
    data = {
        name: (
            np.log([max(row.number("dose"), NO_DOSE) for row in sheet.rows if row.word("sample") == name]),
            np.array([row.number("response") for row in sheet.rows if row.word("sample") == name]),
        )
        for name in dict.fromkeys(row.word("sample") for row in sheet.rows)
    }
    position = Position(sheet.file)
    if REFERENCE not in data or len(data) < 2:
        raise InputError("a reference and a sample are needed", position=position, remedy="Name one: reference.")
    for name, (x, _y) in data.items():
        doses = len({item for item in x.tolist() if item > math.log(NO_DOSE) + 1})
        if doses < 5:
            raise InputError(
                f"{name} has {doses} doses above 0, four parameters need 5",
                position=position,
                remedy="Add doses.",
            )
    estimates, validity, notes = [], [], []
    for name in data:
        if name == REFERENCE:
            continue
        shift, low, high, common, *single = relative_potency(data[REFERENCE], data[name])
        estimates.append(Estimate.of(f"potency of {name}", (power(math.e, item) for item in (shift, low, high)), ""))
        validity += _parallel(name, single[0], single[1], settings["equivalence"])
        notes.append(_f_test(name, common, single[0], single[1]))
    return Finding("elisa", tuple(estimates), tuple(validity), tuple(notes))


def _f_test(name: str, common: Fit, first: Fit, second: Fit) -> str:
    from scipy.stats import f

    ssr, freedom = first.ssr + second.ssr, first.freedom + second.freedom
    if ssr <= 0:
        return f"{name}: no scatter about the curves, so that no F test can be made"
    extra = common.freedom - freedom
    ratio = (common.ssr - ssr) / extra / (ssr / freedom)
    return (
        f"{name}: F({extra}, {freedom}) of shapes of its own {ratio:.4g}, P = {float(f.sf(ratio, extra, freedom)):.4g}"
    )


def _parallel(name: str, first: Fit, second: Fit, bound: float) -> list[Criterion]:
    """Ratios of slopes and of ranges with 90 % intervals, wholly inside 1/bound .. bound (USP <1032>, equivalence)."""
    from scipy.stats import t

    found = []
    quantile = float(t.ppf(0.95, first.freedom + second.freedom))
    pick = {"slopes": np.array([0.0, 0, 0, 1]), "ranges": np.array([-1.0, 1, 0, 0])}
    for words, weights in pick.items():
        values = [float(weights @ fit.values) for fit in (first, second)]
        label = f"{name}: ratio of {words}"
        limit = f"{1 / bound:.3g} .. {bound:.3g}"
        if not all(math.isfinite(fit.variance(weights)) for fit in (first, second)):
            found.append(check(label, "no curve", limit, met=None))
            continue
        if values[0] * values[1] <= 0:
            found.append(check(label, "opposite signs", limit, met=False))
            continue
        errors = [fit.variance(weights) / value**2 for fit, value in zip((first, second), values, strict=True)]
        middle, half = math.log(values[1] / values[0]), quantile * math.sqrt(sum(errors))
        edge = math.log(bound)
        apart = middle - half > edge or middle + half < -edge
        met = True if abs(middle) + half <= edge else False if apart else None
        text = f"{power(math.e, middle):.3g} ({power(math.e, middle - half):.3g} .. {power(math.e, middle + half):.3g})"
        found.append(check(label, text, limit, met=met))
    return found
