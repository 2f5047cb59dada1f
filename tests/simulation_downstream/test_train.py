"""The train on the worked example, and on recipes that leave out, repeat or reorder its steps."""

from __future__ import annotations

import json
import math
from functools import cache

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import PHASE_KINDS, MasterRecipe, parse_recipe
from seedtrain.simulation._downstream import TrainParameter, product_quality, run_train, train_parameters
from seedtrain.simulation._downstream._operation import LARGEST
from seedtrain.simulation._downstream._train import CULTURE, OPERATIONS
from seedtrain.simulation._stream import COMPONENTS, StepResult, Stream, step_to_data
from tests.simulation_downstream.cases import RECIPE, broth, check

WASH = "capture/cation-exchange/detergent-wash"


@cache
def recipe() -> MasterRecipe:
    return parse_recipe(RECIPE.read_text(encoding="utf-8"), str(RECIPE))


@cache
def steps() -> tuple[StepResult, ...]:
    return run_train(recipe(), broth())


def _without(*phases: str, strategy: bool = False) -> MasterRecipe:
    """The example without some unit procedures, and without the control strategy, which names phases."""
    text = RECIPE.read_text(encoding="utf-8")
    head, rest = text.split("procedure:\n", 1)
    procedure, tail = rest.split("# Attribute -> parameter", 1)
    blocks = procedure.split("  - unit_procedure: ")
    kept = [block for block in blocks if block.split("\n", 1)[0] not in phases]
    _, after = tail.split("# The release specification", 1)
    return parse_recipe(
        head + "procedure:\n" + "  - unit_procedure: ".join(kept) + "# The release specification" + after, "made.yaml"
    )


def _recovery(found: tuple[StepResult, ...]) -> float:
    return found[-1].outlet.masses["product"] / found[0].inlets[0].masses["product"]


def test_every_step_of_the_example_keeps_the_laws_and_feeds_the_next() -> None:
    for step in steps():
        check(step)
    for before, after in zip(steps(), steps()[1:], strict=False):
        assert after.inlets[0] == before.outlet
    assert steps()[0].inlets[0] == broth()
    assert steps()[0].path == "harvest/cell-recovery/spin"
    assert len(steps()) == 23


def test_the_whole_train_conserves_mass() -> None:
    came, left = broth().mass, steps()[-1].outlet.mass
    for step in steps():
        came += sum(stream.mass for stream in step.inlets[1:])
        left += sum(stream.mass for stream in step.wastes)
    assert left == pytest.approx(came, rel=1e-9)


def test_recovery_and_quality_of_the_example() -> None:
    assert 0.40 < _recovery(steps()) < 0.60
    quality = product_quality(steps())
    assert quality["endotoxin"][0] < 0.5
    assert quality["purity"][0] > 98.0
    assert quality["host_protein"][0] < 100.0
    assert quality["dna"][0] < 10.0
    assert quality["detergent"][0] < 1.0
    assert quality["iptg"][0] < 0.1
    assert 9000.0 < quality["content"][0] < 11000.0
    assert quality["residual_moisture"][0] == pytest.approx(2.0)
    assert quality["bioburden"][0] < 1.0
    assert 3.0 * 24 < sum(step.duration for step in steps()) < 4.0 * 24


def test_the_specification_is_answered_but_for_words() -> None:
    asked = {line.attribute for line in recipe().specification.lines}
    assert asked - set(product_quality(steps())) == {"identity"}


def test_every_sample_and_limit_of_the_recipe_has_a_figure_within_it() -> None:
    for step in steps():
        phase = recipe().phase(step.path)
        for name, allowed in {**phase.limits, **phase.sample}.items():
            value, unit = step.performance[name]
            assert allowed.contains(Quantity(value, unit)), (step.path, name, value)


def test_every_parameter_that_limits_may_name_is_reported() -> None:
    for step in steps():
        wanted = set(PHASE_KINDS[step.kind].parameters) & set(recipe().phase(step.path).set)
        numbers = {name for name in wanted if PHASE_KINDS[step.kind].parameters[name].is_number}
        settings_only = {"acid_fraction", "residence_time", "bed_height", "fill_depth", "shelf_temperature", "loss"}
        assert numbers - settings_only - {"cut_off", "biomass", "fold"} <= set(step.performance), step.path


def test_a_material_of_the_recipe_is_used_in_litres_and_a_bought_one_in_its_own_unit() -> None:
    units = {"L": set(recipe().materials), "m2": {"depth-filter", "sterile-filter", "ultrafiltration-membrane"}}
    for step in steps():
        for name, (amount, unit) in step.materials.items():
            assert amount > 0
            if name in units["L"]:
                assert unit == "L"
                assert any(stream.name == name and stream.volume == amount for stream in step.inlets)
            elif name in units["m2"]:
                assert unit == "m2"
            else:
                assert name.endswith("resin") or name == "bottle"


@given(st.floats(0.01, 100.0))
@limits(max_examples=10, deadline=None)
def test_an_intensive_recipe_scales_with_the_broth(ratio: float) -> None:
    found = run_train(recipe(), broth(150.0 * ratio))
    for small, large in zip(steps()[:-1], found[:-1], strict=True):
        assert large.step_yield == pytest.approx(small.step_yield, rel=1e-9)
        assert large.endotoxin_lrv == pytest.approx(small.endotoxin_lrv, rel=1e-9, abs=1e-9)
        for name, (amount, _) in small.materials.items():
            assert large.materials[name][0] == pytest.approx(ratio * amount, rel=1e-9), name


def test_every_lever_is_named_with_range_and_source_and_every_factor_acts_or_is_refused() -> None:
    levers = train_parameters(recipe())
    assert f"{WASH}:endotoxin_lrv" in levers
    assert "capture/cation-exchange/elute:step_yield" in levers
    for name, lever in levers.items():
        assert isinstance(lever, TrainParameter)
        assert lever.low <= lever.value <= lever.high <= lever.ceiling, name
        assert lever.low >= 0, name
        assert lever.status in ("sourced", "derived", "assumed"), name
        assert lever.source, name
        assert (lever.status == "assumed") == ("assumed" in lever.source), name  # nothing assumed is called sourced


def test_every_lever_moves_something() -> None:
    unused = {
        # The wash-out has no detergent, so what only a detergent wash does stays idle there.
        "capture/cation-exchange/wash-out:endotoxin_lrv",
        "capture/cation-exchange/wash-out:endotoxin_constant",
    }
    base = [step_to_data(step) for step in steps()]
    silent = set()
    for name in train_parameters(recipe()):
        moved = run_train(recipe(), broth(), factors={name: 0.9})
        if [step_to_data(step) for step in moved] == base:
            silent.add(name)
    # The harvest has no debris, the acid is at the best pH, and no detergent is above its micelle concentration.
    assert silent - unused <= {
        "harvest/cell-recovery/spin:debris_volume",
        "clarification/acid-precipitation/acidify:pH_width",
        "diafiltration/concentrate-and-exchange/concentrate:micelle_concentration",
        "diafiltration/concentrate-and-exchange/exchange:micelle_concentration",
        "diafiltration/concentrate-and-exchange/exchange:selectivity",
    }


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("capture/cation-exchange/elute:step_yield", 1),
        ("polish/anion-exchange/flow-through:step_yield", 1),
        ("clarification/acid-precipitation/acidify:product_precipitated", -1),
        ("clarification/acid-precipitation/spin-debris:debris_volume", -1),
        ("lysis/disruption/homogenise:release_constant", 1),
    ],
)
def test_recovery_answers_to_a_factor(name: str, sign: int) -> None:
    up, down = (_recovery(run_train(recipe(), broth(), factors={name: factor})) for factor in (1.03, 0.97))
    assert math.copysign(1.0, up - down) == sign


@pytest.mark.parametrize("name", [f"{WASH}:endotoxin_lrv", "polish/anion-exchange/flow-through:endotoxin_lrv"])
def test_endotoxin_answers_to_the_log_reductions(name: str) -> None:
    less = product_quality(run_train(recipe(), broth(), factors={name: 1.2}))["endotoxin"][0]
    assert less < product_quality(steps())["endotoxin"][0]


def test_leaving_the_polish_out_leaves_endotoxin_in() -> None:
    found = run_train(_without("polish"), broth())
    assert product_quality(found)["endotoxin"][0] > 10 * product_quality(steps())["endotoxin"][0]
    assert _recovery(found) > _recovery(steps())


def test_a_train_may_end_early_and_skip_the_sterile_filter() -> None:
    found = run_train(_without("filtration", "filling"), broth())
    quality = product_quality(found)
    assert "content" not in quality
    assert quality["bioburden"][0] > 1.0


def test_a_step_may_be_repeated() -> None:
    """Two homogenisations of one pass are as good as one of two passes; both bring back less than three."""
    path = "lysis/disruption/homogenise"
    once = recipe().with_value(path, "passes", Quantity(1.0, ""))
    text = once.to_yaml()
    start = text.index("- phase: homogenise")
    indent = text.rindex("\n", 0, start) + 1
    end = text.index("- unit_procedure:", start)
    end = text.rindex("\n", 0, end) + 1
    block = text[indent:end]
    again = parse_recipe(text[:end] + block.replace("homogenise\n", "again\n", 1) + text[end:], "twice.yaml")
    found = run_train(again, broth())
    assert [step.path for step in found].count("lysis/disruption/again") == 1
    two = run_train(recipe().with_value(path, "passes", Quantity(2.0, "")), broth())
    assert found[3].outlet.masses["cells"] == pytest.approx(two[2].outlet.masses["cells"], rel=1e-9)
    assert _recovery(run_train(once, broth())) < _recovery(found) < _recovery(steps())


def test_columns_without_elution_are_refused_at_their_place() -> None:
    text = RECIPE.read_text(encoding="utf-8")
    start = text.index("          - phase: elute\n")
    end = text.index("          - phase: clean\n", start)
    broken = parse_recipe(text[:start] + text[end:], "broken.yaml")
    with pytest.raises(InputError, match="still on the column") as caught:
        run_train(broken, broth())
    assert caught.value.position is not None
    assert caught.value.position.file == "broken.yaml"
    assert caught.value.position.line > 0


def test_another_sequence_of_detergent_volumes_moves_the_endotoxin() -> None:
    found = {
        volumes: product_quality(run_train(recipe().with_value(WASH, "volumes", Quantity(volumes, "")), broth()))
        for volumes in (10.0, 12.0, 15.0)
    }
    values = [found[volumes]["endotoxin"][0] for volumes in (10.0, 12.0, 15.0)]
    assert values == sorted(values, reverse=True)


def test_the_endotoxin_figures_of_the_reference_page_are_those_of_the_example() -> None:
    """docs/reference/downstream.md, Endotoxin."""
    before = next(step for step in steps() if step.path == "capture/cation-exchange/equilibrate")
    assert before.inlets[0].endotoxin_per_product == pytest.approx(32_000, rel=0.02)
    assert product_quality(steps())["endotoxin"][0] == pytest.approx(0.21, abs=0.01)
    whole = broth()
    poor = Stream("broth", whole.volume, {**whole.masses, "product": 0.4 * whole.masses["product"]}, whole.endotoxin)
    assert product_quality(run_train(recipe(), poor))["endotoxin"][0] > 0.5
    twelve, fifteen = (
        product_quality(run_train(recipe().with_value(WASH, "volumes", Quantity(volumes, "")), broth()))["endotoxin"][0]
        for volumes in (12.0, 15.0)
    )
    assert fifteen / twelve == pytest.approx(0.5, abs=0.02)


def test_unknown_factors_equipment_and_empty_streams_are_refused() -> None:
    with pytest.raises(InputError, match="no parameter"):
        run_train(recipe(), broth(), factors={"capture/cation-exchange/elute:yield": 1.0})
    with pytest.raises(InputError, match="not above 0"):
        run_train(recipe(), broth(), factors={f"{WASH}:endotoxin_lrv": 0.0})
    with pytest.raises(InputError, match="names no equipment"):
        run_train(recipe(), broth(), equipment={"capture/cation-exchange/equilibrate:volume": 3.0})
    empty = Stream("water", 10.0, {"water": 9900.0})
    with pytest.raises(InputError, match="no product"):
        run_train(recipe(), empty)
    with pytest.raises(InputError, match="no product"):
        product_quality(())


def test_a_small_column_runs_in_cycles() -> None:
    name = "capture/cation-exchange/equilibrate"
    found = run_train(recipe(), broth(), equipment={f"{name}:column_volume": 6.0})
    by_path = {step.path: step for step in found}
    assert by_path[name].equipment["cycles"][0] == 3.0
    assert by_path[name].equipment["column_volume"][0] < 6.0
    assert _recovery(found) == pytest.approx(_recovery(steps()), rel=1e-9)


def test_results_are_finite_data() -> None:
    text = json.dumps([step_to_data(step) for step in steps()], allow_nan=False)
    assert len(text) < 200_000
    assert run_train(recipe(), broth()) == steps()


def test_every_kind_of_the_catalogue_is_known_upstream_or_downstream() -> None:
    assert set(PHASE_KINDS) - set(OPERATIONS) <= CULTURE | {"charge", "ramp"}  # a ramp moves set points of a culture
    for kind, operation in OPERATIONS.items():
        known = PHASE_KINDS[kind].parameters
        assert set(operation.numbers) | set(operation.words) <= set(known), kind
        numbers = {name for name, item in known.items() if item.is_number}
        assert numbers <= set(operation.numbers), kind


def test_endotoxin_shed_into_the_broth_leaves_with_the_liquid() -> None:
    shed = broth()
    free = Stream(
        shed.name,
        shed.volume,
        shed.masses,
        shed.endotoxin,
        shed.temperature,
        shed.pH,
        {"product": shed.masses["product"], "endotoxin": 0.5 * shed.endotoxin},
    )
    assert run_train(recipe(), free)[0].endotoxin_lrv > steps()[0].endotoxin_lrv + 0.1
    assert set(shed.masses) <= set(COMPONENTS)


@pytest.mark.parametrize("ratio", [1.0, 100.0, 1000.0])
def test_more_than_the_largest_machine_runs_in_parallel(ratio: float) -> None:
    """Each piece is no larger than it is made, and together they are as large as one without that limit."""
    found = run_train(recipe(), broth(150.0 * ratio))
    for small, large in zip(steps(), found, strict=True):
        assert large.duration == pytest.approx(small.duration, rel=1e-6), large.path
        for name in set(LARGEST) & set(large.equipment):
            size, unit = large.equipment[name]
            number = large.equipment["parallel"][0]
            assert unit == LARGEST[name][1]
            assert size <= LARGEST[name][0] * (1 + 1e-9)
            if name != "column_diameter":
                whole = small.equipment[name][0] * small.equipment["parallel"][0]
                assert size * number == pytest.approx(ratio * whole, rel=2e-2), (
                    large.path
                )  # a last container is not full


def test_a_machine_that_the_plant_states_is_one_whatever_is_made_elsewhere() -> None:
    name = "drying/lyophilisation/freeze-dry"
    limit = {f"{name}:shelf_area": 500.0}
    dry = next(step for step in run_train(recipe(), broth(1.5e5), equipment=limit) if step.path == name)
    assert dry.equipment["parallel"][0] == 1.0
    assert dry.equipment["rounds"][0] > 1.0


def test_every_step_but_a_wait_has_a_course_over_its_time() -> None:
    still = {"dilute", "equilibrate", "clean", "integrity_test", "manual", "sterilise", "flow_through"}
    for step in steps():
        if step.kind in still:
            continue
        times = step.trajectory["time"]
        assert times[0] >= 0.0, step.path
        assert list(times) == sorted(times)
        assert times[-1] <= step.duration * (1 + 1e-9), step.path
        assert all(len(column) == len(times) for column in step.trajectory.values())


def test_a_recipe_inactivates_virus_and_salts_out() -> None:
    """Both as a user writes them: an acid hold of the eluate, then ammonium sulfate and a centrifuge."""
    text = RECIPE.read_text(encoding="utf-8")
    salt = "  ammonium-sulfate-stock:\n    composition: {ammonium-sulfate: 500 g/L, water: 0.78 kg/L}\n"
    hold = (
        "          - phase: acid-hold\n            do: inactivate\n            set: {material: clarification-acid, "
        "volume_fraction: 2 %, pH: 3.6, temperature: 20 degC, residence_time: 60 min}\n"
        "          - phase: salting\n            do: salt_out\n"
        "            set: {material: ammonium-sulfate-stock, salt: 1.6 mol/L, residence_time: 2 h}\n"
        "          - phase: spin\n            do: centrifuge\n            set: {flux: 2e-9 m/s, solids_fraction: 0.5}\n"
    )
    made = text.replace("  - unit_procedure: polish\n", f"{hold}  - unit_procedure: polish\n", 1)
    made = made.replace("\nprocedure:\n", f"{salt}\nprocedure:\n", 1)
    found = {step.path.rpartition("/")[2]: step for step in run_train(parse_recipe(made, "made.yaml"), broth())}
    for step in found.values():
        check(step)
    assert found["acid-hold"].performance["virus_lrv"][0] > 4.0
    assert product_quality(tuple(found.values()))["virus_lrv"][0] > 4.0
    assert found["salting"].performance["salt"] == (pytest.approx(1.6), "mol/L")
    assert found["salting"].outlet.in_solids["product"] > 0.9 * found["salting"].outlet.masses["product"]
