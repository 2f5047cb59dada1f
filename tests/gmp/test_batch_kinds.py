"""Phases of the catalogue run by people: what devices would measure is entered, what they would meter is dispensed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from seedtrain import gmp
from seedtrain.base import InputError, IntegrityError
from seedtrain.quality import Lot
from seedtrain.quantity import parse
from seedtrain.recipe import at_scale, parse_recipe
from seedtrain.record import Draft, enrol_person, open_ledger

RECIPE = """
recipe: flask
title: A seed culture in a flask, by hand
version: "1"
product: seed
culture: none
basis: {unit: FLASK, volume: 100 mL}
materials:
  medium: {composition: {sugar: 10 g/L, water: 0.98 kg/L}}
procedure:
  - unit_procedure: culture
    unit_class: production_vessel
    operations:
      - operation: grow
        phases:
          - phase: charge
            do: charge
            set: {material: medium, volume: 100 mL}
          - phase: grow
            do: grow
            set: {temperature: 37 degC}
            until: biomass >= 4 g/L
            at_most: 10 h
            limits: {temperature: 36 .. 38 degC}
            sample: {biomass: 3 .. 8 g/L}
            instruction: Shake at 200 rpm and sample every hour.
  - unit_procedure: store
    unit_class: freezer
    operations:
      - operation: freeze
        phases:
          - phase: freeze
            do: manual
            until: signature shift_leader
            entries:
              label: {text: "true"}
              ratio: {}
            calculate:
              inverse: {formula: 1 / ratio, unit: "", places: 2}
"""
CHARGE, GROW, FREEZE = "culture/grow/charge", "culture/grow/grow", "store/freeze/freeze"
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
BATCH = "F-1"


class Bench:
    def __init__(self, folder):
        self.clock = NOW
        self.ledger = open_ledger(folder / "record.db", clock=lambda: self.clock)
        roles = {"anna": "operator", "cora": "shift_leader", "dora": "quality_assurance"}
        self.who = {name: enrol_person(self.ledger, name, [role], scripted=True) for name, role in roles.items()}
        master = parse_recipe(RECIPE, "flask.yaml")
        self.control = at_scale(master, unit=master.basis_unit, volume=master.basis_volume)
        lots = [("SUGAR-1", "sugar"), ("MEDIUM-1", "medium"), ("SALT-1", "salt")]
        day = date(2030, 1, 1)
        gmp.receive_lots(self.ledger, [Lot(name, what, "S", parse("1 kg"), day, "released") for name, what in lots])
        gmp.start_batch(self.ledger, self.control, BATCH, self.who["anna"], simulated=True)

    def do(self, act, *words, who="anna", **more):
        return act(self.ledger, BATCH, *words, self.who[who], **more)

    def stops(self, match, act, *words, **more):
        with pytest.raises(InputError, match=match):
            self.do(act, *words, **more)

    @property
    def record(self):
        return gmp.batch_record(self.ledger.events(subject=BATCH), BATCH)


@pytest.fixture
def bench(tmp_path):
    found = Bench(tmp_path)
    yield found
    found.ledger.close()


def grown(bench, biomass="5.1"):
    bench.do(gmp.begin_phase, CHARGE)
    bench.do(gmp.dispense, CHARGE, "MEDIUM-1", "98", "g")
    bench.do(gmp.complete_phase, CHARGE)
    bench.do(gmp.begin_phase, GROW)
    bench.do(gmp.enter_value, GROW, "temperature", "37.1", "degC")
    bench.do(gmp.enter_value, GROW, "biomass", biomass, "g/L")
    bench.clock += timedelta(hours=6)


def test_a_material_of_the_settings_or_what_it_is_made_of_may_go_in(bench):
    bench.do(gmp.begin_phase, CHARGE)
    bench.stops("this phase takes medium, sugar, water", gmp.dispense, CHARGE, "SALT-1", "1", "g")
    bench.do(gmp.dispense, CHARGE, "SUGAR-1", "1", "g")
    bench.do(gmp.dispense, CHARGE, "MEDIUM-1", "98", "g")
    assert [(item.lot, item.target) for item in bench.record.consumed] == [("SUGAR-1", None), ("MEDIUM-1", None)]
    (stop,) = bench.record.stops
    assert (stop.gate, stop.subject) == ("material", "SALT-1")


def test_in_process_limits_are_entered_where_no_device_measures(bench):
    wanted = {"temperature": "36 .. 38 degC", "biomass": "3 .. 8 g/L"}
    grown(bench)
    lines = {item.tag: item for item in bench.record.values}
    for tag, limits in wanted.items():
        assert f"{lines[tag].limits} {lines[tag].unit}" == limits
    found = bench.do(gmp.complete_phase, GROW)
    step = found.step(GROW)
    assert (step.ended_by, step.duration_h) == ("condition", "6")
    assert found.values_of(GROW)["elapsed"].keeps_limits


def test_a_condition_that_is_not_met_ends_by_time_and_too_long_is_an_excursion(bench):
    grown(bench, biomass="3.4")
    bench.clock += timedelta(hours=5)
    found = bench.do(gmp.complete_phase, GROW)
    assert found.step(GROW).ended_by == "at_most"
    line = found.values_of(GROW)["elapsed"]
    assert (line.value, line.high, line.within) == ("11", "10", False)
    assert [item.tag for item in gmp.excursions(found)] == ["elapsed"]


def test_a_phase_that_ends_by_a_signature_needs_that_role(bench):
    grown(bench)
    bench.do(gmp.complete_phase, GROW)
    bench.do(gmp.begin_phase, FREEZE)
    bench.do(gmp.enter_value, FREEZE, "label", "box 3, A1", "")
    bench.stops("cannot be calculated", gmp.enter_value, FREEZE, "ratio", "0", "")
    bench.do(gmp.enter_value, FREEZE, "ratio", "3", "")
    bench.stops("signature of a shift_leader", gmp.complete_phase, FREEZE)
    found = bench.do(gmp.complete_phase, FREEZE, who="cora")
    assert found.step(FREEZE).ended_by == "signature"
    assert found.values_of(FREEZE)["inverse"].value == "0.33"
    assert bench.do(gmp.finish_batch, amount="20", unit="mL").amount == "20 mL"


def test_a_class_of_units_takes_any_unit_registered_under_it(bench):
    grown(bench)
    bench.do(gmp.complete_phase, GROW)
    for name, kind in (("FR-1", "freezer"), ("FR-2", "fridge")):
        gmp.register_equipment(bench.ledger, name, bench.who["dora"], name=name, kind=kind)
    bench.stops("belongs on freezer, not on FR-2", gmp.begin_phase, FREEZE, unit="FR-2")
    bench.stops("belongs on freezer, not on FR-3", gmp.begin_phase, FREEZE, unit="FR-3")
    assert bench.do(gmp.begin_phase, FREEZE, unit="FR-1").step(FREEZE).unit == "FR-1"
    assert [use.batch for use in gmp.find_equipment(bench.ledger, "FR-1").uses] == [BATCH]


def test_one_phase_name_that_two_have_is_refused(bench):
    assert gmp.phase_path(bench.control.recipe, "freeze") == FREEZE
    assert gmp.phase_path(bench.control.recipe, GROW) == GROW
    with pytest.raises(InputError, match="no phase"):
        gmp.phase_path(bench.control.recipe, "fill")


def test_two_people_do_not_both_begin_one_phase(bench):
    bench.do(gmp.begin_phase, CHARGE)
    head = bench.ledger.head.seq
    bench.do(gmp.begin_phase, CHARGE)  # the same again changes nothing
    assert bench.ledger.head.seq == head
    bench.stops("was begun by", gmp.begin_phase, CHARGE, who="cora")


def test_a_record_whose_recalculation_differs_is_named(bench):
    """A calculated value written past the commands: its own inputs, the recipe and the record each disagree."""
    grown(bench)
    bench.do(gmp.complete_phase, GROW)
    bench.do(gmp.begin_phase, FREEZE)
    payload: dict[str, object] = {
        "phase": FREEZE,
        "tag": "inverse",
        "value": "0.34",
        "unit": "",
        "low": None,
        "high": None,
        "within": True,
        "kind": "calculated",
        "formula": "1 / ratio",
        "places": 2,
        "inputs": {"ratio": {"value": "3", "unit": "", "source": f"{FREEZE}/ratio"}},
    }
    bench.ledger.append(Draft("step.value_recorded", BATCH, payload, "system"))
    (line,) = gmp.recalculate(bench.record, bench.control)
    assert any("its own inputs give 0.33" in item for item in line.faults)
    assert any("it comes to nothing" in item for item in line.faults)
    bench.do(gmp.enter_value, FREEZE, "ratio", "4", "")
    (line,) = gmp.recalculate(bench.record, bench.control)
    assert any("it comes to 0.25" in item for item in line.faults)


def test_a_batch_whose_recipe_was_changed_goes_no_further(tmp_path, bench):
    event = next(bench.ledger.events(subject=BATCH, type="batch.created"))
    forged = dict(event.payload) | {"text": event.payload["text"].replace("<= 10 h", "<= 20 h").replace("10 h", "20 h")}
    bench.ledger.append(Draft("batch.created", "F-2", forged, bench.who["anna"]))
    with pytest.raises(IntegrityError, match="gives the digest"):
        gmp.begin_phase(bench.ledger, "F-2", CHARGE, bench.who["anna"])
