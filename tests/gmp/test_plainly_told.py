"""What a newcomer met: verdicts on nothing, foreign files, expired deliveries, repeats, late entries, second tests."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import read_verdict
from tests.gmp import epcis_judge
from tests.gmp_scenarios.journey import Journey
from tests.judges import needs
from tests.worked import called

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAIRY = """
name: own
title: Own
edition: "1"
rules:
  - {id: certified, kind: certificate, schemes: [BPJPH], origins: [animal], says: s, source: s, checked: "no"}
  - {id: slaughter, kind: critical_point, point: slaughter, origins: [animal], says: s, source: s, checked: "no"}
"""


@pytest.fixture
def site(tmp_path):
    journey = Journey(tmp_path, START)
    who = journey.crew(
        store="warehouse", analyst="quality_control", qa="quality_assurance", operator="operator", other="warehouse"
    )
    return journey, who


def spoken(journey, actor, *words):
    """What people read of a signed command, and its exit code."""
    with journey.surroundings():
        read, write = os.pipe()
        os.write(write, f"{journey.passwords[actor]}\n".encode())
        os.close(write)
        try:
            said = called(*words, "--as", actor, "--password-fd", read)
        finally:
            os.close(read)
    return said.code, said.out + said.err


def deliver(journey, who, name, *more, expiry="2028-01-31"):
    words = ("--material", "sugar", "--quantity", "5 kg", "--supplier", "Acme", "--expiry", expiry, *more)
    return spoken(journey, who["store"], "lot", "receive", name, *words)


def release(journey, who, name):
    test = ("--limit", "= conforms", "--method", "FTIR", "--sample", "Q-1")
    journey.done(who["analyst"], "lot", "test", name, "identity", "conforms", *test)
    journey.done(who["qa"], "lot", "status", name, "released", "--reason", "R-1")


def test_rules_that_apply_to_nothing_are_no_pass(site, tmp_path):
    journey, who = site
    file = tmp_path / "own.yaml"
    file.write_text(DAIRY, encoding="utf-8")
    deliver(journey, who, "S-1", "--field", "contains=sucrose=plant")
    found = journey.run("assurance", "judge", "S-1", "--rules", file)
    assert (found.code, found.data["verdict"]) == (3, "inconclusive")
    assert "nothing was judged: no rule of own applies to anything in S-1" in found.data["evidence"]
    deliver(journey, who, "G-1", "--field", "contains=gelatine=bovine")
    found = journey.run("assurance", "judge", "G-1", "--rules", file)
    assert not any("nothing was judged" in line for line in found.data["evidence"])


VERDICT: dict[str, Any] = {
    "verdict": "pass",
    "criteria": [
        {"name": "a", "value": "1", "interval": None, "limit": "= 1", "limit_of_detection": None, "verdict": "pass"}
    ],
    "evidence": [],
    "versions": {},
    "seed": None,
}


def test_a_foreign_document_is_no_verdict_and_says_where(site, tmp_path):
    journey, who = site
    deliver(journey, who, "S-1")
    file = tmp_path / "verdict.json"
    officer = journey.enrol("The officer", "assurance_officer", by=who["admin"])
    documents: list[Any] = [{"name": "package", "version": "1"}, [], VERDICT | {"criteria": [{"name": "a"}]}, "x", None]
    for document in documents:
        file.write_text(json.dumps(document), encoding="utf-8")
        answer = journey.signed(officer, "assurance", "species", "S-1", file)
        assert answer.code == 2
        for item in answer.data["errors"]:
            assert item["file"] == str(file)
            assert item["message"].startswith("this is no verdict")
            assert "verify species" in item["remedy"]
    file.write_text(json.dumps(VERDICT), encoding="utf-8")
    journey.done(officer, "assurance", "species", "S-1", file)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*VERDICT, "x"]), inner, max_size=6),
    max_leaves=8,
)


@given(data=st.data(), key=st.sampled_from([*VERDICT]), value=json_values)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_document_gets_past_the_reader_as_something_else(data, key, value):
    document = data.draw(st.sampled_from([VERDICT | {key: value}, value, {name: VERDICT[name] for name in [key]}]))
    try:
        found = read_verdict(document, "f.json")
    except InputError as error:
        faults = error.parts
    else:
        faults = ()
        assert found.to_data() == {name: document[name] for name in VERDICT}
    assert all(part.position and part.remedy for part in faults)


def test_an_expired_delivery_is_received_and_said_so_at_once(site):
    journey, who = site
    code, said = deliver(journey, who, "S-1", expiry="2026-03-01")
    assert code == 0
    assert "S-1 is received, in quarantine" in said
    assert "expired on 2026-03-01" in said
    assert "expired" in journey.said("lot", "list")
    assert "expired" in journey.said("lot", "show", "S-1")
    assert "已过期" in journey.said("lot", "list", "--lang", "zh")
    assert journey.done(None, "lot", "list")[0]["expired"] is True
    _code, said = deliver(journey, who, "S-2", expiry="2026-03-02")
    assert "expired" not in said  # the last day of use is a day of use
    assert journey.done(None, "lot", "show", "S-2")["expired"] is False


def test_a_movement_without_a_ticket_is_recorded_once(site):
    journey, who = site
    deliver(journey, who, "S-1")
    release(journey, who, "S-1")
    use = ("lot", "consume", "S-1", "1.5 kg", "--batch", "B-1")
    assert journey.done(who["operator"], *use)["remaining"] == "3.5"
    again = journey.done(who["operator"], *use)
    assert (again["remaining"], again["fresh"]) == ("3.5", False)
    code, said = spoken(journey, who["operator"], *use)
    assert code == 0
    assert "nothing was added; --reference" in said
    more = journey.done(who["operator"], *use, "--reference", "W-2")
    assert (more["remaining"], more["fresh"]) == ("2", True)
    assert journey.done(who["operator"], "lot", "consume", "S-1", "1500 g", "--batch", "B-1")["remaining"] == "0.5"
    for words in (("discard", "S-1", "100 g", "--reason", "spilt"), ("ship", "S-1", "100 g", "--to", "Clinic")):
        first = journey.done(who["store"], "lot", *words)
        assert journey.done(who["store"], "lot", *words)["remaining"] == first["remaining"]
    other = ("lot", "discard", "S-1", "100 g", "--reason", "wet")
    assert journey.done(who["store"], *other)["remaining"] == "0.2"


def test_what_is_recorded_already_is_told_with_who_and_when(site):
    journey, who = site
    deliver(journey, who, "S-1")
    test = ("lot", "test", "S-1", "identity", "conforms", "--limit", "= conforms", "--method", "IR", "--sample", "Q-1")
    journey.done(who["analyst"], *test)
    journey.later(hours=1)
    second = journey.signed(who["analyst"], *("fails" if word == "conforms" else word for word in test))
    assert second.code == 2
    assert "The analyst" in second.words
    assert "2026-03-02T08:00:00" in second.words
    assert "value conforms, not fails" in second.words
    assert "lot invalidate-test" in second.data["errors"][0]["remedy"]
    assert "event is stored under the id" not in second.words
    bank = ("--tier", "master", "--kind", "microbial", "--material", "E", "--age", 1, "--age-limit", 9)
    journey.done(who["store"], "bank", "create", "MCB-1", *bank)
    journey.done(who["store"], "bank", "fill", "MCB-1", "--vials", 4)
    journey.done(who["store"], "bank", "fill", "MCB-1", "--vials", 4)
    refilled = journey.signed(who["store"], "bank", "fill", "MCB-1", "--vials", 5)
    assert "The store" in refilled.words
    assert "vials 4, not 5" in refilled.words
    assert "A bank is filled once" in refilled.data["errors"][0]["remedy"]
    other = journey.signed(who["other"], "bank", "fill", "MCB-1", "--vials", 4)
    assert other.code == 2
    assert f"actor {who['store']}, not {who['other']}" in other.words


def test_a_vial_entered_late_does_not_escape_the_excursion(site, tmp_path):
    journey, who = site
    bank = ("--tier", "research", "--kind", "microbial", "--material", "E", "--age", 1, "--age-limit", 9)
    journey.done(who["store"], "bank", "create", "RCB", *bank)
    journey.done(who["store"], "bank", "fill", "RCB", "--vials", 4)
    journey.done(who["store"], "bank", "place", "RCB", "F1/R1/B1", "--count", 1)
    log = tmp_path / "f1.csv"
    log.write_text(
        "time,temperature\n2026-03-02T09:00:00Z,-150\n2026-03-02T10:00:00Z,-100\n2026-03-02T11:00:00Z,-150\n"
    )
    journey.later(hours=4)
    words = ("bank", "excursion", "F1", log, "--limit", "<= -130 degC", "--silence", "2 h")
    (found,) = journey.done(who["store"], *words)["excursions"]
    assert found["vials"] == ["RCB-001"]
    late = ("bank", "place", "RCB", "F1/R1/B1", "--vial")
    code, said = spoken(journey, who["store"], *late, "RCB-002", "--at", "2026-03-02T10:30:00Z")
    assert code == 0, said
    assert "RCB-002" in said
    assert f"on hold: it stood there during {found['excursion']}" in said
    journey.done(who["store"], *late, "RCB-003", "--at", "2026-03-02T11:00:01Z")  # it was cold again
    vials = {item["vial"]: item["holds"] for item in journey.done(None, "bank", "show", "RCB")["vials"]}
    assert vials == {"RCB-001": [found["excursion"]], "RCB-002": [found["excursion"]], "RCB-003": [], "RCB-004": []}
    assess = ("bank", "assess", found["excursion"], "--decision", "keep", "--reason", "viable")
    journey.done(who["qa"], *assess)
    later = (*late, "RCB-004", "--at", "2026-03-02T10:59:00Z")
    journey.done(who["store"], *later)  # the assessment said nothing of this one
    vials = {item["vial"]: item["holds"] for item in journey.done(None, "bank", "show", "RCB")["vials"]}
    assert vials["RCB-004"] == [found["excursion"]]
    assert vials["RCB-002"] == []
    journey.done(who["qa"], "bank", "assess", found["excursion"], "--decision", "reject", "--reason", "not tested")
    vials = {item["vial"]: item for item in journey.done(None, "bank", "show", "RCB")["vials"]}
    assert vials["RCB-004"]["rejected"] == found["excursion"]
    assert vials["RCB-002"]["rejected"] is None
    ahead = journey.signed(who["store"], "bank", "move", "RCB-002=F1/R1/B1/C1", "--at", "2027-01-01T00:00:00Z")
    assert ahead.code == 2
    assert "lies ahead" in ahead.words


@needs("jsonschema", "rfc3339_validator", "rfc3986_validator")
def test_vials_have_a_life_in_the_export_from_filling_to_use(site, tmp_path):
    journey, who = site
    leader = journey.enrol("The leader", "shift_leader", by=who["admin"])
    bank = ("--tier", "research", "--kind", "microbial", "--material", "E", "--age", 1, "--age-limit", 9)
    journey.done(who["store"], "bank", "create", "RCB", *bank)
    journey.done(who["store"], "bank", "fill", "RCB", "--vials", 3)
    journey.done(who["store"], "bank", "place", "RCB", "F1/R1/B1")
    journey.done(who["store"], "bank", "move", "RCB-003=F1/R1/B2/A1")
    out = ("bank", "withdraw", "RCB", "--reason", "x")
    journey.done(leader, *out, "--vial", "RCB-001", "--purpose", "bank", "--for", "MCB")
    journey.done(leader, *out, "--vial", "RCB-002", "--purpose", "destruction")
    mother = ("--tier", "master", "--kind", "microbial", "--material", "E", "--age", 2, "--age-limit", 9)
    journey.done(who["store"], "bank", "create", "MCB", *mother, "--from", "RCB-001")
    journey.done(who["store"], "bank", "fill", "MCB", "--vials", 2)
    file = tmp_path / "events.jsonld"
    journey.done(None, "lot", "export", "--epcis", file)
    document = json.loads(file.read_text())
    assert epcis_judge.faults(document) == []
    events = document["epcisBody"]["eventList"]
    lives: dict[str, list[str]] = {}
    for event in events:
        for vial in (*event.get("epcList", ()), *event.get("inputEPCList", ())):
            lives.setdefault(vial.rpartition("/")[2], []).append(event["bizStep"])
    assert lives == {
        "RCB-001": ["commissioning", "storing", "picking", "commissioning"],
        "RCB-002": ["commissioning", "storing", "destroying"],
        "RCB-003": ["commissioning", "storing", "storing"],
        "MCB-001": ["commissioning"],
        "MCB-002": ["commissioning"],
    }
    (used,) = [event for event in events if event.get("inputEPCList")]
    assert used["type"] == "TransformationEvent"
    moved = [event for event in events if event.get("bizStep") == "storing"][-1]
    assert moved["bizLocation"]["id"].endswith("F1%2FR1%2FB2")
    assert moved["seedtrain:positions"] == {"RCB-003": "A1"}
