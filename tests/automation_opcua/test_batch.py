"""A batch over OPC UA leaves the record that the stand-in leaves, with a plant that is killed on the way too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import FaultEntry, read_segment
from seedtrain.automation._opcua import Mapping, OpcUaPlant, OpcUaUnit, Session
from seedtrain.automation._opcua._session import Value
from seedtrain.automation._scenario import scenario_from_data, write_scenario
from seedtrain.automation._served import PlantProcess, served_plant, start_plant
from seedtrain.base import InputError, InputErrors, UnavailableError
from seedtrain.recipe import State
from seedtrain.record import Ledger
from tests.automation.made import (
    BATCH,
    START,
    ledger_in,
    plant,
    production_run,
    run_batch,
    seed_run,
    step_results,
    story,
)
from tests.automation_opcua.served import FED, HOUR, driven, mapped, small, small_scenario

Told = tuple[list[tuple[object, ...]], dict[str, Any]]
FAULT = FaultEntry.model_validate(
    {"unit": "T", "phase": FED, "tag": "pH", "offset": "-0.5", "after": "2 h", "duration": "1 h"}
)


@pytest.fixture(scope="module")
def in_process(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Story and run of the same batch on the stand-in."""
    with ledger_in(tmp_path_factory.mktemp("standin")) as ledger:
        run = run_batch(ledger, control=small(), plant=plant(small(), [FAULT]))
        return story(ledger.events(subject=BATCH)), run.to_data()


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.json"
    write_scenario(path, small_scenario(FAULT))
    return path


@pytest.fixture
def process(scenario: Path) -> Iterator[PlantProcess]:
    process = start_plant(scenario)
    yield process
    process.stop()


def told(ledger: Ledger, device: OpcUaPlant) -> Told:
    run = run_batch(ledger, control=small(), plant=device)
    return story(ledger.events(subject=BATCH)), run.to_data()


def test_a_scenario_survives_its_file_to_the_last_digit():
    import json

    before = small_scenario(FAULT).to_data()
    assert scenario_from_data(json.loads(json.dumps(before))).to_data() == before


def test_the_record_is_that_of_the_stand_in(in_process: Told, tmp_path: Path):
    truth = {"production": production_run(), "seeds": [seed_run()], "steps": step_results()}
    with ledger_in(tmp_path) as ledger, served_plant(small(), **truth, faults=[FAULT]) as device:  # type: ignore[arg-type]
        assert told(ledger, device) == in_process
        segments = [event.payload["digest"] for event in ledger.events(subject=BATCH, type="segment.stored")]
        for digest in segments:
            segment = read_segment(tmp_path / "segments", digest)
            assert segment.origin == "simulated"
            assert set(segment.quality) == {"good"}


class Killer:
    """Kills the plant at the n-th step of its clock and starts it again on the same port."""

    def __init__(self, process: PlantProcess, scenario: Path, monkeypatch: pytest.MonkeyPatch, at: set[int]) -> None:
        self.processes = [process]
        self.steps = 0
        call = Session.call

        def counted(session: Session, holder: str, method: str, *arguments: tuple[str, Any]) -> list[Any]:
            if method.endswith("Clock/Advance"):
                self.steps += 1
                if self.steps in at:
                    self.again(scenario)
            return call(session, holder, method, *arguments)

        monkeypatch.setattr(Session, "call", counted)

    def again(self, scenario: Path) -> None:
        self.processes[-1].kill()
        port = int(self.processes[-1].url.split(":")[2].split("/")[0])
        self.processes.append(start_plant(scenario, port=port))


def test_a_plant_killed_mid_phase_and_between_phases(
    in_process: Told, process: PlantProcess, scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Step 4 is in the middle of the seed culture; after the last step of the feed comes the reading of its history."""
    killer = Killer(process, scenario, monkeypatch, {4})
    read = Session.history
    reads = 0

    def history(session: Session, *given: Any) -> Any:
        nonlocal reads
        reads += 1
        if reads == 3:  # of the feed: its end is known, its readings are not
            killer.again(scenario)
        return read(session, *given)

    monkeypatch.setattr(Session, "history", history)
    try:
        with ledger_in(tmp_path) as ledger, driven(mapped(process.url)) as device:
            assert told(ledger, device) == in_process
            assert device.session.connections == 3
    finally:
        for item in killer.processes[1:]:
            item.stop()


def test_a_plant_that_stays_away_leaves_a_batch_that_goes_on(
    in_process: Told, process: PlantProcess, scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    mapping = mapped(process.url)
    call = Session.call

    def dies(session: Session, holder: str, method: str, *arguments: tuple[str, Any]) -> list[Any]:
        if method.endswith("T/ProgramManager/StartProgram"):
            process.kill()
        return call(session, holder, method, *arguments)

    with ledger_in(tmp_path) as ledger, driven(mapping, patience=0.2) as device:
        with monkeypatch.context() as patched:
            patched.setattr(Session, "call", dies)
            with pytest.raises(UnavailableError, match="cannot be reached"):
                told(ledger, device)
        before = story(ledger.events(subject=BATCH))
        assert before == in_process[0][: len(before)]
        port = int(process.url.split(":")[2].split("/")[0])
        second = start_plant(scenario, port=port)
        try:
            with driven(mapping) as again:
                assert told(ledger, again) == in_process
        finally:
            second.stop()


def test_a_killed_executor_goes_on_with_the_plant_that_outlived_it(
    in_process: Told, process: PlantProcess, tmp_path: Path
):
    command = [sys.executable, "-m", "tests.automation_opcua.killed", str(tmp_path), process.url, "17"]
    killed = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()
    with ledger_in(tmp_path) as ledger, driven(mapped(process.url), owner=BATCH) as device:
        assert 0 < len(list(ledger.events(subject=BATCH))) < len(in_process[0])
        assert told(ledger, device) == in_process


def test_a_running_clock_carries_the_batch(tmp_path: Path, scenario: Path):
    """At 36,000 times real time: what happens is the same, when depends on the clock."""
    process = start_plant(scenario, speed=36_000.0, interval=timedelta(minutes=6))
    try:
        with ledger_in(tmp_path) as ledger, driven(mapped(process.url)) as device:
            from datetime import UTC, datetime

            run = run_batch(ledger, control=small(), plant=device, start=datetime.now(UTC))
            events = list(ledger.events(subject=BATCH))
            assert run.origin == "simulated"
            ended = [event.payload for event in events if event.type == "step.completed"]
            assert [float(item["duration_h"]) for item in ended if item["phase"] == FED] == pytest.approx([6.0])
            for digest in (event.payload["digest"] for event in events if event.type == "segment.stored"):
                assert set(read_segment(tmp_path / "segments", digest).quality) == {"good"}
    finally:
        process.stop()


def test_a_plant_without_a_clock_of_its_own(tmp_path: Path, scenario: Path, monkeypatch: pytest.MonkeyPatch):
    """Real plants have none: theirs is ours, and whether a phase has ended is asked of them now and then."""
    from datetime import UTC, datetime

    process = start_plant(scenario, speed=1.0)
    try:
        mapping = mapped(process.url)
        without = mapping.entry.model_copy(update={"clock": None})
        path = "harvest/recovery/approve"  # it takes no time, as far as the plant goes
        with driven(replace(mapping, entry=without)) as device:
            unit, phase = device.unit("centrifuge"), small().recipe.phase(path)
            asked = datetime.now(UTC)
            ready = unit.await_ready(path, asked)
            assert timedelta(0) <= ready - asked < timedelta(seconds=30)
            unit.command(path, phase.set)
            unit.start(path, phase, ready)
            assert unit.await_end(path).time == ready
            lost = "harvest/recovery/resuspend"
            unit.command(lost, small().recipe.phase(lost).set)
            unit.start(lost, small().recipe.phase(lost), ready)
            unit.hold(lost)
            with pytest.raises(InputError, match=r"is held") as caught:
                unit.await_end(lost)
            assert "Look at the unit" in caught.value.remedy
        for minutes, words in ((2, r"1(19|2\d)\.\d s behind ours"), (-2, r"1(19|2\d)\.\d s ahead of ours")):
            late = timedelta(minutes=minutes)
            monkeypatch.setattr("seedtrain.automation._opcua._check.ours", lambda late=late: datetime.now(UTC) + late)
            with pytest.raises(InputErrors, match=words):
                driven(replace(mapping, entry=without))
    finally:
        process.stop()


def test_a_running_clock_begins_where_it_is_told_to(scenario: Path):
    """As a virtual plant is started again for a batch whose clock is ahead of ours."""
    from datetime import UTC, datetime

    begin = datetime(2031, 1, 2, 8, tzinfo=UTC)
    process = start_plant(scenario, speed=1.0, clock=begin)
    try:
        with driven(mapped(process.url)) as device:
            assert timedelta(0) <= device.unit("centrifuge").now() - begin < timedelta(minutes=2)
    finally:
        process.stop()


def test_the_driver_never_imports_the_plant():
    code = (
        "import sys, seedtrain.automation._served; print([m for m in sys.modules if '_plant.' in m or 'asyncua' in m])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "automation._plant" not in found
    assert "asyncua" not in found


def test_everything_is_driven_as_the_protocol_says(mapping: Mapping):
    """Commands state intent over the network too: given twice they do what they do once."""
    with driven(mapping, owner="B-1") as device:
        unit, phase = device.unit("T"), small().recipe.phase(FED)
        unit.command(FED, phase.set)
        unit.start(FED, phase, START)
        first = unit.await_end(FED)
        readings = unit.read(FED, timedelta(minutes=6))
        unit.command(FED, phase.set)
        unit.start(FED, phase, START)
        assert unit.await_end(FED) == first
        assert unit.read(FED, timedelta(minutes=6)) == readings
        assert {item.origin for item in readings} == {"simulated"}
        assert unit.draw_sample(FED, {"biomass": "g/L"}) == unit.draw_sample(FED, {"biomass": "g/L"})
        same = plant(small()).unit("T")
        same.command(FED, phase.set)
        same.start(FED, phase, START)
        assert same.await_end(FED) == first
        assert set(same.read(FED, timedelta(minutes=6))) == set(readings)
    assert first.time - START > HOUR


def test_hold_restart_and_abort(process: PlantProcess):
    with driven(mapped(process.url)) as device:
        unit, phase = device.unit("T"), small().recipe.phase(FED)
        unit.command(FED, phase.set)
        unit.start(FED, phase, START)
        unit.hold(FED)
        unit.hold(FED)
        assert state(unit) is State.HELD
        with pytest.raises(InputError, match=r"does not run .* \(it is held\)"):
            unit.await_end(FED)
        unit.start(FED, phase, START)
        assert state(unit) is State.RUNNING
        other = "production/main/charge"
        unit.command(other, small().recipe.phase(other).set)
        with pytest.raises(InputError, match="runs production/main/fed and cannot start"):
            unit.start(other, small().recipe.phase(other), START)
        unit.abort(FED)
        unit.abort(FED)
        assert state(unit) is State.ABORTED
        with pytest.raises(InputError, match="not legal while aborted"):
            unit.start(FED, phase, START)


def state(unit: OpcUaUnit) -> State:
    return unit.state


def test_a_gap_covers_exactly_its_rows(mapping: Mapping, monkeypatch: pytest.MonkeyPatch):
    """The server has nothing of the second hour and says that one value is uncertain."""
    history = Session.history
    gone = (START + 1.05 * HOUR, START + 1.95 * HOUR)

    def holed(session: Session, *given: Any) -> list[list[Value]]:
        return [
            [
                replace(item, quality="uncertain") if item.time == START + 3 * HOUR else item
                for item in values
                if item.time is not None and not gone[0] <= item.time <= gone[1]
            ]
            for values in history(session, *given)
        ]

    monkeypatch.setattr(Session, "history", holed)
    with driven(mapping, owner="B-1") as device:
        unit, phase = device.unit("T"), small().recipe.phase(FED)
        unit.command(FED, phase.set)
        unit.start(FED, phase, START)
        unit.await_end(FED)
        readings = [item for item in unit.read(FED, timedelta(minutes=6)) if item.tag == "pH"]
    bad = [item.time - START for item in readings if item.quality == "bad"]
    assert len(readings) == 61
    assert bad == [timedelta(minutes=6 * number) for number in range(11, 20)]
    assert [item.time for item in readings if item.quality == "uncertain"] == [START + 3 * HOUR]
    before = next(item.value for item in readings if item.time == START + HOUR)
    assert {item.value for item in readings if item.quality == "bad"} == {before}
