"""An edge node of Sparkplug B without its network: what it publishes, and what it makes of commands.

**Source** Eclipse Sparkplug specification 3.0.0, chapter 5 (operational behaviour).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from seedtrain.automation._protocols._sparkplug._payload import (
    DataType,
    Metric,
    Payload,
    Property,
    decode,
    encode,
    resolve,
)
from seedtrain.automation._protocols._sparkplug._topics import BD_SEQ, REBIRTH, Message, Topic, check_id, parse_topic
from seedtrain.base import InputError

SEQ_COUNT = 256


@dataclass(frozen=True)
class Ordered:
    """What a command asks: metrics of a device (empty: of the node) with their names, and whether to be born again."""

    device: str
    metrics: tuple[Metric, ...]
    rebirth: bool = False


@dataclass
class EdgeNode:
    """One edge node with its devices. `metrics` by device ("" is the node's own), each with name, type and value.

    `begin` must be called before each connection: it makes the will that the broker keeps.
    """

    group: str
    name: str
    metrics: Mapping[str, Sequence[Metric]]
    bd_seq: int = -1
    _seq: int = 0
    _aliases: dict[tuple[str, str], int] = field(default_factory=dict)
    _known: dict[int, tuple[str, str]] = field(default_factory=dict)
    _types: dict[tuple[str, str], DataType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_id(self.group, "group id")
        check_id(self.name, "edge node id")
        number = count(1)
        for device, metrics in self.metrics.items():
            if device:
                check_id(device, "device id")
            for metric in metrics:
                assert metric.type is not None
                key = (device, metric.name)
                assert key not in self._aliases, f"two metrics of {device or self.name} are called {metric.name}"
                self._aliases[key], self._types[key] = next(number), metric.type
        self._known = {alias: key for key, alias in self._aliases.items()}

    def topic(self, kind: str, device: str = "") -> str:
        """A topic of ours; the kind is that of the node, such as DATA."""
        return str(Topic(self.group, ("D" if device else "N") + kind, self.name, device))

    def begin(self, now: datetime) -> Message:
        """Begin the next session: the death certificate that the broker publishes when we are gone."""
        self.bd_seq = (self.bd_seq + 1) % SEQ_COUNT
        return Message(self.topic("DEATH"), encode(Payload((self._bd_seq(),), now)), qos=1)

    def death(self, now: datetime) -> Message:
        """The same certificate, to publish before we leave by ourselves."""
        return Message(self.topic("DEATH"), encode(Payload((self._bd_seq(),), now)), qos=1)

    def _bd_seq(self) -> Metric:
        return Metric(BD_SEQ, DataType.INT64, self.bd_seq)

    def births(self, current: Mapping[tuple[str, str], Metric], now: datetime) -> list[Message]:
        """The birth certificates of the node and of every device, with what every metric holds now."""
        self._seq = 0
        control = (self._bd_seq(), Metric(REBIRTH, DataType.BOOLEAN, False))
        found = []
        for device in ["", *(name for name in self.metrics if name)]:
            own = [
                replace(current.get((device, metric.name), metric), alias=self._aliases[device, metric.name])
                for metric in self.metrics.get(device, ())
            ]
            stamped = [metric if metric.time is not None else replace(metric, time=now) for metric in own]
            head = [replace(metric, time=now) for metric in control] if not device else []
            found.append(self._numbered(self.topic("BIRTH", device), (*head, *stamped), now))
        return found

    def data(self, device: str, metrics: Iterable[Metric], now: datetime) -> Message:
        """New values of a device, by alias alone."""
        short = [
            replace(metric, name="", alias=self._aliases[device, metric.name], properties=_quality(metric))
            for metric in metrics
        ]
        return self._numbered(self.topic("DATA", device), tuple(short), now)

    def _numbered(self, topic: str, metrics: tuple[Metric, ...], now: datetime) -> Message:
        message = Message(topic, encode(Payload(metrics, now, self._seq)))
        self._seq = (self._seq + 1) % SEQ_COUNT
        return message

    def take(self, topic: str, raw: bytes) -> Ordered:
        """Understand a command to us; raises `InputError` for bytes, names and aliases that make none."""
        found = parse_topic(topic)
        if found is None or (found.group, found.edge) != (self.group, self.name) or found.kind not in ("NCMD", "DCMD"):
            raise InputError(f"{topic} carries no command to {self.group}/{self.name}", remedy="Use NCMD or DCMD.")
        metrics = decode(raw).metrics
        named = [self._named(found.device, metric) for metric in metrics]
        rebirth = not found.device and any(item.name == REBIRTH and item.value is True for item in named)
        return Ordered(found.device, tuple(item for item in named if item.name != REBIRTH), rebirth)

    def _named(self, device: str, metric: Metric) -> Metric:
        if metric.name == REBIRTH and not device:
            return resolve(metric, DataType.BOOLEAN)
        owner, name = self._known.get(metric.alias, ("?", "")) if metric.alias is not None else (device, metric.name)
        if metric.name and metric.alias is None:
            owner, name = device, metric.name
        if (owner, name) not in self._types or owner != device:
            asked = metric.name or f"alias {metric.alias}"
            raise InputError(f"{device or self.name} has no metric {asked}", remedy="Read its birth certificate.")
        return replace(resolve(metric, self._types[owner, name]), name=name)


def _quality(metric: Metric) -> Mapping[str, Property]:
    """Properties were said at birth; only the quality changes."""
    return {key: value for key, value in metric.properties.items() if key == "Quality"}
