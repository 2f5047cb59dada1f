"""An SBML model as plain data: what the file says, with its lines, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seedtrain.simulation._exchange._tree import Tree

UnitPart = tuple[str, float, int, float]
"""Kind (litre, mole, second ...), exponent, scale (power of ten), multiplier."""


@dataclass(frozen=True)
class Compartment:
    """A compartment: `size` in `unit`, None where the file gives none; `dimensions` 0 has no size at all."""

    id: str
    name: str = ""
    size: float | None = None
    unit: str = ""
    constant: bool = True
    dimensions: float = 3.0
    line: int = 0


@dataclass(frozen=True)
class Species:
    """A species: its start as an `amount` or a `concentration`, and what its symbol means in mathematics.

    - `only_substance`: the symbol is the amount; else it is the concentration. - `boundary`: no reaction changes it.
    - `factor`: id of the conversion factor of its substance, if any.
    """

    id: str
    compartment: str
    name: str = ""
    amount: float | None = None
    concentration: float | None = None
    unit: str = ""
    only_substance: bool = False
    boundary: bool = False
    constant: bool = False
    factor: str = ""
    line: int = 0


@dataclass(frozen=True)
class Parameter:
    """A parameter, global or of one reaction."""

    id: str
    value: float | None
    name: str = ""
    unit: str = ""
    constant: bool = True
    line: int = 0


@dataclass(frozen=True)
class Rule:
    """`kind`: assignment, rate or initial; `math` None is a rule without mathematics, which says nothing."""

    kind: str
    variable: str
    math: Tree | None
    line: int = 0


@dataclass(frozen=True)
class Participant:
    """A reactant or product: `stoichiometry` a number, `math` where it is computed; `id` where it is a symbol."""

    species: str
    stoichiometry: float | None = 1.0
    math: Tree | None = None
    id: str = ""
    constant: bool = True
    line: int = 0


@dataclass(frozen=True)
class Reaction:
    """A reaction with its rate in extent per time; `local` are parameters that only `law` reads."""

    id: str
    reactants: tuple[Participant, ...]
    products: tuple[Participant, ...]
    law: Tree | None
    local: tuple[Parameter, ...] = ()
    modifiers: tuple[str, ...] = ()
    name: str = ""
    reversible: bool = False
    line: int = 0


@dataclass(frozen=True)
class Event:
    """An event; `assignments` are made together, `delay` after the trigger turned true."""

    id: str
    trigger: Tree
    assignments: tuple[tuple[str, Tree], ...]
    delay: Tree | None = None
    priority: Tree | None = None
    initially: bool = True  # what the trigger counts as having been before the start
    persistent: bool = True
    values_from_trigger: bool = True
    name: str = ""
    line: int = 0


@dataclass(frozen=True)
class Source:
    """A whole model. `units`: unit definitions by id; `*_unit`: the model's own, by id; `factor`: conversion factor."""

    id: str
    file: str
    level: int = 3
    version: int = 2
    name: str = ""
    notes: str = ""
    units: Mapping[str, tuple[UnitPart, ...]] = field(default_factory=dict)
    time_unit: str = ""
    substance_unit: str = ""
    extent_unit: str = ""
    volume_unit: str = ""
    factor: str = ""
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    rules: tuple[Rule, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    events: tuple[Event, ...] = ()
