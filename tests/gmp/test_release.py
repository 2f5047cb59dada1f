"""Release: one way to a yes, and every missing thing a hold."""

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import (
    DecisionLine,
    approval,
    batch_record,
    correct_value,
    decide_release,
    judge_release,
    open_deviations,
    release_batch,
    review,
    stop_batch,
)
from seedtrain.recipe import Command
from seedtrain.record import Draft, append_signed, enrol_person, sign, verify
from tests.gmp.made import BATCH, GOOD, ONE_EXCURSION, RECIPE, Made, control_recipe


def test_a_batch_in_order_is_released_and_the_ledger_verifies(made):
    decision = made.run(readings=ONE_EXCURSION).quality()
    assert decision.decision == "released", decision.reasons
    assert decision.signed
    assert decision.reasons == ()
    assert decision.verdict["verdict"] == "pass"
    assert len(made.record.deviations) == 1
    assert verify(made.ledger.path).verdict == "pass"


def no_check(made):
    made.run(checker="").quality()


def own_check(made):
    made.run(checker="operator").quality()


def check_not_signed(made):
    made.create()
    for place in made.control.recipe.phases():
        made.phase(place.path, checker="")
        if place.phase.second_person:
            made.add("step.checked", {"phase": place.path, "meaning": "checked"}, "checker")
        if place.phase.hold_point:
            made.release_hold_point(place.path)
    made.command("", Command.COMPLETE)
    made.quality()


def check_signed_by_another(made):
    """The checker's entry, the operator's signature over it."""
    check_not_signed(made)
    for event in made.events("step.checked"):
        sign(made.ledger, made.people["operator"], event.digest, "checked", subject=BATCH)
    made.quality()


def closure_not_signed(made):
    made.run(readings=ONE_EXCURSION)
    open_deviations(made.ledger, BATCH, made.people["operator"])
    payload = {"deviation": f"{BATCH}-DEV-01", "impact": "none", "cause": "none", "action": "none"}
    made.add("deviation.closed", payload, "qa")
    made.results()
    made.review()
    made.decide()


def no_hold_signature(made):
    made.run(hold_point=False).quality()


def deviation_open(made):
    made.run(readings=ONE_EXCURSION)
    open_deviations(made.ledger, BATCH, made.people["operator"])
    made.results()
    made.review()
    made.decide()


def deviation_not_opened(made):
    made.run(readings=ONE_EXCURSION)
    made.results()
    made.review()
    made.decide()


def deviation_closed_past_the_rules(made):
    """The opener closes it himself, writing to the ledger directly."""
    made.run(readings=ONE_EXCURSION)
    open_deviations(made.ledger, BATCH, made.people["operator"])
    payload = {"deviation": f"{BATCH}-DEV-01", "impact": "none", "cause": "none", "action": "none"}
    append_signed(made.ledger, Draft("deviation.closed", BATCH, payload, made.people["operator"]), "closing")
    made.results()
    made.review()
    made.decide()


def a_result_missing(made):
    made.run().quality({name: value for name, value in GOOD.items() if name != "purity"})


def a_test_invalid(made):
    made.run().results(valid=False)
    made.review()
    made.decide()


def no_review(made):
    made.run().results()
    made.decide()


def review_before_the_results(made):
    made.run()
    made.review()
    made.results()
    made.decide()


def review_by_the_operator(made):
    """Past `review`, which refuses it: straight into the ledger."""
    made.run().results()
    payload: dict[str, list[str]] = {"exceptions": [], "acknowledged": []}
    append_signed(made.ledger, Draft("batch.reviewed", BATCH, payload, made.people["operator"]), "review")
    made.decide()


def review_without_a_signature(made):
    made.run().results()
    made.add("batch.reviewed", {"exceptions": [], "acknowledged": []}, "reviewer")
    made.decide()


def batch_not_complete(made):
    made.create()
    made.phase("seed/expansion/thaw")
    made.quality()


def corrected_after_the_check(made):
    made.run()
    (entry,) = [item for item in made.record.values if item.kind == "entry"]
    correct_value(made.ledger, BATCH, entry.id, "no", reason="it was another vial", actor=made.people["operator"])
    made.quality()


def limit_flag_forged(made):
    made.create()
    for place in made.control.recipe.phases():
        made.phase(place.path)
        if place.phase.name == "grow":
            made.value(place.path, "pH", "6.1", ("6.8", "7.2"), within=True, who="executor")
            made.release_hold_point(place.path)
    made.command("", Command.COMPLETE)
    made.quality()


def state_forged(made):
    made.run()
    payload = {"unit_procedure": "", "unit": "", "command": "start", "before": "idle", "after": "running"}
    made.add("batch.state_changed", payload)
    made.quality()


HOLDS = {
    "second-person check missing": (no_check, "lacks the check of a second person"),
    "checked by the one who did it": (own_check, "lacks the check of a second person"),
    "check not signed": (check_not_signed, "lacks the check of a second person"),
    "check signed by another": (check_signed_by_another, "lacks the check of a second person"),
    "closing not signed": (closure_not_signed, "is not closed"),
    "hold point not signed": (no_hold_signature, "hold point"),
    "deviation open": (deviation_open, "is not closed"),
    "deviation not opened": (deviation_not_opened, "no deviation was opened"),
    "deviation closed by its opener": (deviation_closed_past_the_rules, "is not closed"),
    "result missing": (a_result_missing, "purity has no valid result"),
    "test invalid": (a_test_invalid, "identity has no valid result"),
    "review missing": (no_review, "review"),
    "review too early": (review_before_the_results, "review"),
    "review by the operator": (review_by_the_operator, "review"),
    "review not signed": (review_without_a_signature, "review"),
    "phases missing": (batch_not_complete, "is not completed"),
    "corrected after the check": (corrected_after_the_check, "seed/expansion/thaw lacks the check"),
    "limit flag forged": (limit_flag_forged, "recorded as within limits and is not"),
    "state forged": (state_forged, "is not legal while complete"),
}


@pytest.mark.parametrize(("happens", "reason"), HOLDS.values(), ids=HOLDS)
def test_anything_missing_is_a_hold_and_never_a_release(made, happens, reason):
    happens(made)
    decision = made.record.decision
    assert decision.decision == "on_hold"
    assert any(reason in item for item in decision.reasons), decision.reasons
    assert decision.verdict["verdict"] == "inconclusive"
    assert made.events("batch.released") == []


def test_an_out_of_specification_result_rejects(made):
    decision = made.run().quality({**GOOD, "endotoxin": "0.56 EU/mg"})
    assert decision.decision == "rejected"
    assert decision.reasons == ("endotoxin 0.6 EU/mg is out of specification (<= 0.5 EU/mg)",)
    assert made.decide() == decision  # once rejected, for ever


def test_a_second_sample_does_not_test_an_out_of_specification_result_away(made):
    made.run().results({**GOOD, "purity": "94.2 %"})
    with pytest.raises(InputError, match="another sample is not tested"):
        made.results({"purity": "97 %"}, sample="QC-2")
    (first,) = [item for item in made.events("result.recorded") if item.payload["attribute"] == "purity"]
    again = {**first.payload, "sample": "QC-2", "value": "97", "reported": "97 %", "state": "conforms"}
    made.add("result.recorded", again, "qc")  # past the rule, straight into the ledger
    made.review()
    assert made.decide().decision == "rejected"


def test_a_hold_is_lifted_once_what_was_missing_is_there_and_is_not_written_twice(made):
    made.run().results()
    held = made.decide()
    assert (held.decision, made.decide()) == ("on_hold", held)
    assert len(made.events("batch.on_hold")) == 1
    made.review()
    released = made.decide()
    assert released.decision == "released"
    assert made.decide() == released
    assert len(made.events("batch.released")) == 1


def test_an_operator_neither_reviews_nor_decides(made):
    made.run().results()
    both = enrol_person(made.ledger, "Operator and qa", ["operator", "qa"], scripted=True)
    made.value("production/main/grow", "remark", "noted", kind="entry", who=both)
    for function in (review, decide_release):
        with pytest.raises(InputError, match="may not do batch"):
            function(made.ledger, BATCH, made.people["operator"])
        with pytest.raises(InputError, match="ran phases"):
            function(made.ledger, BATCH, both)
    with pytest.raises(InputError, match="not enrolled"):
        decide_release(made.ledger, BATCH, "person-99")
    with pytest.raises(InputError, match="no batch"):
        decide_release(made.ledger, "B-9", made.people["qa"])


def test_without_the_recipes_text_nothing_is_released_and_with_the_recipe_given_it_is(tmp_path):
    made = Made.in_folder(tmp_path, approved=False)
    digest = made.control.digest
    payload = {"recipe": "short", "version": "1", "master_digest": made.control.master_digest, "digest": digest}
    event, _ = append_signed(
        made.ledger, Draft("recipe.approved", digest, payload, made.people["author"]), "authorship"
    )
    made.run().results()
    made.review()
    held = made.decide()
    assert held.decision == "on_hold"
    assert any("signed by person-4 only" in reason for reason in held.reasons)
    assert any("the recipe's text is not in the record" in reason for reason in held.reasons)
    sign(made.ledger, made.people["qa"], event.digest, "approval", subject=digest)
    assert judge_release(made.record, None, approval(made.ledger, digest)).verdict == "inconclusive"
    assert made.decide().decision == "on_hold"
    released = decide_release(made.ledger, BATCH, made.people["qa"], recipe=made.control)
    assert released.decision == "released", released.reasons
    other = control_recipe(RECIPE.replace("volume: 100 mL", "volume: 90 mL"))
    with pytest.raises(InputError, match="not the recipe"):
        review(made.ledger, BATCH, made.people["qa"], recipe=other)
    made.ledger.close()


class Killed(Exception):
    """The process died."""


def test_killed_between_any_two_commits_and_called_again_nothing_is_written_twice(tmp_path, monkeypatch):
    def story(made):
        return [
            (event.type, event.actor, event.payload) for event in made.events() if event.type != "signature.applied"
        ]

    def work(made):
        made.deviations()
        made.results()
        made.review()
        return made.decide()

    whole = Made.in_folder(tmp_path / "whole").run(readings=ONE_EXCURSION)
    work(whole)
    expected, signatures = story(whole), len(whole.events("signature.applied"))
    commits = 5  # opening, closing, results, review, decision
    whole.ledger.close()
    for lived in range(commits):
        made = Made.in_folder(tmp_path / str(lived)).run(readings=ONE_EXCURSION)
        left = lived

        def dying(*drafts, kept=made.ledger.append, **more):
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return kept(*drafts, **more)

        with monkeypatch.context() as patch:
            patch.setattr(made.ledger, "append", dying)
            with pytest.raises(Killed):
                work(made)
        decision = work(made)
        assert decision.decision == "released", decision.reasons
        assert work(made) == decision
        assert story(made) == expected
        assert len(made.events("signature.applied")) == signatures
        made.ledger.close()


def test_the_fold_is_pure_and_blind_to_other_batches(made):
    made.run(readings=ONE_EXCURSION).quality()
    alone = made.record
    made.batch = "B-2"
    made.run().quality()
    assert batch_record(list(made.ledger.events()), BATCH) == alone
    assert batch_record(made.ledger.events(subject=BATCH)) == alone


def test_nothing_changes_under_a_release_until_it_is_taken_back(made):
    assert made.run().quality().decision == "released"
    result, entry = made.record.results[0], next(item for item in made.record.values if item.kind == "entry")
    for line, actor in ((result, "qc"), (entry, "operator")):
        with pytest.raises(InputError, match="is released, and a correction would change what was decided on"):
            correct_value(made.ledger, BATCH, line.id, line.value, reason="late", actor=made.people[actor])
    taken = stop_batch(made.ledger, BATCH, made.people["qa"], "on_hold", "a figure was read wrongly")
    assert taken.decision == "on_hold"
    assert made.record.decision.decision == "on_hold"
    correct_value(made.ledger, BATCH, result.id, result.value, reason="misread", actor=made.people["qc"])
    assert not isinstance(release_batch(made.ledger, BATCH, made.people["qa"]), DecisionLine)  # the review is older
