"""The balances of a stirred reactor around a compiled metabolism, as lines of scalar Python.

State: X gDW/L, concentrations c mmol/L that something depends on, where something is fed the volume V in L, and then
passive concentrations (or amounts per litre) that nothing depends on, in arrays.

    dX/dt = (growth - k_d * deficit - F/V) X
    dc/dt = exchange * X + F/V (c_feed - c) + kLa (c_saturated - c)
    dV/dt = F,  F = rate * exp(growth_of_feed * (t - start)) of each feed that runs

On a region growth, deficit and exchanges are affine in the moving bounds t0, t1 ...; `maps[r, row]` holds their slopes
and, last, their offsets: row 0 growth, row 1 deficit, then the exchange of each concentration, passive ones last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from seedtrain.simulation._metabolism._kernels._structure import CONSTANT, MONOD, TRANSFER, Structure

LEAST_X: Final = "1e-12"  # gDW/L, keeps a supply per cell finite


def indent(lines: Sequence[str], depth: int) -> str:
    """`lines` as text, each `depth` levels in."""
    return "\n".join("    " * depth + line for line in lines)


def parameter(place: int) -> str:
    """A parameter as a kernel names it; numba takes long over an access to an array, so each is read once."""
    return f"p{place}"


def affine(row: int | str, p: int) -> str:
    """The output `row` in the region `r`, in terms of the bounds."""
    return f"output(maps, r, {row}, {point(p)})"


def point(p: int) -> str:
    """The bounds as arguments."""
    return ", ".join(f"t{k}" for k in range(p))


def bounds(structure: Structure, y: Sequence[str]) -> list[str]:
    """Set t0, t1 ... (mmol/gDW/h) from the state `y`; a depleted substrate gives zero."""
    found = []
    for k, bound in enumerate(structure.bounds):
        o = structure.bound_place(k)
        if bound.kind == MONOD:
            found.append(f"s = max({y[bound.substrate]}, 0.0)")
            share = f"{parameter(o)} * s / ({parameter(o + 1)} + s)"
            if bound.inhibitor >= 0:
                share += f" * ({parameter(o + 2)} / ({parameter(o + 2)} + max({y[bound.inhibitor]}, 0.0)))"
            found.append(f"t{k} = {share}")
        elif bound.kind == TRANSFER:
            found.append(
                f"t{k} = min({parameter(o)}, {parameter(o + 1)} * {parameter(o + 2)} / max({y[0]}, {LEAST_X}))"
            )
        else:
            found.append(f"t{k} = {parameter(o)}")
    return found


def region(structure: Structure, failed: Sequence[str]) -> list[str]:
    """Find the region `r` of the bounds, looking at `r` first; the lines `failed` run where there is none."""
    where = point(len(structure.bounds))
    return [
        f"if certified > 0 and inside(box, {where}):",
        f"    r = lowest(cut, {where}, r if 0 <= r < certified else 0)",
        "else:",
        f"    r = cached(halves, starts, box, certified, refuse, {where}, r)",
        "if r < 0:",
        *(f"    {line}" for line in failed),
    ]


def feeding(structure: Structure, time: str) -> list[str]:
    """Set u0, u1 ... to the flow of each feed at `time`, L/h."""
    found = []
    for feed in range(structure.feeds):
        o = structure.feed_place(feed)
        found.append(f"u{feed} = feeding[segment, {feed}] * {parameter(o)}")
        found.append(f"if {parameter(o + 1)} != 0.0 and u{feed} != 0.0:")
        found.append(f"    u{feed} *= math.exp({parameter(o + 1)} * ({time} - begun[{feed}]))")
    return found


def rates(structure: Structure, y: Sequence[str], f: Sequence[str], time: str) -> list[str]:
    """Set `f` to dy/dt in the region `r` with the bounds t0, t1 ..."""
    p, feeds = len(structure.bounds), structure.feeds
    found = [f"{f[0]} = ({affine(0, p)} - p0 * ({affine(1, p)})) * {y[0]}"]
    for j in range(1, structure.solutes + 1):
        text = f"{f[j]} = ({affine(j + 1, p)}) * {y[0]}"
        if structure.gas[j - 1]:
            o = structure.gas_place(j - 1)
            text += f" + {parameter(o)} * ({parameter(o + 1)} - {y[j]})"
        found.append(text)
    if feeds:
        volume = y[-1]
        found += feeding(structure, time)
        flow = " + ".join(f"u{feed}" for feed in range(feeds))
        found.append(f"{f[0]} -= ({flow}) / {volume} * {y[0]}")
        for j in range(1, structure.solutes + 1):
            fed = [f"u{i} * ({parameter(structure.feed_place(i) + 1 + j)} - {y[j]})" for i in range(feeds)]
            found.append(f"{f[j]} += ({' + '.join(fed)}) / {volume}")
        found.append(f"{f[-1]} = {flow}")
    return found


def passive_rates(structure: Structure, x: str, volume: str, value: str, rate: str) -> list[str]:
    """Set `rate` to the rate of the passive state `j`, whose value is `value`; the flows u0, u1 ... are set."""
    p, base = len(structure.bounds), 2 + structure.solutes
    found = [f"{rate} = {affine(f'{base} + j', p)} * {x}"]
    if structure.feeds:
        place = f"{structure.passive_place(0)} + {structure.passive_width} * j"
        fed = [f"u{i} * (P[{place} + {1 + i}] - {value})" for i in range(structure.feeds)]
        found.append(f"{rate} += ({' + '.join(fed)}) / {volume}")
    return found


def slopes(structure: Structure, y: Sequence[str], f: Sequence[str]) -> list[str]:
    """Set J = df/dy and G = df/dP (parameters x states) in the region `r`; what is always zero is left alone.

    `f` is the rate at `y`, and the bounds t0, t1 ... are set; passive states are `y[active + j]`, their rates `f[...]`.
    """
    found = [f"x = {y[0]}"]
    found += _by_state(structure, y, f)
    found += [f"G[0, 0] = -({affine(1, len(structure.bounds))}) * x"]
    for k, bound in enumerate(structure.bounds):
        found += _by_bound(structure, y, k, bound.kind)
    found += _by_feed(structure, y)
    return found


def _by_state(structure: Structure, y: Sequence[str], f: Sequence[str]) -> list[str]:
    """J without what passes through the bounds: growth in proportion to X, gas transfer and dilution."""
    last, active = structure.active - 1, structure.active
    found = ["for i in range(n):", "    for j in range(n):", "        J[i, j] = 0.0"]
    if structure.feeds:
        found += feeding(structure, "t")
        found.append(f"dilution = ({' + '.join(f'u{i}' for i in range(structure.feeds))}) / {y[last]}")
    for i in range(structure.solutes + 1):
        found.append(f"own = {f[i]}")  # what is proportional to X
        if i > 0 and structure.gas[i - 1]:
            o = structure.gas_place(i - 1)
            reach = f"({parameter(o + 1)} - {y[i]})"
            found += [f"own -= {parameter(o)} * {reach}", f"J[{i}, {i}] -= {parameter(o)}"]
            found += [f"G[{o}, {i}] = {reach}", f"G[{o + 1}, {i}] = {parameter(o)}"]
        if structure.feeds:
            fed = [f"u{k} * {parameter(structure.feed_place(k) + 1 + i)}" for k in range(structure.feeds)] if i else []
            found.append(f"supply = ({' + '.join(fed) or '0.0'}) / {y[last]} - dilution * {y[i]}")
            found += ["own -= supply", f"J[{i}, {i}] -= dilution", f"J[{i}, {last}] -= supply / {y[last]}"]
        found.append(f"J[{i}, 0] += own / x")
    found += [f"for j in range(n - {active}):", f"    i = {active} + j", "    own = f[i]"]
    if structure.feeds:
        place = f"{structure.passive_place(0)} + {structure.passive_width} * j"
        fed = [f"u{k} * P[{place} + {1 + k}]" for k in range(structure.feeds)]
        found.append(f"    supply = ({' + '.join(fed)}) / {y[last]} - dilution * y[i]")
        found += ["    own -= supply", "    J[i, i] -= dilution", f"    J[i, {last}] -= supply / {y[last]}"]
    return [*found, "    J[i, 0] += own / x"]


def _by_bound(structure: Structure, y: Sequence[str], k: int, kind: int) -> list[str]:
    """What passes through bound `k`, into J and G."""
    o, rows = structure.bound_place(k), range(structure.solutes + 1)
    found = [f"m0 = (maps[r, 0, {k}] - p0 * maps[r, 1, {k}]) * x"]
    found += [f"m{i} = maps[r, {i + 1}, {k}] * x" for i in rows if i > 0]
    found.append("by, other, first, second, third = 0.0, 0.0, 1.0, 0.0, 0.0")
    columns: dict[int, str] = {}
    if kind == MONOD:
        found += _monod(structure, y, k)
        columns = {structure.bounds[k].substrate: "by"}
        if structure.bounds[k].inhibitor >= 0:
            columns[structure.bounds[k].inhibitor] = "other"
    elif kind == TRANSFER:
        q_max, kLa, saturation = (parameter(o + shift) for shift in range(3))
        found += [
            f"if {kLa} * {saturation} / max(x, {LEAST_X}) < {q_max}:",
            f"    by = -{kLa} * {saturation} / (x * x)",
            f"    first, second, third = 0.0, {saturation} / x, {kLa} / x",
        ]
        columns = {0: "by"}
    slots = ("first",) if kind == CONSTANT else ("first", "second", "third")
    for i in rows:
        found += [f"J[{i}, {column}] += m{i} * {name}" for column, name in columns.items()]
        found += [f"G[{o + w}, {i}] = m{i} * {name}" for w, name in enumerate(slots)]
    base, active = 2 + structure.solutes, structure.active
    found += [f"for j in range(n - {active}):", f"    own = maps[r, {base} + j, {k}] * x"]
    found += [f"    J[{active} + j, {column}] += own * {name}" for column, name in columns.items()]
    return found + [f"    G[{o + w}, {active} + j] = own * {name}" for w, name in enumerate(slots)]


def _monod(structure: Structure, y: Sequence[str], k: int) -> list[str]:
    """Derivatives of a saturating uptake: none where the substrate is gone."""
    o, bound = structure.bound_place(k), structure.bounds[k]
    q_max, K_S, K_I = (parameter(o + shift) for shift in range(3))
    found = [f"s = {y[bound.substrate]}", "first = 0.0", "if s > 0.0:", f"    whole, left = {K_S} + s, 1.0"]
    if bound.inhibitor >= 0:
        found += [f"    rival = max({y[bound.inhibitor]}, 0.0)", f"    left = {K_I} / ({K_I} + rival)"]
        found += [f"    other = -{q_max} * s / whole * left / ({K_I} + rival) if rival > 0.0 else 0.0"]
        found += [f"    third = {q_max} * s / whole * rival / ({K_I} + rival) ** 2"]
    found += [f"    by = {q_max} * {K_S} / (whole * whole) * left", "    first = s / whole * left"]
    return [*found, f"    second = -{q_max} * s / (whole * whole) * left"]


def _by_feed(structure: Structure, y: Sequence[str]) -> list[str]:
    """Derivatives by each feed's rate, growth and concentrations."""
    found = []
    last, active = structure.active - 1, structure.active
    for feed in range(structure.feeds):
        o = structure.feed_place(feed)
        found += [
            f"since = t - begun[{feed}]",
            f"grown = feeding[segment, {feed}] * math.exp({parameter(o + 1)} * since) / {y[last]}",
            f"faster = u{feed} * since / {y[last]}",
            f"G[{o}, 0], G[{o + 1}, 0] = -grown * x, -faster * x",
            f"G[{o}, {last}], G[{o + 1}, {last}] = grown * {y[last]}, faster * {y[last]}",
        ]
        for i in range(1, structure.solutes + 1):
            over = f"({parameter(o + 1 + i)} - {y[i]})"
            found.append(f"G[{o}, {i}], G[{o + 1}, {i}] = grown * {over}, faster * {over}")
            found.append(f"G[{o + 1 + i}, {i}] = u{feed} / {y[last]}")
        place = f"{structure.passive_place(0)} + {structure.passive_width} * j + {1 + feed}"
        over = f"(P[{place}] - y[{active} + j])"
        found += [
            f"for j in range(n - {active}):",
            f"    G[{o}, {active} + j], G[{o + 1}, {active} + j] = grown * {over}, faster * {over}",
            f"    G[{place}, {active} + j] = u{feed} / {y[last]}",
        ]
    return found
