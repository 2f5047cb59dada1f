"""Oxygen through the surface of shaken and rocked vessels: kLa from how they are moved, with range and source."""

from __future__ import annotations

import math
from typing import Final

from seedtrain.simulation._estimate import BROTH_DENSITY, BROTH_VISCOSITY, GRAVITY, SURFACE_TENSION, Estimate

FLASK_EXPONENT: Final = -0.83  # kLa of a flask grows with its filling to this power, see `flask_kLa`
WELL_EXPONENT: Final = -1.0  # a surface that keeps its size over a volume
BAG_EXPONENT: Final = -1.0  # likewise, assumed

WELL_FILM: Final = 0.2
"""kL in round wells, m/h, nearly the same at all shaking. Hermann, Lehmann & Buechs 2003, Biotechnol. Bioeng. 81:178,
abstract."""

# Bai, Moo-Young & Anderson 2019, Biotechnol. Bioeng., doi 10.1002/bit.27000, abstract: about 3.5 1/h up to 20 1/min,
# where the surface alone transfers; 65 1/h at 40 1/min and a large angle, 91 % of it by the breaking wave.
BAG_SLOW: Final = (20.0, 3.5)  # 1/min, 1/h
BAG_FAST: Final = (40.0, 65.0)  # 1/min, 1/h
BAG_BREAKING: Final = 0.91
BAG_ANGLE: Final = 12.0  # degrees, assumed: the large angle of those figures, which the abstract does not give


def flask_kLa(frequency: float, shaking_diameter: float, diameter: float, volume: float, nominal: float) -> Estimate:
    """kLa in an unbaffled Erlenmeyer flask, 1/h, within some 30 %.

    - `frequency` 1/min; `shaking_diameter` (of the orbit) and `diameter` (of the flask at its widest) m; `volume`,
      `nominal` L.
    **Source** Seletzky et al. 2007, Biotechnol. Bioeng. 98:800, after Maier: kLa = 6.67e-6 N^1.16 V^-0.83 d0^0.38
    d^1.92 in 1/s with 1/min, mL and cm (read in a paper that quotes it). Range: Maier, Losen & Buechs 2004, Biochem.
    Eng. J. 17:155: 50 to 1000 mL flasks, 4 to 16 % filled, orbits of 1.25 to 10 cm, 50 to 500 1/min.
    """
    millilitres, orbit, width = volume * 1000, shaking_diameter * 100, diameter * 100
    value = 3600 * 6.67e-6 * frequency**1.16 * millilitres**-0.83 * orbit**0.38 * width**1.92
    in_range = (
        50 <= frequency <= 500
        and 0.0125 <= shaking_diameter <= 0.1
        and 0.05 <= nominal <= 1.0
        and 0.04 <= volume / nominal <= 0.16
    )
    return Estimate(value, in_range, "Seletzky et al. 2007", spread=0.3)


def flask_power(frequency: float, shaking_diameter: float, diameter: float, volume: float, nominal: float) -> Estimate:
    """Power per volume that the shaking of an unbaffled flask brings in, W/m3; arguments as `flask_kLa`.

    **Source** Buechs, Maier, Milbradt & Zoels 2000, Biotechnol. Bioeng. 68:594: Ne' = P / (rho n^3 d^4 V^1/3) =
    70/Re + 25 Re^-0.6 + 1.5 Re^-0.2 with Re = rho n d^2 / eta, for liquid that moves in phase with the shaker (from
    memory of the field; the original was not at hand). Flasks up to 1 L.
    """
    n, litres = frequency / 60, volume / 1000
    if n <= 0:
        return Estimate(0.0, False, "Buechs et al. 2000", "unverified")
    reynolds = BROTH_DENSITY * n * diameter**2 / BROTH_VISCOSITY
    newton = 70 / reynolds + 25 * reynolds**-0.6 + 1.5 * reynolds**-0.2
    value = newton * BROTH_DENSITY * n**3 * diameter**4 * litres ** (1 / 3) / litres
    in_range = in_phase(frequency, shaking_diameter, diameter, volume) and nominal <= 1.0
    return Estimate(value, in_range, "Buechs et al. 2000", "unverified")


def phase_number(frequency: float, shaking_diameter: float, diameter: float, volume: float) -> float:
    """How well the liquid of a shaken flask follows the shaker; up to `IN_PHASE` it stands out of phase.

    Arguments as `flask_kLa`. **Source** Buechs, Lotter & Milbradt 2001, Biochem. Eng. J. 7:135: Ph = d0/d (1 + 3 log10(
    rho 2 pi n d^2 / 4 eta (1 - (1 - 4/pi (V^1/3 / d)^2)^0.5)^2)) (from memory of the field; the original was not at
    hand).
    """
    depth = (volume / 1000) ** (1 / 3) / diameter
    film = 1 - math.sqrt(max(1 - 4 / math.pi * depth**2, 0.0))
    reynolds = BROTH_DENSITY * 2 * math.pi * frequency / 60 * diameter**2 / (4 * BROTH_VISCOSITY) * film**2
    return shaking_diameter / diameter * (1 + 3 * math.log10(reynolds)) if reynolds > 0 else -math.inf


def axial_froude(frequency: float, shaking_diameter: float) -> float:
    """Centrifugal acceleration of the shaker over gravity. **Source** as `phase_number`."""
    return float((2 * math.pi * frequency / 60) ** 2 * shaking_diameter / 2 / GRAVITY)


IN_PHASE: Final = 1.26  # the phase number, and `LEAST_FROUDE` the axial Froude number, above which flow is in phase
LEAST_FROUDE: Final = 0.4


def in_phase(frequency: float, shaking_diameter: float, diameter: float, volume: float) -> bool:
    """Whether the liquid moves with the shaker: Ph > 1.26 and Fr > 0.4; out of phase, power and kLa collapse.

    Arguments and **source** as `phase_number`.
    """
    return (
        axial_froude(frequency, shaking_diameter) > LEAST_FROUDE
        and phase_number(frequency, shaking_diameter, diameter, volume) > IN_PHASE
    )


def critical_frequency(shaking_diameter: float, diameter: float, volume: float) -> float:
    """Shaking frequency below which surface tension holds the liquid of a round well still, 1/min.

    - `shaking_diameter`, `diameter` of the well m; `volume` L.
    **Source** Hermann, Lehmann & Buechs 2003: n = (sigma d / (4 pi V rho d0))^0.5, from the work of the centrifugal
    force against the surface (the effect from its abstract, the form read in a program that quotes Micheletti et al.
    2006, Chem. Eng. Sci. 61:2939).
    """
    ratio = SURFACE_TENSION * diameter / (4 * math.pi * volume / 1000 * BROTH_DENSITY * shaking_diameter)
    return 60 * math.sqrt(ratio)


def well_kLa(frequency: float, shaking_diameter: float, diameter: float, volume: float) -> Estimate:
    """kLa in a round well, 1/h; arguments as `critical_frequency`, `frequency` in 1/min.

    kL of Hermann, Lehmann & Buechs 2003 over the surface of the liquid: flat below the critical frequency, above it a
    plane at right angles to gravity and centrifugal force (derived: A (1 + (w^2 d0 / 2 g)^2)^0.5); within some 50 %,
    assumed. In range: volumes up to 2 mL, as measured there, above the critical frequency.
    """
    acceleration = (2 * math.pi * frequency / 60) ** 2 * shaking_diameter / 2 / GRAVITY
    moving = frequency > critical_frequency(shaking_diameter, diameter, volume)
    surface = math.pi * diameter**2 / 4 * (math.sqrt(1 + acceleration**2) if moving else 1.0)
    value = WELL_FILM * surface / (volume / 1000)
    return Estimate(value, moving and volume <= 2e-3, "Hermann et al. 2003, surface derived", "derived", 0.5)


def bag_kLa(rate: float, degrees: float, filling: float) -> Estimate:
    """kLa in a rocked bag, 1/h: the surface, and the breaking wave above some 25 1/min.

    - `rate` 1/min; `degrees`: to either side; `filling`: liquid over nominal volume.
    Assumed: the surface's part grows with the rate, the wave's with the same power of rate and angle, and both fall
    with the filling, so that the figures of Bai et al. 2019 (above) are met at `BAG_ANGLE` and half full; within some
    50 %, assumed. Published bags lie between 2 and 100 1/h.
    """
    (slow, low), (fast, high) = BAG_SLOW, BAG_FAST
    surface = high * (1 - BAG_BREAKING) / fast
    wave = high * BAG_BREAKING
    exponent = math.log(wave / (low - surface * slow)) / math.log(fast / slow)
    value = surface * rate + wave * (rate * degrees / (fast * BAG_ANGLE)) ** exponent
    value *= (filling / 0.5) ** BAG_EXPONENT
    in_range = slow <= rate <= fast and degrees <= BAG_ANGLE and filling <= 0.5 and 2 <= value <= 100
    return Estimate(value, in_range, "Bai et al. 2019, interpolated", "assumed", 0.5)
