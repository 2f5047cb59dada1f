"""A stirred tank under a controller as one `System`: what valves, pumps and drive do is an input, nothing is held.

The culture's conversions and the correlations for gas are those of every run (`_equations`). Beyond them stand what an
ideal controller hides: the charge balance that makes the pH, the jacket, gas mixtures, the gas in the head space, foam,
and a contaminant. Amounts are per litre of the tank's largest working volume.
"""

from __future__ import annotations

import math
from typing import Final

from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import H2O_MASS, close, composition
from seedtrain.simulation._engine import System
from seedtrain.simulation._equations import Layout, Line, closure, solubility, vapour, zone_lines
from seedtrain.simulation._estimate import BROTH_DENSITY, GRAVITY
from seedtrain.simulation._transfer import (
    ATMOSPHERE,
    CO2_IN_AIR,
    CO2_TRANSFER_RATIO,
    HEAT_CAPACITY,
    HEAT_OF_RESPIRATION,
    NORMAL_VOLUME,
    OXYGEN_IN_AIR,
)

PHOSPHATE_PK: Final = 6.8
"""Second dissociation of phosphoric acid in salty medium, apparent: 7.2 at infinite dilution, less in salt; assumed."""
AMMONIUM_PK: Final = 8.9  # at 37 degC. Bates & Pinching 1950, J. Am. Chem. Soc. 72:1393
WATER_PK: Final = 13.6  # at 37 degC: CRC Handbook of Chemistry and Physics
JACKET_SHARE: Final = 0.1  # L of jacket per L of the tank, assumed
JACKET_TURNOVER: Final = 60.0  # 1/h: the jacket's content is renewed once a minute, assumed
HEAD_SHARE: Final = 1.3  # volume of the tank over the largest working volume, assumed
FOAM_RISE: Final = 0.01  # m of foam made per m that gas rises, at many cells; assumed
FOAM_HALF: Final = 20.0  # g/L of cells at which half of that is made; assumed
FOAM_DECAY: Final = 2.0  # 1/h at which foam collapses by itself; assumed
ANTIFOAM_EFFECT: Final = 30.0  # how many times faster per mL of antifoam per litre; assumed
ANTIFOAM_LOSS: Final = 0.5  # 1/h at which antifoam is used up; assumed
WEED_YIELD: Final = 0.5  # g of contaminant per g of glucose; assumed, as a fast bacterium's
WEED_K: Final = 0.05  # g/L of glucose at which it grows at half its rate; assumed
WEED_K_O: Final = 0.001  # mmol/L of O2 at which it does; assumed
_WEED: Final = {"C": 1.0, "H": 1.8, "O": 0.5, "N": 0.2}  # Roels 1983: the usual formula of biomass
_INERT: Final = 1 - OXYGEN_IN_AIR - CO2_IN_AIR
_LEAST_INERT: Final = 1e-6  # mol/h per litre: keeps mole ratios finite without gas

DOSED: Final = ("feed", "base", "acid", "antifoam", "outlet")
LIQUID: Final = ("n_I", "n_O", "n_C", "n_N", "n_P", "m_W", "m_Z")
"""Inducer, O2, inorganic carbon, ammonia, phosphate (mmol), water, minerals (g)."""
WHOLE: Final = ("v", "T", "pH", "T_jacket", "y_O", "y_C", "foam", "killer", "weed")
"""Volume over `V_0`; degC; -; degC; mole fractions in the dry exit gas; m; mL antifoam; g of a contaminant."""
PASSED: Final = ("x_O", "x_C", "x_E", "x_H", "x_Q", "x_U")
"""O2 taken from the gas, CO2 given to it (mmol), water evaporated (g), protons set free (mmol), heat removed (J), O2
used (mmol)."""

INPUTS: Final = (
    "speed",  # 1/min
    "air",  # normal L/min, as the three below
    "oxygen",
    "nitrogen",
    "carbon_dioxide",
    "p_head",  # bar, gauge
    "feed",  # L/h, as the four below
    "base",
    "acid",
    "antifoam",
    "outlet",
    "T_inlet",  # degC of the water that enters the jacket
    "foaming",  # how readily it foams; 1 as usual
    "weed_mu",  # 1/h at which a contaminant grows at most
)
LIQUIDS: Final = ("F_I", "F_N", "F_W", "F_Z", "B_N", "B_strong", "B_W", "A_H", "A_W")
"""Of a litre: the feed's inducer, ammonia (mmol), water, minerals (g); the base's ammonia, strong base (mmol), water;
the acid's protons and water."""
TANK: Final = ("V_0", "D_T", "D_i", "impellers", "P_number", "P_motor", "U_jacket", "A_jacket")
AROUND: Final = ("coalescence", "soluble", "T_condenser", "pK")
OBSERVED: Final = (
    *("DO", "OUR", "CER", "kLa", "power", "cells", "mu", "saturation", "x_O2", "x_CO2", "gas", "velocity", "cut"),
    *("heat", "cooling"),
)


def numbers_of(culture: Culture) -> tuple[str, ...]:
    """Every number of the system, in order."""
    fed = (f"F_{name}_" for name in culture.species)
    return (*(f"u_{name}" for name in culture.parameters), *INPUTS, *LIQUIDS, *fed, *TANK, *AROUND)


def states_of(culture: Culture) -> tuple[str, ...]:
    """Every state of the system, in order."""
    return (*(f"m_{name}" for name in culture.species), *LIQUID, *WHOLE, *PASSED)


def live_system(culture: Culture) -> System:
    """The equations of `culture` in a driven tank."""
    if culture.structure not in _SYSTEMS:
        _SYSTEMS[culture.structure] = _system(culture)
    return _SYSTEMS[culture.structure]


_SYSTEMS: dict[str, System] = {}


def _system(culture: Culture) -> System:
    cells = zone_lines(Layout(culture, "stirred"), 0)
    return System(
        name=f"{culture.name} in a driven tank",
        states=states_of(culture),
        numbers=numbers_of(culture),
        held=tuple(closure(culture)),
        lines=(
            *_surroundings(),
            *cells,
            *_weed(culture),
            *_uptake(culture),
            *_gas(),
            *_acid(),
            *_heat(),
        ),
        rates=tuple(_rates(culture)),
        observed=OBSERVED,
    )


def _surroundings() -> list[Line]:
    hydrostatic = BROTH_DENSITY * GRAVITY / 2 * 1e-5 * 4 / math.pi / 1000
    return [
        ("v_inverse", "1.0 / v"),
        ("p_s", f"{ATMOSPHERE!r} + p_head + {hydrostatic!r} * V_0 / D_T ** 2 * v"),
        ("vapour_now", vapour("T")),
        ("kelvin_inverse", "1.0 / (T + 273.15)"),
        ("henry_O", f"soluble * {solubility('kelvin_inverse', 'vapour_now')}"),
        ("henry_C", f"33.0 * exp(2400.0 * (kelvin_inverse - {1 / 298.15!r}))"),
        ("saturation", f"henry_O * {OXYGEN_IN_AIR!r} * (p_s - vapour_now)"),
        ("carbonic", "1.0 / (1.0 + 10.0 ** (pH - pK))"),
    ]


def _weed(culture: Culture) -> list[Line]:
    """A contaminant that eats glucose, per litre and hour; it closes its balances as every conversion does."""
    glucose = culture.symbol("glucose")
    food = f"u0_{glucose}" if glucose else "0.0"
    return [
        ("weedy", f"weed_mu * weed * v_inverse * {food} / ({food} + {WEED_K!r}) * u0_DO / (u0_DO + {WEED_K_O!r})"),
        *((f"weed_{name}", f"{value!r} * weedy") for name, value in _weed_exchange().items()),
    ]


def _weed_exchange() -> dict[str, float]:
    """mmol (water: g) made per g of contaminant grown."""
    sugar = composition({"C": 6, "H": 12, "O": 6})
    found = close({"weed": 1.0, "sugar": -1 / WEED_YIELD}, {"weed": composition(_WEED), "sugar": sugar})
    return {
        "O": -1000 * found.O2,
        "C": 1000 * found.CO2,
        "N": 1000 * found.NH3,
        "W": H2O_MASS * found.H2O,
    }


def _uptake(culture: Culture) -> list[Line]:
    cells = f"u0_{culture.biomass}" if culture.biomass else "0.0"
    mu = culture.outputs.get("mu")
    return [
        ("OUR", "close0_O + weed_O"),
        ("CER", "close0_C + weed_C"),
        ("cells", cells),
        ("mu", f"u0_{mu}" if mu else "0.0"),
        ("DO", "u0_DO + 0.0"),
    ]


def _gas() -> list[Line]:
    """Sparged gas disperses up to flooding and passes O2 and CO2 with the liquid; the rest rises past the impeller."""
    mole = 60 / NORMAL_VOLUME
    return [
        ("V_now", "V_0 * v"),
        ("gas", "air + oxygen + nitrogen + carbon_dioxide"),
        ("flow", f"gas / 60000.0 * (T + 273.15) / 273.15 * {ATMOSPHERE!r} / p_s"),
        ("turns", "max(speed, 1.0) / 60.0"),
        # Nienow 1998, as `flooding_gas_flow`
        ("flood", f"30.0 * (D_i / D_T) ** 3.5 * (turns ** 2 * D_i / {GRAVITY!r}) * turns * D_i ** 3"),
        ("cut", "flood / flow if flow > flood else 1.0"),
        ("dispersed", "flow * cut"),
        ("velocity", f"dispersed / ({math.pi / 4!r} * D_T ** 2)"),
        ("bare", f"impellers * P_number * {BROTH_DENSITY!r} * turns ** 3 * D_i ** 5"),
        # Hughmark 1980, as `hughmark_ratio`
        (
            "hughmark",
            "0.1 * (max(dispersed, 1e-9) / (turns * V_now / 1000.0)) ** -0.25"
            f" * (turns ** 2 * D_i ** 4 / ({GRAVITY!r} * D_i / 5.0 * (V_now / 1000.0) ** 0.6666666666666666)) ** -0.2",
        ),
        ("shaft", "min(bare * min(hughmark, 1.0), P_motor)"),
        ("power", "shaft / V_0"),  # W per litre of V_0
        ("alpha", "0.4 * coalescence + 0.7 * (1.0 - coalescence)"),
        ("beta", "0.5 * coalescence + 0.2 * (1.0 - coalescence)"),
        # van 't Riet 1979, both correlations
        (
            "kLa",
            "3600.0 * 0.026 ** coalescence * 0.002 ** (1.0 - coalescence) * (1000.0 * shaft / V_now) ** alpha"
            " * max(velocity, 1e-12) ** beta",
        ),
        ("inert", f"(air * {_INERT!r} + nitrogen) * {mole!r} / V_0 + {_LEAST_INERT!r}"),
        ("r_O", f"(air * {OXYGEN_IN_AIR!r} + oxygen) * {mole!r} / V_0 / inert"),
        ("r_C", f"(air * {CO2_IN_AIR!r} + carbon_dioxide) * {mole!r} / V_0 / inert"),
        ("used", "inert * cut"),  # what passes through the broth in small bubbles
        ("dry", "1.0 - vapour_now / p_s"),
        ("full_O", "henry_O * p_s * dry"),
        ("full_C", "henry_C * p_s * dry"),
        ("give", "kLa * v / 1000.0"),
        ("strip", f"{CO2_TRANSFER_RATIO!r} * give"),
        ("ratio_0", "1.0 + r_O + r_C"),
        ("out_O_1", "(used * r_O + give * DO) / (used + give * full_O / ratio_0)"),
        ("out_C_1", "(used * r_C + strip * u0_C_CO2) / (used + strip * full_C / ratio_0)"),
        ("ratio_1", "1.0 + out_O_1 + out_C_1"),
        ("out_O", "(used * r_O + give * DO) / (used + give * full_O / ratio_1)"),
        ("out_C", "(used * r_C + strip * u0_C_CO2) / (used + strip * full_C / ratio_1)"),
        ("got_O", "1000.0 * used * (r_O - out_O)"),
        ("lost_C", "1000.0 * used * (out_C - r_C)"),
        ("mixed_O", "cut * out_O + (1.0 - cut) * r_O"),
        ("mixed_C", "cut * out_C + (1.0 - cut) * r_C"),
        ("mixed", "1.0 + mixed_O + mixed_C"),
        ("x_O2", "mixed_O / mixed"),
        ("x_CO2", "mixed_C / mixed"),
        ("leaving", vapour("T_condenser")),
        ("evaporated", f"inert * mixed * leaving / ({ATMOSPHERE!r} + p_head - leaving) * {H2O_MASS!r}"),
        # The head space is renewed by the gas that passes it.
        ("renewal", f"gas * 60.0 / V_0 / ({HEAD_SHARE!r} - min(v, 1.2))"),
    ]


def _acid() -> list[Line]:
    """The charge balance in its differential form.

    Protons counted from CO2(aq), NH4+ and H2PO4- as reference: E = v (h - Kw/h) - sum of n (deprotonated part). What
    sets protons free changes E; what a total gains or loses in its reference form does not.
    """
    return [
        ("h", "1000.0 * 10.0 ** -pH"),  # mmol/L
        ("hydroxide", f"1000.0 * 10.0 ** (pH - {WATER_PK!r})"),
        ("loose_C", "1.0 - carbonic"),
        ("loose_N", f"1.0 / (1.0 + 10.0 ** ({AMMONIUM_PK!r} - pH))"),
        ("loose_P", f"1.0 / (1.0 + 10.0 ** ({PHOSPHATE_PK!r} - pH))"),
        (
            "buffer",
            f"{math.log(10)!r} * (v * (h + hydroxide) + n_C * loose_C * carbonic + n_N * loose_N * (1.0 - loose_N)"
            " + n_P * loose_P * (1.0 - loose_P))",
        ),
        ("freed", "close0_H - weed_N"),  # per litre; the contaminant takes NH4+ and leaves a proton
        ("protons", "freed * v + (acid * A_H - base * (B_N + B_strong)) / V_0"),
        ("kept", "(feed + base + acid + antifoam) / V_0 - evaporated / 1000.0"),
        ("made_C", "CER * v - lost_C"),
        ("made_N", "(close0_N + weed_N) * v + (feed * F_N + base * B_N) / V_0"),
        ("pH_rate", "-(protons + loose_C * made_C + loose_N * made_N - kept * (h - hydroxide)) / buffer"),
    ]


def _heat() -> list[Line]:
    return [
        ("heat", f"OUR * v * {HEAT_OF_RESPIRATION / 3600.0!r} + power"),  # W per litre of V_0
        ("cooling", "U_jacket * A_jacket / V_0 * (T - T_jacket)"),
    ]


def _rates(culture: Culture) -> list[str]:
    glucose = culture.symbol("glucose")
    drawn = "outlet / V_0 * v_inverse"
    found = []
    for name in culture.species:
        eaten = f" - weedy * v * {1 / WEED_YIELD!r}" if name == glucose else ""
        found.append(f"net0_{name} * v{eaten} + feed * F_{name}_ / V_0 - {drawn} * m_{name}")
    liquid = {
        "n_I": "feed * F_I / V_0",
        "n_O": "got_O - OUR * v",
        "n_C": "made_C",
        "n_N": "made_N",
        "n_P": "0.0",
        "m_W": "(close0_W + weed_W) * v - evaporated + (feed * F_W + base * B_W + acid * A_W) / V_0",
        "m_Z": "close0_Z * v + feed * F_Z / V_0",
    }
    found += [f"{text} - {drawn} * {name}" for name, text in liquid.items()]
    return [
        *found,
        "kept - outlet / V_0",
        f"(heat - cooling) * 3600.0 / ({HEAT_CAPACITY * 1e-3!r} * v)",
        "pH_rate",
        f"cooling * 3600.0 / {HEAT_CAPACITY * 1e-3 * JACKET_SHARE!r} + {JACKET_TURNOVER!r} * (T_inlet - T_jacket)",
        "renewal * (x_O2 - y_O)",
        "renewal * (x_CO2 - y_C)",
        f"foaming * {FOAM_RISE!r} * velocity * 3600.0 * cells / (cells + {FOAM_HALF!r})"
        f" - {FOAM_DECAY!r} * (1.0 + {ANTIFOAM_EFFECT!r} * killer * v_inverse) * foam",
        f"1000.0 * antifoam / V_0 - {ANTIFOAM_LOSS!r} * killer - {drawn} * killer",
        f"weedy * v - {drawn} * weed",
        "got_O",
        "lost_C",
        "evaporated",
        "freed * v",
        "cooling * 3600.0",
        "OUR * v",
    ]
