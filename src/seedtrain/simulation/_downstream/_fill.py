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
    assumed("run_time", 6.0, 2.0, 12.0, "h", "assumed: the line is chosen so fast that this holds"),
    assumed("energy", 2.5, 1.0, 6.0, "Wh", "assumed: electricity for each container, air flow included"),
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
    needed = count / settings.lever("run_time")
    rate = settings.bounded("line_rate", needed)
    hours = count / rate if rate > 0 else 0.0
    step = result(
        settings,
        (bulk,),
        filled,
        (rest,),
        hours,
        materials={settings.word("container"): (float(count), "")},
        utilities={"electricity": (settings.lever("energy") * count / 1000.0, "kWh")},
        equipment={"line_rate": (rate, "1/h")},
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
