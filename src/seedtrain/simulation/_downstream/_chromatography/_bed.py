"""A packed bed, what flows into it, and what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from seedtrain.base import InputError
from seedtrain.simulation._run import Floats


@dataclass(frozen=True)
class Bed:
    """A packed column and the way of a molecule into its beads.

    - `length`: m. `porosity`: liquid between the beads per bed volume. `dispersivity`: m, axial dispersion over the
      interstitial velocity.
    - `bead_radius`: m. `bead_porosity`: liquid in the pores per bead volume.
    - `film`: film transfer coefficient by component, m/s.
    - `pore_diffusion`: m2/s by component, in the pores. Empty for the lumped model: nothing varies inside a bead
      (transport-dispersive, with all resistance in `film`).
    - `surface_diffusion`: m2/s by component, of what is bound; empty for none.

    **Source** Kucera 1965, J. Chromatogr. 19:237-248, for the general rate model; Danckwerts 1953, Chem. Eng. Sci.
    2:1-13, for the boundaries.
    """

    length: float
    porosity: float
    dispersivity: float
    bead_radius: float
    bead_porosity: float
    film: tuple[float, ...]
    pore_diffusion: tuple[float, ...] = ()
    surface_diffusion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("length", "bead_radius"):
            _above(f"Bed: {name}", getattr(self, name))
        for name in ("porosity", "bead_porosity"):
            value = getattr(self, name)
            if not 0 < value < 1:
                raise InputError(f"Bed: {name} {value!r} is not between 0 and 1", remedy="Give a volume fraction.")
        if not (math.isfinite(self.dispersivity) and self.dispersivity >= 0):
            raise InputError(f"Bed: dispersivity {self.dispersivity!r} is below 0", remedy="Give 0 m or more.")
        for value in self.film:
            _above("Bed: film", value)
        for name in ("pore_diffusion", "surface_diffusion"):
            values = getattr(self, name)
            if values and len(values) != len(self.film):
                raise InputError(
                    f"Bed: {name} has {len(values)} values, film {len(self.film)}",
                    remedy="Give one value for each component.",
                )
            if any(not (math.isfinite(value) and value >= 0) for value in values):
                raise InputError(f"Bed: {name} {values!r} holds a value below 0", remedy="Give 0 m2/s or more.")
        if self.surface_diffusion and not self.pore_diffusion:
            raise InputError(
                "Bed: surface_diffusion without pore_diffusion",
                remedy="Give pore_diffusion too; the lumped model has no diffusion inside the beads.",
            )

    @property
    def lumped(self) -> bool:
        """Whether nothing varies inside a bead."""
        return not self.pore_diffusion

    @property
    def beads_per_liquid(self) -> float:
        """Bead volume per volume of the liquid between them."""
        return (1.0 - self.porosity) / self.porosity


@dataclass(frozen=True)
class Inlet:
    """One section of the inlet: load, wash, gradient, strip.

    - `duration`: s. `velocity`: interstitial, m/s.
    - `start`: concentration by component as the section begins, mol/m3; `slope`: its change, mol/(m3 s), empty for
      none; `curve`: coefficients of t^2 and t^3 by component, empty for none.
    """

    duration: float
    velocity: float
    start: tuple[float, ...]
    slope: tuple[float, ...] = ()
    curve: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        _above("Inlet: duration", self.duration)
        _above("Inlet: velocity", self.velocity)
        for name in ("slope", "curve"):
            values = getattr(self, name)
            if values and len(values) != len(self.start):
                raise InputError(
                    f"Inlet: {name} has {len(values)} values, start {len(self.start)}",
                    remedy="Give one value for each component.",
                )
        if not np.isfinite(self.coefficients()).all():
            raise InputError("Inlet: a concentration is no finite number", remedy="Correct it.")
        lowest = min(float(self.at(moment).min()) for moment in np.linspace(0.0, self.duration, 9))
        if lowest < -1e-9 * max(1.0, float(np.abs(self.coefficients()).max())):
            raise InputError(
                f"Inlet: a concentration falls to {lowest:g} mol/m3 within the section",
                remedy="Shorten the section or change its slope.",
            )

    def coefficients(self) -> Floats:
        """Polynomials by component, constant term first, shape (component, 4)."""
        found = np.zeros((len(self.start), 4))
        found[:, 0] = self.start
        if self.slope:
            found[:, 1] = self.slope
        if self.curve:
            found[:, 2:] = self.curve
        return found

    def at(self, time: float) -> Floats:
        """Concentrations `time` s into the section, mol/m3."""
        return np.asarray(self.coefficients() @ np.array([1.0, time, time**2, time**3]), dtype=np.float64)

    def integral(self) -> Floats:
        """Concentration times time over the section, mol s/m3, by component."""
        t = self.duration
        return np.asarray(self.coefficients() @ np.array([t, t**2 / 2, t**3 / 3, t**4 / 4]), dtype=np.float64)


@dataclass(frozen=True)
class Grid:
    """How finely a bed is resolved: elements along it and inside a bead, and the degree of their polynomials.

    Where a front is sharper than the elements, polynomials overshoot it and dip below zero. `degree` 0 does not: it is
    the upwind scheme of first order, which smears a front instead and wants many more elements.
    The default leaves 0.1 % of the peak in the published load-wash-elute example (docs/validation.md).
    """

    elements: int = 4
    degree: int = 3
    bead_elements: int = 1
    bead_degree: int = 3

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            lowest = 0 if item.name == "degree" else 1
            if not lowest <= value <= 2048:
                words = f"Grid: {item.name} {value!r} is not from {lowest} to 2048"
                raise InputError(words, remedy=f"Give a count from {lowest} up.")


@dataclass(frozen=True)
class State:
    """All that is in a bed at a moment, to go on from.

    - `values`: as the kernel holds them; `guess`: start values of its equilibria, shape (place, depth).
    """

    values: Floats
    guess: Floats


@dataclass(frozen=True)
class Chromatogram:
    """What left a bed.

    - `times`: s, shape "time"; `outlet`: mol/m3, shape (time, component).
    - `left`: mol per m3 of bed that had left by then, shape (time, component).
    - `loaded`, `held_before`, `held`: mol per m3 of bed that came in, that was in the bed (liquid, pores and bound) at
      the start, and at the end, by component.
    - `state`: of the bed at the end, None where another engine ran. `steps`, `rejected`: of the integration.
    - `engine`: who solved it, with its version.
    """

    times: Floats
    outlet: Floats
    left: Floats
    loaded: Floats
    held_before: Floats
    held: Floats
    state: State | None
    steps: int
    rejected: int
    engine: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def closure(self) -> Floats:
        """What is not accounted for, by component, relative to all that was ever in the bed; 0 for none."""
        total = self.held_before + self.loaded
        missing = total - self.held - self.left[-1]
        return np.asarray(missing / np.where(total > 0, total, 1.0), dtype=np.float64)

    @property
    def undershoot(self) -> Floats:
        """How far the outlet falls below zero, by component, over its highest; above 1 % the grid wants refining."""
        highest = np.maximum(self.outlet.max(axis=0), 1e-300)
        return np.asarray(np.maximum(-self.outlet.min(axis=0), 0.0) / highest, dtype=np.float64)

    def collected(self, start: float, end: float) -> Floats:
        """mol per m3 of bed that left between `start` and `end` (s), by component."""
        columns = self.left.T
        return np.array([np.interp(end, self.times, c) - np.interp(start, self.times, c) for c in columns])


def _above(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} {value!r} is not above 0", remedy="Give a value above 0.")
