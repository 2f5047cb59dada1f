"""An imported model: the engine's `System`, and what its symbols mean in the file that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from seedtrain.simulation._engine import System
from seedtrain.simulation._exchange._source import Event, Source
from seedtrain.simulation._exchange._tree import Tree

Kind = Literal["compartment", "species", "parameter", "stoichiometry", "local"]
Role = Literal["state", "number", "assigned"]


@dataclass(frozen=True)
class Quantity:
    """Something with a value in an SBML model.

    - `symbol`: what stands for it in the system's expressions, in the meaning of the file (amount, concentration).
    - `held_in`: the state or number that carries it; not `symbol` where that is a concentration and an amount is kept.
    - `size`: id of the compartment that makes a species' symbol a concentration; empty where it is an amount.
    - `start`: what the file gives for its symbol at the start; None where rules do, or nothing does.
    """

    id: str
    kind: Kind
    role: Role
    symbol: str
    held_in: str
    size: str = ""
    start: float | None = None
    unit: str = ""
    name: str = ""
    line: int = 0
    constant: bool = False


@dataclass(frozen=True)
class Gauge:
    """A formula whose sign decides a trigger or a formula of time; `way` and `lift` are numbers of the system.

    The system's gauge is `way * g - lift`, or `abs(g) - lift` where `way` is 0: one direction at a time.
    """

    formula: Tree
    way: str
    lift: str


@dataclass(frozen=True)
class SbmlModel:
    """An SBML model, ready to be simulated.

    - `system`: the engine's form. Its time is the model's own, in `time_unit`, and not hours.
    - `quantities`: compartments, species, parameters, stoichiometries and local parameters (`reaction.k`) by id.
    - `formulas`: what each assigned symbol, reaction, and derivative by time (`rateof.x`) is, in the ids of the file.
    - `rates`: derivative by time of what carries each state, by the state's id.
    - `initial`: initial assignments by id; `derived`: numbers of the system that are computed from constants.
    - `events`: triggers read as booleans, their relations among the `gauges`.
    - `time_number`: the number that says when a stretch began; empty where the model never reads the time.
    """

    id: str
    name: str
    file: str
    level: int
    version: int
    system: System
    quantities: Mapping[str, Quantity]
    formulas: Mapping[str, Tree]
    rates: Mapping[str, Tree]
    initial: Mapping[str, Tree]
    derived: Mapping[str, Tree]
    events: tuple[Event, ...]
    gauges: tuple[Gauge, ...]
    time_number: str
    time_unit: str
    source: Source = field(repr=False)
