"""The order of a procedure: what runs next, and where it waits for a signature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from seedtrain.recipe._phase import PhaseAt
from seedtrain.recipe._recipe import MasterRecipe


@dataclass(frozen=True)
class HoldPoint:
    """A completed phase after which nothing runs until someone signs; `words` say what is released."""

    path: str
    words: str


def hold_points(recipe: MasterRecipe) -> tuple[HoldPoint, ...]:
    """Every hold point of the recipe, in the order of the procedure."""
    return tuple(HoldPoint(place.path, place.phase.hold_point) for place in recipe.phases() if place.phase.hold_point)


def next_phase(
    recipe: MasterRecipe, completed: Collection[str], signed: Collection[str] = ()
) -> PhaseAt | HoldPoint | None:
    """What comes next: a phase to start, a hold point that waits for its signature, or None at the end.

    - `completed`: paths of the phases that are done; `signed`: paths of the hold points that are signed.

    Raises `InputError` for a phase that the recipe lacks, or that was completed before its turn.
    """
    done = set(completed)
    for path in sorted(done):
        recipe.phase(path)
    following: PhaseAt | None = None
    waiting: HoldPoint | None = None
    for place in recipe.phases():
        if place.path not in done:
            following = following or place
        elif following or waiting:
            before = following.path if following else f"the signature of {waiting.path if waiting else ''}"
            raise recipe.error(place.path, "", f"it was completed before {before}", remedy="Keep to the order.")
        elif place.phase.hold_point and place.path not in signed:
            waiting = HoldPoint(place.path, place.phase.hold_point)
    return waiting or following
