"""A step's result with the figures that every step has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from seedtrain.simulation._downstream._operation import Settings, log_reduction
from seedtrain.simulation._stream import StepResult, Stream

Figures = Mapping[str, tuple[float, str]]
CONDUCTIVITY: Final = 1.4
"""mS/cm per g/L of salts, about that of phosphate with sodium chloride; assumed."""
MIXING_TIME: Final = 0.5
"""h for adding and mixing in a vessel where the recipe states no duration; assumed."""
STIRRING_POWER: Final = 0.1
"""kW/m3 in a vessel without cells, motor losses included; assumed."""


COURSE_UNITS: Final[Mapping[str, str]] = {
    "time": "h",
    "volume": "L",
    "column_volumes": "",
    "volumes": "",
    "breakthrough": "",
    "containers": "",
    "virus_lrv": "",
    "pressure": "bar",
    "product": "g/L",
    "salts": "g/L",
    "detergent_per_product": "ug/mg",
    "release": "%",
    "eluted": "%",
    "endotoxin_left": "%",
    "precipitated_product": "%",
    "precipitated_host_protein": "%",
    "host_protein_held": "g",
    "salts_held": "g",
    "dried_layer": "cm",
    "front_temperature": "degC",
    "product_temperature": "degC",
    "shelf_temperature": "degC",
}
"""Units of the columns of a step's trajectory."""


def stirring(volume: float, hours: float) -> dict[str, tuple[float, str]]:
    """Electricity of a stirrer in `volume` L."""
    return {"electricity": (STIRRING_POWER * volume / 1000.0 * hours, "kWh")}


def tanks(settings: Settings, volume: float) -> dict[str, tuple[float, str]]:
    """`volume` L in as many tanks as it takes."""
    number = settings.parallel("tank_volume", volume)
    return {"tank_volume": (volume / number, "L"), "parallel": (float(number), "")}


def course(hours: float, points: int = 41, **columns: Callable[[float], float]) -> dict[str, list[float]]:
    """Named columns over the `time` (h) of a step, each a function of the time in it."""
    times = [hours * index / (points - 1) for index in range(points)]
    return {"time": times, **{name: [column(time) for time in times] for name, column in columns.items()}}


def purity(stream: Stream) -> float:
    """Product over all protein and DNA, %; 0 without product."""
    found = [stream.masses.get(name, 0.0) for name in ("product", "denatured_product", "host_protein", "dna")]
    return 100.0 * found[0] / sum(found) if found[0] > 0 else 0.0


def per_product(stream: Stream, component: str) -> float:
    """g of `component` per g of product; 0 without product."""
    product = stream.masses.get("product", 0.0)
    return stream.masses.get(component, 0.0) / product if product > 0 else 0.0


def attributes(stream: Stream) -> dict[str, tuple[float, str]]:
    """What a sample of `stream` reads; a dried one has no volume, pH or concentration."""
    found = {
        "temperature": (stream.temperature, "degC"),
        "purity": (purity(stream), "%"),
        "host_protein": (per_product(stream, "host_protein") * 1e6, "ng/mg"),
        "dna": (per_product(stream, "dna") * 1e6, "ng/mg"),
        "detergent": (per_product(stream, "detergent") * 1e3, "ug/mg"),
        "iptg": (per_product(stream, "iptg") * 1e3, "ug/mg"),
    }
    if math.isfinite(stream.endotoxin_per_product):
        found["endotoxin"] = (stream.endotoxin_per_product, "EU/mg")
    if 2.0 * stream.masses.get("water", 0.0) > stream.mass:
        found["volume"] = (stream.volume, "L")
        found["pH"] = (stream.pH, "")
        found["conductivity"] = (CONDUCTIVITY * stream.concentration("salts"), "mS/cm")
        found["concentration"] = found["product"] = (stream.concentration("product"), "g/L")
        for name in ("glucose", "acetate"):
            found[name] = (stream.concentration(name), "g/L")
    return found


def result(
    settings: Settings,
    inlets: Sequence[Stream],
    outlet: Stream,
    wastes: Sequence[Stream],
    duration: float,
    *,
    materials: Figures | None = None,
    utilities: Figures | None = None,
    performance: Figures | None = None,
    equipment: Figures | None = None,
    trajectory: Mapping[str, Sequence[float]] | None = None,
    sources: Sequence[str] = (),
    converted: Mapping[str, float] | None = None,
    inactivated: float = 0.0,
) -> StepResult:
    """The result of a phase whose first inlet is the stream of the phase before; the recipe's duration wins."""
    came, left = inlets[0], outlet
    product = came.masses.get("product", 0.0)
    step_yield = min(1.0, left.masses.get("product", 0.0) / product) if product > 0 else 0.0
    figures = attributes(outlet)
    figures["step_yield"] = (100.0 * step_yield, "%")
    figures.update(performance or {})
    return StepResult(
        path=settings.path,
        kind=settings.kind,
        inlets=tuple(inlets),
        outlet=outlet,
        wastes=tuple(waste for waste in wastes if waste.masses or waste.endotoxin or waste.volume > 0),
        duration=duration if settings.duration is None else settings.duration,
        step_yield=step_yield,
        endotoxin_lrv=log_reduction(came.endotoxin, left.endotoxin),
        materials=dict(materials or {}),
        utilities=dict(utilities or {}),
        performance=figures,
        equipment=dict(equipment or {}),
        trajectory={name: tuple(float(value) for value in values) for name, values in (trajectory or {}).items()},
        sources=tuple(dict.fromkeys(sources)),
        converted=dict(converted or {}),
        inactivated=inactivated,
    )
