"""The stages of the oxygen's cascade beside the stirrer, as text: gas flow, and pure oxygen in the gas.

Quasi-steady and ideal: each stage stands where transfer at the set point is what the cells use, with the stages before
it at their end and those after it at their start, and within its own range. Every stage is so a clipped function of the
uptake, and what is transferred has no step where one hands over. Speed and pure oxygen follow in closed form. Gas has
none, for transfer grows with a power of it and what leaves with its inverse: some steps of Halley in the inverse of the
flow, in which the balance is nearly straight. The speed is computed last, from the gas as it then is, and so takes up
what these steps leave.
"""

from __future__ import annotations

import math
from typing import Final

from seedtrain.simulation._equations._places import GAS_HIGH, SHARE_HIGH, Layout
from seedtrain.simulation._equations._text import Line
from seedtrain.simulation._estimate import GRAVITY
from seedtrain.simulation._transfer import (
    ATMOSPHERE,
    GASSED_SPEED_EXPONENT,
    NORMAL_VOLUME,
    OXYGEN_IN_AIR,
)

GASSED_VOLUME_EXPONENT: Final = 0.25 + 2 / 3 * 0.20  # Hughmark 1980: how gassed power grows with volume
STEPS: Final = 3
"""Of Halley: over 4000 random tanks whose gas rises up to twentyfold the flow is then within 4e-6 in 99 of 100."""
LEAST_AIR: Final = 1e-6  # of the gas: keeps mole ratios to what is inert finite where all of it is oxygen
_LEAST: Final = 1e-12  # mol/h per litre
_MOLE: Final = 60 / NORMAL_VOLUME  # mol/h of a normal L/min


def gas_held(layout: Layout) -> list[Line]:
    """Where the stage of gas begins and what bounds it, as `n_`: mol/h of dry gas per litre at the start.

    `l_` are logarithms of what transfer and power are made of, at 1 mol/h of gas and 1 revolution a second.
    """
    if not layout.gas_follows:
        return []
    volume = "0.6666666666666666 * log(V_s / 1000.0)"
    return [
        ("n_first", f"gas_first * {_MOLE!r} / V_0"),
        ("flow_one", f"(T_set + 273.15) / 273.15 * {ATMOSPHERE!r} / p_s / 60000.0 * V_0 / {_MOLE!r}"),  # m3/s
        ("n_most", f"max(n_first, min({GAS_HIGH} * V_s * {_MOLE!r} / V_0, flood_most / flow_one))"),
        ("l_kLa", f"log(k_base) + beta * log(flow_one / ({math.pi / 4!r} * D_T ** 2))"),
        ("l_P", "log(bare_one)"),
        (
            "l_G",
            f"l_P + log(0.1) - 0.25 * log(flow_one * 1000.0 / V_s) - {GASSED_VOLUME_EXPONENT!r} * log(v)"
            f" - 0.2 * (log(D_i ** 4 / ({GRAVITY!r} * D_i / 5.0)) - {volume})",
        ),
        ("l_drive", "log(P_drive)"),
        ("l_low", "log(max(speed_low, 1e-6) / 60.0)"),
        ("l_high", "log(max(speed_high, 1e-6) / 60.0)"),
        ("l_flood", "log(flow_one / flood_one) / 3.0"),
    ]


def transfer_in(end: str, tag: str, moles: str) -> list[Line]:
    """`k{tag}`: logarithm of kLa at one `end` of the stirrer (low, high), where `moles` mol/h of gas come in."""
    turns = "l_high" if end == "high" else f"min(max(l_low, l_flood + x{tag} / 3.0), l_high)"
    return [
        (f"x{tag}", f"log({moles})"),
        (f"b{tag}", f"{turns} + 0.0"),
        (f"bare{tag}", f"min(l_P + 3.0 * b{tag}, l_drive)"),
        (f"gassed{tag}", f"l_G + {GASSED_SPEED_EXPONENT!r} * b{tag} + l_size - 0.25 * x{tag}"),
        (f"k{tag}", f"l_kLa + beta * x{tag} + alpha * (min(bare{tag}, gassed{tag}) + l_per)"),
    ]


def sizes(layout: Layout) -> list[Line]:
    """Logarithms that follow the volume."""
    return [
        ("l_per", f"-log({layout.stirred_size})"),
        ("l_size", f"-{GASSED_VOLUME_EXPONENT!r} * l_per"),
    ]


def gas_stage(layout: Layout) -> list[Line]:
    """`n_gas`: what the stage of gas gives, mol/h per litre at the start."""
    rich = layout.oxygen_follows and layout.precedes("oxygen_share", "aeration")
    lines: list[Line] = [
        ("y_in", f"{OXYGEN_IN_AIR!r} + {1 - OXYGEN_IN_AIR!r} * {SHARE_HIGH}" if rich else repr(OXYGEN_IN_AIR)),
        ("y_rest", "1.0 - y_in"),
        ("taken", "OUR * v / 1000.0"),
        ("given", "CER * v / 1000.0"),
        ("bends", "taken * y_rest + given * y_in"),
        # Less gas than this holds less oxygen than the cells use.
        ("n_0", f"min(max(max(n_first, taken / y_in), {_LEAST!r}), n_most)"),
    ]
    for number in range(STEPS):
        lines += _step(layout, str(number), str(number + 1))
    return [*lines, ("n_gas", f"n_{STEPS} if DO_set >= 0.0 else n_first")]


def _step(layout: Layout, at: str, then: str) -> list[Line]:
    """One step towards the gas at which the gas drives the transfer as much as that needs.

    Both ends of the range stand: where the start is too much it stays there, where the end is too little it stays.
    """
    end = "high" if layout.precedes("stirrer_speed", "aeration") else "low"
    rise = "0.0" if end == "high" else f"0.3333333333333333 if l_flood + x_{at} / 3.0 > l_low else 0.0"
    speed = GASSED_SPEED_EXPONENT
    bare = f"(3.0 * rise_{at} if l_P + 3.0 * b_{at} < l_drive else 0.0)"
    return [
        *transfer_in(end, f"_{at}", f"n_{at}"),
        (f"rise_{at}", rise),
        (f"e_{at}", f"beta + alpha * ({speed!r} * rise_{at} - 0.25 if gassed_{at} < bare_{at} else {bare})"),
        (f"need_{at}", f"{used(layout)} * exp(-k_{at})"),
        (f"left_{at}", f"max(n_{at} * y_in - taken, 0.0)"),
        (f"all_{at}", f"1.0 / (n_{at} * y_rest + left_{at} + given + {_LEAST!r})"),
        (f"spare_{at}", f"full_O * left_{at} * all_{at} - DO_set - need_{at}"),
        # First and second derivative by the inverse of the flow, times it once and twice.
        (f"bend_{at}", f"full_O * n_{at} * bends * all_{at} * all_{at}"),
        (f"slope_{at}", f"bend_{at} + need_{at} * e_{at} + {_LEAST!r}"),
        (
            f"curve_{at}",
            f"2.0 * bend_{at} * (given - taken) * all_{at} + e_{at} * (1.0 - e_{at}) * need_{at}",
        ),
        (f"square_{at}", f"slope_{at} * slope_{at}"),
        (
            f"less_{at}",
            f"2.0 * spare_{at} * slope_{at} / max(2.0 * square_{at} - spare_{at} * curve_{at}, square_{at})",
        ),
        (f"n_{then}", f"min(max(n_{at} / max(1.0 + less_{at}, n_{at} / n_most), n_first), n_most)"),
    ]


def used(layout: Layout) -> str:
    """What the gas of the stirred part must bring, mmol per litre of it and hour: a side compartment's share too."""
    return "OUR" if layout.stirred_size == "v" else f"OUR * v * {layout.stirred_per}"


def share_stage(layout: Layout, kLa: str, moles: str) -> list[Line]:
    """`share`: what the stage of pure oxygen gives, where transfer is at `kLa` and `moles` mol/h of gas come in."""
    if not layout.oxygen_follows:
        return []
    rest = 1 - OXYGEN_IN_AIR
    return [
        ("star_wanted", f"DO_set + {used(layout)} / max({kLa}, 1e-9)"),
        ("y_left", f"star_wanted / full_O * max({moles} - (OUR - CER) * v / 1000.0, 0.0)"),
        ("share_wanted", f"((OUR * v / 1000.0 + y_left) / max({moles}, {_LEAST!r}) - {OXYGEN_IN_AIR!r}) / {rest!r}"),
        ("share", f"min(max(share_wanted, 0.0), {SHARE_HIGH}) if DO_set >= 0.0 else 0.0"),
    ]
