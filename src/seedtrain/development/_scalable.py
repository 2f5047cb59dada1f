"""Which vessels a recipe is scaled between, and which criteria have a meaning in each."""

from __future__ import annotations

from typing import Final

from seedtrain.base import InputError
from seedtrain.simulation import ShakeFlask, StirredTank, Vessel, Well

Scalable = StirredTank | ShakeFlask | Well
"""Vessels between which agitation is carried over: from a well to a plant's tank."""
DEFAULT: Final = ("power_per_volume", "kLa")
"""What is held where nobody says: the first that has a meaning in both vessels."""
_SHAKEN: Final = ("kLa", "oxygen_transfer", "carbon_dioxide")


def scalable(vessel: Vessel) -> Scalable:
    """`vessel`, if a recipe can be scaled to it; raises `InputError` for an airlift or a bag."""
    if not isinstance(vessel, StirredTank | ShakeFlask | Well):
        kind = vessel.kind.replace("_", " ")
        raise InputError(
            f"{vessel.name} is {'an' if kind[0] in 'aeiou' else 'a'} {kind}, and agitation is not carried to one",
            remedy="Scale between stirred tanks, shake flasks and wells; simulate the recipe there instead.",
        )
    return vessel


def measured_in(vessel: Scalable, keep: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the criteria `keep` that have a meaning in `vessel`, and a source.

    A shaken vessel has no impeller tip, no gas that rises and no mixing time of a correlation kept here; power is known
    of flasks alone, and only where it is told how they are shaken.
    """
    if isinstance(vessel, StirredTank):
        return keep
    power = ("power_per_volume",) if isinstance(vessel, ShakeFlask) and vessel.shaking is not None else ()
    return tuple(name for name in keep if name in (*power, *_SHAKEN))


def can_be_kept(start: Scalable, end: Scalable, keep: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `keep` that have a meaning in both vessels and that something in `end` sets."""
    both = [name for name in measured_in(start, keep) if name in measured_in(end, keep)]
    # What leaves a shaken vessel follows from its closure, which nobody turns.
    return tuple(name for name in both if isinstance(end, StirredTank) or name != "carbon_dioxide")


def checked_keep(start: Scalable, end: Scalable, wanted: str | None, keep: tuple[str, ...]) -> str:
    """What is held: `wanted`, or the default; raises `InputError` for what is unknown or has no meaning there."""
    possible = can_be_kept(start, end, keep)
    if wanted is None:
        return next(name for name in DEFAULT if name in possible)
    if wanted not in keep:
        raise InputError(f"{wanted!r} cannot be kept", remedy=f"Use one of: {', '.join(keep)}.")
    if wanted not in possible:
        where = next((item for item in (start, end) if wanted not in measured_in(item, keep)), end)
        raise InputError(
            f"{wanted} cannot be kept between {start.name} and {end.name}: in {where.name}, a "
            f"{where.kind.replace('_', ' ')}, it has no meaning, no known source, or nothing that sets it",
            remedy=f"Use one of: {', '.join(possible)}.",
        )
    return wanted
