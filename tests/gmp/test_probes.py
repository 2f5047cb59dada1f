"""People calibrate a probe: out of limits the phase is not completed; failed or expired, what needs it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from seedtrain import gmp
from seedtrain.base import InputError
from seedtrain.gmp._by_hand._desk import HardStop
from seedtrain.recipe import at_scale, parse_recipe
from seedtrain.record import Ledger, enrol_person, open_ledger

RECIPE = """
recipe: probe
title: A probe and what needs it
version: "1"
product: mix
culture: none
basis: {unit: T-1, volume: 1 L}
procedure:
  - unit_procedure: make
    unit_class: production_vessel
    operations:
      - operation: mix
        phases:
          - phase: probe
            do: calibrate
            set: {pH_reference: 7.00, pH_second_reference: 4.01, valid: 2 h}
            limits: {slope: 95 .. 105 %, offset: -0.2 .. 0.2}
            duration: 5 min
          - {phase: look, do: manual, duration: 5 min}
          - phase: adjust
            do: manual
            duration: 5 min
            entries: {colour: {choices: [clear]}}
          - {phase: grow, do: grow, set: {pH: 7.0}, duration: 5 min, limits: {pH: 6.8 .. 7.2}}
"""
BATCH, START = "P-1", datetime(2026, 5, 1, 8, tzinfo=UTC)
PROBE, LOOK, ADJUST, GROW = (f"make/mix/{name}" for name in ("probe", "look", "adjust", "grow"))


class Bench:
    """One batch, and whoever acts in it, at a time of the test's own."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.at = ledger, START
        self.who = enrol_person(ledger, "Olga", ["operator"], scripted=True)
        self.metrology = enrol_person(ledger, "Mona", ["maintenance"], scripted=True)
        master = parse_recipe(RECIPE)
        control = at_scale(master, unit="T-1", volume=master.basis_volume)
        gmp.start_batch(ledger, control, BATCH, self.who, simulated=True, at=START)

    def begin(self, phase: str) -> None:
        gmp.begin_phase(self.ledger, BATCH, phase, self.who, at=self.at)

    def complete(self, phase: str) -> gmp.BatchRecord:
        return gmp.complete_phase(self.ledger, BATCH, phase, self.who, at=self.at)

    def reads(self, first: str, second: str) -> None:
        for tag, value in (("reading", first), ("second_reading", second)):
            gmp.enter_value(self.ledger, BATCH, PROBE, tag, value, "", self.who, at=self.at)

    def up_to(self, hours: float) -> None:
        """The probe calibrated, the next two phases done, and then `hours` later."""
        self.begin(PROBE)
        self.reads("7.05", "4.08")
        self.complete(PROBE)
        self.begin(LOOK)
        self.complete(LOOK)
        self.begin(ADJUST)
        gmp.enter_value(self.ledger, BATCH, ADJUST, "colour", "clear", "", self.who, at=self.at)
        self.complete(ADJUST)
        self.at += timedelta(hours=hours)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_ledger(tmp_path / "record.db", clock=lambda: START + timedelta(days=1)) as ledger:
        yield Bench(ledger)


def test_slope_and_offset_are_calculated_and_recorded(bench: Bench):
    bench.begin(PROBE)
    with pytest.raises(HardStop, match="reading is not entered"):
        bench.complete(PROBE)
    bench.reads("7.05", "4.08")
    record = bench.complete(PROBE)
    values = record.values_of(PROBE)
    assert float(values["slope"].value) == pytest.approx(100 * (7.05 - 4.08) / 2.99, rel=1e-5)
    assert (values["offset"].value, values["offset"].limits) == ("0.05", "-0.2 .. 0.2")
    (line,) = record.calibrations
    assert (line.device, line.passed, line.why) == ("T-1.pH", True, "")
    assert line.valid_until == "2026-05-01T10:00:00.000000Z"


def test_out_of_limits_the_phase_is_refused_until_the_probe_is_put_right(bench: Bench):
    bench.begin(PROBE)
    bench.reads("7.05", "4.60")
    with pytest.raises(HardStop, match=r"slope of the pH probe out of limits: slope 81.94 %, offset 0.05") as stop:
        bench.complete(PROBE)
    assert (stop.value.refusal.gate, stop.value.refusal.liftable) == ("calibration", True)
    assert not list(bench.ledger.events(subject=BATCH, type="probe.calibrated"))
    gmp.correct_entry(bench.ledger, BATCH, PROBE, "second_reading", "4.08", bench.who, reason="cleaned", at=bench.at)
    assert bench.complete(PROBE).calibrations[-1].passed


def test_what_needs_the_probe_waits_for_it_and_not_longer_than_it_holds(bench: Bench):
    bench.up_to(1.9)
    bench.begin(GROW)  # it still holds


def test_expired_it_stops_what_needs_it_until_somebody_calibrates_the_instrument(bench: Bench):
    bench.up_to(2.1)
    with pytest.raises(HardStop, match=r"the probe T-1.pH was calibrated in make/mix/probe, which held until") as stop:
        bench.begin(GROW)
    assert (stop.value.refusal.gate, stop.value.refusal.subject) == ("probe.calibration", "T-1.pH")
    with pytest.raises(InputError, match="no equipment"):
        gmp.calibrate_equipment(bench.ledger, "T-1.pH", bench.metrology, certificate="C", due=date(2027, 1, 1))
    name = "pH of T-1"
    gmp.register_equipment(
        bench.ledger, "T-1.pH", bench.metrology, name=name, kind="pH-probe", calibrated=True, at=bench.at
    )
    with pytest.raises(HardStop, match=r"T-1\.pH has no valid calibration|T-1\.pH was calibrated"):
        bench.begin(GROW)
    due = date(2027, 1, 1)
    gmp.calibrate_equipment(bench.ledger, "T-1.pH", bench.metrology, certificate="C-2", due=due, at=bench.at)
    bench.begin(GROW)
