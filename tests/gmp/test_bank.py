"""Banks as a user keeps them: made, filled, placed, tested, held after an excursion, taken out by two persons."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from seedtrain.base import InputErrors
from seedtrain.gmp import (
    Plan,
    create_bank,
    fill_bank,
    genealogy,
    inventory,
    judge_bank,
    open_holds,
    place_vials,
    read_plan,
    where_used,
)
from seedtrain.record import Draft, append_signed, enrol_person, open_ledger, verify
from tests.gmp_scenarios.journey import Journey
from tests.worked import called

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MASTER = ("--tier", "master", "--kind", "microbial", "--material", "BL21-COL3")
AGE = ("--age", 20, "--age-limit", 60, "--age-unit", "generations", "--plan", "microbial")
PASSING = {
    "identity": "conforms",
    "purity": "no foreign growth",
    "viable count": "4.2e8",
    "bacteriophage": "not detected",
    "coding sequence": "conforms",
    "plasmid retention": "99 %",
    "copy number": "conforms",
}
AT_THE_END = ("purity", "bacteriophage", "coding sequence", "plasmid retention", "copy number")


@dataclass
class Life(Journey):
    """A journey with its people by the word for what they do."""

    people: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def life(tmp_path):
    journey = Life(tmp_path, START)
    journey.people = journey.crew(
        keeper="warehouse", leader="shift_leader", other="shift_leader", qc="quality_control", qa="quality_assurance"
    )
    return journey


def master(life, vials=6):
    people = life.people
    life.done(people["keeper"], "bank", "create", "MCB-1", *MASTER, *AGE, "--reserve", 4)
    life.done(people["keeper"], "bank", "fill", "MCB-1", "--vials", vials, "--content", "1 mL")
    life.done(people["keeper"], "bank", "place", "MCB-1", "F1/R1/B1", "--first", "A1", "--grid", "3x3")


def put_results(life, bank, level=(), only=None, codes=(0, 3)):
    qc = life.people["qc"]
    for name, value in PASSING.items():
        if only is None or name in only:
            words = ["bank", "test", bank, "--attribute", name, "--value", value, "--sample", "S-1", *level]
            answer = life.signed(qc, *words)
            assert answer.code in codes, answer.words
    return life.run("bank", "test", bank)


def test_a_bank_from_its_making_to_a_working_bank_of_one_of_its_vials(life):
    people = life.people
    master(life)
    assert life.run("bank", "test", "MCB-1").code == 3  # nothing is tested yet
    assert put_results(life, "MCB-1").code == 3  # the end of production is still open
    answer = put_results(life, "MCB-1", ("--end-of-production",), AT_THE_END)
    assert answer.code == 0
    assert answer.data["verdict"] == "pass"

    words = ["bank", "withdraw", "MCB-1", "--vial", "MCB-1-001", "--purpose", "bank", "--for", "WCB-1"]
    asked = life.done(people["leader"], *words, "--reason", "the first working bank")
    assert asked["request"]
    assert asked["left"] == 6  # nothing has left the freezer
    again = life.done(people["leader"], *words, "--reason", "the first working bank")
    assert again["request"] == asked["request"]
    alone = life.signed(people["leader"], "bank", "confirm", "MCB-1", asked["request"])
    assert alone.code == 2
    assert "another person" in alone.words
    confirmed = life.done(people["other"], "bank", "confirm", "MCB-1", asked["request"])
    assert (confirmed["left"], confirmed["below_reserve"], confirmed["request"]) == (5, False, None)

    working = ("--tier", "working", "--kind", "microbial", "--material", "BL21-COL3", "--from", "MCB-1-001")
    young = ("--age", 10, "--age-limit", 60, "--age-unit", "generations")
    for wrong, why in (
        ((*working[:-1], "MCB-1-002", *AGE), "is stored"),
        ((*working[:-2], *AGE), "not made from a vial of a master bank"),
        ((*working, *young), "cannot come from"),
        ((*working, "--age", 61, "--age-limit", 60, "--age-unit", "generations"), "beyond the limit"),
    ):
        answer = life.signed(people["keeper"], "bank", "create", "WCB-1", *wrong)
        assert answer.code == 2, answer.words
        assert why in answer.words
    older = ("--age", 28, "--age-limit", 60, "--age-unit", "generations", "--plan", "microbial")
    life.done(people["keeper"], "bank", "create", "WCB-1", *working, *older)
    life.done(people["keeper"], "bank", "create", "WCB-1", *working, *older)  # said twice, done once
    life.done(people["keeper"], "bank", "fill", "WCB-1", "--vials", 3)
    twice = life.signed(people["keeper"], "bank", "create", "WCB-2", *working, *older)
    assert "is withdrawn, for bank WCB-1" in twice.words

    with open_ledger(life.record) as ledger:
        assert [line.lot for line in genealogy(ledger.events(), "WCB-1")] == ["WCB-1", "MCB-1-001", "MCB-1"]
        assert [line.lot for line in where_used(ledger.events(), "MCB-1")] == ["MCB-1", "MCB-1-001", "WCB-1"]
    rows = {row["bank"]: row for row in life.done(None, "bank", "list")}
    assert (rows["MCB-1"]["made"], rows["MCB-1"]["stored"], rows["MCB-1"]["withdrawn"]) == (6, 5, 1)
    assert rows["WCB-1"]["from"] == "MCB-1-001"
    assert verify(life.record).verdict == "pass"


def test_production_takes_no_vial_of_a_bank_whose_tests_are_open_or_failed(life):
    people = life.people
    master(life)
    words = ["bank", "withdraw", "MCB-1", "--count", 1, "--purpose", "production", "--for", "B-1", "--reason", "B-1"]
    refused = life.signed(people["leader"], *words)
    assert refused.code == 2
    assert "not passed: inconclusive" in refused.words
    bad = ["bank", "test", "MCB-1", "--attribute", "purity", "--value", "foreign growth", "--sample", "S-2"]
    assert life.signed(people["qc"], *bad).code == 1
    put_results(life, "MCB-1", codes=(1,))  # a later result that passes takes nothing back
    assert life.run("bank", "test", "MCB-1").code == 1
    derive = ["bank", "withdraw", "MCB-1", "--count", 1, "--purpose", "bank", "--for", "W", "--reason", "x"]
    assert "not passed: fail" in life.signed(people["leader"], *derive).words


def test_who_may_not_and_what_lacks_a_reason_is_refused(life):
    people = life.people
    master(life)
    take = ["bank", "withdraw", "MCB-1", "--count", 1, "--purpose", "testing", "--reason"]
    for actor, words, why in (
        (people["keeper"], [*take, "x"], "may not do bank.withdraw"),
        (people["leader"], [*take, "  "], "has no reason"),
        (people["leader"], [*take[:-2], "production", "--reason", "x"], "needs its batch"),
        (people["leader"], ["bank", "place", "MCB-1", "F1/R1/B1"], "every vial of MCB-1 has its place"),
        (people["leader"], ["bank", "move", "MCB-1-001=F1/R1/B1/A2"], "holds MCB-1-002"),
        (people["leader"], ["bank", "move", "MCB-1-001=F1/R1/B1/D1"], "has no position D1"),
        (people["qa"], ["bank", "create", "X", *MASTER, *AGE, "--from", "MCB-1-001"], "a vial of a master bank"),
        (
            people["qc"],
            ["bank", "test", "MCB-1", "--attribute", "colour", "--value", "red", "--sample", "S"],
            "no test",
        ),
        (
            people["qc"],
            ["bank", "test", "MCB-1", "--attribute", "viable count", "--value", "3 kg", "--sample", "S"],
            "kg",
        ),
    ):
        answer = life.signed(actor, *words)
        assert answer.code == 2, words
        assert why in answer.words


def test_the_reserve_warns_and_what_is_destroyed_is_counted(life):
    people = life.people
    master(life)
    words = ["bank", "withdraw", "MCB-1", "--purpose", "destruction", "--reason", "cracked"]
    vials = [item for number in (1, 2, 3) for item in ("--vial", f"MCB-1-00{number}")]
    asked = life.done(people["leader"], *words, *vials)
    clash = life.signed(people["other"], *words, "--vial", "MCB-1-003")
    assert "asks for one of these vials already" in clash.words
    done = life.done(people["qa"], "bank", "confirm", "MCB-1", asked["request"])
    assert (done["left"], done["below_reserve"]) == (3, True)
    said = life.run("bank", "show", "MCB-1").data
    assert (said["stored"], said["withdrawn"], said["destroyed"]) == (3, 0, 3)
    assert life.signed(people["qa"], "bank", "confirm", "MCB-1", asked["request"]).code == 2


LOG = """time,sensor,temperature
2026-03-03T00:00:00Z,a,-152
2026-03-03T01:00:00Z,a,-128
2026-03-03T01:30:00Z,a,-96.5
2026-03-03T02:00:00Z,a,-131
2026-03-03T02:10:00Z,a,-120
2026-03-03T02:14:00Z,a,-150
2026-03-03T06:00:00Z,a,-151
"""


def test_an_excursion_holds_the_vials_that_stood_there_then_until_quality_has_assessed_it(life):
    people = life.people
    master(life, vials=3)
    life.later(hours=18)  # 2026-03-03 02:00, in the middle of it: 001 leaves, 002 arrived elsewhere before
    life.done(people["keeper"], "bank", "move", "MCB-1-001=F2/R1/B1/A1", "--reason", "alarm")
    log = life.folder / "f1.csv"
    log.write_text(LOG)
    life.later(hours=10)
    words = ["bank", "excursion", "F1", log, "--limit", "<= -130 degC", "--longer-than", "10 min", "--silence", "2 h"]
    found = life.done(people["keeper"], *words)["excursions"]
    assert [(item["kind"], item["minutes"], item["peak"]) for item in found] == [
        ("temperature", "60", "-96.5"),
        ("no data", "226", None),
    ]
    assert found[0]["vials"] == ["MCB-1-001", "MCB-1-002", "MCB-1-003"]
    assert found[1]["vials"] == ["MCB-1-002", "MCB-1-003"]
    head = len(life.done(None, "record", "show", life.record))
    assert life.done(people["keeper"], *words)["excursions"] == found
    assert len(life.done(None, "record", "show", life.record)) == head  # the same table again changes nothing

    take = ["bank", "withdraw", "MCB-1", "--vial", "MCB-1-001", "--purpose", "bank", "--for", "W", "--reason", "x"]
    held = life.signed(people["leader"], *take)
    assert held.code == 2
    assert f"on hold: {found[0]['excursion']}" in held.words
    assess = ["bank", "assess", found[0]["excursion"], "--decision", "keep", "--reason", "viability 97 % after thaw"]
    assert "may not do quality.approve" in life.signed(people["keeper"], *assess).words
    assert life.done(people["qa"], *assess)["decision"] == "keep"
    other = ["bank", "assess", found[0]["excursion"], "--decision", "reject", "--reason", "second thoughts"]
    assert life.signed(people["qa"], *other).code == 2  # decided is decided
    assert life.done(people["leader"], *take)["request"]
    life.done(people["qa"], "bank", "assess", found[1]["excursion"], "--decision", "reject", "--reason", "not known")
    vials = {item["vial"]: item for item in life.done(None, "bank", "show", "MCB-1")["vials"]}
    assert vials["MCB-1-002"]["rejected"] == found[1]["excursion"]
    assert not vials["MCB-1-001"]["holds"]


def test_a_loggers_table_with_faults_is_refused_whole_with_every_line(life):
    master(life)
    log = life.folder / "bad.csv"
    log.write_text("time,temperature\n2026-03-03T00:00:00Z,warm\n2026-03-03T01:00:00,-150\n2026-03-03T01:00:00Z\n")
    answer = life.signed(life.people["keeper"], "bank", "excursion", "F1", log, "--limit", "<= -130 degC")
    assert answer.code == 2
    assert [error["line"] for error in answer.data["errors"]] == [2, 3, 4]
    log.write_text("time,temperature\n2026-03-03T00:00:00Z,-150\n2026-03-03T00:00:00Z,-151\n")
    answer = life.signed(life.people["keeper"], "bank", "excursion", "F1", log, "--limit", "<= -130 degC")
    assert "does not follow" in answer.words
    assert (
        "no vial stands in a freezer"
        in life.signed(life.people["keeper"], "bank", "excursion", "F9", _good(life), "--limit", "<= -130 degC").words
    )


def _good(life):
    path = life.folder / "good.csv"
    path.write_text(LOG)
    return path


def test_the_map_shows_each_vial_at_its_place(life, monkeypatch):
    master(life)
    svg = life.folder / "box.svg"
    data = life.done(None, "bank", "map", "F1/R1/B1", "--svg", svg)
    assert data["vials"] == {
        place: f"MCB-1-00{number}" for number, place in enumerate(["A1", "A2", "A3", "B1", "B2", "B3"], start=1)
    }
    root = ET.fromstring(svg.read_text())  # noqa: S314  # our own
    titles = [item.text for item in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "MCB-1-006: stored" in titles
    monkeypatch.setenv("SEEDTRAIN_RECORD", str(life.record))
    table = called("bank", "map", "F1/R1/B1").out
    assert table.splitlines()[2].split() == ["A", "MCB-1-001", "MCB-1-002", "MCB-1-003"]
    assert "库存中" in called("bank", "show", "MCB-1", "--lang", "zh").out
    assert "库存 6 支" in called("bank", "list", "--lang", "zh").out
    assert life.run("bank", "map", "F1/R1/B9").code == 2


@pytest.mark.parametrize("name", ["cell", "microbial", "vector"])
def test_the_plans_hold_what_they_say_and_say_where_it_comes_from(name):
    plan = read_plan(name)
    assert Plan.from_data(plan.to_data()) == plan
    assert plan.at("master")
    assert plan.at("working")
    for test in plan.tests:
        assert test.source
        assert test.checked in ("yes", "no")
    if name == "cell":  # the columns of Table 1 of ICH Q5A(R1) for the tests that are always done
        columns = {test.attribute: set(test.on) for test in plan.tests}
        assert columns["retrovirus infectivity"] == {"master", "end_of_production"}
        assert columns["antibody production"] == {"master"}


def test_a_plan_of_ones_own_is_read_with_the_place_of_every_fault(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(
        "name: own\ntitle: Own\ntests:\n"
        "  - {attribute: a, method: m, limit: about 3, on: [master], source: x, checked: 'no'}\n"
        "  - {attribute: b, method: m, limit: '>= 3 g', on: [cellar], source: x, checked: 'no'}\n"
    )
    with pytest.raises(InputErrors) as caught:
        read_plan(str(path))
    assert [item.position.line for item in caught.value.parts if item.position] == [4, 5]
    path.write_text(path.read_text().replace("about 3", "'>= 3 g'").replace("cellar", "master").replace("b,", "a,"))
    with pytest.raises(InputErrors, match="stands twice"):
        read_plan(str(path))


def test_what_was_made_from_a_vial_is_held_with_it_when_an_excursion_comes_to_light_later(life):
    people = life.people
    master(life, vials=3)
    life.later(hours=30)
    take = ["bank", "withdraw", "MCB-1", "--vial", "MCB-1-001", "--purpose", "bank", "--for", "WCB-1", "--reason", "x"]
    life.done(people["qa"], "bank", "confirm", "MCB-1", life.done(people["leader"], *take)["request"])
    working = ("--tier", "working", "--kind", "microbial", "--material", "BL21-COL3", "--from", "MCB-1-001")
    life.done(people["keeper"], "bank", "create", "WCB-1", *working, *AGE)
    life.done(people["keeper"], "bank", "fill", "WCB-1", "--vials", 2)
    with open_ledger(life.record) as ledger:
        assert not open_holds(ledger, "WCB-1")
    words = ["bank", "excursion", "F1", _good(life), "--limit", "<= -130 degC", "--longer-than", "10 min"]
    found = life.done(people["keeper"], *words, "--silence", "1 d")["excursions"]
    assert "MCB-1-001" in found[0]["vials"]
    with open_ledger(life.record) as ledger:
        assert [hold.root for hold in open_holds(ledger, "WCB-1")] == ["MCB-1-001"]
    life.done(people["qa"], "bank", "assess", found[0]["excursion"], "--decision", "keep", "--reason", "viable")
    with open_ledger(life.record) as ledger:
        assert not open_holds(ledger, "WCB-1")


def test_acts_written_past_the_commands_move_nothing_and_are_shown(tmp_path):
    with open_ledger(tmp_path / "record.db", clock=lambda: START) as ledger:
        leader = enrol_person(ledger, "The leader", ["shift_leader"], scripted=True)
        other = enrol_person(ledger, "Another leader", ["shift_leader"], scripted=True)
        qc = enrol_person(ledger, "Of QC", ["analyst"], scripted=True)
        plan = read_plan("microbial").to_data()
        bank: dict[str, Any] = {"tier": "master", "kind": "microbial", "material": "m", "age": 1, "age_limit": 9}
        create_bank(ledger, "MCB-1", leader, **bank, plan=plan)
        fill_bank(ledger, "MCB-1", 4, leader)
        place_vials(ledger, "MCB-1", "F1/R1/B1", leader)
        before = inventory(ledger)
        out = {"vials": ["MCB-1-001"], "purpose": "production", "for": "B-1", "request": "", "left": 3}
        there = {"box": "F2/R1/B1", "grid": "9x9", "places": {"MCB-1-002": "A1"}}
        asked = {"request": "R-1", "vials": ["MCB-1-001"], "purpose": "production", "for": "B-1"}
        result = {"attribute": "identity", "value": "conforms", "method": "m", "limit": "= conforms", "sample": "S"}
        ledger.append(Draft("bank.moved", "MCB-1", there, leader))  # not signed
        append_signed(ledger, Draft("bank.moved", "MCB-1", there, qc), "moved")  # not in the role
        append_signed(ledger, Draft("bank.withdrawn", "MCB-1", out, leader), "withdrawn")  # nobody asked
        after = inventory(ledger)
        assert (len(after.illegal), after.at, after.vials) == (3, before.at, before.vials)
        append_signed(ledger, Draft("bank.withdrawal_asked", "MCB-1", asked, leader, reason="x"), "asked")
        append_signed(ledger, Draft("bank.withdrawn", "MCB-1", out | {"request": "R-1"}, leader), "withdrawn")  # alone
        assert inventory(ledger).vials == before.vials
        append_signed(ledger, Draft("bank.withdrawn", "MCB-1", out | {"request": "R-1"}, other), "withdrawn")
        assert inventory(ledger).vial("MCB-1-001").state == "withdrawn"
        ledger.append(Draft("bank.tested", "MCB-1", result | {"level": "master", "valid": True}, qc))  # not signed
        verdict = judge_bank(ledger, inventory(ledger).bank("MCB-1"))
        assert next(item for item in verdict.criteria if item.name == "identity").verdict == "inconclusive"
