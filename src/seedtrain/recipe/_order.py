"""Which phases come before which: what a procedure says with the order of its list and with `after`.

`after` names only what stands above, so that the order of the list is always one order in which a batch can be run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from seedtrain.recipe._phase import PhaseAt, UnitProcedure
from seedtrain.recipe._recipe import MasterRecipe


@lru_cache(maxsize=32)
def _earlier(procedures: Procedures) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    ends: dict[str, frozenset[str]] = {}
    above: frozenset[str] = frozenset()
    for procedure in procedures.all:
        done = above if procedure.after is None else _joined(ends, procedure.after)
        for operation in procedure.operations:
            done |= _joined(ends, operation.after)
            for phase in operation.phases:
                path = f"{procedure.name}/{operation.name}/{phase.name}"
                found[path] = done
                done |= {path}
            ends[f"{procedure.name}/{operation.name}"] = done
        ends[procedure.name] = done
        above |= done
    return found


class Procedures:
    """Unit procedures as the key of a cache: the same objects are the same key."""

    def __init__(self, all: tuple[UnitProcedure, ...]) -> None:
        self.all = all

    def __hash__(self) -> int:
        return id(self.all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Procedures) and self.all is other.all


def _joined(ends: Mapping[str, frozenset[str]], names: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(ends[name] for name in names))


def earlier(recipe: MasterRecipe, path: str) -> frozenset[str]:
    """Paths of all phases that are complete before the phase at `path` begins; `InputError` for an unknown path."""
    recipe.phase_at(path)
    return _earlier(Procedures(recipe.unit_procedures))[path]


def directly_before(recipe: MasterRecipe, path: str) -> tuple[PhaseAt, ...]:
    """The last ones of `earlier`: those that no other of them comes after, in the order of the procedure.

    In a procedure without `after` that is the phase before, or nothing.
    """
    found = earlier(recipe, path)
    further = frozenset[str]().union(*(earlier(recipe, item) for item in found))
    return tuple(place for place in recipe.phases() if place.path in found - further)


def beside(recipe: MasterRecipe, name: str) -> tuple[str, ...]:
    """Names of the unit procedures that may run at the same time as this one; none where there is no `after`."""
    return beside_in(recipe.unit_procedures, name)


def beside_in(procedures: tuple[UnitProcedure, ...], name: str) -> tuple[str, ...]:
    """`beside`, of procedures that are no recipe yet."""
    found = _earlier(Procedures(procedures))
    paths = {item.name: _paths(item) for item in procedures}
    order = list(paths)

    def waits(later: str, before: str) -> bool:
        return set(paths[before]) <= found[paths[later][0]]

    return tuple(
        other
        for other in order
        if other != name and not (waits(name, other) if order.index(other) < order.index(name) else waits(other, name))
    )


def holds_alone(recipe: MasterRecipe, procedure: UnitProcedure) -> bool:
    """Whether a hold of this unit procedure leaves the rest of the batch running."""
    return procedure.holds != "batch" and bool(beside(recipe, procedure.name))


def _paths(procedure: UnitProcedure) -> list[str]:
    return [
        f"{procedure.name}/{operation.name}/{phase.name}"
        for operation in procedure.operations
        for phase in operation.phases
    ]
