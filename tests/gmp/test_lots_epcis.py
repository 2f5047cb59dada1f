"""EPCIS 2.0: GS1's own schema takes the document, hashes are stable, a correction is declared, nothing is left out."""

import copy
import json
import random
from dataclasses import replace
from datetime import date

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import (
    Part,
    Particulars,
    amend_lot,
    change_lot_status,
    discard_lot,
    epcis_events,
    hold_downstream,
    invalidate_lot_test,
    lift_hold,
    lot_book,
    merge_lots,
    move_lot,
    receive_lots,
    record_lot_test,
    restate_lot,
    ship_lot,
    split_lot,
    write_epcis,
)
from seedtrain.quantity import parse
from seedtrain.record import enrol_person
from tests.gmp import epcis_judge
from tests.gmp.made import BATCH, Made, lot
from tests.judges import needs

GTIN = "09506000134352"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A batch with everything that can happen to a lot; the ledger, and the document of it."""
    made = Made.in_folder(tmp_path_factory.mktemp("story")).run()
    ledger = made.ledger
    person = enrol_person(ledger, "Many", ["quality_control", "warehouse", "operator", "qa"], scripted=True)
    beside = {"G": Particulars(gtin=GTIN, order="PO 7", location="A-1", origin="simulated", supplier_lot="X/9")}
    receive_lots(ledger, [lot("G", "sugar", quantity="10 kg", status="quarantined")], person, particulars=beside)
    receive_lots(ledger, [lot("EU 1", "endotoxin standard", quantity="5000 EU"), lot("糖", "sugar")], person)
    record_lot_test(ledger, "G", "identity", "conforms", "= conforms", "FTIR", person, sample="Q")
    change_lot_status(ledger, "G", "released", "tested", made.people["qa"])
    split_lot(ledger, "G", [Part("G-1", "1", "kg"), Part("G-2", "2000", "g")], person)
    merge_lots(ledger, ["G-1", "G-2"], "G-3", person)
    move_lot(ledger, "G", "4012345000009", person, container="106141412345678908", logger="LOG 1")
    move_lot(ledger, "G-3", "cold room", person)
    discard_lot(ledger, "G", "1", "g", "spilt", person)
    ship_lot(ledger, "G", "1", "kg", "Clinic, 1 Street", person, document="DN-1")
    ship_lot(ledger, "G-3", "0.5", "kg", "Clinic B", person)
    for name, day in (("G", date(2029, 1, 1)), ("G", date(2028, 6, 1)), ("G-3", date(2029, 1, 1))):
        with lot_book(ledger) as book:
            known = book.entry(name).lot
        assert known is not None
        amend_lot(ledger, replace(known, expiry=day), "typing error", person)
    wet = record_lot_test(ledger, "G-3", "water", parse("9 %"), "<= 1 %", "KF", person, sample="Q-2")
    invalidate_lot_test(ledger, "G-3", wet.id, "leaking vial", person)
    order = hold_downstream(ledger, "SUGAR-1", "doubt")
    lift_hold(ledger, order.hold, "no doubt", person)
    yield ledger, document(ledger)
    ledger.close()


def document(ledger, **more):
    file = ledger.path.with_name("events.jsonld")
    write_epcis(ledger, file, **more)
    return json.loads(file.read_text())


def events_of(found, **wanted):
    events = found["epcisBody"]["eventList"]
    return [event for event in events if all(event.get(name) == value for name, value in wanted.items())]


@needs("jsonschema", "rfc3339_validator", "rfc3986_validator")
def test_the_schema_of_gs1_takes_every_kind_of_event(story):
    _ledger, found = story
    kinds = {event["type"] for event in events_of(found)}
    assert kinds == {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent"}
    assert epcis_judge.faults(found) == []
    for spoil in (
        lambda event: event.update(bizStep="melting"),
        lambda event: event.update(eventTime="yesterday"),
        lambda event: event.pop("eventTimeZoneOffset"),
        lambda event: event.update(eventID="no uri"),
    ):
        broken = copy.deepcopy(found)
        spoil(broken["epcisBody"]["eventList"][0])
        assert epcis_judge.faults(broken)  # the judge would have seen it


@needs("epcis_event_hash_generator")
def test_hashes_depend_on_what_is_said_and_on_nothing_else(story):
    """The hash of an event leaves out its id, its record time and its error declaration (CBV 2.0)."""
    ledger, found = story
    hashes = epcis_judge.hashes(found)
    assert hashes == epcis_judge.hashes(document(ledger))
    mixed = copy.deepcopy(found)
    rng = random.Random(4)
    order = list(range(len(hashes)))
    rng.shuffle(order)
    listed = mixed["epcisBody"]["eventList"]
    mixed["epcisBody"]["eventList"] = [dict(rng.sample(sorted(listed[at].items()), len(listed[at]))) for at in order]
    assert epcis_judge.hashes(mixed) == [hashes[at] for at in order]
    declared = [at for at, event in enumerate(listed) if "errorDeclaration" in event]
    first = {event["eventID"]: hashes[at] for at, event in reversed(list(enumerate(listed)))}
    assert len(declared) == 4
    assert all(hashes[at] == first[listed[at]["eventID"]] for at in declared)
    assert len(set(hashes)) == len(hashes) - len(declared)


def test_a_correction_declares_the_error_and_points_to_what_is_right(story):
    _ledger, found = story
    listed = events_of(found)
    receipts = [event for event in listed if event.get("ilmd", {}).get("cbvmda:lotNumber") == "X/9"]
    assert [event["ilmd"]["cbvmda:itemExpirationDate"] for event in receipts] == [
        "2030-01-01",
        "2030-01-01",
        "2029-01-01",
        "2029-01-01",
        "2028-06-01",
    ]
    assert ["errorDeclaration" in event for event in receipts] == [False, True, False, True, False]
    for wrong, right in ((receipts[1], receipts[2]), (receipts[3], receipts[4])):
        assert wrong["errorDeclaration"]["correctiveEventIDs"] == [right["eventID"]]
        assert wrong["errorDeclaration"]["reason"] == "incorrect_data"
        assert right["eventTime"] == wrong["eventTime"]
    assert receipts[0] == {name: item for name, item in receipts[1].items() if name != "errorDeclaration"}


def test_an_invalid_test_stays_and_is_declared(story):
    _ledger, found = story
    told = [event for event in events_of(found) if event.get("seedtrain:result", "").startswith("water 9 %")]
    assert [event["disposition"] for event in told] == ["non_conformant", "non_conformant"]
    (after,) = told[1]["errorDeclaration"]["correctiveEventIDs"]
    (right,) = events_of(found, eventID=after)
    assert (right["disposition"], right["seedtrain:reason"]) == ("unknown", "leaking vial")


def test_every_event_of_a_lot_is_said_in_order_with_its_place_in_the_ledger(story):
    ledger, found = story
    seqs = [event["seedtrain:seq"] for event in events_of(found) if "errorDeclaration" not in event]
    assert seqs == sorted(seqs)
    digests = {event.seq: event.digest for event in ledger.events()}
    assert all(digests[event["seedtrain:seq"]] == event["seedtrain:digest"] for event in events_of(found))
    said = {event.seq for event in ledger.events() if event.type.startswith("lot.")}
    assert said == set(seqs)


def test_keys_units_and_parties_are_those_of_the_standards(story):
    ledger, found = story
    (despatch,) = events_of(found, type="TransactionEvent")
    assert despatch["quantityList"] == [{"epcClass": f"https://id.gs1.org/01/{GTIN}/10/G", "quantity": 1, "uom": "KGM"}]
    (packed,) = events_of(found, type="AggregationEvent")
    assert packed["parentID"] == "https://id.gs1.org/00/106141412345678908"
    assert packed["bizLocation"]["id"] == "https://id.gs1.org/414/4012345000009"
    amounts = {
        item["epcClass"].rpartition("/")[2]: item
        for event in events_of(found)
        for item in event.get("quantityList", ())
    }
    assert "quantity" not in amounts["EU%201"]  # no code of Recommendation 20
    assert all(item["epcClass"].startswith(("https://id.gs1.org/", "urn:uuid:")) for item in amounts.values())
    own = document(ledger, base="https://id.example.com/")
    assert any(
        item["epcClass"] == "https://id.example.com/lot/%E7%B3%96"
        for event in events_of(own)
        for item in event.get("quantityList", ())
    )
    assert all(
        event["seedtrain:simulated"]
        for event in events_of(found, type="TransformationEvent")
        if event["seedtrain:seq"] in {item.seq for item in ledger.events() if item.payload.get("origin") == "simulated"}
    )


def test_one_lots_document_holds_what_is_up_and_downstream_of_it(story):
    ledger, found = story
    few = list(epcis_events(ledger, lot="BANK-1"))
    ids = {event["eventID"] for event in few}
    assert ids < {event["eventID"] for event in events_of(found)}
    named = {
        item["epcClass"].rpartition("/")[2]
        for event in few
        for name, items in event.items()
        if name.endswith("uantityList")
        for item in items
    }
    assert {"BANK-1", BATCH} <= named
    assert "G" not in named
    with pytest.raises(InputError, match="knows no lot"):
        list(epcis_events(ledger, lot="none"))


# The last one: it writes.
def test_fields_are_stated_anew_and_refused_like_those_of_a_file(story):
    ledger, _found = story
    qa = enrol_person(ledger, "QA", ["qa"], scripted=True)
    restate_lot(ledger, "G", {"retest": "2028-01-01", "order": ""}, "retested, R-9", qa)
    head = ledger.head
    assert restate_lot(ledger, "G", {"retest": "2028-01-01"}, "again", qa) == ()
    with lot_book(ledger) as book:
        entry = book.entry("G")
    assert (entry.particulars.retest, entry.particulars.order, entry.particulars.gtin) == (date(2028, 1, 1), "", GTIN)
    for changes, words in (
        ({"material": "salt"}, "no field that can change"),
        ({"retest": "2031-01-01"}, "after the expiry"),
        ({"quantity": "1 kg"}, "are gone already"),
        ({"gtin": "1"}, "gtin: '1' is not a GTIN"),
    ):
        with pytest.raises(InputError, match=words):
            restate_lot(ledger, "G", changes, "x", qa)
    with pytest.raises(InputError, match="a part of other lots"):
        restate_lot(ledger, "G-3", {"quantity": "9 kg"}, "x", qa)
    assert ledger.head == head
