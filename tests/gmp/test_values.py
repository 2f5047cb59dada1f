"""Excursions and deviations, results, corrections and checks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError, IntegrityError
from seedtrain.gmp import (
    batch_record,
    check_phase,
    close_deviation,
    correct_value,
    excursions,
    open_deviations,
    uncovered,
)
from seedtrain.gmp._batch._lines import inside
from seedtrain.recipe import Command
from seedtrain.record import enrol_person
from tests.gmp.made import BATCH, GOOD, ONE_EXCURSION, Made

GROW = "production/main/grow"


def runs(flags):
    """How many unbroken stretches of True."""
    return sum(now and not before for before, now in zip([False, *flags], flags, strict=False))


@pytest.mark.parametrize(
    "readings",
    [
        ("7.0",),
        ("6.7",),
        ("7.0", "6.7", "6.6", "7.0", "7.3", "7.0"),
        ("6.7", "7.3", "6.7"),
        ("6.8", "7.2"),
        ("6.79", "7.0", "6.79", "7.0", "6.79"),
    ],
)
def test_one_deviation_for_every_unbroken_stretch_out_of_limits_and_never_two(made, readings):
    made.create()
    made.start(GROW)
    for reading in readings:
        made.later(0.1)
        made.value(GROW, "pH", reading, ("6.8", "7.2"), who="executor")
    wanted = runs([not 6.8 <= float(item) <= 7.2 for item in readings])
    assert len(excursions(made.record)) == wanted
    opened = open_deviations(made.ledger, BATCH)
    assert len(opened) == wanted
    assert open_deviations(made.ledger, BATCH) == ()
    assert uncovered(made.record) == ()
    assert [item.deviation for item in made.record.deviations] == [f"{BATCH}-DEV-{n:02d}" for n in range(1, wanted + 1)]


def test_a_deviation_tells_the_worst_value_its_limits_and_its_hours(made):
    made.create()
    for place in made.control.recipe.phases():
        if place.path == GROW:
            made.phase(GROW, readings=ONE_EXCURSION)
            break
        made.phase(place.path)
    (event,) = open_deviations(made.ledger, BATCH)
    said = event.payload
    assert (said["phase"], said["tag"], said["value"], said["low"], said["high"]) == (GROW, "pH", "6.60", "6.8", "7.2")
    assert (said["start_h"], said["end_h"], said["count"]) == ("0.2", "0.4", 3)
    assert said["words"] == f"pH 6.60 outside 6.8 .. 7.2, from 0.2 to 0.4 h of {GROW}"


def test_a_summary_adds_to_an_excursion_and_does_not_end_it(made):
    made.create()
    made.start(GROW)
    made.value(GROW, "pH", "6.5", ("6.8", "7.2"))
    made.value(GROW, "pH", "7.0", ("6.8", "7.2"), kind="calculated")
    made.value(GROW, "pH", "6.4", ("6.8", "7.2"))
    made.value(GROW, "pH", "6.7", ("6.8", "7.2"), kind="calculated")
    (found,) = excursions(made.record)
    assert (found.value, found.count) == ("6.4", 2)
    made.value(GROW, "hold_time", "5", (None, "4"), kind="calculated", within=False)
    assert [item.tag for item in excursions(made.record)] == ["pH", "hold_time"]


def test_neither_a_forged_flag_nor_a_correction_takes_an_excursion_away(made):
    made.create()
    made.start(GROW)
    made.value(GROW, "pH", "6.1", ("6.8", "7.2"), within=True)
    wrong = made.value(GROW, "T", "47", ("36", "38"))
    correct_value(made.ledger, BATCH, wrong.id, "37", reason="typing error", actor=made.people["operator"])
    assert [item.tag for item in excursions(made.record)] == ["pH", "T"]
    right = made.value(GROW, "DO", "30", ("15", "110"))
    correct_value(made.ledger, BATCH, right.id, "3", reason="typing error", actor=made.people["operator"])
    assert [(item.tag, item.value) for item in excursions(made.record)][2:] == [("DO", "3")]


def test_an_amount_out_of_its_tolerance_is_an_excursion(made):
    made.create()
    made.start("seed/expansion/charge")
    for amount in ("9.8", "10.2", "9.79", "10.21"):
        made.consume("seed/expansion/charge", "SUGAR-1", "sugar", amount, "10")
    assert [item.value for item in excursions(made.record)] == ["9.79", "10.21"]


def test_who_closes_a_deviation_and_with_what(made):
    made.run(readings=ONE_EXCURSION)
    made.people["other_qa"] = enrol_person(made.ledger, "The other qa", ["qa", "shift_leader"], scripted=True)
    made.people["both"] = enrol_person(made.ledger, "Operator and qa", ["qa", "operator"], scripted=True)
    open_deviations(made.ledger, BATCH, made.people["other_qa"])
    made.value(GROW, "remark", "noted", kind="entry", who="both")
    name = f"{BATCH}-DEV-01"
    answers = {"impact": "none", "cause": "dry line", "action": "refilled", "classification": "minor"}

    def close(who, name=name, **changed):
        given: Any = {**answers, **changed}
        return close_deviation(made.ledger, BATCH, name, **given, actor=made.people[who])

    refusals = {"both": "ran the phase", "other_qa": "opened it", "operator": "may not do quality.approve"}
    for who, words in refusals.items():
        with pytest.raises(InputError, match=words):
            close(who)
    for missing in ("impact", "cause", "action"):
        with pytest.raises(InputError, match=f"no {missing}"):
            close("qa", **{missing: " "})
    with pytest.raises(InputError, match="lacks a classification"):
        close("qa", classification=None)
    with pytest.raises(InputError, match="has no deviation"):
        close("qa", "X")
    first = close("qa")
    assert close("qa") == first
    with pytest.raises(InputError, match="is recorded already"):
        close("qa", impact="some")


@pytest.mark.parametrize(
    ("value", "state", "reported"),
    [
        ("94.5 %", "conforms", "95 %"),  # USP General Notices 7.20: 94.5 is reported as 95
        ("94.4 %", "oos", "94 %"),
        ("0.972", "conforms", "97 %"),
    ],
)
def test_the_rounded_reportable_value_is_compared(made, value, state, reported):
    made.run()
    made.results({"purity": value})
    (line,) = made.record.results
    assert (line.state, line.reported) == (state, reported)


def test_results_stand_once_under_their_sample_attribute_and_method(made):
    made.run()
    first = made.results()
    assert made.results() == first
    assert len(made.record.results) == 3
    assert len([item for item in made.record.samples if item.sample == "QC-1"]) == 1
    with pytest.raises(InputError, match="recorded before; now it is"):
        made.results({"purity": "99 %"})
    made.results({"purity": "99 %"}, sample="QC-2")
    assert len(made.record.results) == 4
    with pytest.raises(InputError, match="no attribute"):
        made.results({"colour": "white"})


def test_a_test_that_cannot_tell_is_invalid(made):
    made.run()
    made.results({"endotoxin": "0.6 EU/mg"}, detected=False)  # limit of detection above the limit
    made.results({"endotoxin": "0.1 EU/mg"}, sample="QC-2", detected=False)
    assert [(item.state, item.reported) for item in made.record.results] == [
        ("invalid", "< 0.6 EU/mg"),
        ("conforms", "< 0.1 EU/mg"),
    ]


def test_a_correction_keeps_the_old_value_in_sight_and_takes_back_checks_and_reviews(made):
    made.run().results()
    reviewed = made.review()
    assert not reviewed.stale
    (entry,) = [item for item in made.record.values if item.kind == "entry"]
    with pytest.raises(InputError, match="no reason"):
        correct_value(made.ledger, BATCH, entry.id, "no", reason=" ", actor=made.people["operator"])
    first = correct_value(made.ledger, BATCH, entry.id, "no", reason="other vial", actor=made.people["operator"])
    again = correct_value(made.ledger, BATCH, entry.id, "no", reason="other vial", actor=made.people["operator"])
    assert again == first
    (line,) = [item for item in made.record.values if item.kind == "entry"]
    assert (line.value, line.current, line.corrections[0].reason) == ("yes", "no", "other vial")
    assert made.record.reviews[0].stale
    assert not made.record.step("seed/expansion/thaw").checked
    with pytest.raises(InputError, match="cannot check it"):
        check_phase(made.ledger, BATCH, "seed/expansion/thaw", made.people["operator"])
    checked = check_phase(made.ledger, BATCH, "seed/expansion/thaw", made.people["checker"])
    assert check_phase(made.ledger, BATCH, "seed/expansion/thaw", made.people["checker"]) == checked
    assert made.record.step("seed/expansion/thaw").checked
    second = correct_value(made.ledger, BATCH, entry.id, "yes", reason="no, it was this", actor=made.people["checker"])
    assert second[0].payload["before"] == "no"
    # Who corrected a value of the phase acted in it, and cannot check it any more.
    assert not made.record.step("seed/expansion/thaw").checked
    with pytest.raises(InputError, match="cannot check it"):
        check_phase(made.ledger, BATCH, "seed/expansion/thaw", made.people["checker"])


def test_a_corrected_result_is_judged_by_its_last_value_and_shown_with_its_first(made):
    made.run().results({**GOOD, "purity": "9.72 %"})
    (line,) = [item for item in made.record.results if item.attribute == "purity"]
    correct_value(made.ledger, BATCH, line.id, "97.2", reason="decimal point", actor=made.people["qc"])
    made.deviations()
    items = made.review().exceptions
    assert {item.kind for item in items} >= {"correction", "result"}
    with pytest.raises(InputError, match="cannot replace"):
        correct_value(made.ledger, BATCH, line.id, "fine", reason="x", actor=made.people["qc"])
    assert made.decide().decision == "on_hold"  # it was out of specification, and nobody has investigated that


def test_a_second_role_does_not_make_a_second_person(made):
    """Self-verification: the operator is also enrolled for checking, under the same identity."""
    made.people["checker"] = made.people["operator"]
    assert made.run().quality().decision == "on_hold"


def test_a_malformed_event_is_named(made):
    made.create()
    event = made.add("step.completed", {"phase": "seed/expansion/thaw"})
    with pytest.raises(IntegrityError, match=f"event {event.seq} "):
        batch_record(made.ledger.events(subject=BATCH))
    with pytest.raises(InputError, match="no batch"):
        batch_record([])


def test_held_and_restarted_is_an_intervention_and_nothing_illegal(made):
    made.create()
    made.command("", Command.HOLD, Command.COMPLETE, Command.RESTART, Command.COMPLETE)
    assert [item.command for item in made.record.interventions] == ["hold", "restart"]
    assert made.record.illegal == ()


NUMBER = st.decimals(-1000, 1000, places=3).map(str)


@given(NUMBER, st.none() | NUMBER, st.none() | NUMBER)
def test_limits_include_both_ends(value, low, high):
    expected = (low is None or float(value) >= float(low)) and (high is None or float(value) <= float(high))
    assert inside(value, low, high) == expected
    assert inside(value, value, value)


def test_made_in_two_folders_tells_the_same_story(tmp_path):
    stories = []
    for name in ("one", "two"):
        made = Made.in_folder(tmp_path / name)
        made.run(readings=ONE_EXCURSION).quality()
        stories.append(made.record)
        made.ledger.close()
    assert stories[0].steps[0].settings == stories[1].steps[0].settings
    assert [item.words for item in stories[0].deviations] == [item.words for item in stories[1].deviations]
    assert stories[0].decisions[0].verdict == stories[1].decisions[0].verdict
