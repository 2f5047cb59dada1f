"""Verdict arithmetic, rounding as the pharmacopoeia does it, and the contract's JSON."""

import json
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import use_language
from seedtrain.quality import (
    Criterion,
    Limit,
    Result,
    Specification,
    SpecificationLine,
    Verdict,
    combine,
    judge,
    judge_interval,
    round_half_up,
    verdict_words,
)
from seedtrain.quantity import Quantity, QuantityError, Uncertain, convert, parse

words = st.sampled_from(["pass", "fail", "inconclusive"])


def specification(limit=">= 95 %", attribute="purity"):
    return Specification((SpecificationLine(attribute, "HPLC", Limit.parse(limit)),))


def verdict_of(text, limit, **more):
    value = parse(text) if text[0].isdigit() else text
    return judge(specification(limit), [Result("purity", value, "HPLC", "S-1", **more)]).criteria[0]


@given(st.lists(words), st.lists(words), st.randoms(use_true_random=False))
def test_fail_dominates_then_inconclusive_and_order_does_not_matter(a, b, random):
    both = a + b
    expected = "fail" if "fail" in both else "pass" if both and set(both) == {"pass"} else "inconclusive"
    random.shuffle(both)
    assert combine(both) == expected
    if a and b:
        assert combine([combine(a), combine(b)]) == combine(both)


def test_no_evidence_is_never_a_pass():
    assert combine([]) == "inconclusive"
    assert Verdict.of([]).verdict == "inconclusive"
    assert judge(Specification(()), []).verdict == "inconclusive"
    with pytest.raises(AssertionError):
        Verdict("pass", ())


@given(st.lists(words, min_size=1))
def test_a_verdict_is_never_better_than_its_worst_criterion(found):
    criteria = tuple(Criterion(str(at), None, None, None, None, word) for at, word in enumerate(found))
    made = Verdict.of(criteria)
    assert made.verdict == combine(found)
    if made.verdict != "pass":
        with pytest.raises(AssertionError):
            Verdict("pass", criteria)
    assert made.exit_code == {"pass": 0, "fail": 1, "inconclusive": 3}[made.verdict]


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [  # the examples of USP General Notices 7.20, and the first failing neighbour of each
        ("97.96 %", ">= 98.0 %", "pass"),
        ("97.92 %", ">= 98.0 %", "fail"),
        ("97.95 %", ">= 98.0 %", "pass"),
        ("101.55 %", "<= 101.5 %", "fail"),
        ("101.46 %", "<= 101.5 %", "pass"),
        ("101.45 %", "<= 101.5 %", "pass"),
        ("0.025 %", "<= 0.02 %", "fail"),
        ("0.015 %", "<= 0.02 %", "pass"),
        ("0.027 %", "<= 0.02 %", "fail"),
        ("0.00035 %", "<= 0.0003 %", "fail"),
        ("0.00028 %", "<= 0.0003 %", "pass"),
        ("94.5 %", ">= 95 %", "pass"),
        ("94.49999 %", ">= 95 %", "fail"),
        ("0.54 EU/mg", "<= 0.5 EU/mg", "pass"),
        ("0.55 EU/mg", "<= 0.5 EU/mg", "fail"),
        ("0.55 EU/mg", "<= 0.50 EU/mg", "fail"),
        ("0.504 EU/mg", "<= 0.50 EU/mg", "pass"),
        ("540 EU/g", "<= 0.5 EU/mg", "pass"),
        ("550 EU/g", "<= 0.5 EU/mg", "fail"),
        ("0.1104 g", "90 .. 110 mg", "pass"),
        ("0.1105 g", "90 .. 110 mg", "fail"),
        ("89.5 mg", "90 .. 110 mg", "pass"),
        ("89.4 mg", "90 .. 110 mg", "fail"),
        ("conforms", "= conforms", "pass"),
        ("does not conform", "= conforms", "fail"),
    ],
)
def test_the_rounded_reportable_value_is_compared(value, limit, expected):
    assert verdict_of(value, limit).verdict == expected


def test_the_reportable_value_keeps_the_places_of_the_limit():
    assert verdict_of("97 %", ">= 95.0 %").value == "97.0 %"
    assert verdict_of("544 EU/g", "<= 0.5 EU/mg").value == "0.5 EU/mg"
    assert verdict_of("97.5 %", ">= 95 %").value == "98 %"


def test_large_figures_are_read_and_not_counted():
    assert verdict_of("1.6e13 1/mL", ">= 1e13 1/mL").value == "1.6e13 1/mL"
    assert verdict_of("9999999 1/mL", ">= 1e4 1/mL").value == "9999999 1/mL"
    assert verdict_of("12345678 1/mL", ">= 1e4 1/mL").value == "1.2345678e7 1/mL"
    assert verdict_of("12345678.25 1/mL", ">= 1.0 1/mL").value == "1.23456783e7 1/mL"
    found = judge_interval("titre", 9e12, 1.6e13, 2.5e16, Limit.parse(">= 1e12 1/mL"))
    assert (found.value, found.interval) == ("1.6e13 1/mL", ("9e12 1/mL", "2.5e16 1/mL"))


@given(st.floats(1e4, 1e20), st.integers(0, 3))
def test_a_reported_figure_reads_back_as_what_was_rounded(value, places):
    limit = Limit.parse(f">= {1:.{places}f} 1/mL")
    text = limit.reportable(Quantity(value, "1/mL"))
    assert Decimal(text.partition(" ")[0]) == round_half_up(value, places)
    assert limit.reportable(parse(text)) == text


@given(st.integers(-(10**9), 10**9), st.integers(0, 4))
def test_rounding_looks_at_one_digit_and_takes_five_upwards(units, places):
    value = units / 10 ** (places + 1)
    ours = round_half_up(value, places)
    digit = abs(units) % 10
    away = abs(units) // 10 + (1 if digit >= 5 else 0)
    assert ours == Decimal(away).scaleb(-places) * (-1 if units < 0 else 1)


@given(st.integers(1, 10**6))
def test_a_change_of_unit_never_changes_a_verdict(thousandths):
    value = thousandths / 1000
    here = Limit.parse("<= 0.5 EU/mg").admits(Quantity(value, "EU/mg"))
    there = Limit.parse("<= 0.5 EU/mg").admits(Quantity(convert(value, "EU/mg", "EU/g"), "EU/g"))
    assert here == there


def test_a_missing_or_invalid_result_is_inconclusive():
    assert judge(specification(), []).verdict == "inconclusive"
    invalid = Result("purity", parse("99 %"), "HPLC", "S-1", valid=False)
    found = judge(specification(), [invalid])
    assert found.verdict == "inconclusive"
    assert "invalid" in found.evidence[0]
    repeated = Result("purity", parse("99 %"), "HPLC", "S-2")
    assert judge(specification(), [invalid, repeated]).verdict == "pass"


def test_a_second_result_never_replaces_a_failed_one():
    bad, good = (Result("purity", parse(text), "HPLC", "S") for text in ("90 %", "99 %"))
    assert judge(specification(), [bad, good]).verdict == "fail"
    assert judge(specification(), [good, bad]).verdict == "fail"


def test_a_result_that_nobody_specified_is_named_not_hidden():
    stray = Result("colour", "white", "eye", "S-1")
    assert any("colour" in item for item in judge(specification(), [stray]).evidence)


@pytest.mark.parametrize(
    ("detection", "limit", "expected"),
    [
        ("0.05 EU/mg", "<= 0.5 EU/mg", "pass"),
        ("0.8 EU/mg", "<= 0.5 EU/mg", "inconclusive"),
        ("0.05 EU/mg", ">= 0.5 EU/mg", "fail"),
        ("0.8 EU/mg", ">= 0.5 EU/mg", "inconclusive"),
        ("0.8 EU/mg", "0.2 .. 0.5 EU/mg", "inconclusive"),
    ],
)
def test_below_the_limit_of_detection_the_value_may_be_anything_down_to_zero(detection, limit, expected):
    found = verdict_of(detection, limit, detected=False)
    assert found.verdict == expected
    assert found.limit_of_detection == detection
    assert str(found.value).startswith("< ")


def test_a_result_of_another_dimension_is_a_typed_error():
    with pytest.raises(QuantityError, match="concentration"):
        verdict_of("5 g/L", ">= 95 %")
    with pytest.raises(QuantityError, match="is a word"):
        verdict_of("conforms", ">= 95 %")
    with pytest.raises(QuantityError, match="is a number"):
        verdict_of("5 %", "= conforms")


def test_uncertainty_is_shown_in_the_unit_of_the_limit_and_does_not_decide():
    uncertainty = Uncertain(0.94, 0.90, 0.98, "", status="derived")
    found = verdict_of("96 %", ">= 95 %", uncertainty=uncertainty)
    assert found.interval == ("90 %", "98 %")
    assert found.verdict == "pass"


floats = st.floats(-1e6, 1e6)


@given(st.lists(floats, min_size=3, max_size=3).map(sorted), st.lists(floats, min_size=2, max_size=2).map(sorted))
def test_intervals_pass_inside_fail_outside_and_else_leave_it_open(values, ends):
    low, value, high = values
    start, end = ends
    found = judge_interval("titre", low, value, high, Limit.parse(f"{start!r} .. {end!r} g/L")).verdict
    inside, outside = start <= low and high <= end, high < start or low > end
    assert found == ("pass" if inside else "fail" if outside else "inconclusive")


def test_an_interval_needs_a_limit_of_numbers_and_a_value_inside():
    with pytest.raises(ValueError, match="word"):
        judge_interval("a", 1, 2, 3, Limit.parse("= conforms"))
    with pytest.raises(ValueError, match="outside"):
        judge_interval("a", 1, 0, 3, Limit.parse("<= 5 g"))
    with pytest.raises(ValueError, match="outside"):
        judge_interval("a", 1, math.nan, 3, Limit.parse("<= 5 g"))


def test_the_data_has_exactly_the_keys_of_the_contract_and_reads_back():
    made = judge(specification(), [Result("purity", parse("96 %"), "HPLC", "S-1")], versions={"seedtrain": "0"}, seed=7)
    data = json.loads(json.dumps(made.to_data()))
    assert set(data) == {"verdict", "criteria", "evidence", "versions", "seed"}
    assert set(data["criteria"][0]) == {"name", "value", "interval", "limit", "limit_of_detection", "verdict"}
    assert Verdict.from_data(data) == made


def test_verdicts_have_words_in_both_languages():
    assert [verdict_words(word) for word in ("pass", "fail", "inconclusive")] == ["pass", "fail", "inconclusive"]
    with use_language("zh"):
        assert verdict_words("inconclusive") == "无法判定"
