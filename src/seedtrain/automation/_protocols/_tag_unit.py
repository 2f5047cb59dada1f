"""One functional unit made of tags: its phases run on the device, or are kept by the executor where it runs none."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from seedtrain.automation._devices import (
    Addition,
    EndedBy,
    Ending,
    Function,
    Identity,
    Origin,
    Plain,
    Reading,
    TagDevice,
)
from seedtrain.automation._mapping_file import interlocks_of, safe_targets
from seedtrain.automation._observed import Interlock, NotRunning, Outage
from seedtrain.automation._protocols._mapping import TagUnitEntry
from seedtrain.automation._protocols._owner import OwnerTag
from seedtrain.automation._protocols._tag_run import TagRun
from seedtrain.base import InputError, UnavailableError
from seedtrain.quantity import Quantity, convert
from seedtrain.recipe import Command, Phase, State, next_state

STARTS_S: Final = 10.0
"""s in which a device must say that it runs the phase."""
LONGEST_LOOK_S: Final = 1.0
"""s that one look may wait."""


class TagUnit:
    """A unit of a `TagPlant`. `now` gives the process time; tags are read each `poll` while a phase runs. `owner`:
    who drives, as the tag says that the mapping names for it.

    The device keeps no history: what nobody read while the executor was away is missing, and marked bad.
    """

    def __init__(
        self,
        name: str,
        entry: TagUnitEntry,
        device: TagDevice,
        poll: timedelta,
        now: Callable[[], datetime],
        *,
        owner: str = "seedtrain",
    ) -> None:
        self.name = name
        self._owner = OwnerTag(name, entry.owner, owner, device)
        self._entry, self._device, self._every, self._clock = entry, device, poll, now
        self._interlocks = interlocks_of(entry)
        self._safe: dict[str, Plain] = {
            target: value for tag, value in safe_targets(entry).items() if (target := entry.functions[tag].target)
        }
        self._looked: tuple[float, datetime] | None = None
        self._lost: datetime | None = None
        self._outages: list[Outage] = []
        self._state = State.IDLE
        self._run: TagRun | None = None
        self._recalled: dict[str, tuple[timedelta, dict[str, float]]] = {}
        self._wanted: dict[str, Mapping[str, Quantity | str]] = {}
        said = device.identify()
        self._identity = Identity(name, said.manufacturer, said.model, self._origin(said))

    def _origin(self, said: Identity) -> Origin:
        return "simulated" if said.origin == "simulated" else self._entry.origin or said.origin

    @property
    def state(self) -> State:
        """The unit's ISA-88 state: the device's where it runs programs, else ours.

        A device that runs the program of its safe state, or has run it last, is held, whatever it calls that itself.
        """
        if self._entry.program is None:
            return self._state
        word = self._text(self._entry.program.state)
        try:
            found = State(word)
            works = found in (State.RUNNING, State.COMPLETE)
            return State.HELD if works and self._runs_safe_program() else found
        except ValueError:
            known = ", ".join(item.value for item in State)
            raise InputError(
                f"{self.name} is in the state {word!r}, which is none of ISA-88", remedy=f"Let its codes say: {known}."
            ) from None

    def _runs_safe_program(self) -> bool:
        """Whether the device's program, the one that runs or ran last, is that of the safe state."""
        program, safe = self._entry.program, self._entry.safe.program
        return program is not None and bool(safe) and self._text(program.name) == safe

    def _text(self, tag: str) -> str:
        (found,) = self._device.read([tag])
        if found.quality == "bad" or not isinstance(found.value, str):
            raise UnavailableError(f"{self.name}: {tag} has no good value", remedy="Look at the unit; then call again.")
        return found.value

    @property
    def program(self) -> str | None:
        """The phase that the device runs, empty for none; None where it runs no programs."""
        program = self._entry.program
        if program is None:
            return None
        return self._text(program.name) if self.state is State.RUNNING else ""

    def now(self) -> datetime:
        """The process clock."""
        return self._clock()

    def identify(self) -> Identity:
        """What the device says of itself."""
        return self._identity

    def functions(self, path: str, phase: Phase) -> tuple[Function, ...]:
        """Every function that is mapped."""
        return tuple(Function(tag, item.unit, f"{self.name}.{tag}") for tag, item in self._entry.functions.items())

    def connected(self, path: str, phase: Phase) -> tuple[str, ...]:
        """The materials that it has totalisers for."""
        return tuple(self._entry.totalisers)

    def await_ready(self, path: str, at: datetime) -> datetime:
        """When the process clock shows `at`, and the device says that it is ready; ours from here on."""
        if self._run is not None and self._run.path == path:
            self.wait_for(at)
            return at
        ready = self.ready(path, at)
        self.wait_for(ready)
        return max(ready, self.now())

    def ready(self, path: str, at: datetime) -> datetime:
        """Not before `at`, nor before the device says, where it can: it may have to be changed over."""
        self._owner.claim()
        program, found = self._entry.program, max(at, self.now())
        if program is None or not program.ready or self.state not in (State.IDLE, State.COMPLETE):
            return found
        self._device.write({program.name: path})
        (said,) = self._device.read([program.ready])
        return max(found, said.value) if isinstance(said.value, datetime) else found

    def wait_for(self, at: datetime) -> None:
        """Wait until the process clock shows `at`."""
        while self.now() < at:
            time.sleep(min(self._every.total_seconds(), 0.2))
            self._owner.claim()

    def command(self, path: str, set_points: Mapping[str, Quantity | str]) -> None:
        """Write the target of every controller that the set points name."""
        self._owner.claim()
        self._wanted[path] = dict(set_points)
        values: dict[str, Plain] = {
            function.target: value.magnitude(function.unit)
            for name, value in set_points.items()
            if (function := self._entry.functions.get(name)) is not None
            and function.target
            and isinstance(value, Quantity)
        }
        if values:
            self._device.write(values)

    def start(self, path: str, phase: Phase, at: datetime) -> None:
        """Run the phase from `at` on; refused while another one runs, and before its set points are known."""
        if path not in self._wanted:
            raise InputError(f"{self.name} has no set points for {path}", remedy="Command the set points first.")
        self._owner.claim()
        run, (stood, counted) = self._run, self._recalled.get(path, (timedelta(0), {}))
        if run is not None and (run.path, run.began) == (path, at) and self.state in (State.RUNNING, State.COMPLETE):
            return
        if self.state is State.RUNNING and not self._runs_already(path):
            raise InputError(f"{self.name} runs another phase", remedy="Wait until it has ended.")
        if self._entry.program is not None and not self._runs_already(path) and not self._ended_already(path, at):
            self._tell(path, "start")
        self._state = State.RUNNING
        if run is None or (run.path, run.began) != (path, at):  # else it goes on: what was read and counted stays
            run = TagRun(path, phase, at, self.name, self._entry.functions, self._identity.origin)
            run.totals = {**self._totals(), **counted}
        run.stood = stood
        self._run = run
        self._look()

    def _runs_already(self, path: str) -> bool:
        """Whether the device runs the phase since before this process knew of it."""
        program = self._entry.program
        return (
            program is not None
            and self._run is None
            and self.state is State.RUNNING
            and self._text(program.name) == path
        )

    def _ended_already(self, path: str, at: datetime) -> bool:
        """Whether the device has ended the phase since `at`, while nobody was connected."""
        program = self._entry.program
        if program is None or not program.stopped or self._run is not None or self.state is not State.COMPLETE:
            return False
        (stopped,) = self._device.read([program.stopped])
        return isinstance(stopped.value, datetime) and stopped.value > at and self._text(program.name) == path

    def _tell(self, path: str, word: str) -> None:
        """A command to the device's program; its refusal is an `InputError`."""
        program = self._entry.program
        assert program is not None
        if program.rest:  # so that the same command twice is told from the one before
            self._device.write({program.command: program.rest})
        self._device.write({program.name: path})
        self._device.write({program.command: word})
        refusal = self._text(program.refusal) if program.refusal else ""
        if refusal:
            raise InputError(f"{self.name} refuses to {word} {path}: {refusal}", remedy="Look at the unit.")
        ends = time.monotonic() + STARTS_S
        began = (State.HELD,) if path == self._entry.safe.program else (State.RUNNING, State.COMPLETE)
        while word == "start" and self.state not in began:
            if time.monotonic() > ends:
                raise UnavailableError(
                    f"{self.name} is {self.state.value}, {STARTS_S:g} s after it was told to start {path}",
                    remedy="Look at the unit.",
                )
            time.sleep(0.05)

    def hold(self, path: str) -> None:
        """The safe state: the device's own and the program that the mapping names, or its safe set points."""
        self._leave(path, Command.HOLD, "hold")

    def abort(self, path: str) -> None:
        """Stop for good: the safe set points are written here too."""
        self._leave(path, Command.ABORT, "abort")

    def _leave(self, path: str, command: Command, word: str) -> None:
        if self._entry.program is not None:
            if self.state is State.RUNNING:
                self._tell(path, word)
            if word == "hold" and self._entry.safe.program and not self._runs_safe_program():
                self._tell(self._entry.safe.program, "start")
            return
        if self._safe:
            self._device.write(self._safe)
        if self._state is State.RUNNING or command is Command.ABORT:
            self._state = next_state(next_state(self._state, command), Command.COMPLETE)

    def await_end(self, path: str) -> Ending:
        """Read the tags until the transition holds, the duration is over, or the device says that it has ended."""
        while (ending := self.poll(path)) is None:
            pass
        return ending

    def poll(self, path: str, until: datetime | None = None) -> Ending | None:
        """Wait until the next look is due, a second at most, and look; how the phase ended, or None.

        With an `until` that is over it does not wait.
        """
        run = self._running(path)
        if run.ending is not None:
            return run.ending
        due = 0.0 if self._looked is None else self._looked[0] + self._every.total_seconds() - time.monotonic()
        if due > 0 and until is not None and until <= self.now():
            return None
        if due > LONGEST_LOOK_S:
            self._owner.claim()
            time.sleep(LONGEST_LOOK_S)
            return None
        time.sleep(max(due, 0.0))
        at = self._look()  # first, because it remembers since when the device is away
        self._owner.claim()
        ended = self._ended(run, at)
        if ended is not None:
            run.ending = self._ending(run, at, ended)
            self._state = State.COMPLETE
        return run.ending

    def counts(self) -> Mapping[str, float]:
        """What every totaliser and outlet counts now, by tag."""
        return self._totals()

    def recall(self, path: str, stood: timedelta, counts: Mapping[str, float]) -> None:
        """How long the phase was held, and what was counted at its start: another executor may have begun it."""
        self._recalled[path] = stood, dict(counts)

    def _running(self, path: str) -> TagRun:
        if self._run is None or self._run.path != path:
            raise InputError(f"{self.name} does not run {path}", remedy="Start it first.")
        return self._run

    def _look(self) -> datetime:
        """Read every function once; the process time at which that was. A device that was away leaves an outage."""
        assert self._run is not None
        tags = {tag: item.current for tag, item in self._entry.functions.items()}
        try:
            values = self._device.read(list(tags.values())) if tags else ()
            at = self.now()
        except UnavailableError:
            if self._looked is not None and self._lost is None:
                self._lost = self._looked[1]
            raise
        if self._lost is not None:
            self._outages.append(Outage(self._lost, at))
            self._lost = None
        self._looked = (time.monotonic(), at)
        for tag, value in zip(tags, values, strict=True):
            self._run.note(tag, at, value)
        return at

    def _ended(self, run: TagRun, at: datetime) -> EndedBy | None:
        """By what the phase has ended, or None."""
        if self._entry.program is not None:
            return self._device_ended(run)
        phase, hours = run.phase, (at - run.began - run.stood).total_seconds() / 3600.0
        until = phase.until
        if until is not None and isinstance(until.value, Quantity):
            last = run.last(until.quantity) if until.quantity != "elapsed" else (hours, "h")
            if last is not None and until.holds(Quantity(*last)):
                return "condition"
        if phase.at_most is not None and hours >= phase.at_most.magnitude("h"):
            return "at_most"
        if phase.duration is not None and hours >= phase.duration.magnitude("h"):
            return "duration"
        return "condition" if phase.duration is None and (until is None or until.is_signature) else None

    def _device_ended(self, run: TagRun) -> EndedBy | None:
        program, state = self._entry.program, self.state
        assert program is not None
        if state is State.COMPLETE:
            word = self._text(program.ended_by) if program.ended_by else ""
            known: Mapping[str, EndedBy] = {"condition": "condition", "duration": "duration", "at_most": "at_most"}
            return known.get(word, "condition" if run.phase.until else "duration")
        if state is not State.RUNNING:
            raise NotRunning(
                f"{self.name} does not run {run.path} (it is {state.value})",
                state,
                remedy="Look at the unit; call again when the phase may go on.",
            )
        return None

    def _ending(self, run: TagRun, at: datetime, ended: EndedBy) -> Ending:
        program = self._entry.program
        if program is not None and program.stopped:
            (found,) = self._device.read([program.stopped])
            at = found.value if isinstance(found.value, datetime) and found.value >= run.began else at
        now, entry = self._totals(), self._entry
        gone_in = tuple(
            Addition(material, now[item.tag] - run.totals[item.tag], item.unit)
            for material, item in entry.totalisers.items()
            if now[item.tag] != run.totals[item.tag]
        )
        come_out = {
            name: (now[item.tag] - run.totals[item.tag], item.unit)
            for name, item in entry.outlets.items()
            if now[item.tag] != run.totals[item.tag]
        }
        return Ending(at, ended, gone_in, come_out or None)

    def _totals(self) -> dict[str, float]:
        """What every totaliser and outlet counts, by tag."""
        amounts = (*self._entry.totalisers.values(), *self._entry.outlets.values())
        return self._numbers([item.tag for item in amounts])

    def release(self) -> None:
        """Nobody drives it any more, unless it runs: then it is kept for the one who takes over."""
        if self.state is not State.RUNNING:
            self._owner.release()

    def _numbers(self, tags: Sequence[str]) -> dict[str, float]:
        """Numbers that must be there; a tag without a good value is an `UnavailableError`."""
        found = {}
        for value in self._device.read(tags) if tags else ():
            if value.quality == "bad" or not isinstance(value.value, float):
                remedy = "Look at the instrument; then call again."
                raise UnavailableError(f"{self.name}: {value.tag} has no good value", remedy=remedy)
            found[value.tag] = value.value
        return found

    def read(self, path: str, interval: timedelta) -> tuple[Reading, ...]:
        """Every function each `interval` and at the end, as it was read last by then; a gap is bad."""
        run = self._running(path)
        return run.held(run.ending.time if run.ending is not None else self.now(), interval)

    def fresh(self, path: str, after: datetime) -> tuple[Reading, ...]:
        """What was read later than `after`: the device keeps nothing."""
        return self._running(path).fresh(after)

    def outages(self) -> tuple[Outage, ...]:
        """Times in which the device could not be read, since this was asked last."""
        found, self._outages = tuple(self._outages), []
        return found

    def filled(self, path: str, outage: Outage, longest: float) -> Mapping[str, bool]:
        """No function is: what nobody read is lost."""
        return dict.fromkeys(self._entry.functions, False)

    def override(self, values: Mapping[str, Quantity]) -> None:
        """Write targets by hand; a function without one is an `InputError`."""
        wanted: dict[str, Plain] = {}
        for tag, value in values.items():
            function = self._entry.functions.get(tag)
            if function is None or function.target is None:
                known = ", ".join(name for name, item in self._entry.functions.items() if item.target is not None)
                raise InputError(f"{self.name} has no target {tag!r}", remedy=f"Set one of: {known or 'none'}.")
            wanted[function.target] = value.magnitude(function.unit)
        if wanted:
            self._device.write(wanted)

    def tripped(self) -> tuple[Interlock, float] | None:
        """The first interlock that holds now, with the value that it saw."""
        tags = [self._entry.functions[item.tag].current for item in self._interlocks]
        for item, value in zip(self._interlocks, self._device.read(tags) if tags else (), strict=True):
            if value.quality != "bad" and isinstance(value.value, float) and item.trips(value.value):
                return item, value.value
        return None

    def draw_sample(self, path: str, attributes: Mapping[str, str]) -> tuple[Reading, ...]:
        """What the mapped analyser finds at the phase's end; an attribute that is not mapped is an `InputError`."""
        run, known = self._running(path), self._entry.samples
        lacking = [name for name in attributes if name not in known]
        if lacking:
            raise InputError(
                f"{self.name} analyses no samples: {', '.join(lacking)}",
                remedy="Map its tag under `samples`, or let people run the phase and enter what the laboratory found.",
            )
        found = self._numbers([known[name].tag for name in attributes])
        at = run.ending.time if run.ending is not None else self.now()
        return tuple(
            Reading(
                name,
                convert(found[known[name].tag], known[name].unit, unit),
                unit,
                at,
                "good",
                self._identity.origin,
                f"laboratory.{name}",
            )
            for name, unit in attributes.items()
        )
