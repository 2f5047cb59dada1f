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
from seedtrain.simulation._run import ParameterUse, PhaseSpan, Run, Variable
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
    from scipy.integrate import solve_ivp

    names = tuple(culture.species)
    unknown = sorted({*initial, *(symbol for phase in phases for symbol in phase.pulse or {})} - {*names, "DOT"})
    if unknown:
        raise InputError(f"the culture has no {unknown[0]!r}", remedy=f"Use one of: {', '.join(names)}, DOT.")
    glucose = culture.symbol("glucose")
    rates = _compile(culture, names)
    state = np.array([*(initial.get(name, 0.0) for name in names), initial["DOT"], initial["DOT"], volume])
    times, rows, spans, now = [np.array([start])], [state[:, None]], [], start
    total = sum(phase.hours for phase in phases)
    for phase in phases:
        for symbol, added in (phase.pulse or {}).items():
            state[names.index(symbol)] += added

        def slope(t: float, y: np.ndarray, phase: PublishedPhase = phase, since: float = now) -> list[float]:
            *found, DOT, probe, V = y.tolist()
            F = phase.feed * math.exp(phase.growth * (t - since)) if phase.feed else 0.0
            net = rates(*found, DOT)
            X = found[names.index(culture.biomass)]
            fed = {glucose: phase.feed_glucose}
            changes = [
                rate * X + F / V * (fed.get(name, 0.0) - value)
                for name, rate, value in zip(names, net, found, strict=False)
            ]
            oxygen = phase.kLa * (saturation - DOT) + net[-1] * X * henry
            return [*changes, oxygen, 3600 / probe_lag * (DOT - probe), F]

        share = max(int(points * phase.hours / total), 2)
        grid = np.linspace(now, now + phase.hours, share)
        found = solve_ivp(slope, (now, now + phase.hours), state, method="LSODA", t_eval=grid, rtol=rtol, atol=1e-10)
        if not found.success:
            raise TrajectoryError(
                f"{phase.name}: {found.message}", time=now, last=dict(zip(names, state, strict=False))
            )
        times.append(found.t)
        rows.append(found.y)
        spans.append(PhaseSpan(phase.name, now, now + phase.hours))
        state, now = found.y[:, -1].copy(), now + phase.hours
    values = np.concatenate(rows[1:], axis=1)
    variables = {name: Variable(name, "g/L", values[at], culture.species[name].words) for at, name in enumerate(names)}
    for offset, (name, unit) in enumerate((("DOT", "%"), ("DOT_probe", "%"), ("V", "L"))):
        variables[name] = Variable(name, unit, values[len(names) + offset])
    parameters = tuple(
        ParameterUse(item.name, item.value, item.unit, item.status, item.source) for item in culture.parameters.values()
    )
    return Run(
        origin="simulated",
        recipe_digest="",
        culture=culture.name,
        vessel="as published",
        unit_procedure="as published",
        time=np.concatenate(times[1:]),
        variables=variables,
        phases=tuple(spans),
        parameters=parameters,
    )


TANK: Final = {"NH": 100.0, "I": 0.0, "T": 37.0, "pH": 7.0, "C_CO2": 0.5}
"""mmol/L of ammonia, inducer and CO2, degC and pH: enough nitrogen, no induction."""
AIR_SATURATION: Final = 0.21  # mmol/L of O2 in water under air at 37 degC, as `oxygen_solubility`


def _compile(culture: Culture, names: tuple[str, ...]) -> Callable[..., tuple[float, ...]]:
    """The net rates, g/g/h of every species and then of O2, as a function of concentrations and DOT in %."""
    lines = [f"def rates({', '.join(names)}, DO_percent):", f"DO = {AIR_SATURATION} * DO_percent / 100"]
    lines += [f"{name} = {value!r}" for name, value in (*TANK.items(), *culture.values.items())]
    lines += [f"{name} = {text.code}" for name, text in culture.expressions.items()]
    found = {name: [culture.rates[name].code] if name in culture.rates else [] for name in (*names, "O2")}
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
