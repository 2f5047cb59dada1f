"""A fed-batch of *E. coli* that makes a protein after a shift of temperature: five set points, titre and oxygen.

Substrate uptake with overflow to acetate above what the respiration takes (the structure of Xu, Jahic & Enfors 1999,
Biotechnol Prog 15:81); what induction, temperature and acetate do to product is a made-up example of usual size.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TRUTH: Final = np.array(
    [0.90, 0.58, 0.05, 0.5, 0.60, 0.4, 0.12, 6.0, 12.0, 420.0, 0.060, 0.06, 30.0, 2.0, 0.045, 2.0, 0.25, 0.04]
)
"""In the order of `_rates`: q_S_max, q_ox_max (g/g/h), K_S (g/L), Y_XS, Y_AS, Y_XA (g/g), q_A_max (g/g/h), K_iA (g/L),
Y_OS (mmol/g), kLa (1/h), q_P_max (g/g/h), warming (1/K), T_fold (degC), width (K), loss (1/h), K_AP (g/L), burden,
K_mu (1/h)."""
HOURS: Final = 32.0
STEP: Final = 0.02
FEED: Final = 500.0
"""Glucose of the feed, g/L."""
NAMES: Final = ("glucose", "growth_rate", "induction", "temperature", "feed_share")


@njit(cache=True)
def _rates(
    p: Floats, warmth: float, x: float, s: float, a: float, most_eaten: float, induced: bool
) -> tuple[float, float, float, float, float]:
    """mu, q_S, q_A (net made), q_P, and oxygen's saturation in percent; `most_eaten`: of substrate, that is there."""
    cold = math.exp(-0.06 * (37.0 - warmth))
    q_s = min(p[0] * cold * s / (s + p[2]), most_eaten)
    solubility = 0.21 * (1.0 + 0.015 * (37.0 - warmth))  # mmol/L
    supply = p[9] * solubility / max(x, 1e-6)  # mmol/g/h that the gas can give
    most = min(p[1] * cold / (1.0 + a / p[7]), supply / p[8])
    oxidised = min(q_s, most)
    eaten = min(p[6] * cold * a / (a + 0.05), most - oxidised)
    made = p[4] * (q_s - oxidised) - eaten
    mu = (p[3] * oxidised + 0.15 * p[3] * (q_s - oxidised) + p[5] * eaten) * (1.0 - (p[16] if induced else 0.0))
    folded = 1.0 / (1.0 + math.exp((warmth - p[12]) / p[13]))
    q_p = p[10] * math.exp(p[11] * (warmth - 30.0)) * folded * mu / (mu + p[17]) / (1.0 + a / p[15]) if induced else 0.0
    saturation = 100.0 * max(1.0 - p[8] * (oxidised + eaten) * x / (p[9] * solubility), 0.0)
    return mu, q_s, made, q_p, saturation


@njit(cache=True)
def fed_batch(
    p: Floats, glucose: float, growth: float, induction: float, warmth: float, share: float
) -> tuple[float, float]:
    """Titre at the end, g/L, and the lowest dissolved oxygen, %.

    - `glucose`: of the batch, g/L. - `growth`: what the exponential feed aims at, 1/h. - `induction`: h from the feed's
      start. - `warmth`: from induction on, degC. - `share`: feed from then on, of what it was.
    """
    x, s, a, product, volume = 0.3, glucose, 0.0, 0.0, 1.0
    begun, first, lowest = -1.0, 0.0, 100.0
    for at in range(round(HOURS / STEP)):
        now = at * STEP
        if begun < 0.0 and s < 0.3:
            begun = now
            first = growth * x * volume / (p[3] * FEED)
        induced = begun >= 0.0 and now >= begun + induction
        feed = 0.0
        if begun >= 0.0:
            feed = first * math.exp(growth * min(now - begun, induction)) * (share if induced else 1.0)
        thinner = feed / volume
        there = s + STEP * thinner * (FEED - s)
        mu, q_s, made, q_p, saturation = _rates(
            p, warmth if induced else 37.0, x, there, a, there / (STEP * x), induced
        )
        lowest = min(lowest, saturation)
        lost = p[14] * product  # of product, by proteolysis
        product += STEP * (q_p * x - lost - thinner * product)
        s = there - STEP * q_s * x
        a = max(a + STEP * (made * x - thinner * a), 0.0)
        x += STEP * x * (mu - thinner)
        volume += STEP * feed
    return product, lowest
