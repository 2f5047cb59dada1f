"""A host application of Sparkplug B without its network: what it knows of edge nodes from what they publish.

**Source** Eclipse Sparkplug specification 3.0.0, chapter 5: order by `seq`, sessions by `bdSeq`, rebirth requests.
Messages out of order are not sorted: a gap makes the node's values stale, and a rebirth is asked for at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from seedtrain.automation._protocols._sparkplug._payload import DataType, Metric, Payload, decode, encode, resolve
from seedtrain.automation._protocols._sparkplug._topics import (
    BD_SEQ,
    NAMESPACE,
    REBIRTH,
    Message,
    Topic,
    parse_topic,
)
from seedtrain.base import InputError

SEQ_COUNT: Final = 256
Path = tuple[str, str]
"""Group and edge node."""


@dataclass
class NodeView:
    """What is known of one edge node.

    - `metrics`: by device ("" is the node) and name, as they were said last. `online`: devices that are there.
    - `stale`: its values are not to be trusted: it died, or a message of it was lost.
    """

    group: str
    edge: str
    bd_seq: int | None = None
    seq: int | None = None
    stale: bool = True
    rebirth_asked: bool = False
    metrics: dict[str, dict[str, Metric]] = field(default_factory=dict)
    online: set[str] = field(default_factory=set)
    aliases: dict[int, tuple[str, str]] = field(default_factory=dict)

    def good(self, device: str) -> bool:
        """Whether what is known of the device is what it said last."""
        return not self.stale and device in self.online

    def births(self) -> Iterator[tuple[str, Metric]]:
        """Every metric with its device."""
        for device, metrics in self.metrics.items():
            for metric in metrics.values():
                yield device, metric


@dataclass
class HostView:
    """What a host application knows, and what it must answer. `lost` counts messages that never came in order."""

    nodes: dict[Path, NodeView] = field(default_factory=dict)
    lost: int = 0
    refused: int = 0

    def take(self, topic: str, raw: bytes, now: datetime) -> list[Message]:
        """Take one message; what is to be published in answer. A message that is none of Sparkplug's is counted."""
        place = parse_topic(topic)
        if place is None or place.kind in ("NCMD", "DCMD"):
            return []
        try:
            payload = decode(raw)
        except InputError:
            self.refused += 1
            return []
        node = self.nodes.setdefault((place.group, place.edge), NodeView(place.group, place.edge))
        if place.kind == "NDEATH":
            return self._death(node, payload)
        if place.kind == "NBIRTH":
            return self._birth(node, payload, now)
        if node.stale or not self._in_order(node, payload):
            return self._ask(node, now)
        if place.kind == "DBIRTH":
            return self._declare(node, place.device, payload, now)
        if place.kind == "DDEATH":
            node.online.discard(place.device)
            return []
        return self._data(node, place.device, payload, now)

    def _in_order(self, node: NodeView, payload: Payload) -> bool:
        expected = None if node.seq is None else (node.seq + 1) % SEQ_COUNT
        if payload.seq is None or payload.seq != expected:
            self.lost += 1
            return False
        node.seq = payload.seq
        return True

    def _ask(self, node: NodeView, now: datetime) -> list[Message]:
        """One request for a rebirth until it comes."""
        node.stale = True
        if node.rebirth_asked:
            return []
        node.rebirth_asked = True
        return [rebirth_request(node.group, node.edge, now)]

    def _death(self, node: NodeView, payload: Payload) -> list[Message]:
        """A will of an older session comes late and changes nothing."""
        said = next((metric.value for metric in payload.metrics if metric.name == BD_SEQ), None)
        if node.bd_seq is None or said == node.bd_seq:
            node.stale, node.seq = True, None
            node.online.clear()
            node.rebirth_asked = True  # nobody is there to ask
        return []

    def _birth(self, node: NodeView, payload: Payload, now: datetime) -> list[Message]:
        said = next((metric.value for metric in payload.metrics if metric.name == BD_SEQ), None)
        if payload.seq != 0 or not isinstance(said, int):
            self.refused += 1
            return self._ask(node, now)
        node.bd_seq, node.seq = said, 0
        node.stale = node.rebirth_asked = False
        node.metrics.clear()
        node.aliases.clear()
        node.online = {""}
        return self._declare(node, "", payload, now)

    def _declare(self, node: NodeView, device: str, payload: Payload, now: datetime) -> list[Message]:
        """The metrics of a birth certificate: every name, with type, alias and properties."""
        found: dict[str, Metric] = {}
        for metric in payload.metrics:
            if not metric.name or metric.type is None:
                self.refused += 1
                continue
            found[metric.name] = replace(metric, time=metric.time or payload.time or now)
            if metric.alias is not None:
                node.aliases[metric.alias] = (device, metric.name)
        node.metrics[device] = found
        node.online.add(device)
        return []

    def _data(self, node: NodeView, device: str, payload: Payload, now: datetime) -> list[Message]:
        known = node.metrics.get(device, {})
        for metric in payload.metrics:
            owner, name = device, metric.name
            if metric.alias is not None and not name:
                owner, name = node.aliases.get(metric.alias, ("", ""))
            born = known.get(name)
            if born is None or owner != device or device not in node.online:
                return self._ask(node, now)  # it was born while we did not listen
            assert born.type is not None
            read = resolve(metric, born.type)
            when = metric.time or payload.time or now
            if metric.historical and born.time is not None and when < born.time:
                continue
            known[name] = replace(
                born, value=read.value, time=when, properties={**born.properties, **metric.properties}
            )
        return []


def rebirth_request(group: str, edge: str, now: datetime) -> Message:
    """Ask an edge node to be born again."""
    metric = Metric(REBIRTH, DataType.BOOLEAN, True, now)
    return Message(str(Topic(group, "NCMD", edge)), encode(Payload((metric,), now)))


def command(node: NodeView, device: str, values: Mapping[str, Metric], now: datetime) -> Message:
    """A command to a device (or "" the node) that writes metrics, each with the data type of its birth."""
    metrics = tuple(replace(metric, name=name, time=now, properties={}) for name, metric in values.items())
    topic = Topic(node.group, "DCMD" if device else "NCMD", node.edge, device)
    return Message(str(topic), encode(Payload(metrics, now)))


def listened(group: str = "", edge: str = "") -> tuple[str, ...]:
    """Topics to subscribe to for one edge node, a group, or everything."""
    where = group or "+"
    return (
        (f"{NAMESPACE}/{where}/#",)
        if not edge
        else tuple(f"{NAMESPACE}/{where}/{kind}/{edge}{tail}" for kind, tail in _TAILS)
    )


_TAILS: Final = tuple(
    (kind, "/+" if kind[0] == "D" else "") for kind in ("NBIRTH", "NDEATH", "NDATA", "DBIRTH", "DDEATH", "DDATA")
)
