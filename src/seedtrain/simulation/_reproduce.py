"""Cultures in the tank that Anane 2017 wrote: constant kLa, dissolved oxygen in percent, a lagging probe.

To reproduce published numbers, and to compare other cultures with them: no balance is kept, nothing is designed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import O2_MASS
from seedtrain.simulation._expression import FUNCTIONS
from seedtrain.simulation._run import Floats, ParameterUse, PhaseSpan, Run, Variable
from seedtrain.simulation._simulate import TrajectoryError


@dataclass(frozen=True)
class PublishedPhase:
    """A stretch of a published experiment.

    - `hours`: how long. - `kLa`: 1/h. - `feed`: L/h at its start, rising with `growth` (1/h); `feed_glucose` g/L.
    - `pulse`: g/L added to the symbols named, at its start.
    """

    name: str
    hours: float
    kLa: float
    feed: float = 0.0
    growth: float = 0.0
    feed_glucose: float = 0.0
    pulse: Mapping[str, float] | None = None


def reproduce(
    culture: Culture,
    initial: Mapping[str, float],
    phases: Sequence[PublishedPhase],
    *,
    volume: float,
    start: float = 0.0,
    saturation: float = 99.0,
    henry: float = 14000.0,
    probe_lag: float = 35.0,
    rtol: float = 1e-9,
    points: int = 201,
) -> Run:
    """A culture's net rates through `phases`, from `initial` (g/L by symbol; `DOT` in %) and `volume` (L).

    dDOT/dt = kLa (saturation - DOT) - q_O X henry, the probe follows DOT with `probe_lag` (s), as Anane 2017 has it.

    A culture with conversions sees `TANK` for what this tank does not say. The feed brings glucose.

    **Returns** a run with the species, `DOT`, `DOT_probe` (%), `V` (L). Raises `InputError` for an unknown symbol,
    `TrajectoryError` where the integration stops.
    """
    names = tuple(culture.species)
    unknown = sorted({*initial, *(symbol for phase in phases for symbol in phase.pulse or {})} - {*names, "DOT"})
    if unknown:
        raise InputError(f"the culture has no {unknown[0]!r}", remedy=f"Use one of: {', '.join(names)}, DOT.")
    tank = _Tank(culture, names, saturation, henry, probe_lag)
    state = np.array([*(initial.get(name, 0.0) for name in names), initial["DOT"], initial["DOT"], volume])
    time, rows, spans = _integrate(tank, state, phases, start, rtol, points)
    columns = [*names, "DOT", "DOT_probe", "V"]
    units = {"DOT": "%", "DOT_probe": "%", "V": "L"}
    values = dict(zip(columns, rows, strict=True))
    uses = [ParameterUse(p.name, p.value, p.unit, p.status, p.source) for p in culture.parameters.values()]
    return Run(
        origin="simulated",
        recipe_digest="",
        culture=culture.name,
        vessel="as published",
        unit_procedure="as published",
        time=time,
        variables={name: Variable(name, units.get(name, "g/L"), column) for name, column in values.items()},
        phases=spans,
        parameters=tuple(uses),
    )


def _integrate(
    tank: _Tank, state: Floats, phases: Sequence[PublishedPhase], start: float, rtol: float, points: int
) -> tuple[Floats, Floats, tuple[PhaseSpan, ...]]:
    """Times, states (shape "state, time") and spans of the phases, one after the other."""
    from scipy.integrate import solve_ivp

    total = sum(phase.hours for phase in phases)
    times, rows, spans, now = [], [], [], start
    for phase in phases:
        for symbol, added in (phase.pulse or {}).items():
            state[tank.names.index(symbol)] += added
        end = now + phase.hours
        grid = np.linspace(now, end, max(int(points * phase.hours / total), 2))
        found = solve_ivp(tank.slope(phase, now), (now, end), state, method="LSODA", t_eval=grid, rtol=rtol, atol=1e-10)
        if not found.success:
            last = dict(zip(tank.names, state.tolist(), strict=False))
            raise TrajectoryError(f"{phase.name}: {found.message}", time=now, last=last)
        times.append(found.t)
        rows.append(found.y)
        spans.append(PhaseSpan(phase.name, now, end))
        state, now = found.y[:, -1].copy(), end
    return np.concatenate(times), np.concatenate(rows, axis=1), tuple(spans)


@dataclass(frozen=True)
class _Tank:
    culture: Culture
    names: tuple[str, ...]
    saturation: float
    henry: float
    probe_lag: float

    def slope(self, phase: PublishedPhase, since: float) -> Callable[[float, Any], list[float]]:
        """The right-hand side in `phase`, which began at `since`; states: species, DOT, probe, volume."""
        rates = _compile(self.culture, self.names)
        biomass = self.names.index(self.culture.biomass)
        glucose = self.culture.symbol("glucose")
        fed = [phase.feed_glucose if name == glucose else 0.0 for name in self.names]

        def slope(t: float, y: Any) -> list[float]:
            *found, DOT, probe, V = y.tolist()
            F = phase.feed * math.exp(phase.growth * (t - since)) if phase.feed else 0.0
            *net, oxygen = rates(*found, DOT)
            X = found[biomass]
            changes = [rate * X + F / V * (inflow - value) for rate, inflow, value in zip(net, fed, found, strict=True)]
            transfer = phase.kLa * (self.saturation - DOT) + oxygen * X * self.henry
            return [*changes, transfer, 3600 / self.probe_lag * (DOT - probe), F]

        return slope


TANK: Final = {"NH": 100.0, "I": 0.0, "T": 37.0, "pH": 7.0, "C_CO2": 0.5}
"""mmol/L of ammonia, inducer and CO2, degC and pH: enough nitrogen, no induction."""
AIR_SATURATION: Final = 0.21  # mmol/L of O2 in water under air at 37 degC, as `oxygen_solubility`


def _compile(culture: Culture, names: tuple[str, ...]) -> Callable[..., tuple[float, ...]]:
    """The net rates, g/g/h of every species and then of O2, as a function of concentrations and DOT in %."""
    lines = [f"def rates({', '.join(names)}, DO_percent):", f"DO = {AIR_SATURATION} * DO_percent / 100"]
    lines += [f"{name} = {value!r}" for name, value in (*TANK.items(), *culture.values.items())]
    lines += [f"{name} = {text.code}" for name, text in culture.expressions.items()]
    found = {name: [culture.rates[name].code] if name in culture.rates else [] for name in (*names, "O2")}
    found["O2"] = [f"{code} * {O2_MASS / 1000!r}" for code in found["O2"]]  # rates have mmol
    for conversion in culture.conversions:
        for name, mass in culture.amounts(conversion).items():
            found[name].append(f"{mass!r} * {conversion.rate.code}")
        found["O2"].append(f"{culture.exchange(conversion).O2 * O2_MASS!r} * {conversion.rate.code}")
    lines.append(f"return ({', '.join(' + '.join(terms) or '0.0' for terms in found.values())})")
    scope: dict[str, Any] = dict(FUNCTIONS)
    # Generated from whitelisted expressions alone.
    exec(compile("\n    ".join(lines), f"<published {culture.name}>", "exec"), scope)  # noqa: S102
    made: Callable[..., tuple[float, ...]] = scope["rates"]
    return made
