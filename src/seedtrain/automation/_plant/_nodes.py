"""The plant's address space: LADS devices with their functional units, functions, programs and results, each an
instance of the type that OPC 30500-1 has for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from asyncua import Server, ua

from seedtrain.automation._lads import LADS_TYPES
from seedtrain.automation._plant import _contents as contents
from seedtrain.automation._plant._base import PlantUnit, Signal
from seedtrain.automation._plant._callers import Order
from seedtrain.automation._plant._contents import field, own_fields, structures, text, texts
from seedtrain.automation._plant._controller_nodes import ControllerNodes
from seedtrain.automation._plant._history import PlantHistory, data_value
from seedtrain.automation._plant._instances import Content, Instances, Method
from seedtrain.automation._plant._locks import Lock
from seedtrain.automation._plant._state_nodes import StateNodes
from seedtrain.automation._plant._types import Types
from seedtrain.automation._plant._world import World
from seedtrain.automation._structures import text_structure

DEVICE_SET: Final = "1:5001"
MACHINES: Final = "3:1001"
KEY_VALUE: Final = "4:5045"
"""The binary encoding of LADS' KeyValueType."""
_COMPONENT: Final = ua.NodeId(ua.ObjectIds.HasComponent)


class Commands(Protocol):
    """What clients can order by the methods of LADS, by their paths."""

    def unit_methods(self, unit: PlantUnit) -> Mapping[str, Method]:
        """Of a functional unit."""

    def function_methods(self, unit: PlantUnit, tag: str) -> Mapping[str, Method]:
        """Of a controller."""


def argument(name: str, kind: ua.VariantType, words: str, *, array: bool = False) -> ua.Argument:
    """One argument of a method of the plant's own."""
    return ua.Argument(
        Name=name,
        DataType=ua.NodeId(kind.value),
        ValueRank=1 if array else -1,
        ArrayDimensions=[0] if array else [],
        Description=ua.LocalizedText(words),
    )


def value_name(unit: PlantUnit, tag: str) -> str:
    """What LADS calls the value of a function: a controller has a current value, a sensor a sensor value."""
    return "CurrentValue" if tag in unit.targets else "SensorValue"


class AddressSpace:
    """The nodes of one world. Node ids are paths, so that they are the same after every start."""

    def __init__(self, server: Server, index: int, types: Types, world: World, commands: Commands) -> None:
        self.server = server
        self.index = index
        self.world = world
        self.history = PlantHistory()
        self._types, self._commands = types, commands
        self._make = Instances(server, index)
        self._states = StateNodes(types, self._make.types)
        self.controllers = ControllerNodes(server, self._make, types, self._states, self.write)
        self._shown: dict[str, tuple[Any, str]] = {}
        server.iserver.history_manager.set_storage(self.history)

    def id(self, path: str) -> ua.NodeId:
        """The node id of a path."""
        return ua.NodeId(path, self.index)

    async def method(
        self, parent: ua.NodeId, path: str, call: Any, inputs: list[ua.Argument], outputs: list[ua.Argument]
    ) -> None:
        """A method of the plant's own, named by the last part of its path."""
        name = ua.QualifiedName(path.rpartition("/")[2], self.index)
        await self.server.get_node(parent).add_method(self.id(path), name, call, inputs, outputs)

    async def build(self) -> ua.NodeId:
        """Devices with all that is in them, and the clock; returns the clock's object."""
        for unit in self.world.units.values():
            self._device(unit)
        objects, clock = self.server.nodes.objects.nodeid, self.world.clock
        node = self._make.make(objects, "Clock", ua.NodeId(ua.ObjectIds.BaseObjectType), Content())
        self._make.variable(node, "Clock/Time", contents.time(clock.now()))
        self._make.variable(node, "Clock/LockStep", ua.Variant(clock.lock_step, ua.VariantType.Boolean))
        self._make.variable(node, "Clock/Speed", ua.Variant(clock.speed or 0.0, ua.VariantType.Double))
        return node

    def _type(self, name: str) -> ua.NodeId:
        return self._types.id(f"4:{LADS_TYPES[name]}")

    def _device(self, unit: PlantUnit) -> None:
        make, path = self._make, unit.name
        content = contents.device(unit, self._states)
        devices = self._types.id(DEVICE_SET)
        device = make.make(devices, path, self._type("LADSDeviceType"), content)
        make.refer(self._types.id(MACHINES), ua.NodeId(ua.ObjectIds.Organizes), device)
        make.variable(device, f"{path}/Origin", text("simulated"), property_=True)
        inner = make.make(
            self.id(f"{path}/FunctionalUnitSet"),
            f"{path}/FunctionalUnitSet/{path}",
            self._type("FunctionalUnitType"),
            contents.functional_unit(unit, self._types, self._states, self._commands.unit_methods(unit)),
            within=path,
        )
        assert inner == self.id(f"{path}/FunctionalUnitSet/{path}")
        for tag in unit.functions:
            self._function(unit, tag)
        self._programs(unit)

    def _function(self, unit: PlantUnit, tag: str) -> None:
        make, path, controlled = self._make, f"{unit.name}/FunctionSet/{tag}", tag in unit.targets
        methods = self._commands.function_methods(unit, tag) if controlled else {}
        content = contents.function(unit, tag, self._states, methods)
        kind = "AnalogControlFunctionType" if controlled else "AnalogScalarSensorFunctionType"
        node = make.make(self.id(f"{unit.name}/FunctionSet"), path, self._type(kind), content)
        value = self.id(f"{path}/{value_name(unit, tag)}")
        self.history.past[value] = lambda start, end: unit.past(tag, start, end)
        if controlled:
            self.controllers.build(node, unit, tag)
        else:  # nothing is taken off it in the device: what the probe shows is what is published
            make.share(value, self.id(f"{path}/RawValue"))
        for name in ("TargetValue",) if controlled else ("RawValue",):
            make.variable(self.id(f"{path}/{name}"), f"{path}/{name}/Origin", text("simulated"), property_=True)
        make.variable(value, f"{path}/{value_name(unit, tag)}/Origin", text("simulated"), property_=True)

    def _programs(self, unit: PlantUnit) -> None:
        make, path, now = self._make, f"{unit.name}/ProgramManager", self.world.clock.now()
        for phase, known in unit.templates.items():
            name = ua.QualifiedName(phase, self.index)
            here = f"{path}/ProgramTemplateSet/{phase}"
            held = Content(contents.template(phase, now))
            above = self.id(f"{path}/ProgramTemplateSet")
            node = make.make(above, here, self._type("ProgramTemplateType"), held, name=name)
            make.variable(node, f"{here}/Functions", texts(list(known.functions)))
            make.variable(node, f"{here}/Materials", texts(list(known.materials)))
            here = f"{path}/ResultSet/{phase}"
            held = contents.result(phase, now)
            node = make.make(self.id(f"{path}/ResultSet"), here, self._type("ResultType"), held, name=name)
            for key, value in own_fields().items():
                own = make.variable(node, f"{here}/{key}", value)
                make.refer(self.id(f"{here}/VariableSet"), _COMPONENT, own)

    async def write(self, path: str, value: ua.Variant, at: datetime | None = None) -> None:
        """A new value of a variable, with its source time."""
        await self.server.write_attribute_value(
            self.id(path), ua.DataValue(value, SourceTimestamp=at or self.world.clock.now())
        )

    async def show(self, signals: list[Signal], ordered: Mapping[str, Order]) -> None:
        """Publish what the world told, and the time; `ordered`: by whom each unit's last run was."""
        for signal in signals:
            unit = self.world.units[signal.unit]
            if signal.tag:
                assert signal.time is not None
                node = self.id(f"{signal.unit}/FunctionSet/{signal.tag}/{value_name(unit, signal.tag)}")
                await self.server.write_attribute_value(node, data_value(signal.value, signal.time, signal.quality))
            else:
                await self._show_result(unit, ordered.get(signal.unit))
        for unit in self.world.units.values():
            await self._show_state(unit)
        await self.write("Clock/Time", contents.time(self.world.clock.now()))

    async def _show_state(self, unit: PlantUnit) -> None:
        """Publish a unit's state and active program, where they changed."""
        now = (unit.state, unit.active)
        if self._shown.get(unit.name) == now:
            return
        self._shown[unit.name] = now
        at = self.world.clock.now()
        for path, value in self._states.unit(unit.state).items():
            shown = replace(value, SourceTimestamp=at)
            await self.server.write_attribute_value(self.id(f"{unit.name}/{path}"), shown)
        path = f"{unit.name}/ProgramManager"
        node = self.id(f"{path}/ProgramTemplateSet/{unit.active}") if unit.active else ua.NodeId()
        active = contents.active_program(self._types, unit.active, node)
        await self.write(f"{path}/ActiveProgram/CurrentProgramTemplate", active)
        await self.write(f"{path}/ActiveProgram/DeviceProgramRunId", text(run_id(unit) if unit.active else ""))

    async def show_lock(self, unit: str, lock: Lock | None) -> None:
        """Publish who has a unit."""
        await self.write(f"{unit}/Lock/Locked", ua.Variant(lock is not None, ua.VariantType.Boolean))
        await self.write(f"{unit}/Lock/LockingClient", text(lock.holder.application if lock else ""))
        await self.write(f"{unit}/Lock/LockingUser", text(lock.holder.user if lock else ""))

    def show_remaining(self, unit: str, remaining: Any) -> None:
        """Let the time that a lock has left be asked for whenever it is read."""
        self._make.computed(self.id(f"{unit}/Lock/RemainingLockTime"), lambda: remaining(unit))

    async def _show_result(self, unit: PlantUnit, ordered: Order | None) -> None:
        program = unit.program
        assert program is not None
        ending = program.ending
        assert ending is not None
        outlet = dict(ending.outlet or {})
        own: dict[str, Any] = {
            "EndedBy": ending.ended_by,
            "Materials": [item.material for item in ending.additions],
            "Amounts": [item.amount for item in ending.additions],
            "AmountUnits": [item.unit for item in ending.additions],
            "OutletNames": list(outlet),
            "OutletAmounts": [amount for amount, _ in outlet.values()],
            "OutletUnits": [measure for _, measure in outlet.values()],
        }
        values = {name: field(name, value) for name, value in own.items()}
        if ordered is not None:
            encoding = self._types.id(KEY_VALUE)
            values |= {
                "ApplicationUri": text(ordered.application),
                "User": text(ordered.user),
                "SupervisoryJobId": text(ordered.job),
                "SupervisoryTaskId": text(ordered.task),
                "Properties": structures([text_structure(encoding, *item) for item in ordered.given.items()]),
            }
        values["DeviceProgramRunId"] = text(run_id(unit))
        values["Stopped"] = contents.time(ending.time)
        values["Started"] = contents.time(program.began)  # last: who sees it sees all the rest of this run
        for name, value in values.items():
            await self.write(f"{unit.name}/ProgramManager/ResultSet/{program.path}/{name}", value, ending.time)


def run_id(unit: PlantUnit) -> str:
    """What the run is called that a unit has or had last: its phase, and when it began."""
    program = unit.program
    return "" if program is None else f"{program.path}@{program.began:%Y-%m-%dT%H:%M:%S.%fZ}"
