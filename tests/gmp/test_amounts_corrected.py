"""An amount that was recorded wrongly: put right with a reason, the first in sight, the stock reckoned anew."""

from __future__ import annotations

import json

import pytest

from seedtrain.gmp import batch_recipe, batch_record, batch_sheets, epcis_events, lot_book, recalculate, write_epcis
from seedtrain.record import open_ledger, rebuild, verify
from tests.gmp import epcis_judge
from tests.gmp_scenarios.hand import BATCH, FILL, PHASES, SALTS, Bench
from tests.judges import needs


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    found = Bench.ready(tmp_path_factory.mktemp("amounts"))
    found.start()
    for phase in PHASES:
        for word, words in found.commands(phase):
            found.later(minutes=1)
            wrong = {"KCL-1": ("0.3", "g"), "BOTTLE-1": ("13",)}
            told = next(((*words[:5], *wrong[lot]) for lot in wrong if words[1] == "dispense" and lot in words), words)
            found.by(word, *told)
    return found


def correct(bench, lot, amount, *more, who="operator", code=0):
    words = ("lot", "correct-consumption", lot, amount, "--batch", BATCH, "--reason", "tare not taken", *more)
    answer = bench.signed(bench.who[who], *words)
    assert answer.code == code, answer.words
    return answer


def test_stock_batch_and_export_tell_both_amounts(bench):
    with bench.surroundings(), open_ledger(bench.record, read_only=True) as ledger:
        found = batch_record(ledger.events(subject=BATCH), BATCH)
        bottles = next(item for item in found.values if item.tag == "reconciled-bottle")
        assert not bottles.keeps_limits  # 12 of 13
    said = correct(bench, "KCL-1", "0.201 g")
    assert (said.data["remaining"], said.data["fresh"]) == ("0.999799", True)
    assert correct(bench, "KCL-1", "201 mg").data["fresh"] is False
    correct(bench, "BOTTLE-1", "12")
    with bench.surroundings(), open_ledger(bench.record) as ledger:
        found = batch_record(ledger.events(subject=BATCH), BATCH)
        (line,) = [item for item in found.consumed if item.lot == "KCL-1"]
        assert (line.amount, line.recorded, line.all_amounts) == ("0.201", "0.3", ("0.3", "0.201"))
        assert not line.keeps_limits  # the first amount stays an excursion
        bottles = next(item for item in found.values if item.tag == "reconciled-bottle")
        assert (bottles.current, len(bottles.corrections)) == ("100.0", 1)
        assert not any(item.faults for item in recalculate(found, batch_recipe(ledger, found)))
        assert not found.illegal
        steps = {item.phase: item for item in found.steps}
        assert not steps[SALTS].performed  # whoever signed does it again
        assert not steps[FILL].checked
        sheet = next(item for item in batch_sheets(found) if item.name == "materials")
        row = next(item for item in sheet.rows if item[0] == "KCL-1")
        assert row[2] == "0.201 g"
        assert "was 0.3: tare not taken" in row[-1]
        with lot_book(ledger) as book:
            before = book.stock("KCL-1")
        rebuild(ledger)
        with lot_book(ledger) as book:
            assert book.stock("KCL-1") == before
        events = list(epcis_events(ledger, lot="KCL-1"))
    declared = [item for item in events if "errorDeclaration" in item]
    (wrong,) = [item for item in declared if item["inputQuantityList"][0].get("quantity") == 0.3]
    (right,) = [item for item in events if item["eventID"] in wrong["errorDeclaration"]["correctiveEventIDs"]]
    assert right["inputQuantityList"][0]["quantity"] == 0.201
    assert right["eventTime"] == wrong["eventTime"]
    review = [item["words"] for item in bench.run("batch", "review", BATCH).data["exceptions"]]
    assert "amount of potassium-chloride (KCL-1): 0.3 became 0.201 g (tare not taken)" in str(review)
    assert verify(bench.record).verdict == "pass"


def test_what_cannot_be_right_is_refused(bench):
    for words, said in (
        (("KCL-1", "2 kg"), "left, and 2 kg is said to be right"),
        (("KCL-1", "1 L"), "does not convert to g"),
        (("KCL-1", "0 g"), "must be above 0"),
        (("NONE", "1 g"), "no use of lot NONE"),
        (("KCL-1", "1 g", "--was", "9 g"), "none of the uses"),
    ):
        assert said in correct(bench, *words, code=2).words
    assert "may not do batch.execute" in correct(bench, "KCL-1", "1 g", who="qa", code=2).words


@needs("jsonschema", "rfc3339_validator", "rfc3986_validator")
def test_the_corrected_export_keeps_the_schema_of_gs1(bench, tmp_path):
    with bench.surroundings(), open_ledger(bench.record, read_only=True) as ledger:
        write_epcis(ledger, tmp_path / "events.jsonld")
    assert epcis_judge.faults(json.loads((tmp_path / "events.jsonld").read_text())) == []


def test_two_equal_weighings_are_told_apart(tmp_path):
    """Outside a batch that people run too: by the amount that is wrong, or by the ticket."""
    found = Bench.ready(tmp_path, effective=False)
    use = ("lot", "consume", "NACL-1", "10 g", "--batch", "B-9")
    found.by("operator", *use, "--reference", "W-1")
    found.by("operator", *use, "--reference", "W-2")
    words = ("lot", "correct-consumption", "NACL-1", "11 g", "--batch", "B-9", "--reason", "misread")
    refused = found.refused("operator", *words)
    assert "2 of the uses of lot NACL-1 in B-9 is meant: 10 g (W-1), 10 g (W-2)" in refused.words
    assert found.by("operator", *words, "--reference", "W-2")["remaining"] == "0.979"
    assert found.by("operator", *words, "--was", "0.01 kg")["remaining"] == "0.978"
