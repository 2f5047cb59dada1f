"""What lets substrates in and ties a compiled metabolism to its surroundings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Status = Literal["sourced", "fitted", "derived", "assumed"]

GLUCOSE_MASS: Final = 180.156  # g/mol
ACETATE_MASS: Final = 60.052  # g/mol, as acetic acid


@dataclass(frozen=True)
class Monod:
    """Uptake that saturates: q_max c / (K_S + c), times K_I / (K_I + i) where an `inhibitor` is named.

    `q_max` mmol/gDW/h; `K_S` and `K_I` mmol/L. The substrate is the state of the bound's own exchange; `inhibitor` is
    the exchange of another state. **Source** Monod 1949, doi:10.1146/annurev.mi.03.100149.002103.
    """

    q_max: float
    K_S: float
    inhibitor: str = ""
    K_I: float = math.inf
    status: Status = "assumed"
    source: str = ""


@dataclass(frozen=True)
class Constant:
    """A bound that does not depend on the surroundings: an uptake that is never short, or a maintenance demand.

    `value` mmol/gDW/h.
    """

    value: float
    status: Status = "assumed"
    source: str = ""


@dataclass(frozen=True)
class GasSupply:
    """What gas transfer can bring per cell, at most `q_max`: min(q_max, kLa * saturation / X).

    `q_max` mmol/gDW/h; `kLa` 1/h; `saturation` mmol/L. The dissolved gas is taken to be used up as it comes.
    """

    q_max: float
    kLa: float
    saturation: float
    status: Status = "assumed"
    source: str = ""


Uptake = Monod | Constant | GasSupply
"""What a moving bound may depend on."""


@dataclass(frozen=True)
class GasTransfer:
    """Transfer between gas and a dissolved state, kLa (saturation - c): `kLa` 1/h, `saturation` mmol/L."""

    kLa: float
    saturation: float
    status: Status = "assumed"
    source: str = ""


@dataclass(frozen=True)
class Feed:
    """A feed of rate * exp(growth * (t - start)) from `start` to `end` (h); constant where `growth` is 0.

    `rate` L/h at its start; `growth` 1/h; `concentrations` mmol/L by exchange.
    """

    rate: float
    start: float
    end: float
    concentrations: Mapping[str, float]
    growth: float = 0.0
    name: str = "feed"
    status: Status = "assumed"
    source: str = ""


@dataclass(frozen=True)
class Kinetics:
    """How each moving bound follows from the surroundings, by its reaction.

    - `gas`: gas transfer of dissolved states by exchange.
    - `k_d`: cells that die, gDW, per mmol of ATP that maintenance lacks.
    """

    bounds: Mapping[str, Uptake]
    gas: Mapping[str, GasTransfer] = field(default_factory=dict)
    k_d: float = 0.0
    status: Status = "assumed"
    source: str = ""
