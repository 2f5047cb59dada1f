"""How full a vessel becomes, counted from the recipe alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seedtrain.base import InputError
from seedtrain.quantity import Quantity, same_dimension
from seedtrain.recipe._phase import Phase, PhaseAt, UnitProcedure
from seedtrain.recipe._recipe import MasterRecipe


@dataclass(frozen=True)
class Filling:
    """`volume` in the vessel at the end of the phase at `path`, and what the phase `added`; both L."""

    path: str
    volume: float
    added: float


def fillings(recipe: MasterRecipe, unit_procedure: str | None = None) -> tuple[Filling, ...]:
    """Volume after each phase that adds liquid: charge, inoculum, feed and inducer.

    - `unit_procedure`: its name; the production vessel's where it is None.

    A feed counts over `elapsed` where that ends it, else over the whole of `at_most`: an upper bound. What the recipe
    does not state (pH control, antifoam, evaporation) is not counted, nor is a charge that is given as `fill` only.
    """
    procedure = recipe.production if unit_procedure is None else recipe.unit_procedure(unit_procedure)
    return tuple(_fillings(recipe, procedure))


def check_volumes(
    recipe: MasterRecipe, largest: Quantity, *, unit_procedure: str | None = None, vessel: str = ""
) -> Quantity:
    """The largest volume that the recipe can reach in its vessel; raises `InputError` where that is above `largest`.

    - `largest`: the vessel's highest working volume; `vessel` names it in the error.
    """
    if not same_dimension(largest.unit, "L"):
        raise InputError(f"{largest} is not a volume", remedy="Give the highest working volume in L.")
    limit = largest.magnitude("L")
    reached = 0.0
    for filling in fillings(recipe, unit_procedure):
        reached = max(reached, filling.volume)
        if reached > limit * (1 + 1e-9):
            owner = f" of {vessel}" if vessel else ""
            shown, added = _shown(reached), _shown(filling.added)
            raise recipe.error(
                filling.path,
                "",
                f"the vessel can hold {shown} at the end of this phase ({added} added by it), above {largest}, the "
                f"highest working volume{owner}",
                remedy="Charge or feed less, shorten 'at_most', or choose a larger vessel.",
            )
    return Quantity(float(f"{reached:.12g}"), "L")


def _shown(litres: float) -> str:
    return str(Quantity(float(f"{litres:.4g}"), "L"))


def _fillings(recipe: MasterRecipe, procedure: UnitProcedure) -> list[Filling]:
    found: list[Filling] = []
    volume = 0.0
    places = [place for place in recipe.phases() if place.unit_procedure.name == procedure.name]
    medium = sum(place.phase.number("volume", "L", 0.0) for place in places if place.phase.do == "charge")
    for place in places:
        added = _added(place, medium)
        if added:
            volume += added
            found.append(Filling(place.path, volume, added))
    return found


def _added(place: PhaseAt, medium: float) -> float:
    phase = place.phase
    if phase.do in ("charge", "induce"):
        return phase.number("volume", "L", 0.0)
    if phase.do in ("inoculate", "thaw"):
        return phase.number("inoculum_fraction", "") * medium
    if phase.do == "feed":
        return _fed(phase)
    return 0.0


def _fed(phase: Phase) -> float:
    """L fed over the longest time of a phase; an exponential feed is integrated."""
    time = longest(phase)
    if time is None:
        return 0.0
    if "rate" in phase.set:
        return phase.number("rate", "L/h") * time
    rate, growth = phase.number("initial_rate", "L/h"), phase.number("growth_rate", "1/h")
    return rate * math.expm1(min(growth * time, 300.0)) / growth


def longest(phase: Phase) -> float | None:
    """The longest time that a phase takes, h: its duration, `until elapsed`, or `at_most`; None where none is given."""
    if phase.duration is not None:
        return phase.duration.magnitude("h")
    if phase.until is not None and phase.until.quantity == "elapsed":
        return phase.number("until", "h")
    return phase.number("at_most", "h") if phase.at_most is not None else None
