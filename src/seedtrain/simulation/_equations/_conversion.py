"""What the cells do in one zone, as text: local concentrations, the culture's expressions, net rates."""

from __future__ import annotations

from seedtrain.simulation._equations._closure import CLOSERS
from seedtrain.simulation._equations._places import Layout
from seedtrain.simulation._equations._text import Line, own, parameter_names, total


def zone_lines(layout: Layout, zone: int) -> list[Line]:
    """Concentrations (`u<zone>_S` ...) and the net rates `net<zone>_...` per litre of the zone and hour."""
    suffix, tag = layout.suffixes[zone], str(zone)
    per = layout.per(zone)
    u = f"u{tag}_"

    def content(state: str) -> str:
        # A solver may step a hair below zero; rates see zero, and so drive nothing further down.
        return f"{state}{suffix} * {per} if {state}{suffix} > 0.0 else 0.0"

    lines: list[Line] = [(f"{u}{name}", content(f"m_{name}")) for name in layout.culture.species]
    lines += [
        (f"{u}I", content("n_I")),
        (f"{u}DO", content("n_O")),
        (f"{u}DO_percent", f"100.0 * {u}DO / saturation"),
        (f"{u}C_CO2", f"carbonic * ({content('n_C')})"),
        (f"{u}NH", content("n_N")),
        (f"{u}T", "T"),
        (f"{u}pH", "pH"),
    ]
    return [*lines, *_rates(layout, tag)]


def _rates(layout: Layout, tag: str) -> list[Line]:
    culture, parameters = layout.culture, parameter_names(layout.culture)
    lines = [(f"u{tag}_{name}", own(text.code, parameters, tag)) for name, text in culture.expressions.items()]
    lines += [(f"r{tag}_{i}", own(item.rate.code, parameters, tag)) for i, item in enumerate(culture.conversions)]
    per = f"u{tag}_{culture.biomass} * " if culture.basis == "biomass" else ""
    for name in culture.species:
        terms = [f"s{i}_{name} * r{tag}_{i}" for i, item in enumerate(culture.conversions) if name in item.amounts]
        if name in culture.rates:
            terms.append(own(culture.rates[name].code, parameters, tag))
        lines.append((f"net{tag}_{name}", f"{per}({total(terms)})"))
    for closer in CLOSERS:
        terms = [f"z{i}_{closer} * r{tag}_{i}" for i, _ in enumerate(culture.conversions)]
        lines.append((f"close{tag}_{closer}", f"{per}({total([*terms, *_published(layout, closer, tag)])})"))
    return lines


def _published(layout: Layout, closer: str, tag: str) -> list[str]:
    """Gases that a culture with published rates names itself, mmol."""
    gas, sign = {"O": ("O2", "-1.0 * "), "C": ("CO2", ""), "N": ("NH3", "")}.get(closer, ("", ""))
    rate = layout.culture.rates.get(gas)
    return [] if rate is None else [f"{sign}({own(rate.code, parameter_names(layout.culture), tag)})"]
