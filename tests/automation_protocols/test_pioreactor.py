"""Messages of Pioreactors as their software makes them, and settings changed over a real broker."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seedtrain.automation import draft_tag_mapping, parse_address, parse_tag_mapping
from seedtrain.automation._protocols._broker import Broker
from seedtrain.automation._protocols._pioreactor import PioreactorDevice, read_message
from seedtrain.base import InputError, UnavailableError

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
THEN = datetime(2026, 8, 4, 12, 54, 52, 100000, tzinfo=UTC)
STAMP = "2026-08-04T12:54:52.100000Z"
UNIT, RUN = "pio01", "trial-7"

# The structures of core/pioreactor/structs.py (github.com/Pioreactor/pioreactor, commit 140d4432), as its encoder
# (msgspec) writes them; topics of core/pioreactor/background_jobs.
RAW = {"calibrated": 0, "timestamp": STAMP, "angle": "90", "od": 0.0312, "channel": "2", "ir_led_intensity": 80.0}
MESSAGES = {
    "od_reading/ods": {"timestamp": STAMP, "ods": {"2": RAW}},
    "od_reading/od2": {**RAW, "calibrated": 1, "od": 0.41, "calibration_name": "od90-july"},
    "od_reading/od_fused": {"od_fused": 0.37, "timestamp": STAMP},
    "temperature_automation/temperature": {"timestamp": STAMP, "temperature": 36.94},
    "growth_rate_calculating/growth_rate": {"growth_rate": 0.213, "timestamp": STAMP},
    "growth_rate_calculating/od_filtered": {"od_filtered": 1.07, "timestamp": STAMP},
    "stirring/measured_rpm": {"measured_rpm": 499.2, "timestamp": STAMP},
    "dosing_events": {"volume_change": 0.5, "event": "add_media", "source_of_event": "chemostat", "timestamp": STAMP},
}
KNOWN = {
    "od_reading/ods/2": 0.0312,
    "od_reading/od2": 0.41,
    "od_reading/od_fused": 0.37,
    "temperature_automation/temperature": 36.94,
    "growth_rate_calculating/growth_rate": 0.213,
    "growth_rate_calculating/od_filtered": 1.07,
    "stirring/measured_rpm": 499.2,
    "dosing_events/add_media": 0.5,
}


def test_messages_with_a_time():
    found: dict[str, object] = {}
    for name, message in MESSAGES.items():
        found |= read_message(f"pioreactor/{UNIT}/{RUN}/{name}", json.dumps(message).encode(), NOW)
    assert found == {f"{UNIT}/{RUN}/{name}": (value, THEN) for name, value in KNOWN.items()}


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("stirring/target_rpm", b"500.0", 500.0),
        ("stirring/$state", b"ready", "ready"),
        ("temperature_automation/target_temperature", b"35", 35.0),
        ("dosing_automation/biomass_signal", b"od", "od"),
        ("stirring/target_rpm", b"", None),
    ],
)
def test_plain_settings(name: str, raw: bytes, value: object):
    assert read_message(f"pioreactor/{UNIT}/{RUN}/{name}", raw, NOW) == {f"{UNIT}/{RUN}/{name}": (value, NOW)}


@pytest.mark.parametrize(
    ("topic", "raw"),
    [
        ("pioreactor/pio01/trial-7/stirring/target_rpm/set", b"400"),
        ("pioreactor/pio01/trial-7/stirring/measured_rpm", b'{"measured_rpm": "fast"}'),
        ("pioreactor/pio01/trial-7/stirring/measured_rpm", b'{"measured_rpm": 1, "timestamp": "soon"}'),
        ("pioreactor/pio01/trial-7/stirring/measured_rpm", b'{"measured'),
        ("pioreactor/pio01/trial-7/od_reading/relative_intensity_of_ir_led", b"[1]"),
        ("pioreactor/pio01/trial-7/stirring/x", b"\xff\xfe"),
        ("other/pio01/trial-7/stirring/target_rpm", b"1"),
    ],
)
def test_what_is_no_reading_gives_none(topic: str, raw: bytes):
    assert read_message(topic, raw, NOW) == {}


@contextmanager
def worker(port: int) -> Iterator[Broker]:
    """A Pioreactor as base.py has it: settings are published retained, and `.../set` changes them; 2000 rpm it
    refuses, as a job does that clamps."""
    root = f"pioreactor/{UNIT}/{RUN}"
    sent = threading.Event()

    def heard(topic: str, raw: bytes, retained: bool) -> None:
        if topic.endswith("/set") and float(raw) < 2000:
            client.publish(topic.removesuffix("/set"), str(float(raw)).encode(), qos=1, retain=True)

    def joined(broker: Broker) -> None:
        broker.subscribe([f"{root}/stirring/+/set"])
        sent.set()

    client = Broker(parse_address(f"mqtt://127.0.0.1:{port}"), on_message=heard, on_connect=joined)
    client.open()
    sent.wait(5)
    for name, text in (("stirring/$state", "ready"), ("stirring/target_rpm", "500.0"), ("od_reading/$state", "lost")):
        client.publish(f"{root}/{name}", text.encode(), qos=1, retain=True, wait=True)
    for name, message in MESSAGES.items():
        client.publish(f"{root}/{name}", json.dumps(message).encode(), qos=1, retain=name != "dosing_events", wait=True)
    try:
        yield client
    finally:
        client.close()


def test_settings_over_a_broker(broker_port: int, tmp_path: Path):
    address = parse_address(f"mqtt://127.0.0.1:{broker_port}/pioreactor/{UNIT}/{RUN}")
    with worker(broker_port) as client:
        device = PioreactorDevice(address, listen=1.0)
        try:
            for _ in range(2):
                raw = json.dumps(MESSAGES["dosing_events"]).encode()
                client.publish(f"pioreactor/{UNIT}/{RUN}/dosing_events", raw, qos=1, wait=True)
            place = f"{UNIT}/{RUN}"
            device.write({f"{place}/stirring/target_rpm": 650.0})
            names = (
                "stirring/target_rpm",
                "temperature_automation/temperature",
                "od_reading/od2",
                "dosing_events/add_media",
            )
            held = {item.tag.removeprefix(f"{place}/"): item for item in device.read([f"{place}/{n}" for n in names])}
            assert (held[names[0]].value, held[names[0]].unit, held[names[0]].quality) == (650.0, "1/min", "good")
            assert (held[names[1]].value, held[names[1]].unit, held[names[1]].time) == (36.94, "degC", THEN)
            assert held[names[2]].quality == "bad", "its job is lost"
            assert (held[names[3]].value, held[names[3]].unit) == (1.0, "mL"), "what went in since we listen"
            assert {item.origin for item in held.values()} == {"measured"}
            with pytest.raises(InputError, match="measured_rpm cannot be set"):
                device.write({f"{place}/stirring/measured_rpm": 1.0})
            with pytest.raises(UnavailableError, match="od_reading does not run \\(it is lost\\)"):
                device.write({f"{place}/od_reading/interval": 10.0})
            with pytest.raises(UnavailableError, match=r"holds 650.0, 5 s after 3000.0 was asked for"):
                device.write({f"{place}/stirring/target_rpm": 3000.0})
            with pytest.raises(InputError, match="has not been heard to say"):
                device.read((f"{place}/leds/a",))
            mapping = parse_tag_mapping(draft_tag_mapping(address, device.identify(), device.tags()), "mapping.yaml")
            unit = mapping.entry.units[UNIT]
            stirrer = unit.functions["measured_rpm"]
            assert (stirrer.current, stirrer.target) == (
                f"{place}/stirring/measured_rpm",
                f"{place}/stirring/target_rpm",
            )
            assert unit.functions["temperature"].unit == "degC"
        finally:
            device.close()


def test_an_address_must_say_which():
    for path in ("", "other", "pioreactor/+", "pioreactor/a/b/c"):
        with pytest.raises(InputError, match="does not say which Pioreactors"):
            PioreactorDevice(parse_address(f"mqtt://127.0.0.1:1/{path}"), listen=0.1)
