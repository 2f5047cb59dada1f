"""The two tables that follow a batch: the seed train, and mass and endotoxin through the downstream steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from seedtrain.recipe import MasterRecipe
from seedtrain.simulation import Run, StepResult, Stream


@dataclass(frozen=True)
class SeedRow:
    """One culture of the train: volume L and biomass g/L (product included) at its end, duration h, generations.

    - `preparation`: h before inoculation. `doubled`: cells at the end over cells inoculated, as powers of two.
    """

    unit_procedure: str
    vessel: str
    volume: float
    biomass: float
    preparation: float
    duration: float
    generations: float
    ended_at_most: bool


@dataclass(frozen=True)
class YieldRow:
    """One step: volume L and product g that leave it; yields as fractions; endotoxin EU/mg and its log reduction.

    - `duration` h; `hold_time`: the longest that its outlet may wait, h, or None where the recipe states none.
    """

    path: str
    kind: str
    volume: float
    product: float
    step_yield: float
    cumulative_yield: float
    endotoxin: float
    log_reduction: float
    duration: float
    hold_time: float | None


def seed_table(runs: Sequence[Run]) -> tuple[SeedRow, ...]:
    """One row per culture, from the flask to production."""
    rows = []
    for run in runs:
        cells = run["DCW"] * run["V"]
        rows.append(
            SeedRow(
                unit_procedure=run.unit_procedure,
                vessel=run.vessel,
                volume=run.final("V"),
                biomass=run.final("DCW"),
                preparation=run.totals["preparation"][0],
                duration=run.totals["duration"][0],
                generations=math.log2(cells[-1] / cells[0]) if cells[0] > 0 and cells[-1] > 0 else 0.0,
                ended_at_most=any(event.kind == "at_most" for event in run.events),
            )
        )
    return tuple(rows)


def yield_table(recipe: MasterRecipe, broth: Stream, steps: Sequence[StepResult]) -> tuple[YieldRow, ...]:
    """The broth, then every step; cumulative yields are over the broth's product."""
    first = broth.masses.get("product", 0.0)
    rows = [YieldRow("broth", "broth", broth.volume, first, 1.0, 1.0, broth.endotoxin_per_product, 0.0, 0.0, None)]
    for step in steps:
        product = step.outlet.masses.get("product", 0.0)
        hold = recipe.phase(step.path).hold_time
        rows.append(
            YieldRow(
                path=step.path,
                kind=step.kind,
                volume=step.outlet.volume,
                product=product,
                step_yield=step.step_yield,
                cumulative_yield=product / first if first > 0 else 0.0,
                endotoxin=step.outlet.endotoxin_per_product,
                log_reduction=step.endotoxin_lrv,
                duration=step.duration,
                hold_time=None if hold is None else hold.magnitude("h"),
            )
        )
    return tuple(rows)


def rows_to_data(rows: Sequence[SeedRow | YieldRow]) -> list[dict[str, Any]]:
    """Rows as JSON-ready data; endotoxin per product is null where there is no product."""
    found = []
    for row in rows:
        data = asdict(row)
        found.append(
            {key: None if isinstance(value, float) and math.isinf(value) else value for key, value in data.items()}
        )
    return found
