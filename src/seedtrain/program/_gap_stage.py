"""The gap: a need against prediction and batch, criterion by criterion, and what moves what is not met."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from seedtrain.base import Progress, digest, part
from seedtrain.development import Economics, ScaleResult
from seedtrain.program._batch_stage import origin_verdict
from seedtrain.program._design_stages import DesignStages, Results
from seedtrain.program._directory import Program
from seedtrain.program._engine import Stage, StageOutput
from seedtrain.program._fitted import Fitted
from seedtrain.program._levers import GROUPS, Lever, program_levers
from seedtrain.program._need import ATTRIBUTES, CriterionEntry
from seedtrain.program._next_experiment import SURE, lever_experiment, lever_gain, next_experiment, open_of
from seedtrain.program._outlook import Outlook, ranged_levers
from seedtrain.program._sensitivity import Sensitivities, Sensitivity, sensitivities
from seedtrain.program._situation import QUALITY, Situation
from seedtrain.quality import VerdictWord, combine
from seedtrain.quantity import Quantity, number_text
from seedtrain.simulation import product_quality, run_train

Spread = tuple[float, float | None, float | None]
"""Value, and its 5 and 95 % points where a spread is known."""
STATES: Final[Mapping[VerdictWord, str]] = {"pass": "met", "fail": "missed", "inconclusive": "unknown"}
DRAWS: Final = 200
NEGLIGIBLE: Final = 1e-5
"""Relative change of an attribute per step of a lever below which the lever is no answer."""
NEAR: Final = 0.5
"""Relative change of a lever up to which a first-order answer is given."""


@dataclass(frozen=True)
class Prediction:
    """A predicted attribute at production scale; the interval is 5 to 95 %, or absent where no spread is known."""

    value: float
    low: float | None
    high: float | None
    verdict: VerdictWord

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return dict(vars(self))


@dataclass(frozen=True)
class GapStage:
    """The gap of one program. - `costs`: of experiments by kind, where the program has a campaign."""

    program: Program
    design: DesignStages
    costs: Mapping[str, float] = field(default_factory=dict)

    def stage(self) -> Stage:
        """The stage."""
        return Stage("gap", self._inputs, self._work)

    def criteria(self) -> tuple[CriterionEntry, ...]:
        """The need's criteria, its yearly amount first."""
        need = self.program.need
        if any(item.attribute == "amount" for item in need.criteria):
            return need.criteria
        amount = CriterionEntry(attribute="amount", operator=">=", value=str(need.entry.amount), priority="must")
        return (amount, *need.criteria)

    def _inputs(self, results: Results) -> dict[str, Any]:
        more = {"choose": results["choose"].key, "costs": dict(self.costs)} if "choose" in results else {}
        return {
            **more,
            "need": [item.model_dump() for item in self.criteria()],
            "scale": digest(results["scale"].data[self.program.production.name]),
            "batch": digest(results["batch"].data["content"]),
            "economics": results["economics"].digest,
            "culture": self.design.culture(results).digest,
            "seed": self.program.seed,
        }

    def _work(self, results: Results, progress: Progress) -> StageOutput:
        base = self.design.scaled(results, self.program.production.name)
        money = self.design.economics(base, self.design.factors(), draws=2000)
        predicted = predictions(base, money, molar_mass=self.molar_mass, seed=self.program.seed)
        looked = Outlook.from_data(results["choose"].data["chosen"]["outlook"]) if "choose" in results else None
        if looked is not None:
            predicted = {name: _drawn(name, spread, looked) for name, spread in predicted.items()}
        rows = [self._row(criterion, predicted, results) for criterion in self.criteria()]
        for row, criterion in zip(rows, self.criteria(), strict=True):
            row["probability"] = looked.probability(criterion) if looked and row["prediction"] else None
        skipped: list[list[str]] = []
        if any(row["state"] != "met" and row["prediction"] for row in rows):
            found = self.effects(base, results, part(progress, 0.1, 1.0))
            skipped = [list(item) for item in found.skipped]
            for row in rows:
                row["levers"] = best_levers(row, found) if row["state"] != "met" else []
                if row["levers"] and looked is not None:
                    row |= self._advice(row, found, base, money, results, looked)
        return StageOutput({"criteria": rows, "skipped": skipped})

    def _advice(
        self,
        row: Mapping[str, Any],
        found: Sensitivities,
        base: ScaleResult,
        money: Economics,
        results: Results,
        looked: Outlook,
    ) -> dict[str, Any]:
        """The cheapest experiment that would tell whether a criterion is met, and what its strongest lever gains."""
        values = looked.values[row["attribute"]]
        fitted = Fitted.from_data(results["fit"].data)
        left = open_of(row["attribute"], fitted, found, ranged_levers(base.control.recipe), money)
        best, weighed = next_experiment(row, left, self.costs, values)
        if row["state"] == "missed" and row["probability"] < SURE:
            production = self.program.recipe.production.name
            best, weighed = lever_experiment(row["levers"], self.costs, production), ()
        shares = {
            "culture": left.culture, "downstream": sum(now for now, _left in left.steps.values()),
            "prices": sum(left.prices.values()) + left.other,
        }  # fmt: skip
        return {
            "experiment": best.to_data() if best else None,
            "weighed": [item.to_data() for item in weighed],
            "open": {name: part / left.total if left.total > 0 else 0.0 for name, part in shares.items()},
            "gain": lever_gain(row, row["levers"], values),
        }

    @property
    def molar_mass(self) -> float:
        """Of the product, kDa."""
        return self.program.protein.molar_mass / 1000

    def effects(self, base: ScaleResult, results: Results, progress: Progress) -> Sensitivities:
        """The effect of every lever on every attribute."""
        situation = self.situation(base, results)
        return sensitivities(situation, program_levers(situation), progress=progress)

    def situation(self, base: ScaleResult, results: Results) -> Situation:
        """The process at production scale as a function of its levers."""
        return Situation.of(base, self.design.culture(results), self.design.factors(), molar_mass=self.molar_mass)

    def _row(
        self,
        criterion: CriterionEntry,
        predicted: Mapping[str, Spread],
        results: Results,
    ) -> dict[str, Any]:
        attribute = ATTRIBUTES[criterion.attribute]
        prediction: Prediction | None = None
        batch: dict[str, str] | None = None
        if attribute.unit is None:
            verdict = origin_verdict(results, criterion.value)
            batch = {"value": "; ".join(verdict.evidence) or "declared throughout", "verdict": verdict.verdict}
        else:
            value, low, high = predicted[attribute.name]
            prediction = Prediction(value, low, high, _judge(criterion, value, low, high))
            batch = self._measured(criterion, results)
        words: list[VerdictWord] = [item["verdict"] for item in (batch,) if item]  # type: ignore[misc]
        if prediction:
            words.append(prediction.verdict)
        return {
            "attribute": attribute.name,
            "operator": criterion.operator,
            "limit": criterion.limit if attribute.unit else None,
            "unit": attribute.unit or "",
            "words": criterion.words,
            "priority": criterion.priority,
            "weight": criterion.weight,
            "why": criterion.why,
            "prediction": prediction.to_data() if prediction else None,
            "batch": batch,
            "state": STATES[combine(words)],
            "levers": [],
        }

    def _measured(self, criterion: CriterionEntry, results: Results) -> dict[str, str] | None:
        """What the batch measured of the attribute: QC's result, or the last sample of the product in the broth."""
        record = results["batch"].data["content"]["record"]
        name = criterion.attribute
        values = [item for item in record["results"] if item["attribute"] == name]
        if not values and name == "titre":
            culture = f"{self.program.recipe.production.name}/"  # a later product sample is no titre of the broth
            values = [item for item in record["values"] if item["tag"] == "product" and item["kind"] == "sample"]
            values = [item for item in values if item["phase"].startswith(culture)]
        if not values:
            return None
        last = values[-1]
        quantity = Quantity(float(last["value"]), last["unit"])
        # A need is no specification: its limit is not rounded to (3.6 g/L is not 4 g/L), as a prediction is not.
        meets = _meets(criterion, quantity.magnitude(ATTRIBUTES[name].unit or quantity.unit))
        return {"value": f"{number_text(quantity.value)} {quantity.unit}", "verdict": "pass" if meets else "fail"}


def predictions(base: ScaleResult, money: Economics, *, molar_mass: float, seed: int) -> dict[str, Spread]:
    """Every attribute at production scale: value, and the 5 and 95 % points where a spread is known.

    - `cost`, `carbon`: from the ranges of prices and emission factors. `purity`, `endotoxin`, `host_protein`, `dna`:
      from the ranges of the downstream models, drawn together. `titre`, `amount`: none before a fit to runs.
    """
    found: dict[str, Spread] = {
        "titre": (base.titre, None, None),
        "amount": (money.product_per_year, None, None),
    }
    for name, total in (("cost", money.cost.total), ("carbon", money.carbon.total)):
        found[name] = (total.value, total.low, total.high)
    spread = _quality_draws(base, molar_mass, seed)
    for name in QUALITY:
        if name in base.quality:
            low, high = np.percentile(spread[name], [5, 95])
            found[name] = (base.quality[name][0], float(low), float(high))
    return found


def _quality_draws(base: ScaleResult, molar_mass: float, seed: int) -> dict[str, list[float]]:
    """Attributes of the product over the plausible ranges of the downstream models (triangular about the value)."""
    recipe = base.control.recipe
    levers = ranged_levers(recipe)
    draws = np.random.default_rng([seed, int(digest("gap quality")[:8], 16)])
    found: dict[str, list[float]] = {name: [] for name in QUALITY}
    for _ in range(DRAWS):
        factors = {
            name: draws.triangular(item.low, min(max(item.value, item.low), item.high), item.high) / item.value
            for name, item in levers.items()
        }
        quality = product_quality(run_train(recipe, base.broth, factors=factors, molar_mass=molar_mass))
        for name in QUALITY:
            found[name].append(quality[name][0])
    return found


def _drawn(name: str, spread: Spread, looked: Outlook) -> Spread:
    """The value with the interval of the draws, which have the culture's parameters in them too."""
    if name not in looked.values:
        return spread
    low, high = looked.interval(name)
    return spread[0], min(low, spread[0]), max(high, spread[0])


def _judge(criterion: CriterionEntry, value: float, low: float | None, high: float | None) -> VerdictWord:
    """An interval wholly inside passes, wholly outside fails, and across the limit is inconclusive.

    A value whose spread nobody knows may fail, but never passes: too little evidence is never a pass.
    """
    inside = [_meets(criterion, item) for item in (value, low, high) if item is not None]
    if not any(inside):
        return "fail"
    return "pass" if all(inside) and len(inside) == 3 else "inconclusive"


def _meets(criterion: CriterionEntry, value: float) -> bool:
    return value >= criterion.limit if criterion.operator == ">=" else value <= criterion.limit


def best_levers(row: Mapping[str, Any], found: Sensitivities) -> list[dict[str, Any]]:
    """The lever with the largest effect in each of the five groups, and what it would take to close the gap."""
    mine = [item for item in found.effects if item.attribute == row["attribute"]]
    best = [
        max((item for item in mine if item.lever.group == group), key=lambda item: abs(item.total), default=None)
        for group in GROUPS
    ]
    kept = [item for item in best if item is not None and abs(item.total) > NEGLIGIBLE]
    return [_lever_data(item, row) for item in sorted(kept, key=lambda item: -abs(item.total))]


def _lever_data(effect: Sensitivity, row: Mapping[str, Any]) -> dict[str, Any]:
    lever = effect.lever
    return {
        "group": lever.group,
        "name": lever.name,
        "value": lever.value,
        "unit": lever.unit,
        "status": lever.status,
        "per": lever.scale.words,
        "total": effect.total,
        "direct": effect.direct,
        "needed": _needed(lever, effect, row),
    }


def _needed(lever: Lever, effect: Sensitivity, row: Mapping[str, Any]) -> float | None:
    """The move of the lever that brings the predicted value to the limit, to first order in the logarithms: relative,
    or in the lever's unit for a shift. None where that is too far to say, or where the value meets the limit."""
    value, limit = row["prediction"]["value"], row["limit"]
    missing = math.log(limit / value) if value > 0 and limit > 0 else 0.0
    if missing == 0.0 or (missing > 0) != (row["operator"] == ">="):
        return None
    steps = missing / effect.total
    if lever.scale.shift:
        move = steps * lever.scale.per
        return move if abs(steps) <= 10 else None
    move = math.expm1(steps * lever.scale.per)
    return move if abs(move) <= NEAR else None
