"""The programs of a unit as LADS itself has them (OPC 30500-1, 7.4): any server of the specification can be driven."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from seedtrain.automation._lads import LADS_SPACE, RESULT_FIELDS
from seedtrain.automation._opcua._mapping import LadsEntry
from seedtrain.automation._opcua._past import aware
from seedtrain.automation._opcua._programs import Side, Template, shown_program
from seedtrain.automation._opcua._session import Child
from seedtrain.automation._structures import text_structure
from seedtrain.base import InputError
from seedtrain.recipe import State

KEY_VALUE: Final = f"nsu={LADS_SPACE};i=5045"
"""The binary encoding of KeyValueType."""
SETTLES_S: Final = 5.0
"""s that a device may take to change its state, and to write its result after it has stopped; assumed."""
LOOKS_S: Final = 0.2
_SOME_TIME: Final = datetime(1971, 1, 1, tzinfo=UTC)
"""OPC UA's null is 1601, and some devices show 1970: before this, a time is none."""


class LadsPrograms:
    """Programs by `StartProgram`, and what came of them by the ResultSet.

    A run is known by its SupervisoryTaskId, which the device keeps with the result: an executor that was killed finds
    its run again. LADS tells nothing of materials, of samples, or of when a unit will be ready.

    - `tags`: what the unit reports, whatever it runs. `state`: the unit's, in ISA-88's words.
    """

    def __init__(self, side: Side, entry: LadsEntry, tags: tuple[str, ...], state: Callable[[], State]) -> None:
        self._side, self._entry, self._tags, self._state = side, entry, tags, state
        self._ids = self._templates()
        self._tasks: dict[str, dict[str, Child]] = {}

    def _templates(self) -> dict[str, str]:
        """The id of each template by the path of its phase: its own name, where the mapping gives it no other."""
        below = self._side.objects(self._entry.templates)
        parts = self._side.session.children([item.node for item in below.values()])
        nodes = [part["DeviceTemplateId"].node if "DeviceTemplateId" in part else "i=0" for part in parts]
        values = self._side.session.read(nodes)
        ids = {
            name: str(value.value if value is not None and value.value else name)
            for name, value in zip(below, values, strict=True)
        }
        named = {wanted: path for path, wanted in self._entry.programs.items()}
        return {named.get(name, named.get(number, name)): number for name, number in ids.items()}

    def templates(self) -> dict[str, Template]:
        """Every program; each reports all functions of the unit, and draws nothing that LADS could tell."""
        return dict.fromkeys(self._ids, Template(self._tags, ()))

    def active(self) -> str | None:
        """The phase whose program runs; empty for none."""
        shown = shown_program(self._side, self._entry.active)
        paths = {number: path for path, number in self._ids.items()} | {
            name: path for path, name in self._entry.programs.items()
        }
        return None if shown is None else paths.get(shown, shown)

    def ready(self, path: str, at: datetime) -> datetime:
        """At once: LADS has no word for getting ready."""
        return at

    def start(self, path: str, at: datetime, properties: Mapping[str, str]) -> None:
        """Run the phase, or take it up where it is held; one that runs or ran for this `at` is not started again."""
        state, known = self._state(), self._found(path, at) is not None
        if state is State.HELD and (known or self.active() == path):
            self._order("running", "unhold")
            self._await(State.RUNNING)
        elif not known and not (state is State.RUNNING and self.active() == path):
            self._begin(path, at, properties, state)

    def _begin(self, path: str, at: datetime, properties: Mapping[str, str], state: State) -> None:
        if state is State.COMPLETE and self._entry.stop is not None:
            self._order("machine", "stop")
            state = self._await(State.IDLE)
        if state not in (State.IDLE, State.COMPLETE):
            raise InputError(
                f"{self._side.name} is {state.value} and cannot start {path}",
                remedy="Wait until it has ended, or bring it back to Stopped on the device.",
            )
        encoding = self._side.session.node_id(KEY_VALUE)
        pairs = [text_structure(encoding, name, value) for name, value in properties.items()]
        self._side.call(
            self._entry.machine,
            self._entry.start,
            ("String", self._ids[path]),
            ("ExtensionObject", pairs),
            ("String", self._side.owner),
            ("String", _task(path, at)),
            ("ExtensionObject", []),
        )

    def hold(self, path: str) -> None:
        """Go to the safe state; a unit that does not run is there, and one without the method has its targets alone."""
        if self._entry.hold is not None and self._state() is State.RUNNING:
            self._order("running", "hold")

    def abort(self, path: str) -> None:
        """Stop for good."""
        if self._state() is not State.ABORTED:
            self._order("machine", "abort")

    def _order(self, holder: str, method: str) -> None:
        place, name = getattr(self._entry, holder), getattr(self._entry, method)
        if place is None or name is None:
            raise InputError(
                f"{self._side.name} has no method {method!r} mapped",
                remedy=f"Map `{holder}` and `{method}` under lads.",
            )
        self._side.call(place, name)

    def _await(self, wanted: State) -> State:
        """The unit's state, once it is the wanted one or has had time to be."""
        ends = time.monotonic() + SETTLES_S
        while (state := self._state()) is not wanted and time.monotonic() < ends:
            time.sleep(LOOKS_S)
        return state

    def result(self, path: str, began: datetime) -> Mapping[str, Any] | None:
        """When the run stopped, once it has; LADS says neither what ended it nor what went in."""
        ends = time.monotonic() + SETTLES_S
        while True:
            stopped = self._stopped(path, began)
            if stopped is not None:
                empty: dict[str, Any] = {name: [] for name in RESULT_FIELDS}
                return empty | {"Started": began, "Stopped": stopped, "EndedBy": ""}
            if self._state() not in (State.IDLE, State.COMPLETE) or time.monotonic() > ends:
                return None
            time.sleep(LOOKS_S)  # it has stopped, and its result is yet to come

    def _stopped(self, path: str, began: datetime) -> datetime | None:
        found = self._found(path, began)
        if found is None or self._state() in (State.RUNNING, State.HELD):
            return None
        (value,) = self._side.session.read([found["Stopped"].node])
        when = value.value if value is not None else None
        return aware(when) if isinstance(when, datetime) and aware(when) > _SOME_TIME else None

    def _found(self, path: str, at: datetime) -> dict[str, Child] | None:
        """The result of a run, by the task that it was started for; results come while the unit lives."""
        task = _task(path, at)
        if task not in self._tasks:
            below = [item.node for item in self._side.objects(self._entry.results).values()]
            parts = [
                part for part in self._side.session.children(below) if {"SupervisoryTaskId", "Stopped"} <= set(part)
            ]
            values = self._side.session.read([part["SupervisoryTaskId"].node for part in parts])
            for part, value in zip(parts, values, strict=True):
                if value is not None and value.value:
                    self._tasks[str(value.value)] = part
        return self._tasks.get(task)

    def sample(self, path: str, names: Sequence[str], units: Sequence[str]) -> tuple[list[float], datetime]:
        """Refused: LADS has no method for it."""
        raise InputError(f"{self._side.name} draws no samples: LADS has no method for it", remedy="Let people sample.")


def _task(path: str, at: datetime) -> str:
    """What a run is called for the device."""
    return f"{path}@{at:%Y-%m-%dT%H:%M:%S.%fZ}"
