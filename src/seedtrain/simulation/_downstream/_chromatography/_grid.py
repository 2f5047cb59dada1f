"""Grids of a packed bed: discontinuous Galerkin along the column, spectral elements inside the beads.

Along the column each element carries a polynomial on Gauss-Lobatto points, with the mass matrix integrated exactly,
upwind convection and local discontinuous Galerkin dispersion (Cockburn & Shu 1998, SIAM J. Numer. Anal. 35:2440-2463):
the gradient takes the value from upstream, the flux the gradient from downstream, so that only neighbours couple.

A concentration inside a bead is even in the radius r, hence smooth in s = (r/R)^2. Elements are laid in s, where a
polynomial of degree p is one of degree 2p in r; the points carry the weights of the shells, and the bead's surface is
one of them (Villadsen & Stewart 1967, Chem. Eng. Sci. 22:1483-1501, for one element).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seedtrain.simulation._run import Floats


@dataclass(frozen=True)
class Axial:
    """A column of unit length: dc/dt = (u/L) (`convection` c + `inlet` c_in) + (D/L^2) `dispersion` c.

    - `points`: positions of the n points, 0 to 1; `weights`: their shares of the column, which add up to 1.
    - `convection`, `dispersion`: n by n; `inlet`: n. `below`, `above`: how far either reaches off the diagonal.
    """

    points: Floats
    weights: Floats
    convection: Floats
    dispersion: Floats
    inlet: Floats
    below: int
    above: int


@dataclass(frozen=True)
class Radial:
    """A bead of unit radius: dc/dt = (D/R^2) `diffusion` c, closed at its surface, which is the last point.

    - `points`: r/R of the n points; `weights`: their shares of the bead's volume, which add up to 1.
    - `diffusion`: n by n; `reach`: how far it reaches off the diagonal.
    """

    points: Floats
    weights: Floats
    diffusion: Floats
    reach: int


def lobatto(degree: int) -> tuple[Floats, Floats]:
    """Gauss-Lobatto points of [-1, 1] and their weights, `degree` + 1 of them; the middle for degree 0."""
    if degree == 0:
        return np.zeros(1), np.full(1, 2.0)
    base = np.polynomial.legendre.Legendre.basis(degree)
    inner = np.real(base.deriv().roots())
    points = np.concatenate(([-1.0], np.sort(inner), [1.0]))
    return points, 2.0 / (degree * (degree + 1) * base(points) ** 2)


def interpolation(points: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Values and slopes at `at` of the Lagrange polynomials on `points`; rows are places, columns polynomials."""
    powers = np.polynomial.legendre.legvander(points, len(points) - 1)
    values = np.polynomial.legendre.legvander(at, len(points) - 1)
    slopes = np.stack(
        [np.polynomial.legendre.Legendre.basis(k).deriv()(at) if k else np.zeros_like(at) for k in range(len(points))],
        axis=-1,
    )
    at_places, along = np.linalg.solve(powers.T, values.T).T, np.linalg.solve(powers.T, slopes.T).T
    return np.asarray(at_places, dtype=np.float64), np.asarray(along, dtype=np.float64)


def axial_grid(elements: int, degree: int) -> Axial:
    """`elements` of equal length with polynomials of `degree`; degree 0 is the upwind scheme of first order."""
    points, weights = lobatto(degree)
    gauss, share = np.polynomial.legendre.leggauss(degree + 1)
    values, slopes = interpolation(points, gauss)
    half = 0.5 / elements
    mass_inverse = np.linalg.inv(half * values.T @ (share[:, None] * values))
    stiff = slopes.T @ (share[:, None] * values)  # stiff[i, j]: integral of l_i' l_j
    size, n = degree + 1, elements * (degree + 1)
    first, last = np.zeros(size), np.zeros(size)
    first[0] = last[-1] = 1.0
    upwind, gradient, flux = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    inlet = np.zeros(n)
    for k in range(elements):
        here = slice(k * size, (k + 1) * size)
        left = k * size - 1  # last point of the element upstream
        right = (k + 1) * size  # first point of the element downstream
        upwind[here, here] += mass_inverse @ (stiff - np.outer(last, last))
        gradient[here, here] += mass_inverse @ (-stiff + np.outer(last, last))
        flux[here, here] += mass_inverse @ -stiff
        if k == 0:
            inlet[here] = mass_inverse @ first
            # Danckwerts: the inlet's flux is all convection of the inlet, so nothing is known of the value there.
            gradient[here, 0] -= mass_inverse @ first
        else:
            upwind[here, left] += mass_inverse @ first
            gradient[here, left] -= mass_inverse @ first
            flux[here, k * size] -= mass_inverse @ first
        if k < elements - 1:
            flux[here, right] += mass_inverse @ last
    dispersion = flux @ gradient
    filled = np.argwhere(np.abs(upwind) + np.abs(dispersion) > 1e-12 * np.abs(dispersion).max())
    apart = filled[:, 1] - filled[:, 0]
    places = (np.arange(elements)[:, None] + 0.5 * (points + 1.0)).ravel() / elements
    return Axial(
        places, np.tile(weights * half, elements), upwind, dispersion, inlet, int(-apart.min()), int(apart.max())
    )


def radial_grid(elements: int, degree: int) -> Radial:
    """`elements` of equal width in r with polynomials of `degree` in s = r^2; degree 0 in one element is one point,
    a bead without diffusion."""
    if degree == 0:
        return Radial(np.ones(1), np.ones(1), np.zeros((1, 1)), 0)
    edges = np.linspace(0.0, 1.0, elements + 1) ** 2
    n = elements * degree + 1
    places, mass, stiff = np.zeros(n), np.zeros(n), np.zeros((n, n))
    for k in range(elements):
        low, high = edges[k], edges[k + 1]
        points = lobatto(degree)[0]
        here = slice(k * degree, (k + 1) * degree + 1)
        places[here] = low + 0.5 * (points + 1.0) * (high - low)
        # Quadrature in r, where the weight r^2 and every polynomial in r^2 are smooth.
        gauss, share = np.polynomial.legendre.leggauss(2 * degree + 3)
        start, end = np.sqrt(low), np.sqrt(high)
        r = start + 0.5 * (gauss + 1.0) * (end - start)
        width = 0.5 * (end - start) * share
        values, slopes = interpolation(points, 2.0 * (r**2 - low) / (high - low) - 1.0)
        by_r = slopes * (4.0 * r / (high - low))[:, None]
        mass[here] += 3.0 * values.T @ (width * r**2)
        stiff[here, here] += 3.0 * by_r.T @ ((width * r**2)[:, None] * by_r)
    if elements == 1:
        return _radau(degree)
    return Radial(np.sqrt(places), mass, -stiff / mass[:, None], degree)


def _radau(degree: int) -> Radial:
    """One element on the Gauss-Radau points of the weight sqrt(s), the surface included: exact to degree 2 `degree`."""
    from scipy.special import roots_jacobi

    inner = roots_jacobi(degree, 1.0, 0.5)[0]  # orthogonal with weight (1 - x) (1 + x)^(1/2)
    points = np.append(np.sort(inner), 1.0)
    gauss, share = np.polynomial.legendre.leggauss(2 * degree + 3)
    r = 0.5 * (gauss + 1.0)
    values, slopes = interpolation(points, 2.0 * r**2 - 1.0)
    by_r = slopes * (4.0 * r)[:, None]
    mass = 3.0 * values.T @ (0.5 * share * r**2)
    stiff = 3.0 * by_r.T @ ((0.5 * share * r**2)[:, None] * by_r)
    return Radial(np.sqrt(0.5 * (points + 1.0)), mass, -stiff / mass[:, None], degree)
