"""Assays against published worked examples, independent implementations, and draws of known truth."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import optimize, stats

from seedtrain.base import InputError, InputErrors, use_language
from seedtrain.report import render_html
from seedtrain.vectors import ASSAYS, assay_page, verify_assay
from seedtrain.vectors._assays._absence import detection_probability
from seedtrain.vectors._assays._ddpcr import copies_per_droplet
from seedtrain.vectors._assays._qpcr import fit_curve, outliers, predict
from seedtrain.vectors._assays._tcid50 import Titration, most_likely, reed_muench, spearman_kaerber
from seedtrain.vectors._fractions import lower_bound, upper_bound
from tests.vectors.assay_draws import (
    CASES,
    SETTINGS,
    coverage,
    ddpcr_table,
    elisa_table,
    full_table,
    qpcr_table,
    tcid50_table,
)

# Lei et al. 2021, Virol Sin 36:141, tables 1 and 2 (data of Burleson 1992, Hierholzer & Killington 1996 and Svensson
# 1999): wells, mL a well (0.1; the titres of the third imply 0.05), first dilution, infected, titre by Reed-Muench, by
# Spearman-Kaerber, and its 95 % interval, which takes p(1 - p)/n for the variance of a share; this code takes n - 1.
PUBLISHED = [
    (5, 0.1, -5, (5, 3, 1, 0), 2.08e7, 2.00e7, (5.57e6, 7.15e7)),
    (8, 0.1, -1, (8, 7, 5, 3, 1), 3.16e4, 3.16e4, (8.42e3, 1.19e5)),
    (6, 0.05, -3, (6, 6, 6, 5, 3, 1), 2.00e8, 2.00e8, (5.24e7, 7.63e8)),
]


@pytest.mark.parametrize(("wells", "volume", "first", "infected", "muench", "kaerber", "interval"), PUBLISHED)
def test_tcid50_gives_the_published_titres(wells, volume, first, infected, muench, kaerber, interval):
    steps = tuple(float(first - index) for index in range(len(infected)))
    plate = Titration(steps, (wells,) * len(infected), infected)
    endpoint, error = spearman_kaerber(plate)
    assert 10**endpoint / volume == pytest.approx(kaerber, rel=0.005)
    crossed = reed_muench(plate)
    assert crossed is not None
    assert 10**crossed / volume == pytest.approx(muench, rel=0.005)
    biased = error * math.sqrt((wells - 1) / wells)
    ends = [10 ** (endpoint + sign * 1.96 * biased) / volume for sign in (-1, 1)]
    assert ends == pytest.approx(interval, rel=0.01)


def test_the_likeliest_titre_solves_the_score_equation_of_the_most_probable_number():
    plate = Titration((-1.0, -2.0, -3.0), (5, 5, 5), (5, 3, 0))
    found = most_likely([plate])
    assert found is not None
    units, low, high = (10**item for item in found)
    doses = 10.0 ** np.array(plate.dilutions)
    score = sum(
        infected * dose / -np.expm1(-units * dose) - total * dose
        for dose, total, infected in zip(doses, plate.wells, plate.infected, strict=True)
    )
    assert score == pytest.approx(0, abs=1e-3)
    # 5-3-0 of 0.1, 0.01, 0.001 g: 79 per g (FDA Bacteriological Analytical Manual, appendix 2, table 1)
    assert units == pytest.approx(79, rel=0.02)
    assert low < units < high


def test_a_plate_of_one_outcome_gives_a_bound():
    none = verify_assay("tcid50", "log10_dilution,wells,infected\n-1,8,0\n-2,8,0\n").estimates[0]
    assert not none.detected
    assert math.exp(-none.high * math.log(2) * 0.1 * (0.8 + 0.08)) == pytest.approx(0.05)
    every = verify_assay("tcid50", "log10_dilution,wells,infected\n-1,8,8\n-2,8,8\n").estimates[0]
    assert math.isinf(every.high)
    assert (-math.expm1(-every.low * math.log(2) * 0.1 * 1e-2)) ** 8 == pytest.approx(0.05)


def test_ddpcr_by_hand_and_by_the_vendors_formula():
    assert copies_per_droplet(8000, 20000) == pytest.approx(0.5108, abs=1e-4)  # -ln(0.6)
    text = "positive,accepted,dilution\n8000,20000,1000\n"
    item = verify_assay("ddpcr", text, settings={"volume_cv": "0", "dilution_cv": "0"}).estimates[0]
    assert item.value == pytest.approx(0.510826 / 0.85e-6 * 1000, rel=1e-5)
    # Poisson alone: the interval of the share of positive droplets, carried over.
    ends = [-math.log1p(-(0.4 + sign * 1.96 * math.sqrt(0.24 / 20000))) / 0.85e-6 * 1000 for sign in (-1, 1)]
    assert [item.low, item.high] == pytest.approx(ends, rel=1e-3)
    wide = verify_assay("ddpcr", text).estimates[0]
    assert math.log(wide.high / wide.low) / 2 == pytest.approx(1.96 * math.hypot(0.03, 0.03, 0.00903), rel=0.02)


def test_ddpcr_without_positive_droplets_gives_the_bound_of_three_copies():
    report = verify_assay("ddpcr", "positive,accepted\n0,20000\n0,20000\n", limit="<= 200")
    item = report.estimates[0]
    assert not item.detected
    assert item.high == item.limit_of_detection == pytest.approx(3.0 / (40000 * 0.85e-6), rel=0.01)
    assert report.verdict.verdict == "inconclusive"  # no blank was run
    with_blank = "role,positive,accepted\nsample,0,20000\nsample,0,20000\nblank,0,20000\n"
    assert verify_assay("ddpcr", with_blank, limit="<= 200").verdict.verdict == "inconclusive"  # could it find any?
    with_blank += "control,900,20000\n"
    assert verify_assay("ddpcr", with_blank, limit="<= 200").verdict.verdict == "pass"
    dead = with_blank.replace("control,900", "control,0")
    assert verify_assay("ddpcr", dead, limit="<= 200").verdict.verdict == "inconclusive"
    assert verify_assay("ddpcr", with_blank, limit="<= 50").verdict.verdict == "inconclusive"


def test_wells_without_a_positive_droplet_count():
    """Leaving them out would read three times too high; the interval of a count is Garwood's."""
    text = "positive,accepted\n0,20000\n0,20000\n3,20000\n"
    item = verify_assay("ddpcr", text, settings={"volume_cv": "0", "dilution_cv": "0"}).estimates[0]
    per_copy = 1 / (60_000 * 0.85e-6)
    assert item.value == pytest.approx(3 * per_copy, rel=1e-3)
    pearson = math.sqrt((1 + 1 + 4) / 2) * stats.t.ppf(0.975, 2) / 1.96
    assert math.log(item.value / item.low) == pytest.approx(pearson * math.log(3 / 0.6187), rel=1e-3)
    rng, held = np.random.default_rng(6), 0
    for _each in range(200):
        rows = "".join(f"{count},20000\n" for count in rng.poisson(0.7, 4))
        found = verify_assay("ddpcr", "positive,accepted\n" + rows, settings={"volume_cv": "0", "dilution_cv": "0"})
        item = found.estimates[0]
        held += item.low <= 0.7 / (20_000 * 0.85e-6) <= item.high
    assert held >= 0.93 * 200


def test_samples_of_a_plate_stay_apart_and_one_well_is_not_enough():
    head = "name,role,positive,accepted,dilution\n,blank,0,20000,1\n"
    text = head + "A,sample,500,20000,10\nA,sample,510,20000,10\nB,sample,9000,20000,10\nB,sample,9100,20000,10\n"
    report = verify_assay("ddpcr", text, limit=">= 1e5 vg/mL")
    assert [item.name for item in report.estimates] == ["A, target", "B, target"]
    assert report.estimates[1].value == pytest.approx(-math.log(1 - 9050 / 20000) / 0.85e-6 * 10, rel=1e-3)
    assert report.verdict.verdict == "pass"
    alone = verify_assay("ddpcr", text.replace("A,sample,510,20000,10\n", ""), limit=">= 1e5")
    assert alone.verdict.verdict == "inconclusive"
    both = "target,role,positive,accepted\n" + "ITR,sample,500,20000\nWPRE,sample,600,20000\n" * 2
    assert verify_assay("ddpcr", both + ",blank,0,20000\n").verdict.verdict == "pass"  # a blank of every target
    assert verify_assay("ddpcr", both + "ITR,blank,0,20000\n").verdict.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("limit", "word"),
    [(">= 100 copies/uL", "pass"), (">= 1e9 copies/L", "fail"), (">= 1e5 GC/mL", "pass"), ("<= 1e3 mg", None)],
)
def test_a_limit_is_in_the_unit_of_what_was_measured(limit, word):
    text = "role,positive,accepted\nsample,8000,20000\nsample,8100,20000\nblank,0,20000\n"  # some 600 copies/uL
    if word is None:
        with pytest.raises(InputError, match="mass"):
            verify_assay("ddpcr", text, limit=limit)
    else:
        assert verify_assay("ddpcr", text, limit=limit).verdict.verdict == word
    lanes = "lane,form,area\n" + "".join(f"{n},supercoiled,{60 + n}\n{n},linear,40\n" for n in range(3))
    with pytest.raises(InputError, match="has no unit"):  # 0.8 % would let anything pass
        verify_assay("topology", lanes, limit=">= 0.8")
    assert verify_assay("tcid50", tcid50_table(np.random.default_rng(1)), limit=">= 1e5 TCID50/mL").verdict.verdict


def test_with_a_limit_a_run_that_is_not_valid_says_nothing_about_the_sample():
    text = tcid50_table(np.random.default_rng(1)).replace("1,control,0,8,0", "1,control,0,8,3")
    assert verify_assay("tcid50", text).verdict.verdict == "fail"
    assert verify_assay("tcid50", text, limit=">= 1e6").verdict.verdict == "inconclusive"
    assert verify_assay("tcid50", text, limit=">= 1e12").verdict.verdict == "inconclusive"


def test_every_target_of_a_multiplex_is_answered():
    text = "target,positive,accepted\nITR,5000,20000\nWPRE,2500,20000\n"
    assert [item.name for item in verify_assay("ddpcr", text).estimates] == ["ITR", "WPRE"]


def test_the_curve_agrees_with_scipy_and_an_outlier_is_left_out():
    rng = np.random.default_rng(3)
    copies = np.repeat(10.0 ** np.arange(2, 8), 3).tolist()
    cq = (38 - 3.4 * np.log10(copies) + rng.normal(0, 0.1, 18)).tolist()
    curve, judge = fit_curve(copies, cq), stats.linregress(np.log10(copies), cq)
    assert (curve.slope, curve.intercept) == pytest.approx((judge.slope, judge.intercept))
    assert curve.r2 == pytest.approx(judge.rvalue**2)
    assert curve.efficiency == pytest.approx(10 ** (1 / 3.4) - 1, abs=0.05)
    assert outliers(copies, cq) == []
    cq[7] += 1.5
    assert outliers(copies, cq) == [7]
    lines = ["role,copies,cq", *(f"standard,{a:g},{b}" for a, b in zip(copies, cq, strict=True))]
    lines += ["unknown,,25", "blank,,"]
    report = verify_assay("qpcr", "\n".join(lines))
    assert any("line 9" in note for note in report.finding.notes)
    assert report.verdict.verdict == "pass"


def test_targets_have_curves_of_their_own_and_what_instruments_write_for_nothing_is_no_cq():
    rows = ["role,target,name,copies,cq", "blank,,,,Undetermined"]
    for target, start in (("ITR", 38.0), ("WPRE", 41.0)):
        rows += [f"standard,{target},,{10**k},{start - 3.4 * k + 0.02 * (k % 2)}" for k in range(2, 8)]
        rows += [f"unknown,{target},lot 7,,{start - 3.4 * 4.5}"]
    report = verify_assay("qpcr", "\n".join(rows))
    assert [item.name for item in report.estimates] == ["ITR: lot 7", "WPRE: lot 7"]
    assert [item.value for item in report.estimates] == pytest.approx([10**4.5] * 2, rel=0.02)
    assert report.verdict.verdict == "pass"
    partly = verify_assay("qpcr", "\n".join([*rows, "unknown,ITR,lot 7,,Undetermined"]), limit="<= 1e9")
    assert partly.verdict.verdict == "inconclusive"  # the mean of those that amplified says too much
    with pytest.raises(InputError, match="nothing that the limit could judge"):
        verify_assay("qpcr", "\n".join(row for row in rows if "unknown" not in row), limit="<= 1e9")


def test_inverse_prediction_is_fiellers_set():
    """Every end of the interval is a dose whose Cq, by the curve's own errors, just differs from the one seen."""
    rng = np.random.default_rng(5)
    x = np.repeat(np.arange(2.0, 8.0), 2)
    curve = fit_curve((10**x).tolist(), (38 - 3.3 * x + rng.normal(0, 0.15, 12)).tolist())
    _best, low, high = predict(curve, [24.0, 24.1])
    quantile = stats.t.ppf(0.975, 10)
    for end in (low, high):
        error = curve.sd * math.sqrt(1 / 2 + 1 / 12 + (end - curve.centre) ** 2 / curve.spread)
        assert abs(24.05 - curve.intercept - curve.slope * end) == pytest.approx(quantile * error, rel=1e-6)


def test_potency_agrees_with_curve_fit_and_shapes_that_differ_are_not_parallel():
    rng = np.random.default_rng(8)
    text = elisa_table(rng, noise=0.02)
    report = verify_assay("elisa", text)
    cells = [line.split(",") for line in text.splitlines()[1:]]
    test = np.array([name == "test" for name, *_rest in cells], dtype=float)
    dose, response = (np.array([float(cell[index]) for cell in cells]) for index in (1, 2))

    def curve(dose, low, high, middle, slope, potency):
        return low + (high - low) / (1 + (dose * np.where(test > 0, potency, 1.0) / middle) ** -slope)

    found, covariance = optimize.curve_fit(curve, dose, response, p0=[0.1, 2, 0.3, 1, 1])
    item = report.estimates[0]
    assert item.value == pytest.approx(found[4], rel=1e-4)
    half = stats.t.ppf(0.975, len(dose) - 5) * math.sqrt(covariance[4, 4]) / found[4]
    assert math.log(item.high / item.value) == pytest.approx(half, rel=0.01)
    assert report.verdict.verdict == "pass"
    blanks = "".join(f"{name},0,{0.1 + step}\n" for name in ("reference", "test") for step in (-0.01, 0.01))
    with_blanks = verify_assay("elisa", f"{text}\n{blanks}").estimates[0]
    assert with_blanks.value == pytest.approx(item.value, rel=0.05)
    for flat in (0.0, 0.01):  # a plate without a curve, with and without noise
        lines = [f"{name},{2.0**k},{0.1 + rng.normal(0, flat)}" for name in ("reference", "x") for k in range(8)]
        empty = verify_assay("elisa", "\n".join(["sample,dose,response", *lines]), limit="<= 1000")
        assert empty.verdict.verdict == "inconclusive"
    apart = verify_assay("elisa", elisa_table(rng, noise=0.02, test_slope=2.6))
    assert apart.verdict.verdict == "fail"
    assert apart.verdict.criteria[-1].verdict == "inconclusive"  # a run that is not valid says nothing


def test_full_capsids_may_exceed_one_and_methods_may_disagree():
    lines = ["method,quantity,value,cv"]
    lines += [f"ddpcr-elisa,{name},{value},0.1" for name, value in (("genomes", 5.75e11), ("capsids", 5.5e11))]
    over = verify_assay("full", "\n".join(lines)).estimates[0]
    assert over.value == pytest.approx(104.5, abs=0.1)  # the AAV8 reference standard holds more genomes than capsids
    assert math.log(over.high / over.low) / 2 == pytest.approx(1.96 * math.hypot(0.1, 0.1), rel=1e-3)
    lines += [f"auc,{name},{value},0.02" for name, value in (("full", 30), ("partial", 10), ("empty", 60))]
    report = verify_assay("full", "\n".join(lines))
    assert report.estimates[1].value == pytest.approx(30)
    assert {item.name: item.verdict for item in report.verdict.criteria}["methods agree"] == "fail"


def test_one_method_alone_passes_and_its_error_and_units_must_be_known():
    rows = "method,quantity,value\n" + "".join(
        f"auc,full,{0.8 + step}\nauc,empty,{0.2 - step}\n" for step in (-0.01, 0, 0.01)
    )
    report = verify_assay("full", rows, limit=">= 70 %")
    assert (report.estimates[0].value, report.verdict.verdict) == (pytest.approx(80, abs=0.1), "pass")
    ratio = "method,quantity,value,unit\nddpcr-elisa,genomes,5.7e11,{}\nddpcr-elisa,genomes,5.6e11,{}\n"
    ratio += "ddpcr-elisa,capsids,7e11,1/mL\nddpcr-elisa,capsids,{},1/mL\n"
    good = ratio.format("1/mL", "1/mL", "7.1e11")
    assert verify_assay("full", good, limit=">= 50 %").verdict.verdict == "pass"
    single = "\n".join(good.splitlines()[:-1])  # capsids were measured once: their error is not known
    assert verify_assay("full", single, limit=">= 50 %").verdict.verdict == "inconclusive"
    with pytest.raises(InputError, match="1/mL and 1/uL"):
        verify_assay("full", ratio.format("1/uL", "1/uL", "7.1e11"))
    thousandfold = good.replace("7e11", "7e8").replace("7.1e11", "7.1e8")
    assert verify_assay("full", thousandfold, limit=">= 50 %").verdict.verdict == "inconclusive"


def test_what_a_test_without_a_finding_could_have_found():
    assert detection_probability(3.0, 1.0) == pytest.approx(0.950, abs=1e-3)
    assert upper_bound(0, 59, 0.95) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert lower_bound(59, 59, 0.95) == pytest.approx(0.05 ** (1 / 59))
    plain = verify_assay("absence", "role,amount,replicates,positive\ntest,10,30,0\n").estimates[0]
    assert plain.high == pytest.approx(-math.log(0.05) / 300)
    rows = "role,amount,spike,replicates,positive\ntest,10,0,30,0\nspiked,10,1,20,18\nnegative_control,0,0,5,0\n"
    spiked = verify_assay("absence", rows, limit="<= 0.1")
    assert spiked.estimates[0].high > plain.high  # the test misses some single particles
    assert spiked.verdict.verdict == "pass"
    found = verify_assay("absence", rows.replace("30,0\n", "30,2\n"), limit="<= 0.001")
    assert found.estimates[0].detected
    assert found.verdict.verdict in ("fail", "inconclusive")
    seen = verify_assay("absence", rows.replace("30,0\n", "30,2\n")).verdict
    assert (seen.verdict, seen.criteria[-1].limit) == ("fail", "none found")  # found is found, without a limit
    rows = rows.replace("5,0\n", "5,1\n")
    assert verify_assay("absence", rows).verdict.verdict == "fail"


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("ddPCR, 3 series of 2 dilutions in 2 wells", 0.93),
        ("TCID50, 8 wells, likelihood", 0.93),
        ("qPCR, 6 levels and the unknown in triplicate", 0.93),
        ("genomes over capsids, 3 replicates each, common error 10 %", 0.93),
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(name, least):
    kind, make, truth, which, settings = CASES[name]
    runs = 250
    held = coverage(kind, make, truth, runs, which=which, settings=settings)
    allowance = 2.6 * math.sqrt(least * (1 - least) / runs)
    assert held >= least - allowance


def test_poisson_alone_would_not_hold():
    settings = {"volume_cv": "0", "dilution_cv": "0"}
    held = coverage("ddpcr", lambda rng: ddpcr_table(rng, series=1), 1e12, 60, settings=settings)
    assert held < 0.8


MAKERS: dict[str, Callable[[np.random.Generator], str]] = {
    "ddpcr": ddpcr_table,
    "tcid50": tcid50_table,
    "qpcr": qpcr_table,
    "elisa": elisa_table,
    "full": full_table,
    "absence": lambda rng: "role,amount,replicates,positive\ntest,10,30,0\n",
    "topology": lambda rng: (
        "lane,form,area\n" + "".join(f"{n},supercoiled,{80 + n}\n{n},open circular,{15 - n}\n" for n in range(1, 5))
    ),
}


@pytest.mark.parametrize("kind", ASSAYS)
def test_the_same_table_gives_the_same_bytes_and_the_order_of_rows_does_not_matter(kind):
    text = MAKERS[kind](np.random.default_rng(2))
    settings = SETTINGS if kind == "ddpcr" else None
    one, two = (verify_assay(kind, text, settings=settings) for _each in range(2))
    assert json.dumps(one.verdict.to_data()) == json.dumps(two.verdict.to_data())
    assert render_html(assay_page(one)) == render_html(assay_page(two))
    head, *rows = text.splitlines()
    turned = verify_assay(kind, "\n".join([head, *rows[::-1]]), settings=settings)
    first = {item.name: item.value for item in one.estimates}
    assert {item.name: item.value for item in turned.estimates} == pytest.approx(first, rel=1e-5)
    with use_language("zh"):
        assert "判定项目" in render_html(assay_page(one))


def test_all_faults_of_a_table_are_told_with_their_lines(tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text("positive;accepted;dilution\n5;x;1\n-1;20000;1\n5;20000\n7;20000;0.5\n")
    with pytest.raises(InputErrors) as caught:
        verify_assay("ddpcr", path)
    places = [error.position.line for error in caught.value.parts if error.position]
    assert places == [2, 3, 4, 5]
    assert "'x' is no number" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("ddpcr", "", "empty"),
        ("ddpcr", "positive,accepted\n", "no rows"),
        ("ddpcr", "positive\n3\n", "'accepted' is missing"),
        ("ddpcr", "positive,accepted,colour\n3,4,red\n", "'colour' is unknown"),
        ("ddpcr", "positive,accepted\n30000,20000\n", "more positive"),
        ("ddpcr", "role,positive,accepted\nblank,0,20000\n", "no wells of a sample"),
        ("tcid50", "log10_dilution,wells,infected\n-1,8,9\n", "more infected"),
        ("tcid50", "log10_dilution,wells,infected\n-1,8,8\n-1,8,8\n", "stands twice"),
        ("tcid50", "log10_dilution,wells,infected\n-1,8,8\n-2,8,8\n-4,8,0\n", "evenly spaced"),
        ("qpcr", "role,cq\nstandard,20\n", "without copies"),
        ("qpcr", "role,copies,cq\nstandard,10,20\nunknown,,3\n", "at least 3"),
        ("qpcr", "role,copies,cq\nstandard,10,20\nstandard,100,23\nstandard,1000,26\n", "slope"),
        ("elisa", "sample,dose,response\nreference,1,1\ntest,1,1\n", "doses above 0, four parameters need 5"),
        ("elisa", "sample,dose,response\na,1,1\n", "a reference"),
        ("full", "method,quantity,value\nauc,full,3\n", "auc needs"),
        ("absence", "role,amount,replicates,positive\nspiked,1,2,1\n", "no rows of tests"),
        ("absence", "role,amount,replicates,positive\ntest,1,2,1\nspiked,1,2,1\n", "without a spike"),
        ("colour", "a\n1\n", "no assay"),
    ],
)
def test_what_cannot_be_used_is_an_input_error(kind, text, words):
    with pytest.raises(InputError, match=words):
        verify_assay(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ddpcr", "positive,accepted\n1,2\n0,20000\n"),
        ("qpcr", "role,copies,cq\nstandard,1,37.84\nstandard,10,38.36\nstandard,100,37.60\nstandard,1000,37.57\n"),
        ("qpcr", "role,copies,cq\nstandard,1,38\nstandard,10,37.9\nstandard,100,37.9\nunknown,,0\n"),
        ("full", "method,quantity,value\n" + "auc,full,1e-25\nauc,full,1e25\nauc,empty,1\nauc,empty,1.1\n"),
    ],
)
def test_an_interval_that_no_number_holds_is_infinite_and_inconclusive(kind, text):
    limit = {"ddpcr": ">= 1e3", "full": ">= 50 %", "qpcr": ">= 1e3" if "unknown" in text else None}[kind]
    assert verify_assay(kind, text, limit=limit).verdict.verdict in ("inconclusive", "fail")


def test_settings_are_checked():
    text = "positive,accepted\n5,20000\n"
    for settings, words in (({"volum": "1"}, "no setting"), ({"volume": "x"}, "out of"), ({"volume": "1e9"}, "out of")):
        with pytest.raises(InputError, match=words):
            verify_assay("ddpcr", text, settings=settings)


def test_the_command_prints_one_verdict(tmp_path, capsys):
    from seedtrain.cli import main

    path = tmp_path / "plate.csv"
    path.write_text(tcid50_table(np.random.default_rng(1)))
    page = tmp_path / "plate.html"
    with pytest.raises(SystemExit) as left:
        main(["verify", "assay", "tcid50", str(path), "--limit", ">= 1e6", "--html", str(page), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert left.value.code == {"pass": 0, "inconclusive": 3}[answer["verdict"]]
    assert page.exists()
    path.write_text("nonsense\n")
    with pytest.raises(SystemExit) as left:
        main(["verify", "assay", "tcid50", str(path)])
    assert left.value.code == 2
    assert "plate.csv:1" in capsys.readouterr().err
