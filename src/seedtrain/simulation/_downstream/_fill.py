"""Fill into containers."""

from __future__ import annotations

import dataclasses
import math
from typing import Final

from seedtrain.simulation._downstream._mix import part
from seedtrain.simulation._downstream._operation import Carry, Operation, Settings, assumed
from seedtrain.simulation._downstream._result import course, result
from seedtrain.simulation._stream import StepResult

LEVERS: Final = (
    assumed("run_time", 6.0, 2.0, 12.0, "h", "assumed: the line is chosen so fast that this holds"),
    assumed("energy", 2.5, 1.0, 6.0, "Wh", "assumed: electricity for each container, air flow included"),
    assumed(
        "bioburden_per_container", 1e-4, 1e-6, 1e-3, "CFU", "assumed: about one media-fill positive in ten thousand"
    ),
)


def run(settings: Settings, carry: Carry) -> tuple[StepResult, Carry]:
    """Containers of `mass` g each; the loss on the line is waste. The last container takes what is left for it."""
    bulk, mass = carry.stream, settings.number("mass")
    filled, rest = part(bulk, ("filled containers", "left on the line"), 1.0 - settings.number("loss", 0.0) / 100.0)
    whole = math.floor(filled.mass / mass + 1e-9)
    last = max(filled.mass - whole * mass, 0.0)
    count = whole + (last > 1e-9 * mass)
    in_one = mass if whole else last
    content = filled.masses.get("product", 0.0) / filled.mass * in_one * 1000.0 if filled.mass > 0 else 0.0
    needed = count / settings.lever("run_time")
    rate = settings.bounded("line_rate", needed)
    hours = count / rate if rate > 0 else 0.0
    number = settings.parallel("line_rate", rate)
    step = result(
        settings,
        (bulk,),
        filled,
        (rest,),
        hours,
        materials={settings.word("container"): (float(count), "")},
        utilities={"electricity": (settings.lever("energy") * count / 1000.0, "kWh")},
        equipment={"line_rate": (rate / number, "1/h"), "parallel": (float(number), "")},
        trajectory=course(hours, containers=lambda time: float(math.floor(rate * time + 1e-9))) if hours > 0 else None,
        performance={
            "mass": (in_one * 1000.0, "mg"),
            "containers": (float(count), ""),
            "last_container": (last * 1000.0, "mg"),
            "content": (content, "mg"),
            "residual_moisture": (_moisture(filled.mass, filled.masses.get("water", 0.0)), "%"),
            "bioburden_per_container": (settings.lever("bioburden_per_container"), "CFU"),
        },
    )
    return step, dataclasses.replace(carry, stream=filled)


def _moisture(total: float, water: float) -> float:
    return 100.0 * water / total if total > 0 else 0.0


FILL: Final = Operation("fill", {"mass": "g", "loss": "%"}, ("container",), LEVERS, run)
