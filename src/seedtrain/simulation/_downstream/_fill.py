"""Fill into containers."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import part
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed
from seedtrain.simulation._downstream._result import result
from seedtrain.simulation._stream import StepResult

LEVERS: Final = (
    assumed("fill_rate", 2000.0, 500.0, 12000.0, "1/h", "assumed: containers an hour"),
    assumed("line_power", 5.0, 2.0, 20.0, "kW", "assumed: filling line with its air flow"),
    assumed(
        "bioburden_per_container", 1e-4, 1e-6, 1e-3, "CFU", "assumed: about one media-fill positive in ten thousand"
    ),
)


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Whole containers of `mass` g each; the loss on the line and what fills no container are waste."""
    bulk, mass = carry.stream, settings.number("mass")
    available = bulk.mass * (1.0 - settings.number("loss", 0.0) / 100.0)
    count = math.floor(available / mass + 1e-9)
    share = min(1.0, count * mass / bulk.mass) if bulk.mass > 0 else 0.0
    filled, rest = part(bulk, ("filled containers", "left on the line"), share)
    content = filled.masses.get("product", 0.0) / count * 1000.0 if count else 0.0
    hours = count / settings.lever("fill_rate")
    step = result(
        settings,
        (bulk,),
        filled,
        (rest,),
        hours,
        materials={settings.word("container"): (float(count), "")},
        utilities={"electricity": (settings.lever("line_power") * hours, "kWh")},
        performance={
            "mass": (mass * 1000.0, "mg"),
            "containers": (float(count), ""),
            "content": (content, "mg"),
            "residual_moisture": (_moisture(filled.mass, filled.masses.get("water", 0.0)), "%"),
            "bioburden_per_container": (settings.lever("bioburden_per_container"), "CFU"),
        },
    )
    return step, dataclasses.replace(carry, stream=filled)


def _moisture(total: float, water: float) -> float:
    return 100.0 * water / total if total > 0 else 0.0


FILL: Final = Operation("fill", {"mass": "g", "loss": "%"}, ("container",), LEVERS, run)
