"""What quality control would measure: the true attributes of the simulated product, seen through assays.

A quantity gets a relative error drawn from the method's `assay_cv`; colonies are counted (Poisson) on a sample. Draws
depend on the attribute and the program's seed alone, so that the same process gives the same results. Identity follows
from the gene's own check. An attribute that the simulation does not know gets no result, and the batch stays on hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from seedtrain.base import digest
from seedtrain.quality import Result, Specification, SpecificationLine, VerdictWord
from seedtrain.quantity import Quantity, Uncertain, convert

COLONY_SAMPLE: Final = 10.0  # g of product on one membrane; assumed
COLONIES: Final = "CFU/g"
IDENTITY: Final = "identity"
NORMAL_90: Final = 1.645  # half the width of a central 90 % interval, in standard deviations


def simulated_results(
    specification: Specification,
    quality: Mapping[str, tuple[float, str]],
    *,
    identity: VerdictWord,
    sample: str,
    seed: int,
) -> tuple[Result, ...]:
    """One result for every line of the specification that the simulation can answer.

    - `quality`: true attributes, name -> (value, unit). `identity`: verdict of the gene's translation.
    """
    found = (_result(line, quality, identity, sample, seed) for line in specification.lines)
    return tuple(result for result in found if result is not None)


def _result(
    line: SpecificationLine,
    quality: Mapping[str, tuple[float, str]],
    identity: VerdictWord,
    sample: str,
    seed: int,
) -> Result | None:
    if line.attribute == IDENTITY:
        if identity == "inconclusive" or line.limit.word is None:
            return None
        word = line.limit.word if identity == "pass" else f"not {line.limit.word}"
        return Result(line.attribute, word, line.method, sample)
    if line.attribute not in quality:
        return None
    value, unit = quality[line.attribute]
    draws = np.random.default_rng([seed, int(digest(["assay", line.attribute])[:8], 16)])
    if unit == COLONIES:
        return _count(line, value, draws, sample)
    error = (line.assay_cv or 0.0) * float(draws.standard_normal())
    measured = max(value * (1.0 + error), 0.0)
    if unit == "%":
        measured = min(measured, 100.0)
    shown = line.limit.unit or unit
    found = convert(measured, unit, shown)
    spread = NORMAL_90 * (line.assay_cv or 0.0) * convert(value, unit, shown)
    uncertainty = Uncertain(
        found, max(found - spread, 0.0), found + spread, shown, status="assumed", source=f"assay_cv of {line.method}"
    )
    return Result(line.attribute, Quantity(found, shown), line.method, sample, uncertainty)


def _count(line: SpecificationLine, value: float, draws: np.random.Generator, sample: str) -> Result:
    colonies = int(draws.poisson(value * COLONY_SAMPLE))
    if colonies:
        return Result(line.attribute, Quantity(colonies / COLONY_SAMPLE, COLONIES), line.method, sample)
    return Result(line.attribute, Quantity(1.0 / COLONY_SAMPLE, COLONIES), line.method, sample, detected=False)
