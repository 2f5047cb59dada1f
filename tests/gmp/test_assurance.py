"""Evidence for rules: what is inside at any depth, certificates, lines, points, tests; the unknown never passes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import seedtrain
from seedtrain.base import InputError, InputErrors
from seedtrain.gmp import (
    RULE_SETS,
    MaterialCertificate,
    RuleSet,
    check_cleaning,
    check_point,
    clean_equipment,
    declare_composition,
    issue_certificate,
    judge_rules,
    material_certificates,
    open_holds,
    read_rules,
    receive_lots,
    record_species_test,
    register_equipment,
    require_rules,
    required_rules,
    revoke_certificate,
)
from seedtrain.gmp._assurance._rules import matches
from seedtrain.quality import ANIMAL_ORIGINS, ORIGINS
from seedtrain.record import Draft, append_signed, enrol_person, open_ledger
from tests.gmp.made import lot
from tests.gmp_scenarios.journey import Journey

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
GELATINE = MaterialCertificate("C-1", "BPJPH", "BPJPH", "", "gelatine", "Supplier", date(2026, 1, 1), date(2027, 1, 1))
ONE_RULE = {"says": "s", "source": "s", "checked": "no"}


def rules(*entries):
    whole = [ONE_RULE | {"id": f"r{number}"} | entry for number, entry in enumerate(entries)]
    return RuleSet.from_data({"name": "own", "title": "Own", "edition": "1", "rules": whole})


NO_PIG = rules({"kind": "origin", "excludes": ["porcine"]})
CERTIFIED = rules({"kind": "certificate", "schemes": ["BPJPH"], "origins": ["animal"]})


class Plant:
    """A ledger, an officer, an operator and a clock."""

    def __init__(self, folder):
        self.clock = START
        self.ledger = open_ledger(folder / "record.db", clock=lambda: self.clock)
        self.officer = enrol_person(self.ledger, "The officer", ["assurance_officer"], scripted=True)
        self.operator = enrol_person(self.ledger, "The operator", ["operator"], scripted=True)
        self.other = enrol_person(self.ledger, "Another", ["operator"], scripted=True)

    def receive(self, *lots):
        receive_lots(self.ledger, lots, self.operator, at=self.clock)

    def batch(self, name, *lots, on=None):
        payload = {"recipe": "r", "recipe_digest": "d", "master_digest": "m", "unit": "T", "volume": "1 L"}
        self.ledger.append(Draft("batch.created", name, payload, self.operator, self.clock))
        for item in lots:
            used = {"lot": item, "material": "m", "amount": "1", "unit": "g", "phase": "p"}
            self.ledger.append(Draft("lot.consumed", name, used, self.operator, self.clock))
        if on:
            use = {"batch": name, "phase": "p", "product": name.lower()}
            self.ledger.append(Draft("equipment.used", on, use, self.operator, self.clock))
            self.ledger.append(
                Draft("equipment.use_ended", on, {"batch": name, "phase": "p"}, self.operator, self.clock)
            )
        self.clock += timedelta(hours=1)

    def clean(self, equipment, procedure, checked=True):
        clean_equipment(self.ledger, equipment, self.operator, procedure=procedure, at=self.clock)
        if checked:
            check_cleaning(self.ledger, equipment, self.other, at=self.clock)
        self.clock += timedelta(hours=1)

    def judge(self, name, found):
        return judge_rules(self.ledger, name, found)


@pytest.fixture
def plant(tmp_path):
    found = Plant(tmp_path)
    yield found
    found.ledger.close()


def declared(plant, folder, text):
    path = folder / f"{abs(hash(text))}.yaml"
    path.write_text(text)
    return declare_composition(plant.ledger, path, plant.officer)


CAPSULE = """
material: capsule
supplier: Supplier
contains:
  - name: shell
    contains:
      - {name: gelatine, origin: bovine}
      - {name: lubricant}
  - {name: colour, origin: mineral, allergens: []}
"""


def test_the_rules_reach_inside_what_is_inside(plant, tmp_path):
    plant.receive(lot("CAP-1", "capsule", origins=()), lot("W-1", "water", origins=("mineral",)))
    plant.batch("B-1", "CAP-1", "W-1")
    before = plant.judge("B-1", NO_PIG)
    assert before.verdict == "inconclusive"
    assert before.criteria[0].value == "none of 2 ingredients: porcine origin; 1 of 2 ingredients undeclared"
    declared(plant, tmp_path, CAPSULE)
    found = plant.judge("B-1", NO_PIG)
    assert found.criteria[0].value == "none of 4 ingredients: porcine origin; 1 of 4 ingredients undeclared"
    assert any("CAP-1: shell > lubricant" in line for line in found.evidence)
    declared(
        plant, tmp_path, "material: lubricant\nsupplier: Fat Ltd\ncontains:\n  - {name: stearate, origin: plant}\n"
    )
    assert plant.judge("B-1", NO_PIG).verdict == "pass"
    declared(
        plant, tmp_path, "material: lubricant\nsupplier: Fat Ltd\ncontains:\n  - {name: tallow, origin: porcine}\n"
    )
    found = plant.judge("B-1", NO_PIG)
    assert found.verdict == "fail"
    assert any("CAP-1: shell > lubricant > tallow, porcine" in line for line in found.evidence)
    assert declared(plant, tmp_path, CAPSULE) == ()  # said already


def test_a_declaration_beneath_does_not_take_back_what_stands_above_it(plant, tmp_path):
    """A part that is called porcine stays so, whatever its own parts are said to come from; so does a lot's receipt."""
    declared(
        plant,
        tmp_path,
        "material: mix\nsupplier: Supplier\ncontains:\n  - name: peptone\n    origin: porcine\n"
        "    contains: [{name: soy, origin: plant}]\n",
    )
    plant.receive(lot("M-1", "mix", origins=()), lot("N-1", "mix two", origins=("porcine",)))
    declared(plant, tmp_path, "material: mix two\nsupplier: Supplier\ncontains: [{name: a, origin: plant}]\n")
    assert plant.judge("M-1", NO_PIG).verdict == "fail"
    assert plant.judge("N-1", NO_PIG).verdict == "fail"


def test_materials_that_contain_each_other_come_to_an_end(plant, tmp_path):
    declared(plant, tmp_path, "material: a\nsupplier: Supplier\ncontains: [{name: b}]\n")
    declared(plant, tmp_path, "material: b\nsupplier: Supplier\ncontains: [{name: a}]\n")
    plant.receive(lot("A-1", "a", origins=()))
    assert plant.judge("A-1", NO_PIG).verdict == "inconclusive"


PARTS = st.recursive(
    st.tuples(st.sampled_from([None, "animal", *ORIGINS]), st.just(())),
    lambda inner: st.tuples(st.sampled_from([None, "plant", "mineral"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=8,
)


def as_yaml(part, number="x"):
    origin, inside = part
    text = f"{{name: n{number}" + (f", origin: {origin}" if origin else "")
    if inside:
        text += ", contains: [" + ", ".join(as_yaml(item, f"{number}{at}") for at, item in enumerate(inside)) + "]"
    return text + "}"


def bottom(part):
    origin, inside = part
    if not inside:
        return [origin]
    return [item for inner in inside for item in bottom(inner)] + ([origin] if origin else [])


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PARTS, min_size=1, max_size=3), st.sampled_from([*ANIMAL_ORIGINS, "plant", "animal"]))
def test_any_tree_is_judged_by_its_ends(tmp_path_factory, parts, excluded):
    """Against the plainest reading of a tree: one excluded end fails, else one unknown end leaves it open."""
    folder = tmp_path_factory.mktemp("tree")
    plant = Plant(folder)
    inside = ", ".join(as_yaml(part, str(at)) for at, part in enumerate(parts))
    declared(plant, folder, f"material: mix\nsupplier: Supplier\ncontains: [{inside}]\n")
    plant.receive(lot("M-1", "mix", origins=()))
    ends = [end for part in parts for end in bottom(part)]
    banned = set(ANIMAL_ORIGINS) | {"animal"} if excluded == "animal" else {excluded}
    vague = {None, "animal"} if excluded in ANIMAL_ORIGINS else {None}
    expected = "fail" if banned & set(ends) else "inconclusive" if vague & set(ends) else "pass"
    verdict = plant.judge("M-1", rules({"kind": "origin", "excludes": [excluded]}))
    plant.ledger.close()
    assert verdict.verdict == expected
    assert f"of {len(ends)} ingredients" in str(verdict.criteria[0].value)


@given(st.sampled_from([None, "animal", *ORIGINS]), st.lists(st.sampled_from([*ORIGINS, "animal"]), min_size=1))
def test_an_origin_matches_what_it_is_and_an_unnamed_animal_may_be_any_of_them(origin, wanted):
    found = matches(origin, tuple(wanted))
    if origin is None:
        assert found is None
    elif origin == "animal":
        assert found is (True if "animal" in wanted else None if set(wanted) & set(ANIMAL_ORIGINS) else False)
    else:
        assert found is (origin in wanted or ("animal" in wanted and origin in ANIMAL_ORIGINS))


# certificates


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "pass"),
        ({"material": " Gelatine ", "supplier": "SUPPLIER"}, "pass"),
        ({"valid_until": None}, "pass"),
        ({"valid_until": START.date()}, "pass"),
        ({"valid_until": START.date() - timedelta(days=1)}, "fail"),
        ({"valid_from": START.date() + timedelta(days=1)}, "fail"),
        ({"supplier": "Somebody else"}, "inconclusive"),
        ({"material": "collagen"}, "inconclusive"),
        ({"scheme": "a friend's word"}, "inconclusive"),
        ({"lots": ("G-2",)}, "inconclusive"),
        ({"lots": ("G-1",)}, "pass"),
    ],
)
def test_a_certificate_counts_for_its_material_its_supplier_and_its_days(plant, change, expected):
    plant.receive(lot("G-1", "gelatine", origins=("bovine",)), lot("W-1", "water", origins=("mineral",)))
    plant.batch("B-1", "G-1", "W-1")
    assert plant.judge("B-1", CERTIFIED).verdict == "inconclusive"
    issue_certificate(plant.ledger, replace(GELATINE, **change), plant.officer)
    found = plant.judge("B-1", CERTIFIED)
    assert found.verdict == expected
    good = int(expected == "pass")
    assert found.criteria[0].value == f"{good} of 1 lots that need a certificate have one"


def test_what_is_not_declared_may_need_a_certificate(plant):
    plant.receive(lot("G-1", "powder", origins=(None,)))
    assert plant.judge("G-1", CERTIFIED).verdict == "inconclusive"
    plant.batch("B-1")  # nothing went in: nothing is known
    assert plant.judge("B-1", CERTIFIED).verdict == "inconclusive"
    plant.batch("B-2", "GHOST")
    assert plant.judge("B-2", rules({"kind": "traceability"})).verdict == "fail"
    with pytest.raises(InputError, match="knows no lot"):
        plant.judge("NOBODY", CERTIFIED)


def test_a_revocation_holds_every_lot_downstream_and_only_those(plant):
    plant.receive(
        lot("G-1", "gelatine", origins=("bovine",)),
        lot("G-2", "gelatine", origins=("bovine",)),
        replace(lot("G-9", "gelatine", origins=("bovine",)), supplier="Another"),
        lot("W-1", "water", origins=("mineral",)),
    )
    for certificate in (GELATINE, replace(GELATINE, number="C-2", lots=("G-2",)), replace(GELATINE, number="C-9")):
        issue_certificate(plant.ledger, certificate, plant.officer)
    with pytest.raises(InputError):
        issue_certificate(plant.ledger, replace(GELATINE, scheme="X"), plant.officer)
    revoke_certificate(plant.ledger, "C-9", "a mistake", plant.officer)
    assert not open_holds(plant.ledger, "G-1")  # C-1 covers the same
    plant.batch("B-1", "G-1", "W-1")
    plant.batch("B-2", "B-1")
    plant.batch("B-3", "G-2", "W-1")
    plant.batch("B-4", "G-9")
    with pytest.raises(InputError, match="without a reason"):
        revoke_certificate(plant.ledger, "C-1", " ", plant.officer)
    with pytest.raises(InputError, match="may not do"):
        revoke_certificate(plant.ledger, "C-1", "x", plant.operator)
    found = revoke_certificate(plant.ledger, "C-1", "letter of the issuer", plant.officer)
    assert found.held == ("G-1", "B-1", "B-2")
    assert found.covered == ("G-2",)
    every = ("G-1", "B-1", "B-2", "G-2", "B-3", "G-9", "B-4", "W-1")
    assert [name for name in every if open_holds(plant.ledger, name)] == ["G-1", "B-1", "B-2"]
    assert "revoked on 2026-03-02: letter of the issuer" in str(plant.judge("B-2", CERTIFIED).evidence)
    assert plant.judge("B-2", CERTIFIED).verdict == "fail"
    assert plant.judge("B-2", rules({"kind": "no_hold"})).verdict == "fail"
    assert plant.judge("B-3", rules({"kind": "no_hold"})).verdict == "pass"
    head = plant.ledger.head
    again = revoke_certificate(plant.ledger, "C-1", "letter of the issuer", plant.officer)
    assert (again.held, plant.ledger.head) == (found.held, head)
    plant.batch("B-5", "B-2")  # made afterwards: held too
    assert open_holds(plant.ledger, "B-5")
    assert {item.number: item.revoked is None for item in material_certificates(plant.ledger)} == {
        "C-1": False,
        "C-2": True,
        "C-9": False,
    }


# lines, points, tests


def line(conversions=1, cleaning=("hot caustic",)):
    return rules({"kind": "line", "after": ["porcine"], "cleaning": list(cleaning), "conversions": str(conversions)})


@pytest.mark.parametrize(
    ("history", "conversions", "expected"),
    [
        ("", 0, "pass"),
        ("P", 1, "fail"),
        ("Pc", 1, "pass"),
        ("Pu", 1, "fail"),  # a cleaning that nobody checked
        ("Po", 1, "fail"),  # another procedure
        ("cP", 1, "fail"),  # cleaned before, not since
        ("Pc", 0, "fail"),  # a dedicated line
        ("PcVPc", 1, "fail"),  # alternating use
        ("PcVPc", 2, "pass"),
        ("V", 0, "pass"),
        ("U", 1, "inconclusive"),  # nobody declared what it was made of
        ("Uc", 1, "pass"),
    ],
)
def test_a_line_remembers_what_it_made_and_how_it_was_cleaned(plant, history, conversions, expected):
    technician = enrol_person(plant.ledger, "The technician", ["maintenance"], scripted=True)
    register_equipment(plant.ledger, "T-1", technician, name="tank", kind="tank", cleaned=True)
    origins = {"P": ("porcine",), "V": ("plant",), "U": (None,)}
    for number, step in enumerate(history):
        if step in origins:
            plant.receive(lot(f"L-{number}", "m", origins=origins[step]))
            plant.batch(f"X-{number}", f"L-{number}", on="T-1")
        else:
            plant.clean("T-1", "cold water" if step == "o" else "Hot  Caustic", checked=step != "u")
    plant.receive(lot("W-1", "water", origins=("mineral",)))
    plant.batch("B-1", "W-1", on="T-1")
    found = plant.judge("B-1", line(conversions))
    assert found.verdict == expected, found.evidence
    plant.batch("B-2", "W-1")
    assert plant.judge("B-2", line(conversions)).verdict == "inconclusive"  # no log of equipment


def test_critical_points_and_species_tests_are_asked_where_they_apply(plant):
    asked = rules(
        {"kind": "critical_point", "point": "slaughter", "origins": ["bovine", "avian"]},
        {"kind": "species_test", "target": "porcine", "origins": ["bovine", "animal"]},
    )
    plant.receive(lot("G-1", "gelatine", origins=("bovine",)), lot("F-1", "fish gelatine", origins=("fish",)))
    plant.batch("B-1", "G-1", "F-1")
    assert [item.verdict for item in plant.judge("F-1", asked).criteria] == ["pass", "inconclusive"]
    assert plant.judge("B-1", asked).verdict == "inconclusive"
    check_point(plant.ledger, "G-1", "slaughter", "pass", "certificate C-1, plant 42", plant.officer)
    passed: dict[str, Any] = {"verdict": "pass", "criteria": [], "evidence": [], "versions": {}, "seed": None}
    clean = {"name": "porcine", "value": 0.0, "interval": None, "limit": "= 0", "limit_of_detection": 0.001}
    passed["criteria"] = [clean | {"verdict": "pass"}]
    for name in ("G-1", "F-1"):
        assert record_species_test(plant.ledger, name, passed, "porcine", plant.officer).order is None
    assert plant.judge("B-1", asked).verdict == "pass"
    failed = passed | {"verdict": "fail", "criteria": [clean | {"verdict": "fail", "value": 0.02}]}
    order = record_species_test(plant.ledger, "G-1", failed, "porcine", plant.officer).order
    assert order is not None
    assert [item.lot for item in order.lots] == ["G-1", "B-1"]
    record_species_test(plant.ledger, "G-1", passed | {"seed": 2}, "porcine", plant.officer)
    assert plant.judge("B-1", asked).verdict == "fail"  # a later test takes nothing back
    of_another = passed | {"evidence": ["lot F-1"]}
    on_another = passed | {"criteria": [clean | {"name": "bovine material", "verdict": "pass"}]}
    for document, words in ((of_another, "of lot F-1, not of G-1"), (on_another, "on bovine material, not porcine")):
        with pytest.raises(InputError, match=words):
            record_species_test(plant.ledger, "G-1", document, "porcine", plant.officer)
    for wrong in ({}, {"verdict": "fine"}, passed | {"verdict": "halal"}, passed | {"criteria": [{}]}):
        with pytest.raises(InputError, match="no verdict"):
            record_species_test(plant.ledger, "G-1", wrong, "porcine", plant.officer)
    with pytest.raises(InputError, match="knows no lot"):
        check_point(plant.ledger, "NOBODY", "slaughter", "pass", "x", plant.officer)


def test_allergens_that_nobody_declared_are_unknown(plant, tmp_path):
    found = rules({"kind": "allergen", "excludes": ["milk"]}, {"kind": "substance", "excludes": ["ethanol"]})
    plant.receive(lot("M-1", "mix", origins=("plant",)))
    assert [item.verdict for item in plant.judge("M-1", found).criteria] == ["inconclusive", "pass"]
    head = "material: mix\nsupplier: Supplier\ncontains:\n  - {name: part 1, origin: plant, allergens: "
    declared(plant, tmp_path, head + "[]}\n")
    assert plant.judge("M-1", found).criteria[0].verdict == "inconclusive"  # the receipt's own entry says nothing
    declared(plant, tmp_path, head + "[Milk]}\n")
    assert plant.judge("M-1", found).criteria[0].verdict == "fail"


def test_evidence_that_was_written_past_the_commands_vouches_for_nothing(plant):
    """Unsigned, or signed by somebody without the duty: no pass comes of it; what speaks against a lot counts."""
    asked = rules(
        {"kind": "certificate", "schemes": ["BPJPH"], "origins": ["animal"]},
        {"kind": "critical_point", "point": "slaughter", "origins": ["bovine"]},
        {"kind": "species_test", "target": "porcine", "origins": ["bovine"]},
    )
    plant.receive(lot("G-1", "gelatine", origins=("bovine",)), lot("P-1", "powder", origins=()))
    issued: dict[str, Any] = {"scheme": "BPJPH", "issuer": "BPJPH", "scope": "", "material": "gelatine"}
    issued |= {"supplier": "Supplier", "valid_from": "2026-01-01", "valid_until": None, "lots": [], "document": ""}
    point = {"point": "slaughter", "result": "pass", "basis": "x"}
    species = {"target": "porcine", "verdict": "pass", "summary": "x"}
    inside: dict[str, Any] = {"material": "powder", "supplier": "Supplier", "document": ""}
    inside["contains"] = [{"name": "starch", "origin": "plant", "allergens": None, "contains": []}]
    ended = {"name": "own", "digest": "", "ended": True, "rules": {}}
    require_rules(plant.ledger, "short", asked, plant.officer)
    for draft in (
        Draft("certificate.issued", "C-1", issued, plant.officer),
        Draft("assurance.point_checked", "G-1", point, plant.officer),
        Draft("assurance.species_tested", "G-1", species, plant.officer),
        Draft("assurance.composition_declared", "powder", inside, plant.officer),
        Draft("assurance.required", "short", ended, plant.officer),
    ):
        plant.ledger.append(draft)
        append_signed(plant.ledger, replace(draft, actor=plant.operator), "as if")
    assert [item.verdict for item in plant.judge("G-1", asked).criteria] == ["inconclusive"] * 3
    assert plant.judge("P-1", NO_PIG).verdict == "inconclusive"
    assert required_rules(plant.ledger, "short") == {"own": asked}
    plant.ledger.append(Draft("assurance.species_tested", "G-1", species | {"verdict": "fail"}, plant.operator))
    assert plant.judge("G-1", asked).criteria[2].verdict == "fail"


# rule sets


@pytest.mark.parametrize("name", RULE_SETS)
def test_every_rule_says_where_it_comes_from_and_how_far_that_was_read(name):
    found = read_rules(name)
    assert RuleSet.from_data(found.to_data()) == found
    assert found.digest == read_rules(name).digest
    for rule in found.rules:
        assert rule.source
        assert rule.checked in ("text", "summary", "no")


def test_a_rule_set_of_ones_own_is_read_with_the_place_of_every_fault(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(
        "name: mine\ntitle: Mine\nedition: '1'\nrules:\n"
        "  - {id: a, kind: origin, excludes: [pork], says: s, source: s, checked: 'no'}\n"
        "  - {id: b, kind: line, after: [porcine], says: this is halal, source: s, checked: maybe}\n"
        "  - {id: c, says: s, source: s, checked: 'no'}\n"
        "  - {id: d, kind: wish, says: s, source: s, checked: 'no'}\n"
    )
    with pytest.raises(InputErrors) as caught:
        read_rules(str(path))
    assert [item.position.line for item in caught.value.parts if item.position] == [5, 6, 6, 7, 8]
    good = "  - {id: a, kind: origin, excludes: [porcine], says: s, source: s, checked: 'no'}\n"
    path.write_text("name: mine\ntitle: Mine\nedition: '1'\nrules:\n" + good)
    assert read_rules(str(path)).name == "mine"
    path.write_text("name: mine\ntitle: Mine\nedition: '1'\nrules:\n" + good + good)
    with pytest.raises(InputErrors, match="stands twice"):
        read_rules(str(path))


def test_a_recipe_keeps_the_rules_as_they_were_required_until_it_ends(plant):
    assert require_rules(plant.ledger, "short", NO_PIG, plant.officer)
    assert require_rules(plant.ledger, "short", NO_PIG, plant.officer) == ()
    assert required_rules(plant.ledger, "short") == {"own": NO_PIG}
    assert require_rules(plant.ledger, "short", CERTIFIED, plant.officer)
    assert required_rules(plant.ledger, "short") == {"own": CERTIFIED}
    assert require_rules(plant.ledger, "short", CERTIFIED, plant.officer, ended=True)
    assert require_rules(plant.ledger, "short", CERTIFIED, plant.officer, ended=True) == ()
    assert required_rules(plant.ledger, "short") == {}
    with pytest.raises(InputError, match="may not do"):
        require_rules(plant.ledger, "short", NO_PIG, plant.operator)


# the words


def test_nothing_that_anybody_reads_states_a_religious_status():
    """No text for people in either language, and no rule set; only what recognises the words to refuse them may."""
    source = Path(seedtrain.__file__).parent
    words = re.compile(r"halal|haram\b|kosher|清真|合规宗教", re.IGNORECASE)
    files = [*source.glob("*/locale/*.po"), *source.glob("gmp/**/*.py"), *source.glob("gmp/**/*.yaml")]
    files += [*source.glob("cli/**/*.py"), *source.glob("quality/**/*.py"), *source.glob("report/**/*")]
    found = [
        f"{path.name}: {text.strip()}"
        for path in files
        if path.is_file() and path.suffix in (".po", ".py", ".yaml", ".html", ".typ", ".j2")
        for text in path.read_text("utf-8").splitlines()
        if words.search(text)
    ]
    assert found == ['_rules.py: _STATUS_WORDS: Final = re.compile(r"halal|haram|kosher|清真", re.IGNORECASE)']


def test_the_command_line_from_a_certificate_to_its_revocation(tmp_path):
    life = Journey(tmp_path, START)
    people = life.crew(officer="assurance_officer", operator="operator")
    words = ["assurance", "certificate", "issue", "C-1", "--scheme", "BPJPH", "--issuer", "BPJPH", "--material"]
    words += ["gelatine", "--supplier", "Supplier", "--valid-from", "2026-01-01", "--valid-until", "2027-01-01"]
    assert "may not do" in life.signed(people["operator"], *words).words
    life.done(people["officer"], *words)
    with open_ledger(life.record, clock=lambda: START) as ledger:
        receive_lots(ledger, [lot("G-1", "gelatine", origins=("bovine",))], people["operator"], at=START)
        used = {"lot": "G-1", "material": "gelatine", "amount": "1", "unit": "g", "phase": "p"}
        ledger.append(Draft("lot.consumed", "B-1", used, people["operator"], START))
    open_one = life.run("assurance", "judge", "B-1", "--rules", "sjph")
    assert open_one.code == 3
    by_name = {item["name"]: item for item in open_one.data["criteria"]}
    assert by_name["materials"]["value"] == "none of 1 ingredients: porcine origin, human origin"
    assert by_name["certificates of animal materials"]["verdict"] == "pass"
    assert by_name["slaughter"]["verdict"] == "inconclusive"
    point = ["assurance", "point", "G-1", "slaughter", "pass", "--basis", "C-1, plant 42"]
    life.done(people["officer"], *point)
    revoked = life.done(people["officer"], "assurance", "certificate", "revoke", "C-1", "--reason", "letter")
    assert revoked["held"] == ["G-1", "B-1"]
    assert [(row["lot"], row["depth"]) for row in revoked["orders"][0]["lots"]] == [("G-1", 0), ("B-1", 1)]
    assert life.run("assurance", "judge", "B-1", "--rules", "sjph").code == 1
    (row,) = life.run("assurance", "certificate", "list").data
    assert (row["number"], row["revoked"], row["reason"]) == ("C-1", "2026-03-02", "letter")
    for language in ("en", "zh"):
        said = life.run("assurance", "judge", "B-1", "--rules", "oic-smiic", "--lang", language)
        assert not re.search("halal|清真", said.words, re.IGNORECASE)
    assert {item["name"] for item in life.run("assurance", "rules").data} == set(RULE_SETS)
    assert life.run("assurance", "judge", "B-1", "--rules", "nonsense").code == 2
    assert life.signed(people["officer"], "assurance", "certificate", "revoke", "C-7", "--reason", "x").code == 2
