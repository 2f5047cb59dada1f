"""The part of a plan that looks at predictions: the bias of each over the runs of a scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

from seedtrain.base import translate as _
from seedtrain.comparison._judged import Judged, within
from seedtrain.comparison._members import Setting
from seedtrain.comparison._predicted import Bound, Errors, Pair, bounds, prediction_errors
from seedtrain.comparison._reason import Reason
from seedtrain.quality import VerdictWord
from seedtrain.simulation import Run


def judge_predictions(
    setting: Setting, predicted: Mapping[str, Run]
) -> tuple[tuple[Errors, ...], tuple[Bound, ...], list[Judged]]:
    """Errors of every predicted symbol by scale, bounds for a new run, and the biases that the plan has margins for."""
    pairs = [Pair(m.name, m.scale, m.run, predicted[m.name]) for m in setting.members if m.name in predicted]
    if not pairs:
        return (), (), []
    plan = setting.plan
    errors = prediction_errors(pairs, [entry.symbol for entry in plan.predictions])
    scales = list(dict.fromkeys(item.scale for item in setting.members))
    judged = []
    for entry in plan.predictions:
        margin = setting.absolute(entry, entry.symbol)
        judged += [_judged(item, margin, plan.level) for item in errors if item.symbol == entry.symbol]
    return errors, bounds(errors, scales, level=plan.level), judged


def _judged(item: Errors, margin: float, level: float) -> Judged:
    """The bias over runs of one scale against its margin."""
    low, high = item.interval(level)
    few = Reason(lambda: _("{count} run; 2 are the least").format(count=item.runs))
    why = "" if math.isfinite(low) else few
    word: VerdictWord = "inconclusive"
    if not why and -margin < low and high < margin:
        word = "pass"
    elif not why and (low >= margin or high <= -margin):
        word = "fail"
    return Judged(
        name=lambda: _("{symbol} predicted").format(symbol=item.symbol) + f": {item.scale}",
        value=lambda: f"{item.bias:.4g} {item.unit}",
        interval=(f"{low:.4g} {item.unit}", f"{high:.4g} {item.unit}"),
        limit=lambda: within(f"{margin:.4g} {item.unit}"),
        verdict=word,
        why=why,
    )
