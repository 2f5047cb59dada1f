"""Runs as rows of many numbers: do the tested ones lie where the reference's lie, and what tells the groups apart?

Every run becomes one row: its features, its profiles on a common time grid, and tables of further features (omics,
images). The reference's principal components say whether a tested run is like its runs (T2: far within the plane; SPE:
off the plane); cross-validated OPLS says whether the groups can be told apart at all, against shuffled group names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import translate as _
from seedtrain.comparison._latent import Components, components, opls
from seedtrain.comparison._reason import Reason
from seedtrain.quality import VerdictWord

Floats = NDArray[np.float64]
FEWEST: Final = 6
"""Runs of the reference below which a model of them says nothing."""
EXPLAINED: Final = 0.9
SHUFFLES: Final = 199


@dataclass(frozen=True)
class Multivariate:
    """What a model of the reference's runs says of the tested ones.

    - `t2`, `spe`: of the tested runs by name; `limits`: of both, for all tested runs together at `level`.
    - `q2`: cross-validated part of the group that OPLS tells; `p`: of the shuffled groups as good as it.
    - `telling`: columns that tell the groups apart, by the size of their weight; `left_out`: columns some run lacks.
    """

    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    reference: tuple[str, ...]
    tested: tuple[str, ...]
    count: int
    explained: float
    t2: Floats
    spe: Floats
    limits: tuple[float, float]
    scores: Floats
    q2: float
    p: float
    telling: tuple[tuple[str, float], ...]
    level: float
    why: str = ""

    @property
    def outside(self) -> tuple[str, ...]:
        """Tested runs beyond a limit; none where there is no model."""
        if self.why:
            return ()
        return tuple(
            name
            for name, t2, spe in zip(self.tested, self.t2, self.spe, strict=True)
            if t2 > self.limits[0] or spe > self.limits[1]
        )

    @property
    def verdict(self) -> VerdictWord:
        """Pass: every tested run lies within the limits. Inconclusive where the reference has too few runs."""
        if self.why:
            return "inconclusive"
        return "fail" if self.outside else "pass"

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        if self.why:
            return {"verdict": self.verdict, "why": self.why}
        judged = zip(self.tested, self.t2.tolist(), self.spe.tolist(), strict=True)
        return {
            "verdict": self.verdict, "components": self.count, "explained": self.explained, "level": self.level,
            "limits": {"T2": self.limits[0], "SPE": self.limits[1]}, "columns": list(self.columns),
            "left_out": list(self.left_out), "outside": list(self.outside),
            "runs": {name: {"T2": t2, "SPE": spe} for name, t2, spe in judged},
            "opls": {"q2": self.q2, "p": self.p, "telling": [list(item) for item in self.telling]},
        }  # fmt: skip


def multivariate(
    rows: Mapping[str, Mapping[str, float]],
    reference: Sequence[str],
    tested: Sequence[str],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Multivariate:
    """The tested runs against a model of the reference's; `rows`: numbers by column by run.

    A column that some run lacks, or that does not vary among the reference's runs (in which unit would its difference
    count?), is left out and named. The limits are for both measures of all tested runs together
    (Šidák): one chance excess in many is no finding. Components are taken until they explain 90 %, at most as many as a
    third of the runs.
    """
    names = list(dict.fromkeys(key for name in (*reference, *tested) for key in rows[name]))
    whole = [key for key in names if _usable(rows, key, reference, tested)]
    left_out = tuple(key for key in names if key not in whole)
    one, other = (np.array([[rows[name][key] for key in whole] for name in group]) for group in (reference, tested))
    why = Reason(lambda: _too_little(len(reference), len(tested), len(whole)))
    if why:
        none = np.zeros(0)
        return Multivariate(
            tuple(whole), left_out, tuple(reference), tuple(tested), 0, 0.0, none, none, (np.inf, np.inf),
            np.zeros((0, 2)), np.nan, np.nan, (), level, why,
        )  # fmt: skip
    model = _model(one)
    t2, spe = model.judged(other)
    joint = level ** (1 / (2 * len(tested)))
    q2, p, telling = _told_apart(one, other, whole, seed)
    scores = model.scaling(np.vstack([one, other])) @ model.loadings
    return Multivariate(
        tuple(whole), left_out, tuple(reference), tuple(tested), len(model.variances), float(model.explained.sum()),
        t2, spe, model.limits(joint), scores, q2, p, telling, level,
    )  # fmt: skip


def _usable(rows: Mapping[str, Mapping[str, float]], key: str, reference: Sequence[str], tested: Sequence[str]) -> bool:
    values = [rows[name].get(key, np.nan) for name in (*reference, *tested)]
    own = values[: len(reference)]
    return bool(np.isfinite(values).all() and np.ptp(own) > 1e-12 * np.abs(own).max())


def _too_little(reference: int, tested: int, columns: int) -> str:
    if reference < FEWEST:
        words = _("{count} runs of the reference; a model of them needs {fewest}")
        return words.format(count=reference, fewest=FEWEST)
    if not tested:
        return _("there is no run to judge")
    return "" if columns >= 2 else _("fewer than two columns that every run has vary among the reference's runs")


def _model(x: Floats) -> Components:
    most = max(1, min(len(x) // 3, x.shape[1] - 1))
    whole = components(x, most)
    enough = int(np.searchsorted(np.cumsum(whole.explained), EXPLAINED)) + 1
    return whole if enough >= most else components(x, enough)


def _told_apart(
    one: Floats, other: Floats, columns: Sequence[str], seed: int
) -> tuple[float, float, tuple[tuple[str, float], ...]]:
    """Q2 of the group, its p among shuffled groups, and the columns that tell."""
    x = np.vstack([one, other])
    y = np.concatenate([-np.ones(len(one)), np.ones(len(other))])
    if len(other) < 2:
        return float("nan"), float("nan"), ()
    found = _q2(x, y)
    drawn = np.random.default_rng(seed)
    better = sum(_q2(x, drawn.permutation(y)) >= found for _shuffle in range(SHUFFLES))
    weights = opls(x, y, 1).weights
    order = np.argsort(-np.abs(weights))[:8]
    return found, (1 + better) / (1 + SHUFFLES), tuple((columns[at], float(weights[at])) for at in order)


def _q2(x: Floats, y: Floats) -> float:
    """Part of the variance of `y` that OPLS predicts of rows left out; folds take rows of both groups in turn."""
    folds = np.empty(len(y), int)
    for group in (y > 0, y <= 0):
        folds[group] = np.arange(group.sum()) % min(7, max(2, int(group.sum())))
    missed = 0.0
    for fold in np.unique(folds):
        out = folds == fold
        missed += float(((y[out] - opls(x[~out], y[~out], 1).predicted(x[out])) ** 2).sum())
    return 1 - missed / float(((y - y.mean()) ** 2).sum())
