"""Review by exception: everything a reviewer must see, each acknowledged by the one who signs, and opened again."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, use_language
from seedtrain.gmp import (
    acknowledge,
    amend_lot,
    bench_review,
    change_lot_status,
    correct_value,
    decide_release,
    find_deviation,
    hold_downstream,
    lift_hold,
    open_deviations,
    open_holds,
    open_review,
    release_batch,
    release_verdict,
    review,
    review_items,
    stop_batch,
)
from seedtrain.gmp._batch._judged_lines import ReviewItem
from seedtrain.gmp._quality._exceptions import KINDS, LEVELS, kind_words
from seedtrain.gmp._quality._review import item_key
from seedtrain.quality import Verdict
from seedtrain.record import Draft, append_signed, enrol_person
from tests.gmp.made import BATCH, GOOD, ONE_EXCURSION, START, Made, lot

GROW = "production/main/grow"


def found(made, kind=None):
    items = open_review(made.ledger, BATCH).exceptions
    return [item for item in items if kind is None or item.item.kind == kind]


def words(made, kind):
    return [item.item.words for item in found(made, kind)]


@pytest.fixture
def excursion(made):
    made.run(readings=ONE_EXCURSION)
    made.deviations()
    made.results()
    return made


def test_each_exception_is_acknowledged_by_the_one_who_signs(excursion):
    made, people = excursion, excursion.people
    keys = [item.key for item in found(made)]
    assert len(keys) == len(set(keys)) == 2  # the excursion and its deviation
    with pytest.raises(InputError, match="2 of 2 exceptions of B-1 are not acknowledged"):
        review(made.ledger, BATCH, people["reviewer"])
    acknowledge(made.ledger, BATCH, keys[:1], "6 min; no effect on growth", people["reviewer"])
    acknowledge(made.ledger, BATCH, keys, "seen", people["qa"])
    with pytest.raises(InputError, match=f"1 of 2 exceptions of B-1 are not acknowledged: {keys[1]}"):
        review(made.ledger, BATCH, people["reviewer"])
    acknowledge(made.ledger, BATCH, keys[1:], "closed with a reason", people["reviewer"])
    line = review(made.ledger, BATCH, people["reviewer"])
    (event,) = made.events("batch.reviewed")
    assert [row["comment"] for row in event.payload["exceptions"]] == [
        "6 min; no effect on growth",
        "closed with a reason",
    ]
    assert open_review(made.ledger, BATCH).standing == line
    assert made.decide().decision == "released"


def test_a_changed_record_opens_the_review_again_and_only_what_is_new_is_to_be_acknowledged(excursion):
    made = excursion
    made.review()
    assert all(item.acknowledged == {made.people["reviewer"]: "seen"} for item in found(made))
    assert release_verdict(made.ledger, BATCH).verdict == "pass"
    before = {item.key for item in found(made)}
    (entry,) = [item for item in made.record.values if item.kind == "entry"]
    correct_value(made.ledger, BATCH, entry.id, "no", reason="other vial", actor=made.people["operator"])
    assert open_review(made.ledger, BATCH).standing is None
    fresh = [item for item in found(made) if item.key not in before]
    assert {item.item.kind for item in fresh} == {"correction", "missing check"}
    assert before < {item.key for item in found(made)}
    assert any("older than the last event" in reason for reason in release_verdict(made.ledger, BATCH).evidence)


def test_what_changes_outside_the_batch_opens_the_review_again(excursion):
    made = excursion
    made.review()
    changed = lot("SUGAR-1", "sugar", quantity="49 kg", origins=("plant", "bovine"))
    amend_lot(made.ledger, changed, "the supplier declares more", made.people["qc"])
    verdict = release_verdict(made.ledger, BATCH)
    assert any("does not cover: lot SUGAR-1 was stated anew" in reason for reason in verdict.evidence)
    assert open_review(made.ledger, BATCH).standing is None
    made.review()
    assert release_verdict(made.ledger, BATCH).verdict == "pass"


def test_attacks_on_acknowledgements(excursion):
    made, people = excursion, excursion.people
    keys = [item.key for item in found(made)]
    for who, match in (("operator", "may not do batch"), ("qc", "may not do batch")):
        with pytest.raises(InputError, match=match):
            acknowledge(made.ledger, BATCH, keys, "fine", people[who])
    with pytest.raises(InputError, match="no comment"):
        acknowledge(made.ledger, BATCH, keys, " ", people["reviewer"])
    with pytest.raises(InputError, match="has no exception 0badf00d"):
        acknowledge(made.ledger, BATCH, ["0badf00d"], "fine", people["reviewer"])
    item = found(made)[0].item
    payload = {"item": keys[0], "kind": item.kind, "seq": item.seq, "words": item.words, "comment": "fine"}
    made.add("exception.acknowledged", payload, "reviewer")  # not signed
    draft = Draft("exception.acknowledged", BATCH, payload, people["operator"])
    append_signed(made.ledger, draft, "acknowledgement")  # by the operator
    assert not found(made)[0].acknowledged
    twin = enrol_person(made.ledger, "The operator", ["reviewer"], scripted=True)
    with pytest.raises(InputError, match="the same person"):
        review(made.ledger, BATCH, twin, comment="fine")


def test_an_acknowledgement_before_the_event_is_none(made):
    """The key of an exception to come can be computed; acknowledging it ahead of time does not count."""
    made.create()
    made.start(GROW)
    made.value(GROW, "pH", "7.0", ("6.8", "7.2"))
    ahead = made.ledger.head.seq + 3
    what = f"pH 6.1 outside 6.8 .. 7.2, at 0 h of {GROW}"
    item = ReviewItem("excursion", ahead, what)
    payload: dict[str, Any] = {"item": item_key(BATCH, item), "kind": "excursion", "seq": ahead, "words": what}
    draft = Draft("exception.acknowledged", BATCH, {**payload, "comment": "fine"}, made.people["reviewer"])
    append_signed(made.ledger, draft, "acknowledgement")
    event = made.value(GROW, "pH", "6.1", ("6.8", "7.2"))
    assert event.seq == ahead
    (shown,) = found(made, "excursion")
    assert shown.key == payload["item"]
    assert not shown.acknowledged


def test_a_review_that_left_exceptions_out_does_not_count(excursion):
    made = excursion
    payload: dict[str, list[Any]] = {"exceptions": [], "acknowledged": []}
    append_signed(made.ledger, Draft("batch.reviewed", BATCH, payload, made.people["reviewer"]), "review")
    assert any("the review does not cover: pH 6.60" in item for item in release_verdict(made.ledger, BATCH).evidence)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("7.0", None), ("7.15", "alert limit"), ("7.25", "action limit"), ("7.35", "proven range"), ("7.6", "excursion")],
)
def test_alert_action_proven_range_and_specification_are_four_things(made, value, kind):
    made.create()
    made.start(GROW)
    ends = {"alert": "0.1", "action": "0.2", "proven": "0.3", "specification": "0.5"}
    levels = {name: {"low": str(7 - float(width)), "high": str(7 + float(width))} for name, width in ends.items()}
    made.value(GROW, "pH", value, payload={"levels": levels})
    mine = [item.item.kind for item in found(made) if item.item.kind in LEVELS.values()]
    assert mine == ([kind] if kind else [])


def test_alarms_gaps_and_the_unknown_are_shown_first_to_last(made):
    made.create()
    made.add("strange.thing", {"what": "?"})
    made.add("telemetry.gap", {"tag": "DO", "start_h": "1", "end_h": "2"}, "executor", device="T.DO")
    made.add("alarm.shelved", {"alarm": "DO low", "minutes": "30"})
    assert words(made, "alarm") == [
        f"alarm DO low was shelved by {made.people['operator']}, without an end (no reason given)"
    ]
    assert "no data of DO from 1 to 2 h" in words(made, "data gap")
    assert words(made, "audit trail") == ["strange.thing, which this review does not know"]
    order = [KINDS.index(item.item.kind) for item in found(made)]
    assert order == sorted(order)


def test_what_was_entered_late_is_shown_where_it_was_measured(made):
    made.run()
    assert words(made, "late entry") == []  # simulated: its clock is not that of the record
    now = made.ledger.now
    made.batch, made.clock = "B-2", now
    made.create()
    record = open_review(made.ledger, "B-2")
    assert record.within.values == 0
    payload = dict.fromkeys(("recipe", "recipe_digest", "master_digest", "unit", "volume"), "x")
    made.ledger.append(Draft("batch.created", "B-3", {**payload, "origin": "measured"}, "executor", now))
    entry = {"phase": "p", "tag": "t", "value": "1", "unit": "", "low": None, "high": None, "within": True}
    for minutes in (1, 14, 40, -30):
        draft = Draft(
            "step.value_recorded",
            "B-3",
            {**entry, "kind": "entry", "origin": "measured"},
            made.people["operator"],
            now - timedelta(minutes=minutes),
        )
        made.ledger.append(draft)
    late = [item.item.words for item in open_review(made.ledger, "B-3").exceptions if item.item.kind == "late entry"]
    assert late == [
        "step.value_recorded p: recorded 40 min after it occurred",
        "step.value_recorded p: dated 30 min ahead",
    ]


def test_every_kind_has_its_words_in_both_languages():
    for kind in KINDS:
        english = kind_words(kind)
        with use_language("zh"):
            assert kind_words(kind) != english


def test_release_by_a_person_means_release_and_nothing_else(made):
    qa = made.people["qa"]
    made.run().results({**GOOD, "purity": "94 %"})
    made.review()
    before = made.ledger.head.seq
    answer = release_batch(made.ledger, BATCH, qa)
    assert isinstance(answer, Verdict)
    assert answer.verdict == "fail"
    assert made.ledger.head.seq == before  # no rejection in the name of somebody who asked for a release
    for who in ("operator", "reviewer", "qc"):
        with pytest.raises(InputError, match=r"may not do batch\.release"):
            release_batch(made.ledger, BATCH, made.people[who])
    with pytest.raises(InputError, match="no reason"):
        stop_batch(made.ledger, BATCH, qa, "rejected", " ")
    held = stop_batch(made.ledger, BATCH, qa, "on_hold", "waiting for the laboratory")
    assert (held.decision, held.reasons) == ("on_hold", ("waiting for the laboratory",))
    assert stop_batch(made.ledger, BATCH, qa, "on_hold", "waiting for the laboratory") == held
    assert stop_batch(made.ledger, BATCH, qa, "rejected", "purity").decision == "rejected"
    assert decide_release(made.ledger, BATCH, qa).decision == "rejected"  # for good


def test_a_lot_that_is_not_released_any_more_and_a_hold_of_others_keep_a_batch_back(made):
    made.run().results()
    made.review()
    verdict = release_verdict(made.ledger, BATCH, holds=[lambda ledger, batch: ["the courier has not arrived"]])
    assert verdict.evidence == ("the courier has not arrived",)
    qc, qa = made.people["qc"], made.people["qa"]
    change_lot_status(made.ledger, "SUGAR-1", "rejected", "foreign matter", qc, at=START)
    made.review()
    assert "lot SUGAR-1 (sugar) is rejected now" in release_verdict(made.ledger, BATCH).evidence
    change_lot_status(made.ledger, "SUGAR-1", "released", "it was another container", qc, at=START)
    for hold in open_holds(made.ledger, BATCH):
        lift_hold(made.ledger, hold.hold, "it was another container", qa)
    order = hold_downstream(made.ledger, "WATER-1", "endotoxin in the loop")
    made.review()
    assert any("held: endotoxin in the loop" in reason for reason in release_verdict(made.ledger, BATCH).evidence)
    lift_hold(made.ledger, order.hold, "second sample clean", qa)
    made.review()
    assert made.decide().decision == "released"


@settings(max_examples=12)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(["6.5", "7.0", "7.3"]), max_size=12))
def test_what_is_shown_and_what_collapses_are_all_there_is(tmp_path_factory, seed, readings):
    made = Made.in_folder(tmp_path_factory.mktemp("review"), approved=False)
    made.create()
    made.start(GROW)
    for value in readings:
        made.value(GROW, "pH", value, ("6.8", "7.2"))
    opened = open_review(made.ledger, BATCH)
    out = sum(value != "7.0" for value in readings)
    assert opened.within.values == len(readings) - out
    shown = [item.item for item in opened.exceptions if item.item.kind == "excursion"]
    assert len(shown) == sum(
        now != "7.0" and (index == 0 or readings[index - 1] == "7.0") for index, now in enumerate(readings)
    )
    events = made.events()
    shuffled = review_items(made.record, made.control.recipe, events=random.Random(seed).sample(events, len(events)))
    assert shuffled == review_items(made.record, made.control.recipe, events=events)
    made.ledger.close()


def test_a_batch_is_opened_for_review_in_the_bench():
    (row,) = bench_review(quick=True)
    assert (row["unit"], row["goal"], row["goal_kind"]) == ("s", 1.0, "limit")
    assert row["met"] == (row["ours"] <= 1.0)


def forged(made, type, payload, who):
    """An event that its actor signed, past the commands."""
    append_signed(made.ledger, Draft(type, BATCH, payload, made.people[who]), "forged")


def test_what_somebody_without_the_role_wrote_past_the_commands_counts_for_nothing_and_is_shown(excursion):
    made = excursion
    verdict: dict[str, object] = {"verdict": "pass", "criteria": [], "evidence": [], "versions": {}, "seed": None}
    forged(made, "batch.released", {"reasons": [], "verdict": verdict}, "qc")
    forged(made, "batch.reviewed", {"exceptions": [], "acknowledged": []}, "checker")
    shown = words(made, "audit trail")
    assert shown == [
        f"batch.released by {made.people['qc']}, who had no role for it",
        f"batch.reviewed by {made.people['checker']}, who had no role for it",
    ]
    found_reasons = release_verdict(made.ledger, BATCH).evidence
    assert any("the review is missing" in reason for reason in found_reasons)
    made.review()
    assert made.decide().actor == made.people["qa"]  # the forged release was none


def test_a_deviation_closed_by_somebody_without_the_role_is_open(made):
    made.run(readings=ONE_EXCURSION).results()
    (event,) = open_deviations(made.ledger, BATCH, made.people["operator"])
    name = event.payload["deviation"]
    answers = {"deviation": name, "impact": "none", "cause": "x", "action": "x", "classification": "minor"}
    forged(made, "deviation.closed", answers, "qc")
    assert not find_deviation(made.ledger, name).closed
    made.review()
    assert made.decide().decision == "on_hold"
