"""The parameters of a run that belong neither to the culture nor to the vessel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from seedtrain.base import InputError
from seedtrain.simulation._culture import Culture, Override, Parameter

HEATING_WATER: Final = 60.0
"""degC of the water in a jacket that heats, assumed: hot enough to warm a full tank within the hour, and cool enough
for cells at the wall (steam is for sterilising). Runs and controllers use this one figure."""

_DEFAULTS: Final = (
    Parameter(
        "coalescence",
        0.5,
        "",
        0.0,
        1.0,
        "assumed",
        "kLa = coalescing^c * non-coalescing^(1-c) of van 't Riet 1979: a salty broth with antifoam lies between",
    ),
    Parameter(
        "oxygen_solubility_factor",
        0.95,
        "",
        0.85,
        1.0,
        "assumed",
        "salts and sugar lower the solubility by some percent",
    ),
    Parameter("condenser_temperature", 10.0, "degC", 2.0, 30.0, "assumed", "exit gas leaves saturated at this"),
    Parameter("heating_temperature", HEATING_WATER, "degC", 45.0, 95.0, "assumed", "water in the jacket when it heats"),
    Parameter("pK_carbonic", 6.1, "", 6.0, 6.4, "assumed", "apparent, in salty medium at 37 degC"),
)


@dataclass(frozen=True)
class Surroundings:
    """The surroundings' parameters by name."""

    parameters: Mapping[str, Parameter]

    def __getitem__(self, name: str) -> float:
        return self.parameters[name].value


def surroundings_of(overrides: Mapping[str, Override], culture: Culture) -> tuple[dict[str, Override], Surroundings]:
    """Split `overrides` into those of the culture and the surroundings with theirs; an unknown name is refused."""
    parameters = {item.name: item for item in _DEFAULTS}
    own: dict[str, Override] = {}
    for name, value in overrides.items():
        if name in culture.parameters:
            own[name] = value
        elif name in parameters:
            number, status, source = value if isinstance(value, tuple) else (value, "assumed", "given")
            old = parameters[name]
            if not old.low <= number <= old.high:
                raise InputError(
                    f"{name} is {number:g}, outside {old.low:g} .. {old.high:g} {old.unit}".rstrip(),
                    remedy="Give a value inside.",
                )
            parameters[name] = Parameter(name, float(number), old.unit, old.low, old.high, status, source)
        else:
            known = ", ".join([*culture.parameters, *parameters])
            raise InputError(f"there is no parameter {name!r}", remedy=f"Use one of: {known}.")
    return own, Surroundings(parameters)
