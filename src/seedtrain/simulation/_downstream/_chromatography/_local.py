"""What a point inside a bead holds: from the amounts per bead volume to the liquid's concentrations, with derivatives.

The state of a point is w_i = eps c_i + (1 - eps) q_i for every component, followed by q of the bound states where
binding has a rate of its own. Every equilibrium here reduces to one monotone equation in one unknown, so that neither a
start value nor a negative trace of a component can lead it astray. Imported only where it runs: numba takes a while.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from seedtrain.simulation._downstream._chromatography._isotherm import LANGMUIR, LINEAR
from seedtrain.simulation._run import Floats

_TRIALS: Final = 60
_SMALL: Final = 1e-10
"""mol/m3 below which free sites and salt count as this much, so that powers of them exist."""


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def equilibrium(
    kind: int, eps: float, par: Floats, w: Floats, start: float, c: Floats, by: Floats, derive: bool
) -> float:
    """Liquid `c` at equilibrium with all that `w` holds, and dc/dw in `by`; returns the unknown of its equation."""
    if kind == LINEAR:
        return _linear(eps, par, w, c, by)
    if kind == LANGMUIR:
        return _langmuir(eps, par, w, c, by)
    return _steric(eps, par, w, start, c, by, derive)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _linear(eps: float, par: Floats, w: Floats, c: Floats, by: Floats) -> float:
    """q_i = H_i c_i."""
    n = len(c)
    for i in range(n):
        slope = 1.0 / (eps + (1.0 - eps) * par[i, 0])
        c[i] = w[i] * slope
        for j in range(n):
            by[i, j] = 0.0
        by[i, i] = slope
    return 0.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _langmuir(eps: float, par: Floats, w: Floats, c: Floats, by: Floats) -> float:
    """q_i = q_max_i b_i c_i / theta, theta = 1 + sum b_j c_j: theta - 1 is a concave function of theta.

    From above the root Newton's iterations fall to it without crossing.
    """
    n = len(c)
    solid = 1.0 - eps
    theta = 1.0
    for i in range(n):
        theta += par[i, 1] * max(w[i], 0.0) / eps
    slope = 1.0
    for _ in range(_TRIALS):
        value, slope = theta - 1.0, 1.0
        for i in range(n):
            held = solid * par[i, 0] * par[i, 1]
            down = eps * theta + held
            value -= par[i, 1] * w[i] * theta / down
            slope -= par[i, 1] * w[i] * held / (down * down)
        step = value / slope
        theta = max(theta - step, 1e-3)
        if abs(step) <= 1e-14 * theta:
            break
    for i in range(n):
        held = solid * par[i, 0] * par[i, 1]
        down = eps * theta + held
        c[i] = w[i] * theta / down
        with_theta = w[i] * held / (down * down)
        for j in range(n):
            # theta moves by b_j theta / down_j / slope with w_j
            other = eps * theta + solid * par[j, 0] * par[j, 1]
            by[i, j] = with_theta * par[j, 1] * theta / other / slope
        by[i, i] += theta / down
    return theta


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _steric(eps: float, par: Floats, w: Floats, start: float, c: Floats, by: Floats, derive: bool) -> float:
    """Steric mass action (Brooks & Cramer 1992): q_i = K_i r^nu_i c_i with r = free sites over salt, r = exp(x).

    par[0, 0] is the capacity; rows from 1: nu, sigma, K. With rising x proteins bind, free sites fall and salt rises,
    so `gap` = free - r salt has one root.
    """
    n = len(c)
    solid = 1.0 - eps
    x, down = start, -1.0
    low, high = -200.0, 200.0
    for _ in range(_TRIALS):
        free, salt_sites = par[0, 0], par[0, 0]
        free_x, sites_x = 0.0, 0.0
        for i in range(1, n):
            bound = par[i, 2] * math.exp(par[i, 0] * x)
            q = w[i] * bound / (eps + solid * bound)
            q_x = par[i, 0] * q * eps / (eps + solid * bound)
            free -= (par[i, 0] + par[i, 1]) * q
            salt_sites -= par[i, 0] * q
            free_x -= (par[i, 0] + par[i, 1]) * q_x
            sites_x -= par[i, 0] * q_x
        r = math.exp(x)
        salt = (w[0] - solid * salt_sites) / eps
        gap = free - r * salt
        down = free_x - r * salt + r * solid / eps * sites_x
        if gap > 0.0:
            low = x
        else:
            high = x
        step = -gap / down if down < 0.0 else math.copysign(1.0, gap)
        if abs(step) < 1e-9:
            x += step
            break
        step = min(1.0, max(-1.0, step))
        if not (low < x + step < high):
            step = 0.5 * (low + high) - x if high - low < 300.0 else math.copysign(1.0, gap)
        x += step
    r = math.exp(x)
    salt_sites = par[0, 0]
    for i in range(1, n):
        bound = par[i, 2] * math.exp(par[i, 0] * x)
        share = 1.0 / (eps + solid * bound)
        c[i] = w[i] * share
        salt_sites -= par[i, 0] * bound * c[i]
    c[0] = (w[0] - solid * salt_sites) / eps
    if derive:
        _steric_slopes(eps, par, x, down, c, by)
    return x


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _steric_slopes(eps: float, par: Floats, x: float, down: float, c: Floats, by: Floats) -> None:
    """dc/dw at the root `x`, where `gap` falls with `down`."""
    n = len(c)
    solid, r = 1.0 - eps, math.exp(x)
    # x moves with w_j by x_j = -gap_j / down; c_i = w_i / (eps + solid K exp(nu x)).
    for j in range(n):
        if j == 0:
            gap_j = -r / eps
        else:
            bound = par[j, 2] * math.exp(par[j, 0] * x)
            q_w = bound / (eps + solid * bound)
            gap_j = -(par[j, 0] + par[j, 1]) * q_w - r * solid / eps * par[j, 0] * q_w
        x_j = -gap_j / down
        salt_j = 1.0 / eps if j == 0 else 0.0
        for i in range(1, n):
            bound = par[i, 2] * math.exp(par[i, 0] * x)
            share = 1.0 / (eps + solid * bound)
            q_x = par[i, 0] * bound * c[i] * eps * share
            by[i, j] = -solid * par[i, 0] * bound * c[i] * share * x_j
            salt_j += solid / eps * par[i, 0] * q_x * x_j
            if i == j:
                by[i, j] += share
                salt_j += solid / eps * par[i, 0] * bound * share
        by[0, j] = salt_j


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def kinetic(
    kind: int, eps: float, par: Floats, y: Floats, c: Floats, by: Floats, rate: Floats, rate_by: Floats
) -> None:
    """Liquid `c` and rates of binding `rate` (dq/dt) where q is a state of its own, with derivatives by the state.

    Columns of `par` after those of the equilibrium: k_a and k_d. With steric mass action the salt has no q of its own.
    """
    n, m = len(c), len(y)
    solid = 1.0 - eps
    bound = m - n
    for i in range(n):
        for j in range(m):
            by[i, j] = 0.0
        by[i, i] = 1.0 / eps
    for i in range(bound):
        for j in range(m):
            rate_by[i, j] = 0.0
    first = n - bound
    for i in range(first, n):
        q = y[n + i - first]
        c[i] = (y[i] - solid * q) / eps
        by[i, n + i - first] = -solid / eps
    if kind == LINEAR:
        for i in range(n):
            rate[i] = par[i, 1] * c[i] - par[i, 2] * y[n + i]
            rate_by[i, i] = par[i, 1] / eps
            rate_by[i, n + i] = -par[i, 1] * solid / eps - par[i, 2]
    elif kind == LANGMUIR:
        free = 1.0
        for i in range(n):
            if par[i, 0] > 0.0:
                free -= y[n + i] / par[i, 0]
        for i in range(n):
            on = par[i, 2] * par[i, 0]
            rate[i] = on * c[i] * free - par[i, 3] * y[n + i]
            rate_by[i, i] = on * free / eps
            for j in range(n):
                if par[j, 0] > 0.0:
                    rate_by[i, n + j] -= on * c[i] / par[j, 0]
            rate_by[i, n + i] -= on * free * solid / eps + par[i, 3]
    else:
        _steric_rates(eps, par, y, c, by, rate, rate_by)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _steric_rates(eps: float, par: Floats, y: Floats, c: Floats, by: Floats, rate: Floats, rate_by: Floats) -> None:
    """dq_i/dt = k_a c_i free^nu_i - k_d q_i salt^nu_i."""
    n = len(c)
    solid = 1.0 - eps
    sites, free = par[0, 0], par[0, 0]
    for i in range(1, n):
        sites -= par[i, 0] * y[n + i - 1]
        free -= (par[i, 0] + par[i, 1]) * y[n + i - 1]
    c[0] = (y[0] - solid * sites) / eps
    salt = max(c[0], _SMALL)
    free = max(free, _SMALL)
    for i in range(1, n):
        by[0, n + i - 1] = solid / eps * par[i, 0]
    for i in range(1, n):
        nu = par[i, 0]
        on, off = par[i, 3] * free**nu, par[i, 4] * salt**nu
        q = y[n + i - 1]
        rate[i - 1] = on * c[i] - off * q
        rate_by[i - 1, i] = on / eps
        rate_by[i - 1, 0] = -nu * off * q / salt / eps
        for j in range(1, n):
            change = -on * c[i] * nu / free * (par[j, 0] + par[j, 1])
            rate_by[i - 1, n + j - 1] += change - nu * off * q / salt * solid / eps * par[j, 0]
        rate_by[i - 1, n + i - 1] -= on * solid / eps + off
