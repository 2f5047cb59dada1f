"""Every lever of a program: gene, culture, recipe, vessel, downstream."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from seedtrain.program._situation import FEED_PARAMETERS, Situation
from seedtrain.quantity import Quantity
from seedtrain.recipe import Lever as RecipeLever
from seedtrain.recipe import levers as recipe_levers
from seedtrain.simulation import StirredTank, train_parameters

Group = Literal["gene", "culture", "recipe", "vessel", "downstream"]
GROUPS: Final[tuple[Group, ...]] = ("gene", "culture", "recipe", "vessel", "downstream")

GENE_PARAMETERS: Final = ("q_P_max",)
VESSEL_FIELDS: Final = (
    ("motor_power", "W"),
    ("cooling_area", "m2"),
    ("heat_transfer_coefficient", "W/m2/K"),
    ("diameter", "m"),
    ("impeller_diameter", "m"),
    ("coolant_temperature", "degC"),
)


@dataclass(frozen=True)
class _Scale:
    """How a lever is moved: by a factor, or by a shift where zero means nothing (temperature in degC, pH).

    - `step`: of a difference. `per`: the change for which an effect is stated, in words `words`.
    """

    shift: bool
    step: float
    per: float
    words: str

    def moved(self, value: float, amount: float) -> float:
        """`value` moved by `amount`."""
        return value + amount if self.shift else value * (1.0 + amount)


_RATIO: Final = _Scale(False, 0.005, 0.01, "+1 %")
_TEMPERATURE: Final = _Scale(True, 0.1, 1.0, "+1 K")
_ACIDITY: Final = _Scale(True, 0.02, 0.1, "+0.1")


@dataclass(frozen=True)
class Lever:
    """Something that somebody can change.

    - `moved(situation, amount)`: the situation with the lever moved by `amount`, as `scale` says.
    - `status`: sourced, fitted, derived or assumed for a model's parameter; given for the user's own number.
    """

    name: str
    group: Group
    value: float
    unit: str
    status: str
    moved: Callable[[Situation, float], Situation]
    scale: _Scale = _RATIO


def program_levers(situation: Situation) -> tuple[Lever, ...]:
    """Every lever of the process, in the order of the five groups."""
    return (
        *_culture_levers(situation),
        *_recipe_levers(situation),
        *_vessel_levers(situation),
        *_downstream_levers(situation),
    )


def _culture_levers(situation: Situation) -> Iterator[Lever]:
    composition = {f"{symbol}_{element}" for symbol in situation.culture.species for element in "CHONS"}
    for name, parameter in situation.culture.parameters.items():
        if name in composition or parameter.value == 0.0:
            continue
        group: Group = "gene" if name in GENE_PARAMETERS else "culture"
        scale = _scale(name, parameter.unit)

        def moved(
            start: Situation, amount: float, name: str = name, value: float = parameter.value, scale: _Scale = scale
        ) -> Situation:
            return start.with_parameter(name, scale.moved(value, amount))

        yield Lever(name, group, parameter.value, parameter.unit, parameter.status, moved, scale)


def _recipe_levers(situation: Situation) -> Iterator[Lever]:
    names = [procedure.name for procedure in situation.recipe.unit_procedures]
    later = {*names[names.index(situation.recipe.production.name) :], "materials"}
    for lever in recipe_levers(situation.recipe):
        if lever.path.split("/")[0] not in later or lever.quantity.value == 0.0:
            continue
        if lever.path in situation.limited and lever.parameter in FEED_PARAMETERS:
            continue  # the vessel's limit decides this feed, not the recipe
        yield _recipe_lever(lever)


def _recipe_lever(lever: RecipeLever) -> Lever:
    quantity = lever.quantity
    scale = _scale(lever.parameter, quantity.unit)

    def moved(start: Situation, amount: float) -> Situation:
        value = Quantity(scale.moved(quantity.value, amount), quantity.unit)
        return start.with_recipe(lever.path, lever.parameter, value)

    name = f"{lever.path}.{lever.parameter}"
    return Lever(name, "recipe", quantity.value, quantity.unit, "given", moved, scale)


def _vessel_levers(situation: Situation) -> Iterator[Lever]:
    for field, unit in VESSEL_FIELDS:
        value = float(getattr(situation.vessel, field))
        scale = _scale(field, unit)

        def moved(
            start: Situation, amount: float, field: str = field, value: float = value, scale: _Scale = scale
        ) -> Situation:
            return start.with_vessel(lambda tank: _replaced(tank, field, scale.moved(value, amount)))

        yield Lever(field, "vessel", value, unit, "given", moved, scale)
    for field, unit in (("stirrer_speed", "1/min"), ("head_pressure", "bar")):
        top = float(getattr(situation.vessel, field)[1])
        if top <= 0:
            continue

        def raised(start: Situation, amount: float, field: str = field) -> Situation:
            return _operated(start, field, 1.0 + amount)

        yield Lever(field, "vessel", top, unit, "given", raised)


def _operated(start: Situation, field: str, factor: float) -> Situation:
    """The vessel's upper end of `field` moved, and the recipe's use of it in production with it."""
    low, high = getattr(start.vessel, field)
    moved = start.with_vessel(lambda tank: _replaced(tank, field, (low, high * factor)))
    for place in start.recipe.phases():
        value = place.phase.quantity(field) if field in place.phase.set else None
        if place.unit_procedure is start.recipe.production and value is not None and value.value > 0:
            moved = moved.with_recipe(place.path, field, Quantity(value.value * factor, value.unit))
    return moved


def _downstream_levers(situation: Situation) -> Iterator[Lever]:
    for name, parameter in train_parameters(situation.recipe).items():
        if parameter.value == 0.0:
            continue

        def moved(start: Situation, amount: float, name: str = name) -> Situation:
            return start.with_train(name, 1.0 + amount)

        yield Lever(name, "downstream", parameter.value, parameter.unit, parameter.status, moved)


def _scale(name: str, unit: str) -> _Scale:
    if name == "pH":
        return _ACIDITY
    return _TEMPERATURE if unit in ("degC", "K") else _RATIO


def _replaced(tank: StirredTank, field: str, value: object) -> StirredTank:
    return dataclasses.replace(tank, **{field: value})  # type: ignore[arg-type]
