"""The devices behind a broker that speak Sparkplug B, as a host application sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from seedtrain.automation._devices import Identity, Origin, Plain, Quality, Tag, TagKind, TagValue
from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import Address
from seedtrain.automation._protocols._broker import Broker, Will
from seedtrain.automation._protocols._sparkplug._host import HostView, NodeView, command, listened, rebirth_request
from seedtrain.automation._protocols._sparkplug._payload import (
    GOOD,
    INTEGERS,
    NUMBERS,
    TEXTS,
    Content,
    DataType,
    Metric,
    text_property,
)
from seedtrain.automation._protocols._sparkplug._topics import BD_SEQ, NAMESPACE, Message, check_id, state_message
from seedtrain.base import InputError, UnavailableError

BIRTHS_S: Final = 5.0
"""s that edge nodes get to answer a request for their birth certificates."""
CONFIRM_S: Final = 5.0
"""s in which a device must say that it holds what was written."""
LOOK_S: Final = 0.02
UNIT_KEYS: Final = ("engUnit", "Engineering Units", "EngUnit", "unit", "units")
"""Properties by which products give a metric's unit; the specification names none."""
READ_ONLY: Final = "readOnly"
UNCERTAIN: Final = "uncertain"
"""Our own property of a value that is not fully to be trusted: Sparkplug's Quality is good, bad or stale."""
ORIGIN: Final = "origin"
CONTROL: Final = "Node Control/"


class SparkplugDevice:
    """Every edge node at an address: all of the broker's, of a group, or one, by the address's path
    `spBv1.0/GROUP/EDGE`. A tag is `GROUP/EDGE/DEVICE/METRIC`; the device of a node's own metric is empty.

    - `host`: our id as host application, whose STATE is published; empty to stay a silent listener.
    - `births`: s to wait for birth certificates. `progress` is told how many nodes were born.
    """

    def __init__(
        self,
        address: Address,
        access: Access | None = None,
        *,
        host: str = "",
        births: float = BIRTHS_S,
        progress: Callable[[float, str], None] = lambda share, words: None,
    ) -> None:
        self._group, self._edge = _path(address)
        self.view = HostView()
        self._lock = threading.RLock()
        self._host, self._since = host, datetime.now(UTC)
        if host:
            check_id(host, "host id")
        self._broker = Broker(
            address,
            access,
            on_message=self._take,
            on_connect=self._join,
            make_will=self._will if host else None,
        )
        self._broker.open()
        self._await_births(births, progress)

    def _will(self) -> Will:
        self._since = datetime.now(UTC)
        message = state_message(self._host, self._since, online=False)
        return Will(message.topic, message.payload, message.qos, message.retain)

    def _join(self, broker: Broker) -> None:
        broker.subscribe(listened(self._group, self._edge), qos=0)
        if self._host:
            self._send(state_message(self._host, self._since, online=True))
        if self._edge:
            self._send(rebirth_request(self._group, self._edge, datetime.now(UTC)))
        with self._lock:
            for node in self.view.nodes.values():
                node.rebirth_asked = False

    def _send(self, message: Message) -> None:
        self._broker.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    def _take(self, topic: str, raw: bytes, retained: bool) -> None:
        if retained:
            return  # nothing of Sparkplug but STATE is retained, and STATE is not for us
        with self._lock:
            answers = self.view.take(topic, raw, datetime.now(UTC))
        for message in answers:
            self._send(message)

    def _await_births(self, seconds: float, progress: Callable[[float, str], None]) -> None:
        """Wait until the one node asked for is born, or for the whole time where more may come."""
        started = time.monotonic()
        while (gone := time.monotonic() - started) < seconds:
            with self._lock:
                born = sum(not node.stale for node in self.view.nodes.values())
            progress(gone / seconds, f"{born}")
            if self._edge and born and self._settled():
                return
            time.sleep(LOOK_S)
        if self._edge and not any(not node.stale for node in self.view.nodes.values()):
            self.close()
            raise UnavailableError(
                f"the edge node {self._group}/{self._edge} was not born within {seconds:g} s",
                remedy="Start it, check group and edge node id in the address, and whether it obeys a rebirth request.",
            )

    def _settled(self) -> bool:
        """Whether the devices of a node that was just born are likely to be here too: nothing new for 0.2 s."""
        with self._lock:
            before = sum(len(item) for node in self.view.nodes.values() for item in node.metrics.values())
        time.sleep(0.2)
        with self._lock:
            return before == sum(len(item) for node in self.view.nodes.values() for item in node.metrics.values())

    @property
    def name(self) -> str:
        """The broker's address."""
        return str(self._broker.address)

    def close(self) -> None:
        """Leave the broker; as host application, say so first."""
        if self._host and self._broker.connected.is_set():
            message = state_message(self._host, self._since, online=False)
            self._broker.publish(message.topic, message.payload, qos=1, retain=True, wait=True)
        self._broker.close()

    def identify(self) -> Identity:
        """The edge nodes, and whether what they give is simulated: one metric that says so marks all."""
        with self._lock:
            said = {_origin(metric) for node in self.view.nodes.values() for _, metric in node.births()}
            names = ", ".join(f"{node.group}/{node.edge}" for node in self.view.nodes.values())
        return Identity(names or self.name, "", "Sparkplug B", "simulated" if "simulated" in said else "measured")

    def tags(self) -> tuple[Tag, ...]:
        """Every metric that holds a plain value."""
        with self._lock:
            found = [
                Tag(
                    f"{node.group}/{node.edge}/{device}/{name}",
                    kind,
                    text_property(metric.properties, *UNIT_KEYS),
                    _writable(metric),
                    metric.type.name if metric.type is not None else "",
                )
                for node in self.view.nodes.values()
                for device, metrics in node.metrics.items()
                for name, metric in metrics.items()
                if (kind := _kind(metric.type)) is not None and name != BD_SEQ and not name.startswith(CONTROL)
            ]
        return tuple(found)

    def _find(self, tag: str) -> tuple[NodeView, str, str, Metric]:
        group, _, rest = tag.partition("/")
        edge, _, rest = rest.partition("/")
        device, _, name = rest.partition("/")
        node = self.view.nodes.get((group, edge))
        metric = node.metrics.get(device, {}).get(name) if node is not None else None
        if node is None or metric is None:
            raise InputError(f"{self.name} has no tag {tag!r}", remedy=f"See what it has: plant browse {self.name}")
        return node, device, name, metric

    def read(self, names: Sequence[str]) -> tuple[TagValue, ...]:
        """What each metric held when it was told last; bad where its device is gone or a message was lost."""
        if not self._broker.connected.is_set() and not self._broker.connected.wait(BIRTHS_S):
            raise UnavailableError(f"{self.name} cannot be reached: the connection is lost", remedy="Start the broker.")
        found = []
        with self._lock:
            for tag in names:
                node, device, _, metric = self._find(tag)
                value = plain(metric)
                quality = _quality(metric) if node.good(device) and value is not None else "bad"
                assert metric.time is not None
                unit = text_property(metric.properties, *UNIT_KEYS)
                found.append(TagValue(tag, value, unit, metric.time, quality, _origin(metric)))
        return tuple(found)

    def write(self, values: Mapping[str, Plain]) -> None:
        """One command to each device, and wait until it says that it holds the values.

        Raises `InputError` for a value that the metric's type cannot hold, `UnavailableError` where the device is gone
        or does not say so in time.
        """
        now = datetime.now(UTC)
        sent: dict[tuple[str, str, str], dict[str, Metric]] = {}
        with self._lock:
            for tag, value in values.items():
                node, device, name, metric = self._find(tag)
                if not node.good(device):
                    raise UnavailableError(f"{node.edge}/{device} is not there", remedy="Start it; call again then.")
                if not _writable(metric):
                    raise InputError(f"{tag} can only be read", remedy="Name a metric that is not read-only.")
                assert metric.type is not None
                place = (node.group, node.edge, device)
                sent.setdefault(place, {})[name] = Metric(name, metric.type, _content(metric.type, value))
            messages = [
                command(self.view.nodes[group, edge], device, metrics, now)
                for (group, edge, device), metrics in sent.items()
            ]
        for message in messages:
            self._send(message)
        self._confirm(values, now)

    def _confirm(self, values: Mapping[str, Plain], asked: datetime) -> None:
        ends = time.monotonic() + CONFIRM_S
        open_tags = dict(values)
        while open_tags:
            with self._lock:
                held = {tag: plain(self._find(tag)[3]) for tag in open_tags}
            open_tags = {tag: value for tag, value in open_tags.items() if not _same(held[tag], value)}
            if open_tags and time.monotonic() > ends:
                tag, value = next(iter(open_tags.items()))
                raise UnavailableError(
                    f"{tag} holds {held[tag]!r}, {CONFIRM_S:g} s after {value!r} was written",
                    remedy="Look at the device's own limits, and whether it obeys commands.",
                )
            if open_tags:
                time.sleep(LOOK_S)


def _path(address: Address) -> tuple[str, str]:
    parts = [part for part in address.path.split("/") if part]
    if parts and parts[0] == NAMESPACE and len(parts) <= 3:
        group, edge = [*parts[1:], "", ""][:2]
        return group, edge
    raise InputError(
        f"{address} does not say which edge nodes",
        remedy=f"Write the path {NAMESPACE}, {NAMESPACE}/GROUP or {NAMESPACE}/GROUP/EDGE.",
    )


def _kind(kind: DataType | None) -> TagKind | None:
    if kind in NUMBERS:
        return "number"
    if kind in TEXTS:
        return "text"
    return "truth" if kind is DataType.BOOLEAN else "time" if kind is DataType.DATE_TIME else None


def plain(metric: Metric) -> Plain | None:
    """The value as tags hold it; None for null and for what is not a number."""
    value = metric.value
    if isinstance(value, (bool, str, datetime)):
        return value
    if isinstance(value, (int, float)):
        return float(value) if value - value == 0 else None
    return None


def _content(kind: DataType, value: Plain) -> Content:
    """A plain value as the data type wants it; what does not fit is refused when it is encoded."""
    whole = kind in INTEGERS and isinstance(value, float) and value == int(value) if value == value else False
    return int(value) if whole and isinstance(value, float) else value


def _same(held: Plain | None, wanted: Plain) -> bool:
    if isinstance(held, float) and isinstance(wanted, (int, float)):
        return abs(held - wanted) <= 1e-6 * max(1.0, abs(wanted))  # a Float has seven digits
    return held == wanted


def _quality(metric: Metric) -> Quality:
    said, doubt = metric.properties.get("Quality"), metric.properties.get(UNCERTAIN)
    if said is not None and said.value != GOOD:
        return "bad"
    return "uncertain" if doubt is not None and doubt.value is True else "good"


def _writable(metric: Metric) -> bool:
    """Only what says so by itself: most products mark what they do not take, and silence may mean either."""
    said = metric.properties.get(READ_ONLY)
    return said is not None and said.value is False


def _origin(metric: Metric) -> Origin:
    return "simulated" if text_property(metric.properties, ORIGIN) == "simulated" else "measured"
