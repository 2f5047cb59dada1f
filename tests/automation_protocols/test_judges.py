"""Libraries that nobody here wrote read what we say and say what we obey."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from seedtrain.automation import Access, SpeaksEntry, parse_address, read_register_map
from seedtrain.automation._protocols._modbus import ModbusDevice, parse_register_map
from seedtrain.automation._protocols._sila import Progress, SilaClient, SilaDevice, SilaRefusal
from seedtrain.automation._served import PlantProcess
from seedtrain.base import InputError, UnavailableError
from tests.automation_opcua.served import FED, small
from tests.automation_protocols.spoken import (
    GROUP,
    await_port,
    certificate,
    free_port,
    node,
    sila_server,
    speaking,
)

Speaking = tuple[PlantProcess, SpeaksEntry]


def test_sparkplug_payload_decodes_every_message_and_its_commands_are_obeyed(tmp_path: Path, broker_port: int):
    """From the rebirth that the judge asks for to the death certificate, over a whole phase of the plant."""
    command = [*node("sparkplug.js"), f"mqtt://127.0.0.1:{broker_port}", GROUP, "judged", "F"]
    with speaking(tmp_path, broker_port, edge="judged", speed=20_000.0) as (plant, speaks):
        judge = subprocess.Popen(
            [*command, "temperature/target", "36.25", "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert judge.stderr is not None
        assert judge.stderr.readline() == "listening\n"
        run_phase_over_modbus(tmp_path, speaks_port(tmp_path, plant, speaks))
        plant.stop()
        said, failure = judge.communicate(timeout=90)
    assert judge.returncode == 0, failure
    found = json.loads(said)
    assert found["failed"] == 0
    assert found["kinds"]["NBIRTH"] >= 1
    assert found["kinds"]["DBIRTH"] >= 4
    assert found["kinds"]["DDATA"] >= 1
    assert found["deaths"] == 1
    assert found["values"] > 25
    assert found["written"] == 36.25
    assert found["origins"] == ["simulated"]
    assert found["units"]["T/temperature/current"] == "degC"
    assert found["births"]["T/temperature/target"]["type"] == "Double"
    assert found["births"]["/Clock/Time"]["type"] == "DateTime"
    assert set(found["bdSeq"]) == {found["bdSeq"][0]}, "the death is that of the session that was born"
    numbered = [item for item in found["seq"] if item is not None]
    start = numbered.index(0)
    for before, after in zip(numbered[start:], numbered[start + 1 :], strict=False):
        assert after == (before + 1) % 256 or after == 0


def speaks_port(folder: Path, plant: PlantProcess, speaks: SpeaksEntry) -> int:
    assert plant.url.startswith("opc.tcp://")
    assert speaks.modbus is not None
    assert (folder / "registers.yaml").is_file()
    return speaks.modbus.port


def run_phase_over_modbus(folder: Path, port: int) -> None:
    """Drive the plant as our own Modbus client does, so that it has something to say."""
    from seedtrain.automation import TagPlant, draft_tag_mapping, open_device, parse_tag_mapping

    address, registers = parse_address(f"modbus://127.0.0.1:{port}/1"), read_register_map(folder / "registers.yaml")
    device = open_device(address, registers=registers)
    text = draft_tag_mapping(address, device.identify(), device.tags(), registers="registers.yaml")
    mapping = parse_tag_mapping(text.replace("units:", "poll: 0.2 s\nunits:", 1), str(folder / "mapping.yaml"))
    phase = small().recipe.phase(FED)
    with TagPlant(mapping, small(), device=device) as plant:
        unit = plant.unit("T")
        unit.command(FED, phase.set)
        unit.start(FED, phase, unit.await_ready(FED, unit.now()))
        ending = unit.await_end(FED)
        assert ending.ended_by == "condition"
        readings = unit.read(FED, timedelta(hours=1))
        assert {item.origin for item in readings} == {"simulated"}


def ask(process: subprocess.Popen[str], **request: object) -> dict[str, object]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    answer: dict[str, object] = json.loads(process.stdout.readline())
    return answer


def test_modbus_serial_reads_and_writes_the_plant(plant_folder: Path, speaking_plant: Speaking):
    _, speaks = speaking_plant
    assert speaks.modbus is not None
    command = [*node("modbus.js"), "client", str(speaks.modbus.port)]
    registers = read_register_map(plant_folder / "registers.yaml")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as judge:
        target = registers.register("centrifuge/Program/name")
        assert ask(judge, identify=True)["data"] == {"0": "Seedtrain", "1": "virtual plant (simulated)", "2": "1"}
        assert ask(judge, table="holding", address=target.address, count=1)["data"] == [0]
        written = registers.register("T/temperature/target")
        words = [0x4042, 0x2000, 0, 0]  # 36.25 as a double
        assert ask(judge, address=written.address, write=words) == {"done": True}
        assert ask(judge, table="holding", address=written.address, count=4)["float64"] == 36.25
        clock = registers.register("Clock/Time")
        first = ask(judge, table="input", address=clock.address, count=4)["data"]
        second = ask(judge, table="input", address=clock.address, count=4)["data"]
        assert isinstance(first, list)
        assert isinstance(second, list)
        assert second > first
        assert ask(judge, table="input", address=60000, count=1)["code"] == 2
        assert ask(judge, table="coil", address=0, count=1)["code"] == 2
        assert ask(judge, address=written.address, write=[1], one=True)["code"] == 3, "half a number"
        state = registers.register("T/Program/state")
        assert ask(judge, address=state.address + 50000, write=[1])["code"] == 2
        command_register = registers.register("T/Program/command")
        assert ask(judge, address=command_register.address, write=[77])["code"] == 3, "no such command"
        assert judge.stdin is not None
        judge.stdin.close()
        judge.wait(10)


MAP = """
origin: measured
registers:
  temperature: {address: 0, type: int16, scale: 0.1, unit: degC, writable: true}
  pressure: {address: 1, type: float32, unit: bar}
  swapped: {address: 3, type: float32, unit: bar, word_order: little}
  total: {address: 5, type: uint32, unit: mL}
  mirrored: {address: 7, table: input, type: uint16}
  broken: {address: 8, writable: true}
  limited: {address: 9, writable: true}
  valve: {address: 1, table: coil, type: bit, writable: true}
  gone: {address: 40}
"""


def test_our_modbus_client_with_a_server_of_modbus_serial():
    port = free_port()
    held = [370, 0x3FC0, 0, 0, 0x3FC0, 0x0001, 0x86A0, 4, 0, 5]
    command = [*node("modbus.js"), "server", str(port), json.dumps(held)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as judge:
        await_port(port, judge)
        address = parse_address(f"modbus://127.0.0.1:{port}/1")
        device = ModbusDevice(address, parse_register_map(MAP, "registers.yaml"), patience=2.0)
        try:
            names = ("temperature", "pressure", "swapped", "total", "mirrored", "valve")
            values = {item.tag: (item.value, item.unit, item.quality) for item in device.read(names)}
            assert values["temperature"] == (pytest.approx(37.0), "degC", "good")
            assert values["pressure"][0] == values["swapped"][0] == 1.5
            assert values["total"][:2] == (100000.0, "mL")
            assert values["mirrored"][0] == 65531.0
            assert values["valve"][0] is False
            device.write({"temperature": 36.5, "valve": True})
            again = {item.tag: item.value for item in device.read(("temperature", "valve"))}
            assert again == {"temperature": pytest.approx(36.5), "valve": True}
            with pytest.raises(InputError, match=r"limited was written as 400.0, and holds 100.0") as caught:
                device.write({"limited": 400})
            assert "limits" in caught.value.remedy
            with pytest.raises(UnavailableError, match=r"answers server device failure for broken"):
                device.write({"broken": 1})
            with pytest.raises(InputError, match=r"answers illegal data address for gone \(holding 40, uint16\)"):
                device.read(("gone",))
            with pytest.raises(InputError, match=r"pressure \(holding 1\) cannot be written"):
                device.write({"temperature": 40.0, "pressure": 1.0})
            (unchanged,) = device.read(("temperature",))
            assert unchanged.value == pytest.approx(36.5), "nothing is written where one value cannot be"
        finally:
            device.close()
            judge.kill()


def test_a_sila_server_of_unitelabs():
    port = free_port()
    with sila_server(port):
        client = SilaClient(parse_address(f"sila://127.0.0.1:{port}"))
        features = client.discover()
        thermostat = features["Thermostat"]
        assert thermostat.full == "org.example/tests/Thermostat/v1"
        assert client.read(thermostat, "SerialNumber") == "T-17"
        assert client.read(thermostat, "Program") == ["denature", "anneal", "extend"]
        assert client.read(thermostat, "Span") == {"Lowest": 4.0, "Highest": 95.0}
        watched = client.watch(thermostat, "Cycles", timeout=10)
        assert [next(watched) for _ in range(6)] == [0, 1, 2, 3, 4, 5]
        watched.close()
        told: list[Progress] = []
        done = client.run(thermostat, "Ramp", {"Target": 80.0, "Steps": 4}, on_progress=told.append, timeout=20)
        assert done == {"Reached": 80.0, "Taken": 4}
        assert told[-1].status == "finishedSuccessfully"
        assert [item.share for item in told] == sorted(item.share for item in told)
        with pytest.raises(SilaRefusal, match="TooHot: the block is at 80 degC") as refused:
            client.run(thermostat, "OpenLid", {"Force": False})
        assert refused.value.identifier.endswith("Thermostat/v1/DefinedExecutionError/TooHot")
        with pytest.raises(InputError, match=r"Target is refused: .*95"):
            client.run(thermostat, "SetTemperature", {"Target": 200.0})
        with pytest.raises(UnavailableError, match="the heater is broken"):
            client.run(thermostat, "Fail", {})
        with pytest.raises(InputError, match=r"'Target' is missing"):
            client.run(thermostat, "SetTemperature", {})
        with pytest.raises(InputError, match=r"Target is 'x', which is no Real"):
            client.run(thermostat, "SetTemperature", {"Target": "x"})
        device = SilaDevice(client)
        device.write({"Thermostat.SetTemperature": 37})
        (value,) = device.read(("Thermostat.CurrentTemperature",))
        assert (value.value, value.unit, value.quality, value.origin) == (37.0, "degC", "good", "measured")
        assert device.identify().device == "Judge"
        with pytest.raises(InputError, match="is a command and holds no value"):
            device.read(("Thermostat.SetTemperature",))
        with pytest.raises(InputError, match="cannot be written"):
            device.write({"Thermostat.CurrentTemperature": 1.0})
        device.close()


def test_a_sila_server_is_believed_with_its_own_certificate_alone(tmp_path: Path):
    """Most sign for themselves under another name than their host."""
    port = free_port()
    right, other = certificate(tmp_path, "SiLA2", host="SiLA2"), certificate(tmp_path, "other")
    with sila_server(port, *right):
        address = parse_address(f"sila://127.0.0.1:{port}")
        client = SilaClient(address, Access(right[0]))
        assert "Thermostat" in client.discover()
        client.close()
        wrong = SilaClient(address, Access(other[0]))
        with pytest.raises(InputError, match="we do not trust each other"):
            wrong.discover()
        wrong.close()


def test_a_sila_server_that_one_client_has_locked_keeps_the_others_away() -> None:
    port = free_port()
    with sila_server(port, "lock"):
        first, second, third = (SilaClient(parse_address(f"sila://127.0.0.1:{port}")) for _ in range(3))
        device = SilaDevice(first)
        device.lock("B-1")
        device.write({"Thermostat.SetTemperature": 50.0})
        assert device.read(["Thermostat.CurrentTemperature"])[0].value == 50.0
        thermostat = second.discover()["Thermostat"]
        assert SilaDevice(second).tags() == device.tags(), "the lock itself is no tag"
        with pytest.raises(InputError, match="is locked by another client"):
            second.lock("B-2")
        with pytest.raises(InputError):
            second.run(thermostat, "SetTemperature", {"Target": 90.0})
        third.discover()
        assert third.lock("B-1"), "the lock of an executor that was killed is taken over by the same batch"
        third.close()
        assert second.lock("B-2"), "and let go when it is closed"
        second.run(thermostat, "SetTemperature", {"Target": 60.0})
        assert second.run(thermostat, "Ramp", {"Target": 55.0, "Steps": 2})["Taken"] == 2
        with pytest.raises(InputError):
            device.write({"Thermostat.SetTemperature": 10.0})
        for client in (first, second):
            client.close()
    with sila_server(port):
        plain = SilaClient(parse_address(f"sila://127.0.0.1:{port}"))
        plain.discover()
        assert not plain.lock("B-1")
        plain.close()
