"""What a client sees of a function's controller, by the names of LADS: OPC 30500-1, 7.6.1 and 7.6.4."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Awaitable, Callable
from typing import Final

from asyncua import Server, ua

from seedtrain.automation._lads import LADS_TYPES
from seedtrain.automation._plant._base import PlantUnit
from seedtrain.automation._plant._contents import CONTROL, PARAMETERS, TUNING, tuning
from seedtrain.automation._plant._instances import Instances
from seedtrain.automation._plant._state_nodes import StateNodes
from seedtrain.automation._plant._tuning import Tuning
from seedtrain.automation._plant._types import Types
from seedtrain.base import InputError

Write = Callable[[str, ua.Variant], Awaitable[None]]
_PID: Final = f"4:{LADS_TYPES['PidControllerParameterType']}"


class ControllerNodes:
    """The controllers of every unit: their state, and parameters that a client can write."""

    def __init__(self, server: Server, make: Instances, types: Types, states: StateNodes, write: Write) -> None:
        self._server, self._make, self._types, self._states, self._write = server, make, types, states, write
        self._shown: dict[str, Tuning | bool] = {}

    def build(self, function: ua.NodeId, unit: PlantUnit, tag: str) -> None:
        """The nodes of one function, where it is controlled."""
        path = f"{unit.name}/FunctionSet/{tag}"
        self._shown[f"{path}/{CONTROL}"] = math.isfinite(unit.targets[tag])
        known = unit.tunings().get(tag)
        if known is None:
            return
        content = tuning(dict(zip(PARAMETERS, map(float, vars(known).values()), strict=True)))
        name = self._types.name(f"4:{TUNING}")
        self._make.make(function, f"{path}/{TUNING}", self._types.id(_PID), content, name=name)
        self._shown[f"{path}/{TUNING}"] = known

    async def follow(self, unit: PlantUnit) -> None:
        """Take what clients wrote, put back what is no tuning, and show the states."""
        for tag in unit.tunings():
            path = f"{unit.name}/FunctionSet/{tag}/{TUNING}"
            if path not in self._shown:
                continue  # a loop within another one, which has no target of its own
            written = self._read(path)
            if written != self._shown[path]:
                with contextlib.suppress(InputError):
                    unit.tune(tag, written)
            known = unit.tunings()[tag]
            if known != written:  # it is no tuning, or a plant that was killed goes on with its own
                await self._put(path, known)
            self._shown[path] = known
        for tag, target in unit.targets.items():
            path, now = f"{unit.name}/FunctionSet/{tag}", math.isfinite(target)
            if self._shown[f"{path}/{CONTROL}"] != now:
                self._shown[f"{path}/{CONTROL}"] = now
                for name, value in self._states.control(CONTROL, now).items():
                    await self._write(f"{path}/{name}", value)

    def _read(self, path: str) -> Tuning:
        values = (self._server.read_attribute_value(self._make.id(f"{path}/{name}")) for name in PARAMETERS)
        return Tuning(*(float(item.Value.Value) if item.Value is not None else math.nan for item in values))

    async def _put(self, path: str, known: Tuning) -> None:
        for name, value in zip(PARAMETERS, vars(known).values(), strict=True):
            await self._write(f"{path}/{name}", ua.Variant(float(value), ua.VariantType.Double))
