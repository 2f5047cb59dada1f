"""Restricted maximum likelihood of a linear model in which runs differ: variances between and within runs.

Readings of run r: w = A x + Z b + e; b normal, different for each run, Z columns of A; e normal with deviations known
up to a factor per group. **Sources** Harville 1977 (doi:10.1080/01621459.1977.10480998), Laird & Ware
1982 (doi:10.2307/2529876); degrees of freedom after Satterthwaite 1946 (doi:10.2307/3002019).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.development._estimation._inputs import Floats

STEP: Final = 1e-4
"""Relative, of the differences of exact slopes that give the variances' information."""
FLAT: Final = 1e-3
"""Least curvature, of that of a variance alone, that counts along any direction of all."""
BEGIN: Final = (0.3, 3.0)
"""Variances, over what one run tells of them, that a search begins from."""
NONE: Final = 1e-8
"""A variance between runs below this part of what it is measured by counts as none."""


@dataclass(frozen=True, eq=False)
class Crossed:
    """Runs as cross-products of their readings, each over its standard deviation.

    - `products`: [A w]'[A w], shape "group run column column", K columns of A and one of w. - `counts`: readings, shape
      "group run". - `free`: whether the deviation of a group is estimated; the others' are known.
    - `prior`, `prior_at`: precision of what is known of x before, and precision times where. - `moving`: the columns
      that differ between runs. - `top`: no variance between runs is more than this.
    """

    products: Floats
    counts: Floats
    free: tuple[bool, ...]
    prior: Floats
    prior_at: Floats
    moving: tuple[int, ...]
    top: Floats

    @property
    def unit(self) -> Floats:
        """Variance of each moving column in the mean run: what variances between runs are measured by."""
        whole = self.products.sum(axis=0).mean(axis=0)
        return np.asarray(np.minimum(1.0 / np.maximum(np.diag(whole)[list(self.moving)], 1e-300), self.top))


@dataclass(frozen=True, eq=False)
class State:
    """The model at some variances: `value`, minus twice the restricted log likelihood up to a constant, and its `slope`
    by them; `x` with its `covariance`, and `covariance_by`, shape "variance column", the slopes of its diagonal.

    - `precision`: inverse of the covariance. - `pull`: Z'V^-1[A w], shape "run moving column".
    """

    value: float
    slope: Floats
    x: Floats
    covariance: Floats
    covariance_by: Floats
    precision: Floats
    pull: Floats

    def own(self, x: Floats, variances: Floats) -> Floats:
        """The best guess of b where the typical run is at `x`, shape "run moving"."""
        return np.asarray(variances * (self.pull @ np.append(-x, 1.0)))


@dataclass(frozen=True, eq=False)
class Restricted:
    """The best variances.

    - `variances`: between runs, by `moving`; `factors`: logarithm of what the deviations of each group are multiplied
      by. - `gain`: twice the gain in restricted log likelihood over no variation between runs.
    - `freedom`: degrees of freedom of every column of A, infinite where no variance was estimated.
    - `factor_deviation`: standard deviation of each factor.
    """

    variances: Floats
    factors: Floats
    gain: float
    state: State
    freedom: Floats
    factor_deviation: Floats


def state(runs: Crossed, variances: Floats, factors: Floats) -> State:
    """The model at given variances and factors."""
    moving, K = list(runs.moving), runs.products.shape[2] - 1
    weights = np.exp(-2.0 * factors)
    T = np.einsum("g,grij->rij", weights, runs.products)
    inside, middle = _middle(T, runs.moving, variances)
    across = T[:, moving]  # Z'S^-1[A w]
    U = T - np.einsum("rmi,rmn,rnj->rij", across, middle, across)
    total = U.sum(axis=0)
    H, h = total[:K, :K] + runs.prior, total[:K, K] + runs.prior_at
    C = np.linalg.inv(H)
    x = C @ h
    c = np.append(-x, 1.0)
    logs = np.linalg.slogdet(inside)[1].sum() + 2.0 * float(factors @ runs.counts.sum(axis=1))
    squares = c @ total @ c + x @ runs.prior @ x - 2.0 * x @ runs.prior_at
    value = float(logs + np.linalg.slogdet(H)[1] + squares)
    E = across - np.einsum("rmn,rnk,rkj->rmj", T[:, moving][:, :, moving], middle, across)  # Z'V^-1[A w]
    slope, by = _slopes(runs, weights, middle, across, E, C, c)
    return State(value, slope, x, C, by, H, E)


def _middle(T: Floats, moving: Sequence[int], variances: Floats) -> tuple[Floats, Floats]:
    """B = 1 + L Z'S^-1 Z L and L B^-1 L of each run, with L the deviations between runs."""
    root, places = np.sqrt(variances), list(moving)
    inside = np.eye(len(places)) + root[:, None] * T[..., places, :][..., places] * root
    return inside, root[:, None] * np.linalg.inv(inside) * root


def of_typical(information: Floats, moving: Sequence[int], variances: Floats) -> Floats:
    """What a run tells of the typical run, from what it tells of its own values; shape "... column column".

    Inverse of (variances + inverse of `information`), of any rank: what a run alone cannot tell needs no inverse.
    """
    _inside, middle = _middle(information, moving, variances)
    across = information[..., list(moving), :]
    return np.asarray(information - np.swapaxes(across, -1, -2) @ middle @ across)


def of_innovation(information: Floats, moving: Sequence[int], variances: Floats, slope: Floats) -> Floats:
    """The slope by the typical run of one further reading of a run, less what the run's other readings tell of it, over
    the standard deviation of that; `information`: of the run on its own values, `slope`: over the reading's own."""
    _inside, middle = _middle(information, moving, variances)
    own = middle @ slope[list(moving)]
    return np.asarray((slope - own @ information[list(moving)]) / math.sqrt(1.0 + float(slope[list(moving)] @ own)))


def _slopes(
    runs: Crossed, weights: Floats, middle: Floats, across: Floats, E: Floats, C: Floats, c: Floats
) -> tuple[Floats, Floats]:
    """Slopes of `State.value`, and of the diagonal of the covariance, by the variances, then the factors."""
    moving, K = list(runs.moving), len(C)
    spread = E[:, :, :K] @ C  # shape "run moving column"
    first = np.einsum("rmm->m", E[:, :, moving]) - np.einsum("rmi,rmi->m", spread, E[:, :, :K])
    first = first - ((E @ c) ** 2).sum(axis=0)
    first_by = (spread**2).sum(axis=0)
    size = K + 1
    W = np.tile(np.eye(size), (len(E), 1, 1))
    W[:, moving] -= middle @ across
    second, second_by = [], []
    for group, free in enumerate(runs.free):
        if not free:
            continue
        dT = -2.0 * weights[group] * runs.products[group]
        dU = (np.swapaxes(W, 1, 2) @ dT @ W).sum(axis=0)
        part = 2.0 * runs.counts[group].sum() + np.einsum("rmn,rnm->", middle, dT[:, moving][:, :, moving])
        second.append(part + np.einsum("ij,ji->", C, dU[:K, :K]) + c @ dU @ c)
        second_by.append(-np.einsum("ik,kl,li->i", C, dU[:K, :K], C))
    by = np.concatenate([first_by, np.array(second_by).reshape(len(second), K)])
    return np.concatenate([first, np.array(second)]), by


def restricted(runs: Crossed, held: Sequence[float | None] = (), begin: Floats | None = None) -> Restricted:
    """The variances of highest restricted likelihood.

    - `held`: of each moving column a variance that is given, None where it is estimated. - `begin`: variances near the
      best; the gain is then not told.
    """
    given = tuple(held) or (None,) * len(runs.moving)
    none = np.array([0.0 if item is None else item for item in given])
    if begin is not None:
        return _told(runs, _best(runs, begin, given), 0.0, given)
    without = _best(runs, none, tuple(none.tolist()))
    if all(item is not None for item in given):
        return _told(runs, without, 0.0, given)
    found = without
    for factor in BEGIN:
        start = none + np.where([item is None for item in given], factor * runs.unit, 0.0)
        other = _best(runs, start, given)
        found = other if other[2].value < found[2].value - 1e-9 else found
    return _told(runs, found, without[2].value - found[2].value, given)


def as_estimated(runs: Crossed, variances: Floats, held: Sequence[float | None] = ()) -> Restricted:
    """The same at variances that were estimated before, from these runs; the gain is not told."""
    factors = np.zeros(len(runs.free))
    given = tuple(held) or (None,) * len(runs.moving)
    return _told(runs, (variances, factors, state(runs, variances, factors)), 0.0, given)


def _best(runs: Crossed, start: Floats, given: tuple[float | None, ...]) -> tuple[Floats, Floats, State]:
    from scipy.optimize import minimize

    unit, free = runs.unit, np.array(runs.free)
    sought = [at for at, item in enumerate(given) if item is None]
    chosen = [*sought, *range(len(given), len(given) + int(free.sum()))]

    def parts(z: Floats) -> tuple[Floats, Floats]:
        variances, factors = start.copy(), np.zeros(len(free))
        variances[sought] = z[: len(sought)] * unit[sought]
        factors[free] = z[len(sought) :]
        return variances, factors

    def value(z: Floats) -> tuple[float, Floats]:
        found = state(runs, *parts(z))
        scale = np.concatenate([unit[sought], np.ones(len(z) - len(sought))])
        return found.value, found.slope[chosen] * scale

    first = np.concatenate([start[sought] / unit[sought], np.zeros(int(free.sum()))])
    if len(first):
        bounds = [(0.0, float(top)) for top in (runs.top / unit)[sought]] + [(-7.0, 7.0)] * int(free.sum())
        first = minimize(value, first, jac=True, method="L-BFGS-B", bounds=bounds,
                         options={"maxiter": 200, "ftol": 1e-12, "gtol": 1e-6}).x  # fmt: skip
    variances, factors = parts(np.asarray(first))
    variances = np.where(variances < NONE * unit, 0.0, variances)
    return variances, factors, state(runs, variances, factors)


def further(runs: Crossed, found: Restricted, more: Crossed, held: Sequence[float | None] = ()) -> Restricted:
    """What is expected of `found` once the runs of `more` are made besides, and their readings are as the model says.

    Variances stay as they are: what further runs tell of them shows in the degrees of freedom.
    """
    given = tuple(held) or (None,) * len(runs.moving)
    variances, factors = found.variances, found.factors
    products = np.concatenate([runs.products, more.products], axis=1)
    both = dataclasses.replace(runs, products=products, counts=np.concatenate([runs.counts, more.counts], axis=1))
    chosen, groups = _estimated(runs, variances, given)
    told = _information(runs, variances, factors, chosen, groups)
    places = [*chosen[: len(chosen) - len(groups)], *(len(given) + at for at in groups)]
    told = told + expected_information(more, variances, factors)[np.ix_(places, places)]
    return _told(both, (variances, factors, state(both, variances, factors)), 0.0, given, told)


def expected_information(runs: Crossed, variances: Floats, factors: Floats) -> Floats:
    """What runs are expected to tell of the variances, then the logarithms of all groups' factors.

    Half the trace of V^-1 V_i V^-1 V_j (Harville 1977, section 5): of any readings, so that it can be told before them.
    """
    moving, count = list(runs.moving), len(variances)
    T = np.exp(-2.0 * factors)[:, None, None, None] * runs.products[:, :, moving][:, :, :, moving]
    whole = T.sum(axis=0)
    middle = _middle(whole, range(count), variances)[1]
    left = np.eye(count) - middle @ whole
    inside = whole @ left  # Z'V^-1 Z
    size = count + len(T)
    found = np.zeros((size, size))
    found[:count, :count] = 0.5 * (inside**2).sum(axis=0)
    found[:count, count:] = np.einsum("rmi,grmn,rni->ig", left, T, left)
    found[count:, :count] = found[:count, count:].T
    bent = middle @ T
    found[count:, count:] = 2.0 * np.einsum("grmn,hrnm->gh", bent, bent)
    alone = runs.counts - 2.0 * np.einsum("grmm->gr", bent)
    found[range(count, size), range(count, size)] += 2.0 * alone.sum(axis=1)
    return found


def _estimated(runs: Crossed, variances: Floats, given: Sequence[float | None]) -> tuple[list[int], list[int]]:
    """Places on the slope of what was estimated and is not none; the groups whose factors are."""
    estimated = [at for at, item in enumerate(given) if item is None and variances[at] > 0]
    groups = [at for at, free in enumerate(runs.free) if free]
    return [*estimated, *range(len(given), len(given) + len(groups))], groups


def _told(
    runs: Crossed, found: tuple[Floats, Floats, State], gain: float, given: tuple[float | None, ...],
    information: Floats | None = None,
) -> Restricted:  # fmt: skip
    """Degrees of freedom, from the information on the variances that were estimated and are not none."""
    variances, factors, here = found
    chosen, groups = _estimated(runs, variances, given)
    K = len(here.x)
    if not chosen:
        return Restricted(variances, factors, gain, here, np.full(K, np.inf), np.zeros(len(factors)))
    told = _information(runs, variances, factors, chosen, groups) if information is None else information
    spread = _inverse(told)
    by = here.covariance_by[chosen]
    uncertain = np.einsum("vi,vw,wi->i", by, spread, by)
    with np.errstate(divide="ignore"):
        freedom = np.maximum(2.0 * np.diag(here.covariance) ** 2 / uncertain, 1.0)
    freedom = np.minimum(freedom, _at_most(runs, variances, factors, here))
    deviation = np.zeros(len(factors))
    deviation[groups] = np.sqrt(np.diag(spread)[len(chosen) - len(groups) :])
    return Restricted(variances, factors, gain, here, freedom, deviation)


def _at_most(runs: Crossed, variances: Floats, factors: Floats, here: State) -> Floats:
    """Degrees of freedom where each variance between runs has one less than runs, and the rest those of the readings.

    Runs count as far as they tell that variance: (sum of information)^2 over the sum of squares. A few runs bend their
    likelihood more than they tell of a variance.
    """
    K, moving = len(here.x), list(runs.moving)
    alike = np.diag(state(runs, np.zeros_like(variances), factors).covariance)
    whole = np.diag(here.covariance)
    share = np.clip(1.0 - alike / whole, 0.0, 1.0)
    told = np.einsum("rmm->rm", here.pull[:, :, moving]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.maximum(told.sum(axis=0) ** 2 / (told**2).sum(axis=0) - 1.0, 1.0)
        parts = variances[:, None] * ((here.pull[:, :, :K] @ here.covariance) ** 2).sum(axis=0)
        parts = parts / np.maximum(parts.sum(axis=0), 1e-300) * share
    within = max(float(runs.counts[list(runs.free)].sum()) - K, 1.0) if any(runs.free) else np.inf
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / ((parts**2 / made[:, None]).sum(axis=0) + (1.0 - share) ** 2 / within))


def _information(
    runs: Crossed, variances: Floats, factors: Floats, chosen: list[int], groups: list[int]
) -> Floats:  # fmt: skip
    """Information on the variances and factors at `chosen` places of the slope, by differences of exact slopes."""
    information = np.zeros((len(chosen), len(chosen)))
    for row, at in enumerate(chosen):
        ends = []
        step = STEP * variances[at] if at < len(variances) else STEP
        for sign in (1.0, -1.0):
            moved, other = variances.copy(), factors.copy()
            if at < len(variances):
                moved[at] += sign * step
            else:
                other[groups[at - len(variances)]] += sign * step
            ends.append(state(runs, moved, other).slope[chosen])
        information[row] = 0.5 * (ends[0] - ends[1]) / (2 * step)  # of the log likelihood: half of minus twice it
    return 0.5 * (information + information.T)


def _inverse(information: Floats) -> Floats:
    """The covariance of the variances and factors, where they are told at all."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    values, vectors = np.linalg.eigh(information * np.outer(scale, scale))
    return np.asarray((vectors / np.maximum(values, FLAT)) @ vectors.T * np.outer(scale, scale))


def variance_ends(runs: Crossed, found: Restricted, at: int, drop: float) -> tuple[float, float | None]:
    """Between what one variance may lie before minus twice the restricted log likelihood rises by `drop`.

    The other variances stay. The lower end is 0 where the data allow none; the upper None where they allow `runs.top`.
    """

    def rise(variance: float) -> float:
        moved = found.variances.copy()
        moved[at] = variance
        return state(runs, moved, found.factors).value - found.state.value - drop

    best, top = float(found.variances[at]), float(runs.top[at])
    low = 0.0 if rise(0.0) <= 0 else _crossing(rise, best, best * 1e-8)
    return low, None if rise(top) <= 0 else _crossing(rise, max(best, float(runs.unit[at]) * 1e-6), top)


def _crossing(rise: Callable[[float], float], inside: float, outside: float) -> float:
    """Where `rise` changes its sign, halving the logarithm."""
    for _ in range(40):
        middle = math.sqrt(inside * outside)
        inside, outside = (middle, outside) if rise(middle) <= 0 else (inside, middle)
    return math.sqrt(inside * outside)
