"""Whether what `after` names stands above, and whether what may run at the same time has a unit each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from seedtrain.base import Location
from seedtrain.recipe._faults import Faults
from seedtrain.recipe._kinds import NEAREST, closest
from seedtrain.recipe._order import beside_in
from seedtrain.recipe._phase import Operation, Phase, UnitProcedure


def check_order(faults: Faults, data: dict[str, Any]) -> None:
    """Note every `after` that names what does not stand above it, and units that two unit procedures need at once."""
    above: list[str] = []
    good = True
    for index, procedure in items(data, "procedure"):
        name, own = procedure.get("unit_procedure"), []
        good &= _known(faults, ("procedure", index, "after"), procedure.get("after"), above)
        for number, operation in items(procedure, "operations"):
            place: Location = ("procedure", index, "operations", number, "after")
            good &= _known(faults, place, operation.get("after"), above)
            own.append(f"{name}/{operation.get('operation')}")
        above += [str(name), *own]
    if good:
        _check_beside(faults, data)


def _known(faults: Faults, place: Location, names: Any, above: list[str]) -> bool:
    """Whether all of `names` stand above."""
    good = True
    for number, name in enumerate(names if isinstance(names, list) else ()):
        if not isinstance(name, str) or name.strip() in above:
            continue
        near = ", ".join(closest(name, above)[:NEAREST])
        remedy = f"Name a unit procedure, or unit procedure/operation, above: {near}." if near else "Remove it."
        faults.add((*place, number), f"{name!r} does not stand above, so that nothing can begin after it", remedy)
        good = False
    return good


def _check_beside(faults: Faults, data: dict[str, Any]) -> None:
    """Two unit procedures that may run at the same time need two units."""
    procedures = _procedures(data)
    if procedures is None or all(item.after is None for item in procedures):
        return
    units = [item.unit or item.unit_class for item in procedures]
    for index, procedure in enumerate(procedures):
        others = beside_in(procedures, procedure.name)
        for other, unit in zip(procedures[:index], units, strict=False):
            if other.name in others and unit == units[index]:
                words = f"{procedure.name} and {other.name} may run at the same time, and both need {unit}"
                key = "unit" if procedure.unit else "unit_class"
                faults.add(("procedure", index, key), words, f"Let it begin after {other.name}, or on another unit.")


def _procedures(data: dict[str, Any]) -> tuple[UnitProcedure, ...] | None:
    """The procedure as far as its order goes; None where it is not whole, which is noted elsewhere."""
    try:
        found = tuple(
            UnitProcedure(
                _word(item["unit_procedure"]),
                _word(item["unit_class"]),
                tuple(
                    Operation(
                        _word(part["operation"]),
                        tuple(Phase(_word(phase["phase"]), "") for phase in part["phases"]),
                        _words(part.get("after", [])),
                    )
                    for part in item["operations"]
                ),
                _word(item["unit"]) if "unit" in item else None,
                after=_words(item["after"]) if "after" in item else None,
            )
            for item in data["procedure"]
        )
    except (KeyError, TypeError, AttributeError):
        return None
    names = [item.name for item in found]
    whole = all(item.operations and all(part.phases for part in item.operations) for item in found)
    return found if whole and len(set(names)) == len(names) else None


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value.strip()


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(_word(item) for item in value)


def items(data: Any, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The mappings of a list in raw data, with their places in it."""
    found = data.get(key) if isinstance(data, dict) else None
    if isinstance(found, list):
        yield from ((index, item) for index, item in enumerate(found) if isinstance(item, dict))
