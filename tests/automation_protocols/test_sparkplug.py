"""Laws of Sparkplug B: what is encoded is decoded, and a host knows what its edge nodes said, or that it does not."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.automation._protocols._sparkplug import (
    DataType,
    EdgeNode,
    HostView,
    Message,
    Metric,
    Payload,
    Property,
    command,
    decode,
    encode,
    parse_topic,
    read_state,
    state_message,
)
from seedtrain.automation._protocols._sparkplug._payload import INTEGERS
from seedtrain.base import InputError

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
times = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(
    lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000, tzinfo=UTC)
)


def integers(kind: DataType) -> st.SearchStrategy[int]:
    bits, signed = INTEGERS[kind]
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)


values = st.one_of(
    *(st.tuples(st.just(kind), integers(kind)) for kind in INTEGERS),
    st.tuples(st.just(DataType.FLOAT), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just(DataType.DOUBLE), st.floats(allow_nan=False)),
    st.tuples(st.just(DataType.BOOLEAN), st.booleans()),
    st.tuples(st.sampled_from([DataType.STRING, DataType.TEXT, DataType.UUID]), st.text()),
    st.tuples(st.just(DataType.DATE_TIME), times),
    st.tuples(st.just(DataType.BYTES), st.binary()),
    st.tuples(st.sampled_from([DataType.DOUBLE, DataType.STRING, DataType.INT8]), st.none()),
)
metrics = st.builds(
    lambda name, item, when, alias, past, pairs: Metric(
        name, item[0], item[1], when, alias, past, {key: Property(*entry) for key, entry in pairs.items()}
    ),
    st.text(min_size=1),
    values,
    st.none() | times,
    st.none() | st.integers(0, 2**63),
    st.booleans(),
    st.dictionaries(st.text(), values.filter(lambda item: item[0] is not DataType.BYTES), max_size=3),
)


@given(st.lists(metrics, max_size=4), st.none() | times, st.none() | st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_what_is_encoded_is_decoded(found: list[Metric], when: datetime | None, seq: int | None):
    payload = Payload(tuple(found), when, seq)
    assert decode(encode(payload)) == payload


@given(st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_a_payload_or_refused(raw: bytes):
    with contextlib.suppress(InputError):
        assert isinstance(decode(raw), Payload)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DataType.INT8, 128),
        (DataType.UINT16, -1),
        (DataType.INT32, 1.5),
        (DataType.BOOLEAN, 1),
        (DataType.DOUBLE, "x"),
        (DataType.STRING, 1.0),
        (DataType.INT64, float("nan")),
    ],
)
def test_a_value_that_its_type_cannot_hold_is_refused(kind: DataType, value: float | str):
    with pytest.raises(InputError, match="setpoint"):
        encode(Payload((Metric("setpoint", kind, value),)))


def plant() -> EdgeNode:
    tank = [Metric("level", DataType.DOUBLE, 1.0), Metric("pulses", DataType.INT16, -3)]
    return EdgeNode("g", "e", {"": [Metric("load", DataType.FLOAT, 0.5)], "tank": tank})


def told(host: HostView, messages: list[Message]) -> list[Message]:
    return [answer for message in messages for answer in host.take(message.topic, message.payload, NOW)]


def born() -> tuple[EdgeNode, HostView]:
    edge, host = plant(), HostView()
    edge.begin(NOW)
    assert told(host, edge.births({}, NOW)) == []
    return edge, host


def test_births_and_data_by_the_specification():
    """Chapter 5 and 6: seq from 0, names and types at birth alone, aliases after it, bdSeq in birth and death."""
    edge = plant()
    death = edge.begin(NOW)
    node, device = (decode(message.payload) for message in edge.births({}, NOW))
    assert (death.topic, death.qos, death.retain) == ("spBv1.0/g/NDEATH/e", 1, False)
    assert decode(death.payload).seq is None
    assert [(item.name, item.value) for item in decode(death.payload).metrics] == [("bdSeq", 0)]
    assert (node.seq, device.seq) == (0, 1)
    assert [item.name for item in node.metrics] == ["bdSeq", "Node Control/Rebirth", "load"]
    assert node.metrics[0].type is DataType.INT64
    aliases = [item.alias for item in (*node.metrics[2:], *device.metrics)]
    assert len(set(aliases)) == 3
    message = edge.data("tank", [Metric("level", DataType.DOUBLE, 2.0, NOW)], NOW)
    data = decode(message.payload)
    assert (message.topic, data.seq) == ("spBv1.0/g/DDATA/e/tank", 2)
    assert [(item.name, item.alias) for item in data.metrics] == [("", device.metrics[0].alias)]
    assert decode(edge.begin(NOW).payload).metrics[0].value == 1


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(-(2**15), 2**15 - 1)), max_size=300), st.data())
@settings(max_examples=25, deadline=None)
def test_a_host_knows_the_last_word_or_that_it_missed_one(shown: list[tuple[float, int]], data: st.DataObject):
    """Over more than 256 messages; any one that is lost is noticed with the next, and the rebirth mends it."""
    edge, host = born()
    lost = data.draw(st.sets(st.integers(0, max(len(shown) - 1, 0)), max_size=1))
    view, last = host.nodes["g", "e"], (1.0, -3)
    for index, (level, pulses) in enumerate(shown):
        given_ = [Metric("level", DataType.DOUBLE, level, NOW), Metric("pulses", DataType.INT16, pulses, NOW)]
        message = edge.data("tank", given_, NOW)
        if index in lost:
            continue
        answers, last = told(host, [message]), (level, pulses)
        if not view.stale:
            held = view.metrics["tank"]
            assert (held["level"].value, held["pulses"].value) == (level, pulses)
        for answer in answers:
            assert edge.take(answer.topic, answer.payload).rebirth
    after = [index for index in lost if index < len(shown) - 1]
    assert view.stale == bool(after)
    assert host.lost == len(after)
    current = {
        ("tank", "level"): Metric("level", DataType.DOUBLE, last[0]),
        ("tank", "pulses"): Metric("pulses", DataType.INT16, last[1]),
    }
    assert told(host, edge.births(current, NOW)) == []
    assert view.good("tank")
    assert view.metrics["tank"]["level"].value == last[0]


def test_numbers_begin_again_after_255():
    edge, host = born()
    messages = [edge.data("tank", [Metric("level", DataType.DOUBLE, float(item))], NOW) for item in range(600)]
    assert [decode(message.payload).seq for message in messages] == [(item + 2) % 256 for item in range(600)]
    assert told(host, messages) == []
    assert host.nodes["g", "e"].metrics["tank"]["level"].value == 599.0


def test_death_makes_values_stale_unless_it_is_that_of_an_older_session():
    edge, host = born()
    old = edge.death(NOW)
    edge.begin(NOW)
    told(host, edge.births({}, NOW))
    view = host.nodes["g", "e"]
    told(host, [old])
    assert view.good("tank")
    told(host, [edge.death(NOW)])
    assert not view.good("tank")
    assert told(host, [edge.data("tank", [Metric("level", DataType.DOUBLE, 2.0)], NOW)]) == [], "nobody is asked twice"


def test_a_host_that_comes_late_asks_for_a_rebirth_once():
    edge, _ = born()
    host = HostView()
    messages = [edge.data("tank", [Metric("level", DataType.DOUBLE, float(item))], NOW) for item in range(3)]
    (asked,) = told(host, messages)
    assert asked.topic == "spBv1.0/g/NCMD/e"
    assert edge.take(asked.topic, asked.payload).rebirth


def test_a_command_carries_the_types_of_the_birth():
    edge, host = born()
    message = command(host.nodes["g", "e"], "tank", {"pulses": Metric("pulses", DataType.INT16, -7)}, NOW)
    ordered = edge.take(message.topic, message.payload)
    assert (ordered.device, ordered.rebirth) == ("tank", False)
    assert [(item.name, item.value) for item in ordered.metrics] == [("pulses", -7)]


@pytest.mark.parametrize(
    ("topic", "metric", "words"),
    [
        ("spBv1.0/g/DCMD/e/tank", Metric("colour", DataType.STRING, "red"), "has no metric colour"),
        ("spBv1.0/g/DCMD/e/tank", Metric("", DataType.DOUBLE, 1.0, alias=77), "has no metric alias 77"),
        ("spBv1.0/g/DCMD/e/tank", Metric("load", DataType.FLOAT, 1.0), "has no metric load"),
        ("spBv1.0/g/DCMD/other/tank", Metric("level", DataType.DOUBLE, 1.0), "carries no command"),
        ("spBv1.0/g/DDATA/e/tank", Metric("level", DataType.DOUBLE, 1.0), "carries no command"),
    ],
)
def test_a_command_that_is_none_is_refused(topic: str, metric: Metric, words: str):
    edge, _ = born()
    with pytest.raises(InputError, match=words):
        edge.take(topic, encode(Payload((metric,), NOW)))


def test_historical_values_do_not_replace_newer_ones():
    edge, host = born()
    told(host, [edge.data("tank", [Metric("level", DataType.DOUBLE, 5.0, NOW)], NOW)])
    late = Metric("level", DataType.DOUBLE, 4.0, NOW - timedelta(hours=1), historical=True)
    told(host, [edge.data("tank", [late], NOW)])
    assert host.nodes["g", "e"].metrics["tank"]["level"].value == 5.0
    told(host, [edge.data("tank", [replace(late, historical=False)], NOW)])
    assert host.nodes["g", "e"].metrics["tank"]["level"].value == 4.0


def test_strange_messages_change_nothing():
    _, host = born()
    before = host.nodes["g", "e"].metrics
    assert host.take("spBv1.0/g/DDATA/e/tank", b"\xff\xff", NOW) == []
    assert host.take("other/g/DDATA/e/tank", b"", NOW) == []
    assert (host.refused, host.nodes["g", "e"].metrics) == (1, before)
    assert parse_topic("spBv1.0/g/NDATA/e/tank") is None
    assert parse_topic("spBv1.0//NDATA/e") is None


def test_the_state_of_a_host_application():
    """Section 6.4.20: JSON with `online` and `timestamp`, retained, QoS 1."""
    message = state_message("seedtrain", NOW, online=True)
    assert (message.topic, message.qos, message.retain) == ("spBv1.0/STATE/seedtrain", 1, True)
    assert read_state(message.payload) == (True, 1795330800000)
    assert read_state(b"ONLINE") is None
    with pytest.raises(InputError, match="is no host id"):
        state_message("a/b", NOW, online=True)
