"""Vectors made at scale: one recipe in several vessels, where transfection gives most full capsids; simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from seedtrain.base import InputError, Progress, silent
from seedtrain.base import translate as _
from seedtrain.quantity import Quantity
from seedtrain.recipe import MasterRecipe, at_scale
from seedtrain.report import Block, Cell, Column, KeyFigure, KeyFigures, Notice, Page, Table
from seedtrain.simulation import Culture, Run, StirredTank, simulate

FILL: Final = 0.8
"""Charged volume over the largest working volume: what is fed still fits."""
MIX: Final = "transfection-mix"
PLASMIDS: Final = ("rep_cap_plasmid", "vector_plasmid", "helper_plasmid")
FULL, PRODUCT = "full_particles", "product"
EMPTY: Final = ("empty_capsids", "primed_capsids")
"""What the other capsids of a culture are known as."""
CLOSE: Final = 0.9
"""Share of the best full particles per litre that still counts as the window (assumed)."""


@dataclass(frozen=True)
class Batch:
    """One simulated batch.

    - `charged`, `volume`: L at its start and end; `hours`; `oxygen`: least dissolved oxygen, % of air saturation.
    - `product`: per litre of broth at its end, in `unit`; `full`: share of full capsids, or `None`.
    """

    vessel: str
    charged: float
    volume: float
    hours: float
    oxygen: float
    product: float
    unit: str
    full: float | None
    events: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "vessel": self.vessel,
            "charged_l": self.charged,
            "volume_l": self.volume,
            "hours": self.hours,
            "least_oxygen_percent": self.oxygen,
            "product": self.product,
            "unit": self.unit,
            "full_fraction": self.full,
            "events": list(self.events),
            "origin": "simulated",
        }


@dataclass(frozen=True)
class Point:
    """One setting of a transfection: dose and ratio over the recipe's, hours after it, and what came of it."""

    dose: float
    ratio: float
    hours: float
    full_per_litre: float
    capsids_per_litre: float

    @property
    def full(self) -> float:
        """Share of the capsids that are full."""
        return self.full_per_litre / self.capsids_per_litre if self.capsids_per_litre > 0 else 0.0

    def to_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "dose": self.dose,
            "vector_over_rep_cap": self.ratio,
            "hours": self.hours,
            "full_per_litre": self.full_per_litre,
            "capsids_per_litre": self.capsids_per_litre,
            "full_fraction": self.full,
            "origin": "simulated",
        }


def run_at(master: MasterRecipe, culture: Culture, vessel: StirredTank, *, fill: float = FILL) -> Run:
    """The recipe in a vessel, filled to `fill` of its largest working volume.

    Stirrer speed, aeration and pressure that the vessel cannot give are set to the nearest that it can.
    """
    limits = {"stirrer_speed": vessel.stirrer_speed, "aeration": vessel.aeration, "head_pressure": vessel.head_pressure}
    units = {"stirrer_speed": "1/min", "aeration": "vvm", "head_pressure": "bar"}
    changed: dict[tuple[str, str], Any] = {}
    for item in master.phases():
        for name, (low, high) in limits.items():
            asked = item.phase.quantity(name)
            if asked is not None:
                value = asked.magnitude(units[name])
                if not low <= value <= high:
                    changed[item.path, name] = Quantity(min(max(value, low), high), units[name])
    volume = Quantity(fill * vessel.working_volume[1], "L")
    control = at_scale(master, unit=vessel.name, volume=volume, set_points=changed)
    return simulate(culture, vessel, control.recipe)


def simulate_scales(
    master: MasterRecipe, culture: Culture, vessels: Sequence[StirredTank], *, progress: Progress = silent
) -> tuple[Batch, ...]:
    """One batch in each vessel, the smallest first."""
    found = []
    for index, vessel in enumerate(sorted(vessels, key=lambda item: item.working_volume[1])):
        progress(index / len(vessels), vessel.name)
        found.append(_batch(run_at(master, culture, vessel), culture, vessel))
    return tuple(found)


def _batch(run: Run, culture: Culture, vessel: StirredTank) -> Batch:
    full = None
    symbol = _symbol(culture, FULL) or _symbol(culture, PRODUCT)
    if symbol is None:
        raise InputError(
            f"the culture {culture.name} makes nothing that is known as {PRODUCT} or {FULL}",
            remedy="Give one of its species that name (known_as).",
        )
    if _symbol(culture, FULL):
        capsids = _capsids(run, culture, float(run.time[-1]))
        full = run.final(symbol) / capsids if capsids > 0 else 0.0
    words = tuple(f"{item.time:.1f} h {item.words}" for item in run.events if item.kind == "oxygen_limited")
    return Batch(
        vessel.name,
        FILL * vessel.working_volume[1],
        run.final("V"),
        float(run.time[-1]),
        float(np.min(run["DO_percent"])),
        run.final(symbol),
        run.variables[symbol].unit,
        full,
        words,
    )


def _symbol(culture: Culture, known_as: str) -> str | None:
    return next((symbol for symbol, item in culture.species.items() if item.known_as == known_as), None)


def _capsids(run: Run, culture: Culture, time: float) -> float:
    """All capsids per litre, full ones included."""
    symbols = [_symbol(culture, name) for name in (*EMPTY, FULL)]
    return sum(run.at(symbol, time) for symbol in symbols if symbol is not None)


def transfection_window(
    master: MasterRecipe,
    culture: Culture,
    vessel: StirredTank,
    *,
    doses: Sequence[float],
    ratios: Sequence[float],
    hours: Sequence[float],
    progress: Progress = silent,
) -> tuple[Point, ...]:
    """Full capsids and all capsids per litre over dose, ratio of plasmids and time of harvest.

    - `doses`: DNA over the recipe's. `ratios`: copies of vector over copies of Rep/Cap, over the recipe's, at the same
      total mass of DNA. `hours`: after transfection; the recipe's last phase must last as long.

    Raises `InputError` where the recipe has no `transfection-mix` of the three plasmids, or ends too early.
    """
    if MIX not in master.materials or any(name not in master.materials[MIX] for name in PLASMIDS):
        raise InputError(
            f"the recipe has no material {MIX} of {', '.join(PLASMIDS)}",
            position=master.position(""),
            remedy="Name the material and its plasmids so.",
        )
    symbol = _symbol(culture, FULL)
    if symbol is None:
        raise InputError(f"the culture {culture.name} makes nothing known as {FULL}", remedy="Give a culture of AAV.")
    settings = [(dose, ratio) for dose in doses for ratio in ratios]
    found: list[Point] = []
    for index, (dose, ratio) in enumerate(settings):
        progress(index / len(settings), f"dose {dose:g}, ratio {ratio:g}")
        run = run_at(_dosed(master, dose, ratio), culture, vessel)
        began = max(item.start for item in run.phases if item.path.endswith("/produce") or len(run.phases) == 1)
        for late in hours:
            if began + late > float(run.time[-1]) + 1e-6:
                raise InputError(
                    f"{late:g} h after transfection lie past the end of the recipe at {run.time[-1] - began:g} h",
                    remedy="Let the last phase last longer.",
                )
            found.append(Point(dose, ratio, late, run.at(symbol, began + late), _capsids(run, culture, began + late)))
    return tuple(found)


def _dosed(master: MasterRecipe, dose: float, ratio: float) -> MasterRecipe:
    """`ratio` moves DNA between vector and Rep/Cap; the total mass of the three is `dose` times the recipe's."""
    weights = {"rep_cap_plasmid": ratio**-0.5, "vector_plasmid": ratio**0.5, "helper_plasmid": 1.0}
    held = {name: master.materials[MIX][name].magnitude("mg/L") for name in PLASMIDS}
    scale = dose * sum(held.values()) / sum(weights[name] * held[name] for name in PLASMIDS)
    for name in PLASMIDS:
        master = master.with_value(f"materials/{MIX}", name, Quantity(scale * weights[name] * held[name], "mg/L"))
    return master


def best_points(points: Sequence[Point]) -> tuple[Point, ...]:
    """The window: points within `CLOSE` of most full capsids per litre, those with the highest share of full first."""
    most = max(item.full_per_litre for item in points)
    close = [item for item in points if item.full_per_litre >= CLOSE * most]
    return tuple(sorted(close, key=lambda item: (-item.full, -item.full_per_litre, item.dose, item.ratio, item.hours)))


def at_edge(points: Sequence[Point]) -> tuple[str, ...]:
    """In which directions the best point lies at the end of what was tried: there the window is open."""
    best = max(points, key=lambda item: item.full_per_litre)
    tried = {
        "dose": ([item.dose for item in points], best.dose),
        "ratio": ([item.ratio for item in points], best.ratio),
        "hours": ([item.hours for item in points], best.hours),
    }
    return tuple(
        name for name, (values, value) in tried.items() if len(set(values)) > 1 and value in (min(values), max(values))
    )


def pareto(points: Sequence[Point]) -> tuple[Point, ...]:
    """Points that no other beats in both full capsids per litre and share of full, by full capsids per litre."""
    found = [
        item
        for item in points
        if not any(
            other.full_per_litre >= item.full_per_litre
            and other.full >= item.full
            and (other.full_per_litre, other.full) != (item.full_per_litre, item.full)
            for other in points
        )
    ]
    return tuple(sorted(found, key=lambda item: -item.full_per_litre))


def window_page(name: str, culture: Culture, points: Sequence[Point]) -> Page:
    """The window, its frontier, and every point."""
    best, open_to = best_points(points)[0], ", ".join(at_edge(points))
    blocks: list[Block] = [
        KeyFigures(
            [
                KeyFigure(_("Full capsids per litre"), f"{best.full_per_litre:.3g}"),
                KeyFigure(_("Full capsids, %"), f"{100 * best.full:.3g}"),
                KeyFigure(_("Hours after transfection"), f"{best.hours:g}"),
            ]
        ),
        Table(_heads(), list(_rows(best_points(points))), caption=_("Within 90 % of most full capsids per litre")),
        Table(_heads(), list(_rows(pareto(points))), caption=_("What no other point beats in both")),
        Table(_heads(), list(_rows(points)), caption=_("Every point"), small=True),
    ]
    if open_to:
        words = _("The best point lies at the end of what was tried: {names}. The window is open there.")
        blocks.insert(1, Notice(words.format(names=open_to), kind="warning"))
    return Page(
        title=name,
        subtitle=_("Where transfection gives most full capsids"),
        label=_("Process window"),
        mark=_("simulated"),
        facts=[(_("Culture"), culture.name), (_("Status"), culture.status)],
        blocks=blocks,
    )


def _heads() -> list[Column]:
    names = [_("Dose"), _("Vector over Rep/Cap"), _("Hours"), _("Full per litre"), _("Capsids per litre"), _("Full, %")]
    return [Column(item, "right") for item in names]


def _rows(points: Sequence[Point]) -> Iterator[list[str | Cell]]:
    for item in points:
        yield [
            f"{item.dose:g}",
            f"{item.ratio:g}",
            f"{item.hours:g}",
            f"{item.full_per_litre:.3g}",
            f"{item.capsids_per_litre:.3g}",
            f"{100 * item.full:.2f}",
        ]
