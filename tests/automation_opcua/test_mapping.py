"""A mapping that does not fit its server is refused before anything moves, every fault at its line with its remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from seedtrain.automation._opcua import Mapping, OpcUaPlant, Session, browse, parse_mapping
from seedtrain.automation._opcua._session import Value
from seedtrain.automation._served import PlantProcess
from seedtrain.base import InputError, InputErrors, UnavailableError
from seedtrain.recipe import State, at_scale, parse_recipe
from tests.automation.made import RECIPE, START
from tests.automation_opcua.served import FED, driven, small

LATER = START + timedelta(days=400)
TEMPERATURE = "s=T/FunctionSet/temperature/CurrentValue"


def refused(text: str) -> list[InputError]:
    with pytest.raises(InputErrors) as caught:
        OpcUaPlant(parse_mapping(text, "mapping.yaml"), small(), patience=1.0)
    return list(caught.value.parts)  # type: ignore[arg-type]


def swapped(draft: str, old: str, new: str) -> str:
    assert draft.count(old) == 1, f"{old!r} stands {draft.count(old)} times in the draft"
    return draft.replace(old, new)


def test_the_draft_of_the_plant_needs_no_hand(mapping: Mapping):
    with driven(mapping) as device:
        assert set(mapping.entry.units) == {"F", "T", "centrifuge", "filling_line"}
        assert mapping.entry.units["T"].functions["feed_rate"].unit == "L/h"
        identity = device.unit("T").identify()
        assert (identity.manufacturer, identity.origin) == ("Seedtrain", "simulated")
        assert device.unit("filling_line").state is State.IDLE


@pytest.mark.parametrize(
    ("old", "new", "message", "remedy"),
    [
        (TEMPERATURE, "s=T/nowhere", r"the server has no node nsu=urn:seedtrain:plant;s=T/nowhere", "plant browse"),
        (TEMPERATURE, "nsu=urn:other;s=x", r"the server has no node nsu=urn:other;s=x", "plant browse"),
        (TEMPERATURE, "s=T/Model", r"T/Model is not a number but of data type LocalizedText", "holds a number"),
        (TEMPERATURE, "s=T", r"s=T is no variable", "Name a variable"),
        (
            "s=T/FunctionSet/pH/TargetValue",
            "s=T/FunctionSet/pH/CurrentValue",
            r"pH/CurrentValue can only be read",
            "leave `target` away",
        ),
        (
            TEMPERATURE,
            "s=T/FunctionSet/temperature/TargetValue",
            r"keeps no history",
            "historise",
        ),
        ("s=T/ProgramManager/Hold", "s=T/Model", r"T/Model is no method", "Name a method"),
    ],
)
def test_a_node_that_does_not_fit(draft: str, old: str, new: str, message: str, remedy: str):
    (error,) = refused(re.sub(rf"{re.escape(old)}$", new.replace("\\", ""), draft, count=1, flags=re.M))
    assert re.search(message, error.message)
    assert remedy in error.remedy
    assert error.position is not None
    assert error.position.line > 1
    assert "^" in error.excerpt


def test_a_wrong_unit_is_refused_with_the_right_one(draft: str):
    part = draft[draft.index(TEMPERATURE) :]
    wrong = draft.replace(part, part.replace("unit: degC", "unit: K", 1))
    current, target = refused(wrong)
    assert "is in degC, the mapping says K" in current.message
    assert "unit: degC" in current.remedy
    assert current.position != target.position


def test_simulated_values_are_never_called_measured(draft: str):
    (error,) = refused(draft.replace("origin: s=T/Origin", "origin: measured"))
    assert error.message.endswith("the server says that values of T are simulated")
    assert error.position is not None
    assert error.position.line == draft[: draft.index("s=T/Origin")].count("\n") + 1


def test_all_faults_come_at_once(draft: str):
    text = draft.replace(TEMPERATURE, "s=nowhere").replace("s=T/ProgramManager/Abort", "s=T")
    assert len(refused(text)) == 2


def test_the_file_itself_is_checked():
    with pytest.raises(InputErrors) as caught:
        parse_mapping("server: http://x\nunits: {T: {state: temperature, origin: guessed}}\n", "m.yaml")
    words = str(caught.value)
    assert "is no OPC UA address" in words
    assert "'temperature' is no node id" in words
    assert "'guessed' is no node id" in words
    assert "'functions' is missing" not in words
    assert "'program' is missing" in words


def test_a_phase_that_the_equipment_lacks(mapping: Mapping, draft: str):
    text = RECIPE.replace("phase: spin", "phase: whirl")
    other = at_scale(parse_recipe(text, "small.yaml"), unit="T", volume=small().volume, seeds=[_seed()])
    with pytest.raises(InputErrors) as caught:
        OpcUaPlant(mapping, other)
    (error,) = caught.value.parts
    assert "centrifuge has no program 'harvest/recovery/whirl'" in error.message
    assert error.position is not None
    assert error.position.line == text[: text.index("phase: whirl")].count("\n") + 1
    lacking = re.sub(r"^  centrifuge:\n(    .*\n)+", "", draft, flags=re.M)
    (error,) = refused(lacking)  # once, at its first phase
    assert "has no unit 'centrifuge'" in error.message


def _seed():
    from seedtrain.quantity import Quantity
    from seedtrain.recipe import SeedUnit

    return SeedUnit("F", "shake_flask", Quantity(100, "mL"))


def test_an_instrument_that_is_not_mapped(draft: str):
    lines = draft.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if "s=T/FunctionSet/pH/CurrentValue" in line) - 1
    end = next(index for index in range(start + 1, len(lines)) if len(lines[index]) - len(lines[index].lstrip()) <= 6)
    errors = refused("".join([*lines[:start], *lines[end:]]))
    assert any("reports 'pH', which is not mapped" in error.message for error in errors)
    assert any("does not report 'pH'" in error.message for error in errors)


def test_nobody_there_is_unavailable(draft: str):
    text = re.sub(r"opc\.tcp://127\.0\.0\.1:\d+", "opc.tcp://127.0.0.1:1", draft)
    with pytest.raises(UnavailableError, match="cannot be reached"):
        OpcUaPlant(parse_mapping(text, "mapping.yaml"), patience=0.1)


def test_two_executors_cannot_drive_one_unit(mapping: Mapping):
    """At a time of its own: the plant is shared with tests that have run this phase before."""
    phase = small().recipe.phase(FED)
    with driven(mapping, owner="B-1") as first, driven(mapping, owner="B-2") as second:
        one, other = first.unit("T"), second.unit("T")
        one.command(FED, phase.set)
        one.start(FED, phase, LATER)
        other.command(FED, phase.set)
        with pytest.raises(
            InputError, match=r"runs production/main/fed for 'B-1'.*cannot be driven by 'B-2'"
        ) as caught:
            other.start(FED, phase, LATER)
        assert "Stop the other executor" in caught.value.remedy
        with pytest.raises(InputError, match="cannot be driven by"):
            other.await_ready(FED, LATER)
        one.await_end(FED)


def test_set_points_for_which_nothing_was_simulated_are_refused(mapping: Mapping):
    from seedtrain.quantity import Quantity

    phase = small().recipe.phase(FED)
    with driven(mapping) as device:
        unit = device.unit("T")
        for wrong in (
            {"temperature": Quantity(30.0, "degC")},
            {"growth_rate": Quantity(0.3, "1/h")},
            {"material": "medium"},
        ):
            unit.command(FED, {**phase.set, **wrong})
            with pytest.raises(InputError, match=rf"was simulated with {next(iter(wrong))} = .* and is told"):
                unit.start(FED, phase, datetime(2027, 1, 1, tzinfo=UTC))


def test_a_sample_of_a_phase_that_does_not_run(mapping: Mapping):
    with driven(mapping) as device:
        unit = device.unit("filling_line")
        with pytest.raises(InputError, match="does not run"):
            unit.draw_sample("filling/fill/fill", {"mass": "mg"})
        with pytest.raises(InputError, match="cannot run 'production/main/fed'"):
            unit.command(FED, {})


def test_every_value_says_its_unit_time_and_origin(plant_process: PlantProcess, mapping: Mapping):
    """Read as any client would, without the mapping."""
    phase = small().recipe.phase(FED)
    with driven(mapping, owner="B-1") as device:
        unit = device.unit("T")
        unit.command(FED, phase.set)
        unit.start(FED, phase, START)
        end = unit.await_end(FED).time
    session = Session(plant_process.url, patience=1.0)
    try:
        found = browse(session).find("DeviceSet", "T", "FunctionalUnitSet", "T", "FunctionSet")
        assert found is not None
        tags = {tag: item for tag, item in found.children.items() if item.kind == "Object"}
        assert set(tags) == set(mapping.entry.units["T"].functions)
        for tag, function in tags.items():
            current = function.find("CurrentValue") or function.find("SensorValue")
            assert current is not None
            (value,) = session.read([current.node])
            assert value is not None
            assert (value.time, value.quality) == (end, "good"), tag
            origin, measure = current.find("Origin"), current.find("EngineeringUnits")
            assert origin is not None
            assert origin.value == "simulated"
            assert measure is not None
            assert (measure.value.DisplayName.Text or "") == mapping.entry.units["T"].functions[tag].unit
    finally:
        session.close()


def test_a_method_that_this_user_may_not_call_is_refused(draft: str, monkeypatch: pytest.MonkeyPatch):
    """The server says so in the attribute UserExecutable (part 3, 5.7)."""
    read = Session.read

    def denied(own: Session, nodes: Sequence[str], attribute: str = "Value") -> list[Value | None]:
        found = read(own, nodes, attribute)
        if attribute != "UserExecutable":
            return found
        return [
            Value(False, None, "good") if node.endswith("T/ProgramManager/Abort") else item
            for node, item in zip(nodes, found, strict=True)
        ]

    monkeypatch.setattr(Session, "read", denied)
    (error,) = refused(draft)
    assert re.search(r"this user may not call .*T/ProgramManager/Abort", error.message)
    assert "as another user" in error.remedy


def test_a_machine_within_that_is_not_active_says_nothing_of_the_state(
    plant_process: PlantProcess, draft: str, monkeypatch: pytest.MonkeyPatch
):
    """LADS: outside Running the inner machine's state is bad, whatever stands in it (part 16, 4.4.9)."""
    read = Session.read

    def shown(own: Session, nodes: Sequence[str], attribute: str = "Value") -> list[Value | None]:
        from asyncua import ua

        words = {"CurrentState": ("Running", "good"), "RunningStateMachine/CurrentState": ("Held", "bad")}
        found = read(own, nodes, attribute)
        for index, node in enumerate(nodes):
            word = words.get(node.partition("T/FunctionalUnitState/")[2])
            if word is not None and attribute == "Value":
                found[index] = Value(ua.LocalizedText(word[0]), None, "bad" if word[1] == "bad" else "good")
        return found

    with OpcUaPlant(parse_mapping(draft, "mapping.yaml"), small(), patience=1.0) as device:
        unit = device.unit("T")
        monkeypatch.setattr(Session, "read", shown)
        assert unit.state is State.RUNNING  # all that is known; not what the inner one showed last
