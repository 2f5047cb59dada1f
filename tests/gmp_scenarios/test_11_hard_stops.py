"""Scenario 11: an expired, quarantined, wrong-patient or uncertified lot; overdue calibration; a dirty vessel; lapsed
training: each a hard stop that stands in the record, with a way on through a deviation where quality may decide one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from seedtrain.gmp import change_lot_status, receive_lots
from seedtrain.quality import Constituent, Lot
from seedtrain.quantity import parse
from seedtrain.record import enrol_person, open_ledger
from tests.gmp_scenarios.hand import BATCH, SALTS, WATER, Bench

OTHER = Lot("NACL-2", "sodium-chloride", "Supplier", parse("1 kg"), date(2030, 1, 1), "released")
TAKE = ("batch", "dispense", BATCH, SALTS, "NACL-2", "8.02", "g")
RULES = """
name: house
title: House rules
edition: "1"
rules:
  - {id: statement, kind: certificate, schemes: [house], origins: [any], says: every lot has the supplier's statement,
     source: house rule 4, checked: text}
  - {id: no swine, kind: origin, excludes: [porcine], says: no ingredient of porcine origin, source: house rule 1,
     checked: text}
"""


@pytest.fixture
def bench(tmp_path):
    """A batch whose salts are being weighed."""
    found = Bench.ready(tmp_path)
    found.start()
    found.run_phase(WATER)
    found.by("operator", "batch", "begin", BATCH, SALTS, "--equipment", "BAL-1")
    return found


def received(bench, lot):
    with bench.surroundings(), open_ledger(bench.record) as ledger:
        receive_lots(ledger, [lot])


def stops(bench, batch=BATCH):
    return [(item["gate"], item["subject"]) for item in bench.done(None, "batch", "status", batch)["stops"]]


def way_on(bench, phase, gate, subject, *, batch=BATCH):
    """The deviation path: opened by who ran into it, lifted by quality, and by nobody else."""
    words = f"{subject} met {gate}"
    opened = bench.by("operator", "quality", "deviation", "open", batch, words, "--phase", phase)
    name = opened["deviation"] if "deviation" in opened else opened["name"]
    lift = ("batch", "lift", batch, phase, gate, subject, "--deviation", name, "--reason", "assessed: no impact")
    assert "may not do" in bench.refused("operator", *lift).words
    bench.by("qa", *lift)
    return name


def consumed(bench):
    rows = bench.run("record", "show", bench.record, "--type", "lot.consumed").data
    return [row["payload"]["lot"] for row in rows]


@pytest.mark.parametrize(
    ("lot", "why"),
    [
        (replace(OTHER, expiry=date(2026, 3, 1)), "expired on 2026-03-01"),
        (replace(OTHER, status="quarantined"), "is quarantined"),
    ],
)
def test_an_expired_or_quarantined_lot_is_not_weighed_until_quality_decides_under_a_deviation(bench, lot, why):
    received(bench, lot)
    refused = bench.refused("operator", *TAKE)
    assert why in refused.words
    assert "deviation" in refused.words  # the remedy shows the way
    assert stops(bench) == [("lot.unfit", "NACL-2")]
    assert "NACL-2" not in consumed(bench)
    name = way_on(bench, SALTS, "lot.unfit", "NACL-2")
    bench.by("operator", *TAKE)
    assert "NACL-2" in consumed(bench)
    assert bench.done(None, "batch", "status", BATCH)["stops"][0]["lifted_by"]
    shown = bench.run("quality", "deviation", "list")
    assert name in shown.words


def test_a_rejected_lot_is_nobodys_to_let_through(bench):
    received(bench, replace(OTHER, status="rejected"))
    bench.refused("operator", *TAKE)
    opened = bench.by("operator", "quality", "deviation", "open", BATCH, "rejected salt at hand", "--phase", SALTS)
    name = opened.get("deviation") or opened["name"]
    bench.signed(
        bench.who["qa"], *("batch", "lift", BATCH, SALTS, "lot.unfit", "NACL-2", "--deviation", name, "--reason", "x")
    )
    bench.refused("operator", *TAKE)
    assert "NACL-2" not in consumed(bench)


def test_a_lot_that_was_quarantined_while_the_batch_runs_is_stopped_too(bench):
    received(bench, OTHER)
    with bench.surroundings(), open_ledger(bench.record) as ledger:
        qc = enrol_person(ledger, "A script of QC", ["quality_control"], scripted=True)
        change_lot_status(ledger, "NACL-2", "quarantined", "supplier's warning", qc)
    assert "is quarantined" in bench.refused("operator", *TAKE).words


# another patient's


def opened_for(bench, patient):
    answer = bench.signed(
        bench.who["operator"],
        *("custody", "open", "--product", "CAR-T", "--place", "Ward 3", "--limit", "all=2 .. 8 degC"),
        more=(patient,),
    )
    assert answer.code == 0, answer.words
    return answer.data["code"], answer.data["token"]


def brought(bench, code, token):
    """From the collection to manufacture, both sides of each hand-over scanned."""
    scan = ("--scan-code", code, "--scan-token", token, "--place", "Suite 2", "--temperature", "4 degC")
    for stage, giver, taker in (("receipt", "operator", "second"), ("manufacture", "second", "leader")):
        bench.by(giver, "custody", "hand-over", code, "--to", bench.who[taker], "--stage", stage, *scan)
        bench.by(taker, "custody", "receive", code, *scan)


def test_a_lot_of_another_patient_is_a_hard_stop_that_nobody_lifts(bench):
    received(bench, OTHER)
    mine, token = opened_for(bench, "Zhang San")
    other, strange = opened_for(bench, "Li Si")
    bench.by("operator", "custody", "bind", mine, "--batch", BATCH)
    bench.by("operator", "custody", "bind", other, "--lot", "NACL-2")
    refused = bench.refused("operator", *TAKE)
    assert f"lot NACL-2 is of the patient {strange}; batch {BATCH} is made for {token}" in refused.words
    assert stops(bench) == [("custody.patient", "NACL-2")]
    opened = bench.by("operator", "quality", "deviation", "open", BATCH, "another patient's lot", "--phase", SALTS)
    name = opened.get("deviation") or opened["name"]
    lift = ("batch", "lift", BATCH, SALTS, "custody.patient", "NACL-2", "--deviation", name, "--reason", "please")
    bench.signed(bench.who["qa"], *lift)
    bench.refused("operator", *TAKE)  # whatever quality signs
    assert "NACL-2" not in consumed(bench)
    # The right patient's lot goes on:
    bench.by("operator", "batch", "dispense", BATCH, SALTS, "NACL-1", "8.02", "g")


def test_a_batch_of_no_patient_takes_no_patients_lot_and_a_stopped_chain_stops_its_batch(bench):
    received(bench, OTHER)
    mine, token = opened_for(bench, "Zhang San")
    bench.by("operator", "custody", "bind", mine, "--lot", "NACL-2")
    assert "is bound to no patient" in bench.refused("operator", *TAKE).words
    bench.by("operator", "custody", "bind", mine, "--batch", BATCH)
    wrong = ("--scan-code", mine, "--scan-token", "PT-0000000000", "--place", "Ward 3", "--temperature", "4 degC")
    to = ("--to", bench.who["second"], "--stage", "transport")
    answer = bench.refused("operator", "custody", "hand-over", mine, *to, *wrong)
    assert "does not match" in answer.words
    assert "is on hold" in bench.refused("operator", *TAKE).words
    stopped = bench.done(None, "custody", "show", mine)["stopped"]
    assert ("custody.stopped", mine) in stops(bench)
    deviation = stopped["deviation"]
    bench.by("qa", "quality", "deviation", "classify", deviation, "minor", "--reason", "the wristband was torn")
    close = ("--impact", "none: nothing left the ward", "--cause", "a torn wristband", "--action", "printed anew")
    bench.by("qa", "quality", "deviation", "close", deviation, *close)
    bench.by("qa", "custody", "resume", mine, "--reason", "identity confirmed by two nurses")
    refused = bench.refused("operator", *TAKE)  # the right patient's, but still on the ward
    assert "is at the stage collection" in refused.words
    brought(bench, mine, token)
    bench.by("operator", *TAKE)


# uncertified


def test_an_uncertified_lot_is_stopped_until_its_certificate_is_on_record_and_again_when_it_is_revoked(bench):
    officer = bench.enrol("The officer", "assurance_officer")
    rules = Path(bench.folder) / "house.yaml"
    rules.write_text(RULES)
    received(bench, replace(OTHER, contains=(Constituent("salt", "mineral"),)))
    bench.done(officer, "assurance", "require", "pbs", rules)
    refused = bench.refused("operator", *TAKE)
    assert "does not meet the rule statement of house" in refused.words
    assert stops(bench) == [("assurance.statement", "NACL-2")]
    issue = ("assurance", "certificate", "issue", "S-1", "--scheme", "house", "--issuer", "Supplier")
    names = ("--material", "sodium-chloride", "--supplier", "Supplier", "--valid-from", "2026-01-01")
    bench.done(officer, *issue, *names)
    bench.by("operator", *TAKE)
    revoked = bench.done(officer, "assurance", "certificate", "revoke", "S-1", "--reason", "the supplier changed")
    assert {"NACL-1", "NACL-2", BATCH} <= set(revoked["held"])
    again = bench.refused("operator", "batch", "dispense", BATCH, SALTS, "NACL-2", "0.01", "g")
    assert "on hold" in again.words
    refused = bench.signed(bench.who["qa"], "batch", "release", BATCH)
    assert refused.code != 0


def test_an_uncertified_lot_goes_on_under_a_deviation_but_an_excluded_one_does_not(bench):
    officer = bench.enrol("The officer", "assurance_officer")
    rules = Path(bench.folder) / "house.yaml"
    rules.write_text(RULES)
    received(bench, replace(OTHER, contains=(Constituent("salt", "mineral"),)))
    received(bench, replace(OTHER, id="KCL-2", material="potassium-chloride", contains=(Constituent("x", "porcine"),)))
    bench.done(officer, "assurance", "require", "pbs", rules)
    bench.refused("operator", *TAKE)
    way_on(bench, SALTS, "assurance.statement", "NACL-2")
    bench.by("operator", *TAKE)
    swine = ("batch", "dispense", BATCH, SALTS, "KCL-2", "0.2", "g")
    bench.refused("operator", *swine)
    way_on(bench, SALTS, "assurance.statement", "KCL-2")
    assert "rule no swine of house" in bench.refused("operator", *swine).words
    opened = bench.by("operator", "quality", "deviation", "open", BATCH, "excluded salt", "--phase", SALTS)
    name = opened.get("deviation") or opened["name"]
    lift = ("batch", "lift", BATCH, SALTS, "assurance.no-swine", "KCL-2", "--deviation", name, "--reason", "x")
    bench.signed(bench.who["qa"], *lift)
    bench.refused("operator", *swine)


# equipment and people


def test_an_overdue_calibration_stops_the_phase_and_a_new_one_lets_it_begin(tmp_path):
    bench = Bench.ready(tmp_path)
    calibrate = ("equipment", "calibrate", "BAL-1", "--certificate", "C-2", "--due")
    bench.by("metrology", *calibrate, "2026-03-03")
    bench.start()
    bench.later(days=2)
    begin = ("batch", "begin", BATCH, WATER, "--equipment", "BAL-1")
    refused = bench.refused("operator", *begin)
    assert "was due for calibration on 2026-03-03" in refused.words
    assert stops(bench) == [("equipment.calibration", "BAL-1")]
    way_on(bench, WATER, "equipment.calibration", "BAL-1")
    bench.by("operator", *begin)
    bench.by("operator", "batch", "dispense", BATCH, WATER, "WFI-1", "800", "g")
    bench.by("operator", "batch", "complete", BATCH, WATER)
    salts = ("batch", "begin", BATCH, SALTS, "--equipment", "BAL-1")
    bench.refused("operator", *salts)  # the decision was about one phase
    bench.by("metrology", "equipment", "calibrate", "BAL-1", "--certificate", "C-3", "--due", "2026-09-30")
    bench.by("operator", *salts)


def test_a_dirty_vessel_stops_the_next_batch_until_it_is_cleaned_and_checked(bench):
    bench.start("PBS-002")
    begin = ("batch", "begin", "PBS-002", WATER, "--equipment", "BAL-1")
    refused = bench.refused("operator", *begin)
    assert f"is dirty from batch {BATCH}" in refused.words
    assert stops(bench, "PBS-002") == [("equipment.cleaning", "MIX-1")]


def test_a_vessel_whose_cleaning_nobody_checked_is_dirty(tmp_path):
    bench = Bench.ready(tmp_path)
    bench.start()
    bench.run_phase(WATER)
    bench.by("operator", "batch", "abort", BATCH, "--reason", "spilled")
    bench.start("PBS-002")
    begin = ("batch", "begin", "PBS-002", WATER, "--equipment", "BAL-1")
    bench.by("operator", "equipment", "clean", "MIX-1", "--procedure", "SOP-7")
    bench.refused("operator", *begin)
    assert "same person" in bench.refused("operator", "equipment", "check", "MIX-1").words
    bench.by("second", "equipment", "check", "MIX-1")
    bench.by("operator", *begin)


def test_lapsed_training_stops_the_person_and_not_another(tmp_path):
    bench = Bench.ready(tmp_path)
    until = ("--until", "2026-03-03T00:00:00Z")
    bench.done(bench.who["admin"], "person", "train", bench.who["operator"], "weighing", *until)
    bench.start()
    bench.later(days=2)
    begin = ("batch", "begin", BATCH, WATER, "--equipment", "BAL-1")
    refused = bench.refused("operator", *begin)
    assert "not trained in weighing, or the training has lapsed" in refused.words
    assert stops(bench) == [("training", bench.who["operator"])]
    bench.by("second", *begin)
    dispense = ("batch", "dispense", BATCH, WATER, "WFI-1", "800", "g")
    assert "training has lapsed" in bench.refused("operator", *dispense).words
    bench.by("second", *dispense)
