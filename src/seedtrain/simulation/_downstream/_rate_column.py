"""A column of a recipe as a bed for the rate model, from the levers of its load."""

from __future__ import annotations

from typing import Final

import numpy as np

from seedtrain.simulation._downstream._chromatography import Bed, StericMassAction
from seedtrain.simulation._downstream._operation import Settings, TrainParameter, assumed
from seedtrain.simulation._downstream._rate import RateColumn, ions
from seedtrain.simulation._run import Floats

INTERSTITIAL: Final = 0.37
"""L of liquid between beads per L of packed bed; assumed."""
BEAD_POROSITY: Final = (0.8 - INTERSTITIAL) / (1.0 - INTERSTITIAL)
"""L of liquid in a bead per L of it, so that a bed holds 0.8 L of liquid per L; assumed for agarose."""
SALT_DIFFUSION: Final = 1.5e-9
"""m2/s of sodium chloride in water at 25 degC; assumed."""

RATE_LEVERS: Final = (
    assumed("bead_diameter", 90.0, 50.0, 120.0, "um", "assumed: a process resin"),
    assumed("diffusion", 5e-11, 3e-11, 8e-11, "m2/s", "assumed: the product in water, a random coil of 45 kDa"),
    assumed("hindrance", 0.2, 0.08, 0.5, "", "assumed: diffusion in the pores over that in water"),
    assumed("ionic_capacity", 0.2, 0.12, 0.3, "mol/L", "assumed: charged groups per packed volume"),
    assumed("charge", 8.0, 5.0, 12.0, "", "assumed: characteristic charge of the product"),
    assumed("elution_salt", 26.0, 20.0, 30.0, "g/L", "assumed: salts at which a trace of it is held as one bed volume"),
    assumed("dispersivity", 3e-4, 1e-4, 1e-3, "m", "assumed: axial dispersion over velocity, a few bead diameters"),
)


def begin(settings: Settings, bed_height: float, velocity: float, salts: float, capacity: float) -> RateColumn:
    """An equilibrated column, from the levers of the load.

    - `bed_height` m, `velocity` cm/h, `salts` g/L, `capacity`: product on a full bed without salt, g/L.

    Shielding follows from the capacity, the equilibrium constant from `elution_salt`; the film from Wilson & Geankoplis
    1966, Sh = 1.09/eps Pe^(1/3). In the lumped model the film holds the resistance of the pores too: 1/k = 1/k_f +
    r/(5 eps_p D_p) (Glueckauf's linear driving force).
    """
    radius = settings.lever("bead_diameter") * 0.5e-6
    speed = velocity / 100.0 / 3600.0
    water = np.array([SALT_DIFFUSION, settings.lever("diffusion")])
    film = 1.09 / INTERSTITIAL * np.cbrt(speed * 2.0 * radius / water) * water / (2.0 * radius)
    pores = water * np.array([1.0, min(1.0, settings.lever("hindrance"))])
    lumped = settings.word("model") == "lumped_rate"
    if lumped:
        film = 1.0 / (1.0 / film + radius / (5.0 * BEAD_POROSITY * pores))
    bed = Bed(
        bed_height,
        INTERSTITIAL,
        settings.lever("dispersivity"),
        radius,
        BEAD_POROSITY,
        _pair(film),
        () if lumped else _pair(pores),
    )
    solid = (1.0 - INTERSTITIAL) * (1.0 - BEAD_POROSITY)
    sites = settings.lever("ionic_capacity") * 1000.0 / solid
    charge = settings.lever("charge")
    full = capacity / settings.molar_mass / solid
    held_as_one = (1.0 / solid) * (ions(settings.lever("elution_salt")) / sites) ** charge
    isotherm = StericMassAction(sites, (charge,), (max(0.0, sites / full - charge),), (held_as_one,))
    return RateColumn(bed, isotherm, None, salts, 0.0, settings.molar_mass)


def _pair(values: Floats) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def rate_levers(base: tuple[TrainParameter, ...]) -> tuple[TrainParameter, ...]:
    """The levers of a load by a rate model: those of the lumped one that still act, and its own."""
    idle = {"front_width", "salt_half"}
    return (*(lever for lever in base if lever.name not in idle), *RATE_LEVERS)
