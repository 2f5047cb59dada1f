"""What is watched while a segment runs: the phase's aim, and what a culture or a vessel runs into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import Condition as Aim
from seedtrain.simulation._culture import Culture
from seedtrain.simulation._kernel import Kernel
from seedtrain.simulation._plan import Segment
from seedtrain.simulation._surroundings import Facts
from seedtrain.simulation._vessel import StirredTank, Vessel

LIMITED_FRACTION: Final = 0.5
"""Oxygen limits where dissolved oxygen falls below this part of its set point; assumed."""
COOLING_SLACK: Final = 0.5  # K above the set point: the jacket cannot hold it
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
    culture: Culture, kernel: Kernel, vessel: Vessel, segment: Segment, facts: Facts, volume: float
) -> Conditions:
    """The conditions of `segment`; `volume` is the start volume of the run, L."""
    v = kernel.index("v")
    watch: list[Condition] = []
    if segment.until is not None:
        watch.append(_aim(culture, kernel, segment, facts, volume))
    most = vessel.working_volume[1] / volume * (1 + 1e-9)
    watch.append(Condition(lambda y: float(y[v]) - most, raises=True))
    if isinstance(vessel, StirredTank):
        watch += _limits(kernel, segment, facts)
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


def _aim(culture: Culture, kernel: Kernel, segment: Segment, facts: Facts, volume: float) -> Condition:
    aim = segment.until
    assert aim is not None
    reading = _reading(culture, kernel, aim, facts, volume)
    assert isinstance(aim.value, Quantity)
    unit, _ = _WORDS.get(aim.quantity, ("g/L", ""))
    target = aim.value.magnitude(unit)
    if aim.operator in (">=", ">"):
        return Condition(lambda y: reading(y) - target, ends=True)
    return Condition(lambda y: target - reading(y), ends=True)


_WORDS: Final = {
    "dissolved_oxygen": ("", "n_O"),
    "volume": ("L", "v"),
    "temperature": ("degC", "T"),
    "inducer": ("mmol/L", "n_I"),
}


def _reading(culture: Culture, kernel: Kernel, aim: Aim, facts: Facts, volume: float) -> Callable[[Any], float]:
    v = kernel.index("v")
    if aim.quantity == "biomass":
        inside = [kernel.index(f"m_{name}") for name, item in culture.species.items() if item.intracellular]
        return lambda y: sum(float(y[at]) for at in inside) / float(y[v])
    if aim.quantity == "volume":
        return lambda y: float(y[v]) * volume
    if aim.quantity == "temperature":
        temperature = kernel.index("T")
        return lambda y: float(y[temperature])
    if aim.quantity == "dissolved_oxygen":
        oxygen = kernel.index("n_O")
        return lambda y: float(y[oxygen]) / float(y[v]) / facts.saturation
    symbol = culture.symbol(aim.quantity)
    state = f"m_{symbol}" if symbol else _WORDS.get(aim.quantity, ("", ""))[1]
    if not state:
        known = [item.known_as for item in culture.species.values()]
        raise InputError(
            f"culture {culture.name} does not know {aim.quantity!r}",
            remedy=f"End the phase by one of: elapsed, {', '.join(known)}, volume, dissolved_oxygen, temperature.",
        )
    at = kernel.index(state)
    return lambda y: float(y[at]) / float(y[v])
