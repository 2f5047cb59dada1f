"""The limits of a design space as lines of a recipe's control strategy, traceable to what they rest on."""

from __future__ import annotations

import dataclasses

from seedtrain.development._design_space._space import DesignSpace, FactorRange
from seedtrain.quantity import Quantity, Range
from seedtrain.recipe import MasterRecipe, StrategyLine

_DIGITS = 4


def strategy_lines(found: DesignSpace, recipe: MasterRecipe, source: str) -> tuple[StrategyLine, ...]:
    """One line for each factor whose common range stands, rounded inwards; what an old line says of sampling stays.

    A factor whose range does not hold the recipe's own set point gets none: the range is that of another scale.

    `source`: what the range rests on (study, fit), written into what detects it.
    """
    lines = []
    for row in found.ranges:
        if row.box is None or not _holds(row, recipe):
            continue
        old = next(
            (line for line in recipe.control_strategy if (line.at, line.parameter) == (row.input.path, row.input.name)),
            None,
        )
        lines.append(_line(row, old, source))
    return tuple(lines)


def _holds(row: FactorRange, recipe: MasterRecipe) -> bool:
    """Whether the range holds the recipe's own set point: at scale a limit of the vessel may have moved it."""
    assert row.box is not None
    own = recipe.phase(row.input.path).number(row.input.name, row.input.unit)
    return row.box[0] <= own <= row.box[1]


def _line(row: FactorRange, old: StrategyLine | None, source: str) -> StrategyLine:
    assert row.box is not None
    item = row.input
    low, high = _inwards(row.box[0], item.target, up=True), _inwards(row.box[1], item.target, up=False)
    note = f"design space ({source})"
    return StrategyLine(
        attribute=row.limiting or (old.attribute if old else "purity"),
        at=item.path,
        parameter=item.name,
        range=Range(Quantity(low, item.unit), Quantity(high, item.unit)),
        detector=f"{old.detector.partition('; design space')[0]}; {note}" if old else note,
        sample=old.sample if old else "to be stated by the recipe's author",
        action=old.action if old else "Hold the batch and open a deviation.",
    )


def _inwards(value: float, target: float, *, up: bool) -> float:
    """To four digits, towards the target."""
    from math import ceil, floor, log10

    if value == 0:
        return 0.0
    unit = 10.0 ** (floor(log10(abs(value))) - _DIGITS + 1)
    moved = (ceil if up else floor)(value / unit + (-1e-9 if up else 1e-9)) * unit
    inside = min(moved, target) if up else max(moved, target)
    return float(f"{inside:.{_DIGITS + 2}g}")


def with_strategy(recipe: MasterRecipe, lines: tuple[StrategyLine, ...]) -> MasterRecipe:
    """The recipe with these lines in place of those for the same parameters, the others kept."""
    new = {(line.at, line.parameter): line for line in lines}
    kept = [new.pop((line.at, line.parameter), line) for line in recipe.control_strategy]
    return dataclasses.replace(recipe, control_strategy=(*kept, *new.values()))
