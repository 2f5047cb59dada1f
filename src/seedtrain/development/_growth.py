"""What each amount of a batch grows with, when the titre, the rate, the yield or the recovery is another.

The vessel and its volume of broth stay. Of the production culture, sugar, base and heat follow the substrate; stirring,
air and people follow its time. Of the train, steps that handle the broth stay as they are; columns, membranes and their
buffers follow the product in the broth; drying and filling follow what is released. Everything else is one batch's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from seedtrain.development._upstream_use import BASE
from seedtrain.development._use import Growth, Performance, Use
from seedtrain.simulation import Run, StepResult

SUBSTRATES: Final = frozenset({"glucose", "glycerol", "sucrose", "lactose", "methanol", "xylose", "maltose"})
_WITH_PRODUCT: Final = frozenset(
    {
        "equilibrate",
        "load",
        "wash",
        "elute",
        "flow_through",
        "clean",
        "concentrate",
        "diafilter",
        "sterile_filter",
        "integrity_test",
    }
)
_WITH_RELEASED: Final = frozenset({"lyophilise", "fill"})
_PEOPLE: Final = frozenset({"operator", "sundries", "in-process-test", "release-test"})


def grown(uses: Sequence[Use], production: str, run: Run, steps: Sequence[StepResult]) -> tuple[Use, ...]:
    """`uses` with what each grows with; `production`: the name of the production unit procedure, `run` its culture."""
    duration = run.totals["duration"][0]
    part = duration / (duration + run.totals["preparation"][0])
    kinds = _kinds(steps)
    found = []
    for use in uses:
        place = use.where.partition("/")[0]
        if place == production:
            growth = _in_production(use)
            found.append(dataclasses.replace(use, grows=growth, part=part if use.item in _PEOPLE else 1.0))
        elif use.item in _PEOPLE:
            found.append(use)
        else:
            found.append(dataclasses.replace(use, grows=kinds.get(use.where, "batch")))
    return tuple(found)


def performance(uses: Sequence[Use], production: str, run: Run, product: float) -> Performance | None:
    """What the culture and the train did; None for a culture without product. `product`: released, g."""
    titre, hours, made = (run.totals.get(name, (0.0, ""))[0] for name in ("titre", "duration", "product"))
    if min(titre, hours, made, product) <= 0:
        return None
    taken = sum(use.amount for use in uses if use.grows == "substrate" and use.item in SUBSTRATES)
    return Performance(titre, titre / hours, made / taken if taken > 0 else None, product / made, production)


def _in_production(use: Use) -> Growth:
    parameters = dict(use.times)
    if use.item in SUBSTRATES or use.item == BASE or "chiller_performance" in parameters:
        return "substrate"
    if use.item == "electricity" or "crew_culture" in parameters:
        return "time"
    return "batch"


def _kinds(steps: Sequence[StepResult]) -> Mapping[str, Growth]:
    """By the path of a step, and by the unit procedure whose machines it runs on."""
    found: dict[str, Growth] = {}
    for step in steps:
        place = step.path.partition("/")[0]
        growth: Growth = (
            "released" if step.kind in _WITH_RELEASED else "product" if step.kind in _WITH_PRODUCT else "batch"
        )
        found[step.path] = growth
        if growth != "batch":
            found[place] = growth
    return found
