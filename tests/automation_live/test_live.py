"""A batch on a plant in which people act: it waits for them, obeys them, and refuses what does not fit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from seedtrain.automation import BatchState, BatchWatch, OpcUaPlant, Reading, Recorder, batch_state, live_status
from seedtrain.automation._observed import Outage
from seedtrain.automation._opcua._unit import OpcUaUnit
from seedtrain.automation._plant._base import LEASE_S
from seedtrain.base import InputErrors, UnavailableError
from seedtrain.cli._batch_live import _target
from seedtrain.gmp import batch_record, command_batch
from seedtrain.quantity import parse
from seedtrain.recipe import Command, State
from seedtrain.record import Draft, Event, Ledger, Telemetry, append_signed, moment, verify
from tests.automation.made import RECIPE
from tests.automation_live.made import BATCH, Script, connected, control, ledger_in, run, served, starter
from tests.automation_live.proxy import Proxy
from tests.automation_opcua.served import drafted
from tests.record.postgres import server, url

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
GROW, FED = "seed/expansion/grow", "production/main/fed"
SECONDS = 8.0


@dataclass
class Running:
    """An executor in a thread of its own, with its own ledger and plant; the test acts as people do, beside it."""

    ledger: Ledger
    script: Script
    plant: OpcUaPlant
    result: list[BatchState | BaseException] = field(default_factory=list)

    def until(self, true: Callable[[], Any], seconds: float = 60.0) -> float:
        """Wait until something is true; the seconds that it took."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds, (self.script.heard, self.result)
            time.sleep(0.05)
        return time.monotonic() - began

    def phase(self, path: str) -> None:
        self.until(lambda: path in self.state.started)

    @property
    def state(self) -> BatchState:
        return batch_state(self.ledger, BATCH)

    def events(self, kind: str) -> list[Event]:
        return list(self.ledger.events(subject=BATCH, type=kind))

    def order(self, command: Command, reason: str = "because") -> None:
        command_batch(self.ledger, BATCH, command, starter(self.ledger), reason=reason)


@contextmanager
def running(
    folder: Path, url: str, text: str | None = None, *, recipe: str = RECIPE, **given: Any
) -> Iterator[Running]:
    with ledger_in(folder) as own, ledger_in(folder) as ledger, connected(url, text, recipe=recipe) as plant:
        found = Running(ledger, Script(own), plant)

        def work() -> None:
            try:
                found.result.append(run(own, plant, found.script, recipe=recipe, **given))
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                found.result.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield found
        finally:
            if thread.is_alive() and not found.state.state().is_final:
                found.order(Command.ABORT, "the test is over")
            thread.join(20.0)
            assert not thread.is_alive()


def test_hold_restart_override_and_abort_are_obeyed_within_seconds(tmp_path: Path):
    with served(tmp_path, speed=3600.0) as process, running(tmp_path, process.url) as batch:
        batch.phase(GROW)
        unit = batch.plant.unit("shake_flask")
        batch.order(Command.HOLD, "a look at the flask")
        assert batch.until(lambda: batch.events("step.commanded")) < SECONDS
        held = batch.events("step.commanded")[0]
        assert (held.payload["command"], held.payload["state"], held.payload["unit"]) == ("hold", "held", "shake_flask")
        assert unit.state is State.HELD
        status = live_status(batch.ledger, BATCH, control())
        assert status is not None
        assert "a look at the flask" in status["waits_for"]["words"]
        assert status["command"] == f"batch confirm {BATCH}"

        before = unit.now()
        batch.order(Command.RESTART, "it is well")
        assert batch.until(lambda: unit.state is State.RUNNING) < SECONDS
        batch.phase(FED)
        grown = next(item for item in batch.events("step.completed") if item.payload["phase"] == GROW)
        started = batch.state.started[GROW].time
        assert float(grown.payload["duration_h"]) > 4.0  # four hours of culture, and what it was held
        assert started < before < grown.occurred

        for words in (("30", "degC"), ("30 degC", ""), ("303.15 K", "")):  # as people write it
            payload = overridden_target(batch.ledger, "temperature", *words)
            assert (payload["phase"], payload["unit"], payload["origin"]) == (FED, "T", "simulated")
            told = parse(f"{payload['value']} {payload['unit_of_measure']}")
            assert told.magnitude("degC") == pytest.approx(30.0)
        draft = Draft("target.overridden", BATCH, payload, starter(batch.ledger), reason="it foams")
        append_signed(batch.ledger, draft, "override of temperature")
        assert batch.until(lambda: len(batch.events("step.commanded")) > 2) < SECONDS
        assert [item.payload["command"] for item in batch.events("step.commanded")] == ["hold", "restart", "override"]
        entry = batch.plant.mapping.entry.units["T"].functions["temperature"].target
        assert entry is not None
        (value,) = batch.plant.session.read([batch.plant.mapping.node(entry)])
        assert value is not None
        assert value.value == pytest.approx(30.0)

        batch.order(Command.ABORT, "enough")
        assert batch.until(lambda: batch.result) < SECONDS
        assert batch.plant.unit("T").state is State.ABORTED
        assert batch.state.state() is State.ABORTED


def overridden_target(ledger: Ledger, tag: str, value: str, unit: str) -> dict[str, Any]:
    return _target(ledger, batch_record(ledger.events(subject=BATCH), BATCH), tag, value, unit, "")


def watched_targets(ledger: Ledger) -> list[float | None]:
    with Telemetry(ledger) as telemetry:
        return [item.target for item in BatchWatch(ledger, telemetry, BATCH).look(tags=["temperature"]).tags]


def test_the_instruments_of_a_held_unit_are_read_so_that_somebody_can_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fresh, asked = OpcUaUnit.fresh, []

    def seen(unit: OpcUaUnit, path: str, after: datetime) -> tuple[Reading, ...]:
        asked.append(path)
        return fresh(unit, path, after)

    monkeypatch.setattr(OpcUaUnit, "fresh", seen)
    with served(tmp_path, speed=600.0) as process, ledger_in(tmp_path) as own:
        recorder = Recorder(own, BATCH, origin="simulated")
        with running(tmp_path, process.url, recorder=recorder) as batch:
            batch.phase(GROW)
            payload = overridden_target(batch.ledger, "temperature", "36.5", "degC")
            draft = Draft("target.overridden", BATCH, payload, starter(batch.ledger), reason="it is warm")
            append_signed(batch.ledger, draft, "override of temperature")
            batch.order(Command.HOLD, "a look at the flask")
            batch.until(lambda: any(item.payload["command"] == "hold" for item in batch.events("step.commanded")))
            batch.until(lambda: watched_targets(batch.ledger) == [36.5])  # what a person has set, not the recipe's
            before = len(asked)
            batch.until(lambda: len(asked) > before + 2)
            assert set(asked[before:]) == {GROW}
        recorder.close()


class Late:
    """A history that is away, and then behind, when it is first asked whether it fills a gap."""

    def __init__(self, unit: OpcUaUnit) -> None:
        self.filled, self.asked = unit.filled, 0

    def __call__(self, path: str, outage: Outage, longest: float) -> Mapping[str, bool]:
        self.asked += 1
        if self.asked == 1:
            raise UnavailableError("no answer in time", remedy="Look again.")
        return (
            dict.fromkeys(self.filled(path, outage, longest), False)
            if self.asked == 2
            else self.filled(path, outage, longest)
        )


def test_a_cut_connection_is_a_gap_and_a_long_one_brings_the_unit_to_its_safe_state(tmp_path: Path, monkeypatch):
    with (
        served(tmp_path, speed=600.0) as process,
        Proxy(process.url) as proxy,
        running(tmp_path, proxy.url, drafted(process.url).replace(process.url, proxy.url)) as batch,
        connected(process.url) as direct,
    ):
        clock = direct.unit("shake_flask").now
        batch.phase(GROW)
        time.sleep(1.5)
        unit = batch.plant.unit("shake_flask")
        monkeypatch.setattr(unit, "filled", Late(unit))
        cut = clock()
        proxy.cut()
        time.sleep(2.0)
        mended = clock()
        proxy.mend()
        batch.until(lambda: batch.events("telemetry.gap"))
        gaps = [event.payload for event in batch.events("telemetry.gap")]
        template = batch.plant.unit("shake_flask").templates[GROW]
        assert [item["tag"] for item in gaps] == list(template.functions)  # one gap a tag, none twice
        found = next(item for item in gaps if item["tag"] == "temperature")
        assert (found["unit"], found["cause"]) == ("shake_flask", "connection lost")
        assert found["backfilled"] is True  # the flask went on, and the server's history has it
        assert abs((moment(found["from"]) - cut).total_seconds()) < 2 * 600  # two looks
        assert -1 < (moment(found["to"]) - mended).total_seconds() < 4 * 600
        assert batch.state.state() is State.RUNNING

        proxy.cut()
        time.sleep(LEASE_S + 2.5)
        assert direct.unit("shake_flask").state is State.HELD  # by its own watchdog: nobody told it
        proxy.mend()
        batch.until(lambda: batch.state.held)
        ordered = batch.state.ordered
        assert ordered is not None
        assert "does not run seed/expansion/grow (it is held)" in str(ordered.reason)


def test_an_interlock_holds_the_batch_and_a_second_executor_is_refused(tmp_path: Path):
    with served(tmp_path, speed=7200.0) as process:
        text = drafted(process.url)
        text = text.replace(
            "  shake_flask:\n",
            "  shake_flask:\n    interlocks: [{when: temperature >= 30 degC, why: the flask is hot}]\n"
            "    safe: {targets: {temperature: 293.15 K}}\n",
        )
        with running(tmp_path, process.url, text) as batch:
            batch.until(lambda: batch.state.held)
            (tripped,) = batch.events("alarm.interlock")
            assert (tripped.payload["alarm"], tripped.payload["limit"]) == ("the flask is hot", "30")
            assert batch.plant.unit("shake_flask").state is State.HELD
            batch.until(lambda: batch.events("step.commanded"))
            entry = batch.plant.mapping.entry.units["shake_flask"].functions["temperature"].target
            assert entry is not None
            (target,) = batch.plant.session.read([batch.plant.mapping.node(entry)])
            assert target is not None
            assert target.value == pytest.approx(20.0)  # the safe state that the mapping names
            with ledger_in(tmp_path) as ledger, connected(process.url) as plant:
                with pytest.raises(InputErrors, match=r"batch L-1 is driven by another executor") as refused:
                    run(ledger, plant, Script(ledger))
                assert len(refused.value.parts) == 5  # the batch and each of its units
                with pytest.raises(InputErrors, match=r"unit shake_flask is driven by another executor \(batch L-1"):
                    run(ledger, plant, Script(ledger), batch="L-2")


def test_a_unit_of_a_batch_that_is_not_over_is_refused_by_the_record(tmp_path: Path):
    with served(tmp_path) as process:
        with ledger_in(tmp_path) as ledger, connected(process.url) as plant:
            stopped = Script(ledger, more=_stop_at("phase production/main/sterilise"))
            with pytest.raises(KeyboardInterrupt):
                run(ledger, plant, stopped)
        with ledger_in(tmp_path) as ledger, connected(process.url) as plant:
            with pytest.raises(InputErrors, match="unit shake_flask belongs to batch L-1, which is running"):
                run(ledger, plant, Script(ledger), batch="L-2")
            heard: list[str] = []
            began = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                run(ledger, plant, _told(heard))
            assert time.monotonic() - began < 5.0
            state = batch_state(ledger, BATCH)
            assert state.held
            assert state.attached is not None
            assert heard[0].startswith("held: the executor was lost: found between two phases")


@pytest.mark.slow
def test_the_record_may_be_in_postgresql_and_people_elsewhere(tmp_path: Path):
    with served(tmp_path) as process, server() as port:
        place = url(port, tmp_path, "live")
        with (
            ledger_in(tmp_path, place) as ledger,
            ledger_in(tmp_path, place) as people,  # a connection of their own
            connected(process.url) as plant,
        ):
            script = Script(people)
            assert run(ledger, plant, script).state() is State.COMPLETE
            assert [words.split()[1] for words in script.done] == ["check", "sign", "begin", "complete", "check"]
        assert verify(place).verdict == "pass"


def _stop_at(words: str) -> Callable[[str], None]:
    def tell(said: str) -> None:
        if said == words:
            raise KeyboardInterrupt

    return tell


def _told(heard: list[str]) -> Callable[[str], None]:
    def tell(said: str) -> None:
        heard.append(said)
        raise KeyboardInterrupt

    return tell
