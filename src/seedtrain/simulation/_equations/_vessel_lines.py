"""What a vessel does to a broth, as text: pressure, gas, stirrer and jacket at the start of a stretch and during it.

The correlations are those of `_transfer`, written for the engine; tests hold both to the same numbers.
"""

from __future__ import annotations

import math
from typing import Final

from seedtrain.simulation._elements import H2O_MASS
from seedtrain.simulation._equations._oxygen_lines import (
    GASSED_VOLUME_EXPONENT,
    LEAST_AIR,
    gas_held,
    gas_stage,
    share_stage,
    sizes,
    transfer_in,
    used,
)
from seedtrain.simulation._equations._places import Layout
from seedtrain.simulation._equations._text import Line
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

TEMPERATURE_GAIN: Final = 20.0  # 1/h: the jacket's controller brings the broth to its set point within some minutes
_INERT: Final = 1 - OXYGEN_IN_AIR - CO2_IN_AIR


def vapour(temperature: str) -> str:
    """Buck 1996, as `water_vapour`: bar."""
    return f"0.0061121 * exp((18.678 - {temperature} / 234.5) * {temperature} / (257.14 + {temperature}))"


def solubility(u: str, vapour_pressure: str) -> str:
    """Benson & Krause 1980, as `oxygen_solubility`, from `u` = 1/K: mmol/L/bar."""
    logarithm = f"-139.34411 + {u} * (1.575701e5 + {u} * (-6.642308e7 + {u} * (1.243800e10 - {u} * 8.621949e11)))"
    return f"exp({logarithm}) / 31.998 / ({OXYGEN_IN_AIR!r} * ({ATMOSPHERE!r} - {vapour_pressure}))"


def held_lines(layout: Layout) -> list[Line]:
    """What a stretch keeps from its start on."""
    lines: list[Line] = [
        ("V_s", "V_0 * v"),
        ("p_0", f"{ATMOSPHERE!r} + p_head"),
        ("p_v", _pressure(layout)),
        ("p_s", "p_0 + p_v * v"),
        ("carbonic", "1.0 / (1.0 + 10.0 ** (pH - pK))"),
        ("vapour_set", vapour("T_set")),
        ("y_W", "vapour_set / p_s"),
        ("leaving", vapour("T_condenser")),
        ("w_E", "leaving / (p_0 - leaving)" if layout.kind != "still" else "0.0"),
        ("u_set", "1.0 / (T_set + 273.15)"),
        ("saturation", f"{solubility('u_set', 'vapour_set')} * soluble * {OXYGEN_IN_AIR!r} * (p_s - vapour_set)"),
        ("DO_set", "DO_share * saturation if DO_share >= 0.0 else -1.0"),
        ("F_start", "F_0 / V_0 + dilution * v"),
        (_of_air(layout, "r_O"), repr(OXYGEN_IN_AIR / _INERT)),
        ("r_C", repr(CO2_IN_AIR / _INERT)),
    ]
    return [*lines, *_gas_supply(layout), *_jacket(layout)]


def _pressure(layout: Layout) -> str:
    """bar at half height of the liquid, for v = 1."""
    if layout.kind == "still":
        return "0.0"
    return f"{BROTH_DENSITY * GRAVITY / 2 * 1e-5 * 4 / math.pi / 1000!r} * V_0 / D_T ** 2"


def _gas_supply(layout: Layout) -> list[Line]:
    wanted = ("flow_wanted", f"vvm * V_s / 60000.0 * (T_set + 273.15) / 273.15 * {ATMOSPHERE!r} / p_s")
    lines: list[Line] = [wanted]
    if layout.kind == "stirred":
        lines += [
            # Nienow 1998, as `flooding_gas_flow`: the gas that floods at 1 revolution a second.
            ("flood_one", f"30.0 * (D_i / D_T) ** 3.5 * (D_i / {GRAVITY!r}) * D_i ** 3"),
            ("flood_most", "flood_one * (speed_high / 60.0) ** 3"),
            ("gas_cut", "flood_most / flow_wanted if flow_wanted > flood_most else 1.0"),
        ]
    else:
        lines.append(("gas_cut", "1.0"))
    if layout.gas_follows:
        first = [("gas_first", "vvm * gas_cut * V_s"), ("flow_first", "flow_wanted * gas_cut")]
        return [*lines, *first, *_stirrer_held(), *gas_held(layout)]
    lines += [("flow", "flow_wanted * gas_cut"), ("gas", "vvm * gas_cut * V_s"), *_gas_amount(layout)]
    if layout.kind == "stirred":
        return [*lines, *_stirrer_held(), *_stirrer_ends()]
    return [*lines, *{"airlift": _airlift_held, "still": _still_held}[layout.kind]()]


def _of_air(layout: Layout, symbol: str) -> str:
    """The symbol of what holds for air alone, where pure oxygen may come with it."""
    return f"{symbol}_air" if layout.oxygen_follows else symbol


def _gas_amount(layout: Layout) -> list[Line]:
    """Inert mol/h per litre at the start, were all of the gas air, and the gas's velocity."""
    return [
        (_of_air(layout, "inert"), f"gas * {60 / NORMAL_VOLUME * _INERT!r} / V_0"),
        ("velocity", f"flow / ({math.pi / 4!r} * D_T ** 2)" if layout.kind != "still" else "0.0"),
    ]


def _stirrer_held() -> list[Line]:
    return [
        # van 't Riet 1979, both correlations as in `kLa_coalescing`; the power density is in W/L here.
        ("alpha", "0.4 * coalescence + 0.7 * (1.0 - coalescence)"),
        ("beta", "0.5 * coalescence + 0.2 * (1.0 - coalescence)"),
        ("k_base", "3600.0 * 0.026 ** coalescence * 0.002 ** (1.0 - coalescence) * 1000.0 ** alpha"),
        ("bare_one", f"impellers * P_number * {BROTH_DENSITY!r} * D_i ** 5 / V_0"),
        ("P_drive", "P_motor / V_0"),
    ]


def _stirrer_ends() -> list[Line]:
    """Transfer without power, and power at both ends of the stirrer's range, where the gas stays as it is set."""
    lines: list[Line] = [
        ("speed_flood", "60.0 * (flow / flood_one) ** 0.3333333333333333 if flow > 0.0 else 0.0"),
        ("speed_first", "min(max(speed_low, speed_flood), speed_high)"),
        ("K_L", "k_base * velocity ** beta if velocity > 0.0 else 0.0"),
        ("cubic", "(V_s / 1000.0) ** 0.6666666666666666"),
    ]
    for end, speed in (("low", "speed_first"), ("high", "speed_high")):
        # Taken at the start of the stretch; it then grows with the volume and is capped at the power without gas.
        ratio = (
            f"0.1 * (flow / (turns_{end} * V_s / 1000.0)) ** -0.25"
            f" * (turns_{end} ** 2 * D_i ** 4 / ({GRAVITY!r} * D_i / 5.0 * cubic)) ** -0.2"
        )
        lines += [
            (f"turns_{end}", f"{speed} / 60.0"),
            (f"P_{end}", f"bare_one * turns_{end} ** 3"),
            (f"G_{end}", f"P_{end} * {ratio} / v ** {GASSED_VOLUME_EXPONENT!r} if flow > 0.0 else 1e3 * P_{end}"),
        ]
    return lines


def _airlift_held() -> list[Line]:
    return [("speed_first", "0.0"), ("k_held", "k_gas * velocity ** n_gas if velocity > 0.0 else 0.0")]


def _still_held() -> list[Line]:
    return [("speed_first", "0.0"), ("k_held", "k_ref * (V_s / V_ref) ** k_exponent"), ("w_lost", "w_still / V_0")]


def _jacket(layout: Layout) -> list[Line]:
    if layout.kind == "still":  # the incubator's air
        return [("UA", "100.0"), ("T_low", "T_set - 20.0"), ("T_high", "T_set + 20.0")]
    return [("UA", "U_jacket * A_jacket / V_0"), ("T_low", "T_cool + 0.0"), ("T_high", "T_heat + 0.0")]


def gas_lines(layout: Layout) -> list[Line]:
    """The gas phase, well mixed and without hold-up, the stirrer that holds dissolved oxygen, and heat.

    `OUR`, `CER` (mmol/L/h) are the means over the zones, `DO_k`, `C_k` what each zone holds.
    """
    return [
        ("kelvin_inverse", "1.0 / (T + 273.15)"),
        ("vapour_now", vapour("T")),
        ("henry_O", f"soluble * {solubility('kelvin_inverse', 'vapour_now')}"),
        # Sander 2015, as `carbon_dioxide_solubility`
        ("henry_C", f"33.0 * exp(2400.0 * (kelvin_inverse - {1 / 298.15!r}))"),
        ("pressure", "p_0 + p_v * v"),
        ("dry", "1.0 - y_W"),
        ("full_O", "henry_O * pressure * dry"),
        ("full_C", "henry_C * pressure * dry"),
        *(_follows(layout) if layout.cascade else _power(layout) if layout.kind == "stirred" else []),
        ("inert_mmol", "1000.0 * inert"),
        # Mole ratios to the inert gas if the liquid took exactly what the cells use: what the controller aims at.
        ("aim_O", "max(r_O - OUR * v / inert_mmol, 0.0)"),
        ("ratio_0", "1.0 + aim_O + r_C + CER * v / inert_mmol"),
        ("star", "full_O * aim_O / ratio_0"),
        *(_speed(layout) if layout.kind == "stirred" else _fixed()),
        ("give", f"kLa * {layout.stirred_size} / 1000.0"),
        ("strip", f"{CO2_TRANSFER_RATIO!r} * give"),
        *_passes(),
        ("got_O", "inert_mmol * (r_O - out_O)"),
        ("lost_C", "inert_mmol * (out_C - r_C)"),
        ("evaporated", f"inert * ratio_2 * w_E * {H2O_MASS!r}" if layout.kind != "still" else "w_lost"),
        *_heat(),
    ]


def _power(layout: Layout) -> list[Line]:
    """Power and kLa at both ends of the stirrer's range, where the gas stays as it is set."""
    exponent, per = GASSED_VOLUME_EXPONENT, layout.stirred_per
    return [
        ("v_gassed", f"{layout.stirred_size} ** {exponent!r}"),
        ("P_top", "min(min(G_high * v_gassed, P_high), P_drive)"),
        ("P_bottom", "min(min(G_low * v_gassed, P_low), P_top)"),
        ("kLa_low", f"K_L * (P_bottom * {per}) ** alpha"),
        ("kLa_high", f"K_L * (P_top * {per}) ** alpha"),
    ]


def _follows(layout: Layout) -> list[Line]:
    """The gas as the cascade's stages beside the stirrer make it, and kLa at both ends of the stirrer in that gas."""
    end = "high" if layout.precedes("stirrer_speed", "oxygen_share") else "low"
    if layout.gas_follows:
        early = layout.oxygen_follows and layout.precedes("oxygen_share", "aeration")
        lines = sizes(layout)
        if early:
            lines += [*transfer_in(end, "_first", "n_first"), *share_stage(layout, "exp(k_first)", "n_first")]
        lines += [*gas_stage(layout), *_gas_now(layout)]
        lines += [] if early else share_stage(layout, f"kLa_{end}", "n_gas")
    else:
        lines = [*_power(layout), *share_stage(layout, f"kLa_{end}", f"gas * {60 / NORMAL_VOLUME!r} / V_0")]
    if not layout.oxygen_follows:
        return lines
    air = f"max(1.0 - share, {LEAST_AIR!r})"
    return [*lines, ("air", air), ("inert", "inert_air * air"), ("r_O", f"r_O_air + share / (air * {_INERT!r})")]


def _gas_now(layout: Layout) -> list[Line]:
    """Flow, and kLa at both ends of the stirrer, in the gas that the cascade gives."""
    return [
        ("flow", "n_gas * flow_one"),
        ("gas", f"n_gas * V_0 / {60 / NORMAL_VOLUME!r}"),
        *_gas_amount(layout),
        ("n_some", "max(n_gas, 1e-30)"),
        *transfer_in("low", "_low", "n_some"),
        *transfer_in("high", "_high", "n_some"),
        ("kLa_low", "exp(k_low)"),
        ("kLa_high", "exp(k_high)"),
        ("speed_first", "60.0 * exp(b_low)"),
    ]


def _speed(layout: Layout) -> list[Line]:
    size = layout.stirred_size
    lines: list[Line] = [
        ("drive", "star - DO_set"),
        ("kLa_wanted", f"{used(layout)} / drive if drive > 1e-9 else kLa_high"),
        ("kLa_held", "min(max(kLa_wanted, kLa_low), kLa_high)"),
        ("kLa", "kLa_held if DO_set >= 0.0 else kLa_low"),
    ]
    if layout.gas_follows:
        # By Hughmark's law the power is that of the speed at either end too.
        return [*lines, ("power", f"{size} * exp((log(max(kLa, 1e-300)) - l_kLa - beta * x_high) / alpha)")]
    return [
        *lines,
        ("power_held", f"{size} * (kLa / K_L) ** (1.0 / alpha) if K_L > 0.0 else P_bottom"),
        ("power", "power_held if DO_set >= 0.0 else P_bottom"),
    ]


def _fixed() -> list[Line]:
    return [("kLa", "k_held + 0.0"), ("kLa_high", "k_held + 0.0"), ("power", "0.0")]


def _passes() -> list[Line]:
    """What the inlet brings and the liquid does not take leaves with the inert gas.

    `ratio` is total dry gas per inert; two passes settle it, and the balance is exact whatever it is.
    """
    lines: list[Line] = []
    for number in (1, 2):
        last = f"ratio_{number - 1}"
        end = "" if number == 2 else "_1"
        lines += [
            (f"out_O{end}", f"(inert * r_O + give * DO) / (inert + give * full_O / {last})"),
            (f"out_C{end}", f"(inert * r_C + strip * C_CO2) / (inert + strip * full_C / {last})"),
            (f"ratio_{number}", f"1.0 + out_O{end} + out_C{end}"),
        ]
    return [*lines, ("x_O2_out", "out_O / ratio_2"), ("x_CO2_out", "out_C / ratio_2")]


def _heat() -> list[Line]:
    return [
        ("heat", f"OUR * v * {HEAT_OF_RESPIRATION / 3600.0!r}"),
        ("unwanted", f"heat + power + {HEAT_CAPACITY * 1e-3 / 3600.0 * TEMPERATURE_GAIN!r} * v * (T - T_set)"),
        ("capacity", "UA * (T - T_low)"),
        ("cooling", "max(min(unwanted, capacity), UA * (T - T_high))"),
    ]
