"""Region tables against the linear programmes that they stand for."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.simulation._metabolism import (
    CompiledMetabolism,
    Drain,
    Edits,
    LazyTable,
    RegionTable,
    compile_metabolism,
    demand,
    uptake,
)
from seedtrain.simulation._metabolism._solver import Solver
from tests.simulation_metabolism.cases import ACETATE, AMMONIUM, GLUCOSE, OXYGEN, THREE, five, small, table

unit = st.lists(st.floats(0, 1), min_size=5, max_size=5).map(np.array)


def theta(found: CompiledMetabolism, part) -> np.ndarray:
    program = found.program
    return np.asarray(program.low + (program.high - program.low) * part)


def certified(model: str = "textbook", **options) -> RegionTable:
    """`compile_metabolism` where it certifies."""
    found = compile_metabolism(model, **options)
    assert isinstance(found, RegionTable)
    return found


def outputs(found: CompiledMetabolism, point) -> np.ndarray:
    value = found.evaluate(point)
    return np.concatenate([value.growth[..., None], value.exchanges, value.deficit], axis=-1)


def fresh(found: CompiledMetabolism, points) -> np.ndarray:
    """What new linear programmes say."""
    solver = Solver(found.program)
    return np.array([solver.solve(point).outputs for point in points])


def test_the_core_model_has_its_regions() -> None:
    found = certified(moving=five(4.0, 12.0))
    assert found.proof.regions == 29
    assert found.proof.gap < 1e-8
    assert max(found.proof.random, found.proof.face, found.proof.kink, found.proof.flux_gap) < 1e-8
    assert found.proof.growth_loss < 1e-8
    assert found.proof.growth_while_short < 1e-8


def test_random_points_agree_with_fresh_programmes() -> None:
    points = theta(table(), np.random.default_rng(5).random((300, 5)))
    assert np.abs(outputs(table(), points) - fresh(table(), points)).max() < 1e-8


def test_points_on_faces_agree_with_fresh_programmes() -> None:
    draw = np.random.default_rng(6)
    part = draw.random((300, 5))
    part[draw.random(part.shape) < 0.4] = 0.0
    part[draw.random(part.shape) < 0.1] = 1.0
    points = theta(table(), part)
    assert np.abs(outputs(table(), points) - fresh(table(), points)).max() < 1e-8


def test_points_astride_kinks_agree_with_fresh_programmes() -> None:
    draw, found = np.random.default_rng(7), table()
    points = []
    for _ in range(60):
        one, other = theta(found, draw.random((2, 5)))
        first = int(found.evaluate(one).region)
        if int(found.evaluate(other).region) == first:
            continue
        for _ in range(45):
            middle = (one + other) / 2
            if int(found.evaluate(middle).region) == first:
                one = middle
            else:
                other = middle
        points += [one, other]
    assert len(points) > 40
    got = outputs(found, np.array(points))
    assert np.abs(got - fresh(found, points)).max() < 1e-7
    assert np.abs(got[::2] - got[1::2]).max() < 1e-7, "the outputs jump across a border"


@limits(max_examples=60)
@given(unit, unit, st.floats(0, 1))
def test_growth_is_concave_in_the_bounds(a, b, share: float) -> None:
    one, other = theta(table(), a), theta(table(), b)
    found = table().evaluate(np.array([one, other, share * one + (1 - share) * other]))
    value = found.growth - found.deficit[:, 0]
    assert value[2] >= share * value[0] + (1 - share) * value[1] - 1e-9


@limits(max_examples=60)
@given(unit, st.integers(0, 4), st.floats(0, 1))
def test_more_uptake_and_less_maintenance_never_cost_growth(a, which: int, share: float) -> None:
    better = a.copy()
    better[which] = a[which] + (1 - a[which]) * share if which < 4 else a[which] * share
    found = table().evaluate(theta(table(), np.array([a, better])))
    value = found.growth - found.deficit[:, 0]
    assert value[1] >= value[0] - 1e-9


@limits(max_examples=40)
@given(unit)
def test_carbon_is_conserved(a) -> None:
    program = table().program
    found = outputs(table(), theta(table(), a))
    assert abs(found @ program.carbon + found[0] * program.biomass_carbon) < 1e-8


def test_uptakes_keep_their_bounds() -> None:
    points = theta(table(), np.random.default_rng(8).random((500, 5)))
    found = table().evaluate(points)
    assert (found.exchanges[:, :4] >= -points[:, :4] - 1e-9).all()
    assert (found.deficit >= -1e-9).all()
    assert (found.deficit[:, 0] <= points[:, 4] + 1e-9).all()


def test_starvation_is_a_number() -> None:
    found = table().evaluate([0, 0, 0, 0, 6.0])
    assert found.growth == pytest.approx(0, abs=1e-12)
    assert found.deficit == pytest.approx(6.0)
    with_sugar = table().evaluate([1.0, 0, 0, 0, 6.0])
    assert 0 < with_sugar.deficit[0] < 6.0


def test_the_jacobian_matches_differences() -> None:
    found, checked = table(), 0
    for point in theta(found, np.random.default_rng(9).random((60, 5)) * 0.98 + 0.01):
        steps = np.vstack([point + 1e-4 * np.eye(5), point - 1e-4 * np.eye(5)])
        around = found.evaluate(steps)
        region = found.evaluate(point).region
        if (around.region != region).any():
            continue
        values = outputs(found, steps)
        assert np.abs((values[:5] - values[5:]).T / 2e-4 - found.jacobian(region)).max() < 1e-7
        checked += 1
    assert checked > 30


def test_shapes_follow_the_points() -> None:
    points = theta(table(), np.random.default_rng(3).random((4, 3, 5)))
    found = table().evaluate(points)
    assert found.growth.shape == (4, 3)
    assert found.exchanges.shape == (4, 3, len(table().exchanges))
    assert found.deficit.shape == (4, 3, 1)
    assert table().jacobian(found.region).shape == (4, 3, len(table().program.outputs), 5)
    assert np.array_equal(table().evaluate(points[1, 2]).exchanges, found.exchanges[1, 2])


def test_outside_the_box_is_refused_or_solved() -> None:
    point = np.array([14.0, 15.0, 0.0, 12.0, 8.0])
    with pytest.raises(InputError, match=r"EX_glc__D_e 14 \(box 0 \.\. 12\)"):
        table().evaluate(point)
    found = compile_metabolism("textbook", moving=five())
    wide = theta(found, np.random.default_rng(4).random((40, 5)) * 1.3)
    value = found.evaluate(wide, outside="solve")
    got = np.concatenate([value.growth[:, None], value.exchanges, value.deficit], axis=1)
    assert np.abs(got - fresh(found, wide)).max() < 1e-7
    with pytest.raises(InputError, match="finite"):
        found.evaluate([np.nan, 0, 0, 0, 0])
    with pytest.raises(InputError, match="shape"):
        found.evaluate([1.0, 2.0])


def test_compiling_is_deterministic() -> None:
    one, other = (certified(moving=THREE, fresh=True) for _ in range(2))
    for name in ("alpha", "beta", "A", "b"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_the_order_of_bounds_does_not_matter() -> None:
    turned = compile_metabolism("textbook", moving=THREE[::-1])
    points = theta(small(), np.random.default_rng(11).random((200, 3)))
    assert np.abs(small().evaluate(points).growth - turned.evaluate(points[:, ::-1]).growth).max() < 1e-8


def test_the_cache_gives_the_same_table_back(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path))
    said: list[str] = []
    first = certified(moving=THREE)
    second = certified(moving=THREE, progress=lambda _, words: said.append(words))
    assert "cache" in said[-1]
    assert second.proof == first.proof
    for name in ("alpha", "beta", "A", "b"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    wider = compile_metabolism("textbook", moving=(*THREE[:2], demand("ATPM", 0.0, 11.0)))
    assert not np.array_equal(wider.program.high, first.program.high)


@pytest.mark.parametrize("harm", ["flip", "cut", "remove", "certificate", "text"])
def test_a_harmed_cache_is_made_again(tmp_path, monkeypatch, harm: str) -> None:
    monkeypatch.setenv("SEEDTRAIN_CACHE", str(tmp_path))
    first = certified(moving=THREE)
    arrays = next((tmp_path / "metabolism").glob("table-*.npz"))
    described = arrays.with_suffix(".json")
    raw = bytearray(arrays.read_bytes())
    if harm == "flip":
        raw[len(raw) // 2] ^= 1
        arrays.write_bytes(raw)
    elif harm == "cut":
        arrays.write_bytes(raw[:100])
    elif harm == "remove":
        arrays.unlink()
    elif harm == "certificate":
        head = json.loads(described.read_text())
        head["data"]["certificate"]["gap"] = 0.0
        described.write_text(json.dumps(head))
    else:
        described.write_text("{")
    said: list[str] = []
    again = certified(moving=THREE, progress=lambda _, words: said.append(words))
    assert any("damaged" in words for words in said)
    assert np.array_equal(again.alpha, first.alpha)
    assert again.proof.gap == first.proof.gap


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    compile_metabolism("textbook", moving=THREE, fresh=True, progress=lambda done, words: seen.append(done))
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert all(0 <= item <= 1 for item in seen)


def test_lazy_regions_agree_with_certified_ones() -> None:
    lazy = compile_metabolism("textbook", moving=five(), lazy=True)
    assert isinstance(lazy, LazyTable)
    assert lazy.certificate is None
    points = theta(table(), np.random.default_rng(12).random((300, 5)))
    one, other = lazy.evaluate(points), table().evaluate(points)
    assert np.abs(one.growth - other.growth).max() < 1e-8
    assert np.abs(one.exchanges - other.exchanges).max() < 1e-7
    assert 0 < lazy.solves < 100, "regions are met again and again"
    before = lazy.solves
    lazy.evaluate(points)
    assert lazy.solves == before


def test_above_six_bounds_regions_are_found_on_the_way() -> None:
    more = [uptake(name, 5.0) for name in ("EX_lac__D_e", "EX_succ_e")]
    found = compile_metabolism("textbook", moving=(*five()[:4], *more, five()[4]))
    assert isinstance(found, LazyTable)
    points = found.program.high * np.random.default_rng(2).random((30, 7))
    value = found.evaluate(points)
    assert np.abs(value.growth - fresh(found, points)[:, 0]).max() < 1e-8


def test_a_product_that_is_demanded_is_made_or_missed() -> None:
    drain = Drain("succinate_out", {"succ_c": -1.0})
    moving = (*THREE, demand("succinate_out", 0.0, 6.0, penalty=5.0))
    found = compile_metabolism("textbook", moving=moving, edits=Edits(drains=(drain,)))
    place = found.exchanges.index("succinate_out")
    wanted = found.evaluate([10.0, 15.0, 8.39, 4.0])
    assert wanted.exchanges[place] == pytest.approx(4.0)
    assert wanted.deficit == pytest.approx([0, 0], abs=1e-9)
    assert wanted.growth < found.evaluate([10.0, 15.0, 8.39, 0.0]).growth
    starved = found.evaluate([0.5, 15.0, 0.0, 4.0])
    assert starved.deficit[1] > 0
    assert starved.exchanges[place] == pytest.approx(4.0 - starved.deficit[1])


def test_a_penalty_that_is_too_small_shows_in_the_certificate() -> None:
    drain = Edits(drains=(Drain("succinate_out", {"succ_c": -1.0}),))
    small_price = (*THREE, demand("succinate_out", 1.0, 6.0, penalty=0.01))
    found = compile_metabolism("textbook", moving=small_price, edits=drain)
    assert isinstance(found, RegionTable)
    assert found.proof.growth_while_short > 0.01


def test_a_knock_out_changes_what_is_made() -> None:
    without = compile_metabolism("textbook", moving=THREE, edits=Edits(knock_outs=("PGI",)))
    assert 0 < without.evaluate([10.0, 15.0, 8.39]).growth < small().evaluate([10.0, 15.0, 8.39]).growth


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        (Edits(knock_outs=("PFK", "ENO")), "Undo the knock-out of ENO: then it grows"),
        (Edits(bounds={AMMONIUM: (0.0, 1000.0)}), f"Undo the bounds of {AMMONIUM}: then it grows"),
    ],
)
def test_a_model_that_cannot_grow_names_the_edit(edits: Edits, words: str) -> None:
    with pytest.raises(InputError) as caught:
        compile_metabolism("textbook", moving=THREE, edits=edits)
    assert "does not grow (Biomass_Ecoli_core 0 1/h)" in str(caught.value)
    assert words in caught.value.remedy


def test_a_model_that_cannot_grow_names_what_the_medium_lacks() -> None:
    shut = Edits(bounds={AMMONIUM: (0.0, 1000.0), "EX_pi_e": (0.0, 1000.0)})
    with pytest.raises(InputError) as caught:
        compile_metabolism("textbook", moving=THREE, edits=shut)
    named = re.findall(r"(EX_\w+) ([\d.]+) instead of 0", caught.value.remedy)
    assert "EX_pi_e" in dict(named)
    # What the remedy says makes it grow.
    opened = {**shut.bounds, **{name: (-2 * float(uptake), 1000.0) for name, uptake in named}}
    assert compile_metabolism("textbook", moving=THREE, edits=Edits(bounds=opened)).evaluate([9, 9, 0]).growth > 0.05


def test_a_requirement_that_cannot_be_met_is_explained() -> None:
    edits = Edits(bounds={"EX_etoh_e": (5.0, 1000.0)})
    with pytest.raises(InputError) as caught:
        compile_metabolism("textbook", moving=THREE, edits=edits)
    text = str(caught.value)
    assert "EX_etoh_e must carry 5 and can carry 0" in text
    assert f"{GLUCOSE} 2.5 instead of 0" in text
    # What the remedy says makes it possible.
    low = (uptake(GLUCOSE, 12.0, 2.5), *THREE[1:])
    assert isinstance(compile_metabolism("textbook", moving=low, edits=edits), RegionTable)


def test_the_tie_break_is_bounded() -> None:
    with pytest.raises(InputError, match="tie-break"):
        compile_metabolism("textbook", moving=THREE, epsilon=0.5)


def test_the_limiting_bounds_are_named() -> None:
    region = int(small().evaluate([5.0, 2.0, 8.39]).region)
    assert set(small().limiting(region)) == {GLUCOSE, OXYGEN, "ATPM"}
    assert ACETATE not in small().limiting(region)


def test_the_tie_break_is_a_weighted_rule_and_no_strict_order() -> None:
    """Least glucose, then oxygen, acetate, ammonium among fluxes of the fastest growth: same growth, other uptakes."""
    from scipy.optimize import linprog

    program, differ = table().program, 0
    growth = np.asarray(program.rows[[0]].todense()).ravel()
    growth[-program.deficits :] = -1.0
    orders = [growth, *np.eye(len(growth))[program.columns[:4]]]
    for point in theta(table(), np.random.default_rng(3).random((20, 5))):
        lower, upper = program.lower.copy(), program.upper.copy()
        lower[program.columns] = program.signs * point
        upper[program.columns] = np.maximum(upper[program.columns], lower[program.columns])
        rows, limits_of = np.zeros((0, len(lower))), np.zeros(0)
        for order in orders:
            found = linprog(
                -order, A_ub=rows if len(rows) else None, b_ub=limits_of if len(rows) else None, A_eq=program.matrix,
                b_eq=np.zeros(program.matrix.shape[0]), bounds=np.column_stack([lower, upper]), method="highs",
            )  # fmt: skip
            assert found.status == 0
            rows, limits_of = np.vstack([rows, -order]), np.append(limits_of, found.fun + 1e-8)
        strict, ours = program.rows @ found.x, outputs(table(), point)
        assert abs(strict[0] - ours[0]) < 1e-6
        differ += np.abs(strict - ours)[1:5].max() > 1e-4
    assert 0 < differ < 20
