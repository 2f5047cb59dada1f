"""What is watched while a segment runs: the phase's aim, and what a culture or a vessel runs into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._kernel import OBSERVED, Kernel
from seedtrain.simulation._plan import Segment
from seedtrain.simulation._surroundings import Facts
from seedtrain.simulation._vessel import StirredTank, Vessel

LIMITED_FRACTION: Final = 0.5
"""Oxygen limits where dissolved oxygen falls below this part of its set point; assumed."""
COOLING_SLACK: Final = 0.5  # K above the set point: the jacket cannot hold it
SCARCE: Final = 1.0  # mmol/L of ammonium, some way above K_N
DEPLETED: Final = 0.01  # g/L of substrate, some way below K_S


@dataclass(frozen=True)
class Condition:
    """Something to watch: `gauge(state)` rises through zero when it happens; `leave` is said when it falls again."""

    gauge: Callable[[Any], float]
    kind: str = ""
    words: str = ""
    leave: str = ""
    ends: bool = False
    raises: bool = False


@dataclass(frozen=True)
class Conditions:
    """All that one segment watches, and the facts that its observations need."""

    watch: tuple[Condition, ...]
    facts: Facts


def conditions_of(
    culture: Culture,
    kernel: Kernel,
    vessel: Vessel,
    segment: Segment,
    facts: Facts,
    volume: float,
    numbers: tuple[float, ...],
) -> Conditions:
    """The conditions of `segment`; `volume` is the start volume of the run, L; `numbers` are the kernel's."""
    v = kernel.index("v")
    watch: list[Condition] = []
    if segment.until is not None:
        watch.append(_aim(culture, kernel, segment, facts, volume, numbers))
    most = vessel.working_volume[1] / volume * (1 + 1e-9)
    watch.append(Condition(lambda y: float(y[v]) - most, raises=True))
    if isinstance(vessel, StirredTank):
        watch += _limits(kernel, segment, facts)
    nitrogen = kernel.index("n_N")
    watch.append(
        Condition(
            lambda y: SCARCE - float(y[nitrogen]) / float(y[v]),
            "nitrogen_limited",
            "ammonium runs out",
            "there is ammonium again",
        )
    )
    substrate = culture.symbol("glucose")
    if substrate and segment.do == "grow":
        at = kernel.index(f"m_{substrate}")
        watch.append(Condition(lambda y: DEPLETED - float(y[at]) / float(y[v]), "depleted", "glucose is used up"))
    return Conditions(tuple(watch), facts)


def _limits(kernel: Kernel, segment: Segment, facts: Facts) -> list[Condition]:
    v, oxygen, temperature = kernel.index("v"), kernel.index("n_O"), kernel.index("T")
    found = []
    if segment.dissolved_oxygen is not None:
        floor = LIMITED_FRACTION * segment.dissolved_oxygen * facts.saturation
        found.append(
            Condition(
                lambda y: floor - float(y[oxygen]) / float(y[v]),
                "oxygen_limited",
                "dissolved oxygen falls below half of its set point at the highest transfer",
                "dissolved oxygen is back above half of its set point",
            )
        )
    ceiling = segment.temperature + COOLING_SLACK
    found.append(
        Condition(
            lambda y: float(y[temperature]) - ceiling,
            "cooling_limited",
            "the jacket cannot hold the temperature",
            "the jacket holds the temperature again",
        )
    )
    return found


_RATES: Final = {"oxygen_uptake_rate": "OUR", "carbon_dioxide_evolution_rate": "CER"}
_UNITS: Final = {"dissolved_oxygen": "", "volume": "L", "temperature": "degC", **dict.fromkeys(_RATES, "mmol/L/h")}
"""What an aim may compare beside species, with the unit of its reading; species are in g/L."""


def _aim(
    culture: Culture, kernel: Kernel, segment: Segment, facts: Facts, volume: float, numbers: tuple[float, ...]
) -> Condition:
    aim = segment.until
    assert aim is not None
    assert isinstance(aim.value, Quantity)
    reading = _reading(culture, kernel, segment, facts, volume, numbers)
    target = aim.value.magnitude(_UNITS.get(aim.quantity, "g/L"))
    if aim.operator == ">=":
        return Condition(lambda y: reading(y) - target, ends=True)
    return Condition(lambda y: target - reading(y), ends=True)


def _reading(
    culture: Culture, kernel: Kernel, segment: Segment, facts: Facts, volume: float, numbers: tuple[float, ...]
) -> Callable[[Any], float]:
    """The quantity of the segment's aim as a function of the state."""
    assert segment.until is not None
    word, v = segment.until.quantity, kernel.index("v")
    if word == "biomass":  # what a sample weighs: dry cells with what is in them
        inside = [kernel.index(f"m_{name}") for name, item in culture.species.items() if item.intracellular]
        return lambda y: sum(float(y[at]) for at in inside) / float(y[v])
    if word == "volume":
        return lambda y: float(y[v]) * volume
    if word == "temperature":
        temperature = kernel.index("T")
        return lambda y: float(y[temperature])
    if word == "dissolved_oxygen":
        oxygen = kernel.index("n_O")
        return lambda y: float(y[oxygen]) / float(y[v]) / facts.saturation
    if word in _RATES:
        column = OBSERVED.index(_RATES[word])
        return lambda y: kernel.observe(0.0, y, numbers)[column]  # metabolism does not know the time
    symbol = culture.symbol(word)
    if symbol is None:
        known = [item.known_as for item in culture.species.values()]
        raise InputError(
            f"{segment.path}: culture {culture.name} cannot tell when {segment.until}",
            remedy=f"End the phase by one of: elapsed, {', '.join([*known, *_UNITS])}.",
        )
    at = kernel.index(f"m_{symbol}")
    return lambda y: float(y[at]) / float(y[v])
