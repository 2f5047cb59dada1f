"""The product of a recipe's column by rate models."""

from __future__ import annotations

from functools import cache

import pytest

from seedtrain.recipe import MasterRecipe, parse_recipe
from seedtrain.simulation._downstream import run_train, train_parameters
from seedtrain.simulation._stream import StepResult
from tests.simulation_downstream.cases import RECIPE, broth, check

LOAD = "capture/cation-exchange/load"
ELUTE = "capture/cation-exchange/elute"
MODELS = ("lumped_rate", "general_rate")


@cache
def recipe(model: str) -> MasterRecipe:
    text = RECIPE.read_text(encoding="utf-8")
    plain = "do: load\n            set: {velocity: 200 cm/h"
    assert text.count(plain) == 1
    return parse_recipe(text.replace(plain, f"{plain}, model: {model}"), "made.yaml")


def run(model: str, **factors: float) -> dict[str, StepResult]:
    found = run_train(recipe(model), broth(), factors={f"{LOAD}:{name}": value for name, value in factors.items()})
    return {step.path: step for step in found}


@pytest.mark.parametrize("model", MODELS)
def test_every_step_keeps_the_laws_and_the_product_is_where_the_model_says(model: str) -> None:
    found = run(model)
    for step in found.values():
        check(step)
    load, elute = found[LOAD], found[ELUTE]
    assert load.performance["captured"][0] > 90.0
    times, product = elute.trajectory["time"], elute.trajectory["product"]
    assert times[-1] == pytest.approx(elute.duration)
    assert max(product) > 3 * product[-1]
    # The peak is the pool: the area under it is what was on the column, but for what stays.
    volume = elute.inlets[1].volume
    area = sum(0.5 * (a + b) * (u - t) for a, b, t, u in zip(product, product[1:], times, times[1:], strict=False))
    eluted = area / times[-1] * volume
    assert eluted == pytest.approx(elute.inlets[0].masses["product"], rel=0.05)


def test_the_model_named_by_default_is_the_one_without_a_name() -> None:
    plain = parse_recipe(RECIPE.read_text(encoding="utf-8"), str(RECIPE))
    assert run_train(recipe("capacity"), broth()) == run_train(plain, broth())


@pytest.mark.parametrize("model", MODELS)
def test_levers_are_those_of_the_model(model: str) -> None:
    names = {name.partition(":")[2] for name in train_parameters(recipe(model)) if name.startswith(f"{LOAD}:")}
    assert {"bead_diameter", "charge", "capacity", "competition"} <= names
    assert not {"front_width", "salt_half"} & names


def test_slow_diffusion_large_beads_and_a_small_capacity_lose_product() -> None:
    base = run("general_rate")[LOAD].performance["captured"][0]
    assert run("general_rate", hindrance=0.4)[LOAD].performance["captured"][0] < base - 2.0
    assert run("general_rate", bead_diameter=1.3)[LOAD].performance["captured"][0] < base - 1.0
    assert run("general_rate", capacity=0.6)[LOAD].performance["captured"][0] < base - 5.0


def test_a_product_that_holds_on_more_tightly_elutes_later() -> None:
    def moment(step: StepResult) -> float:
        times, product = step.trajectory["time"], step.trajectory["product"]
        return sum(t * c for t, c in zip(times, product, strict=True)) / sum(product)

    weak, tight = (run("lumped_rate", elution_salt=factor)[ELUTE] for factor in (0.9, 1.2))
    assert moment(weak) < moment(tight)


def test_the_lumped_model_comes_close_to_the_general_one() -> None:
    """Glueckauf's driving force stands for the diffusion inside the beads."""
    one, other = (run(model)[LOAD].performance["captured"][0] for model in MODELS)
    assert one == pytest.approx(other, abs=2.0)
