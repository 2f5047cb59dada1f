"""Laws of the discounted cash flow, and a published plant."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seedtrain.development
from seedtrain.base import InputError
from seedtrain.development import (
    Finance,
    Loan,
    PlantCase,
    Venture,
    assess_plant,
    bench_development,
    cash_flow,
    internal_rate,
    minimum_price,
    read_case,
)
from seedtrain.development._costing._cash_flow import MACRS, shares_of_years, yearly_charge

PUBLISHED = Path(seedtrain.development.__file__).parent / "cases"
PLANT = Venture(capital=1e7, fixed=5e5, variable=1e6, output=1e5)
PLAIN = Finance(rate=0.1, life=10, construction=(1.0,), tax=0.0, depreciation="SL10", working_capital=0.0, startup=0.0)


def test_corn_stover_ethanol_from_frozen_flows() -> None:
    """BioSTEAM's own figure for these flows is 0.6927338 USD/kg; the goal was half a percent."""
    case = read_case(PUBLISHED / "corn-stover.yaml")
    assert isinstance(case, PlantCase)
    found = assess_plant(case)
    assert found.price == pytest.approx(0.6927338064520319, rel=1e-9)
    assert sum(found.parts.values()) == pytest.approx(found.price)
    assert internal_rate(case.venture, case.finance, found.price) == pytest.approx(0.10, abs=1e-9)
    assert case.venture.capital * 1.05 == pytest.approx(377839197.5, rel=1e-9)


def test_a_loan_whose_interest_alone_is_deducted_asks_a_higher_price() -> None:
    """Humbird's convention against BioSTEAM's: the principal that is paid back is no cost."""
    case = read_case(PUBLISHED / "corn-stover.yaml")
    assert isinstance(case, PlantCase)
    assert case.finance.loan is not None
    loan = dataclasses.replace(case.finance.loan, deducted="interest")
    dearer = minimum_price(case.venture, dataclasses.replace(case.finance, loan=loan))
    assert 0.70 < dearer < 0.73


def test_without_tax_and_start_up_the_price_is_that_of_the_capital_recovery_factor() -> None:
    charge = yearly_charge(0.1, 10)
    expected = (PLANT.fixed + PLANT.variable + charge * PLANT.capital) / PLANT.output
    assert minimum_price(PLANT, PLAIN) == pytest.approx(expected, rel=1e-9)


@given(
    st.floats(1e5, 1e9),
    st.floats(0, 1e7),
    st.floats(0, 1e7),
    st.floats(0.02, 0.4),
    st.floats(0.0, 0.5),
    st.sampled_from(["SL5", "MACRS7", "SL10", "MACRS5"]),
)
@settings(max_examples=60, deadline=None)
def test_at_the_lowest_price_the_value_is_nil_and_the_return_is_what_was_asked(
    capital: float, fixed: float, variable: float, rate: float, tax: float, depreciation: str
) -> None:
    venture = Venture(capital, fixed, variable, 1e5)
    terms = Finance(rate=rate, tax=tax, depreciation=depreciation, loan=Loan(0.4, 0.06, 8))
    price = minimum_price(venture, terms)
    assert abs(cash_flow(venture, terms, price).value) < 1e-6 * capital
    assert cash_flow(venture, terms, price * 1.01).value > 0 > cash_flow(venture, terms, price * 0.99).value
    found = internal_rate(venture, terms, price)
    assert found is None or found == pytest.approx(rate, rel=1e-6)


@given(st.floats(0.5, 3.0))
@settings(max_examples=20, deadline=None)
def test_money_has_no_scale(times: float) -> None:
    terms = Finance(loan=Loan(0.5, 0.08, 10))
    larger = Venture(PLANT.capital * times, PLANT.fixed * times, PLANT.variable * times, PLANT.output)
    assert minimum_price(larger, terms) == pytest.approx(times * minimum_price(PLANT, terms), rel=1e-9)


def test_a_loan_at_the_rate_of_return_without_tax_changes_nothing() -> None:
    """Interest during construction is paid in the same year, so one year of construction is free of it."""
    terms = dataclasses.replace(PLAIN, construction=(1.0,))
    with_loan = dataclasses.replace(terms, loan=Loan(0.5, 0.1, 10))
    difference = minimum_price(PLANT, with_loan) - minimum_price(PLANT, terms)
    # What is left is the interest of the year in which the money is drawn: 10 % of half the capital.
    assert difference == pytest.approx(0.05 * PLANT.capital * yearly_charge(0.1, 10) / PLANT.output, rel=1e-9)


def test_losses_are_carried_forward_and_never_paid_for() -> None:
    flow = cash_flow(PLANT, Finance(tax=0.3), 20.0)
    assert (flow.tax >= 0).all()
    income = flow.sales - flow.cost - flow.depreciation
    assert flow.tax.sum() == pytest.approx(0.3 * max(income.sum(), 0.0), rel=1e-9)


@pytest.mark.parametrize("years", MACRS)
def test_depreciation_writes_off_the_whole(years: int) -> None:
    assert sum(MACRS[years]) == pytest.approx(1.0, abs=2e-4)
    assert len(MACRS[years]) == years + 1
    assert shares_of_years(f"SL{years}", 30).sum() == pytest.approx(1.0)


def test_working_capital_comes_back() -> None:
    flow = cash_flow(PLANT, Finance(), 50.0)
    assert flow.working_capital.sum() == pytest.approx(0.0)
    assert flow.capital.sum() == pytest.approx(PLANT.capital)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"rate": 0.0}, "rate of return is 0"),
        ({"construction": (0.5, 0.4)}, "adds up to 0.9"),
        ({"life": 0}, "life is 0"),
        ({"tax": 1.2}, "tax is 1.2"),
        ({"depreciation": "MACRS8"}, "no depreciation"),
        ({"depreciation": "MACRS20", "life": 15}, "longer than the 15 years"),
    ],
)
def test_terms_that_make_no_cash_flow_are_refused(terms: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Finance(**terms)


def test_a_plant_that_makes_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="makes nothing"):
        Venture(1.0, 1.0, 1.0, 0.0)
    with pytest.raises(InputError, match="capital of the plant is -1"):
        Venture(-1.0, 1.0, 1.0, 1.0)


def test_the_bench_runs_and_meets_what_does_not_depend_on_the_machine() -> None:
    rows = bench_development(quick=True)
    assert {row["bench"] for row in rows} == {"development"}
    ethanol = next(row for row in rows if "ethanol" in row["case"])
    assert ethanol["met"] is True
    assert ethanol["goal"] == 0.5
