"""The production process as a function of its levers: what the gap differentiates."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from seedtrain.base import InputError, Progress, SeedtrainError, digest, silent
from seedtrain.development import FactorTable, ScaleResult, central_figures, growth_rate_is_lowest, margins
from seedtrain.quantity import Quantity
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import (
    Culture,
    Run,
    Setup,
    StirredTank,
    broth,
    product_quality,
    run_train,
    setup_of,
    simulate,
    simulate_neighbours,
)

TIGHT: Final = 1e-7
"""Relative tolerance of the integration: differences of neighbouring runs must not see the solver's steps."""
POINTS: Final = 150
FEED_PARAMETERS: Final = ("rate", "initial_rate", "growth_rate")
QUALITY: Final = ("purity", "endotoxin", "host_protein", "dna")


@dataclass(frozen=True)
class Outcome:
    """What a situation gives: `values` by attribute of a need, and the margin of each limited feed phase.

    Cost, carbon and amount are smoothed: a year holds batches in part, where the reported figures count whole ones.
    """

    values: Mapping[str, float]
    margins: tuple[float, ...]


@dataclass(frozen=True)
class Situation:
    """The process at production scale, with everything that a lever can move.

    - `base`: the batch at the largest feed; `train`: factors on the levers of the downstream models.
    - `feeds`: factor on the feed of each limited phase, in the order of `limited`.
    - `known`: production runs by what they depend on, shared by all situations that come of one another.
    """

    base: ScaleResult
    culture: Culture
    vessel: StirredTank
    recipe: MasterRecipe
    factors: FactorTable
    molar_mass: float
    train: Mapping[str, float] = field(default_factory=dict)
    feeds: tuple[float, ...] = ()
    known: dict[str, Run] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def of(base: ScaleResult, culture: Culture, factors: FactorTable, *, molar_mass: float) -> Situation:
        """The situation of a batch; `molar_mass` of the product in kDa."""
        if not isinstance(base.vessel, StirredTank):
            raise InputError(f"{base.unit} is no stirred tank", remedy="Give the plant a stirred tank of that scale.")
        limited = limited_phases(base)
        return Situation(
            base,
            culture,
            base.vessel,
            base.control.recipe,
            factors,
            molar_mass,
            feeds=(1.0,) * len(limited),
        )

    @cached_property
    def limited(self) -> tuple[str, ...]:
        """Paths of the feed phases that a limit of the vessel holds down."""
        return limited_phases(self.base)

    def with_parameter(self, name: str, value: float) -> Situation:
        """Another value of a parameter of the culture."""
        known = self.culture.parameters[name]
        culture = self.culture.with_parameters({name: (value, known.status, known.source)})
        return dataclasses.replace(self, culture=culture)

    def with_vessel(self, change: Callable[[StirredTank], StirredTank]) -> Situation:
        """Another vessel."""
        return dataclasses.replace(self, vessel=change(self.vessel))

    def with_recipe(self, path: str, parameter: str, value: Quantity) -> Situation:
        """Another value in the recipe."""
        return dataclasses.replace(self, recipe=self.recipe.with_value(path, parameter, value))

    def with_train(self, name: str, factor: float) -> Situation:
        """Another value in the models of the downstream train."""
        return dataclasses.replace(self, train={**self.train, name: factor})

    def with_feed(self, number: int, factor: float) -> Situation:
        """Another feed in one limited phase."""
        feeds = (*self.feeds[:number], factor, *self.feeds[number + 1 :])
        return dataclasses.replace(self, feeds=feeds)

    def outcome(self) -> Outcome:
        """Simulate the production, walk the downstream train and appraise it.

        Raises what these raise where the moved lever makes no process.
        """
        recipe = self._fed()
        run = self._run(recipe)
        harvested = broth(run, self.culture)
        steps = run_train(recipe, harvested, factors=self.train, molar_mass=self.molar_mass)
        quality = product_quality(steps)
        batch = dataclasses.replace(
            self.base,
            vessel=self.vessel,
            control=dataclasses.replace(self.base.control, recipe=recipe),
            production=run,
            broth=harvested,
            steps=steps,
            quality=quality,
        )
        # Differences of these values are taken: a year's last batch counts in part, so that nothing jumps.
        cost, carbon, amount = central_figures(batch, self.factors, whole_batches=False)
        values = {
            "titre": batch.titre,
            "amount": amount,
            "cost": cost,
            "carbon": carbon,
            **{name: quality[name][0] for name in QUALITY if name in quality},
        }
        # Each phase has its own limit: one may be held down by oxygen, the next by cooling.
        kept = tuple(margins(run, recipe, path=path).smallest for path in self.limited)
        return Outcome(values, kept)

    def know(self, neighbours: Sequence[Situation], progress: Progress = silent) -> None:
        """Simulate the production of this situation and of those near it, all in one integration with sensitivities.

        What cannot be set up, or has other phases, is left to `outcome`, which simulates it on its own or refuses it.
        """
        recipe = self._fed()
        mine, base = self._key(recipe), self._setup(recipe)
        found: dict[str, Setup] = {}
        for other in neighbours:
            try:
                fed = other._fed()
                setup = other._setup(fed)
            except SeedtrainError:
                continue
            same = setup.layout.key == base.layout.key and len(setup.plan.segments) == len(base.plan.segments)
            if same and (key := other._key(fed)) != mine:
                found[key] = setup
        run, runs = simulate_neighbours(base, list(found.values()), rtol=TIGHT, points=POINTS, progress=progress)
        self.known[mine] = run
        self.known.update(zip(found, runs, strict=True))

    def _setup(self, recipe: MasterRecipe) -> Setup:
        return setup_of(
            self.culture,
            self.vessel,
            recipe,
            unit_procedure=recipe.production.name,
            inoculum=self.base.seeds[-1] if self.base.seeds else None,
        )

    def _key(self, recipe: MasterRecipe) -> str:
        """What the production depends on."""
        production = recipe.production
        poured = sorted(
            {
                word
                for operation in production.operations
                for phase in operation.phases
                for word in phase.set.values()
                if isinstance(word, str) and word in recipe.materials
            }
        )
        parts = (f"procedure/{production.name}", *(f"materials/{name}" for name in poured))
        return digest([repr(self.culture.values), repr(self.vessel), recipe.digest_of("basis", *parts)])

    def _run(self, recipe: MasterRecipe) -> Run:
        """The production, simulated once for all levers that leave it alone."""
        production = recipe.production
        key = self._key(recipe)
        if key not in self.known:
            self.known[key] = simulate(
                self.culture,
                self.vessel,
                recipe,
                unit_procedure=production.name,
                inoculum=self.base.seeds[-1] if self.base.seeds else None,
                rtol=TIGHT,
                points=POINTS,
            )
        return self.known[key]

    def _fed(self) -> MasterRecipe:
        """The recipe with the feeds of its limited phases moved, along the way that the largest feed is searched."""
        recipe = self.recipe
        for path, factor in zip(self.limited, self.feeds, strict=True):
            if factor == 1.0:
                continue
            phase = recipe.phase(path)
            for name in FEED_PARAMETERS:
                value = phase.quantity(name)
                if name == "growth_rate" and growth_rate_is_lowest(recipe, path):
                    continue
                if value is not None:
                    recipe = recipe.with_value(path, name, Quantity(value.value * factor, value.unit))
        return recipe


def limited_phases(base: ScaleResult) -> tuple[str, ...]:
    """Feed phases whose feed was lowered to keep a limit."""
    return tuple(path for path, factor in base.feed.factors.items() if 0.0 < factor < 1.0)
