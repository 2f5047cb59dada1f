"""A driven tank keeps the balances, answers as the correlations say, and under good control runs as a simulated run."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError, read_document
from seedtrain.quantity import Quantity
from seedtrain.recipe import at_scale, read_recipe
from seedtrain.simulation import (
    Liquid,
    LiveTank,
    StirredTank,
    TankInputs,
    VesselEntry,
    base_liquid,
    plan_of,
    read_culture,
    simulate,
)
from seedtrain.simulation._elements import CO2_MASS, O2_MASS
from seedtrain.simulation._transfer import (
    HEAT_CAPACITY,
    gas_flow,
    gas_velocity,
    gassed_power,
    kLa_coalescing,
    kLa_non_coalescing,
    mean_pressure,
)

EXAMPLE = Path(__file__).parents[2] / "examples" / "collagen"
STEP = 30 / 3600
PLANT = read_document(EXAMPLE / "plant.yaml")
VESSEL = VesselEntry.model_validate(PLANT.data["units"]["PILOT-200"]).vessel("PILOT-200")
RECIPE = read_recipe(EXAMPLE / "recipe.yaml")
CULTURE = read_culture(RECIPE.culture)
PLAN = plan_of(CULTURE, VESSEL, RECIPE, "production", 1.0)
FEED = next(segment.feed[0] for segment in PLAN.segments if segment.feed)
BASE = base_liquid(CULTURE, RECIPE) or Liquid()


def filled(*, cells: float = 5.0, volume: float = 90.0) -> LiveTank:
    assert isinstance(VESSEL, StirredTank)
    tank = LiveTank(CULTURE, VESSEL)
    for medium, _ in PLAN.medium:
        tank.charge(medium, volume / len(PLAN.medium), temperature=37.0, pH=6.9)
    assert CULTURE.biomass is not None
    tank.charge(Liquid({CULTURE.biomass: 20 * cells}, water=980.0), volume / 20, temperature=37.0)
    return tank


def mass(tank: LiveTank) -> float:
    """g of everything in the liquid but dissolved gases' oxygen, inducer and what `Liquid` does not weigh."""
    broth = tank.broth()
    gases = broth.oxygen * O2_MASS / 1000 + broth.carbon * CO2_MASS / 1000
    return tank.volume * (broth.liquid.mass(CULTURE.masses) + gases + broth.contaminant)


def nitrogen(tank: LiveTank) -> float:
    """mol."""
    broth = tank.broth()
    held = sum(
        amount * CULTURE.compositions[name].elements["N"] * CULTURE.masses[name]
        for name, amount in broth.liquid.species.items()
        if name in CULTURE.compositions
    )
    weed = broth.contaminant * 0.2 / (12.011 + 1.8 * 1.008 + 0.5 * 15.999 + 0.2 * 14.007)
    return tank.volume * (held + broth.liquid.ammonia / 1000 + weed)


def drive(tank: LiveTank, inputs: TankInputs, hours: float) -> None:
    for _ in range(round(hours / STEP)):
        tank.advance(STEP, inputs)


INPUTS = TankInputs(speed=320, air=90, jacket_inlet=33.0, head_pressure=0.2, base_liquid=BASE, feed_liquid=FEED)


@settings(max_examples=12)
@given(
    speed=st.floats(0, 600),
    air=st.floats(0, 200),
    oxygen=st.floats(0, 60),
    feed=st.floats(0, 3),
    base=st.floats(0, 0.3),
    contaminant=st.sampled_from([0.0, 0.4]),
)
def test_mass_nitrogen_and_heat_are_kept_whatever_the_inputs_do(speed, air, oxygen, feed, base, contaminant):
    tank = filled()
    tank.contaminate(contaminant)
    inputs = dataclasses.replace(
        INPUTS, speed=speed, air=air, oxygen=oxygen, feed=feed, base=base, contaminant_growth=0.8
    )
    before, n_before, heat = mass(tank), nitrogen(tank), _heat_content(tank)
    drive(tank, inputs, 0.5)
    passed = tank.passed()
    brought = 0.5 * (feed * FEED.mass(CULTURE.masses) + base * BASE.mass(CULTURE.masses))
    gas = passed["oxygen"] * O2_MASS / 1000 - passed["carbon_dioxide"] * CO2_MASS / 1000 - passed["evaporated"]
    assert mass(tank) == pytest.approx(before + brought + gas, rel=1e-6)
    came = 0.5 * (feed * FEED.ammonia + base * BASE.ammonia) / 1000
    assert nitrogen(tank) == pytest.approx(n_before + came, rel=1e-6)
    if feed == base == 0:  # what comes in has no temperature of its own here
        made = passed["oxygen_used"] * 460.0 + 0.5 * 3600 * _shaft(tank, inputs)
        assert _heat_content(tank) == pytest.approx(heat + made - passed["heat"], rel=2e-4)


def _heat_content(tank: LiveTank) -> float:
    return tank.read(INPUTS)["temperature"] * tank.volume * HEAT_CAPACITY * 1e-3


def _shaft(tank: LiveTank, inputs: TankInputs) -> float:
    return tank.read(inputs)["power"]


def test_the_charge_balance_holds_along_the_way():
    tank = filled()
    before = tank._protons(tank.read(INPUTS)["pH"]) * VESSEL.working_volume[1]
    inputs = dataclasses.replace(INPUTS, base=0.08, feed=0.5)
    drive(tank, inputs, 3.0)
    base = 3.0 * inputs.base * BASE.ammonia
    made = tank.passed()["protons"]
    after = tank._protons(tank.read(inputs)["pH"]) * VESSEL.working_volume[1]
    # Ammonia comes as NH3: counted from NH4+ it takes a proton.
    assert after == pytest.approx(before + made - base, abs=2e-3 * base)
    assert tank.read(inputs)["pH"] != pytest.approx(6.9, abs=0.01)


def test_strong_base_raises_the_pH_as_titrating_the_buffer_does():
    assert isinstance(VESSEL, StirredTank)
    tank = LiveTank(CULTURE, VESSEL)
    tank.charge(Liquid(water=990.0, minerals=5.0), 100, pH=6.0)
    tank._set(n_C=0.0)
    added = 0.02  # mol/L
    still = TankInputs(speed=200, base=2.0, strong_base=2000.0, base_liquid=Liquid(water=950.0), head_pressure=0.0)
    drive(tank, still, 0.5)
    volume = tank.volume
    found = tank.read(still)["pH"]
    share = 0.5 * 2.0 * 2.0 / volume  # mol/L of strong base
    assert share == pytest.approx(added, rel=0.02)
    phosphate = 0.060 * 100 / volume
    loose = 1 / (1 + 10 ** (6.8 - 6.0)) * phosphate + share
    wanted = 6.8 + math.log10(loose / (phosphate - loose))  # Henderson-Hasselbalch
    assert found == pytest.approx(wanted, abs=0.02)


@pytest.mark.parametrize(("speed", "air"), [(250, 60), (400, 120), (550, 60)])
def test_gas_transfer_is_that_of_the_correlations(speed, air):
    assert isinstance(VESSEL, StirredTank)
    tank = filled()
    inputs = dataclasses.replace(INPUTS, speed=speed, air=air, head_pressure=0.3)
    seen = tank.read(inputs)
    pressure = mean_pressure(VESSEL, tank.volume, 0.3)
    vvm = air / tank.volume
    flow = gas_flow(vvm, tank.volume, 37.0, pressure)
    velocity = gas_velocity(VESSEL, vvm, tank.volume, 37.0, pressure)
    power = gassed_power(VESSEL, speed, flow, tank.volume).value
    assert seen["cut"] == 1.0
    assert seen["power"] == pytest.approx(power, rel=1e-9)
    density = power / tank.volume * 1000
    both = (kLa_coalescing, kLa_non_coalescing)
    kLa = math.prod(item(density, velocity, tank.volume).value ** 0.5 for item in both)
    assert seen["kLa"] == pytest.approx(kLa, rel=1e-9)


def test_without_gas_the_oxygen_falls_as_the_cells_breathe():
    tank = filled(cells=3.0)
    drive(tank, INPUTS, 0.2)
    seen, held = tank.read(INPUTS), tank.broth().oxygen
    no_gas = dataclasses.replace(INPUTS, air=0.0)
    tank.advance(5 / 3600, no_gas)
    assert tank.broth().oxygen == pytest.approx(held - seen["OUR"] * 5 / 3600, rel=0.02)


def test_pure_oxygen_nitrogen_and_carbon_dioxide_do_what_they_should():
    def after(**gas: float) -> dict[str, float]:
        tank = filled(cells=1.0)
        inputs = dataclasses.replace(INPUTS, **gas)  # type: ignore[arg-type]
        drive(tank, inputs, 0.3)
        return tank.read(inputs)

    air, rich, poor = after(air=90.0), after(air=60.0, oxygen=30.0), after(air=30.0, nitrogen=60.0)
    assert rich["dissolved_oxygen"] > air["dissolved_oxygen"] > poor["dissolved_oxygen"]
    assert rich["exit_oxygen"] == pytest.approx(0.4, abs=0.1)
    assert after(air=80.0, carbon_dioxide=10.0)["pH"] < air["pH"] - 0.1


def test_foam_answers_to_antifoam_and_a_contaminant_overgrows():
    calm, foaming = filled(cells=10.0), filled(cells=10.0)
    drive(calm, INPUTS, 1.0)
    wild = dataclasses.replace(INPUTS, foaming=8.0)
    drive(foaming, wild, 1.0)
    high = foaming.read(wild)["foam"]
    assert high > 4 * calm.read(INPUTS)["foam"]
    drive(foaming, dataclasses.replace(wild, antifoam=0.05), 0.3)
    assert foaming.read(wild)["foam"] < 0.5 * high
    clean, dirty = filled(), filled()
    dirty.contaminate(0.05)
    grown = dataclasses.replace(INPUTS, contaminant_growth=1.2)
    drive(clean, INPUTS, 1.5)
    drive(dirty, grown, 1.5)
    assert dirty.read(grown)["contaminant"] > 0.15
    assert dirty.read(grown)["S"] < clean.read(INPUTS)["S"]


def test_broth_moved_to_another_tank_takes_everything_along():
    assert isinstance(VESSEL, StirredTank)
    first, second = filled(), LiveTank(CULTURE, VESSEL)
    drive(first, INPUTS, 0.5)
    whole, pH = mass(first), first.read(INPUTS)["pH"]
    second.add(first.draw(30.0), 30.0)
    assert mass(first) + mass(second) == pytest.approx(whole, rel=1e-12)
    assert second.read(INPUTS)["pH"] == pytest.approx(pH, abs=1e-6)
    second.add(first.draw(first.volume), first.volume or 60.0) if first.volume else None
    assert first.empty
    with pytest.raises(InputError, match="cannot be drawn"):
        first.draw(1.0)
    with pytest.raises(InputError, match="cannot take"):
        second.charge(Liquid(water=990.0), 1000.0)


def test_a_stored_state_goes_on_as_if_nothing_had_happened():
    first = filled()
    drive(first, INPUTS, 0.3)
    assert isinstance(VESSEL, StirredTank)
    second = LiveTank(CULTURE, VESSEL)
    second.restore(first.to_data())
    for tank in (first, second):
        drive(tank, INPUTS, 0.2)
    assert first.to_data() == second.to_data()
    with pytest.raises(InputError, match="another culture"):
        second.restore({"v": 1.0})


def test_under_good_control_it_runs_as_a_simulated_run():
    assert isinstance(VESSEL, StirredTank)
    control = at_scale(RECIPE, unit="PILOT-200", volume=Quantity(90, "L"))
    run = simulate(CULTURE, VESSEL, control.recipe)
    plan = plan_of(CULTURE, VESSEL, control.recipe, "production", 1.0)
    grow = plan.segments[0]
    tank = LiveTank(CULTURE, VESSEL)
    for medium, volume in plan.medium:
        tank.charge(medium, volume, temperature=grow.temperature, pH=grow.pH)
    assert CULTURE.biomass is not None
    tank.charge(Liquid({CULTURE.biomass: plan.seed}, water=980.0), plan.inoculum, temperature=grow.temperature)
    span = run.phase(grow.path)
    hours = span.end - span.start
    inputs = dataclasses.replace(INPUTS, air=(grow.aeration or 1.0) * plan.volume, head_pressure=grow.head_pressure)
    for _ in range(round(hours / STEP)):
        seen = tank.read(inputs)
        inputs = dataclasses.replace(
            inputs,
            speed=min(max(inputs.speed + 300 * (0.3 - seen["dissolved_oxygen"]), 100), 600),
            base=max(0.0, 2.0 * (grow.pH - seen["pH"])),
            jacket_inlet=min(max(seen["temperature"] + 8 * (grow.temperature - seen["temperature"]), 5.0), 60.0),
        )
        tank.advance(STEP, inputs)
    seen = tank.read(inputs)
    wanted = {name: run.at(name, span.end) for name in ("X", "S")}
    assert seen["X"] == pytest.approx(wanted["X"], rel=0.03)
    assert seen["temperature"] == pytest.approx(grow.temperature, abs=0.3)
    assert seen["pH"] == pytest.approx(grow.pH, abs=0.1)


def test_the_inlet_that_holds_the_temperature_holds_it():
    tank = filled(cells=15.0)
    inputs = TankInputs(speed=300.0, air=90.0, jacket_inlet=30.0, head_pressure=0.3)
    tank.advance(0.2, inputs)
    held = dataclasses.replace(inputs, jacket_inlet=tank.holding_inlet(inputs))
    tank.advance(0.02, held)  # the jacket follows
    held = dataclasses.replace(inputs, jacket_inlet=tank.holding_inlet(held))
    before = tank.read(held)["temperature"]
    tank.advance(0.1, held)
    assert tank.read(held)["temperature"] == pytest.approx(before, abs=0.05)
    assert held.jacket_inlet < before - 1.0  # it has to take the heat of the cells out
