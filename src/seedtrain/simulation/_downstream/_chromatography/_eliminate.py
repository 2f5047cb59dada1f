"""The linear systems of a Rosenbrock step: bead by bead, then a band matrix of the size of the liquid.

Neither is pivoted: what would need it shows as a tiny pivot, and a shorter step brings the matrix towards the identity.
Imported only where it runs: numba takes a while.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from seedtrain.simulation._run import Floats


class Transport(NamedTuple):
    """A bed on its grid during one section of the inlet; n_c components, n_z places, n_r depths.

    - `kind`, `eps`, `par`: isotherm, bead porosity, parameters.
    - `axial` (n_c, n_z, n_z), `entry` (n_z), `speed`: transport along the column, 1/s; it reaches `below` and `above`
      the diagonal.
    - `in_beads`, `on_surface` (n_c, n_r, n_r): acting on the pores' liquid and on w, 1/s; they reach `reach`.
    - `into`, `out_of` (n_c): film, 1/s, seen from the bead's last point and from the liquid around.
    """

    kind: int
    eps: float
    par: Floats
    axial: Floats
    below: int
    above: int
    entry: Floats
    speed: float
    in_beads: Floats
    on_surface: Floats
    reach: int
    into: Floats
    out_of: Floats


class Local(NamedTuple):
    """What is known inside the beads at a state of m values a point.

    - `guess` (n_z, n_r): unknowns of the equilibria. `liquid` (n_z, n_r, n_c); `slopes` (n_z, n_r, n_c, m): of the
      liquid by the state; `source_slopes` (n_z, n_r, m - n_c, m): of the rates of binding.
    """

    guess: Floats
    liquid: Floats
    slopes: Floats
    source_slopes: Floats


class Factors(NamedTuple):
    """Triangles of a bead's block (n_z, n_r m, n_r m) and of the liquid's band (n_z n_c, n_z n_c)."""

    beads: Floats
    bulk: Floats


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def factorise(a: Floats, below: int, above: int) -> bool:
    """LU of a band matrix in place, unit lower triangle; False where a pivot is too small."""
    n = a.shape[0]
    for k in range(n):
        pivot = a[k, k]
        if not abs(pivot) > 1e-30:
            return False
        end = min(n, k + above + 1)
        for i in range(k + 1, min(n, k + below + 1)):
            if a[i, k] != 0.0:
                factor = a[i, k] / pivot
                a[i, k] = factor
                for j in range(k + 1, end):
                    a[i, j] -= factor * a[k, j]
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def forward(a: Floats, below: int, b: Floats, first: int) -> None:
    """Solve the lower triangle from row `first` on."""
    for i in range(first, a.shape[0]):
        total = b[i]
        for j in range(max(first, i - below), i):
            total -= a[i, j] * b[j]
        b[i] = total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def backward(a: Floats, above: int, b: Floats, first: int) -> None:
    """Solve the upper triangle down to row `first`."""
    n = a.shape[0]
    for i in range(n - 1, first - 1, -1):
        total = b[i]
        for j in range(i + 1, min(n, i + above + 1)):
            total -= a[i, j] * b[j]
        b[i] = total / a[i, i]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _bead_block(shift: float, bed: Transport, slopes: Floats, source_slopes: Floats, block: Floats) -> None:
    """`shift` I - J of one bead; `slopes` and `source_slopes` are its own."""
    nr, nc, m = slopes.shape
    bound = m - nc
    block[:, :] = 0.0
    for p in range(nr):
        for o in range(max(0, p - bed.reach), min(nr, p + bed.reach + 1)):
            for i in range(nc):
                coefficient = bed.in_beads[i, p, o]
                if p == nr - 1 and o == p:
                    coefficient -= bed.into[i]
                for t in range(m):
                    block[p * m + i, o * m + t] = -coefficient * slopes[o, i, t]
                block[p * m + i, o * m + i] -= bed.on_surface[i, p, o]
            for i in range(bound):
                block[p * m + nc + i, o * m + nc + i] -= bed.on_surface[nc - bound + i, p, o]
        for i in range(bound):
            for t in range(m):
                block[p * m + nc + i, p * m + t] -= source_slopes[p, i, t]
        for t in range(m):
            block[p * m + t, p * m + t] += shift


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def prepare(shift: float, bed: Transport, local: Local, factors: Factors) -> bool:
    """LU of `shift` I - J: a block for each bead, then the liquid with what the beads send back."""
    nz, nr, nc, m = local.slopes.shape
    band = min(nr * m, (bed.reach + 1) * m)
    surface = (nr - 1) * m
    column = np.zeros(nr * m)
    bulk = factors.bulk
    bulk[:, :] = 0.0
    for k in range(nz):
        for j in range(max(0, k - bed.below), min(nz, k + bed.above + 1)):
            for i in range(nc):
                bulk[k * nc + i, j * nc + i] = -bed.axial[i, k, j]
        block = factors.beads[k]
        _bead_block(shift, bed, local.slopes[k], local.source_slopes[k], block)
        if not factorise(block, band, band):
            return False
        # The liquid outside moves the last point of the bead only: its column is found from the last block alone.
        for i in range(nc):
            bulk[k * nc + i, k * nc + i] += shift + bed.out_of[i]
            for t in range(m):
                column[surface + t] = 0.0
            column[surface + i] = bed.into[i]
            forward(block, band, column, surface)
            backward(block, band, column, surface)
            for o in range(nc):
                total = 0.0
                for t in range(m):
                    total += local.slopes[k, nr - 1, o, t] * column[surface + t]
                bulk[k * nc + o, k * nc + i] -= bed.out_of[o] * total
    return factorise(bulk, (bed.below + 1) * nc, (bed.above + 1) * nc)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def solve(shift: float, bed: Transport, slopes: Floats, factors: Factors, b: Floats) -> None:
    """Solve (shift I - J) x = b in place; `slopes` are those that `prepare` saw."""
    nz, nr, nc, m = slopes.shape
    size = nr * m
    band = min(size, (bed.reach + 1) * m)
    start, surface = nz * nc, (nr - 1) * m
    top = nz - nz  # numba compiles another copy of what is called with a literal 0
    last = np.zeros(m)
    for k in range(nz):
        block, part = factors.beads[k], b[start + k * size : start + (k + 1) * size]
        forward(block, band, part, top)
        for t in range(m - 1, -1, -1):
            total = part[surface + t]
            for o in range(t + 1, m):
                total -= block[surface + t, surface + o] * last[o]
            last[t] = total / block[surface + t, surface + t]
        for i in range(nc):
            total = 0.0
            for t in range(m):
                total += slopes[k, nr - 1, i, t] * last[t]
            b[k * nc + i] += bed.out_of[i] * total
    liquid = b[:start]
    forward(factors.bulk, (bed.below + 1) * nc, liquid, top)
    backward(factors.bulk, (bed.above + 1) * nc, liquid, top)
    for k in range(nz):
        block, part = factors.beads[k], b[start + k * size : start + (k + 1) * size]
        # `part` is already behind the lower triangle, so what the liquid adds must pass it too.
        for t in range(m):
            last[t] = bed.into[t] * b[k * nc + t] if t < nc else 0.0
            for o in range(t):
                last[t] -= block[surface + t, surface + o] * last[o]
        for t in range(m):
            part[surface + t] += last[t]
        backward(block, band, part, top)
    end = start + nz * size
    for i in range(nc):
        b[end + i] = (b[end + i] + bed.speed * b[(nz - 1) * nc + i]) / shift
