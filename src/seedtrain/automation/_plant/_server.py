"""The virtual plant as an OPC UA server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import Server, ua

from seedtrain.automation._lads import NAMESPACE, PATH
from seedtrain.automation._plant._base import PlantUnit, Signal
from seedtrain.automation._plant._callers import Caller, Order, PlantInternals, caller
from seedtrain.automation._plant._commands import Commands
from seedtrain.automation._plant._contents import text
from seedtrain.automation._plant._guard import Doorkeeper
from seedtrain.automation._plant._locks import Lock, Locks
from seedtrain.automation._plant._nodes import AddressSpace, argument
from seedtrain.automation._plant._points import Points
from seedtrain.automation._plant._settings import PlantSettings
from seedtrain.automation._plant._speakers import Speaker, speakers_of
from seedtrain.automation._plant._types import Types
from seedtrain.automation._plant._world import Clock, World
from seedtrain.automation._scenario import Scenario
from seedtrain.base import SeedtrainError, UnavailableError
from seedtrain.recipe import State

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a clock in lock-step begins."""
LONG_POLL_S: Final = 0.5
"""s that a running plant keeps a client waiting for the next end of a program."""
LONGEST_SLEEP_S: Final = 1.0

_String, _Double, _Time = ua.VariantType.String, ua.VariantType.Double, ua.VariantType.DateTime
_REFUSED: Final = [
    argument("Refusal", _String, "Why not; empty where it was done."),
    argument("Remedy", _String, "What to do about it."),
]
_OWNER: Final = argument("Owner", _String, "Who drives the unit: an executor's batch.")
_PROGRAM: Final = argument("ProgramTemplateId", _String, "The phase, by its path.")
_AT: Final = argument("At", _Time, "On the process clock.")


class PlantServer:
    """One virtual plant behind one endpoint."""

    def __init__(self, scenario: Scenario, settings: PlantSettings) -> None:
        settings.check()
        self.settings = settings
        start = settings.start or (datetime.now(UTC) if settings.speed is not None else NEVER)
        self.world = World(
            scenario, Clock(start, settings.speed), settings.interval, settings.state, own_state=settings.own_state
        )
        self._ended = asyncio.Event()
        self._changed = asyncio.Event()
        self._space: AddressSpace | None = None
        self._targets: dict[str, dict[str, float]] = {}
        self._speakers: dict[Speaker, Points] = {}
        self._lost = False
        self.locks = Locks(self._show_lock)
        self._commands = Commands(self)

    async def run(self, ready: Callable[[str], None], stop: asyncio.Event) -> None:
        """Serve until `stop` is set; `ready` is told the URL once clients can connect."""
        logging.getLogger("asyncua").setLevel(logging.ERROR)
        gc.disable()  # thousands of nodes are made, and none is garbage: collecting takes a third of the start
        port = self.settings.port or _free_port(self.settings.host)
        url = f"opc.tcp://{self.settings.host}:{port}{PATH}"
        server = await self._secured(Server)
        server.set_endpoint(url)
        server.set_server_name("Seedtrain virtual plant")
        await self._build(server)
        gc.freeze()
        gc.enable()
        try:
            await server.start()
        except OSError as error:
            raise UnavailableError(
                f"the plant cannot listen on {url}: {os.strerror(error.errno) if error.errno else error}",
                remedy="Give another --port, or end who listens there.",
            ) from None
        self._speakers = {speaker: Points(self, type(speaker).__name__) for speaker in speakers_of(self.settings)}
        try:
            for speaker, points in self._speakers.items():
                await speaker.start(points)
            ready(url)
            await self._live(stop)
        finally:
            for speaker in self._speakers:
                await speaker.stop()
            await server.stop()

    async def _build(self, server: Server) -> None:
        """Types, devices and methods, and everything shown as it is now."""
        types = Types(server)
        await types.load()
        index = await server.register_namespace(NAMESPACE)
        self._space = AddressSpace(server, index, types, self.world, self._commands)
        clock = await self._space.build()
        for unit in self.world.units.values():
            await self._methods(unit)
            self._space.show_remaining(unit.name, self.locks.remaining)
        await self._space.method(
            clock,
            "Clock/Advance",
            self._advance,
            [_OWNER, argument("To", _Time, "How far; a lock-step clock stops at the first end of a program.")],
            [argument("Reached", _Time, "The process time now.")],
        )
        await self._show([])

    async def _mind_network(self) -> None:
        """Where the network is lost nobody is listened to, and who is connected is cut off."""
        assert self._space is not None
        lost, before = self.world.network_lost, self._lost
        if lost is before:
            return
        self._lost = lost
        endpoint = self._space.server.bserver
        await (endpoint.stop() if lost else endpoint.start())
        for speaker, points in self._speakers.items():
            await (speaker.stop() if lost else speaker.start(points))

    async def write_target(self, unit: str, tag: str, value: float) -> None:
        """Tell a controller what is wanted, as any client would; refused where one has locked the unit."""
        self.locks.require(unit, spoken=True)
        await self.set_target(unit, tag, value)

    async def set_target(self, unit: str, tag: str, value: float) -> None:
        """Tell a controller what is wanted; NaN: nothing."""
        assert self._space is not None
        await self._space.write(f"{unit}/FunctionSet/{tag}/TargetValue", ua.Variant(value, _Double))
        if not math.isfinite(value):  # a target that is none switches the controller off
            item = self.world.units[unit]
            item.retarget({tag: value}) if item.follows else item.targets.update({tag: value})
            await self._space.controllers.follow(item)
        self._changed.set()

    async def tell(self, unit: str, word: str, path: str, owner: str) -> None:
        """Start, hold or abort a phase, for a protocol without methods: it begins now, with the recipe's set points
        but for the targets. A refusal is an `InputError`."""
        self.locks.require(unit, spoken=True)
        item = self.world.units[unit]
        if word == "start":
            truth = self.world.scenario.units[unit].phases.get(path)
            given = [f"{name}={value}" for name, value in truth.phase.set.items()] if truth is not None else []
            before = item.program
            held = before is not None and before.path == path and item.state is State.HELD
            at = before.began if before is not None and held else self.world.clock.now()
            self._start(item, owner, path, at, given)
        elif word == "hold":
            self._hold(item, item.active or path)
        else:
            self._abort(item, item.active or path)
        await self.changed()

    async def changed(self) -> None:
        """Publish what an order has changed."""
        await self._show([])
        self._changed.set()

    async def _show(self, signals: list[Signal]) -> None:
        assert self._space is not None
        await self._space.show(signals, self._commands.orders)

    async def _show_lock(self, unit: str, lock: Lock | None) -> None:
        assert self._space is not None
        await self._space.show_lock(unit, lock)

    async def _left(self, who: Caller) -> None:
        """A session has ended: what it has locked is free, and what it drives is without a driver."""
        await self.locks.left(who)
        self._commands.left(who)

    def _may_write(self, who: Caller, node: ua.NodeId) -> bool:
        """Whether a session may write a node: those of a locked unit are its holder's."""
        unit = str(node.Identifier).partition("/")[0]
        return self._space is None or node.NamespaceIndex != self._space.index or self.locks.may(who, unit)

    async def _secured(self, make: type[Server]) -> Server:
        """A server that lets in whom the settings trust: with certificates, nobody speaks to it in the clear."""
        security = self.settings.security
        if security is None:
            server = make(PlantInternals(may_write=self._may_write, left=self._left))
            await server.init()
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
            return server
        keeper = Doorkeeper(security)
        server = make(PlantInternals(may_write=self._may_write, left=self._left, user_manager=keeper))
        await server.init()
        if security.application:
            await server.set_application_uri(security.application)
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        server.set_identity_tokens([ua.UserNameIdentityToken if security.user else ua.AnonymousIdentityToken])
        await server.load_certificate(str(security.certificate))
        await server.load_private_key(str(security.private_key))
        return server

    async def _live(self, stop: asyncio.Event) -> None:
        """Let a running clock run; in lock-step there is nothing to do but wait."""
        if self.world.clock.lock_step:
            await stop.wait()
            return
        while not stop.is_set():
            await self._play(self.world.clock.now())
            await self._mind_network()
            following = self.world.next_event()
            left = (following - self.world.clock.now()).total_seconds() if following else float("inf")
            assert self.settings.speed is not None
            wait = min(max(left / self.settings.speed, 0.001), LONGEST_SLEEP_S)
            self._changed.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(_first(stop, self._changed), wait)

    async def _play(self, to: datetime) -> datetime:
        assert self._space is not None
        for unit in self.world.units.values():
            self._retarget(unit)
            await self._space.controllers.follow(unit)
        for driver in self._commands.drivers():
            self.world.renew(driver)
        signals: list[Signal] = []
        reached = self.world.advance(to, signals.append)
        await self._show(signals)
        await self.locks.refresh()
        if any(not signal.tag for signal in signals):
            self._ended.set()
            self._ended = asyncio.Event()
        return reached

    async def _advance(self, _: ua.NodeId, owner: ua.Variant, to: ua.Variant) -> list[ua.Variant]:
        self.world.renew(owner.Value)
        if self.world.clock.lock_step:
            return [ua.Variant(await self._play(to.Value), _Time)]
        if self.world.next_event() is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended.wait(), LONG_POLL_S)
        return [ua.Variant(self.world.clock.now(), _Time)]

    async def _methods(self, unit: PlantUnit) -> None:
        assert self._space is not None
        path = f"{unit.name}/ProgramManager"
        manager = self._space.id(path)
        settings = argument("Properties", _String, "Set points that no function has: name=value.", array=True)
        wanted = argument("Attributes", _String, "What to find.", array=True)
        units = argument("Units", _String, "In which unit, each.", array=True)
        found = argument("Values", _Double, "What was found.", array=True)
        methods: dict[str, tuple[Callable[..., Any], list[ua.Argument], list[ua.Argument], list[ua.Variant]]] = {
            "Prepare": (
                self._prepare,
                [_OWNER, _PROGRAM, _AT],
                [argument("Ready", _Time, "When the unit can take the phase.")],
                [ua.Variant(NEVER, _Time)],
            ),
            "StartProgram": (self._start, [_OWNER, _PROGRAM, _AT, settings], [], []),
            "Hold": (self._hold, [_PROGRAM], [], []),
            "Abort": (self._abort, [_PROGRAM], [], []),
            "DrawSample": (
                self._sample,
                [_PROGRAM, wanted, units],
                [found, argument("At", _Time, "When it was drawn.")],
                [ua.Variant([], _Double, is_array=True), ua.Variant(NEVER, _Time)],
            ),
        }
        for name, (act, inputs, outputs, blank) in methods.items():
            await self._space.method(
                manager, f"{path}/{name}", self._guarded(unit, act, blank), inputs, [*outputs, *_REFUSED]
            )

    def _guarded(self, unit: PlantUnit, act: Callable[..., Any], blank: list[ua.Variant]) -> Any:
        """An expected failure is an answer with its remedy, not a fault of the server."""

        async def call(_: ua.NodeId, *given: ua.Variant) -> list[ua.Variant]:
            try:
                self.locks.require(unit.name)
                result = act(unit, *(item.Value for item in given))
            except SeedtrainError as error:
                return [*blank, text(error.message), text(error.remedy)]
            await self.changed()
            return [*result, text(""), text("")]

        return call

    def _prepare(self, unit: PlantUnit, owner: str, path: str, at: datetime) -> list[ua.Variant]:
        return [ua.Variant(self.world.prepare(owner, unit.name, path, at), _Time)]

    def _start(self, unit: PlantUnit, owner: str, path: str, at: datetime, given: list[str] | None) -> list[ua.Variant]:
        self._retarget(unit)
        unit.targets.update(self._written(unit))
        properties = dict(item.split("=", 1) for item in given or [] if "=" in item)
        self.world.start(owner, unit.name, path, at, properties)
        who = caller()
        application, user = (who.application, who.user) if who is not None else ("", "")
        self._commands.orders[unit.name] = Order(application, user, owner, "", properties, owner)
        return []

    def begin(self, unit: PlantUnit, path: str, order: Order, *, again: bool = False) -> None:
        """Start a phase now, or (again) take up the held one; raises `InputError` where it cannot be."""
        before = unit.program if again else None
        given = [f"{name}={value}" for name, value in order.given.items()]
        self._start(unit, order.owner, path, before.began if before is not None else self.world.clock.now(), given)
        self._commands.orders[unit.name] = order

    def _written(self, unit: PlantUnit) -> dict[str, float]:
        """The targets as clients wrote them last."""
        assert self._space is not None
        found = {}
        for tag in unit.targets:
            value = self._space.server.read_attribute_value(
                self._space.id(f"{unit.name}/FunctionSet/{tag}/TargetValue")
            ).Value
            assert value is not None
            found[tag] = float(value.Value)
        self._targets[unit.name] = found
        return found

    def _retarget(self, unit: PlantUnit) -> None:
        """While a phase runs, a target that a client changes holds from now on."""
        before = self._targets.get(unit.name, {})
        written = {tag: value for tag, value in self._written(unit).items() if math.isfinite(value)}
        changed = {tag: value for tag, value in written.items() if value != before.get(tag)}
        if changed and unit.follows:
            unit.retarget(changed)

    def _hold(self, unit: PlantUnit, path: str) -> list[ua.Variant]:
        unit.hold(path)
        return []

    def _abort(self, unit: PlantUnit, path: str) -> list[ua.Variant]:
        unit.abort(path)
        return []

    def _sample(
        self, unit: PlantUnit, path: str, attributes: list[str] | None, units: list[str] | None
    ) -> list[ua.Variant]:
        wanted = dict(zip(attributes or [], units or [], strict=True))
        found = unit.sample(path, wanted)
        at = found[0].time if found else self.world.clock.now()
        return [ua.Variant([item.value for item in found], _Double, is_array=True), ua.Variant(at, _Time)]


async def _first(*events: asyncio.Event) -> None:
    """Wait for any of the events."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
