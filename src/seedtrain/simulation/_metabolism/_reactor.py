"""A stirred reactor around a compiled metabolism: its states, its parameters by name, and what the kernels read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.simulation._metabolism._kernels._structure import CONSTANT, MONOD, TRANSFER, Bound, Structure
from seedtrain.simulation._metabolism._kinetics import (
    Constant,
    Feed,
    GasSupply,
    GasTransfer,
    Kinetics,
    Monod,
    Uptake,
)
from seedtrain.simulation._metabolism._program import Floats
from seedtrain.simulation._metabolism._table import Arrays, CompiledMetabolism
from seedtrain.simulation._run import ParameterUse

BIOMASS: Final = "X"
VOLUME: Final = "V"
_KINDS: Final = {Monod: MONOD, Constant: CONSTANT, GasSupply: TRANSFER}


@dataclass(frozen=True)
class Reactor:
    """A batch or fed-batch culture, ready to be simulated; made by `reactor`.

    - `states`: `X` (gDW/L); the exchanges that an uptake or gas transfer acts on (mmol/L); `V` (L) where something is
      fed; then what is only given off (mmol/L).
    - `uses`: every parameter by name, with value, unit, status and source.
    """

    table: CompiledMetabolism
    kinetics: Kinetics
    feeds: tuple[Feed, ...]
    states: tuple[str, ...]
    uses: Mapping[str, ParameterUse]
    places: Mapping[str, int]
    structure: Structure

    @classmethod
    def from_metabolism(
        cls,
        table: CompiledMetabolism,
        kinetics: Kinetics,
        initial: Mapping[str, float],
        *,
        feeds: Iterable[Feed] = (),
        track: Iterable[str] | None = None,
    ) -> Reactor:
        """A compiled metabolism in a stirred reactor; see `reactor`, of which this is the other name."""
        assert cls is Reactor
        return reactor(table, kinetics, initial, feeds=feeds, track=track)

    @property
    def passive(self) -> int:
        """How many states nothing depends on; they stand last."""
        return len(self.states) - self.structure.active

    @property
    def width(self) -> int:
        """How many numbers a parameter vector has; some stand for nothing."""
        return self.structure.passive_place(self.passive)

    @property
    def solutes(self) -> tuple[str, ...]:
        """The exchanges among the states, in their order."""
        return tuple(name for name in self.states if name not in (BIOMASS, VOLUME))

    @cached_property
    def initial_places(self) -> NDArray[np.int64]:
        """Where the initial value of each state stands among the parameters."""
        places = [self.structure.initial_place + number for number in range(self.structure.active)]
        places += [self.structure.passive_place(number) for number in range(self.passive)]
        return np.array(places, dtype=np.int64)

    def fed_place(self, feed: int, name: str) -> int:
        """Where the concentration of an exchange in a feed stands among the parameters."""
        place = self.states.index(name)
        if place < self.structure.active:
            return self.structure.feed_place(feed) + 1 + place
        return self.structure.passive_place(place - self.structure.active) + 1 + feed

    @cached_property
    def substrates(self) -> tuple[int, ...]:
        """The states that an uptake depends on, which cannot fall below zero."""
        found = {item.substrate for item in self.structure.bounds if item.kind == MONOD}
        return tuple(sorted(found))

    def vector(self, overrides: Mapping[str, float] | None = None) -> Floats:
        """The parameters as the kernels read them, with `overrides` by name; faults are reported at once."""
        found: Floats = self.matrix({name: [value] for name, value in (overrides or {}).items()}, 1)[0]
        return found

    def matrix(self, overrides: Mapping[str, Sequence[float] | Floats], count: int) -> Floats:
        """`count` parameter vectors, shape (count, width), with columns replaced by name; faults at once."""
        found = np.zeros((count, self.width))
        for name, use in self.uses.items():
            found[:, self.places[name]] = use.value
        errors: list[SeedtrainError] = []
        for name, values in overrides.items():
            if name not in self.places:
                errors.append(self.unknown(name))
                continue
            column = np.asarray(values, dtype=float)
            if column.shape != (count,) or not np.isfinite(column).all():
                message = f"{name}: {count} finite numbers are needed, not {column.shape}"
                errors.append(InputError(message, remedy="Give one number for each trajectory."))
                continue
            found[:, self.places[name]] = column
        collect(errors)
        self._check(found)
        return found

    def unknown(self, name: str) -> InputError:
        """The error for a parameter that the reactor does not have."""
        return InputError(f"there is no parameter {name!r}", remedy=f"Use one of: {', '.join(self.places)}.")

    def arrays(self) -> Arrays:
        """The table as the kernels read it, with only the outputs that move a state."""
        arrays = self.table.arrays
        known = self._read.get("arrays")
        if known is not None and known[0] is arrays:
            return known[1]
        outputs = self.table.program.outputs
        # A product that is not made kills nobody; ATP that is not made does.
        demanded = [item.reaction for item in self.table.program.moving if item.kind == "demand"]
        deficits = [outputs.index(f"deficit:{name}") for name in demanded if name not in outputs]
        rows = [outputs.index(name) for name in self.solutes]
        starving = arrays.maps[:, deficits, :].sum(axis=1, keepdims=True)
        maps = np.concatenate([arrays.maps[:, :1], starving, arrays.maps[:, rows]], axis=1)
        found = arrays._replace(maps=np.ascontiguousarray(maps))
        self._read["arrays"] = arrays, found
        return found

    @cached_property
    def _read(self) -> dict[str, tuple[Arrays, Arrays]]:
        return {}  # the last table read, and what was made of it

    def segments(self, start: float, end: float) -> tuple[Floats, Floats, Floats]:
        """Edges (segments + 1) in h, which feed runs in which segment (segments x feeds), and when each starts."""
        inner = {time for feed in self.feeds for time in (feed.start, feed.end) if start < time < end}
        edges = np.array([start, *sorted(inner), end])
        middle = (edges[:-1] + edges[1:]) / 2
        running = np.array([[float(f.start <= time < f.end) for f in self.feeds] for time in middle])
        return (
            edges,
            running.reshape(len(middle), len(self.feeds)),
            np.array([f.start for f in self.feeds], dtype=float),
        )

    def bounds_at(self, states: Floats, parameters: Floats) -> Floats:
        """The moving bounds (..., p) in surroundings (..., states), as the kernels take them."""
        columns = []
        for number, bound in enumerate(self.structure.bounds):
            o = self.structure.bound_place(number)
            values = parameters[o : o + 3]
            if bound.kind == MONOD:
                s = np.maximum(states[..., bound.substrate], 0.0)
                rate = values[0] * s / (values[1] + s)
                if bound.inhibitor >= 0:
                    rate = rate * values[2] / (values[2] + np.maximum(states[..., bound.inhibitor], 0.0))
                columns.append(rate)
            elif bound.kind == TRANSFER:
                columns.append(np.minimum(values[0], values[1] * values[2] / np.maximum(states[..., 0], 1e-12)))
            else:
                columns.append(np.full(states.shape[:-1], values[0]))
        return np.stack(columns, axis=-1)

    def _check(self, parameters: Floats) -> None:
        """Refuse values that have no meaning, with the name and the value."""
        errors: list[SeedtrainError] = []
        positive = {".K_S", ".K_I"}
        for name, place in self.places.items():
            values = parameters[:, place]
            ending = name[name.rfind(".") :]
            if (values < 0).any() and ending != ".growth":
                errors.append(InputError(f"{name} {values.min():g} is below zero", remedy="Give a positive number."))
            elif ending in positive and (values == 0).any():
                errors.append(InputError(f"{name} must be above zero", remedy="Give a small positive number."))
            elif name in ("X.initial", "V.initial") and (values == 0).any():
                errors.append(InputError(f"{name} must be above zero", remedy="Give what the culture starts with."))
        collect(errors)


def reactor(
    table: CompiledMetabolism,
    kinetics: Kinetics,
    initial: Mapping[str, float],
    *,
    feeds: Iterable[Feed] = (),
    track: Iterable[str] | None = None,
) -> Reactor:
    """A reactor around a compiled metabolism, checked; all faults at once as `InputError`.

    - `initial`: `X` (gDW/L), what is dissolved by exchange (mmol/L, 0 where left out), and `V` (L) where it is fed.
    - `track`: exchanges that are followed beside those that uptake depends on, by default all that the table reports
      as by-products. One that the model lets in without a moving bound (CO2) is an amount given off, and may be
      negative.
    """
    running = tuple(feeds)
    active, passive = _solutes(table, kinetics, track)
    states = (BIOMASS, *active, *((VOLUME,) if running else ()), *passive)
    collect(_faults(table, kinetics, initial, running, (*active, *passive)))
    structure = Structure(
        bounds=tuple(_bound(item.reaction, kinetics, active) for item in table.program.moving),
        gas=tuple(name in kinetics.gas for name in active),
        feeds=len(running),
    )
    found = Reactor(table, kinetics, running, states, {}, {}, structure)
    uses, places = _parameters(found, initial)
    found = replace(found, uses=uses, places=places)
    found.vector()  # refuses impossible numbers
    return found


def _solutes(
    table: CompiledMetabolism, kinetics: Kinetics, track: Iterable[str] | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The exchanges that something depends on, and those that are only followed."""
    active = [name for name, item in kinetics.bounds.items() if isinstance(item, Monod)]
    active += [item.inhibitor for item in kinetics.bounds.values() if isinstance(item, Monod) and item.inhibitor]
    active += list(kinetics.gas)
    moving = {item.reaction for item in table.program.moving}
    asked = [name for name in table.exchanges if name not in moving] if track is None else list(track)
    first = tuple(dict.fromkeys(active))
    return first, tuple(name for name in dict.fromkeys(asked) if name not in first)


def _faults(
    table: CompiledMetabolism,
    kinetics: Kinetics,
    initial: Mapping[str, float],
    feeds: tuple[Feed, ...],
    names: tuple[str, ...],
) -> list[SeedtrainError]:
    found: list[SeedtrainError] = []
    moving = [item.reaction for item in table.program.moving]
    for name in moving:
        if name not in kinetics.bounds:
            remedy = "Say what it depends on: Monod, Constant or GasSupply."
            found.append(InputError(f"the moving bound {name!r} has no kinetics", remedy=remedy))
    for name in kinetics.bounds:
        if name not in moving:
            remedy = f"Compile it as a moving bound; the table has: {', '.join(moving)}."
            found.append(InputError(f"kinetics are given for {name!r}, which is no moving bound", remedy=remedy))
    known = f"Use one of: {', '.join(table.exchanges)}."
    for name in names:
        if name not in table.exchanges:
            found.append(InputError(f"the table reports no exchange {name!r}", remedy=known))
    if not initial.get(BIOMASS, 0.0) > 0:
        found.append(InputError("the culture starts without cells", remedy="Give X above zero, gDW/L."))
    for name in initial:
        if name not in (BIOMASS, *names, *((VOLUME,) if feeds else ())):
            words = "; V only where something is fed" if name == VOLUME else ""
            remedy = f"Use X and: {', '.join(names)}{words}."
            found.append(InputError(f"an initial value is given for {name!r}, which is no state", remedy=remedy))
    return found + _feed_faults(initial, feeds, names)


def _feed_faults(initial: Mapping[str, float], feeds: tuple[Feed, ...], names: tuple[str, ...]) -> list[SeedtrainError]:
    found: list[SeedtrainError] = []
    if feeds and not initial.get(VOLUME, 0.0) > 0:
        found.append(InputError("a culture that is fed needs its volume", remedy="Give V above zero, L."))
    for feed in feeds:
        if not feed.start < feed.end:
            message = f"{feed.name} starts at {feed.start:g} h and ends at {feed.end:g} h"
            found.append(InputError(message, remedy="Let it end after it starts."))
        for name in feed.concentrations:
            if name not in names:
                found.append(
                    InputError(f"{feed.name} feeds {name!r}, which is no state", remedy="Track it, or drop it.")
                )
    if len({feed.name for feed in feeds}) < len(feeds):
        found.append(InputError("two feeds have the same name", remedy="Name each feed."))
    return found


def _bound(reaction: str, kinetics: Kinetics, names: tuple[str, ...]) -> Bound:
    item = kinetics.bounds[reaction]
    if not isinstance(item, Monod):
        return Bound(_KINDS[type(item)])
    inhibitor = 1 + names.index(item.inhibitor) if item.inhibitor else -1
    return Bound(MONOD, 1 + names.index(reaction), inhibitor)


def _parameters(found: Reactor, initial: Mapping[str, float]) -> tuple[dict[str, ParameterUse], dict[str, int]]:
    """Every parameter by name, and its place."""
    uses: dict[str, ParameterUse] = {}
    places: dict[str, int] = {}
    kinetics, structure = found.kinetics, found.structure

    def add(name: str, place: int, value: float, unit: str, item: Kinetics | Feed | Uptake | GasTransfer) -> None:
        uses[name] = ParameterUse(name, float(value), unit, item.status, item.source)
        places[name] = place

    add("k_d", 0, kinetics.k_d, "gDW/mmol", kinetics)
    for number, moving in enumerate(found.table.program.moving):
        item = kinetics.bounds[moving.reaction]
        for shift, (word, value, unit) in enumerate(_fields(item)):
            add(f"{moving.reaction}.{word}", structure.bound_place(number) + shift, value, unit, item)
    for number, name in enumerate(found.states[1 : 1 + structure.solutes]):
        if name in kinetics.gas:
            gas, o = kinetics.gas[name], structure.gas_place(number)
            add(f"{name}.transfer_kLa", o, gas.kLa, "1/h", gas)
            add(f"{name}.transfer_saturation", o + 1, gas.saturation, "mmol/L", gas)
    for number, feed in enumerate(found.feeds):
        o = structure.feed_place(number)
        add(f"{feed.name}.rate", o, feed.rate, "L/h", feed)
        add(f"{feed.name}.growth", o + 1, feed.growth, "1/h", feed)
        for name in found.solutes:
            value = feed.concentrations.get(name, 0.0)
            add(f"{feed.name}.{name}", found.fed_place(number, name), value, "mmol/L", feed)
    for name, place in zip(found.states, found.initial_places, strict=True):
        unit = {BIOMASS: "g/L", VOLUME: "L"}.get(name, "mmol/L")
        uses[f"{name}.initial"] = ParameterUse(f"{name}.initial", float(initial.get(name, 0.0)), unit, "assumed", "")
        places[f"{name}.initial"] = int(place)
    return uses, places


def _fields(item: Uptake) -> list[tuple[str, float, str]]:
    """A bound's parameters: word, value, unit."""
    if isinstance(item, Monod):
        found = [("q_max", item.q_max, "mmol/gDW/h"), ("K_S", item.K_S, "mmol/L")]
        return [*found, ("K_I", item.K_I, "mmol/L")] if item.inhibitor else found
    if isinstance(item, GasSupply):
        found = [("q_max", item.q_max, "mmol/gDW/h"), ("kLa", item.kLa, "1/h")]
        return [*found, ("saturation", item.saturation, "mmol/L")]
    return [("value", item.value, "mmol/gDW/h")]
