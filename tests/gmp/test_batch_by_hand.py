"""A batch by hand at the command line: what is asked of the operator, what is told, what is let through by whom."""

from dataclasses import replace

import pytest

from seedtrain.base import InputError
from seedtrain.gmp import batch_record, open_review
from seedtrain.gmp._documents._case import Case
from seedtrain.gmp._documents._certificate_page import certificate_of
from seedtrain.gmp._documents._recipe_section import recipe_section
from seedtrain.gmp._quality._review import carried_recipe
from seedtrain.record import open_ledger, verify
from seedtrain.report import Notice, Table
from tests.gmp_scenarios.hand import ADJUST, BATCH, FILL, NOW, PHASES, RECIPE, SALTS, VOLUME, WATER, Bench


@pytest.fixture
def bench(tmp_path):
    found = Bench.ready(tmp_path)
    found.start()
    return found


def until(bench, phase):
    """Run the batch up to the beginning of a phase, and begin it."""
    for earlier in PHASES[: PHASES.index(phase)]:
        bench.run_phase(earlier)
    for word, words in bench.commands(phase):
        bench.by(word, *words)
        if words[1] == "begin":
            return


def record(bench, batch=BATCH):
    with bench.surroundings(), open_ledger(bench.record, read_only=True) as ledger:
        return batch_record(ledger.events(subject=batch), batch)


def values(bench):
    return {(item["phase"], item["tag"]): item for item in bench.done(None, "batch", "status", BATCH)["values"]}


def test_a_whole_batch_leaves_a_record_that_verifies(bench):
    ended = bench.run_batch()
    assert (ended["state"], ended["next"], ended["simulated"]) == ("complete", [], False)
    found = record(bench)
    assert (found.lot, found.material, found.amount) == (BATCH, "PBS", "950 mL")
    assert (found.illegal, found.stops) == ((), ())
    assert all(item.performed for item in found.steps)
    assert [item.phase for item in found.steps if item.checked] == [SALTS, FILL]
    assert {item.actor for item in found.signatures} == {bench.who[word] for word in ("operator", "second", "leader")}
    assert verify(bench.record).verdict == "pass"
    log = bench.done(None, "equipment", "log", "MIX-1")["uses"]
    assert [item["phase"] for item in log] == list(PHASES[:4])
    assert all(item["ended_at"] for item in log)
    (row,) = bench.done(None, "batch", "list")
    assert (row["batch"], row["state"], row["origin"]) == (BATCH, "complete", "measured")
    # The next batch does not get the vessel before it is cleaned.
    bench.start("PBS-002")
    begin = ("batch", "begin", "PBS-002", WATER, "--equipment", "BAL-1")
    assert "is dirty from batch PBS-001" in bench.refused("operator", *begin).words
    bench.clean("MIX-1")
    bench.by("operator", *begin)


def test_a_trial_needs_no_approval_and_says_so_everywhere(tmp_path):
    bench = Bench.ready(tmp_path, effective=False)
    start = ("batch", "start", RECIPE, "--batch", BATCH)
    assert "never approved" in bench.refused("operator", *start).words
    assert bench.by("operator", *start, "--simulated")["simulated"] is True
    for words in (("status", BATCH), ("step", BATCH), ("show", BATCH), ("list",)):
        document = bench.done(None, "batch", *words)
        assert document[0]["origin"] == "simulated" if words == ("list",) else document["simulated"]
    bench.run_phase(WATER)
    found = record(bench)
    assert found.simulated
    events = bench.done(None, "record", "show", bench.record, "--subject", BATCH)
    marks = {item["payload"].get("origin") for item in events if item["type"] != "signature.applied"}
    assert marks == {"simulated"}
    with bench.surroundings(), open_ledger(bench.record, read_only=True) as ledger:
        case = Case.of(ledger, BATCH)
        gaps = [x.item.words for x in open_review(ledger, BATCH).exceptions if "recipe's text" in x.item.words]
        with pytest.raises(InputError, match="Approve the recipe"):
            certificate_of(case)  # against a specification that nobody approved
    blocks = list(recipe_section(case))  # in print stands the copy that the batch carries, and that nobody approved it
    assert any("carries its own copy" in item.text for item in blocks if isinstance(item, Notice))
    assert any(row[0] == SALTS for item in blocks if isinstance(item, Table) for row in item.rows)
    assert gaps == []
    header = case.record.header
    changed = replace(header, text=header.text.replace("endotoxin", "toxin"))  # and a copy that was changed does not
    assert carried_recipe(header)[0] is not None
    assert changed.text != header.text
    assert carried_recipe(changed)[0] is None
    assert "not the one that the batch pins" in carried_recipe(changed)[1]
    again = bench.refused("second", *start, "--simulated")
    assert "is taken" in again.words


def test_what_is_entered_is_in_the_unit_and_the_words_of_the_recipe(bench):
    until(bench, ADJUST)
    enter = ("batch", "enter", BATCH, ADJUST)
    assert "states it in degC" in bench.refused("operator", *enter, "temperature", "294.65", "K").words
    assert "without a unit" in bench.refused("operator", *enter, "temperature", "21.5").words
    assert "not a decimal number" in bench.refused("operator", *enter, "pH", "7,4").words
    assert "has no entry" in bench.refused("operator", *enter, "ph", "7.4").words
    for wrong in ("nan", "inf", "1e99"):
        bench.refused("operator", *enter, "pH", wrong)
    bench.by("operator", *enter, "pH", "7.40")
    bench.by("operator", *enter, "pH", "7.40")  # the same again is the same
    assert "entered before" in bench.refused("operator", *enter, "pH", "7.41").words
    assert "entered before" in bench.refused("second", *enter, "pH", "7.40").words
    assert values(bench)[ADJUST, "pH"]["recorded"] == "7.40"  # as it was read, digit by digit
    assert bench.run("batch", "enter", BATCH, "pH", "7.4").code == 2  # nobody signs


@pytest.mark.parametrize(
    ("value", "within", "outside"),
    [
        ("7.40", True, []),
        ("7.35", True, []),
        ("7.34", True, ["alert"]),
        ("7.29", False, ["alert", "action"]),
        ("7.19", False, ["alert", "action", "proven"]),
        ("6.9", False, ["alert", "action", "proven", "specification"]),
    ],
)
def test_four_kinds_of_limits_are_four_things(shared, value, within, outside):
    bench = shared
    name = f"PBS-{value}"
    bench.start(name)
    bench.clean("MIX-1")
    for phase in (WATER, SALTS):
        bench.run_phase(phase, name)
    for word, words in bench.commands(ADJUST, name):
        bench.by(word, *words)
        break
    found = bench.by("operator", "batch", "enter", name, ADJUST, "pH", value)
    (line,) = [item for item in found["values"] if item["tag"] == "pH"]
    assert (line["within"], line["outside"]) == (within, outside)
    opened = bench.by("operator", "quality", "deviation", "find", name)
    assert bool(opened["opened"]) == (not within)  # an alert is no deviation
    bench.by("operator", "batch", "stop", name, "--reason", "the test is over")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Bench.ready(tmp_path_factory.mktemp("limits"))


def test_several_lots_make_up_an_amount_and_too_much_is_an_excursion(bench):
    until(bench, SALTS)
    dispense = ("batch", "dispense", BATCH, SALTS)
    assert "weighed in kg" in bench.refused("operator", *dispense, "NACL-1", "0.008", "kg").words
    bench.by("operator", *dispense, "NACL-1", "4.00", "g")
    bench.by("operator", *dispense, "NACL-1", "4.00", "g")  # the same weighing told twice
    assert [item.amount for item in record(bench).consumed_in(SALTS, "sodium-chloride")] == ["4.00"]
    bench.by("operator", *dispense, "NACL-1", "4.00", "g", "--reference", "T-2")
    lines = record(bench).consumed_in(SALTS, "sodium-chloride")
    assert [(item.amount, item.partial, item.keeps_limits) for item in lines] == [
        ("4.00", True, True),
        ("4.00", False, True),
    ]
    bench.by("operator", *dispense, "KCL-1", "0.21", "g")  # 2 % are tolerated
    (line,) = record(bench).consumed_in(SALTS, "potassium-chloride")
    assert (line.keeps_limits, line.bounds) == (False, ("0.196", "0.204"))
    assert bench.refused("operator", *dispense, "NA2HPO4-1", "5000", "g")  # more than the lot has


def test_a_phase_that_lacks_something_ends_only_by_quality_under_a_deviation(bench):
    until(bench, VOLUME)
    bench.by("operator", "batch", "enter", BATCH, VOLUME, "gross", "2509.0", "g")
    bench.by("operator", "batch", "enter", BATCH, VOLUME, "tare", "1504.0", "g")
    complete = ("batch", "complete", BATCH, VOLUME)
    assert "density is not entered" in bench.refused("operator", *complete).words
    opened = bench.by("operator", "quality", "deviation", "open", BATCH, "densitometer broke", "--phase", VOLUME)
    name = opened.get("deviation") or opened["name"]
    reason = ("--deviation", name, "--reason", "volume known from the mass within 1 %")
    lift = ("batch", "lift", BATCH, VOLUME, "incomplete")
    assert "may not do" in bench.refused("operator", *lift, "density", *reason).words
    assert "nobody was stopped" in bench.refused("qa", *lift, "pH", *reason).words
    assert bench.refused("qa", *lift, "density", "--deviation", "PBS-001-DEV-77", "--reason", "x")
    bench.by("qa", *lift, "density", *reason)
    assert "made cannot be calculated" in bench.refused("operator", *complete).words
    bench.by("qa", *lift, "made", *reason)
    bench.by("operator", *complete)
    assert [(item.gate, item.subject, item.lifted_by is not None) for item in record(bench).stops] == [
        ("incomplete", "density", True),
        ("incomplete", "made", True),
    ]


def test_time_is_watched_between_phases_and_in_them(bench):
    until(bench, ADJUST)
    for tag, value, *unit in (("pH", "7.41"), ("temperature", "21.5", "degC")):
        bench.by("operator", "batch", "enter", BATCH, ADJUST, tag, value, *unit)
    assert "it ends at 1 s" in bench.refused("operator", "batch", "complete", BATCH, ADJUST).words
    bench.later(minutes=31)
    bench.by("operator", "batch", "complete", BATCH, ADJUST)
    bench.by("leader", "batch", "sign", BATCH, ADJUST)
    bench.later(hours=4, minutes=1)
    bench.by("operator", "batch", "begin", BATCH, VOLUME, "--equipment", "BAL-1")
    found = values(bench)
    assert not found[ADJUST, "elapsed"]["within"]  # 30 min at most
    assert not found[ADJUST, "hold_time"]["within"]  # 4 h: 21 CFR 211.111
    assert found[ADJUST, "hold_time"]["high"] == "4"


def test_remarks_and_two_languages(bench):
    bench.by("operator", "batch", "comment", BATCH, "stirrer noisy", "--phase", "water")
    assert bench.refused("operator", "batch", "comment", BATCH, " ")
    assert bench.refused("operator", "batch", "comment", BATCH, "x", "--phase", "wter")
    (line,) = record(bench).comments
    assert (line.phase, line.text) == (WATER, "stirrer noisy")
    step = bench.done(None, "batch", "step", BATCH, "--lang", "zh")["next"]
    assert step[0]["instruction"].startswith("Weigh 800 g")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in step[0]["words"])


def test_time_stamps_are_the_ledgers_own(bench):
    """11.10(e): nobody gives the time of an act; it is the ledger's, and recorded at once."""
    bench.run_phase(WATER)
    events = bench.done(None, "record", "show", bench.record, "--subject", BATCH)
    assert all(item["occurred_at"] == item["recorded_at"] for item in events)
    assert events[0]["occurred_at"] >= NOW.strftime("%Y-%m-%dT%H:%M")
