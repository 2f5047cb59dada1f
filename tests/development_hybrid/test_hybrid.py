"""Learned rates: better where the culture's own form is wrong, no better where it is right, in the same balances."""

import json

import numpy as np
import pytest

from seedtrain.base import InputError, InputErrors
from seedtrain.development import hybrid_lines, hybrid_rate, hybrid_study
from seedtrain.development._hybrid._study import _judge
from seedtrain.simulation import culture_of_text, read_culture, shipped_cultures, simulate, untrained_rates
from tests.development.own_data import command, keep_readings
from tests.development_hybrid import strain
from tests.development_hybrid.conftest import FIT, made


def test_a_wrong_form_is_beaten_on_runs_that_training_did_not_see(wrong_form):
    study = wrong_form.study
    assert study.judgement == "better"
    assert study.simulated
    assert study.gain is not None
    assert study.gain[1] > 1.2
    errors = {item.name: item for item in study.errors}
    # The scatter of the readings is the least error that there can be.
    assert errors["X"].hybrid < 4 * strain.SCATTER["X"] < errors["X"].own
    assert errors["S"].hybrid < 4 * strain.SCATTER["S"] < errors["S"].own
    assert "better" in hybrid_lines(study)[0]


def test_the_learned_rate_is_the_planted_one_where_the_runs_went(wrong_form):
    culture = culture_of_text(wrong_form.study.text, "hybrid")
    for S in (1.0, 3.0, 8.0, 15.0, 24.0):
        known = culture.values | {"S": S, "DO": 0.1}
        for name, text in culture.expressions.items():
            known[name] = text.evaluate(known)
        truth = 1.1 * S / (0.5 + S + S**2 / 8.0) * 0.1 / 0.102
        assert known["q_S"] == pytest.approx(truth, rel=0.12)


def test_the_file_is_a_culture_like_any_other_and_closes_its_balances(wrong_form):
    culture = culture_of_text(wrong_form.study.text, "hybrid")
    item = wrong_form.runs[2]
    run = simulate(culture, item.vessel, item.recipe, initial=item.initial)
    carbon = next(balance for balance in run.balances if balance.name.lower().startswith("c"))
    assert abs(carbon.relative) < 1e-6
    assert all(abs(balance.relative) < 1e-5 for balance in run.balances)
    assert (run["q_S"] >= 0).all()
    assert not [event for event in run.events if event.kind == "untrained"]
    assert culture.status == "unverified"


def test_beyond_what_was_trained_a_run_says_so(wrong_form):
    culture = culture_of_text(wrong_form.study.text, "hybrid")
    item = wrong_form.runs[0]
    run = simulate(culture, item.vessel, item.recipe, initial={"X": 0.4, "S": 45.0})
    (event,) = [event for event in run.events if event.kind == "untrained"]
    assert event.time == 0
    assert "28" in event.words
    assert "45" in event.words


def test_beyond_what_was_trained_every_one_of_many_runs_says_so(wrong_form):
    """The share of runs that leave it, and when first, as each of them says on its own."""
    culture = culture_of_text(wrong_form.study.text, "hybrid")
    item = wrong_form.runs[0]
    starts = [item.initial["S"], 20.0, 45.0, 60.0]
    found = simulate(
        culture, item.vessel, item.recipe, n=4, initial=item.initial, vary={"initial.S": starts}, points=200
    )
    assert found["event"].values.tolist()[-1] == "untrained:q_S"
    alone = [simulate(culture, item.vessel, item.recipe, initial=item.initial | {"S": S}) for S in starts]
    assert [untrained_rates(run, culture) for run in alone] == [(), (), ("q_S",), ("q_S",)]
    assert found["event_count"].values[:, -1].tolist() == [0, 0, 1, 1]
    assert found["event_time"].values[2:, -1].tolist() == [0, 0]
    assert np.isnan(found["event_time"].values[:2, -1]).all()


def test_a_learned_rate_is_never_negative_and_vanishes_with_what_it_uses(tmp_path):
    """Whatever the weights: nothing is made of nothing, and the rate stays below its top."""
    from seedtrain.development._hybrid._study import _parts
    from seedtrain.development._hybrid._visited import visited
    from seedtrain.development._hybrid._write import hybrid_culture, hybrid_text

    runs = strain.batches(tmp_path, "monod", ("B3",))
    text = strain.text("monod")
    culture = culture_of_text(text, "monod")
    seen = visited(culture, runs, {})
    for form in ("q_S=gp:S,X", "q_S=net:S", "q_S*=gp:S"):
        parts = _parts(culture, [hybrid_rate(form)], seen)
        dice = np.random.default_rng(1)
        for _ in range(20):
            weights = {name: float(np.clip(4 * dice.normal(), -11, 11)) for name in parts[0].weights}
            hybrid = hybrid_culture(hybrid_text(text, culture, parts, values=weights))
            for S, DO in ((0.0, 0.2), (5.0, 0.2), (60.0, 0.2), (-1e-9, 0.2), (5.0, 0.0)):
                known = hybrid.values | {"S": S, "X": 2.0, "DO": DO}
                for name, expression in hybrid.expressions.items():
                    known[name] = expression.evaluate(known)
                assert known["q_S"] >= -1e-7
                assert known["q_S"] <= max(parts[0].top, 8 * seen["q_S"].max()) + 1e-9
                assert S * DO > 0 or known["q_S"] < 1e-6


def test_every_rate_of_the_shipped_cultures_can_be_learned_in_words():
    """Units, symbols and gates of the text are right for any culture, not for one."""
    from seedtrain.development import culture_text
    from seedtrain.development._hybrid._form import check_forms, gated
    from seedtrain.development._hybrid._learned import learned
    from seedtrain.development._hybrid._write import hybrid_culture, hybrid_text

    count = 0
    assert {"ecoli_balanced", "cho_balanced", "yeast_bottleneck"} <= set(shipped_cultures())
    for name in ("ecoli_balanced", "cho_balanced", "yeast_bottleneck"):
        culture = read_culture(name)
        if not culture.conversions:
            continue
        for rate in culture.expressions:
            forms = [hybrid_rate(f"{rate}{star}={kind}:T,{next(iter(culture.species))}")
                     for star, kind in (("", "gp"), ("*", "net"))]  # fmt: skip
            try:
                check_forms(culture, forms[:1])
            except (InputError, InputErrors):
                continue
            seen = {symbol: np.linspace(1.0, 30.0, 40) for symbol in (*culture.species, "T", "DO", "NH", rate)}
            for form in forms:
                gates = {symbol: culture.units[symbol] for symbol in gated(culture, rate)}
                part = learned(form, culture.units[rate], gates, seen, culture.units)
                hybrid = hybrid_culture(hybrid_text(culture_text(name), culture, [part]))
                assert hybrid.units[rate] == culture.units[rate]
                count += 1
    assert count > 40


def test_a_cap_of_the_own_form_stays():
    """The product of E. coli is paid with glucose: what limits it is no part of what is learned."""
    from seedtrain.development._hybrid._learned import _capped

    head, caps = _capped("min(q_P_max * S, 0.9 * q_S_free)")
    assert head == "q_P_max * S"
    assert list(caps) == ["0.9 * q_S_free"]


@pytest.mark.parametrize(
    ("ratios", "judgement"),
    [
        ((2.0, 2.2, 1.9), "inconclusive"),
        ((2.0, 2.2, 1.9, 2.1), "better"),
        ((1.0, 1.01, 0.99, 1.0), "no better"),
        ((0.5, 0.7, 0.4, 0.6), "no better"),
        ((6.0, 0.6, 2.0, 1.1), "inconclusive"),
        ((2.0, 2.2, 0.0, 2.1), "no better"),
    ],
)
def test_the_judgement_needs_runs_and_agreement(ratios, judgement):
    gain, found = _judge(ratios)
    assert found == judgement
    if gain is not None:
        assert gain[1] <= gain[0] <= gain[2]


@pytest.mark.slow
def test_an_interrupted_study_goes_on_and_ends_the_same(tmp_path, wrong_form):
    """Two runs are few enough to be quick, and too few to conclude from."""
    keep = tmp_path / "hybrid.json"
    whole = made(tmp_path, "inhibited", ("B1", "B2"), "q_S*=gp:S", keep=keep)
    assert whole.study.judgement == "inconclusive"
    assert whole.study.gain is None
    data = json.loads(keep.read_text())
    for name in list(data["trained"])[::3]:
        del data["trained"][name]
    keep.write_text(json.dumps(data))
    again = made(tmp_path, "inhibited", ("B1", "B2"), "q_S*=gp:S", keep=keep)
    assert again.study.text == whole.study.text
    assert again.study.runs == whole.study.runs


def test_what_cannot_be_learned_is_refused(wrong_form):
    text = strain.text("monod")
    culture = culture_of_text(text, "monod")
    runs, found = wrong_form.runs, wrong_form.found
    for forms, words in (
        ("q_Q=gp:S", "no rate 'q_Q'"), ("mu=gp:S", "goes by mu"), ("q_S=gp:Z", "'Z' is no state"),
        ("q_S=gp:S,S", "different states"),
    ):  # fmt: skip
        with pytest.raises((InputError, InputErrors), match=words):
            hybrid_study(text, culture, runs, found, FIT, [hybrid_rate(forms)])
    with pytest.raises(InputError, match="one run"):
        hybrid_study(text, culture, runs[:1], found, FIT, [hybrid_rate("q_S=gp:S")])
    for forms in ("q_S", "q_S=tree:S", "q_S=gp"):
        with pytest.raises(InputError, match="--hybrid"):
            hybrid_rate(forms)


def test_trained_ranges_of_a_culture_file_are_checked():
    good = strain.text("monod") + "trained:\n  q_S: {S: 100 .. 20000 mg/L, T: 30 .. 37 degC}\n"
    culture = culture_of_text(good, "file")
    assert culture.trained == {"q_S": {"S": (0.1, 20.0), "T": (30.0, 37.0)}}
    for line, words in (
        ("q_Z: {S: 1 .. 2 g/L}", "no expression"), ("q_S: {Z: 1 .. 2 g/L}", "no state"),
        ("q_S: {S: 1 .. 2 h}", "no range"),
    ):  # fmt: skip
        with pytest.raises((InputError, InputErrors), match=words):
            culture_of_text(strain.text("monod") + f"trained:\n  {line}\n", "file")


@pytest.mark.slow
def test_the_command_tells_errors_and_writes_a_culture(tmp_path):
    runs = strain.batches(tmp_path, "inhibited", ("B1", "B3"))
    (tmp_path / "strain.yaml").write_text(strain.text("monod"))
    keep_readings(tmp_path, runs)
    fit = (
        "fit",
        "recipe.yaml",
        "--data",
        "mapping.yaml",
        "--fit",
        "q_S_max,Y_XS",
        "--starts",
        "0",
        "--profiles",
        "none",
    )
    done = command(tmp_path, *fit, "--hybrid", "q_S*=gp:S", "-o", "fitted", "--json")
    assert done.returncode == 3, done.stderr  # two runs conclude nothing
    told = json.loads(done.stdout)["hybrid"]
    assert told["verdict"] == "inconclusive"
    assert {item["name"] for item in told["held_out_errors"]} == {"X", "S"}
    page = (tmp_path / "fitted" / "fit.html").read_text()
    assert "simulated" in page
    assert "held-out" in page
    assert read_culture(tmp_path / "fitted" / "culture-hybrid.yaml").trained["q_S"]["S"][1] == pytest.approx(
        10.0, rel=0.1
    )
    beyond = command(tmp_path, "simulate", "recipe.yaml", "--culture", "fitted/culture-hybrid.yaml")
    assert beyond.returncode in (0, 3), beyond.stderr
    bad = command(tmp_path, *fit, "--hybrid", "q_S=gp:Z")
    assert bad.returncode == 2
    assert "'Z' is no state" in bad.stderr


@pytest.mark.slow
@pytest.mark.parametrize("form", ["q_S*=gp:S", "q_S=gp:S"])
def test_a_right_form_is_not_beaten(tmp_path, form):
    found = made(tmp_path, "monod", ("B1", "B3", "B4", "B6"), form)
    assert found.study.judgement == "no better"


@pytest.mark.slow
def test_a_network_and_two_inputs_beat_a_wrong_form_too(tmp_path):
    for form in ("q_S*=net:S", "q_S=gp:S"):
        found = made(tmp_path / form[4:6], "inhibited", tuple(strain.STARTS), form)
        assert found.study.judgement == "better"


def test_what_the_hybrid_no_longer_reads_is_not_fitted(tmp_path):
    """With the form gone, its constants would be parameters that no reading tells."""
    from seedtrain.development._hybrid._study import _parts
    from seedtrain.development._hybrid._visited import visited
    from seedtrain.development._hybrid._write import hybrid_culture, hybrid_text, remaining

    runs = strain.batches(tmp_path, "monod", ("B3",))
    text = strain.text("monod")
    culture = culture_of_text(text, "monod")
    seen = visited(culture, runs, {})
    for form, kept in (("q_S=gp:S", ("Y_XS",)), ("q_S*=gp:S", FIT)):
        hybrid = hybrid_culture(hybrid_text(text, culture, _parts(culture, [hybrid_rate(form)], seen)))
        assert remaining(hybrid, FIT) == tuple(kept)
