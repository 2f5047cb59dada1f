"""The stages around the fit: what could be said before it, and the set points that are chosen with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedtrain.base import Progress, SeedtrainError, digest, part
from seedtrain.development import ScaleResult
from seedtrain.program._campaign import Campaign
from seedtrain.program._choose import Reach, choose, reaches, score
from seedtrain.program._design_stages import DesignStages, Results, with_settings
from seedtrain.program._directory import Program
from seedtrain.program._engine import Stage, StageOutput
from seedtrain.program._fitted import Fitted
from seedtrain.program._need import ATTRIBUTES, CriterionEntry
from seedtrain.program._outlook import DRAWS, Floats, Outlook, criteria_rows, outlook
from seedtrain.program._situation import Situation
from seedtrain.program._virtual import prior_draws
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Culture

PRICE_DRAWS = 1000


@dataclass(frozen=True)
class OutlookStages:
    """How probable it is that each criterion is met: before the data, with them, and at the chosen set points."""

    program: Program
    design: DesignStages
    campaign: Campaign
    criteria: tuple[CriterionEntry, ...]

    def before(self) -> Stage:
        """With the culture as it is published, at the recipe's own set points."""
        return Stage("before", self._before_inputs, self._before)

    def chosen(self) -> Stage:
        """With the fitted culture: at the recipe's own set points, and at those that are chosen."""
        return Stage("choose", self._choose_inputs, self._choose)

    def _shared_inputs(self) -> dict[str, Any]:
        """What every outlook depends on, beside the culture."""
        program = self.program
        return {
            "recipe": program.recipe.digest_of("basis", "materials", "procedure", "control_strategy"),
            "vessels": [[name, repr(vessel)] for name, vessel in sorted(program.plant.vessels.items())],
            "factors": digest(program.factors.read_text(encoding="utf-8")) if program.factors else "shipped",
            "molar_mass": self.design.molar_mass,
            "need": [item.model_dump() for item in self.criteria],
            "seed": program.seed,
        }

    # before

    def _before_inputs(self, results: Results) -> dict[str, Any]:
        culture = self.design.literature(results).digest
        ranges = {name: list(ends) for name, ends in self.campaign.ranges.items()}
        return {**self._shared_inputs(), "culture": culture, "ranges": ranges}

    def _before(self, results: Results, progress: Progress) -> StageOutput:
        culture, program = self.design.literature(results), self.program
        rng = np.random.default_rng([program.seed, int(digest("before the data")[:8], 16)])
        drawn = prior_draws(culture, self.campaign.ranges, DRAWS, rng)
        _base, found = self.looked(culture, program.recipe, drawn, progress)
        return StageOutput(self._told(found))

    # choose

    def _choose_inputs(self, results: Results) -> dict[str, Any]:
        factors = [[item.label, item.low, item.high, item.choose] for item in self.campaign.factors]
        fit = {"parameters": results["fit"].digest, "culture": self.design.culture(results).digest}
        return {**self._shared_inputs(), **fit, "choose": factors, "before": results["before"].digest}

    def _choose(self, results: Results, progress: Progress) -> StageOutput:
        program, culture = self.program, self.design.culture(results)
        rng = np.random.default_rng([program.seed, int(digest("after the fit")[:8], 16)])
        drawn = Fitted.from_data(results["fit"].data).draws(DRAWS, rng)
        base, own = self.looked(culture, program.recipe, drawn, part(progress, 0.0, 0.4))
        situation = self._situation(base, culture)
        reach = reaches(self.campaign.factors, program.recipe, situation.limited)
        best, settings, tried = own, list[dict[str, Any]](), 0.0
        if reach:
            candidate = choose(
                situation, program.recipe, reach, own, self.criteria, program.seed, progress=part(progress, 0.4, 0.6)
            )
            if candidate is not None:
                settings = self._settings(reach, candidate)
                recipe = with_settings(program.recipe, settings)
                _base, there = self.looked(culture, recipe, drawn, part(progress, 0.6, 1.0))
                tried = score(there, self.criteria)
                best = there if tried > score(own, self.criteria) else own
        told = {"own": self._told(own), "chosen": self._told(best), "reach": [_reach_data(item) for item in reach]}
        kept = settings if best is not own else []
        shrinks = float((best.shortfall(self.criteria) < own.shortfall(self.criteria)).mean())
        before = Outlook.from_data(results["before"].data["outlook"])
        since = float((best.shortfall(self.criteria) < before.shortfall(self.criteria)).mean())
        scores = [score(own, self.criteria), tried]
        return StageOutput(
            {**told, "settings": kept, "tried": settings, "scores": scores, "shrinks": shrinks, "since": since}
        )

    def _settings(self, reach: Sequence[Reach], values: Sequence[float]) -> list[dict[str, Any]]:
        """The set points that differ, to three digits."""
        rows = []
        for item, value in zip(reach, values, strict=True):
            after = min(max(float(f"{value:.3g}"), item.low), item.high)
            if after != item.factor.value:
                rows.append({"path": item.factor.path, "parameter": item.factor.parameter, "unit": item.factor.unit,
                             "before": item.factor.value, "after": after})  # fmt: skip
        return rows

    # shared

    def looked(
        self, culture: Culture, recipe: MasterRecipe, drawn: Sequence[dict[str, float]], progress: Progress
    ) -> tuple[ScaleResult, Outlook]:
        """The recipe at production scale, its feed searched at the best values, and the outlook over `drawn`."""
        (base,) = self.design.scales(culture, recipe, [self.program.production.name], part(progress, 0.0, 0.3))
        self.design.require_product(base)
        money = self.design.economics(base, self.design.factors(), draws=PRICE_DRAWS)
        situation = self._situation(base, culture)
        return base, outlook(situation, drawn, money, self.program.seed, progress=part(progress, 0.3, 1.0))

    def in_plant(
        self, culture: Culture, recipe: MasterRecipe, nature: Culture, progress: Progress
    ) -> dict[str, float] | None:
        """Attributes where the production vessel is run as `culture` says, and holds `nature`; None for no process."""
        (base,) = self.design.scales(culture, recipe, [self.program.production.name], progress)
        situation = dataclasses.replace(self._situation(base, culture), culture=nature, known={})
        try:
            return dict(situation.outcome().values)
        except SeedtrainError:
            return None

    def _situation(self, base: ScaleResult, culture: Culture) -> Situation:
        return Situation.of(base, culture, self.design.factors(), molar_mass=self.design.molar_mass)

    def _told(self, found: Outlook) -> dict[str, Any]:
        musts = [item for item in self.criteria if item.priority == "must"]
        asked = [item for item in self.criteria if ATTRIBUTES[item.attribute].unit]
        return {
            "criteria": criteria_rows(found, self.criteria),
            "joint": found.joint(asked),
            "musts": found.joint(musts),
            "shortfall": _spread(found.shortfall(asked)),
            "outlook": found.to_data(),
            "draws": DRAWS,
        }


def _spread(values: Floats) -> dict[str, float]:
    low, high = np.percentile(values, [5, 95])
    return {"value": float(values.mean()), "low": float(low), "high": float(high)}


def _reach_data(item: Reach) -> list[Any]:
    return [item.factor.label, item.factor.unit, item.low, item.high]
