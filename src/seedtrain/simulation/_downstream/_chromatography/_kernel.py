"""The general rate model as stiff differential equations, integrated by a Rosenbrock method with its exact Jacobian.

State: concentrations between the beads at n_z places, then w (and q) at n_z times n_r points inside the beads, then the
amount that has left, by component. The transport is linear in the liquid's concentrations, so what leaves one place
arrives at another whatever the step: mass is kept to rounding. Imported only where it runs: numba takes a while.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from seedtrain.simulation._downstream._chromatography._eliminate import Factors, Local, Transport, prepare, solve
from seedtrain.simulation._downstream._chromatography._local import equilibrium, kinetic
from seedtrain.simulation._run import Floats

CALLED = {"_eliminate.py": "3e007bf5a257841b", "_local.py": "5a6c6f27722ed5f1"}
"""Digests of what this file calls. numba keeps machine code by this file alone, so a change there must show here."""


class Method(NamedTuple):
    """A stiffly accurate Rosenbrock method, and how it is driven.

    - `a`, `c`, `nodes`, `gammas`, `gamma`, `order`: its coefficients. `rtol`, `nothing` (n_c): tolerances.
    - `first_step`: s. `most_steps`: tried before it gives up.
    """

    a: Floats
    c: Floats
    nodes: Floats
    gammas: Floats
    gamma: float
    order: int
    rtol: float
    nothing: Floats
    first_step: float
    most_steps: int


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def rates(bed: Transport, feed: Floats, y: Floats, local: Local, derive: bool, f: Floats) -> None:
    """`f` = dy/dt with the inlet at `feed`; fills the liquid inside the beads and, where asked, its slopes.

    `derive` is asked for by an expression: numba compiles another copy of all this for a literal True and False.
    """
    nz, nr, nc, m = local.slopes.shape
    start = nz * nc
    for k in range(nz):
        for i in range(nc):
            total = bed.entry[k] * feed[i]
            for j in range(max(0, k - bed.below), min(nz, k + bed.above + 1)):
                total += bed.axial[i, k, j] * y[j * nc + i]
            f[k * nc + i] = total
        base = start + k * nr * m
        _in_bead(bed, y[base : base + nr * m], local, k, derive, f[base : base + nr * m])
        for i in range(nc):
            jump = y[k * nc + i] - local.liquid[k, nr - 1, i]
            f[base + (nr - 1) * m + i] += bed.into[i] * jump
            f[k * nc + i] -= bed.out_of[i] * jump
    for i in range(nc):
        f[start + nz * nr * m + i] = bed.speed * y[(nz - 1) * nc + i]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _in_bead(bed: Transport, y: Floats, local: Local, k: int, derive: bool, f: Floats) -> None:
    """Diffusion and binding in the bead at place `k`."""
    _, nr, nc, m = local.slopes.shape
    bound = m - nc
    rate = np.zeros(max(bound, 1))
    for p in range(nr):
        here = y[p * m : (p + 1) * m]
        if bound == 0:
            local.guess[k, p] = equilibrium(
                bed.kind, bed.eps, bed.par, here, local.guess[k, p], local.liquid[k, p], local.slopes[k, p], derive
            )
            continue
        kinetic(
            bed.kind, bed.eps, bed.par, here, local.liquid[k, p], local.slopes[k, p], rate, local.source_slopes[k, p]
        )
        for i in range(bound):
            total = rate[i]
            # What diffuses along the surface is bound: its share of w is its share of (1 - eps) q.
            for o in range(nr):
                total += bed.on_surface[i + nc - bound, p, o] * y[o * m + nc + i]
            f[p * m + nc + i] = total
    for p in range(nr):
        for i in range(nc):
            total = 0.0
            for o in range(nr):
                total += bed.in_beads[i, p, o] * local.liquid[k, o, i] + bed.on_surface[i, p, o] * y[o * m + i]
            f[p * m + i] = total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _stages(
    bed: Transport,
    method: Method,
    inlet: Floats,
    t: float,
    h: float,
    y: Floats,
    f: Floats,
    local: Local,
    slopes: Floats,
    factors: Factors,
    stage: Floats,
    at: Floats,
) -> None:
    """All stages of a step; leaves the new state in `at` and its error in the last row of `stage`."""
    nc, n = bed.axial.shape[0], len(y)
    feed, feed_rate, rest, field = np.zeros(nc), np.zeros(nc), np.zeros(nc), np.zeros(n)
    _polynomial(inlet, t, feed, feed_rate)
    for s in range(len(method.nodes)):
        u = stage[s]
        at[:] = y
        u[:] = 0.0
        for o in range(s):
            a, c, before = method.a[s, o], method.c[s, o] / h, stage[o]
            for i in range(n):
                at[i] += a * before[i]
                u[i] += c * before[i]
        if s == 0:
            field[:] = f
        else:
            _polynomial(inlet, t + method.nodes[s] * h, feed, rest)
            rates(bed, feed, at, local, s == 0, field)
        for i in range(n):
            u[i] += field[i]
        for k in range(bed.axial.shape[1]):
            for i in range(nc):
                u[k * nc + i] += h * method.gammas[s] * bed.entry[k] * feed_rate[i]
        solve(1.0 / (method.gamma * h), bed, slopes, factors, u)
    # Stiffly accurate: the new state is the last stage's argument and its increment, which is the error too.
    for i in range(n):
        at[i] += stage[len(method.nodes) - 1, i]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _error(method: Method, places: int, depths: int, m: int, y: Floats, after: Floats, off: Floats) -> float:
    """The largest weighted mean square of any component."""
    nc = len(method.nothing)
    sums = np.zeros(nc)
    for k in range(places * nc):
        i = k % nc
        sums[i] += (off[k] / (method.nothing[i] + method.rtol * max(abs(y[k]), abs(after[k])))) ** 2
    for point in range(places * depths):
        for j in range(m):
            k = places * nc + point * m + j
            i = j if j < nc else j - m + nc
            sums[i] += (off[k] / (method.nothing[i] + method.rtol * max(abs(y[k]), abs(after[k])))) ** 2
    error = 0.0
    for i in range(nc):
        found = math.sqrt(sums[i] / (places * (1 + depths)))
        if not found <= error:  # not-a-number counts as larger
            error = found
    return error


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def section(
    bed: Transport,
    method: Method,
    inlet: Floats,
    length: float,
    y: Floats,
    local: Local,
    factors: Factors,
    times: Floats,
    outlet: Floats,
    amount: Floats,
    counts: Floats,
) -> float:
    """Integrate one section of the inlet from 0 to `length` (s); `y` and the guesses of `local` are moved on.

    - `inlet` (n_c, 4): its concentrations as polynomials of the time in the section, mol/m3.
    - `times`: where the outlet is wanted, s in the section; `outlet`, `amount` (times, n_c) are filled.
    - `counts`: steps and rejected ones are added up; the time reached.

    **Returns** 0, or -1 (step too small), -2 (too many steps).
    """
    nz, nr, nc, m = local.slopes.shape
    n = len(y)
    stage = np.zeros((len(method.nodes), n))
    f, f_after, at, slopes = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((nz, nr, nc, m))
    feed, feed_rate = np.zeros(nc), np.zeros(nc)
    t, h, wanted, highest, stale = 0.0, min(method.first_step, length), 0, 6.0, True
    for _ in range(method.most_steps):
        counts[2] = t
        h = length - t if t + 1.01 * h >= length else h
        if h < 1e-13 * length:
            return -1.0
        if stale:
            _polynomial(inlet, t, feed, feed_rate)
            rates(bed, feed, y, local, stale, f)
            stale = False
        error = math.nan
        if prepare(1.0 / (method.gamma * h), bed, local, factors):
            slopes[:] = local.slopes
            _stages(bed, method, inlet, t, h, y, f, local, slopes, factors, stage, at)
            error = _error(method, nz, nr, m, y, at, stage[len(method.nodes) - 1])
        if not error <= 1.0:
            h *= max(0.1, 0.9 * error ** (-1.0 / method.order)) if math.isfinite(error) else 0.1
            counts[1] += 1.0
            highest, stale = 1.0, True
            continue
        after = length if h == length - t else t + h
        _polynomial(inlet, after, feed, feed_rate)
        rates(bed, feed, at, local, error <= 1.0, f_after)
        while wanted < len(times) and times[wanted] <= after:
            part = max(0.0, (times[wanted] - t) / h)
            _hermite(y, at, f, f_after, (nz - 1) * nc, part, h, outlet[wanted])
            _hermite(y, at, f, f_after, n - nc, part, h, amount[wanted])
            wanted += 1
        y[:] = at
        f[:] = f_after
        counts[0] += 1.0
        if after >= length:
            return 0.0
        t = after
        h *= min(highest, max(0.2, 0.9 * error ** (-1.0 / method.order))) if error > 0.0 else highest
        highest = 6.0
    return -2.0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _polynomial(inlet: Floats, t: float, value: Floats, rate: Floats) -> None:
    for i in range(inlet.shape[0]):
        value[i] = ((inlet[i, 3] * t + inlet[i, 2]) * t + inlet[i, 1]) * t + inlet[i, 0]
        rate[i] = (3.0 * inlet[i, 3] * t + 2.0 * inlet[i, 2]) * t + inlet[i, 1]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _hermite(
    y: Floats, after: Floats, f: Floats, f_after: Floats, first: int, part: float, h: float, into: Floats
) -> None:
    """Cubic between two steps, at `part` of the way."""
    rest = 1.0 - part
    for i in range(len(into)):
        k = first + i
        into[i] = (
            (1.0 + 2.0 * part) * rest * rest * y[k]
            + part * rest * rest * h * f[k]
            + part * part * (3.0 - 2.0 * part) * after[k]
            - part * part * rest * h * f_after[k]
        )
