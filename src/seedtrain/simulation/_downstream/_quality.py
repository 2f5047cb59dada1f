"""What quality control would find in the filled product."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from seedtrain.base import InputError
from seedtrain.simulation._downstream._result import attributes
from seedtrain.simulation._stream import StepResult

UNFILTERED: Final = 1.0
"""CFU/mL of a stream that passes no sterile filter; assumed."""
SMALLEST_LRV: Final = 1.0
"""A step that reduces virus by no more than 1 log10 counts as none (ICH Q5A(R2))."""


def product_quality(steps: Sequence[StepResult]) -> Mapping[str, tuple[float, str]]:
    """True attributes of what leaves the train, name -> (value, unit), before any error of an assay.

    - `purity` %: product over product, denatured product, host protein and DNA; `content` mg in a container.
    - `endotoxin` EU/mg, `host_protein` and `dna` ng/mg, `detergent` and `iptg` ug/mg, each per mg of product.
    - `virus_lrv`: decimal log reduction of enveloped virus by all inactivations that reach 1 (ICH Q5A counts no less).
    - `residual_moisture` %; `bioburden` CFU/g: what passes the sterile filter and what the filling line adds, assumed.

    Attributes that the train has no phase for (a content without filling) are left out. Raises `InputError` without
    steps or without product.
    """
    if not steps or steps[-1].outlet.masses.get("product", 0.0) <= 0:
        raise InputError("the downstream train yields no product", remedy="Check its steps and their yields.")
    last = steps[-1].outlet
    figures = attributes(last)
    names = ("purity", "endotoxin", "host_protein", "dna", "detergent", "iptg")
    found = {name: figures[name] for name in names if name in figures}
    found["residual_moisture"] = (100.0 * last.masses.get("water", 0.0) / last.mass, "%")
    killed = [step.performance["virus_lrv"][0] for step in steps if "virus_lrv" in step.performance]
    if killed:
        found["virus_lrv"] = (sum(value for value in killed if value >= SMALLEST_LRV), "")
    fills = [step for step in steps if step.kind == "fill"]
    if fills:
        found["content"] = fills[-1].performance["content"]
    found["bioburden"] = (_bioburden(steps), "CFU/g")
    assert all(math.isfinite(value) for value, _ in found.values())
    return found


def _bioburden(steps: Sequence[StepResult]) -> float:
    """CFU per g of what is filled."""
    filtered = [step for step in steps if step.kind == "sterile_filter"]
    if filtered:
        dry = sum(value for name, value in filtered[-1].outlet.masses.items() if name != "water")
        per_mL = filtered[-1].performance["bioburden"][0]
        total = per_mL * filtered[-1].outlet.volume * 1000.0 / dry if dry > 0 else 0.0
    else:
        before = steps[0].inlets[0]
        total = UNFILTERED * before.volume * 1000.0 / steps[-1].outlet.mass
    for step in steps:
        if step.kind == "fill" and step.performance["mass"][0] > 0:
            total += step.performance["bioburden_per_container"][0] / (step.performance["mass"][0] / 1000.0)
    return total
