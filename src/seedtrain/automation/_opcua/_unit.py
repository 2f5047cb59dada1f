"""One functional unit behind an OPC UA server, as the executor drives and watches it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from seedtrain.automation._devices import Addition, EndedBy, Ending, Function, Identity, Origin, Reading
from seedtrain.automation._lads import ACTIVE, ISA_OF_MACHINE, ISA_STATE
from seedtrain.automation._mapping_file import interlocks_of, safe_targets
from seedtrain.automation._observed import Interlock, NotRunning, Outage
from seedtrain.automation._opcua._lads_programs import LadsPrograms
from seedtrain.automation._opcua._mapping import LadsEntry, UnitEntry
from seedtrain.automation._opcua._mapping import Mapping as PlantMapping
from seedtrain.automation._opcua._past import Past, aware, covers, moments_of
from seedtrain.automation._opcua._programs import MappedPrograms, Programs, Side, Template
from seedtrain.automation._opcua._session import Session, Value
from seedtrain.automation._ramp import CONTROL_INTERVAL, ramped
from seedtrain.base import InputError, UnavailableError
from seedtrain.quantity import Quantity, number_text
from seedtrain.recipe import Phase, State

STRIDE: Final = timedelta(hours=6)
"""Of process time, by which a lock-step clock is moved on at once; it stops by itself where a phase ends."""
POLL_S: Final = 1.0
"""s between two looks at a plant that cannot tell when a phase has ended."""
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
READY_S: Final = 0.2
"""s at most between two looks at the clock of a plant that gets ready."""


class OpcUaUnit:
    """One functional unit. What it was told last is remembered, to tell a simulated unit again that lost its memory."""

    def __init__(
        self, name: str, entry: UnitEntry, mapping: PlantMapping, session: Session, *, owner: str, stride: timedelta
    ) -> None:
        self.name = name
        self._entry = entry
        self._node = mapping.node
        self._clock = mapping.entry.clock
        self._session = session
        self._owner = owner
        self._stride = stride
        self._wanted: dict[str, Mapping[str, Quantity | str]] = {}
        self._began: dict[str, datetime] = {}
        self._phases: dict[str, Phase] = {}
        self._until: dict[str, datetime] = {}
        self._heard: tuple[datetime, int] | None = None
        self._outages: list[Outage] = []
        self._interlocks = interlocks_of(entry)
        self._safe = safe_targets(entry)
        side = Side(name, session, mapping.node, owner)
        self._programs: Programs = (
            MappedPrograms(side, entry.program)
            if entry.program is not None
            else LadsPrograms(side, _lads(entry), tuple(entry.functions), lambda: self.state)
        )
        self.templates = self._programs.templates()
        self._identity = self._identify()
        self._lock_step = bool(self._one(self._clock.lock_step)) if self._clock is not None else False

    def _one(self, node: str) -> Any:
        """The value of one node; a bad one is an `UnavailableError`."""
        (value,) = self._session.read([self._node(node)])
        if value is None or value.quality == "bad":
            raise UnavailableError(
                f"{self.name}: {node} has no good value", remedy="Look at the unit; call again when it is well."
            )
        return value.value

    def _identify(self) -> Identity:
        origin = self._entry.origin
        if origin not in ("measured", "simulated"):
            origin = _words(self._one(origin))
        if origin not in ("measured", "simulated"):
            raise InputError(
                f"{self.name} says that its values are {origin!r}", remedy="Write `origin: measured` into the mapping."
            )
        manufacturer, model = _words(self._one(self._entry.manufacturer)), _words(self._one(self._entry.model))
        return Identity(self.name, manufacturer, model, cast(Origin, origin))

    @property
    def state(self) -> State:
        """The unit's ISA-88 state, from what LADS calls it; within Running, the state of the machine there."""
        shown, within = self._one(self._entry.state), None
        word, known = _words(shown), ISA_STATE if isinstance(shown, str) else ISA_OF_MACHINE
        if word == ACTIVE and self._entry.substate is not None:
            (within,) = self._session.read([self._node(self._entry.substate)])
        if within is not None and within.quality != "bad":
            word = _words(within.value)
        try:
            return known[word]
        except KeyError:
            raise InputError(
                f"{self.name} is in the state {word!r}, which is none of LADS",
                remedy=f"Let it use one of: {', '.join(known)}.",
            ) from None

    @property
    def program(self) -> str | None:
        """The program that runs, where the server says; empty for none."""
        return self._programs.active()

    def identify(self) -> Identity:
        """What the server says of the unit."""
        return self._identity

    def _template(self, path: str) -> Template:
        try:
            return self.templates[path]
        except KeyError:
            known = ", ".join(self.templates)
            raise InputError(f"{self.name} cannot run {path!r}", remedy=f"It runs: {known}.") from None

    def functions(self, path: str, phase: Phase) -> tuple[Function, ...]:
        """The functions that the program at `path` reports."""
        return tuple(
            Function(tag, self._entry.functions[tag].unit, f"{self.name}.{tag}")
            for tag in self._template(path).functions
        )

    def connected(self, path: str, phase: Phase) -> tuple[str, ...]:
        """The materials that the program draws by itself."""
        return self._template(path).materials

    def await_ready(self, path: str, at: datetime) -> datetime:
        """Ask when the unit is ready, and wait until its clock shows that."""
        ready = self.ready(path, at)
        self.wait_for(ready)
        return ready

    def ready(self, path: str, at: datetime) -> datetime:
        """Ask when the unit is ready."""
        self._template(path)
        return self._programs.ready(path, at)

    def wait_for(self, at: datetime) -> None:
        """Wait until the clock shows `at`; one in lock-step is moved by what starts then."""
        while not self._lock_step and (left := (at - self.now()).total_seconds()) > 0:
            time.sleep(min(left, READY_S))

    def now(self) -> datetime:
        """The process clock: the server's where it is simulated, else the wall clock."""
        return aware(self._one(self._clock.time)) if self._clock is not None else datetime.now(UTC)

    def command(self, path: str, set_points: Mapping[str, Quantity | str]) -> None:
        """Write the target values of the unit's controllers; the other set points go with the start."""
        self._template(path)
        self._wanted[path] = dict(set_points)
        self._session.write(
            {
                self._node(function.target): value.magnitude(function.unit)
                for name, value in set_points.items()
                if (function := self._entry.functions.get(name)) is not None
                and function.target is not None
                and isinstance(value, Quantity)
            }
        )

    def start(self, path: str, phase: Phase, at: datetime) -> None:
        """Run the phase from `at`; refused by the unit while it runs another one."""
        self._template(path)
        if path not in self._wanted:
            raise InputError(f"{self.name} has no set points for {path}", remedy="Command the set points first.")
        properties = {
            name: _text(value)
            for name, value in self._wanted[path].items()
            if not (
                isinstance(value, Quantity)
                and name in self._entry.functions
                and self._entry.functions[name].target is not None
            )
        }
        self._programs.start(path, at, properties)
        self._began[path], self._phases[path] = at, phase
        self._until[path] = at

    def hold(self, path: str) -> None:
        """Bring the unit to its safe state: what its own `hold` does, and the targets that the mapping names."""
        self._template(path)
        self._programs.hold(path)
        targets = {tag: self._entry.functions[tag].target for tag in self._safe}
        self._session.write({self._node(node): self._safe[tag] for tag, node in targets.items() if node is not None})

    def abort(self, path: str) -> None:
        """Stop for good."""
        self._template(path)
        self._programs.abort(path)

    def await_end(self, path: str) -> Ending:
        """Wait until the unit has a result of this run of the phase; in lock-step move the clock on meanwhile."""
        return self._ending(path, self._ended(path))

    def counts(self) -> Mapping[str, float]:
        """None: the result of a program says what went in."""
        return {}

    def recall(self, path: str, stood: timedelta, counts: Mapping[str, float]) -> None:
        """The server's program knows by itself."""

    def poll(self, path: str, until: datetime | None = None) -> Ending | None:
        """One look at the running phase. A connection that was made again since the last look is an outage."""
        result = self._look(path, until)
        now, connections = self.now(), self._session.connections
        if self._heard is not None and connections != self._heard[1] and now > self._heard[0]:
            self._outages.append(Outage(self._heard[0], now))
        self._heard = (now, connections)
        return None if result is None else self._ending(path, result)

    def fresh(self, path: str, after: datetime) -> tuple[Reading, ...]:
        """Every value of the phase's functions that the server has later than `after`, in the order of source time."""
        tags, nodes = self._reported(path)
        past = self._session.history(nodes, after, _LATEST) if nodes else []
        found = (item for tag, values in zip(tags, past, strict=True) for item in self._past(tag).after(values, after))
        return tuple(sorted(found, key=lambda item: item.time))

    def outages(self) -> tuple[Outage, ...]:
        """Lost connections since this was asked last."""
        found, self._outages = tuple(self._outages), []
        return found

    def filled(self, path: str, outage: Outage, longest: float) -> Mapping[str, bool]:
        """By tag: whether the server's history covers the outage."""
        tags, nodes = self._reported(path)
        step = timedelta(hours=longest)
        past = self._session.history(nodes, outage.lost - step, outage.found)
        return {tag: covers(values, outage, step) for tag, values in zip(tags, past, strict=True)}

    def _reported(self, path: str) -> tuple[tuple[str, ...], list[str]]:
        """The functions that a phase reports, and the nodes of their current values."""
        tags = self._template(path).functions
        return tags, [self._node(self._entry.functions[tag].current) for tag in tags]

    def _past(self, tag: str) -> Past:
        return Past(tag, self._entry.functions[tag].unit, self._identity.origin, f"{self.name}.{tag}")

    def override(self, values: Mapping[str, Quantity]) -> None:
        """Write targets by hand; a function without one is an `InputError`."""
        wanted: dict[str, float] = {}
        for tag, value in values.items():
            function = self._entry.functions.get(tag)
            if function is None or function.target is None:
                known = ", ".join(name for name, item in self._entry.functions.items() if item.target is not None)
                raise InputError(f"{self.name} has no target {tag!r}", remedy=f"Set one of: {known or 'none'}.")
            wanted[self._node(function.target)] = value.magnitude(function.unit)
        self._session.write(wanted)

    def tripped(self) -> tuple[Interlock, float] | None:
        """The first interlock that holds now, with the value that it saw."""
        nodes = [self._node(self._entry.functions[item.tag].current) for item in self._interlocks]
        for item, value in zip(self._interlocks, self._session.read(nodes), strict=True):
            shown = value.value if value is not None and value.quality != "bad" else None
            if isinstance(shown, (int, float)) and item.trips(float(shown)):
                return item, float(shown)
        return None

    def _ending(self, path: str, result: Mapping[str, Any]) -> Ending:
        phase = self._phases.get(path)
        told = result["EndedBy"] or ("condition" if phase is not None and phase.until else "duration")
        amounts = zip(result["OutletAmounts"], result["OutletUnits"], strict=True)
        return Ending(
            aware(result["Stopped"]),
            cast(EndedBy, told),
            tuple(map(Addition, result["Materials"], result["Amounts"], result["AmountUnits"])),
            dict(zip(result["OutletNames"], amounts, strict=True)) or None,
        )

    def _ended(self, path: str) -> Mapping[str, Any]:
        """The result of this run of the phase, waited for."""
        self._template(path)
        while (found := self._look(path)) is None:
            pass
        return found

    def _look(self, path: str, latest: datetime | None = None) -> Mapping[str, Any] | None:
        """The result of this run of the phase, or None after having waited a little, up to `latest` at most."""
        began = self._began.get(path)
        if began is None:
            raise InputError(f"{self.name} does not run {path}", remedy="Start it first.")
        connections = self._session.connections
        result = self._programs.result(path, began)
        if result is not None:
            return result
        state = self.state
        if state is not State.RUNNING:
            result = self._programs.result(path, began)
            if result is not None:
                return result  # it ended between the two looks
            self._lost(path, state)
        until = self._until.get(path, began)
        if latest is not None and latest <= until:
            return None
        ramps = path in self._phases and ramped(self._phases[path])
        to = until + (CONTROL_INTERVAL if ramps else self._stride)
        until = max(until, self._wait(to if latest is None else min(to, latest)))
        again = self._session.connections != connections and self.state is not State.RUNNING
        self._until[path] = began if again else until
        return None

    def _lost(self, path: str, state: State) -> None:
        """The unit neither runs the phase nor has its result: a simulated one that was restarted is told again what
        is wanted; with a real one somebody has to look first."""
        if self._lock_step and self._identity.origin == "simulated" and state in (State.IDLE, State.COMPLETE):
            self.command(path, self._wanted[path])
            self.start(path, self._phases[path], self._began[path])
            return
        raise NotRunning(
            f"{self.name} does not run {path} (it is {state.value})",
            state,
            remedy="Look at the unit; call again when the phase may go on.",
        )

    def _wait(self, to: datetime) -> datetime:
        """Let process time pass, towards `to`; returns where the clock is then."""
        if self._clock is None:
            time.sleep(POLL_S)
            return datetime.now(UTC)
        answer = self._session.call(
            self._node(self._clock.object),
            self._node(self._clock.advance),
            ("String", self._owner),
            ("DateTime", to),
        )
        return aware(answer[0])

    def read(self, path: str, interval: timedelta) -> tuple[Reading, ...]:
        """The history of every function over the phase, one value each `interval` and one at the end.

        Where the server has no value within one interval, the last one stands and is marked bad, so that a gap shows as
        exactly the rows that it covers; before the first value, that one stands and is bad.
        """
        tags, nodes = self._reported(path)

        def ask() -> tuple[list[datetime], list[list[Value]]]:
            moments = moments_of(self._began[path], aware(self._ended(path)["Stopped"]), interval)
            connections = self._session.connections
            past = self._session.history(nodes, moments[0], moments[-1]) if nodes else []
            return (moments, past) if connections == self._session.connections else ask()

        moments, past = ask()
        return tuple(
            reading
            for tag, values in zip(tags, past, strict=True)
            for reading in self._past(tag).held(values, moments, interval)
        )

    def draw_sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the unit's laboratory finds in a sample at the end of the phase."""
        self._ended(path)
        if not attributes:
            return ()
        names, units = list(attributes), list(attributes.values())
        connections = self._session.connections
        try:
            values, at = self._programs.sample(path, names, units)
        except InputError:
            if connections == self._session.connections:
                raise
            return self.draw_sample(path, attributes)  # asked of a server that was restarted meanwhile
        assert len(values) == len(names), "the analyser left an attribute out"
        return tuple(
            Reading(name, float(value), unit, aware(at), "good", self._identity.origin, f"laboratory.{name}")
            for name, value, unit in zip(names, values, units, strict=True)
        )


def _lads(entry: UnitEntry) -> LadsEntry:
    """What drives a unit without methods of its own; a mapping without either is refused when it is read."""
    assert entry.lads is not None
    return entry.lads


def _words(value: Any) -> str:
    """A text, or what is written in words for people."""
    return str(getattr(value, "Text", value) or "")


def _text(value: Quantity | str) -> str:
    return value if isinstance(value, str) else f"{number_text(value.value)} {value.unit}".rstrip()
