"""From wells and flasks to tanks and back: what is held, what gives way, and what a shaken vessel cannot do."""

from __future__ import annotations

import dataclasses
import math
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, InputErrors, use_language
from seedtrain.cli._app import main
from seedtrain.development import (
    KEEP,
    Operating,
    ScaleUp,
    assumptions,
    match,
    result_from_data,
    result_to_data,
    scale,
    scale_up,
    scale_up_lines,
    transfer_blocks,
)
from seedtrain.recipe import parse_recipe
from seedtrain.report import Page, render_html
from seedtrain.simulation import ShakeFlask, Well, transfer_limits
from seedtrain.simulation._vessel import Shaking
from tests.development.plant import PLANT, culture
from tests.development_scaling.small import PLANT as SMALL
from tests.development_scaling.small import RECIPE, recipe, vessels

NO_MEANING = ("tip_speed", "mixing_time", "gas_velocity")


@cache
def ladder(end: str) -> ScaleUp:
    return scale_up(culture(), vessels(), recipe(), start="FLASK", end=end)


def wide(name: str) -> ShakeFlask | Well:
    """The shaken vessel on a shaker that reaches every frequency."""
    vessel = vessels()[name]
    assert isinstance(vessel, ShakeFlask | Well)
    assert vessel.shaking is not None
    return dataclasses.replace(vessel, shaking=dataclasses.replace(vessel.shaking, frequency=(1.0, 5000.0)))


@given(st.floats(120.0, 340.0), st.floats(0.012, 0.038), st.sampled_from(["kLa", "oxygen_transfer"]))
@settings(max_examples=25, deadline=None)
def test_a_well_holds_what_the_flask_has(frequency: float, volume: float, keep: str) -> None:
    flask = vessels()["FLASK"]
    assert isinstance(flask, ShakeFlask)
    found = match(flask, Operating(volume, frequency, 5.0, 0.0, 37.0), wide("WELL"), 1.5e-4, keep)
    rows = {row.name: row for row in found.criteria}
    flat = transfer_limits(wide("WELL"), 1.5e-4, speed=1.0)
    at_rest = flat.kLa_coalescing.value if keep == "kLa" else flat.OTR_coalescing
    if rows[keep].reference > at_rest * 1.5:  # the surface leans above the critical frequency, and jumps there
        assert found.reached, found.words
        assert rows[keep].ratio == pytest.approx(1.0, rel=1e-3)
    for name in (*NO_MEANING, "power_per_volume"):
        assert math.isnan(rows[name].scaled)
        assert not rows[name].held


def test_from_a_well_to_a_tank_every_offered_option_is_solved() -> None:
    """Carbon dioxide is held by the aeration, and the speed then by kLa, for power in the well is not known."""
    found = scale_up(culture(), vessels(), recipe(), start="WELL", end="MINI")
    assert set(found.options) == {"kLa", "oxygen_transfer", "carbon_dioxide"}
    assert found.keep == "kLa"
    for option in found.options.values():
        assert math.isfinite(option.scaled.speed)
        assert option.reached or option.words


def test_power_is_held_between_flasks_and_falls_with_the_filling() -> None:
    small, large = wide("FLASK"), dataclasses.replace(wide("FLASK"), nominal_volume=1.0, working_volume=(0.04, 0.16))
    wider = dataclasses.replace(large, shaking=Shaking((1.0, 5000.0), 0.05, 0.131))
    found = match(small, Operating(0.025, 250.0, 5.0, 0.0, 37.0), wider, 0.1, "power_per_volume")
    assert found.reached
    assert found.scaled.speed < 250.0, "a wider flask takes fewer turns for the same power"


def test_what_gives_way_and_what_is_set() -> None:
    for end, setting in (("WELL", "shaking_frequency"), ("MINI", "stirrer_speed"), (PLANT, "stirrer_speed")):
        found = ladder(end)
        assert set(NO_MEANING).isdisjoint(found.options)
        assert "carbon_dioxide" in found.options or end == "WELL"
        phase = found.end.control.recipe.phase("production/culture/grow")
        assert phase.number(setting, "1/min") == pytest.approx(found.end.agitation.scaled.speed, rel=1e-3)
        assert ("shaking_frequency" in phase.set) == (end == "WELL")
        assert ("aeration" in phase.set) == (end != "WELL")
        assert {change.parameter for change in found.changes} >= {setting}
        again = result_from_data(result_to_data(found.end), vessels())
        assert again.control.digest == found.end.control.digest
    assert ladder("WELL").keep == "kLa", "power in a well has no known source"
    assert ladder(PLANT).keep == "power_per_volume"
    assert ladder("WELL").gradients is None
    assert ladder(PLANT).gradients is not None


def test_the_runs_close_and_transfer_what_the_shaker_gives() -> None:
    for result in (ladder("WELL").start, ladder("WELL").end, ladder("MINI").end):
        for item in result.production.balances:
            assert abs(item.residual) <= 1e-6 * max(
                abs(item.inlet), abs(item.accumulated), result.production.final("V")
            )
    well = ladder("WELL").end
    limits = transfer_limits(well.vessel, float(well.production["V"][0]), speed=well.agitation.scaled.speed)
    assert well.production["kLa"][0] == pytest.approx(limits.kLa_coalescing.value, rel=1e-4)
    assert well.production["N"][0] == pytest.approx(well.agitation.scaled.speed, rel=1e-3)


def test_back_from_a_tank_stirring_gives_way_to_shaking() -> None:
    text = RECIPE.replace("FEED\n", "").replace("unit: FLASK, volume: 25 mL", "unit: BENCH-1L, volume: 0.5 L")
    text = text.replace("volume: 25 mL}", "volume: 0.5 L}").replace(
        "shaking_frequency: 250 1/min", "stirrer_speed: 400 1/min, aeration: 1 vvm, dissolved_oxygen: 30 %"
    )
    (found,) = scale(culture(), vessels(), parse_recipe(text, "bench.yaml"), targets=["FLASK"], keep="kLa")
    phase = found.control.recipe.phase("production/culture/grow")
    assert not {"stirrer_speed", "aeration", "head_pressure"} & set(phase.set)
    assert phase.number("dissolved_oxygen", "%") == 30.0, "a floor for the limits, though nothing holds it"
    assert phase.number("shaking_frequency", "1/min") == pytest.approx(found.agitation.scaled.speed, rel=1e-3)


def test_a_feed_needs_a_line_and_one_that_is_wide_enough() -> None:
    given_ = {**vessels()}
    with pytest.raises(InputErrors, match="has no line that feeds"):
        scale(culture(), given_, recipe(fed=True), targets=["FLASK"])
    for rate, words in (((0.0, 2e-4), "the line of FLASK feeds 0 .. 0.0002 L/h"), ((0.0, 2e-3), "")):
        given_["FLASK"] = dataclasses.replace(wide("FLASK"), feed_rate=rate)
        if words:
            with pytest.raises(InputErrors, match=words):
                scale(culture(), given_, recipe(fed=True), targets=["FLASK"])
        else:
            (found,) = scale(culture(), given_, recipe(fed=True), targets=["FLASK"])
            assert found.production.totals["glucose_fed"][0] > 0


def test_what_a_shaken_vessel_cannot_hold_is_said() -> None:
    found = ladder("WELL")
    lines = "\n".join(scale_up_lines(found))
    assert "WELL is shaken: nothing holds its pH" in lines
    assert "WELL dries up by" in lines
    assert "oxygen transfer falls short without any feed" in lines
    listed = {item.what for item in assumptions(found) if not item.inside}
    assert "WELL: kLa, 1/h" in listed, "derived, not measured"
    page = render_html(Page("transfer", transfer_blocks(found)))
    assert "Both vessels are shaken" in page
    data = found.to_data()
    run, told = found.end.production, data["shaken"]["WELL"]
    nitrogen = culture().compositions["X"].elements["N"] * 1000.0  # mmol/g, which left the ammonium and its acid behind
    grown = run["X"][-1] * run["V"][-1] - run["X"][0] * run["V"][0]
    assert told["acid"] == pytest.approx(nitrogen * grown / run["V"][-1], rel=1e-6)
    volume = next(item for item in run.balances if item.name == "volume")
    assert told["evaporated"] == pytest.approx(volume.outlet / run["V"][0], rel=1e-6), "nothing else leaves a well"
    assert next(row for row in data["end"]["agitation"]["criteria"] if row["name"] == "tip_speed")["scaled"] is None
    with use_language("zh"):
        assert "振荡容器" in "\n".join(scale_up_lines(found))


@pytest.mark.parametrize("keep", [*NO_MEANING, "power_per_volume", "carbon_dioxide"])
def test_what_has_no_meaning_in_a_well_is_refused_with_what_has(keep: str) -> None:
    assert keep in KEEP
    with pytest.raises(InputError, match=rf"{keep} cannot be kept between FLASK and WELL") as caught:
        scale_up(culture(), vessels(), recipe(), start="FLASK", end="WELL", keep=keep)
    assert caught.value.remedy == "Use one of: kLa, oxygen_transfer."


def test_a_plant_of_shaken_vessels_alone_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    indented = "".join(f"  {line}\n" for line in SMALL.splitlines())
    flask = "  FLASK-250: {kind: shake_flask, scale: seed, nominal_volume: 250 mL, working_volume: 5 .. 60 mL, "
    flask += "kLa: 150 1/h}\n"
    (tmp_path / "plant.yaml").write_text(f"plant: screening\nunits:\n{indented}{flask}")
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("FEED\n", ""))
    with pytest.raises(SystemExit) as left:
        main(["scale", str(tmp_path / "recipe.yaml"), "--to", "WELL", "-o", str(tmp_path / "out")])
    assert left.value.code in (0, None)
    assert "to hold kLa" in capsys.readouterr().out
    assert (tmp_path / "out" / "transfer.html").is_file()


def test_a_frequency_beyond_the_recipe_s_own_shaker_is_refused_at_its_place() -> None:
    text = RECIPE.replace("FEED\n", "").replace("shaking_frequency: 250", "shaking_frequency: 500")
    with pytest.raises(InputError, match=r"recipe.yaml:\d+.*500 1/min is outside the 100 .. 350 1/min of FLASK"):
        scale(culture(), vessels(), parse_recipe(text, "recipe.yaml"), targets=["WELL"])


def test_every_assumption_of_the_physics_stands_in_the_document() -> None:
    listed = {item.what: item for item in assumptions(ladder(PLANT))}
    for words in (
        "heat per oxygen used, kJ/mol",
        "viscosity of the broth, mPa s",
        "coalescence",
        "q_P_max",
        "in titre by",
    ):
        assert words in listed
    assert "assumed" in listed["coalescence"].source
    assert listed[f"{PLANT}: gas that floods the impeller by a correlation for Rushton turbines"].inside
