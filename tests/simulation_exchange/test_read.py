"""What an SBML file means: amounts and concentrations, rules, starts, factors; closed solutions judge."""

from __future__ import annotations

import numpy as np
import pytest

from seedtrain.base import InputError
from seedtrain.simulation import simulate_sbml
from tests.simulation_exchange.small import box, initial, math, parameter, reaction, read, rule, sbml, species

TIMES = np.linspace(0.0, 4.0, 9)


def run(tmp_path, text, **options):
    return simulate_sbml(read(tmp_path, text), TIMES, integrator="plain", rtol=1e-10, **options)


def test_a_species_means_its_concentration_and_a_law_makes_amounts(tmp_path):
    """S -> 2 P with k S V: S decays by k, and in 2.5 L there are 2.5 times the amounts."""
    text = sbml(
        Compartments=box("2.5"),
        Species=species("S", 'initialConcentration="4"') + species("P", 'initialAmount="0"'),
        Reactions=reaction("r", {"S": "1"}, {"P": "2"}, "k * S * c", local='<localParameter id="k" value="0.7"/>'),
    )
    found = run(tmp_path, text)
    left = 4 * np.exp(-0.7 * TIMES)
    assert found["S"] == pytest.approx(left, rel=1e-8)
    assert found.amounts["S"] == pytest.approx(2.5 * left, rel=1e-8)
    assert found["P"] == pytest.approx(2 * (4 - left), rel=1e-8, abs=1e-9)
    assert found["r"] == pytest.approx(0.7 * left * 2.5, rel=1e-8)


def test_a_species_in_substance_units_means_its_amount(tmp_path):
    """The same law without the volume, in amounts: nothing depends on the size."""
    text = sbml(
        Compartments=box("2.5"),
        Species=species("S", 'initialConcentration="4"', only_substance=True),
        Parameters=parameter("k", "0.7", constant=True),
        Reactions=reaction("r", {"S": "1"}, {}, "k * S"),
    )
    found = run(tmp_path, text)
    assert found["S"] == pytest.approx(10 * np.exp(-0.7 * TIMES), rel=1e-8)
    assert found.concentrations["S"] == pytest.approx(4 * np.exp(-0.7 * TIMES), rel=1e-8)


def test_amounts_stay_when_a_compartment_grows(tmp_path):
    """V = 1 + t: the amount stays, the concentration thins; a rate rule on a concentration adds to it."""
    text = sbml(
        Compartments=box("1", constant=False),
        Species=species("S", 'initialAmount="3"') + species("Q", 'initialAmount="3"', boundary=True),
        Rules=rule("rate", "c", "1") + rule("rate", "Q", "0.5"),
    )
    found = run(tmp_path, text)
    assert found["S"] == pytest.approx(3 / (1 + TIMES), rel=1e-8)
    assert found["Q"] == pytest.approx(3 + 0.5 * TIMES, rel=1e-8)
    assert found.amounts["Q"] == pytest.approx((3 + 0.5 * TIMES) * (1 + TIMES), rel=1e-8)


def test_boundary_species_are_read_and_not_changed(tmp_path):
    text = sbml(
        Compartments=box(),
        Species=species("S", 'initialAmount="2"', boundary=True) + species("P", 'initialAmount="0"'),
        Reactions=reaction("r", {"S": "1"}, {"P": "1"}, "0.5 * S"),
    )
    found = run(tmp_path, text)
    assert found["S"] == pytest.approx(2.0)
    assert found["P"] == pytest.approx(TIMES, abs=1e-9)


def test_conversion_factors_turn_extent_into_amounts(tmp_path):
    text = sbml(
        attributes='conversionFactor="f"',
        Compartments=box(),
        Species=species("S", 'initialAmount="1"') + species("P", 'initialAmount="0"', more='conversionFactor="g"'),
        Parameters=parameter("f", "0.1", constant=True) + parameter("g", "3", constant=True),
        Reactions=reaction("r", {"S": "1"}, {"P": "1"}, "0.2"),
    )
    found = run(tmp_path, text)
    assert found["S"] == pytest.approx(1 - 0.02 * TIMES, rel=1e-8)
    assert found["P"] == pytest.approx(0.6 * TIMES, abs=1e-8)


def test_rules_starts_and_functions_in_any_order(tmp_path):
    """y = square(x) + time and x' = rate; the start of x is computed from a rule and from another start."""
    function = (
        '<functionDefinition id="square"><math xmlns="http://www.w3.org/1998/Math/MathML"><lambda><bvar><ci>a</ci>'
        "</bvar><apply><times/><ci>a</ci><ci>a</ci></apply></lambda></math></functionDefinition>"
    )
    text = sbml(
        FunctionDefinitions=function,
        Parameters="".join(parameter(name) for name in ("x", "y", "z", "k")),
        InitialAssignments=initial("x", "k + z - 1") + initial("k", "floor(2.9)"),
        Rules=rule("assignment", "y", "square(x) + time")
        + rule("assignment", "z", "k / 4")
        + rule("rate", "x", "-k*x"),
    )
    found = run(tmp_path, text)
    x = 1.5 * np.exp(-2 * TIMES)
    assert found["k"] == pytest.approx(2.0)
    assert found["x"] == pytest.approx(x, rel=1e-8)
    assert found["y"] == pytest.approx(x**2 + TIMES, rel=1e-8)


def test_rate_of_reads_a_derivative(tmp_path):
    text = sbml(
        Parameters=parameter("x", "1") + parameter("y"),
        Rules=rule("rate", "x", "-0.5 * x") + rule("assignment", "y", "rateOf(x)"),
    )
    assert run(tmp_path, text)["y"] == pytest.approx(-0.5 * np.exp(-0.5 * TIMES), rel=1e-8)


def test_a_pulse_between_two_steps_is_not_stepped_over(tmp_path):
    """A rate of 1000 for a hundredth of the time: the edges in time are found, not met by chance."""
    text = sbml(Parameters=parameter("x", "0"), Rules=rule("rate", "x", "piecewise(1000, time > 3 && time <= 3.01, 0)"))
    assert run(tmp_path, text).final("x") == pytest.approx(10.0, rel=1e-9)


def test_names_that_the_engine_cannot_use_are_renamed_and_kept(tmp_path):
    names = ("t", "lambda", "exp_", "_s", "min_", "e", "p")
    text = sbml(
        Parameters="".join(parameter(name, "1") for name in names),
        Rules="".join(rule("rate", name, f"-{at + 1} * {name}") for at, name in enumerate(names) if name != "e"),
    )
    found = run(tmp_path, text)
    for at, name in enumerate(names):
        expected = np.ones(9) if name == "e" else np.exp(-(at + 1) * TIMES)
        assert found[name] == pytest.approx(expected, rel=1e-7, abs=1e-9), name


def test_starts_may_be_given_in_place_of_the_files(tmp_path):
    text = sbml(
        Compartments=box("2"),
        Species=species("S", 'initialAmount="1"'),
        Parameters=parameter("k", "1", constant=True),
        Reactions=reaction("r", {"S": "1"}, {}, "k * S * c"),
    )
    found = run(tmp_path, text, values={"S": 5.0, "k": 0.3})
    assert found["S"] == pytest.approx(5 * np.exp(-0.3 * TIMES), rel=1e-8)
    with pytest.raises(InputError, match="no quantity 'q'"):
        run(tmp_path, text, values={"q": 1.0})


def test_level_2_has_stoichiometry_as_a_formula_and_its_own_defaults(tmp_path):
    reference = (
        '<speciesReference species="P"><stoichiometryMath><math xmlns="http://www.w3.org/1998/Math/MathML"><apply>'
        "<times/><cn>2</cn><ci>n</ci></apply></math></stoichiometryMath></speciesReference>"
    )
    law = f"<kineticLaw>{math('0.4')}</kineticLaw>"
    text = sbml(
        level=2,
        Compartments='<compartment id="c" size="2"/>',
        Species='<species id="P" compartment="c" initialAmount="0"/>',
        Parameters='<parameter id="n" value="1.5"/>',
        Reactions=f'<reaction id="r"><listOfProducts>{reference}</listOfProducts>{law}</reaction>',
    )
    model = read(tmp_path, text)
    found = simulate_sbml(model, TIMES, integrator="plain")
    assert found["P"] == pytest.approx(0.4 * 3 * TIMES / 2, abs=1e-8)
    assert model.quantities["P"].unit == "mol/L"
    assert found.time_unit == "s"


def test_the_engine_and_scipy_agree(tmp_path):
    text = sbml(
        Compartments=box("2"),
        Species=species("S", 'initialAmount="1"') + species("P", 'initialAmount="0"'),
        Parameters=parameter("k", "1", constant=True),
        Reactions=reaction("r", {"S": "1"}, {"P": "1"}, "k * S * c / (0.1 + S)"),
    )
    model = read(tmp_path, text)
    ours = simulate_sbml(model, TIMES, rtol=1e-10)
    plain = simulate_sbml(model, TIMES, integrator="plain", rtol=1e-10)
    for name in ("S", "P", "r"):
        assert ours[name] == pytest.approx(plain[name], rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("times", [[], [1.0, 0.5], [-1.0], [float("nan")]])
def test_output_times_are_from_zero_and_sorted(tmp_path, times):
    text = sbml(Parameters=parameter("x", "1"), Rules=rule("rate", "x", "-x"))
    with pytest.raises(InputError, match="output times"):
        simulate_sbml(read(tmp_path, text), times, integrator="plain")


def test_a_blow_up_says_when_and_never_gives_fewer_points(tmp_path):
    text = sbml(Parameters=parameter("x", "1"), Rules=rule("rate", "x", "x ^ 2"))
    with pytest.raises(InputError, match=r"cannot be integrated beyond (0\.9|1)"):
        simulate_sbml(read(tmp_path, text), TIMES, integrator="plain")


def test_a_table_of_what_changes(tmp_path):
    text = sbml(
        Parameters=parameter("x", "1") + parameter("k", "2", constant=True),
        Rules=rule("rate", "x", "-k * x"),
    )
    found = simulate_sbml(read(tmp_path, text), [0.0, 1.0], integrator="plain")
    lines = found.to_csv().splitlines()
    assert lines[0] == "time,x"
    assert lines[1] == "0.0,1.0"
    assert len(lines) == 3
    assert found.to_data()["variables"]["k"]["values"] == [2.0, 2.0]
    with pytest.raises(InputError, match="no variable 'q'"):
        found["q"]
