"""The methods of LADS: programs are started, stopped, held and taken up again, and controllers told a target, by any
client that knows the specification (OPC 30500-1, 7.1 and 7.4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from asyncua import ua

from seedtrain.automation._plant._base import PlantUnit
from seedtrain.automation._plant._callers import LADS_CLIENT, Caller, Order, caller
from seedtrain.automation._plant._contents import CONTROL
from seedtrain.automation._plant._instances import Method
from seedtrain.automation._plant._locks import Locks
from seedtrain.automation._plant._nodes import run_id
from seedtrain.automation._plant._state_nodes import RUNNING_STATE, UNIT_STATE
from seedtrain.automation._structures import pairs
from seedtrain.base import InputError, SeedtrainError
from seedtrain.recipe import State


class Plant(Protocol):
    """The plant, as far as its methods need it."""

    locks: Locks

    def begin(self, unit: PlantUnit, path: str, order: Order, *, again: bool = False) -> None:
        """Start a phase now, or (again) take up the held one; raises `InputError` where it cannot be."""

    async def set_target(self, unit: str, tag: str, value: float) -> None:
        """Tell a controller what is wanted; NaN: nothing."""

    async def changed(self) -> None:
        """Publish what an order has changed."""


class Commands:
    """The methods of all units. What cannot be done is a bad status: LADS' methods give no words."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self.orders: dict[str, Order] = {}

    def drivers(self) -> set[str]:
        """Who drives a unit by these methods, and whose session is open."""
        return {order.owner for order in self.orders.values() if order.session is not None}

    def left(self, who: Caller) -> None:
        """A session has ended: what it drives is without a driver."""
        for unit, order in self.orders.items():
            if order.session == who.session:
                self.orders[unit] = replace(order, session=None)

    def unit_methods(self, unit: PlantUnit) -> Mapping[str, Method]:
        """Of a functional unit, by their paths."""
        return {
            **self._plant.locks.methods(unit.name),
            f"{UNIT_STATE}/StartProgram": self._guarded(unit, self._start, 5),
            f"{UNIT_STATE}/Stop": self._guarded(unit, self._stop),
            f"{UNIT_STATE}/Abort": self._guarded(unit, lambda item: item.abort(_path(item))),
            f"{UNIT_STATE}/Clear": self._guarded(unit, self._clear),
            f"{RUNNING_STATE}/Hold": self._guarded(unit, self._hold),
            f"{RUNNING_STATE}/Unhold": self._guarded(unit, self._unhold),
            f"{RUNNING_STATE}/Reset": self._guarded(unit, self._reset),
        }

    def function_methods(self, unit: PlantUnit, tag: str) -> Mapping[str, Method]:
        """Of a controller, by their paths; the stop stands in its operational group too, where LADS asks for it."""

        async def stop(_: ua.NodeId) -> Any:
            return await self._target(unit, tag, math.nan)

        async def start(_: ua.NodeId, value: ua.Variant) -> Any:
            number = value.Value
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
                return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
            return await self._target(unit, tag, float(number))

        return {f"{CONTROL}/Stop": stop, "Operational/Stop": stop, f"{CONTROL}/StartWithTargetValue": start}

    async def _target(self, unit: PlantUnit, tag: str, value: float) -> Any:
        if not self._plant.locks.may(caller(), unit.name):
            return ua.StatusCode(ua.StatusCodes.BadLocked)
        await self._plant.set_target(unit.name, tag, value)
        return []

    def _guarded(self, unit: PlantUnit, act: Callable[..., Any], arguments: int = 0) -> Method:
        """A method that answers with a status where it was given too little, is locked, or refuses."""

        async def call(_: ua.NodeId, *given: ua.Variant) -> Any:
            if len(given) != arguments:
                few = len(given) < arguments
                return ua.StatusCode(ua.StatusCodes.BadArgumentsMissing if few else ua.StatusCodes.BadTooManyArguments)
            if not self._plant.locks.may(caller(), unit.name):
                return ua.StatusCode(ua.StatusCodes.BadLocked)
            try:
                found = act(unit, *(item.Value for item in given))
            except KeyError:
                return ua.StatusCode(ua.StatusCodes.BadInvalidArgument)
            except SeedtrainError:
                return ua.StatusCode(ua.StatusCodes.BadInvalidState)
            await self._plant.changed()
            return found or []

        return call

    def _start(
        self, unit: PlantUnit, path: str, given: list[Any] | None, job: str, task: str, _: list[Any] | None
    ) -> list[ua.Variant]:
        if path not in unit.templates:
            raise KeyError(path)
        who = caller()
        known = who or Caller(ua.NodeId())
        owner = job or known.application or LADS_CLIENT
        order = Order(known.application, known.user, job or "", task or "", pairs(given), owner, known.session)
        self._plant.begin(unit, path, order)
        return [ua.Variant(run_id(unit), ua.VariantType.String)]

    def _hold(self, unit: PlantUnit) -> None:
        _require(unit, State.RUNNING)
        unit.hold(_path(unit))

    def _unhold(self, unit: PlantUnit) -> None:
        _require(unit, State.HELD)
        self._plant.begin(unit, _path(unit), self.orders.get(unit.name, Order()), again=True)

    def _stop(self, unit: PlantUnit) -> None:
        _require(unit, State.RUNNING, State.HELD, State.COMPLETE)
        unit.reset()

    def _reset(self, unit: PlantUnit) -> None:
        _require(unit, State.COMPLETE)
        unit.reset()

    def _clear(self, unit: PlantUnit) -> None:
        _require(unit, State.ABORTED)
        unit.reset()


def _path(unit: PlantUnit) -> str:
    """The phase that the unit has or had last."""
    if unit.program is None:
        raise InputError(f"{unit.name} has run nothing", remedy="Start a program.")
    return unit.program.path


def _require(unit: PlantUnit, *states: State) -> None:
    if unit.state not in states:
        known = ", ".join(state.value for state in states)
        raise InputError(f"{unit.name} is {unit.state.value}", remedy=f"It has to be one of: {known}.")
