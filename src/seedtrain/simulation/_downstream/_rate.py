"""The product on a column as a rate model sees it: salt and product, steric mass action.

Impurities go on by the shares of the lumped column; the rate model says how much of the product is caught, leaks and
elutes, and when.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final

import numpy as np

from seedtrain.simulation._downstream._chromatography import (
    Bed,
    Chromatogram,
    Grid,
    Inlet,
    State,
    StericMassAction,
    elute,
)
from seedtrain.simulation._run import Floats

SALT_MASS: Final = 58.44
"""g/mol; the salts of a buffer count as sodium chloride, assumed."""
LEAST_SALT: Final = 1.0
"""mol/m3; no buffer is without any counter-ion, assumed."""
GRID: Final = Grid(8, 3, 1, 3)
POINTS: Final = 121


@dataclass(frozen=True)
class RateColumn:
    """The bed, its isotherm, where it stands, and how much product the model counts, mol per m3 of bed."""

    bed: Bed
    isotherm: StericMassAction
    state: State | None
    salts: float
    held: float
    molar_mass: float

    def passed(
        self, volumes: float, velocity: float, salts: float, product: float = 0.0
    ) -> tuple[RateColumn, Chromatogram]:
        """After `volumes` column volumes at `velocity` (cm/h) with `salts` and `product` in g/L."""
        speed = velocity / 100.0 / 3600.0
        inlet = Inlet(
            volumes * self.bed.length / speed,
            speed / self.bed.porosity,
            (ions(salts), product / self.molar_mass),
        )
        found = elute(
            self.bed,
            self.isotherm,
            (inlet,),
            initial=(ions(self.salts), 0.0),
            start=self.state,
            times=POINTS,
            grid=GRID,
            rtol=1e-3,
        )
        return dataclasses.replace(self, state=found.state, held=float(found.held[1])), found

    def trajectory(self, found: Chromatogram, volumes: float, cycles: int) -> dict[str, list[float]]:
        """The chromatogram of one cycle: time in h, product and salts at the outlet in g/L."""
        hours = found.times / 3600.0
        return {
            "time": (hours * cycles).tolist(),
            "column_volumes": (volumes * found.times / found.times[-1]).tolist(),
            "product": (np.maximum(found.outlet[:, 1], 0.0) * self.molar_mass).tolist(),
            "salts": (found.outlet[:, 0] * SALT_MASS / 1000.0).tolist(),
        }


def pooled(found: Chromatogram, fraction: float) -> tuple[float, float]:
    """Product in the richest window, `fraction` of the eluate wide, mol per m3 of bed; where it begins, 0 to 1."""
    left: Floats = found.left[:, 1]
    whole = found.times / found.times[-1]
    starts = np.linspace(0.0, max(0.0, 1.0 - fraction), 41)
    inside = np.interp(np.minimum(starts + fraction, 1.0), whole, left) - np.interp(starts, whole, left)
    best = int(inside.argmax())
    return max(0.0, float(inside[best])), float(starts[best])


def ions(salts: float) -> float:
    """mol/m3 of counter-ion in `salts` g/L."""
    return max(salts / SALT_MASS * 1000.0, LEAST_SALT)
