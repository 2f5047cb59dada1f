"""The downstream train of a recipe: its phases after the culture, walked by what they do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from seedtrain.base import InputError
from seedtrain.recipe import MasterRecipe, PhaseAt
from seedtrain.simulation._downstream._centrifuge import CENTRIFUGE
from seedtrain.simulation._downstream._column import COLUMN_OPERATIONS
from seedtrain.simulation._downstream._fill import FILL
from seedtrain.simulation._downstream._filtration import DEPTH_FILTER, INTEGRITY_TEST, STERILE_FILTER
from seedtrain.simulation._downstream._flow_through import FLOW_THROUGH
from seedtrain.simulation._downstream._homogeniser import HOMOGENISER
from seedtrain.simulation._downstream._inactivation import INACTIVATE
from seedtrain.simulation._downstream._lyophilisation import LYOPHILISE
from seedtrain.simulation._downstream._membrane import CONCENTRATE, DIAFILTER
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, TrainParameter
from seedtrain.simulation._downstream._salting import SALT_OUT
from seedtrain.simulation._downstream._vessel import CALIBRATE, DILUTE, MANUAL, PRECIPITATE, STERILISE, WAIT
from seedtrain.simulation._stream import COMPONENTS, StepResult, Stream

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        operation.kind: operation
        for operation in (
            CENTRIFUGE,
            DILUTE,
            HOMOGENISER,
            PRECIPITATE,
            SALT_OUT,
            INACTIVATE,
            DEPTH_FILTER,
            *COLUMN_OPERATIONS,
            FLOW_THROUGH,
            CONCENTRATE,
            DIAFILTER,
            STERILE_FILTER,
            INTEGRITY_TEST,
            LYOPHILISE,
            FILL,
            MANUAL,
            CALIBRATE,
            STERILISE,
            WAIT,
        )
    }
)
"""Every kind of phase that the downstream train knows."""

CULTURE: Final = frozenset({"thaw", "inoculate", "grow", "feed", "induce", "perfuse", "chemostat", "withdraw"})
"""Kinds that make a unit procedure part of the culture; the train starts after the last such one."""

_NAMES: Final[Mapping[str, str]] = {
    "iptg": "iptg",
    "glucose": "glucose",
    "detergent": "detergent",
    "antifoam": "antifoam",
    "water": "water",
    "acetic-acid": "acid",
}


def component(constituent: str) -> str:
    """The stream's component for a raw material of the recipe; what is not known is a dissolved salt."""
    if constituent in _NAMES:
        return _NAMES[constituent]
    if constituent in COMPONENTS:
        return constituent
    words = set(constituent.split("-"))
    if words & {"triton", "detergent", "polysorbate", "chaps"}:
        return "detergent"
    if "acid" in words:
        return "acid"
    return "water" if "water" in words and "ammonia" not in words else "salts"


def _compositions(recipe: MasterRecipe) -> dict[str, dict[str, float]]:
    """g/L by component of every material that the recipe prepares."""
    found: dict[str, dict[str, float]] = {}
    for material, constituents in recipe.materials.items():
        mixture: dict[str, float] = {}
        for name, quantity in constituents.items():
            key = component(name)
            mixture[key] = mixture.get(key, 0.0) + quantity.magnitude("g/L")
        found[material] = mixture
    return found


def _phases(recipe: MasterRecipe) -> Iterator[PhaseAt]:
    """The phases after the last unit procedure in which something grows."""
    grows = [
        index
        for index, unit in enumerate(recipe.unit_procedures)
        if any(phase.do in CULTURE for operation in unit.operations for phase in operation.phases)
    ]
    after = {unit.name for unit in recipe.unit_procedures[(grows[-1] + 1 if grows else 0) :]}
    for at in recipe.phases():
        if at.unit_procedure.name in after:
            yield at


def _operation(recipe: MasterRecipe, at: PhaseAt) -> Operation:
    found = OPERATIONS.get(at.phase.do)
    if found is None:
        raise InputError(
            f"{at.path}: the downstream train knows no {at.phase.do!r}",
            position=recipe.position(at.path),
            remedy=f"Use one of: {', '.join(OPERATIONS)}.",
        )
    return found


def train_parameters(recipe: MasterRecipe) -> Mapping[str, TrainParameter]:
    """Every lever of the train's models by "<phase path>:<lever>", with value, unit, status and source.

    Beside a `ParameterUse` they carry `low` and `high`, the plausible range. Raises `InputError` for a kind of
    phase that the train does not know.
    """
    found: dict[str, TrainParameter] = {}
    for at in _phases(recipe):
        for lever in _operation(recipe, at).levers_of(at.phase.set.get("model")):
            found[f"{at.path}:{lever.name}"] = lever
    return found


def run_train(
    recipe: MasterRecipe,
    broth: Stream,
    *,
    factors: Mapping[str, float] = MappingProxyType({}),
    equipment: Mapping[str, float] = MappingProxyType({}),
    molar_mass: float = 44.8,
) -> tuple[StepResult, ...]:
    """Walk the recipe's phases after the culture, from `broth` to the last of them.

    - `factors`: multiply levers named as in `train_parameters`; above 0, held within what is possible.
    - `equipment`: the largest size by "<phase path>:<name>" (`column_volume` L, `membrane_area`, `filter_area`,
      `shelf_area`, `sigma` m2, `homogeniser_flow` L/h, `line_rate` 1/h); a smaller one takes more cycles or more time.
    - `molar_mass`: of the product, kDa, for ultrafiltration.

    **Returns** one result for each phase; the outlet of each is an inlet of the next. Raises `InputError`, with the
    phase and its position, for an unknown kind, factor or limit, and for phases that make no sense in their order.
    """
    _check_names(recipe, factors, equipment)
    if not (broth.volume > 0 and broth.masses.get("product", 0.0) > 0):
        raise InputError(
            f"the stream {broth.name!r} to harvest holds no product", remedy="Check the culture that made it."
        )
    materials = _compositions(recipe)
    carry = Carry(broth)
    steps: list[StepResult] = []
    for at in _phases(recipe):
        operation = _operation(recipe, at)
        settings = _settings(recipe, at, operation, materials, factors, equipment, molar_mass)
        step, carry = operation.run(settings, carry)
        steps.append(step)
    return tuple(steps)


def _settings(
    recipe: MasterRecipe,
    at: PhaseAt,
    operation: Operation,
    materials: Mapping[str, Mapping[str, float]],
    factors: Mapping[str, float],
    equipment: Mapping[str, float],
    molar_mass: float,
) -> Settings:
    phase = at.phase
    numbers = {name: phase.number(name, unit) for name, unit in operation.numbers.items() if name in phase.set}
    prefix = f"{at.path}:"
    return Settings(
        path=at.path,
        kind=phase.do,
        numbers=numbers,
        words={name: value for name, value in phase.set.items() if isinstance(value, str)},
        levers={
            lever.name: lever.scaled(factors.get(prefix + lever.name, 1.0))
            for lever in operation.levers_of(phase.set.get("model"))
        },
        materials=materials,
        duration=None if phase.duration is None else phase.duration.magnitude("h"),
        limits={name.removeprefix(prefix): size for name, size in equipment.items() if name.startswith(prefix)},
        molar_mass=molar_mass,
        position=recipe.position(at.path),
    )


def _check_names(recipe: MasterRecipe, factors: Mapping[str, float], equipment: Mapping[str, float]) -> None:
    levers = train_parameters(recipe)
    for name, factor in factors.items():
        if name not in levers:
            raise InputError(
                f"the downstream train has no parameter {name!r}", remedy="Use a name that train_parameters gives."
            )
        if not (math.isfinite(factor) and factor > 0):
            raise InputError(f"the factor {factor!r} of {name} is not above 0", remedy="Give a factor above 0.")
    paths = {at.path for at in _phases(recipe)}
    for name, size in equipment.items():
        path, _, what = name.rpartition(":")
        if path not in paths or what not in LIMITS:
            raise InputError(
                f"{name!r} names no equipment of the downstream train",
                remedy=f"Write '<phase path>:<name>' with one of: {', '.join(LIMITS)}.",
            )
        if not size > 0:
            raise InputError(f"the size {size!r} of {name} is not above 0", remedy="Give a size above 0.")


LIMITS: Final = (
    "column_volume",
    "membrane_area",
    "filter_area",
    "shelf_area",
    "sigma",
    "homogeniser_flow",
    "line_rate",
)
