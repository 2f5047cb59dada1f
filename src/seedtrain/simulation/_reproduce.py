"""Cultures in the vessel that their authors wrote: one well-mixed volume, fed and diluted, with or without oxygen.

To reproduce published numbers, and to compare other cultures with them: no balance is kept, nothing is designed here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from seedtrain.base import Expression, InputError
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._elements import O2_MASS
from seedtrain.simulation._engine import DONE, Schedule, System, Trajectories, compile_system
from seedtrain.simulation._errors import TrajectoryError
from seedtrain.simulation._run import Floats, ParameterUse, PhaseSpan, Run, Variable

TANK: Final = {"NH": 100.0, "I": 0.0, "T": 37.0, "pH": 7.0, "C_CO2": 0.5, "DO_percent": 100.0}
"""What a phase's `surroundings` leave open: mmol/L of ammonia, inducer and CO2, degC, pH, oxygen in % of air."""
AIR_SATURATION: Final = 0.21  # mmol/L of O2 in water under air at 37 degC, as `oxygen_solubility`
DIVIDES: Final = 1e-12  # L: an empty vessel still divides


@dataclass(frozen=True)
class PublishedPhase:
    """A stretch of a published experiment.

    - `hours`: how long. - `kLa`: 1/h.
    - `feed`: L/h at its start, rising with `growth` (1/h); `inflow`: what it brings by symbol, in the species' units;
      `feed_glucose`: g/L of glucose in it. `constant_volume`: as much flows out.
    - `pulse`: added to the symbols named at its start, in their units.
    - `surroundings`: of the expressions (`T`, `pH`, `I` ...), over `TANK`. - `parameters`: of the culture, for this
      phase and the later ones.
    """

    name: str
    hours: float
    kLa: float = 0.0
    feed: float = 0.0
    growth: float = 0.0
    feed_glucose: float = 0.0
    pulse: Mapping[str, float] | None = None
    inflow: Mapping[str, float] = field(default_factory=dict)
    constant_volume: bool = False
    surroundings: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)


def reproduce(
    culture: Culture,
    initial: Mapping[str, float],
    phases: Sequence[PublishedPhase],
    *,
    volume: float = 1.0,
    start: float = 0.0,
    saturation: float = 99.0,
    henry: float = 14000.0,
    probe_lag: float = 35.0,
    rtol: float = 1e-9,
    points: int = 201,
) -> Run:
    """A culture through `phases`, from `initial` (by symbol, in the species' units) and `volume` (L).

    With `DOT` (% of air saturation) in `initial` oxygen is a state, as Anane 2017 has it: dDOT/dt =
    kLa (saturation - DOT) - OUR henry (`henry` in % per g/L), and a probe follows it with `probe_lag` (s). Without, it
    stays at the surroundings' `DO_percent`. Species whose unit is not per volume are not diluted.

    **Returns** a run with the species, the culture's outputs, `V` (L), and `DOT`, `DOT_probe` (%) where it is a state.
    Raises `InputError` for an unknown symbol, `TrajectoryError` where the integration stops.
    """
    aerated = "DOT" in initial
    _check(culture, initial, phases, volume)
    system = published_system(culture, aerated=aerated)
    grid = _grid(phases, points)
    schedule = _schedule(system, culture, initial, phases, volume, (saturation, henry, probe_lag))
    found = compile_system(system).run(schedule, np.concatenate(grid), rtol=rtol, atol=1e-10, threads=1)
    if found.status[0] != DONE:
        last = dict(zip(_columns(culture, aerated), found.finals[0, found.stretch[0]].tolist(), strict=True))
        name = phases[int(found.stretch[0])].name
        raise TrajectoryError(f"{name}: {found.reason(0)}", time=start + float(found.reached[0]), last=last)
    _check_contents(culture, found, phases, start)
    uses = [ParameterUse(p.name, p.value, p.unit, p.status, p.source) for p in culture.parameters.values()]
    ends = np.cumsum([phase.hours for phase in phases])
    return Run(
        origin="simulated",
        recipe_digest="",
        culture=culture.name,
        vessel="as published",
        unit_procedure="as published",
        time=start + np.concatenate([[*times[:-1], end] for times, end in zip(grid, ends, strict=True)]),
        variables=_variables(culture, found, grid, aerated),
        phases=tuple(
            PhaseSpan(phase.name, start + end - phase.hours, start + end)
            for phase, end in zip(phases, ends.tolist(), strict=True)
        ),
        parameters=tuple(uses),
        status=culture.status,
    )


def _check_contents(culture: Culture, found: Trajectories, phases: Sequence[PublishedPhase], start: float) -> None:
    """Refuse what falls below zero by more than rounding: a rate that goes on without what it consumes."""
    for at, (name, item) in enumerate(culture.species.items()):
        values = found.states[0, :, at]
        low = -1e-6 * float(np.abs(values).max())
        if item.intensive or not (values < low).any():
            continue
        row = int(np.argmax(values < low))
        raise TrajectoryError(
            f"{name} ({item.words}) falls below zero at {start + found.times[row]:.4g} h",
            time=start + float(found.times[row]),
            last=dict(zip(culture.species, found.states[0, max(row - 1, 0)].tolist(), strict=False)),
            remedy="A rate goes on without what it consumes: let it vanish with it.",
        )


def published_system(culture: Culture, *, aerated: bool) -> System:
    """The culture in its authors' vessel as text for the engine; symbols of the culture stand with `u_` before them.

    Numbers: the culture's parameters and surroundings, amounts of each conversion, and the vessel's settings.
    """
    states = [f"u_{name}" for name in culture.species] + (["DOT", "DOT_probe"] if aerated else []) + ["V"]
    per = f" * u_{culture.biomass}" if culture.basis == "biomass" else ""
    lines = [("F", "F_0 * exp(F_growth * t)"), ("D", f"F / max(V, {DIVIDES})")]
    if aerated:
        lines.append(("u_DO_percent", "DOT"))
    lines.append(("u_DO", f"{AIR_SATURATION / 100!r} * u_DO_percent"))
    lines += [(f"u_{name}", _own(text)) for name, text in culture.expressions.items()]
    lines += [(f"rate_{i}", _own(item.rate)) for i, item in enumerate(culture.conversions)]
    rates = []
    for name, item in culture.species.items():
        net = _net(culture, name)
        rates.append(net if item.intensive else f"({net}){per} + D * (in_{name} - u_{name})")
    if aerated:
        rates.append(f"kLa * (saturation - DOT) + ({_oxygen(culture)}){per} * {O2_MASS / 1000!r} * henry")
        rates.append("3600 / probe_lag * (DOT - DOT_probe)")
    rates.append("F * (1 - held_volume)")
    return System(
        name=f"{culture.name} as published",
        states=tuple(states),
        numbers=tuple(_numbers(culture, PublishedPhase("", 0.0), (0.0, 0.0, 0.0), aerated=aerated)),
        held=(),
        lines=tuple(lines),
        rates=tuple(rates),
        observed=tuple(dict.fromkeys(f"u_{symbol}" for symbol in culture.outputs.values())),
    )


def _own(text: Expression) -> str:
    return re.sub(r"\b[A-Za-z]\w*\b", lambda word: f"u_{word[0]}" if word[0] in text.names else word[0], text.text)


def _net(culture: Culture, name: str) -> str:
    """The rate of a species per unit of the culture's basis."""
    if name in culture.rates:
        return _own(culture.rates[name])
    users = [i for i, item in enumerate(culture.conversions) if name in item.amounts]
    return " + ".join(f"s{i}_{name} * rate_{i}" for i in users) or "0"


def _oxygen(culture: Culture) -> str:
    """The rate of O2, mmol per unit of the culture's basis."""
    if culture.rates:
        return _own(culture.rates["O2"]) if "O2" in culture.rates else "0"
    return " + ".join(f"oxygen_{i} * rate_{i}" for i, _ in enumerate(culture.conversions))


def _numbers(
    culture: Culture, phase: PublishedPhase, tank: tuple[float, float, float], *, aerated: bool
) -> dict[str, float]:
    surroundings = {f"u_{name}": value for name, value in {**TANK, **phase.surroundings}.items()}
    if aerated:
        del surroundings["u_DO_percent"]
    found = {f"u_{name}": value for name, value in culture.values.items()} | surroundings
    for i, item in enumerate(culture.conversions):
        found |= {f"s{i}_{name}": amount for name, amount in culture.amounts(item).items()}
        found[f"oxygen_{i}"] = culture.exchange(item).O2 * 1000
    inflow = {culture.symbol("glucose"): phase.feed_glucose} | dict(phase.inflow)
    found |= {f"in_{name}": inflow.get(name, 0.0) for name in culture.species}
    found |= dict(zip(("saturation", "henry", "probe_lag"), tank, strict=True)) if aerated else {}
    return found | {
        "F_0": phase.feed,
        "F_growth": phase.growth,
        "held_volume": float(phase.constant_volume),
        **({"kLa": phase.kLa} if aerated else {}),
    }


def _intensive(culture: Culture, name: str) -> bool:
    return name in culture.species and culture.species[name].intensive


def _check(culture: Culture, initial: Mapping[str, float], phases: Sequence[PublishedPhase], volume: float) -> None:
    known = (*culture.species, "DOT")
    for given, names in (
        (initial, known),
        *((phase.pulse or {}, known) for phase in phases),
        *((phase.inflow, tuple(culture.species)) for phase in phases),
        *((phase.surroundings, tuple(TANK)) for phase in phases),
        *((phase.parameters, tuple(culture.parameters)) for phase in phases),
    ):
        unknown = sorted(set(given) - set(names))
        if unknown:
            raise InputError(f"the culture has no {unknown[0]!r}", remedy=f"Use one of: {', '.join(names)}.")
    negative = [name for name, value in initial.items() if not value >= 0 and not _intensive(culture, name)]
    if negative or not all(math.isfinite(value) for value in initial.values()):
        name = negative[0] if negative else next(n for n, value in initial.items() if not math.isfinite(value))
        raise InputError(f"the experiment starts with {name} = {initial[name]}", remedy="Give an amount from 0 up.")
    if not (volume > 0 and math.isfinite(volume)):
        raise InputError(f"the experiment starts with {volume} L", remedy="Give a volume above 0 L.")
    for phase in phases:
        if not (phase.feed >= 0 and math.isfinite(phase.feed)):
            raise InputError(f"phase {phase.name} feeds {phase.feed} L/h", remedy="Give a feed from 0 L/h up.")
        if not (phase.hours > 0 and math.isfinite(phase.hours)):
            raise InputError(f"phase {phase.name} lasts {phase.hours} h", remedy="Give a length above 0 h.")
    if not phases:
        raise InputError("there is no phase", remedy="Give at least one phase.")


def _schedule(
    system: System,
    culture: Culture,
    initial: Mapping[str, float],
    phases: Sequence[PublishedPhase],
    volume: float,
    tank: tuple[float, float, float],
) -> Schedule:
    aerated = "DOT" in initial
    columns = _columns(culture, aerated)
    given = {**initial, "V": volume, "DOT_probe": initial.get("DOT", 0.0)}
    numbers, jumps = [], []
    for phase in phases:
        culture = culture.with_parameters(phase.parameters) if phase.parameters else culture
        numbers.append(list(_numbers(culture, phase, tank, aerated=aerated).values()))
        pulse = phase.pulse or {}
        jumps.append([pulse.get(name, 0.0) for name in columns])
    return Schedule(
        initial=np.array([[given.get(name, 0.0) for name in columns]]),
        numbers=np.array([numbers]),
        jumps=np.array([jumps]),
        lengths=np.array([[phase.hours for phase in phases]]),
        actions=np.zeros((1, len(phases), len(system.gauges)), dtype=np.int8),
    )


def _columns(culture: Culture, aerated: bool) -> tuple[str, ...]:
    return (*culture.species, *(("DOT", "DOT_probe") if aerated else ()), "V")


def _grid(phases: Sequence[PublishedPhase], points: int) -> list[Floats]:
    """Times of each phase from its start to a moment before its end, whose states are those of the end."""
    total, begin = sum(phase.hours for phase in phases), 0.0
    found = []
    for phase in phases:
        count = max(int(points * phase.hours / total), 2)
        found.append(begin + phase.hours * np.append(np.linspace(0.0, 1.0, count)[:-1], 1.0 - 1e-9))
        begin += phase.hours
    return found


def _variables(culture: Culture, found: Trajectories, grid: list[Floats], aerated: bool) -> dict[str, Variable]:
    table = found.states[0].copy()
    table[np.cumsum([len(times) for times in grid]) - 1] = found.finals[0]
    made = {
        name: Variable(name, item.unit, table[:, i], item.words)
        for i, (name, item) in enumerate(culture.species.items())
    }
    for i, name in enumerate(_columns(culture, aerated)[len(made) :], start=len(made)):
        made[name] = Variable(name, "L" if name == "V" else "%", table[:, i])
    symbols = tuple(dict.fromkeys(culture.outputs.values()))
    for name, symbol in culture.outputs.items():
        if name not in made:
            made[name] = Variable(name, culture.units.get(symbol, ""), found.observed[0, :, symbols.index(symbol)])
    return made
