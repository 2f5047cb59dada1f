"""The feeds of the gap move as the search for the largest feed moves them, each along its own limit."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache

import pytest

from seedtrain.development import FeedLimit, Margins, margins, read_factors
from seedtrain.development._feed import fed_at
from seedtrain.program._gap_stage import _quality_draws
from seedtrain.program._levers import program_levers
from seedtrain.program._outlook import ranged_levers
from seedtrain.program._situation import Situation
from seedtrain.simulation import train_parameters
from tests.development.plant import PLANT, batches, culture, recipe

GROWTH, EXPRESSION = "production/growth/fed-batch", "production/induction/express"


@cache
def situation() -> Situation:
    return Situation.of(batches()[PLANT], culture(), read_factors(), molar_mass=44.8)


def test_the_example_is_limited_in_both_phases_and_grows_at_its_lowest_rate() -> None:
    assert situation().limited == (GROWTH, EXPRESSION)
    assert situation().recipe.phase(GROWTH).number("growth_rate", "1/h") == pytest.approx(0.10)


def test_a_moved_feed_is_the_one_that_the_search_would_try() -> None:
    """Less of a feed that is at its lowest growth rate lowers its start alone, in both."""
    start = situation()
    tried = fed_at(start.recipe, {GROWTH: 0.98, EXPRESSION: 0.98})
    moved = start.with_feed(0, 0.98).with_feed(1, 0.98)._fed()
    assert {path for path, _ in tried} == {GROWTH, EXPRESSION}
    for (path, name), value in tried.items():
        assert moved.phase(path).number(name, value.unit) == pytest.approx(value.value, rel=1e-3), name


def test_each_phase_answers_for_its_own_limit() -> None:
    """The margin of a phase is that of the limit nearest in it, whatever limited the recipe's own feed."""
    start = situation()
    feed: FeedLimit = dataclasses.replace(start.base.feed, limited_by="cooling", margins=Margins(0.1, -0.1))
    other = dataclasses.replace(start, base=dataclasses.replace(start.base, feed=feed))
    run, recipe = start.base.production, start.recipe
    found = other.outcome().margins
    for path, margin in zip(start.limited, found, strict=True):
        kept = margins(run, recipe, path=path)
        assert kept.oxygen < kept.cooling
        assert margin == pytest.approx(kept.oxygen, abs=0.01)


def test_cost_has_no_jumps_where_a_year_gains_or_loses_a_batch() -> None:
    """Expression longer by tenths of an hour passes an edge between whole batches: the slope stays."""
    start = situation()
    lever = next(item for item in program_levers(start) if item.name == "production/induction/express.until")
    moved = [lever.moved(start, 0.01 * part).outcome().values for part in range(-3, 4)]
    for name in ("cost", "carbon", "amount"):
        slopes = [after[name] - before[name] for before, after in itertools.pairwise(moved)]
        assert max(slopes) - min(slopes) <= 0.15 * max(abs(slope) for slope in slopes), name


def test_every_range_of_the_downstream_models_is_drawn_also_one_that_begins_at_zero() -> None:
    known = train_parameters(recipe())
    assert set(ranged_levers(recipe())) == {name for name, item in known.items() if item.low < item.high}
    assert "clarification/acid-precipitation/depth-filter:endotoxin_lrv" in ranged_levers(recipe())


def test_the_drawn_endotoxin_spreads_as_wide_as_the_ranges_of_its_log_reductions() -> None:
    """Two log reductions with ranges of two decades each, and more: 5 to 95 % spans over one decade."""
    drawn = sorted(_quality_draws(batches()[PLANT], 44.8, 1)["endotoxin"])
    assert drawn[10] < batches()[PLANT].quality["endotoxin"][0] < drawn[-10]
    assert drawn[-10] / drawn[10] > 10
