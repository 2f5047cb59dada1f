"""`seedtrain plant browse` for every scheme: what is offered, the draft, and what goes wrong with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from seedtrain.automation import (
    Access,
    SpeaksEntry,
    TagMapping,
    TagPlant,
    open_device,
    parse_address,
    parse_tag_mapping,
    read_any_mapping,
)
from seedtrain.automation._devices import TagDevice
from seedtrain.automation._protocols._broker import Broker
from seedtrain.automation._protocols._sparkplug import decode, parse_topic
from seedtrain.automation._served import PlantProcess
from seedtrain.base import InputError, InputErrors, UnavailableError
from seedtrain.cli._plant import app
from tests.automation_opcua.served import FED, small
from tests.automation_protocols.spoken import broker, certificate, free_port, mosquitto, sila_server, speaking
from tests.automation_protocols.test_plant import opened

Speaking = tuple[PlantProcess, SpeaksEntry]


def call(*arguments: object) -> int:
    code = app([str(item) for item in arguments], exit_on_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def test_sparkplug_is_browsed_and_mapped(speaking_plant: Speaking, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    url, file = speaking_plant[1].urls()["sparkplug"], tmp_path / "mapping.yaml"
    assert call("browse", url, "--write", file) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "tests/seedtrain (Sparkplug B): simulated, not for use"
    assert any(
        line.startswith("  tests/seedtrain/T/Program/command = ") and line.endswith("[can be written]")
        for line in shown
    )
    mapping = read_any_mapping(file)
    assert isinstance(mapping, TagMapping)
    assert set(mapping.entry.units) == {"F", "T", "centrifuge", "filling_line"}
    assert mapping.entry.units["T"].functions["temperature"].target == "tests/seedtrain/T/temperature/target"
    with pytest.raises(InputError, match="the file exists"):
        call("browse", url, "--write", file)


def test_sila_is_browsed_and_mapped(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    port, file = free_port(), tmp_path / "mapping.yaml"
    with sila_server(port):
        assert call("browse", f"sila://127.0.0.1:{port}", "--write", file, "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["tags"]}
    assert rows["Thermostat.CurrentTemperature"]["value"] == 21.5
    assert rows["Thermostat.SetTemperature"]["value"] is None
    mapping = read_any_mapping(file)
    assert isinstance(mapping, TagMapping)
    function = mapping.entry.units["Thermostat"].functions["Temperature"]
    assert (function.current, function.target, function.unit) == (
        "Thermostat.CurrentTemperature",
        "Thermostat.SetTemperature",
        "degC",
    )


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://h", "is no address that is spoken here"),
        ("127.0.0.1:502", "is no address that is spoken here"),
        ("mqtt://", "names no host"),
        ("mqtt://h:99999/spBv1.0", "is no address: Port out of range"),
        ("mqtt://h:0/spBv1.0", "names no port"),
        ("mqtt://me:hidden@h/spBv1.0", r"the address mqtt://\.\.\.@h/spBv1.0 names a user or a password"),
        ("mqtt://h/spBv1.0?x=1", "something after its path"),
        ("mqtt://127.0.0.1:1", "does not say what is spoken over MQTT"),
        ("mqtt://127.0.0.1:1/spBv1.0/a/b/c", "does not say which edge nodes"),
        ("modbus://127.0.0.1:1", "cannot say what its registers mean"),
    ],
)
def test_bad_addresses_are_bad_input(url: str, words: str):
    with pytest.raises(InputError, match=words) as caught:
        call("browse", url)
    assert caught.value.remedy
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["mqtt://127.0.0.1:1/spBv1.0/g", "mqtt://127.0.0.1:1/pioreactor", "sila://127.0.0.1:1"])
def test_nobody_there_is_unavailable(url: str):
    with pytest.raises(UnavailableError, match="cannot be reached") as caught:
        call("browse", url)
    assert caught.value.remedy


def test_an_edge_node_that_is_not_there(broker_port: int):
    with pytest.raises(UnavailableError, match=r"g/nobody was not born within 0.3 s"):
        call("browse", f"mqtt://127.0.0.1:{broker_port}/spBv1.0/g/nobody", "--limit", "0.3 s")
    with pytest.raises(InputError, match="leaves no time"):
        call("browse", f"mqtt://127.0.0.1:{broker_port}/spBv1.0/g", "--limit", "0 s")
    with pytest.raises(InputError, match="has no registers"):
        call("browse", f"mqtt://127.0.0.1:{broker_port}/spBv1.0/g", "--registers", "x")


def test_a_broker_with_certificate_and_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """TLS that is verified, a password from the environment or a descriptor, and each refusal."""
    (right, key), (other, _) = certificate(tmp_path, "broker"), certificate(tmp_path, "other")
    expired, _ = certificate(tmp_path, "expired", days=-1)
    passwords = tmp_path / "passwords"
    subprocess.run(
        [mosquitto().replace("sbin/mosquitto", "bin/mosquitto_passwd"), "-c", "-b", str(passwords), "plant", "secret"],
        check=True,
        capture_output=True,
    )
    port = free_port()
    lines = (f"listener {port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}")
    with broker(tmp_path, port, *lines, f"certfile {right}", f"keyfile {key}"):
        address = parse_address(f"mqtts://127.0.0.1:{port}/pioreactor")

        def enter(access: Access) -> None:
            client = Broker(address, access, on_message=lambda topic, raw, retained: None)
            client.open()
            client.close()

        with pytest.raises(InputError, match="the user 'plant' has no password"):
            enter(Access(right, user="plant"))
        monkeypatch.setenv("SEEDTRAIN_PLANT_PASSWORD", "secret")
        enter(Access(right, user="plant"))
        with pytest.raises(InputError, match=r"we do not trust each other: .*certificate"):
            enter(Access(other, user="plant"))
        with pytest.raises(InputError, match="we do not trust each other"):
            enter(Access(user="plant"))
        with pytest.raises(InputErrors, match=r"is valid from .* not now"):
            enter(Access(expired, user="plant"))
        with pytest.raises(InputError, match="refuses a client without a user"):
            enter(Access(right))
        monkeypatch.setenv("SEEDTRAIN_PLANT_PASSWORD", "wrong")
        with pytest.raises(InputError, match="refuses plant"):
            enter(Access(right, user="plant"))
        reader, writer = os.pipe()
        os.write(writer, b"secret\n")
        os.close(writer)
        monkeypatch.setenv("SEEDTRAIN_PLANT_PASSWORD_FD", str(reader))
        enter(Access(right, user="plant"))
        os.close(reader)
        monkeypatch.setenv("SEEDTRAIN_PLANT_PASSWORD_FD", "999")
        with pytest.raises(InputError, match="is '999', which is no open file descriptor"):
            enter(Access(right, user="plant"))


def test_a_password_never_leaves_the_machine_in_the_clear(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEEDTRAIN_PLANT_PASSWORD", "secret")
    with pytest.raises(InputError, match="for everybody to read") as caught:
        Broker(parse_address("mqtt://192.0.2.1/x"), Access(user="u"), on_message=lambda topic, raw, retained: None)
    assert "mqtts" in caught.value.remedy


def test_a_lost_broker_and_a_killed_plant(tmp_path: Path):
    """What was good turns bad when the plant dies; after the broker was away everybody finds each other again."""
    port = free_port()
    with broker(tmp_path, port), speaking(tmp_path, port) as (plant, speaks):
        address = parse_address(speaks.urls()["sparkplug"])
        device = open_device(address, listen=8.0)
        clock = "tests/seedtrain//Clock/Time"
        (before,) = device.read((clock,))
        assert before.quality == "good"
        plant.kill()
        await_quality(device, clock, "bad")
        device.close()
    with broker(tmp_path, port), pytest.raises(UnavailableError, match="was not born"):
        open_device(address, listen=0.5)


def await_quality(device: TagDevice, tag: str, quality: str, seconds: float = 40.0) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            (value,) = device.read((tag,))
        except UnavailableError:
            continue
        if value.quality == quality:
            return
        time.sleep(0.1)
    raise AssertionError(f"{tag} did not become {quality}")


@pytest.mark.slow
def test_after_the_broker_was_away_nothing_is_lost(tmp_path: Path):
    """The plant goes on without it; what its instruments showed meanwhile comes as historical."""
    port, seen, names = free_port(), set[datetime](), dict[int | None, str]()

    def heard(topic: str, raw: bytes, retained: bool) -> None:
        place = parse_topic(topic)
        if place is None or place.device != "T":
            return
        for metric in decode(raw).metrics:
            if place.kind == "DBIRTH":
                names[metric.alias] = metric.name
            if names.get(metric.alias) == "temperature/current" and metric.value is not None and metric.time:
                seen.add(metric.time)

    address = parse_address(f"mqtt://127.0.0.1:{port}")
    listener = Broker(address, on_message=heard, on_connect=lambda client: client.subscribe(["spBv1.0/#"]))
    phase = small().recipe.phase(FED)
    with ExitStack() as first, ExitStack() as stack:
        first.enter_context(broker(tmp_path, port))
        _, speaks = stack.enter_context(speaking(tmp_path, port, speed=2000.0))
        listener.open()
        stack.callback(listener.close)
        device, text = opened("modbus", tmp_path, speaks)
        driven = stack.enter_context(TagPlant(parse_tag_mapping(text, str(tmp_path / "m.yaml")), device=device))
        unit = driven.unit("T")
        unit.command(FED, phase.set)
        unit.start(FED, phase, unit.now())
        time.sleep(2)
        first.close()
        time.sleep(3)
        stack.enter_context(broker(tmp_path, port))
        unit.await_end(FED)
        time.sleep(12)
    times = sorted(seen)
    gaps = [(after - before) / timedelta(minutes=6) for before, after in pairwise(times)]
    assert len(times) > 30
    assert max(gaps) <= 1.01, "every value of each six minutes"
