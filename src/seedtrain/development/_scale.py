"""The same culture and recipe in another vessel: agitation, limits, runs, downstream train, tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seedtrain.base import InputError, Progress, part, silent
from seedtrain.development._agitation import Agitation, Operating, match
from seedtrain.development._carried import agitation_set_points, reference
from seedtrain.development._feed import LOWEST_FACTOR, SEARCH_TOLERANCE, FeedLimit, fed_at, largest_feed, margins
from seedtrain.development._scalable import Scalable, scalable
from seedtrain.development._tables import SeedRow, YieldRow, rows_to_data, seed_table, yield_table
from seedtrain.development._transfer import Transfer, transfer
from seedtrain.development._volumes import plan
from seedtrain.quantity import Quantity
from seedtrain.recipe import ControlRecipe, MasterRecipe, SeedUnit, at_scale
from seedtrain.simulation import (
    Culture,
    Run,
    StepResult,
    Stream,
    Vessel,
    broth,
    product_quality,
    run_train,
    simulate,
    simulate_seed_train,
)

SEARCH_RTOL: Final = 1e-4
"""Relative tolerance of the integrations that only look for the largest feed."""


@dataclass(frozen=True)
class ScaleResult:
    """One batch in one vessel, from the vial to the filled container.

    - `control`: the recipe at this scale, with matched agitation and, where a limit is passed, the lowered feed.
    - `seeds` with `seed_vessels` from the flask up, `production` the run at the feed of `control`.
    - `feed`: which limit the recipe's own feed passes, the largest feed, and what titre it costs.
    - `broth` and `steps`: what is harvested and what the downstream train makes of it; `product` g leave the last step
      with the attributes `quality` (name -> value, unit).
    """

    vessel: Scalable
    control: ControlRecipe
    agitation: Agitation
    transfer: Transfer
    feed: FeedLimit
    seed_vessels: tuple[Vessel, ...]
    seeds: tuple[Run, ...]
    production: Run
    broth: Stream
    steps: tuple[StepResult, ...]
    quality: Mapping[str, tuple[float, str]]

    @property
    def unit(self) -> str:
        """Name of the vessel."""
        return self.vessel.name

    @property
    def limited_by(self) -> str:
        """What the recipe's own feed runs into: oxygen, cooling or none."""
        return self.feed.limited_by

    @property
    def titre(self) -> float:
        """Product at the end of production, g/L of broth."""
        return self.production.totals["titre"][0]

    @property
    def product(self) -> float:
        """Product that leaves the last step, or the culture where nothing is purified, g."""
        last = self.steps[-1].outlet if self.steps else self.broth
        return last.masses.get("product", 0.0)

    @property
    def seed_train(self) -> tuple[SeedRow, ...]:
        """One row per culture, from the flask to production."""
        return seed_table((*self.seeds, self.production))

    @property
    def mass_yield(self) -> tuple[YieldRow, ...]:
        """One row per downstream step, after one for the broth."""
        return yield_table(self.control.recipe, self.broth, self.steps)

    def summary(self) -> dict[str, Any]:
        """The figures and tables, JSON-ready, without trajectories."""
        return {
            "unit": self.unit,
            "volume_charged_L": self.control.volume.magnitude("L"),
            "volume_harvested_L": self.broth.volume,
            "ratio": self.control.ratio,
            "control_digest": self.control.digest,
            "agitation": self.agitation.to_data(),
            "transfer": self.transfer.to_data(),
            "feed": self.feed.to_data(),
            "limited_by": self.limited_by,
            "titre": self.titre,
            "product_g": self.product,
            "quality": {name: list(pair) for name, pair in self.quality.items()},
            "seed_train": rows_to_data(self.seed_train),
            "mass_yield": rows_to_data(self.mass_yield),
        }


def scale(
    culture: Culture,
    vessels: Mapping[str, Vessel],
    master: MasterRecipe,
    *,
    targets: Sequence[str],
    keep: str | None = None,
    start: str | None = None,
    molar_mass: float = 44.8,
    progress: Progress = silent,
) -> tuple[ScaleResult, ...]:
    """`master` in each of the vessels `targets`, by simulation.

    - `vessels`: every vessel of the plant by name, with the seed vessels that the targets name and the basis vessel.
      Targets are stirred tanks, shake flasks or wells.
    - `keep`: what agitation holds between the basis vessel, or `start`, and a target: one of `KEEP`; None: power per
      volume, or kLa where power is not known. How `start` itself is run follows from the basis vessel likewise.
    - `molar_mass`: of the product, kDa, for ultrafiltration.

    Raises `InputError` for an unknown vessel or criterion, a seed vessel that is too small, and what the recipe cannot
    run in a vessel.
    """
    basis = _vessel(vessels, master.basis_unit)
    origin = (basis, reference(master, basis))
    if start is not None and start != basis.name:
        tank = _vessel(vessels, start)
        origin = (tank, match(*origin, tank, plan(master, tank, vessels).volume, None).scaled)
    found = []
    for number, name in enumerate(targets):
        report = part(progress, number / len(targets), (number + 1) / len(targets))
        found.append(_one(culture, vessels, master, origin, _vessel(vessels, name), keep, molar_mass, report))
    return tuple(found)


def _vessel(vessels: Mapping[str, Vessel], name: str) -> Scalable:
    vessel = vessels.get(name)
    if vessel is None:
        raise InputError(f"the plant has no vessel {name!r}", remedy=f"Use one of: {', '.join(vessels)}.")
    return scalable(vessel)


@dataclass(frozen=True)
class _Frame:
    """One vessel with its seed train run: what the search for the largest feed and the final run share."""

    culture: Culture
    master: MasterRecipe
    tank: Scalable
    volume: Quantity
    seed_units: tuple[SeedUnit, ...]
    agitated: Mapping[tuple[str, str], Quantity | None]
    seeds: tuple[Run, ...] = ()

    def control(self, more: Mapping[tuple[str, str], Quantity] | None = None) -> ControlRecipe:
        """The control recipe with matched agitation and the set points `more`."""
        points = {**self.agitated, **(more or {})}
        return at_scale(self.master, unit=self.tank.name, volume=self.volume, seeds=self.seed_units, set_points=points)

    def run(self, control: ControlRecipe, rtol: float = 1e-6) -> Run:
        """Production after `control`."""
        return simulate(
            self.culture,
            self.tank,
            control.recipe,
            unit_procedure=control.recipe.production.name,
            inoculum=self.seeds[-1] if self.seeds else None,
            rtol=rtol,
        )


def _one(
    culture: Culture,
    vessels: Mapping[str, Vessel],
    master: MasterRecipe,
    origin: tuple[Scalable, Operating],
    tank: Scalable,
    keep: str | None,
    molar_mass: float,
    progress: Progress,
) -> ScaleResult:
    volumes = plan(master, tank, vessels)
    basis = _vessel(vessels, master.basis_unit)
    volume = master.basis_volume if tank is basis else Quantity(volumes.volume, "L")
    agitation = match(*origin, tank, volumes.volume, keep)
    points = agitation_set_points(master, basis, tank, agitation.scaled)
    frame = _Frame(culture, master, tank, volume, volumes.seeds, points)
    progress(0.05, f"{tank.name}: seed train")
    seeds = simulate_seed_train(culture, vessels, frame.control())
    frame = dataclasses.replace(frame, seeds=seeds)
    control, production, limit = _within_limits(frame, part(progress, 0.1, 0.9))
    progress(0.9, f"{tank.name}: downstream")
    harvested = broth(production, culture)
    purified = control.recipe.unit_procedures[-1] is not control.recipe.production
    steps = run_train(control.recipe, harvested, molar_mass=molar_mass) if purified else ()
    progress(1.0, tank.name)
    return ScaleResult(
        vessel=tank,
        control=control,
        agitation=agitation,
        transfer=transfer(tank, control.recipe, production, agitation.scaled.speed),
        feed=limit,
        seed_vessels=tuple(vessels[seed.name] for seed in volumes.seeds),
        seeds=seeds,
        production=production,
        broth=harvested,
        steps=steps,
        quality=product_quality(steps) if steps else {},
    )


def _within_limits(frame: _Frame, progress: Progress) -> tuple[ControlRecipe, Run, FeedLimit]:
    """The control recipe whose feed keeps the limits, its run, and what the search found."""
    first = frame.control().recipe

    def simulated(factors: Mapping[str, float]) -> Run:
        return frame.run(frame.control(fed_at(first, factors)), SEARCH_RTOL)

    limit = largest_feed(simulated, first, progress=part(progress, 0.0, 0.9))
    progress(0.9, f"{frame.tank.name}: production")
    while True:
        control = frame.control(fed_at(first, limit.factors))
        run = frame.run(control)
        kept = margins(run, control.recipe)
        limit = dataclasses.replace(limit, limited=kept, titre=run.totals["titre"][0])
        lowered = {path: factor for path, factor in limit.factors.items() if factor > LOWEST_FACTOR}
        if kept.smallest >= 0 or not lowered or 0.0 in limit.factors.values():
            return control, run, limit
        # The search integrates loosely, and what it found may miss the limit by a hair.
        less = {path: factor * (1.0 - SEARCH_TOLERANCE / 2) for path, factor in lowered.items()}
        limit = dataclasses.replace(limit, factors={**limit.factors, **less})
