"""What people read while they run and review a batch: repeats, corrections, words as limits, reasons of orders."""

import pytest

from tests.gmp_scenarios.hand import ADJUST, BATCH, SALTS, VOLUME, WATER, Bench
from tests.gmp_scenarios.journey import _pipe
from tests.worked import called


@pytest.fixture
def bench(tmp_path):
    found = Bench.ready(tmp_path)
    found.who |= found.crew(analyst="quality_control")
    found.start()
    return found


def read(bench, word, *words):
    """What a signed command prints for people; it must succeed."""
    actor = bench.who[word]
    with bench.surroundings(), _pipe((bench.passwords[actor],)) as descriptor:
        said = called(*words, "--as", actor, "--password-fd", descriptor)
    assert said.code == 0, said.out + said.err
    return said.out


def words_of(bench, kind):
    rows = bench.run("batch", "review", BATCH).data["exceptions"]
    return [item["words"] for item in rows if item["kind"] == kind]


def test_an_equal_weighing_is_not_dropped_in_silence(bench):
    bench.by("operator", "batch", "begin", BATCH, WATER, "--equipment", "BAL-1")
    half = ("batch", "dispense", BATCH, WATER, "WFI-1", "400", "g")
    assert "recorded before" not in read(bench, "operator", *half)
    assert "recorded before, nothing was added; --reference" in read(bench, "operator", *half)
    assert "recorded before" not in read(bench, "operator", *half, "--reference", "ticket-2")
    assert "batch dispense" not in read(bench, "operator", "batch", "complete", BATCH, WATER)  # 800 g are there


def test_accepted_words_are_shown_as_limits(bench):
    bench.run_phase(WATER)
    bench.by("operator", "batch", "begin", BATCH, SALTS, "--equipment", "BAL-1")
    bench.by("operator", "batch", "enter", BATCH, SALTS, "appearance", "hazy")
    (excursion,) = words_of(bench, "excursion")
    assert excursion.startswith("appearance hazy outside clear, at ")
    assert words_of(bench, "manual entry") == [f"appearance of {SALTS}: hazy entered by hand, limits clear"]
    assert "| appearance | hazy | clear | no |" in bench.said("batch", "show", BATCH)


def test_the_reason_of_an_order_reaches_the_reviewer_and_the_printed_record(bench):
    bench.by("operator", "batch", "hold", BATCH, "--reason", "power dip in hall 2")
    assert any(words.endswith("(power dip in hall 2)") for words in words_of(bench, "intervention"))
    assert not any(" on ," in words for words in words_of(bench, "intervention"))  # no unit yet
    bench.by("operator", "batch", "comment", BATCH, "the lamp flickered")
    shown = bench.said("batch", "show", BATCH)
    assert "| power dip in hall 2 |" in shown
    assert "| the lamp flickered |" in shown


def test_a_correction_into_the_limits_is_not_told_as_outside_them(bench):
    for phase in (WATER, SALTS, ADJUST):
        bench.run_phase(phase)
    bench.by("operator", "batch", "begin", BATCH, VOLUME, "--equipment", "BAL-1")
    for tag, value, unit in (("gross", "2509.0", "g"), ("density", "1.005", "g/mL")):
        bench.by("operator", "batch", "enter", BATCH, VOLUME, tag, value, unit)
    said = read(bench, "operator", "batch", "enter", BATCH, VOLUME, "tare", "1404.0", "g")
    assert "made 1099.5 mL is outside 995 .. 1005: an excursion" in said
    words = ("batch", "correct", BATCH, VOLUME, "tare", "1504.0")
    wrong = bench.refused("operator", *words, "kg", "--reason", "misread")
    assert "tare is given in 'kg'; the record states it in g" in wrong.words
    said = read(bench, "operator", *words, "g", "--reason", "misread")
    assert "made 1000.0 mL is within 995 .. 1005; what stood there before was not" in said
    assert "is outside" not in said
    assert any(words.startswith("made 1099.5 mL outside") for words in words_of(bench, "excursion"))  # it stays


def test_another_value_for_a_result_names_the_way_and_no_internal_id(bench):
    result = ("quality", "result", BATCH, "QC-1", "pH")
    bench.by("analyst", *result, "7.40")
    bench.by("analyst", *result, "7.40")  # the same again
    answer = bench.refused("analyst", *result, "7.50")
    assert "pH of sample QC-1 is 7.4, recorded before; now it is 7.5" in answer.words
    assert "seedtrain quality correct" in answer.words
    assert (
        read(bench, "operator", "quality", "deviation", "find", BATCH) == "every excursion has its deviation already\n"
    )
