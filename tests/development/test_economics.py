"""Laws of cost and carbon: linearity, sums, intervals, whole numbers, determinism."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from seedtrain.base import InputError, InputErrors
from seedtrain.development._draws import Z_95, draw
from seedtrain.development._economics import Breakdown, appraise
from seedtrain.development._factors import read_factors
from seedtrain.development._schedule import Occupancy, drawn_batches, schedule, whole_batches
from seedtrain.development._use import Inventory, Use
from tests.development.batches import inventory

TABLE = read_factors()


def item_value(breakdown: Breakdown, item: str) -> float:
    return sum(line.value.value for line in breakdown.contributions if line.item == item)


@pytest.mark.parametrize("item", ["glucose", "electricity", "cation-exchange-resin", "operator", "stirred-tank"])
def test_a_doubled_price_doubles_its_share_and_raises_the_total_by_exactly_that(item: str) -> None:
    before = appraise(inventory(), TABLE, draws=50).cost
    name = f"{item}.price"
    after = appraise(inventory(), TABLE.with_value(name, 2 * TABLE.factor(name).value), draws=50).cost
    own = item_value(before, item)
    assert own > 0
    assert item_value(after, item) == pytest.approx(2 * own, rel=1e-12)
    assert after.total.value - before.total.value == pytest.approx(own, rel=1e-9)


@given(st.floats(0.1, 5.0), st.floats(1.05, 4.0))
@settings(max_examples=20, deadline=None)
def test_cost_and_carbon_fall_as_the_product_of_the_same_batch_rises(scale: float, more: float) -> None:
    batch = inventory(scale=scale)
    low, high = (appraise(item, TABLE, draws=2) for item in (batch, inventory(20_000.0 * more, scale)))
    assert high.cost.total.value == pytest.approx(low.cost.total.value / more)
    assert high.carbon.total.value == pytest.approx(low.carbon.total.value / more)


def test_parts_places_and_lines_add_up_to_the_total() -> None:
    found = appraise(inventory(), TABLE, draws=500)
    for breakdown in (found.cost, found.carbon):
        total = breakdown.total.value
        assert sum(part.value for part in breakdown.parts.values()) == pytest.approx(total, rel=1e-12)
        assert sum(breakdown.places.values()) == pytest.approx(total, rel=1e-12)
        assert sum(line.value.value for line in breakdown.contributions) == pytest.approx(total, rel=1e-12)
        assert sum(line.share for line in breakdown.contributions) == pytest.approx(1.0)
    assert set(found.cost.parts) == {
        "raw_materials",
        "consumables",
        "utilities",
        "labour",
        "quality_control",
        "facility",
        "waste",
    }


def test_a_line_is_the_product_of_its_factors() -> None:
    found = appraise(inventory(), TABLE, draws=2)
    value = {name: TABLE.factor(name).value for name in TABLE.parameters}
    released = 20.0 * value["batch_success"]
    cooling = 8000 / value["chiller_performance"]
    power = TABLE.factor("electricity.price").value * (4000 + cooling)
    assert item_value(found.cost, "electricity") == pytest.approx(power / released)
    resin = 1500 * TABLE.factor("cation-exchange-resin.price").value / 100
    assert item_value(found.cost, "cation-exchange-resin") == pytest.approx(resin / released)
    yearly = TABLE.factor("stirred-tank.price").value * value["installation_factor"] * value["annual_charge"]
    batches = found.schedule.batches_per_year
    assert item_value(found.cost, "stirred-tank") == pytest.approx(yearly / batches / released)
    assert found.capital == pytest.approx(TABLE.factor("stirred-tank.price").value * value["installation_factor"])


def test_carbon_dioxide_from_sugar_is_reported_apart_and_not_counted() -> None:
    with_it, without = inventory(), inventory()
    object.__setattr__(without, "biogenic_co2", 0.0)
    first, second = (appraise(batch, TABLE, draws=2) for batch in (with_it, without))
    assert first.biogenic_co2 == pytest.approx(900.0 / 20.0 / TABLE.factor("batch_success").value)
    assert second.biogenic_co2 == 0.0
    assert first.carbon.total == second.carbon.total


def mean_of(name: str) -> float:
    """The exact mean of a factor whose two sides are lognormal."""
    factor = TABLE.factor(name)
    below, above = math.log(factor.value / factor.low) / Z_95, math.log(factor.high / factor.value) / Z_95
    return factor.value * sum(math.exp(s * s / 2) * float(norm.cdf(t)) for s, t in ((above, above), (below, -below)))


def test_draws_meet_the_quantiles_and_the_mean_of_their_factor() -> None:
    values = draw(TABLE.factor("glucose.price"), 200_000, seed=1)
    assert np.percentile(values, [5, 50, 95]) == pytest.approx([0.5, 0.9, 1.8], rel=0.015)
    assert values.mean() == pytest.approx(mean_of("glucose.price"), rel=0.01)


def test_the_mean_of_the_draws_is_the_product_of_the_means_of_independent_factors() -> None:
    batch = Inventory(
        product=1000.0,
        uses=(Use("glucose", 1.0, "kg", "production"), Use("iptg", 0.001, "kg", "production")),
        occupancies=(Occupancy("production", 40.0, "vessel_turnaround"),),
        lead_time=100.0,
    )
    found = appraise(batch, TABLE, draws=200_000, seed=3).cost
    success = draw(TABLE.factor("batch_success"), 200_000, seed=3)
    expected = (mean_of("glucose.price") + 0.001 * mean_of("iptg.price")) * float(np.mean(1 / success))
    assert found.mean == pytest.approx(expected, rel=0.02)
    assert found.mean == pytest.approx(found.total.value, rel=0.5)


def test_the_interval_holds_the_value_and_a_fixed_table_has_no_width() -> None:
    found = appraise(inventory(), TABLE, draws=2000)
    assert found.cost.total.low < found.cost.total.value < found.cost.total.high
    assert found.cost.total.level == 0.9


def test_the_same_seed_gives_the_same_result_and_another_seed_another() -> None:
    first, same, other = (appraise(inventory(), TABLE, draws=300, seed=seed) for seed in (5, 5, 6))
    assert first.to_data() == same.to_data()
    assert first.cost.total.high != other.cost.total.high
    assert first.cost.total.value == other.cost.total.value


def test_a_factor_draws_the_same_values_whatever_else_is_drawn() -> None:
    fewer = Inventory(
        product=20_000.0,
        uses=(Use("glucose", 1000.0, "kg", "production/growth/fed-batch"),),
        occupancies=inventory().occupancies,
        lead_time=150.0,
    )
    alone = appraise(fewer, TABLE, draws=400).cost.contributions[0]
    among = next(line for line in appraise(inventory(), TABLE, draws=400).cost.contributions if line.item == "glucose")
    assert alone.value == among.value


def test_the_tornado_is_sorted_and_each_bar_is_the_total_at_the_ends_of_one_factor() -> None:
    found = appraise(inventory(), TABLE, draws=50).cost
    swings = [bar.swing for bar in found.drivers]
    assert swings == sorted(swings, reverse=True)
    bar = next(bar for bar in found.drivers if bar.factor.name == "iptg.price")
    high = appraise(inventory(), TABLE.with_value("iptg.price", bar.factor.high), draws=2).cost.total.value
    assert bar.at_high == pytest.approx(high, rel=1e-12)
    days = next(bar for bar in found.drivers if bar.factor.name == "operating_days")
    assert days.at_low > days.at_high, "fewer days leave fewer batches to carry the capital"


def test_a_hundred_thousand_draws_take_less_than_a_cpu_second() -> None:
    start = time.process_time()
    found = appraise(inventory(), TABLE, draws=100_000)
    assert time.process_time() - start < 1.0, "measured 0.2 s"
    assert found.draws == 100_000


def test_every_missing_factor_is_named_at_once() -> None:
    batch = inventory()
    more = (Use("unobtainium", 1.0, "kg", "production"), Use("phlogiston", 1.0, "kg", "capture"))
    object.__setattr__(batch, "uses", (*batch.uses, *more))
    with pytest.raises(InputErrors) as caught:
        appraise(batch, TABLE)
    assert "unobtainium" in str(caught.value)
    assert "phlogiston" in str(caught.value)
    assert "factors file" in str(caught.value)


def test_an_amount_in_a_unit_that_has_no_price_is_refused() -> None:
    batch = inventory()
    object.__setattr__(batch, "uses", (Use("glucose", 3.0, "m2", "production"),))
    with pytest.raises(InputError, match="glucose is used in m2 but priced per kg"):
        appraise(batch, TABLE)


def test_a_batch_without_product_is_refused() -> None:
    with pytest.raises(InputError, match="0 g of product"):
        appraise(inventory(product=0.0), TABLE)


@given(
    st.lists(st.floats(1.0, 200.0), min_size=1, max_size=6),
    st.floats(50.0, 400.0),
    st.floats(4000.0, 8700.0),
)
@settings(max_examples=60, deadline=None)
def test_the_batches_of_a_year_are_whole_fit_and_leave_no_room_for_one_more(
    hours: list[float], lead: float, year: float
) -> None:
    suites = [Occupancy(f"suite {index}", value, "suite_turnaround") for index, value in enumerate(hours)]
    found = schedule(suites, lead, year, 8.0, 4.0)
    assert found.cycle_time == pytest.approx(max(hours) + 4.0)
    count = found.batches_per_year
    assert lead + (count - 1) * found.cycle_time <= year * (1 + 1e-9)
    assert lead + count * found.cycle_time > year * (1 - 1e-9)
    assert max(found.utilisation.values()) == pytest.approx(1.0)
    drawn = drawn_batches(suites, lead, np.array([year]), {"suite_turnaround": np.array([4.0])})
    assert drawn[0] == count == whole_batches(lead, year, found.cycle_time)
    in_part = drawn_batches(suites, lead, np.array([year]), {"suite_turnaround": np.array([4.0])}, whole=False)
    assert count - 1e-6 <= in_part[0] <= count + 1
    assert lead + (in_part[0] - 1) * found.cycle_time == pytest.approx(year)


def test_a_second_suite_halves_the_cycle_time_of_the_bottleneck() -> None:
    one, two = (schedule([Occupancy("drying", 60.0, "suite_turnaround", n)], 100, 8000, 8, 4) for n in (1, 2))
    assert one.cycle_time == pytest.approx(2 * two.cycle_time)


def test_a_batch_longer_than_the_year_is_refused() -> None:
    with pytest.raises(InputError, match="the plant runs 500 h a year"):
        schedule([Occupancy("production", 40.0, "vessel_turnaround")], 600.0, 500.0, 8.0, 4.0)
