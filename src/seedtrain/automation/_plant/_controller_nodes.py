"""What a client sees of a function's controller, by the names of LADS: OPC 30500-1, 7.6.1 and 7.6.4."""

from __future__ import annotations

import contextlib
import math
from typing import Final, Protocol

from asyncua import Node, Server, ua

from seedtrain.automation._plant._base import PlantUnit
from seedtrain.automation._plant._tuning import Tuning
from seedtrain.base import InputError

TUNING: Final = "ControllerTuningParameter"
STATE: Final = "ControlFunctionState"
PARAMETERS: Final = ("CtrlP", "CtrlTi", "CtrlTd")
"""Gain, then integral and derivative time in s, in the order of `Tuning`."""


class Space(Protocol):
    """The address space, as far as controllers need it."""

    server: Server

    def id(self, path: str) -> ua.NodeId:
        """The node id of a path."""

    async def folder(self, parent: Node, path: str) -> Node:
        """An object that holds others."""

    async def variable(self, parent: Node, path: str, value: ua.Variant) -> Node:
        """A variable named by the last part of its path."""


class ControllerNodes:
    """The controllers of every unit: their state, and parameters that a client can write."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._shown: dict[str, Tuning | str] = {}

    async def build(self, function: Node, unit: PlantUnit, tag: str) -> None:
        """The nodes of one function, where it is controlled."""
        path = f"{unit.name}/FunctionSet/{tag}"
        if tag in unit.targets:
            state = f"{path}/{STATE}"
            self._shown[state] = _state(unit, tag)
            await self._space.variable(function, state, ua.Variant(_state(unit, tag), ua.VariantType.String))
        tuning = unit.tunings().get(tag)
        if tuning is None:
            return
        folder = await self._space.folder(function, f"{path}/{TUNING}")
        self._shown[f"{path}/{TUNING}"] = tuning
        for name, value in zip(PARAMETERS, vars(tuning).values(), strict=True):
            node = await self._space.variable(
                folder, f"{path}/{TUNING}/{name}", ua.Variant(float(value), ua.VariantType.Double)
            )
            await node.set_writable()

    async def follow(self, unit: PlantUnit) -> None:
        """Take what clients wrote, put back what is no tuning, and show the states."""
        for tag in unit.tunings():
            path = f"{unit.name}/FunctionSet/{tag}/{TUNING}"
            written = self._read(path)
            if written != self._shown[path]:
                with contextlib.suppress(InputError):
                    unit.tune(tag, written)
            known = unit.tunings()[tag]
            if known != written:  # it is no tuning, or a plant that was killed goes on with its own
                await self._put(path, known)
            self._shown[path] = known
        for tag in unit.targets:
            path, now = f"{unit.name}/FunctionSet/{tag}/{STATE}", _state(unit, tag)
            if self._shown[path] != now:
                self._shown[path] = now
                await self._write(path, ua.Variant(now, ua.VariantType.String))

    def _read(self, path: str) -> Tuning:
        values = (self._space.server.read_attribute_value(self._space.id(f"{path}/{name}")) for name in PARAMETERS)
        return Tuning(*(float(item.Value.Value) if item.Value is not None else math.nan for item in values))

    async def _put(self, path: str, tuning: Tuning) -> None:
        for name, value in zip(PARAMETERS, vars(tuning).values(), strict=True):
            await self._write(f"{path}/{name}", ua.Variant(float(value), ua.VariantType.Double))

    async def _write(self, path: str, value: ua.Variant) -> None:
        await self._space.server.write_attribute_value(self._space.id(path), ua.DataValue(value))


def _state(unit: PlantUnit, tag: str) -> str:
    """Whether the function follows a target now, in the words of the state machine (7.1.5)."""
    return "Running" if math.isfinite(unit.targets[tag]) else "Stopped"
