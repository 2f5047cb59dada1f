"""A culture in a vessel as one `System`: balances of every zone, what crosses the boundary, what phases wait for.

Amounts are per litre of the volume at the start (`v` = volume / start volume), so that a scaled vessel gives the same
numbers. A tank of N zones has N equal parts of the volume, top to bottom, with the same culture in each; feed and base
enter at the top, gas is one well-mixed phase under the local pressure. A tank with a side compartment has two parts:
that one keeps its volume, takes the feed, and gas only where it is aerated; base, additions and what leaves are the
tank's own.
"""

from __future__ import annotations

from typing import Final

from seedtrain.simulation._engine import System
from seedtrain.simulation._equations._closure import closure
from seedtrain.simulation._equations._conversion import zone_lines
from seedtrain.simulation._equations._places import LIQUID, OBSERVED, SHARE, Layout
from seedtrain.simulation._equations._text import Line, total
from seedtrain.simulation._equations._vessel_lines import gas_lines, held_lines
from seedtrain.simulation._transfer import CO2_TRANSFER_RATIO, HEAT_CAPACITY

LIMITED_FRACTION: Final = 0.5
"""Oxygen limits where dissolved oxygen falls below this part of its set point; assumed."""
COOLING_SLACK: Final = 0.5  # K above the set point: the jacket cannot hold it
SCARCE: Final = 1.0  # mmol/L of ammonium, some way above K_N
DEPLETED: Final = 0.01  # g/L of substrate, some way below K_S


def culture_system(layout: Layout) -> System:
    """The equations of `layout`; numbers in the order of `layout.numbers`."""
    if layout.key not in _SYSTEMS:
        _SYSTEMS[layout.key] = System(
            name=f"{layout.culture.name} in a {layout.kind} vessel",
            states=layout.states,
            numbers=layout.numbers,
            held=(*closure(layout.culture), *held_lines(layout)),
            lines=tuple(_lines(layout)),
            rates=tuple(_rates(layout)),
            gauges=tuple(_gauges(layout)),
            observed=(
                *OBSERVED,
                *(f"u{zone}_DO" for zone in range(layout.zones if layout.zones > 1 else 0)),
                *((SHARE,) if layout.oxygen_follows else ()),
            ),
        )
    return _SYSTEMS[layout.key]


_SYSTEMS: dict[tuple[str, str, int, bool, int, int, tuple[bool, bool], tuple[str, ...]], System] = {}


def _lines(layout: Layout) -> list[Line]:
    zones = range(layout.zones)
    lines: list[Line] = [("v_inverse", "1.0 / v")]
    if layout.side:
        lines += [("side", "V_side / V_0"), ("main", "v - side")]
        lines += [("z_inverse_0", "1.0 / side"), ("z_inverse_1", "1.0 / main")]
    elif layout.zones > 1:
        lines.append(("z_inverse", f"{float(layout.zones)!r} * v_inverse"))
    for zone in zones:
        lines += zone_lines(layout, zone)
    lines += [("OUR", _mean(layout, "close{}_O")), ("CER", _mean(layout, "close{}_C"))]
    gassed = _of_tank if layout.stirred_size == "main" else _mean
    lines += [("DO", gassed(layout, "u{}_DO")), ("C_CO2", gassed(layout, "u{}_C_CO2"))]
    lines += [
        ("acid", _mean(layout, "close{}_H")),
        ("F", "F_start * exp(F_mu * t)"),
        ("B", "max(acid, 0.0) * v / B_N if B_N > 0.0 else 0.0"),
    ]
    return [*lines, *gas_lines(layout), *_volumes(layout), *_observations(layout)]


def _mean(layout: Layout, pattern: str) -> str:
    """The mean over the zones."""
    if layout.side:
        return f"(({pattern.format(0)}) * side + ({pattern.format(1)}) * main) * v_inverse"
    terms = total(pattern.format(zone) for zone in range(layout.zones))
    return terms if layout.zones == 1 else f"({terms}) / {float(layout.zones)!r}"


def _of_tank(layout: Layout, pattern: str) -> str:
    """Of the tank beside which a side compartment stands: what its gas meets."""
    return pattern.format(1) + " + 0.0"


def _volumes(layout: Layout) -> list[Line]:
    """`grow`: change of the volume; `H`, `D`: harvest, bleed; `down<k>`: net flow from zone k; L/h per start volume."""
    lines: list[Line] = [("came", "F + B - evaporated / 1000.0")]
    if layout.outflow:
        lines += [
            ("D", "D_0 / V_0"),
            ("H", "H_0 / V_0 if H_0 >= 0.0 else max(came - D, 0.0)"),
            ("grow", "came - H - D"),
        ]
    else:
        lines += [("H", "0.0"), ("D", "0.0"), ("grow", "came + 0.0")]
    n = layout.zones
    if layout.side:
        return [*lines, ("down0", "F + 0.0"), ("pumped", "Q_zone / V_0")]
    for zone in range(n - 1):
        # Every zone loses its share of vapour, harvest and bleed, and keeps its share of the volume; what feed and base
        # bring to one of them flows on, down or (negative) up.
        came = 1.0 if zone >= layout.feed_zone else 0.0
        lines.append((f"down{zone}", f"{came - (zone + 1) / n!r} * (F + B)"))
    if n > 1:
        lines.append(("exchange", "Q_zone / V_0 * z_inverse"))
    return lines


def _observations(layout: Layout) -> list[Line]:
    culture = layout.culture
    lines: list[Line] = []
    for name in ("mu", "q_S", "q_P"):
        given = culture.outputs.get(name)
        lines.append((name, _mean(layout, "u{}_" + given) if given else "0.0"))
    if culture.biomass:
        cells = _mean(layout, "u{}_" + culture.biomass)
        lines += [("cells", cells), ("q_O2", "OUR / cells if cells > 0.0 else 0.0")]
    else:
        lines.append(("q_O2", "0.0"))
    return [*lines, ("OTR", "got_O * v_inverse")]


def _rates(layout: Layout) -> list[str]:
    found: list[str] = []
    for zone in range(layout.zones):
        found += _zone_rates(layout, zone)
    product = layout.culture.symbol("product")
    return [
        *found,
        "grow",
        f"(heat + power - cooling) * 3600.0 / ({HEAT_CAPACITY * 1e-3!r} * v)",
        "got_O",
        "lost_C",
        "B",
        "evaporated",
        "OUR * v",
        f"({_mean(layout, 'net{}_' + product)}) * v" if product else "0.0",
        "power * 3600.0",
        "cooling * 3600.0",
        *(_left(layout) if layout.outflow else ()),
        *(
            ("gas * 60.0 / V_0", f"gas * {SHARE if layout.oxygen_follows else '0.0'} * 60.0 / V_0")
            if layout.cascade
            else ()
        ),
    ]


def _zone_rates(layout: Layout, zone: int) -> list[str]:
    """d/dt of the states of one zone, in the order of `Layout.states`."""
    share = layout.size(zone)
    part = "" if layout.zones == 1 else f" / {float(layout.zones)!r}"
    if layout.side:
        part = " * 0.0" if zone == 0 else ""
    made = {f"m_{name}": f"net{zone}_{name} * {share}" for name in layout.culture.species}
    made |= {"n_I": "0.0", "n_N": f"close{zone}_N * {share}", "m_Z": f"close{zone}_Z * {share}"}
    made |= {"m_W": f"close{zone}_W * {share} - evaporated{part}"}
    made |= {"n_O": _oxygen(layout, zone, share), "n_C": _carbon(layout, zone, share)}
    fed = {f"m_{name}": f"F * F_{name}_" for name in layout.culture.species}
    fed |= {"n_I": "F * F_I", "n_N": "F * F_N + B * B_N", "m_W": "F * F_W + B * B_W", "m_Z": "F * F_Z"}
    based: dict[str, str] = {}
    if layout.side:
        fed |= {"n_N": "F * F_N", "m_W": "F * F_W"}
        based = {"n_N": "B * B_N", "m_W": "B * B_W"}
    found = []
    for name in (*(f"m_{name}" for name in layout.culture.species), *LIQUID):
        terms = [
            made[name],
            *([fed[name]] if zone == layout.feed_zone and name in fed else []),
            *([based[name]] if zone == 1 and name in based else []),
            *_between(layout, zone, name),
        ]
        if layout.outflow and not (layout.side and zone == 0):
            per = layout.per(1) if layout.side else "v_inverse"
            terms.append(f"-({_leaving(layout, name)}) * {name}{layout.suffixes[zone]} * {per}")
        found.append(" + ".join(terms))
    return found


def _oxygen(layout: Layout, zone: int, share: str) -> str:
    if layout.zones == 1:
        return f"got_O - close{zone}_O * {share}"
    if layout.stirred_size == "main":
        return f"{'got_O' if zone else '0.0'} - close{zone}_O * {share}"
    full = f"henry_O * dry * {_local(layout, zone)}"
    return f"kLa * {share} * ({full} * out_O / ratio_1 - u{zone}_DO) - close{zone}_O * {share}"


def _carbon(layout: Layout, zone: int, share: str) -> str:
    if layout.zones == 1:
        return f"close{zone}_C * {share} - lost_C"
    if layout.stirred_size == "main":
        return f"close{zone}_C * {share} - {'lost_C' if zone else '0.0'}"
    full = f"henry_C * dry * {_local(layout, zone)}"
    rate = f"{CO2_TRANSFER_RATIO!r} * kLa * {share}"
    return f"close{zone}_C * {share} + {rate} * ({full} * out_C / ratio_1 - u{zone}_C_CO2)"


def _local(layout: Layout, zone: int) -> str:
    """bar in the middle of a zone; `p_v` is what half the height adds."""
    if layout.side:
        return "pressure"
    return f"(p_0 + p_v * v * {2 * (zone + 0.5) / layout.zones!r})"


def _between(layout: Layout, zone: int, name: str) -> list[str]:
    """What neighbouring zones bring less what goes there; concentrations are amounts times `z_inverse`."""
    if layout.zones == 1:
        return []
    here = f"{name}{layout.suffixes[zone]}"
    if layout.side:
        beside, tank = (f"{name}{suffix} * {layout.per(at)}" for at, suffix in enumerate(layout.suffixes))
        return [f"{'-' if zone == 0 else ''}(pumped * ({beside} - {tank}) + down0 * {beside})"]
    terms = []
    for other, sign in ((zone - 1, 1), (zone + 1, -1)):
        if not 0 <= other < layout.zones:
            continue
        there, flow = f"{name}{layout.suffixes[other]}", min(zone, other)
        downward = flow >= layout.feed_zone
        carried = there if downward == (sign > 0) else here  # what flows is what stands upstream
        terms.append(f"exchange * ({there} - {here}) + {sign:.1f} * down{flow} * z_inverse * {carried}")
    return terms


def _leaving(layout: Layout, name: str) -> str:
    """L/h per start volume of broth that takes `name` along; the device keeps cells, and a product in solution."""
    species = layout.culture.species.get(name.removeprefix("m_"))
    if species is not None and species.intracellular:
        return "D + H * (1.0 - keep)"
    if species is not None and species.known_as == "product":
        return "D + H * (1.0 - keep_product)"
    return "D + H"


def _left(layout: Layout) -> list[str]:
    """What harvest and bleed took, in the order of `LEFT`, then the species."""

    def taken(name: str) -> str:
        held = layout.suffixes[1:] if layout.side else layout.suffixes
        amount = total(f"{name}{suffix}" for suffix in held)
        return f"({_leaving(layout, name)}) * ({amount}) * {layout.per(1) if layout.side else 'v_inverse'}"

    return ["H + D", *(taken(name) for name in LIQUID), *(taken(f"m_{name}") for name in layout.culture.species)]


def _gauges(layout: Layout) -> list[Line]:
    """What is watched: it happens when the gauge rises through zero, and is over when it falls again."""
    culture = layout.culture

    def content(name: str) -> str:
        return f"({total(f'{name}{suffix}' for suffix in layout.suffixes)}) / v"

    probed = layout.content("n_O", layout.probe_zone)
    inside = {f"m_{name}": item.mass or 1.0 for name, item in culture.species.items() if item.intracellular}
    cells = (f"{mass!r} * {content(name)}" for name, mass in inside.items())
    readings = {
        "biomass": total(cells),  # what a sample weighs: dry cells with what is in them
        "volume": "v * V_0",
        "temperature": "T",
        "dissolved_oxygen": f"{probed} / saturation",
        "oxygen_uptake_rate": "OUR",
        "carbon_dioxide_evolution_rate": "CER",
        **{f"m_{name}": content(f"m_{name}") for name in culture.species},
    }
    gauges = [(f"aim_{name}", f"aim_sign * ({text} - aim)") for name, text in readings.items()]
    gauges += [
        ("full", "v * V_0 - V_most"),
        ("oxygen_limited", f"{LIMITED_FRACTION!r} * DO_set - {probed}"),
        ("cooling_limited", f"T - (T_set + {COOLING_SLACK!r})"),
        ("nitrogen_limited", f"{SCARCE!r} - {content('n_N')}"),
    ]
    substrate = culture.symbol("glucose")
    if substrate:
        gauges.append(("depleted", f"{DEPLETED!r} - {content(f'm_{substrate}')}"))
    return gauges
