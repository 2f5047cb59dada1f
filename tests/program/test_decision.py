"""What is decided with a fit: probabilities, shortfalls, what an experiment would tell, what changed since the last."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.program import read_plant
from seedtrain.program._campaign import EXPERIMENTS, read_campaign
from seedtrain.program._choose import INSIDE, reaches, score
from seedtrain.program._engine import StageResult
from seedtrain.program._fitted import Fitted
from seedtrain.program._history import changes, remember
from seedtrain.program._need import CriterionEntry
from seedtrain.program._next_experiment import Open, lever_experiment, lever_gain, next_experiment, told
from seedtrain.program._outlook import NO_PROCESS, Floats, Outlook, criteria_rows
from seedtrain.recipe import read_recipe
from seedtrain.simulation import read_culture
from tests.worked import COLLAGEN

TITRE = CriterionEntry(attribute="titre", operator=">=", value="4 g/L", weight=3)
COST = CriterionEntry(attribute="cost", operator="<=", value="3000 USD/kg", weight=1)
ORIGIN = CriterionEntry(attribute="animal_origin", operator="excludes", value="porcine")
drawn = st.lists(st.floats(0.5, 20.0), min_size=5, max_size=40)


def outlook(titre: list[float], cost: list[float] | None = None) -> Outlook:
    values = {"titre": np.array(titre), "cost": np.array(cost or [2000.0] * len(titre))}
    return Outlook({name: float(np.nanmedian(column)) for name, column in values.items()}, values)


# probabilities and shortfalls


@given(drawn, drawn)
def test_all_together_is_never_more_probable_than_any_alone(titre, cost) -> None:
    size = min(len(titre), len(cost))
    found = outlook(titre[:size], [600 * value for value in cost[:size]])
    single = [found.probability(TITRE), found.probability(COST)]
    assert sum(single) - 1 - 1e-12 <= found.joint([TITRE, COST, ORIGIN]) <= min(single) + 1e-12


@given(drawn, st.floats(1.0, 3.0))
def test_more_product_makes_a_titre_more_probable_and_the_shortfall_smaller(titre, factor) -> None:
    less, more = outlook(titre), outlook([factor * value for value in titre])
    assert more.probability(TITRE) >= less.probability(TITRE)
    assert (more.shortfall([TITRE]) <= less.shortfall([TITRE]) + 1e-12).all()
    assert score(more, [TITRE]) >= score(less, [TITRE]) - 1e-12


@given(drawn)
def test_a_draw_falls_short_exactly_where_it_misses_and_by_the_logarithm(titre) -> None:
    found = outlook(titre)
    short = found.shortfall([TITRE])
    assert ((short == 0) == found.meets(TITRE)).all()
    for value, by in zip(titre, short.tolist(), strict=True):
        assert by == pytest.approx(max(math.log(4.0 / value), 0.0), abs=1e-12)


def test_a_draw_without_a_process_meets_nothing_and_falls_short_most() -> None:
    found = outlook([math.nan, 5.0])
    assert found.probability(TITRE) == 0.5
    assert found.shortfall([TITRE]).tolist() == [NO_PROCESS, 0.0]
    again = Outlook.from_data(json.loads(json.dumps(found.to_data())))
    assert again.probability(TITRE) == 0.5
    (row, _cost) = criteria_rows(found, [TITRE, COST, ORIGIN])
    assert row["low"] <= row["value"] <= row["high"]


# what an experiment would tell


@settings(max_examples=20)
@given(st.floats(-1.0, 1.0), st.floats(0.01, 0.5), st.floats(0.01, 0.99))
def test_the_probability_of_telling_is_that_of_an_imagined_experiment(missing, total, share) -> None:
    """Monte Carlo: the attribute's logarithm is drawn, the experiment moves the prediction by what it takes away."""
    gone = share * total
    rng = np.random.default_rng(4)
    moved = missing + math.sqrt(gone) * rng.standard_normal(40_000)
    reach = 1.6448536 * math.sqrt(total - gone)
    assert told(missing, total, gone) == pytest.approx(float((np.abs(moved) > reach).mean()), abs=0.02)


def left(culture: float, steps: dict[str, tuple[float, float]], prices: dict[str, float]) -> Open:
    """One parameter with variance `culture` along a slope of 1, of which each run tells as much as is known."""
    told_by = {"V1": np.array([[1.0 / culture]]), "V2": np.array([[0.1 / culture]])}
    fitted = Fitted(
        ("a",), ("",), ("lin",), np.array([1.0]), np.array([[culture]]), (1.0,), ((0.0, 2.0),), ((None, None),),
        told_by, "",
    )  # fmt: skip
    return Open(np.array([1.0]), fitted, steps, prices, 0.0)


ROW = {"operator": ">=", "limit": 4.0, "prediction": {"value": 4.2}}


def around(value: float, variance: float) -> Floats:
    """Log-normal draws with this median, their logarithms' variance `variance`."""
    normal = np.random.default_rng(6).standard_normal(400)
    normal = (normal - np.median(normal)) / normal.std()
    return np.asarray(value * np.exp(math.sqrt(variance) * normal), dtype=np.float64)


def test_the_cheapest_experiment_that_tells_is_named_with_its_cost() -> None:
    best, weighed = next_experiment(ROW, left(0.04, {"spin:loss": (1e-6, 0.0)}, {}), EXPERIMENTS, around(4.2, 0.04))
    assert best is not None
    assert (best.kind, best.subject) == ("bench run", "V1")
    runs = [item for item in weighed if item.kind == "bench run"]
    shares = [item.share for item in runs]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(0.5, abs=1e-4)  # as much again as was known halves the variance
    assert all(item.cost == item.runs * EXPERIMENTS["bench run"] for item in runs)
    assert best.cost == min(item.cost for item in weighed if item.tells >= 0.5)


def test_the_experiment_goes_where_the_ignorance_is() -> None:
    values = around(4.2, 0.21)
    steps = {"spin:loss": (0.2, 0.001), "wash:k": (0.01, 0.001)}
    step, _all = next_experiment(ROW, left(1e-6, steps, {}), EXPERIMENTS, values)
    quote, _all = next_experiment(ROW, left(1e-6, {}, {"resin": 0.2, "glucose": 0.01}), EXPERIMENTS, values)
    assert step is not None
    assert quote is not None
    assert (step.kind, step.subject) == ("step test", "spin:loss")
    assert (quote.kind, quote.subject, quote.cost) == ("supplier quote", "resin", EXPERIMENTS["supplier quote"])
    assert 0 < step.share <= 1
    nothing, _all = next_experiment(ROW, left(1e-15, {}, {}), EXPERIMENTS, values)
    assert nothing is None


def lever(name: str, group: str, total: float, per: str = "+1 %") -> dict[str, object]:
    return {"name": name, "group": group, "total": total, "per": per, "unit": ""}


def test_a_missed_criterion_tries_the_lever_that_is_cheapest_to_try() -> None:
    levers = [lever("motor_power", "vessel", 0.02), lever("production/induction/express.until", "recipe", 0.01)]
    found = lever_experiment(levers, EXPERIMENTS, "production")
    assert found is not None
    assert (found.kind, found.of) == ("bench run", "lever")
    # n = 2 (z(0.95) + z(0.9))^2 cv^2 / gain^2 in each of two arms
    arm = math.ceil(2 * (1.645 + 1.282) ** 2 * 0.05**2 / 0.1**2)
    assert found.runs == 2 * arm
    later = lever_experiment([lever("capture/cex/wash.volumes", "recipe", 0.01)], EXPERIMENTS, "production")
    assert later is not None
    assert later.kind == "step test"
    assert lever_experiment([lever("K_S", "culture", 1e-5)], EXPERIMENTS, "production") is None


@given(st.floats(-0.03, 0.03).filter(lambda x: abs(x) > 1e-4), st.sampled_from([">=", "<="]))
def test_the_expected_gain_goes_the_right_way(total, operator) -> None:
    row = {"operator": operator, "limit": 4.0, "prediction": {"value": 3.7}}
    found = lever_gain(row, [lever("feed.rate", "recipe", total)], around(3.7, 0.01))
    assert found is not None
    assert found["after"] >= found["before"]
    assert (found["change"] > 0) == (operator == ">=")
    assert (found["steps"] > 0) == ((total > 0) == (operator == ">="))


# set points


@cache
def example():
    recipe = read_recipe(COLLAGEN / "recipe.yaml")
    return recipe, read_campaign(COLLAGEN / "campaign.yaml", recipe, read_culture("ecoli_balanced"))


def test_set_points_are_chosen_inside_what_the_recipe_registers() -> None:
    recipe, campaign = example()
    found = {item.factor.label: item for item in reaches(campaign.factors, recipe, [])}
    warm = found["production/induction/express:temperature"]
    assert (warm.low, warm.high) == pytest.approx((31.0 + 2 * INSIDE, 33.0 - 2 * INSIDE))
    cells = found["production/growth/fed-batch:until"]
    assert (cells.low, cells.high) == pytest.approx((16.0 + 8 * INSIDE, 24.0 - 8 * INSIDE))
    assert (
        found["production/induction/express:until"].high <= recipe.phase("production/induction/express").at_most.value
    )
    held = reaches(campaign.factors, recipe, ["production/induction/express"])
    assert "production/induction/express:rate" not in {item.factor.label for item in held}
    assert read_plant(COLLAGEN / "plant.yaml").vessel_of_scale("bench").name == recipe.basis_unit


# what changed


def stage(name: str, data: dict[str, object]) -> StageResult:
    return StageResult(name, name, data, COLLAGEN, json.dumps(data, sort_keys=True), ran=True)


def results(titre: float) -> dict[str, StageResult]:
    row = {"attribute": "titre", "unit": "g/L", "state": "met" if titre > 4 else "missed", "probability": 0.5,
           "prediction": {"value": titre}}  # fmt: skip
    return {
        "gap": stage("gap", {"criteria": [row]}),
        "batch": stage("batch", {"content": {}, "batch": str(titre)}),
        "fit": stage("fit", {"parameters": [{"name": "Y", "value": titre / 10, "unit": "g/g"}]}),
    }


def test_a_run_says_what_changed_and_going_back_says_what_it_said(tmp_path) -> None:
    assert remember(tmp_path, results(3.5)) is None
    assert remember(tmp_path, results(3.5)) is None
    found = remember(tmp_path, results(4.5))
    assert found is not None
    assert set(found["stages"]) == {"gap", "fit"}  # the batch's number alone is no other result
    ((moved,), (parameter,)) = found["criteria"], found["parameters"]
    assert (moved["before"]["state"], moved["now"]["state"]) == ("missed", "met")
    assert (parameter["before"], parameter["now"]) == (0.35, 0.45)
    assert remember(tmp_path, results(4.5)) == found
    assert remember(tmp_path, results(3.5)) is None
    (tmp_path / "history.json").write_text("{damaged")
    assert remember(tmp_path, results(4.5)) is None


def test_what_is_new_has_nothing_before_it() -> None:
    now = {"stages": {"gap": "1"}, "criteria": [{"attribute": "dna"}], "parameters": {"K": [1.0, "g/L"]}}
    found = changes({"stages": {}, "criteria": [], "parameters": {}}, now)
    assert found["criteria"][0]["before"] is None
    assert found["parameters"][0]["before"] is None
