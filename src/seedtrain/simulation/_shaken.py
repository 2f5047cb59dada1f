"""Flasks and wells on a shaker: transfer and power at one frequency and filling, and what such a vessel cannot do."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._estimate import Estimate
from seedtrain.simulation._plan import Segment
from seedtrain.simulation._surface import flask_kLa, flask_power, well_kLa
from seedtrain.simulation._vessel import ShakeFlask, Shaken, Transfer, Vessel, Well


def shaken_transfer(vessel: Shaken, volume: float, frequency: float | None = None) -> Transfer:
    """Transfer with `volume` (L) in it, shaken at `frequency` (1/min; the vessel's highest where left out).

    A measured kLa stands as it is: nothing tells how it follows the shaking.
    """
    shaking = vessel.shaking
    if shaking is None:
        return vessel.transfer
    movement = (shaking.at(frequency), shaking.orbit, shaking.diameter)
    if isinstance(vessel, ShakeFlask):
        found = flask_kLa(*movement, volume, vessel.nominal_volume)
    else:
        found = well_kLa(*movement, volume)
    return dataclasses.replace(
        vessel.transfer,
        kLa=found.value,
        reference_volume=volume,
        in_range=found.in_range,
        source=found.source,
        status=found.status,
        spread=found.spread,
    )


def shaken_power(vessel: Shaken, volume: float, frequency: float | None = None) -> Estimate | None:
    """Power per volume that shaking brings into a flask, W/m3; None for a well, for which no correlation is kept."""
    shaking = vessel.shaking
    if shaking is None or not isinstance(vessel, ShakeFlask):
        return None
    return flask_power(shaking.at(frequency), shaking.orbit, shaking.diameter, volume, vessel.nominal_volume)


def check_shaken(vessel: Vessel, recipe: MasterRecipe, segments: Iterable[Segment]) -> None:
    """Refuse what a flask or a well cannot do, every phase at once with its place: a feed without a line, an outflow,
    a shaking frequency beyond the shaker's.
    """
    errors: list[SeedtrainError] = []
    if isinstance(vessel, ShakeFlask | Well):
        for segment in segments:
            errors += (
                InputError(f"{segment.path}: {what}", position=recipe.position(segment.path), remedy=remedy)
                for what, remedy in _faults(vessel, segment)
            )
    collect(errors)


def _faults(vessel: Shaken, segment: Segment) -> Iterator[tuple[str, str]]:
    kind, wanted = vessel.kind.replace("_", " "), segment.shaking_frequency
    if segment.do in ("perfuse", "chemostat"):
        yield f"nothing leaves {vessel.name}, a {kind}", "Run it in a vessel with a pump and a retention device."
    elif segment.feed is not None and vessel.feed_rate is None:
        yield (
            f"{vessel.name}, a {kind}, has no line that feeds",
            "Leave the feed out of the recipe, or give the vessel a feed_rate in the plant file, 0 .. 2 mL/h.",
        )
    elif segment.feed is not None and vessel.feed_rate is not None:
        low, high = vessel.feed_rate
        first, growth = segment.feed[1], segment.feed[2]
        # Most phases end sooner by their condition: only what is fed from the start on is surely asked for.
        if not low * (1 - 1e-9) <= first <= high * (1 + 1e-9) and first > 0:
            shape = " at first" if growth else ""
            yield (
                f"{first:.4g} L/h are to be fed{shape}, and the line of {vessel.name} feeds {low:g} .. {high:g} L/h",
                "Change the feed in the recipe, or the vessel's feed_rate.",
            )
    if wanted is None:
        return
    if vessel.shaking is None:
        yield (
            f"{vessel.name} has a measured kLa, which {wanted:g} 1/min does not change",
            "Give the vessel shaking_frequency, shaking_diameter and diameter instead of kLa.",
        )
    elif not math.isclose(vessel.shaking.at(wanted), wanted, rel_tol=1e-9):
        low, high = vessel.shaking.frequency
        yield (
            f"shaking_frequency {wanted:g} 1/min is outside the {low:g} .. {high:g} 1/min of {vessel.name}",
            "Change it in the recipe, or the vessel's shaking_frequency.",
        )
