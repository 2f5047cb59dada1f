"""Latent variables of a table: principal components, and projection to latent structures towards an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PERMUTATIONS: Final = 20
SURE: Final = 0.95
CONVERGED: Final = 1e-12


@dataclass(frozen=True)
class Latent:
    """`z = scores @ loadings.T + residual` of a table `z`, shape "row column", centred and scaled.

    - `loadings`: "column component". `scores`: "row component". `variance`: of each component's scores.
    - `noise`: variance that is left in a cell. `outcome`: weights that turn scores into the scaled outcome, or None.
    """

    loadings: Floats
    scores: Floats
    variance: Floats
    noise: float
    outcome: Floats | None = None

    @property
    def count(self) -> int:
        """How many components."""
        return int(self.loadings.shape[1])

    def path(self, z: Floats) -> tuple[Floats, Floats]:
        """The scores of rows as they become known, and what turns products with the loadings into them.

        - `z`: "row time tag", not a number where nothing is known. Scores: "row time component"; the other: "row time
          component component".

        The conditional mean of the scores given what is known so far: least squares, held by how far scores usually
        go, so that it stands on firm ground at a batch's beginning too.

        **Source** Nelson, Taylor & MacGregor 1996, Chemom. Intell. Lab. Syst. 35:45 (conditional mean replacement).
        """
        loadings = self.loadings.reshape(*z.shape[1:], self.count)
        known = np.isfinite(z)
        products = np.cumsum(np.einsum("twk,rtw->rtk", loadings, np.where(known, z, 0.0), optimize=True), axis=1)
        squares = np.einsum("rtw,twk,twj->rtkj", known.astype(float), loadings, loadings, optimize=True)
        held = np.cumsum(squares, axis=1) + self.noise * np.diag(1.0 / self.variance)
        return np.asarray(np.linalg.solve(held, products[..., None])[..., 0], dtype=float), held


def pca(z: Floats, count: int) -> Latent:
    """The first `count` principal components of a centred and scaled table.

    **Source** Nomikos & MacGregor 1994, AIChE J. 40:1361 (of a batch-wise unfolded table).
    """
    left, sizes, right = np.linalg.svd(z, full_matrices=False)
    scores = left[:, :count] * sizes[:count]
    return _latent(z, right[:count].T, scores, None)


def pls(z: Floats, outcome: Floats, count: int) -> Latent:
    """`count` components that explain the table and the outcome (centred, scaled; shape "row") together: NIPALS.

    **Source** Nomikos & MacGregor 1995, Chemom. Intell. Lab. Syst. 30:97; Wold, Sjostrom & Eriksson 2001, ibid. 58:109.
    """
    _weights, loadings, scores, gains = nipals(z, outcome, count)
    return _latent(z, loadings, scores, gains)


def nipals(z: Floats, outcome: Floats, count: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights and loadings ("column component"), scores ("row component") and the outcome's gain of each component.

    Fewer than `count` come back where nothing of the table goes with what is left of the outcome.

    **Source** Wold, Sjostrom & Eriksson 2001, Chemom. Intell. Lab. Syst. 58:109.
    """
    left, y = z.copy(), outcome.astype(float).copy()
    found: list[tuple[Floats, Floats, Floats]] = []
    gains: list[float] = []
    for _ in range(count):
        weight = left.T @ y
        size = float(np.linalg.norm(weight))
        if size <= CONVERGED * max(1.0, float(np.linalg.norm(left)) * float(np.linalg.norm(y))):
            break
        weight = weight / size
        score = left @ weight
        length = float(score @ score)
        loading = left.T @ score / length
        gain = float(y @ score) / length
        left = left - np.outer(score, loading)
        y = y - gain * score
        found.append((weight, loading, score))
        gains.append(gain)
    rows, columns = z.shape
    shapes = (columns, columns, rows)
    stacked = [np.array([item[at] for item in found]).reshape(len(found), shapes[at]).T for at in range(3)]
    return stacked[0], stacked[1], stacked[2], np.array(gains)


def _latent(z: Floats, loadings: Floats, scores: Floats, outcome: Floats | None) -> Latent:
    rows, columns = z.shape
    count = loadings.shape[1]
    residual = z - scores @ loadings.T
    # Every component takes a degree of freedom of each row and of each column.
    free = max((rows - 1 - count) * (columns - count), 1)
    return Latent(loadings, scores, scores.var(axis=0, ddof=1), float((residual**2).sum() / free), outcome)


def components_of(z: Floats, *, seed: int = 0, most: int = 10) -> int:
    """How many components are more than chance: parallel analysis against the same table with shuffled columns.

    **Source** Horn 1965, Psychometrika 30:179; with permutations: Buja & Eyuboglu 1992.
    """
    rng = np.random.default_rng(seed)
    sizes = np.linalg.svd(z, compute_uv=False) ** 2
    shuffled = np.array([np.linalg.svd(rng.permuted(z, axis=0), compute_uv=False) ** 2 for _ in range(PERMUTATIONS)])
    limits = np.quantile(shuffled, SURE, axis=0)
    above = np.flatnonzero(sizes <= limits)
    count = int(above[0]) if len(above) else len(sizes)
    return int(min(max(count, 1), most, z.shape[0] - 2))
