"""What the runs told: effects with intervals, how well the model predicts runs left out, lack of fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError
from seedtrain.development._experiments._designs import Terms, model_matrix
from seedtrain.development._experiments._entry import Experiment
from seedtrain.development._experiments._sheet import SheetRow

Floats = NDArray[np.float64]
SAME = 0.05
"""Of how far a term varies: what is left of it beside the others when they count as the same (an inflation of 400);
settings in a sheet are rounded."""


@dataclass(frozen=True)
class Effect:
    """A term of the model: half the change of the response from a factor's low to its high, with its 95 % interval."""

    term: str
    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Analysis:
    """The linear model of one response.

    - `explained`, `predicted`: R2, and R2 of runs left out one by one (PRESS). - `deviation`: residual, in the unit.
    - `lack_of_fit`: p that replicates scatter as much as the model misses; None without replicates.
    """

    response: str
    unit: str
    terms: Terms
    runs: int
    effects: tuple[Effect, ...]
    explained: float
    predicted: float
    deviation: float
    lack_of_fit: float | None
    fitted: Floats
    measured: Floats

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "response": self.response, "unit": self.unit, "terms": self.terms, "runs": self.runs, "R2": self.explained,
            "R2_predicted": self.predicted, "deviation": self.deviation, "lack_of_fit_p": self.lack_of_fit,
            "effects": [vars(item) for item in self.effects],
        }  # fmt: skip


def analyse(study: Experiment, rows: Sequence[SheetRow], response: str, terms: Terms = "quadratic") -> Analysis:
    """The linear model of `response` by ordinary least squares; blocks are columns of their own.

    Raises `InputError` for too few runs, and for terms that the runs cannot tell apart, which it names.
    """
    from scipy import stats

    known = [item.name for item in study.responses]
    if response not in known:
        raise InputError(f"there is no response {response!r}", remedy=f"Use one of: {', '.join(known)}.")
    done = [row for row in rows if math.isfinite(row.readings[response])]
    points = np.array([study.point(row.values) for row in done]).reshape(len(done), len(study.factors))
    y = np.array([row.readings[response] for row in done])
    matrix, titles = _with_blocks(study, points, done, terms)
    n, p = matrix.shape
    if not n:
        raise InputError(
            f"no run has a reading of {response}",
            remedy="Fill its column of the sheet in; empty cells are runs to come.",
        )
    if np.ptp(y) <= 1e-12 * np.abs(y).max():
        raise InputError(f"{response} is {y[0]:g} in all {n} runs: no effect can be told",
                         remedy="Check the readings, or make runs where it differs.")  # fmt: skip
    if n < p + 1:
        raise InputError(f"{n} runs with {response} cannot tell {p} terms",
                         remedy="Make more runs, or ask for fewer: --terms linear.")  # fmt: skip
    _check_apart(matrix, titles)
    inverse = np.linalg.inv(matrix.T @ matrix)
    values = inverse @ (matrix.T @ y)
    residual = y - matrix @ values
    leverage = np.einsum("ij,jk,ik->i", matrix, inverse, matrix)
    total = float(((y - y.mean()) ** 2).sum())
    variance = float(residual @ residual) / (n - p)
    errors = np.sqrt(variance * np.diag(inverse))
    reach = float(stats.t.ppf(0.975, n - p))
    effects = []
    for title, value, error in zip(titles, values.tolist(), errors.tolist(), strict=True):
        chance = 2 * float(stats.t.sf(abs(value) / error, n - p)) if error > 0 else 0.0
        effects.append(Effect(title, value, value - reach * error, value + reach * error, chance))
    pressed = float(((residual / np.maximum(1 - leverage, 1e-9)) ** 2).sum())
    unit = next(item.unit for item in study.responses if item.name == response)
    return Analysis(
        response, unit, terms, n, tuple(effects), 1 - float(residual @ residual) / total if total else 1.0,
        1 - pressed / total if total else 1.0, math.sqrt(variance), _lack(points, y, residual, p), y - residual, y,
    )  # fmt: skip


def _with_blocks(
    study: Experiment, points: Floats, rows: Sequence[SheetRow], terms: Terms
) -> tuple[Floats, tuple[str, ...]]:
    matrix, titles = model_matrix(study, points, terms) if len(points) else (np.zeros((0, 1)), ("1",))
    blocks = sorted({row.block for row in rows})
    for block in blocks[1:]:
        column = np.array([float(row.block == block) for row in rows])
        matrix = np.column_stack([matrix, column - column.mean()])
        titles = (*titles, f"block {block}")
    return matrix, titles


def _check_apart(matrix: Floats, titles: Sequence[str]) -> None:
    """Refuse terms that are sums of others in these runs."""
    kept: list[int] = []
    mixed: list[str] = []
    for at, title in enumerate(titles):
        column = rest = matrix[:, at]
        parts: Floats = np.zeros(0)
        if kept:
            parts = np.asarray(np.linalg.lstsq(matrix[:, kept], column, rcond=None)[0], dtype=float)
            rest = column - matrix[:, kept] @ parts
        varied = float(np.linalg.norm(column - column.mean())) if kept else float(np.linalg.norm(column))
        if np.linalg.norm(rest) <= max(SAME * varied, 1e-8 * float(np.linalg.norm(column))):
            sizes = np.abs(parts) * np.linalg.norm(matrix[:, kept], axis=0)
            names = [titles[kept[place]] for place in np.flatnonzero(sizes > 2 * SAME * np.linalg.norm(column))]
            others = [name for name in names if name != "1"]
            mixed.append(f"{title} from {' and '.join(others)}" if others else f"{title} from what is the same in all")
        else:
            kept.append(at)
    if mixed:
        raise InputError(
            f"the runs cannot tell {', '.join(mixed)}: factors changed together, or not at all",
            remedy="Ask for fewer terms, or add runs: seedtrain experiments design --kind d-optimal.",
        )


def _lack(points: Floats, y: Floats, residual: Floats, terms: int) -> float | None:
    """The F test of lack of fit against replicates."""
    from scipy import stats

    _places, which, counts = np.unique(points.round(9), axis=0, return_inverse=True, return_counts=True)
    which = which.ravel()
    repeats = len(y) - len(counts)
    left = len(counts) - terms
    if repeats < 1 or left < 1:
        return None
    means = np.bincount(which, y) / counts
    pure = float(((y - means[which]) ** 2).sum())
    lack = max(float(residual @ residual) - pure, 0.0)
    if pure <= 0:
        return None
    return float(stats.f.sf((lack / left) / (pure / repeats), left, repeats))
