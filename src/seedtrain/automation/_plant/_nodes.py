"""The plant's address space: Device -> FunctionalUnitSet -> FunctionSet and ProgramManager, the nouns of LADS."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import Node, Server, ua

from seedtrain.automation._lads import LADS_STATE, RESULT_FIELDS, unit_id
from seedtrain.automation._plant._base import PlantUnit, Signal
from seedtrain.automation._plant._controller_nodes import ControllerNodes
from seedtrain.automation._plant._history import PlantHistory, data_value
from seedtrain.automation._plant._world import World

Method = Callable[..., Awaitable[list[ua.Variant]]]

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Final[Mapping[str, ua.VariantType]] = {
    "String": ua.VariantType.String,
    "Double": ua.VariantType.Double,
    "DateTime": ua.VariantType.DateTime,
}
_READS_HISTORY: Final = 1 << ua.AccessLevel.CurrentRead | 1 << ua.AccessLevel.HistoryRead


def text(value: str) -> ua.Variant:
    """A string as OPC UA has it."""
    return ua.Variant(value, ua.VariantType.String)


def texts(values: list[str]) -> ua.Variant:
    """Strings as OPC UA has them."""
    return ua.Variant(values, ua.VariantType.String, is_array=True)


def argument(name: str, kind: ua.VariantType, words: str, *, array: bool = False) -> ua.Argument:
    """One argument of a method."""
    return ua.Argument(
        Name=name,
        DataType=ua.NodeId(kind.value),
        ValueRank=1 if array else -1,
        ArrayDimensions=[0] if array else [],
        Description=ua.LocalizedText(words),
    )


class AddressSpace:
    """The nodes of one world. Node ids are paths, so that they are the same after every start."""

    def __init__(self, server: Server, index: int, world: World) -> None:
        self.server = server
        self.index = index
        self.world = world
        self.history = PlantHistory()
        self.controllers = ControllerNodes(self)
        server.iserver.history_manager.set_storage(self.history)

    def id(self, path: str) -> ua.NodeId:
        """The node id of a path."""
        return ua.NodeId(path, self.index)

    async def folder(self, parent: Node, path: str) -> Node:
        """An object that holds others."""
        return await parent.add_object(self.id(path), ua.QualifiedName(path.rpartition("/")[2], self.index))

    async def variable(self, parent: Node, path: str, value: ua.Variant) -> Node:
        """A variable named by the last part of its path."""
        return await parent.add_variable(self.id(path), ua.QualifiedName(path.rpartition("/")[2], self.index), value)

    async def method(
        self, parent: Node, path: str, call: Method, inputs: list[ua.Argument], outputs: list[ua.Argument]
    ) -> None:
        """A method named by the last part of its path."""
        name = ua.QualifiedName(path.rpartition("/")[2], self.index)
        await parent.add_method(self.id(path), name, call, inputs, outputs)

    async def build(self) -> Node:
        """Devices with all that is in them, and the clock; returns the clock's object."""
        objects = self.server.nodes.objects
        devices = await self.folder(objects, "DeviceSet")
        for unit in self.world.units.values():
            await self._device(devices, unit)
        clock = await self.folder(objects, "Clock")
        await self.variable(clock, "Clock/Time", ua.Variant(self.world.clock.now(), ua.VariantType.DateTime))
        await self.variable(clock, "Clock/LockStep", ua.Variant(self.world.clock.lock_step, ua.VariantType.Boolean))
        await self.variable(clock, "Clock/Speed", ua.Variant(self.world.clock.speed or 0.0, ua.VariantType.Double))
        return clock

    async def _device(self, parent: Node, unit: PlantUnit) -> None:
        device = await self.folder(parent, unit.name)
        for name, value in (
            ("Manufacturer", "Seedtrain"),
            ("Model", "simulated unit"),
            ("DeviceId", unit.name),
            ("Origin", "simulated"),
        ):
            await self.variable(device, f"{unit.name}/{name}", text(value))
        units = await self.folder(device, f"{unit.name}/FunctionalUnitSet")
        inner = await self.folder(units, f"{unit.name}/FunctionalUnitSet/{unit.name}")
        await self.variable(inner, f"{unit.name}/FunctionalUnitState", text(LADS_STATE[unit.state]))
        functions = await self.folder(inner, f"{unit.name}/FunctionSet")
        for tag, measure in unit.functions.items():
            await self._function(functions, unit, tag, measure)
        await self._programs(await self.folder(inner, f"{unit.name}/ProgramManager"), unit)

    async def _function(self, parent: Node, unit: PlantUnit, tag: str, measure: str) -> None:
        path = f"{unit.name}/FunctionSet/{tag}"
        function = await self.folder(parent, path)
        current = await self.variable(function, f"{path}/CurrentValue", ua.Variant(math.nan, ua.VariantType.Double))
        for bits in (ua.AttributeIds.AccessLevel, ua.AttributeIds.UserAccessLevel):
            value = ua.DataValue(ua.Variant(_READS_HISTORY, ua.VariantType.Byte))
            await self.server.write_attribute_value(current.nodeid, value, bits)
        self.history.past[current.nodeid] = lambda start, end: unit.past(tag, start, end)
        engineering = ua.EUInformation(
            NamespaceUri="http://www.opcfoundation.org/UA/units/un/cefact",
            UnitId=unit_id(measure),
            DisplayName=ua.LocalizedText(measure),
            Description=ua.LocalizedText(measure),
        )
        nodes = [current]
        if tag in unit.targets:
            target = await self.variable(function, f"{path}/TargetValue", ua.Variant(math.nan, ua.VariantType.Double))
            await target.set_writable()
            nodes.append(target)
        await self.controllers.build(function, unit, tag)
        for node in nodes:
            await node.add_property(0, "EngineeringUnits", engineering)
            await node.add_property(self.index, "Origin", text("simulated"))

    async def _programs(self, manager: Node, unit: PlantUnit) -> None:
        path = f"{unit.name}/ProgramManager"
        await self.variable(manager, f"{path}/ActiveProgram", text(""))
        templates = await self.folder(manager, f"{path}/ProgramTemplateSet")
        results = await self.folder(manager, f"{path}/ResultSet")
        for phase, template in unit.templates.items():
            name = ua.QualifiedName(phase, self.index)
            node = await templates.add_object(self.id(f"{path}/ProgramTemplateSet/{phase}"), name)
            await self.variable(node, f"{path}/ProgramTemplateSet/{phase}/Functions", texts(list(template.functions)))
            await self.variable(node, f"{path}/ProgramTemplateSet/{phase}/Materials", texts(list(template.materials)))
            result = await results.add_object(self.id(f"{path}/ResultSet/{phase}"), name)
            for field, kind in RESULT_FIELDS.items():
                array = field not in ("Started", "Stopped", "EndedBy")
                empty: Any = [] if array else NEVER if kind == "DateTime" else ""
                value = ua.Variant(empty, _TYPES[kind], is_array=array)
                await self.variable(result, f"{path}/ResultSet/{phase}/{field}", value)

    async def write(self, path: str, value: ua.Variant, at: datetime | None = None) -> None:
        """A new value of a variable, with its source time."""
        await self.server.write_attribute_value(
            self.id(path), ua.DataValue(value, SourceTimestamp=at or self.world.clock.now())
        )

    async def show(self, signals: list[Signal]) -> None:
        """Publish what the world told, and the time."""
        for signal in signals:
            if signal.tag:
                assert signal.time is not None
                node = self.id(f"{signal.unit}/FunctionSet/{signal.tag}/CurrentValue")
                await self.server.write_attribute_value(node, data_value(signal.value, signal.time, signal.quality))
            else:
                await self._show_result(self.world.units[signal.unit])
        for unit in self.world.units.values():
            await self.show_state(unit)
        await self.write("Clock/Time", ua.Variant(self.world.clock.now(), ua.VariantType.DateTime))

    async def show_state(self, unit: PlantUnit) -> None:
        """Publish a unit's state and active program, where they changed."""
        for path, value in (
            (f"{unit.name}/FunctionalUnitState", LADS_STATE[unit.state]),
            (f"{unit.name}/ProgramManager/ActiveProgram", unit.active),
        ):
            if self.server.read_attribute_value(self.id(path)).Value.Value != value:
                await self.write(path, text(value))

    async def _show_result(self, unit: PlantUnit) -> None:
        program = unit.program
        assert program is not None
        ending = program.ending
        assert ending is not None
        outlet = dict(ending.outlet or {})
        values: dict[str, Any] = {
            "Stopped": ending.time,
            "EndedBy": ending.ended_by,
            "Materials": [item.material for item in ending.additions],
            "Amounts": [item.amount for item in ending.additions],
            "AmountUnits": [item.unit for item in ending.additions],
            "OutletNames": list(outlet),
            "OutletAmounts": [amount for amount, _ in outlet.values()],
            "OutletUnits": [measure for _, measure in outlet.values()],
            "Started": program.began,  # last: who sees it sees all the rest of this run
        }
        for field, value in values.items():
            variant = ua.Variant(value, _TYPES[RESULT_FIELDS[field]], is_array=isinstance(value, list))
            await self.write(f"{unit.name}/ProgramManager/ResultSet/{program.path}/{field}", variant, ending.time)
