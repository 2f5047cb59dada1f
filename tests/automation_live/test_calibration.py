"""A probe that is off is calibrated in the batch: what comes after reads true; out of limits it is not used."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from seedtrain.automation import FaultEntry, batch_state
from seedtrain.automation._scenario import Scenario, scenario_of
from seedtrain.gmp import batch_record, calibrate_equipment, register_equipment, review_items
from seedtrain.quantity import Quantity
from seedtrain.recipe import State
from seedtrain.record import Ledger, enrol_person, verify
from tests.automation.made import RECIPE, production_run, seed_run, step_results
from tests.automation_live.made import BATCH, Script, connected, control, ledger_in, run, served

pytest.importorskip("asyncua", reason="the group `plant` is not installed")
PROBE, FED = "production/main/probe", "production/main/fed"
OFF = -0.25
PHASE = """\
          - phase: probe
            do: calibrate
            set: {pH_reference: 7.00, pH_second_reference: 4.01, valid: 30 d}
            limits: {slope: 92 .. 105 %, offset: -0.3 .. 0.3}
            duration: 30 min
"""
TEXT = RECIPE.replace("          - {phase: inoculate,", f"{PHASE}          - {{phase: inoculate,")
NARROW = TEXT.replace("offset: -0.3 .. 0.3", "offset: -0.1 .. 0.1")
SHORT = TEXT.replace("valid: 30 d", "valid: 5 min")


@cache
def made(text: str) -> Scenario:
    """The pH probe of T is off from the calibration on."""
    off = [
        FaultEntry(unit="T", phase=path, tag="pH", offset=OFF, after=Quantity(0, "h"), duration=Quantity(99, "h"))
        for path in (PROBE, FED)
    ]
    return scenario_of(control(text), production=production_run(), seeds=[seed_run()], steps=step_results(), faults=off)


def driven(folder: Path, text: str, script: Script | None = None) -> Ledger:
    ledger = ledger_in(folder)
    with served(folder, made=made(text)) as process, connected(process.url, recipe=text) as plant:
        assert run(ledger, plant, script or Script(ledger), recipe=text).state() is State.COMPLETE
    return ledger


def mean_pH(ledger: Ledger) -> float:
    values = [item for _seq, item in batch_state(ledger, BATCH).values if item["kind"] == "calculated"]
    return float(next(item["value"] for item in values if (item["phase"], item["tag"]) == (FED, "pH")))


def test_a_probe_that_is_off_reads_true_after_its_calibration(tmp_path: Path):
    with driven(tmp_path, TEXT) as ledger:
        assert mean_pH(ledger) == pytest.approx(7.0, abs=0.02)
        (event,) = ledger.events(subject=BATCH, type="probe.calibrated")
        found = event.payload
        assert (found["device"], found["passed"], found["why"], found["origin"]) == ("T.pH", True, "", "simulated")
        assert float(found["offset"]) == pytest.approx(OFF, abs=0.016)  # four standard errors of 15 readings
        assert float(found["slope"]) == pytest.approx(100.0, abs=0.8)
        assert [float(item) for item in found["readings"]] == pytest.approx([7.0 + OFF, 4.01 + OFF], abs=0.016)
        record = batch_record(ledger.events(subject=BATCH), BATCH)
        (line,) = record.calibrations
        assert (line.phase, line.tag, line.passed) == (PROBE, "pH", True)
        values = {item.tag: item for item in record.values if item.phase == PROBE}
        assert (values["slope"].limits, values["offset"].limits) == ("92 .. 105", "-0.3 .. 0.3")
        kinds = {item.kind for item in review_items(record, control(TEXT).recipe)}
        assert "data gap" not in kinds
    assert verify(tmp_path / "record.db").verdict == "pass"


@pytest.mark.slow
@pytest.mark.parametrize(("text", "why"), [(NARROW, r"offset out of limits"), (SHORT, r"which held until")])
def test_one_out_of_limits_or_expired_stops_what_needs_the_probe_until_somebody_calibrates_it(
    tmp_path: Path, text: str, why: str
):
    ledger = ledger_in(tmp_path)
    held: list[str] = []

    def engineer(words: str) -> None:
        """Calibrates the probe in its own way, and has the batch go on."""
        if words.startswith("held") and not held:
            held.append(words)
            now = batch_state(ledger, BATCH).clock
            who = enrol_person(ledger, "Metrology", ["maintenance"], scripted=True)
            register_equipment(ledger, "T.pH", who, name="pH probe of T", kind="pH-probe", calibrated=True, at=now)
            assert now is not None
            due = date(2099, 1, 1)
            calibrate_equipment(ledger, "T.pH", who, certificate="C-1", due=due, at=now + timedelta(minutes=1))
            script.confirm = True

    script = Script(ledger, more=engineer)
    with driven(tmp_path, text, script) as done:
        assert held
        assert "the probe T.pH" in held[0]
        (refused,) = done.events(subject=BATCH, type="permit.refused")
        assert (refused.payload["phase"], refused.payload["gate"]) == (FED, "probe.calibration")
        assert re.search(why, refused.payload["reason"])
        (event,) = done.events(subject=BATCH, type="probe.calibrated")
        assert event.payload["passed"] is (text is SHORT)
        shown = 7.0 if text is SHORT else 7.0 + OFF  # what is out of limits is not adopted by the instrument
        assert mean_pH(done) == pytest.approx(shown, abs=0.02)
