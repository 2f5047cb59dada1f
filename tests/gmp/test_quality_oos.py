"""Out-of-specification results: no testing into compliance, no conclusion against what was found."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.gmp import (
    TestContext,
    approve_retest,
    assess_laboratory,
    batch_record,
    close_investigation,
    correct_result,
    correct_value,
    find_investigation,
    invalidate_result,
    investigate_fully,
    investigations,
    open_investigations,
    plan_retest,
    record_results,
    record_retest,
    reportable,
)
from seedtrain.quality import Result, judge
from seedtrain.quantity import parse
from seedtrain.record import enrol_person
from tests.gmp.made import BATCH, GOOD
from tests.gmp.test_quality_deviations import PEOPLE, spoilt, story

OOS = f"{BATCH}-OOS-01"
BAD = {**GOOD, "purity": "94.2 %"}
FINDINGS: dict[str, Any] = {"findings": "nothing unusual"}


@pytest.fixture
def oos(made):
    """A batch with one result out of specification, investigated to the end of phase II."""
    made.run().results(BAD)
    for word, role in (("analyst2", "qc"), ("lead", "qc"), ("qa2", "qa")):
        made.people[word] = enrol_person(made.ledger, f"The {word}", [role], scripted=True)
    open_investigations(made.ledger, BATCH)
    return made


def who(made, name):
    return made.people[name]


def investigated(made, assignable=False):
    assess_laboratory(made.ledger, OOS, **FINDINGS, assignable=assignable, actor=who(made, "lead"))
    return investigate_fully(made.ledger, OOS, **FINDINGS, cause="not found", actor=who(made, "lead"))


def planned(made, retests=2):
    investigated(made)
    plan_retest(made.ledger, OOS, retests=retests, why="repeatability 1 %", actor=who(made, "lead"))
    return approve_retest(made.ledger, OOS, who(made, "qa"))


def retest(made, number, value="97 %", analyst="analyst2", **more):
    line = made.control.recipe.specification.line("purity")
    result = Result("purity", parse(value), line.method, more.pop("sample", "QC-1"))
    return record_retest(
        made.ledger, OOS, made.control.recipe.specification, result, number, who(made, analyst), **more
    )


def decided(made):
    made.review()
    return made.decide()


def test_an_investigation_is_opened_once_and_holds_the_batch(oos):
    assert open_investigations(oos.ledger, BATCH) == ()
    (found,) = investigations(oos.events())
    assert (found.name, found.attribute, found.reported, found.phase) == (OOS, "purity", "94 %", "laboratory")
    decision = decided(oos)
    assert decision.decision == "on_hold"
    assert f"{OOS} (purity) is not concluded" in decision.reasons


def test_confirmed_it_rejects(oos):
    with pytest.raises(
        InputError, match="the laboratory assessment is missing; the full-scale investigation is missing"
    ):
        close_investigation(oos.ledger, OOS, conclusion="confirmed", words="x", actor=who(oos, "qa"))
    investigated(oos)
    close_investigation(oos.ledger, OOS, conclusion="confirmed", words="low yield of step 3", actor=who(oos, "qa"))
    assert decided(oos).decision == "rejected"


def test_a_laboratory_error_is_invalidated_and_the_sample_tested_again(oos):
    with pytest.raises(InputError, match="needs another person"):
        assess_laboratory(oos.ledger, OOS, **FINDINGS, assignable=True, actor=who(oos, "qc"))
    with pytest.raises(InputError, match="no assignable error"):
        invalidate_result(oos.ledger, OOS, cause="pipette", actor=who(oos, "qa"))
    assess_laboratory(oos.ledger, OOS, findings="pipette 7 off", assignable=True, actor=who(oos, "lead"))
    with pytest.raises(InputError, match="neither invalidated nor corrected"):
        close_investigation(oos.ledger, OOS, conclusion="laboratory error", words="x", actor=who(oos, "qa"))
    with pytest.raises(InputError, match="another sample is not tested"):
        oos.results({"purity": "97 %"}, sample="QC-2")
    invalidate_result(oos.ledger, OOS, cause="pipette 7 off by 8 %", actor=who(oos, "qa"))
    close_investigation(oos.ledger, OOS, conclusion="laboratory error", words="pipette", actor=who(oos, "qa"))
    assert any("purity has no valid result" in reason for reason in decided(oos).reasons)
    oos.results({"purity": "97 %"}, sample="QC-1b")
    decision = decided(oos)
    assert decision.decision == "released", decision.reasons
    assert [item.value for item in oos.record.results if item.attribute == "purity"] == ["94.2", "97"]


def test_not_confirmed_by_every_planned_retest(oos):
    planned(oos, 2)
    retest(oos, 1)
    with pytest.raises(InputError, match="1 of 2 retests are recorded"):
        close_investigation(oos.ledger, OOS, conclusion="not confirmed", words="x", actor=who(oos, "qa"))
    retest(oos, 2, "96.1 %")
    with pytest.raises(InputError, match="needs another person"):
        close_investigation(oos.ledger, OOS, conclusion="not confirmed", words="x", actor=same_name(oos))
    close_investigation(oos.ledger, OOS, conclusion="not confirmed", words="not reproduced", actor=who(oos, "qa"))
    shown = oos.review().exceptions
    assert sum("retest" in item.words for item in shown) == 2
    assert any("purity 94 % is out of specification" in item.words for item in shown)  # the original stays in sight
    assert oos.decide().decision == "released"


def same_name(made):
    return enrol_person(made.ledger, "The analyst2", ["qa"], scripted=True)


def test_one_failing_retest_cannot_be_averaged_away(oos):
    planned(oos, 3)
    for number, value in enumerate(("99 %", "94.4 %", "99 %"), start=1):
        retest(oos, number, value)
    with pytest.raises(InputError, match="retest 2 is oos"):
        close_investigation(oos.ledger, OOS, conclusion="not confirmed", words="the mean is 97 %", actor=who(oos, "qa"))
    close_investigation(oos.ledger, OOS, conclusion="confirmed", words="seen again", actor=who(oos, "qa"))
    assert decided(oos).decision == "rejected"
    assert open_investigations(oos.ledger, BATCH) == ()  # a retest has no investigation of its own


def test_retesting_until_it_passes_is_refused_at_every_turn(oos):
    with pytest.raises(InputError, match="no approved plan"):
        retest(oos, 1)
    with pytest.raises(InputError, match="no full-scale investigation"):
        plan_retest(oos.ledger, OOS, retests=2, why="x", actor=who(oos, "lead"))
    investigated(oos)
    plan_retest(oos.ledger, OOS, retests=2, why="x", actor=who(oos, "lead"))
    with pytest.raises(InputError, match="no approved plan"):
        retest(oos, 1)
    with pytest.raises(InputError, match=r"may not do quality\.approve"):
        approve_retest(oos.ledger, OOS, who(oos, "lead"))
    approve_retest(oos.ledger, OOS, who(oos, "qa"))
    with pytest.raises(InputError, match="needs another person"):
        retest(oos, 1, analyst="qc")  # the first analyst
    with pytest.raises(InputError, match="in sample QC-1, not of purity in QC-9"):
        retest(oos, 1, sample="QC-9")
    with pytest.raises(InputError, match="0 of 2 planned ones are recorded"):
        retest(oos, 2)
    first = retest(oos, 1, "94.1 %")
    assert retest(oos, 1, "94.1 %") == first
    with pytest.raises(InputError, match="is recorded already"):
        retest(oos, 1, "98 %")  # a second value for the same retest
    retest(oos, 2)
    with pytest.raises(InputError, match="no testing into compliance"):
        retest(oos, 3)
    with pytest.raises(InputError, match="has a plan of 2 retests already"):
        plan_retest(oos.ledger, OOS, retests=9, why="more", actor=who(oos, "lead"))


def test_a_retest_past_the_rules_is_a_fault_of_the_investigation(oos):
    """Straight into the ledger, in another sample, as if there had been no first result."""
    investigated(oos)
    (first,) = [item for item in oos.events("result.recorded") if item.payload["attribute"] == "purity"]
    oos.add("result.recorded", {**first.payload, "sample": "QC-2", "value": "97", "state": "conforms"}, "analyst2")
    assert "tested again outside a plan" in find_investigation(oos.ledger, OOS).faults[0]
    with pytest.raises(InputError, match="outside a plan"):
        close_investigation(oos.ledger, OOS, conclusion="confirmed", words="x", actor=who(oos, "qa"))


def test_a_slip_of_the_pen_is_corrected_under_investigation(made):
    made.run().results({**GOOD, "purity": "9.72 %"})
    open_investigations(made.ledger, BATCH)
    (line,) = [item for item in made.record.results if item.attribute == "purity"]
    correct_value(made.ledger, BATCH, line.id, "97.2", reason="decimal point", actor=made.people["qc"])
    made.review()
    assert made.decide().decision == "on_hold"  # the analyst's own correction takes nothing away
    lead = enrol_person(made.ledger, "The lead", ["qc"], scripted=True)
    assess_laboratory(made.ledger, OOS, findings="print-out says 97.2", assignable=True, actor=lead)
    close_investigation(made.ledger, OOS, conclusion="laboratory error", words="slip", actor=made.people["qa"])
    made.review()
    assert made.decide().decision == "released"


def test_a_correction_to_out_of_specification_is_investigated_too(made):
    made.run().results()
    assert open_investigations(made.ledger, BATCH) == ()
    (line,) = [item for item in made.record.results if item.attribute == "purity"]
    correct_value(made.ledger, BATCH, line.id, "79.2", reason="digits in the wrong order", actor=made.people["qc"])
    (event,) = open_investigations(made.ledger, BATCH)
    assert event.payload["attribute"] == "purity"
    with pytest.raises(InputError, match="another sample is not tested"):
        made.results({"purity": "97 %"}, sample="QC-2")
    made.review()
    assert made.decide().decision == "on_hold"


def test_a_failed_system_suitability_makes_a_result_invalid(made):
    made.run()
    context = TestContext(method_version="3", instrument="HPLC-1", suitable=False, suitability="resolution 0.9")
    line = made.control.recipe.specification.line("purity")
    tests = [Result("purity", parse("99 %"), line.method, "QC-1")]
    specification = made.control.recipe.specification
    (event,) = record_results(made.ledger, BATCH, specification, tests, made.people["qc"], context=context)
    assert event.payload["state"] == "invalid"
    assert (event.payload["instrument"], event.payload["suitability"]) == ("HPLC-1", "resolution 0.9")
    made.results(GOOD, sample="QC-2")
    shown = made.review().exceptions
    assert [item.kind for item in shown] == ["result"]
    assert made.decide().decision == "released"


RESULT = {
    "sample": "QC-1", "attribute": "purity", "method": "gel", "reported": "94 %", "limit": ">= 95 %", "state": "oos",
}  # fmt: skip
OPENED = {**{name: RESULT[name] for name in RESULT if name != "state"}, "oos": OOS, "result": "id1"}
PERFECT = [
    ("oos.assessed", {"oos": OOS, "findings": "x", "assignable": False}, "person-2"),
    ("oos.investigated", {"oos": OOS, "findings": "x", "cause": "x"}, "person-2"),
    ("retest.planned", {"oos": OOS, "retests": 1, "why": "x"}, "person-2"),
    ("retest.approved", {"oos": OOS, "retests": 1}, "person-3"),
    ("result.recorded", {**RESULT, "retest": OOS, "number": 1, "state": "conforms"}, "person-2"),
    ("oos.closed", {"oos": OOS, "conclusion": "not confirmed", "words": "x"}, "person-3"),
]
OTHERS = st.sampled_from(
    [
        ("oos.closed", {"oos": OOS, "conclusion": "laboratory error", "words": "x"}),
        ("oos.closed", {"oos": OOS, "conclusion": "not confirmed", "words": "x"}),
        ("oos.assessed", {"oos": OOS, "findings": "x", "assignable": True}),
        ("result.invalidated", {"oos": OOS, "result": "id1", "cause": "x"}),
        ("result.recorded", {**RESULT, "state": "conforms"}),
        ("result.recorded", {**RESULT, "retest": OOS, "number": 1, "state": "oos"}),
        ("result.recorded", {**RESULT, "retest": OOS, "number": 2, "state": "conforms"}),
        ("retest.planned", {"oos": OOS, "retests": 2, "why": "x"}),
    ]
)


@settings(max_examples=400)
@given(spoilt(PERFECT, OTHERS))
def test_not_confirmed_only_by_a_plan_approved_before_and_all_its_retests(steps):
    head = [("result.recorded", RESULT, "person-1", None), ("oos.opened", OPENED, "system", None)]
    (found,) = investigations(story([*head, *steps], BATCH))
    if not found.conclusion:
        assert [(kind, payload, person) for kind, payload, person, _by in steps] != PERFECT or any(
            person != by for kind, _payload, person, by in steps if kind != "result.recorded"
        )
        return
    signed = [(kind, payload, person) for kind, payload, person, by in steps if by == person]
    assert found.closed_by not in ("person-1", "")  # not the analyst
    assert any(kind == "oos.assessed" and person != "person-1" for kind, _payload, person in signed)
    if found.conclusion == "not confirmed":
        assert found.plan is not None
        assert found.plan.approved_by not in ("person-1", found.plan.planned_by)
        assert [item.number for item in found.retests] == list(range(1, found.plan.retests + 1))
        assert all(item.state == "conforms" and item.seq > found.plan.approved_seq for item in found.retests)
        assert all(item.analyst != "person-1" for item in found.retests)
    elif found.conclusion == "laboratory error":
        assert found.invalidated_by in set(PEOPLE) - {"person-1", found.assessed_by}


def concluded(steps):
    head = [("result.recorded", RESULT, "person-1", None), ("oos.opened", OPENED, "system", None)]
    (found,) = investigations(story([*head, *steps], BATCH))
    return found.conclusion


def test_any_single_fault_of_the_perfect_story_leaves_it_open():
    """Each step left out, unsigned, signed by another, or taken by whoever may not take it."""
    perfect = [(kind, payload, person, person) for kind, payload, person in PERFECT]
    assert concluded(perfect) == "not confirmed"
    for place, (kind, payload, person) in enumerate(PERFECT):
        others = [*perfect[:place], *perfect[place + 1 :]]
        assert not concluded(others), kind
        signers = () if kind == "result.recorded" else (None, *(set(PEOPLE) - {person}))
        for signer in signers:
            assert not concluded([*perfect[:place], (kind, payload, person, signer), *perfect[place + 1 :]]), (
                kind,
                signer,
            )
    barred = {"oos.assessed": "1", "retest.approved": "12", "result.recorded": "1", "oos.closed": "12"}
    for place, (kind, payload, _person) in enumerate(PERFECT):
        for who_else in barred.get(kind, ""):
            step = (kind, payload, f"person-{who_else}", f"person-{who_else}")
            assert not concluded([*perfect[:place], step, *perfect[place + 1 :]]), step
    second: dict[str, Any] = {**RESULT, "retest": OOS, "number": 2, "state": "conforms"}
    assert not concluded([*perfect[:4], ("result.recorded", second, "person-2", None), perfect[5]])
    more = ("result.recorded", second, "person-2", None)
    assert not concluded([*perfect[:5], more, perfect[5]])
    assert not concluded([*perfect, more])  # after the end it opens it again


def test_without_an_investigation_an_out_of_specification_result_stands(oos):
    record = batch_record(oos.events())
    specification = oos.control.recipe.specification
    assert judge(specification, reportable(record)).verdict == "fail"
    assert judge(specification, reportable(record, investigations(oos.events()))).verdict == "inconclusive"


def corrected(made, value, who="qc"):
    (line,) = [item for item in made.record.results if item.attribute == "purity"]
    given = {"reason": "decimal point", "actor": made.people[who]}
    return correct_result(made.ledger, BATCH, line.id, value, **given)


def test_a_result_that_was_ever_out_is_investigated_whatever_it_becomes(made):
    made.run().results()
    _, opened = corrected(made, "9.72")
    assert [item.payload["reported"] for item in opened] == ["10 %"]  # as the limit is written: >= 95 %
    assert corrected(made, "97.2")[1] == ()  # it is one investigation
    shown = [item.words for item in made.review().exceptions if item.kind in ("correction", "result")]
    assert any("became 9.72 (decimal point), which is out of specification" in words for words in shown)
    assert any("9.72 became 97.2 (decimal point), which was out of specification" in words for words in shown)
    assert any(words.startswith(f"{OOS} (open, laboratory)") for words in shown)
    assert made.decide().decision == "on_hold"


def test_who_corrects_a_result_neither_assesses_nor_concludes_on_it(made):
    made.people["second"] = enrol_person(made.ledger, "The second", ["qc"], scripted=True)
    made.people["both"] = enrol_person(made.ledger, "Both", ["qc", "qa"], scripted=True)
    made.run().results({**GOOD, "purity": "9.72 %"})
    open_investigations(made.ledger, BATCH)
    words = "print-out says 97.2"
    assess_laboratory(made.ledger, OOS, actor=made.people["second"], findings=words, assignable=True)
    corrected(made, "97.2", "both")
    for who in ("qc", "both"):
        with pytest.raises(InputError, match="needs another person"):
            assess_laboratory(made.ledger, OOS, actor=made.people[who], findings=words, assignable=True)
    with pytest.raises(InputError, match="needs another person"):
        close_investigation(made.ledger, OOS, conclusion="laboratory error", words="slip", actor=made.people["both"])
    closed = {"conclusion": "laboratory error", "words": "slip", "actor": made.people["qa"]}
    assert close_investigation(made.ledger, OOS, **closed).conclusion == "laboratory error"
    # Another figure after the end opens it again: an assessment by who corrects it does not count either.
    corrected(made, "97.9", "second")
    found = find_investigation(made.ledger, OOS)
    assert (found.conclusion, found.assignable, found.corrected_by) == ("", None, made.people["second"])
