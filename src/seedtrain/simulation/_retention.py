"""Whether a vessel's retention device can do what the phases of a recipe ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seedtrain.base import InputError, SeedtrainError, collect
from seedtrain.recipe import MasterRecipe
from seedtrain.simulation._plan import Segment
from seedtrain.simulation._vessel import StirredTank, Vessel, WaveBag


def check_retention(vessel: Vessel, recipe: MasterRecipe, segments: Iterable[Segment]) -> None:
    """Refuse perfusion beyond the vessel's device, every phase at once with its place.

    A vessel that tells of no device is taken at the recipe's word.
    """
    if not isinstance(vessel, StirredTank | WaveBag) or vessel.retention is None:
        return
    errors: list[SeedtrainError] = []
    for segment in segments:
        if segment.do == "perfuse":
            errors += (
                InputError(
                    f"{segment.path}: {what}, and the device of {vessel.name} {can}",
                    position=recipe.position(segment.path),
                    remedy=remedy,
                )
                for what, can, remedy in _faults(vessel, segment)
            )
    collect(errors)


def _faults(vessel: StirredTank | WaveBag, segment: Segment) -> Iterator[tuple[str, str, str]]:
    device, outflow = vessel.retention, segment.outflow
    assert device is not None
    assert outflow is not None
    for name, wanted, most in (
        ("cells", outflow.keep, device.cells),
        ("product", outflow.keep_product, device.product),
    ):
        if wanted is not None and wanted > most * (1 + 1e-9):  # None: what the device keeps
            words = f"{wanted:.4g} of the {name} is to stay", f"keeps {most:.4g}"
            yield (*words, "Lower it in the recipe, or choose a vessel with a tighter device.")
    fed = segment.feed[1] if segment.feed else 0.0
    harvest = max(fed - outflow.bleed, 0.0) if outflow.harvest is None else outflow.harvest
    low, high = device.harvest_rate
    if not low * (1 - 1e-9) <= harvest <= high * (1 + 1e-9):
        words = f"{harvest:.4g} L/h are to be harvested", f"passes {low:g} .. {high:g} L/h"
        yield (*words, "Change the harvest rate, or choose a vessel with a larger device.")
