"""Beds whose chromatogram is known another way, and the Laplace solution of the linear general rate model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seedtrain.simulation._downstream._chromatography import Bed, Inlet, Linear

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

BED = Bed(0.05, 0.4, 5e-4, 4e-5, 0.6, (1e-5, 2e-5), (1e-10, 5e-11))
SPEED = 5e-4
PULSE = (Inlet(60.0, SPEED, (1.0, 2.0)), Inlet(1440.0, SPEED, (0.0, 0.0)))


def transfer(bed: Bed, henry: float, component: int, speed: float, s: Complexes) -> Complexes:
    """Outlet over inlet in the Laplace domain, closed-closed column, linear isotherm at equilibrium (Kucera 1965)."""
    radius, eps = bed.bead_radius, bed.bead_porosity
    film, pore = bed.film[component], eps * bed.pore_diffusion[component]
    root = np.sqrt((eps + (1.0 - eps) * henry) * s / pore)
    slope = root / np.tanh(root * radius) - 1.0 / radius
    taken = film * pore * slope / (film + pore * slope)
    phi = s + bed.beads_per_liquid * 3.0 / radius * taken
    dispersion = bed.dispersivity * speed
    peclet = speed * bed.length / dispersion
    a = np.sqrt(1.0 + 4.0 * phi * dispersion / speed**2)
    return np.asarray(
        4.0 * a * np.exp(0.5 * peclet * (1.0 - a)) / ((1.0 + a) ** 2 - (1.0 - a) ** 2 * np.exp(-a * peclet))
    )


def step_response(bed: Bed, henry: float, component: int, speed: float, time: float, terms: int = 40) -> float:
    """Outlet `time` s after the inlet rose from 0 to 1, by the fixed Talbot contour (Abate & Valko 2004)."""
    if time <= 0:
        return 0.0
    rate = 2.0 * terms / 5.0 / time
    angle = np.arange(1, terms) * np.pi / terms
    cot = 1.0 / np.tan(angle)
    s = rate * angle * (cot + 1j)
    sigma = angle + (angle * cot - 1.0) * cot
    values = np.exp(time * s) * transfer(bed, henry, component, speed, s) / s * (1.0 + 1j * sigma)
    first = 0.5 * np.exp(rate * time) * transfer(bed, henry, component, speed, np.array([rate + 0j])) / rate
    return float(rate / terms * (first[0].real + values.real.sum()))


def pulse_response(isotherm: Linear, times: Floats) -> Floats:
    """The chromatogram of `PULSE` through `BED`, shape (time, component)."""
    load = PULSE[0]
    return np.array(
        [
            [
                start * (step_response(BED, h, i, SPEED, t) - step_response(BED, h, i, SPEED, t - load.duration))
                for i, (h, start) in enumerate(zip(isotherm.henry, load.start, strict=True))
            ]
            for t in times
        ]
    )
