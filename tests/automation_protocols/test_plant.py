"""Phases of a recipe on units that are made of tags, over a virtual plant that speaks Sparkplug B and Modbus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from seedtrain.automation import (
    Identity,
    SpeaksEntry,
    Tag,
    TagPlant,
    TagValue,
    draft_tag_mapping,
    open_device,
    parse_address,
    parse_tag_mapping,
    read_any_mapping,
    read_register_map,
)
from seedtrain.automation._devices import Plain, Quality, TagDevice
from seedtrain.automation._observed import WatchedPlant
from seedtrain.automation._protocols import TagUnit
from seedtrain.automation._served import PlantProcess
from seedtrain.base import InputError, InputErrors, UnavailableError
from seedtrain.program import read_plant
from seedtrain.quantity import Quantity
from seedtrain.recipe import Condition, Phase, State
from tests.automation_opcua.served import FED, small
from tests.automation_protocols.spoken import GROUP

Speaking = tuple[PlantProcess, SpeaksEntry]
GROW = "seed/expansion/grow"


def opened(protocol: str, folder: Path, speaks: SpeaksEntry) -> tuple[TagDevice, str]:
    """A device of the plant and the draft of its mapping."""
    address = parse_address(speaks.urls()[protocol])
    known = read_register_map(folder / "registers.yaml") if protocol == "modbus" else None
    device = open_device(address, registers=known)
    text = draft_tag_mapping(address, device.identify(), device.tags(), registers="registers.yaml" if known else "")
    return device, text.replace("units:", "poll: 0.1 s\nunits:", 1)


@pytest.mark.parametrize(("protocol", "name", "path"), [("sparkplug", "F", GROW), ("modbus", "T", FED)])
def test_a_phase_over_each_protocol(protocol: str, name: str, path: str, plant_folder: Path, speaking_plant: Speaking):
    """The plant runs it; it is held, goes on and is aborted; what is read has its unit and is marked simulated."""
    _, speaks = speaking_plant
    device, text = opened(protocol, plant_folder, speaks)
    mapping = parse_tag_mapping(text, str(plant_folder / f"{protocol}.yaml"))
    phase = small().recipe.phase(path)
    with TagPlant(mapping, small(), device=device) as plant:
        watched: WatchedPlant = plant
        unit = watched.unit(name)
        assert plant.origin == unit.identify().origin == "simulated"
        with pytest.raises(InputError, match="no set points"):
            unit.start(path, phase, unit.now())
        unit.command(path, phase.set)
        if protocol == "sparkplug":  # a code of Modbus has no number for it
            unit.command("nowhere", {})
            with pytest.raises(InputError, match=r"refuses to start nowhere: F cannot run 'nowhere'"):
                unit.start("nowhere", phase, unit.now())
        before = unit.now()
        unit.start(path, phase, before)
        assert (unit.state, unit.program) == (State.RUNNING, path)
        unit.command("another", {})
        with pytest.raises(InputError, match="runs another phase"):
            unit.start("another", phase, unit.now())
        unit.hold(path)
        assert (unit.state, unit.program) == (State.HELD, "")
        unit.start(path, phase, before)
        assert unit.state is State.RUNNING
        for _ in range(5):
            assert unit.poll(path) is None
        readings = [item for item in unit.fresh(path, before) if item.tag == "temperature"]
        assert len(readings) >= 4
        device_name = f"{name}.temperature"
        assert {(item.unit, item.origin, item.device) for item in readings} == {("degC", "simulated", device_name)}
        assert all(20 < item.value < 45 for item in readings if item.quality == "good")
        unit.abort(path)
        assert unit.state is State.ABORTED


def test_a_mapping_with_faults_says_all_of_them(plant_folder: Path, speaking_plant: Speaking):
    _, speaks = speaking_plant
    device, text = opened("modbus", plant_folder, speaks)
    wrong = (
        text.replace("current: T/pH/current", "current: T/colour")
        .replace("target: T/temperature/target", "target: T/temperature/current")
        .replace("origin: simulated", "origin: measured", 1)
        .replace("state: T/Program/state", "state: Clock/Time")
        .replace("current: T/biomass/current\n        unit: g/L", "current: T/biomass/current\n        unit: mg/L")
    )
    with pytest.raises(InputErrors) as caught:
        TagPlant(parse_tag_mapping(wrong, str(plant_folder / "m.yaml")), device=device)
    said = "\n".join(str(error) for error in caught.value.parts)
    assert "the device has no tag T/colour" in said
    assert "T/temperature/current can only be read" in said
    assert "the device says that values of F are simulated" in said
    assert "Clock/Time holds a time, not a text" in said
    assert "T/biomass/current is in g/L, the mapping says mg/L" in said
    assert len(caught.value.parts) == 5
    assert all(error.position is not None and error.position.line > 1 for error in caught.value.parts)


def test_the_scheme_says_which_mapping_a_file_is(tmp_path: Path):
    path = tmp_path / "mapping.yaml"
    path.write_text("server: mqtt://h/spBv1.0/g/e\nunits:\n  T: {functions: {x: {current: a}}}\n")
    assert read_any_mapping(path).entry.server == "mqtt://h/spBv1.0/g/e"
    path.write_text("server: mqtt://user:secret@h/x\nunits:\n  T: {functions: {x: {current: a, unit: furlong9}}}\n")
    with pytest.raises(InputErrors) as caught:
        read_any_mapping(path)
    assert "names a user or a password" in str(caught.value)
    assert len(caught.value.parts) == 2
    path.write_text("server: opc.tcp://h\nunits: {}\n")
    with pytest.raises(InputErrors, match="units"):
        read_any_mapping(path)


class Bench:
    """A device on a bench that runs no programs: it is what it was told, and can go away."""

    name = "bench"

    def __init__(self, **values: float) -> None:
        self.values: dict[str, Plain] = {"set": 20.0, **values}
        self.away = False
        self.quality: Quality = "good"

    def identify(self) -> Identity:
        return Identity("bench", "", "", "measured")

    def tags(self) -> tuple[Tag, ...]:
        return tuple(Tag(name, "number", "degC" if name in ("set", "t") else "", name == "set") for name in self.values)

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        if self.away:
            raise UnavailableError("away")
        now = datetime.now(UTC)
        return tuple(TagValue(name, self.values[name], "", now, self.quality, "measured") for name in names)

    def write(self, values: Mapping[str, Plain]) -> None:
        self.values.update(values)

    def close(self) -> None:
        self.away = True


BENCH = """server: modbus://bench:502/1
poll: 0.01 s
units:
  T:
    functions:
      temperature: {current: t, target: set, unit: degC}
    totalisers:
      feed: {tag: fed, unit: mL}
    safe: {targets: {temperature: 4 degC}}
    interlocks:
      - {when: temperature >= 60 degC, why: the broth cooks}
"""


def bench(device: Bench) -> TagPlant:
    return TagPlant(parse_tag_mapping(BENCH, "bench.yaml"), device=device)


def warm(until: str = "") -> Phase:
    at_most = Quantity(0.2 / 3600, "h")
    condition = Condition("temperature", ">=", Quantity(310.15, "K")) if until else None
    return Phase("warm", "grow", {"temperature": Quantity(310.15, "K")}, condition, at_most, None if until else at_most)


def test_a_device_without_programs_is_driven_by_the_executor():
    device = Bench(t=20.0, fed=100.0)
    unit = bench(device).unit("T")
    assert unit.program is None
    unit.command("w", warm("yes").set)
    assert device.values["set"] == pytest.approx(37.0), "in the function's unit"
    unit.start("w", warm("yes"), unit.now())
    assert unit.poll("w") is None
    device.values |= {"t": 37.0, "fed": 112.5}
    ending = unit.await_end("w")
    assert ending.ended_by == "condition"
    assert [(item.material, item.amount, item.unit) for item in ending.additions] == [("feed", 12.5, "mL")]
    assert unit.state is State.COMPLETE
    values = {item.value for item in unit.read("w", timedelta(milliseconds=10)) if item.quality == "good"}
    assert values == {20.0, 37.0}


def test_time_ends_a_phase_whatever_a_bad_sensor_says():
    device = Bench(t=50.0, fed=0.0)
    device.quality = "bad"
    with pytest.raises(UnavailableError, match="fed has no good value"):
        started(bench(device))
    device = Bench(t=20.0, fed=0.0)
    assert started(bench(device)).await_end("w").ended_by == "at_most"


def started(plant: TagPlant) -> TagUnit:
    unit = plant.unit("T")
    unit.command("w", warm("yes").set)
    unit.start("w", warm("yes"), unit.now())
    return unit


def test_a_phase_that_another_executor_began_keeps_its_counts_and_its_clock():
    device, began = Bench(t=20.0, fed=100.0), datetime.now(UTC) - timedelta(hours=2)
    phase = Phase("w", "wait", {}, Condition("elapsed", ">=", Quantity(1.0, "h")))
    for stood, ends in ((timedelta(minutes=59), True), (timedelta(minutes=61), False)):
        unit = bench(device).unit("T")
        unit.command("w", phase.set)
        unit.recall("w", stood, {"fed": 90.0})
        unit.start("w", phase, began)
        ending = unit.poll("w")
        assert (ending is not None) is ends
        if ending is not None:
            assert (ending.ended_by, ending.additions[0].amount) == ("condition", 10.0)
    assert device.values["set"] == 20.0, "a wait sets nothing"


def test_an_outage_is_marked_with_its_span():
    device = Bench(t=20.0, fed=0.0)
    unit = started(bench(device))
    unit.poll("w")
    device.away = True
    with pytest.raises(UnavailableError):
        unit.poll("w")
    assert unit.outages() == ()
    device.away = False
    unit.poll("w")
    (outage,) = unit.outages()
    assert outage.lost < outage.found <= unit.now()
    assert unit.outages() == ()
    assert unit.filled("w", outage, 1.0) == {"temperature": False}, "such a device keeps no history"


def test_held_it_goes_to_the_safe_state_of_the_mapping():
    device = Bench(t=20.0, fed=0.0)
    unit = started(bench(device))
    unit.hold("w")
    assert (unit.state, device.values["set"]) == (State.HELD, 4.0)
    unit.override({"temperature": Quantity(30.0, "degC")})
    assert device.values["set"] == 30.0
    with pytest.raises(InputError, match="has no target 'pH'"):
        unit.override({"pH": Quantity(7.0, "")})
    assert unit.tripped() is None
    device.values["t"] = 61.0
    tripped = unit.tripped()
    assert tripped is not None
    assert (tripped[0].words, tripped[1]) == ("the broth cooks", 61.0)
    with pytest.raises(InputError, match="analyses no samples: biomass"):
        unit.draw_sample("w", {"biomass": "g/L"})
    assert unit.draw_sample("w", {}) == ()


def test_phases_that_nobody_could_keep_are_refused_before_anything_moves():
    """A device without programs has no feed of a growth rate, and no biomass to wait for."""
    device = Bench(t=20.0, fed=0.0)
    with pytest.raises(InputErrors) as caught:
        TagPlant(parse_tag_mapping(BENCH, "bench.yaml"), small(), device=device)
    said = [error.message for error in caught.value.parts]
    assert any("T has no controller for" in item and "runs no programs" in item for item in said)
    assert any("has no unit" in item for item in said)
    assert device.values["set"] == 20.0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("4 degC", "4 L", "4 L"),
        ("temperature >= 60 degC", "hot", "is no condition"),
        ("temperature >= 60 degC", "pH >= 7", "no function 'pH' is mapped"),
        ("{temperature: 4 degC}", "{pH: 7}", "no function 'pH' is mapped"),
    ],
)
def test_safe_states_and_interlocks_are_checked(old: str, new: str, words: str):
    with pytest.raises(InputErrors) as caught:
        TagPlant(parse_tag_mapping(BENCH.replace(old, new), "bench.yaml"), device=Bench(t=20.0, fed=0.0))
    assert words in str(caught.value)


def test_the_plants_of_a_group_are_found(speaking_plant: Speaking):
    _, speaks = speaking_plant
    assert speaks.sparkplug is not None
    device = open_device(parse_address(f"{speaks.sparkplug.broker}/spBv1.0/{GROUP}"), listen=2.5)
    try:
        names = {tag.name.split("/")[1] for tag in device.tags()}
        assert "seedtrain" in names, "its clock ticks, and so a rebirth was asked for"
    finally:
        device.close()


@pytest.mark.parametrize(
    ("speaks", "words"),
    [
        ("{modbus: {port: 0}}", "speaks.modbus.port"),
        ("{sparkplug: {broker: 'http://h', group: g}}", "is no address that is spoken here"),
        ("{sparkplug: {broker: 'mqtt://h/x', group: g}}", "has a path"),
        ("{sparkplug: {broker: 'mqtt://h', group: a/b}}", "speaks.sparkplug.group"),
        ("{profinet: {}}", "profinet"),
    ],
)
def test_a_plant_file_that_speaks_nonsense(speaks: str, words: str, tmp_path: Path):
    path = tmp_path / "plant.yaml"
    path.write_text(f"plant: p\nunits: {{}}\nspeaks: {speaks}\n")
    with pytest.raises(InputErrors) as caught:
        read_plant(path)
    (error,) = (item for item in caught.value.parts if words in item.message)
    assert error.position is not None
    assert error.position.line == 3


class Programs(Bench):
    """A device that runs programs, one after the other; a start takes up a held one."""

    def __init__(self) -> None:
        super().__init__()
        self.values = {"name": "", "command": "none", "state": "idle", "t": 20.0}
        self.ran: list[tuple[str, str]] = []

    def tags(self) -> tuple[Tag, ...]:
        texts = tuple(Tag(name, "text", "", name != "state") for name in ("name", "command", "state"))
        return (*texts, Tag("t", "number", "degC"))

    def write(self, values: Mapping[str, Plain]) -> None:
        super().write(values)
        word = str(values.get("command", "none"))
        if word != "none":
            self.ran.append((word, str(self.values["name"])))
            self.values["state"] = {"start": "running", "hold": "held", "abort": "aborted"}[word]


PROGRAMS = """server: modbus://bench:502/1
poll: 0.01 s
units:
  T:
    program: {name: name, command: command, state: state}
    functions:
      temperature: {current: t, unit: degC}
    safe: {program: cool down}
"""


def test_a_program_of_the_device_is_its_safe_state():
    device = Programs()
    with TagPlant(parse_tag_mapping(PROGRAMS, "bench.yaml"), device=device) as plant:
        unit = plant.unit("T")
        unit.command("w", {})
        began = unit.now()
        unit.start("w", warm(), began)
        assert unit.poll("w") is None
        unit.hold("w")
        unit.hold("w")
        assert device.ran == [("start", "w"), ("hold", "w"), ("start", "cool down")]  # told twice, done once
        assert (unit.state, unit.program) == (State.HELD, "")
        with pytest.raises(InputError, match="does not run w"):
            unit.poll("w")
        device.values["state"] = "complete"  # of cooling down, not of the phase
        assert unit.state is State.HELD
        unit.start("w", warm(), began)
        assert device.ran[3:] == [("start", "w")]
        assert (unit.state, unit.program) == (State.RUNNING, "w")
        unit.abort("w")
        assert device.ran[4:] == [("abort", "w")]
    with pytest.raises(InputErrors, match="runs no programs, so 'cool down' cannot bring it to its safe state"):
        TagPlant(
            parse_tag_mapping(BENCH.replace("safe: {", "safe: {program: cool down, "), "bench.yaml"),
            device=Bench(t=1.0, fed=0.0),
        )


class Marked(Bench):
    """A bench that has a spare register for who drives it."""

    def tags(self) -> tuple[Tag, ...]:
        return (*(tag for tag in super().tags() if tag.name != "who"), Tag("who", "text", "", writable=True))


def test_executors_keep_to_the_tag_that_says_who_drives():
    device = Marked(t=20.0, fed=0.0)
    device.values["who"] = ""
    mapping = parse_tag_mapping(BENCH.replace("  T:\n", "  T:\n    owner: who\n"), "bench.yaml")
    first = TagPlant(mapping, device=device, owner="B-1").unit("T")
    first.command("w", warm("yes").set)
    assert device.values["who"] == "B-1"
    second = TagPlant(mapping, device=device, owner="B-2")
    with pytest.raises(InputError, match="T is driven by 'B-1', by its tag who, and cannot be driven by 'B-2'"):
        second.unit("T").await_ready("w", datetime.now(UTC))
    with pytest.raises(InputError, match="is driven by 'B-1'"):
        second.unit("T").command("w", {"temperature": Quantity(60.0, "degC")})
    assert device.values["set"] == pytest.approx(37.0), "nothing was moved"
    second.close()
    device.away = False
    assert device.values["who"] == "B-1", "who claimed nothing lets nothing go"
    again = TagPlant(mapping, device=device, owner="B-1")  # the executor was killed; the batch goes on
    again.unit("T").command("w", warm("yes").set)
    again.close()
    assert device.values["who"] == ""


def test_a_device_with_an_owner_that_is_away_leaves_its_outage(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("seedtrain.automation._protocols._owner.BEAT_S", 0.0)
    device = Marked(t=20.0, fed=0.0)
    device.values["who"] = ""
    mapping = parse_tag_mapping(BENCH.replace("  T:\n", "  T:\n    owner: who\n"), "bench.yaml")
    unit = started(TagPlant(mapping, device=device, owner="B-1"))
    device.away = True
    for _ in range(3):
        with pytest.raises(UnavailableError):
            unit.poll("w")
    device.away = False
    unit.poll("w")
    (outage,) = unit.outages()
    assert outage.lost < outage.found
    device.values["who"] = "B-2"  # somebody who does not ask
    with pytest.raises(InputError, match="is driven by 'B-2'"):
        unit.poll("w")


@pytest.mark.parametrize("protocol", ["sparkplug", "modbus"])
def test_two_executors_over_one_protocol(protocol: str, plant_folder: Path, speaking_plant: Speaking):
    """The draft names the tags for it; the unit is the first one's until it lets go."""
    _, speaks = speaking_plant
    device, text = opened(protocol, plant_folder, speaks)
    assert text.count("Program/owner") == text.count("Program/ready") == text.count("Program/state")
    mapping = parse_tag_mapping(text, str(plant_folder / f"{protocol}.yaml"))
    first = TagPlant(mapping, small(), device=device, owner="B-1")
    first.unit("T").command(FED, {"temperature": Quantity(30.0, "degC")})
    other, _ = opened(protocol, plant_folder, speaks)
    with TagPlant(mapping, small(), device=other, owner="B-2") as second:
        with pytest.raises(InputError, match=r"T is driven by 'B-1', by its tag .*T/Program/owner"):
            second.unit("T").command(FED, {"temperature": Quantity(60.0, "degC")})
        first.close()
        second.unit("T").command(FED, {"temperature": Quantity(31.0, "degC")})
