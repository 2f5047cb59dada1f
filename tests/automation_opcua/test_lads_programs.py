"""How a unit is driven by the methods of LADS, on a device that is made to answer as awkwardly as it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from seedtrain.automation._opcua import _lads_programs
from seedtrain.automation._opcua._browse import Offered
from seedtrain.automation._opcua._draft import draft_mapping
from seedtrain.automation._opcua._lads_programs import LadsPrograms
from seedtrain.automation._opcua._mapping import LadsEntry
from seedtrain.automation._opcua._programs import Side
from seedtrain.automation._opcua._session import Child, Session, Value
from seedtrain.base import InputError
from seedtrain.recipe import State

PATH = "main/fed"
AT = datetime(2026, 5, 1, 8, 0, 0, 250_000, tzinfo=UTC)
NULL = datetime(1601, 1, 1, tzinfo=UTC)
MAPPED = ("machine", "start", "abort", "stop", "running", "hold", "unhold", "active")


@dataclass
class Device:
    """A unit with one template. `results`: a run's task and when it stopped; `calls`: what it was told.

    - `slow`: looks at its state, or at its results, that still show what was before.
    """

    state: State = State.IDLE
    active: str = ""
    results: list[tuple[str, datetime]] = field(default_factory=list)
    coming: list[tuple[str, datetime]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    slow: int = 0

    def children(self, nodes: Sequence[str]) -> list[dict[str, Child]]:
        return [self._below(node) for node in nodes]

    def _below(self, node: str) -> dict[str, Child]:
        if node == "templates":
            return {PATH: Child("template", "Object")}
        if node == "results":
            if self.coming and not self.slow:
                self.results += self.coming
                self.coming = []
            self.slow = max(self.slow - 1, 0)
            return {str(index): Child(f"result {index}", "Object") for index in range(len(self.results))}
        if node.startswith("result "):
            return {name: Child(f"{node} {name}", "Variable") for name in ("SupervisoryTaskId", "Stopped")}
        return {}

    def read(self, nodes: Sequence[str]) -> list[Value | None]:
        return [self._value(node) for node in nodes]

    def _value(self, node: str) -> Value | None:
        if node == "active":
            return Value(self.active, AT, "good")
        if not node.startswith("result "):
            return None
        _, index, name = node.split(" ")
        task, stopped = self.results[int(index)]
        return Value(task if name == "SupervisoryTaskId" else stopped, AT, "good")

    def node_id(self, node: str) -> str:
        from asyncua import ua

        return cast(str, ua.NodeId.from_string("ns=4;i=5045"))

    def call(self, holder: str, method: str, *arguments: tuple[str, Any]) -> list[Any]:
        self.calls.append(method)
        if method == "start":
            self.state, self.active = State.RUNNING, PATH
            self.coming.append((arguments[3][1], NULL))
        elif method == "stop":
            self.state = State.IDLE
        elif method in ("hold", "unhold"):
            self.state = State.HELD if method == "hold" else State.RUNNING
        return []

    def programs(self, *mapped: str) -> LadsPrograms:
        names = {"templates", "results", *(mapped or MAPPED)}
        entry = LadsEntry.model_validate({name: f"s={name}" for name in names})
        side = Side("Vessel A", cast(Session, self), lambda node: node.removeprefix("s="), "B-1")
        return LadsPrograms(side, entry, ("temperature",), lambda: self.state)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lads_programs, "SETTLES_S", 0.3)
    monkeypatch.setattr(_lads_programs, "LOOKS_S", 0.01)


def test_a_run_is_started_once_though_its_result_comes_at_its_end():
    """Some devices make a result when the program has stopped: till then what runs is known by its name alone."""
    device = Device()
    device.programs().start(PATH, AT, {})
    device.coming, task = [], device.coming[0][0]
    again = device.programs()  # of an executor that comes after the first was killed
    again.start(PATH, AT, {})
    assert device.calls == ["start"]
    device.state, device.results = State.IDLE, [(task, AT + timedelta(hours=1))]
    again.start(PATH, AT, {})
    assert device.calls == ["start"]
    found = again.result(PATH, AT)
    assert found is not None
    assert found["Stopped"] == AT + timedelta(hours=1)


def test_two_runs_of_one_phase_within_a_second_are_two():
    device, later = Device(), AT + timedelta(milliseconds=1)
    programs = device.programs()
    programs.start(PATH, AT, {})
    device.results, device.coming, device.state = [(device.coming[0][0], AT)], [], State.IDLE
    assert programs.result(PATH, later) is None
    programs.start(PATH, later, {})
    assert device.calls == ["start", "start"]


def test_a_unit_that_is_complete_is_stopped_before_the_next_program():
    device = Device(State.COMPLETE)
    device.programs().start(PATH, AT, {})
    assert device.calls == ["stop", "start"]
    plain = Device(State.COMPLETE)
    plain.programs("machine", "start", "abort").start(PATH, AT, {})
    assert plain.calls == ["start"]


@pytest.mark.parametrize("state", [State.HELD, State.ABORTED, State.STOPPING, State.RUNNING])
def test_a_unit_that_is_busy_with_something_else_is_not_started(state: State):
    device = Device(state, active="other")
    with pytest.raises(InputError, match=f"Vessel A is {state.value} and cannot start {PATH}"):
        device.programs().start(PATH, AT, {})
    assert device.calls == []


@pytest.mark.parametrize("stopped", [NULL, datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_result_without_a_time_has_not_ended(stopped: datetime):
    device = Device()
    programs = device.programs()
    programs.start(PATH, AT, {})
    device.results, device.coming, device.state = [(device.coming[0][0], stopped)], [], State.IDLE
    assert programs.result(PATH, AT) is None


@pytest.mark.parametrize("state", [State.RUNNING, State.HELD])
def test_what_stopped_shows_while_the_unit_runs_is_not_its_end(state: State):
    """As where a device writes the planned end."""
    device = Device()
    programs = device.programs()
    programs.start(PATH, AT, {})
    device.results, device.coming, device.state = [(device.coming[0][0], AT + timedelta(hours=9))], [], state
    assert programs.result(PATH, AT) is None
    device.state = State.COMPLETE
    assert programs.result(PATH, AT) is not None


def test_a_result_that_comes_after_the_unit_has_stopped_is_waited_for():
    device = Device()
    programs = device.programs()
    programs.start(PATH, AT, {})
    device.coming, device.slow = [(device.coming[0][0], AT + timedelta(hours=1))], 4
    device.state = State.IDLE
    found = programs.result(PATH, AT)
    assert found is not None
    assert (found["Started"], found["EndedBy"]) == (AT, "")


@pytest.mark.parametrize("state", [State.IDLE, State.HELD, State.ABORTED, State.COMPLETE])
def test_only_a_unit_that_runs_is_held_and_none_is_aborted_twice(state: State):
    device = Device(state)
    device.programs().hold(PATH)
    assert device.calls == []
    device.programs().abort(PATH)
    assert device.calls == ([] if state is State.ABORTED else ["abort"])


def test_a_held_run_is_taken_up_and_one_without_the_method_says_so():
    device = Device(State.HELD, active=PATH)
    device.programs().start(PATH, AT, {})
    assert device.calls == ["unhold"]
    held = Device(State.HELD, active=PATH)
    with pytest.raises(InputError, match="has no method 'unhold' mapped") as said:
        held.programs("machine", "start", "abort", "active").start(PATH, AT, {})
    assert "`running` and `unhold`" in said.value.remedy


def test_units_of_one_name_are_told_apart_by_their_devices():
    root = Offered("Objects", "i=85", "Object")
    for name in ("North", "South"):
        value = Offered("SensorValue", f"nsu=urn:x;s={name}/pH", "Variable", value=7.0)
        tag = Offered("pH", f"nsu=urn:x;s={name}/F/pH", "Object", {"SensorValue": value})
        functions = Offered("FunctionSet", f"nsu=urn:x;s={name}/F", "Object", {"pH": tag})
        unit = Offered("Vessel", f"nsu=urn:x;s={name}/V", "Object", {"FunctionSet": functions})
        unit.lads = "FunctionalUnitType"
        device = Offered(name, f"nsu=urn:x;s={name}", "Object", {"Vessel": unit}, lads="LADSDeviceType")
        root.children[name] = device
    draft = draft_mapping(root, "opc.tcp://192.0.2.7:4840")
    assert [name for name in ("North.Vessel", "South.Vessel") if f'"{name}":' in draft] == [
        "North.Vessel",
        "South.Vessel",
    ]
    for name in ("North", "South"):
        assert f"s={name}/pH" in draft
