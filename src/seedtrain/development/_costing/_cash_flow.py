"""The discounted cash flow of a plant: what its product must sell for, year by year."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from seedtrain.base import InputError, collect

Floats = NDArray[np.float64]
Deducted = Literal["interest", "payment"]

MACRS: Final[Mapping[int, tuple[float, ...]]] = {
    3: (0.3333, 0.4445, 0.1481, 0.0741),
    5: (0.2, 0.32, 0.192, 0.1152, 0.1152, 0.0576),
    7: (0.1429, 0.2449, 0.1749, 0.1249, 0.0893, 0.0892, 0.0893, 0.0446),
    10: (0.1, 0.18, 0.144, 0.1152, 0.0922, 0.0737, 0.0655, 0.0655, 0.0656, 0.0655, 0.0328),
    15: (0.05, 0.095, 0.0855, 0.077, 0.0693, 0.0623, 0.059, 0.059, 0.0591, 0.059, 0.0591, 0.059, 0.0591, 0.059,
         0.0591, 0.0295),
    20: (0.0375, 0.07219, 0.06677, 0.06177, 0.05713, 0.05285, 0.04888, 0.04522, *(0.04462, 0.04461) * 6, 0.02231),
}  # fmt: skip
"""Half-year convention. **Source** United States, Internal Revenue Service, Publication 946, table A-1."""


@dataclass(frozen=True)
class Loan:
    """`fraction` of the fixed capital at `interest` (1/year), paid back in equal payments over `years` of operation.

    Interest during construction is paid as it falls due. `deducted`: what lowers the tax, the interest, or, as some
    published models do, the whole payment.
    """

    fraction: float
    interest: float
    years: int
    deducted: Deducted = "interest"

    def __post_init__(self) -> None:
        """Refuse what no bank lends."""
        if not (0 <= self.fraction <= 1 and 0 <= self.interest < 1 and 1 <= self.years <= 50):
            raise InputError(
                f"a loan on {self.fraction:g} of the capital at {self.interest:g} over {self.years} years",
                remedy="Give a fraction from 0 to 1, an interest below 1 a year, and 1 to 50 years.",
            )


@dataclass(frozen=True)
class Finance:
    """The terms on which a plant is built and run.

    - `rate`: internal rate of return that is asked for, 1/year. `life`: years of operation.
    - `construction`: shares of the capital, one a year before operation. `tax`: rate on income; losses are carried
      forward.
    - `working_capital`: of the fixed capital, spent last and given back at the end.
    - `startup`: part of the first year with `startup_sales`, `startup_fixed` and `startup_variable` of the full ones.
    - `depreciation`: `MACRS7` or `SL10`, with the years.
    """

    rate: float = 0.10
    life: int = 20
    construction: tuple[float, ...] = (0.3, 0.5, 0.2)
    tax: float = 0.25
    depreciation: str = "SL10"
    working_capital: float = 0.15
    startup: float = 0.5
    startup_sales: float = 0.5
    startup_fixed: float = 1.0
    startup_variable: float = 0.75
    loan: Loan | None = None

    def __post_init__(self) -> None:
        """Refuse terms that make no cash flow."""
        shares = sum(self.construction)
        checks = (
            (0 < self.rate < 1, f"the rate of return is {self.rate:g}", "Give a fraction a year, such as 0.10."),
            (1 <= self.life <= 100, f"the life is {self.life} years", "Give 1 to 100 years of operation."),
            (
                bool(self.construction) and min(self.construction) >= 0 and math.isclose(shares, 1.0, rel_tol=1e-6),
                f"the construction schedule adds up to {shares:g}",
                "Give one share a year that add up to 1, such as 0.3, 0.5, 0.2.",
            ),
            (0 <= self.tax < 1, f"the tax is {self.tax:g}", "Give a fraction from 0 to below 1."),
            (self.working_capital >= 0, f"the working capital is {self.working_capital:g}", "Give 0 or more."),
            (0 <= self.startup <= 1, f"the start-up takes {self.startup:g} years", "Give 0 to 1 year."),
        )
        collect([InputError(message, remedy=remedy) for good, message, remedy in checks if not good])
        shares_of_years(self.depreciation, self.life)


@dataclass(frozen=True)
class Venture:
    """A plant as its accounts see it, all in one currency.

    - `capital`: fixed, of which `depreciable` (the whole if nothing is said) is written off.
    - `fixed`, `variable`: costs of a full year. `output`: kg a year. `other_income`: of a full year, from by-products.
    - `written_apart`: depreciable capital with a schedule of its own, part of `depreciable`.
    - `replacements`: capital to spend again, by the year of operation (0 is the first).
    """

    capital: float
    fixed: float
    variable: float
    output: float
    other_income: float = 0.0
    depreciable: float | None = None
    written_apart: tuple[tuple[float, str], ...] = ()
    replacements: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no plant has."""
        for name in ("capital", "fixed", "output"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"the {name} of the plant is {value:g}", remedy="Give 0 or more.")
        whole = self.capital if self.depreciable is None else self.depreciable
        if (
            not sum(amount for amount, _schedule in self.written_apart)
            <= whole * (1 + 1e-9)
            <= self.capital * (1 + 2e-9)
        ):
            raise InputError(
                f"{whole:g} are written off of a capital of {self.capital:g}, some of it apart",
                remedy="Give no more to write off than the capital, and no more apart than that.",
            )
        if not self.output > 0:
            raise InputError("the plant makes nothing, so nothing can be sold", remedy="Give its output, kg a year.")


@dataclass(frozen=True)
class CashFlow:
    """Year by year, shape "years", year 0 the last of construction; money of the venture's currency.

    `value`: sum of the discounted cash at the rate asked for.
    """

    year: Floats
    capital: Floats
    working_capital: Floats
    depreciation: Floats
    loan: Floats
    payment: Floats
    cost: Floats
    sales: Floats
    tax: Floats
    cash: Floats
    discounted: Floats

    @property
    def value(self) -> float:
        """Net present value."""
        return float(self.discounted.sum())

    def to_data(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {name: column.tolist() for name, column in vars(self).items()}


def shares_of_years(depreciation: str, life: int) -> Floats:
    """Which part of the capital is written off in each year of operation, shape "life"."""
    kind = depreciation.rstrip("0123456789")
    years = int(depreciation[len(kind) :] or life)
    known = {"SL": (1.0 / years,) * years if years else (), "MACRS": MACRS.get(years, ())}.get(kind, ())
    if not known:
        raise InputError(
            f"{depreciation!r} is no depreciation",
            remedy=f"Write SL with its years, or MACRS with {', '.join(map(str, MACRS))}.",
        )
    if len(known) > life:
        raise InputError(
            f"{depreciation} writes off over {len(known)} years, longer than the {life} years of operation",
            remedy="Choose a shorter one, or a longer life.",
        )
    return np.array([*known, *(0.0,) * (life - len(known))])


def cash_flow(venture: Venture, finance: Finance, price: float) -> CashFlow:
    """The plant's cash with its product at `price` a kg."""
    lead, life = len(finance.construction), finance.life
    length = lead + life
    year = np.arange(1 - lead, life + 1, dtype=float)
    capital, working, written, loan, payment, interest = np.zeros((6, length))
    capital[:lead] = venture.capital * np.array(finance.construction)
    for at, amount in venture.replacements:
        if 0 <= at < life:
            capital[lead + at] += amount
    working[lead - 1] += finance.working_capital * venture.capital
    working[-1] -= finance.working_capital * venture.capital
    apart = sum(amount for amount, _ in venture.written_apart)
    whole = venture.capital if venture.depreciable is None else venture.depreciable
    written[lead:] = (whole - apart) * shares_of_years(finance.depreciation, life)
    for amount, schedule in venture.written_apart:
        written[lead:] += amount * shares_of_years(schedule, life)
    if finance.loan is not None:
        _borrow(finance.loan, lead, capital, loan, payment, interest)
    cost = _ramped(finance, venture.fixed, finance.startup_fixed) + _ramped(
        finance, venture.variable, finance.startup_variable
    )
    sales = _ramped(finance, venture.output * price + venture.other_income, finance.startup_sales)
    deducted = payment if finance.loan is not None and finance.loan.deducted == "payment" else interest
    # Interest that is due while the plant is built lowers no tax: there is no income yet.
    deducted = np.where(year > 0, deducted, 0.0)
    tax = finance.tax * _taxed(sales - cost - written - deducted)
    cash = sales - cost - tax - payment + loan - capital - working
    return CashFlow(
        year, capital, working, written, loan, payment, cost, sales, tax, cash, cash / (1 + finance.rate) ** year
    )


def _borrow(loan: Loan, lead: int, capital: Floats, drawn: Floats, payment: Floats, interest: Floats) -> None:
    """Fill what is drawn, paid and paid as interest, by year."""
    drawn[:lead] = loan.fraction * capital[:lead]
    owed = float(drawn[:lead].sum())
    interest[:lead] = drawn[:lead] * loan.interest
    payment[:lead] = interest[:lead]
    growth = (1 + loan.interest) ** loan.years
    due = owed * loan.interest * growth / (growth - 1) if loan.interest > 0 else owed / loan.years
    for at in range(lead, min(lead + loan.years, len(payment))):
        interest[at] = owed * loan.interest
        payment[at] = due
        owed += interest[at] - due


def _ramped(finance: Finance, full: float, at_start: float) -> Floats:
    """A yearly amount over construction and operation, with less of it during the start-up."""
    lead = len(finance.construction)
    found = np.zeros(lead + finance.life)
    found[lead:] = full
    found[lead] = full * (finance.startup * at_start + 1.0 - finance.startup)
    return found


def _taxed(income: Floats) -> Floats:
    """Income on which tax is paid: losses are carried forward without end."""
    carried, found = 0.0, np.zeros_like(income)
    for at, value in enumerate(income):
        carried += value
        if carried > 0:
            found[at], carried = carried, 0.0
    return found


def minimum_price(venture: Venture, finance: Finance) -> float:
    """The price a kg at which the net present value is 0 at the rate asked for.

    Net present value rises with the price, in straight pieces that bend where losses end, so that the root is one.
    """
    from scipy.optimize import brentq

    def value(price: float) -> float:
        return cash_flow(venture, finance, price).value

    yearly = venture.fixed + abs(venture.variable) + venture.capital + abs(venture.other_income)
    high = max(yearly / venture.output, 1e-12)
    while value(high) < 0:
        high *= 2
    low = -high
    while value(low) > 0:
        low *= 2
    return float(brentq(value, low, high, xtol=1e-12 * high, rtol=1e-12))


def internal_rate(venture: Venture, finance: Finance, price: float) -> float | None:
    """The rate of return (1/year) that a price gives, or None where no rate from -0.9 to 10 does."""
    from scipy.optimize import brentq

    flow = cash_flow(venture, finance, price)

    def value(rate: float) -> float:
        return float((flow.cash / (1 + rate) ** flow.year).sum())

    if value(-0.9) * value(10.0) > 0:
        return None
    return float(brentq(value, -0.9, 10.0, xtol=1e-12))


def yearly_charge(rate: float, years: int) -> float:
    """Capital recovery factor, 1/year: the even yearly payment for one unit of capital."""
    return rate / (1 - (1 + rate) ** -years) if rate > 0 else 1.0 / years
