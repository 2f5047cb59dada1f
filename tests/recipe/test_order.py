"""What runs beside what: `after` as a partial order, by laws of such orders and the sequential case."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedtrain.base import InputError
from seedtrain.quantity import Quantity
from seedtrain.recipe import (
    HoldPoint,
    MasterRecipe,
    PhaseAt,
    SeedUnit,
    at_scale,
    beside,
    diff,
    directly_before,
    earlier,
    holds_alone,
    next_phase,
    next_phases,
    parse_recipe,
)
from tests.recipe.examples import SMALL, example, faults, small

Shape = list[tuple[list[int] | None, list[list[int]]]]


def written(shape: Shape) -> MasterRecipe:
    """A recipe of manual phases: for each unit procedure what it is after, and for each of its operations."""
    head = SMALL[: SMALL.index("procedure:")]
    lines = ["procedure:"]
    for number, (after, operations) in enumerate(shape):
        lines += [f"  - unit_procedure: u{number}", f"    unit_class: c{number}"]
        if after is not None:
            lines.append(f"    after: [{', '.join(f'u{item}' for item in after)}]")
        lines.append("    operations:")
        for place, names in enumerate(operations):
            lines.append(f"      - operation: o{place}")
            if names:
                lines.append(f"        after: [{', '.join(f'u{item}/o0' for item in names)}]")
            lines += ["        phases:", "          - {phase: a, do: manual, duration: 1 h, instruction: x}"]
            lines.append("          - {phase: b, do: manual, duration: 1 h, instruction: x, hold_point: release}")
    return parse_recipe(head + "\n".join(lines) + "\n")


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    def above(number: int) -> st.SearchStrategy[list[int]]:
        return st.lists(st.integers(0, number - 1), unique=True, max_size=3) if number else st.just([])

    found: Shape = []
    for number in range(draw(st.integers(1, 5))):
        after = draw(st.none() | above(number))
        found.append((after, [draw(above(number)) for _ in range(draw(st.integers(1, 2)))]))
    return found


@given(shapes())
def test_what_comes_earlier_is_a_partial_order_that_the_list_keeps(shape: Shape):
    recipe = written(shape)
    paths = [place.path for place in recipe.phases()]
    before = {path: earlier(recipe, path) for path in paths}
    for number, path in enumerate(paths):
        assert before[path] <= set(paths[:number])  # so that the order of the list is one order of running
        assert all(before[item] <= before[path] for item in before[path])  # transitive
        direct = {place.path for place in directly_before(recipe, path)}
        assert direct <= before[path]
        assert before[path] == direct.union(*(before[item] for item in direct))  # the direct ones imply the others
    for one in recipe.unit_procedures:
        for other in beside(recipe, one.name):
            assert one.name in beside(recipe, other)  # at the same time is mutual
        assert holds_alone(recipe, one) == bool(beside(recipe, one.name))
    assert parse_recipe(recipe.to_yaml()).digest == recipe.digest


@given(shapes(), st.randoms(use_true_random=False))
def test_however_people_choose_among_what_is_next_the_batch_comes_to_its_end_in_order(shape: Shape, draws):
    recipe = written(shape)
    done: list[str] = []
    signed: list[str] = []
    while following := next_phases(recipe, done, signed):
        units = [item.unit_procedure.name for item in following if isinstance(item, PhaseAt)]
        assert len(units) == len(set(units))  # one phase a unit procedure at most
        chosen = draws.choice(following)
        if isinstance(chosen, HoldPoint):
            signed.append(chosen.path)
        else:
            assert earlier(recipe, chosen.path) <= set(done)
            assert all(item in signed for item in earlier(recipe, chosen.path) if item.endswith("/b"))
            done.append(chosen.path)
    assert sorted(done) == sorted(place.path for place in recipe.phases())
    assert len(signed) == sum(path.endswith("/b") for path in done)


def test_without_after_one_thing_comes_after_another():
    recipe = example()
    paths = [place.path for place in recipe.phases()]
    assert not recipe.is_parallel
    for before, path in pairwise(paths):
        assert [place.path for place in directly_before(recipe, path)] == [before]
    points = [place.path for place in recipe.phases() if place.phase.hold_point]
    for number, path in enumerate(paths):
        assert [item.path for item in next_phases(recipe, paths[:number], points)] == [path]
    assert all(not beside(recipe, item.name) for item in recipe.unit_procedures)


BESIDE = """\
  - unit_procedure: column
    unit_class: skid
    after: []
    operations:
      - operation: clean
        phases: [{phase: wash, do: manual, instruction: Wash., duration: 1 h}]
  - unit_procedure: production
    after: [seed/expansion]
"""


def with_column() -> str:
    return SMALL.replace("  - unit_procedure: production\n", BESIDE)


def test_scaling_keeps_what_waits_for_what():
    recipe = parse_recipe(with_column(), "beside.yaml")
    seeds = [SeedUnit(name, "seed_tank", Quantity(1, "L")) for name in ("S-1", "S-2")]
    two = at_scale(recipe, unit="X", volume=recipe.basis_volume, seeds=seeds).recipe
    first = next(place.path for place in two.phases())
    assert [item.path for item in next_phases(two, [])] == [first, "column/clean/wash"]
    assert {"seed-1/expansion/grow", "seed-2/expansion/grow"} <= earlier(two, "production/culture/fill")
    assert "column/clean/wash" not in earlier(two, "production/culture/fill")
    assert "seed-1/expansion/grow" in earlier(two, "seed-2/expansion/fill")
    none = at_scale(recipe, unit="X", volume=recipe.basis_volume, seeds=[]).recipe
    assert [item.path for item in next_phases(none, [])] == ["column/clean/wash", "production/culture/fill"]
    branched = with_column().replace("    repeat: every seed tank", "    after: []\n    repeat: every seed tank")
    beside_all = at_scale(parse_recipe(branched), unit="X", volume=recipe.basis_volume, seeds=seeds).recipe
    assert beside_all.unit_procedure("seed-2").after == ("seed-1",)


def test_a_wait_that_changes_is_a_change():
    before, after = parse_recipe(with_column()), parse_recipe(with_column().replace("after: []", "holds: batch"))
    assert before.digest != after.digest
    found = {(item.path, item.parameter): (item.before, item.after) for item in diff(before, after)}
    assert found == {("column", "after"): ("nothing", ""), ("column", "holds"): ("", "batch")}
    assert not diff(small(), small())


def test_a_phase_completed_before_its_turn_is_refused():
    recipe = parse_recipe(with_column())
    with pytest.raises(InputError, match=r"it was completed before seed/expansion/fill"):
        next_phases(recipe, ["production/culture/fill"])
    assert next_phase(recipe, ["column/clean/wash"]) == recipe.phase_at("seed/expansion/fill")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("after: [seed/expansion]", "after: [seedy]"), "'seedy' does not stand above"),
        (("after: [seed/expansion]", "after: [production]"), "'production' does not stand above"),
        (("after: [seed/expansion]", "after: seed"), "a list is wanted here"),
        (
            ("unit_class: skid", "unit_class: seed_tank"),
            "column and seed may run at the same time, and both need",
        ),
        (("    after: []\n", "    after: []\n    holds: all\n"), "'all' is not what a hold can hold beside its unit"),
    ],
)
def test_an_order_that_cannot_be_is_refused(change: tuple[str, str], words: str):
    (found,) = faults(with_column().replace(*change))
    assert words in found.message
    assert found.remedy
