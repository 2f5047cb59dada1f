"""The plant is a LADS server, and its client knows one: judged by the official node sets through node-opcua."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from seedtrain.automation._lads import ISA_OF_MACHINE, LADS_TYPES, MACHINE_STATE, unit_id, unit_text
from seedtrain.automation._mapped import read_any_mapping
from seedtrain.automation._opcua import (
    Mapping,
    Offered,
    OpcUaPlant,
    OpcUaUnit,
    Session,
    browse,
    draft_mapping,
    parse_mapping,
)
from seedtrain.automation._opcua._session import Value
from seedtrain.automation._protocols import Access, TagMapping, TagPlant, parse_address, parse_tag_mapping
from seedtrain.automation._protocols._opcua_tags import OpcUaDevice
from seedtrain.automation._served import PlantProcess
from seedtrain.automation._structures import name_and_node, name_of, pairs, text_structure
from seedtrain.base import InputError, InputErrors
from seedtrain.quantity import Quantity
from seedtrain.recipe import State
from tests.automation.made import START
from tests.automation_opcua import lads_types
from tests.automation_opcua.served import FED, driven, small
from tests.judges import node_judge

JUDGE = Path(__file__).parent / "judge"
PLANT = "nsu=urn:seedtrain:plant;s={}"
WHEN = START + timedelta(days=800)
"""At a time of their own: the plant is shared with other tests."""


def home(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def started(mapping: Mapping, owner: str) -> Any:
    """The plant's tank, about to run its phase for `owner`."""
    device = driven(mapping, owner=owner)
    unit = device.unit("T")
    unit.command(FED, small().recipe.phase(FED).set)
    return device, unit


def test_every_object_is_what_the_official_node_sets_say(plant_process: PlantProcess, mapping: Mapping, tmp_path: Path):
    """While one unit runs. The judge damages what it has seen, too, and has to notice every kind of damage."""
    node = node_judge(JUDGE, "node-opcua-address-space")
    device, unit = started(mapping, "B-1")
    with device:
        unit.start(FED, small().recipe.phase(FED), WHEN)
        command = [node, str(JUDGE / "types.js"), plant_process.url]
        done = subprocess.run(command, env=home(tmp_path), capture_output=True, text=True, timeout=120, check=False)
        unit.await_end(FED)
    assert done.returncode == 0, done.stderr
    found = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert found["faults"] == []
    assert {name for name, count in found["noticed"].items() if not count} == set()
    assert len(found["noticed"]) == 11
    units, functions = len(mapping.entry.units), [len(item.functions) for item in mapping.entry.units.values()]
    types = found["types"]
    assert types["LADSDeviceType"] == types["FunctionalUnitStateMachineType"] == units
    assert types["AnalogControlFunctionType"] + types["AnalogScalarSensorFunctionType"] == sum(functions)
    assert set(LADS_TYPES) - set(types) == {"FunctionType", "PidControllerParameterType"}  # no loops: it is played back


def test_the_types_are_those_of_the_node_sets():
    node_judge(JUDGE, "node-opcua-nodesets")
    assert lads_types.extracted() == lads_types.WRITTEN.read_text(encoding="utf-8")


@contextmanager
def other_server(folder: Path) -> Iterator[str]:
    """A LADS server by node-opcua, with a device type of a maker's own."""
    node = node_judge(JUDGE, "node-opcua-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [node, str(JUDGE / "lads_server.js"), str(port)]
    with (
        open(folder / "said", "w") as said,
        subprocess.Popen(
            command, env=home(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            yield next(line.strip() for line in process.stdout if line.startswith("opc.tcp://"))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with other_server(tmp_path_factory.mktemp("other")) as url:
        yield url


def other_draft(url: str) -> tuple[Any, str]:
    with asked(url) as session:
        root = browse(session)
    return root, draft_mapping(root, url)


def test_another_lads_server_is_known_by_its_types(other: str):
    root, draft = other_draft(other)
    device = root.find("DeviceSet", "Station 7")
    assert device.lads == "LADSDeviceType"  # its own type is the maker's
    assert "the types of LADS are all that it went by" in draft
    assert "?" not in draft
    entry = parse_mapping(draft, "mapping.yaml").entry.units["Vessel A"]
    state = device.find("FunctionalUnitSet", "Vessel A", "FunctionalUnitState", "CurrentState")
    assert (entry.state, state.value) == (state.node.rpartition(";")[2], "Stopped")
    assert entry.substate is not None
    assert entry.program is None
    assert entry.lads is not None
    assert list(entry.functions) == ["Temperature", "Stirrer", "pH"]
    assert [item.target is not None for item in entry.functions.values()] == [True, True, False]
    assert [item.unit for item in entry.functions.values()] == ["degC", "", ""]  # it shows °C, and its number is CEL


def test_another_lads_server_runs_a_phase(other: str):
    """By the methods of LADS: started once however often it is asked, held and taken up again, and found by a second
    executor that comes after the first was killed."""
    _, draft = other_draft(other)
    text = draft.replace("    lads:\n", "    lads:\n      programs: {main/fed: Fed-batch 37}\n")
    phase, at = small().recipe.phase(FED), datetime.now(UTC)
    settings = {"Temperature": Quantity(36.0, "degC"), "growth_rate": Quantity(0.2, "1/h")}

    def unit_of(plant: OpcUaPlant) -> OpcUaUnit:
        unit = plant.unit("Vessel A")
        unit.command("main/fed", settings)
        assert unit.await_ready("main/fed", at) == at
        unit.start("main/fed", phase, at)
        return unit

    with OpcUaPlant(parse_mapping(text, "mapping.yaml"), owner="B-1") as first:
        unit = unit_of(first)
        assert unit.identify().manufacturer == "Maker"
        assert unit.state is State.RUNNING
        unit.hold("main/fed")
        assert unit.state is State.HELD
    with OpcUaPlant(parse_mapping(text, "mapping.yaml"), owner="B-1") as second:
        unit = unit_of(second)  # told again: it goes on where it is held
        assert unit.state is State.RUNNING
        ending = unit.await_end("main/fed")
        assert ending.ended_by == ("condition" if phase.until else "duration")
        assert timedelta(seconds=5) <= ending.time - at < timedelta(seconds=60)
        with pytest.raises(InputError, match="draws no samples"):
            unit.draw_sample("main/fed", {"titer": "g/L"})
        unit.start("main/fed", phase, at)  # it ran already
        assert unit.state is State.IDLE
        readings = unit.read("main/fed", timedelta(seconds=1))
        assert {item.tag for item in readings} == {"Temperature", "Stirrer", "pH"}
        assert {item.value for item in readings if item.tag == "pH" and item.quality == "good"} == {7.02}
    with asked(other) as session:
        unit_node = browse(session).find("DeviceSet", "Station 7", "FunctionalUnitSet", "Vessel A")
        assert unit_node is not None
        results = unit_node.find("ProgramManager", "ResultSet")
        assert results is not None
        runs = [item for item in results.children.values() if item.kind == "Object"]
        assert len(runs) == 1
        told = runs[0].find("Description")
        assert told is not None
        assert told.value == "growth_rate=0.2 1/h"  # the temperature was written as a target
        target = unit_node.find("FunctionSet", "Temperature", "TargetValue")
        assert target is not None
        assert target.value == 36.0


def test_what_lads_cannot_do_is_refused_before_anything_moves(draft: str):
    start = draft.index("    program:\n", draft.index("  T:\n"))
    end = draft.index("    functions:\n", start)
    kept = "\n".join(f"      {key}: s=T/{node}" for key, node in LADS_NODES.items())
    with pytest.raises(InputErrors) as caught:
        OpcUaPlant(parse_mapping(f"{draft[:start]}    lads:\n{kept}\n{draft[end:]}", "mapping.yaml"), small())
    words = "production/main/fed: sample: T draws no samples: LADS has no method for it"
    assert {error.message for error in caught.value.parts} == {words}
    both = draft[:start] + f"    lads:\n{kept}\n" + draft[start:]
    with pytest.raises(InputErrors, match="'program' and 'lads' are both given"):
        parse_mapping(both, "mapping.yaml")


PLC = """
server: {url}
namespace: urn:maker:bench
units:
  T:
    origin: measured
    owner: s=Owner
    functions:
      temperature: {{current: s=TIC.PV, target: s=TIC.SP, unit: degC}}
      stirrer_speed: {{current: s=SIC.SP, target: s=SIC.SP, unit: 1/min}}
    safe: {{targets: {{stirrer_speed: 200 1/min}}}}
"""


def test_a_server_without_programs_is_driven_by_its_values(other: str, tmp_path: Path):
    """As a controller's server is: node-opcua takes a value in its node's own data type alone."""
    file = tmp_path / "mapping.yaml"
    file.write_text(PLC.format(url=other))
    mapping = read_any_mapping(file)
    assert isinstance(mapping, TagMapping)
    with TagPlant(mapping, owner="B-1") as plant:
        unit = plant.unit("T")
        assert plant.origin == "measured"
        unit.command(FED, {"temperature": Quantity(310.15, "K"), "stirrer_speed": Quantity(240.0, "1/min")})
        unit.start(FED, small().recipe.phase(FED), datetime.now(UTC))
        read = plant.device.read(["s=TIC.PV", "s=TIC.SP", "s=SIC.SP", "s=Owner"])
        assert [item.value for item in read] == [36.5, pytest.approx(37.0, abs=1e-5), 240, "B-1"]
        assert {item.quality for item in read} == {"good"}
        unit.hold(FED)
        assert plant.device.read(["s=SIC.SP"])[0].value == 200
        with pytest.raises(InputError, match=r"s=SIC.SP holds whole numbers, not 0.5"):
            plant.device.write({"s=SIC.SP": 0.5})
        with pytest.raises(InputError, match=r"s=TIC.PV can only be read"):
            plant.device.write({"s=TIC.PV": 1.0})


def test_values_are_drafted_by_their_names():
    """Where nothing is of LADS: what belongs together is told by the last word."""
    tank = Offered("Tank 1", "nsu=urn:plc;s=Tank1", "Object")
    held: dict[str, Any] = {"TIC.PV": 36.5, "TIC.SP": 37.0, "Level": 12, "On": True, "PV": 1.5, "SP": 2.0}
    for name, shown in held.items():
        tank.children[name] = Offered(name, f"nsu=urn:plc;s={name}", "Variable", value=shown)
    tank.children["TIC.PV"].unit = "degC"
    tank.children["Level"].unit = "furlongs"  # as a maker writes what no unit is
    root = Offered("Objects", "i=85", "Object", {"Tank 1": tank, "Text": Offered("Text", "i=9", "Variable", value="x")})
    draft = draft_mapping(root, "opc.tcp://192.0.2.7:4840")
    entry = parse_tag_mapping(draft, "mapping.yaml").entry
    functions = entry.units["Tank 1"].functions
    assert {name: (item.current, item.target, item.unit) for name, item in functions.items()} == {
        "TIC": ("s=TIC.PV", "s=TIC.SP", "degC"),
        "Level": ("s=Level", None, ""),
        "Tank 1": ("s=PV", "s=SP", ""),
    }
    assert (entry.namespace, entry.units["Tank 1"].origin) == ("urn:plc", "measured")
    with pytest.raises(InputError, match="offers no number"):
        draft_mapping(Offered("Objects", "i=85", "Object"), "opc.tcp://192.0.2.7:4840")


def test_a_mapping_of_values_with_faults_says_all_of_them(other: str):
    wrong = PLC.replace("current: s=TIC.PV", "current: s=nowhere").replace("target: s=TIC.SP", "target: s=TIC.PV")
    with pytest.raises(InputErrors) as caught:
        TagPlant(parse_tag_mapping(wrong.format(url=other), "mapping.yaml"))
    words = str(caught.value)
    assert "the device has no tag s=nowhere" in words
    assert "s=TIC.PV can only be read" in words


def test_simulated_values_are_simulated_without_programs_too(plant_process: PlantProcess):
    text = f"""
server: {plant_process.url}
namespace: urn:seedtrain:plant
units: {{T: {{origin: measured, functions: {{pH: {{current: s=T/FunctionSet/pH/CurrentValue}}}}}}}}
"""
    with pytest.raises(InputErrors, match="says that values of T are simulated"):
        TagPlant(parse_tag_mapping(text, "mapping.yaml"))


def test_a_value_of_bad_quality_is_no_value(plant_process: PlantProcess, monkeypatch: pytest.MonkeyPatch):
    """What a server still shows of an instrument that has failed is not what is there."""
    node = PLANT.format("T/FunctionSet/pH/CurrentValue")
    device = OpcUaDevice(parse_address(plant_process.url), Access(), [node], lambda name: name, "measured")
    try:
        for quality, wanted in (("good", 7.0), ("uncertain", 7.0), ("bad", None)):
            shown = Value(7.0, START, cast(Any, quality))
            monkeypatch.setattr(Session, "read", lambda own, nodes, attribute="Value", shown=shown: [shown])
            (found,) = device.read([node])
            assert (found.value, found.quality, found.time) == (wanted, quality, START)
    finally:
        device.close()


LADS_NODES = {
    "machine": "FunctionalUnitState",
    "start": "FunctionalUnitState/StartProgram",
    "abort": "FunctionalUnitState/Abort",
    "stop": "FunctionalUnitState/Stop",
    "running": "FunctionalUnitState/RunningStateMachine",
    "hold": "FunctionalUnitState/RunningStateMachine/Hold",
    "unhold": "FunctionalUnitState/RunningStateMachine/Unhold",
    "templates": "ProgramManager/ProgramTemplateSet",
    "results": "ProgramManager/ResultSet",
    "active": "ProgramManager/ActiveProgram/CurrentProgramTemplate",
}


@contextmanager
def asked(url: str) -> Iterator[Session]:
    session = Session(url, patience=2.0)
    try:
        yield session
    finally:
        session.close()


def value(session: Session, path: str) -> Any:
    (found,) = session.read([PLANT.format(path)])
    assert found is not None
    return getattr(found.value, "Text", found.value)


def test_a_locked_unit_is_its_holders(plant_process: PlantProcess, mapping: Mapping):
    """OPC 10000-100, clause 7: others may read; when the holder leaves, it is free."""
    lock, target = PLANT.format("T/Lock"), PLANT.format("T/FunctionSet/temperature/TargetValue")

    def call(session: Session, name: str, *arguments: tuple[str, Any]) -> list[Any]:
        return session.call(lock, PLANT.format(f"T/Lock/{name}"), *arguments)

    with asked(plant_process.url) as other:
        with asked(plant_process.url) as holder:
            assert call(holder, "ExitLock") == [-1]
            assert call(holder, "InitLock", ("String", "cleaning")) == [0]
            assert call(other, "InitLock", ("String", "")) == [-1]
            assert call(other, "RenewLock") == [-1]
            assert call(other, "ExitLock") == [-1]
            assert value(other, "T/Lock/Locked") is True
            assert 0 < value(other, "T/Lock/RemainingLockTime") <= 600_000
            with pytest.raises(InputError, match="BadLocked"):
                other.write({target: 30.0})
            device, unit = started_locked(mapping)
            with device, pytest.raises(InputError, match=r"T is locked by .* s more"):
                unit.await_ready(FED, WHEN)
            holder.write({target: 37.0})
            assert call(holder, "RenewLock") == [0]
        assert value(other, "T/Lock/Locked") is False
        assert value(other, "T/Lock/RemainingLockTime") == 0
        other.write({target: 37.0})
        assert call(other, "InitLock", ("String", "")) == [0]
        assert call(other, "BreakLock") == [0]


def test_a_list_is_no_target_and_ends_no_plant(plant_process: PlantProcess):
    """Any client can send one: what reads targets would not know what to do with it."""
    target, clock = PLANT.format("T/FunctionSet/temperature/TargetValue"), PLANT.format("Clock")
    with asked(plant_process.url) as session:
        (before,) = session.read([target])
        with pytest.raises(InputError, match="BadTypeMismatch"):
            session.write({target: cast(Any, [30.0, 31.0])})
        now = value(session, "Clock/Time")
        session.call(clock, f"{clock}/Advance", ("String", "J-8"), ("DateTime", now))
        (after,) = session.read([target])
        assert before is not None
        assert after is not None
        assert after.value == before.value


def started_locked(mapping: Mapping) -> Any:
    device = driven(mapping, owner="B-1")
    return device, device.unit("T")


class LadsClient:
    """A client of the tank that knows LADS and nothing else."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.machine = PLANT.format("T/FunctionalUnitState")

    def order(self, name: str, *arguments: tuple[str, Any]) -> list[Any]:
        within = name in ("Hold", "Unhold", "Reset")
        holder = f"{self.machine}/RunningStateMachine" if within else self.machine
        return self.session.call(holder, f"{holder}/{name}", *arguments)

    def states(self) -> tuple[str, str, str]:
        paths = ("CurrentState", "RunningStateMachine/CurrentState", "CurrentState/EffectiveDisplayName")
        outer, inner, shown = (value(self.session, f"T/FunctionalUnitState/{path}") for path in paths)
        return outer, inner or "", shown

    def program(self, mapping: Mapping) -> dict[str, str]:
        """Tell the controllers their targets; the properties that are left for the start."""
        phase, controlled = small().recipe.phase(FED).set, mapping.entry.units["T"].functions
        for name, item in phase.items():
            if name in controlled and controlled[name].target is not None:
                assert isinstance(item, Quantity)
                holder = PLANT.format(f"T/FunctionSet/{name}/ControlFunctionState")
                number = item.magnitude(controlled[name].unit)
                assert self.session.call(holder, f"{holder}/StartWithTargetValue", ("Double", number)) == []
        told = {name for name, item in controlled.items() if item.target is not None}
        return {name: str(item) for name, item in phase.items() if name not in told}

    def start(self, path: str, properties: dict[str, str]) -> list[Any]:
        encoding = self.session.node_id("nsu=http://opcfoundation.org/UA/LADS/;i=5045")
        pairs_ = [text_structure(encoding, *item) for item in properties.items()]
        wanted = [("ExtensionObject", pairs_), ("String", "J-7"), ("String", "T-1"), ("ExtensionObject", [])]
        return self.order("StartProgram", ("String", path), *wanted)


def test_a_lads_client_runs_a_program(plant_process: PlantProcess, mapping: Mapping):
    """By the methods of LADS alone: start, hold, take up again, to its end, and back to ready."""
    with driven(mapping) as device:
        before = device.unit("T").state
    with asked(plant_process.url) as session:
        client = LadsClient(session)
        if before is State.COMPLETE:
            client.order("Stop")
        assert client.states() == ("Stopped", "", "Stopped")
        with pytest.raises(InputError, match="BadInvalidState"):
            client.order("Hold")
        properties = client.program(mapping)
        with pytest.raises(InputError, match="BadInvalidArgument"):
            client.start("nothing/of/it", properties)
        with pytest.raises(InputError, match="BadArgumentsMissing"):
            client.order("StartProgram", ("String", FED))
        (run,) = client.start(FED, properties)
        assert str(run).startswith(f"{FED}@")
        assert client.states() == ("Running", "Execute", "Execute")
        active = "T/ProgramManager/ActiveProgram"
        assert name_of(value(session, f"{active}/CurrentProgramTemplate")) == FED
        assert value(session, f"{active}/DeviceProgramRunId") == run
        with driven(mapping, owner="B-2") as second, pytest.raises(InputError, match="J-7"):  # the job drives it
            second.unit("T").await_ready(FED, WHEN)
        client.order("Hold")
        assert client.states() == ("Running", "Held", "Held")
        client.order("Unhold")
        clock, began = PLANT.format("Clock"), value(session, "Clock/Time")
        session.call(clock, f"{clock}/Advance", ("String", "J-7"), ("DateTime", began + timedelta(days=3)))
        assert client.states() == ("Running", "Complete", "Complete")
        result = f"T/ProgramManager/ResultSet/{FED}"
        assert value(session, f"{result}/DeviceProgramRunId") == run
        assert value(session, f"{result}/SupervisoryJobId") == "J-7"
        assert pairs(value(session, f"{result}/Properties")) == properties
        assert value(session, f"{result}/ApplicationUri")
        client.order("Stop")
        assert client.states() == ("Stopped", "", "Stopped")
        client.start(FED, properties)
        client.order("Hold")
        client.order("Stop")  # of a held one
        assert client.states() == ("Stopped", "", "Stopped")
        holder = PLANT.format("T/FunctionSet/temperature/ControlFunctionState")
        for number in (float("nan"), float("inf")):
            with pytest.raises(InputError, match="BadInvalidArgument"):
                session.call(holder, f"{holder}/StartWithTargetValue", ("Double", number))


def test_the_session_of_a_lads_client_is_its_sign_of_life():
    """An executor tells that it lives; a client that knows LADS alone does so by its open session."""
    from asyncua import ua

    from seedtrain.automation._plant._callers import Caller, Order
    from seedtrain.automation._plant._commands import Commands

    commands = Commands(cast(Any, None))
    here, there = ua.NodeId(1), ua.NodeId(2)
    commands.orders.update(
        T=Order(owner="J-1", session=here), F=Order(owner="J-2", session=there), centrifuge=Order(owner="B-1")
    )
    assert commands.drivers() == {"J-1", "J-2"}
    commands.left(Caller(here))
    assert commands.drivers() == {"J-2"}


def test_a_lock_holds_for_protocols_without_locks_too():
    from asyncua import ua

    from seedtrain.automation._plant._callers import Caller
    from seedtrain.automation._plant._locks import Lock, Locks

    shown: list[tuple[str, Lock | None]] = []

    async def show(unit: str, lock: Lock | None) -> None:
        shown.append((unit, lock))

    locks, holder = Locks(show), Caller(ua.NodeId(1), "urn:cleaner")
    locks._held["T"] = Lock(holder, time.monotonic() + 60.0)
    with pytest.raises(InputError, match="T is locked by urn:cleaner for 60 s more"):
        locks.require("T", spoken=True)
    locks.require("F", spoken=True)
    locks.require("T")  # the plant itself
    assert locks.may(holder, "T")
    assert not locks.may(Caller(ua.NodeId(2)), "T")
    locks._held["T"] = Lock(holder, time.monotonic())
    locks.require("T", spoken=True)  # it was not renewed
    asyncio.run(locks.refresh())
    assert shown == [("T", None)]


def test_every_isa_state_survives_the_state_machines():
    for state in State:
        word, within = MACHINE_STATE[state]
        known = State.IDLE if state is State.STOPPED else state  # LADS has one word for both: ready to be started
        assert ISA_OF_MACHINE[within or word] is known


def test_structures_and_units_survive_the_wire():
    from asyncua import ua

    encoding = ua.NodeId(5045, 7)
    assert pairs([text_structure(encoding, "pH", "7.1"), text_structure(encoding, "", "Wert")]) == {
        "pH": "7.1",
        "": "Wert",
    }
    assert pairs(None) == {}
    assert name_of(name_and_node(encoding, "Zentrifuge", ua.NodeId("x", 3))) == "Zentrifuge"
    assert name_of(None) == ""
    shown = ua.EUInformation(UnitId=unit_id("degC"), DisplayName=ua.LocalizedText("°C"))
    assert unit_text(shown) == "degC"
    assert unit_text(ua.EUInformation(UnitId=-1, DisplayName=ua.LocalizedText("mmol/L/h"))) == "mmol/L/h"
    assert unit_text(None) is None
