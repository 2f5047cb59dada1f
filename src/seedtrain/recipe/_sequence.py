"""The order of a procedure: what runs next, and where it waits for a signature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from seedtrain.recipe._order import earlier
from seedtrain.recipe._phase import PhaseAt
from seedtrain.recipe._recipe import MasterRecipe


@dataclass(frozen=True)
class HoldPoint:
    """A completed phase after which nothing that follows it runs until someone signs; `words` say what is released."""

    path: str
    words: str


def hold_points(recipe: MasterRecipe) -> tuple[HoldPoint, ...]:
    """Every hold point of the recipe, in the order of the procedure."""
    return tuple(HoldPoint(place.path, place.phase.hold_point) for place in recipe.phases() if place.phase.hold_point)


def next_phases(
    recipe: MasterRecipe, completed: Collection[str], signed: Collection[str] = ()
) -> tuple[PhaseAt | HoldPoint, ...]:
    """What may come next, in the order of the procedure: phases to start or that run, one a branch at most, and hold
    points that wait for their signature; empty at the end. Without `after` in the recipe that is one thing.

    - `completed`: paths of the phases that are done; `signed`: paths of the hold points that are signed.

    Raises `InputError` for a phase that the recipe lacks, or that was completed before its turn.
    """
    done = set(completed)
    for path in sorted(done):
        recipe.phase(path)
    waiting = {item.path for item in hold_points(recipe) if item.path in done and item.path not in signed}
    found: list[PhaseAt | HoldPoint] = []
    for place in recipe.phases():
        before = earlier(recipe, place.path)
        missing, unsigned = before - done, before & waiting
        if place.path in done:
            if missing or unsigned:
                raise _too_early(recipe, place, missing, unsigned)
            if place.path in waiting:
                found.append(HoldPoint(place.path, place.phase.hold_point))
        elif not missing and not unsigned:
            found.append(place)
    return tuple(found)


def _too_early(recipe: MasterRecipe, place: PhaseAt, missing: Collection[str], unsigned: Collection[str]) -> Exception:
    first = next((item.path for item in recipe.phases() if item.path in missing), "")
    before = first or f"the signature of {next(item.path for item in recipe.phases() if item.path in unsigned)}"
    return recipe.error(place.path, "", f"it was completed before {before}", remedy="Keep to the order.")


def next_phase(
    recipe: MasterRecipe, completed: Collection[str], signed: Collection[str] = ()
) -> PhaseAt | HoldPoint | None:
    """The first of `next_phases`, or None at the end: what comes next where one thing is done after another."""
    return next(iter(next_phases(recipe, completed, signed)), None)
