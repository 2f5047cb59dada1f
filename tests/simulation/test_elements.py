"""Conversions close over C, H, O, N, S, ash and mass, and respire as theory says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.simulation._elements import (
    CO2_MASS,
    H2O_MASS,
    NH3_MASS,
    O2_MASS,
    SULPHATE_MASS,
    close,
    composition,
)
from tests.simulation import cases

ATOMS = st.fixed_dictionaries({element: st.floats(0.01, 20) for element in "CHONS"})
SPECIES = st.tuples(ATOMS, st.floats(0, 0.3)).map(lambda found: composition(*found))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SPECIES, st.floats(-5, 5)), min_size=1, max_size=4))
def test_every_element_and_the_mass_close(parts):
    compositions = {f"S{number}": item for number, (item, _) in enumerate(parts)}
    amounts = {f"S{number}": mass for number, (_, mass) in enumerate(parts)}
    found = close(amounts, compositions)
    net = {e: sum(m * compositions[n].elements[e] for n, m in amounts.items()) for e in "CHONS"}
    assert net["C"] + found.CO2 == pytest.approx(0, abs=1e-12)
    assert net["H"] + 3 * found.NH3 + 2 * found.H2O + 2 * found.sulphate == pytest.approx(0, abs=1e-12)
    oxygen = net["O"] + 2 * found.O2 + 2 * found.CO2 + found.H2O + 4 * found.sulphate
    assert oxygen == pytest.approx(0, abs=1e-12)
    assert net["N"] + found.NH3 == pytest.approx(0, abs=1e-12)
    assert net["S"] + found.sulphate == pytest.approx(0, abs=1e-12)
    assert sum(amounts.values()) + found.mass == pytest.approx(0, abs=1e-10)
    # Oxygen takes the electrons that the species lose: an independent way to the same number.
    electrons = sum(mass * compositions[name].reduction for name, mass in amounts.items())
    assert pytest.approx(electrons, abs=1e-10) == 4 * found.O2


def test_masses_of_the_closers():
    masses = [O2_MASS, CO2_MASS, NH3_MASS, H2O_MASS, SULPHATE_MASS]
    assert masses == pytest.approx([31.998, 44.009, 17.031, 18.015, 98.08], abs=0.01)


def _quotient(name: str) -> float:
    culture = cases.culture()
    exchange = culture.exchange(next(item for item in culture.conversions if item.name == name))
    return exchange.CO2 / -exchange.O2


def test_respiratory_quotients_are_those_of_theory():
    assert _quotient("maintenance") == pytest.approx(1.0, abs=1e-12)  # C6H12O6 + 6 O2 -> 6 CO2 + 6 H2O
    assert _quotient("overflow") == pytest.approx(1.0, abs=1e-9)  # acetate is as reduced as glucose
    assert 1.0 < _quotient("growth") < 1.1  # biomass is more reduced than glucose
    assert 0.95 < _quotient("decay") < 1.0


def test_full_oxidation_takes_1_067_g_of_oxygen_and_overflow_a_third_of_it():
    culture = cases.culture()
    by_name = {item.name: culture.exchange(item) for item in culture.conversions}
    full, overflow, fermented = by_name["maintenance"], by_name["overflow"], by_name["fermentation"]
    assert pytest.approx(1.0657, abs=0.001) == -full.O2 * O2_MASS
    # C6H12O6 + 2 O2 -> 2 C2H4O2 + 2 CO2 + 2 H2O
    assert pytest.approx(1 / 3, rel=1e-3) == overflow.O2 / full.O2
    assert pytest.approx(0, abs=1e-12) == fermented.O2
    assert pytest.approx(0, abs=1e-12) == by_name["fermentation"].CO2


def test_the_published_form_makes_carbon_and_the_balanced_one_does_not():
    culture = cases.build_culture(cases.culture_text(name="ecoli_anane_published"))
    values, carbon = culture.values, {name: item.elements["C"] for name, item in culture.compositions.items()}
    # 0.8938 g of acetate and 0.2290 g of biomass, its carbon as the authors count it, from one gram of glucose.
    made = (values["Y_as"] * carbon["A"] * 12.011 + values["Y_xsof"] * values["C_x"]) / (carbon["S"] * 12.011)
    assert made == pytest.approx(1.17, abs=0.005)
    balanced = cases.culture()
    for conversion in balanced.conversions:
        amounts = balanced.amounts(conversion)
        net = sum(mass * balanced.compositions[name].elements["C"] for name, mass in amounts.items())
        assert net + balanced.exchange(conversion).CO2 == pytest.approx(0, abs=1e-15)


def test_a_yield_above_the_electrons_is_refused():
    culture = cases.culture()
    with pytest.raises(InputError, match="more is made than the electrons"):
        culture.with_parameters({"Y_em": 0.9})
    with pytest.raises(InputError, match="expression would free"):
        culture.with_parameters({"Y_PS": 1.5})


def test_the_product_counts_with_its_own_elements():
    culture = cases.culture()
    richer = culture.with_parameters({"P_N": (2.4, "derived", "another protein")})
    before, after = (item.exchange(item.conversions[-1]) for item in (culture, richer))
    assert after.NH3 < before.NH3 < 0
    assert richer.parameters["P_N"].status == "derived"
    assert richer.digest != culture.digest
