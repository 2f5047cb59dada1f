"""Design spaces: the polynomial's laws, probabilities against the models themselves, limits that read back."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, sobol_indices, spearmanr, uniform

from seedtrain.base import InputError, UnavailableError
from seedtrain.cli._app import main
from seedtrain.development import (
    DesignSpace,
    Input,
    Study,
    attributes_of,
    design_space,
    design_space_lines,
    factor,
    fitted_culture_inputs,
    fitted_values,
    raw_material,
    spread_culture,
    strategy_factors,
    strategy_lines,
    study,
    with_strategy,
)
from seedtrain.development._design_space import _study
from seedtrain.development._design_space._chaos import basis, fit_chaos, term_powers
from seedtrain.development._design_space._study import Attribute, actual_values
from seedtrain.recipe import parse_recipe
from seedtrain.simulation._engine import _cuda
from seedtrain.simulation._engine._compiled import _kernel
from seedtrain.simulation._engine._variant import Variant
from tests.development.plant import EXAMPLE, PLANT, batches, culture, recipe
from tests.simulation_engine.test_cuda import Stand

RECIPE = EXAMPLE / "recipe.yaml"
PH = "clarification/acid-precipitation/acidify:pH=3.5 .. 4.6"
WASH = "capture/cation-exchange/detergent-wash:volumes=6 .. 20"


def draws(factors: int, others: int, count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.hstack([random.uniform(-1, 1, (count, factors)), random.standard_normal((count, others))])


@given(st.integers(1, 3), st.integers(0, 3))
@settings(max_examples=8, deadline=None)
def test_the_basis_is_orthonormal(factors: int, others: int) -> None:
    terms = term_powers(factors, others)
    assert len({tuple(row) for row in terms.tolist()}) == len(terms)
    values = basis(draws(factors, others, 200_000), terms, factors)
    assert values.T @ values / len(values) == pytest.approx(np.eye(len(terms)), abs=0.12)


def test_total_indices_are_those_of_a_known_sum() -> None:
    """y = 2 a + 3 b + a c with a uniform on -1 .. 1, b and c standard normal: variances 4/3, 9 and 1/3."""
    x = draws(1, 2, 400)
    model = fit_chaos(x, 2 * x[:, 0] + 3 * x[:, 1] + x[:, 0] * x[:, 2], 1)
    whole = 4 / 3 + 9 + 1 / 3
    assert model.total_indices() == pytest.approx([(4 / 3 + 1 / 3) / whole, 9 / whole, (1 / 3) / whole], rel=1e-3)
    assert model.explained > 0.9999


def test_total_indices_are_those_of_another_estimator_of_the_function_itself() -> None:
    """Saltelli's and Jansen's estimators, as scipy has them, beside the coefficients of a polynomial of 256 runs."""

    def process(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(0.4 * x[0] + 0.3 * x[0] * x[1] - 0.2 * x[2]) + 0.5 * x[1] ** 2)

    spread = [uniform(-1, 2), uniform(-1, 2), norm()]
    told = sobol_indices(func=process, n=4096, dists=spread, rng=np.random.default_rng(5)).total_order
    x = draws(2, 1, 256, seed=8)
    ours = fit_chaos(x, process(x.T), 2).total_indices()
    assert ours == pytest.approx(told, abs=0.02)


def test_noise_is_not_explained_and_not_forgotten() -> None:
    x = draws(2, 0, 600)
    model = fit_chaos(x, x[:, 0] + np.random.default_rng(1).normal(0, 0.5, 600), 2)
    assert model.explained == pytest.approx((1 / 3) / (1 / 3 + 0.25), abs=0.08)
    assert model.noise == pytest.approx(0.5, rel=0.1)
    unseen = draws(2, 0, 2000, 5)
    left = unseen[:, 0] - model(unseen)
    assert float(np.sqrt((left**2).mean())) < 0.15


# --- a space whose probabilities are known ------------------------


def known(limit: float = 1.5, deviation: float = 0.2, runs: int = 256) -> DesignSpace:
    """y = 1 + s + 0.3 z over a set point s on 0 .. 1, an input z, and control noise; y at most `limit`."""
    item = Input("factor", "a/b/c", "s", "", 0.05, 0.0, 1.0, deviation)
    other = Input("raw_material", "materials/m", "z", "", 1.0, 0.5, 1.5, 0.1, logarithmic=True)
    x = draws(1, 1, runs, 2)
    low, high = item.ends
    y = 1 + (low + 0.5 * (x[:, 0] + 1) * (high - low)) + 0.3 * x[:, 1]
    attribute = Attribute("y", "", -np.inf, limit, f"<= {limit}")
    return design_space(Study((item, other), (attribute,), x, {"y": y}, runs, {}, 0), 0.9)


@pytest.mark.parametrize("deviation", [0.0, 0.05, 0.2])
def test_probabilities_are_those_of_the_normal_distribution(deviation: float) -> None:
    space = known(deviation=deviation)
    points = np.array([[0.0], [0.2], [0.5], [0.8]])
    expected = norm.cdf((1.5 - 1 - points[:, 0]) / np.hypot(0.3, deviation))
    assert space.passes(points)["all"] == pytest.approx(expected, abs=0.012)


def test_proven_range_and_edge_are_where_the_probability_says() -> None:
    (row,) = known(deviation=0.05).ranges
    spread = np.hypot(0.3, 0.05)
    assert row.proven is not None
    assert row.proven[0] == 0.0
    assert row.proven[1] == pytest.approx(0.5 - norm.ppf(0.9) * spread, abs=0.03)
    assert row.edges[1] == pytest.approx(0.5, abs=0.03)
    assert row.edges[0] is None
    assert row.normal == pytest.approx((-0.05, 0.15))
    assert row.limiting == "y"
    assert row.box == pytest.approx(row.proven)


def test_a_target_that_fails_has_no_proven_range() -> None:
    (row,) = known(limit=1.0).ranges
    assert (row.proven, row.box) == (None, None)


def test_batches_beyond_what_a_rate_was_trained_on_are_told() -> None:
    base = known()
    space = dataclasses.replace(base, study=dataclasses.replace(base.study, untrained={"q_S": 7}))
    assert space.to_data()["untrained"] == {"q_S": 7}
    assert any("q_S (7 / 256)" in line for line in design_space_lines(space))
    assert not any("trained" in line for line in design_space_lines(base))


def test_a_tighter_reliability_never_widens_a_range() -> None:
    base = known(deviation=0.05)
    ends = []
    for level in (0.6, 0.8, 0.9):
        (row,) = dataclasses.replace(base, reliability=level).ranges
        assert row.proven is not None
        ends.append(row.proven[1])
    assert ends == sorted(ends, reverse=True)


def test_too_few_runs_for_the_terms_are_refused() -> None:
    assert known(runs=20)
    with pytest.raises(InputError, match=r"too few for the 8 terms .*"):
        known(runs=11)
    with pytest.raises(InputError, match=r"reliability of 1"):
        design_space(known().study, 1.0)


# --- the example ------------------


@cache
def collagen() -> DesignSpace:
    base = batches()[PLANT]
    inputs = [factor(recipe(), text, 0.02) for text in (PH, WASH)]
    inputs.append(raw_material(recipe(), "glucose-feed:glucose=2 %"))
    found = study(culture(), base, inputs, attributes_of(recipe(), ["titre >= 3 g/L"]), runs=96, seed=4)
    return design_space(found, 0.9)


def test_the_polynomial_agrees_with_batches_that_it_has_not_seen() -> None:
    space = collagen()
    assert space.inconclusive == ()
    again = study(culture(), batches()[PLANT], space.study.inputs, space.study.attributes, runs=64, seed=99)
    for name in ("endotoxin", "host_protein", "titre"):
        model = space.models[name]
        left = model(again.x) - again.y[name]
        assert float((left**2).mean()) < 0.02 * float(again.y[name].var()), name


def test_what_matters_is_what_the_process_says() -> None:
    ranking = collagen().ranking()
    assert next(iter(ranking["endotoxin"])).endswith("detergent-wash:volumes")
    assert next(iter(ranking["host_protein"])).endswith("acidify:pH")
    assert next(iter(ranking["titre"])) == "materials/glucose-feed:glucose"


def test_the_limits_read_back_as_a_recipe_that_says_what_they_rest_on() -> None:
    space = collagen()
    lines = strategy_lines(space, recipe(), "96 runs, seed 4")
    assert {line.parameter for line in lines} == {"pH", "volumes"}
    limited = parse_recipe(with_strategy(recipe(), lines).to_yaml(), "limited")
    assert len(limited.control_strategy) == len(recipe().control_strategy)
    for line in lines:
        kept = next(item for item in limited.control_strategy if (item.at, item.parameter) == (line.at, line.parameter))
        row = next(row for row in space.ranges if row.input.name == line.parameter)
        assert row.box is not None
        assert kept.range.low is not None
        assert kept.range.high is not None
        assert row.box[0] <= kept.range.low.value <= row.input.target <= kept.range.high.value <= row.box[1]
        assert "96 runs, seed 4" in kept.detector


def test_batches_inside_the_ranges_pass_as_often_as_they_should() -> None:
    """Whole batches, simulated with set points drawn over the common ranges: at least the reliability pass."""
    space = collagen()
    rows = {row.input.label: row for row in space.ranges}
    inputs = []
    for item in space.study.inputs:
        box = rows[item.label].box if item.label in rows else None
        inputs.append(item if box is None else dataclasses.replace(item, low=box[0], high=box[1], deviation=1e-9))
    found = study(culture(), batches()[PLANT], inputs, space.study.attributes, runs=64, seed=7)
    good = np.ones(len(found.x), dtype=bool)
    for attribute in found.attributes:
        good &= (found.y[attribute.name] >= attribute.low) & (found.y[attribute.name] <= attribute.high)
    assert good.mean() >= 0.9


# --- inputs ----------------------------------------------------------------------------------------------------------


def test_the_strategy_of_the_recipe_is_what_varies_where_nothing_is_named() -> None:
    found = strategy_factors(recipe(), 0.03)
    assert {item.kind for item in found} == {"factor"}
    assert all(item.low < item.target < item.high for item in found)
    assert "production/growth/fed-batch:growth_rate" in {item.label for item in found}


def test_a_fit_says_what_varies_and_what_it_leaves_open_varies_widely(tmp_path: Path) -> None:
    path = tmp_path / "fit.json"
    rows = [
        {
            "name": "q_S_max",
            "value": 1.0,
            "unit": "g/g/h",
            "low": 0.1,
            "high": 10,
            "interval": {"low": 0.9, "high": 1.1},
        },
        {
            "name": "K_S",
            "value": 0.05,
            "unit": "g/L",
            "low": 0.01,
            "high": 0.5,
            "interval": {"low": None, "high": None},
        },
        {"name": "sigma", "value": 0.1, "unit": "", "low": 0.01, "high": 1},
    ]
    path.write_text(json.dumps({"level": 0.9, "parameters": rows}))
    inputs, digest = fitted_culture_inputs(culture(), path)
    assert [item.name for item in inputs] == ["q_S_max", "K_S"]
    assert inputs[0].deviation == pytest.approx(np.log(1.1 / 0.9) / 2 / 1.6448536)
    assert inputs[1].deviation > 5 * inputs[0].deviation
    assert len(digest) == 64
    path.write_text("{}")
    with pytest.raises(InputError, match="no fit"):
        fitted_culture_inputs(culture(), path)
    path.write_text(json.dumps({"level": 0.9, "parameters": [rows[2]]}))
    with pytest.raises(InputError, match="no parameter of the culture"):
        fitted_culture_inputs(culture(), path)


def with_draws(folder: Path, count: int = 400, *, mixed: bool = True) -> Path:
    """A fit whose two parameters went up and down together, one of them skewed."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal(count)
    second = 0.9 * first + np.sqrt(1 - 0.81) * rng.standard_normal(count)
    table = np.column_stack([1.0 + 0.05 * first, 0.05 * np.exp(0.4 * second)])
    lines = [f"1,{at},0.0,{a!r},{b!r}" for at, (a, b) in enumerate(table.tolist(), 1)]
    (folder / "draws.csv").write_text("\n".join(["chain,draw,negative_log_posterior,q_S_max,K_S", *lines]) + "\n")
    rows = [{"name": name, "value": value, "unit": unit, "low": 0.001, "high": 10, "interval": {"low": None}}
            for name, value, unit in (("q_S_max", 1.0, "g/g/h"), ("K_S", 0.05, "g/L"))]  # fmt: skip
    path = folder / "fit.json"
    told = {"level": 0.9, "parameters": rows, "posterior": {"draws": 400, "mixed": mixed}}
    path.write_text(json.dumps(told))
    return path


def test_parameters_vary_together_as_the_draws_of_the_posterior_do(tmp_path: Path) -> None:
    inputs, digest = fitted_culture_inputs(culture(), with_draws(tmp_path))
    assert [item.name for item in inputs] == ["q_S_max", "K_S"]
    standard = np.random.default_rng(1).standard_normal((4000, 2))
    values = np.array([actual_values(inputs, row) for row in standard])
    given_draws = np.loadtxt(tmp_path / "draws.csv", delimiter=",", skiprows=1)[:, 3:]
    assert spearmanr(values).statistic == pytest.approx(spearmanr(given_draws).statistic, abs=0.04)
    for at in range(2):
        for level in (0.05, 0.5, 0.95):
            expected = np.quantile(given_draws[:, at], level)
            assert np.quantile(values[:, at], level) == pytest.approx(expected, rel=0.05)
    assert "draws.csv" in inputs[0].source
    other = tmp_path / "other"
    other.mkdir()
    again, changed = fitted_culture_inputs(culture(), with_draws(other, 400))
    assert changed == digest
    assert again[0].to_data()["together_with"] == ["q_S_max", "K_S"]


def test_a_batch_differs_from_the_typical_run_as_the_runs_of_the_fit_did(tmp_path: Path) -> None:
    path = with_draws(tmp_path)
    lines = (tmp_path / "draws.csv").read_text().splitlines()
    wider = [f"{lines[0]},between:q_S_max", *(f"{line},0.12" for line in lines[1:])]
    (tmp_path / "draws.csv").write_text("\n".join(wider) + "\n")
    inputs, _digest = fitted_culture_inputs(culture(), path)
    drawn = np.loadtxt(tmp_path / "draws.csv", delimiter=",", skiprows=1)[:, 3]
    assert inputs[0].deviation > 1.5 * drawn.std()
    assert inputs[0].deviation == pytest.approx(np.hypot(drawn.std(), 0.12), rel=0.15)
    told = json.loads(path.read_text())
    del told["posterior"]
    told["parameters"][0]["interval"] = {"low": 0.9, "high": 1.1}
    alone = {"counted": True, "deviations": [{"name": "q_S_max", "deviation": 0.12}]}
    path.write_text(json.dumps(told | {"between_runs": alone}))
    (first, _second), _digest = fitted_culture_inputs(culture(), path)
    assert first.deviation == pytest.approx(np.hypot(np.log(1.1 / 0.9) / 2 / 1.6448536, 0.12))


def test_fitted_values_come_in_the_units_of_the_culture(tmp_path: Path) -> None:
    path = with_draws(tmp_path)
    assert fitted_values(culture(), path) == {"q_S_max": 1.0, "K_S": 0.05}
    path.write_text(path.read_text().replace('"g/L"', '"mg/L"'))
    assert fitted_values(culture(), path)["K_S"] == pytest.approx(0.05e-3)


def test_draws_of_another_fit_and_chains_that_do_not_agree_are_not_taken(tmp_path: Path) -> None:
    path = with_draws(tmp_path, 500)
    with pytest.raises(InputError, match="not the draws of the fit"):
        fitted_culture_inputs(culture(), path)
    (tmp_path / "draws.csv").unlink()
    with pytest.raises(InputError, match=r"draws\.csv"):
        fitted_culture_inputs(culture(), path)
    inputs, _digest = fitted_culture_inputs(culture(), with_draws(tmp_path, mixed=False))
    assert all(item.together is None for item in inputs)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: factor(recipe(), "pH 3 to 4", 0.03), "is no factor"),
        (lambda: factor(recipe(), "clarification/acid-precipitation/acidify:colour=1 .. 2", 0.03), "sets no number"),
        (lambda: factor(recipe(), "production/growth/fed-batch:growth_rate=1 .. 2 g/L", 0.03), "g/L"),
        (lambda: factor(recipe(), "clarification/acid-precipitation/acidify:pH=5 .. 6", 0.03), "lies outside"),
        (lambda: factor(recipe(), PH, 0.7), "control noise"),
        (lambda: raw_material(recipe(), "milk:fat=2 %"), "names no constituent"),
        (lambda: raw_material(recipe(), "glucose-feed:glucose=-2 %"), "spread of -2 %"),
        (lambda: spread_culture(culture(), 0.0), "spread of 0 %"),
        (lambda: attributes_of(recipe(), ["titre"]), "is no limit"),
    ],
)
def test_inputs_that_make_no_sense_are_refused(make: object, words: str) -> None:
    assert callable(make)
    with pytest.raises(InputError, match=words):
        make()


def test_studies_that_cannot_be_are_refused() -> None:
    base, item = batches()[PLANT], factor(recipe(), PH, 0.02)
    wanted = attributes_of(recipe(), [])
    with pytest.raises(InputError, match="10 runs"):
        study(culture(), base, [item], wanted, runs=10)
    with pytest.raises(InputError, match="varies twice"):
        study(culture(), base, [item, item], wanted, runs=64)
    with pytest.raises(InputError, match="no set point varies"):
        study(culture(), base, spread_culture(culture(), 0.05), wanted, runs=64)
    with pytest.raises(InputError, match="no model gives 'colour'"):
        study(culture(), base, [item], attributes_of(recipe(), ["colour <= 3"]), runs=64)


@pytest.mark.slow
def test_the_same_study_in_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_study, "LEAST_EACH", 32)
    item = factor(recipe(), PH, 0.02)
    wanted = attributes_of(recipe(), [])
    one, two = (study(culture(), batches()[PLANT], [item], wanted, runs=64, workers=n) for n in (1, 2))
    assert np.array_equal(one.x, two.x)
    for name, values in one.y.items():
        assert np.array_equal(values, two.y[name])


# --- the command ------------------------------------------------------------------------------------------------------


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    return int(left.value.code or 0)


def test_the_journey_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "space"
    code = run(
        "designspace", str(RECIPE), "--factor", PH, "--factor", WASH, "--limit", "titre >= 3 g/L",
        "--runs", "64", "-o", str(out),
    )  # fmt: skip
    assert code == 0
    assert "all together" in capsys.readouterr().out
    data = json.loads((out / "designspace.json").read_text())
    assert data["simulated"] is True
    assert "64 runs" in data["source"]
    assert "design space (recipe" in (out / "recipe.yaml").read_text()
    assert "Probability that a limit is missed" in (out / "designspace.html").read_text()
    assert (out / "map-1-2.svg").is_file()
    assert run("recipe", "check", str(out / "recipe.yaml")) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--runs", "10", "--factor", PH], "10 runs"),
        (["--factor", "nonsense"], "is no factor"),
        (["--fit", "none.json", "--factor", PH], "none.json"),
        (["--spread", "5 %", "--factor", PH, "--runs", "64"], "too few for the"),
        (["--spread", "5"], "spread of 500 %"),
        (["--reliability", "100 %", "--factor", PH, "--runs", "64"], "reliability of 1"),
        (["--at", "TANK-9"], "no unit 'TANK-9'"),
    ],
)
def test_what_does_not_fit_is_refused(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("designspace", str(RECIPE), *options) == 2
    assert words in capsys.readouterr().err


def one_share(device: _study.Device) -> list[_study.Outcome]:
    inputs = (*strategy_factors(batches()[PLANT].control.recipe, 0.03), *spread_culture(culture(), 0.05))
    batch = _study._Batch(culture(), batches()[PLANT], inputs, 44.8, device)
    return _study._share(batch, _study._standard(inputs, 4, 0))


def test_cultures_of_a_space_run_on_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel, its arguments and its memory as for CUDA; this processor stands in for the device's."""
    stand, lowered = Stand(), _cuda.ptx_of

    def noted(system: Any, method: str) -> Any:
        stand.kernel = _kernel(system, Variant(1, method))
        return lowered(system, method)

    monkeypatch.setattr(_cuda, "Driver", lambda: stand)
    monkeypatch.setattr(_cuda, "ptx_of", noted)
    ours, theirs = one_share("cpu"), one_share("cuda")
    assert stand.kernel is not None, "the device was not asked"
    assert len(ours) == len(theirs) == 4
    for mine, other in zip(ours, theirs, strict=True):
        assert not isinstance(mine, str)
        assert not isinstance(other, str)
        figures = {name: value for name, (value, _unit) in mine[0].items()}
        assert {name: value for name, (value, _unit) in other[0].items()} == pytest.approx(figures, rel=1e-9)
    assert not stand.kept, "memory of the device is left"


@pytest.mark.skipif(_cuda.has_device(), reason="there is a CUDA device here")
def test_without_a_device_nothing_is_simulated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnavailableError, match="no CUDA driver") as error:
        study(culture(), batches()[PLANT], (), (), runs=64, device="cuda")
    assert error.value.remedy == "Run on the CPU."
    with pytest.raises(SystemExit) as left:
        main(["designspace", str(RECIPE), "--device", "cuda"])
    assert left.value.code == 4
    assert "Run on the CPU" in capsys.readouterr().err
