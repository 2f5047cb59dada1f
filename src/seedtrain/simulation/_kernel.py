"""One culture in one vessel as generated scalar Python: the right-hand side and what is observed from a state.

The text is generated from the culture's checked expressions and the balances below, compiled once for each structure,
and fed with plain numbers: parameters, conversions' stoichiometry, and the settings of one segment. Amounts are per
litre of the volume at the start (`v` = volume / start volume), so that a scaled vessel gives the same numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import H2O_MASS, SULPHATE_MASS
from seedtrain.simulation._expression import FUNCTIONS
from seedtrain.simulation._transfer import (
    ATMOSPHERE,
    CO2_TRANSFER_RATIO,
    HEAT_CAPACITY,
    HEAT_OF_RESPIRATION,
    OXYGEN_IN_AIR,
)

# States after the species, all amounts per start volume: inducer mmol, O2 mmol, inorganic carbon mmol, ammonia mmol,
# water g, minerals g, relative volume, temperature degC.
SURROUNDINGS: Final = ("n_I", "n_O", "n_C", "n_N", "m_W", "m_Z", "v", "T")
# What has passed a boundary: O2 in and CO2 out mmol, base L, water evaporated g, O2 used mmol, product formed g,
# shaft work and heat removed J.
PASSED: Final = ("x_O", "x_C", "x_B", "x_E", "x_U", "x_P", "x_S", "x_Q")

SETTINGS: Final = (
    "F0",  # feed at `t0`, L/h per start volume
    "F_mu",  # 1/h, growth of the feed
    "t0",  # h
    "F_I",  # mmol/L of inducer in the feed
    "F_N",  # mmol/L of ammonia in the feed
    "F_W",  # g/L of water in the feed
    "F_Z",  # g/L of minerals in the feed
    "B_N",  # mmol/L of ammonia in the base; 0: no pH control
    "B_W",  # g/L of water in the base
    "T_set",  # degC
    "DO_set",  # mmol/L; below 0: the stirrer stands still at its set speed
    "inert",  # mol/h of nitrogen and argon per start volume
    "r_O",  # mol O2 in the inlet per mol of inert gas
    "r_C",  # mol CO2 in the inlet per mol of inert gas
    "y_W",  # mol of water per mol of gas in the bubbles
    "w_E",  # mol of water that leaves per mol of dry gas
    "p_0",  # bar, absolute, above the liquid
    "p_v",  # bar at half height, for v = 1
    "K_L",  # kLa of 1 W/L, 1/h
    "alpha",  # exponent of the power density
    "k_fix",  # 1/h, a kLa that nothing changes; 0: a stirred tank
    "P_low",  # W per start volume at the set speed, without gas
    "G_low",  # W per start volume at the set speed with gas, for v = 1
    "P_high",  # the same two at the highest speed
    "G_high",
    "P_motor",  # W per start volume
    "UA",  # W/K per start volume
    "T_cool",  # degC
    "T_heat",  # degC
    "carbonic",  # CO2 as a part of inorganic carbon at the set pH
    "pH",
    "saturation",  # mmol/L of O2 at which a probe reads 100 %
    "soluble",  # O2 solubility of the medium over that of water
)

GASSED_VOLUME_EXPONENT: Final = 0.25 + 2 / 3 * 0.20  # Hughmark 1980: how gassed power grows with volume
TEMPERATURE_GAIN: Final = 20.0  # 1/h: the jacket's controller brings the broth to its set point within some minutes
OBSERVED: Final = (
    "mu",
    "q_S",
    "q_P",
    "q_O2",
    "kLa",
    "OTR",
    "OUR",
    "CER",
    "F",
    "B",
    "power",
    "heat",
    "cooling",
    "capacity",
    "C_CO2",
    "DO",
    "x_O2_out",
    "x_CO2_out",
    "kLa_high",
    "star",
)


@dataclass(frozen=True)
class Kernel:
    """Compiled functions of one culture's structure: `rhs(t, y, p)` and `observe(t, y, p)`."""

    states: tuple[str, ...]
    rhs: Callable[[float, Any, tuple[float, ...]], list[float]]
    observe: Callable[[float, Any, tuple[float, ...]], tuple[float, ...]]
    names: tuple[str, ...]
    source: str

    def index(self, state: str) -> int:
        """Where `state` stands in the vector."""
        return self.states.index(state)


def kernel_of(culture: Culture) -> Kernel:
    """The kernel of `culture`'s structure, generated once for all values of its parameters."""
    if culture.structure not in _KERNELS:
        _KERNELS[culture.structure] = _build(culture)
    return _KERNELS[culture.structure]


def constants(culture: Culture) -> tuple[float, ...]:
    """The numbers of `culture` in the order that its kernel wants: parameters, then each conversion's stoichiometry.

    For each conversion: g of every species, then mmol of O2 used, CO2, NH3, g of water, g of minerals, mmol of H+.
    """
    found = list(culture.values.values())
    acidity = culture.acidity
    for conversion in culture.conversions:
        amounts, exchange = culture.amounts(conversion), culture.exchange(conversion)
        protons = -exchange.NH3 + sum(acidity[name] * mass for name, mass in amounts.items())
        found += [amounts.get(name, 0.0) for name in culture.species]
        found += [-exchange.O2 * 1000, exchange.CO2 * 1000, exchange.NH3 * 1000, exchange.H2O * H2O_MASS]
        found += [exchange.minerals + exchange.sulphate * SULPHATE_MASS, protons * 1000]
    return tuple(found)


_KERNELS: dict[str, Kernel] = {}


def _build(culture: Culture) -> Kernel:
    species = tuple(culture.species)
    states = (*(f"m_{name}" for name in species), *SURROUNDINGS, *PASSED)
    own = (f"u_{name}" for name in culture.parameters)
    names = (*own, *_stoichiometry_names(culture), *settings_names(culture))
    body = _body(culture)
    rhs = ["def rhs(t, y, p):", *_head(states, names), *body, *_derivatives(culture)]
    observe = ["def observe(t, y, p):", *_head(states, names), *body, *_observations(culture)]
    source = "\n".join(["\n    ".join(rhs), "", "\n    ".join(observe)])
    scope: dict[str, Any] = {**FUNCTIONS, "exp": math.exp}
    exec(compile(source, f"<culture {culture.name} {culture.structure[:12]}>", "exec"), scope)  # noqa: S102
    return Kernel(states, scope["rhs"], scope["observe"], names, source)


_CLOSERS: Final = ("O", "C", "N", "W", "Z", "H")


def _stoichiometry_names(culture: Culture) -> list[str]:
    found = []
    for index, _ in enumerate(culture.conversions):
        found += [f"s{index}_{name}" for name in culture.species]
        found += [f"z{index}_{closer}" for closer in _CLOSERS]
    return found


def _head(states: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    return [f"{', '.join(names)} = p", f"{', '.join(states)} = y.tolist()"]


def _own(code: str) -> str:
    """`code` with every symbol of the culture as `u_symbol`, so that a culture may use any name."""
    return re.sub(r"\b[A-Za-z]\w*", lambda found: found[0] if found[0] in _KEPT else f"u_{found[0]}", code)


_KEPT: Final = {*FUNCTIONS, "if", "else"}


def _body(culture: Culture) -> list[str]:
    lines = ["v_inverse = 1.0 / v"]
    # A solver may step a hair below zero; rates see zero, and so drive nothing further down.
    lines += [f"u_{name} = m_{name} * v_inverse if m_{name} > 0.0 else 0.0" for name in culture.species]
    lines += [
        "u_I = n_I * v_inverse if n_I > 0.0 else 0.0",
        "u_DO = DO = n_O * v_inverse if n_O > 0.0 else 0.0",
        "u_DO_percent = 100.0 * DO / saturation",
        "u_C_CO2 = C_CO2 = n_C * v_inverse * carbonic if n_C > 0.0 else 0.0",
        "u_NH = n_N * v_inverse if n_N > 0.0 else 0.0",
        "u_T, u_pH = T, pH",
    ]
    lines += [f"u_{name} = {_own(text.code)}" for name, text in culture.expressions.items()]
    lines += [f"rate_{index} = {_own(item.rate.code)}" for index, item in enumerate(culture.conversions)]
    for name in culture.species:
        users = [i for i, item in enumerate(culture.conversions) if name in item.amounts]
        total = " + ".join(f"s{i}_{name} * rate_{i}" for i in users) or "0.0"
        lines.append(f"net_{name} = u_{culture.biomass} * ({total})")
    everyone = range(len(culture.conversions))
    for closer in _CLOSERS:
        total = " + ".join(f"z{i}_{closer} * rate_{i}" for i in everyone)
        lines.append(f"net_{closer}_ = u_{culture.biomass} * ({total})")
    return [*lines, *_transfer_lines()]


def _transfer_lines() -> list[str]:
    """Feed, base, gas exchange with the inert balance, stirrer and heat; amounts per start volume."""
    return [
        "F = F0 * exp(F_mu * (t - t0)) if F0 > 0.0 else 0.0",
        "B = net_H_ * v / B_N if B_N > 0.0 and net_H_ > 0.0 else 0.0",
        "OUR, CER = net_O_, net_C_",
        *_SOLUBILITY,
        *_STIRRER,
        *_GAS,
        *_HEAT,
    ]


_SOLUBILITY: Final = (
    # Benson & Krause 1980 and Buck 1996, as in `oxygen_solubility` and `water_vapour`; Sander 2015 for CO2.
    "u = 1.0 / (T + 273.15)",
    "logarithm = -139.34411 + u * (1.575701e5 + u * (-6.642308e7 + u * (1.243800e10 - u * 8.621949e11)))",
    "vapour = 0.0061121 * exp((18.678 - T / 234.5) * T / (257.14 + T))",
    f"henry_O = soluble * exp(logarithm) / 31.998 / ({OXYGEN_IN_AIR} * ({ATMOSPHERE} - vapour))",
    "henry_C = 33.0 * exp(2400.0 * (u - 1.0 / 298.15))",
    "pressure = p_0 + p_v * v",
    "dry = 1.0 - y_W",
)

_STIRRER: Final = (
    # Mole ratios to the inert gas if the liquid took exactly what the cells use: what the controller aims at.
    "aim_O = r_O - OUR * v / (1000.0 * inert)",
    "if aim_O < 0.0: aim_O = 0.0",
    "ratio = 1.0 + aim_O + r_C + CER * v / (1000.0 * inert)",
    "star = henry_O * pressure * dry * aim_O / ratio",
    f"P_bottom = G_low * v ** {GASSED_VOLUME_EXPONENT!r}",
    "if P_bottom > P_low: P_bottom = P_low",
    f"P_top = G_high * v ** {GASSED_VOLUME_EXPONENT!r}",
    "if P_top > P_high: P_top = P_high",
    "if P_top > P_motor: P_top = P_motor",
    "if P_bottom > P_top: P_bottom = P_top",
    "if k_fix > 0.0:",
    "    kLa = kLa_high = k_fix",
    "    power = 0.0",
    "else:",
    "    kLa = K_L * (P_bottom * v_inverse) ** alpha",
    "    kLa_high = K_L * (P_top * v_inverse) ** alpha",
    "    power = P_bottom",
    "    if DO_set >= 0.0:",
    "        drive = star - DO_set",
    "        wanted = OUR / drive if drive > 1e-9 else kLa_high",
    "        if wanted >= kLa_high:",
    "            kLa, power = kLa_high, P_top",
    "        elif wanted > kLa:",
    "            kLa = wanted",
    "            power = v * (kLa / K_L) ** (1.0 / alpha)",
)

_GAS: Final = (
    # A well-mixed gas phase without hold-up: what the inlet brings and the liquid does not take leaves with the inert
    # gas. `ratio` is total dry gas per inert; two passes settle it, and the balance is exact whatever it is.
    "give = kLa * v / 1000.0",
    f"strip = {CO2_TRANSFER_RATIO} * give",
    "full_O = henry_O * pressure * dry",
    "full_C = henry_C * pressure * dry",
    "for _ in (0, 1):",
    "    out_O = (inert * r_O + give * DO) / (inert + give * full_O / ratio)",
    "    out_C = (inert * r_C + strip * C_CO2) / (inert + strip * full_C / ratio)",
    "    ratio = 1.0 + out_O + out_C",
    "got_O = 1000.0 * inert * (r_O - out_O)",
    "lost_C = 1000.0 * inert * (out_C - r_C)",
    f"evaporated = inert * ratio * w_E * {H2O_MASS}",
)

_HEAT: Final = (
    f"heat = OUR * v * {HEAT_OF_RESPIRATION / 3600.0}",
    f"wanted = heat + power + {HEAT_CAPACITY * 1e-3 / 3600.0 * TEMPERATURE_GAIN} * v * (T - T_set)",
    "capacity = UA * (T - T_cool)",
    "cooling = wanted if wanted < capacity else capacity",
    "if cooling < UA * (T - T_heat): cooling = UA * (T - T_heat)",
)


def _derivatives(culture: Culture) -> list[str]:
    fed = [f"F * F_{name}_" for name in culture.species]
    product = culture.symbol("product")
    return [
        f"dT = (heat + power - cooling) * 3600.0 / ({HEAT_CAPACITY * 1e-3} * v)",
        "return [",
        *(f"    net_{name} * v + {inflow}," for name, inflow in zip(culture.species, fed, strict=True)),
        "    F * F_I,",
        "    got_O - OUR * v,",
        "    CER * v - lost_C,",
        "    net_N_ * v + F * F_N + B * B_N,",
        "    net_W_ * v + F * F_W + B * B_W - evaporated,",
        "    net_Z_ * v + F * F_Z,",
        "    F + B - evaporated / 1000.0,",
        "    dT,",
        "    got_O,",
        "    lost_C,",
        "    B,",
        "    evaporated,",
        "    OUR * v,",
        f"    net_{product} * v," if product else "    0.0,",
        "    power * 3600.0,",
        "    cooling * 3600.0,",
        "]",
    ]


def _observations(culture: Culture) -> list[str]:
    given = culture.outputs
    biomass = f"u_{culture.biomass}"
    aliases = [f"{name} = u_{given[name]}" for name in ("mu", "q_S", "q_P") if name in given]
    aliases += [f"{name} = 0.0" for name in ("mu", "q_S", "q_P") if name not in given]
    return [
        *aliases,
        f"q_O2 = OUR / {biomass} if {biomass} > 0.0 else 0.0",
        "OTR = got_O * v_inverse",
        "x_O2_out = out_O / ratio",
        "x_CO2_out = out_C / ratio",
        f"return ({', '.join(OBSERVED)})",
    ]


def settings_names(culture: Culture) -> tuple[str, ...]:
    """The settings of one segment in the kernel's order: `SETTINGS`, then g/L of every species in the feed."""
    return (*SETTINGS, *(f"F_{name}_" for name in culture.species))
