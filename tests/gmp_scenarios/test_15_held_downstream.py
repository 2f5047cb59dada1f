"""Scenario 15: a failed test holds everything downstream within seconds; traces, EPCIS and a restored copy agree."""

import csv
import io
import json
import shutil
import time
from urllib.parse import unquote

import apsw
import pytest

from tests.gmp import epcis_judge
from tests.gmp_scenarios.hand import BATCH, SALTS, WATER, Bench

SUSPECT = "NACL-1"
RESULTS = {"pH": "7.40", "osmolality": "285 mmol/kg", "endotoxin": "< 0.05 EU/mL", "sterility": "no growth"}
CLINIC = "City Clinic, 1 Long Road"
LEAD = ("lead", "3 ug/g", "--limit", "<= 1 ug/g", "--method", "ICP-MS", "--sample", "Q-1")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A batch released and partly shipped, and a kit made of some of it."""
    found = Bench.ready(tmp_path_factory.mktemp("bench"))
    found.who |= found.crew(analyst="quality_control", store="warehouse", assurance="assurance_officer")
    found.start()
    found.run_batch()
    for attribute, value in RESULTS.items():
        found.by("analyst", "quality", "result", BATCH, "QC-1", attribute, value)
    keys = [item["key"] for item in found.run("batch", "review", BATCH).data["exceptions"]]
    if keys:
        found.by("reviewer", "batch", "acknowledge", BATCH, *keys, "--comment", "looked at")
    found.by("reviewer", "batch", "sign-review", BATCH)
    found.later(minutes=1)
    assert found.by("qa", "batch", "release", BATCH)["decision"] == "released"
    found.by("store", "lot", "ship", BATCH, "200 mL", "--to", CLINIC, "--document", "DN-1")
    found.by("store", "lot", "ship", BATCH, "0.1 L", "--to", "Field Station", "--document", "DN-2")
    found.by("operator", "lot", "consume", BATCH, "100 mL", "--batch", "KIT-1")
    return found


@pytest.fixture
def bench(prepared, tmp_path):
    """A copy of it for each test."""
    folder = tmp_path / "bench"
    shutil.copytree(prepared.folder, folder)
    found = Bench(folder, clock=prepared.clock, passwords=dict(prepared.passwords))
    found.who = dict(prepared.who)
    return found


def downstream(events, start):
    """The walk over an EPCIS document that somebody without our software would write."""
    into: dict[str, set[str]] = {}
    for event in events:
        if event["type"] != "TransformationEvent":
            continue
        inputs = [item["epcClass"] for item in event.get("inputQuantityList", ())]
        outputs = [item["epcClass"] for item in event.get("outputQuantityList", ())]
        middle = [event["transformationID"]] if "transformationID" in event else []
        for source, targets in ((inputs, middle or outputs), (middle, outputs)):
            for item in source:
                into.setdefault(item, set()).update(targets)
    found: set[str] = set()
    queue = [start]
    while queue:
        here = queue.pop()
        queue += [item for item in into.get(here, ()) if item not in found]
        found.update(into.get(here, ()))
    return found


def id_of(uri):
    return unquote(uri.rpartition("/")[2])


def test_a_failed_test_holds_everything_downstream_and_all_answers_agree(bench, tmp_path):
    began = time.perf_counter()
    answer = bench.signed(bench.who["analyst"], "lot", "test", SUSPECT, *LEAD)
    assert time.perf_counter() - began < 5.0
    assert (answer.code, answer.data["state"]) == (1, "oos")
    for name in (SUSPECT, BATCH, "KIT-1"):
        (held,) = bench.done(None, "lot", "show", name)["open_holds"]
        assert held["root"] == SUSPECT
        assert "lead of lot NACL-1 is 3 ug/g, the limit is <= 1 ug/g" in held["reason"]
    assert bench.done(None, "lot", "show", "KCL-1")["open_holds"] == []
    _nothing_of_it_moves(bench)
    ways = bench.done(None, "lot", "trace", BATCH)
    assert {line["lot"] for line in ways["sources"]} >= {BATCH, SUSPECT, "WFI-1", "BOTTLE-1"}
    assert [line["lot"] for line in ways["products"]] == [BATCH, "KIT-1"]
    used = bench.done(None, "lot", "where-used", SUSPECT)["products"]
    assert [(line["lot"], line["into"]) for line in used] == [(SUSPECT, ""), (BATCH, SUSPECT), ("KIT-1", BATCH)]
    recall = _recall(bench, tmp_path)
    _epcis_says_the_same(bench, tmp_path, recall)
    _so_does_a_restored_copy(bench, tmp_path, recall)
    assert bench.run("record", "verify", bench.record).code == 0


def _nothing_of_it_moves(bench):
    for words in (
        ("lot", "ship", BATCH, "1 mL", "--to", CLINIC),
        ("lot", "discard", BATCH, "1 L", "--reason", "too much"),  # more than there is
    ):
        bench.refused("store", *words)
    bench.refused("operator", "lot", "consume", BATCH, "1 mL", "--batch", "KIT-2")
    bench.clean("MIX-1")
    bench.clean("FILL-1")
    bench.start("PBS-002")
    bench.run_phase(WATER, "PBS-002")
    begin, dispense = list(bench.commands(SALTS, "PBS-002"))[:2]
    bench.by(begin[0], *begin[1])
    assert SUSPECT in dispense[1]
    assert "on hold" in bench.refused(dispense[0], *dispense[1]).words


def _recall(bench, folder):
    recall = bench.done(None, "lot", "recall", SUSPECT, "--csv", folder / "r.csv", "--pdf", folder / "r.pdf")
    lots = {item["lot"]: item for item in recall["downstream"]}
    assert set(lots) == {SUSPECT, BATCH, "KIT-1"}
    product = lots[BATCH]
    assert (product["made"], product["unit"], product["remaining"], product["shipped"]) == ("950", "mL", "550", "300")
    assert recall["consignees"] == [
        {"consignee": CLINIC, "shipments": 1},
        {"consignee": "Field Station", "shipments": 1},
    ]
    rows = list(csv.DictReader(io.StringIO((folder / "r.csv").read_text())))
    assert [(row["lot"], row["consignee"], row["amount"]) for row in rows] == [
        (SUSPECT, "", ""),
        (BATCH, CLINIC, "200 mL"),
        (BATCH, "Field Station", "0.1 L"),
        ("KIT-1", "", ""),
    ]
    assert (folder / "r.pdf").read_bytes().startswith(b"%PDF")
    return recall


def _epcis_says_the_same(bench, folder, recall):
    file = folder / "events.jsonld"
    said = bench.done(None, "lot", "export", "--epcis", file)
    document = json.loads(file.read_text())
    events = document["epcisBody"]["eventList"]
    assert said["events"] == len(events)
    (start,) = {
        item["epcClass"]
        for event in events
        for item in event.get("quantityList", ())
        if id_of(item["epcClass"]) == SUSPECT
    }
    assert {id_of(uri) for uri in downstream(events, start)} == {item["lot"] for item in recall["downstream"]} - {
        SUSPECT
    }
    shipped = [event for event in events if event.get("bizStep") == "shipping"]
    assert [id_of(event["destinationList"][0]["destination"]) for event in shipped] == [
        item["consignee"] for item in recall["consignees"]
    ]
    held = {id_of(event["quantityList"][0]["epcClass"]) for event in events if event.get("bizStep") == "holding"}
    assert held == {item["lot"] for item in recall["downstream"]}


def _so_does_a_restored_copy(bench, folder, recall):
    bench.done(None, "record", "backup", bench.record, folder / "backup")
    restored = folder / "restored"
    shutil.copytree(folder / "backup", restored)
    copy = restored / "record.db"
    shutil.copytree(f"{bench.record}.keys", f"{copy}.keys")  # backed up apart from the ledger
    assert bench.run("record", "verify", copy).code == 0
    assert bench.done(None, "lot", "recall", SUSPECT, "--record", copy) == recall
    bench.done(None, "lot", "export", "--epcis", folder / "again.jsonld", "--record", copy)
    first, again = (json.loads((folder / name).read_text()) for name in ("events.jsonld", "again.jsonld"))
    assert first["epcisBody"] == again["epcisBody"]


def test_the_export_keeps_to_the_schema_of_gs1(bench, tmp_path):
    bench.signed(bench.who["analyst"], "lot", "test", SUSPECT, *LEAD)
    bench.done(None, "lot", "export", SUSPECT, "--epcis", tmp_path / "events.jsonld")
    assert epcis_judge.faults(json.loads((tmp_path / "events.jsonld").read_text())) == []


def test_a_read_model_that_somebody_thinned_lets_nothing_through(bench):
    """The hold is read from the ledger: to delete it beside the ledger frees nothing, and a rebuild tells."""
    bench.signed(bench.who["analyst"], "lot", "test", SUSPECT, *LEAD)
    before = bench.done(None, "lot", "recall", SUSPECT)
    views = apsw.Connection(str(bench.record) + ".views")
    views.execute("DELETE FROM lot_hold")
    views.execute("DELETE FROM lot_edge")
    views.close()
    assert len(bench.done(None, "lot", "recall", SUSPECT)["downstream"]) == 1  # what was thinned is what is shown
    assert "on hold" in bench.refused("store", "lot", "ship", BATCH, "1 mL", "--to", CLINIC).words
    told = bench.run("record", "rebuild")
    assert told.code == 1
    assert {item["name"] for item in told.data if not item["identical"]} == {"lots"}
    assert bench.done(None, "lot", "recall", SUSPECT) == before


def test_only_quality_ends_a_hold_lot_by_lot(bench):
    bench.signed(bench.who["analyst"], "lot", "test", SUSPECT, *LEAD)
    ((hold, *_more),) = [bench.done(None, "lot", "show", BATCH)["holds"]]
    lift = ("lot", "lift", hold, "--reason", "product tested free of lead, I-9", "--lot", BATCH)
    for word in ("operator", "store", "leader"):
        assert "may not do lot.decide" in bench.refused(word, *lift).words
    assert bench.by("qa", *lift)["lots"] == [BATCH]
    bench.by("store", "lot", "ship", BATCH, "1 mL", "--to", CLINIC)
    assert bench.done(None, "lot", "show", "KIT-1")["open_holds"]
    assert bench.done(None, "lot", "show", SUSPECT)["status"] == "on hold"


def test_a_lot_that_is_rejected_takes_its_products_on_hold(bench):
    said = bench.by("qa", "lot", "status", SUSPECT, "rejected", "--reason", "supplier's letter of 3 May")
    assert said["held"] == [BATCH, "KIT-1"]
    assert "on hold" in bench.refused("store", "lot", "ship", BATCH, "1 mL", "--to", CLINIC).words
