"""The virtual plant as an edge node of Sparkplug B: each unit is a device, each point a metric."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from seedtrain.automation._devices import Plain
from seedtrain.automation._plant._points import CLOCK, Point, Points
from seedtrain.automation._protocols._access import Access
from seedtrain.automation._protocols._address import parse_address
from seedtrain.automation._protocols._broker import Broker, Will
from seedtrain.automation._protocols._sparkplug import (
    ORIGIN,
    READ_ONLY,
    UNCERTAIN,
    DataType,
    EdgeNode,
    Message,
    Metric,
    Property,
    read_state,
)
from seedtrain.automation._protocols._times import EPOCH
from seedtrain.automation._speaks import SparkplugEntry
from seedtrain.base import InputError

TICK_S: Final = 0.1
"""s of real time between two looks at what has changed."""
TYPES: Final = {
    "number": DataType.DOUBLE,
    "text": DataType.STRING,
    "truth": DataType.BOOLEAN,
    "time": DataType.DATE_TIME,
}
BAD, GOOD = 0, 192
STATES: Final = "spBv1.0/STATE/"
CLOCK_STEP: Final = timedelta(seconds=1)
_MOST: Final = 500
"""Metrics in one message."""


class SparkplugSpeaker:
    """One edge node. Values carry the process time at which their instrument had them.

    Every value that an instrument ever showed is published, however fast the clock runs; the process time and what is
    not measured are published when they change, the time once it is a second later. Who drives is there as long as
    some host application's STATE says so.
    """

    def __init__(self, entry: SparkplugEntry, access: Access) -> None:
        self._entry = entry
        self._access = access
        self._task: asyncio.Task[None] | None = None
        self._broker: Broker | None = None
        self._shown: dict[str, tuple[datetime, Plain | None]] = {}
        self._hosts: dict[str, bool] = {}

    async def start(self, points: Points) -> None:
        """Connect and be born; raises `UnavailableError` where the broker does not answer."""
        self._points = points
        self._loop = asyncio.get_running_loop()
        devices: dict[str, list[Metric]] = {"": []}
        for point in points.all:
            devices.setdefault(point.device, []).append(self._metric(point, None, None))
        self._edge = EdgeNode(self._entry.group, self._entry.edge, devices)
        broker = Broker(
            parse_address(self._entry.broker),
            self._access,
            on_message=self._heard,
            on_connect=self._joined,
            make_will=self._will,
        )
        self._broker = broker
        await asyncio.to_thread(broker.open)
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Die in order: the death certificate first."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._broker is None:
            return
        if self._broker.connected.is_set():
            self._send([self._edge.death(datetime.now(UTC))])
        await asyncio.to_thread(self._broker.close)

    def _will(self) -> Will:
        message = self._edge.begin(datetime.now(UTC))
        return Will(message.topic, message.payload, message.qos, message.retain)

    def _joined(self, broker: Broker) -> None:
        """On the network's thread: listen first, so that no command after the birth is missed."""
        group, edge = self._entry.group, self._entry.edge
        broker.subscribe([f"spBv1.0/{group}/NCMD/{edge}/#", f"spBv1.0/{group}/DCMD/{edge}/#", f"{STATES}+"])
        self._loop.call_soon_threadsafe(self._be_born)

    def _be_born(self) -> None:
        """Births with what everything holds now; then what nobody could hear since the last message, as historical."""
        missed = self._missed()
        current: dict[tuple[str, str], Metric] = {}
        for point in self._points.all:
            value, when = self._points.value(point)
            current[point.device, point.name] = self._metric(point, value, when, doubted=self._points.doubted(point))
            self._shown[point.path] = (when, value)
        now = datetime.now(UTC)
        self._send(self._edge.births(current, now))
        for device, metrics in missed.items():
            for first in range(0, len(metrics), _MOST):
                self._send([self._edge.data(device, metrics[first : first + _MOST], now)])

    def _missed(self) -> dict[str, list[Metric]]:
        found: dict[str, list[Metric]] = {}
        for point in self._points.all:
            if point.name.endswith("/current") and point.path in self._shown:
                values = [replace(item, historical=True) for item in self._news(point)]
                found.setdefault(point.device, []).extend(values[:-1])  # the last one is in the birth
        return found

    def _send(self, messages: list[Message]) -> None:
        broker = self._broker
        for message in messages if broker is not None and broker.connected.is_set() else ():
            assert broker is not None
            broker.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    def _metric(self, point: Point, value: Plain | None, when: datetime | None, *, doubted: bool = False) -> Metric:
        properties = {
            ORIGIN: Property(DataType.STRING, "simulated"),
            READ_ONLY: Property(DataType.BOOLEAN, not point.writable),
            "Quality": Property(DataType.INT32, BAD if value is None and point.kind == "number" else GOOD),
        }
        if point.kind == "number":
            properties[UNCERTAIN] = Property(DataType.BOOLEAN, doubted)
            properties["engUnit"] = Property(DataType.STRING, point.unit)
        return Metric(point.name, TYPES[point.kind], value, when, properties=properties)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if any(self._hosts.values()):
                self._points.heard()
            if self._shown and self._broker is not None and self._broker.connected.is_set():
                self._tell()

    def _tell(self) -> None:
        """Publish what is new of every device."""
        new: dict[str, list[Metric]] = {}
        for point in self._points.all:
            for metric in self._news(point):
                new.setdefault(point.device, []).append(metric)
        for device, metrics in new.items():
            for first in range(0, len(metrics), _MOST):
                self._send([self._edge.data(device, metrics[first : first + _MOST], datetime.now(UTC))])

    def _news(self, point: Point) -> Iterator[Metric]:
        """What a point held that has not been published yet."""
        before, shown = self._shown.get(point.path, (EPOCH, None))
        value, when = self._points.value(point)
        if point.path == CLOCK and when < before + CLOCK_STEP:
            return
        if point.name.endswith("/current"):
            past = self._points.unit(point).history[point.name.rpartition("/")[0]]
            if past and past[-1].at < before:
                before = EPOCH  # a repeated phase writes its history anew
            for at, number, quality in past[bisect_right(past, (before, math.inf)) :]:
                self._shown[point.path] = (at, number)
                shown = number if math.isfinite(number) else None
                yield self._metric(point, shown, at, doubted=quality == "uncertain")
        elif value != shown:
            self._shown[point.path] = (when, value)
            yield self._metric(point, value, when)

    def _heard(self, topic: str, raw: bytes, retained: bool) -> None:
        """On the network's thread."""
        if topic.startswith(STATES):
            state = read_state(raw)
            self._hosts[topic] = state is not None and state[0]
            return
        asyncio.run_coroutine_threadsafe(self._obey(topic, raw), self._loop)

    async def _obey(self, topic: str, raw: bytes) -> None:
        """A command that cannot be obeyed changes nothing; the values that follow show that."""
        try:
            ordered = self._edge.take(topic, raw)
            if ordered.rebirth:
                self._be_born()
            found: list[tuple[Point, Any]] = []
            for metric in ordered.metrics:
                path = f"{ordered.device}/{metric.name}" if ordered.device else metric.name
                found.append((self._points.by_path[path], metric.value))
            for point, value in found:
                await self._points.write(point, value)
        except InputError as error:
            logging.getLogger(__name__).warning("%s: %s", topic, error.message)
        self._tell()
