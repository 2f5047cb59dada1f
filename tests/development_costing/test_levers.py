"""Titre, rate, yield and recovery: exact derivatives, whole numbers, and the inversion."""

from __future__ import annotations

import dataclasses
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.development import Inventory, Levers, central_figures, inventory, read_factors, required
from seedtrain.development._costing._required import plane
from seedtrain.development._draws import draw
from seedtrain.development._economics import appraise
from seedtrain.development._line import lines_of
from seedtrain.development._schedule import Occupancy
from seedtrain.development._use import Performance, Use
from seedtrain.development._variance import first_order
from seedtrain.quantity import convert
from seedtrain.simulation import LARGEST_MACHINES
from tests.development.batches import YEARLY
from tests.development.plant import PLANT, batches

TABLE = read_factors()


@cache
def collagen() -> Levers:
    return Levers(inventory(batches()[PLANT]), TABLE)


def small(part: float = 1.0) -> Levers:
    """A fermenter with sugar, power, a column and a filler; 56 kg of product."""
    uses = (
        Use("glucose", 1000.0, "kg", "production", grows="substrate"),
        Use("electricity", 5000.0, "kWh", "production", grows="time", part=part),
        Use("cation-exchange-resin", 200.0, "L", "capture", grows="product"),
        Use("bottle", 1000.0, "", "filling", grows="released"),
        Use("stirred-tank", 20.0, "m3", "production", YEARLY),
        Use("chromatography-skid", 200.0, "L", "capture", YEARLY, grows="product"),
    )
    return Levers(
        Inventory(
            56_000.0,
            uses,
            (Occupancy("production", 48.0, "vessel_turnaround"), Occupancy("capture", 10.0, "suite_turnaround")),
            120.0,
            performance=Performance(8.0, 0.2, 0.112, 0.5, "production"),
        ),
        TABLE,
    )


def test_unmoved_levers_give_the_figures_of_the_appraisal() -> None:
    levers = collagen()
    found = levers.figures()
    expected = central_figures(batches()[PLANT], TABLE)
    assert (found.cost, found.carbon, found.amount) == pytest.approx(expected, rel=1e-12)
    assert levers.figures(levers.base | {"titre_in_same_time": levers.base["titre"]}).cost == pytest.approx(found.cost)
    assert found.batches == round(float(found.batches))


@given(
    st.sampled_from(["titre", "titre_in_same_time", "rate", "yield", "recovery"]),
    st.floats(0.6, 1.6),
    st.floats(0.0, 1.0),
)
@settings(max_examples=60, deadline=None)
def test_the_exact_derivative_is_the_limit_of_differences(name: str, times: float, part: float) -> None:
    levers = small(part)
    moved = dataclasses.replace(levers, inventory=levers.inventory)
    value = levers.base[name] * times

    def cost(number: complex | float) -> complex:
        return complex(moved.figures({name: number}, smooth=True).cost)

    exact = cost(complex(value, 1e-200)).imag / 1e-200
    step = 1e-5 * value
    assert exact == pytest.approx((cost(value + step) - cost(value - step)).real / (2 * step), rel=1e-5, abs=1e-9)


def test_elasticities_are_those_of_the_formula() -> None:
    levers = collagen()
    rows = {row.name: row for row in levers.sensitivities("cost")}
    smooth = float(levers.figures(smooth=True).cost)
    assert rows["batch_success"].elasticity == pytest.approx(-1.0)
    assert rows["titre_in_same_time"].elasticity == pytest.approx(rows["titre"].elasticity + rows["rate"].elasticity)
    price = levers.values(smooth=True)["glucose.price"]
    more = float(levers.figures(None, {"glucose.price": 2 * price}, smooth=True).cost)
    assert rows["glucose.price"].elasticity == pytest.approx(more / smooth - 1.0, rel=1e-9), "cost is linear in a price"
    assert rows["rate"].lower > float(levers.figures().cost) > rows["rate"].higher


def test_every_lever_makes_the_product_cheaper_or_stays_neutral() -> None:
    levers = small()
    for name in ("titre_in_same_time", "rate", "yield", "recovery"):
        x = levers.base[name] * np.geomspace(0.3, 1.8, 40)
        cost = np.asarray(levers.figures({name: x}, smooth=True).cost)
        assert (np.diff(cost) < 0).all(), name


def test_what_grows_with_nothing_is_carried_by_more_product() -> None:
    levers = small()
    only = dataclasses.replace(levers.inventory, uses=(Use("glucose", 10.0, "kg", "seed"),))
    one = Levers(only, TABLE)
    double = {"recovery": 2 * one.base["recovery"]}
    assert float(one.figures(double).cost) == pytest.approx(float(one.figures().cost) / 2)
    assert float(one.figures(double).amount) == pytest.approx(2 * float(one.figures().amount))


def test_equipment_grows_with_its_exponent() -> None:
    levers = small()
    skid = tuple(use for use in levers.inventory.uses if use.item == "chromatography-skid")
    one = Levers(dataclasses.replace(levers.inventory, uses=skid), TABLE)
    exponent = TABLE.item("chromatography-skid").exponent
    double = float(one.figures({"titre_in_same_time": 2 * one.base["titre"]}).cost)
    assert double == pytest.approx(float(one.figures().cost) * 2 ** (exponent - 1.0))


def test_a_longer_culture_leaves_fewer_whole_batches() -> None:
    levers = small()
    now, slower = levers.figures(), levers.figures({"rate": levers.base["rate"] / 2})
    days, turn = TABLE.factor("operating_days").value, TABLE.factor("vessel_turnaround").value
    assert float(slower.batches) == 1 + (24 * days - 160.0) // (48.0 + 40.0 + turn)
    assert float(now.batches) > float(slower.batches)


@given(st.floats(0.35, 3.0), st.sampled_from(["cost", "carbon", "amount"]))
@settings(max_examples=40, deadline=None)
def test_what_is_required_just_meets_the_target(times: float, figure: str) -> None:
    levers = small()
    target = float(getattr(levers.figures(), figure)) * times
    sign = -1 if figure == "amount" else 1
    for row in required(levers, figure, target):
        if row.required is None:
            assert sign * row.reached > sign * target
            continue
        at = float(getattr(levers.figures({row.lever: row.required}), figure))
        assert at == pytest.approx(row.reached)
        assert sign * at <= sign * target * (1 + sign * 1e-9)
        if row.required != row.present:
            nearer = row.required * (row.present / row.required) ** 0.002
            assert sign * float(getattr(levers.figures({row.lever: nearer}), figure)) > sign * target


def test_recovery_and_yield_have_ends() -> None:
    rows = {row.lever: row for row in required(collagen(), "cost", 10.0)}
    assert rows["recovery"].required is None
    assert rows["recovery"].tried <= 1.0
    assert rows["yield"].tried <= 1.0


def test_the_plane_holds_the_present_figure_in_its_middle() -> None:
    levers = collagen()
    found = plane(levers, "titre", "yield")
    assert found.values.shape == (len(found.y), len(found.x))
    middle = found.values[30, 30]
    assert middle == pytest.approx(float(levers.figures().cost), rel=1e-9)
    assert found.values[0, 0] > found.values[-1, -1]


def test_unknown_levers_and_targets_are_refused() -> None:
    levers = small()
    with pytest.raises(InputError, match="'purity' cannot be moved"):
        levers.figures({"purity": 1.0})
    with pytest.raises(InputError, match="'price' is no figure"):
        required(levers, "price", 1.0)
    with pytest.raises(InputError, match="target of the cost is -1"):
        required(levers, "cost", -1.0)
    bare = dataclasses.replace(levers.inventory, performance=None)
    with pytest.raises(InputError, match="nothing is known of the culture"):
        _ = Levers(bare, TABLE).base


def test_each_further_gain_in_titre_is_worth_less() -> None:
    """The shape that Gunukula et al. 2017 report for bulk chemicals: beyond some titre and rate little is gained."""
    levers = collagen()
    for name in ("titre_in_same_time", "rate"):
        x = levers.base[name] * 2.0 ** np.arange(0, 7)
        cost = np.broadcast_to(np.asarray(levers.figures({name: x}, smooth=True).cost), x.shape)
        gains = -np.diff(cost)
        assert (gains > 0).all()
        assert (np.diff(gains) < 0).all(), name
        assert gains[-1] < 0.2 * gains[0]


# --- variance -----------------------------------------------------------------------------------------------------


def test_shares_of_ishigami() -> None:
    """Ishigami & Homma 1990 with a = 7, b = 0.1: 0.3139, 0.4424 and 0."""
    x = np.random.default_rng(1).uniform(-np.pi, np.pi, (3, 200_000))
    found = first_order(
        dict(zip("abc", x, strict=True)), np.sin(x[0]) + 7 * np.sin(x[1]) ** 2 + 0.1 * x[2] ** 4 * np.sin(x[0])
    )
    assert found["a"] == pytest.approx(0.3139, abs=0.01)
    assert found["b"] == pytest.approx(0.4424, abs=0.01)
    assert found["c"] == pytest.approx(0.0, abs=0.005)
    assert next(iter(found)) == "b"


def test_shares_of_a_sum_are_the_variances_of_its_terms() -> None:
    batch = dataclasses.replace(small().inventory, uses=small().inventory.uses[:2])
    found = appraise(batch, TABLE, draws=100_000).cost
    drawn = {name: draw(TABLE.factor(name), 100_000, 0) for name in ("glucose.price", "electricity.price")}
    terms = {"glucose.price": 1000.0 * drawn["glucose.price"], "electricity.price": 5000.0 * drawn["electricity.price"]}
    first, second = (float(np.var(term)) for term in terms.values())
    # What is released is another factor, which takes its share of both alike.
    ratio = found.variance["glucose.price"] / found.variance["electricity.price"]
    assert ratio == pytest.approx(first / second, rel=0.06)
    assert "batch_success" in found.variance
    assert sum(found.variance.values()) <= 1.02


def test_few_draws_have_no_shares() -> None:
    assert appraise(small().inventory, TABLE, draws=500).cost.variance == {}


def test_a_hundred_thousand_draws_of_a_whole_train_with_shares_take_less_than_a_cpu_second() -> None:
    batch = collagen().inventory
    appraise(batch, TABLE, draws=1000)
    start = time.process_time()
    found = appraise(batch, TABLE, draws=100_000)
    assert time.process_time() - start < 1.5, "measured 0.6 s of one core"
    assert found.cost.variance


def test_beyond_the_largest_machine_there_are_several() -> None:
    """197 m2 of shelves are no freeze dryer: five of 39.4 m2, each at its own price."""
    item = TABLE.item("freeze-dryer")
    assert item.largest == 40
    (one,) = lines_of([Use("freeze-dryer", 40.0, "m2", "drying")], TABLE)[0]
    (many,) = lines_of([Use("freeze-dryer", 197.0, "m2", "drying")], TABLE)[0]
    assert many.coefficient == pytest.approx(5 * (197 / 5 / 20) ** item.exponent)
    assert many.coefficient > one.coefficient * (197 / 40) ** item.exponent
    # Grown from one to the other, it costs the same; in part, machines leave no jump and stay near the whole ones.
    assert one.coefficient * float(one.grown(197 / 40)) == pytest.approx(many.coefficient)
    times = np.linspace(0.5, 6.0, 1101)
    whole, smooth = one.grown(times), one.grown(times, smooth=True)
    assert np.abs(np.diff(smooth)).max() < 0.02
    assert np.abs(np.diff(whole)).max() > 0.1
    assert (np.abs(smooth / whole - 1) < 0.25).all()
    slope = np.imag(one.grown(complex(2.5, 1e-200), smooth=True)) / 1e-200
    assert slope == pytest.approx((one.grown(2.5001, smooth=True) - one.grown(2.4999, smooth=True)) / 2e-4, rel=1e-6)


def test_the_table_and_the_train_know_the_same_largest_machines() -> None:
    names = {
        "homogeniser": "homogeniser_flow", "tank": "tank_volume", "filter-housing": "filter_area",
        "ultrafiltration-skid": "membrane_area", "freeze-dryer": "shelf_area", "filling-line": "line_rate",
    }  # fmt: skip
    for item, name in names.items():
        size, unit, _why = LARGEST_MACHINES[name]
        found = TABLE.item(item)
        assert found.largest == pytest.approx(convert(size, unit, found.reference_unit)), item
